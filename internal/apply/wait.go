package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// await polls until DoneWhen holds twice, FailWhen holds for good, or patience is over. Patience counts from the start of
// this process's wait: who resumes is willing to wait again.
func (r *run) await(ctx context.Context, s plan.Step) result {
	if len(s.DoneWhen) == 0 {
		return result{status: journal.IsDone, message: "AWS accepted the call"}
	}
	if err := r.record(s.ID, journal.Waiting, Waiting, "waiting: "+s.Title, nil, told(s)); err != nil {
		return result{err: err}
	}
	w := &watch{r: r, s: s, p: r.patient(s.ID, s.Patience)}
	for {
		if res, ended := w.look(ctx); ended {
			return res
		}
		if w.p.over() {
			return w.outOfPatience()
		}
		if w.p.sleep(ctx) != nil {
			return w.p.left()
		}
	}
}

// told is what a person has to do, for whoever listens; nil when nobody has to do anything.
func told(s plan.Step) any {
	if s.Say == nil {
		return nil
	}
	return s.Say
}

// watch is one wait.
type watch struct {
	r     *run
	s     plan.Step
	p     *patient
	last  Seen      // as last seen; nil before the first look that told something
	error time.Time // since when the connection shows ERROR; zero: it does not
}

// look looks once, and once more at once when that would end the wait.
func (w *watch) look(ctx context.Context) (result, bool) {
	snap, t := w.r.look(ctx, nil, w.s.DoneWhen, w.s.FailWhen)
	if ctx.Err() != nil {
		return stopped(), true
	}
	answer := plan.All(snap, w.s.DoneWhen)
	if answer == plan.Unknown {
		w.p.bad(t)
		return result{}, false
	}
	w.p.good()
	if err := w.note(seen(snap, w.s.DoneWhen)); err != nil {
		return result{err: err}, true
	}
	if answer == plan.Yes {
		again, _ := w.r.look(ctx, nil, w.s.DoneWhen)
		if plan.All(again, w.s.DoneWhen) == plan.Yes {
			w.r.tell(w.s.ID, Confirmed, "a second read says the same", w.last)
			return result{status: journal.IsDone, message: words(again, w.s.DoneWhen)}, true
		}
		w.r.tell(w.s.ID, Unconfirmed, "a second read says otherwise: waiting on", seen(again, w.s.DoneWhen))
		return result{}, false
	}
	return w.failure(ctx, snap)
}

// note tells what was seen, and journals it when it is new.
func (w *watch) note(now Seen) error {
	text := now.String()
	if w.last != nil && !maps.Equal(w.last, now) {
		w.last = now
		return w.r.record(w.s.ID, journal.Changed, Changed, text, nil, now)
	}
	w.last = now
	w.r.tell(w.s.ID, Poll, text, now)
	return nil
}

// failure judges FailWhen: ERROR of a connection counts after the grace period, everything else when a second read agrees.
func (w *watch) failure(ctx context.Context, snap *fact.Snapshot) (result, bool) {
	c, ok := failing(snap, w.s)
	if !ok {
		w.error = time.Time{}
		return result{}, false
	}
	if repairable(c) {
		if w.error.IsZero() {
			w.error = time.Now()
			w.r.tell(w.s.ID, Grace, fmt.Sprintf("%s: AWS repairs this itself at times: waiting %s before it counts", c.Value, w.r.Grace), w.last)
		}
		if time.Since(w.error) < w.r.Grace {
			return result{}, false
		}
	} else {
		w.error = time.Time{}
	}
	again, _ := w.r.look(ctx, nil, w.s.DoneWhen, w.s.FailWhen)
	if second, ok := failing(again, w.s); !ok || second != c {
		w.r.tell(w.s.ID, Unconfirmed, "a second read says otherwise: waiting on", seen(again, w.s.DoneWhen))
		return result{}, false
	}
	return result{status: journal.HasFailed, message: w.why(again, c)}, true
}

// repairable reports whether AWS may mend by itself what the check sees: the status ERROR of a connection
// (docs/aws-facts.md, "Life of a connection").
func repairable(c plan.Check) bool {
	return c.Ref.Kind == fact.KindConnection && c.Op == plan.Is && c.Value == fact.StatusError
}

// failing is the first check of FailWhen that holds and is news: as long as a "not" check of DoneWhen on the same thing
// does not hold (the action's ID is still the old one), what is seen is the failure that the step repairs.
func failing(snap *fact.Snapshot, s plan.Step) (plan.Check, bool) {
	for _, c := range s.FailWhen {
		if c.Judge(snap) == plan.Yes && (c.Op == plan.Absent || news(snap, s.DoneWhen, c.Ref)) {
			return c, true
		}
	}
	return plan.Check{}, false
}

func news(snap *fact.Snapshot, done []plan.Check, ref fact.Ref) bool {
	for _, d := range done {
		if d.Op == plan.Not && d.Ref == ref && d.Judge(snap) != plan.Yes {
			return false
		}
	}
	return true
}

// why words a failure, with AWS's own text where the fact has one.
func (w *watch) why(snap *fact.Snapshot, c plan.Check) string {
	switch {
	case c.Op == plan.Absent:
		return fmt.Sprintf("%s was deleted: AWS says that it does not exist. It cannot come back: plan again", c.Ref.ID)
	case repairable(c):
		return fmt.Sprintf("%s has shown ERROR for %s: AWS did not repair it. Look at the app's installation at the provider, then plan again", c.Ref.ID, w.r.Grace)
	}
	text := fmt.Sprintf("%s of %s is %s", c.Field, c.Ref.ID, c.Value)
	if e, ok := value(snap, plan.Check{Ref: c.Ref, Field: strings.TrimSuffix(c.Field, "status") + "error"}); ok && e != "" {
		text += ": " + e
	}
	return text
}

// outOfPatience ends the wait. A person who has not come is no failure: the run is left waiting.
func (w *watch) outOfPatience() result {
	text := fmt.Sprintf("not seen within %s", w.s.Patience)
	if w.last != nil {
		text += "; last seen: " + w.last.String()
	}
	if w.p.expired {
		return w.p.giveUp(text)
	}
	if w.s.Kind == plan.Human || w.s.Kind == plan.Wait {
		return result{status: journal.IsWaiting, message: text + "; resume waits on"}
	}
	return w.p.giveUp(text)
}

// words are the values behind checks that hold.
func words(snap *fact.Snapshot, checks []plan.Check) string { return seen(snap, checks).String() }

// String is "status AVAILABLE", several joined by commas, in order.
func (s Seen) String() string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(s)) {
		v := s[k]
		if v == "" {
			v = "not set"
		}
		all = append(all, k+" "+v)
	}
	return strings.Join(all, ", ")
}
