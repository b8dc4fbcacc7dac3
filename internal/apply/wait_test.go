package apply_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

const (
	done    = journal.IsDone
	skipped = journal.WasSkipped
	failed  = journal.HasFailed
	stale   = journal.IsStale
	halted  = journal.WasStopped
	waiting = journal.IsWaiting
	inDoubt = journal.InDoubt
	pending = journal.Pending
)

// A connection that is completed after 47 hours: the pipelines run again, and the ledger of writes is the plan's.
func TestWholeStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("web", "api")
		c.set("AVAILABLE", 47*time.Hour)
		p := makePlan(handshake(), verifyStep("handshake"), hold("web", "handshake"), retry("web", "handshake", "hold-web"), start("api", "handshake"))
		cfg, said := config(t, c, p)
		out := run(t, t.Context(), cfg)
		want(t, out, done, 0, done, done, done, done, done)
		wantCalls(t, c.tries, "DisableStageTransition web", "RetryStageExecution web", "StartPipelineExecution api")
		if out.Steps[3].Outputs["pipelineExecutionId"] != "exec-0" || out.Steps[4].Outputs["pipelineExecutionId"] == "" {
			t.Errorf("outputs are lost: %+v", out.Steps)
		}
		if n := said.count("handshake", apply.Confirmed); n != 1 {
			t.Errorf("%d confirmations of the handshake, want 1", n)
		}
		for _, e := range *said {
			if e.Schema != "unjam/events/v1" || e.Run != out.Run || e.At.IsZero() {
				t.Fatalf("event is not complete: %+v", e)
			}
		}
		// Resuming a run that is done calls nothing and reads nothing.
		reads := len(c.reads)
		cfg.RunID = out.Run
		want(t, run(t, t.Context(), cfg), done, 0, done, done, done, done, done)
		if len(c.tries) != 3 || len(c.reads) != reads {
			t.Error("a finished run was worked on again")
		}
	})
}

func TestPollRhythm(t *testing.T) {
	tests := map[string]struct {
		watching    bool
		interval    time.Duration
		early, late time.Duration // between polls in the first 30 minutes and afterwards
	}{
		"alone":    {early: 5 * time.Second, late: 15 * time.Second},
		"watching": {watching: true, early: 5 * time.Second, late: 5 * time.Second},
		"interval": {interval: 2 * time.Second, early: 2 * time.Second, late: 2 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud()
				c.set("AVAILABLE", 2*time.Hour)
				cfg, _ := config(t, c, makePlan(handshake()))
				cfg.Watching, cfg.Interval = tt.watching, tt.interval
				begin := time.Now()
				want(t, run(t, t.Context(), cfg), done, 0, done)
				for i := 2; i < len(c.readTimes)-1; i++ { // 0: before the step
					gap, wanted := c.readTimes[i].Sub(c.readTimes[i-1]), tt.early
					if c.readTimes[i-1].Sub(begin) >= 30*time.Minute {
						wanted = tt.late
					}
					if gap != wanted {
						t.Fatalf("poll %d after %s came after %s, want %s", i, c.readTimes[i].Sub(begin), gap, wanted)
					}
				}
				if last := c.readTimes[len(c.readTimes)-1]; last != c.readTimes[len(c.readTimes)-2] {
					t.Error("the change was not confirmed by a second read at once")
				}
			})
		})
	}
}

// One odd reply is never the truth: AVAILABLE once, gone once, ERROR for a while.
func TestOddReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		odd := map[int]string{3: "AVAILABLE", 6: "gone", 10: "ERROR", 11: "ERROR"}
		n := 0
		c.onRead = func(fact.Query) fact.Class {
			n++
			status := odd[n]
			if status == "" {
				status = "PENDING"
			}
			if n >= 100 {
				status = "AVAILABLE"
			}
			c.set(status)
			return ""
		}
		cfg, said := config(t, c, makePlan(handshake()))
		want(t, run(t, t.Context(), cfg), done, 0, done)
		if n < 100 {
			t.Errorf("done after %d reads: an odd reply was believed", n)
		}
		if said.count("handshake", apply.Unconfirmed) != 2 || said.count("handshake", apply.Grace) != 1 {
			t.Errorf("the odd replies were not told: %+v", *said)
		}
	})
}

