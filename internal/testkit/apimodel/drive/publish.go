package drive

import "time"

func topicSteps() []step {
	const none = `"TopicArn":"arn:aws:sns:us-east-1:111111111111:none"`
	return named("sns", []step{
		{op: "CreateTopic", in: `{"Name":"alarms","Attributes":[{"key":"DisplayName","value":"Alarms"}],"Tags":[{"Key":"team","Value":"web"}]}`, keep: "topic=TopicArn"},
		{op: "CreateTopic", in: `{"Name":"no topic"}`, code: "InvalidParameter"},
		{op: "ListTopics", in: `{}`},
		{op: "ListTopics", in: `{"NextToken":"no token of mine"}`, code: "InvalidParameter"},
		{op: "Subscribe", in: `{"TopicArn":"$topic","Protocol":"email","Endpoint":"ada@example.com"}`},
		{op: "Subscribe", in: `{"TopicArn":"$topic","Protocol":"pigeon","Endpoint":"loft"}`, code: "InvalidParameter"},
		{op: "ListSubscriptionsByTopic", in: `{"TopicArn":"$topic"}`},
		{op: "ListSubscriptionsByTopic", in: `{` + none + `}`, code: "NotFound"},
		{op: "Publish", in: `{"TopicArn":"$topic","Subject":"stuck","Message":"web waits","MessageAttributes":[{"Name":"pipeline","Value":{"DataType":"String","StringValue":"web"}}]}`},
		{op: "Publish", in: `{` + none + `,"Message":"web waits"}`, code: "NotFound"},
	})
}

func metricSteps() []step {
	const metric = `"Namespace":"Example","MetricName":"Repairs","Dimensions":[{"Name":"Pipeline","Value":"web"}]`
	const day = `"StartTime":"2026-05-04T00:00:00Z","EndTime":"2026-05-06T00:00:00Z","Period":3600`
	return named("monitoring", []step{
		{op: "PutMetricData", in: `{"Namespace":"Example","MetricData":[{"MetricName":"Repairs","Dimensions":[{"Name":"Pipeline","Value":"web"}],"Value":1,"Unit":"Count"},
			{"MetricName":"Waited","Values":[1,2],"Counts":[3,1],"Unit":"Seconds","StorageResolution":60},
			{"MetricName":"Sums","StatisticValues":{"SampleCount":2,"Sum":3,"Minimum":1,"Maximum":2}}]}`},
		{op: "PutMetricData", in: `{"Namespace":"AWS/CodePipeline","MetricData":[{"MetricName":"Repairs","Value":1}]}`, code: "InvalidParameterValue"},
		{op: "PutMetricData", in: `{"Namespace":"Example"}`, code: "MissingParameter"},
		{op: "PutMetricData", in: `{"Namespace":"Example","MetricData":[{"MetricName":"Repairs","Value":1,"Values":[1]}]}`, code: "InvalidParameterCombination"},
		{op: "ListMetrics", in: `{` + metric + `}`},
		{op: "ListMetrics", in: `{"Namespace":"Example"}`, later: 20 * time.Minute},
		{op: "ListMetrics", in: `{"NextToken":"no token of mine"}`, code: "InvalidParameterValue"},
		{op: "GetMetricStatistics", in: `{` + metric + `,` + day + `,"Statistics":["Sum","Average","SampleCount","Minimum","Maximum"]}`},
		{op: "GetMetricStatistics", in: `{` + metric + `,` + day + `}`, code: "MissingParameter"},
		{op: "PutMetricAlarm", in: `{"AlarmName":"web-failed","Namespace":"AWS/CodePipeline","MetricName":"FailedPipelineExecutions","Dimensions":[{"Name":"PipelineName","Value":"web"}],
			"Statistic":"Sum","Period":300,"EvaluationPeriods":1,"Threshold":0,"ComparisonOperator":"GreaterThanThreshold","TreatMissingData":"notBreaching","ActionsEnabled":true,
			"AlarmActions":["arn:aws:sns:us-east-1:111111111111:alarms"]}`},
		{op: "PutMetricAlarm", in: `{"AlarmName":"web-slow","EvaluationPeriods":1,"ComparisonOperator":"GreaterThanUpperThreshold","ThresholdMetricId":"ad1","Metrics":[
			{"Id":"m1","MetricStat":{"Metric":{"Namespace":"AWS/CodePipeline","MetricName":"PipelineDuration","Dimensions":[{"Name":"PipelineName","Value":"web"}]},"Period":300,"Stat":"Average"},"ReturnData":true},
			{"Id":"ad1","Expression":"ANOMALY_DETECTION_BAND(m1, 2)","ReturnData":true}]}`},
		{op: "PutMetricAlarm", in: `{"AlarmName":"none","EvaluationPeriods":1,"ComparisonOperator":"GreaterThanThreshold"}`, code: "MissingParameter"},
		{op: "DescribeAlarms", in: `{"AlarmTypes":["MetricAlarm"],"MaxRecords":100}`},
		{op: "DescribeAlarms", in: `{"NextToken":"no token of mine"}`, code: "InvalidNextToken"},
		{op: "DeleteAlarms", in: `{"AlarmNames":["web-slow"]}`},
		{op: "DeleteAlarms", in: `{"AlarmNames":["web-slow"]}`, code: "ResourceNotFound"},
	})
}
