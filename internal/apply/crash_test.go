package apply_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/awsapi/write"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// process is one life of the program: it dies at a point. Points are before and after every journal entry and every call,
// and before every read. Once dead it does nothing any more, as after kill -9.
type process struct {
	mu     sync.Mutex
	at     int // the point to die at; 0: never
	points int
	dead   bool
	cancel context.CancelFunc
}

// alive passes a point.
func (p *process) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.points++
	if p.points == p.at {
		p.dead = true
		p.cancel()
	}
	return !p.dead
}

type mortalJournal struct {
	apply.Journal
	p *process
}

func (m mortalJournal) Append(e journal.Entry, data any) (journal.Entry, error) {
	if !m.p.alive() {
		return e, errDead
	}
	e, err := m.Journal.Append(e, data)
	if !m.p.alive() {
		return e, errDead
	}
	return e, err
}

// live runs the plan, or goes on with the run, until it ends or dies.
func live(t *testing.T, c *cloud, j apply.Journal, p plan.Plan, id string, dieAt int) (apply.Outcome, *process, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	life := &process{at: dieAt, cancel: cancel}
	out, err := apply.Run(ctx, apply.Config{
		Plan: p, RunID: id, Journal: mortalJournal{j, life}, Account: account, By: "arn:me",
		Read: func(ctx context.Context, q []fact.Query) (*fact.Snapshot, error) {
			if !life.alive() {
				return nil, errDead
			}
			return c.read(ctx, q)
		},
		Write: func(ctx context.Context, a plan.Action) (write.Reply, error) {
			if !life.alive() {
				return write.Reply{}, errDead
			}
			r, err := c.write(ctx, a)
			if !life.alive() {
				return write.Reply{}, errDead // it happened, and the reply is lost with the process
			}
			return r, err
		},
		Export: func(ctx context.Context, run string, p plan.Plan, refs []fact.Ref) (journal.Export, error) {
			if !life.alive() {
				return journal.Export{}, errDead
			}
			x, err := c.export(ctx, run, p, refs)
			if !life.alive() {
				return journal.Export{}, errDead
			}
			return x, err
		},
		Verdict: func(ctx context.Context, code string, ref fact.Ref) (fault.Verdict, string, error) {
			if !life.alive() {
				return fault.Unknown, "", errDead
			}
			return c.verdict(ctx, code, ref)
		},
	})
	return out, life, err
}

// sourceRuns counts how often a pipeline's source was started.
func (c *cloud) sourceRuns(name string) int {
	n := 0
	for _, m := range *c.pipes[name] {
		if m.is.Stages[0].Status == "InProgress" {
			n++
		}
	}
	return n
}

// ended checks the end state: everything done, every source run once, nothing called twice.
func ended(t *testing.T, c *cloud, j apply.Journal, out apply.Outcome) {
	t.Helper()
	time.Sleep(time.Minute)
	st, err := j.State(out.Run)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != done || st.Status != done {
		t.Errorf("run %s, journal %s, want done: %+v", out.Status, st.Status, out.Steps)
	}
	for _, s := range out.Steps {
		if !s.Status.Over() || !st.Step(s.ID).Status.Over() || st.Step(s.ID).Open {
			t.Errorf("step %s: %s, journal %+v", s.ID, s.Status, st.Step(s.ID))
		}
	}
	for name := range c.pipes {
		now := c.pipes[name].at(time.Now())
		if n := c.sourceRuns(name); n != 1 || now.Stages[0].Status != "Succeeded" {
			t.Errorf("source of %s ran %d times and is %s, want once and Succeeded", name, n, now.Stages[0].Status)
		}
		if name == "web" && now.Stages[1].TransitionEnabled {
			t.Error("the transition of web is open")
		}
	}
}

// The process dies at every point of a run; what is resumed ends as the run that did not die.
func TestCrashAnywhere(t *testing.T) {
	for _, lag := range []time.Duration{0, 7 * time.Second} {
		points, at := 1, 0
		for at = 1; at <= points; at++ {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud("web", "api")
				c.set("AVAILABLE", 95*time.Second)
				time.Sleep(time.Minute)
				c.lag = lag
				p := makePlan(handshake(), verifyStep("handshake"), hold("web", "handshake"), retry("web", "handshake", "hold-web"), start("api", "handshake"))
				home := t.TempDir()
				file := open(t, home)
				defer func() { file.Close() }()
				j := apply.Journal(file)
				if lag == 0 {
					j = &memory{locks: file}
				}
				if at == 1 {
					_, life, _ := live(t, newCloudLike(c, lag), j, p, "", 0)
					points = life.points
				}
				out, _, err := live(t, c, j, p, "", at)
				if !errors.Is(err, errDead) {
					t.Fatalf("point %d of %d: it did not die: %v", at, points, err)
				}
				if lag != 0 { // the real journal, closed and opened again
					if err := file.Close(); err != nil {
						t.Fatal(err)
					}
					file = open(t, home)
					j = file
				}
				out, _, err = live(t, c, j, plan.Plan{}, out.Run, 0)
				if err != nil {
					t.Errorf("point %d: resume: %v", at, err)
				}
				ended(t, c, j, out)
				if t.Failed() {
					t.Fatalf("after dying at point %d of %d, lag %s", at, points, lag)
				}
			})
		}
		if points < 60 {
			t.Errorf("only %d points: the test does not see them", points)
		}
	}
}

