package codepipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

func TestAccess(t *testing.T) {
	b := working(t)
	b.create("web")
	web := "arn:aws:codepipeline:us-east-1:111111111111:web"
	old := strings.Replace(b.arn, "codeconnections", "codestar-connections", 1)
	elder := b.source()
	elder["configuration"].(in)["ConnectionArn"] = old
	d := b.definition("web")
	d["stages"].([]any)[0] = stage("Source", elder)
	own := "arn:aws:iam::111111111111:role/build"
	list(d["stages"])[1]["actions"].([]any)[0].(in)["roleArn"] = own
	for _, c := range []struct {
		op    string
		input in
		want  []string
	}{
		{"GetPipeline", in{"name": "web"}, []string{"codepipeline:GetPipeline " + web}},
		{"ListPipelines", in{}, []string{"codepipeline:ListPipelines arn:aws:codepipeline:us-east-1:111111111111:*"}},
		{"StartPipelineExecution", in{"name": "web"}, []string{"codepipeline:StartPipelineExecution " + web}},
		{"RetryStageExecution", in{"pipelineName": "web", "stageName": "Source"}, []string{"codepipeline:RetryStageExecution " + web + "/Source"}},
		{"DisableStageTransition", in{"pipelineName": "web", "stageName": "Build"}, []string{"codepipeline:DisableStageTransition " + web + "/Build"}},
		{"EnableStageTransition", in{"pipelineName": "web", "stageName": "Build"}, []string{"codepipeline:EnableStageTransition " + web + "/Build"}},
		{"PutApprovalResult", in{"pipelineName": "web", "stageName": "Build", "actionName": "Ask"}, []string{"codepipeline:PutApprovalResult " + web + "/Build/Ask"}},
		{"UpdatePipeline", in{"pipeline": b.definition("web")}, []string{"codepipeline:UpdatePipeline " + web, "iam:PassRole " + role, "codeconnections:PassConnection " + b.arn}},
		{"CreatePipeline", in{"pipeline": d}, []string{"codepipeline:CreatePipeline " + web, "iam:PassRole " + role, "codestar-connections:PassConnection " + old, "iam:PassRole " + own}},
	} {
		var got []string
		r := &cloud.Request{Cloud: b.Cloud, Service: "codepipeline", Operation: c.op, Region: region, Caller: b.me, In: c.input}
		for _, a := range b.Cloud.Service("codepipeline").Ops[c.op].Needs("codepipeline", r) {
			got = append(got, a.Action+" "+a.Resource)
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s demands %v, want %v", c.op, got, c.want)
		}
	}
}

func TestWritersNeedPassConnection(t *testing.T) {
	b := working(t)
	b.must(b.IAM.PutUserPolicy(account, "ada", "no", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"codeconnections:PassConnection","Resource":"*"}}`))
	b.fails("CreatePipeline", in{"pipeline": b.definition("web")}, cloud.AccessDenied, "codeconnections:PassConnection on resource: "+b.arn)
	b.fails("GetPipeline", in{"name": "web"}, "PipelineNotFoundException", "web")
}

// The service role decides what actions can do; each case changes a role that worked.
func TestServiceRole(t *testing.T) {
	policy := func(effect, action, resource string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `","Action":["` + action + `"],"Resource":"` + resource + `"}}`
	}
	for name, c := range map[string]struct {
		change func(b *bench)
		stage  string // that fails; "" none
		text   string
	}{
		"no trust": {func(b *bench) {
			b.must(b.IAM.SetTrust(account, "pipeline", strings.Replace(trust, "codepipeline", "codebuild", 1)))
		},
			"Source", "is not authorized to perform AssumeRole on role " + role},
		"no UseConnection under the old prefix": {func(b *bench) {
			b.must(b.IAM.PutRolePolicy(account, "pipeline", "no", policy("Deny", "codestar-connections:UseConnection", "*")))
		}, "Source", "The provided role does not have sufficient permissions."},
		"no StartBuild": {func(b *bench) {
			b.must(b.IAM.PutRolePolicy(account, "pipeline", "no", policy("Deny", "codebuild:StartBuild", "*")))
		},
			"Build", "codebuild:StartBuild on resource: arn:aws:codebuild:us-east-1:111111111111:project/web"},
		"narrow but enough": {func(b *bench) {
			b.must(b.IAM.PutRolePolicy(account, "pipeline", "all", policy("Allow", `codeconnections:UseConnection","codestar-connections:UseConnection`, "*")))
			b.must(b.IAM.PutRolePolicy(account, "pipeline", "build", policy("Allow", "codebuild:*", "arn:aws:codebuild:*:111111111111:project/web")))
			b.must(b.IAM.PutRolePolicy(account, "pipeline", "deploy", policy("Allow", "codedeploy:*", "arn:aws:codedeploy:*:*:deploymentgroup:web/*")))
		}, "", ""},
	} {
		b := working(t)
		b.create("web")
		b.pass(time.Hour)
		c.change(b)
		id := b.start("web")
		b.pass(time.Hour)
		if c.stage == "" {
			b.wants("web", id, "Succeeded")
			continue
		}
		b.wants("web", id, "Failed")
		got := b.latest("web", c.stage)
		details, _ := got["errorDetails"].(in)
		message, _ := details["message"].(string)
		if details["code"] != "PermissionError" || !strings.Contains(message, c.text) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
