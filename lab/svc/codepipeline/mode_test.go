package codepipeline_test

import (
	"testing"
	"time"

	"github.com/unjam/unjam/lab/svc/codepipeline"
)

func failure(code, message string) codepipeline.Failure {
	return codepipeline.Failure{Code: code, Message: message}
}

func (b *bench) transition(op, stage, kind string) {
	b.Helper()
	input := in{"pipelineName": "web", "stageName": stage, "transitionType": kind}
	if op == "DisableStageTransition" {
		input["reason"] = "hold it"
	}
	b.ok(op, input)
}

func TestDisabledTransitionHoldsAndEnablingReleases(t *testing.T) {
	for _, c := range []struct{ stage, kind string }{{"Deploy", "Inbound"}, {"Build", "Outbound"}} {
		b := working(t)
		id := b.create("web")
		b.transition("DisableStageTransition", c.stage, c.kind)
		b.pass(time.Hour)
		b.wants("web", id, "InProgress")
		s := b.stageState("web", "Deploy")
		inbound, _ := s["inboundExecution"].(in)
		tr := s["inboundTransitionState"].(in)
		if inbound["pipelineExecutionId"] != id || tr["enabled"] != false || tr["disabledReason"] != "hold it" || tr["lastChangedBy"] != b.me.ARN {
			t.Errorf("%s of %s: %v", c.kind, c.stage, s)
		}
		b.transition("EnableStageTransition", c.stage, c.kind)
		b.pass(time.Hour)
		b.wants("web", id, "Succeeded")
	}
}

func TestTransitionOutlivesAnUpdate(t *testing.T) {
	b := working(t)
	b.create("web")
	b.transition("DisableStageTransition", "Deploy", "Inbound")
	b.ok("UpdatePipeline", in{"pipeline": b.definition("web")})
	if tr := b.stageState("web", "Deploy")["inboundTransitionState"].(in); tr["enabled"] != false {
		t.Errorf("transition %v", tr)
	}
}

func TestSuperseded(t *testing.T) {
	b := working(t)
	first := b.create("web")
	b.transition("DisableStageTransition", "Deploy", "Inbound")
	b.pass(time.Hour)
	second := b.start("web")
	b.wants("web", first, "InProgress")
	b.pass(time.Hour)
	b.wants("web", first, "Superseded")
	b.wants("web", second, "InProgress")
	b.transition("EnableStageTransition", "Deploy", "Inbound")
	b.pass(time.Hour)
	b.wants("web", first, "Superseded")
	b.wants("web", second, "Succeeded")
	if got := b.trail("web", first); got != "Git=Succeeded CodeBuild=Succeeded" {
		t.Errorf("superseded run: %s", got)
	}
	b.fails("RetryStageExecution", b.retry("web", "Build", first, "FAILED_ACTIONS"), "NotLatestPipelineExecutionException", first)
}

// flow starts three runs at once, behind a transition that is opened later.
func flow(t *testing.T, mode string) (b *bench, ids []string) {
	b = working(t)
	ids = []string{b.create("web", with("executionMode", mode))}
	b.transition("DisableStageTransition", "Deploy", "Inbound")
	b.pass(time.Second)
	ids = append(ids, b.start("web"))
	b.pass(time.Second)
	return b, append(ids, b.start("web"))
}

func TestQueued(t *testing.T) {
	b, ids := flow(t, "QUEUED")
	b.pass(time.Hour)
	for _, id := range ids {
		b.wants("web", id, "InProgress")
	}
	if n := len(list(b.stageState("web", "Deploy")["inboundExecutions"])); n != 3 {
		t.Errorf("%d executions wait for Deploy", n)
	}
	b.transition("EnableStageTransition", "Deploy", "Inbound")
	for i := range ids { // one minute each, in order
		b.pass(50 * time.Second)
		if got := b.stageState("web", "Deploy")["latestExecution"].(in)["pipelineExecutionId"]; got != ids[i] {
			t.Errorf("execution %v in Deploy, want number %d: %s", got, i, ids[i])
		}
		b.pass(10*time.Second + time.Millisecond)
	}
	for _, id := range ids {
		b.wants("web", id, "Succeeded")
	}
}

func TestParallel(t *testing.T) {
	b, ids := flow(t, "PARALLEL")
	b.pass(time.Hour)
	b.transition("EnableStageTransition", "Deploy", "Inbound")
	b.Pipelines.FailAction(account, region, "web", "Deploy", "CodeDeploy", failure("JobFailed", "no"))
	b.pass(61 * time.Second)
	for _, id := range ids {
		b.wants("web", id, "Failed")
	}
	b.Pipelines.HealAction(account, region, "web", "Deploy", "CodeDeploy")
	b.ok("RetryStageExecution", b.retry("web", "Deploy", ids[0], "FAILED_ACTIONS")) // runs of their own: none is out of date
	b.pass(61 * time.Second)
	b.wants("web", ids[0], "Succeeded")
	b.wants("web", ids[2], "Failed")
}

