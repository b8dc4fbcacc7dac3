package codepipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

// events are the account's events of a name that codepipeline itself made, oldest first.
func (b *bench) events(account, name string) []cloud.Event {
	var all []cloud.Event
	for _, e := range b.Cloud.Events(account, region) {
		if e.Name == name && e.Origin.InvokedBy == "codepipeline.amazonaws.com" {
			all = append(all, e)
		}
	}
	return all
}

// Every call that an action makes with the role leaves an event with the role as caller and the service as address.
func TestCallsOfTheRoleLeaveEvents(t *testing.T) {
	b := working(t)
	id := b.create("web")
	b.pass(time.Hour)
	b.wants("web", id, "Succeeded")
	for name, source := range map[string]string{"StartBuild": "codebuild.amazonaws.com", "CreateDeployment": "codedeploy.amazonaws.com"} {
		all := b.events(account, name)
		if len(all) != 1 {
			t.Fatalf("%d events %s", len(all), name)
		}
		e := all[0]
		if e.Source != source || e.Caller.Source != role || e.Caller.Type != "AssumedRole" || e.Origin.SourceIP != "codepipeline.amazonaws.com" || e.Origin.UserAgent != e.Origin.SourceIP || e.ErrorCode != "" {
			t.Errorf("%s: %+v", name, e)
		}
		if strings.Trim(e.Caller.Session, "0123456789") != "" || e.Caller.Session == "" {
			t.Errorf("%s: session %q is no number", name, e.Caller.Session)
		}
	}
	if all := b.events(account, "AssumeRole"); len(all) != 1 || all[0].Caller.Type != "AWSService" || all[0].Request["roleArn"] != role {
		t.Errorf("AssumeRole: %+v", all)
	}
}

// A refusal is an event with AWS's text; the pipeline shows the same text, with CodeBuild's words around it.
func TestRefusedCall(t *testing.T) {
	b := working(t)
	b.must(b.IAM.PutRolePolicy(account, "pipeline", "no", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"codebuild:StartBuild","Resource":"*"}}`))
	b.create("web")
	b.pass(time.Hour)
	all := b.events(account, "StartBuild")
	if len(all) != 1 || all[0].ErrorCode != cloud.AccessDenied || !strings.HasSuffix(all[0].ErrorText, "with an explicit deny in an identity-based policy") {
		t.Fatalf("events %+v", all)
	}
	details, _ := b.latest("web", "Build")["errorDetails"].(in)
	want := "Error calling startBuild: " + all[0].ErrorText + " (Service: AWSCodeBuild; Status Code: 400; Error Code: AccessDeniedException; Request ID: " + all[0].RequestID + "; Proxy: null)"
	if details["message"] != want {
		t.Errorf("shown %v, want %s", details["message"], want)
	}
}

// The role of an action is taken on from the pipeline's role; both its trust policy and the pipeline's role have a say, and the
// action's calls land in its account.
func TestRoleOfAnAction(t *testing.T) {
	const other = "222222222222"
	remote := "arn:aws:iam::" + other + ":role/prod"
	trusting := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"sts:AssumeRole"}}`
	b := working(t)
	b.Cloud.AddAccount(&cloud.Account{ID: other})
	_, err := b.IAM.CreateRole(other, "prod", "/", trusting)
	b.must(err)
	b.must(b.IAM.PutRolePolicy(other, "prod", "all", allow))
	deploy := action("CodeDeploy", "Deploy", "CodeDeploy", in{"ApplicationName": "web", "DeploymentGroupName": "all"})
	deploy["roleArn"] = remote
	id := b.create("web", setStages(stage("Source", b.source()), stage("Deploy", deploy)))
	b.pass(time.Hour)
	b.wants("web", id, "Succeeded")
	made, here, there := b.events(other, "CreateDeployment"), b.events(account, "AssumeRole"), b.events(other, "AssumeRole")
	if len(made) != 1 || made[0].Caller.Source != remote || len(b.events(account, "CreateDeployment")) != 0 {
		t.Errorf("CreateDeployment: %+v", made)
	}
	if len(here) != 2 || here[1].Caller.Source != role || len(there) != 1 || there[0].Caller.Type != "AWSAccount" || there[0].SharedID != here[1].SharedID {
		t.Errorf("AssumeRole here %+v, there %+v", here, there)
	}
	b.must(b.IAM.SetTrust(other, "prod", trust))
	id = b.start("web")
	b.pass(time.Hour)
	b.wants("web", id, "Failed")
	details, _ := b.latest("web", "Deploy")["errorDetails"].(in)
	text, _ := details["message"].(string)
	if !strings.HasPrefix(text, "User: arn:aws:sts::"+account+":assumed-role/pipeline/") ||
		!strings.HasSuffix(text, "is not authorized to perform: sts:AssumeRole on resource: "+remote+" because no role trust policy allows the sts:AssumeRole action") {
		t.Errorf("shown %v", details)
	}
}

