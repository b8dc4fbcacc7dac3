package apply_test

import (
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/lab"
	labcloud "github.com/unjam/unjam/lab/cloud"
)

// kinds are everything that can become of one exchange with AWS.
func kinds() []string {
	return []string{lab.Throttled, lab.Denied, lab.Expired, lab.Reset, lab.Timeout, lab.HTML, lab.HTML503, lab.Half, lab.Unknown, lab.LostReply}
}

// onLab plays a world, diagnoses, plans and applies with one injection, over the wire.
func onLab(t *testing.T, worldName string, o plan.Options, in *labcloud.Injection, check func(*testing.T, *testkit.Case, journal.Status, []lab.Exchange)) {
	t.Helper()
	text, err := os.ReadFile("../../lab/world/worlds/" + worldName + ".world")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := testkit.Start(t, worldName, text)
		d := c.Diagnose(t, faults.All()...)
		p := makePlanOf(t, c, d, o)
		var writes []lab.Exchange
		c.Lab.Observe(func(e lab.Exchange) {
			if slices.Contains([]string{"RetryStageExecution", "StartPipelineExecution", "DisableStageTransition"}, e.Operation) {
				writes = append(writes, e)
			}
		})
		if in != nil {
			c.Lab.Cloud.Within(func() { c.Lab.Cloud.Injections = append(c.Lab.Cloud.Injections, in) })
		}
		j := open(t, t.TempDir())
		defer j.Close()
		out, err := c.App.Apply(t.Context(), app.Apply{Plan: p, Journal: j, Faults: faults.All(), Accept: p.Consents()})
		if err != nil {
			t.Fatal(err)
		}
		check(t, c, out.Status, writes)
		if t.Failed() {
			t.Logf("outcome %+v", out)
		}
		time.Sleep(time.Hour) // what was started ends
	})
}

func makePlanOf(t *testing.T, c *testkit.Case, d *app.Diagnosis, o plan.Options) plan.Plan {
	t.Helper()
	c.Files["wishes"] = pick(o.Hold, "hold", "")
	return c.Plan(t, d, faults.All())
}

// carriedOut are the writes that the lab performed.
func carriedOut(writes []lab.Exchange, operation string) int {
	n := 0
	for _, e := range writes {
		if e.Operation == operation && e.Status == 200 && e.ErrorCode == "" {
			n++
		}
	}
	return n
}

// Whatever becomes of the retry's exchange, the retry is performed once, or, when AWS refuses it for good, not at all.
func TestRetryOverTheWire(t *testing.T) {
	for _, kind := range append(kinds(), "") {
		t.Run("injected "+kind, func(t *testing.T) {
			var in *labcloud.Injection
			if kind != "" {
				in = &labcloud.Injection{Operation: "RetryStageExecution", Kind: kind, Times: 1}
			}
			onLab(t, "wants-retry", plan.Options{Hold: true}, in, func(t *testing.T, c *testkit.Case, status journal.Status, writes []lab.Exchange) {
				wantStatus, wantRetries := done, 1
				if kind == lab.Denied || kind == lab.Unknown {
					wantStatus, wantRetries = failed, 0
				}
				if n := carriedOut(writes, "RetryStageExecution"); status != wantStatus || n != wantRetries {
					t.Errorf("%s with %d retries, want %s with %d", status, n, wantStatus, wantRetries)
				}
				if n := carriedOut(writes, "DisableStageTransition"); n != 1 {
					t.Errorf("%d holds, want 1", n)
				}
			})
		})
	}
}

// Whatever becomes of one read of each kind, the run ends well and the retry is performed once.
func TestReadsOverTheWire(t *testing.T) {
	for _, kind := range kinds() {
		for _, operation := range []string{"GetPipelineState", "GetConnection"} {
			t.Run(operation+" "+kind, func(t *testing.T) {
				in := &labcloud.Injection{Operation: operation, Kind: kind, Times: 4}
				onLab(t, "wants-retry", plan.Options{}, in, func(t *testing.T, c *testkit.Case, status journal.Status, writes []lab.Exchange) {
					if n := carriedOut(writes, "RetryStageExecution"); status != done || n != 1 {
						t.Errorf("%s with %d retries, want done with 1", status, n)
					}
				})
			})
		}
	}
}
