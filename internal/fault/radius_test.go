package fault_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

const (
	account = "111111111111"
	waiting = "arn:aws:codeconnections:eu-west-1:111111111111:connection/11111111-2222-3333-4444-555555555555"
	another = "arn:aws:codeconnections:eu-west-1:111111111111:connection/99999999-2222-3333-4444-555555555555"
	builder = "arn:aws:iam::111111111111:role/service/Builder"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func in(region string) fact.Scope { return fact.Scope{Account: account, Region: region} }

func about(scope fact.Scope, kind fact.Kind, id string) fact.Seen {
	return fact.Seen{About: fact.Ref{Scope: scope, Kind: kind, ID: id}, From: fact.Source{At: now}}
}

func pipe(region, name, arn string, stages ...string) fact.Pipeline {
	p := fact.Pipeline{Seen: about(in(region), fact.KindPipeline, name), Name: name, RoleARN: builder,
		Stages: []fact.Stage{{Name: "Source", Actions: []fact.Action{{Name: "Source", Provider: fact.ConnectionSource, Connection: arn}}}}}
	for _, s := range stages {
		p.Stages = append(p.Stages, fact.Stage{Name: s, Actions: []fact.Action{{Name: "Do"}}})
	}
	return p
}

func usesIt(region string, kind fact.Kind, id string, u fact.ConnectionUser) fact.ConnectionUser {
	u.Seen = about(in(region), kind, id)
	if u.Connection == "" {
		u.Connection = waiting
	}
	return u
}

func whats(effects []plan.Effect) (all []string) {
	for _, e := range effects {
		text := e.What
		if e.Production {
			text += " (production)"
		}
		all = append(all, text)
	}
	return all
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

var connectionRef = fact.ConnectionRef(account, waiting)

// everyUser is a snapshot with a user of every kind of the waiting connection, and one of another connection.
func everyUser(status string, answered func(fact.Query) bool) (*fact.Builder, []fact.Query) {
	b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{"eu-west-1"}})
	b.Add(fact.Connection{Seen: fact.Seen{About: connectionRef, From: fact.Source{At: now}}, ARN: waiting, Status: status},
		pipe("eu-west-1", "web", waiting), pipe("us-west-1", "far", waiting), pipe("sa-east-1", "not", another),
		usesIt("eu-west-1", fact.KindBuildProject, "p1", fact.ConnectionUser{Name: "ci", Repository: "github.com/acme/web", OnPush: true}),
		usesIt("eu-west-1", fact.KindBuildProject, "p2", fact.ConnectionUser{Name: "by-hand"}),
		usesIt("eu-west-1", fact.KindBuildProject, "p3", fact.ConnectionUser{Name: "elsewhere", Connection: another}),
		usesIt("us-west-1", fact.KindBuildCredential, "c1", fact.ConnectionUser{Name: "GITHUB"}),
		usesIt("eu-west-1", fact.KindGitSync, "l1/shop-prod", fact.ConnectionUser{Name: "acme/shop", Repository: "acme/shop", Branch: "main", Stack: "shop-prod", OnPush: true}),
		usesIt("eu-west-1", fact.KindGitSync, "l2", fact.ConnectionUser{Name: "acme/idle", Repository: "acme/idle"}),
		usesIt("eu-west-1", fact.KindAppService, "a1", fact.ConnectionUser{Name: "api-live", Repository: "github.com/acme/api", Branch: "main", OnPush: true}),
		usesIt("eu-west-1", fact.KindProduct, "s1", fact.ConnectionUser{Name: "vpc", Repository: "acme/products", Branch: "main", OnPush: true}),
		usesIt("eu-west-1", fact.KindReview, "r1", fact.ConnectionUser{Name: "web", Repository: "acme/web", OnPush: true}))
	_, _, asks := fault.Radius(b.Seal(now), connectionRef)
	for _, q := range asks {
		if answered(q) {
			b.Cover(q)
		}
	}
	return b, asks
}

