package faults_test

import (
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/faults"
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
