package collect

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/unjam/unjam/internal/fact"
)

// A version of a definition is read whole, without its secrets; one that AWS does not know is absent; what is no version is not asked.
func TestOneVersion(t *testing.T) {
	q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindDefinition, ID: "web", Args: map[string]string{"version": "3"}}
	c, w := script(t, map[string][]string{"codepipeline:GetPipeline": {`{"pipeline":{"name":"web","version":3,"futureMember":{"a":1},"stages":[{"name":"Source","actions":[{"name":"Git","actionTypeId":{"category":"Source","owner":"ThirdParty","provider":"GitHub","version":"1"},"configuration":{"Branch":"main","OAuthToken":"****"}}]}]},"metadata":{"updated":1700000000}}`}})
	d := only[fact.Definition](t, c, q)
	if d.Pipeline != "web" || d.Version != 3 || d.Ref() != fact.DefinitionRef(q.Scope, "web", 3) || d.Updated.Unix() != 1700000000 {
		t.Errorf("%+v", d)
	}
	if d.Values.Text("stages/Source/actions/Git/configuration/Branch") != "main" || d.Values.Text("futureMember/a") != "1" || d.Values["stages/Source/actions/Git/configuration/OAuthToken"].Secret == "" {
		t.Errorf("values %v", d.Values)
	}
	if in := w.asked["codepipeline:GetPipeline"][0]; !strings.Contains(in, `"version":3`) {
		t.Errorf("asked %s", in)
	}
	for _, code := range []string{"PipelineVersionNotFoundException", "PipelineNotFoundException"} {
		c, _ := script(t, map[string][]string{"codepipeline:GetPipeline": {"!" + code + " none"}})
		s := ask(t, c, q)
		if _, gone := s.Absence(fact.DefinitionRef(q.Scope, "web", 3)); !gone {
			t.Errorf("%s: not absent, gaps %+v", code, s.Gaps())
		}
	}
	c, w = script(t, nil)
	q.Args["version"] = "0"
	if g, ok := ask(t, c, q).GapOf(q); !ok || len(w.asked) != 0 {
		t.Errorf("version 0: gap %+v, asked %v", g, w.asked)
	}
}

const found = `{"resourceIdentifiers":[{"resourceType":"AWS::CodePipeline::Pipeline","resourceId":"r-1","resourceName":"web"}]}`

// item is one item of a history, captured at a time in seconds.
func item(at int, configuration string) string {
	text, _ := json.Marshal(configuration)
	return fmt.Sprintf(`{"resourceType":"AWS::CodePipeline::Pipeline","resourceId":"r-1","configurationItemStatus":"OK","configurationStateId":"%d","configurationItemCaptureTime":%d,"configuration":%s}`, at, at, text)
}

