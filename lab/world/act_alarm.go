package world

import (
	"fmt"
	"strconv"
	"strings"
)

// createAlarm: creates alarm NAME [metric=] [namespace=] [pipeline=] [dimensions=KEY:VALUE,...] [statistic=] [over=] [period=] [missing=]
// [notifies=TOPIC] [actions=off] [region=]: PutMetricAlarm; creates alarm NAME of=ALARM,... [notifies=]: PutCompositeAlarm
func (d *loader) createAlarm(a *act, name string) error {
	region := d.regionOf(a)
	in := map[string]any{"AlarmName": name}
	if topic := a.opt("notifies", ""); topic != "" {
		in["AlarmActions"] = []any{d.named(topic)}
	}
	if a.opt("actions", "on") == "off" {
		in["ActionsEnabled"] = false
	}
	if of := a.list("of"); len(of) > 0 {
		var parts []string
		for _, n := range of {
			parts = append(parts, fmt.Sprintf("ALARM(%q)", n))
		}
		in["AlarmRule"] = strings.Join(parts, " OR ")
		_, err := d.call(a, "monitoring", "PutCompositeAlarm", region, in)
		return err
	}
	if err := d.metric(a, in); err != nil {
		return err
	}
	_, err := d.call(a, "monitoring", "PutMetricAlarm", region, in)
	return err
}

// metric is what a line says of an alarm's metric. What it does not say is as CodePipeline's documentation has it.
func (d *loader) metric(a *act, in map[string]any) error {
	in["Namespace"], in["MetricName"], in["Statistic"] = a.opt("namespace", "AWS/CodePipeline"), a.opt("metric", "FailedPipelineExecutions"), a.opt("statistic", "Sum")
	in["EvaluationPeriods"], in["ComparisonOperator"] = 1, a.opt("compares", "GreaterThanThreshold")
	if missing := a.opt("missing", "notBreaching"); missing != "none" {
		in["TreatMissingData"] = missing
	}
	period, err := duration(a.opt("period", "5m"))
	if err != nil {
		return fmt.Errorf("period=: %w", err)
	}
	in["Period"] = int(period.Seconds())
	if in["Threshold"], err = strconv.ParseFloat(a.opt("over", "0"), 64); err != nil {
		return fmt.Errorf("over= is a number")
	}
	var dimensions []any
	if p := a.opt("pipeline", ""); p != "" {
		dimensions = append(dimensions, map[string]any{"Name": "PipelineName", "Value": p})
	}
	for _, x := range a.list("dimensions") {
		key, value, ok := strings.Cut(x, ":")
		if !ok {
			return fmt.Errorf("dimensions= is a list of KEY:VALUE, and %q is none", x)
		}
		dimensions = append(dimensions, map[string]any{"Name": key, "Value": value})
	}
	if dimensions != nil {
		in["Dimensions"] = dimensions
	}
	return nil
}

// alarmActs: CALLER enables|disables|deletes alarm NAME [region=]: EnableAlarmActions, DisableAlarmActions, DeleteAlarms
func (d *loader) alarmActs(a *act) error {
	name, err := a.word("the alarm's name")
	if err != nil {
		return err
	}
	a.subject = name
	op := map[string]string{"enables": "EnableAlarmActions", "disables": "DisableAlarmActions", "deletes": "DeleteAlarms"}[a.verb]
	_, err = d.call(a, "monitoring", op, d.regionOf(a), map[string]any{"AlarmNames": []any{name}})
	return err
}

// publishes: aws publishes metric NAME [namespace=] [pipeline=] [region=]: a data point that a service publishes about itself
func (d *loader) publishes(a *act) error {
	if a.actor != "aws" {
		return fmt.Errorf("only aws publishes metrics by an act: a caller `calls monitoring:PutMetricData`")
	}
	a.skip("metric")
	name, err := a.word("the metric's name")
	if err != nil {
		return err
	}
	a.subject = name
	dimensions := map[string]string{}
	if p := a.opt("pipeline", ""); p != "" {
		dimensions["PipelineName"] = p
	}
	d.lab.Metrics.Publish(d.account, a.opt("region", d.regions[d.account]), a.opt("namespace", "AWS/CodePipeline"), name, dimensions, 1)
	return nil
}
