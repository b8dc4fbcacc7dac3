package world

import (
	"fmt"
	"strings"
)

// puts: CALLER puts alarm NAME [metric=FailedPipelineExecutions] [namespace=AWS/CodePipeline] [dimension=PipelineName:NAME,...]
// [actions=TOPIC,...] [missing=notBreaching] [off] [region=]: PutMetricAlarm, more than none of it
func (d *loader) puts(a *act) error {
	if !a.skip("alarm") {
		return fmt.Errorf("what is put? write `puts alarm NAME`")
	}
	name, err := a.word("the alarm's name")
	if err != nil {
		return err
	}
	dimensions, actions := []any{}, []any{}
	for _, pair := range a.list("dimension") {
		key, value, ok := strings.Cut(pair, ":")
		if !ok {
			return fmt.Errorf("dimension=%s: write NAME:VALUE", pair)
		}
		dimensions = append(dimensions, map[string]any{"Name": key, "Value": value})
	}
	for _, topic := range a.list("actions") {
		actions = append(actions, d.named(topic))
	}
	_, err = d.call(a, "monitoring", "PutMetricAlarm", d.regionOf(a), map[string]any{
		"AlarmName": name, "MetricName": a.opt("metric", "FailedPipelineExecutions"), "Namespace": a.opt("namespace", "AWS/CodePipeline"), "Dimensions": dimensions,
		"Statistic": "Sum", "Period": 300.0, "EvaluationPeriods": 1.0, "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold",
		"TreatMissingData": a.opt("missing", "missing"), "ActionsEnabled": !a.skip("off"), "AlarmActions": actions})
	return err
}

// deletesAlarm: CALLER deletes alarm NAME [region=]: DeleteAlarms
func (d *loader) deletesAlarm(a *act) error {
	name, err := a.word("the alarm's name")
	if err != nil {
		return err
	}
	_, err = d.call(a, "monitoring", "DeleteAlarms", d.regionOf(a), map[string]any{"AlarmNames": []any{name}})
	return err
}