// The history of a resource is read by the ID that AWS Config has for it, over empty pages, without secrets; an item that cannot be read
// hides no other. No recorder, and a resource that is not recorded, mean that there is no such source.
func TestConfigHistory(t *testing.T) {
	q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindConfigHistory, ID: "web", Args: map[string]string{"type": "AWS::CodePipeline::Pipeline"}}
	pages := []string{
		`{"configurationItems":[` + item(1, `{"pipeline":{"version":2,"stages":[{"name":"S","actions":[{"name":"A","configuration":{"OAuthToken":"canary"}}]}]}}`) + `],"nextToken":"2"}`,
		`{"configurationItems":[],"nextToken":"3"}`, `{"configurationItems":[` + item(2, `{"pipeline":{"version":1}}`) + `]}`,
	}
	c, w := script(t, map[string][]string{"config:ListDiscoveredResources": {found}, "config:GetResourceConfigHistory": pages})
	s := ask(t, c, q)
	items := all[fact.ConfigItem](s)
	if len(items) != 2 || !s.Answered(q) || len(w.asked["config:GetResourceConfigHistory"]) != 3 {
		t.Fatalf("%d items in %d calls, gaps %+v", len(items), len(w.asked["config:GetResourceConfigHistory"]), s.Gaps())
	}
	for _, i := range items {
		if i.Name != "web" || i.ID != "r-1" || i.Captured.IsZero() || i.Values.Text("pipeline/version") == "" {
			t.Errorf("%+v", i)
		}
		if b, _ := json.Marshal(i); strings.Contains(string(b), "canary") {
			t.Errorf("kept %s", b)
		}
	}
	if in := w.asked["config:GetResourceConfigHistory"][0]; !strings.Contains(in, `"r-1"`) {
		t.Errorf("asked %s", in)
	}
	broken := []string{`{"configurationItems":[` + item(1, `{"pipeline":`) + `,` + item(2, `{"pipeline":{"version":1}}`) + `]}`}
	c, _ = script(t, map[string][]string{"config:ListDiscoveredResources": {found}, "config:GetResourceConfigHistory": broken})
	s = ask(t, c, q)
	if g, ok := s.GapOf(q); !ok || !strings.Contains(g.Why, "could not be read") || len(all[fact.ConfigItem](s)) != 1 {
		t.Errorf("%d items, gap %+v", len(all[fact.ConfigItem](s)), g)
	}
	endless := []string{`{"configurationItems":[],"nextToken":"more"}`}
	c, w = script(t, map[string][]string{"config:ListDiscoveredResources": {found}, "config:GetResourceConfigHistory": endless})
	if ask(t, c, q); len(w.asked["config:GetResourceConfigHistory"]) != configPages {
		t.Errorf("%d calls for a history without end", len(w.asked["config:GetResourceConfigHistory"]))
	}
	for name, replies := range map[string]map[string][]string{
		"is no recorder":  {"config:ListDiscoveredResources": {found}, "config:GetResourceConfigHistory": {"!NoAvailableConfigurationRecorderException none"}},
		"nothing of web":  {"config:ListDiscoveredResources": {found}, "config:GetResourceConfigHistory": {"!ResourceNotDiscoveredException none"}},
		"nothing of web ": {"config:ListDiscoveredResources": {`{"resourceIdentifiers":[]}`}},
	} {
		c, _ := script(t, replies)
		if g, ok := ask(t, c, q).GapOf(q); !ok || g.Class != fact.Missing || !strings.Contains(g.Why, "AWS Config records nothing") || !strings.Contains(g.Why, strings.TrimSpace(name)) || g.Permission != "" {
			t.Errorf("%s: gap %+v", name, g)
		}
	}
	c, _ = script(t, map[string][]string{"config:ListDiscoveredResources": {"!AccessDeniedException no"}})
	if g, ok := ask(t, c, q).GapOf(q); !ok || g.Class != fact.Denied || g.Permission != "config:ListDiscoveredResources" {
		t.Errorf("gap %+v", g)
	}
}

func FuzzConfigItem(f *testing.F) {
	f.Add(`{"pipeline":{"name":"web","version":2,"stages":[{"name":"S","actions":[{"name":"A","configuration":{"BranchName":"main"}}]}]},"metadata":{"pipelineArn":"arn"}}`)
	f.Add(`{"pipeline":"{\"version\":1}"}`)
	f.Add(`"text"`)
	f.Fuzz(func(t *testing.T, configuration string) {
		c := &Collector{}
		i, err := c.configItem(fact.Query{ID: "web"}, fact.Source{}, types.ConfigurationItem{Configuration: &configuration, ConfigurationItemCaptureTime: aws.Time(time.Unix(1, 0))})
		if i.Name != "web" || i.Captured.IsZero() || (err != nil && i.Values != nil) || len(i.Values) > maxPaths+1 {
			t.Errorf("%d values, %v", len(i.Values), err)
		}
	})
}

// xml wraps what CloudFormation answers.
func xml(operation, inner string) string {
	return `<` + operation + `Response><` + operation + `Result>` + inner + `</` + operation + `Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></` + operation + `Response>`
}

// The stack that owns a resource, with the rest of it; a resource of no stack is absent, a refusal is a gap.
func TestStack(t *testing.T) {
	q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindStack, ID: "web"}
	c, w := script(t, map[string][]string{"cloudformation:DescribeStackResources": {xml("DescribeStackResources", `<StackResources>
		<member><StackName>ci</StackName><StackId>arn:s</StackId><LogicalResourceId>Web</LogicalResourceId><PhysicalResourceId>web</PhysicalResourceId><ResourceType>AWS::CodePipeline::Pipeline</ResourceType><ResourceStatus>UPDATE_COMPLETE</ResourceStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp>
		<DriftInformation><StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus><LastCheckTimestamp>2026-02-01T00:00:00Z</LastCheckTimestamp></DriftInformation></member>
		<member><StackName>ci</StackName><LogicalResourceId>Role</LogicalResourceId><PhysicalResourceId>Web</PhysicalResourceId><ResourceType>AWS::IAM::Role</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp></member></StackResources>`)}})
	s := ask(t, c, q)
	got := all[fact.StackResource](s)
	if len(got) != 2 || got[1].Stack != "ci" || got[1].Physical != "web" || got[1].Drift != "MODIFIED" || got[1].Checked.IsZero() || !got[0].Checked.IsZero() {
		t.Errorf("%+v, gaps %+v", got, s.Gaps())
	}
	if in := w.asked["cloudformation:DescribeStackResources"][0]; !strings.Contains(in, "PhysicalResourceId=web") {
		t.Errorf("asked %s", in)
	}
	c, _ = script(t, map[string][]string{"cloudformation:DescribeStackResources": {"!ValidationError Stack for web does not exist"}})
	if _, gone := ask(t, c, q).Absence(fact.Ref{Scope: q.Scope, Kind: fact.KindStack, ID: "web"}); !gone {
		t.Error("a resource of no stack is not absent")
	}
	for _, text := range []string{"!ValidationError something else", "!AccessDenied User: x is not authorized to perform: cloudformation:DescribeStackResources"} {
		c, _ = script(t, map[string][]string{"cloudformation:DescribeStackResources": {text}})
		if _, ok := ask(t, c, q).GapOf(q); !ok {
			t.Errorf("%s: no gap", text)
		}
	}
}

