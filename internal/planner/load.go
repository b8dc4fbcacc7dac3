package planner

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// The bounds of a smoke load: enough to see that starts come through, too little to be a load test.
const (
	MaxStarts = 50
	MaxOver   = time.Hour
)

// load drafts a smoke load: starts of a pipeline spread evenly over a time, then the wait for its source actions. They come after all that the
// plan calls before.
func load(s *fact.Snapshot, before []plan.Step, l plan.Load) (plan.Draft, error) {
	p, err := pipelineNamed(s, l.Pipeline)
	if err != nil {
		return plan.Draft{}, err
	}
	if l.Starts < 1 || l.Starts > MaxStarts || l.Over < 0 || l.Over > MaxOver {
		return plan.Draft{}, fmt.Errorf("plan load: %d starts in %s: at most %d in %s", l.Starts, l.Over, MaxStarts, MaxOver)
	}
	var d plan.Draft
	var after []string
	for _, x := range before {
		after = append(after, x.ID)
	}
	pause := time.Duration(0)
	if l.Starts > 1 {
		pause = l.Over / time.Duration(l.Starts-1)
	}
	ref := fact.StateRef(p.Ref().Scope, p.Name)
	for i := range l.Starts {
		step := plan.NewCall(fmt.Sprintf("load-%s-%d", p.Name, i+1), fmt.Sprintf("start %s, %d of %d", p.Name, i+1, l.Starts), ref, plan.Action{
			Service: "codepipeline", Operation: "StartPipelineExecution", Region: ref.Scope.Region, Input: op.Input{"name": p.Name}})
		step.After = after
		if i > 0 {
			step.Pause = pause
		}
		if i == 0 {
			for _, st := range p.Stages[1:] {
				step.Blast = append(step.Blast, plan.Effect{What: "stage " + st.Name + " runs with every start", Production: fact.LooksLikeProduction(st.Name)})
			}
		}
		after = []string{step.ID}
		d.Steps = append(d.Steps, step)
	}
	wait := plan.Step{ID: "load-" + p.Name + "-through", Title: "the source of " + p.Name + " still comes through", Kind: plan.Wait, Target: ref, After: after, Patience: 15 * time.Minute}
	for _, a := range p.Stages[0].Actions {
		wait.DoneWhen = append(wait.DoneWhen, plan.Check{Ref: ref, Field: p.Stages[0].Name + "/" + a.Name + "/status", Op: plan.Is, Value: "Succeeded"})
	}
	d.Steps = append(d.Steps, wait)
	if p.Mode == "SUPERSEDED" {
		d.Notes = append(d.Notes, p.Name+" runs in mode SUPERSEDED: of starts that queue before a stage only the newest goes on.")
	}
	return d, nil
}

// pipelineNamed is the one pipeline of a name among those that were read.
func pipelineNamed(s *fact.Snapshot, name string) (fact.Pipeline, error) {
	var found []fact.Pipeline
	for p := range fact.All[fact.Pipeline](s) {
		newest, _ := fact.Get[fact.Pipeline](s, p.Ref())
		if p.Name == name && (len(found) == 0 || found[len(found)-1].Ref() != newest.Ref()) {
			found = append(found, newest)
		}
	}
	switch {
	case len(found) == 0:
		return fact.Pipeline{}, fmt.Errorf("plan load: pipeline %s was not read: name it as a target too, or check the name and Region", name)
	case len(found) > 1:
		var regions []string
		for _, p := range found {
			regions = append(regions, p.Ref().Scope.Region)
		}
		return fact.Pipeline{}, fmt.Errorf("plan load: pipeline %s is in %s: choose one with --region", name, strings.Join(regions, " and "))
	case len(found[0].Stages) == 0:
		return fact.Pipeline{}, fmt.Errorf("plan load: pipeline %s has no stages", name)
	}
	return found[0], nil
}