func every(fact.Query) bool { return true }

// Every user of the connection is an effect, by name and Region, with what it will do; that of another connection is not. It is asked for in the
// Regions of the question and where pipelines use the connection, as far as a Region has the service.
func TestRadiusConnection(t *testing.T) {
	b, asks := everyUser(fact.StatusPending, every)
	effects, missed, again := fault.Radius(b.Seal(now), connectionRef)
	same(t, "effects", whats(effects), []string{
		"App Runner service api-live (eu-west-1) fetches main of github.com/acme/api over it from then on, and pushes deploy it (production)",
		"CodeBuild project ci (eu-west-1) fetches github.com/acme/web over it from then on, and pushes start it",
		"CodeBuild project by-hand (eu-west-1) fetches its source over it from then on",
		"CodeGuru Reviewer (eu-west-1) reviews the pull requests of acme/web from then on",
		"stack shop-prod (eu-west-1) follows main of acme/shop by Git sync from then on: pushes update it (production)",
		"the repository link to acme/idle (eu-west-1) works from then on; no stack was seen that follows it",
		"Service Catalog product vpc (eu-west-1) takes new versions from main of acme/products from then on",
		"every CodeBuild project in us-west-1 with a GITHUB source and no credential of its own fetches over it from then on",
	})
	if len(missed) > 0 || len(again) != len(asks) {
		t.Errorf("missed %v, asks %d and %d", missed, len(asks), len(again))
	}
	regions := map[string]int{}
	for _, q := range asks {
		regions[q.Scope.Region]++
		if (q.Kind == fact.KindGitSync) != (q.ID == waiting) || q.Scope.Account != account {
			t.Errorf("query %+v", q)
		}
	}
	if len(regions) != 2 || regions["eu-west-1"] != 6 || regions["us-west-1"] != 4 { // no App Runner and no CodeGuru Reviewer in California
		t.Errorf("asked in %v", regions)
	}
	b, _ = everyUser(fact.StatusAvailable, every)
	effects, _, _ = fault.Radius(b.Seal(now), connectionRef)
	for _, w := range whats(effects) {
		if strings.Contains(w, "from then on") {
			t.Errorf("the connection waits for nothing: %q", w)
		}
	}
}

// What was not answered is named, once for each reason, with its Regions and the permission that would show it; a Region without the service
// is missing nothing. What was seen all the same stays.
func TestRadiusMissed(t *testing.T) {
	b, asks := everyUser(fact.StatusPending, func(q fact.Query) bool {
		return q.Kind != fact.KindBuildProject && q.Kind != fact.KindAppService && q.Kind != fact.KindProduct && q.Kind != fact.KindReview
	})
	for _, q := range asks {
		switch {
		case q.Kind == fact.KindBuildProject:
			b.Miss(fact.Gap{Query: q, Class: fact.Denied, Permission: "codebuild:BatchGetProjects"})
		case q.Kind == fact.KindAppService:
			b.Miss(fact.Gap{Query: q, Class: fact.Denied}) // a text of AWS that names no action
		case q.Kind == fact.KindReview:
			b.Miss(fact.Gap{Query: q, Class: fact.Unsupported})
		case q.Scope.Region == "us-west-1":
			b.Miss(fact.Gap{Query: q, Class: fact.Timeout})
		}
	}
	effects, missed, _ := fault.Radius(b.Seal(now), connectionRef)
	same(t, "missed", missed, []string{
		"CodeBuild projects in eu-west-1, us-west-1 (codebuild:BatchGetProjects)",
		"App Runner services in eu-west-1 (apprunner:ListServices)",
		"Service Catalog products in eu-west-1 (not read)",
		"Service Catalog products in us-west-1 (no answer in time)",
	})
	if len(effects) != 8 {
		t.Errorf("effects %v", whats(effects))
	}
	b, _ = everyUser(fact.StatusPending, every)
	enable := func(region, status string) {
		b.Add(fact.Region{Seen: about(fact.Scope{Account: account}, fact.KindRegion, region), Name: region, Status: status})
	}
	enable("eu-west-1", "ENABLED_BY_DEFAULT")
	enable("eu-south-1", "DISABLED")
	enable("eu-south-2", "ENABLED") // has no connections
	_, elsewhere, _ := fault.Radius(b.Seal(now), connectionRef)
	same(t, "nowhere else", elsewhere, nil)
	enable("us-east-1", "ENABLED_BY_DEFAULT")
	_, elsewhere, _ = fault.Radius(b.Seal(now), connectionRef)
	same(t, "elsewhere", elsewhere, []string{"what uses the connection in other Regions than eu-west-1, us-west-1, which were not looked at (no pipeline that was read there uses it)"})
	if note := fault.NotSeen(missed); !strings.HasPrefix(note, "Not seen: CodeBuild projects in") || fault.NotSeen(nil) != "" {
		t.Errorf("note %q", note)
	}
}

