package lab_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// TestAnyCallCanBeRefused makes every call of every service: throttled, denied, and with a session that is over.
func TestAnyCallCanBeRefused(t *testing.T) {
	l := lab.New()
	ada := &cloud.Caller{Name: "ada", AccessKeyID: "AKIALABADA0000000001", SecretAccessKey: "ada-secret"}
	past := &cloud.Caller{Name: "past", AccessKeyID: "ASIALABPAST000000001", SecretAccessKey: "past", SessionToken: "token", Expires: time.Now().Add(-time.Minute)}
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: id})
		if _, err := l.IAM.CreateUser(id, "ada", "/"); err != nil {
			t.Fatal(err)
		}
		ada.Principal = l.IAM.UserPrincipal(id, "ada")
		past.Principal = ada.Principal
		l.Cloud.AddCaller(ada)
		l.Cloud.AddCaller(past)
	})
	refused := map[string]int{}
	inEC2 := map[string]string{"Throttling": "RequestLimitExceeded", "AccessDenied": "UnauthorizedOperation", "ExpiredToken": "RequestExpired"}
	for _, c := range []struct {
		name, inject, want string
		caller             *cloud.Caller
	}{
		{"throttled", lab.Throttled, "Throttling", ada},
		{"denied", lab.Denied, "AccessDenied", ada},
		{"session over", "", "ExpiredToken", past},
	} {
		for _, svc := range l.Cloud.Services() {
			for _, op := range svc.Ops {
				if op.Console {
					continue
				}
				l.Cloud.Within(func() {
					l.Cloud.Injections = nil
					if c.inject != "" {
						l.Cloud.Injections = []*cloud.Injection{{Kind: c.inject}}
					}
				})
				want := c.want
				if svc.Name == "sns" && want == "AccessDenied" {
					want = "AuthorizationError"
				}
				if svc.Name == "s3" && want == "Throttling" {
					want = "SlowDown"
				}
				if got := answer(t, l, c.caller, svc, op); !strings.Contains(got, want) && (svc.Protocol != cloud.EC2 || !strings.Contains(got, inEC2[c.want])) {
					t.Errorf("%s: %s %s answers %s", c.name, svc.Name, op.Name, got)
				}
				refused[c.name]++
			}
		}
	}
	for name, n := range refused {
		if n < 60 {
			t.Errorf("%s: only %d calls", name, n)
		}
	}
}

// answer makes a call that names nothing but what its path must name, and returns the body of the refusal.
func answer(t *testing.T, l *lab.Lab, k *cloud.Caller, svc *cloud.Service, op *cloud.Op) string {
	t.Helper()
	method, path, kind, text := http.MethodPost, "/", "application/x-amz-json-1.0", "{}"
	switch svc.Protocol {
	case cloud.JSON11:
		kind = "application/x-amz-json-1.1"
	case cloud.Query, cloud.EC2:
		kind, text = "application/x-www-form-urlencoded", url.Values{"Action": {op.Name}, "Version": {svc.Version}}.Encode()
	case cloud.RESTJSON:
		method, path, kind = op.Method, regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(op.Path, "x"), "application/json"
	case cloud.RESTXML:
		method, path, kind, text = op.Method, regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(op.Path, "x"), "application/xml", ""
		if op.Query != "" {
			path += "?" + op.Query
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+svc.Name+".us-east-1.amazonaws.com"+path, bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if svc.Protocol == cloud.JSON10 || svc.Protocol == cloud.JSON11 {
		r.Header.Set("X-Amz-Target", svc.Target+"."+op.Name)
	}
	sum := sha256.Sum256([]byte(text))
	keys := aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, hex.EncodeToString(sum[:]), svc.Name, "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := l.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode < 400 {
		return resp.Status
	}
	if op.Method == http.MethodHead { // has no body
		return map[int]string{403: "AccessDenied", 503: "SlowDown", 400: "ExpiredToken"}[resp.StatusCode]
	}
	return resp.Header.Get("X-Amzn-Errortype") + " " + string(body)
}
