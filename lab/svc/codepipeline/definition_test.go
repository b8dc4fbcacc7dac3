package codepipeline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDefinitionsKeepTheirVersions(t *testing.T) {
	b := working(t)
	b.create("web", with("unknownMember", in{"kept": true}), with("version", float64(77)))
	b.pass(time.Minute)
	next := b.definition("web")
	delete(next, "pipelineType")
	delete(next, "executionMode")
	out := b.ok("UpdatePipeline", in{"pipeline": next})["pipeline"].(in)
	if out["version"] != 2 {
		t.Errorf("version %v after an update", out["version"])
	}
	get := func(input in) (decl, meta in) {
		b.Helper()
		out := b.ok("GetPipeline", input)
		return out["pipeline"].(in), out["metadata"].(in)
	}
	old, meta := get(in{"name": "web", "version": float64(1)})
	if old["version"] != 1 || !cmp.Equal(old["unknownMember"], in{"kept": true}) || old["pipelineType"] != "V2" {
		t.Errorf("version 1: %v", old)
	}
	if meta["pipelineArn"] != "arn:aws:codepipeline:us-east-1:111111111111:web" {
		t.Errorf("metadata %v", meta)
	}
	now, _ := get(in{"name": "web"})
	if now["version"] != 2 || now["unknownMember"] != nil || now["pipelineType"] != "V1" || now["executionMode"] != "SUPERSEDED" {
		t.Errorf("an update replaces the whole, its defaults too: %v", now)
	}
	act := list(list(now["stages"])[1]["actions"])[0]
	if act["runOrder"] != 1 || act["inputArtifacts"] == nil || act["outputArtifacts"] == nil {
		t.Errorf("an action reads back without its defaults: %v", act)
	}
	now["name"] = "spoiled by the reader"
	if again, _ := get(in{"name": "web"}); again["name"] != "web" {
		t.Error("a reader changed the definition")
	}
	b.fails("GetPipeline", in{"name": "web", "version": float64(3)}, "PipelineVersionNotFoundException", "3")
	b.fails("GetPipeline", in{"name": "none"}, "PipelineNotFoundException", "Account '111111111111' does not have a pipeline with name 'none'")
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	b := working(t)
	b.create("web")
	build := func(provider string) in { return action("Build", "Build", provider, in{"ProjectName": "web"}) }
	owned := func(owner string) in {
		a := build("Mine")
		a["actionTypeId"].(in)["owner"] = owner
		return a
	}
	in2 := build("CodeBuild")
	in2["region"] = "eu-west-1"
	store := in{"type": "S3", "location": "artifacts"}
	bare := b.source()
	delete(bare["configuration"].(in), "BranchName")
	many := []any{stage("Source", b.source())}
	for i := range 50 {
		many = append(many, stage(fmt.Sprint("S", i), build("CodeBuild")))
	}
	src, two := stage("Source", b.source()), stage("Build", build("CodeBuild"))
	for name, c := range map[string]struct {
		edit       func(in)
		code, text string
	}{
		"name":         {with("name", "a b"), "ValidationException", "pipeline.name"},
		"role":         {with("roleArn", "pipeline"), "ValidationException", "roleArn"},
		"no role":      {with("roleArn", role+"s"), "InvalidStructureException", "is not authorized to perform AssumeRole on role " + role + "s"},
		"no store":     {func(d in) { delete(d, "artifactStore") }, "InvalidStructureException", "artifactStore"},
		"both stores":  {with("artifactStores", in{region: store}), "InvalidStructureException", "artifactStore"},
		"one stage":    {setStages(src), "InvalidStructureException", "minimum of 2 stages"},
		"51 stages":    {setStages(many...), "InvalidStructureException", "Pipeline has too many stages. There can only be up to 50 stages in a pipeline"},
		"same stages":  {setStages(src, two, two), "InvalidStageDeclarationException", "Build"},
		"stage name":   {setStages(src, stage("a b", build("CodeBuild"))), "ValidationException", "pipeline.stages.2.member.name"},
		"no action":    {setStages(src, stage("Build")), "InvalidStageDeclarationException", "Build"},
		"same actions": {setStages(src, stage("Build", build("CodeBuild"), build("CodeBuild"))), "InvalidActionDeclarationException", "Build"},
		"late source":  {setStages(src, stage("More", b.source())), "InvalidStructureException", "source actions"},
		"early build":  {setStages(two, stage("Deploy", build("CodeBuild"))), "InvalidStructureException", "source actions"},
		"provider": {setStages(src, stage("Build", build("CodeBuild2"))), "InvalidActionDeclarationException",
			"ActionType (Category: 'Build', Provider: 'CodeBuild2', Owner: 'AWS', Version: '1') in action 'Build' is not available in region US_EAST_1"},
		"custom":        {setStages(src, stage("Build", owned("Custom"))), "InvalidActionDeclarationException", "Owner: 'Custom'"},
		"configuration": {setStages(stage("Source", bare), two), "InvalidActionDeclarationException", "BranchName"},
		"trigger": {with("triggers", []any{in{"providerType": "CodeStarSourceConnection", "gitConfiguration": in{"sourceActionName": "Build"}}}), "InvalidStructureException",
			"Triggers for connections must reference a CodeStarSourceConnection action."},
		"variable in V1": {func(d in) { d["pipelineType"], d["variables"] = "V1", []any{in{"name": "A"}} }, "InvalidStructureException", "Pipeline variable can only be used with V2 pipelines"},
		"tag in V1": {func(d in) {
			d["pipelineType"] = "V1"
			d["triggers"] = []any{in{"providerType": "CodeStarSourceConnection", "gitConfiguration": in{"sourceActionName": "Git", "push": []any{in{"tags": in{"includes": []any{"v*"}}}}}}}
		}, "InvalidStructureException", "Triggers on tag can only be used with V2 pipelines"},
		"mode": {with("executionMode", "SOMEHOW"), "ValidationException", "executionMode"},
		"another Region": {func(d in) {
			delete(d, "artifactStore")
			d["artifactStores"], d["stages"] = in{region: store}, []any{src, stage("Build", in2)}
		}, "InvalidStructureException", "for each region where you have an action. The following region is missing in 'pipeline.artifactStores': eu-west-1."},
	} {
		d := b.definition("new")
		c.edit(d)
		t.Run(name, func(t *testing.T) {
			b := *b
			b.TB = t
			b.fails("CreatePipeline", in{"pipeline": d}, c.code, c.text)
			if d["name"] == "new" {
				d["name"] = "web"
			}
			b.fails("UpdatePipeline", in{"pipeline": d}, c.code, c.text)
		})
	}
	b.fails("CreatePipeline", in{"pipeline": b.definition("web")}, "PipelineNameInUseException", "web")
	b.fails("UpdatePipeline", in{"pipeline": b.definition("web"), "metadata": in{"pipelineArn": "x"}}, "ValidationException", "metadata")
	if n := b.ok("GetPipeline", in{"name": "web"})["pipeline"].(in)["version"]; n != 1 {
		t.Errorf("version %v after refused updates", n)
	}
}

