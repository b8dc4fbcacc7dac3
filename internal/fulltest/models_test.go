//go:build full

package fulltest

import (
	"testing"

	"github.com/unjam/unjam/internal/testkit/apimodel/drive"
	"github.com/unjam/unjam/lab"
)

// TestAgainstBotocore calls every operation of the lab and holds each exchange against botocore's models, which are newer
// than those of the Go module: nothing is excused as newer than the model, only what AWS itself answers in another way.
func TestAgainstBotocore(t *testing.T) {
	l := lab.New()
	v := botocore(t)
	v.Watch(t, l)
	if err := drive.All(l); err != nil {
		t.Error(err)
	}
	report := v.Report()
	for _, svc := range l.Cloud.Services() {
		for name, op := range svc.Ops {
			if c := report.Operations[svc.Name+":"+name]; !op.Console && (c.Requests == 0 || c.Replies == 0 || c.Errors == 0) {
				t.Errorf("%s:%s is not validated: %+v", svc.Name, name, c)
			}
		}
	}
}
