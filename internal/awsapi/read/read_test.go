package read

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"go.uber.org/goleak"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

func over(t *testing.T, w http.RoundTripper, k awsapi.Keys) *Reader {
	t.Helper()
	s, err := awsapi.Open(t.Context(), awsapi.Options{Keys: &k, Region: "eu-west-1", Transport: w})
	if err != nil {
		t.Fatal(err)
	}
	return New(s)
}

// The declaration comes as AWS sent it, with members the SDK does not know.
func TestRawDeclaration(t *testing.T) {
	const declaration = `{"name":"web","fromTheFuture":{"b":1,"a":[2.50]},"roleArn":"r","stages":[],"version":7}`
	r := over(t, wire(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"X-Amzn-Requestid": {"req"}}, Body: io.NopCloser(strings.NewReader(`{"pipeline":` + declaration + `}`))}, nil
	}), awsapi.Keys{ID: "AKIA", Secret: "s"})
	scope := fact.Scope{Account: "111111111111", Region: "us-east-1"}
	out, raw, src, err := r.GetPipeline(t.Context(), scope, &codepipeline.GetPipelineInput{Name: aws.String("web")})
	if err != nil || string(raw) != declaration || aws.ToInt32(out.Pipeline.Version) != 7 || !json.Valid(raw) {
		t.Fatalf("raw %s, error %v", raw, err)
	}
	if want := (fact.Source{Service: "codepipeline", Operation: "GetPipeline", RequestID: "req", At: src.At, Account: scope.Account, Region: scope.Region}); src != want || time.Since(src.At) > time.Minute {
		t.Errorf("source %+v", src)
	}
}

// A machine whose clock is wrong pays for it with one refused call per service and Region, not one per call.
func TestClockIsLearned(t *testing.T) {
	l := lab.New()
	apimodel.Attach(t, l)
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: "111111111111"})
		if _, err := l.IAM.CreateUser("111111111111", "ada", "/"); err != nil {
			t.Fatal(err)
		}
		l.Cloud.AddCaller(&cloud.Caller{Name: "ada", Principal: l.IAM.UserPrincipal("111111111111", "ada"), AccessKeyID: "AKIALABADA0000000001", SecretAccessKey: "s"})
		l.Cloud.Skew = time.Hour
	})
	r := over(t, l, awsapi.Keys{ID: "AKIALABADA0000000001", Secret: "s"})
	for range 3 {
		out, _, err := r.GetCallerIdentity(t.Context(), fact.Scope{})
		if err != nil || aws.ToString(out.Account) != "111111111111" {
			t.Fatal(err)
		}
	}
	if n := len(l.Cloud.Ledger()); n != 4 {
		t.Errorf("%d exchanges for 3 calls, want 4", n)
	}
}

// A VPC whose endpoint has private DNS for the old name only: the new host swallows packets. The old one is asked instead, and after it
// answered the new one is left alone, except for what the old one cannot know.
func TestUnreachableNewHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const older, newer = "arn:aws:codestar-connections:eu-west-1:111111111111:connection/1", "arn:aws:codeconnections:eu-west-1:111111111111:connection/2"
		dials := 0
		r := over(t, wire(func(q *http.Request) (*http.Response, error) {
			if strings.HasPrefix(q.URL.Host, "codeconnections.") {
				dials++
				time.Sleep(4 * time.Second)
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
			}
			body := `{"Connection":{"ConnectionArn":"` + older + `","ConnectionStatus":"AVAILABLE"},"Connections":[{"ConnectionArn":"` + older + `"}],"Tags":[{"Key":"team","Value":"web"}]}`
			return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"X-Amzn-Requestid": {"req"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
		}), awsapi.Keys{ID: "AKIA", Secret: "s"})
		scope := fact.Scope{Account: "111111111111", Region: "eu-west-1"}
		for range 3 {
			c, src, err := r.GetConnection(t.Context(), scope, older)
			if err != nil || aws.ToString(c.ConnectionArn) != older || src.Service != "codestar-connections" {
				t.Fatalf("got %v from %s: %v", c, src.Service, err)
			}
		}
		if list, _, src, err := r.ListConnections(t.Context(), scope, ""); err != nil || len(list) != 1 || src.Service != "codestar-connections" {
			t.Errorf("list %v from %s: %v", list, src.Service, err)
		}
		if tags, _, err := r.ListTagsForResource(t.Context(), scope, older); err != nil || tags["team"] != "web" {
			t.Errorf("tags %v: %v", tags, err)
		}
		if dials != 3 {
			t.Errorf("%d dials of the new host, want the three tries of the first call", dials)
		}
		_, src, err := r.GetConnection(t.Context(), scope, newer)
		f := awsapi.Classify(err)
		if f.Kind != awsapi.Dial || src.Service != "codeconnections" || !strings.Contains(f.Why, "the network, not AWS: no connection to codeconnections.eu-west-1.amazonaws.com") || !strings.Contains(f.Why, "interface endpoint") {
			t.Errorf("got %+v from %s", f, src.Service)
		}
	})
}
