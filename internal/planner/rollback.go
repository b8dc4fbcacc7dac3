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
// pipelines that the run updated or held (PipelinesOf). made says per step ID what was called. A plan without steps means that there is nothing
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
	p, ok := pipelineOf(s, step.Target.Scope, do)
	switch {
	case do.Operation == "EnableStageTransition":
		back.Blast = enters(p, ok, do.Input["stageName"])
		return back, ""
	case do.Operation != "UpdatePipeline":
		return back, ""
	case !ok:
		return back, "the definition of " + do.Input["name"] + " could not be read"
	}
	do.Definition = p.Definition
	return back, ""
}

// pipelineOf is the pipeline that a call is about, as it was read.
func pipelineOf(s *fact.Snapshot, scope fact.Scope, do plan.Action) (fact.Pipeline, bool) {
	name := do.Input["name"]
	if name == "" {
		name = do.Input["pipelineName"]
	}
	return fact.Get[fact.Pipeline](s, fact.PipelineRef(scope, name))
}

// enters are the stages that a run which waits before a stage goes through once it is let in. Of a pipeline that could not be read nobody
// knows them: it may be production.
func enters(p fact.Pipeline, known bool, stage string) []plan.Effect {
	if !known {
		return []plan.Effect{{What: "what waits before " + stage + " enters it; what lies behind could not be read", Production: true}}
	}
	var all []plan.Effect
	for _, st := range p.Stages {
		if st.Name == stage || len(all) > 0 {
			all = append(all, plan.Effect{What: "stage " + st.Name + " runs with what waits before " + stage, Production: fact.LooksLikeProduction(st.Name)})
		}
	}
	return all
}

// PipelinesOf are the queries whose answers Rollback needs: the definitions of the pipelines that a plan updates or holds.
func PipelinesOf(old plan.Plan) []fact.Query {
	var all []fact.Query
	for _, s := range old.Steps {
		if s.Do == nil {
			continue
		}
		name := ""
		switch s.Do.Operation {
		case "UpdatePipeline":
			name = s.Do.Input["name"]
		case "DisableStageTransition":
			name = s.Do.Input["pipelineName"]
		}
		q := fact.Query{Scope: fact.Scope{Account: old.Account, Region: s.Do.Region}, Kind: fact.KindPipeline, ID: name}
		if name != "" && !slices.ContainsFunc(all, func(x fact.Query) bool { return x.Scope == q.Scope && x.ID == q.ID }) {
			all = append(all, q)
		}
	}
	return all
}
