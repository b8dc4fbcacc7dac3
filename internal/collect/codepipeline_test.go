package collect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/unjam/unjam/internal/fact"
)

const declaration = `{"name":"web","roleArn":"arn:aws:iam::111111111111:role/p","version":3,"pipelineType":"V2","executionMode":"QUEUED","fromTheFuture":{"x":1},
 "artifactStore":{"type":"S3","location":"b"},
 "triggers":[{"providerType":"CodeStarSourceConnection","gitConfiguration":{"sourceActionName":"Git","push":[{"branches":{"includes":["main"],"excludes":["wip/**"]},"filePaths":{"includes":["src/**"]}},{"tags":{"includes":["v*"]}}],
  "pullRequest":[{"events":["OPEN"],"branches":{"includes":["main"]}}]}}],
 "stages":[{"name":"Source","actions":[
   {"name":"Git","actionTypeId":{"category":"Source","owner":"AWS","provider":"CodeStarSourceConnection","version":"1"},"runOrder":1,"region":"eu-west-1",
    "configuration":{"ConnectionArn":"arn:aws:codeconnections:eu-west-1:111111111111:connection/1","FullRepositoryId":"acme/web","BranchName":"main","DetectChanges":"false","OutputArtifactFormat":"CODEBUILD_CLONE_REF","Extra":"canary-extra"}},
   {"name":"Old","actionTypeId":{"category":"Source","owner":"ThirdParty","provider":"GitHub","version":"1"},"configuration":{"Owner":"acme","OAuthToken":"canary-token","Branch":"canary-branch"}},
   {"name":"Fake","actionTypeId":{"category":"Source","owner":"Custom","provider":"CodeStarSourceConnection","version":"1"},"configuration":{"ConnectionArn":"canary-custom","BranchName":"canary-custom"}}]},
  {"name":"Deploy","actions":[
   {"name":"Stack","actionTypeId":{"category":"Deploy","owner":"AWS","provider":"CloudFormation","version":"1"},"roleArn":"arn:aws:iam::111111111111:role/d","runOrder":2,
    "configuration":{"StackName":"web-prod","ParameterOverrides":"{\"Password\":\"canary-password\"}"}},
   {"name":"Build","actionTypeId":{"category":"Build","owner":"AWS","provider":"CodeBuild","version":"1"},
    "configuration":{"ProjectName":"p","EnvironmentVariables":"[{\"name\":\"K\",\"value\":\"canary-env\"}]"},
    "environmentVariables":[{"name":"K","value":"canary-env2"}]}]}],
 "variables":[{"name":"V","defaultValue":"canary-variable"}]}`

func getPipeline(declaration string) map[string][]string {
	return map[string][]string{"codepipeline:GetPipeline": {`{"pipeline":` + declaration + `,"metadata":{"pipelineArn":"arn:aws:codepipeline:eu-west-1:111111111111:web","created":1700000000,"updated":1700000100}}`}}
}

