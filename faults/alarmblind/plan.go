package alarmblind

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// command is what mends an alarm. An alarm that is written anew is written as a whole: what it does is repeated.
func command(f fault.Finding, a fact.Alarm) string {
	region := f.Subject.Region
	if f.Cause.Code == actionsDisabled {
		return fmt.Sprintf("aws cloudwatch enable-alarm-actions --region %s --alarm-names %q", region, a.Name)
	}
	actions := "TOPIC-ARN"
	if len(a.Actions) > 0 {
		actions = strings.Join(a.Actions, " ")
	}
	name := "PIPELINE"
	if v := a.Dimensions[dimension]; v != "" && f.Cause.Code != pipelineUnknown {
		name = v
	}
	return fmt.Sprintf("aws cloudwatch put-metric-alarm --region %s --alarm-name %q --namespace %s --metric-name %s --dimensions Name=%s,Value=%s --statistic Sum --period 300 "+
		"--evaluation-periods 1 --comparison-operator GreaterThanThreshold --threshold 0 --treat-missing-data notBreaching --alarm-actions %s", region, a.Name, namespace, failed, dimension, name, actions)
}

// draft has a person write the alarm: who is to be told, and of what, is theirs to say. Nothing waits for it.
func draft(s *fact.Snapshot, f fault.Finding, _ plan.Options) plan.Draft {
	a, ok := fact.Get[fact.Alarm](s, f.About)
	if !ok || f.Severity == fault.Info || len(a.Metrics) > 0 {
		return plan.Draft{Notes: []string{f.Message + " " + f.Remedy}}
	}
	st := plan.Step{
		ID: "alarm-" + f.Subject.Region + "-" + a.Name, Title: "mend the alarm " + a.Name, Kind: plan.Human, Target: f.About, Optional: true, Patience: 24 * time.Hour,
		Say: &plan.Guide{
			Link:      fault.AlarmLink(s.Question(), f.Subject.Region, a.Name),
			Where:     fmt.Sprintf("account %s, Region %s", f.Subject.Account, f.Subject.Region),
			Role:      "whoever owns the alarm",
			Checklist: []string{command(f, a), "Where a stack or Terraform made the alarm, change it there."},
			Handover:  f.Message,
		},
	}
	is := func(field string, how plan.Op, value string) {
		st.DoneWhen = append(st.DoneWhen, plan.Check{Ref: f.About, Field: field, Op: how, Value: value})
	}
	switch f.Cause.Code {
	case actionsDisabled:
		is("enabled", plan.Is, "true")
	case neverBreaches:
		is("breach", plan.Is, "GreaterThanThreshold 0")
	case pipelineUnknown:
		is("pipeline", plan.Not, f.Details.More["pipeline"])
	default:
		is("metric", plan.Is, namespace+"/"+failed)
		is("dimensions", plan.Is, dimension)
	}
	return plan.Draft{Steps: []plan.Step{st, {
		ID: "verify-" + st.ID, Title: "the diagnosis again: the alarm " + a.Name + " can tell of failures", Kind: plan.Verify, Target: f.About,
		After: []string{st.ID}, Verdict: string(f.Code), Patience: 5 * time.Minute, Optional: true,
	}}}
}
