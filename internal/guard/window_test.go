package guard_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/plan"
)

// at is a time of the RFC 3339 form.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// tlsStep needs a window of its own.
func tlsStep(id string) plan.Step {
	s := call(id)
	s.Window = "it replaces the certificate of a host, which TLS needs"
	return s
}

// before asks about a call at a time, with a plan made a minute earlier.
func before(p guard.Policy, now time.Time, s plan.Step) error {
	r := request(s)
	r.Plan.CreatedAt, r.Plan.ExpiresAt = now.Add(-time.Minute), now.Add(time.Hour)
	r.Plan.ID = r.Plan.Digest()
	r.Now = now
	return p.Before(r, s)
}

// TestGateWindowDaylightSaving: the clock of the zone says when a window opens, in spring and in autumn, and it lasts exactly as long
// as it says. The dates are those of the IANA time zone database.
func TestGateWindowDaylightSaving(t *testing.T) {
	tests := []struct {
		zone, start, duration string
		open                  string // RFC 3339 moments at which it is open
		closed                string
	}{
		// Winter and summer: 22:00 local is another moment.
		{"Europe/Berlin", "2026-01-01T22:00", "2h", "2026-01-15T21:00:00Z 2026-07-15T20:00:00Z 2026-07-15T21:58:00Z", "2026-01-15T20:59:00Z 2026-07-15T22:00:00Z 2026-01-15T23:00:00Z"},
		// Spring, 29 March 2026: the clock goes from 02:00 to 03:00. A window over it lasts its four hours, to 06:00 on the clock.
		{"Europe/Berlin", "2026-01-01T01:00", "4h", "2026-03-29T00:00:00Z 2026-03-29T01:00:00Z 2026-03-29T03:58:00Z", "2026-03-28T23:59:00Z 2026-03-29T04:00:00Z"},
		// 02:30 does not exist that night: no window. The night before and after there is one.
		{"Europe/Berlin", "2026-01-01T02:30", "1h", "2026-03-28T01:30:00Z 2026-03-30T00:30:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z 2026-03-29T02:29:00Z"},
		// Autumn, 25 October 2026: the clock shows 02:30 twice. The window opens at the first one only.
		{"Europe/Berlin", "2026-01-01T02:30", "30m", "2026-10-25T00:30:00Z 2026-10-25T00:58:00Z", "2026-10-25T01:00:00Z 2026-10-25T01:30:00Z 2026-10-25T01:45:00Z"},
		{"Europe/Berlin", "2026-01-01T01:00", "3h", "2026-10-24T23:00:00Z 2026-10-25T01:58:00Z", "2026-10-25T02:00:00Z"},
		// Spring, 8 March 2026, 02:00 to 03:00; autumn, 1 November 2026, 02:00 to 01:00.
		{"America/New_York", "2026-01-01T02:00", "1h", "2026-03-07T07:00:00Z 2026-03-09T06:00:00Z", "2026-03-08T06:30:00Z 2026-03-08T07:00:00Z 2026-03-08T07:59:00Z"},
		{"America/New_York", "2026-01-01T01:30", "1h", "2026-11-01T05:30:00Z 2026-11-01T06:28:00Z", "2026-11-01T06:30:00Z 2026-11-01T06:59:00Z"},
		// Half an hour of daylight saving: autumn, 5 April 2026, 02:00 to 01:30; spring, 4 October 2026, 02:00 to 02:30.
		{"Australia/Lord_Howe", "2026-01-01T01:45", "20m", "2026-04-04T14:45:00Z 2026-04-04T15:03:00Z", "2026-04-04T15:05:00Z 2026-04-04T15:15:00Z 2026-04-04T15:30:00Z"},
		{"Australia/Lord_Howe", "2026-01-01T02:15", "1h", "2026-10-02T15:45:00Z 2026-10-04T15:15:00Z", "2026-10-03T15:30:00Z 2026-10-03T15:45:00Z 2026-10-03T16:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.zone+" "+tt.start+" "+tt.duration, func(t *testing.T) {
			p := policy(t, fmt.Sprintf("windows: [{name: nightly, start: %q, rrule: FREQ=DAILY, timezone: %s, duration: %s}]", tt.start, tt.zone, tt.duration))
			for m := range strings.FieldsSeq(tt.open) {
				if err := before(p, at(t, m), call("hold")); err != nil {
					t.Errorf("%s: %v", m, err)
				}
			}
			for m := range strings.FieldsSeq(tt.closed) {
				refused(t, before(p, at(t, m), call("hold")), guard.GateWindow, "no maintenance window for all is open")
			}
		})
	}
}

