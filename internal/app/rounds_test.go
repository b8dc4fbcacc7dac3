package app_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// roundTrips is the longest chain of calls in which each began after the one before it had ended.
func roundTrips(calls []cloud.Call) int {
	calls = slices.Clone(calls)
	slices.SortFunc(calls, func(a, b cloud.Call) int { return a.End.Compare(b.End) })
	depth := make([]int, len(calls))
	longest := 0
	for i, c := range calls {
		depth[i] = 1
		for j := range i {
			if !calls[j].End.After(c.Start) {
				depth[i] = max(depth[i], depth[j]+1)
			}
		}
		longest = max(longest, depth[i])
	}
	return longest
}

// One stuck pipeline in an account with five and one enabled Region: at most 120 calls, and at most eight round trips one after
// another, the history of the pipeline included. Calls take ten seconds here, so that what is held back by a second or two for the pace of CloudTrail still counts as
// made at the same time.
func TestRoundTrips(t *testing.T) {
	for _, on := range []string{"p0000", ""} {
		t.Run("target "+on, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(t, "five", account(size{regions: 1, pipelines: 5, stuck: 1}))
				s.set(func(c *cloud.Cloud) { c.Latency = 10 * time.Second })
				d := diagnose(t, s.open(t, nil), on)
				calls := s.lab.Cloud.Ledger()
				trips := roundTrips(calls)
				t.Logf("%d calls, %d round trips one after another", len(calls), trips)
				if len(calls) > 120 || trips > 8 {
					t.Errorf("%d calls and %d round trips, want at most 120 and 8\n%s", len(calls), trips, words(d.Report))
				}
				if d.Report.Calls.Total != len(calls) {
					t.Errorf("the report counts %d calls, the lab %d", d.Report.Calls.Total, len(calls))
				}
			})
		})
	}
}
