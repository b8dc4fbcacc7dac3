package faults_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/world"
)

// TestCatalogue holds the set of faults together: codes, documentation, what explains what.
func TestCatalogue(t *testing.T) {
	if err := fault.Validate(faults.All()); err != nil {
		t.Fatal(err)
	}
}

// TestWorlds plays every world that comes with the lab and compares the diagnosis with what the world's writer wants.
func TestWorlds(t *testing.T) {
	for _, name := range world.Worlds() {
		t.Run(name, func(t *testing.T) {
			text, err := world.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				c := testkit.Start(t, name, text)
				testkit.Check(t, c, c.Diagnose(t, faults.All()...))
			})
		})
	}
}

// TestWorldsWithoutHandshakeEvents plays them again with a trail that logs no step of the handshake, which AWS does not document
// that it does: the finding stays, and its cause is the true one or a weaker word, never another one.
func TestWorldsWithoutHandshakeEvents(t *testing.T) {
	for _, name := range world.Worlds() {
		t.Run(name, func(t *testing.T) {
			text, err := world.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				c := testkit.Start(t, name, text, func(c *cloud.Cloud) { c.Trail.NoHandshake = true })
				d := c.Diagnose(t, faults.All()...)
				for _, w := range c.World.Wants {
					if w.Verdict != "found" || w.Code != "connection-pending" {
						continue
					}
					f, ok := testkit.Finding(d, c, w)
					if !ok {
						t.Errorf("line %d: the finding is gone\n%s", w.Line, testkit.Describe(d))
						continue
					}
					if f.Cause.Class == fault.Unclear || f.Cause.Code == w.Cause {
						continue
					}
					t.Errorf("line %d: the cause turned from %s into %s (%s)\n%s", w.Line, w.Cause, f.Cause.Code, f.Cause.Class, testkit.Describe(d))
				}
			})
		})
	}
}

// TestOnTheWay: no world of any fault takes more rounds than an inquiry has, with a TARGET or without one, and what is told while a
// diagnosis goes on is never taken back, but for the list of another Region that is minutes behind: waiting for the connection's own Region
// would cost every verdict a round.
func TestOnTheWay(t *testing.T) {
	files, err := filepath.Glob("*/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no worlds: %v", err)
	}
	most := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			c := testkit.Start(t, file, text)
			asks := []app.Ask{{}}
			if c.Files["args"] != "" {
				asks = append(asks, c.Ask(t))
			}
			for _, ask := range asks {
				told := map[string]string{}
				d, err := c.App.Diagnose(t.Context(), ask, faults.All(), func(p app.Progress) {
					for _, f := range p.New {
						told[f.ID] = f.Message
					}
				})
				if err != nil {
					t.Fatalf("%s: diagnose: %v", file, err)
				}
				for _, f := range d.Report.Findings {
					delete(told, f.ID)
					for _, x := range f.Explained {
						delete(told, x.ID())
					}
				}
				for _, message := range told {
					if slices.ContainsFunc(d.Report.Findings, func(f fault.Finding) bool { return f.Code == "reads-disagree" }) {
						continue
					}
					t.Errorf("%s %v: told and taken back: %s", file, ask.Targets, message)
				}
				most = max(most, d.Rounds)
				for _, g := range d.Report.Gaps {
					if strings.Contains(g.Why, "rounds") {
						t.Errorf("%s %v: %s: %s", file, ask.Targets, g.Operation, g.Why)
					}
				}
			}
		})
	}
	t.Logf("%d worlds, %d rounds at most", len(files), most)
}
