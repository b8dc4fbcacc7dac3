package fault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// sourcePatience is how long a source action may take to come back after a restart; it usually takes seconds.
const sourcePatience = 10 * time.Minute

// Restart drafts the steps that make every pipeline on a connection run again: a retry of the failed Source stage where AWS
// allows it, a start where it does not.
type Restart struct {
	Connection string            // ARN
	After      string            // the step to come after; "" for none
	Only       []string          // pipeline ARNs; nil means all that use the connection
	Updated    map[string]string // pipeline ARN to the step that updates its definition first: then AWS allows no retry, only a start
	Options    plan.Options
}

// Steps are the steps for all pipelines whose latest run of the source action failed, with notes for the reader.
func (r Restart) Steps(s *fact.Snapshot) (steps []plan.Step, notes []string) {
	if r.Options.NoRestart {
		return nil, []string{"No pipeline is started again (--no-restart): the next push or a start by hand runs them."}
	}
	var deploys []string
	for _, p := range Known(s, r.Connection) {
		if r.Only != nil && !slices.Contains(r.Only, p.ARN) {
			continue
		}
		restarted := false
		for _, src := range Sources(s, p, r.Connection) {
			if !src.Known {
				notes = append(notes, fmt.Sprintf("The state of %s (%s) was not read: it is not started again.", p.Name, p.Ref().Scope.Region))
				continue
			}
			if src.State.Status != "Failed" && src.State.Status != "" {
				continue
			}
			st := r.pipeline(src)
			steps = append(steps, st...)
			notes = append(notes, releases(st)...)
			restarted = true
			break // one restart a pipeline
		}
		if behind := production(p, r.Connection); len(behind) > 0 && restarted {
			deploys = append(deploys, p.Name+" ("+strings.Join(behind, ", ")+")")
		}
	}
	unless := ". --hold stops it before the next stage, --no-restart leaves it alone."
	if r.Options.Hold {
		unless = " as soon as it is released."
	}
	if len(deploys) > 0 {
		notes = append(notes, "Behind Source lies what looks like production: "+strings.Join(deploys, ", ")+
			". Everything merged since the pipeline stopped goes out"+unless)
	}
	return steps, notes
}

func production(p fact.Pipeline, arn string) []string {
	var all []string
	for _, stage := range p.StagesBehind(arn) {
		if fact.LooksLikeProduction(stage) {
			all = append(all, stage)
		}
	}
	return all
}

// Released says how to let the run that waits before a held stage go on.
func Released(pipeline, stage, region string) string {
	return fmt.Sprintf("%s stays held before %s until you release it: aws codepipeline enable-stage-transition --region %s --pipeline-name %s --stage-name %s --transition-type Inbound",
		pipeline, stage, region, pipeline, stage)
}

// releases says how to let the held runs go on, once somebody has looked.
func releases(steps []plan.Step) []string {
	var notes []string
	for _, s := range steps {
		if s.Undo != nil && s.Undo.Operation == "EnableStageTransition" {
			in := s.Undo.Input
			notes = append(notes, Released(in["pipelineName"], in["stageName"], s.Undo.Region))
		}
	}
	return notes
}

