package apply

import (
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// What tells that a retry has happened: each sign alone is enough; what does not come of a retry is none.
func TestEvidence(t *testing.T) {
	ref := fact.StateRef(fact.Scope{Account: "1", Region: "r"}, "web")
	check := func(field string, o plan.Op, v string) plan.Check {
		return plan.Check{Ref: ref, Field: field, Op: o, Value: v}
	}
	given := []plan.Check{check("Source/execution", plan.Is, "e0"), check("Source/Fetch/status", plan.Is, "Failed"), check("version", plan.Is, "3")}
	done := []plan.Check{check("Source/Fetch/id", plan.Not, "a0"), check("Source/Fetch/status", plan.Is, "Succeeded")}
	retry := plan.Step{Target: ref, Given: given, DoneWhen: done, Do: &plan.Action{Service: "codepipeline", Operation: "RetryStageExecution", Region: "r",
		Input: op.Input{"pipelineName": "web", "stageName": "Source"}}}
	hold := plan.Step{Target: ref, DoneWhen: []plan.Check{check("Source/transition", plan.Is, "disabled")},
		Do: &plan.Action{Service: "codepipeline", Operation: "DisableStageTransition", Region: "r", Input: op.Input{"pipelineName": "web", "stageName": "Source"}}}
	bare, onlyGiven, onlyDone := retry, retry, retry
	bare.Given, bare.DoneWhen = nil, nil
	onlyGiven.DoneWhen, onlyDone.Given = nil, nil

	type look func(*fact.PipelineState, *fact.StageState, *fact.ActionState)
	same := func(*fact.PipelineState, *fact.StageState, *fact.ActionState) {}
	tests := map[string]struct {
		step plan.Step
		look look // nil: not read
		want plan.Answer
	}{
		"not read":  {retry, nil, plan.Unknown},
		"unchanged": {retry, same, plan.No},
		"done": {retry, func(_ *fact.PipelineState, _ *fact.StageState, a *fact.ActionState) {
			a.ID, a.Status = "a1", "Succeeded"
		}, plan.Yes},
		"failed again":       {onlyDone, func(_ *fact.PipelineState, _ *fact.StageState, a *fact.ActionState) { a.ID = "a1" }, plan.Yes},
		"action runs":        {onlyGiven, func(_ *fact.PipelineState, _ *fact.StageState, a *fact.ActionState) { a.Status = "InProgress" }, plan.Yes},
		"other execution":    {onlyGiven, func(_ *fact.PipelineState, s *fact.StageState, _ *fact.ActionState) { s.Execution = "e1" }, plan.Yes},
		"stage runs":         {retry, func(_ *fact.PipelineState, s *fact.StageState, _ *fact.ActionState) { s.Status = "InProgress" }, plan.Yes},
		"pipeline edited":    {retry, func(p *fact.PipelineState, _ *fact.StageState, _ *fact.ActionState) { p.Version = 4 }, plan.No},
		"nothing to tell by": {bare, same, plan.Unknown},
		"hold, open":         {hold, same, plan.No},
		"hold, done":         {hold, func(_ *fact.PipelineState, s *fact.StageState, _ *fact.ActionState) { s.TransitionEnabled = false }, plan.Yes},
		"hold, stage runs":   {hold, func(_ *fact.PipelineState, s *fact.StageState, _ *fact.ActionState) { s.Status = "InProgress" }, plan.No},
		"hold, not read":     {hold, nil, plan.Unknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := fact.NewBuilder(fact.Question{})
			if tt.look != nil {
				p := fact.PipelineState{Seen: fact.Seen{About: ref}, Version: 3, Stages: []fact.StageState{{Name: "Source", TransitionEnabled: true, Execution: "e0",
					Status: "Failed", Actions: []fact.ActionState{{Name: "Fetch", ID: "a0", Status: "Failed"}}}}}
				tt.look(&p, &p.Stages[0], &p.Stages[0].Actions[0])
				b.Add(p)
			}
			if got := evidence(b.Seal(time.Now()), tt.step); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
