package transitiondisabled

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// draft opens the stages before which runs wait, one after the other, for a person who names the pipeline and consents: somebody closed
// them on purpose.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	p, ok := fact.Get[fact.Pipeline](s, f.About)
	switch {
	case !ok:
		return plan.Draft{}
	case o.NoRestart:
		return plan.Draft{Notes: []string{fmt.Sprintf("The closed stages of %s stay closed (--no-restart): a run that is let in goes on at once.", p.Name)}}
	case !fault.Targeted(s, p.Name, p.Ref().Scope.Region):
		return plan.Draft{Notes: []string{fmt.Sprintf("%s Not planned: somebody closed it on purpose, so it is opened only for those who name the pipeline: unjam fix %s", f.Message, p.Name)}}
	}
	shut, _ := closed(s, p)
	held := waiting(shut)
	var d plan.Draft
	for i, g := range held {
		step := open(g)
		if i > 0 {
			step.After = []string{d.Steps[i-1].ID}
		}
		d.Steps = append(d.Steps, step)
	}
	d.Notes = append(d.Notes, "A run that is let in cannot be called back: the undo closes the stage again for those that come later.")
	if f.Cause.Code == byAutomation {
		d.Notes = append(d.Notes, f.Cause.Text)
	}
	if len(shut) > len(held) { // the run stops there: it would be found again
		d.Notes = append(d.Notes, fmt.Sprintf("%s has other closed stages, which stay closed because nothing waits before them yet.", p.Name))
		return d
	}
	last := d.Steps[len(d.Steps)-1]
	d.Steps = append(d.Steps, plan.Step{
		ID: "verify-" + last.ID, Title: "the diagnosis again: nothing waits before a closed stage of " + p.Name, Kind: plan.Verify, Target: f.About,
		After: []string{last.ID}, Verdict: string(f.Code), Patience: 5 * time.Minute,
	})
	return d
}

// open enables the transition into one stage. It relies on what the reader saw: the reason, and the runs that wait.
func open(g fault.Gate) plan.Step {
	p := g.Pipeline
	ref := fault.StateRef(p)
	is := func(field, value string) plan.Check {
		return plan.Check{Ref: ref, Field: g.Stage() + "/" + field, Op: plan.Is, Value: value}
	}
	step := plan.NewCall("open-"+ref.Scope.Region+"-"+p.Name+"-"+g.Stage(), "let runs into "+g.Name(), ref, plan.Action{
		Service: "codepipeline", Operation: "EnableStageTransition", Region: ref.Scope.Region,
		Input: op.Input{"pipelineName": p.Name, "stageName": g.Stage(), "transitionType": "Inbound"},
	})
	step.Given = []plan.Check{is("reason", g.State.DisabledReason), is("waiting", strings.Join(g.State.Waiting, ","))}
	step.SkipWhen = []plan.Check{is("transition", "enabled")}
	step.DoneWhen = step.SkipWhen
	step.UndoneWhen = []plan.Check{is("transition", "disabled")}
	step.Patience = time.Minute
	step.Overrules = fmt.Sprintf("%s closed it, saying %q", label(g.State.DisabledBy), g.State.DisabledReason)
	step.Blast = g.Behind("runs at once with what waits", "follows, unless something stops the run before it")
	return step
}
