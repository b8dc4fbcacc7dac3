package lab_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/lab/cloud"
)

// tamper changes a request after it was signed.
type tamper struct {
	next   http.RoundTripper
	change func(*http.Request)
}

func (f tamper) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	f.change(r)
	return f.next.RoundTrip(r)
}

func body(text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
}

func code(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	return api.ErrorCode()
}

// TestAuthentication signs with the real SDK and spoils one thing. Each refusal is worded per protocol: Query for STS,
// JSON for CloudTrail.
func TestAuthentication(t *testing.T) {
	keep := func(*http.Request) {}
	for _, c := range []struct {
		name        string
		caller      func(*cloud.Caller)
		skew        time.Duration
		change      func(*http.Request)
		query, json string
		text        string
	}{
		{"good", nil, 0, keep, "", "", ""},
		{"wrong secret", func(k *cloud.Caller) { k.SecretAccessKey = "guess" }, 0, keep, "SignatureDoesNotMatch", "InvalidSignatureException", "Check your AWS Secret Access Key and signing method"},
		{"unknown key", func(k *cloud.Caller) { k.AccessKeyID = "AKIAUNKNOWN" }, 0, keep, "InvalidClientTokenId", "UnrecognizedClientException", "The security token included in the request is invalid"},
		{"no token", func(k *cloud.Caller) { k.SessionToken = "" }, 0, keep, "InvalidClientTokenId", "UnrecognizedClientException", "The security token included in the request is invalid"},
		{"other token", func(k *cloud.Caller) { k.SessionToken = "stolen" }, 0, keep, "InvalidClientTokenId", "UnrecognizedClientException", "The security token included in the request is invalid"},
		{"expired", nil, 0, keep, "ExpiredToken", "ExpiredTokenException", "The security token included in the request is expired"},
		{"slow clock", nil, 6 * time.Minute, keep, "SignatureDoesNotMatch", "InvalidSignatureException", "Signature expired: 20000101T000000Z is now earlier than 20000101T000100Z (20000101T000600Z - 5 min.)"},
		{"fast clock", nil, -6 * time.Minute, keep, "SignatureDoesNotMatch", "InvalidSignatureException", "Signature not yet current: 20000101T000000Z is still later than 19991231T235900Z (19991231T235400Z + 5 min.)"},
		{"clock within leeway", nil, 5 * time.Minute, keep, "", "", ""},
		{"tampered header", nil, 0, func(r *http.Request) { r.Header.Set("X-Amz-Date", "20000101T000001Z") }, "SignatureDoesNotMatch", "InvalidSignatureException", "does not match the signature you provided"},
		{"unsigned header", nil, 0, func(r *http.Request) { r.Header.Set("X-Amz-Extra", "1") }, "SignatureDoesNotMatch", "InvalidSignatureException", "must be a 'SignedHeader'"},
		{"no signature", nil, 0, func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationToken", "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{"cut signature", nil, 0, func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x") }, "IncompleteSignature", "IncompleteSignatureException", "Authorization header requires 'Signature' parameter."},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, ada := open(t)
				signer := *ada
				signer.SessionToken, ada.SessionToken = "ada-token", "ada-token"
				l.Cloud.Skew = c.skew
				if c.name == "expired" {
					ada.Expires = time.Now()
				}
				if c.caller != nil {
					c.caller(&signer)
				}
				cfg := config(tamper{l, c.change}, &signer)
				_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
				check(t, err, c.query, c.text)
				_, err = cloudtrail.NewFromConfig(cfg).LookupEvents(t.Context(), nil)
				check(t, err, c.json, c.text)
			})
		})
	}
}

func check(t *testing.T, err error, want, text string) {
	t.Helper()
	if (err == nil) != (want == "") || code(err) != want || err != nil && !strings.Contains(err.Error(), text) {
		t.Errorf("got %v; want code %q with %q", err, want, text)
	}
}

func TestTamperedBody(t *testing.T) {
	l, ada := open(t)
	cfg := config(tamper{l, body(`{"MaxResults":1}`)}, ada)
	_, err := cloudtrail.NewFromConfig(cfg).LookupEvents(t.Context(), nil)
	check(t, err, "InvalidSignatureException", "does not match")
	cfg = config(tamper{l, body("Action=GetAccessKeyInfo&Version=2011-06-15&AccessKeyId=AKIALABADA0000000001")}, ada)
	_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	check(t, err, "SignatureDoesNotMatch", "does not match")
}

func TestRegionSwitchedOff(t *testing.T) {
	l, ada := open(t)
	cfg := config(l, ada)
	cfg.Region = "eu-south-1"
	_, err := cloudtrail.NewFromConfig(cfg).LookupEvents(t.Context(), nil)
	check(t, err, "UnrecognizedClientException", "The security token included in the request is invalid.")
	l.Cloud.Within(func() {
		l.Cloud.Account(id).Regions = map[string]string{"eu-south-1": "ENABLED"}
	})
	_, err = cloudtrail.NewFromConfig(cfg).LookupEvents(t.Context(), nil)
	check(t, err, "", "")
}

// TestOversizedRequest proves that a body over the limit is refused and not kept.
func TestOversizedRequest(t *testing.T) {
	l, ada := open(t)
	big := string(bytes.Repeat([]byte(" "), 9<<20))
	_, err := cloudtrail.NewFromConfig(config(tamper{l, body(big)}, ada)).LookupEvents(t.Context(), nil)
	check(t, err, "RequestEntityTooLargeException", "larger than")
}
