package acm_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

const stage = `account 111111111111 regions=us-east-1
role Admin allow=*
caller ada role=Admin
domain acme.example at=northdns
-1m ada requests certificate shop domain=acme.example names=*.acme.example,www.acme.example
`

// TestLife: what becomes of a request follows from the records that the public sees, and from the clock.
func TestLife(t *testing.T) {
	for name, tt := range map[string]struct {
		acts   string
		after  time.Duration
		status string
		reason string
	}{
		"nobody proves it":                 {"", 71 * time.Hour, "PENDING_VALIDATION", ""},
		"nobody proves it for three days":  {"", 73 * time.Hour, "VALIDATION_TIMED_OUT", ""},
		"all names":                        {"+1m ada proves shop in acme.example\n", time.Hour, "ISSUED", ""},
		"one name is missing":              {"+1m ada proves shop in acme.example names=www.acme.example\n", time.Hour, "PENDING_VALIDATION", ""},
		"the value lost its underscore":    {"+1m ada proves shop in acme.example drops=underscore\n", time.Hour, "ISSUED", ""},
		"the name lost its underscore":     {"+1m ada proves shop in acme.example drops=name-underscore\n", time.Hour, "PENDING_VALIDATION", ""},
		"the zone stands behind the value": {"+1m ada proves shop in acme.example drops=dot\n", time.Hour, "PENDING_VALIDATION", ""},
		"somebody else may issue": {"+1m ada proves shop in acme.example\n+1m ada enters record acme.example CAA '0 issue \"letsencrypt.example\"' in acme.example\n",
			time.Hour, "FAILED", "CAA_ERROR"},
		"proven too late": {"+74h ada proves shop in acme.example\n", 75 * time.Hour, "VALIDATION_TIMED_OUT", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := lab.New()
				w, err := world.Load(l, name, []byte(stage+tt.acts), time.Now())
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(tt.after)
				l.Cloud.Within(func() {
					k, ok := l.Certificates.Find(w.ARN("shop"))
					if !ok || k.Status != tt.status || k.Reason != tt.reason {
						t.Errorf("%s %s, want %s %s", k.Status, k.Reason, tt.status, tt.reason)
					}
				})
			})
		})
	}
}