func TestPipeline(t *testing.T) {
	c, _ := script(t, getPipeline(declaration))
	got := only[fact.Pipeline](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindPipeline, ID: "web"})
	want := fact.Pipeline{
		ARN: "arn:aws:codepipeline:eu-west-1:111111111111:web", Name: "web", Version: 3, RoleARN: "arn:aws:iam::111111111111:role/p", Type: "V2", Mode: "QUEUED",
		Created: time.Unix(1700000000, 0).UTC(), Updated: time.Unix(1700000100, 0).UTC(), Triggers: []fact.Trigger{{Action: "Git",
			Push: []fact.GitFilter{{Branches: &fact.Criteria{Includes: []string{"main"}, Excludes: []string{"wip/**"}}, Files: &fact.Criteria{Includes: []string{"src/**"}}}, {Tags: &fact.Criteria{Includes: []string{"v*"}}}},
			Pull: []fact.GitFilter{{Branches: &fact.Criteria{Includes: []string{"main"}}, Events: []string{"OPEN"}}}}},
		Stores: []fact.Store{{Region: "eu-west-1", Bucket: "b"}},
		Stages: []fact.Stage{
			{Name: "Source", Actions: []fact.Action{
				{Name: "Git", Category: "Source", Owner: "AWS", Provider: "CodeStarSourceConnection", Version: "1", Region: "eu-west-1", RunOrder: 1,
					Connection: "arn:aws:codeconnections:eu-west-1:111111111111:connection/1", Repository: "acme/web", Branch: "main", DetectChanges: "false", FullClone: true},
				{Name: "Old", Category: "Source", Owner: "ThirdParty", Provider: "GitHub", Version: "1", RunOrder: 1},
				{Name: "Fake", Category: "Source", Owner: "Custom", Provider: "CodeStarSourceConnection", Version: "1", RunOrder: 1, Configured: []string{"BranchName", "ConnectionArn"}},
			}},
			{Name: "Deploy", Actions: []fact.Action{
				{Name: "Stack", Category: "Deploy", Owner: "AWS", Provider: "CloudFormation", Version: "1", RoleARN: "arn:aws:iam::111111111111:role/d", RunOrder: 2, StackName: "web-prod"},
				{Name: "Build", Category: "Build", Owner: "AWS", Provider: "CodeBuild", Version: "1", RunOrder: 1, Project: "p"},
			}},
		},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(fact.Pipeline{}, "Seen", "Definition", "Declaration")); d != "" {
		t.Error(d)
	}
	if got.Ref() != fact.PipelineRef(scope("eu-west-1"), "web") || got.Source().Operation != "GetPipeline" || got.Source().RequestID != "req-codepipeline:GetPipeline" {
		t.Errorf("ref %+v source %+v", got.Ref(), got.Source())
	}
}

// No configuration value outlives the reading except those fact.Action names.
func TestSecretsCanary(t *testing.T) {
	if !strings.Contains(declaration, "canary-token") {
		t.Fatal("no canary in the declaration")
	}
	c, _ := script(t, getPipeline(declaration))
	s := ask(t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindPipeline, ID: "web"})
	var kept bytes.Buffer
	for p := range fact.All[fact.Pipeline](s) {
		if err := json.NewEncoder(&kept).Encode(p); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(&kept, "%+v", s)
	if !strings.Contains(kept.String(), "web-prod") || strings.Contains(kept.String(), "canary") {
		t.Errorf("kept: %s", kept.String())
	}
}

// The digest is of the whole declaration as AWS sent it: unknown members and secret values count, layout does not.
func TestDefinition(t *testing.T) {
	of := func(declaration string) fact.Digest {
		c, _ := script(t, getPipeline(declaration))
		return only[fact.Pipeline](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindPipeline, ID: "web"}).Definition
	}
	base := of(declaration)
	for _, change := range [][2]string{{`"x":1`, `"x":2`}, {"canary-token", "other"}, {"main", "Main"}, {`"version":3`, `"version":4`}} {
		if of(strings.Replace(declaration, change[0], change[1], 1)) == base {
			t.Errorf("%s to %s: same digest", change[0], change[1])
		}
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(declaration), &v); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.MarshalIndent(v, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	if of(string(sorted)) != base {
		t.Error("layout changes the digest")
	}
}

func TestPipelineDefaults(t *testing.T) {
	c, _ := script(t, map[string][]string{"codepipeline:GetPipeline": {`{"pipeline":{"name":"web","roleArn":"r","stages":[],"version":1}}`}})
	got := only[fact.Pipeline](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindPipeline, ID: "web"})
	if got.Type != "V1" || got.Mode != "SUPERSEDED" {
		t.Errorf("got %s %s", got.Type, got.Mode)
	}
}

// TestApproval: what an approval asks is kept; what looks like a secret in it is not.
func TestApproval(t *testing.T) {
	approval := func(asks string) fact.Action {
		c, _ := script(t, map[string][]string{"codepipeline:GetPipeline": {`{"pipeline":{"name":"web","roleArn":"r","version":1,"stages":[{"name":"Approve","actions":[{"name":"Release",
	 "actionTypeId":{"category":"Approval","owner":"AWS","provider":"Manual","version":"1"},
	 "configuration":{"NotificationArn":"arn:topic","CustomData":"` + asks + `","ExternalEntityLink":"https://wiki.acme.example/releases"}}]}]}}`}})
		return only[fact.Pipeline](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindPipeline, ID: "web"}).Stages[0].Actions[0]
	}
	if a := approval("Are the notes out?"); a.Topic != "arn:topic" || a.CustomData != "Are the notes out?" || a.ReviewLink != "https://wiki.acme.example/releases" {
		t.Errorf("got %+v", a)
	}
	if a := approval("log in with password=hunter2"); strings.Contains(a.CustomData, "hunter2") || a.CustomData == "" {
		t.Errorf("a secret was kept: %q", a.CustomData)
	}
}

