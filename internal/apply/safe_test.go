package apply_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
)

// saved makes the plan's first step say what is saved before it.
func saved(p plan.Plan) plan.Plan {
	p.Steps[0].Export = []fact.Ref{p.Steps[0].Target}
	p.ID = p.Digest()
	return p
}

// What is there is saved once, before the first call; a run that was left saves nothing anew.
func TestExportFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web", "api")
		cfg, said := config(t, c, saved(makePlan(hold("web"), retry("web", "hold-web"))))
		out := run(t, t.Context(), cfg)
		want(t, out, done, 0)
		if len(c.exported) != 1 || c.exported[0].before != 0 || len(c.exported[0].refs) != 1 {
			t.Errorf("exports %+v, want one of one thing before any call", c.exported)
		}
		if said.count("", apply.Exported) != 1 {
			t.Errorf("the export was told %d times", said.count("", apply.Exported))
		}
		cfg.RunID = out.Run
		run(t, t.Context(), cfg)
		st, err := cfg.Journal.State(out.Run)
		if err != nil || st.Export == nil || st.Export.Folder != "/exports/"+out.Run || len(c.exported) != 1 {
			t.Errorf("journal %+v, exports %d, %v", st.Export, len(c.exported), err)
		}
	})
}

// No export, no change: nothing is called, and once it works the run goes on.
func TestNoExportNoChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		cfg, _ := config(t, c, saved(makePlan(retry("web"))))
		good := cfg.Export
		cfg.Export = func(context.Context, string, plan.Plan, []fact.Ref) (journal.Export, error) {
			return journal.Export{}, errors.New("write /exports: no space left on device")
		}
		out, err := apply.Run(t.Context(), cfg)
		if err == nil || out.ExitHint != 1 || !strings.Contains(err.Error(), "nothing was changed") || len(c.tries) != 0 {
			t.Fatalf("exit %d, calls %v, %v; want a failure that has changed nothing", out.ExitHint, c.tries, err)
		}
		cfg.RunID, cfg.Export = out.Run, good
		want(t, run(t, t.Context(), cfg), done, 0, done)
		cfg.Export = nil
		cfg.RunID = ""
		if _, err := apply.Run(t.Context(), cfg); err == nil || len(c.calls) != 1 {
			t.Errorf("a plan with calls began without a place to save to: %v", err)
		}
	})
}

// A step without a way back needs a consent of its own, which a resumed run remembers; a retry behind which production lies as well.
func TestConsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		s := retry("web")
		s.Blast = []plan.Effect{{What: "stage Prod runs", Production: true}}
		cfg, _ := config(t, c, makePlan(s))
		_, err := apply.Run(t.Context(), cfg)
		var gate *apply.RefusedError
		if !errors.As(err, &gate) || !strings.Contains(err.Error(), "--accept one-way:RetryStageExecution") || len(c.tries) != 0 {
			t.Fatalf("%v, calls %v; want a refusal that names the consent", err, c.tries)
		}
		cfg.Accept = []string{"one-way:StartPipelineExecution"}
		if _, err := apply.Run(t.Context(), cfg); !errors.As(err, &gate) {
			t.Fatalf("a consent to something else let it pass: %v", err)
		}
		cfg.Accept = []string{"one-way:RetryStageExecution"}
		ctx, cancel := context.WithCancel(t.Context())
		cfg.Events = func(e apply.Event) {
			if e.Event == apply.StepStarted {
				cancel()
			}
		}
		out, err := apply.Run(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		cfg.RunID, cfg.Accept, cfg.Events = out.Run, nil, nil
		want(t, run(t, t.Context(), cfg), done, 0, done)
	})
}

// A closed gate holds up its call and nothing else; once it opens the run goes on.
func TestBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web", "api")
		cfg, _ := config(t, c, makePlan(hold("web"), retry("api"), start("web", "hold-web")))
		cfg.Before = func(_ context.Context, run string, s plan.Step) error {
			if run == "" {
				return errors.New("no run")
			}
			if s.ID == "hold-web" {
				return errors.New("outside the maintenance window: it opens at 02:00")
			}
			return nil
		}
		out := run(t, t.Context(), cfg)
		want(t, out, journal.IsBlocked, 5, journal.IsBlocked, done, journal.Pending)
		wantCalls(t, c.calls, "RetryStageExecution api")
		cfg.RunID, cfg.Before = out.Run, nil
		want(t, run(t, t.Context(), cfg), done, 0, done, done, done)
	})
}

