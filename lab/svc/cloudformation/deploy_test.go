package cloudformation_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
	"github.com/unjam/unjam/lab/world"
)

// deployStage is a stack that people and a pipeline deploy, with a stack nested in it.
const deployStage = `account 111111111111 regions=eu-west-1
github acme owner=olga members=ada repos=acme/web
stack app template=template.yaml resources=Topic:AWS::SNS::Topic,Assets:AWS::S3::Bucket,Jobs:AWS::SQS::Queue,Data:AWS::CloudFormation::Stack,Data/Orders:AWS::DynamoDB::Table,Data/Items:AWS::DynamoDB::Table
role Admin allow=*
role Stacks for=cloudformation allow=*
caller ada you role=Admin agent=cli
`

func deploy(t *testing.T, acts string) bench {
	t.Helper()
	l := lab.New()
	w, err := world.Load(l, "w.world", []byte(deployStage+acts), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return bench{t, l, w}
}

func (b bench) state(stack string) (status, reason string) {
	b.t.Helper()
	m := b.call("DescribeStacks", "Stacks", named(stack))[0]
	reason, _ = m["StackStatusReason"].(string)
	return m["StackStatus"].(string), reason
}

// action is the status of the only action of a stage of the pipeline web, and the text of its failure.
func (b bench) action(stage string) (status, text string) {
	b.t.Helper()
	var out map[string]any
	var err error
	b.l.Cloud.Within(func() {
		out, err = b.l.Cloud.Serve(&cloud.Request{Service: "codepipeline", Operation: "GetPipelineState", Region: "eu-west-1", In: map[string]any{"name": "web"}, Caller: iam.RootPrincipal(account)})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range out["stageStates"].([]any) {
		m := s.(map[string]any)
		if m["stageName"] != stage {
			continue
		}
		run, _ := m["actionStates"].([]any)[0].(map[string]any)["latestExecution"].(map[string]any)
		status, _ = run["status"].(string)
		details, _ := run["errorDetails"].(map[string]any)
		text, _ = details["message"].(string)
	}
	return status, text
}

// failures are the failures among a stack's events, oldest first, "LOGICAL: reason".
func (b bench) failures(stack string) []string {
	b.t.Helper()
	var all []string
	for _, e := range b.call("DescribeStackEvents", "StackEvents", named(stack)) {
		if s := e["ResourceStatus"].(string); strings.HasSuffix(s, "_FAILED") && e["PhysicalResourceId"] != e["StackId"] {
			all = append(all, e["LogicalResourceId"].(string)+": "+e["ResourceStatusReason"].(string))
		}
	}
	slices.Reverse(all)
	return all
}

// TestDeployments: what becomes of a stack follows from what is in the way of its resources; the first failure comes before what is
// cancelled for it.
func TestDeployments(t *testing.T) {
	for name, c := range map[string]struct{ acts, status, reason, first string }{
		"nothing hinders":   {"-2d ada deploys stack app role=Stacks", "CREATE_COMPLETE", "", ""},
		"a name is taken":   {"-3d olga breaks resource app/Assets name-taken\n-2d ada deploys stack app role=Stacks", "ROLLBACK_COMPLETE", "", "Assets: Resource handler returned message: \"app-assets-"},
		"in its own words":  {"-3d olga breaks resource app/Assets quota \"TooManyBuckets\"\n-2d ada deploys stack app", "ROLLBACK_COMPLETE", "", `Assets: Resource handler returned message: "TooManyBuckets"`},
		"taken away":        {"-3d olga breaks resource app/Assets name-taken\n-3d olga heals resource app/Assets\n-2d ada deploys stack app", "CREATE_COMPLETE", "", ""},
		"an update fails":   {"-3d ada deploys stack app\n-2d olga breaks resource app/Jobs invalid\n-1d ada deploys stack app", "UPDATE_ROLLBACK_COMPLETE", "", "Jobs: Resource handler"},
		"a rollback fails":  {"-3d ada deploys stack app\n-2d olga breaks resource app/Jobs gone\n-1d ada deploys stack app", "UPDATE_ROLLBACK_FAILED", "failed to update: [Jobs]", "Jobs: Resource handler"},
		"a name is ours":    {"-3d ada deploys stack app\n-2d olga breaks resource app/Assets name-taken\n-1d ada deploys stack app", "UPDATE_COMPLETE", "", ""},
		"the role may not":  {"-3d ada grants Stacks deny=sns:CreateTopic name=no\n-2d ada deploys stack app role=Stacks", "ROLLBACK_COMPLETE", "", "Topic: Resource handler returned message: \"User: arn:aws:sts::111111111111:assumed-role/Stacks/AWSCloudFormation is not authorized to perform: sns:CreateTopic"},
		"deeper down":       {"-3d olga breaks resource app/Data/Orders invalid\n-2d ada deploys stack app", "ROLLBACK_COMPLETE", "", "Data: Embedded stack arn:aws:cloudformation:eu-west-1:111111111111:stack/app-Data-"},
		"deeper and stuck":  {"-3d ada deploys stack app\n-2d olga breaks resource app/Data/Items gone\n-1d ada deploys stack app", "UPDATE_ROLLBACK_FAILED", "[Data]", "Data: Embedded stack"},
		"deeper, continued": {"-3d ada deploys stack app\n-2d olga breaks resource app/Data/Items gone\n-1d ada deploys stack app\n-20h olga heals resource app/Data/Items\n-19h ada continues rollback app", "UPDATE_ROLLBACK_COMPLETE", "", "Data: Embedded stack"},
		"still stuck":       {"-3d ada deploys stack app\n-2d olga breaks resource app/Jobs gone\n-1d ada deploys stack app\n-20h ada continues rollback app", "UPDATE_ROLLBACK_FAILED", "[Jobs]", "Jobs: "},
		"skipped":           {"-3d ada deploys stack app\n-2d olga breaks resource app/Jobs gone\n-1d ada deploys stack app\n-20h ada continues rollback app skip=Jobs", "UPDATE_ROLLBACK_COMPLETE", "", "Jobs: "},
		"it holds data":     {"-3d ada deploys stack app\n-2d olga breaks resource app/Assets not-empty\n-1d ada deletes stack app", "DELETE_FAILED", "failed to delete: [Assets]", "Assets: "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := deploy(t, c.acts+"\n")
				status, reason := b.state("app")
				if status != c.status || !strings.Contains(reason, c.reason) {
					t.Errorf("%s: %s, want %s: %s", status, reason, c.status, c.reason)
				}
				first := append(b.failures("app"), "")[0]
				if !strings.HasPrefix(first, c.first) || (c.first == "") != (first == "") {
					t.Errorf("first failure %q of %q, want %q", first, b.failures("app"), c.first)
				}
			})
		})
	}
}