// newCloudLike is a fresh cloud with the same future, to count the points.
func newCloudLike(c *cloud, lag time.Duration) *cloud {
	n := &cloud{pipes: map[string]*story[fact.PipelineState]{}, tokens: map[string]string{}, lag: lag}
	n.conn = append(n.conn, c.conn...)
	for name, p := range c.pipes {
		s := append(story[fact.PipelineState]{}, *p...)
		n.pipes[name] = &s
	}
	return n
}

// The process dies at every point, and its successor at every point too, for each kind of call.
func TestCrashTwice(t *testing.T) {
	for name, step := range map[string]func() plan.Step{"retry": func() plan.Step { return retry("api") }, "start": func() plan.Step { return start("api") }} {
		t.Run(name, func(t *testing.T) {
			locks := open(t, t.TempDir())
			defer locks.Close()
			pairs := 0
			for first, more := 1, true; more; first++ {
				for second, again := 1, true; again; second++ {
					pairs++
					synctest.Test(t, func(t *testing.T) {
						c := available("api")
						time.Sleep(time.Minute)
						c.lag = 7 * time.Second
						p := makePlan(step())
						j := &memory{locks: locks}
						out, _, err := live(t, c, j, p, "", first)
						if more = errors.Is(err, errDead); !more {
							again = false
							return
						}
						out, _, err = live(t, c, j, plan.Plan{}, out.Run, second)
						if again = errors.Is(err, errDead); again {
							out, _, err = live(t, c, j, plan.Plan{}, out.Run, 0)
						}
						if err != nil {
							t.Error(err)
						}
						ended(t, c, j, out)
						if t.Failed() {
							t.Fatalf("after dying at points %d and %d", first, second)
						}
					})
				}
			}
			if pairs < 200 {
				t.Errorf("only %d pairs", pairs)
			}
		})
	}
}

// memory is a journal that lives as long as the test; a process cannot lose it.
type memory struct {
	mu      sync.Mutex
	locks   *journal.Journal
	runs    []journal.Run
	entries []journal.Entry
}

func (m *memory) Create(r journal.Run) (journal.Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.ID = fmt.Sprintf("20261123-0000-%04d", len(m.runs))
	m.runs = append(m.runs, r)
	return r, nil
}

func (m *memory) Run(id string) (journal.Run, error) {
	for _, r := range m.runs {
		if r.ID == id {
			return r, nil
		}
	}
	return journal.Run{}, journal.ErrNoRun
}

func (m *memory) List(int) ([]journal.Listed, error) {
	m.mu.Lock()
	runs := m.runs
	m.mu.Unlock()
	var all []journal.Listed
	for _, r := range runs {
		st, err := m.State(r.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, journal.Listed{Run: r, Status: st.Status})
	}
	return all, nil
}

func (m *memory) State(run string) (journal.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var of []journal.Entry
	for _, e := range m.entries {
		if e.Run == run {
			of = append(of, e)
		}
	}
	return journal.Fold(of), nil
}

func (m *memory) Append(e journal.Entry, data any) (journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, err := json.Marshal(data)
	e.Data, e.Seq, e.At = b, int64(len(m.entries)+1), time.Now().UTC()
	m.entries = append(m.entries, e)
	return e, err
}

func (m *memory) Lock(run string) (*journal.Lock, error) { return m.locks.Lock(run) }

// The journal cannot be written: nothing is called after that, and the error says so.
func TestJournalFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for n := 1; ; n++ {
			c := available("web", "api")
			cfg, _ := config(t, c, makePlan(retry("web"), start("api", "retry-web")))
			full := &fullJournal{Journal: cfg.Journal, left: n}
			cfg.Journal = full
			out, err := apply.Run(t.Context(), cfg)
			if err == nil {
				break
			}
			if !errors.Is(err, journal.ErrFull) || out.ExitHint != 1 {
				t.Fatalf("after %d entries: exit %d, %v; want the journal's error", n, out.ExitHint, err)
			}
			// At most the call whose intent was written may have been made.
			if made := len(c.tries); made > full.intents {
				t.Fatalf("after %d entries: %d calls, %d intents", n, made, full.intents)
			}
		}
	})
}

type fullJournal struct {
	apply.Journal
	mu            sync.Mutex
	left, intents int
}

func (f *fullJournal) Append(e journal.Entry, data any) (journal.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left < 0 {
		return e, fmt.Errorf("write journal: %w", journal.ErrFull)
	}
	if e.Event == journal.Intent {
		f.intents++
	}
	return f.Journal.Append(e, data)
}
