package planner

import (
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// The metric that counts remediations: one data point a run of a plan, by account, Region and fault.
const (
	MetricNamespace = "Unjam"
	MetricName      = "Remediations"
)

// metric drafts the data point for each fault that a plan repairs, after everything else; its failure fails nothing. AWS charges for custom
// metrics (docs/aws-facts.md, "Metrics of one's own").
func metric(p plan.Plan, before []plan.Step) []plan.Step {
	if len(p.Regions) == 0 || len(before) == 0 {
		return nil
	}
	var after []string
	for _, s := range before {
		after = append(after, s.ID)
	}
	var all []plan.Step
	done := map[string]bool{}
	for _, f := range p.Findings {
		if done[f.Code] {
			continue
		}
		done[f.Code] = true
		region := p.Regions[0]
		step := plan.NewCall("count-"+f.Code, "count the remediation of "+f.Code, f.Subject, plan.Action{Service: "cloudwatch", Operation: "PutMetricData", Region: region, Input: op.Input{
			"Namespace": MetricNamespace, "MetricName": MetricName, "Value": "1", "Dimensions": "Account=" + p.Account + ",Region=" + region + ",Code=" + f.Code}})
		step.After, step.Optional = after, true
		all = append(all, step)
	}
	return all
}
