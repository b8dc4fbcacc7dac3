package drive

import (
	"strings"
	"time"
)

// declared is a pipeline on the connection that is AVAILABLE by then, with a stage in which a person has to approve.
const declared = `{"name":"web","roleArn":"arn:aws:iam::111111111111:role/service","pipelineType":"V2","executionMode":"SUPERSEDED",
	"artifactStore":{"type":"S3","location":"artifacts"},"variables":[{"name":"COLOR","defaultValue":"blue"}],"stages":[
	{"name":"Source","actions":[{"name":"Fetch","runOrder":1,"namespace":"SourceVariables","actionTypeId":{"category":"Source","owner":"AWS","provider":"CodeStarSourceConnection","version":"1"},
		"configuration":{"ConnectionArn":"$codeconnections","FullRepositoryId":"acme/web","BranchName":"main"},"outputArtifacts":[{"name":"Source"}]}]},
	{"name":"Approve","actions":[{"name":"Ask","runOrder":1,"actionTypeId":{"category":"Approval","owner":"AWS","provider":"Manual","version":"1"}}]}]}`

// broken is a pipeline whose source cannot be fetched: there is no such branch.
const broken = `{"name":"broken","roleArn":"arn:aws:iam::111111111111:role/service","artifactStore":{"type":"S3","location":"artifacts"},"stages":[
	{"name":"Source","actions":[{"name":"Fetch","actionTypeId":{"category":"Source","owner":"AWS","provider":"CodeStarSourceConnection","version":"1"},
		"configuration":{"ConnectionArn":"$codeconnections","FullRepositoryId":"acme/web","BranchName":"none"},"outputArtifacts":[{"name":"Source"}]}]},
	{"name":"Build","actions":[{"name":"Build","actionTypeId":{"category":"Build","owner":"AWS","provider":"CodeBuild","version":"1"},
		"configuration":{"ProjectName":"web"},"inputArtifacts":[{"name":"Source"}]}]}]}`

