package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/teambition/rrule-go"
)

// Window is a maintenance window: a time span that repeats by a rule of RFC 5545 on the clock of a time zone. It lasts exactly
// Duration, also over a change to or from daylight saving time (RFC 5545, 3.3.6). A start that the clock skips in spring does not
// happen (3.3.10); one that it shows twice in autumn happens once, the first time (3.3.5).
type Window struct {
	Name     string   `yaml:"name"`
	Start    string   `yaml:"start"`    // the first one, local: 2026-01-04T02:00
	RRule    string   `yaml:"rrule"`    // FREQ=WEEKLY;BYDAY=SU; "": once
	Timezone string   `yaml:"timezone"` // IANA: Europe/Berlin
	Duration Duration `yaml:"duration"`
	Accounts []string `yaml:"accounts"` // none: every account
	For      []string `yaml:"for"`      // dns, certificates, tls, all; none: all

	zone  *time.Location
	rule  *rrule.RRule // of times on the clock, written as if they were UTC; nil: once
	first time.Time    // in the same manner
}

// everything is what a window can be for.
var everything = []string{"dns", "certificates", "tls", "all"}

// The forms in which a start may be written.
var startForms = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04"}

// compile reads a window's texts; key is the one that is wrong.
func (w *Window) compile() (key string, err error) {
	if w.Timezone == "" || w.Timezone == "Local" {
		return "timezone", errors.New("want a name such as Europe/Berlin or UTC")
	}
	if w.zone, err = time.LoadLocation(w.Timezone); err != nil {
		return "timezone", fmt.Errorf("%q is not in the time zone database", w.Timezone)
	}
	if d := time.Duration(w.Duration); d < time.Minute || d > maxWindow {
		return "duration", fmt.Errorf("%s, want one minute to %s", d, maxWindow)
	}
	for _, form := range startForms {
		if w.first, err = time.Parse(form, w.Start); err == nil {
			break
		}
	}
	if err != nil || w.first.Year() < 2000 || w.first.Year() > 2100 {
		return "start", fmt.Errorf("%q, want a local date and time of this century such as 2026-01-04T02:00, without a zone", w.Start)
	}
	if w.RRule == "" {
		return "", nil
	}
	if w.rule, err = w.parseRule(); err != nil {
		return "rrule", err
	}
	if w.rule.After(w.first, true).IsZero() {
		return "rrule", errors.New("it never happens")
	}
	return "", nil
}

// parseRule reads the rule for times on the clock. UNTIL with a Z is a moment, as RFC 5545 wants it; it is brought to the zone's clock.
func (w *Window) parseRule() (*rrule.RRule, error) {
	text := strings.TrimPrefix(strings.ToUpper(w.RRule), "RRULE:")
	if strings.ContainsAny(text, "\n\r") || strings.Contains(text, "DTSTART") {
		return nil, errors.New("want the rule alone, such as FREQ=WEEKLY;BYDAY=SU; its start is the key start")
	}
	o, err := rrule.StrToROption(text)
	if err != nil {
		return nil, err
	}
	if err := sensible(o, text); err != nil {
		return nil, err
	}
	if !o.Until.IsZero() && strings.Contains(text[strings.Index(text, "UNTIL="):], "Z") {
		o.Until = clockTime(o.Until.In(w.zone))
	}
	o.Dtstart = w.first
	return rrule.NewRRule(*o)
}