func TestPipelineState(t *testing.T) {
	c, _ := script(t, map[string][]string{"codepipeline:GetPipelineState": {`{"pipelineName":"web","pipelineVersion":3,"updated":1700000000,"stageStates":[
	 {"stageName":"Source","inboundTransitionState":{"enabled":true},"latestExecution":{"pipelineExecutionId":"e1","status":"Failed"},
	  "actionStates":[{"actionName":"Git","latestExecution":{"actionExecutionId":"a1","status":"Failed","summary":"s","lastStatusChange":1700000001,"errorDetails":{"code":"PermissionError","message":"Unable to use Connection"}}},{"actionName":"Never"}]},
	 {"stageName":"Deploy","inboundTransitionState":{"enabled":false,"lastChangedBy":"arn:bert","lastChangedAt":1700000002,"disabledReason":"freeze"},
	  "inboundExecution":{"pipelineExecutionId":"e0","status":"InProgress"},"inboundExecutions":[{"pipelineExecutionId":"e2","status":"InProgress"},{"pipelineExecutionId":"e0","status":"InProgress"}]}]}`}})
	got := only[fact.PipelineState](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindPipelineState, ID: "web"})
	want := fact.PipelineState{Name: "web", Version: 3, Updated: time.Unix(1700000000, 0).UTC(), Stages: []fact.StageState{
		{Name: "Source", TransitionEnabled: true, Execution: "e1", Status: "Failed", Actions: []fact.ActionState{
			{Name: "Git", ID: "a1", Status: "Failed", Summary: "s", ErrorCode: "PermissionError", Error: "Unable to use Connection", Changed: time.Unix(1700000001, 0).UTC()}, {Name: "Never"}}},
		{Name: "Deploy", DisabledBy: "arn:bert", DisabledReason: "freeze", DisabledAt: time.Unix(1700000002, 0).UTC(), Inbound: "e0", Waiting: []string{"e2", "e0"}},
	}}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(fact.PipelineState{}, "Seen")); d != "" {
		t.Error(d)
	}
}

func TestRuns(t *testing.T) {
	c, w := script(t, map[string][]string{
		"codepipeline:ListPipelineExecutions": {`{"pipelineExecutionSummaries":[{"pipelineExecutionId":"e2","status":"Failed","startTime":1700000100,"lastUpdateTime":1700000200,"trigger":{"triggerType":"WebhookV2","triggerDetail":"canary"},
		  "sourceRevisions":[{"actionName":"Git","revisionId":"0123abc","revisionSummary":"canary"}]}],"nextToken":"more"}`},
		"codepipeline:ListActionExecutions": {`{"actionExecutionDetails":[{"pipelineExecutionId":"e2","actionExecutionId":"a2","pipelineVersion":3,"stageName":"Source","actionName":"Git","status":"Failed","startTime":1700000100,"lastUpdateTime":1700000200,
		  "input":{"configuration":{"OAuthToken":"canary"},"resolvedConfiguration":{"OAuthToken":"canary"}},
		  "output":{"outputVariables":{"x":"canary"},"executionResult":{"externalExecutionSummary":"x","errorDetails":{"code":"c","message":"m"}}}}],"nextToken":"more"}`},
	})
	e := only[fact.Execution](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindExecution, ID: "web"})
	if e.Pipeline != "web" || e.ID != "e2" || e.Status != "Failed" || e.Trigger != "WebhookV2" || len(e.Revisions) != 1 || e.Revisions["Git"] != "0123abc" || e.Started.Unix() != 1700000100 || e.Updated.Unix() != 1700000200 || e.Ref().ID != "e2" {
		t.Errorf("got %+v", e)
	}
	a := only[fact.ActionRun](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindAction, ID: "web", Args: map[string]string{"execution": "e2"}})
	want := fact.ActionRun{Seen: a.Seen, Pipeline: "web", Execution: "e2", ID: "a2", Stage: "Source", Action: "Git", Version: 3, Status: "Failed", Error: "m",
		Started: time.Unix(1700000100, 0).UTC(), Updated: time.Unix(1700000200, 0).UTC()}
	if d := cmp.Diff(want, a); d != "" {
		t.Error(d)
	}
	if !strings.Contains(w.asked["codepipeline:ListActionExecutions"][0], `"pipelineExecutionId":"e2"`) {
		t.Errorf("asked %v", w.asked)
	}
	for op, calls := range w.asked {
		if len(calls) != 1 {
			t.Errorf("%s asked %d times: the first page is the whole answer", op, len(calls))
		}
	}
}

