package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/lab/cloud"
)

// mortal is a process that dies at its nth point: before or after an exchange with AWS, before or after an entry of the journal.
// Dead, it reaches neither.
type mortal struct {
	app.Journal
	over   http.RoundTripper
	cancel context.CancelFunc
	at     int // 0: never

	mu     sync.Mutex
	points int
	dead   bool
}

var errDead = errors.New("the process is dead")

func (m *mortal) alive() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return false
	}
	m.points++
	if m.points == m.at {
		m.dead = true
		m.cancel()
	}
	return !m.dead
}

func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	if !m.alive() {
		return nil, errDead
	}
	resp, err := m.over.RoundTrip(r)
	if !m.alive() { // it happened, and the reply is lost with the process
		if err == nil {
			resp.Body.Close()
		}
		return nil, errDead
	}
	return resp, err
}

func (m *mortal) Create(r journal.Run) (journal.Run, error) {
	if !m.alive() {
		return r, errDead
	}
	r, err := m.Journal.Create(r)
	if !m.alive() {
		return r, errDead
	}
	return r, err
}

func (m *mortal) Append(e journal.Entry, data any) (journal.Entry, error) {
	if !m.alive() {
		return e, errDead
	}
	e, err := m.Journal.Append(e, data)
	if !m.alive() {
		return e, errDead
	}
	return e, err
}

// live carries a plan out, or goes on with a run, in a process that dies at a point. It reports the points that it passed.
func (r *repair) live(t *testing.T, p plan.Plan, run string, at int) (out apply.Outcome, points int, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m := &mortal{Journal: r.journal, over: r.lab, cancel: cancel, at: at}
	a := r.open(t, m)
	defer a.Close()
	o := app.Apply{Run: run, Journal: m, Faults: faults.All(), Accept: p.Consents()}
	if run == "" {
		o.Plan = p
	}
	out, err = a.Apply(ctx, o)
	if m.dead {
		err = errDead
	}
	return out, m.points, err
}

// begun is the run of a plan that a dead process has left in the journal; "" when it died before it made one.
func (r *repair) begun(t *testing.T, p plan.Plan) string {
	t.Helper()
	all, err := r.journal.List(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if l.PlanID == string(p.ID) {
			return l.ID
		}
	}
	return ""
}

// writes are the calls that changed something, in order. A start that AWS knows by its token changes nothing when it is made again: how
// many runs there are in the end says final.
func (r *repair) writes() []string {
	var all []string
	for _, k := range r.lab.Cloud.Ledger() {
		again := k.Operation == "StartPipelineExecution" && slices.Contains(all, k.Operation)
		if !k.ReadOnly && k.ErrorCode == "" && k.Injected == "" && !again {
			all = append(all, k.Operation)
		}
	}
	return all
}

// The process dies at every point of a repair, one point a play, and another one goes on: the world ends as the undisturbed repair
// leaves it, every call was carried out once, and nothing was forgotten.
func TestDeathAnywhere(t *testing.T) {
	_, end := goldenRun(t)
	points, writes := 0, []string(nil)
	synctest.Test(t, func(t *testing.T) {
		r := prepare(t)
		defer r.journal.Close()
		before := len(r.writes())
		if _, n, err := r.live(t, r.plan, "", 0); err != nil {
			t.Fatal(err)
		} else {
			points = n
		}
		writes = slices.Sorted(slices.Values(r.writes()[before:]))
	})
	if points < 60 || len(writes) != 4 {
		t.Fatalf("%d points, writes %v: too few for a test of death", points, writes)
	}
	for at := 1; at <= points; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := prepare(t)
				defer r.journal.Close()
				before := len(r.writes())
				if _, _, err := r.live(t, r.plan, "", at); !errors.Is(err, errDead) {
					return // this play took fewer polls and passed fewer points
				}
				out, _, err := r.live(t, r.plan, r.begun(t, r.plan), 0)
				if err != nil || out.Status != journal.IsDone {
					t.Errorf("gone on: %v %+v", err, out)
				}
				if got := slices.Sorted(slices.Values(r.writes()[before:])); !slices.Equal(got, writes) {
					t.Errorf("calls carried out %v, want %v", got, writes)
				}
				if st, err := r.journal.State(out.Run); err != nil || st.Export == nil {
					t.Errorf("nothing was saved before the change: %v", err)
				}
				if got := r.final(t); got != end {
					t.Errorf("the world ends otherwise:\n%s\nwant:\n%s", got, end)
				}
			})
		})
	}
}

// held are the transitions that are disabled.
func (r *repair) held(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, p := range [][2]string{{"eu-west-1", "web"}, {"us-east-1", "api"}} {
		var out map[string]any
		var err error
		r.set(func(c *cloud.Cloud) {
			out, err = c.Serve(&cloud.Request{Service: "codepipeline", Operation: "GetPipelineState", Region: p[0], Caller: r.world.Default.Principal, In: map[string]any{"name": p[1]}})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range list(out, "stageStates") {
			if in, ok := st["inboundTransitionState"].(map[string]any); ok && in["enabled"] == false {
				all = append(all, fmt.Sprintf("%s/%v", p[1], st["stageName"]))
			}
		}
	}
	return all
}

// From every point at which a run can die it can be taken back: what it held is let go again, and nothing else is called. A rollback
// that dies goes on as well.
func TestRollbackFromAnywhere(t *testing.T) {
	for at := 1; at <= 220; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := prepare(t)
				defer r.journal.Close()
				_, _, _ = r.live(t, r.plan, "", at)
				run := r.begun(t, r.plan)
				if run == "" {
					return // it died before it had a run: there is nothing to take back
				}
				p, err := r.app.Rollback(t.Context(), r.journal, run)
				if err != nil {
					t.Fatal(err)
				}
				if len(p.Steps) == 0 {
					if held := r.held(t); len(held) > 0 {
						t.Errorf("nothing to take back, and %v is held", held)
					}
					return
				}
				before := len(r.writes())
				if _, _, err = r.live(t, p, "", 5+at%23); err != nil { // it dies, too
					out, _, err := r.live(t, p, r.begun(t, p), 0)
					if err != nil || out.Status != journal.IsDone {
						t.Errorf("rollback: %v %+v", err, out)
					}
				}
				if held := r.held(t); len(held) > 0 {
					t.Errorf("%v is held after the rollback", held)
				}
				for _, w := range r.writes()[before:] {
					if w != "EnableStageTransition" {
						t.Errorf("the rollback called %s", w)
					}
				}
				if out, _, err := r.live(t, r.plan, run, 0); err == nil || out.ExitHint != 5 {
					t.Errorf("a run that was taken back goes on: %+v", out)
				}
			})
		})
	}
}
