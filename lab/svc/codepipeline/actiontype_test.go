package codepipeline_test

import (
	"fmt"
	"testing"
	"time"
)

// jenkins is a custom action type.
func jenkins() in {
	counts := in{"minimumCount": 0, "maximumCount": 5}
	return in{"category": "Build", "provider": "Jenkins", "version": "1", "inputArtifactDetails": counts, "outputArtifactDetails": counts}
}

// custom lists the custom action types as category/provider/version.
func (b *bench) custom(filter string) string {
	b.Helper()
	input := in{}
	if filter != "" {
		input["actionOwnerFilter"] = filter
	}
	all := ""
	for _, t := range list(b.ok("ListActionTypes", input)["actionTypes"]) {
		if id := t["id"].(in); id["owner"] == "Custom" {
			all += fmt.Sprintf("%s/%s/%s ", id["category"], id["provider"], id["version"])
		}
	}
	return all
}

func TestCustomActionTypes(t *testing.T) {
	b := working(t)
	build := action("CI", "Build", "Jenkins", in{})
	build["actionTypeId"].(in)["owner"] = "Custom"
	d := b.definition("web")
	d["stages"] = []any{stage("Source", b.source()), stage("Build", build)}
	b.fails("CreatePipeline", in{"pipeline": d}, "InvalidActionDeclarationException",
		"ActionType (Category: 'Build', Provider: 'Jenkins', Owner: 'Custom', Version: '1') in action 'CI' is not available in region US_EAST_1")
	b.ok("CreateCustomActionType", jenkins())
	b.fails("CreateCustomActionType", jenkins(), "ValidationException", "exists already")
	if b.custom("") != "Build/Jenkins/1 " || b.custom("Custom") != "Build/Jenkins/1 " || b.custom("AWS") != "" {
		t.Errorf("listed %q, %q, %q", b.custom(""), b.custom("Custom"), b.custom("AWS"))
	}
	b.ok("CreatePipeline", in{"pipeline": d})
	b.pass(time.Hour)
	b.wants("web", b.runs("web")[0]["pipelineExecutionId"].(string), "Succeeded")
	b.ok("DeleteCustomActionType", in{"category": "Build", "provider": "Jenkins", "version": "1"})
	if b.custom("Custom") != "" {
		t.Errorf("deleted, yet listed: %q", b.custom("Custom"))
	}
	b.fails("UpdatePipeline", in{"pipeline": d}, "InvalidActionDeclarationException", "is not available in region")
	b.fails("CreateCustomActionType", jenkins(), "ValidationException", "cannot be used again")
	again := jenkins()
	again["version"] = "2"
	b.ok("CreateCustomActionType", again)
	b.Cloud.SetLimit(account, region, "L-519D5A90", 1)
	again["version"] = "3"
	b.fails("CreateCustomActionType", again, "LimitExceededException", "limit of 1 custom actions")
}

func TestWebhooks(t *testing.T) {
	b := working(t)
	b.create("web")
	hook := func(name, target string) in {
		return in{"webhook": in{"name": name, "targetPipeline": target, "targetAction": "Git", "filters": []any{}, "authentication": "GITHUB_HMAC",
			"authenticationConfiguration": in{"SecretToken": "hush"}}}
	}
	b.fails("PutWebhook", hook("push", "none"), "PipelineNotFoundException", "none")
	b.ok("PutWebhook", hook("push", "web"))
	b.ok("PutWebhook", hook("push", "web")) // replaces
	b.Cloud.SetLimit(account, region, "L-FE939BB2", 1)
	b.fails("PutWebhook", hook("other", "web"), "LimitExceededException", "limit of 1 webhooks")
	all := list(b.ok("ListWebhooks", in{})["webhooks"])
	if len(all) != 1 || all[0]["arn"] != "arn:aws:codepipeline:us-east-1:111111111111:webhook:push" {
		t.Fatalf("listed %v", all)
	}
	if conf := all[0]["definition"].(in)["authenticationConfiguration"].(in); conf["SecretToken"] != "****" {
		t.Errorf("the secret is shown: %v", conf)
	}
	b.ok("TagResource", in{"resourceArn": all[0]["arn"], "tags": []any{in{"key": "team", "value": "web"}}})
	if tags := list(b.ok("ListTagsForResource", in{"resourceArn": all[0]["arn"]})["tags"]); len(tags) != 1 {
		t.Errorf("tags %v", tags)
	}
	b.ok("DeleteWebhook", in{"name": "push"})
	if all := list(b.ok("ListWebhooks", in{})["webhooks"]); len(all) != 0 {
		t.Errorf("deleted, yet listed: %v", all)
	}
	b.fails("ListTagsForResource", in{"resourceArn": "arn:aws:codepipeline:us-east-1:111111111111:webhook:push"}, "ResourceNotFoundException", "webhook:push")
}

// Every old version is readable, beyond ten of them too; a version that never was is not.
func TestOldVersions(t *testing.T) {
	b := working(t)
	b.create("web")
	for range 11 {
		b.ok("UpdatePipeline", in{"pipeline": b.definition("web")})
	}
	for _, v := range []int{1, 10, 12} {
		if got := b.ok("GetPipeline", in{"name": "web", "version": float64(v)})["pipeline"].(in)["version"]; got != v {
			t.Errorf("version %d is %v", v, got)
		}
	}
	b.fails("GetPipeline", in{"name": "web", "version": float64(13)}, "PipelineVersionNotFoundException", "13")
}

// Without a filter, the actions of all runs are listed, newest first, a hundred a page, each with the version it ran with.
func TestActionExecutionsOfAllRuns(t *testing.T) {
	b := working(t)
	b.create("web")
	for range 49 {
		b.pass(time.Hour)
		b.start("web")
	}
	b.pass(time.Hour)
	b.ok("UpdatePipeline", in{"pipeline": b.definition("web")})
	b.start("web")
	b.pass(time.Hour)
	page := b.ok("ListActionExecutions", in{"pipelineName": "web"})
	details := list(page["actionExecutionDetails"])
	if len(details) != 100 || details[0]["pipelineVersion"] != 2 || details[99]["pipelineVersion"] != 1 || page["nextToken"] == nil {
		t.Fatalf("%d entries, from version %v, next %v", len(details), details[0]["pipelineVersion"], page["nextToken"])
	}
	for i := 1; i < len(details); i++ {
		if details[i]["startTime"].(time.Time).After(details[i-1]["startTime"].(time.Time)) {
			t.Fatalf("entry %d is newer than the one before", i)
		}
	}
	rest := list(b.ok("ListActionExecutions", in{"pipelineName": "web", "nextToken": page["nextToken"]})["actionExecutionDetails"])
	if len(rest) != 53 {
		t.Errorf("%d entries on the second page, want 53", len(rest))
	}
}