// The last result of drift detection, without secrets; a new detection only when it is asked for, and never for longer than
// a minute; when it comes to nothing the last result still counts.
func TestDriftIsRead(t *testing.T) {
	drifts := xml("DescribeStackResourceDrifts", `<StackResourceDrifts><member><StackId>arn:s</StackId><LogicalResourceId>Web</LogicalResourceId><PhysicalResourceId>web</PhysicalResourceId><ResourceType>AWS::CodePipeline::Pipeline</ResourceType>
		<StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus><Timestamp>2026-02-01T00:00:00Z</Timestamp><PropertyDifferences>
		<member><PropertyPath>/Stages/0/Actions/0/Configuration/BranchName</PropertyPath><ExpectedValue>main</ExpectedValue><ActualValue>mian</ActualValue><DifferenceType>NOT_EQUAL</DifferenceType></member>
		<member><PropertyPath>/Stages/0/Actions/0/Configuration/OAuthToken</PropertyPath><ExpectedValue>canary-1</ExpectedValue><ActualValue>canary-2</ActualValue><DifferenceType>NOT_EQUAL</DifferenceType></member></PropertyDifferences></member></StackResourceDrifts>`)
	status := func(s, why string) string {
		return xml("DescribeStackDriftDetectionStatus", `<StackId>arn:s</StackId><StackDriftDetectionId>d</StackDriftDetectionId><DetectionStatus>`+s+`</DetectionStatus><DetectionStatusReason>`+why+`</DetectionStatusReason><Timestamp>2026-02-01T00:00:00Z</Timestamp>`)
	}
	detect := xml("DetectStackDrift", `<StackDriftDetectionId>d</StackDriftDetectionId>`)
	for name, c := range map[string]struct {
		detect   bool
		statuses []string
		gap      string
		polls    int
	}{
		"the last one":     {false, nil, "", 0},
		"a new one":        {true, []string{status("DETECTION_IN_PROGRESS", ""), status("DETECTION_COMPLETE", "")}, "", 2},
		"one that fails":   {true, []string{status("DETECTION_FAILED", "no permission to read")}, "no permission to read", 1},
		"one without end":  {true, []string{status("DETECTION_IN_PROGRESS", "")}, "has not ended after a minute", 30},
		"one that is lost": {true, []string{"!ValidationError no such detection"}, "no such detection", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				col, w := script(t, map[string][]string{"cloudformation:DescribeStackResourceDrifts": {drifts}, "cloudformation:DetectStackDrift": {detect}, "cloudformation:DescribeStackDriftDetectionStatus": c.statuses})
				q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindDrift, ID: "ci"}
				if c.detect {
					q.Args = map[string]string{"detect": "yes"}
				}
				s := ask(t, col, q)
				g, missed := s.GapOf(q)
				if missed != (c.gap != "") || !strings.Contains(g.Why, c.gap) || len(w.asked["cloudformation:DescribeStackDriftDetectionStatus"]) != c.polls {
					t.Errorf("gap %+v after %d polls", g, len(w.asked["cloudformation:DescribeStackDriftDetectionStatus"]))
				}
				if (len(w.asked["cloudformation:DetectStackDrift"]) == 1) != c.detect {
					t.Errorf("%d detections", len(w.asked["cloudformation:DetectStackDrift"]))
				}
				d := all[fact.Drift](s)
				if len(d) != 1 || d[0].Stack != "ci" || d[0].Status != "MODIFIED" || d[0].Checked.IsZero() || len(d[0].Differences) != 2 || d[0].Differences[0].Actual.Text != "mian" {
					t.Fatalf("%+v", d)
				}
				if b, _ := json.Marshal(d); strings.Contains(string(b), "canary") {
					t.Errorf("kept %s", b)
				}
			})
		})
	}
}
