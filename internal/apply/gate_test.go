package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// Gates: none of these begins, and none calls or journals anything.
func TestGates(t *testing.T) {
	tests := map[string]struct {
		change func(*apply.Config)
		word   string
	}{
		"expired":         {func(c *apply.Config) { time.Sleep(25 * time.Hour) }, "expired for starting"},
		"edited":          {func(c *apply.Config) { c.Plan.Steps[0].Do.Input["retryMode"] = "ALL_ACTIONS" }, "was edited"},
		"expiry edited":   {func(c *apply.Config) { c.Plan.ExpiresAt = c.Plan.ExpiresAt.Add(time.Hour) }, "was edited"},
		"other account":   {func(c *apply.Config) { c.Account = "222222222222" }, "is for account 111111111111"},
		"not a catalogue": {func(c *apply.Config) { s := c.Plan.Steps[0]; s.Do.Operation = "DeletePipeline"; c.Plan = makePlan(s) }, "not a write of the catalogue"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := available("web")
				cfg, said := config(t, c, makePlan(retry("web")))
				j := open(t, t.TempDir())
				defer j.Close()
				cfg.Journal = j
				tt.change(&cfg)
				out, err := apply.Run(t.Context(), cfg)
				var gate *apply.RefusedError
				if !errors.As(err, &gate) || out.ExitHint != 5 || !strings.Contains(err.Error(), tt.word) {
					t.Errorf("exit %d, %v; want a refusal that says %q", out.ExitHint, err, tt.word)
				}
				runs, err := j.List(0)
				if err != nil || len(runs) != 0 || len(c.tries) != 0 || len(c.reads) != 0 || len(*said) != 0 {
					t.Errorf("something was done: runs %v, calls %v, reads %v, events %v (%v)", runs, c.tries, c.reads, *said, err)
				}
			})
		})
	}
}

// A run can be resumed only with its own plan and account, and only by one process at a time.
func TestResumeGates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("web")
		cfg, _ := config(t, c, makePlan(handshake()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		id := make(chan string, 100)
		cfg.Events = func(e apply.Event) { id <- e.Run }
		ended := make(chan apply.Outcome)
		go func() { out, _ := apply.Run(ctx, cfg); ended <- out }()
		second := cfg
		second.RunID, second.Events = <-id, func(apply.Event) { t.Error("the second process did something") }
		go func() {
			for range id {
			}
		}()
		out, err := apply.Run(t.Context(), second)
		if !errors.Is(err, journal.ErrHeld) || out.ExitHint != 5 {
			t.Errorf("a second process got the run: %+v, %v", out, err)
		}
		if first := <-ended; first.Status != halted {
			t.Errorf("the first process ended %s", first.Status)
		}
		close(id)
		var gate *apply.RefusedError
		second.Plan = makePlan(retry("web"))
		if _, err := apply.Run(t.Context(), second); !errors.As(err, &gate) {
			t.Errorf("resumed with another plan: %v", err)
		}
		second.Plan, second.Account = plan.Plan{}, "222222222222"
		if _, err := apply.Run(t.Context(), second); !errors.As(err, &gate) {
			t.Errorf("resumed in another account: %v", err)
		}
		second.RunID = "20260101-0000-none"
		if _, err := apply.Run(t.Context(), second); !errors.Is(err, journal.ErrNoRun) {
			t.Errorf("resumed a run that does not exist: %v", err)
		}
	})
}

// A plan is carried out by one run at a time: while one is not over, worked on or left, another one of the same plan is refused and told
// which; once it is over, the plan may begin again.
func TestOneRunOfAPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("web")
		cfg, _ := config(t, c, makePlan(handshake()))
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		ended := make(chan apply.Outcome)
		go func() { out, _ := apply.Run(ctx, cfg); ended <- out }()
		time.Sleep(time.Minute)
		refused := func(held bool) string {
			t.Helper()
			second, said := config(t, c, cfg.Plan)
			second.Journal = cfg.Journal
			out, err := apply.Run(t.Context(), second)
			var gate *apply.RefusedError
			if !errors.As(err, &gate) || gate.Run == "" || gate.Held != held || out.ExitHint != 5 || len(*said) != 0 {
				t.Fatalf("a second run of the plan: %+v, %+v, %d events; want a refusal that names the first, held %t", out, err, len(*said), held)
			}
			return gate.Run
		}
		first := refused(true)
		leave()
		if out := <-ended; out.Run != first {
			t.Errorf("the refusal names %s, the run is %s", first, out.Run)
		}
		refused(false)
		c.set("AVAILABLE", 0)
		again := cfg
		again.RunID = first
		if out, err := apply.Run(t.Context(), again); err != nil || out.Status != journal.IsDone {
			t.Fatalf("resumed: %+v, %v", out, err)
		}
		if out, err := apply.Run(t.Context(), cfg); err != nil || out.Run == first || out.Status != journal.IsDone {
			t.Errorf("a run after the first was over: %+v, %v", out, err)
		}
	})
}

// Of many that begin the same plan at the same moment one gets a run.
func TestOneOfManyBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("web")
		cfg, _ := config(t, c, makePlan(handshake()))
		cfg.Events = nil
		ctx, leave := context.WithCancel(t.Context())
		const many = 16
		errs := make(chan error, many)
		for range many {
			go func() { _, err := apply.Run(ctx, cfg); errs <- err }()
		}
		time.Sleep(time.Minute)
		leave()
		begun := 0
		for range many {
			var gate *apply.RefusedError
			if err := <-errs; err == nil {
				begun++
			} else if !errors.As(err, &gate) {
				t.Error(err)
			}
		}
		if begun != 1 {
			t.Errorf("%d runs of one plan", begun)
		}
	})
}