func TestEndsBadly(t *testing.T) {
	tests := map[string]struct {
		status string
		grace  time.Duration
		after  time.Duration // it ends so long after the change
		word   string
	}{
		"error":        {status: "ERROR", after: 10 * time.Minute, word: "has shown ERROR for 10m0s"},
		"error, grace": {status: "ERROR", grace: time.Minute, after: time.Minute, word: "has shown ERROR for 1m0s"},
		"deleted":      {status: "gone", after: 0, word: "was deleted"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud("web")
				c.set(tt.status, time.Hour)
				cfg, _ := config(t, c, makePlan(handshake(), retry("web", "handshake")))
				cfg.Grace = tt.grace
				begin := time.Now()
				out := run(t, t.Context(), cfg)
				want(t, out, failed, 1, failed, pending)
				if late := time.Since(begin) - time.Hour - tt.after; late < 0 || late > time.Minute {
					t.Errorf("it ended %s after the change, want about %s", late+tt.after, tt.after)
				}
				if !strings.Contains(out.Steps[0].Message, tt.word) {
					t.Errorf("message %q lacks %q", out.Steps[0].Message, tt.word)
				}
				wantCalls(t, c.tries)
			})
		})
	}
}

// ERROR that AWS mends within the grace period is no failure, and the grace starts anew at the next ERROR.
func TestErrorMends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		for h := range 3 {
			c.set("ERROR", time.Duration(h+1)*time.Hour)
			c.set("PENDING", time.Duration(h+1)*time.Hour+9*time.Minute)
		}
		c.set("AVAILABLE", 5*time.Hour)
		cfg, said := config(t, c, makePlan(handshake()))
		want(t, run(t, t.Context(), cfg), done, 0, done)
		if n := said.count("handshake", apply.Grace); n != 3 {
			t.Errorf("%d graces, want 3", n)
		}
	})
}

// Failing reads never end a wait; they slow it down, to a minute at most.
func TestTroubleWhileWaiting(t *testing.T) {
	for _, class := range []fact.Class{fact.Throttled, fact.Timeout, fact.Denied, fact.Failed} {
		t.Run(string(class), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud()
				c.set("AVAILABLE", 3*time.Hour)
				begin := time.Now()
				c.onRead = func(fact.Query) fact.Class {
					if d := time.Since(begin); d > time.Minute && d < 2*time.Hour {
						return class
					}
					return ""
				}
				cfg, said := config(t, c, makePlan(handshake()))
				want(t, run(t, t.Context(), cfg), done, 0, done)
				n := said.count("handshake", apply.Trouble)
				if n < 115 || n > 140 {
					t.Errorf("%d failed reads in two hours, want about one a minute", n)
				}
			})
		})
	}
}

// Credentials that run out are asked for once, renewed before each poll, and the run goes on. Those of another account are
// never used: what that account says of the connection would be wrong.
func TestExpiredCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("web")
		c.set("AVAILABLE", 20*time.Hour)
		begin := time.Now()
		fresh := false
		c.onRead = func(q fact.Query) fact.Class {
			if d := time.Since(begin); d > 8*time.Hour && !fresh {
				return fact.Expired
			}
			if c.caller != "" && q.Kind != fact.KindIdentity {
				t.Error("read with the credentials of another account")
			}
			return ""
		}
		cfg, said := config(t, c, makePlan(handshake(), retry("web", "handshake")))
		renewals := 0
		cfg.Renew = func(context.Context) error {
			renewals++
			switch d := time.Since(begin); {
			case d < 10*time.Hour:
				return context.DeadlineExceeded
			case d < 11*time.Hour:
				fresh, c.caller = true, "222222222222"
			default:
				c.caller = ""
			}
			return nil
		}
		want(t, run(t, t.Context(), cfg), done, 0, done, done)
		if said.count("handshake", apply.Expired) != 1 || said.count("handshake", apply.Renewed) != 1 {
			t.Errorf("expiry told %d times, renewal %d times, want once each", said.count("handshake", apply.Expired), said.count("handshake", apply.Renewed))
		}
		if renewals < 100 {
			t.Errorf("%d renewals tried", renewals)
		}
		wantCalls(t, c.tries, "RetryStageExecution web")
	})
}