func TestRequiredMembers(t *testing.T) {
	b := working(t)
	id := b.create("web")
	full := in{"name": "web", "pipelineName": "web", "stageName": "Build", "actionName": "CodeBuild", "pipelineExecutionId": id, "retryMode": "ALL_ACTIONS",
		"transitionType": "Inbound", "reason": "r", "token": "t", "resourceArn": "arn"}
	for op, members := range map[string][]string{
		"GetPipeline": {"name"}, "DeletePipeline": {"name"}, "GetPipelineState": {"name"}, "StartPipelineExecution": {"name"},
		"ListPipelineExecutions": {"pipelineName"}, "ListActionExecutions": {"pipelineName"}, "GetPipelineExecution": {"pipelineName", "pipelineExecutionId"},
		"StopPipelineExecution": {"pipelineName", "pipelineExecutionId"}, "RetryStageExecution": {"pipelineName", "stageName", "pipelineExecutionId", "retryMode"},
		"DisableStageTransition": {"pipelineName", "stageName", "transitionType", "reason"}, "EnableStageTransition": {"pipelineName", "stageName", "transitionType"},
	} {
		for _, m := range members {
			some := in{}
			for _, k := range members {
				if k != m {
					some[k] = full[k]
				}
			}
			b.fails(op, some, "ValidationException", "Value null at '"+m+"' failed to satisfy constraint: Member must not be null")
		}
	}
	b.fails("CreatePipeline", in{}, "ValidationException", "'pipeline'")
	b.fails("UpdatePipeline", in{}, "ValidationException", "'pipeline'")
	b.fails("GetPipelineExecution", in{"pipelineName": "web", "pipelineExecutionId": "latest"}, "ValidationException", "pipelineExecutionId")
}

func TestReadsLagBehindWrites(t *testing.T) {
	b := working(t)
	b.Cloud.Lag = 10 * time.Second
	b.ok("CreatePipeline", in{"pipeline": b.definition("web")})
	b.fails("GetPipeline", in{"name": "web"}, "PipelineNotFoundException", "web")
	b.fails("GetPipelineState", in{"name": "web"}, "PipelineNotFoundException", "web")
	b.fails("CreatePipeline", in{"pipeline": b.definition("web")}, "PipelineNameInUseException", "web")
	b.pass(time.Hour)
	id := b.start("web")
	if n := len(b.runs("web")); n != 1 {
		t.Errorf("%d executions seen at once", n)
	}
	b.fails("GetPipelineExecution", in{"pipelineName": "web", "pipelineExecutionId": id}, "PipelineExecutionNotFoundException", id)
	b.pass(10 * time.Second)
	if got := b.latest("web", "Source")["status"]; got != "InProgress" { // it has ended 5 s ago
		t.Errorf("source is seen as %v", got)
	}
	b.pass(time.Hour)
	b.ok("UpdatePipeline", in{"pipeline": b.definition("web")})
	version := func() any { return b.ok("GetPipeline", in{"name": "web"})["pipeline"].(in)["version"] }
	if v := version(); v != 1 {
		t.Errorf("version %v is seen at once", v)
	}
	b.fails("RetryStageExecution", b.retry("web", "Source", id, "ALL_ACTIONS"), "StageNotRetryableException", "")
	b.pass(10 * time.Second)
	if v := version(); v != 2 {
		t.Errorf("version %v is seen after the lag", v)
	}
	b.ok("DeletePipeline", in{"name": "web"})
	version()
	b.pass(10 * time.Second)
	b.fails("GetPipeline", in{"name": "web"}, "PipelineNotFoundException", "web")
}

