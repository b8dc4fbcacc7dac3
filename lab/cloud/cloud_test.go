package cloud_test

import (
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Readers see a write, and a deletion, the lag later and not before; services see the truth at once.
func TestLagged(t *testing.T) {
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	for _, lag := range []time.Duration{0, 10 * time.Second} {
		c := cloud.New()
		c.Replay(now)
		c.Lag = lag
		var l cloud.Lagged[string]
		want := func(at time.Duration, truth, seen string) {
			t.Helper()
			c.Replay(now.Add(at))
			got, _ := l.Truth()
			reader, ok := l.Seen(c)
			if got != truth || reader != seen || ok != (seen != "") {
				t.Errorf("lag %v, after %v: truth %q, seen %q (%v); want %q and %q", lag, at, got, reader, ok, truth, seen)
			}
		}
		if lag == 0 {
			l.Set(c, "a")
			want(0, "a", "a")
			l.Set(c, "b")
			want(0, "b", "b")
			l.Delete(c)
			want(0, "", "")
			continue
		}
		want(0, "", "")
		l.Set(c, "a")
		want(9*time.Second, "a", "")
		want(10*time.Second, "a", "a")
		l.Set(c, "b")
		c.Replay(now.Add(15 * time.Second))
		l.Set(c, "c")
		want(19*time.Second, "c", "a")
		want(20*time.Second, "c", "b")
		want(25*time.Second, "c", "c")
		l.Delete(c)
		want(34*time.Second, "", "c")
		want(35*time.Second, "", "")
	}
}

// What falls due on the way happens at its own time, in order of time and then of asking; time never runs back.
func TestReplay(t *testing.T) {
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	c := cloud.New()
	c.Replay(now)
	var got []string
	note := func(what string) func() {
		return func() { got = append(got, what+" "+c.Now().Sub(now).String()) }
	}
	c.After(2*time.Second, note("late"))
	c.After(time.Second, func() { note("first")(); c.After(0, note("third")) })
	c.After(time.Second, note("second"))
	c.After(time.Hour, note("never"))
	c.Replay(now.Add(time.Minute))
	c.Replay(now)
	want := []string{"first 1s", "second 1s", "third 1s", "late 2s"}
	if len(got) != len(want) || !c.Now().Equal(now.Add(time.Minute)) {
		t.Fatalf("happened %q at %v", got, c.Now())
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("happened %q, want %q", got[i], want[i])
		}
	}
}
