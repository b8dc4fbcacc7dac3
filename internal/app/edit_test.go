package app_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/lab/cloud"
)

const (
	grantName = "unjam-use"
	grantText = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codeconnections:UseConnection","Resource":"*"}]}`
)

// editing is a pipeline whose role gets a policy and whose definition is changed, with a run behind it. Everything but the run goes back.
func editing(t *testing.T) *repair {
	t.Helper()
	text, err := os.ReadFile("../../lab/world/worlds/alternative.world")
	if err != nil {
		t.Fatal(err)
	}
	r := &repair{stage: play(t, "alternative", text)}
	r.app = r.open(t, nil)
	if r.journal, err = journal.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	account := r.world.Default.Principal.Account
	scope := fact.Scope{Account: account, Region: "eu-west-1"}
	s, err := r.app.Read(t.Context(), account, []fact.Query{
		{Scope: scope, Kind: fact.KindPipeline, ID: "web"}, {Scope: scope, Kind: fact.KindPipeline, ID: "api"}, {Scope: scope, Kind: fact.KindPipelineState, ID: "web"}})
	if err != nil {
		t.Fatal(err)
	}
	web, ok := fact.Get[fact.Pipeline](s, fact.PipelineRef(scope, "web"))
	api, known := fact.Get[fact.Pipeline](s, fact.PipelineRef(scope, "api"))
	state, seen := fact.Get[fact.PipelineState](s, fact.StateRef(scope, "web"))
	if !ok || !known || !seen {
		t.Fatalf("not read: %v", s.Gaps())
	}
	role := fact.Ref{Scope: scope.Global(), Kind: fact.KindPolicies, ID: web.RoleARN}
	grant := plan.NewCall("grant", "let the role use the connection", role, plan.Action{Service: "iam", Operation: "PutRolePolicy", Region: scope.Region,
		Input: op.Input{"RoleName": web.RoleARN[strings.LastIndex(web.RoleARN, "/")+1:], "PolicyName": grantName, "PolicyDocument": grantText}})
	grant.Given = []plan.Check{{Ref: role, Field: "inline/" + grantName, Op: plan.Is}}
	grant.UndoneWhen = grant.Given
	grant.DoneWhen = []plan.Check{{Ref: role, Field: "inline/" + grantName, Op: plan.Is, Value: string(fact.DigestOf(grantText))}}
	grant.SkipWhen, grant.Patience = grant.DoneWhen, time.Minute

	ref := web.Ref()
	edit := func(old, now string) []plan.Edit {
		const path = "/stages/0/actions/0/configuration/ConnectionArn"
		quote := func(s string) json.RawMessage { b, _ := json.Marshal(s); return b }
		return []plan.Edit{{Op: "test", Path: path, Value: quote(old)}, {Op: "replace", Path: path, Value: quote(now)}}
	}
	old, now := web.Stages[0].Actions[0].Connection, api.Stages[0].Actions[0].Connection
	update := plan.NewCall("update", "point web at the other connection", ref, plan.Action{Service: "codepipeline", Operation: "UpdatePipeline", Region: scope.Region,
		Input: op.Input{"name": "web"}, Patch: edit(old, now), Definition: web.Definition})
	update.Undo = &plan.Action{Service: "codepipeline", Operation: "UpdatePipeline", Region: scope.Region, Input: op.Input{"name": "web"}, Patch: edit(now, old)}
	update.OneWay = ""
	field := web.Stages[0].Name + "/" + web.Stages[0].Actions[0].Name + "/connection"
	update.Given = []plan.Check{{Ref: ref, Field: "definition", Op: plan.Is, Value: string(web.Definition)}}
	update.DoneWhen = []plan.Check{{Ref: ref, Field: field, Op: plan.Is, Value: now}}
	update.UndoneWhen = []plan.Check{{Ref: ref, Field: "declaration", Op: plan.Is, Value: string(web.Declaration)}}
	update.SkipWhen, update.Patience, update.After = update.DoneWhen, time.Minute, []string{"grant"}

	source := state.Stages[0]
	at := source.Name + "/" + source.Actions[0].Name
	stateRef := fact.StateRef(scope, "web")
	start := plan.NewCall("start", "start web", stateRef, plan.Action{Service: "codepipeline", Operation: "StartPipelineExecution", Region: scope.Region, Input: op.Input{"name": "web"}})
	start.DoneWhen = []plan.Check{{Ref: stateRef, Field: at + "/id", Op: plan.Not, Value: source.Actions[0].ID}, {Ref: stateRef, Field: at + "/status", Op: plan.Is, Value: "Succeeded"}}
	start.SkipWhen, start.Patience, start.After = start.DoneWhen, 10*time.Minute, []string{"update"}

	both := []fact.Ref{ref, stateRef}
	grant.Export, update.Export, start.Export = []fact.Ref{role}, both, both
	at0 := s.At().Truncate(time.Second)
	r.plan = plan.Plan{Schema: plan.Schema, CreatedAt: at0, ExpiresAt: at0.Add(24 * time.Hour), Account: account, Regions: []string{scope.Region},
		Principal: r.world.Default.Principal.ARN, Snapshot: s.Content(), Findings: []plan.Finding{}, Steps: []plan.Step{grant, update, start}}
	r.plan.ID = r.plan.Digest()
	if err := r.plan.Validate(); err != nil {
		t.Fatal(err)
	}
	return r
}

