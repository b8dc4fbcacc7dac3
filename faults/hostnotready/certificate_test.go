package hostnotready

import (
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/netpath"
)

// TestCertificates: what a server shows is held against the day, the name and the authority that the host knows.
func TestCertificates(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := fact.Scope{Account: "111111111111", Region: "eu-west-1"}
	const url = "https://git.corp.example"
	good := fact.Certificate{Subject: "CN=git", Issuer: "CN=Corp CA", Names: []string{"git.corp.example"}, NotAfter: now.Add(time.Hour)}
	served := func(trusted bool, change func(*fact.Certificate)) *fact.Served {
		c := good
		change(&c)
		return &fact.Served{Seen: fact.Seen{About: fact.Ref{Scope: at, Kind: fact.KindCertificate, ID: url}}, Endpoint: url, Trusted: trusted, Chain: []fact.Certificate{c}}
	}
	same := func(*fact.Certificate) {}
	for _, x := range []struct {
		name        string
		own         []fact.Certificate // on the host
		shown       *fact.Served
		cause, says string
	}{
		{"not seen", nil, nil, "", ""},
		{"good", nil, served(true, same), "", ""},
		{"expired", nil, served(false, func(c *fact.Certificate) { c.NotAfter = now.Add(-time.Hour) }), certExpired, "the server's certificate expired"},
		{"another name", nil, served(false, func(c *fact.Certificate) { c.Names = []string{"other.example"} }), certName, "not for git.corp.example"},
		{"private authority, none on the host", nil, served(false, same), certUntrusted, "CN=Corp CA"},
		{"private authority, on the host", []fact.Certificate{{Subject: "CN=Corp CA", NotAfter: now.Add(time.Hour)}}, served(false, same), "", ""},
		{"another authority than the one on the host", []fact.Certificate{{Subject: "CN=Old CA", NotAfter: now.Add(time.Hour)}}, served(false, same), certUntrusted, "than the one configured"},
		{"expired on the host", []fact.Certificate{{Subject: "CN=Corp CA", NotAfter: now.Add(-time.Hour)}}, nil, certExpired, "configured on the host"},
	} {
		b := fact.NewBuilder(fact.Question{Account: at.Account, Regions: []string{at.Region}})
		if x.shown != nil {
			b.Add(*x.shown)
		}
		w := way{netpath.Way{Host: fact.Host{Endpoint: url, Certificates: x.own}, Scope: at}}
		o, asks := w.certificates(b.Seal(now))
		switch {
		case x.cause == "" && o != nil:
			t.Errorf("%s: %s, want nothing", x.name, o.Text)
		case x.cause != "" && (o == nil || o.Cause != x.cause || !strings.Contains(o.Text, x.says)):
			t.Errorf("%s: %+v, want %s: %s", x.name, o, x.cause, x.says)
		}
		if x.own == nil && (len(asks) != 1 || asks[0].ID != url) {
			t.Errorf("%s: it asks for %+v, want the certificate", x.name, asks)
		}
	}
}

// TestMatches: a star covers one label.
func TestMatches(t *testing.T) {
	for name, want := range map[string]bool{"git.corp.example": true, "other.corp.example": true, "corp.example": false, "a.git.corp.example": false, "git.corp.test": false} {
		if matches([]string{"git.corp.example", "*.corp.example"}, name) != want {
			t.Errorf("%s: want %v", name, want)
		}
	}
}
