package app

import (
	"context"
	"fmt"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
)

// Rollback plans to take back what a run has called. It changes nothing: the plan is applied like any other. A run of another account
// is a *MismatchError; one that a process works on cannot be planned for, since it goes on calling.
func (a *App) Rollback(ctx context.Context, j *journal.Journal, run string) (plan.Plan, error) {
	r, err := j.Run(run)
	if err != nil {
		return plan.Plan{}, err
	}
	if j.Held(run) {
		return plan.Plan{}, fmt.Errorf("plan rollback of run %s: %w", run, journal.ErrHeld)
	}
	old, err := plan.Parse(r.Plan)
	if err != nil {
		return plan.Plan{}, fmt.Errorf("plan rollback of run %s: %w", run, err)
	}
	st, err := j.State(run)
	if err != nil {
		return plan.Plan{}, err
	}
	who, err := a.Identity(ctx)
	if err != nil {
		return plan.Plan{}, err
	}
	if who.Account != old.Account {
		return plan.Plan{}, &MismatchError{What: "run " + run, Want: old.Account, Have: who.Account, Hint: a.profileHint(ctx, old.Account)}
	}
	b := fact.NewBuilder(fact.Question{Account: old.Account, Regions: old.Regions})
	b.Add(who)
	a.collector.Collect(ctx, b, planner.PipelinesOf(old))
	made := map[string]planner.Made{}
	for id, s := range st.Steps {
		made[id] = planner.Made{Called: s.Called, Open: s.Open, Seen: s.Status == journal.IsDone, IntendedAt: s.IntendedAt}
	}
	return planner.Rollback(b.Seal(time.Now()), old, run, made)
}
