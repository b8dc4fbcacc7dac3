package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/verify"
	"github.com/unjam/unjam/internal/watch"
)

// Watch is the order to watch a run.
type Watch struct {
	Journal  *journal.Journal
	Run      string
	Faults   []*fault.Fault
	For      time.Duration
	Interval time.Duration
	Notify   []string // where to tell: see watch.Parse
	Tell     func(watch.Event)
}

// Watch verifies a run again and again and tells each trouble once. Two watches of one run would tell everything twice: the second is
// refused with journal.ErrHeld.
func (a *App) Watch(ctx context.Context, o Watch) (out watch.Outcome, err error) {
	done, err := Done(o.Journal, o.Run)
	if err != nil {
		return out, err
	}
	if done.Back != "" {
		return out, fmt.Errorf("watch run %s: %w by run %s", o.Run, ErrTakenBack, done.Back)
	}
	var to []watch.Notifier
	for _, text := range o.Notify {
		n, err := watch.Parse(text, apply.PublishTo(a.session))
		if err != nil {
			return out, err
		}
		to = append(to, n)
	}
	lock, err := o.Journal.Lock("watch-" + o.Run)
	if err != nil {
		return out, fmt.Errorf("watch run %s: %w", o.Run, err)
	}
	defer func() {
		if uerr := lock.Unlock(); err == nil {
			err = uerr
		}
	}()
	who, err := a.Identity(ctx)
	if err != nil {
		return out, err
	}
	if who.Account != done.Plan.Account {
		return out, &MismatchError{What: "run " + done.ID, Want: done.Plan.Account, Have: who.Account, Hint: a.profileHint(ctx, done.Plan.Account)}
	}
	return watch.Run(ctx, watch.Config{
		Run: o.Run, Account: who.Account, Begun: done.Ended, For: o.For, Interval: o.Interval, By: who.ARN, Journal: o.Journal, Notify: to, Tell: o.Tell,
		Check: func(ctx context.Context) (verify.Report, error) { return a.look(ctx, done, o.Faults) },
		Renew: a.session.Renew,
	})
}

// ErrTakenBack is a run that was taken back: it holds nothing that could be watched.
var ErrTakenBack = errors.New("the run was taken back")

// look is Verify with missing credentials as a failure of class Expired, so that a watch waits for others.
func (a *App) look(ctx context.Context, done verify.Done, faults []*fault.Fault) (verify.Report, error) {
	r, err := a.Verify(ctx, done, faults)
	var gap *GapError
	var other *MismatchError
	switch {
	case errors.As(err, &gap):
		return r, awsapi.Failure{Class: gap.Gap.Class, Why: gap.Gap.Why, Err: err}
	case errors.As(err, &other):
		return r, awsapi.Failure{Class: fact.Expired, Why: other.Error(), Err: err}
	case err == nil && r.Expired:
		return r, awsapi.Failure{Class: fact.Expired, Why: "the credentials have run out"}
	}
	return r, err
}
