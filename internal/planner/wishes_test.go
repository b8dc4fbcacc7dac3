package planner

import (
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

var scope = fact.Scope{Account: "111111111111", Region: "eu-west-1"}

func pipeline(name string, at fact.Scope, stages ...string) fact.Pipeline {
	p := fact.Pipeline{Seen: fact.Seen{About: fact.PipelineRef(at, name)}, Name: name, Mode: "SUPERSEDED", ARN: "arn:aws:codepipeline:" + at.Region + ":111111111111:" + name}
	for _, s := range stages {
		p.Stages = append(p.Stages, fact.Stage{Name: s, Actions: []fact.Action{{Name: "Act"}}})
	}
	return p
}

func seal(facts ...fact.Fact) *fact.Snapshot {
	b := fact.NewBuilder(fact.Question{Account: scope.Account, Regions: []string{scope.Region}})
	b.Add(facts...)
	return b.Seal(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
}

// A load is spread evenly, one start after the other, asks for consent where production lies behind, and ends with the source coming through.
func TestLoad(t *testing.T) {
	s := seal(pipeline("web", scope, "Source", "Deploy-Production"))
	p, err := Make(s, nil, nil, plan.Options{Load: &plan.Load{Pipeline: "web", Starts: 5, Over: 10 * time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 6 {
		t.Fatalf("%d steps", len(p.Steps))
	}
	for i, step := range p.Steps[:5] {
		want := time.Duration(0)
		if i > 0 {
			want = 150 * time.Second
		}
		if step.Pause != want || step.Do.Operation != "StartPipelineExecution" || (i > 0) != (len(step.After) == 1) {
			t.Errorf("start %d: %+v", i+1, step)
		}
	}
	if c := p.Consents(); len(c) != 1 || c[0] != "one-way:StartPipelineExecution" {
		t.Errorf("consents %v", c)
	}
	if last := p.Steps[5]; last.Kind != plan.Wait || last.DoneWhen[0].Field != "Source/Act/status" {
		t.Errorf("it ends with %+v", last)
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "SUPERSEDED") {
		t.Errorf("notes %q", p.Notes)
	}
}

func TestLoadRefused(t *testing.T) {
	other := fact.Scope{Account: scope.Account, Region: "us-east-1"}
	s := seal(pipeline("web", scope, "Source"), pipeline("twice", scope, "Source"), pipeline("twice", other, "Source"), pipeline("empty", scope))
	for name, l := range map[string]plan.Load{
		"nobody":         {Pipeline: "nobody", Starts: 1},
		"in two Regions": {Pipeline: "twice", Starts: 1},
		"no stages":      {Pipeline: "empty", Starts: 1},
		"none":           {Pipeline: "web", Starts: 0},
		"too many":       {Pipeline: "web", Starts: MaxStarts + 1},
		"too long":       {Pipeline: "web", Starts: 1, Over: MaxOver + 1},
		"backwards":      {Pipeline: "web", Starts: 1, Over: -1},
	} {
		if p, err := Make(s, nil, nil, plan.Options{Load: &l}); err == nil {
			t.Errorf("%s: planned %+v", name, p.Steps)
		}
	}
}

// The count comes after everything, once for each fault, and its failure fails nothing.
func TestMetric(t *testing.T) {
	ref := fact.StateRef(scope, "web")
	repair := func(*fact.Snapshot, fault.Finding, plan.Options) plan.Draft {
		return plan.Draft{Steps: []plan.Step{plan.NewCall("start-web", "start web", ref, plan.Action{Service: "codepipeline", Operation: "StartPipelineExecution", Region: scope.Region, Input: op.Input{"name": "web"}})}}
	}
	finding := fault.Finding{ID: "1", Code: "x", Severity: fault.High, About: ref}
	for _, wish := range []bool{true, false} {
		p, err := Make(seal(), []fault.Finding{finding, finding}, []*fault.Fault{{Code: "x", Plan: repair}}, plan.Options{Metric: wish})
		if err != nil {
			t.Fatal(err)
		}
		last := p.Steps[len(p.Steps)-1]
		if got := last.Do.Operation == "PutMetricData"; got != wish || wish && (!last.Optional || last.After[0] != "start-web" || len(p.Steps) != 2) {
			t.Errorf("wished %v: %+v", wish, p.Steps)
		}
	}
}

// A rollback goes backwards, but lets runs in only when the definition is the old one again.
func TestRollbackOrder(t *testing.T) {
	state, ref := fact.StateRef(scope, "web"), fact.PipelineRef(scope, "web")
	hold := plan.NewCall("hold", "hold", state, plan.Action{Service: "codepipeline", Operation: "DisableStageTransition", Region: scope.Region,
		Input: op.Input{"pipelineName": "web", "stageName": "Build", "transitionType": "Inbound", "reason": "held"}})
	update := plan.NewCall("update", "update", ref, plan.Action{Service: "codepipeline", Operation: "UpdatePipeline", Region: scope.Region, Input: op.Input{"name": "web"}, Definition: "d1"})
	update.Undo, update.OneWay = &plan.Action{Service: "codepipeline", Operation: "UpdatePipeline", Region: scope.Region, Input: op.Input{"name": "web"}}, ""
	start := plan.NewCall("start", "start", state, plan.Action{Service: "codepipeline", Operation: "StartPipelineExecution", Region: scope.Region, Input: op.Input{"name": "web"}})
	check := []plan.Check{{Ref: ref, Field: "version", Op: plan.Is, Value: "1"}}
	hold.UndoneWhen, update.UndoneWhen, hold.DoneWhen, update.DoneWhen = check, check, check, check
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	made := map[string]Made{
		"update": {Called: true, Seen: true, IntendedAt: at}, "hold": {Called: true, Seen: true, IntendedAt: at.Add(time.Minute)},
		"start": {Called: true, Seen: true, IntendedAt: at.Add(2 * time.Minute)},
	}
	web := pipeline("web", scope, "Source")
	web.Definition = "d2"
	p, err := Rollback(seal(web), plan.Plan{Account: scope.Account, Steps: []plan.Step{update, hold, start}}, "run", made)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 2 || p.Steps[0].ID != "undo-update" || p.Steps[1].ID != "undo-hold" || p.Steps[0].Do.Definition != "d2" {
		t.Errorf("steps %+v", p.Steps)
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "Not taken back: start") {
		t.Errorf("notes %q", p.Notes)
	}
	if p, err := Rollback(seal(), plan.Plan{Account: scope.Account, Steps: []plan.Step{update}}, "run", made); err != nil || len(p.Steps) != 0 || !strings.Contains(p.Notes[0], "could not be read") {
		t.Errorf("without the definition: %v %+v", err, p)
	}
}
