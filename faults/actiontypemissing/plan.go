package actiontypemissing

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

// How long a person may take, and how long the action, when it runs again, which has 24 hours (docs/aws-facts.md, "Quotas").
const (
	personPatience = 3 * 24 * time.Hour
	actionPatience = 24 * time.Hour
)

// oneWay is why a registration has no way back.
const oneWay = "the version of an action type that is deleted again cannot be used for another one"

// remedy is one line on what to do.
func (t trouble) remedy() string {
	switch t.cause {
	case deleted:
		return fmt.Sprintf("Register %s %s in %s under a version that was never used, with a worker that polls there, and name that version in the pipeline.", t.Action.Category, t.Action.Provider, t.scope.Region)
	case version:
		return fmt.Sprintf("Name version %s in the pipeline, or register version %s in %s.", t.newest(), t.Action.Version, t.scope.Region)
	case noWorker:
		again := "it takes the job that waits."
		if t.State.Status == "Failed" {
			again = "then retry the stage: " + t.command("retry-stage-execution") + "."
		}
		return fmt.Sprintf("Start the worker that polls for jobs of %s in %s: %s", t.name(), t.scope.Region, again)
	}
	return fmt.Sprintf("Register %s in %s, with a worker that polls there.", t.name(), t.scope.Region)
}

// newest is the registered version that comes last in the list.
func (t trouble) newest() string { return t.same[len(t.same)-1].Version }

// draft plans the person's steps for every action of the pipeline and, where a run is needed after them, the retry. The program registers
// nothing itself: what a type demands is known to whoever wrote its worker.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	p, ok := fact.Get[fact.Pipeline](s, f.About)
	if !ok {
		return plan.Draft{}
	}
	var d plan.Draft
	var after []string
	var again *fault.Current
	all, _, _ := look(s, p)
	for _, t := range all {
		if t.cause == noWorker && t.State.Status == "Failed" {
			return plan.Draft{Notes: []string{"Not planned, since no API shows whether a worker polls. " + t.remedy()}}
		}
		step := t.step(s)
		if !slices.ContainsFunc(d.Steps, func(x plan.Step) bool { return x.ID == step.ID }) {
			d.Steps, after = append(d.Steps, step), append(after, step.ID)
		}
		if c := t.Current; again == nil && t.restarts() {
			if t.renames() {
				c.Pipeline.Updated = s.At() // it will be: AWS allows no retry then, only a start
			}
			again = &c
		}
	}
	switch {
	case again != nil && o.NoRestart:
		return plan.Draft{Steps: d.Steps, Notes: []string{"The stage does not run again (--no-restart)."}}
	case again != nil:
		retry := fault.Retry(*again, after, actionPatience)
		d.Steps, after = append(d.Steps, retry), []string{retry.ID}
	}
	d.Steps = append(d.Steps, plan.Step{
		ID: "verify-" + after[0], Title: "the diagnosis again: the custom actions of " + p.Name + " have their types", Kind: plan.Verify, Target: f.About,
		After: after, Verdict: string(f.Code), Patience: 5 * time.Minute,
	})
	return d
}

// renames reports whether the pipeline's definition has to name another version.
func (t trouble) renames() bool { return t.cause == deleted || t.cause == version }

// restarts reports whether the action has to be run again once its type is there: a job that waits is taken by the worker, and where nothing
// ran there is nothing to run.
func (t trouble) restarts() bool {
	return t.State.Status == "Failed" || t.State.Status == "InProgress" && t.renames()
}

