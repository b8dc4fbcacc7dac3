package apply_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// available is a cloud whose connection works, so that restarted pipelines succeed.
func available(pipelines ...string) *cloud {
	c := newCloud(pipelines...)
	c.set("AVAILABLE")
	return c
}

// move gives a pipeline a new look from now on.
func (c *cloud) move(name string, change func(*fact.PipelineState)) {
	p := c.pipes[name]
	st := p.at(time.Now())
	st.Stages = append([]fact.StageState{}, st.Stages...)
	st.Stages[0].Actions = append([]fact.ActionState{}, st.Stages[0].Actions...)
	change(&st)
	*p = append(*p, moment[fact.PipelineState]{time.Now(), st})
}

// What a step relied on has moved: it and its dependants stop, independent steps finish, exit 5.
func TestStale(t *testing.T) {
	moves := map[string]func(*fact.PipelineState){
		"execution": func(s *fact.PipelineState) { s.Stages[0].Execution = "exec-9" },
		"status":    func(s *fact.PipelineState) { s.Stages[0].Actions[0].Status = "InProgress" },
		"version":   func(s *fact.PipelineState) { s.Version = 4 },
	}
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := available("web", "api")
				c.move("web", move)
				cfg, _ := config(t, c, makePlan(retry("web"), verifyStep("retry-web"), start("api")))
				out := run(t, t.Context(), cfg)
				want(t, out, stale, 5, stale, pending, done)
				if !strings.Contains(out.Steps[0].Message, "plan again") {
					t.Errorf("message %q does not say what to do", out.Steps[0].Message)
				}
				wantCalls(t, c.tries, "StartPipelineExecution api")
			})
		})
	}
}

// One odd read makes no step stale and skips none.
func TestOddReadBeforeCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		n := 0
		c.onRead = func(fact.Query) fact.Class {
			n++
			st := pipeState("web", "exec-0", "act-0", "Failed", true)
			switch n {
			case 1:
				st.Stages[0].Execution = "odd"
			case 3:
				st.Stages[0].Actions[0].ID, st.Stages[0].Actions[0].Status = "odd", "Succeeded"
			case 6: // after the call has begun to matter, the cloud speaks for itself
				c.onRead = nil
				return ""
			}
			if n < 6 {
				c.pipes["web"] = &story[fact.PipelineState]{{time.Now(), st}}
			}
			return ""
		}
		cfg, said := config(t, c, makePlan(retry("web")))
		want(t, run(t, t.Context(), cfg), done, 0, done)
		if said.count("retry-web", apply.Unconfirmed) != 2 {
			t.Errorf("odd reads told %d times, want 2", said.count("retry-web", apply.Unconfirmed))
		}
		wantCalls(t, c.tries, "RetryStageExecution web")
	})
}

// What a step relies on cannot be read: nothing is called, and after ten minutes it has failed.
func TestNeverBlind(t *testing.T) {
	for _, class := range []fact.Class{fact.Denied, fact.Throttled, fact.Failed} {
		t.Run(string(class), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := available("web")
				begin := time.Now()
				c.onRead = func(fact.Query) fact.Class { return class }
				cfg, _ := config(t, c, makePlan(retry("web")))
				out := run(t, t.Context(), cfg)
				want(t, out, failed, 1, failed)
				if !strings.Contains(out.Steps[0].Message, "could not be read: the read failed") {
					t.Errorf("message %q does not say why", out.Steps[0].Message)
				}
				if d := time.Since(begin); d < 10*time.Minute || d > 12*time.Minute {
					t.Errorf("it gave up after %s, want 10m", d)
				}
				wantCalls(t, c.tries)
				c.onRead = nil // a failed run can be resumed
				cfg.RunID = out.Run
				want(t, run(t, t.Context(), cfg), done, 0, done)
				wantCalls(t, c.tries, "RetryStageExecution web")
			})
		})
	}
}

