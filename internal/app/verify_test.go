package app_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
	"github.com/unjam/unjam/internal/verify"
)

// A run that changed a role is verified with what Access Analyzer says of the role; a run of another account is refused, and so is one that
// is not over.
func TestVerify(t *testing.T) {
	text, err := os.ReadFile("../../faults/connectionpending/testdata/found-alternative.txtar")
	if err != nil {
		t.Fatal(err)
	}
	worldText, _, _ := strings.Cut(string(text), "-- args --")
	synctest.Test(t, func(t *testing.T) {
		r := &repair{stage: play(t, "reuse", []byte(worldText+"analyzer outside\n"))}
		r.app = r.open(t, nil)
		defer r.app.Close()
		d := diagnose(t, r.app, "web")
		if r.plan, err = planner.Make(d.Snapshot, d.Outcome.Findings, faults.All(), plan.Options{Strategy: plan.Reuse}); err != nil {
			t.Fatal(err)
		}
		if r.journal, err = journal.Open(t.TempDir()); err != nil {
			t.Fatal(err)
		}
		defer r.journal.Close()
		out, err := r.run(t, "")
		if err != nil || out.Status != journal.IsDone {
			t.Fatalf("%v %+v", err, out)
		}
		done, err := app.Done(r.journal, out.Run)
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.app.Verify(t.Context(), done, faults.All())
		if err != nil || v.Verdict != verify.Fixed || len(v.Roles) != 1 || v.Roles[0].Message != "Access Analyzer has 0 findings about it, 0 of them since the run" || !v.Pipelines[0].Ran {
			t.Errorf("%v %+v", err, v)
		}
		done.Plan.Account = "222222222222"
		if _, err := r.app.Verify(t.Context(), done, faults.All()); err == nil || !strings.Contains(err.Error(), "222222222222") {
			t.Errorf("another account: %v", err)
		}
		run, err := r.journal.Create(journal.Run{Plan: mustPlan(t, r.plan), PlanID: "other", Account: r.plan.Account})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := app.Done(r.journal, run.ID); err == nil || !strings.Contains(err.Error(), "not over") {
			t.Errorf("a run that has not begun: %v", err)
		}
	})
}

func mustPlan(t *testing.T, p plan.Plan) []byte { return []byte(text(t, p)) }
