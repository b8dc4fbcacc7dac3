package hostnotready

import (
	"fmt"
	"net/url"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/netpath"
)

// certificates looks at what is configured on the host and at what its server shows here.
func (w way) certificates(s *fact.Snapshot) (*netpath.Obstacle, []fact.Query) {
	q := fact.Query{Scope: w.Scope, Kind: fact.KindCertificate, ID: w.Host.Endpoint}
	for _, c := range w.Host.Certificates {
		if c.NotAfter.Before(s.At()) {
			return &netpath.Obstacle{Cause: certExpired, Text: fmt.Sprintf("the certificate configured on the host (%s) expired at %s", c.Subject, fault.Stamp(c.NotAfter)), Proof: w.Host,
				Field: "TlsCertificate notAfter", Got: fault.Stamp(c.NotAfter), Want: "in the future", Event: "UpdateHost"}, nil
		}
	}
	for x := range fact.All[fact.Served](s) {
		if x.Endpoint != w.Host.Endpoint || len(x.Chain) == 0 {
			continue
		}
		own := x.Chain[0]
		show := func(cause, text, field, got, want string) (*netpath.Obstacle, []fact.Query) {
			return &netpath.Obstacle{Cause: cause, Text: text + ", as seen from here", Proof: x, Field: field, Got: got, Want: want}, []fact.Query{q}
		}
		host := hostname(w.Host.Endpoint)
		switch {
		case own.NotAfter.Before(s.At()):
			return show(certExpired, "the server's certificate expired at "+fault.Stamp(own.NotAfter), "notAfter", fault.Stamp(own.NotAfter), "in the future")
		case !matches(own.Names, host):
			return show(certName, fmt.Sprintf("the server's certificate is for %v, not for %s", own.Names, host), "names", fmt.Sprint(own.Names), host)
		case !x.Trusted && len(w.Host.Certificates) > 0 && !vouches(w.Host.Certificates, x.Chain):
			return show(certUntrusted, "the server's certificate is of another authority ("+own.Issuer+") than the one configured on the host", "issuer", own.Issuer, w.Host.Certificates[0].Subject)
		case !x.Trusted && len(w.Host.Certificates) == 0:
			return show(certUntrusted, "the server's certificate is of a private authority ("+own.Issuer+") and none is configured on the host", "issuer", own.Issuer, "a public authority, or TlsCertificate on the host")
		}
	}
	return nil, []fact.Query{q}
}

func hostname(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint
	}
	return u.Hostname()
}

// matches reports whether a certificate's names cover a host; a star covers one label.
func matches(names []string, host string) bool {
	for _, n := range names {
		if n == host {
			return true
		}
		if len(n) > 2 && n[:2] == "*." {
			for i := range host {
				if host[i] == '.' {
					if host[i+1:] == n[2:] {
						return true
					}
					break
				}
			}
		}
	}
	return false
}

// vouches reports whether a configured certificate is in a chain or signed one of it, as far as names tell.
func vouches(own, chain []fact.Certificate) bool {
	for _, c := range chain {
		for _, o := range own {
			if o.Subject == c.Issuer || o.Subject == c.Subject {
				return true
			}
		}
	}
	return false
}
