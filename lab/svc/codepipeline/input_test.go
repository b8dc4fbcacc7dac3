package codepipeline_test

import (
	"fmt"
	"strings"
	"testing"
)

// Input that breaks the API model is refused in AWS's words, whatever the operation.
func TestInputAgainstTheModel(t *testing.T) {
	b := working(t)
	id := b.create("web")
	long := strings.Repeat("x", 101)
	declared := func(edit func(in)) in {
		d := b.definition("web")
		edit(d)
		return in{"pipeline": d}
	}
	onAction := func(member string, v any) in {
		return declared(func(d in) { list(d["stages"])[1]["actions"].([]any)[0].(in)[member] = v })
	}
	typed := func(member string, v any) in {
		return declared(func(d in) {
			kind := list(d["stages"])[1]["actions"].([]any)[0].(in)["actionTypeId"].(in)
			kind[member] = v
		})
	}
	approval := func(result in) in {
		return in{"pipelineName": "web", "stageName": "Build", "actionName": "A", "token": id, "result": result}
	}
	var many []any
	for i := range 51 {
		many = append(many, in{"name": fmt.Sprint("V", i), "value": "x"})
	}
	start := func(member string, v any) in { return in{"name": "web", member: v} }
	const name = `Member must satisfy regular expression pattern: [A-Za-z0-9.@\-_]+`
	for _, c := range []struct {
		op             string
		input          in
		at, value, why string
	}{
		{"GetPipeline", in{"name": "a b"}, "name", "a b", name},
		{"GetPipeline", in{"name": ""}, "name", "", "Member must have length greater than or equal to 1"},
		{"GetPipeline", in{"name": long}, "name", long, "Member must have length less than or equal to 100"},
		{"GetPipeline", in{"name": "web", "version": float64(0)}, "version", "0", "Member must have value greater than or equal to 1"},
		{"ListPipelines", in{"maxResults": float64(1001)}, "maxResults", "1001", "Member must have value less than or equal to 1000"},
		{"ListPipelineExecutions", in{"pipelineName": "web", "maxResults": float64(101)}, "maxResults", "101", "Member must have value less than or equal to 100"},
		{"ListActionExecutions", in{"pipelineName": "web", "maxResults": float64(0)}, "maxResults", "0", "Member must have value greater than or equal to 1"},
		{"ListPipelines", in{"nextToken": ""}, "nextToken", "", "Member must have length greater than or equal to 1"},
		{"ListActionExecutions", in{"pipelineName": "web", "filter": in{"pipelineExecutionId": "latest"}}, "filter.pipelineExecutionId", "latest", "Member must satisfy regular expression pattern: [0-9a-f]{8}-"},
		{"ListActionExecutions", in{"pipelineName": "web", "filter": in{"latestInPipelineExecution": in{"pipelineExecutionId": id, "startTimeRange": "Newest"}}},
			"filter.latestInPipelineExecution.startTimeRange", "Newest", "Member must satisfy enum value set: [Latest, All]"},
		{"ListActionTypes", in{"actionOwnerFilter": "Me"}, "actionOwnerFilter", "Me", "Member must satisfy enum value set: [AWS, ThirdParty, Custom]"},
		{"EnableStageTransition", in{"pipelineName": "web", "stageName": "Build", "transitionType": "Both"}, "transitionType", "Both", "Member must satisfy enum value set: [Inbound, Outbound]"},
		{"DisableStageTransition", in{"pipelineName": "web", "stageName": "Build", "transitionType": "Inbound", "reason": "unjam: wait"}, "reason", "unjam: wait", "Member must satisfy regular expression pattern: "},
		{"StopPipelineExecution", in{"pipelineName": "web", "pipelineExecutionId": id, "reason": long + long}, "reason", long + long, "Member must have length less than or equal to 200"},
		{"StartPipelineExecution", start("variables", many), "variables", "", "Member must have length less than or equal to 50"},
		{"StartPipelineExecution", start("variables", []any{in{"name": "A", "value": ""}}), "variables.1.member.value", "", "Member must have length greater than or equal to 1"},
		{"StartPipelineExecution", start("sourceRevisions", []any{in{"actionName": "Git", "revisionType": "TAG", "revisionValue": "v1"}}), "sourceRevisions.1.member.revisionType", "TAG", "Member must satisfy enum value set: [COMMIT_ID,"},
		{"PutApprovalResult", approval(in{"status": "Perhaps", "summary": ""}), "result.status", "Perhaps", "Member must satisfy enum value set: [Approved, Rejected]"},
		{"PutApprovalResult", approval(in{"status": "Approved"}), "result.summary", "null", "Member must not be null"},
		{"TagResource", in{"resourceArn": "arn:aws:codepipeline:us-east-1:111111111111:web", "tags": []any{in{"value": "x"}}}, "tags.1.member.key", "null", "Member must not be null"},
		{"UpdatePipeline", declared(func(d in) { delete(d, "stages") }), "pipeline.stages", "null", "Member must not be null"},
		{"UpdatePipeline", declared(func(d in) { d["roleArn"] = "pipeline" }), "pipeline.roleArn", "pipeline", `Member must satisfy regular expression pattern: arn:aws(-[\w]+)*:iam::`},
		{"UpdatePipeline", declared(func(d in) { d["artifactStore"] = in{"type": "Git", "location": "artifacts"} }), "pipeline.artifactStore.type", "Git", "Member must satisfy enum value set: [S3]"},
		{"UpdatePipeline", onAction("name", "a/b"), "pipeline.stages.2.member.actions.1.member.name", "a/b", name},
		{"UpdatePipeline", onAction("runOrder", float64(1000)), "pipeline.stages.2.member.actions.1.member.runOrder", "1000", "Member must have value less than or equal to 999"},
		{"UpdatePipeline", onAction("timeoutInMinutes", float64(4)), "pipeline.stages.2.member.actions.1.member.timeoutInMinutes", "4", "Member must have value greater than or equal to 5"},
		{"UpdatePipeline", onAction("actionTypeId", nil), "pipeline.stages.2.member.actions.1.member.actionTypeId", "null", "Member must not be null"},
		{"UpdatePipeline", typed("category", "Bake"), "pipeline.stages.2.member.actions.1.member.actionTypeId.category", "Bake", "Member must satisfy enum value set: [Source, Build,"},
		{"UpdatePipeline", typed("version", ""), "pipeline.stages.2.member.actions.1.member.actionTypeId.version", "", "Member must have length greater than or equal to 1"},
	} {
		text := "1 validation error detected: Value '" + c.value + "' at '" + c.at + "' failed to satisfy constraint: " + c.why
		if c.value == "null" {
			text = "1 validation error detected: Value null at '" + c.at + "' failed to satisfy constraint: " + c.why
		}
		if c.at == "variables" {
			text = "at 'variables' failed to satisfy constraint: " + c.why
		}
		b.fails(c.op, c.input, "ValidationException", text)
	}
	if n := b.ok("GetPipeline", in{"name": "web"})["pipeline"].(in)["version"]; n != 1 {
		t.Errorf("version %v after refused updates", n)
	}
}

