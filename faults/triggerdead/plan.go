package triggerdead

import (
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// draft updates a pipeline without a change where its webhook is what is likely missing, and starts nothing: the next push shows it. What the
// definition says is somebody's decision and stays.
func draft(s *fact.Snapshot, f fault.Finding, _ plan.Options) plan.Draft {
	p, ok := fact.Get[fact.Pipeline](s, f.About)
	if !ok {
		return plan.Draft{}
	}
	if f.Cause.Code != createdPending && f.Cause.Code != unknownCause {
		return plan.Draft{Notes: []string{f.Message + " Not planned, since the definition says so: " + f.Remedy}}
	}
	step, missed := fault.Rehook(s, p)
	d := plan.Draft{Steps: []plan.Step{step}, Notes: []string{"Whether pushes start " + p.Name + " then shows at the next push; this plan starts nothing."}}
	if note := fault.NotSeen(missed); note != "" {
		d.Notes = append(d.Notes, note)
	}
	d.Steps = append(d.Steps, plan.Step{ID: "verify-" + step.ID, Title: "the diagnosis again: nothing speaks against the webhook of " + p.Name, Kind: plan.Verify, Target: f.About,
		After: []string{step.ID}, Verdict: "trigger-dead", Patience: 5 * time.Minute})
	return d
}
