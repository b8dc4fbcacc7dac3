package schema_test

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/internal/testkit/schema"
	"github.com/unjam/unjam/lab/world"
)

// TestDocumentsOfEveryWorld validates the diagnosis and the plan of every world that comes with the lab: those with findings,
// with gaps, and with nothing to do.
func TestDocumentsOfEveryWorld(t *testing.T) {
	for _, name := range world.Worlds() {
		t.Run(name, func(t *testing.T) {
			text, err := world.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				c := testkit.Start(t, name, text)
				d := c.Diagnose(t, faults.All()...)
				schema.Validate(t, report.DiagnosisSchema, document(t, d.Report))
				schema.ValidateSelf(t, document(t, c.Plan(t, d, faults.All())))
			})
		})
	}
}

// TestDocumentsOfEveryFault validates what explain prints.
func TestDocumentsOfEveryFault(t *testing.T) {
	for _, f := range faults.All() {
		schema.ValidateSelf(t, document(t, report.NewExplanation(f)))
	}
}

func document(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