func pipelineSteps() []step {
	const (
		web, none        = `"pipelineName":"web"`, `"pipelineName":"none"`
		approve          = web + `,"stageName":"Approve","actionName":"Ask","result":{"summary":"fine","status":"Approved"}`
		tagged, untagged = `"resourceArn":"arn:aws:codepipeline:us-east-1:111111111111:web"`, `"resourceArn":"arn:aws:codepipeline:us-east-1:111111111111:none"`
	)
	const (
		custom = `"provider":"Jenkins","version":"1","inputArtifactDetails":{"minimumCount":0,"maximumCount":5},"outputArtifactDetails":{"minimumCount":0,"maximumCount":5}`
		hook   = `{"name":"push","targetPipeline":"TARGET","targetAction":"Fetch","filters":[{"jsonPath":"$.ref","matchEquals":"refs/heads/main"}],
			"authentication":"GITHUB_HMAC","authenticationConfiguration":{"SecretToken":"hush"}}`
	)
	all := []step{
		{op: "CreatePipeline", in: `{"pipeline":` + declared + `,"tags":[{"key":"team","value":"shop"}]}`},
		{op: "CreatePipeline", in: `{"pipeline":` + declared + `}`, code: "PipelineNameInUseException"},
		{op: "CreatePipeline", in: `{"pipeline":` + broken + `}`},
		{op: "ListPipelines", in: `{"maxResults":1}`, keep: "more=nextToken", later: time.Hour},
		{op: "ListPipelines", in: `{"maxResults":1,"nextToken":"$more"}`},
		{op: "ListPipelines", in: `{"nextToken":"no token of mine"}`, code: "InvalidNextTokenException"},
		{op: "GetPipeline", in: `{"name":"web"}`},
		{op: "GetPipeline", in: `{"name":"web","version":1}`},
		{op: "GetPipeline", in: `{"name":"web","version":9}`, code: "PipelineVersionNotFoundException"},
		{op: "GetPipeline", in: `{"name":"none"}`, code: "PipelineNotFoundException"},
		{op: "GetPipelineState", in: `{"name":"web"}`},
		{op: "GetPipelineState", in: `{"name":"broken"}`},
		{op: "GetPipelineState", in: `{"name":"none"}`, code: "PipelineNotFoundException"},
		{op: "StartPipelineExecution", in: `{"name":"web","clientRequestToken":"11111111-2222-4333-8444-555555555555","variables":[{"name":"COLOR","value":"red"}]}`, keep: "run=pipelineExecutionId"},
		{op: "StartPipelineExecution", in: `{"name":"none"}`, code: "PipelineNotFoundException"},
		{op: "GetPipelineState", in: `{"name":"web"}`},
		{op: "GetPipelineState", in: `{"name":"web"}`, later: time.Hour},
		{op: "ListPipelineExecutions", in: `{` + web + `,"maxResults":1}`},
		{op: "ListPipelineExecutions", in: `{"pipelineName":"broken"}`},
		{op: "ListPipelineExecutions", in: `{` + none + `}`, code: "PipelineNotFoundException"},
		{op: "GetPipelineExecution", in: `{` + web + `,"pipelineExecutionId":"$run"}`},
		{op: "GetPipelineExecution", in: `{` + web + `,"pipelineExecutionId":"00000000-0000-4000-8000-000000000000"}`, code: "PipelineExecutionNotFoundException"},
		{op: "ListActionExecutions", in: `{` + web + `,"filter":{"pipelineExecutionId":"$run"}}`},
		{op: "ListActionExecutions", in: `{"pipelineName":"broken","maxResults":10}`},
		{op: "ListActionExecutions", in: `{` + none + `}`, code: "PipelineNotFoundException"},
		{op: "StopPipelineExecution", in: `{` + web + `,"pipelineExecutionId":"$run","abandon":true,"reason":"enough"}`},
		{op: "StopPipelineExecution", in: `{` + web + `,"pipelineExecutionId":"$run","abandon":true}`, code: "PipelineExecutionNotStoppableException", later: time.Hour},
		{op: "StartPipelineExecution", in: `{"name":"broken"}`, keep: "failed=pipelineExecutionId"},
		{op: "RetryStageExecution", in: `{"pipelineName":"broken","stageName":"Source","pipelineExecutionId":"$failed","retryMode":"FAILED_ACTIONS"}`, later: time.Hour},
		{op: "RetryStageExecution", in: `{"pipelineName":"broken","stageName":"Build","pipelineExecutionId":"$failed","retryMode":"FAILED_ACTIONS"}`, code: "StageNotRetryableException", later: time.Hour},
		{op: "StartPipelineExecution", in: `{"name":"web"}`},
		{op: "GetPipelineState", in: `{"name":"web"}`, keep: "token=token", later: time.Hour},
		{op: "PutApprovalResult", in: `{` + approve + `,"token":"00000000-0000-4000-8000-000000000000"}`, code: "InvalidApprovalTokenException"},
		{op: "PutApprovalResult", in: `{` + approve + `,"token":"$token"}`},
		{op: "GetPipelineState", in: `{"name":"web"}`, later: time.Hour},
		{op: "TagResource", in: `{` + tagged + `,"tags":[{"key":"env","value":"prod"}]}`},
		{op: "TagResource", in: `{` + untagged + `,"tags":[{"key":"env","value":"prod"}]}`, code: "ResourceNotFoundException"},
		{op: "ListTagsForResource", in: `{` + tagged + `}`},
		{op: "ListTagsForResource", in: `{` + untagged + `}`, code: "ResourceNotFoundException"},
		{op: "UntagResource", in: `{` + tagged + `,"tagKeys":["env"]}`},
		{op: "UntagResource", in: `{` + untagged + `,"tagKeys":["env"]}`, code: "ResourceNotFoundException"},
		{op: "DisableStageTransition", in: `{` + web + `,"stageName":"Approve","transitionType":"Inbound","reason":"hold it"}`},
		{op: "DisableStageTransition", in: `{` + web + `,"stageName":"Nowhere","transitionType":"Inbound","reason":"hold it"}`, code: "StageNotFoundException"},
		{op: "GetPipelineState", in: `{"name":"web"}`},
		{op: "EnableStageTransition", in: `{` + web + `,"stageName":"Approve","transitionType":"Inbound"}`},
		{op: "EnableStageTransition", in: `{` + web + `,"stageName":"Nowhere","transitionType":"Inbound"}`, code: "StageNotFoundException"},
		{op: "UpdatePipeline", in: `{"pipeline":` + declared + `}`},
		{op: "UpdatePipeline", in: `{"pipeline":{"name":"web","roleArn":"arn:aws:iam::111111111111:role/service","artifactStore":{"type":"S3","location":"artifacts"},"stages":[]}}`,
			code: "InvalidStructureException"},
		{op: "ListActionTypes", in: `{"actionOwnerFilter":"AWS"}`},
		{op: "ListActionTypes", in: `{"nextToken":"no token of mine"}`, code: "InvalidNextTokenException"},
		{op: "CreateCustomActionType", in: `{"category":"Build",` + custom + `,"settings":{"entityUrlTemplate":"https://ci.example.com/{Config:ProjectName}"},
			"configurationProperties":[{"name":"ProjectName","required":true,"key":true,"secret":false,"queryable":false,"type":"String"}],"tags":[{"key":"team","value":"shop"}]}`},
		{op: "CreateCustomActionType", in: `{"category":"Bake",` + custom + `}`, code: "ValidationException"},
		{op: "ListActionTypes", in: `{"actionOwnerFilter":"Custom"}`},
		{op: "ListTagsForResource", in: `{"resourceArn":"arn:aws:codepipeline:us-east-1:111111111111:actiontype:Custom/Build/Jenkins/1"}`},
		{op: "DeleteCustomActionType", in: `{"category":"Build","provider":"Jenkins","version":"1"}`},
		{op: "DeleteCustomActionType", in: `{"category":"Build","provider":"Jenkins","version":"1234567890"}`, code: "ValidationException"},
		{op: "CreateCustomActionType", in: `{"category":"Build",` + custom + `}`, code: "ValidationException"},
		{op: "PutWebhook", in: `{"webhook":` + strings.Replace(hook, "TARGET", "web", 1) + `,"tags":[{"key":"team","value":"shop"}]}`},
		{op: "PutWebhook", in: `{"webhook":` + strings.Replace(hook, "TARGET", "none", 1) + `}`, code: "PipelineNotFoundException"},
		{op: "PutWebhook", in: `{"webhook":` + strings.Replace(strings.Replace(hook, "TARGET", "web", 1), `"SecretToken":"hush"`, "", 1) + `}`, code: "InvalidWebhookAuthenticationParametersException"},
		{op: "ListWebhooks", in: `{"MaxResults":10}`},
		{op: "ListWebhooks", in: `{"NextToken":"no token of mine"}`, code: "InvalidNextTokenException"},
		{op: "DeleteWebhook", in: `{"name":"push"}`},
		{op: "DeleteWebhook", in: `{"name":"not a name"}`, code: "ValidationException"},
		{op: "DeletePipeline", in: `{"name":"broken"}`},
		{op: "DeletePipeline", in: `{"name":"not a name"}`, code: "ValidationException"},
	}
	for i := range all {
		all[i].op = "codepipeline:" + all[i].op
	}
	return all
}
