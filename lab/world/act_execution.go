package world

import (
	"fmt"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/codepipeline"
	"github.com/unjam/unjam/lab/svc/iam"
)

// starts: ACTOR starts [pipeline] NAME [token=]
func (d *loader) starts(a *act) error {
	if a.actor == "aws" {
		return d.recorders(a)
	}
	if a.skip("worker") {
		return d.workers(a)
	}
	t, err := d.thing(a, "pipeline")
	if err != nil {
		return err
	}
	in := map[string]any{"name": t.name}
	if token := a.opt("token", ""); token != "" {
		in["clientRequestToken"] = token
	}
	_, err = d.call(a, "codepipeline", "StartPipelineExecution", t.region, in)
	return err
}

// retries: ACTOR retries [pipeline] NAME STAGE [mode=all]
func (d *loader) retries(a *act) error {
	t, err := d.thing(a, "pipeline")
	if err != nil {
		return err
	}
	stage, err := a.word("the stage")
	if err != nil {
		return err
	}
	id, err := d.execution(t, stage)
	if err != nil {
		return err
	}
	mode := "FAILED_ACTIONS"
	if a.opt("mode", "") == "all" {
		mode = "ALL_ACTIONS"
	}
	_, err = d.call(a, "codepipeline", "RetryStageExecution", t.region, map[string]any{
		"pipelineName": t.name, "stageName": stage, "pipelineExecutionId": id, "retryMode": mode,
	})
	return err
}

// stops: ACTOR stops [pipeline] NAME [abandon=yes] ["reason"]
func (d *loader) stops(a *act) error {
	if a.actor == "aws" {
		return d.recorders(a)
	}
	if a.skip("worker") {
		return d.workers(a)
	}
	t, err := d.thing(a, "pipeline")
	if err != nil {
		return err
	}
	reason := ""
	if len(a.words) > 0 {
		reason, _ = a.word("the reason")
	}
	id, err := d.execution(t, "")
	if err != nil {
		return err
	}
	in := map[string]any{"pipelineName": t.name, "pipelineExecutionId": id, "abandon": a.opt("abandon", "") == "yes"}
	if reason != "" {
		in["reason"] = reason
	}
	_, err = d.call(a, "codepipeline", "StopPipelineExecution", t.region, in)
	return err
}

// transition: ACTOR disables [pipeline] NAME STAGE ["reason"]; enables NAME STAGE: the way into the stage
func (d *loader) transition(a *act) error {
	if a.skip("key") {
		return d.switchesKey(a)
	}
	if a.skip("rule") {
		return d.ruleActs(a)
	}
	t, err := d.thing(a, "pipeline")
	if err != nil {
		return err
	}
	stage, err := a.word("the stage")
	if err != nil {
		return err
	}
	in := map[string]any{"pipelineName": t.name, "stageName": stage, "transitionType": "Inbound"}
	if a.opt("type", "inbound") == "outbound" {
		in["transitionType"] = "Outbound"
	}
	if a.verb == "enables" {
		_, err = d.call(a, "codepipeline", "EnableStageTransition", t.region, in)
		return err
	}
	in["reason"] = "Disabled"
	if len(a.words) > 0 {
		in["reason"], _ = a.word("the reason")
	}
	_, err = d.call(a, "codepipeline", "DisableStageTransition", t.region, in)
	return err
}

// approval: ACTOR approves pipeline NAME STAGE ["why"]; ACTOR rejects [pipeline] NAME STAGE ["why"]: the approval that
// waits there
func (d *loader) approval(a *act) error {
	t, err := d.thing(a, "pipeline")
	if err != nil {
		return err
	}
	stage, err := a.word("the stage")
	if err != nil {
		return err
	}
	why, status := "", "Approved"
	if a.verb == "rejects" {
		status = "Rejected"
	}
	if len(a.words) > 0 {
		why, _ = a.word("why")
	}
	state, err := d.stageState(t, stage)
	if err != nil {
		return err
	}
	actions, _ := state["actionStates"].([]any)
	for _, x := range actions {
		m, _ := x.(map[string]any)
		run, _ := m["latestExecution"].(map[string]any)
		if text(run, "token") == "" {
			continue
		}
		_, err = d.call(a, "codepipeline", "PutApprovalResult", t.region, map[string]any{
			"pipelineName": t.name, "stageName": stage, "actionName": m["actionName"], "token": run["token"],
			"result": map[string]any{"status": status, "summary": why},
		})
		return err
	}
	return fmt.Errorf("nothing waits for approval in stage %s of %s", stage, t.name)
}

// breaksStage: aws breaks stage PIPELINE STAGE ["message"]; aws heals stage PIPELINE STAGE: whether what the stage's
// actions do succeeds, builds or deployments, and ends by itself.
func (d *loader) breaksStage(a *act) error {
	t, err := d.thing(a, "pipeline")
	if err != nil {
		return err
	}
	stage, err := a.word("the stage")
	if err != nil {
		return err
	}
	names, err := d.actionsOf(t, stage)
	if err != nil {
		return err
	}
	var f codepipeline.Failure
	if a.verb == "breaks" {
		f = codepipeline.Failure{Code: "JobFailed", Message: "Build terminated with state: FAILED"}
		if len(a.words) > 0 {
			f.Message, _ = a.word("the message")
		}
	}
	for _, name := range names {
		d.lab.Pipelines.FailAction(t.account, t.region, t.name, stage, name, f)
		if a.verb == "heals" {
			d.lab.Pipelines.FreeAction(t.account, t.region, t.name, stage, name)
		}
	}
	return nil
}

// execution is the latest execution of a pipeline, or of one of its stages.
func (d *loader) execution(t *thing, stage string) (string, error) {
	state, err := d.stageState(t, stage)
	if err != nil {
		return "", err
	}
	if latest, ok := state["latestExecution"].(map[string]any); ok {
		return text(latest, "pipelineExecutionId"), nil
	}
	return "", fmt.Errorf("stage %v of %s has no execution yet", state["stageName"], t.name)
}

// stageState is a stage as GetPipelineState shows it; the first one for "". The world looks itself: no actor needs a
// permission for it and no event tells of it.
func (d *loader) stageState(t *thing, stage string) (map[string]any, error) {
	op := d.c.Service("codepipeline").Ops["GetPipelineState"]
	out, err := op.Do(&cloud.Request{
		Cloud: d.c, Time: d.c.Now(), Service: "codepipeline", Operation: op.Name, Region: t.region,
		Caller: iam.RootPrincipal(t.account), In: map[string]any{"name": t.name},
	})
	if err != nil {
		return nil, err
	}
	states, _ := onWire(out)["stageStates"].([]any)
	for _, s := range states {
		if m, _ := s.(map[string]any); stage == "" || m["stageName"] == stage {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s has no stage %q", t.name, stage)
}
