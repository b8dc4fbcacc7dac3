package cli_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/lab/world"
)

// demoLimit is how long a demo may take, as issue 2 promises for the default one.
const demoLimit = 20 * time.Second

// TestDemoOfEveryWorld: the demo plays every world that comes with the lab to its end, with a documented exit code.
func TestDemoOfEveryWorld(t *testing.T) {
	t.Parallel()
	for _, name := range world.Worlds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := demoLimit
			if name != "demo" {
				limit = 2 * time.Minute // a plan may have a step begin a minute after another
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			cmd := exec.CommandContext(ctx, "unjam", "demo", name, "--yes")
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			cmd.Env = []string{"HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir()}
			start := time.Now()
			err := cmd.Run()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			code, took := cmd.ProcessState.ExitCode(), time.Since(start)
			if !slices.Contains([]int{0, 3, 6}, code) || strings.Contains(errs.String(), "panic") {
				t.Errorf("exit code %d after %s\n%s\n%s", code, took, out.String(), errs.String())
			}
			t.Logf("exit code %d after %s", code, took)
		})
	}
}

// TestReadPolicyIsEnough: with exactly the policy that `unjam permissions --for read` prints, no read of a diagnosis is denied, in any world.
func TestReadPolicyIsEnough(t *testing.T) {
	policy, err := exec.Command("unjam", "permissions", "--for", "read").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range world.Worlds() {
		t.Run(name, func(t *testing.T) {
			text, err := world.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, "\nrole PolicyReader policy=<<JSON\n"+string(policy)+"JSON\ncaller policy-reader role=PolicyReader\n"...)
			synctest.Test(t, func(t *testing.T) {
				c := testkit.Start(t, name+".world", text)
				time.Sleep(time.Minute) // what is under way ends
				k := c.Lab.Cloud.CallerByName("policy-reader")
				d, err := c.As(t, k).Diagnose(t.Context(), app.Ask{}, faults.All(), nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, g := range d.Report.Gaps {
					if g.Class == fact.Denied && !strings.Contains(g.Why, "service control policy") { // no policy of the account outweighs one
						t.Errorf("denied: %s:%s %s: %s", g.Service, g.Operation, g.About, g.Why)
					}
				}
			})
		})
	}
}
