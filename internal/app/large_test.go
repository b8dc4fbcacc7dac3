package app_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/lab/cloud"
)

// wide is a large account: 17 enabled Regions with 20 pipelines each, in every Region one that waits for the same connection. In
// one of them, Osaka, CodePipeline has no connection source: it is not asked.
func wide() []byte { return account(size{regions: 17, pipelines: 20, stuck: 1, elsewhere: 1}) }

// asked is one diagnosis of one stuck pipeline in the large account.
type asked struct {
	d       *app.Diagnosis
	verdict time.Duration // until the finding was told
	whole   time.Duration
	calls   []cloud.Call
}

func askWide(t *testing.T, quick bool, timeout time.Duration) (a asked) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := play(t, "wide", wide())
		s.set(func(c *cloud.Cloud) { c.Latency = 50 * time.Millisecond })
		ctx := t.Context()
		if timeout > 0 {
			limited, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			ctx = limited
		}
		start := time.Now()
		d, err := s.open(t, nil).Diagnose(ctx, app.Ask{Targets: target(t, "p0000"), Quick: quick}, faults.All(), func(p app.Progress) {
			if len(p.New) > 0 && a.verdict == 0 {
				a.verdict = time.Since(start)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		a.d, a.whole, a.calls = d, time.Since(start), s.lab.Cloud.Ledger()
		for _, g := range d.Report.Gaps {
			if g.Class != fact.Missing && !strings.HasSuffix(g.Why, "to see it") && !strings.HasSuffix(g.Why, "to see them") && !strings.Contains(g.Why, "raise --timeout") {
				t.Errorf("message %q does not say what to do", g.Why)
			}
		}
	})
	if verdicts(a.d.Report)["connection-pending"] != fault.Found || a.verdict > time.Second {
		t.Errorf("the verdict came after %s\n%s", a.verdict, words(a.d.Report))
	}
	return a
}

// The blast radius of a large account is read concurrently: 320 definitions in 16 Regions take no longer than CloudTrail's look-ups.
func TestLargeAccount(t *testing.T) {
	a := askWide(t, false, 0)
	if len(a.d.Report.Gaps) > 0 || len(a.d.Report.Findings[0].Affects) != 16 || a.whole > 5*time.Second {
		t.Errorf("after %s:\n%s", a.whole, words(a.d.Report))
	}
}

// --quick leaves the other Regions out and says so.
func TestLargeAccountQuick(t *testing.T) {
	a := askWide(t, true, 0)
	for _, c := range a.calls {
		if c.Service == "codepipeline" && c.Region != "eu-west-1" {
			t.Errorf("asked %s in %s", c.Operation, c.Region)
		}
	}
	if g := a.d.Report.Gaps; len(g) != 1 || g[0].Operation != "ListRegions" || g[0].Class != fact.Skipped || len(a.calls) > 60 {
		t.Errorf("%d calls\n%s", len(a.calls), words(a.d.Report))
	}
}

// --timeout cuts it at any moment after the verdict: what was not read by then is a gap, and nothing is waited for any more.
func TestLargeAccountCut(t *testing.T) {
	for _, limit := range []time.Duration{300 * time.Millisecond, time.Second, 2 * time.Second} {
		a := askWide(t, false, limit)
		unread := 0
		for _, g := range a.d.Report.Gaps {
			if strings.Contains(g.Why, "the time was up") || g.Class == fact.Timeout {
				unread++
			}
		}
		if unread == 0 || unread != len(a.d.Report.Gaps) || a.whole > limit+100*time.Millisecond {
			t.Errorf("limit %s, took %s, %d of %d gaps are for the time\n%s", limit, a.whole, unread, len(a.d.Report.Gaps), words(a.d.Report))
		}
	}
}
