package route53_test

import (
	"testing"
	"testing/synctest"
	"time"

	mdns "github.com/miekg/dns"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

const stage = `account 111111111111 regions=us-east-1
role Admin allow=*
caller ada role=Admin
domain acme.example
-9d ada creates zone public domain=acme.example
-9d ada creates zone inner domain=acme.example vpc=vpc-01234567
-8d ada delegates acme.example to public
-7d ada enters record inner.acme.example A 192.0.2.1 in inner
-7d ada enters record www.acme.example A 192.0.2.1 in public
-7d ada enters record www.acme.example CNAME web.acme.example in public expect=InvalidChangeBatch
`

// TestPublic: name servers answer for public zones alone, a minute after a change, and no longer once the zone is gone.
func TestPublic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lab.New()
		text := stage + "+1h ada enters record new.acme.example A 192.0.2.2 in public\n+2h ada deletes zone public\n"
		w, err := world.Load(l, "zones", []byte(text), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		code := func(name string, want int) {
			t.Helper()
			l.Cloud.Within(func() {
				if got := l.Names.Resolve(name, mdns.TypeA); got.Code != want {
					t.Errorf("%s: code %d, want %d", name, got.Code, want)
				}
			})
		}
		code("www.acme.example", mdns.RcodeSuccess)
		code("inner.acme.example", mdns.RcodeNameError)
		time.Sleep(time.Hour + 30*time.Second)
		code("new.acme.example", mdns.RcodeNameError)
		time.Sleep(time.Minute)
		code("new.acme.example", mdns.RcodeSuccess)
		time.Sleep(time.Hour)
		code("www.acme.example", mdns.RcodeServerFailure)
		if err := w.Late(); err != nil {
			t.Error(err)
		}
	})
}
