package approvalwaiting

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// draft is a step for a person for every approval that waits: the answer is theirs. The machine sees that one was given.
func draft(s *fact.Snapshot, f fault.Finding, _ plan.Options) plan.Draft {
	p, ok := fact.Get[fact.Pipeline](s, f.About)
	if !ok {
		return plan.Draft{}
	}
	open, _ := pending(s, p)
	if len(open) == 0 {
		return plan.Draft{Notes: []string{fmt.Sprintf("%s Not planned: %s", f.Message, f.Remedy)}}
	}
	var d plan.Draft
	var all []string
	for _, c := range open {
		step := answer(s, f, c)
		d.Steps = append(d.Steps, step)
		all = append(all, step.ID)
	}
	switch next := pass(open); {
	case len(next) > 0:
		d.Notes = append(d.Notes, fmt.Sprintf("Further approvals of %s come after this one (%s): they are asked as the run gets there.", p.Name, strings.Join(next, ", ")))
	case behind(open[0]) > 0:
		d.Notes = append(d.Notes, fmt.Sprintf("Stage %s asks again for the newer run of %s that waits before it.", open[0].Stage.Name, p.Name))
	default:
		d.Steps = append(d.Steps, plan.Step{
			ID: "verify-" + all[0], Title: "the diagnosis again: no approval of " + p.Name + " waits", Kind: plan.Verify, Target: f.About,
			After: all, Verdict: string(f.Code), Patience: 5 * time.Minute,
		})
	}
	return d
}

// answer is the step of one approval. Either answer ends it, and so does another run in its place.
func answer(s *fact.Snapshot, f fault.Finding, c fault.Current) plan.Step {
	p := c.Pipeline
	ref := fault.StateRef(p)
	at := c.Stage.Name + "/" + c.Action.Name
	over := []plan.Check{{Ref: ref, Field: at + "/running", Op: plan.Not, Value: c.State.ID}}
	clock := fault.ClockOf(c)
	step := plan.Step{
		ID: "answer-" + ref.Scope.Region + "-" + p.Name + "-" + c.Stage.Name + "-" + c.Action.Name, Title: fmt.Sprintf("approve or reject %s", c.Name()), Kind: plan.Human, Target: ref,
		Say: guide(s, f, c), SkipWhen: over, DoneWhen: over, Patience: max(clock.Ends.Sub(s.At()), time.Hour).Round(time.Minute),
		OneWay: "an answer cannot be taken back: an approved run goes on at once",
	}
	i := slices.IndexFunc(p.Stages, func(st fact.Stage) bool { return st.Name == c.Stage.Name })
	if i+1 < len(p.Stages) {
		g := fault.Gate{Pipeline: p, At: i + 1}
		step.Blast = g.Behind("follows an approval", "follows an approval")
	}
	if n := behind(c); n > 0 {
		step.Blast = append(step.Blast, plan.Effect{What: fmt.Sprintf("%s before stage %s and goes in next, whatever the answer", more(n), c.Stage.Name)})
	}
	return step
}

// guide tells a person what is asked, where, and what it takes.
func guide(s *fact.Snapshot, f fault.Finding, c fault.Current) *plan.Guide {
	p := c.Pipeline
	scope := p.Ref().Scope
	resource := p.ARN + "/" + c.Stage.Name + "/" + c.Action.Name
	g := &plan.Guide{
		Link: fault.PipelineLink(s.Question(), p), Where: fmt.Sprintf("account %s, Region %s", scope.Account, scope.Region),
		Role: "anyone who may " + action + " on " + resource,
	}
	if who := f.Details.More["answeredBefore"]; who != "" {
		g.Role += "; answered approvals of this pipeline before: " + who
	}
	if c.Action.CustomData != "" {
		g.Checklist = append(g.Checklist, "It is asked: "+c.Action.CustomData)
	}
	if c.Action.ReviewLink != "" {
		g.Checklist = append(g.Checklist, "Look at "+c.Action.ReviewLink)
	}
	g.Checklist = append(g.Checklist,
		fmt.Sprintf("Look at the revision that stands in stage %s: an approval is about that one and no newer one.", c.Stage.Name),
		fmt.Sprintf("Open the link, choose Review on %s in stage %s, and approve or reject with a word why. Both are fine here.", c.Action.Name, c.Stage.Name),
		"Do it before "+fault.Stamp(fault.ClockOf(c).Ends)+": then the stage fails by itself.",
	)
	g.Policy = policy(resource)
	g.Handover = fmt.Sprintf("The pipeline %s (account %s, %s) waits for an answer to %s since %s, and fails at %s without one. Please approve or reject it: %s",
		p.Name, scope.Account, scope.Region, c.Action.Name, fault.Stamp(c.State.Changed), fault.Stamp(fault.ClockOf(c).Ends), g.Link)
	return g
}

// policy lets somebody see the pipeline and answer the one approval
// (https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-iam-permissions.html).
func policy(resource string) string {
	b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": "Allow", "Action": []string{"codepipeline:GetPipeline", "codepipeline:GetPipelineState", "codepipeline:GetPipelineExecution", "codepipeline:ListPipelineExecutions", "codepipeline:ListPipelines"}, "Resource": "*"},
		map[string]any{"Effect": "Allow", "Action": action, "Resource": resource},
	}})
	if err != nil {
		panic("approvalwaiting: a policy does not marshal: " + err.Error())
	}
	return string(b)
}

// pass are the approvals in later stages of the pipeline, which an approved run comes to next.
func pass(open []fault.Current) []string {
	c := open[0]
	var later []string
	past := false
	for _, st := range c.Pipeline.Stages {
		for _, a := range st.Actions {
			if past && a.Category == "Approval" {
				later = append(later, st.Name+"/"+a.Name)
			}
			past = past || (st.Name == c.Stage.Name && a.Name == c.Action.Name)
		}
	}
	return later
}
