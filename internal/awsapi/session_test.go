package awsapi

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/unjam/unjam/internal/fact"
)

// me answers GetCallerIdentity, and AssumeRole with keys that expire.
func me(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	w.Header().Set("Content-Type", "text/xml")
	if r.Form.Get("Action") == "AssumeRole" {
		fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
		return
	}
	key, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="), "/")
	fmt.Fprintf(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>%s</Arn><UserId>u</UserId><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, key)
}

// caller is the access key the service saw.
func caller(t *testing.T, s *Session) string {
	t.Helper()
	out, err := sts.NewFromConfig(s.Config("")).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.Arn)
}

func TestOpenUsage(t *testing.T) {
	machine(t)
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"no Region":        {Options{}, "no Region: use --region, set AWS_REGION"},
		"Region malformed": {Options{Region: "Frankfurt"}, `"Frankfurt" is not the name of a Region`},
		"role":             {Options{Region: "eu-west-1", RoleARN: "arn:aws:sts::111111111111:assumed-role/x/y"}, "not the ARN of an IAM role"},
		"endpoint":         {Options{Region: "eu-west-1", EndpointURL: "localhost:4566"}, "not an http or https URL"},
		"profile":          {Options{Region: "eu-west-1", Profile: "nobody"}, `profile "nobody" does not exist`},
	} {
		_, err := Open(t.Context(), c.o)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) || Classify(err).Why != usage.Why {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOpenWithoutCredentials(t *testing.T) {
	machine(t)
	_, err := Open(t.Context(), Options{Region: "eu-west-1"})
	if f := Classify(err); f.Kind != NoKeys || !strings.Contains(f.Why, "find credentials") || !strings.Contains(f.Why, "aws sso login") || !strings.Contains(f.Why, "AWS_PROFILE") {
		t.Errorf("got %+v of %v", f, err)
	}
}

// A profile with SSO whose token is missing or old is an expired session, not "no credentials".
func TestOpenWithOldSSO(t *testing.T) {
	dir := machine(t)
	write(t, filepath.Join(dir, "config"), "[profile work]\nregion=eu-west-1\nsso_session=corp\nsso_account_id=111111111111\nsso_role_name=Dev\n[sso-session corp]\nsso_region=eu-west-1\nsso_start_url=https://corp.awsapps.com/start\n")
	_, err := Open(t.Context(), Options{Profile: "work"})
	if f := Classify(err); f.Class != fact.Expired || !strings.Contains(f.Why, "aws sso login") {
		t.Errorf("got %+v of %v", f, err)
	}
}

func TestChainRoleAndRenew(t *testing.T) {
	dir := machine(t)
	server := httptest.NewServer(http.HandlerFunc(me))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	write(t, filepath.Join(dir, "config"), "[profile work]\nregion=eu-central-1\n")
	write(t, filepath.Join(dir, "credentials"), "[work]\naws_access_key_id=AKIAOLD\naws_secret_access_key=s\n")
	s, err := Open(t.Context(), Options{Profile: "work"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Region() != "eu-central-1" || s.Config("us-east-1").Region != "us-east-1" {
		t.Errorf("Region %s, want the profile's", s.Region())
	}
	if got := caller(t, s); got != "AKIAOLD" {
		t.Errorf("called as %s", got)
	}
	if o, err := s.Credentials(t.Context()); err != nil || !strings.HasPrefix(o.Source, "SharedConfigCredentials") || !o.ExpiresAt.IsZero() {
		t.Errorf("credentials %+v, %v", o, err)
	}
	write(t, filepath.Join(dir, "credentials"), "[work]\naws_access_key_id=AKIANEW\naws_secret_access_key=s\n")
	if got := caller(t, s); got != "AKIAOLD" {
		t.Errorf("called as %s before renewal", got)
	}
	if err := s.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := caller(t, s); got != "AKIANEW" {
		t.Errorf("called as %s after renewal", got)
	}
	if err := os.Remove(filepath.Join(dir, "credentials")); err != nil {
		t.Fatal(err)
	}
	if err := s.Renew(t.Context()); Classify(err).Kind != NoKeys {
		t.Errorf("renewal without credentials: %v", err)
	}
	if got := caller(t, s); got != "AKIANEW" {
		t.Errorf("called as %s after a failed renewal", got)
	}

	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	r, err := Open(t.Context(), Options{Region: "eu-west-1", RoleARN: "arn:aws:iam::111111111111:role/ops/Read"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if o, err := r.Credentials(t.Context()); err != nil || o.Source != "AssumeRoleProvider" || o.ExpiresAt.Year() != 2099 {
		t.Errorf("credentials %+v, %v", o, err)
	}
	if got := caller(t, r); got != "ASIAROLE" {
		t.Errorf("called as %s", got)
	}
	if n := r.Tally().ByOperation; n["sts:AssumeRole"] != 1 || n["sts:GetCallerIdentity"] != 1 {
		t.Errorf("tally %v", n)
	}
}

func TestAssumeRoleDenied(t *testing.T) {
	_, err := Open(t.Context(), Options{Keys: keys(), Region: "eu-west-1", RoleARN: "arn:aws:iam::111111111111:role/Ops", Transport: wire(func(*http.Request) (*http.Response, error) {
		return says(403, "text/xml", `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::111111111111:user/ada is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/Ops</Message></Error></ErrorResponse>`), nil
	})})
	if f := Classify(err); f.Class != fact.Denied || f.Action != "sts:AssumeRole" || !strings.Contains(f.Why, "get credentials") || f.InDoubt {
		t.Errorf("got %+v of %v", f, err)
	}
}

// --endpoint-url wins over everything in the environment.
func TestEndpointURL(t *testing.T) {
	machine(t)
	right := httptest.NewServer(http.HandlerFunc(me))
	defer right.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	s, err := Open(t.Context(), Options{Region: "eu-west-1", EndpointURL: right.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := caller(t, s); got != "AKIAENV" {
		t.Errorf("called as %s", got)
	}
	t.Setenv("AWS_ENDPOINT_URL_STS", right.URL)
	byService, err := Open(t.Context(), Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer byService.Close()
	if got := caller(t, byService); got != "AKIAENV" {
		t.Errorf("called as %s by the service's own endpoint", got)
	}
}

// With Keys nothing of the machine counts: no profile, no endpoint, no keys of the environment.
func TestKeysAreClosed(t *testing.T) {
	machine(t)
	t.Setenv("AWS_PROFILE", "nobody")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_CA_BUNDLE", "/nowhere")
	var host string
	s := over(t, wire(func(r *http.Request) (*http.Response, error) {
		host = r.URL.Host
		w := httptest.NewRecorder()
		me(w, r)
		return w.Result(), nil
	}))
	if got := caller(t, s); got != keys().ID || host != "sts.eu-west-1.amazonaws.com" {
		t.Errorf("called %s as %s", host, got)
	}
}

func TestCABundle(t *testing.T) {
	dir := machine(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(me))
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	s, err := Open(t.Context(), Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = sts.NewFromConfig(s.Config("")).GetCallerIdentity(t.Context(), nil)
	if f := Classify(err); f.Kind != TLS {
		t.Errorf("got %+v of %v, want a TLS failure", f, err)
	}
	bundle := filepath.Join(dir, "ca.pem")
	write(t, bundle, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	t.Setenv("AWS_CA_BUNDLE", bundle)
	s2, err := Open(t.Context(), Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer s2.Close()
	if got := caller(t, s2); got != "AKIAENV" {
		t.Errorf("called as %s", got)
	}
}

// A closed session leaves no idle connection behind.
func TestClose(t *testing.T) {
	machine(t)
	idle := make(chan struct{}, 10)
	closed := make(chan struct{}, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(me))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateIdle:
			idle <- struct{}{}
		case http.StateClosed:
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	s, err := Open(t.Context(), Options{Keys: keys(), Region: "eu-west-1", EndpointURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	caller(t, s)
	<-idle
	s.Close()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the connection stays open")
	}
}

// Clients of all services and Regions share one connection pool, which keeps more connections than run at once.
func TestOnePool(t *testing.T) {
	machine(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	s, err := Open(t.Context(), Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	one := sts.NewFromConfig(s.Config("us-east-1")).Options().HTTPClient
	other := codepipeline.NewFromConfig(s.Config("")).Options().HTTPClient
	c, ok := one.(*http.Client)
	if !ok || one != other {
		t.Fatalf("clients %T %p and %T %p", one, one, other, other)
	}
	if pool, ok := c.Transport.(*http.Transport); !ok || pool.MaxIdleConnsPerHost != idlePerHost || pool.Proxy == nil || c.Timeout != attemptTimeout {
		t.Errorf("transport %+v, timeout %v", c.Transport, c.Timeout)
	}
}

// However the network is dead, one call gives up within 20 seconds (and a moment for the backoff of refused dials).
func TestDeadNetwork(t *testing.T) {
	for name, w := range map[string]wire{
		"silent": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"no route": func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(connectTimeout):
			case <-r.Context().Done():
			}
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		},
		"refuses": func(r *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := over(t, w)
				start := time.Now()
				_, err := read(t.Context(), s)
				if took := time.Since(start); took > callTimeout {
					t.Errorf("took %v", took)
				}
				if f := Classify(err); !f.Client || (f.Kind != Slow && f.Kind != Dial) {
					t.Errorf("got %+v of %v", f, err)
				}
			})
		})
	}
}

// CloudTrail sees at most two look-ups in any second, and the pace does not waste its time either.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sent []time.Time
		s := over(t, wire(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			sent = append(sent, time.Now())
			mu.Unlock()
			return says(200, "application/x-amz-json-1.1", `{"Events":[]}`), nil
		}))
		look := func(ctx context.Context, region string) error {
			_, err := cloudtrail.NewFromConfig(s.Config(region)).LookupEvents(ctx, &cloudtrail.LookupEventsInput{})
			return err
		}
		start := time.Now()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := look(t.Context(), "eu-west-1"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for i := 2; i < len(sent); i++ {
			if sent[i].Sub(sent[i-2]) < time.Second {
				t.Errorf("look-ups %d to %d within %v", i-2, i, sent[i].Sub(sent[i-2]))
			}
		}
		if took := time.Since(start); len(sent) != 8 || took > 4*time.Second {
			t.Errorf("%d look-ups took %v", len(sent), took)
		}
		start = time.Now()
		if err := look(t.Context(), "us-east-1"); err != nil || time.Since(start) != 0 {
			t.Errorf("another Region waited %v: %v", time.Since(start), err)
		}
		if _, err := codepipeline.NewFromConfig(s.Config("eu-west-1")).ListPipelines(t.Context(), nil); err != nil || time.Since(start) != 0 {
			t.Errorf("another service waited %v: %v", time.Since(start), err)
		}
		// A turn that comes too late is not waited for.
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for range 3 {
			if err := look(ctx, "eu-west-1"); err != nil {
				if f := Classify(err); f.Class != fact.Timeout || f.InDoubt || time.Since(start) > 100*time.Millisecond {
					t.Errorf("got %+v after %v", f, time.Since(start))
				}
				return
			}
		}
		t.Error("three look-ups within 100 ms")
	})
}

// Many calls at once that all wait for their turn: the time limit of a call begins when its turn has come.
func TestTurnIsNotCallTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := over(t, wire(func(*http.Request) (*http.Response, error) {
			return says(200, "application/x-amz-json-1.1", `{"Events":[]}`), nil
		}))
		var all sync.WaitGroup
		for range 100 { // about 50 s
			all.Go(func() {
				if _, err := cloudtrail.NewFromConfig(s.Config("")).LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := s.Tally().ByOperation["cloudtrail:LookupEvents"]; n != 100 || s.Tally().Total != 100 {
			t.Errorf("tally %v", s.Tally())
		}
	})
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
