// Package sigv4 checks AWS Signature Version 4 as AWS does: scope, clock, token, canonical request and signature.
// It never signs anything and does not look at query-string (presigned) signatures.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/wire"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	stamp     = "20060102T150405Z"
	// Leeway is how far the signer's clock may be off. AWS documents five minutes for most services.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
	Leeway = 5 * time.Minute
)

// Authorization is a parsed Authorization header.
type Authorization struct {
	KeyID, Date, Region, Service string // the credential scope
	SignedHeaders                []string
	Signature                    string // hexadecimal
}

// Parse reads the Authorization header of a request. It fails with MissingAuthenticationToken when there is none and
// with IncompleteSignature when a part is missing.
func Parse(r *http.Request) (Authorization, error) {
	var a Authorization
	header := r.Header.Get("Authorization")
	if header == "" {
		return a, cloud.Errorf(wire.MissingAuthenticationToken, "Missing Authentication Token")
	}
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return a, cloud.Errorf(wire.IncompleteSignature, "Authorization header requires '%s'. Authorization=%s", algorithm, header)
	}
	credential := ""
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			credential = value
		case "SignedHeaders":
			a.SignedHeaders = strings.Split(value, ";")
		case "Signature":
			a.Signature = value
		}
	}
	if lacks := missing(credential, a, r.Header); lacks != "" {
		return a, cloud.Errorf(wire.IncompleteSignature, "%s Authorization=%s", lacks, algorithm)
	}
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return a, cloud.Errorf(wire.IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", credential)
	}
	a.KeyID, a.Date, a.Region, a.Service = scope[0], scope[1], scope[2], scope[3]
	return a, nil
}

func missing(credential string, a Authorization, h http.Header) string {
	var lacks []string
	if credential == "" {
		lacks = append(lacks, "Authorization header requires 'Credential' parameter.")
	}
	if a.Signature == "" {
		lacks = append(lacks, "Authorization header requires 'Signature' parameter.")
	}
	if len(a.SignedHeaders) == 0 {
		lacks = append(lacks, "Authorization header requires 'SignedHeaders' parameter.")
	}
	if h.Get("X-Amz-Date") == "" {
		lacks = append(lacks, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return strings.Join(lacks, " ")
}

// Verify checks a parsed request against the caller its key belongs to; nil when the lab does not know the key. The body
// is hashed here whatever X-Amz-Content-Sha256 claims, since the JSON services' clients do not send that header. The order is that of
// AWS: unknown key, clock, signature, and only then whether the session is over.
func Verify(r *http.Request, body []byte, a Authorization, k *cloud.Caller, now time.Time) error {
	if k == nil || (k.SessionToken != "" && r.Header.Get("X-Amz-Security-Token") == "") {
		return cloud.Errorf(cloud.UnrecognizedClient, "The security token included in the request is invalid.")
	}
	date := r.Header.Get("X-Amz-Date")
	if err := current(date, a.Date, now); err != nil {
		return err
	}
	if err := covers(a.SignedHeaders, r.Header); err != nil {
		return err
	}
	toSign := strings.Join([]string{algorithm, date, strings.Join([]string{a.Date, a.Region, a.Service, "aws4_request"}, "/"), hash([]byte(canonical(r, body, a.SignedHeaders)))}, "\n")
	key := []byte("AWS4" + k.SecretAccessKey)
	for _, part := range []string{a.Date, a.Region, a.Service, "aws4_request", toSign} {
		key = mac(key, part)
	}
	claimed := r.Header.Get("X-Amz-Content-Sha256")
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(key)), []byte(a.Signature)) != 1 || (claimed != "" && claimed != hash(body)) {
		return cloud.Errorf(cloud.InvalidSignature, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if subtle.ConstantTimeCompare([]byte(k.SessionToken), []byte(r.Header.Get("X-Amz-Security-Token"))) != 1 {
		return cloud.Errorf(cloud.UnrecognizedClient, "The security token included in the request is invalid.")
	}
	if !k.Expires.IsZero() && !now.Before(k.Expires) {
		return cloud.Errorf(cloud.ExpiredToken, "The security token included in the request is expired")
	}
	return nil
}

// current checks the time of signing against the lab's clock and the date of the scope.
func current(date, scope string, now time.Time) error {
	t, err := time.Parse(stamp, date)
	if err != nil {
		return cloud.Errorf(wire.IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", date)
	}
	if scope != date[:8] {
		return cloud.Errorf(cloud.InvalidSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", scope, date[:8], date)
	}
	now = now.UTC()
	if early := now.Add(-Leeway); t.Before(early.Truncate(time.Second)) {
		return cloud.Errorf(cloud.InvalidSignature, "Signature expired: %s is now earlier than %s (%s - 5 min.)", date, early.Format(stamp), now.Format(stamp))
	}
	if late := now.Add(Leeway); t.After(late) {
		return cloud.Errorf(cloud.InvalidSignature, "Signature not yet current: %s is still later than %s (%s + 5 min.)", date, late.Format(stamp), now.Format(stamp))
	}
	return nil
}

// covers demands that the host and every X-Amz header that was sent are among the signed ones.
func covers(signed []string, h http.Header) error {
	if !slices.Contains(signed, "host") {
		return cloud.Errorf(cloud.InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range h {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && lower != "x-amz-content-sha256" && !slices.Contains(signed, lower) {
			return cloud.Errorf(cloud.InvalidSignature, "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	return nil
}

// canonical writes the request as both sides sign it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func canonical(r *http.Request, body []byte, signed []string) string {
	var headers strings.Builder
	for _, name := range signed {
		headers.WriteString(name + ":" + headerValue(r, name, len(body)) + "\n")
	}
	path := encode(r.URL.EscapedPath(), true)
	if path == "" {
		path = "/"
	}
	return strings.Join([]string{r.Method, path, query(r.URL.Query()), headers.String(), strings.Join(signed, ";"), hash(body)}, "\n")
}

func headerValue(r *http.Request, name string, length int) string {
	switch name {
	case "host":
		if r.Host != "" {
			return r.Host
		}
		return r.URL.Host
	case "content-length":
		return strconv.Itoa(length)
	}
	var values []string
	for _, v := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(v), " "))
	}
	return strings.Join(values, ",")
}

func query(q url.Values) string {
	var all [][]string // name and value, encoded: sorted by name first, so that "z" comes before "z-"
	for name, values := range q {
		for _, v := range values {
			all = append(all, []string{encode(name, false), encode(v, false)})
		}
	}
	slices.SortFunc(all, slices.Compare)
	var pairs []string
	for _, p := range all {
		pairs = append(pairs, p[0]+"="+p[1])
	}
	return strings.Join(pairs, "&")
}

// encode percent-encodes all but the unreserved characters, byte by byte; slashes stay in a path.
func encode(s string, path bool) string {
	const hexits, free = "0123456789ABCDEF", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if strings.IndexByte(free, c) >= 0 || (path && c == '/') {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hexits[c>>4], hexits[c&15]})
		}
	}
	return b.String()
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
