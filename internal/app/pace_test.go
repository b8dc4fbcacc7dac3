package app_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/lab/cloud"
)

// An account whose limits are far below the pace that a diagnosis begins with: everything is read all the same, nothing becomes a
// gap, and refusals stay a small part of the calls.
func TestPaceAdapts(t *testing.T) {
	for _, limit := range []float64{2, 10, 30} {
		t.Run(fmt.Sprintf("%g per second", limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(t, "many", account(size{regions: 2, pipelines: 200, stuck: 3}))
				s.set(func(c *cloud.Cloud) {
					c.Latency = 50 * time.Millisecond
					for _, op := range c.Service("codepipeline").Ops {
						op.Rate = limit
					}
				})
				start := time.Now()
				d := diagnose(t, s.open(t, nil), "")
				took := time.Since(start)
				refused, served := 0, 0
				for _, k := range s.lab.Cloud.Ledger() {
					switch {
					case k.Service == "codepipeline" && k.ErrorCode != "":
						refused++
					case k.Service == "codepipeline":
						served++
					}
				}
				t.Logf("%d served, %d refused, %s", served, refused, took)
				if slices.ContainsFunc(d.Report.Gaps, func(g report.Gap) bool { return g.Class == fact.Throttled || g.Service == "codepipeline" }) {
					t.Errorf("gaps under throttling\n%s", words(d.Report))
				}
				if refused == 0 || refused > served {
					t.Errorf("%d calls refused, %d served", refused, served)
				}
				if best := time.Duration(400 / limit * float64(time.Second)); took > 3*best {
					t.Errorf("took %s, at the limit it would be about %s", took, best)
				}
			})
		})
	}
}