// Parallel runs can wait for the same approval at once: each has a token of its own.
func TestParallelApprovals(t *testing.T) {
	b := working(t)
	ask := setStages(stage("Source", b.source()), stage("Approve", action("Ask", "Approval", "Manual", nil)))
	first := b.create("web", ask, with("executionMode", "PARALLEL"))
	b.pass(10 * time.Second)
	token := b.latest("web", "Approve")["token"]
	second := b.start("web")
	b.pass(10 * time.Second)
	if other := b.latest("web", "Approve")["token"]; other == token {
		t.Errorf("both wait with the token %v", token)
	}
	b.ok("PutApprovalResult", in{"pipelineName": "web", "stageName": "Approve", "actionName": "Ask", "token": token, "result": in{"status": "Approved", "summary": ""}})
	b.wants("web", first, "Succeeded")
	b.wants("web", second, "InProgress")
}

// After PARALLEL, the next run enters a stage only when every parallel run has left it.
func TestLeavingParallel(t *testing.T) {
	b := working(t)
	b.create("web", with("executionMode", "PARALLEL"))
	b.start("web")
	b.pass(8 * time.Second) // both build
	b.ok("StopPipelineExecution", in{"pipelineName": "web", "pipelineExecutionId": b.runs("web")[0]["pipelineExecutionId"], "abandon": true})
	b.ok("UpdatePipeline", in{"pipeline": b.definition("web")})
	id := b.start("web")
	b.pass(10 * time.Second)
	if e := list(b.stageState("web", "Build")["inboundExecutions"]); len(e) != 1 || e[0]["pipelineExecutionId"] != id {
		t.Errorf("before Build, which an old run still holds: %v", e)
	}
	b.pass(time.Hour)
	b.wants("web", id, "Succeeded")
}

func TestActiveRunsAreLimited(t *testing.T) {
	b := working(t)
	b.create("web", with("executionMode", "QUEUED"))
	for range 49 {
		b.start("web")
	}
	b.fails("StartPipelineExecution", in{"name": "web"}, "ConcurrentPipelineExecutionsLimitExceededException", "50")
	_, err := b.Git.Push("GitHub", "acme/web", "main", "one too many")
	b.must(err)
	if run := b.runs("web")[0]; run["status"] != "Failed" || run["statusSummary"] != nil || run["trigger"].(in)["triggerType"] != "WebhookV2" {
		t.Errorf("push beyond the limit: %v", run)
	}
}

func TestStartIsIdempotentByToken(t *testing.T) {
	b := working(t)
	b.create("web")
	b.pass(time.Hour)
	first := b.ok("StartPipelineExecution", in{"name": "web", "clientRequestToken": "token-1"})["pipelineExecutionId"]
	b.pass(time.Hour)
	if again := b.ok("StartPipelineExecution", in{"name": "web", "clientRequestToken": "token-1"})["pipelineExecutionId"]; again != first {
		t.Errorf("the same token started %v after %v", again, first)
	}
	if other := b.ok("StartPipelineExecution", in{"name": "web", "clientRequestToken": "token-2"})["pipelineExecutionId"]; other == first {
		t.Error("another token started nothing")
	}
	if n := len(b.runs("web")); n != 3 {
		t.Errorf("%d executions", n)
	}
	b.fails("StartPipelineExecution", in{"name": "web", "clientRequestToken": "no token!"}, "ValidationException", "clientRequestToken")
}

func TestVariablesAndRevisions(t *testing.T) {
	b := working(t)
	b.create("web", with("variables", []any{in{"name": "COLOR", "defaultValue": "blue"}, in{"name": "SIZE"}}))
	b.pass(time.Hour)
	variable := func(name, value string) in { return in{"name": name, "value": value} }
	b.fails("StartPipelineExecution", in{"name": "web", "variables": []any{variable("SIZE", "x"), variable("NONE", "x")}}, "ValidationException", "NONE")
	b.fails("StartPipelineExecution", in{"name": "web"}, "ValidationException", "SIZE") // no default, no value
	b.fails("StartPipelineExecution", in{"name": "web", "variables": []any{variable("SIZE", "x")}, "sourceRevisions": []any{in{"actionName": "None", "revisionType": "COMMIT_ID", "revisionValue": "abc"}}}, "ValidationException", "None")
	id := b.ok("StartPipelineExecution", in{"name": "web", "variables": []any{variable("SIZE", "big")},
		"sourceRevisions": []any{in{"actionName": "Git", "revisionType": "COMMIT_ID", "revisionValue": "abc123"}}})["pipelineExecutionId"]
	b.pass(time.Hour)
	e := b.ok("GetPipelineExecution", in{"pipelineName": "web", "pipelineExecutionId": id})["pipelineExecution"].(in)
	got := map[any]any{}
	for _, v := range list(e["variables"]) {
		got[v["name"]] = v["resolvedValue"]
	}
	if got["COLOR"] != "blue" || got["SIZE"] != "big" || len(got) != 2 {
		t.Errorf("variables %v", got)
	}
	if rev := list(e["artifactRevisions"])[0]["revisionId"]; rev != "abc123" {
		t.Errorf("revision %v", rev)
	}
}