func TestListsPage(t *testing.T) {
	b := working(t)
	for _, name := range []string{"c", "a", "b"} {
		b.create(name)
	}
	b.pass(time.Hour)
	second := b.start("a")
	b.pass(time.Hour)
	page := b.ok("ListPipelines", in{"maxResults": float64(2)})
	rest := b.ok("ListPipelines", in{"nextToken": page["nextToken"]})
	var names []string
	for _, p := range append(list(page["pipelines"]), list(rest["pipelines"])...) {
		names = append(names, p["name"].(string))
	}
	if !cmp.Equal(names, []string{"a", "b", "c"}) || rest["nextToken"] != nil {
		t.Errorf("pipelines %v", names)
	}
	b.fails("ListPipelines", in{"nextToken": "no token"}, "InvalidNextTokenException", "")
	runs := b.runs("a")
	if len(runs) != 2 || runs[0]["pipelineExecutionId"] != second {
		t.Errorf("executions, newest first: %v", runs)
	}
	if n := len(list(b.ok("ListActionExecutions", in{"pipelineName": "a"})["actionExecutionDetails"])); n != 6 {
		t.Errorf("%d actions ran", n)
	}
	b.fails("ListActionExecutions", in{"pipelineName": "a", "filter": in{"pipelineExecutionId": "00000000-0000-4000-8000-000000000000"}}, "PipelineExecutionNotFoundException", "")
	types := list(b.ok("ListActionTypes", in{"actionOwnerFilter": "AWS"})["actionTypes"])
	var found []any
	for _, k := range types {
		found = append(found, k["id"].(in)["provider"])
	}
	for _, want := range []string{"CodeStarSourceConnection", "CodeBuild", "S3", "CloudFormation", "Manual", "CodeDeploy", "ECS", "Lambda"} {
		if !contains(found, want) {
			t.Errorf("no action type %s in %v", want, found)
		}
	}
}

func contains(all []any, want any) bool {
	for _, x := range all {
		if x == want {
			return true
		}
	}
	return false
}

func TestFilters(t *testing.T) {
	b := newBench(t)
	failed := b.create("web")
	b.pass(time.Hour)
	b.ok("RetryStageExecution", b.retry("web", "Source", failed, "FAILED_ACTIONS"))
	b.pass(time.Hour)
	b.complete()
	done := b.start("web")
	b.pass(time.Hour)
	latest := func(r string) []map[string]any {
		return list(b.ok("ListActionExecutions", in{"pipelineName": "web", "filter": in{"latestInPipelineExecution": in{"pipelineExecutionId": failed, "startTimeRange": r}}})["actionExecutionDetails"])
	}
	if n := len(latest("Latest")); n != 1 {
		t.Errorf("%d actions, want the newest attempt only", n)
	}
	out := b.ok("ListPipelineExecutions", in{"pipelineName": "web", "filter": in{"succeededInStage": in{"stageName": "Source"}}})
	runs := list(out["pipelineExecutionSummaries"])
	if len(runs) != 1 || runs[0]["pipelineExecutionId"] != done {
		t.Errorf("succeeded in Source: %v", runs)
	}
}

func TestTags(t *testing.T) {
	b := working(t)
	b.create("web")
	arn := "arn:aws:codepipeline:us-east-1:111111111111:web"
	b.ok("TagResource", in{"resourceArn": arn, "tags": []any{in{"key": "team", "value": "shop"}, in{"key": "env", "value": "prod"}}})
	b.ok("UntagResource", in{"resourceArn": arn, "tagKeys": []any{"env"}})
	got := list(b.ok("ListTagsForResource", in{"resourceArn": arn})["tags"])
	if len(got) != 1 || got[0]["key"] != "team" || got[0]["value"] != "shop" {
		t.Errorf("tags %v", got)
	}
	var many []any
	for i := range 51 {
		many = append(many, in{"key": fmt.Sprint("k", i), "value": ""})
	}
	b.fails("TagResource", in{"resourceArn": arn, "tags": many}, "TooManyTagsException", "50")
	if n := len(list(b.ok("ListTagsForResource", in{"resourceArn": arn})["tags"])); n != 1 {
		t.Errorf("%d tags after a refused call", n)
	}
	b.fails("ListTagsForResource", in{"resourceArn": "arn:aws:s3:::web"}, "InvalidArnException", "")
	b.ok("DeletePipeline", in{"name": "web"})
	b.fails("ListTagsForResource", in{"resourceArn": arn}, "ResourceNotFoundException", arn)
}
