package cloudformation_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// drifts are the results of the last detection, by logical ID.
func (b bench) drifts() map[string]map[string]any {
	b.t.Helper()
	all := map[string]map[string]any{}
	for _, d := range b.call("DescribeStackResourceDrifts", "StackResourceDrifts", named("web-ci")) {
		all[d["LogicalResourceId"].(string)] = d
	}
	return all
}

func differences(d map[string]any) string {
	var all []string
	for _, x := range d["PropertyDifferences"].([]any) {
		m := x.(map[string]any)
		all = append(all, m["PropertyPath"].(string)+" "+m["ExpectedValue"].(string)+" "+m["ActualValue"].(string)+" "+m["DifferenceType"].(string))
	}
	return strings.Join(all, ", ")
}

// TestDriftIsKnownOnlyAfterADetection, and stays as it was found until the next.
func TestDriftIsKnownOnlyAfterADetection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "-20d ada updates web branch=develop\n")
		if got := b.drifts(); len(got) != 0 {
			t.Errorf("before any detection: %v", got)
		}
		stack := b.call("DescribeStacks", "Stacks", named("web-ci"))[0]
		if stack["DriftInformation"].(map[string]any)["StackDriftStatus"] != "NOT_CHECKED" {
			t.Errorf("before any detection: %v", stack)
		}
		out, err := b.try("DetectStackDrift", named("web-ci"))
		if err != nil {
			t.Fatal(err)
		}
		id := map[string]any{"StackDriftDetectionId": out["StackDriftDetectionId"]}
		if out, err := b.try("DescribeStackDriftDetectionStatus", id); err != nil || out["DetectionStatus"] != "DETECTION_IN_PROGRESS" {
			t.Errorf("at once: %v %v", out, err)
		}
		b.refused("DetectStackDrift", named("web-ci"), "already in progress")
		time.Sleep(time.Minute)
		if out, err := b.try("DescribeStackDriftDetectionStatus", id); err != nil || out["DetectionStatus"] != "DETECTION_COMPLETE" || out["StackDriftStatus"] != "DRIFTED" || out["DriftedStackResourceCount"] != 1 {
			t.Errorf("a minute later: %v %v", out, err)
		}
		if got := b.drifts(); got["Web"]["StackResourceDriftStatus"] != "MODIFIED" || got["TeamGithub"]["StackResourceDriftStatus"] != "IN_SYNC" ||
			differences(got["Web"]) != "/Stages/0/Actions/0/Configuration/BranchName main develop NOT_EQUAL" {
			t.Errorf("drifts %v", got)
		}
		if err := b.w.Act("ada updates web branch=main"); err != nil {
			t.Fatal(err)
		}
		if got := b.drifts(); got["Web"]["StackResourceDriftStatus"] != "MODIFIED" {
			t.Error("a result changed without a detection")
		}
		if err := b.w.Act("ada detects drift web-ci"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := b.drifts(); got["Web"]["StackResourceDriftStatus"] != "IN_SYNC" {
			t.Errorf("mended: %v", got["Web"])
		}
	})
}

// TestDriftOfConnections: deleted and retagged ones show, one that nobody completed does not.
func TestDriftOfConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "-20d ada detects drift web-ci\n")
		if got := b.drifts()["TeamGithub"]; got["StackResourceDriftStatus"] != "IN_SYNC" || strings.Contains(got["ExpectedProperties"].(string)+got["ActualProperties"].(string), "PENDING") {
			t.Errorf("pending: %v", got)
		}
		b = load(t, "-20d ada tags team-github team:shop\n-19d ada detects drift web-ci\n")
		if got := differences(b.drifts()["TeamGithub"]); got != "/Tags/0/Value web shop NOT_EQUAL" {
			t.Errorf("retagged: %s", got)
		}
		b = load(t, "-20d ada deletes team-github\n-19d ada detects drift web-ci\n")
		got := b.drifts()["TeamGithub"]
		if got["StackResourceDriftStatus"] != "DELETED" || got["ActualProperties"] != nil {
			t.Errorf("deleted: %v", got)
		}
		all := b.call("DescribeStackResources", "StackResources", named("web-ci"))
		if len(all) != 2 || all[0]["ResourceStatus"] != "CREATE_COMPLETE" {
			t.Errorf("the stack noticed by itself: %v", all)
		}
	})
}

