package cloudformation_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
	"github.com/unjam/unjam/lab/world"
)

const account = "111111111111"

// stage is a stack that made a connection and a pipeline, and people who can work past it.
const stage = `account 111111111111 regions=eu-west-1,us-east-1
github acme owner=olga members=ada repos=acme/web:main:develop
role Admin allow=*
role CfnDeploy for=cloudformation allow=*
role Narrow allow=cloudformation:*,codestar-connections:*,codeconnections:*
caller ada you role=Admin agent=console
caller nora role=Narrow agent=console
caller cfn role=CfnDeploy session=AWSCloudFormation agent=cloudformation stack=web-ci
-30d cfn creates connection team-github provider=GitHub tags=team:web
-30d cfn creates pipeline web connection=team-github repo=acme/web stages=Build,Deploy
-30d ada creates pipeline other connection=team-github repo=acme/web
`

type bench struct {
	t *testing.T
	l *lab.Lab
	w *world.World
}

func load(t *testing.T, acts string) bench {
	t.Helper()
	l := lab.New()
	w, err := world.Load(l, "w.world", []byte(stage+acts), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return bench{t, l, w}
}

func (b bench) try(op string, in map[string]any) (out map[string]any, err error) {
	b.t.Helper()
	b.l.Cloud.Within(func() {
		out, err = b.l.Cloud.Serve(&cloud.Request{Service: "cloudformation", Operation: op, Region: "eu-west-1", In: in, Caller: iam.RootPrincipal(account)})
	})
	return out, err
}

// call makes a call and returns the list in the reply.
func (b bench) call(op, member string, in map[string]any) []map[string]any {
	b.t.Helper()
	out, err := b.try(op, in)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []map[string]any
	for _, x := range out[member].([]any) {
		all = append(all, x.(map[string]any))
	}
	return all
}

func (b bench) refused(op string, in map[string]any, message string) {
	b.t.Helper()
	_, err := b.try(op, in)
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code != cloud.ValidationError || !strings.Contains(e.Message, message) {
		b.t.Errorf("%s %v: %v, want %s", op, in, err, message)
	}
}

func (b bench) status() string {
	b.t.Helper()
	return b.call("DescribeStacks", "Stacks", map[string]any{"StackName": "web-ci"})[0]["StackStatus"].(string)
}

func named(stack string) map[string]any { return map[string]any{"StackName": stack} }

// TestStackOwnsWhatItMade, and neither what others made nor what it did not make.
func TestStackOwnsWhatItMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "")
		all := b.call("DescribeStackResources", "StackResources", named("web-ci"))
		if len(all) != 2 || all[0]["LogicalResourceId"] != "TeamGithub" || all[0]["PhysicalResourceId"] != b.w.ARN("team-github") ||
			all[0]["ResourceType"] != "AWS::CodeConnections::Connection" || all[1]["PhysicalResourceId"] != "web" || all[1]["ResourceStatus"] != "CREATE_COMPLETE" {
			t.Errorf("resources %v", all)
		}
		by := b.call("DescribeStackResources", "StackResources", map[string]any{"PhysicalResourceId": b.w.ARN("team-github")})
		if len(by) != 2 || by[0]["StackName"] != "web-ci" {
			t.Errorf("by physical ID: %v", by)
		}
		b.refused("DescribeStackResources", map[string]any{"PhysicalResourceId": "other"}, "Stack for other does not exist")
		b.refused("DescribeStackResources", map[string]any{"PhysicalResourceId": "other", "StackName": "web-ci"}, "together")
		b.refused("DescribeStackResources", nil, "must be specified")
		b.refused("DescribeStacks", named("none"), "Stack with id none does not exist")
		stack := b.call("DescribeStacks", "Stacks", nil)[0]
		if b.status() != "CREATE_COMPLETE" || !strings.HasSuffix(stack["RoleARN"].(string), "role/CfnDeploy") {
			t.Errorf("stack %v", stack)
		}
		var tags []map[string]any
		b.l.Cloud.Within(func() {
			out, err := b.l.Cloud.Serve(&cloud.Request{Service: "codeconnections", Operation: "ListTagsForResource", Region: "eu-west-1",
				In: map[string]any{"ResourceArn": b.w.ARN("team-github")}, Caller: iam.RootPrincipal(account)})
			if err != nil {
				t.Error(err)
			}
			tags = out["Tags"].([]map[string]any)
		})
		found := false
		for _, m := range tags {
			found = found || m["Key"] == "aws:cloudformation:stack-id" && m["Value"] == stack["StackId"]
		}
		if !found {
			t.Errorf("no tag names the stack's ID %v: %v", stack["StackId"], tags)
		}
	})
}