// "Not found" is proof of absence, not a gap.
func TestNoSuchPipeline(t *testing.T) {
	none := []string{"!PipelineNotFoundException Account does not have a pipeline"}
	c, _ := script(t, map[string][]string{"codepipeline:GetPipeline": none, "codepipeline:GetPipelineState": none, "codepipeline:ListPipelineExecutions": none,
		"codepipeline:ListActionExecutions": {none[0], "!PipelineExecutionNotFoundException no"}})
	for _, k := range []fact.Kind{fact.KindPipeline, fact.KindPipelineState, fact.KindExecution, fact.KindAction} {
		q := fact.Query{Scope: scope("eu-west-1"), Kind: k, ID: "web"}
		s := ask(t, c, q)
		if _, ok := s.Absence(fact.PipelineRef(q.Scope, "web")); !ok || !s.Answered(q) {
			t.Errorf("%s: no absence; gaps %+v", k, s.Gaps())
		}
	}
	q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindAction, ID: "web", Args: map[string]string{"execution": "e"}}
	s := ask(t, c, q)
	if _, ok := s.Absence(fact.PipelineRef(q.Scope, "web")); ok {
		t.Error("a missing run is not a missing pipeline")
	}
	if _, ok := s.Absence(fact.Ref{Scope: q.Scope, Kind: fact.KindExecution, ID: "e"}); !ok {
		t.Error("no absence of the run")
	}
}

func TestPipelineListPages(t *testing.T) {
	page := func(next string, names ...string) string {
		var all []string
		for _, n := range names {
			all = append(all, `{"name":"`+n+`","version":1,"updated":1700000000}`)
		}
		return `{"pipelines":[` + strings.Join(all, ",") + `],"nextToken":` + next + `}`
	}
	q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindPipelineList}
	c, w := script(t, map[string][]string{"codepipeline:ListPipelines": {page(`"2"`, "b", "a"), page(`"3"`), page("null", "c")}})
	s := ask(t, c, q)
	var names []string
	for _, p := range all[fact.PipelineListed](s) {
		names = append(names, p.Name)
	}
	if d := cmp.Diff([]string{"a", "b", "c"}, names); d != "" || !s.Answered(q) || len(w.asked["codepipeline:ListPipelines"]) != 3 {
		t.Errorf("%s, %v", d, w.asked)
	}
	// A list that breaks off keeps what it gave and is not covered.
	c, _ = script(t, map[string][]string{"codepipeline:ListPipelines": {page(`"2"`, "a"), "!AccessDeniedException no"}})
	s = ask(t, c, q)
	g, missed := s.GapOf(q)
	if len(all[fact.PipelineListed](s)) != 1 || s.Answered(q) || !missed || g.Class != fact.Denied || g.Permission != "codepipeline:ListPipelines" {
		t.Errorf("answered %v, gap %+v", s.Answered(q), g)
	}
}

// A reply without its main member is a gap, never an empty pipeline.
func TestHollowReplies(t *testing.T) {
	c, _ := script(t, map[string][]string{"codepipeline:GetPipeline": {"{}"}, "codepipeline:GetPipelineState": {"{}"}, "codeconnections:GetConnection": {"{}"}})
	for _, q := range []fact.Query{
		{Scope: scope("eu-west-1"), Kind: fact.KindPipeline, ID: "web"}, {Scope: scope("eu-west-1"), Kind: fact.KindPipelineState, ID: "web"},
		{Scope: scope(""), Kind: fact.KindConnection, ID: "arn:aws:codeconnections:eu-west-1:111111111111:connection/1"},
	} {
		s := ask(t, c, q)
		if g, ok := s.GapOf(q); !ok || g.Class != fact.Failed || !strings.Contains(g.Why, "lacks") {
			t.Errorf("%s: gap %+v", q.Kind, g)
		}
	}
}