// step is what a person does about one action, with the end that a machine sees.
func (t trouble) step(s *fact.Snapshot) plan.Step {
	p := t.Pipeline
	at := t.Stage.Name + "/" + t.Action.Name
	moved := plan.Check{Ref: fault.StateRef(p), Field: at + "/running", Op: plan.Not, Value: t.State.ID}
	step := plan.Step{Kind: plan.Human, Patience: personPatience}
	guide := &plan.Guide{
		Link: fault.PipelineLink(s.Question(), p), Where: fmt.Sprintf("account %s, Region %s", t.scope.Account, t.scope.Region),
		Role: "whoever runs the worker of " + t.Action.Provider + ", and may register action types",
	}
	switch {
	case t.cause == noWorker:
		step.ID, step.Title, step.Target = "worker-"+t.scope.Region+"-"+t.Action.Provider, "start the worker of "+t.name(), fault.StateRef(p)
		step.DoneWhen = []plan.Check{moved}
		step.Patience = max(fault.ClockOf(t.Current).Ends.Sub(s.At()), time.Hour).Round(time.Minute)
		guide.Checklist = []string{t.poll(), "The job has been waiting since " + fault.Stamp(t.State.Changed) + ", and waits until " + fault.Stamp(fault.ClockOf(t.Current).Ends) + "."}
	case t.renames():
		step.ID, step.Title, step.Target = "version-"+p.Ref().Scope.Region+"-"+p.Name+"-"+t.Stage.Name+"-"+t.Action.Name, "name a registered version in "+t.Name(), p.Ref()
		step.DoneWhen = []plan.Check{{Ref: p.Ref(), Field: at + "/type", Op: plan.Not, Value: t.Action.TypeName()}}
		if t.cause == deleted {
			guide.Checklist = append(t.register("a version that was never used"), t.poll())
			step.OneWay = oneWay
		}
		guide.Checklist = append(guide.Checklist,
			fmt.Sprintf("Name the version in action %s; where Terraform, CDK or CloudFormation owns the pipeline, there. Else: %s --query pipeline > pipeline.json, edit it, aws codepipeline update-pipeline --region %s --pipeline file://pipeline.json",
				at, t.command("get-pipeline"), p.Ref().Scope.Region))
		if t.State.Status == "InProgress" {
			step.DoneWhen = append(step.DoneWhen, moved)
			guide.Checklist = append(guide.Checklist, "Stop the run that stands, or it holds the stage until its time is over: "+t.command("stop-pipeline-execution")+" --abandon")
		}
	default:
		step.ID, step.Title = "register-"+t.scope.Region+"-"+strings.ReplaceAll(t.Action.TypeName(), "/", "-"), "register "+t.name()+" in "+t.scope.Region
		step.Target, step.OneWay = fact.ActionTypeRef(t.scope, t.Action.TypeName()), oneWay
		step.DoneWhen = []plan.Check{{Ref: step.Target, Field: "version", Op: plan.Is, Value: t.Action.Version}}
		guide.Checklist = append(t.register("version "+t.Action.Version), t.poll())
		if t.State.Status == "InProgress" {
			step.DoneWhen = append(step.DoneWhen, moved)
			guide.Checklist = append(guide.Checklist, "Should the action still stand an hour later, stop its run and start the pipeline again: "+t.command("stop-pipeline-execution")+" --abandon")
		}
	}
	step.SkipWhen = step.DoneWhen
	guide.Handover = fmt.Sprintf("The pipeline %s (account %s, %s) waits for the custom action type %s in %s: %s", p.Name, p.Ref().Scope.Account, p.Ref().Scope.Region, t.name(), t.scope.Region, t.remedy())
	step.Say = guide
	return step
}

// poll is what is said of the worker.
func (t trouble) poll() string {
	return fmt.Sprintf("Have the worker poll for jobs of category %s, owner Custom, provider %s in %s, and with credentials of account %s. Do not try it with poll-for-jobs by hand: that takes the job.",
		t.Action.Category, t.Action.Provider, t.scope.Region, t.scope.Account)
}

// register is how to register the type, with what the action's own declaration tells of it.
func (t trouble) register(as string) []string {
	var lines []string
	if len(t.there) > 0 {
		lines = append(lines, fmt.Sprintf("See what it is in %s: aws codepipeline list-action-types --action-owner-filter Custom --region %s", t.there[0], t.there[0]))
	}
	return append(lines,
		"Complete this as action-type.json, with "+as+"; the worker's own documentation says what it demands: "+t.skeleton(),
		fmt.Sprintf("aws codepipeline create-custom-action-type --region %s --cli-input-json file://action-type.json", t.scope.Region))
}

// skeleton is the input of CreateCustomActionType as far as the action tells it.
func (t trouble) skeleton() string {
	type property struct {
		Name     string `json:"name"`
		Required bool   `json:"required"`
		Key      bool   `json:"key"`
		Secret   bool   `json:"secret"`
	}
	type bounds struct {
		Min int `json:"minimumCount"`
		Max int `json:"maximumCount"`
	}
	a := t.Action
	in := struct {
		Category   string     `json:"category"`
		Provider   string     `json:"provider"`
		Version    string     `json:"version"`
		Properties []property `json:"configurationProperties,omitempty"`
		Input      bounds     `json:"inputArtifactDetails"`
		Output     bounds     `json:"outputArtifactDetails"`
	}{Category: a.Category, Provider: a.Provider, Version: a.Version, Input: bounds{a.Inputs, a.Inputs}, Output: bounds{a.Outputs, a.Outputs}}
	if t.cause == deleted {
		in.Version = "NEW"
	}
	for _, name := range a.Configured {
		in.Properties = append(in.Properties, property{Name: name, Required: true, Key: true})
	}
	b, err := json.Marshal(in)
	if err != nil {
		panic("actiontypemissing: a skeleton does not marshal: " + err.Error())
	}
	return string(b)
}

// command is a command line of the AWS CLI about the pipeline.
func (t trouble) command(name string) string {
	line := fmt.Sprintf("aws codepipeline %s --region %s", name, t.Pipeline.Ref().Scope.Region)
	stage, _ := t.Seen.Stage(t.Stage.Name)
	switch name {
	case "get-pipeline":
		return line + " --name " + t.Pipeline.Name
	case "stop-pipeline-execution":
		return line + " --pipeline-name " + t.Pipeline.Name + " --pipeline-execution-id " + stage.Execution
	}
	return line + " --pipeline-name " + t.Pipeline.Name + " --stage-name " + t.Stage.Name + " --pipeline-execution-id " + stage.Execution + " --retry-mode FAILED_ACTIONS"
}
