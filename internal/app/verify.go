package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/verify"
)

// ErrNotOver is a run that has not ended: there is nothing to verify yet.
var ErrNotOver = errors.New("the run is not over")

// Done is a run of the journal that is over, as verification wants it. One that is not is ErrNotOver.
func Done(j *journal.Journal, run string) (verify.Done, error) {
	r, err := j.Run(run)
	if err != nil {
		return verify.Done{}, err
	}
	p, err := plan.Parse(r.Plan)
	if err != nil {
		return verify.Done{}, fmt.Errorf("verify run %s: %w", run, err)
	}
	st, err := j.State(run)
	if err != nil {
		return verify.Done{}, err
	}
	if j.Held(run) || !slices.Contains([]journal.Status{journal.IsDone, journal.HasFailed, journal.IsStale}, st.Status) {
		return verify.Done{}, fmt.Errorf("verify run %s: %w: it is %s", run, ErrNotOver, st.Status)
	}
	return verify.Done{ID: run, Plan: p, Since: r.Created, Ended: ended(st), Back: st.RolledBack}, nil
}

// ended is when the last step of a run ended.
func ended(st journal.State) time.Time {
	var at time.Time
	for _, s := range st.Steps {
		if s.EndedAt.After(at) {
			at = s.EndedAt
		}
	}
	return at
}

// Verify diagnoses again what a run has repaired and touched, from fresh facts, and looks how its pipelines have run since. It changes
// nothing. A run of another account is a *MismatchError.
func (a *App) Verify(ctx context.Context, done verify.Done, faults []*fault.Fault) (verify.Report, error) {
	who, err := a.Identity(ctx)
	if err != nil {
		return verify.Report{}, err
	}
	if who.Account != done.Plan.Account {
		return verify.Report{}, &MismatchError{What: "run " + done.ID, Want: done.Plan.Account, Have: who.Account, Hint: a.profileHint(ctx, done.Plan.Account)}
	}
	targets := verify.Targets(done.Plan)
	runs, err := a.Read(ctx, who.Account, verify.Runs(done.Plan))
	if err != nil {
		return verify.Report{}, err
	}
	targets = slices.DeleteFunc(targets, func(t fact.Target) bool { // what is gone is told, not asked about
		_, gone := runs.Absence(fact.PipelineRef(fact.Scope{Account: who.Account, Region: t.Region}, t.Name))
		return gone && t.Kind == fact.KindPipeline
	})
	if len(targets) == 0 {
		b := fact.NewBuilder(fact.Question{Account: who.Account, Regions: done.Plan.Regions})
		return verify.Judge(done, b.Seal(time.Now()), fault.Outcome{}, runs, faults), nil
	}
	d, err := a.Diagnose(ctx, Ask{Targets: targets, Quick: true}, faults, nil)
	if err != nil {
		return verify.Report{}, err
	}
	return verify.Judge(done, d.Snapshot, d.Outcome, runs, faults), nil
}