// TestLifeOfAStack: created, updated, deleted with its last resource, and another one under the same name.
func TestLifeOfAStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "-20d cfn updates web branch=develop\n+1m cfn deletes web\n+1h cfn deletes team-github\n+2h cfn creates connection again provider=GitHub\n")
		first := b.call("DescribeStacks", "Stacks", named("web-ci"))[0]
		if first["StackStatus"] != "UPDATE_COMPLETE" || first["LastUpdatedTime"] == nil {
			t.Errorf("after an update: %v", first)
		}
		time.Sleep(time.Minute + time.Second)
		if got := b.status(); got != "UPDATE_IN_PROGRESS" {
			t.Errorf("while a resource is deleted: %s", got)
		}
		time.Sleep(70 * time.Minute)
		b.refused("DescribeStacks", named("web-ci"), "does not exist")
		if got := b.call("DescribeStacks", "Stacks", named(first["StackId"].(string)))[0]; got["StackStatus"] != "DELETE_COMPLETE" || got["DeletionTime"] == nil {
			t.Errorf("deleted: %v", got)
		}
		if got := b.call("ListStacks", "StackSummaries", map[string]any{"StackStatusFilter": []any{"DELETE_COMPLETE"}}); len(got) != 1 {
			t.Errorf("deleted stacks: %v", got)
		}
		time.Sleep(time.Hour)
		if again := b.call("DescribeStacks", "Stacks", named("web-ci"))[0]; again["StackId"] == first["StackId"] || again["StackStatus"] != "CREATE_COMPLETE" {
			t.Errorf("another one: %v", again)
		}
	})
}

// TestFailureKeepsWhatThereIs: a refused call fails the operation, with the refusal as its reason.
func TestFailureKeepsWhatThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "-20d ada grants CfnDeploy deny=codepipeline:UpdatePipeline name=stop\n-19d cfn updates web branch=develop expect=denied\n")
		if got := b.status(); got != "UPDATE_FAILED" {
			t.Errorf("status %s", got)
		}
		for _, x := range b.call("DescribeStackResources", "StackResources", named("web-ci")) {
			if x["PhysicalResourceId"] == "web" && (x["ResourceStatus"] != "UPDATE_FAILED" || !strings.Contains(x["ResourceStatusReason"].(string), "HandlerErrorCode: AccessDenied")) {
				t.Errorf("resource %v", x)
			}
		}
		b.refused("DetectStackDrift", named("web-ci"), "UPDATE_FAILED")
		out, err := b.try("GetTemplate", named("web-ci"))
		if err != nil || !strings.Contains(out["TemplateBody"].(string), `"BranchName":"main"`) {
			t.Errorf("template after a failed update: %v %v", out, err)
		}
	})
}

// TestReplacedAndGone: a replaced resource keeps its logical ID; deleting what somebody else deleted is no failure.
func TestReplacedAndGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "-20d cfn recreates team-github\n-10d ada deletes team-github\n-9d cfn deletes team-github expect=ResourceNotFound\n")
		for _, e := range b.call("DescribeStackEvents", "StackEvents", named("web-ci"))[1:2] {
			if e["LogicalResourceId"] != "TeamGithub" || e["ResourceStatus"] != "DELETE_COMPLETE" {
				t.Errorf("last event %v", e)
			}
		}
		all := b.call("DescribeStackResources", "StackResources", named("web-ci"))
		if len(all) != 1 || b.status() != "UPDATE_COMPLETE" {
			t.Errorf("%s with %v", b.status(), all)
		}
		out, err := b.try("DescribeStackResource", map[string]any{"StackName": "web-ci", "LogicalResourceId": "Web"})
		if err != nil || out["StackResourceDetail"].(map[string]any)["PhysicalResourceId"] != "web" {
			t.Errorf("%v %v", out, err)
		}
		b.refused("DescribeStackResource", map[string]any{"StackName": "web-ci", "LogicalResourceId": "TeamGithub"}, "Resource TeamGithub does not exist")
	})
}