// The gates are asked before anything is written, and again when a run is resumed, with the consents it was given.
func TestAdmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("web")
		cfg, _ := config(t, c, makePlan(handshake(), retry("web", "handshake")))
		var asked []apply.Admittance
		var no error
		cfg.Accept = []string{"one-way:X"}
		cfg.Admit = func(_ context.Context, a apply.Admittance) (journal.Consent, error) {
			asked = append(asked, a)
			return journal.Consent{OneWay: a.Accept, Approvals: []string{"ada"}}, no
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		out := run(t, ctx, cfg)
		cfg.RunID, cfg.Accept = out.Run, nil
		no = errors.New("the approval was revoked")
		var gate *apply.RefusedError
		if _, err := apply.Run(t.Context(), cfg); !errors.As(err, &gate) || len(c.tries) != 0 {
			t.Fatalf("%v; want a refusal", err)
		}
		if len(asked) != 2 || asked[0].Resumed || !asked[1].Resumed || fmt.Sprint(asked[1].Accept) != "[one-way:X]" || asked[1].Run != out.Run {
			t.Errorf("asked %+v", asked)
		}
	})
}

// An optional step that fails fails nothing, also when its reply is lost; it is not called twice.
func TestOptional(t *testing.T) {
	for name, reply := range map[string]error{"refused": refused("AccessDeniedException"), "lost": errLost} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := available("web", "api")
				s := start("web")
				s.Optional, s.Given, s.SkipWhen = true, nil, nil
				cfg, _ := config(t, c, makePlan(s, retry("api")))
				c.onWrite = func(a plan.Action) error {
					if a.Operation == "StartPipelineExecution" {
						return reply
					}
					return nil
				}
				want(t, run(t, t.Context(), cfg), done, 0, failed, done)
				if len(c.tries) != 2 {
					t.Errorf("calls %v, want each once", c.tries)
				}
			})
		})
	}
}

// A step begins no sooner than it may.
func TestNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		s := retry("web")
		s.NotBefore = time.Now().Add(20 * time.Minute)
		cfg, _ := config(t, c, makePlan(s))
		began := time.Now()
		want(t, run(t, t.Context(), cfg), done, 0, done)
		if d := time.Since(began); d < 20*time.Minute || d > 25*time.Minute {
			t.Errorf("done after %s, want a bit more than 20m", d)
		}
	})
}

// A rollback takes back what can be taken back, says what cannot, and is itself a run; the run that was taken back cannot be resumed.
func TestRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		h := hold("web")
		h.UndoneWhen = []plan.Check{pipeCheck("web", "Prod/transition", plan.Is, "enabled")}
		p := makePlan(h, retry("web", "hold-web"))
		cfg, _ := config(t, c, p)
		out := run(t, t.Context(), cfg)
		want(t, out, done, 0)
		st, err := cfg.Journal.State(out.Run)
		if err != nil {
			t.Fatal(err)
		}
		back, err := planner.Rollback(fact.NewBuilder(fact.Question{Account: account}).Seal(time.Now()), p, out.Run, madeOf(st))
		if err != nil {
			t.Fatal(err)
		}
		if len(back.Steps) != 1 || back.Steps[0].Do.Operation != "EnableStageTransition" || len(back.Notes) != 1 || !strings.Contains(back.Notes[0], "retry web/Source") {
			t.Fatalf("rollback plan %+v", back)
		}
		cfg.Plan, cfg.Accept = back, back.Consents()
		undone := run(t, t.Context(), cfg)
		want(t, undone, done, 0, done)
		if s := c.pipes["web"].at(time.Now()); !s.Stages[1].TransitionEnabled {
			t.Error("the transition is still disabled")
		}
		cfg.Plan, cfg.RunID = plan.Plan{}, out.Run
		var gate *apply.RefusedError
		if _, err := apply.Run(t.Context(), cfg); !errors.As(err, &gate) || gate.Run != undone.Run {
			t.Errorf("the run that was taken back was resumed: %v", err)
		}
	})
}

// What somebody has changed since is not taken back: it is no longer the run's.
func TestRollbackOfWhatMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := available("web")
		h := hold("web")
		h.UndoneWhen = []plan.Check{pipeCheck("web", "Prod/transition", plan.Is, "enabled")}
		p := makePlan(h)
		cfg, _ := config(t, c, p)
		out := run(t, t.Context(), cfg)
		c.move("web", func(s *fact.PipelineState) { s.Stages[1].TransitionEnabled = true }) // somebody let it go
		st, err := cfg.Journal.State(out.Run)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Plan, err = planner.Rollback(fact.NewBuilder(fact.Question{Account: account}).Seal(time.Now()), p, out.Run, madeOf(st))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Accept = cfg.Plan.Consents()
		want(t, run(t, t.Context(), cfg), done, 0, journal.WasSkipped)
		wantCalls(t, c.calls, "DisableStageTransition web")
	})
}

func madeOf(st journal.State) map[string]planner.Made {
	made := map[string]planner.Made{}
	for id, s := range st.Steps {
		made[id] = planner.Made{Called: s.Called, Open: s.Open, Seen: s.Status == journal.IsDone, IntendedAt: s.IntendedAt}
	}
	return made
}
