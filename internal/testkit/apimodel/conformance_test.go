package apimodel_test

import (
	"testing"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/internal/testkit/apimodel/drive"
	"github.com/unjam/unjam/lab"
)

// TestConformance calls every operation the lab serves and holds every request, reply and error against the official
// models. It is red below every operation: what nobody called rightly and wrongly is listed.
func TestConformance(t *testing.T) {
	l := lab.New()
	v := apimodel.Attach(t, l)
	if err := drive.All(l); err != nil {
		t.Error(err)
	}
	report := v.Report()
	for _, svc := range l.Cloud.Services() {
		for name, op := range svc.Ops {
			c := report.Operations[svc.Name+":"+name]
			if !op.Console && (c.Requests == 0 || c.Replies == 0 || c.Errors == 0) {
				t.Errorf("%s:%s is not validated: %+v", svc.Name, name, c)
			}
		}
	}
	if len(report.Skipped) > 0 {
		t.Logf("patterns skipped: %v", report.Skipped)
	}
}
