package codepipeline_test

import (
	"testing"
	"time"
)

// jenkinsPipeline makes a pipeline "ci" whose second stage is an action of the type Build/Jenkins/1, and gives its first run.
func (b *bench) jenkinsPipeline(region string) string {
	b.Helper()
	build := action("CI", "Build", "Jenkins", in{})
	build["actionTypeId"].(in)["owner"] = "Custom"
	d := b.definition("ci")
	if region != "" {
		build["region"] = region
		delete(d, "artifactStore")
		d["artifactStores"] = in{"us-east-1": in{"type": "S3", "location": "near"}, region: in{"type": "S3", "location": "far"}}
	}
	d["stages"] = []any{stage("Source", b.source()), stage("Build", build)}
	b.ok("CreatePipeline", in{"pipeline": d})
	b.pass(time.Minute)
	return b.runs("ci")[0]["pipelineExecutionId"].(string)
}

// An action whose type is gone, or for which nobody polls, stands without a word until its 24 hours are over; a worker takes what waits.
func TestJobsWait(t *testing.T) {
	t.Run("the type is gone", func(t *testing.T) {
		b := working(t)
		b.ok("CreateCustomActionType", jenkins())
		b.jenkinsPipeline("")
		b.pass(time.Hour)
		b.ok("DeleteCustomActionType", in{"category": "Build", "provider": "Jenkins", "version": "1"})
		id := b.ok("StartPipelineExecution", in{"name": "ci"})["pipelineExecutionId"].(string)
		b.pass(23 * time.Hour)
		b.wants("ci", id, "InProgress")
		b.pass(2 * time.Hour)
		b.wants("ci", id, "Failed")
	})
	t.Run("nobody polls", func(t *testing.T) {
		b := working(t)
		b.ok("CreateCustomActionType", jenkins())
		if !b.Pipelines.SetWorker(account, region, "Build", "Jenkins", false) || b.Pipelines.SetWorker(account, region, "Test", "Jenkins", false) {
			t.Fatal("workers of other types than there are")
		}
		id := b.jenkinsPipeline("")
		b.pass(5 * time.Hour)
		b.wants("ci", id, "InProgress")
		b.Pipelines.SetWorker(account, region, "Build", "Jenkins", true)
		b.pass(time.Hour)
		b.wants("ci", id, "Succeeded")
	})
	t.Run("the type is registered in another Region", func(t *testing.T) {
		b := working(t)
		b.ok("CreateCustomActionType", jenkins())
		id := b.jenkinsPipeline("eu-west-1")
		b.pass(5 * time.Hour)
		b.wants("ci", id, "InProgress")
		b.Pipelines.RegisterActionType(account, "eu-west-1", "Build", "Jenkins", "1")
		b.Pipelines.SetWorker(account, "eu-west-1", "Build", "Jenkins", true)
		b.pass(time.Hour)
		b.wants("ci", id, "Succeeded")
	})
}
