package planner_test

import (
	"slices"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
)

// A check comes after every call of its draft, wherever the fault put it, and waits for no call of another draft.
func TestChecksComeLast(t *testing.T) {
	draft := func(_ *fact.Snapshot, f fault.Finding, _ plan.Options) plan.Draft {
		name := f.Subject.Name
		done := []plan.Check{{Field: "status", Op: plan.Is, Value: "AVAILABLE"}}
		start := func(p string) plan.Step {
			s := plan.NewCall("start-"+p, "start "+p, fact.Ref{}, plan.Action{Service: "codepipeline", Operation: "StartPipelineExecution", Region: "eu-west-1", Input: op.Input{"name": p}})
			s.After = []string{"handshake-" + name}
			return s
		}
		return plan.Draft{Steps: []plan.Step{
			{ID: "handshake-" + name, Kind: plan.Human, Say: &plan.Guide{}, DoneWhen: done},
			{ID: "verify-" + name, Kind: plan.Verify, Verdict: "x", After: []string{"handshake-" + name}},
			start(name + "-1"), start(name + "-2"),
		}}
	}
	x := &fault.Fault{Code: "x", Plan: draft}
	finding := func(name string) fault.Finding {
		return fault.Finding{Code: "x", Severity: fault.High, Subject: fault.Subject{Name: name}}
	}
	p, err := planner.Make(fact.NewBuilder(fact.Question{Regions: []string{"eu-west-1"}}).Seal(time.Date(2026, 11, 3, 7, 0, 0, 0, time.UTC)),
		[]fault.Finding{finding("a"), finding("b")}, []*fault.Fault{x}, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		i := slices.IndexFunc(p.Steps, func(s plan.Step) bool { return s.ID == "verify-"+name })
		want := []string{"handshake-" + name, "start-" + name + "-1", "start-" + name + "-2"}
		if i < 0 || !slices.Equal(p.Steps[i].After, want) {
			t.Errorf("steps %+v: verify-%s is missing or does not come after exactly %v", p.Steps, name, want)
		}
	}
}
