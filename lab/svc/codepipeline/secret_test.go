package codepipeline_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hub is a pipeline with the old GitHub source, which is configured with a token.
func (b *bench) hub(stageName, token string) func(in) {
	src := action("Hub", "Source", "GitHub", in{"Owner": "acme", "Repo": "web", "Branch": "main", "OAuthToken": token})
	src["actionTypeId"].(in)["owner"] = "ThirdParty"
	return setStages(stage(stageName, src), stage("Build", action("Build", "Build", "CodeBuild", in{"ProjectName": "web"})))
}

func TestSecretsAreNeverShown(t *testing.T) {
	b := working(t)
	b.create("old", b.hub("Source", "ghp_secret"))
	b.pass(time.Hour)
	decl := b.ok("GetPipeline", in{"name": "old"})["pipeline"].(in)
	if got := list(list(decl["stages"])[0]["actions"])[0]["configuration"].(in)["OAuthToken"]; got != "****" {
		t.Errorf("OAuthToken reads back as %v", got)
	}
	detail := list(b.ok("ListActionExecutions", in{"pipelineName": "old"})["actionExecutionDetails"])
	if got := detail[len(detail)-1]["input"].(in)["configuration"].(in)["OAuthToken"]; got != "****" {
		t.Errorf("OAuthToken is shown as %v", got)
	}
	d := b.definition("old")
	b.hub("Source", "ghp_secret2")(d)
	shown := []any{
		b.ok("UpdatePipeline", in{"pipeline": d}), b.ok("GetPipeline", in{"name": "old", "version": float64(1)}), b.ok("GetPipelineState", in{"name": "old"}),
		b.call("cloudtrail", "LookupEvents", in{}),
	}
	if text := fmt.Sprint(shown...); strings.Contains(text, "ghp_secret") || !strings.Contains(text, "UpdatePipeline") {
		t.Errorf("the token is shown in %s", text)
	}
}

// What reads back as asterisks is written back as asterisks: the secret stays, unless the stage or the action has another name.
func TestAsterisksKeepTheSecretOfTheSameAction(t *testing.T) {
	b := working(t)
	b.create("old", b.hub("Source", "ghp_secret"))
	for _, c := range []struct {
		stage, token, want string
	}{{"Source", "****", "Succeeded"}, {"Source", "****", "Succeeded"}, {"Fetch", "****", "Failed"}, {"Fetch", "****", "Failed"}, {"Fetch", "ghp_again", "Succeeded"}} {
		d := b.definition("old")
		b.hub(c.stage, c.token)(d)
		b.ok("UpdatePipeline", in{"pipeline": d})
		id := b.start("old")
		b.pass(time.Hour)
		b.wants("old", id, c.want)
	}
	id := b.create("copy", b.hub("Source", "****")) // of another pipeline's definition
	b.pass(time.Hour)
	b.wants("copy", id, "Failed")
	if details := b.latest("copy", "Source")["errorDetails"].(in); details["message"] != "Could not access the GitHub repository" {
		t.Errorf("source without its secret: %v", details)
	}
}
