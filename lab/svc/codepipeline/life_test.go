package codepipeline_test

import (
	"strings"
	"testing"
	"time"
)

func TestLifeOfAnExecution(t *testing.T) {
	b := working(t)
	id := b.create("web")
	if got := b.runs("web")[0]["trigger"].(in)["triggerType"]; got != "CreatePipeline" {
		t.Errorf("trigger %v", got)
	}
	b.pass(4 * time.Second)
	if got := b.latest("web", "Source")["status"]; got != "InProgress" {
		t.Errorf("source after 4 s: %v", got)
	}
	b.pass(2 * time.Second)
	src := list(b.stageState("web", "Source")["actionStates"])[0]
	rev, _ := src["currentRevision"].(in)
	commit := b.head("main")
	if src["latestExecution"].(in)["status"] != "Succeeded" || rev["revisionId"] != commit {
		t.Errorf("source after 6 s: %v, want commit %s", src, commit)
	}
	if got := b.latest("web", "Build")["status"]; got != "InProgress" {
		t.Errorf("build after 6 s: %v", got)
	}
	if b.latest("web", "Deploy") != nil {
		t.Error("Deploy runs before Build ended")
	}
	b.pass(2 * time.Minute)
	b.wants("web", id, "Succeeded")
	if got := b.trail("web", id); got != "Git=Succeeded CodeBuild=Succeeded CodeDeploy=Succeeded" {
		t.Errorf("trail %s", got)
	}
	all := list(b.ok("ListActionExecutions", in{"pipelineName": "web"})["actionExecutionDetails"])
	vars, _ := all[len(all)-1]["output"].(in)["outputVariables"].(in)
	if vars["CommitId"] != commit || vars["BranchName"] != "main" || vars["ConnectionArn"] != b.arn || vars["FullRepositoryName"] != "acme/web" {
		t.Errorf("output variables %v", vars)
	}
}

func (b *bench) head(branch string) string {
	b.Helper()
	o, _ := b.Git.Org("GitHub", "acme")
	c, ok := o.Repos()[0].Head(branch)
	if !ok {
		b.Fatal("no head of " + branch)
	}
	return c.ID
}

func TestRetryAfterTheConnectionWasCompleted(t *testing.T) {
	b := newBench(t)
	id := b.create("web")
	b.pass(time.Minute)
	failed := b.latest("web", "Source")
	details, _ := failed["errorDetails"].(in)
	if failed["status"] != "Failed" || details["code"] == "" || !strings.Contains(details["message"].(string), b.arn) || failed["lastStatusChange"] == nil {
		t.Fatalf("source on a PENDING connection: %v", failed)
	}
	b.wants("web", id, "Failed")
	b.ok("RetryStageExecution", b.retry("web", "Source", id, "FAILED_ACTIONS"))
	b.pass(time.Minute)
	b.wants("web", id, "Failed") // nothing has changed, so it fails again

	b.complete()
	out := b.ok("RetryStageExecution", b.retry("web", "Source", id, "FAILED_ACTIONS"))
	if out["pipelineExecutionId"] != id {
		t.Errorf("retry made execution %v of %s", out, id)
	}
	b.pass(10 * time.Minute)
	now := b.latest("web", "Source")
	if now["status"] != "Succeeded" || now["actionExecutionId"] == failed["actionExecutionId"] {
		t.Errorf("source after the retry %v, before %v", now, failed)
	}
	b.wants("web", id, "Succeeded")
	if n := len(b.runs("web")); n != 1 {
		t.Errorf("%d executions", n)
	}
}

