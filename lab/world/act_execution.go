package world

import (
	"fmt"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
)

// starts: ACTOR starts [pipeline] NAME [token=]
func (d *loader) starts(a *act) error {
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

// execution is the latest execution of a pipeline, or of one of its stages. The world looks it up itself: no actor
// needs a permission for it and no event tells of it.
func (d *loader) execution(t *thing, stage string) (string, error) {
	op := d.c.Service("codepipeline").Ops["GetPipelineState"]
	out, err := op.Do(&cloud.Request{
		Cloud: d.c, Time: d.c.Now(), Service: "codepipeline", Operation: op.Name, Region: t.region,
		Caller: iam.RootPrincipal(t.account), In: map[string]any{"name": t.name},
	})
	if err != nil {
		return "", err
	}
	states, _ := onWire(out)["stageStates"].([]any)
	for _, s := range states {
		m, _ := s.(map[string]any)
		if stage != "" && m["stageName"] != stage {
			continue
		}
		if latest, ok := m["latestExecution"].(map[string]any); ok {
			return text(latest, "pipelineExecutionId"), nil
		}
		break
	}
	if stage == "" {
		stage = "first stage"
	}
	return "", fmt.Errorf("%s of %s has no execution yet", stage, t.name)
}