// TestCancelled: what has not ended when a resource fails is cancelled, and the stack's own reason names it beside the one that failed.
func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := deploy(t, "-3d olga breaks resource app/Topic invalid\n-2d ada deploys stack app\n")
		got := b.failures("app")
		if len(got) != 3 || !strings.HasPrefix(got[0], "Topic: Resource handler") || got[1] != "Assets: Resource creation cancelled" || got[2] != "Jobs: Resource creation cancelled" {
			t.Errorf("failures %q", got)
		}
		for _, e := range b.call("DescribeStackEvents", "StackEvents", named("app")) {
			if e["ResourceStatus"] == "ROLLBACK_IN_PROGRESS" && !strings.HasPrefix(e["ResourceStatusReason"].(string), "The following resource(s) failed to create: [Assets, Jobs, Topic]. ") {
				t.Errorf("rollback for %v", e["ResourceStatusReason"])
			}
		}
		if all := b.call("DescribeStackResources", "StackResources", named("app")); len(all) != 0 {
			t.Errorf("left over %v", all)
		}
	})
}

// TestUnderWay: a deployment takes time; meanwhile nothing else can begin, and nothing of its end is shown.
func TestUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := deploy(t, "-3d ada deploys stack app\n-1h olga breaks resource app/Assets slow\n-30m ada deploys stack app\n-20m ada deploys stack app expect=Validation\n-10m ada deletes stack app expect=Validation\n")
		if s, _ := b.state("app"); s != "UPDATE_IN_PROGRESS" {
			t.Fatal(s)
		}
		if n := len(b.failures("app")); n != 0 {
			t.Errorf("%d failures before the end", n)
		}
		for _, r := range b.call("DescribeStackResources", "StackResources", named("app")) {
			slow := r["LogicalResourceId"] == "Assets" || r["LogicalResourceId"] == "Data"
			if (r["ResourceStatus"] == "UPDATE_IN_PROGRESS") != slow || r["Timestamp"].(time.Time).After(time.Now()) {
				t.Errorf("resource %v", r)
			}
		}
		time.Sleep(4 * time.Hour)
		if s, _ := b.state("app"); s != "UPDATE_COMPLETE" {
			t.Error(s)
		}
	})
}

// TestReadsLag: what a call has begun is shown the lag late, and the service itself knows it at once.
func TestReadsLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := deploy(t, "set lag=20s\n-3d ada deploys stack app\n")
		if s, _ := b.state("app"); s != "CREATE_COMPLETE" {
			t.Fatal(s)
		}
		in := map[string]any{"StackName": "app", "TemplateBody": "{}"}
		if _, err := b.try("UpdateStack", in); err != nil {
			t.Fatal(err)
		}
		if s, _ := b.state("app"); s != "CREATE_COMPLETE" {
			t.Errorf("at once it is %s", s)
		}
		b.refused("UpdateStack", in, "is in UPDATE_IN_PROGRESS state and can not be updated.")
		time.Sleep(21 * time.Second)
		if s, _ := b.state("app"); s != "UPDATE_IN_PROGRESS" {
			t.Errorf("after the lag it is %s", s)
		}
		time.Sleep(5 * time.Minute)
		if s, _ := b.state("app"); s != "UPDATE_COMPLETE" {
			t.Errorf("at last it is %s", s)
		}
	})
}

