package app_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
)

const freshWorld = `# A role that may not do much, and permissions that take half a minute to spread
account 111111111111 regions=eu-west-1
set iam-lag=30s
github acme owner=olga members=ada repos=acme/web
role Admin allow=*
role Reader allow=account:ListRegions
user robot allow=sts:AssumeRole
caller ada role=Admin session=ada
caller robot you user=robot
-21d ada creates connection team-github provider=GitHub
-20d ada creates pipeline web connection=team-github repo=acme/web stages=Build
-19d ada starts web
`

// A role that was allowed to read a moment ago: the diagnosis waits until that holds everywhere, once, and sees everything. A role
// that is not allowed costs two minutes and no more, with --quick nothing, and keys that nobody assumed a role for nothing either.
func TestDiagnosisOfAFreshSession(t *testing.T) {
	for name, c := range map[string]struct {
		granted, quick, keys bool
		min, max             time.Duration
		denied               bool
	}{
		"granted just now": {granted: true, min: 28 * time.Second, max: 70 * time.Second},
		"not granted":      {min: 115 * time.Second, max: 125 * time.Second, denied: true},
		"quick":            {quick: true, max: 10 * time.Second, denied: true},
		"long-lived keys":  {keys: true, max: 10 * time.Second, denied: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(t, "fresh.world", []byte(freshWorld))
				if c.granted {
					if err := s.world.Act("ada grants Reader allow=*"); err != nil {
						t.Fatal(err)
					}
				}
				role := reader
				if c.keys {
					role = ""
				}
				a := s.openAs(t, role, s.lab)
				start := time.Now()
				d, err := a.Diagnose(t.Context(), app.Ask{Targets: target(t, "web"), Quick: c.quick}, faults.All(), nil)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took < c.min || took > c.max {
					t.Errorf("took %v", took)
				}
				denied := false
				for _, g := range d.Report.Gaps {
					denied = denied || g.Class == fact.Denied
				}
				if denied != c.denied || (len(d.Report.Findings) == 0) != c.denied {
					t.Errorf("denied %v\n%s", denied, words(d.Report))
				}
			})
		})
	}
}
