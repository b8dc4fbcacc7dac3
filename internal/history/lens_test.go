package history_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/history"
)

var (
	at    = fact.Scope{Account: "111111111111", Region: "eu-west-1"}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	role  = "arn:aws:iam::111111111111:role/ci/Web"
	git   = "arn:aws:codeconnections:eu-west-1:111111111111:connection/1"
	webAt = "arn:aws:codepipeline:eu-west-1:111111111111:web"
)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

func seen(kind fact.Kind, id, operation string) fact.Seen {
	return fact.Seen{About: fact.Ref{Scope: at, Kind: kind, ID: id}, From: fact.Source{Operation: operation, At: noon}}
}

// web is a pipeline of a version whose source action failed an hour ago and, when good is a version, worked with that ten hours ago.
func web(version, good int, more ...fact.Fact) *fact.Snapshot {
	action := fact.Action{Name: "Git", Category: "Source", Owner: "AWS", Provider: fact.ConnectionSource, Connection: git, Branch: "mian"}
	b := fact.NewBuilder(fact.Question{Account: at.Account, Regions: []string{at.Region}})
	b.Add(fact.Pipeline{Seen: seen(fact.KindPipeline, "web", "GetPipeline"), ARN: webAt, Name: "web", Version: version, RoleARN: role,
		Stages: []fact.Stage{{Name: "Source", Actions: []fact.Action{action}}}})
	b.Add(fact.PipelineState{Seen: fact.Seen{About: fact.StateRef(at, "web")}, Name: "web", Version: version, Stages: []fact.StageState{
		{Name: "Source", Actions: []fact.ActionState{{Name: "Git", ID: "bad", Status: "Failed", Changed: ago(time.Hour)}}}}})
	run := fact.ActionRun{Pipeline: "web", Stage: "Source", Action: "Git"}
	run.Seen, run.ID, run.Execution, run.Version, run.Status, run.Updated = seen(fact.KindAction, "bad", "ListActionExecutions"), "bad", "e2", version, "Failed", ago(time.Hour)
	b.Add(run)
	if good > 0 {
		run.Seen, run.ID, run.Execution, run.Version, run.Status, run.Updated = seen(fact.KindAction, "good", "ListActionExecutions"), "good", "e1", good, "Succeeded", ago(10*time.Hour)
		b.Add(run)
	}
	b.Add(more...)
	return b.Seal(noon)
}

func look(s *fact.Snapshot) (fault.Finding, []fact.Query) {
	f := fault.Finding{Code: "connection-unusable", Severity: fault.High, Subject: fault.Subject{Kind: "pipeline", ARN: webAt, Name: "web", Account: at.Account, Region: at.Region}}
	asks := history.Lens()(s, &f)
	return f, asks
}

func definition(version int, branch string) fact.Definition {
	return fact.Definition{Seen: fact.Seen{About: fact.DefinitionRef(at, "web", version), From: fact.Source{Operation: "GetPipeline", At: noon}}, Pipeline: "web", Version: version,
		Values: fact.Values{"name": {Text: "web"}, "stages/Source/actions/Git/configuration/BranchName": {Text: branch}}}
}

const branchField = "stages/Source/actions/Git/configuration/BranchName"

func asked(all []fact.Query, kind fact.Kind) (ids []string) {
	for _, q := range all {
		if q.Kind == kind {
			ids = append(ids, strings.TrimSuffix(q.ID+"@"+q.Args["version"]+q.Args["detect"], "@"))
		}
	}
	return ids
}