// TestNested: the events of a nested stack tell what its parent's do not, also after it was deleted with its parent's rollback.
func TestNested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := deploy(t, "-3d olga breaks resource app/Data/Orders invalid\n-2d ada deploys stack app\n")
		said := b.failures("app")[0]
		id := said[strings.Index(said, "arn:"):]
		id, _, _ = strings.Cut(id, " ")
		if got := b.failures(id); len(got) != 2 || !strings.HasPrefix(got[0], "Orders: Resource handler") || got[1] != "Items: Resource creation cancelled" {
			t.Errorf("failures of %s: %q", id, got)
		}
		if s, _ := b.state(id); s != "DELETE_COMPLETE" {
			t.Error(s)
		}
		m := b.call("DescribeStacks", "Stacks", named(id))[0]
		if root := b.call("DescribeStacks", "Stacks", named("app"))[0]["StackId"]; m["ParentId"] != root || m["RootId"] != root {
			t.Errorf("parent %v, root %v", m["ParentId"], m["RootId"])
		}
	})
}

// TestByPipeline: what a pipeline shows of its CloudFormation action in each mode.
func TestByPipeline(t *testing.T) {
	const pipe = "-30d ada creates connection git provider=GitHub\n-30d ada completes handshake git as=olga org=acme\n-29d ada creates pipeline web connection=git repo=acme/web stack=app stack-role=Stacks "
	for name, c := range map[string]struct{ acts, stage, status, text, stack string }{
		"it is created":              {pipe + "stages=Deploy:CloudFormation", "Deploy", "Succeeded", "", "CREATE_COMPLETE"},
		"nothing changed":            {pipe + "stages=Deploy:CloudFormation\n-2d ada starts web", "Deploy", "Succeeded", "", "CREATE_COMPLETE"},
		"a push updates it":          {pipe + "stages=Deploy:CloudFormation\n-2d olga pushes acme/web main", "Deploy", "Succeeded", "", "UPDATE_COMPLETE"},
		"a failed creation":          {"-31d olga breaks resource app/Assets invalid\n" + pipe + "stages=Deploy:CloudFormation", "Deploy", "Failed", "The following resource(s) failed to create: [Assets, Jobs].", "ROLLBACK_COMPLETE"},
		"what it leaves":             {"-31d olga breaks resource app/Assets invalid\n" + pipe + "stages=Deploy:CloudFormation\n-2d ada starts web", "Deploy", "Failed", "is in ROLLBACK_COMPLETE state and can not be updated. (Service: AmazonCloudFormation; Status Code: 400; Error Code: ValidationError;", "ROLLBACK_COMPLETE"},
		"is replaced":                {"-31d olga breaks resource app/Assets invalid\n" + pipe + "stages=Deploy:CloudFormation stack-mode=REPLACE_ON_FAILURE\n-3d olga heals resource app/Assets\n-2d ada starts web", "Deploy", "Succeeded", "", "CREATE_COMPLETE"},
		"it is deleted":              {pipe + "stages=Deploy:CloudFormation\n-3d ada updates web stack-mode=DELETE_ONLY\n-2d ada starts web", "Deploy", "Succeeded", "", ""},
		"by a change set":            {pipe + "stages=Prepare:ChangeSet,Deploy:ExecuteChangeSet", "Deploy", "Succeeded", "", "CREATE_COMPLETE"},
		"an empty one":               {pipe + "stages=Prepare:ChangeSet,Deploy:ExecuteChangeSet\n-2d ada starts web", "Prepare", "Failed", "The submitted information didn't contain changes.", "CREATE_COMPLETE"},
		"none":                       {pipe + "stages=Deploy:ExecuteChangeSet", "Deploy", "Failed", "ChangeSet [web-changes] does not exist (Service: AmazonCloudFormation; Status Code: 404; Error Code: ChangeSetNotFound;", ""},
		"the file is not there":      {pipe + "stages=Deploy:CloudFormation stack-template=other.yaml", "Deploy", "Failed", "File [other.yaml] does not exist in artifact [SourceOutput]", ""},
		"a role nobody can assume":   {pipe + "stages=Deploy:CloudFormation stack-role=Admin", "Deploy", "Failed", "", ""},
		"it goes on for three hours": {pipe + "stages=Deploy:CloudFormation\n-2h olga breaks resource app/Topic slow\n-1h olga pushes acme/web main", "Deploy", "InProgress", "", "UPDATE_IN_PROGRESS"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acts := c.acts
				if name == "a role nobody can assume" {
					acts = strings.Replace(acts, "stack-role=Stacks ", "", 1)
					c.text = "Role arn:aws:iam::111111111111:role/Admin is invalid or cannot be assumed"
				}
				b := deploy(t, acts+"\n")
				status, text := b.action(c.stage)
				if status != c.status || !strings.Contains(text, c.text) {
					t.Errorf("%s: %q, want %s: %q", status, text, c.status, c.text)
				}
				if c.stack == "" {
					b.refused("DescribeStacks", named("app"), "does not exist")
				} else if got, _ := b.state("app"); got != c.stack {
					t.Errorf("the stack is %s, want %s", got, c.stack)
				}
			})
		})
	}
}