// TestRecreatedAlone: a stack whose only resource is replaced is not deleted meanwhile, neither new nor old.
func TestRecreatedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "caller solo role=CfnDeploy agent=cloudformation stack=solo\n-20d solo creates connection one provider=GitHub\n-20d solo recreates one\n")
		if got := b.call("DescribeStacks", "Stacks", named("solo"))[0]; got["StackStatus"] != "CREATE_COMPLETE" {
			t.Errorf("recreated at once: %v", got)
		}
		if err := b.w.Act("solo recreates one"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		all := b.call("ListStacks", "StackSummaries", nil)
		if len(all) != 2 || all[0]["StackStatus"] != "UPDATE_COMPLETE" {
			t.Errorf("recreated later: %v", all)
		}
	})
}

// TestEvents: every operation begins and ends with an event of the stack; the newest event is first.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "-20d cfn updates web branch=develop\n")
		var got []string
		for _, e := range b.call("DescribeStackEvents", "StackEvents", named("web-ci")) {
			got = append(got, e["LogicalResourceId"].(string)+" "+e["ResourceStatus"].(string))
		}
		want := "web-ci UPDATE_COMPLETE, Web UPDATE_COMPLETE, Web UPDATE_IN_PROGRESS, web-ci UPDATE_IN_PROGRESS, web-ci CREATE_COMPLETE, Web CREATE_COMPLETE, " +
			"Web CREATE_IN_PROGRESS, TeamGithub CREATE_COMPLETE, TeamGithub CREATE_IN_PROGRESS, web-ci CREATE_IN_PROGRESS"
		if strings.Join(got, ", ") != want {
			t.Errorf("events\n %s\nwant\n %s", strings.Join(got, ", "), want)
		}
	})
}

// TestTemplateIsWhatTheStackSaid, also after changes past it; an update of the stack writes its template over them.
func TestTemplateIsWhatTheStackSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "-20d ada updates web branch=develop\n-10d cfn updates web stages=Build,Ship\n")
		out, err := b.try("GetTemplate", named("web-ci"))
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Resources map[string]struct {
				Type       string
				Properties struct {
					Name   string
					Tags   []map[string]string
					Stages []struct {
						Name    string
						Actions []struct{ Configuration map[string]string }
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(out["TemplateBody"].(string)), &template); err != nil {
			t.Fatal(err)
		}
		web := template.Resources["Web"].Properties
		if web.Name != "web" || web.Stages[0].Actions[0].Configuration["BranchName"] != "main" || web.Stages[2].Name != "Ship" {
			t.Errorf("template %+v", template)
		}
		if tags := template.Resources["TeamGithub"].Properties.Tags; len(tags) != 1 || tags[0]["Key"] != "team" {
			t.Errorf("tags %v", tags)
		}
		d, ok := b.l.Pipelines.Definition(account, "eu-west-1", "web")
		if text, _ := json.Marshal(d.Declaration); !ok || !strings.Contains(string(text), `"BranchName":"main"`) {
			t.Errorf("the update kept what was done past the stack: %s", text)
		}
		d.Declaration["version"] = 7.0
		b.l.Cloud.Within(func() {
			_, err = b.l.Cloud.Serve(&cloud.Request{Service: "codepipeline", Operation: "UpdatePipeline", Region: "eu-west-1", Caller: iam.RootPrincipal(account),
				In: map[string]any{"pipeline": d.Declaration}, Origin: cloud.Origin{Stack: b.l.Stacks.ID(account, "eu-west-1", "web-ci")}})
		})
		if out, _ := b.try("GetTemplate", named("web-ci")); err != nil || strings.Contains(out["TemplateBody"].(string), `"Version":7`) {
			t.Errorf("a pipeline's version is no property: %v %v", out, err)
		}
	})
}