// TestGateWindowSaysWhenItOpens, over the night that has no 02:30.
func TestGateWindowSaysWhenItOpens(t *testing.T) {
	p := policy(t, "windows: [{name: nightly, start: '2026-01-01T02:30', rrule: FREQ=DAILY, timezone: Europe/Berlin, duration: 1h}]")
	got := refused(t, before(p, at(t, "2026-03-28T12:00:00Z"), call("hold")), guard.GateWindow, "the next one opens at 2026-03-30T00:30:00Z")
	if !got.Opens.Equal(at(t, "2026-03-30T00:30:00Z")) || !strings.HasPrefix(got.Next, "unjam resume") {
		t.Errorf("opens %s, next %q", got.Opens, got.Next)
	}
	rare := policy(t, "windows: [{name: leap, start: '2000-02-29T12:00', rrule: FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29, timezone: UTC, duration: 1h}]")
	refused(t, before(rare, at(t, "2026-03-28T12:00:00Z"), call("hold")), guard.GateWindow, "opens at 2028-02-29T12:00:00Z")
	once := policy(t, "windows: [{name: once, start: '2026-01-01T02:30', timezone: Europe/Berlin, duration: 1h}]")
	if err := before(once, at(t, "2026-01-01T01:30:00Z"), call("hold")); err != nil {
		t.Error(err)
	}
	refused(t, before(once, at(t, "2025-12-31T01:30:00Z"), call("hold")), guard.GateWindow, "opens at 2026-01-01T01:30:00Z")
	if got := refused(t, before(once, at(t, "2026-03-28T12:00:00Z"), call("hold")), guard.GateWindow, "none that is as long as 1m0s opens again"); !got.Opens.IsZero() || got.Next != "" {
		t.Errorf("opens %s, next %q", got.Opens, got.Next)
	}
	until := policy(t, "windows: [{name: u, start: '2026-01-01T22:00', rrule: 'FREQ=DAILY;UNTIL=20260103T210000Z', timezone: Europe/Berlin, duration: 1h}]")
	if err := before(until, at(t, "2026-01-03T21:00:00Z"), call("hold")); err != nil {
		t.Errorf("the last one, whose start is UNTIL: %v", err)
	}
	refused(t, before(until, at(t, "2026-01-04T21:00:00Z"), call("hold")), guard.GateWindow, "opens again")
}

// TestGateWindowOutlived: what may take longer than the window is open is not begun; windows that meet are one.
func TestGateWindowOutlived(t *testing.T) {
	p := policy(t, `windows:
- {name: first, start: "2026-01-01T10:00", rrule: FREQ=DAILY, timezone: UTC, duration: 1h}
- {name: second, start: "2026-01-01T11:00", rrule: FREQ=DAILY, timezone: UTC, duration: 30m}
- {name: elsewhere, start: "2026-01-01T11:30", rrule: FREQ=DAILY, timezone: UTC, duration: 12h, accounts: ["222222222222"]}`)
	s := call("hold")
	for m, word := range map[string]string{
		"2026-05-01T10:00:00Z": "", "2026-05-01T11:29:00Z": "",
		"2026-05-01T11:29:01Z": "may take 1m0s, and the maintenance window closes at 2026-05-01T11:30:00Z; the next one opens at 2026-05-02T10:00:00Z",
		"2026-05-01T11:30:00Z": "no maintenance window for all is open in account 111111111111",
	} {
		if err := before(p, at(t, m), s); word == "" && err != nil {
			t.Errorf("%s: %v", m, err)
		} else if word != "" {
			refused(t, err, guard.GateWindow, word)
		}
	}
	s.Patience = 80 * time.Minute
	if err := before(p, at(t, "2026-05-01T10:09:00Z"), s); err != nil {
		t.Error(err)
	}
	refused(t, before(p, at(t, "2026-05-01T10:11:00Z"), s), guard.GateWindow, "may take 1h20m0s, and the maintenance window closes at 2026-05-01T11:30:00Z")
}