func TestConfigurationIsBounded(t *testing.T) {
	b := working(t)
	for _, conf := range []in{{strings.Repeat("k", 51): "v"}, {"ProjectName": strings.Repeat("v", 1001)}} {
		d := b.definition("web")
		d["stages"] = []any{stage("Source", b.source()), stage("Build", action("Build", "Build", "CodeBuild", conf))}
		b.fails("CreatePipeline", in{"pipeline": d}, "InvalidActionDeclarationException", "Build")
	}
}

func TestTagsOfAWSAreReserved(t *testing.T) {
	b := working(t)
	b.fails("CreatePipeline", in{"pipeline": b.definition("web"), "tags": []any{in{"key": "AWS:team", "value": "shop"}}}, "InvalidTagsException", "AWS:team")
	b.fails("GetPipeline", in{"name": "web"}, "PipelineNotFoundException", "web")
}

// A Region takes a thousand pipelines of an account; deleting one makes room.
func TestPipelinesAreLimited(t *testing.T) {
	b := working(t)
	for i := range 1000 {
		b.ok("CreatePipeline", in{"pipeline": b.definition(fmt.Sprint("p", i))})
	}
	b.fails("CreatePipeline", in{"pipeline": b.definition("more")}, "LimitExceededException", "1000")
	b.ok("DeletePipeline", in{"name": "p7"})
	b.create("more")
	if n := len(list(b.ok("ListPipelines", in{})["pipelines"])); n != 1000 {
		t.Errorf("%d pipelines in one page", n)
	}
}
