package lab_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"go.uber.org/goleak"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// injections is every kind with what an SDK client sees of it.
var injections = []struct {
	kind, code, text string
	performed        bool
}{
	{lab.Denied, "AccessDenied", "User: arn:aws:iam::111111111111:user/ada is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/ops/deploy because no identity-based policy allows the sts:AssumeRole action", false},
	{lab.Throttled, "Throttling", "Rate exceeded", false},
	{lab.Expired, "ExpiredToken", "The security token included in the request is expired", false},
	{lab.Reset, "", "connection reset by peer", false},
	{lab.Timeout, "", "context deadline exceeded", false},
	{lab.HTML, "", "deserialization failed", false},
	{lab.HTML503, "", "StatusCode: 503", false},
	{lab.Half, "", "unexpected EOF", true},
	{lab.Unknown, "InvalidAction", "Could not find operation AssumeRole for version 2011-06-15", false},
	{lab.LostReply, "", "connection reset by peer", true},
	{lab.Slow, "", "", true},
	{"misspelt", "InternalFailure", "The lab knows no injection of kind misspelt.", false},
}

// strike lets one injection hit one call of AssumeRole and tells what came back and whether there is a session now.
func strike(t *testing.T, kind string, timeout time.Duration, transport func(*lab.Lab) (http.RoundTripper, string)) (session bool, l *lab.Lab, err error) {
	t.Helper()
	l, ada := open(t)
	l.Cloud.Within(func() {
		l.Cloud.Injections = []*cloud.Injection{{Service: "sts", Operation: "AssumeRole", Kind: kind, Times: 1}}
		if kind == lab.Slow {
			l.Cloud.Injections[0].Delay = 100 * time.Millisecond
		}
	})
	rt, endpoint := transport(l)
	cfg := config(rt, ada)
	if endpoint != "" {
		cfg.BaseEndpoint = aws.String(endpoint)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	_, err = sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("ci")})
	l.Cloud.Within(func() { session = l.Cloud.CallerByName("deploy/ci") != nil })
	return session, l, err
}

func TestInjectionsInProcess(t *testing.T) {
	for _, c := range injections {
		t.Run(c.kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exists, l, err := strike(t, c.kind, time.Hour, func(l *lab.Lab) (http.RoundTripper, string) { return l, "" })
				if code(err) != c.code && c.kind != lab.HTML503 || (err == nil) != (c.text == "") || err != nil && !strings.Contains(err.Error(), c.text) {
					t.Errorf("got %v; want code %q with %q", err, c.code, c.text)
				}
				if exists != c.performed {
					t.Errorf("the session exists: %t; want %t", exists, c.performed)
				}
				first := l.Cloud.Ledger()[0]
				if first.Injected != c.kind || (first.ErrorCode == "") != c.performed {
					t.Errorf("ledger: %+v", first)
				}
			})
		})
	}
}

func TestInjectionsOverTCP(t *testing.T) {
	for _, c := range injections {
		t.Run(c.kind, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			tr := &http.Transport{}
			defer tr.CloseIdleConnections()
			var srv *httptest.Server
			exists, _, err := strike(t, c.kind, 500*time.Millisecond, func(l *lab.Lab) (http.RoundTripper, string) {
				srv = httptest.NewServer(l)
				return tr, srv.URL
			})
			defer srv.Close()
			if code(err) != c.code && c.kind != lab.HTML503 || (err == nil) != (c.text == "") || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v; want code %q with %q", err, c.code, c.text)
			}
			if exists != c.performed {
				t.Errorf("the session exists: %t; want %t", exists, c.performed)
			}
		})
	}
}

// TestJSONInjections proves the JSON spelling of the injected errors.
func TestJSONInjections(t *testing.T) {
	l, ada := open(t)
	for kind, want := range map[string]string{lab.Denied: "AccessDeniedException", lab.Throttled: "ThrottlingException", lab.Expired: "ExpiredTokenException", lab.Unknown: "UnknownOperationException"} {
		l.Cloud.Within(func() { l.Cloud.Injections = []*cloud.Injection{{Kind: kind, Times: 1}} })
		_, err := cloudtrail.NewFromConfig(config(l, ada)).LookupEvents(t.Context(), nil)
		check(t, err, want, "")
	}
}

// TestTimeoutWithDelay proves that a hanging call ends by itself when the injection says when.
func TestTimeoutWithDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ada := open(t)
		l.Cloud.Injections = []*cloud.Injection{{Kind: lab.Timeout, Delay: time.Minute}}
		start := time.Now()
		_, err := cloudtrail.NewFromConfig(config(l, ada)).LookupEvents(context.Background(), nil)
		if err == nil || time.Since(start) != time.Minute {
			t.Errorf("got %v after %v; want an error after a minute", err, time.Since(start))
		}
	})
}

// TestDenialIsAnEvent proves that an injected refusal is in the event history like a real one, and a session that is over is not.
func TestDenialIsAnEvent(t *testing.T) {
	l, ada := open(t)
	l.Cloud.Injections = []*cloud.Injection{{Kind: lab.Expired, Times: 1}, {Kind: lab.Denied, Times: 1}}
	for range 2 {
		if _, err := cloudtrail.NewFromConfig(config(l, ada)).LookupEvents(t.Context(), nil); err == nil {
			t.Fatal("not refused")
		}
	}
	l.Cloud.Within(func() {
		events := l.Cloud.Events(id, "us-east-1")
		if len(events) != 1 || events[0].ErrorCode != cloud.AccessDenied || events[0].Name != "LookupEvents" {
			t.Errorf("events: %+v", events)
		}
	})
}

// TestHalfReply reads the broken reply by hand: the whole length is announced, half of it comes.
func TestHalfReply(t *testing.T) {
	l, ada := open(t)
	var whole []byte
	l.Observe(func(x lab.Exchange) { whole = x.Body })
	l.Cloud.Injections = []*cloud.Injection{{Kind: lab.Half}}
	var got []byte
	var announced int64
	spy := spy{l, func(r *http.Response) {
		announced = r.ContentLength
		var err error
		if got, err = io.ReadAll(r.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("read: %v", err)
		}
	}}
	_, _ = cloudtrail.NewFromConfig(config(spy, ada)).LookupEvents(t.Context(), nil)
	if int(announced) != len(whole) || len(whole) == 0 || string(got) != string(whole[:len(whole)/2]) {
		t.Errorf("announced %d, got %q of %q", announced, got, whole)
	}
}

type spy struct {
	next http.RoundTripper
	see  func(*http.Response)
}

func (s spy) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.next.RoundTrip(r)
	if err == nil {
		s.see(resp)
	}
	return resp, err
}