// TestGateWindowOwnNeed: what touches DNS, certificates or TLS needs a window even where nothing else does.
func TestGateWindowOwnNeed(t *testing.T) {
	const open, shut = "start: '2026-01-01T11:30', rrule: FREQ=DAILY, timezone: UTC, duration: 1h", "start: '2026-01-01T03:00', rrule: FREQ=DAILY, timezone: UTC, duration: 1h"
	noWindow := []string{guard.NoWindow}
	tests := map[string]struct {
		policy string
		accept []string
		admit  string // "": admitted
		before string // "": may be called
	}{
		"no policy":                   {"", nil, "and no policy defines one", "and no policy defines one"},
		"no policy, consent":          {"", noWindow, "", ""},
		"policy without windows":      {"metric: true", nil, "and no policy defines one", "and no policy defines one"},
		"for all":                     {"windows: [{name: w, " + open + "}]", nil, "", ""},
		"shut":                        {"windows: [{name: w, " + shut + "}]", nil, "", "no maintenance window"},
		"shut, consent":               {"windows: [{name: w, " + shut + "}]", noWindow, "", "no maintenance window"},
		"for both":                    {"windows: [{name: w, for: [tls, certificates], " + open + "}]", nil, "", ""},
		"for one of two":              {"windows: [{name: w, for: [tls], " + open + "}]", nil, "has none for certificates in account", "has none for certificates"},
		"for DNS":                     {"windows: [{name: w, for: [dns], " + open + "}]", noWindow, "has none for certificates and tls", "has none for certificates and tls"},
		"for another account":         {"windows: [{name: w, accounts: ['222222222222'], " + open + "}]", nil, "has none for", "has none for"},
		"its own though all are shut": {"windows: [{name: w, " + shut + "}, {name: v, for: [tls, certificates], " + open + "}]", nil, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var p guard.Policy
			if tt.policy != "" {
				p = policy(t, tt.policy)
			}
			r := request(tlsStep("cert"))
			r.Accept = tt.accept
			if _, err := p.Admit(r); tt.admit != "" {
				refused(t, err, guard.GateWindow, tt.admit)
			} else if err != nil {
				t.Errorf("not admitted: %v", err)
			}
			err := p.Before(r, r.Plan.Steps[0])
			if tt.before == "" && err != nil {
				t.Errorf("not called: %v", err)
			} else if tt.before != "" && (len(guard.Refusals(err)) == 0 || !strings.Contains(err.Error(), tt.before)) {
				t.Errorf("got %v, want a refusal that says %q", err, tt.before)
			}
		})
	}
	p := policy(t, "windows: [{name: w, for: [dns], "+shut+"}]")
	if err := p.Before(request(), call("hold")); err != nil {
		t.Errorf("a window for DNS alone binds another call: %v", err)
	}
}

// TestWindowsSideBySide: steps that run at the same time ask the same policy; the race detector sees whether they disturb each other.
func TestWindowsSideBySide(t *testing.T) {
	p := policy(t, "windows: [{name: w, start: '2026-01-01T02:00', rrule: 'FREQ=WEEKLY;BYDAY=SU;UNTIL=20260301T000000Z', timezone: Europe/Berlin, duration: 1h}]")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := before(p, now(), call("hold")); len(guard.Refusals(err)) != 1 {
				t.Errorf("got %v, want a closed window", err)
			}
		})
	}
	all.Wait()
}

// TestWindowsInUTC compares the windows of a zone without daylight saving with plain arithmetic, at any moment and for any length.
func TestWindowsInUTC(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		start := rapid.IntRange(0, 23).Draw(rt, "hour")
		length := rapid.IntRange(1, 23*60).Draw(rt, "minutes")
		moment := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 3*24*3600).Draw(rt, "seconds")) * time.Second)
		p := policy(t, fmt.Sprintf("windows: [{name: w, start: '2026-01-01T%02d:00', rrule: FREQ=DAILY, timezone: UTC, duration: %dm}]", start, length))
		begun := time.Date(moment.Year(), moment.Month(), moment.Day(), start, 0, 0, 0, time.UTC)
		if begun.After(moment) {
			begun = begun.AddDate(0, 0, -1)
		}
		left := begun.Add(time.Duration(length) * time.Minute).Sub(moment)
		err := before(p, moment, call("hold"))
		if open := left >= time.Minute; open != (err == nil) {
			rt.Fatalf("%s left of a window of %d minutes from %d:00 at %s: %v", left, length, start, moment, err)
		}
		if err == nil {
			return
		}
		if got, want := guard.Refusals(err)[0].Opens, begun.AddDate(0, 0, 1); !got.Equal(want) {
			rt.Fatalf("opens %s, want %s", got, want)
		}
	})
}
