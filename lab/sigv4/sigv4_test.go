package sigv4_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/sigv4"
)

// TestPublishedVectors checks three cases of AWS's Signature Version 4 test suite (aws-sig-v4-test-suite): key
// AKIDEXAMPLE, 30 August 2015, service "service".
func TestPublishedVectors(t *testing.T) {
	k := &cloud.Caller{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	now := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	for _, c := range []struct{ name, method, target, kind, body, signed, signature string }{
		{"get-vanilla", "GET", "/", "", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", "", "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"post-x-www-form-urlencoded", "POST", "/", "application/x-www-form-urlencoded", "Param1=value1", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	} {
		r := httptest.NewRequest(c.method, "https://example.amazonaws.com"+c.target, strings.NewReader(c.body))
		r.Header.Set("X-Amz-Date", "20150830T123600Z")
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="+c.signed+", Signature="+c.signature)
		a, err := sigv4.Parse(r)
		if err == nil {
			err = sigv4.Verify(r, []byte(c.body), a, k, now)
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestAgainstSDK signs arbitrary requests with the SDK's signer: each is accepted as sent and refused once anything
// that is signed has changed.
func TestAgainstSDK(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zA-Z0-9 /+=%&;:é~*'()!,.@_-]{0,12}`)
		secret, token, body := "s"+text.Draw(t, "secret"), text.Draw(t, "token"), text.Draw(t, "body")
		u := &url.URL{Scheme: "https", Host: "codepipeline.us-east-1.amazonaws.com", Path: "/" + text.Draw(t, "path")}
		// The SDK sorts names before it encodes them, AWS says after: names for which both are the same.
		name := rapid.StringMatching(`[a-zA-Z0-9_.~-]{0,12}`).Draw(t, "name")
		u.RawQuery = url.Values{name: {text.Draw(t, "value1"), text.Draw(t, "value2")}, "z": {""}}.Encode()
		r, err := http.NewRequest("POST", u.String(), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "  spaced   "+text.Draw(t, "target"))
		r.Header["X-Many"] = []string{"a", " b  c "}
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		sum := sha256.Sum256([]byte(body))
		creds := aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: secret, SessionToken: strings.TrimSpace(token)}
		if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, hex.EncodeToString(sum[:]), "codepipeline", "us-east-1", now); err != nil {
			t.Fatal(err)
		}
		k := &cloud.Caller{AccessKeyID: "AKIA", SecretAccessKey: secret, SessionToken: creds.SessionToken}
		a, err := sigv4.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := sigv4.Verify(r, []byte(body), a, k, now); err != nil {
			t.Fatalf("as sent: %v", err)
		}
		switch rapid.IntRange(0, 4).Draw(t, "change") {
		case 0:
			body += "x"
		case 1:
			r.Method = "PUT"
		case 2:
			r.URL.Path += "x"
			r.URL.RawPath = ""
		case 3:
			r.URL.RawQuery += "x"
		case 4:
			r.Header.Set("X-Amz-Target", "other")
		}
		var e *cloud.Error
		if err := sigv4.Verify(r, []byte(body), a, k, now); !errors.As(err, &e) || e.Code != cloud.InvalidSignature {
			t.Fatalf("changed: %v", err)
		}
	})
}

// TestContentHash proves that a claimed body hash is not believed.
func TestContentHash(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r, _ := http.NewRequest("POST", "https://sts.amazonaws.com/", nil)
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "s"}, r, "UNSIGNED-PAYLOAD", "sts", "us-east-1", now); err != nil {
		t.Fatal(err)
	}
	a, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	var e *cloud.Error
	if err := sigv4.Verify(r, nil, a, &cloud.Caller{SecretAccessKey: "s"}, now); !errors.As(err, &e) || e.Code != cloud.InvalidSignature {
		t.Errorf("got %v", err)
	}
}

func TestIncomplete(t *testing.T) {
	const good = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=00"
	for _, c := range []struct{ header, date, want string }{
		{"", "20260101T000000Z", "MissingAuthenticationToken: Missing Authentication Token"},
		{"Bearer x", "20260101T000000Z", "IncompleteSignature: Authorization header requires 'AWS4-HMAC-SHA256'."},
		{strings.Replace(good, "Credential", "Cred", 1), "20260101T000000Z", "IncompleteSignature: Authorization header requires 'Credential' parameter."},
		{strings.Replace(good, "SignedHeaders", "Headers", 1), "20260101T000000Z", "IncompleteSignature: Authorization header requires 'SignedHeaders' parameter."},
		{good, "", "IncompleteSignature: Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{strings.Replace(good, "/aws4_request", "", 1), "20260101T000000Z", "IncompleteSignature: Credential must have exactly 5 slash-delimited elements"},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		if c.date != "" {
			r.Header.Set("X-Amz-Date", c.date)
		}
		if _, err := sigv4.Parse(r); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: got %v; want %q", c.header, err, c.want)
		}
	}
}
