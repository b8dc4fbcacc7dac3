package app_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
)

// A target in another Region than the session's is read where it is, and that is the first thing said; one in a Region that was asked
// for is no surprise.
func TestTargetInAnotherRegion(t *testing.T) {
	for on, want := range map[string]bool{"arn:aws:codepipeline:us-west-2:111111111111:far": true, "arn:aws:codepipeline:eu-west-1:111111111111:web": false, "web": false} {
		synctest.Test(t, func(t *testing.T) {
			s := play(t, "probe.world", []byte(probeWorld))
			d, err := s.openAs(t, "", s.lab).Diagnose(t.Context(), app.Ask{Targets: target(t, on), Quick: true}, faults.All(), nil)
			if err != nil {
				t.Fatal(err)
			}
			said := len(d.Report.Warnings) > 0 && strings.HasPrefix(d.Report.Warnings[0], "the pipeline is in Region us-west-2, this session's is eu-west-1")
			if said != want {
				t.Errorf("%s: warnings %q", on, d.Report.Warnings)
			}
		})
	}
}