// pipeline drafts the steps of one pipeline.
func (r Restart) pipeline(src Source) []plan.Step {
	p, scope := src.Pipeline, src.Pipeline.Ref().Scope
	ref := fact.StateRef(scope, p.Name)
	key := stepKey(p)
	var steps []plan.Step
	var after []string
	if r.After != "" {
		after = []string{r.After}
	}
	if update := r.Updated[p.ARN]; update != "" {
		after = append(after, update)
	}
	behind := p.StagesBehind(r.Connection)
	if r.Options.Hold && len(behind) > 0 {
		if st, ok := src.Seen.Stage(behind[0]); !ok || st.TransitionEnabled {
			hold := plan.NewCall("hold-"+key, "hold runs before "+p.Name+"/"+behind[0], ref, plan.Action{
				Service: "codepipeline", Operation: "DisableStageTransition", Region: scope.Region,
				Input: op.Input{"pipelineName": p.Name, "stageName": behind[0], "transitionType": "Inbound", "reason": "held by unjam until somebody releases it"},
			})
			hold.SkipWhen = []plan.Check{{Ref: ref, Field: behind[0] + "/transition", Op: plan.Is, Value: "disabled"}}
			hold.DoneWhen = hold.SkipWhen
			hold.UndoneWhen = []plan.Check{{Ref: ref, Field: behind[0] + "/transition", Op: plan.Is, Value: "enabled"}}
			hold.Patience = time.Minute
			if update := r.Updated[p.ARN]; update != "" {
				hold.After = []string{update} // whether a disabled transition outlives an update is unconfirmed: docs/aws-facts.md, "Changing a pipeline"
			}
			steps = append(steps, hold)
			after = append(after, hold.ID)
		}
	}
	run := r.run(src, key, ref)
	run.After = after
	held := len(steps) > 0 || closed(src, behind)
	for _, stage := range behind {
		what := "stage " + stage + " runs with the newest commit"
		if held {
			what = "stage " + stage + " waits until somebody lets runs in before " + behind[0] + ", and runs with the newest commit then"
		}
		run.Blast = append(run.Blast, plan.Effect{What: what, Production: !held && fact.LooksLikeProduction(stage)})
	}
	return append(steps, run)
}

// stepKey tells the steps of one pipeline from those of another.
func stepKey(p fact.Pipeline) string {
	if region := p.Ref().Scope.Region; region != "" {
		return region + "-" + p.Name
	}
	return p.Name
}

// closed reports whether the transition behind Source is disabled already.
func closed(src Source, behind []string) bool {
	if len(behind) == 0 {
		return false
	}
	st, ok := src.Seen.Stage(behind[0])
	return ok && !st.TransitionEnabled
}

// run is the retry or the start, with what it relies on and how its end is seen.
func (r Restart) run(src Source, key string, ref fact.Ref) plan.Step {
	p := src.Pipeline
	at := src.Stage.Name + "/" + src.Action.Name
	check := func(field string, op plan.Op, value string) plan.Check {
		return plan.Check{Ref: ref, Field: field, Op: op, Value: value}
	}
	done := []plan.Check{check(at+"/id", plan.Not, src.State.ID), check(at+"/status", plan.Is, "Succeeded")}
	// AWS refuses a retry when the definition changed since the failure: then only a new run can help.
	retry := r.Updated[p.ARN] == "" && src.State.Status == "Failed" && src.Stages.Status == "Failed" && !p.Updated.After(src.State.Changed) && src.Stages.Execution != ""
	var step plan.Step
	if retry {
		step = plan.NewCall("retry-"+key, fmt.Sprintf("retry %s/%s", p.Name, src.Stage.Name), ref, plan.Action{
			Service: "codepipeline", Operation: "RetryStageExecution", Region: ref.Scope.Region,
			Input: op.Input{"pipelineName": p.Name, "stageName": src.Stage.Name, "pipelineExecutionId": src.Stages.Execution, "retryMode": "FAILED_ACTIONS"},
		})
		step.Given = []plan.Check{
			check(src.Stage.Name+"/execution", plan.Is, src.Stages.Execution),
			check(at+"/status", plan.Is, "Failed"),
			check("version", plan.Is, fmt.Sprint(p.Version)),
		}
	} else {
		step = plan.NewCall("start-"+key, "start "+p.Name, ref, plan.Action{
			Service: "codepipeline", Operation: "StartPipelineExecution", Region: ref.Scope.Region, Input: op.Input{"name": p.Name},
		})
		step.Given = []plan.Check{check(at+"/id", plan.Is, src.State.ID)}
	}
	step.SkipWhen = done // a push or somebody else was faster
	step.DoneWhen = done
	step.FailWhen = []plan.Check{check(at+"/status", plan.Is, "Failed")} // of a new run: the old one's failure is what this repairs
	step.Patience = sourcePatience
	return step
}
