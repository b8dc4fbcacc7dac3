package app

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// TestPastCounts: attempts of one step are one call, and only the last one says whether it failed; runs that were done have a shape.
func TestPastCounts(t *testing.T) {
	j, err := journal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	s := plan.NewCall("hold", "hold web", fact.PipelineRef(fact.Scope{Account: "111111111111", Region: "eu-west-1"}, "web"), plan.Action{
		Service: "codepipeline", Operation: "DisableStageTransition", Region: "eu-west-1",
		Input: op.Input{"pipelineName": "web", "stageName": "Build", "transitionType": "Inbound"},
	})
	p := plan.Plan{Schema: plan.Schema, Account: "111111111111", Steps: []plan.Step{s}}
	p.ID = p.Digest()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	run := func(consent *journal.Consent, end journal.Status, events ...journal.Kind) string {
		t.Helper()
		r, err := j.Create(journal.Run{PlanID: string(p.ID), Plan: text, Account: p.Account})
		if err != nil {
			t.Fatal(err)
		}
		write := func(step string, kind journal.Kind, data any) {
			if _, err := j.Append(journal.Entry{Run: r.ID, Step: step, Event: kind}, data); err != nil {
				t.Fatal(err)
			}
		}
		write("", journal.RunStarted, nil)
		if consent != nil {
			write("", journal.Accepted, consent)
		}
		for _, e := range events {
			write("hold", e, s.Do)
		}
		write("", journal.RunFinished, journal.Finish{Status: end})
		return r.ID
	}
	busy := run(nil, journal.IsDone, journal.Intent, journal.Refused, journal.Intent, journal.Refused, journal.Intent, journal.Called, journal.Done)
	broken := run(nil, journal.HasFailed, journal.Intent, journal.Refused, journal.Failed)
	tagged := run(&journal.Consent{Sandbox: true}, journal.IsDone)

	writes, err := past{j}.Writes(time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range writes {
		if w.Failed {
			w.Run += " failed"
		}
		got = append(got, w.Run+" "+w.Operation+" "+w.Account)
	}
	if want := []string{busy + " codepipeline:DisableStageTransition 111111111111", broken + " failed codepipeline:DisableStageTransition 111111111111"}; !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
	shapes, err := past{j}.Shapes(time.Now().Add(-time.Hour))
	if err != nil || len(shapes) != 2 {
		t.Fatalf("%d shapes, want those of %s and %s: %v", len(shapes), busy, tagged, err)
	}
	sandboxes := 0
	for _, run := range shapes {
		if run.Shape != guard.Shape(p) || !run.Done || run.Account != p.Account || time.Since(run.At) > time.Minute {
			t.Errorf("shape %+v", run)
		}
		if run.Sandbox {
			sandboxes++
		}
	}
	if sandboxes != 1 {
		t.Errorf("%d runs of a sandbox, want 1", sandboxes)
	}
	if newest, err := (past{j}).Newest(); err != nil || time.Since(newest) > time.Minute {
		t.Errorf("newest %s, %v", newest, err)
	}
}

// TestBreakerConsentIsForOneProcess: what an earlier process was let do is not inherited.
func TestBreakerConsentIsForOneProcess(t *testing.T) {
	before := []string{"one-way:RetryStageExecution", guard.OpenBreaker}
	if got := accepted(before, nil); !slices.Equal(got, []string{"one-way:RetryStageExecution"}) {
		t.Errorf("a resumed run has %v", got)
	}
	if got := accepted(before, []string{guard.OpenBreaker}); !slices.Equal(got, before) {
		t.Errorf("asked for now, it has %v", got)
	}
}
