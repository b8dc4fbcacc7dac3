package cli

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/report"
)

// teller puts a run's events into words on stderr. While it waits it speaks rarely: once a minute on a terminal.
type teller struct {
	env    *env
	plan   plan.Plan
	polled time.Time
	guided map[string]bool
}

func (t *teller) tell(ev apply.Event) {
	e := t.env
	title := ev.Step
	i := slices.IndexFunc(t.plan.Steps, func(s plan.Step) bool { return s.ID == ev.Step })
	if i >= 0 {
		title = t.plan.Steps[i].Title
	}
	at := ev.At.Local().Format("15:04:05")
	switch ev.Event {
	case apply.RunStarted, apply.RunFinished:
		e.say("%s  %s", at, ev.Message)
	case apply.StepStarted, apply.Confirmed, apply.Changed, apply.Called:
		// what follows says more
	case apply.Accepted:
		// the command line said so
	case apply.Exported:
		e.say("%s  %s", at, ev.Message)
	case apply.Done, apply.Skipped:
		e.say("%s  %s: %s", at, ev.Event, title)
	case apply.Call:
		e.say("%s  doing: %s", at, title)
	case apply.Waiting:
		e.say("%s  waiting: %s", at, title)
		if i >= 0 && t.plan.Steps[i].Say != nil && !t.guided[ev.Step] {
			t.guide(ev, t.plan.Steps[i])
		}
	case apply.Poll:
		if now := ev.At; now.Sub(t.polled) >= time.Minute {
			if !t.polled.IsZero() {
				e.say("%s  still waiting: %s", at, title)
			}
			t.polled = now
		}
	case apply.Trouble, apply.Expired, apply.Renewed, apply.Grace, apply.Unconfirmed: // of the step that waits, which was named
		e.say("%s  %s: %s", at, ev.Event, ev.Message)
	default:
		msg := ev.Message
		if msg != "" {
			msg = ": " + msg
		}
		e.say("%s  %s: %s%s", at, ev.Event, title, msg)
	}
}

// guide tells a person what to do, once.
func (t *teller) guide(ev apply.Event, s plan.Step) {
	if t.guided == nil {
		t.guided = map[string]bool{}
	}
	t.guided[ev.Step] = true
	if t.env.quiet {
		fmt.Fprintln(t.env.err, s.Say.Link)
		return
	}
	fmt.Fprintln(t.env.err)
	if err := report.Guide(t.env.err, *s.Say, t.env.view(t.env.err)); err != nil {
		return // stderr is gone: there is nobody to tell
	}
	fmt.Fprintf(t.env.err, "\n  The program sees by itself when it is done. Ctrl-C leaves it; unjam resume %s --apply goes on.\n\n", ev.Run)
}

// acts reports whether a step of a plan is more than a look.
func acts(p plan.Plan, id string) bool {
	return slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.ID == id && (s.Kind == plan.Call || s.Kind == plan.Human) })
}

// showOutcome lists what the steps came to.
func showOutcome(w io.Writer, out apply.Outcome, p plan.Plan, v report.View) error {
	var rows []report.StepRow
	for _, s := range out.Steps {
		rows = append(rows, report.StepRow{Status: string(s.Status), Title: s.Title, Message: s.Message})
	}
	word := string(out.Status)
	verified := slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Kind == plan.Verify })
	switch {
	case out.Status != journal.IsDone:
	case p.Undoes == "" && !slices.ContainsFunc(out.Steps, func(s apply.StepOutcome) bool { return s.Status == journal.IsDone && acts(p, s.ID) }):
		word = "done: nothing of it was left to do"
	case p.Undoes != "":
		word = "done: run " + p.Undoes + " is taken back"
	case verified:
		word = "done: it is fixed and verified"
	}
	return report.Run(w, "Run "+out.Run+": "+word, time.Time{}, time.Time{}, nil, rows, v)
}
