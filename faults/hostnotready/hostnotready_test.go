package hostnotready_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/hostnotready"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/lab/world"
)

func TestFault(t *testing.T) { testkit.Fault(t, hostnotready.Fault(), faults.All()) }

// TestOneIncidentOneFinding: a connection that waits for its host is one finding, with the host and its reason under it.
func TestOneIncidentOneFinding(t *testing.T) {
	for name, says := range map[string]string{"host-pending": "is PENDING", "host-vpc-failed": "ec2:CreateNetworkInterface"} {
		text, err := world.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			d := testkit.Start(t, name, text).Diagnose(t, faults.All()...)
			if len(d.Report.Findings) != 1 || d.Report.Findings[0].Code != "connection-pending" {
				t.Fatalf("%s: want one finding\n%s", name, testkit.Describe(d))
			}
			i := slices.IndexFunc(d.Report.Findings[0].Explained, func(e fault.Explained) bool { return e.Code == "host-not-ready" })
			if i < 0 || !strings.Contains(d.Report.Findings[0].Explained[i].Message, says) {
				t.Errorf("%s: explains %+v, want a host that says %s", name, d.Report.Findings[0].Explained, says)
			}
		})
	}
}

// TestLookUps: whatever closes the way, CloudTrail is asked at most six times and the rounds are enough.
func TestLookUps(t *testing.T) {
	for _, name := range []string{"found-group", "found-group-narrow", "found-acl-network", "found-route", "found-dns", "found-server", "found-certificate"} {
		text := read(t, "testdata/"+name+".txtar")
		synctest.Test(t, func(t *testing.T) {
			c := testkit.Start(t, name, text)
			d := c.Diagnose(t, faults.All()...)
			if n := d.Report.Calls.ByOperation["cloudtrail:LookupEvents"]; n == 0 || n > 6 {
				t.Errorf("%s: %d look-ups, want one to six\n%v", name, n, d.Report.Calls.ByOperation)
			}
			for _, g := range d.Snapshot.Gaps() {
				if g.Class == fact.Skipped && strings.Contains(g.Why, "rounds") {
					t.Errorf("%s: %s %s was left out", name, g.Query.Kind, g.Query.ID)
				}
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