// What is asked: at most twelve queries, the versions only when it is known which one worked, the one of now beside them.
func TestAsks(t *testing.T) {
	for name, c := range map[string]struct {
		version, good int
		more          []fact.Fact
		events        string
		versions      []string
	}{
		"never worked":         {7, 0, nil, "UpdatePipeline", nil},
		"never changed":        {1, 1, nil, "CreatePipeline", nil},
		"one step":             {7, 6, nil, "UpdatePipeline", []string{"web@7", "web@6"}},
		"many steps":           {20, 3, nil, "UpdatePipeline", []string{"web@20", "web@19", "web@18", "web@3"}},
		"declared, no success": {7, 0, []fact.Fact{fact.Declared{Seen: fact.Seen{About: fact.Ref{Kind: fact.KindDeclared, ID: "f#a"}}, Type: "aws_codepipeline", ARN: webAt, Address: "a"}}, "UpdatePipeline", []string{"web@7"}},
	} {
		_, asks := look(web(c.version, c.good, c.more...))
		if got := asked(asks, fact.KindEvent); len(got) != 1 || got[0] != c.events {
			t.Errorf("%s: looks up %v", name, got)
		}
		if got := asked(asks, fact.KindDefinition); !slices.Equal(got, c.versions) {
			t.Errorf("%s: asks for %v, want %v", name, got, c.versions)
		}
		if len(asks) > 12 {
			t.Errorf("%s: %d queries", name, len(asks))
		}
	}
	// It broke with version 5; 7 is somebody's later try.
	later := web(7, 4)
	b := fact.NewBuilder(later.Question())
	for f := range fact.All[fact.Pipeline](later) {
		b.Add(f)
	}
	for f := range fact.All[fact.PipelineState](later) {
		b.Add(f)
	}
	for r := range fact.All[fact.ActionRun](later) {
		if r.Status == "Failed" {
			r.Version = 5
		}
		b.Add(r)
	}
	b.Add(definition(4, "main"), definition(5, "mian"), definition(7, "mian2"))
	f, asks := look(b.Seal(noon))
	if got := asked(asks, fact.KindDefinition); !slices.Equal(got, []string{"web@7", "web@5", "web@4"}) {
		t.Errorf("asks for %v", got)
	}
	if len(f.Changes) != 2 || f.Changes[0].After != "mian" || f.Changes[1].After != "mian2" {
		t.Errorf("the change that broke it does not come before later ones: %+v", f.Changes)
	}
}

// Where versions and CloudTrail are silent AWS Config tells, as reported; what its items lack is no change.
func TestConfigTells(t *testing.T) {
	item := func(version, branch string, captured time.Time, extra fact.Values) fact.ConfigItem {
		v := fact.Values{"pipeline/version": {Text: version}, "pipeline/" + branchField: {Text: branch}}
		for p, x := range extra {
			v[p] = x
		}
		return fact.ConfigItem{Seen: seen(fact.KindConfigHistory, "item"+version, "GetResourceConfigHistory"), Type: "AWS::CodePipeline::Pipeline", Name: "web", Captured: captured, Values: v}
	}
	f, _ := look(web(2, 1, item("1", "main", ago(100*time.Hour), fact.Values{"pipeline/stages/Source/actions/Git/region": {Text: "eu-west-1"}}), item("2", "mian", ago(2*time.Hour), nil)))
	if len(f.Changes) != 1 {
		t.Fatalf("changes %+v", f.Changes)
	}
	c := f.Changes[0]
	if c.Field != branchField || c.Before != "main" || c.After != "mian" || c.Class != fault.Reported || c.At != fault.Stamp(ago(2*time.Hour)) || c.Source.Operation != "GetResourceConfigHistory" {
		t.Errorf("change %+v", c)
	}
}

func event(name, source string, when time.Time, agent string) fact.Event {
	return fact.Event{Seen: seen(fact.KindEvent, name+when.String(), "LookupEvents"), Name: name, EventSource: source, Time: when, Who: fact.Who{Type: "IAMUser", Name: "ada"}, UserAgent: agent}
}

// A change of a role that a stack owns is marked when it was not made by CloudFormation; so is one that Terraform owns.
func TestChangesPastTheOwner(t *testing.T) {
	put := event("PutRolePolicy", "iam.amazonaws.com", ago(2*time.Hour), "Mozilla/5.0")
	put.Resource, put.Parameters = "Web", fact.Values{"policyName": {Text: "inline"}}
	byStack := event("DeleteRolePolicy", "iam.amazonaws.com", ago(3*time.Hour), "cloudformation.amazonaws.com")
	byStack.Resource = "Web"
	other := event("PutRolePolicy", "iam.amazonaws.com", ago(4*time.Hour), "Mozilla/5.0")
	other.Resource = "Other"
	owned := fact.StackResource{Seen: seen(fact.KindStack, "ci/Role", "DescribeStackResources"), Stack: "ci", Type: "AWS::IAM::Role", Physical: "Web"}
	f, _ := look(web(1, 1, put, byStack, other, owned))
	if len(f.Changes) != 2 || f.Changes[0].Outside != "stack ci" || f.Changes[0].After != "policyName inline" || f.Changes[1].Outside != "" || f.Changes[0].What.ARN != role {
		t.Errorf("changes %+v", f.Changes)
	}
	declared := fact.Declared{Seen: fact.Seen{About: fact.Ref{Kind: fact.KindDeclared, ID: "f#r"}}, Type: "aws_iam_role", Address: "aws_iam_role.web", ARN: role}
	f, _ = look(web(1, 1, put, owned, declared))
	if len(f.Changes) != 1 || f.Changes[0].Outside != "aws_iam_role.web" {
		t.Errorf("changes %+v", f.Changes)
	}
}

