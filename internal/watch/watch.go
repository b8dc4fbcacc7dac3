// Package watch looks again and again whether a repair holds, tells each trouble once and remembers in the journal what it has told. It
// judges nothing itself and never changes what it watches.
package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/verify"
)

// Journal is what a watch reads and writes; *journal.Journal is one.
type Journal interface {
	Append(journal.Entry, any) (journal.Entry, error)
	Entries(run string) ([]journal.Entry, error)
}

// Config is one watch.
type Config struct {
	Run      string
	Account  string
	Begun    time.Time     // the checks count from here: the end of the run
	For      time.Duration // how long
	Interval time.Duration // between checks; 0: at 1, 6, 24 and 48 hours and at the end
	By       string        // ARN of who watches
	Check    func(context.Context) (verify.Report, error)
	Renew    func(context.Context) error // looks for fresh credentials; may be nil
	Journal  Journal
	Notify   []Notifier
	Tell     func(Event) // progress for people; may be nil
}

// Event is something to tell whoever watches the terminal.
type Event struct {
	At   time.Time
	Text string
}

// Check is one check as it stands in the journal. Told is written a second time, once everybody was told.
type Check struct {
	Due     time.Time         `json:"due"`
	At      time.Time         `json:"at"`
	Verdict verify.Verdict    `json:"verdict"`
	Open    map[string]string `json:"open"` // what is wrong by ID, in words
	Told    bool              `json:"told"`
	Why     string            `json:"why,omitempty"` // it could not be made
}

// Outcome is how a watch ended.
type Outcome struct {
	Verdict verify.Verdict
	Checks  int
	Late    int    // checks that ran more than lateness after they were due
	Text    string // the closing verdict
}

const (
	lateness   = 5 * time.Minute
	retryFirst = 15 * time.Second // a check that could not be made is made again after this, doubled up to retryMost
	retryMost  = 5 * time.Minute
	patience   = 30 * time.Minute // a check that still cannot be made after this is written down as such
)

// Schedule are the times of the checks: 1, 6, 24 and 48 hours after the begin as far as they lie within the time, and its end; with an
// interval, every interval.
func Schedule(begun time.Time, length, interval time.Duration) []time.Time {
	var all []time.Time
	if interval > 0 {
		for at := interval; at < length; at += interval {
			all = append(all, begun.Add(at))
		}
	} else {
		for _, h := range []int{1, 6, 24, 48} {
			if at := time.Duration(h) * time.Hour; at < length {
				all = append(all, begun.Add(at))
			}
		}
	}
	return append(all, begun.Add(length))
}

// Run watches until the end, or until ctx ends: then it can be started again and goes on. Checks that were missed meanwhile are made at
// once, the newest of them for all, and say how late they are.
func Run(ctx context.Context, c Config) (Outcome, error) {
	w := &watcher{Config: c, made: map[int64]Check{}, open: map[string]string{}}
	if err := w.remember(); err != nil {
		return Outcome{}, err
	}
	due := Schedule(c.Begun, c.For, c.Interval)
	for i, at := range due {
		if _, done := w.made[at.UnixNano()]; done {
			continue
		}
		if i+1 < len(due) && !due[i+1].After(time.Now()) {
			w.missed++ // the next one is due as well: it stands for this one
			continue
		}
		if err := w.until(ctx, at); err != nil {
			return Outcome{}, err
		}
		if err := w.check(ctx, at); err != nil {
			return Outcome{}, err
		}
	}
	return w.close(ctx)
}

type watcher struct {
	Config
	made   map[int64]Check
	open   map[string]string // what was told and is not over
	maybe  map[string]string // what a watch may have told before it ended
	last   Check
	hurt   bool // a check found trouble
	late   int
	missed int
}

