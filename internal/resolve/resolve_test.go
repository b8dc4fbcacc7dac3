package resolve_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/resolve"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/dns"
)

// names is a directory with a domain at a provider.
func names(t *testing.T, records ...dns.Record) *dns.Directory {
	t.Helper()
	l := lab.New()
	l.Cloud.Within(func() {
		if err := l.Names.AddProvider(dns.Provider{Name: "northdns", Domain: "acme.example"}); err != nil {
			t.Fatal(err)
		}
		if err := l.Names.Register("nobody.example"); err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			l.Names.At("acme.example").Enter(r)
		}
	})
	return l.Names
}

// loopback is a resolver that asks the directory over UDP and TCP.
func loopback(t *testing.T, d *dns.Directory, before ...string) *resolve.Resolver {
	t.Helper()
	s, err := d.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r, err := resolve.New(append(before, s.Addr()), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCNAME over sockets: an alias, a name that does not exist with the zone that says so, a name without an alias.
func TestCNAME(t *testing.T) {
	r := loopback(t, names(t,
		dns.Record{Name: "_x.shop.acme.example", Type: "CNAME", TTL: 300, Values: []string{"_Y.acm-validations.aws."}},
		dns.Record{Name: "acme.example", Type: "TXT", TTL: 300, Values: []string{`"hello"`}}))
	for name, want := range map[string]resolve.Reply{
		"_x.shop.acme.example":  {Code: "NOERROR", Answers: []string{"_Y.acm-validations.aws."}},
		"_X.SHOP.acme.example.": {Code: "NOERROR", Answers: []string{"_Y.acm-validations.aws."}},
		"_z.shop.acme.example":  {Code: "NXDOMAIN", Zone: "acme.example."},
		"acme.example":          {Code: "NOERROR", Zone: "acme.example."},
		"www.nobody.example":    {Code: "NXDOMAIN", Zone: "example."},
	} {
		got, err := r.CNAME(t.Context(), name)
		if err != nil || got.Code != want.Code || !slices.Equal(got.Answers, want.Answers) || got.Zone != want.Zone || !strings.HasPrefix(got.Server, "127.0.0.1:") {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
}

// TestCAA: the first records on the way up hold, whoever has none leaves it to everybody, and a set that no datagram holds comes over TCP.
func TestCAA(t *testing.T) {
	var many []string
	for range 40 {
		many = append(many, `0 issue "`+strings.Repeat("a", 40)+`.example"`)
	}
	r := loopback(t, names(t,
		dns.Record{Name: "acme.example", Type: "CAA", TTL: 300, Values: []string{`0 issue "letsencrypt.example"`, `0 iodef "mailto:olga@acme.example"`}},
		dns.Record{Name: "shop.acme.example", Type: "CAA", TTL: 300, Values: []string{`0 issue "amazon.com"`}},
		dns.Record{Name: "large.acme.example", Type: "CAA", TTL: 300, Values: many}))
	for name, want := range map[string]struct {
		zone    string
		answers int
	}{
		"www.acme.example": {"acme.example.", 2}, "a.b.shop.acme.example": {"shop.acme.example.", 1}, "www.nobody.example": {"", 0}, "large.acme.example": {"large.acme.example.", 40},
	} {
		got, err := r.CAA(t.Context(), name)
		if err != nil || got.Zone != want.zone || len(got.Answers) != want.answers {
			t.Errorf("%s: zone %q, %d answers, %v; want %+v", name, got.Zone, len(got.Answers), err, want)
		}
	}
}

// TestNextResolver: where the first resolver gives no answer, the second one's word counts; where none answers, that is an error and no Reply.
func TestNextResolver(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := silent.LocalAddr().String()
	if err := silent.Close(); err != nil {
		t.Fatal(err)
	}
	d := names(t, dns.Record{Name: "www.acme.example", Type: "CNAME", TTL: 300, Values: []string{"web.acme.example."}})
	got, err := loopback(t, d, closed).CNAME(t.Context(), "www.acme.example")
	if err != nil || len(got.Answers) != 1 || got.Server == closed {
		t.Errorf("with a dead resolver before the good one: %+v, %v", got, err)
	}
	alone, err := resolve.New([]string{closed}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := alone.CNAME(t.Context(), "www.acme.example"); err == nil || !strings.Contains(err.Error(), "no resolver answered") {
		t.Errorf("with a dead resolver alone: %+v, %v", got, err)
	}
}

// TestDelegation on simulated time, where name servers can be asked too: the zone above has the word, and where a firewall lets nobody ask
// it, the resolver has, which is told.
func TestDelegation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := names(t, dns.Record{Name: "team.acme.example", Type: "NS", TTL: 300, Values: []string{"ns1.elsewhere.example."}})
		r, err := resolve.New([]string{"192.0.2.53"}, d.Dial)
		if err != nil {
			t.Fatal(err)
		}
		ask := func(zone string, parent bool, above string, want ...string) {
			t.Helper()
			got, err := r.Delegation(t.Context(), zone)
			if err != nil || got.Parent != parent || got.Zone != above || !slices.Equal(got.Answers, want) {
				t.Errorf("%s: %+v, %v; want %v of %s, from the zone itself: %t", zone, got, err, want, above, parent)
			}
		}
		ask("acme.example", true, "example.", "ns1.northdns.example.", "ns2.northdns.example.")
		ask("team.acme.example", true, "acme.example.", "ns1.elsewhere.example.")
		ask("nobody.example", true, "example.")
		d.Reach = dns.Resolvers
		ask("acme.example", false, "example.", "ns1.northdns.example.", "ns2.northdns.example.")
	})
}

// TestSilence on simulated time: a server that never answers costs two tries of three seconds, and the end of the caller's time ends it.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var open []net.Conn
		silent := func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() { // whatever is asked is read and not answered; ends with the connection
				b := make([]byte, 512)
				for {
					if _, err := far.Read(b); err != nil {
						return
					}
				}
			}()
			mu.Lock()
			defer mu.Unlock()
			open = append(open, near, far)
			return near, nil
		}
		r, err := resolve.New([]string{"192.0.2.53"}, silent)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if got, err := r.CNAME(t.Context(), "www.acme.example"); err == nil {
			t.Errorf("answer %+v from a silent server", got)
		}
		if took := time.Since(start); took != 6*time.Second {
			t.Errorf("took %s, want two tries of 3s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if _, err := r.CNAME(ctx, "www.acme.example"); err == nil || time.Since(start) != time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		for _, c := range open {
			if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
	})
}

// TestAddress: what --resolver takes and what it refuses, in one line.
func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.53": "192.0.2.53:53", "192.0.2.53:5353": "192.0.2.53:5353", "2001:db8::53": "[2001:db8::53]:53", "[2001:db8::53]:5353": "[2001:db8::53]:5353", "dns.acme.example": "dns.acme.example:53",
	} {
		if got, err := resolve.Address(in); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", ":53", "192.0.2.53:", "https://dns.acme.example/dns-query", "a b", "not::an:address:x"} {
		if got, err := resolve.Address(in); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is taken for %q, %v", in, got, err)
		}
	}
	if _, err := resolve.New([]string{"a b"}, nil); err == nil {
		t.Error("New takes an address that is none")
	}
}