// Half of what a step relies on is not enough: neither when only Given is readable, nor when only SkipWhen is.
func TestHalfBlind(t *testing.T) {
	for name, blind := range map[string]fact.Kind{"given": fact.KindPipelineState, "skip": fact.KindConnection} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud("web")
				c.onRead = func(q fact.Query) fact.Class { return pick(q.Kind == blind, fact.Denied, fact.Class("")) }
				s := retry("web")
				s.SkipWhen = []plan.Check{connIs("AVAILABLE")}
				cfg, _ := config(t, c, makePlan(s))
				want(t, run(t, t.Context(), cfg), failed, 1, failed)
				wantCalls(t, c.tries)
			})
		})
	}
}

func TestSkip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		c.move("web", func(s *fact.PipelineState) {
			s.Stages[0].Actions[0].ID, s.Stages[0].Actions[0].Status = "act-7", "Succeeded"
		})
		cfg, _ := config(t, c, makePlan(retry("web"), verifyStep("retry-web")))
		want(t, run(t, t.Context(), cfg), done, 0, skipped, done)
		wantCalls(t, c.tries)
	})
}

// Definite refusals: those that pass are tried again, the others end the step, unless somebody else was faster.
func TestRefused(t *testing.T) {
	tests := map[string]struct {
		code    string
		times   int // refused so often
		faster  string
		status  journal.Status
		hint    int
		tries   int
		message string
	}{
		"busy":             {code: "ConflictException", times: 3, status: done, tries: 4},
		"throttled":        {code: "ThrottlingException", times: 2, status: done, tries: 3},
		"expired":          {code: "ExpiredTokenException", times: 1, status: done, tries: 2},
		"busy for ever":    {code: "ConflictException", times: 1000, status: failed, hint: 1, tries: 14, message: "refused again and again: AWS says ConflictException"},
		"denied":           {code: "AccessDeniedException", times: 1000, status: failed, hint: 1, tries: 1, message: "AWS says AccessDeniedException"},
		"not retryable":    {code: "StageNotRetryableException", times: 1000, status: failed, hint: 1, tries: 1, message: "AWS says StageNotRetryableException"},
		"done by somebody": {code: "StageNotRetryableException", times: 1000, faster: "Succeeded", status: skipped, tries: 1},
		"at it":            {code: "StageNotRetryableException", times: 1000, faster: "InProgress", status: stale, hint: 5, tries: 1, message: "AWS says StageNotRetryableException"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := available("web")
				c.lag = 3 * time.Second
				c.onWrite = func(plan.Action) error {
					if len(c.tries) > tt.times {
						return nil
					}
					if tt.faster != "" {
						c.move("web", func(s *fact.PipelineState) {
							s.Stages[0].Actions[0].ID, s.Stages[0].Actions[0].Status = "act-7", tt.faster
						})
					}
					return refused(tt.code)
				}
				cfg, _ := config(t, c, makePlan(retry("web")))
				cfg.Renew = func(context.Context) error { return nil }
				time.Sleep(time.Minute) // reads lag
				out := run(t, t.Context(), cfg)
				status := tt.status
				if status == skipped {
					status = done
				}
				want(t, out, status, tt.hint, tt.status)
				if tt.times < 1000 && len(c.tries) != tt.tries || tt.times == 1000 && (len(c.tries) < tt.tries || len(c.tries) > tt.tries+3) {
					t.Errorf("%d tries, want %d", len(c.tries), tt.tries)
				}
				if !strings.Contains(out.Steps[0].Message, tt.message) {
					t.Errorf("message %q lacks %q", out.Steps[0].Message, tt.message)
				}
			})
		})
	}
}