// sensible bounds a rule to what maintenance windows are made of. The library does not stand every number that its parser lets pass: it
// panics on BYDAY=10SA, and searches for a day that never comes until the year 9999.
func sensible(o *rrule.ROption, text string) error {
	within := func(all []int, low, high int) bool {
		return !slices.ContainsFunc(all, func(n int) bool { return n == 0 || n < low || n > high })
	}
	var nth []int
	for _, d := range o.Byweekday {
		if d.N() != 0 {
			nth = append(nth, d.N())
		}
	}
	switch {
	case !strings.Contains(text, "FREQ=") || !slices.Contains([]rrule.Frequency{rrule.YEARLY, rrule.MONTHLY, rrule.WEEKLY, rrule.DAILY}, o.Freq):
		return errors.New("want FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
	case len(o.Byyearday)+len(o.Byweekno)+len(o.Byeaster)+len(o.Byhour)+len(o.Byminute)+len(o.Bysecond) > 0:
		return errors.New("of the BY parts want BYMONTH, BYMONTHDAY, BYDAY and BYSETPOS only; the time of day is that of start")
	case o.Interval < 0 || o.Interval > 366 || o.Count < 0 || o.Count > 10_000:
		return errors.New("want INTERVAL up to 366 and COUNT up to 10000")
	case !within(nth, -5, 5) || len(nth) > 0 && o.Freq != rrule.MONTHLY && o.Freq != rrule.YEARLY:
		return errors.New("BYDAY counts weekdays from -5 to 5, of a month or year")
	case !within(o.Bymonth, 1, 12) || !within(o.Bymonthday, -31, 31) || !within(o.Bysetpos, -31, 31):
		return errors.New("want BYMONTH from 1 to 12, BYMONTHDAY and BYSETPOS from -31 to 31")
	}
	return nil
}

// clockTime is what the clock of t's zone shows, written as if it were UTC.
func clockTime(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// moment is when a zone's clock shows a time: the first time if it does twice; false when it never does.
func moment(clock time.Time, zone *time.Location) (time.Time, bool) {
	var found time.Time
	for _, near := range []time.Duration{-36 * time.Hour, 36 * time.Hour} { // no zone changes twice in three days
		_, offset := clock.Add(near).In(zone).Zone()
		t := clock.Add(-time.Duration(offset) * time.Second)
		if clockTime(t.In(zone)).Equal(clock) && (found.IsZero() || t.Before(found)) {
			found = t
		}
	}
	return found.UTC(), !found.IsZero()
}

// skew is more than any zone's clock differs from UTC.
const skew = 36 * time.Hour

// until is when the occurrence that is open at t ends; the latest, if several are.
func (w Window) until(t time.Time) (end time.Time, open bool) {
	length := time.Duration(w.Duration)
	for _, clock := range w.between(t.Add(-length-skew), t.Add(skew)) {
		start, ok := moment(clock, w.zone)
		if ok && !start.After(t) && start.Add(length).After(t) && start.Add(length).After(end) {
			end, open = start.Add(length), true
		}
	}
	return end, open
}

// between are the starts of a time span, on the clock.
func (w Window) between(from, to time.Time) []time.Time {
	if w.rule == nil {
		return []time.Time{w.first}
	}
	rule := *w.rule // the library writes into a rule while it iterates, and steps ask side by side
	return rule.Between(from, to, true)
}

// next is the first start after t; zero when there is none.
func (w Window) next(t time.Time) time.Time {
	if w.rule == nil {
		if start, ok := moment(w.first, w.zone); ok && start.After(t) {
			return start
		}
		return time.Time{}
	}
	rule := *w.rule // as in between
	clock := t.Add(-skew)
	for range 200 { // starts of three days and the few that the clock skips
		if clock = rule.After(clock, false); clock.IsZero() {
			break
		}
		if start, ok := moment(clock, w.zone); ok && start.After(t) {
			return start
		}
	}
	return time.Time{}
}

// serves reports whether the window is for this kind of change in this account.
func (w Window) serves(kind, account string) bool {
	if len(w.Accounts) > 0 && !slices.Contains(w.Accounts, account) {
		return false
	}
	return len(w.For) == 0 || slices.Contains(w.For, "all") || slices.Contains(w.For, kind)
}

// openUntil is when the last of the windows that are open at now, or open before that ends, ends; zero when none is open.
func openUntil(all []Window, now time.Time) time.Time {
	var end time.Time
	for at, again := now, true; again && end.Before(now.Add(maxWindow)); {
		again = false
		for _, w := range all {
			if e, open := w.until(at); open && e.After(end) {
				end, again = e, true
			}
		}
		at = end
	}
	return end
}

// opens is the first start after now of a window that is long enough; zero when there is none.
func opens(all []Window, now time.Time, need time.Duration) time.Time {
	var first time.Time
	for _, w := range all {
		if time.Duration(w.Duration) < need {
			continue
		}
		if n := w.next(now); !n.IsZero() && (first.IsZero() || n.Before(first)) {
			first = n
		}
	}
	return first
}
