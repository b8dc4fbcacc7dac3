package codepipeline_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

const (
	account = "111111111111"
	region  = "us-east-1"
	role    = "arn:aws:iam::" + account + ":role/pipeline"
	allow   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	trust   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}}`
)

type in = map[string]any

// bench is a lab with one administrator, a service role and GitHub's acme/web, on simulated time.
type bench struct {
	testing.TB
	*lab.Lab
	now time.Time
	me  cloud.Principal
	arn string // a connection
}

// newBench has a connection that is PENDING.
func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{TB: t, Lab: lab.New(), now: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)}
	b.Cloud.Replay(b.now)
	b.Cloud.AddAccount(&cloud.Account{ID: account})
	_, err := b.IAM.CreateUser(account, "ada", "/")
	b.must(err)
	b.must(b.IAM.PutUserPolicy(account, "ada", "all", allow))
	_, err = b.IAM.CreateRole(account, "pipeline", "/", trust)
	b.must(err)
	b.must(b.IAM.PutRolePolicy(account, "pipeline", "all", allow))
	_, err = b.Git.AddOrg(provider.GitHub, "acme", "octo")
	b.must(err)
	_, err = b.Git.AddRepo(provider.GitHub, "acme/web", "main", "feature")
	b.must(err)
	b.me = b.IAM.UserPrincipal(account, "ada")
	out := b.call("codeconnections", "CreateConnection", in{"ConnectionName": "github", "ProviderType": "GitHub"})
	b.arn = out["ConnectionArn"].(string)
	b.pass(time.Minute)
	return b
}

// working is newBench with the connection completed.
func working(t testing.TB) *bench {
	t.Helper()
	b := newBench(t)
	b.complete()
	return b
}

// complete finishes the handshake of the connection.
func (b *bench) complete() {
	b.Helper()
	if o, err := b.Connections.Handshake(connections.Person{Principal: b.me}, b.arn, connections.Attempt{Org: "acme"}); o != connections.Completed {
		b.Fatalf("handshake: %s, %v", o, err)
	}
	b.pass(time.Second)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) pass(d time.Duration) {
	b.now = b.now.Add(d)
	b.Cloud.Replay(b.now)
}

func (b *bench) try(service, op string, input in) (map[string]any, error) {
	return b.Cloud.Serve(&cloud.Request{Service: service, Region: region, Operation: op, Caller: b.me, In: input})
}

func (b *bench) call(service, op string, input in) map[string]any {
	b.Helper()
	out, err := b.try(service, op, input)
	if err != nil {
		b.Fatalf("%s %v: %v", op, input, err)
	}
	return out
}

// ok makes a call to CodePipeline that has to succeed.
func (b *bench) ok(op string, input in) map[string]any {
	b.Helper()
	return b.call("codepipeline", op, input)
}

// fails makes a call to CodePipeline that has to fail with a code and a text.
func (b *bench) fails(op string, input in, code, text string) {
	b.Helper()
	_, err := b.try("codepipeline", op, input)
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, text) {
		b.Errorf("%s %v: %v, want %s with %q", op, input, err, code, text)
	}
}

func action(name, category, provider string, conf in) in {
	return in{"name": name, "actionTypeId": in{"category": category, "owner": "AWS", "provider": provider, "version": "1"}, "configuration": conf}
}

func stage(name string, actions ...any) in { return in{"name": name, "actions": actions} }

// source is a connection source action on acme/web.
func (b *bench) source() in {
	a := action("Git", "Source", "CodeStarSourceConnection", in{"ConnectionArn": b.arn, "FullRepositoryId": "acme/web", "BranchName": "main"})
	a["outputArtifacts"] = []any{in{"name": "Out"}}
	return a
}

// definition is Source, Build, Deploy with one action each, named like its provider.
func (b *bench) definition(name string) in {
	return in{
		"name": name, "roleArn": role, "pipelineType": "V2", "executionMode": "SUPERSEDED", "artifactStore": in{"type": "S3", "location": "artifacts"},
		"stages": []any{
			stage("Source", b.source()),
			stage("Build", action("CodeBuild", "Build", "CodeBuild", in{"ProjectName": "web"})),
			stage("Deploy", action("CodeDeploy", "Deploy", "CodeDeploy", in{"ApplicationName": "web", "DeploymentGroupName": "all"})),
		},
	}
}

// create creates a pipeline from a definition, changed by edits, and returns its first execution.
func (b *bench) create(name string, edits ...func(in)) string {
	b.Helper()
	d := b.definition(name)
	for _, edit := range edits {
		edit(d)
	}
	b.ok("CreatePipeline", in{"pipeline": d})
	return b.runs(name)[0]["pipelineExecutionId"].(string)
}

func with(member string, value any) func(in) { return func(d in) { d[member] = value } }

func setStages(stages ...any) func(in) { return with("stages", stages) }

func list(v any) []map[string]any {
	var out []map[string]any
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			out = append(out, e.(map[string]any))
		}
	case []map[string]any:
		out = x
	}
	return out
}

func (b *bench) runs(name string) []map[string]any {
	b.Helper()
	return list(b.ok("ListPipelineExecutions", in{"pipelineName": name})["pipelineExecutionSummaries"])
}

// status is the status of one execution.
func (b *bench) status(name, id string) string {
	b.Helper()
	return b.ok("GetPipelineExecution", in{"pipelineName": name, "pipelineExecutionId": id})["pipelineExecution"].(map[string]any)["status"].(string)
}

// wants checks the status of one execution.
func (b *bench) wants(name, id, want string) {
	b.Helper()
	if got := b.status(name, id); got != want {
		b.Errorf("execution %s of %s is %s, want %s", id, name, got, want)
	}
}

func (b *bench) start(name string) string {
	b.Helper()
	return b.ok("StartPipelineExecution", in{"name": name})["pipelineExecutionId"].(string)
}

func (b *bench) retry(name, stage, id, mode string) in {
	return in{"pipelineName": name, "stageName": stage, "pipelineExecutionId": id, "retryMode": mode}
}

// stageState is the state of one stage.
func (b *bench) stageState(name, stage string) map[string]any {
	b.Helper()
	for _, s := range list(b.ok("GetPipelineState", in{"name": name})["stageStates"]) {
		if s["stageName"] == stage {
			return s
		}
	}
	b.Fatalf("%s has no stage %s", name, stage)
	return nil
}

// latest is the latest execution of the first action of a stage.
func (b *bench) latest(name, stage string) map[string]any {
	b.Helper()
	m, _ := list(b.stageState(name, stage)["actionStates"])[0]["latestExecution"].(map[string]any)
	return m
}

// trail lists what ran of an execution, oldest first, as Action=Status.
func (b *bench) trail(name, id string) string {
	b.Helper()
	var all []string
	for _, d := range list(b.ok("ListActionExecutions", in{"pipelineName": name, "filter": in{"pipelineExecutionId": id}})["actionExecutionDetails"]) {
		all = append([]string{d["actionName"].(string) + "=" + d["status"].(string)}, all...)
	}
	return strings.Join(all, " ")
}