func TestRetryIsRefused(t *testing.T) {
	b := newBench(t)
	id := b.create("web")
	b.fails("RetryStageExecution", b.retry("web", "Source", id, "FAILED_ACTIONS"), "ConflictException", "")
	b.pass(time.Minute)
	b.fails("RetryStageExecution", b.retry("web", "None", id, "FAILED_ACTIONS"), "StageNotFoundException", "None")
	b.fails("RetryStageExecution", b.retry("none", "Source", id, "FAILED_ACTIONS"), "PipelineNotFoundException", "none")
	b.fails("RetryStageExecution", b.retry("web", "Source", id, "SOME"), "ValidationException", "retryMode")
	b.fails("RetryStageExecution", b.retry("web", "Build", id, "FAILED_ACTIONS"), "StageNotRetryableException", "The stage named Build in the web pipeline can't be retried now. Either it contains no failed actions,")
	later := b.start("web")
	b.pass(time.Minute)
	b.fails("RetryStageExecution", b.retry("web", "Source", id, "FAILED_ACTIONS"), "NotLatestPipelineExecutionException", id)

	// Completing the connection would make a retry work; changing the definition takes that away.
	b.complete()
	b.ok("UpdatePipeline", in{"pipeline": b.definition("web")})
	b.fails("RetryStageExecution", b.retry("web", "Source", later, "FAILED_ACTIONS"), "StageNotRetryableException", "the pipeline definition has changed since the action(s) failed")
	b.pass(time.Hour)
	if n := len(b.runs("web")); n != 2 {
		t.Errorf("%d executions: UpdatePipeline started one", n)
	}
	again := b.start("web")
	b.pass(time.Hour)
	b.wants("web", again, "Succeeded")
}

func TestRetryAllActionsRunsTheWholeStageAgain(t *testing.T) {
	for mode, want := range map[string]string{
		"FAILED_ACTIONS": "Git=Succeeded One=Succeeded Two=Failed Two=Succeeded Three=Succeeded",
		"ALL_ACTIONS":    "Git=Succeeded One=Succeeded Two=Failed One=Succeeded Two=Succeeded Three=Succeeded",
	} {
		b := working(t)
		var acts []any
		for i, name := range []string{"One", "Two", "Three"} {
			a := action(name, "Build", "CodeBuild", in{"ProjectName": "web"})
			a["runOrder"] = float64(i + 1)
			acts = append(acts, a)
		}
		b.Pipelines.FailAction(account, region, "web", "Build", "Two", failure("JobFailed", "Build terminated"))
		id := b.create("web", setStages(stage("Source", b.source()), stage("Build", acts...)))
		b.pass(time.Hour)
		b.wants("web", id, "Failed")
		b.Pipelines.FailAction(account, region, "web", "Build", "Two", failure("", ""))
		b.ok("RetryStageExecution", b.retry("web", "Build", id, mode))
		b.pass(time.Hour)
		b.wants("web", id, "Succeeded")
		if got := b.trail("web", id); got != want {
			t.Errorf("%s: %s, want %s", mode, got, want)
		}
	}
}

func TestUpdateFailsRunsInFlight(t *testing.T) {
	b := working(t)
	id := b.create("web")
	b.pass(10 * time.Second) // Build runs
	held := b.start("web")   // and a run in Source
	b.ok("UpdatePipeline", in{"pipeline": b.definition("web")})
	if got := b.latest("web", "Build")["status"]; got != "InProgress" {
		t.Errorf("the running action is %v after the update", got)
	}
	b.pass(time.Hour)
	if got := b.latest("web", "Build")["status"]; got != "Succeeded" {
		t.Errorf("the running action ended %v", got)
	}
	for _, x := range []string{id, held} {
		b.wants("web", x, "Failed")
	}
	if b.latest("web", "Deploy") != nil {
		t.Error("Deploy ran on an outdated definition")
	}
	if n := len(b.runs("web")); n != 2 {
		t.Errorf("%d executions: the update started one", n)
	}
}

