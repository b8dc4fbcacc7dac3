package planner

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
)

// Made is what became of one call of a run.
type Made struct {
	Called     bool      // AWS accepted it
	Open       bool      // nobody knows whether it happened
	Seen       bool      // its effect was seen
	IntendedAt time.Time // when it was made
}

// settle is how long after a call reads are trusted to show what became of it: they lag behind writes.
const settle = time.Minute

// Rollback plans to take back what a run has called, the last call first and transitions last, and nothing else. s are fresh facts: the definitions of the
// pipelines that the run updated (PipelinesOf). made says per step ID what was called. A plan without steps means that there is nothing
// to take back; its notes say what stays.
func Rollback(s *fact.Snapshot, old plan.Plan, run string, made map[string]Made) (plan.Plan, error) {
	p := plan.Plan{
		Schema: plan.Schema, CreatedAt: s.At().Truncate(time.Second), ExpiresAt: s.At().Truncate(time.Second).Add(lifetime),
		Account: old.Account, Regions: old.Regions, Snapshot: s.Content(), Findings: []plan.Finding{}, Undoes: run, Steps: []plan.Step{},
	}
	for i := range fact.All[fact.Identity](s) {
		p.Principal = i.ARN
	}
	var calls []plan.Step
	for _, step := range old.Steps {
		if m := made[step.ID]; step.Kind == plan.Call && (m.Called || m.Open) {
			calls = append(calls, step)
		}
	}
	slices.SortStableFunc(calls, func(a, b plan.Step) int { return made[b.ID].IntendedAt.Compare(made[a.ID].IntendedAt) })
	// What waits before a transition that the run disabled must not enter with the definition that is taken back: transitions are enabled last.
	slices.SortStableFunc(calls, func(a, b plan.Step) int { return cmp.Compare(enables(a), enables(b)) })
	for _, step := range calls {
		if step.Undo == nil {
			p.Notes = append(p.Notes, fmt.Sprintf("Not taken back: %s. Why: %s.", step.Title, step.OneWay))
			continue
		}
		back, why := takeBack(s, step, made[step.ID])
		if why != "" {
			p.Notes = append(p.Notes, fmt.Sprintf("Not taken back: %s. Why: %s.", step.Title, why))
			continue
		}
		if n := len(p.Steps); n > 0 {
			back.After = []string{p.Steps[n-1].ID}
		}
		p.Steps = append(p.Steps, back)
	}
	save(p.Steps)
	p.ID = p.Digest()
	return p, p.Validate()
}

func enables(s plan.Step) int {
	if s.Undo != nil && s.Undo.Operation == "EnableStageTransition" {
		return 1
	}
	return 0
}

// takeBack is the step that undoes a step. It relies on what the call has left: where somebody has changed that since, it is stale.
func takeBack(s *fact.Snapshot, step plan.Step, m Made) (plan.Step, string) {
	do := *step.Undo
	back := plan.Step{
		ID: "undo-" + step.ID, Title: "take back: " + step.Title, Kind: plan.Call, Target: step.Target, Do: &do, Undo: step.Do,
		SkipWhen: step.UndoneWhen, DoneWhen: step.UndoneWhen, UndoneWhen: step.DoneWhen, Given: step.DoneWhen,
		Export: step.Export, Window: step.Window, Patience: step.Patience,
	}
	if back.Patience <= 0 {
		back.Patience = 5 * time.Minute
	}
	if len(step.UndoneWhen) == 0 {
		return back, "the plan does not say how it was before"
	}
	if !m.Seen {
		back.NotBefore = m.IntendedAt.Add(settle).UTC()
	}
	if do.Operation != "UpdatePipeline" {
		return back, ""
	}
	p, ok := fact.Get[fact.Pipeline](s, step.Target)
	if !ok {
		p, ok = fact.Get[fact.Pipeline](s, fact.PipelineRef(step.Target.Scope, do.Input["name"]))
	}
	if !ok {
		return back, "the definition of " + do.Input["name"] + " could not be read"
	}
	do.Definition = p.Definition
	return back, ""
}

// PipelinesOf are the queries whose answers Rollback needs: the definitions of the pipelines that a plan updates.
func PipelinesOf(old plan.Plan) []fact.Query {
	var all []fact.Query
	for _, s := range old.Steps {
		if s.Do != nil && s.Do.Operation == "UpdatePipeline" {
			all = append(all, fact.Query{Scope: fact.Scope{Account: old.Account, Region: s.Do.Region}, Kind: fact.KindPipeline, ID: s.Do.Input["name"]})
		}
	}
	return all
}
