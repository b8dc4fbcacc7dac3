package collect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
)

// certificateTimeout is how long a server may take to show its certificate: it is a look on the side.
const certificateTimeout = 3 * time.Second

// certificate looks at the certificate chain of the server behind the URL in q.ID, from where the program runs. A failure says nothing
// about the way that AWS takes.
func (c *Collector) certificate(ctx context.Context, q fact.Query) answer {
	u, err := url.Parse(q.ID)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return unreached(q, fact.Skipped, "the provider's endpoint is not an https URL: it shows no certificate")
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "443")
	}
	ctx, cancel := context.WithTimeout(ctx, certificateTimeout)
	defer cancel()
	conn, err := c.s.Dial(ctx, "tcp", address)
	switch {
	case errors.Is(err, awsapi.ErrNoNetwork):
		return unreached(q, fact.Skipped, "the server was not dialled from here")
	case err != nil:
		return unreached(q, fact.Failed, "the server cannot be reached from where unjam runs, which says nothing about the way from AWS: "+awsapi.Classify(err).Message)
	}
	defer conn.Close()
	t := tls.Client(conn, &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true}) // the chain is looked at, nothing is sent: it is verified below
	if err := t.HandshakeContext(ctx); err != nil {
		return unreached(q, fact.Failed, "the server shows no certificate to unjam: "+awsapi.Classify(err).Message)
	}
	chain := t.ConnectionState().PeerCertificates
	f := fact.Served{Endpoint: q.ID, Trusted: true}
	f.Seen = seen(fact.Ref{Scope: q.Scope, Kind: fact.KindCertificate, ID: q.ID}, fact.Source{Service: "tls", Operation: "Handshake", At: time.Now().UTC(), Account: q.Scope.Account, Region: q.Scope.Region})
	for _, x := range chain {
		f.Chain = append(f.Chain, certificateOf(x))
	}
	if err := verify(chain, u.Hostname()); err != nil {
		f.Trusted, f.Why = false, err.Error()
	}
	return answer{facts: []fact.Fact{f}}
}

// verify holds a chain against the roots of this machine.
func verify(chain []*x509.Certificate, name string) error {
	if len(chain) == 0 {
		return errors.New("the server shows no certificate")
	}
	between := x509.NewCertPool()
	for _, x := range chain[1:] {
		between.AddCert(x)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: name, Intermediates: between})
	return err
}

func unreached(q fact.Query, class fact.Class, why string) answer {
	return answer{lost: &fact.Gap{Query: q, Class: class, Why: why,
		Source: fact.Source{Service: "tls", Operation: "Handshake", At: time.Now().UTC(), Account: q.Scope.Account, Region: q.Scope.Region}}}
}

func certificateOf(x *x509.Certificate) fact.Certificate {
	return fact.Certificate{Subject: x.Subject.String(), Issuer: x.Issuer.String(), Names: x.DNSNames, NotBefore: x.NotBefore.UTC(), NotAfter: x.NotAfter.UTC(), CA: x.IsCA}
}

// certificates reads the public certificates of a host's VPC configuration (PEM); what is no certificate is left out.
func certificates(text string) []fact.Certificate {
	var all []fact.Certificate
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return all
		}
		if x, err := x509.ParseCertificate(block.Bytes); err == nil {
			all = append(all, certificateOf(x))
		}
	}
}