// A lost reply: whether the call happened is read, with lag; it is made again only when it is known that it did not happen, or
// when repeating is safe.
func TestLostReply(t *testing.T) {
	steps := map[string]func() plan.Step{"retry": func() plan.Step { return retry("web") }, "start": func() plan.Step { return start("web") }, "hold": func() plan.Step { return hold("web") }}
	for name, step := range steps {
		for _, happened := range []bool{true, false} {
			for _, lag := range []time.Duration{0, 12 * time.Second} {
				t.Run(name+map[bool]string{true: " happened", false: " lost"}[happened]+" "+lag.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c := available("web")
						time.Sleep(time.Minute)
						c.lag = lag
						lose := func(plan.Action) error {
							if len(c.tries) == 1 {
								return errLost
							}
							return nil
						}
						if happened {
							c.onReply = lose
						} else {
							c.onWrite = lose
						}
						cfg, said := config(t, c, makePlan(step()))
						want(t, run(t, t.Context(), cfg), done, 0, done)
						executions := 0
						for _, s := range *c.pipes["web"] {
							if s.is.Stages[0].Status == "InProgress" {
								executions++
							}
						}
						if name != "hold" && executions != 1 {
							t.Errorf("the source ran %d times, want once", executions)
						}
						if name == "retry" && happened && len(c.tries) != 1 {
							t.Errorf("a retry that had happened was called %d times", len(c.tries))
						}
						if !happened && len(c.tries) != 2 {
							t.Errorf("%d tries, want 2", len(c.tries))
						}
						if said.count(step().ID, apply.Doubted) != 1 || said.count(step().ID, apply.Decided) != 1 {
							t.Error("the doubt or its end was not told")
						}
					})
				})
			}
		}
	}
}

// A retry whose fate cannot be read is never repeated: exit 6, and resume reads again.
func TestInDoubt(t *testing.T) {
	for _, happened := range []bool{true, false} {
		t.Run(map[bool]string{true: "happened", false: "lost"}[happened], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := available("web", "api")
				lose := func(a plan.Action) error {
					c.onRead = func(q fact.Query) fact.Class {
						return pick(q.ID == "web", fact.Denied, fact.Class(""))
					}
					c.onWrite, c.onReply = nil, nil
					return errLost
				}
				if happened {
					c.onReply = lose
				} else {
					c.onWrite = lose
				}
				cfg, _ := config(t, c, makePlan(retry("web"), verifyStep("retry-web")))
				out := run(t, t.Context(), cfg)
				want(t, out, inDoubt, 6, inDoubt, pending)
				if !strings.Contains(out.Steps[0].Message, "nobody knows whether RetryStageExecution") {
					t.Errorf("message %q", out.Steps[0].Message)
				}
				cfg.RunID = out.Run
				want(t, run(t, t.Context(), cfg), inDoubt, 6, inDoubt, pending) // still not readable: still nothing called
				wantCalls(t, c.tries, "RetryStageExecution web")
				c.onRead = nil
				want(t, run(t, t.Context(), cfg), done, 0, done, done)
				wantCalls(t, c.calls, "RetryStageExecution web")
			})
		})
	}
}

// One odd read does not settle a doubt: the call did not happen, and is made again.
func TestOddReadInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		odd := 0
		c.onWrite = func(plan.Action) error {
			c.onWrite = nil
			c.onRead = func(fact.Query) fact.Class {
				odd++
				st := pipeState("web", "exec-0", "act-0", "Failed", true)
				if odd == 2 {
					st.Stages[0].Status = "InProgress"
				}
				if odd <= 3 {
					c.pipes["web"] = &story[fact.PipelineState]{{time.Now(), st}}
				}
				return ""
			}
			return errLost
		}
		cfg, _ := config(t, c, makePlan(retry("web")))
		want(t, run(t, t.Context(), cfg), done, 0, done)
		if len(c.tries) != 2 || len(c.calls) != 1 {
			t.Errorf("%d tries, %d calls, want 2 and 1", len(c.tries), len(c.calls))
		}
	})
}

// Replies that stay lost: after three doubts a person has to look.
func TestDoubtsDoNotGoOnForEver(t *testing.T) {
	for _, step := range []func() plan.Step{func() plan.Step { return retry("web") }, func() plan.Step { return start("web") }} {
		synctest.Test(t, func(t *testing.T) {
			c := available("web")
			c.onWrite = func(plan.Action) error { return errLost }
			cfg, _ := config(t, c, makePlan(step()))
			want(t, run(t, t.Context(), cfg), inDoubt, 6, inDoubt)
			if len(c.tries) != 4 {
				t.Errorf("%d tries, want 4", len(c.tries))
			}
		})
	}
}

