package app_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/lab/world"
)

// shuffled delivers answers in another order than they were asked for.
type shuffled struct {
	http.RoundTripper
	spread time.Duration // the latest that an answer comes later than it was given
}

func (s shuffled) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := s.RoundTripper.RoundTrip(r)
	if s.spread > 0 {
		time.Sleep(rand.N(s.spread))
	}
	return out, err
}

// The same world gives the same document, byte for byte apart from times and request IDs, in whatever order the answers come.
func TestSameFactsSameReport(t *testing.T) {
	for _, name := range world.Worlds() {
		t.Run(name, func(t *testing.T) {
			text, err := world.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			var first string
			for _, spread := range []time.Duration{0, 100 * time.Millisecond, time.Second, time.Second} {
				synctest.Test(t, func(t *testing.T) {
					s := play(t, name, text)
					time.Sleep(5 * time.Minute) // past the edges of ages that the world stands on, such as 90 days
					d := diagnose(t, s.open(t, shuffled{s.lab, spread}), "")
					out := fault.Run(d.Snapshot, faults.All()...)
					out.Look(d.Snapshot, app.Lenses()...)
					again := report.NewDiagnosis(d.Snapshot, out, d.Report.Calls, 0)
					if diff := cmp.Diff(timeless(t, d.Report), timeless(t, again)); diff != "" {
						t.Errorf("judging the same snapshot twice: %s", diff)
					}
					got := timeless(t, d.Report)
					if first == "" {
						first = got
					}
					if diff := cmp.Diff(first, got); diff != "" {
						t.Errorf("answers in another order: %s", diff)
					}
				})
			}
		})
	}
}

// timeless is a document without the members that say when and by which request something was seen.
func timeless(t *testing.T, d report.Diagnosis) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON(&b, d); err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	strip(doc)
	out, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range []string{"generatedAt", "elapsedMs", "requestId", "at"} {
			delete(v, k)
		}
		for _, x := range v {
			strip(x)
		}
	case []any:
		for _, x := range v {
			strip(x)
		}
	}
}