// A pipeline that was made a while ago and never worked: its creation is a change. A refused call is none.
func TestCreation(t *testing.T) {
	made := event("CreatePipeline", "codepipeline.amazonaws.com", ago(5*time.Hour), "aws-cli/2")
	made.Pipeline, made.Version = "web", 1
	refused := event("CreatePipeline", "codepipeline.amazonaws.com", ago(6*time.Hour), "aws-cli/2")
	refused.Pipeline, refused.ErrorCode = "web", "AccessDenied"
	f, _ := look(web(1, 0, made, refused))
	if len(f.Changes) != 1 || f.Changes[0].Field != "CreatePipeline" || f.Changes[0].Who != "ada" || f.Changes[0].With != "aws-cli" || f.Changes[0].After != "version 1" {
		t.Errorf("changes %+v", f.Changes)
	}
	if len(f.Timeline) < 3 || !strings.Contains(f.Timeline[0].What, "AccessDenied") {
		t.Errorf("timeline %+v", f.Timeline)
	}
}

// Drift's paths by places become those of the definition; what a Terraform plan found changed counts as reported.
func TestDriftPaths(t *testing.T) {
	d := fact.Drift{Seen: seen(fact.KindDrift, "ci/Web", "DescribeStackResourceDrifts"), Stack: "ci", Type: "AWS::CodePipeline::Pipeline", Physical: "web"}
	for _, p := range []string{"/RoleArn", "/Stages/0/Actions/0/Configuration/BranchName", "/Stages/0/Actions/0/RunOrder", "/Stages/9/Actions/-1/RunOrder", "/Stages", "/"} {
		d.Differences = append(d.Differences, fact.PropertyDrift{Path: p, Expected: fact.Value{Text: "a"}, Actual: fact.Value{Text: "b"}})
	}
	f, _ := look(web(1, 1, d))
	var fields []string
	for _, c := range f.Changes {
		fields = append(fields, c.Field)
	}
	slices.Sort(fields)
	want := []string{"", "roleArn", "stages", "stages/9/actions/-1/runOrder", branchField, "stages/Source/actions/Git/runOrder"}
	slices.Sort(want)
	if !slices.Equal(fields, want) {
		t.Errorf("fields %q, want %q", fields, want)
	}
	declared := fact.Declared{Seen: fact.Seen{About: fact.Ref{Kind: fact.KindDeclared, ID: "f#a"}}, Type: "aws_codepipeline", ARN: webAt, Address: "aws_codepipeline.web",
		Drifted: []fact.Difference{{Path: "stage/Source/action/Git/configuration/BranchName", Before: fact.Value{Text: "main"}, After: fact.Value{Text: "mian"}}}}
	f, _ = look(web(1, 1, declared))
	if len(f.Changes) != 1 || f.Changes[0].Field != branchField || f.Changes[0].Class != fault.Reported || f.Changes[0].Outside != "aws_codepipeline.web" {
		t.Errorf("changes %+v", f.Changes)
	}
}

// The timeline holds at most forty moments, those around the break, oldest first.
func TestTimelineIsBounded(t *testing.T) {
	var more []fact.Fact
	for i := range 200 {
		id := strings.Repeat("x", i+1)
		more = append(more, fact.Execution{Seen: seen(fact.KindExecution, id, "ListPipelineExecutions"), Pipeline: "web", ID: id, Status: "Succeeded", Started: ago(time.Duration(i) * time.Minute), Updated: ago(time.Duration(i)*time.Minute - time.Second)})
	}
	f, _ := look(web(1, 1, more...))
	if len(f.Timeline) != 40 {
		t.Fatalf("%d moments", len(f.Timeline))
	}
	broke := false
	for i, m := range f.Timeline {
		broke = broke || strings.Contains(m.What, "failed in run")
		if i > 0 && m.At < f.Timeline[i-1].At {
			t.Errorf("%q is older than what stands before it", m.What)
		}
	}
	if !broke {
		t.Errorf("the break itself is left out: %+v", f.Timeline)
	}
}
