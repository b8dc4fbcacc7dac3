package dns_test

import (
	"testing"

	mdns "github.com/miekg/dns"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/dns"
)

// directory is one with a domain at a provider whose form is as it is told.
func directory(t *testing.T, p dns.Provider) (*lab.Lab, *dns.Provider) {
	t.Helper()
	l := lab.New()
	p.Name, p.Domain = "northdns", "acme.example"
	if err := l.Names.AddProvider(p); err != nil {
		t.Fatal(err)
	}
	return l, l.Names.At("acme.example")
}

// TestForms: what a provider makes of what is typed into its form.
func TestForms(t *testing.T) {
	cname := dns.Record{Name: "_x.shop.acme.example", Type: "CNAME", TTL: 300, Values: []string{"_y.acm-validations.aws."}}
	short := cname
	short.Name = "_x.shop"
	for _, tt := range []struct {
		form  dns.Provider
		typed dns.Record
		at    string
		value string
	}{
		{dns.Provider{}, cname, "_x.shop.acme.example", "_y.acm-validations.aws."},
		{dns.Provider{}, short, "_x.shop.acme.example", "_y.acm-validations.aws."},
		{dns.Provider{Appends: true}, short, "_x.shop.acme.example", "_y.acm-validations.aws."},
		{dns.Provider{Appends: true}, cname, "_x.shop.acme.example.acme.example", "_y.acm-validations.aws."},
		{dns.Provider{Strips: true}, cname, "_x.shop.acme.example", "y.acm-validations.aws."},
	} {
		l, p := directory(t, tt.form)
		p.Enter(tt.typed)
		if !l.Names.Validated(tt.at, tt.value) {
			t.Errorf("%+v: %s does not point to %s", tt.form, tt.at, tt.value)
		}
		p.Erase(tt.at, "CNAME")
		if l.Names.Validated(tt.at, tt.value) {
			t.Errorf("%+v: %s is erased and still answers", tt.form, tt.at)
		}
	}
}

// TestMayIssue: the first CAA records on the way up hold, a wildcard's own come first, and the way ends at the registry's zone.
func TestMayIssue(t *testing.T) {
	l, p := directory(t, dns.Provider{})
	if !l.Names.MayIssue("www.acme.example", false, "amazon.com") {
		t.Error("without any record nobody is kept out")
	}
	p.Enter(dns.Record{Name: "acme.example", Type: "CAA", TTL: 300, Values: []string{`0 issue "letsencrypt.example"`, `0 issuewild "amazon.com"`}})
	p.Enter(dns.Record{Name: "shop.acme.example", Type: "CAA", TTL: 300, Values: []string{`0 issue "amazon.com; validationmethods=dns-01"`}})
	p.Enter(dns.Record{Name: "mail.acme.example", Type: "CAA", TTL: 300, Values: []string{`0 issue ";"`}})
	for name, want := range map[string][2]bool{"www.acme.example": {false, true}, "a.shop.acme.example": {true, true}, "mail.acme.example": {false, false}} {
		for i, wild := range []bool{false, true} {
			if got := l.Names.MayIssue(name, wild, "amazon.com"); got != want[i] {
				t.Errorf("%s, wild %t: %t", name, wild, got)
			}
		}
	}
}

// TestDelegations: nobody answers for what no server has, a domain that is delegated to nobody does not exist, and name servers refuse
// what is not theirs.
func TestDelegations(t *testing.T) {
	l, p := directory(t, dns.Provider{})
	p.Enter(dns.Record{Name: "www.acme.example", Type: "A", TTL: 300, Values: []string{"192.0.2.1"}})
	if err := l.Names.Register("www.acme.test"); err != nil {
		t.Fatal(err)
	}
	if err := l.Names.Register("example"); err == nil {
		t.Error("a registry's zone can be registered")
	}
	code := func(name string) int { return l.Names.Resolve(name, mdns.TypeA).Code }
	if code("www.acme.example") != mdns.RcodeSuccess || code("none.acme.example") != mdns.RcodeNameError || code("www.acme.test") != mdns.RcodeNameError || code("acme.invalid") != mdns.RcodeNameError {
		t.Error("the codes of names that exist and of such that do not are wrong")
	}
	if got := l.Names.Ask("ns1.northdns.example", "www.acme.test", mdns.TypeA).Code; got != mdns.RcodeRefused {
		t.Errorf("a name server answers for what is not its own: %d", got)
	}
	if err := l.Names.Delegate("acme.example", "ns1.gone.example"); err != nil {
		t.Fatal(err)
	}
	if got := code("www.acme.example"); got != mdns.RcodeServerFailure {
		t.Errorf("a domain whose servers know nothing of it: %d, want SERVFAIL", got)
	}
	ns := l.Names.Ask("a.nic.example", "www.acme.example", mdns.TypeNS)
	if len(ns.Authority) != 1 || ns.Authoritative {
		t.Errorf("the registry does not refer: %+v", ns)
	}
}
