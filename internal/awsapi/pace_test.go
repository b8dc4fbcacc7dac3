package awsapi

import (
	"testing"
	"time"
)

// The pace halves once for a burst of refusals, grows again by one call per second each second, and never beyond where it began.
func TestPaceLearns(t *testing.T) {
	p := newPace("codepipeline")
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	top := p.rate
	for range 50 { // sent together, refused together
		p.refused(now, now.Add(50*time.Millisecond))
	}
	if p.rate != top/2 {
		t.Errorf("after a burst of refusals %g per second, want %g", p.rate, top/2)
	}
	p.refused(now.Add(500*time.Millisecond), now.Add(550*time.Millisecond))
	if p.rate != top/2 {
		t.Errorf("halved again for a call of the same second: %g", p.rate)
	}
	p.refused(now.Add(2*time.Second), now.Add(2050*time.Millisecond))
	if p.rate != top/4 {
		t.Errorf("after a later refusal %g per second, want %g", p.rate, top/4)
	}
	for range int(top / 4) {
		p.answered(now)
	}
	if got := p.rate - top/4; got < 0.9 || got > 1 {
		t.Errorf("after a second of answers %g more, want about 1", got)
	}
	for range 100000 {
		p.answered(now)
	}
	if p.rate != top {
		t.Errorf("after many answers %g per second, want %g", p.rate, top)
	}
	for range 20 {
		now = now.Add(time.Minute)
		p.refused(now, now)
	}
	if p.rate != slowest {
		t.Errorf("after many refusals %g per second, want %g", p.rate, slowest)
	}
	trail := newPace("cloudtrail")
	trail.refused(now, now)
	if trail.rate != 1.9 {
		t.Errorf("CloudTrail's pace moved to %g", trail.rate)
	}
}

// A call that is refused is given up when nothing is answered any more, or when it took too long.
func TestHopeless(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	p := newPace("codepipeline")
	for _, c := range []struct {
		refusals int
		since    time.Duration
		heard    time.Duration
		want     bool
	}{
		{1, 0, time.Hour, false},
		{throttleTries - 1, 9 * time.Second, time.Hour, false},
		{throttleTries, 9 * time.Second, time.Hour, true},
		{throttleTries, 9 * time.Second, time.Second, false},
		{30, throttlePatience, time.Second, true},
	} {
		p.heard = now.Add(-c.heard)
		if got := p.hopeless(c.refusals, now.Add(-c.since), now); got != c.want {
			t.Errorf("%d refusals in %s, heard %s ago: %v", c.refusals, c.since, c.heard, got)
		}
	}
}