// A full clone is made by the build with the project's own role; a source given as an archive asks nothing of that role.
func TestFullClone(t *testing.T) {
	for format, want := range map[string]string{"CODE_ZIP": "Succeeded", "CODEBUILD_CLONE_REF": "Failed"} {
		b := working(t)
		source := b.source()
		source["configuration"].(in)["OutputArtifactFormat"] = format
		build := action("CodeBuild", "Build", "CodeBuild", in{"ProjectName": "web"})
		build["inputArtifacts"] = []any{in{"name": "Out"}}
		_, err := b.IAM.CreateRole(account, "CodeBuildServiceRole", "/service-role/", strings.Replace(trust, "codepipeline", "codebuild", 1))
		b.must(err)
		id := b.create("web", setStages(stage("Source", source), stage("Build", build)))
		b.pass(time.Hour)
		b.wants("web", id, want)
		details, _ := b.latest("web", "Build")["errorDetails"].(in)
		if text, _ := details["message"].(string); want == "Failed" && !strings.Contains(text, "Access denied to connection "+b.arn) {
			t.Errorf("%s: %v", format, details)
		}
		if got, _ := b.latest("web", "Build")["externalExecutionId"].(string); !strings.HasPrefix(got, "web:") {
			t.Errorf("%s: external execution %q is no build of the project", format, got)
		}
	}
}

// A push through an app that was installed anew fails again and again, every nine minutes, and not for ever; it ends when the
// definition changes. Without a new installation the push does not arrive at all.
func TestRelay(t *testing.T) {
	for _, again := range []bool{true, false} {
		b := working(t)
		b.create("web")
		b.pass(time.Hour)
		b.must(b.Git.Uninstall(provider.GitHub, "acme"))
		if again {
			_, err := b.Git.Install(provider.GitHub, "acme", "octo")
			b.must(err)
		}
		before := len(b.runs("web"))
		_, err := b.Git.Push(provider.GitHub, "acme/web", "main", "lost")
		b.must(err)
		b.pass(time.Minute)
		first := len(b.runs("web")) - before
		b.pass(18 * time.Minute)
		third := len(b.runs("web")) - before
		b.pass(24 * time.Hour)
		last := len(b.runs("web")) - before
		if want := [3]int{1, 3, 14}; again && [3]int{first, third, last} != want || !again && last != 0 {
			t.Errorf("installed anew %v: %d, %d, %d runs", again, first, third, last)
		}
		if r := b.runs("web")[0]; again && (r["status"] != "Failed" || r["trigger"].(in)["triggerType"] != "WebhookV2") {
			t.Errorf("newest run %v", r)
		}
	}
	b := working(t)
	b.create("web")
	b.must(b.Git.Uninstall(provider.GitHub, "acme"))
	_, err := b.Git.Install(provider.GitHub, "acme", "octo")
	b.must(err)
	_, err = b.Git.Push(provider.GitHub, "acme/web", "main", "lost")
	b.must(err)
	b.ok("UpdatePipeline", in{"pipeline": b.definition("web")})
	b.pass(24 * time.Hour)
	if n := len(b.runs("web")); n != 2 {
		t.Errorf("%d runs after the definition was changed, want 2", n)
	}
}