// remember takes up what earlier watches of the run have written.
func (w *watcher) remember() error {
	entries, err := w.Journal.Entries(w.Run)
	if err != nil {
		return err
	}
	for _, e := range entries {
		var c Check
		if e.Event != journal.Checked || json.Unmarshal(e.Data, &c) != nil {
			continue
		}
		if !c.Told {
			w.maybe = c.Open // its process ended before everybody was told, perhaps: it is made again
			continue
		}
		w.maybe = nil
		w.keep(c)
	}
	return nil
}

func (w *watcher) keep(c Check) {
	w.made[c.Due.UnixNano()] = c
	w.last = c
	if c.Verdict != verify.Unseen {
		w.open = c.Open
	}
	w.hurt = w.hurt || c.Verdict == verify.Broken
	if c.At.Sub(c.Due) > lateness {
		w.late++
	}
}

func (w *watcher) tell(format string, args ...any) {
	if w.Tell != nil {
		w.Tell(Event{time.Now().UTC(), fmt.Sprintf(format, args...)})
	}
}

func (w *watcher) until(ctx context.Context, at time.Time) error {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err()
	}
	w.tell("the next check is in %s", d.Round(time.Second))
	return sleep(ctx, d)
}

// sleep follows the wall clock: a machine that slept wakes up late, not later.
func sleep(ctx context.Context, d time.Duration) error {
	end := time.Now().Round(0).Add(d)
	for {
		left := end.Sub(time.Now().Round(0))
		if left <= 0 {
			return nil
		}
		t := time.NewTimer(min(left, time.Minute))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// check makes one check, tells what is new and what is over, and writes both down.
func (w *watcher) check(ctx context.Context, due time.Time) error {
	c := Check{Due: due, At: time.Now().UTC(), Open: map[string]string{}}
	r, err := w.look(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		c.Verdict, c.Why = verify.Unseen, err.Error()
	default:
		c.Verdict, c.Open = r.Verdict, troubles(r)
		if r.Verdict == verify.Unseen {
			c.Why = strings.Join(r.Gaps[:min(len(r.Gaps), 3)], "; ")
		}
	}
	c.At = time.Now().UTC()
	if late := c.At.Sub(due); late > lateness {
		w.tell("this check was due %s ago: %s", late.Round(time.Minute), due.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if err := w.write(c); err != nil {
		return err
	}
	w.say(c)
	for _, n := range w.notices(c) {
		w.notify(ctx, n)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.Told = true
	if err := w.write(c); err != nil {
		return err
	}
	w.keep(c)
	return nil
}

func (w *watcher) write(c Check) error {
	_, err := w.Journal.Append(journal.Entry{Run: w.Run, By: w.By, Event: journal.Checked}, c)
	return err
}

// say tells the terminal how a check came out.
func (w *watcher) say(c Check) {
	switch c.Verdict {
	case verify.Fixed:
		w.tell("check: it holds")
	case verify.Unseen:
		w.tell("check: nothing wrong was seen, but not everything could be: %s", c.Why)
	default:
		w.tell("check: it is broken")
	}
}

// look verifies, and waits for credentials and for AWS where they are not there.
func (w *watcher) look(ctx context.Context) (verify.Report, error) {
	start, pause, said := time.Now(), retryFirst, ""
	for {
		r, err := w.Check(ctx)
		if err == nil || ctx.Err() != nil {
			return r, err
		}
		f := awsapi.Classify(err)
		keys := f.Class == fact.Expired
		if text := err.Error(); text != said {
			said = text
			if keys {
				text += ": run `aws sso login` or renew them where they come from; the watch goes on by itself then"
			}
			w.tell("%s", text)
		}
		if !keys && time.Since(start) >= patience {
			return r, err
		}
		if err := sleep(ctx, pause); err != nil {
			return r, err
		}
		pause = min(2*pause, retryMost)
		if keys && w.Renew != nil {
			if err := w.Renew(ctx); err != nil && ctx.Err() != nil {
				return r, ctx.Err()
			}
		}
	}
}

// troubles are what is wrong, by an ID that stays the same from check to check.
func troubles(r verify.Report) map[string]string {
	all := map[string]string{}
	for _, f := range r.Findings {
		if f.Held {
			continue
		}
		all[f.ID] = f.Message
	}
	none := len(all) == 0
	for _, s := range r.Subjects {
		if s.Verdict == "found" && none {
			all[s.Code+" "+s.ID] = s.Message
		}
	}
	for _, p := range r.Pipelines {
		if (p.Status == "Failed" || strings.HasPrefix(p.Message, "it does not exist")) && none {
			all["pipeline "+p.Region+"/"+p.Name] = p.Name + ": " + p.Message
		}
	}
	for _, x := range r.Roles {
		if x.New > 0 {
			all["role "+x.ARN] = x.ARN + ": " + x.Message
		}
	}
	return all
}

// notices are what a check has to tell: each trouble when it comes and when it is over.
func (w *watcher) notices(c Check) []Notice {
	var all []Notice
	base := Notice{Schema: NoticeSchema, Run: w.Run, Account: w.Account, At: c.At}
	for _, id := range sorted(c.Open) {
		if _, told := w.open[id]; !told {
			n := base
			n.Kind, n.ID, n.Text = Trouble, id, c.Open[id]
			if _, perhaps := w.maybe[id]; perhaps {
				n.Text += " (You may have been told before: the watch ended at that moment.)"
			}
			all = append(all, n)
		}
	}
	if c.Verdict == verify.Unseen {
		return all
	}
	for _, id := range sorted(w.open) {
		if _, still := c.Open[id]; !still {
			n := base
			n.Kind, n.ID, n.Text = Over, id, "It is over: "+w.open[id]
			all = append(all, n)
		}
	}
	return all
}

func sorted(m map[string]string) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// notify tells everybody. Whoever cannot be told stops nothing.
func (w *watcher) notify(ctx context.Context, n Notice) {
	w.tell("%s: %s", n.Kind, n.Text)
	w.send(ctx, n)
}

func (w *watcher) send(ctx context.Context, n Notice) {
	for _, to := range w.Notify {
		if err := to.Notify(ctx, n); err != nil && ctx.Err() == nil {
			w.tell("%s could not be told: %v", to.Name(), err)
		}
	}
}

// close tells and gives the closing verdict.
func (w *watcher) close(ctx context.Context) (Outcome, error) {
	o := Outcome{Checks: len(w.made), Late: w.late}
	count := fmt.Sprintf("%s, %d late", fault.Plural(o.Checks, "check"), o.Late)
	if w.missed > 0 {
		count += fmt.Sprintf(", %d missed while nobody watched", w.missed)
	}
	switch {
	case len(w.open) > 0:
		o.Verdict, o.Text = verify.Broken, fmt.Sprintf("Run %s did not hold: %s (%s)", w.Run, w.open[sorted(w.open)[0]], count)
	case w.hurt:
		o.Verdict, o.Text = verify.Broken, fmt.Sprintf("Run %s did not hold all the time: it was broken and is fixed again (%s)", w.Run, count)
	case w.last.Verdict == verify.Unseen:
		o.Verdict, o.Text = verify.Unseen, fmt.Sprintf("Run %s: nothing wrong was seen, but the last check could not see everything (%s)", w.Run, count)
	default:
		o.Verdict, o.Text = verify.Fixed, fmt.Sprintf("Run %s held for %s (%s)", w.Run, length(w.For), count)
	}
	w.send(ctx, Notice{Schema: NoticeSchema, Run: w.Run, Account: w.Account, At: time.Now().UTC(), Kind: Closing, Text: o.Text})
	return o, ctx.Err()
}

// length is a duration without zeros at its end.
func length(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return d.String()
}

// ErrNotify is a place to tell that cannot be used.
var ErrNotify = errors.New("--notify wants https://HOST/..., slack:https://HOST/... or sns:TOPIC_ARN")
