//go:build unix

package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

// killer serves a lab and kills the program at its nth call, before or after the lab has served it.
type killer struct {
	lab    *lab.Lab
	mu     sync.Mutex
	calls  int
	at     int // 0: never
	before bool
	victim *os.Process
	looks  int    // reads of a connection by a run
	signs  func() // completes the handshake at the fourth look
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	k.calls++
	now, victim := k.calls == k.at, k.victim
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetConnection") && k.signs != nil {
		if k.looks++; k.looks == 4 {
			k.signs()
		}
	}
	k.mu.Unlock()
	if !now {
		k.lab.ServeHTTP(w, r)
		return
	}
	if !k.before {
		k.lab.ServeHTTP(httptest.NewRecorder(), r)
	}
	if err := victim.Kill(); err != nil {
		panic(err)
	}
	panic(http.ErrAbortHandler) // no reply
}

// kills are the plans whose carrying out is killed at every call, with the calls that change something. Together they have every kind of step.
var kills = []struct{ name, world, plan, changes string }{
	{"hold, retry, verify", "../../lab/world/worlds/wants-retry.world", "plan web --hold", "DisableStageTransition RetryStageExecution"},
	{"a person's step", "../../lab/world/worlds/not-finished.world", "plan web --hold", "DisableStageTransition RetryStageExecution"},
	{"update, start", "../../lab/world/worlds/alternative.world", "plan web --strategy reuse --hold", "DisableStageTransition StartPipelineExecution UpdatePipeline"},
}

// game is a world served to the real program, with a plan.
type game struct {
	*killer
	env  []string
	work string
}

func newGame(t *testing.T, file, args string) *game {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := &game{killer: &killer{lab: lab.New()}, work: t.TempDir()}
	w, err := world.Load(g.lab, "game", text, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	g.lab.Cloud.Within(g.lab.Pipelines.Hurry)
	srv := httptest.NewServer(g.killer)
	t.Cleanup(srv.Close)
	k := w.Default
	g.env = append(os.Environ(), "AWS_ENDPOINT_URL="+srv.URL, "AWS_REGION="+w.DefaultRegion, "AWS_ACCESS_KEY_ID="+k.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+k.SecretAccessKey, "AWS_SESSION_TOKEN="+k.SessionToken, "UNJAM_HOME="+filepath.Join(g.work, "home"), "WORK=")
	if code, out := g.unjam(t, 0, false, append(strings.Fields(args), "--out", "p.json")...); code != 0 {
		t.Fatalf("plan: exit %d\n%s", code, out)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.signs = func() {
		if err := w.Act("ada completes handshake team-github as=olga org=acme"); err != nil {
			t.Error(err)
		}
	}
	return g
}

// unjam runs the program, which is killed at a call; 0 lets it live. The code is -1 when it was killed.
func (g *game) unjam(t *testing.T, at int, before bool, args ...string) (code int, out string) {
	t.Helper()
	c := exec.Command("unjam", args...)
	c.Dir, c.Env = g.work, g.env
	var b bytes.Buffer
	c.Stdout, c.Stderr = &b, &b
	g.mu.Lock()
	err := c.Start()
	g.calls, g.at, g.before, g.victim = 0, at, before, c.Process
	g.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), b.String()
}

// changes are the calls that changed something.
func (g *game) changes() string {
	var all []string
	for _, k := range g.lab.Cloud.Ledger() {
		if !k.ReadOnly && k.ErrorCode == "" {
			all = append(all, k.Operation)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// The program is killed at every call of a repair, before AWS has carried it out and after, one call a play. What goes on then ends
// the repair: each change was made once.
func TestKilledAtEveryCall(t *testing.T) {
	for _, k := range kills {
		t.Run(k.name, func(t *testing.T) {
			g := newGame(t, k.world, k.plan)
			if code, out := g.unjam(t, 0, false, "apply", "p.json", "--apply", "--interval", "300ms"); code != 0 {
				t.Fatalf("apply: exit %d\n%s", code, out)
			}
			calls := g.calls
			if got := g.changes(); got != k.changes || calls < 10 {
				t.Fatalf("%d calls, changes %q, want %q", calls, got, k.changes)
			}
			for at := 1; at <= calls; at++ {
				for _, early := range []bool{true, false} {
					t.Run(fmt.Sprintf("%d-%v", at, early), func(t *testing.T) {
						t.Parallel()
						killed(t, newGame(t, k.world, k.plan), at, early, k.changes)
					})
				}
			}
		})
	}
}

// killed carries the game's plan out, killed at a call, and goes on.
func killed(t *testing.T, g *game, at int, early bool, want string) {
	args := []string{"resume", "--apply", "--interval", "300ms"}
	code, out := g.unjam(t, at, early, "apply", "p.json", "--apply", "--interval", "300ms")
	if code == 0 {
		return // this play took fewer polls
	}
	if runs, err := os.ReadDir(filepath.Join(g.work, "home", "locks")); code != -1 || err != nil || len(runs) < 2 {
		args = []string{"apply", "p.json", "--apply", "--interval", "300ms"} // it was killed before it had a run
	}
	if code, more := g.unjam(t, 0, false, args...); code != 0 {
		t.Errorf("%v: exit %d\n%s\nbefore that:\n%s", args, code, more, out)
	}
	if got := g.changes(); got != want {
		t.Errorf("changes %q, want %q", got, want)
	}
}