// definitions is what the lab itself says of what a rollback gives back: the pipelines' declarations apart from their version, the role's own
// policies, the transitions.
func (r *repair) definitions(t *testing.T) string {
	t.Helper()
	time.Sleep(time.Hour)
	var all []string
	ask := func(service, operation string, in map[string]any) map[string]any {
		var out map[string]any
		var err error
		r.set(func(c *cloud.Cloud) {
			out, err = c.Serve(&cloud.Request{Service: service, Operation: operation, Region: "eu-west-1", Caller: r.world.Default.Principal, In: in})
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, name := range []string{"web", "api"} {
		d := ask("codepipeline", "GetPipeline", map[string]any{"name": name})["pipeline"].(map[string]any)
		delete(d, "version")
		all = append(all, text(t, d))
		for _, st := range list(ask("codepipeline", "GetPipelineState", map[string]any{"name": name}), "stageStates") {
			in, _ := st["inboundTransitionState"].(map[string]any)
			all = append(all, fmt.Sprintf("%s %v %v", name, st["stageName"], in["enabled"]))
		}
		role := d["roleArn"].(string)
		role = role[strings.LastIndex(role, "/")+1:]
		all = append(all, text(t, ask("iam", "ListRolePolicies", map[string]any{"RoleName": role})), text(t, ask("iam", "ListRoleTags", map[string]any{"RoleName": role})["Tags"]))
	}
	return strings.Join(all, "\n")
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A change of a definition and of a role dies at every point, goes on, and ends as the undisturbed one; from every point it can be taken
// back, also by a rollback that dies itself, and then the definitions, policies and transitions are as they were before.
func TestEditDiesAnywhere(t *testing.T) {
	var points int
	var first, end string
	var writes []string
	synctest.Test(t, func(t *testing.T) {
		r := editing(t)
		defer r.journal.Close()
		first = r.definitions(t)
		before := len(r.writes())
		out, n, err := r.live(t, r.plan, "", 0)
		if err != nil || out.Status != journal.IsDone {
			t.Fatalf("undisturbed: %v %+v", err, out)
		}
		points, writes, end = n, r.writes()[before:], r.definitions(t)
		if first == end || !slices.Equal(writes, []string{"PutRolePolicy", "UpdatePipeline", "StartPipelineExecution"}) {
			t.Fatalf("calls %v", writes)
		}
	})
	if points < 60 {
		t.Fatalf("%d points: too few for a test of death", points)
	}
	for at := range points + 1 { // 0: it does not die, and what was done whole is taken back
		t.Run(fmt.Sprintf("resume/%d", at), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := editing(t)
				defer r.journal.Close()
				before := len(r.writes())
				_, _, _ = r.live(t, r.plan, "", at)
				out, _, err := r.live(t, r.plan, r.begun(t, r.plan), 0)
				if at == 0 {
					return // it was done
				}
				if err != nil || out.Status != journal.IsDone {
					t.Errorf("gone on: %v %+v", err, out)
				}
				if got := r.writes()[before:]; !slices.Equal(got, writes) {
					t.Errorf("calls carried out %v, want %v", got, writes)
				}
				if got := r.definitions(t); got != end {
					t.Errorf("the world ends otherwise:\n%s\nwant:\n%s", got, end)
				}
			})
		})
		t.Run(fmt.Sprintf("rollback/%d", at), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := editing(t)
				defer r.journal.Close()
				_, _, _ = r.live(t, r.plan, "", at)
				run := r.begun(t, r.plan)
				if run == "" {
					return // it died before it had a run: there is nothing to take back
				}
				r.takeBack(t, run, at)
				if got := r.definitions(t); got != first {
					t.Errorf("after the rollback:\n%s\nwant:\n%s", got, first)
				}
			})
		})
	}
}

// takeBack rolls a run back in a process that dies once on the way.
func (r *repair) takeBack(t *testing.T, run string, at int) {
	t.Helper()
	time.Sleep(time.Minute)
	p, err := r.app.Rollback(t.Context(), r.journal, run)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) == 0 {
		return
	}
	before := len(r.writes())
	if _, _, err := r.live(t, p, "", 5+at%31); err != nil {
		out, _, err := r.live(t, p, r.begun(t, p), 0)
		if err != nil || out.Status != journal.IsDone {
			t.Errorf("rollback: %v %+v", err, out)
		}
	}
	var want []string // what it takes back, the last call first, unless it had not happened
	for _, s := range p.Steps {
		want = append(want, s.Do.Operation)
	}
	for _, w := range r.writes()[before:] {
		if !slices.Contains(want, w) {
			t.Errorf("the rollback called %s, its plan has %v", w, want)
		}
	}
}