func TestStop(t *testing.T) {
	b := working(t)
	id := b.create("web")
	b.pass(10 * time.Second)
	stop := func(abandon bool) in {
		return in{"pipelineName": "web", "pipelineExecutionId": id, "abandon": abandon, "reason": "too late"}
	}
	b.ok("StopPipelineExecution", stop(false))
	b.wants("web", id, "Stopping")
	b.fails("StopPipelineExecution", stop(false), "DuplicatedStopRequestException", id)
	b.pass(time.Hour)
	b.wants("web", id, "Stopped")
	if got := b.trail("web", id); got != "Git=Succeeded CodeBuild=Succeeded" {
		t.Errorf("stop and wait: %s", got)
	}
	b.fails("StopPipelineExecution", stop(true), "PipelineExecutionNotStoppableException", id)

	id = b.start("web")
	b.pass(10 * time.Second)
	b.ok("StopPipelineExecution", stop(true))
	b.wants("web", id, "Stopped")
	b.pass(time.Hour)
	if got := b.trail("web", id); got != "Git=Succeeded CodeBuild=Abandoned" {
		t.Errorf("stop and abandon: %s", got)
	}
	if got := b.runs("web")[0]["stopTrigger"].(in)["reason"]; got != "too late" {
		t.Errorf("reason %v", got)
	}

	id = b.create("asking", setStages(stage("Source", b.source()), stage("Approve", action("Ask", "Approval", "Manual", nil))))
	b.pass(time.Hour)
	b.ok("StopPipelineExecution", in{"pipelineName": "asking", "pipelineExecutionId": id, "abandon": true})
	if a := b.latest("asking", "Approve"); a["status"] != "Abandoned" || a["token"] != nil {
		t.Errorf("an abandoned approval still asks: %v", a)
	}
}

func TestApproval(t *testing.T) {
	b := working(t)
	id := b.create("web", setStages(stage("Source", b.source()), stage("Approve", action("Ask", "Approval", "Manual", nil))))
	b.pass(time.Hour)
	token, _ := b.latest("web", "Approve")["token"].(string)
	answer := func(token, status string) in {
		return in{"pipelineName": "web", "stageName": "Approve", "actionName": "Ask", "token": token, "result": in{"status": status, "summary": "fine"}}
	}
	b.fails("PutApprovalResult", answer("00000000-0000-4000-8000-000000000000", "Approved"), "InvalidApprovalTokenException", "")
	b.ok("PutApprovalResult", answer(token, "Approved"))
	b.wants("web", id, "Succeeded")
	b.fails("PutApprovalResult", answer(token, "Approved"), "ApprovalAlreadyCompletedException", "")

	id = b.start("web")
	b.pass(time.Hour)
	b.must(b.Pipelines.Reject(account, region, "web", "Approve", "Ask", "ada", "not today"))
	b.wants("web", id, "Failed")
	b.ok("RetryStageExecution", b.retry("web", "Approve", id, "FAILED_ACTIONS"))
	b.must(b.Pipelines.Approve(account, region, "web", "Approve", "Ask", "ada", "now"))
	b.wants("web", id, "Succeeded")
	if err := b.Pipelines.Approve(account, region, "web", "Approve", "Ask", "ada", "again"); err == nil {
		t.Error("approved what does not wait")
	}

	id = b.start("web")
	b.pass(6 * 24 * time.Hour)
	b.wants("web", id, "InProgress")
	b.pass(2 * 24 * time.Hour)
	b.wants("web", id, "Failed")

	ask := action("Ask", "Approval", "Manual", nil)
	ask["timeoutInMinutes"] = float64(30)
	id = b.create("hasty", setStages(stage("Source", b.source()), stage("Approve", ask)))
	b.pass(20 * time.Minute)
	b.wants("hasty", id, "InProgress")
	b.pass(20 * time.Minute)
	b.wants("hasty", id, "Failed")
}

// A source that runs again with its whole stage replaces the revision it told before.
func TestOneRevisionPerSource(t *testing.T) {
	b := working(t)
	b.Pipelines.FailAction(account, region, "web", "Source", "Bucket", failure("JobFailed", "no"))
	two := stage("Source", b.source(), action("Bucket", "Source", "S3", in{"S3Bucket": "b", "S3ObjectKey": "k"}))
	id := b.create("web", setStages(two, stage("Approve", action("Ask", "Approval", "Manual", nil))))
	b.pass(time.Hour)
	b.Pipelines.HealAction(account, region, "web", "Source", "Bucket")
	b.ok("RetryStageExecution", b.retry("web", "Source", id, "ALL_ACTIONS"))
	b.pass(time.Hour)
	if revs := list(b.runs("web")[0]["sourceRevisions"]); len(revs) != 1 || revs[0]["revisionId"] != b.head("main") {
		t.Errorf("revisions after the retry: %v", revs)
	}
}