// --quick asks for nothing and says so.
func TestRadiusQuick(t *testing.T) {
	b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{"eu-west-1"}, Quick: true})
	effects, missed, asks := fault.Radius(b.Seal(now), connectionRef)
	if len(effects)+len(asks) > 0 || len(missed) != 1 || !strings.Contains(missed[0], "--quick") {
		t.Errorf("%v %v %v", effects, missed, asks)
	}
}

// A role: who may assume it, and what was read that runs with it, by its newest observation.
func TestRadiusRole(t *testing.T) {
	ref := fact.Ref{Scope: fact.Scope{Account: account}, Kind: fact.KindPolicies, ID: builder}
	b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{"eu-west-1"}})
	moved := pipe("eu-west-1", "moved", waiting)
	b.Add(moved)
	moved.RoleARN, moved.From.At = "arn:aws:iam::111111111111:role/Other", now.Add(time.Minute)
	acts := pipe("eu-west-1", "acts", waiting, "Deploy-Production")
	acts.RoleARN = "arn:aws:iam::111111111111:role/Other"
	acts.Stages[1].Actions[0].RoleARN = builder
	b.Add(moved, acts, pipe("eu-west-1", "web", waiting, "Deploy"),
		fact.Project{Seen: about(in("eu-west-1"), fact.KindProject, "ci"), Name: "ci", Role: builder},
		fact.Project{Seen: about(in("eu-west-1"), fact.KindProject, "other"), Name: "other", Role: "arn:aws:iam::111111111111:role/Other"},
		usesIt("eu-west-1", fact.KindBuildProject, "arn:ci", fact.ConnectionUser{Name: "ci", Role: builder}),
		usesIt("eu-west-1", fact.KindGitSync, "l/shop", fact.ConnectionUser{Stack: "shop", Role: builder}))
	_, missed, asks := fault.Radius(b.Seal(now), ref)
	if len(asks) != 1 || asks[0].Kind != fact.KindPolicies || len(missed) != 2 || missed[0] != "who may assume Builder (not read)" {
		t.Errorf("missed %v, asks %v", missed, asks)
	}
	b.Add(fact.RolePolicies{Seen: fact.Seen{About: ref, From: fact.Source{At: now}}, ARN: builder,
		Trust: `{"Statement":[{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com","AWS":["arn:aws:iam::222222222222:root","arn:aws:iam::111111111111:user/ada","333333333333"]}}]}`})
	b.Cover(asks[0])
	effects, missed, _ := fault.Radius(b.Seal(now), ref)
	same(t, "effects", whats(effects), []string{
		"whoever account 333333333333 lets may assume Builder",
		"arn:aws:iam::111111111111:user/ada may assume Builder",
		"whoever account 222222222222 lets may assume Builder",
		"codebuild.amazonaws.com may assume Builder",
		"action acts/Deploy-Production/Do (eu-west-1) runs with Builder (production)",
		"pipeline web (eu-west-1) runs with Builder",
		"CodeBuild project ci (eu-west-1) runs with Builder",
		"Git sync of stack shop (eu-west-1) runs with Builder",
	})
	if len(missed) != 1 || !strings.Contains(missed[0], "only pipelines and build projects that this diagnosis read") {
		t.Errorf("missed %v", missed)
	}
}

