package alarmblind

import "github.com/unjam/unjam/internal/fault"

func doc() fault.Doc {
	return fault.Doc{
		Title:   "An alarm on CodePipeline tells nobody",
		Symptom: "Pipelines fail, there is an alarm for that, and nobody is told.",
		Text: "CloudWatch takes an alarm on a metric that does not exist: it gets no data for ever. CodePipeline documents two metrics, FailedPipelineExecutions and PipelineDuration. " +
			"Names, namespace and dimensions are compared to the letter. An alarm is never the reason that a pipeline is stuck: it is judged when the whole account is asked about, not with a pipeline or connection as a target.",
		Causes: []fault.CauseDoc{
			{Code: namespaceCase, Text: "The namespace is written in another case than AWS/CodePipeline.", Evidence: "DescribeAlarms. Likely: from the documentation; ListMetrics does not list it either, where it was read.", Remedy: "Write the alarm with the right namespace."},
			{Code: metricUnknown, Text: "CodePipeline does not document the metric: FailedPipelines, PipelineExecutionFailure and the like.", Evidence: "DescribeAlarms. Likely: from the documentation; ListMetrics does not list it either, where it was read.", Remedy: "Write the alarm on FailedPipelineExecutions, Sum, greater than 0."},
			{Code: dimensionKey, Text: "The dimensions are others than PipelineName.", Evidence: "DescribeAlarms. Likely: from the documentation.", Remedy: "Write the alarm with the dimension PipelineName."},
			{Code: pipelineUnknown, Text: "The dimension PipelineName names no pipeline of the account and Region.", Evidence: "DescribeAlarms and ListPipelines.", Remedy: "Name the pipeline that is meant, or delete the alarm."},
			{Code: neverBreaches, Text: "It waits for a value below zero.", Evidence: "Comparison and threshold. Inferred: counts and durations are not negative.", Remedy: "Write it with GreaterThanThreshold 0."},
			{Code: actionsDisabled, Text: "Its actions are switched off.", Evidence: "DescribeAlarms, ActionsEnabled.", Remedy: "Switch them on."},
			{Code: noActions, Text: "It has no action, and no composite alarm looks at it.", Evidence: "DescribeAlarms, AlarmActions and the rules of composite alarms. For information: somebody may look at it, or a rule of EventBridge may.", Remedy: "Give it a topic."},
		},
		See: []string{
			"aws cloudwatch describe-alarms --alarm-types MetricAlarm CompositeAlarm",
			"aws cloudwatch list-metrics --namespace AWS/CodePipeline",
		},
		Remedy:   "Write the alarm anew on a metric that exists.",
		Severity: fault.Low, Bucket: fault.Configuration, Since: "0.1.0",
		Links: []string{
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/metrics-dimensions.html",
			"https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
		},
	}
}