// Every attempt of a start carries the same token, shaped as a UUID; other steps and plans have others.
func TestToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		c.onWrite = func(plan.Action) error {
			return pick(len(c.tries) < 3, refused("ConflictException"), nil)
		}
		p := makePlan(start("web"))
		cfg, _ := config(t, c, p)
		want(t, run(t, t.Context(), cfg), done, 0, done)
		for _, a := range c.tries {
			if got := a.Input["clientRequestToken"]; got != apply.Token(p.ID, "start-web") {
				t.Errorf("token %q, want that of the step", got)
			}
		}
		if p.Steps[0].Do.Input["clientRequestToken"] != "" {
			t.Error("the plan was changed")
		}
		if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(apply.Token("p", "s")) {
			t.Errorf("%q is no UUID", apply.Token("p", "s"))
		}
		if apply.Token("p", "s") == apply.Token("p", "t") || apply.Token("p", "s") == apply.Token("q", "s") {
			t.Error("tokens are not told apart")
		}
	})
}

// The source fails again: the step fails with AWS's text. The old failure, still seen for a while, does not count.
func TestNewFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		time.Sleep(time.Minute)
		c.lag, c.ends = 8*time.Second, "Failed"
		cfg, _ := config(t, c, makePlan(retry("web"), verifyStep("retry-web")))
		out := run(t, t.Context(), cfg)
		want(t, out, failed, 1, failed, pending)
		if !strings.Contains(out.Steps[0].Message, "[GitHub] the connection is not available") {
			t.Errorf("message %q lacks AWS's text", out.Steps[0].Message)
		}
		// Resume does not call again what was called: it sees that somebody has mended it.
		c.ends = ""
		c.runSource("web", "exec-0")
		time.Sleep(time.Minute)
		cfg.RunID = out.Run
		want(t, run(t, t.Context(), cfg), done, 0, done, done)
		wantCalls(t, c.tries, "RetryStageExecution web")
	})
}

// Nothing comes of a call: the step fails when its patience is over and says what was seen last.
func TestCallWithoutEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		c.lag = time.Hour * 100
		*c.pipes["web"] = append(story[fact.PipelineState]{{time.Time{}, c.pipes["web"].at(time.Now())}}, *c.pipes["web"]...)
		cfg, _ := config(t, c, makePlan(retry("web")))
		out := run(t, t.Context(), cfg)
		want(t, out, failed, 1, failed)
		if m := out.Steps[0].Message; !strings.Contains(m, "not seen within 10m0s; last seen: Source/Fetch/id act-0") {
			t.Errorf("message %q", m)
		}
	})
}

// Nothing is begun once the run was stopped, and a call in hand is finished and journaled.
func TestStopDuringCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web", "api")
		ctx, cancel := context.WithCancel(t.Context())
		c.onWrite = func(plan.Action) error { cancel(); return nil }
		cfg, _ := config(t, c, makePlan(retry("web"), start("api", "retry-web")))
		out := run(t, ctx, cfg)
		want(t, out, halted, 6, halted, pending)
		st, err := cfg.Journal.State(out.Run)
		if err != nil || !st.Step("retry-web").Called || st.Step("retry-web").RequestID != "r" {
			t.Errorf("the call in hand was not journaled: %+v (%v)", st.Step("retry-web"), err)
		}
		cfg.RunID = out.Run
		want(t, run(t, t.Context(), cfg), done, 0, done, done)
		wantCalls(t, c.tries, "RetryStageExecution web", "StartPipelineExecution api")
	})
}

// Stopped between two steps, or just before a call that relies on nothing: neither begins.
func TestStopBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bare := start("web", "hold-web")
		bare.Given, bare.SkipWhen = nil, nil
		for _, at := range []apply.Name{apply.Done, apply.StepStarted} {
			c := available("web")
			cfg, said := config(t, c, makePlan(hold("web"), bare))
			ctx, cancel := context.WithCancel(t.Context())
			tell := cfg.Events
			cfg.Events = func(e apply.Event) {
				tell(e)
				if e.Event == at && (at == apply.Done || e.Step == "start-web") {
					cancel()
				}
			}
			out := run(t, ctx, cfg)
			want(t, out, halted, 6, done, pick(at == apply.Done, pending, halted))
			wantCalls(t, c.tries, "DisableStageTransition web")
			if n := said.count("start-web", apply.StepStarted); at == apply.Done && n != 0 {
				t.Errorf("a step was begun after the stop")
			}
		}
	})
}