// TestDriftOfPipelines: added, removed and changed parts each have their path; what the template does not state is not compared.
func TestDriftOfPipelines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "-20d ada updates web format=CODEBUILD_CLONE_REF stages=Build\n-19d ada tags web cost:42\n-18d ada detects drift web-ci\n")
		got := differences(b.drifts()["Web"])
		if !strings.Contains(got, "/Stages/0/Actions/0/Configuration/OutputArtifactFormat null CODEBUILD_CLONE_REF ADD") || !strings.Contains(got, `/Stages/2 {"Actions"`) ||
			!strings.HasSuffix(got, "null REMOVE") || strings.Contains(got, "cost") {
			t.Errorf("differences %s", got)
		}
	})
}

// TestDriftOfRoles: a role's policies, trust and boundary are compared as structures.
func TestDriftOfRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const make = `-20d cfn calls iam:CreateRole RoleName=Runner AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
-20d cfn calls iam:PutRolePolicy RoleName=Runner PolicyName=use PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codeconnections:UseConnection","Resource":"*"}]}'
-20d cfn calls iam:AttachRolePolicy RoleName=Runner PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess
`
		b := load(t, make+"-18d ada detects drift web-ci\n")
		if got := b.drifts()["Runner"]; got["StackResourceDriftStatus"] != "IN_SYNC" {
			t.Errorf("untouched: %v", got)
		}
		b = load(t, make+`-19d ada calls iam:PutRolePolicy RoleName=Runner PolicyName=use PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"codeconnections:UseConnection","Resource":"*"}]}'
-19d ada calls iam:DetachRolePolicy RoleName=Runner PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess
-18d ada detects drift web-ci
`)
		if got := differences(b.drifts()["Runner"]); got != "/ManagedPolicyArns/0 arn:aws:iam::aws:policy/ReadOnlyAccess null REMOVE, /Policies/0/PolicyDocument/Statement/0/Effect Allow Deny NOT_EQUAL" {
			t.Errorf("touched: %s", got)
		}
	})
}

// TestDetectionReadsAsItsCaller: what the caller may not read fails the detection, and keeps its last result.
func TestDetectionReadsAsItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "-20d ada updates web branch=develop\n-1h nora detects drift web-ci\n")
		got := b.drifts()
		if len(got) != 1 || got["TeamGithub"] == nil {
			t.Errorf("drifts %v", got)
		}
		var denied []cloud.Event
		b.l.Cloud.Within(func() {
			for _, e := range b.l.Cloud.Events(account, "eu-west-1") {
				if e.Name == "GetPipeline" && e.ErrorCode != "" && e.Origin.InvokedBy == "cloudformation.amazonaws.com" && strings.HasSuffix(e.Caller.ARN, "/nora") {
					denied = append(denied, e)
				}
			}
		})
		if len(denied) != 1 {
			t.Errorf("events of the refused read: %v", denied)
		}
		out, err := b.try("DetectStackDrift", map[string]any{"StackName": "web-ci", "LogicalResourceIds": []any{"TeamGithub"}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := b.drifts(); len(got) != 1 {
			t.Errorf("a detection of one resource looked at %v", got)
		}
		if out, err := b.try("DescribeStackDriftDetectionStatus", map[string]any{"StackDriftDetectionId": out["StackDriftDetectionId"]}); err != nil || out["DetectionStatus"] != "DETECTION_COMPLETE" {
			t.Errorf("%v %v", out, err)
		}
		b.refused("DetectStackDrift", map[string]any{"StackName": "web-ci", "LogicalResourceIds": []any{"None"}}, "None does not exist")
		b.refused("DescribeStackDriftDetectionStatus", map[string]any{"StackDriftDetectionId": "none"}, "does not exist")
	})
}

// TestDriftUnderShortPages: a detection reads every page of a list.
func TestDriftUnderShortPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "set page=1\n-20d cfn tags web team:web,cost:42,env:prod\n-19d ada detects drift web-ci\n")
		out, err := b.try("DescribeStackResourceDrifts", map[string]any{"StackName": "web-ci", "StackResourceDriftStatusFilters": []any{"IN_SYNC"}})
		if err != nil || len(out["StackResourceDrifts"].([]any)) != 1 || out["NextToken"] == nil {
			t.Fatalf("first page %v %v", out, err)
		}
		out, err = b.try("DescribeStackResourceDrifts", map[string]any{"StackName": "web-ci", "StackResourceDriftStatusFilters": []any{"IN_SYNC"}, "NextToken": out["NextToken"]})
		if err != nil || len(out["StackResourceDrifts"].([]any)) != 1 || out["NextToken"] != nil {
			t.Errorf("second page %v %v", out, err)
		}
	})
}
