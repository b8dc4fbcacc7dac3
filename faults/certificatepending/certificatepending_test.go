package certificatepending_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/certificatepending"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/internal/verify"
)

func TestFault(t *testing.T) { testkit.Fault(t, certificatepending.Fault(), faults.All()) }

// TestWindow: a record of a public zone is written in a maintenance window for DNS alone; where no policy defines one, somebody has to
// consent to that by name.
func TestWindow(t *testing.T) {
	text, err := os.ReadFile("testdata/fixed-record.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		policy string
		accept []string
		why    string // "" when it is carried out
	}{
		"no policy":              {"", nil, "no policy defines one"},
		"no policy, and consent": {"", []string{guard.NoWindow}, ""},
		"the window is closed":   {"windows: [{name: nightly, start: '2026-01-01T22:00', duration: 1h, timezone: UTC, for: [dns]}]", nil, "no maintenance window for dns is open"},
		"a consent opens none":   {"windows: [{name: nightly, start: '2026-01-01T22:00', duration: 1h, timezone: UTC, for: [dns]}]", []string{guard.NoWindow}, "no maintenance window for dns is open"},
		"the window is open":     {"windows: [{name: always, start: '2000-01-01T00:00', rrule: FREQ=DAILY, duration: 24h, timezone: UTC, for: [dns]}]", nil, ""},
		"a window for TLS":       {"windows: [{name: tls, start: '2000-01-01T00:00', rrule: FREQ=DAILY, duration: 24h, timezone: UTC, for: [tls]}]", nil, "has none for dns"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := testkit.Start(t, "window", text)
				d := c.Diagnose(t, faults.All()...)
				j, err := journal.Open(t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				defer j.Close()
				ask := app.Apply{Plan: c.Plan(t, d, faults.All()), Journal: j, Faults: faults.All(), Accept: tt.accept}
				if tt.policy != "" {
					if ask.Policy, err = guard.ParsePolicy("policy.yaml", []byte(tt.policy)); err != nil {
						t.Fatal(err)
					}
				}
				var said strings.Builder
				ask.Events = func(e apply.Event) { said.WriteString(e.Message + "\n") }
				out, err := c.App.Apply(t.Context(), ask)
				if err != nil {
					said.WriteString(err.Error())
				}
				writes := 0
				for _, k := range c.Lab.Cloud.Ledger() {
					if k.Operation == "ChangeResourceRecordSets" {
						writes++
					}
				}
				switch {
				case tt.why == "" && (err != nil || out.ExitHint != 0 || writes != 1):
					t.Errorf("not carried out: %+v, %d writes: %s", out, writes, said.String())
				case tt.why != "" && (writes != 0 || !strings.Contains(said.String(), tt.why)):
					t.Errorf("%d writes, want none because %q: %s", writes, tt.why, said.String())
				}
			})
		})
	}
}

// TestVerify: once the run is over the certificate is asked about again, and a certificate that is gone wrong again is told.
func TestVerify(t *testing.T) {
	text, err := os.ReadFile("testdata/fixed-record.txtar")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := testkit.Start(t, "verify", text)
		d := c.Diagnose(t, faults.All()...)
		j, err := journal.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		out, err := c.App.Apply(t.Context(), app.Apply{Plan: c.Plan(t, d, faults.All()), Journal: j, Faults: faults.All(), Accept: []string{guard.NoWindow}})
		if err != nil {
			t.Fatal(err)
		}
		done, err := app.Done(j, out.Run)
		if err != nil {
			t.Fatal(err)
		}
		ask := func() verify.Report {
			r, err := c.App.Verify(t.Context(), done, faults.All())
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := ask(); r.Verdict != verify.Fixed || len(r.Subjects) != 1 || r.Subjects[0].Name != "shop.acme.example" {
			t.Errorf("verdict %s, subjects %+v", r.Verdict, r.Subjects)
		}
		c.Lab.Cloud.Within(func() { c.Lab.Certificates.Fail(c.World.ARN("shop"), "OTHER") })
		if r := ask(); r.Verdict != verify.Broken {
			t.Errorf("after ACM took it back: %s", r.Verdict)
		}
	})
}
