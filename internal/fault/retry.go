package fault

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// Retry drafts the step that makes a failed action of any stage run again: a retry of the stage where AWS allows it, else a start of the
// pipeline (docs/aws-facts.md, "Retry or start"). patience is how long the action may take.
func Retry(c Current, after []string, patience time.Duration) plan.Step {
	p := c.Pipeline
	ref, at := StateRef(p), c.Stage.Name+"/"+c.Action.Name
	check := func(field string, op plan.Op, value string) plan.Check {
		return plan.Check{Ref: ref, Field: field, Op: op, Value: value}
	}
	done := []plan.Check{check(at+"/id", plan.Not, c.State.ID), check(at+"/status", plan.Is, "Succeeded")}
	stage, _ := c.Seen.Stage(c.Stage.Name)
	first := slices.IndexFunc(p.Stages, func(s fact.Stage) bool { return s.Name == c.Stage.Name })
	var step plan.Step
	if stage.Status == "Failed" && stage.Execution != "" && !p.Updated.After(c.State.Changed) {
		step = plan.NewCall("retry-"+stepKey(p), fmt.Sprintf("retry %s/%s", p.Name, c.Stage.Name), ref, plan.Action{
			Service: "codepipeline", Operation: "RetryStageExecution", Region: ref.Scope.Region,
			Input: op.Input{"pipelineName": p.Name, "stageName": c.Stage.Name, "pipelineExecutionId": stage.Execution, "retryMode": "FAILED_ACTIONS"},
		})
		step.Given = []plan.Check{check(c.Stage.Name+"/execution", plan.Is, stage.Execution), check(at+"/status", plan.Is, "Failed"), check("version", plan.Is, strconv.Itoa(p.Version))}
	} else {
		first = 0
		step = plan.NewCall("start-"+stepKey(p), "start "+p.Name, ref, plan.Action{
			Service: "codepipeline", Operation: "StartPipelineExecution", Region: ref.Scope.Region, Input: op.Input{"name": p.Name},
		})
		step.Given = []plan.Check{check(at+"/id", plan.Is, c.State.ID)}
	}
	step.After, step.SkipWhen, step.DoneWhen, step.Patience = after, done, done, patience
	step.FailWhen = []plan.Check{check(at+"/status", plan.Is, "Failed")}
	for _, s := range p.Stages[max(first, 0):] {
		step.Blast = append(step.Blast, plan.Effect{What: "stage " + s.Name + " runs", Production: fact.LooksLikeProduction(s.Name)})
	}
	return step
}