// A pipeline: the runs that an update would end, between stages too, and the stages behind, production by name.
func TestRadiusPipeline(t *testing.T) {
	ref := fact.PipelineRef(in("eu-west-1"), "web")
	b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{"eu-west-1"}})
	_, missed, asks := fault.Radius(b.Seal(now), ref)
	same(t, "missed", missed, []string{"runs of web in flight in eu-west-1 (not read)", "the stages of web in eu-west-1 (not read)"})
	run := func(id, pipeline, status string, at time.Time) fact.Execution {
		e := fact.Execution{Seen: about(in("eu-west-1"), fact.KindExecution, id), Pipeline: pipeline, ID: id, Status: status}
		e.From.At = at
		return e
	}
	b.Add(pipe("eu-west-1", "web", waiting, "Build", "Deploy-Production"),
		fact.PipelineState{Seen: about(in("eu-west-1"), fact.KindPipelineState, "web"), Name: "web",
			Stages: []fact.StageState{{Name: "Source", Status: "Failed", Execution: "e3"}, {Name: "Build", Status: "InProgress", Execution: "e2"}}},
		run("e1", "web", "InProgress", now), run("e2", "web", "InProgress", now), run("e3", "web", "Failed", now), run("e9", "api", "InProgress", now),
		run("e0", "web", "InProgress", now), run("e0", "web", "Succeeded", now.Add(time.Minute)))
	for _, q := range asks {
		b.Cover(q)
	}
	effects, missed, _ := fault.Radius(b.Seal(now), ref)
	same(t, "effects", whats(effects), []string{
		"run e1 of web, now between stages, ends: an update of the definition fails what is in flight",
		"run e2 of web, now in stage Build, ends: an update of the definition fails what is in flight",
		"stage Build of web lies behind",
		"stage Deploy-Production of web lies behind (production)",
	})
	if len(missed) > 0 {
		t.Errorf("missed %v", missed)
	}
}

// An endpoint: what was read in its VPC. Anything else is said to be beyond it, never to be without users.
func TestRadiusRest(t *testing.T) {
	b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{"eu-west-1"}})
	ref := fact.Ref{Scope: in("eu-west-1"), Kind: fact.KindEndpoint, ID: "vpce-1"}
	b.Add(fact.Endpoint{Seen: fact.Seen{About: ref}, ID: "vpce-1", VPC: "vpc-1", Service: "com.amazonaws.eu-west-1.codepipeline"},
		fact.Project{Seen: about(in("eu-west-1"), fact.KindProject, "in"), Name: "in", VPC: "vpc-1"},
		fact.Project{Seen: about(in("eu-west-1"), fact.KindProject, "out"), Name: "out", VPC: "vpc-2"},
		fact.Host{Seen: about(in("eu-west-1"), fact.KindHost, "h"), Name: "inner", VPC: "vpc-1"})
	effects, missed, _ := fault.Radius(b.Seal(now), ref)
	same(t, "effects", whats(effects), []string{"CodeBuild project in calls com.amazonaws.eu-west-1.codepipeline through it", "host inner stands in the same VPC"})
	if len(missed) != 1 {
		t.Errorf("missed %v", missed)
	}
	effects, missed, asks := fault.Radius(b.Seal(now), fact.Ref{Scope: in("eu-west-1"), Kind: "key", ID: "arn:aws:kms:eu-west-1:111111111111:key/1"})
	if len(effects)+len(asks) > 0 || len(missed) != 1 || !strings.Contains(missed[0], "key/1") {
		t.Errorf("%v %v %v", effects, missed, asks)
	}
}
