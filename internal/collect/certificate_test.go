package collect

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
)

// selfSigned is a certificate for git.corp.example, of nobody's authority.
func selfSigned(t *testing.T, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Corp CA"}, DNSNames: []string{"git.corp.example"}, NotBefore: until.Add(-time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, x, x, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// dialled makes a collector whose way to servers is a function.
func dialled(t *testing.T, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Collector {
	t.Helper()
	keys := keysOf()
	s, err := awsapi.Open(t.Context(), awsapi.Options{Keys: &keys, Region: "eu-west-1", Transport: &canned{}, Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	return New(s)
}

func looked(url string) fact.Query {
	return fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindCertificate, ID: url}
}

// TestCertificate shakes hands with a server whose certificate is good for nothing: it is described, not trusted, and nothing is sent.
func TestCertificate(t *testing.T) {
	until := time.Now().Add(-24 * time.Hour).Truncate(time.Second)
	own := selfSigned(t, until)
	var server sync.WaitGroup
	var address, sent string
	c := dialled(t, func(_ context.Context, network, to string) (net.Conn, error) {
		here, there := net.Pipe()
		address = network + " " + to
		server.Go(func() {
			conn := tls.Server(there, &tls.Config{Certificates: []tls.Certificate{own}})
			b, _ := io.ReadAll(conn) // until the other side closes
			sent = string(b)
			there.Close()
		})
		return here, nil
	})
	q := looked("https://git.corp.example/some/path")
	s := ask(t, c, q)
	server.Wait()
	found := all[fact.Served](s)
	if len(found) != 1 || !s.Answered(q) {
		t.Fatalf("facts %+v, gaps %+v", found, s.Gaps())
	}
	f := found[0]
	if f.Trusted || f.Why == "" || f.Endpoint != q.ID || len(f.Chain) != 1 {
		t.Errorf("served %+v", f)
	}
	if x := f.Chain[0]; x.Subject != "CN=Corp CA" || x.Issuer != x.Subject || len(x.Names) != 1 || x.Names[0] != "git.corp.example" || !x.NotAfter.Equal(until) {
		t.Errorf("certificate %+v", x)
	}
	if address != "tcp git.corp.example:443" || sent != "" {
		t.Errorf("dialled %q, sent %q", address, sent)
	}
}

// TestCertificateUnseen: what cannot be looked at is a gap that says so, and never a verdict on the server.
func TestCertificateUnseen(t *testing.T) {
	refused := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	plain := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() { there.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); there.Close() }()
		return here, nil
	}
	for _, x := range []struct {
		name, url string
		dial      func(context.Context, string, string) (net.Conn, error)
		class     fact.Class
		why       string
	}{
		{"no https", "http://git.corp.example", refused, fact.Skipped, "not an https URL"},
		{"no URL", "https://%zz", refused, fact.Skipped, "not an https URL"},
		{"refused", "https://git.corp.example:8443", refused, fact.Failed, "says nothing about the way from AWS"},
		{"no TLS", "https://git.corp.example", plain, fact.Failed, "shows no certificate"},
		{"no network", "https://git.corp.example", nil, fact.Skipped, "not dialled"},
	} {
		q := looked(x.url)
		g, lost := ask(t, dialled(t, x.dial), q).GapOf(q)
		if !lost || g.Class != x.class || !strings.Contains(g.Why, x.why) {
			t.Errorf("%s: %+v, want %s: %s", x.name, g, x.class, x.why)
		}
	}
}

// TestCertificateInTime: a server that accepts and then says nothing costs three seconds.
func TestCertificateInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var there net.Conn
		c := dialled(t, func(context.Context, string, string) (net.Conn, error) {
			var here net.Conn
			here, there = net.Pipe()
			return here, nil
		})
		start, q := time.Now(), looked("https://git.corp.example")
		if _, lost := ask(t, c, q).GapOf(q); !lost || time.Since(start) > certificateTimeout+time.Second {
			t.Errorf("lost %v after %v", lost, time.Since(start))
		}
		there.Close()
	})
}

// TestCertificatesOfAHost reads PEM; what is no certificate is left out.
func TestCertificatesOfAHost(t *testing.T) {
	own := selfSigned(t, time.Now())
	good := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]}))
	bad := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
	if got := certificates("text before\n" + bad + good + "text behind"); len(got) != 1 || got[0].Subject != "CN=Corp CA" {
		t.Errorf("certificates %+v", got)
	}
	if got := certificates("-----BEGIN CERTIFICATE-----"); got != nil {
		t.Errorf("certificates %+v", got)
	}
}