// Nobody renews the credentials: the run is left after three days, and can be resumed.
func TestCredentialsNeverComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("web")
		c.set("AVAILABLE")
		c.onRead = func(fact.Query) fact.Class { return fact.Expired }
		cfg, _ := config(t, c, makePlan(retry("web")))
		cfg.Renew = func(context.Context) error { return context.DeadlineExceeded }
		out := run(t, t.Context(), cfg)
		want(t, out, waiting, 6, waiting)
		c.onRead = nil
		cfg.RunID = out.Run
		want(t, run(t, t.Context(), cfg), done, 0, done)
		wantCalls(t, c.tries, "RetryStageExecution web")
	})
}

// A person who does not come is no failure; resume waits on.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("web")
		cfg, _ := config(t, c, makePlan(handshake(), retry("web", "handshake")))
		begin := time.Now()
		out := run(t, t.Context(), cfg)
		want(t, out, waiting, 6, waiting, pending)
		if d := time.Since(begin); d < 72*time.Hour || d > 73*time.Hour {
			t.Errorf("it waited %s, want 72h", d)
		}
		c.set("AVAILABLE", time.Hour)
		cfg.RunID = out.Run // the plan has expired for starting, not for waiting
		want(t, run(t, t.Context(), cfg), done, 0, done, done)
	})
}

// Stopped on request: exit 6, nothing more is called, and resume goes on. A wait holds up nothing independent.
func TestStopAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("web", "api")
		cfg, _ := config(t, c, makePlan(handshake(), retry("web", "handshake"), hold("api")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		out := run(t, ctx, cfg)
		want(t, out, halted, 6, halted, pending, done)
		wantCalls(t, c.tries, "DisableStageTransition api")
		st, err := cfg.Journal.State(out.Run)
		if err != nil || st.Status != halted || st.Step("handshake").Status != halted || st.Step("hold-api").Status != done {
			t.Errorf("journal says %+v (%v)", st, err)
		}
		c.set("AVAILABLE")
		cfg.RunID, cfg.Plan = out.Run, plan.Plan{} // the journal has the plan
		want(t, run(t, t.Context(), cfg), done, 0, skipped, done, done)
		wantCalls(t, c.tries, "DisableStageTransition api", "RetryStageExecution web")
	})
}

func TestVerify(t *testing.T) {
	tests := map[string]struct {
		answer func(n int) (fault.Verdict, error)
		status journal.Status
		hint   int
		word   string
	}{
		"lags": {func(n int) (fault.Verdict, error) { return pick(n > 4, fault.Clear, fault.Found), nil }, done, 0, "is clear"},
		"fails first": {func(n int) (fault.Verdict, error) {
			return pick(n > 4, fault.Clear, fault.Unknown), pick(n < 3, error(errDead), nil)
		}, done, 0, "is clear"},
		"still there": {func(int) (fault.Verdict, error) { return fault.Found, nil }, failed, 1, "still broken: words"},
		"not seen":    {func(int) (fault.Verdict, error) { return fault.Unknown, nil }, failed, 1, "could not be seen"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud()
				cfg, _ := config(t, c, makePlan(verifyStep()))
				n := 0
				cfg.Verdict = func(context.Context, string, fact.Ref) (fault.Verdict, string, error) {
					n++
					v, err := tt.answer(n)
					return v, "words", err
				}
				begin := time.Now()
				out := run(t, t.Context(), cfg)
				want(t, out, tt.status, tt.hint, tt.status)
				if !strings.Contains(out.Steps[0].Message, tt.word) {
					t.Errorf("message %q lacks %q", out.Steps[0].Message, tt.word)
				}
				if d := time.Since(begin); d > 7*time.Minute {
					t.Errorf("it took %s, the step's patience is 5m", d)
				}
			})
		})
	}
}

func pick[T any](b bool, yes, no T) T {
	if b {
		return yes
	}
	return no
}
