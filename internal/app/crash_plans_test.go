package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
	"github.com/unjam/unjam/lab/cloud"
)

// fixtures are worlds whose plans are carried out by processes that die; together with the repair of a handshake they have every kind of call
// (TestDeathAnywhere).
var fixtures = []string{
	"../../faults/connectionpending/testdata/fixed-reuse.txtar", // grant, update, hold, start
	"../../faults/connectionpending/testdata/fixed-rehook.txtar",
	"../../faults/sourcestale/testdata/fixed-start.txtar",
	"../../faults/rolebroken/testdata/fixed-trust.txtar", // a trust policy that is written anew
}

// fixture plays a world up to the plan of its repair.
func fixture(t *testing.T, path string) *repair {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range ar.Files {
		files[f.Name] = string(f.Data)
	}
	text := strings.ReplaceAll(string(ar.Comment), "\n+5m ", "\n+12s ") // the person is quick: polls that are alike show nothing more
	r := &repair{stage: play(t, filepath.Base(path), []byte(text))}
	r.app = r.open(t, nil)
	o := plan.Options{Hold: strings.Contains(files["wishes"], "hold"), Rehook: strings.Contains(files["wishes"], "rehook")}
	if strings.Contains(files["wishes"], "reuse") {
		o.Strategy = plan.Reuse
	}
	d := diagnose(t, r.app, strings.TrimSpace(files["args"]))
	if r.plan, err = planner.Make(d.Snapshot, d.Outcome.Findings, faults.All(), o); err != nil {
		t.Fatal(err)
	}
	if len(r.plan.Steps) == 0 {
		t.Fatalf("%s plans nothing", path)
	}
	if r.journal, err = journal.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return r
}

// definitions is what the lab itself says of what a rollback gives back: the declarations of all pipelines apart from their version, the own
// policies of their roles, the transitions. With runs it also has what a rollback cannot take back: how their runs ended.
func (r *repair) definitions(t *testing.T, runs bool) string {
	t.Helper()
	time.Sleep(time.Hour)
	var all []string
	for _, name := range r.world.Names() {
		arn := strings.SplitN(r.world.ARN(name), ":", 6)
		if arn[2] != "codepipeline" {
			continue
		}
		ask := func(service, operation string, in map[string]any) map[string]any {
			var out map[string]any
			var err error
			r.set(func(c *cloud.Cloud) {
				out, err = c.Serve(&cloud.Request{Service: service, Operation: operation, Region: arn[3], Caller: r.world.Default.Principal, In: in})
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		d := ask("codepipeline", "GetPipeline", map[string]any{"name": arn[5]})["pipeline"].(map[string]any)
		delete(d, "version")
		all = append(all, text(t, d))
		for _, st := range list(ask("codepipeline", "GetPipelineState", map[string]any{"name": arn[5]}), "stageStates") {
			in, _ := st["inboundTransitionState"].(map[string]any)
			all = append(all, fmt.Sprintf("%s %v %v", name, st["stageName"], in["enabled"]))
		}
		role := d["roleArn"].(string)
		role = role[strings.LastIndex(role, "/")+1:]
		all = append(all, text(t, ask("iam", "ListRolePolicies", map[string]any{"RoleName": role})), text(t, ask("iam", "ListRoleTags", map[string]any{"RoleName": role})["Tags"]))
		if runs {
			for _, e := range list(ask("codepipeline", "ListPipelineExecutions", map[string]any{"pipelineName": arn[5]}), "pipelineExecutionSummaries") {
				all = append(all, fmt.Sprintf("%s run %v", name, e["status"]))
			}
		}
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

// Plans of every kind of call die at every point, go on, and end as undisturbed ones; from every point they can be taken back, also by a
// rollback that dies itself, and then the definitions, policies and transitions are as they were before.
func TestEveryKindOfPlanDiesAnywhere(t *testing.T) {
	for _, path := range fixtures {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { diesAnywhere(t, path) })
	}
}

func diesAnywhere(t *testing.T, path string) {
	var points int
	var first, end string
	var writes []string
	synctest.Test(t, func(t *testing.T) {
		r := fixture(t, path)
		defer r.journal.Close()
		first = r.definitions(t, false)
	})
	synctest.Test(t, func(t *testing.T) {
		r := fixture(t, path)
		defer r.journal.Close()
		before := len(r.writes())
		out, n, err := r.live(t, r.plan, "", 0)
		if err != nil || out.Status != journal.IsDone {
			t.Fatalf("undisturbed: %v %+v", err, out)
		}
		points, writes, end = n, r.writes()[before:], r.definitions(t, true)
		if len(writes) == 0 || points < 20 {
			t.Fatalf("%d points, calls %v", points, writes)
		}
	})
	for at := range points + 1 { // 0: it does not die
		if at > 0 {
			t.Run(fmt.Sprintf("resume/%d", at), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := fixture(t, path)
					defer r.journal.Close()
					before := len(r.writes())
					if _, _, err := r.live(t, r.plan, "", at); !errors.Is(err, errDead) {
						return // this play took fewer polls and passed fewer points
					}
					out, _, err := r.live(t, r.plan, r.begun(t, r.plan), 0)
					if err != nil || out.Status != journal.IsDone {
						t.Errorf("gone on: %v %+v", err, out)
					}
					if got := r.writes()[before:]; !slices.Equal(got, writes) {
						t.Errorf("calls carried out %v, want %v", got, writes)
					}
					if got := r.definitions(t, true); got != end {
						t.Errorf("the world ends otherwise:\n%s\nwant:\n%s", got, end)
					}
				})
			})
		}
		t.Run(fmt.Sprintf("rollback/%d", at), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := fixture(t, path)
				defer r.journal.Close()
				_, _, _ = r.live(t, r.plan, "", at)
				run := r.begun(t, r.plan)
				if run == "" {
					return // it died before it had a run: there is nothing to take back
				}
				r.takeBack(t, run, at)
				if got := r.definitions(t, false); got != first {
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
