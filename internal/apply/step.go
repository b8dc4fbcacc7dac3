package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// verifyPatience is how long a diagnosis may lag behind a repair when the step does not say.
const verifyPatience = 60 // polls: 5 minutes

func stopped() result { return result{status: journal.WasStopped, message: "resume goes on"} }

// step does one step, from where the journal says it was left, and writes its end.
func (r *run) step(ctx context.Context, s plan.Step) result {
	if err := r.record(s.ID, journal.StepStarted, StepStarted, s.Title, nil, nil); err != nil {
		return result{status: journal.HasFailed, message: err.Error(), err: err}
	}
	before := r.state.Step(s.ID)
	begins, err := r.begins(s)
	if err != nil {
		return result{status: journal.HasFailed, message: err.Error(), err: err}
	}
	if !begins.IsZero() && !r.until(ctx, begins) {
		return r.end(s, stopped())
	}
	var res result
	switch s.Kind {
	case plan.Call:
		res = r.call(ctx, s, before)
	case plan.Verify:
		res = r.verify(ctx, s)
	default: // Human, Wait: plan.Validate knows no other
		var ok bool
		if ok, res = r.judge(ctx, s); ok {
			res = r.await(ctx, s)
		}
	}
	return r.end(s, res)
}

// begins is when a step may begin; zero: at once.
func (r *run) begins(s plan.Step) (time.Time, error) {
	at := s.NotBefore
	if s.Pause <= 0 {
		return at, nil
	}
	st, err := r.Journal.State(r.id)
	if err != nil {
		return at, fmt.Errorf("read journal: %w", err)
	}
	for _, id := range s.After {
		if next := st.Step(id).EndedAt.Add(s.Pause); next.After(at) {
			at = next
		}
	}
	return at, nil
}

// until sleeps until a time; false when ctx ended first.
func (r *run) until(ctx context.Context, at time.Time) bool {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// end writes how a step ended.
func (r *run) end(s plan.Step, res result) result {
	if res.err != nil {
		res.status, res.message = journal.HasFailed, res.err.Error()
		return res
	}
	kind, name := journal.Failed, Failed
	switch res.status {
	case journal.IsDone:
		kind, name = journal.Done, Done
	case journal.WasSkipped:
		kind, name = journal.Skipped, Skipped
	case journal.IsStale:
		kind, name = journal.Stale, Stale
	case journal.InDoubt:
		kind, name = journal.Doubted, InDoubt
	case journal.IsWaiting:
		kind, name = journal.Waiting, LeftWaiting
	case journal.IsBlocked:
		kind, name = journal.Blocked, Blocked
	case journal.WasStopped:
		kind, name = journal.Stopped, Stopped
	}
	if err := r.record(s.ID, kind, name, res.message, nil, nil); err != nil {
		res.err = err
	}
	return res
}

// judge reads until it is known whether the step is still to be done: true to go on, else how it ended. What would end it
// must be seen twice. It never goes on without knowing.
func (r *run) judge(ctx context.Context, s plan.Step) (bool, result) {
	if len(s.SkipWhen) == 0 && len(s.Given) == 0 {
		return true, result{}
	}
	p := r.patient(s.ID, r.polls(readPolls))
	for {
		snap, t := r.look(ctx, nil, s.SkipWhen, s.Given)
		if ctx.Err() != nil {
			return false, stopped()
		}
		status, why := verdict(snap, s)
		switch status {
		case journal.Pending:
			p.good()
			return true, result{}
		case journal.WasSkipped, journal.IsStale:
			p.good()
			again, _ := r.look(ctx, nil, s.SkipWhen, s.Given)
			if second, _ := verdict(again, s); second == status {
				return false, result{status: status, message: why}
			}
			r.tell(s.ID, Unconfirmed, "a second read says otherwise: "+why, nil)
		default:
			p.bad(t)
		}
		if p.over() {
			return false, p.giveUp("what the step relies on could not be read")
		}
		if p.sleep(ctx) != nil {
			return false, p.left()
		}
	}
}

// verdict is Pending to go on, WasSkipped, IsStale, or "" when it cannot be known from this snapshot.
func verdict(snap *fact.Snapshot, s plan.Step) (journal.Status, string) {
	skip := plan.All(snap, s.SkipWhen)
	if skip == plan.Yes {
		return journal.WasSkipped, "nothing to do any more: " + words(snap, s.SkipWhen)
	}
	if skip == plan.Unknown {
		return "", ""
	}
	known := true
	for _, c := range s.Given {
		switch c.Judge(snap) {
		case plan.No:
			return journal.IsStale, "what the step relied on has moved: " + was(snap, c) + "; plan again"
		case plan.Unknown:
			known = false
		}
	}
	if !known {
		return "", ""
	}
	return journal.Pending, ""
}

// giveUp ends a step whose patience is over without a judgement. Without credentials it is left waiting: nothing failed.
func (p *patient) giveUp(what string) result {
	if p.expired {
		return p.left()
	}
	if p.last.why != "" && p.fails > 0 {
		what = fmt.Sprintf("%s: %s", what, p.last.why)
	}
	return result{status: journal.HasFailed, message: what}
}

// left ends a step that was left before its end: on request, or since nobody has renewed the credentials.
func (p *patient) left() result {
	if p.lost >= keyPatience || p.over() && p.expired {
		return result{status: journal.IsWaiting, message: "the credentials have run out: " + p.last.why + "; renew them, then resume"}
	}
	return stopped()
}

// verify asks for the diagnosis until the fault is clear. Reads lag behind repairs, so one "found" is not the end.
func (r *run) verify(ctx context.Context, s plan.Step) result {
	if ok, res := r.judge(ctx, s); !ok {
		return res
	}
	limit := s.Patience
	if limit <= 0 {
		limit = r.polls(verifyPatience)
	}
	p := r.patient(s.ID, limit)
	last := ""
	for {
		v, why, err := r.Verdict(ctx, s.Verdict, s.Target)
		switch {
		case ctx.Err() != nil:
			return stopped()
		case err != nil:
			f := awsapi.Classify(err)
			p.bad(trouble{f.Class, f.Why})
		case v == fault.Clear:
			p.good()
			return result{status: journal.IsDone, message: fmt.Sprintf("%s is clear: %s", s.Verdict, why)}
		case v == fault.Found:
			p.good()
			last = why
			r.tell(s.ID, Poll, "still found: "+why, nil)
		default:
			p.bad(trouble{fact.Failed, "not everything could be seen: " + why})
		}
		if p.over() {
			if last != "" && p.fails == 0 && !p.expired {
				return result{status: journal.HasFailed, message: "still broken: " + last}
			}
			return p.giveUp("it could not be seen whether " + s.Verdict + " is clear")
		}
		if p.sleep(ctx) != nil {
			return p.left()
		}
	}
}
