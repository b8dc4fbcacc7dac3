package alarmblind

import "github.com/unjam/unjam/internal/fault"

// command makes an alarm that works: any failed run of the pipeline, and silence where there is no run.
const command = "aws cloudwatch put-metric-alarm --region REGION --alarm-name NAME --namespace AWS/CodePipeline --metric-name FailedPipelineExecutions " +
	"--dimensions Name=PipelineName,Value=PIPELINE --statistic Sum --period 300 --evaluation-periods 1 --threshold 0 " +
	"--comparison-operator GreaterThanThreshold --treat-missing-data notBreaching --alarm-actions TOPIC"

func doc() fault.Doc {
	return fault.Doc{
		Title:   "An alarm on a pipeline never goes off",
		Symptom: "A pipeline fails, its alarm stays in OK or INSUFFICIENT_DATA, and nobody is told.",
		Text: "CloudWatch takes an alarm on any metric, also on one that does not exist: missing data is INSUFFICIENT_DATA, or OK for ever where it is treated as notBreaching. " +
			"CodePipeline documents two metrics, PipelineDuration and FailedPipelineExecutions, in the namespace AWS/CodePipeline; names are case-sensitive. " +
			"Such an alarm stops no pipeline, so it is looked for only when the question is about everything, not about a target.",
		Causes: []fault.CauseDoc{
			{Code: namespaceCase, Text: "The namespace is spelled in another case, AWS/codepipeline for example.", Evidence: "The alarm's namespace.", Remedy: "Put the alarm anew with the namespace AWS/CodePipeline."},
			{Code: metricUnknown, Text: "It watches a metric that CodePipeline does not document.", Evidence: "The alarm's metric, and a state that data never changed. Inferred: AWS may add metrics.", Remedy: "Watch FailedPipelineExecutions or PipelineDuration."},
			{Code: dimensionUnknown, Text: "It watches another dimension than PipelineName.", Evidence: "The alarm's dimensions. Inferred like the metric.", Remedy: "Use the dimension PipelineName, or none for the whole account."},
			{Code: pipelineGone, Text: "It watches a pipeline that the Region does not have.", Evidence: "The alarm's dimension, and the list of the Region's pipelines.", Remedy: "Watch the pipeline that took its place, or delete the alarm."},
			{Code: tellsNobody, Text: "Its actions are switched off, or it has none.", Evidence: "ActionsEnabled and AlarmActions. A composite alarm, a rule or a dashboard may look at it all the same.", Remedy: "Enable its actions, or give it a topic."},
		},
		See: []string{
			"aws cloudwatch describe-alarms --query \"MetricAlarms[?contains(Namespace || '', 'ode')].[AlarmName,Namespace,MetricName,StateValue]\"",
			"aws cloudwatch list-metrics --namespace AWS/CodePipeline",
		},
		Remedy:   "Put the alarm anew, where it is written: " + command,
		Severity: fault.Low, Bucket: fault.Configuration, Since: "0.2.0",
		Links: []string{
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/metrics-dimensions.html",
			"https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html",
			"https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
		},
	}
}
