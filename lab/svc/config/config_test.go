package config_test

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

// stage is a pipeline of three days ago, with a role of its own; the placeholder takes the line of the recorder.
const stage = `account 111111111111 regions=eu-west-1,us-east-1
github acme owner=olga repos=acme/web
role Admin allow=*
role Runner for=codepipeline allow=*
RECORDER
caller ada you role=Admin agent=console
-30d ada creates connection team-github provider=GitHub
-29d ada creates pipeline web connection=team-github repo=acme/web role=Runner
`

// bench is a loaded world and a way to call AWS Config in it.
type bench struct {
	t *testing.T
	l *lab.Lab
	w *world.World
}

func load(t *testing.T, recorder, acts string) bench {
	t.Helper()
	l := lab.New()
	w, err := world.Load(l, "w.world", []byte(strings.Replace(stage, "RECORDER", recorder, 1)+acts), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return bench{t, l, w}
}

func (b bench) try(op string, in map[string]any) (out map[string]any, err error) {
	b.t.Helper()
	b.l.Cloud.Within(func() {
		out, err = b.l.Cloud.Serve(&cloud.Request{Service: "config", Operation: op, Region: "eu-west-1", In: in, Caller: iam.RootPrincipal(account)})
	})
	return out, err
}

func (b bench) call(op string, in map[string]any) map[string]any {
	b.t.Helper()
	out, err := b.try(op, in)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b bench) refused(op string, in map[string]any, code string) {
	b.t.Helper()
	_, err := b.try(op, in)
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code != code {
		b.t.Errorf("%s %v: %v, want %s", op, in, err, code)
	}
}

// items is the whole history of a resource, the newest first, and how many of the pages were empty.
func (b bench) items(kind, id string) (all []map[string]any, empty int) {
	b.t.Helper()
	in := map[string]any{"resourceType": kind, "resourceId": id}
	for range 50 {
		out := b.call("GetResourceConfigHistory", in)
		page := out["configurationItems"].([]any)
		for _, x := range page {
			all = append(all, x.(map[string]any))
		}
		if len(page) == 0 {
			empty++
		}
		if out["nextToken"] == nil {
			return all, empty
		}
		in["nextToken"] = out["nextToken"]
	}
	b.t.Fatal("the history has no end")
	return nil, 0
}

const (
	pipelines = "AWS::CodePipeline::Pipeline"
	roles     = "AWS::IAM::Role"
)

func statuses(all []map[string]any) string {
	var s []string
	for _, i := range all {
		s = append(s, i["configurationItemStatus"].(string))
	}
	return strings.Join(s, " ")
}

// TestHistoryFollowsTheTruth: created, updated and deleted pipelines leave an item each, a delay later.
func TestHistoryFollowsTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder", `-20d ada updates web branch=develop
-19d ada tags web team:web
-10d ada starts web
-2d ada deletes pipeline web
`)
		all, empty := b.items(pipelines, "web")
		if got := statuses(all); got != "ResourceDeleted OK OK ResourceDiscovered" {
			t.Fatalf("statuses %s", got)
		}
		if empty == 0 {
			t.Error("two weeks and more without a change left no empty page")
		}
		if late := all[1]["configurationItemCaptureTime"].(time.Time).Sub(time.Now().AddDate(0, 0, -19)); late < time.Minute || late > 3*time.Minute {
			t.Errorf("captured %v after the change", late)
		}
		if tags := all[1]["tags"].(map[string]string); tags["team"] != "web" || all[0]["configuration"] != nil {
			t.Errorf("tags %v, configuration of what is gone %v", tags, all[0]["configuration"])
		}
		var body struct {
			Pipeline map[string]any
			Metadata map[string]string
		}
		if err := json.Unmarshal([]byte(all[1]["configuration"].(string)), &body); err != nil {
			t.Fatal(err)
		}
		if body.Pipeline["version"] != 2.0 || !strings.HasSuffix(body.Metadata["pipelineArn"], ":web") || body.Pipeline["pipelineType"] != nil {
			t.Errorf("body %+v", body)
		}
		if strings.Contains(all[1]["configuration"].(string), "ConnectionArn") {
			t.Error("an item has the configuration of actions, which the schema lacks")
		}
	})
}

// TestFullItems: a recorder with actions=full shows what actions are configured with.
func TestFullItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder actions=full", "-20d ada updates web branch=develop\n")
		all, _ := b.items(pipelines, "web")
		if got := all[0]["configuration"].(string); !strings.Contains(got, `"BranchName":"develop"`) {
			t.Errorf("configuration %s", got)
		}
	})
}

// TestRolesAreRecordedWithTheirPolicies: under their unique ID, documents percent-encoded.
func TestRolesAreRecordedWithTheirPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder", "-20d ada grants Runner deny=codeconnections:UseConnection name=stop\n-19d ada attaches ReadOnlyAccess to Runner\n")
		var role *iam.Role
		b.l.Cloud.Within(func() { role, _ = b.l.IAM.Role(account, "Runner") })
		found := b.call("ListDiscoveredResources", map[string]any{"resourceType": roles, "resourceName": "Runner"})["resourceIdentifiers"].([]any)
		if len(found) != 1 || found[0].(map[string]any)["resourceId"] != role.ID {
			t.Fatalf("found %v, want the ID %s", found, role.ID)
		}
		all, _ := b.items(roles, role.ID)
		var body struct {
			RolePolicyList, AttachedManagedPolicies []map[string]string
			AssumeRolePolicyDocument                string
		}
		if err := json.Unmarshal([]byte(all[0]["configuration"].(string)), &body); err != nil {
			t.Fatal(err)
		}
		if len(body.RolePolicyList) != 2 || !strings.HasPrefix(body.RolePolicyList[1]["policyDocument"], "%7B") || len(body.AttachedManagedPolicies) != 1 ||
			!strings.HasPrefix(body.AssumeRolePolicyDocument, "%7B") || all[0]["awsRegion"] != "global" {
			t.Errorf("%+v in %v", body, all[0]["awsRegion"])
		}
		if got := statuses(all); got != "OK OK ResourceDiscovered" {
			t.Errorf("statuses %s", got)
		}
	})
}

// TestNothingIsWrittenDownWhileOff: changes between a stop and a start show as one, found at the start.
func TestNothingIsWrittenDownWhileOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder", `-20d aws stops recorder
-19d ada updates web branch=develop
-18d ada updates web branch=main
-17d ada updates web branch=trunk
-16d ada creates pipeline brief connection=team-github repo=acme/web
-15d ada deletes pipeline brief
-10d aws starts recorder
`)
		all, _ := b.items(pipelines, "web")
		if len(all) != 2 || time.Since(all[0]["configurationItemCaptureTime"].(time.Time)) > 10*24*time.Hour {
			t.Errorf("%d items, the last of %v", len(all), all[0]["configurationItemCaptureTime"])
		}
		b.refused("GetResourceConfigHistory", map[string]any{"resourceType": pipelines, "resourceId": "brief"}, "ResourceNotDiscoveredException")
		status := b.call("DescribeConfigurationRecorderStatus", nil)["ConfigurationRecordersStatus"].([]any)[0].(map[string]any)
		if status["recording"] != true || status["lastStopTime"] == nil {
			t.Errorf("status %v", status)
		}
	})
}

// TestDeletionsAreNoticed: by a recorder that was off, and of resources that came back under the same name.
func TestDeletionsAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder", `-20d aws stops recorder
-19d ada deletes pipeline web
-18d aws starts recorder
-10d ada creates pipeline web connection=team-github repo=acme/web
-9d ada calls iam:CreateRole RoleName=Brief AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}}'
-8d ada calls iam:DeleteRole RoleName=Brief
-8d ada calls iam:CreateRole RoleName=Brief AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}}'
`)
		all, _ := b.items(pipelines, "web")
		if got := statuses(all); got != "ResourceDiscovered ResourceDeleted ResourceDiscovered" {
			t.Errorf("statuses %s", got)
		}
		brief := map[string]any{"resourceType": roles, "resourceName": "Brief", "includeDeletedResources": true}
		found := b.call("ListDiscoveredResources", brief)["resourceIdentifiers"].([]any)
		if len(found) != 2 || found[0].(map[string]any)["resourceDeletionTime"] == nil || found[1].(map[string]any)["resourceDeletionTime"] != nil {
			t.Errorf("two roles of one name: %v", found)
		}
	})
}

// TestDailyRecorderMissesWhatIsUndone: changes of a day become one item, and none when nothing is left of them.
func TestDailyRecorderMissesWhatIsUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder daily=yes types="+roles, `-19d23h ada grants Runner deny=codeconnections:UseConnection name=stop
-19d22h ada revokes Runner name=stop
-9d22h ada grants Runner deny=codeconnections:UseConnection name=stop
-9d2h ada grants Runner deny=codeconnections:PassConnection name=halt
`)
		var role *iam.Role
		b.l.Cloud.Within(func() { role, _ = b.l.IAM.Role(account, "Runner") })
		all, _ := b.items(roles, role.ID)
		if len(all) != 2 || all[0]["recordingFrequency"] != "DAILY" {
			t.Errorf("%d items: %v", len(all), statuses(all))
		}
		b.refused("GetResourceConfigHistory", map[string]any{"resourceType": pipelines, "resourceId": "web"}, "ResourceNotDiscoveredException")
	})
}

// TestConnectionsAreNoResources: AWS Config knows neither of their types.
func TestConnectionsAreNoResources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder", "")
		for _, kind := range []string{"AWS::CodeStarConnections::Connection", "AWS::CodeConnections::Connection"} {
			b.refused("ListDiscoveredResources", map[string]any{"resourceType": kind}, cloud.ValidationError)
			b.refused("GetResourceConfigHistory", map[string]any{"resourceType": kind, "resourceId": b.w.ARN("team-github")}, cloud.ValidationError)
		}
	})
}

// TestWithoutRecorder: histories are refused, a query finds nothing and does not say why.
func TestWithoutRecorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "", "")
		b.refused("GetResourceConfigHistory", map[string]any{"resourceType": pipelines, "resourceId": "web"}, "NoAvailableConfigurationRecorderException")
		b.refused("ListDiscoveredResources", map[string]any{"resourceType": pipelines}, "NoAvailableConfigurationRecorderException")
		if out := b.call("SelectResourceConfig", map[string]any{"Expression": "SELECT arn"}); len(out["Results"].([]any)) != 0 {
			t.Errorf("results %v", out)
		}
		if out := b.call("DescribeConfigurationRecorders", nil); len(out["ConfigurationRecorders"].([]any)) != 0 {
			t.Errorf("recorders %v", out)
		}
		b.refused("DescribeConfigurationRecorders", map[string]any{"ConfigurationRecorderNames": []any{"default"}}, "NoSuchConfigurationRecorderException")
	})
}

// TestOrderTimesAndPages: forward and backward give the same items, bounds are kept, tokens and limits checked.
func TestOrderTimesAndPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder", "-20d ada updates web branch=a\n-19d ada updates web branch=b\n-18d ada updates web branch=c\n")
		in := map[string]any{"resourceType": pipelines, "resourceId": "web", "limit": 1.0, "chronologicalOrder": "Forward"}
		var states []string
		for range 20 {
			out := b.call("GetResourceConfigHistory", in)
			for _, x := range out["configurationItems"].([]any) {
				states = append(states, x.(map[string]any)["configurationStateId"].(string))
			}
			if in["nextToken"] = out["nextToken"]; in["nextToken"] == nil {
				break
			}
		}
		back, _ := b.items(pipelines, "web")
		if len(states) != 4 || len(back) != 4 || states[0] != back[3]["configurationStateId"] || states[3] != back[0]["configurationStateId"] {
			t.Errorf("forward %v, backward %d", states, len(back))
		}
		at := func(days int) float64 { return float64(time.Now().AddDate(0, 0, -days).Unix()) }
		out := b.call("GetResourceConfigHistory", map[string]any{"resourceType": pipelines, "resourceId": "web", "earlierTime": at(20), "laterTime": at(18)})
		if n := len(out["configurationItems"].([]any)); n != 2 || out["nextToken"] != nil {
			t.Errorf("%d items between, token %v", n, out["nextToken"])
		}
		for code, more := range map[string]map[string]any{
			"InvalidTimeRangeException": {"earlierTime": at(18), "laterTime": at(20)}, "InvalidLimitException": {"limit": 101.0},
			"InvalidNextTokenException": {"nextToken": "none"}, cloud.ValidationError: {"chronologicalOrder": "Sideways"},
		} {
			more["resourceType"], more["resourceId"] = pipelines, "web"
			b.refused("GetResourceConfigHistory", more, code)
		}
	})
}
