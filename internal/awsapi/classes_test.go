package awsapi

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/unjam/unjam/internal/fact"
)

func read(ctx context.Context, s *Session) (Reply, error) {
	var r Reply
	_, err := codepipeline.NewFromConfig(s.Config("")).GetPipeline(WithReply(ctx, &r), &codepipeline.GetPipelineInput{Name: aws.String("web")})
	return r, err
}

func TestClassify(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	fails := func(err error) wire { return func(*http.Request) (*http.Response, error) { return nil, err } }
	answers := func(status int, code, message string) wire {
		return func(*http.Request) (*http.Response, error) { return failure(status, code, message), nil }
	}
	text := "User: arn:aws:sts::111111111111:assumed-role/Dev/ada is not authorized to perform: codepipeline:GetPipeline on resource: arn:aws:codepipeline:eu-west-1:111111111111:web because no service control policy allows the codepipeline:GetPipeline action"
	for name, c := range map[string]struct {
		wire    wire
		kind    Kind
		class   fact.Class
		client  bool
		doubt   bool
		tries   int
		why     string
		action  string
		details string // By
	}{
		"denied":         {answers(400, "AccessDeniedException", text), Refused, fact.Denied, false, false, 1, "no service control policy", "codepipeline:GetPipeline", "service control policy"},
		"denied, no why": {answers(400, "AccessDeniedException", "Not today"), Refused, fact.Denied, false, false, 1, "Not today", "", ""},
		"throttled":      {answers(400, "ThrottlingException", "Rate exceeded"), Rate, fact.Throttled, false, false, throttleTries, "wait a moment", "", ""},
		"expired":        {answers(400, "ExpiredTokenException", "The security token included in the request is expired"), OldKeys, fact.Expired, false, false, 1, "aws sso login", "", ""},
		"unknown key":    {answers(400, "UnrecognizedClientException", "The security token included in the request is invalid."), BadKeys, fact.Failed, false, false, 1, "AWS_SESSION_TOKEN", "", ""},
		"clock":          {answers(400, "InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z"), Clock, fact.Failed, false, false, 1, "clock", "", ""},
		"wrong secret":   {answers(400, "InvalidSignatureException", "The request signature we calculated does not match"), BadKeys, fact.Failed, false, false, 1, "AWS_ACCESS_KEY_ID", "", ""},
		"no operation":   {answers(400, "UnknownOperationException", ""), NoOperation, fact.Unsupported, false, false, 1, "does not have this operation", "", ""},
		"quota":          {answers(400, "LimitExceededException", "The number of pipelines has exceeded the limit"), Quota, fact.Failed, false, false, 1, "quota", "", ""},
		"not found":      {answers(400, "PipelineNotFoundException", "Account '111111111111' does not have a pipeline with name 'web'"), NotFound, fact.Failed, false, false, 1, "does not have a pipeline", "", ""},
		"internal":       {answers(500, "InternalFailure", "oops"), Internal, fact.Failed, false, true, 3, "trouble of its own", "", ""},
		"odd 503":        {answers(503, "Odd", "oops"), Internal, fact.Failed, false, true, 3, "trouble of its own", "", ""},
		"other":          {answers(400, "ConflictException", "busy"), Other, fact.Failed, false, false, 1, "ConflictException: busy", "", ""},
		"dns":            {fails(dial(&net.DNSError{Err: "no such host", Name: "codepipeline.eu-west-1.amazonaws.com", IsNotFound: true})), DNS, fact.Failed, true, false, 1, "codepipeline.eu-west-1.amazonaws.com cannot be resolved", "", ""},
		"refused":        {fails(dial(os.NewSyscallError("connect", syscall.ECONNREFUSED))), Dial, fact.Failed, true, false, 3, "connection refused", "", ""},
		"dial timeout":   {fails(dial(os.ErrDeadlineExceeded)), Dial, fact.Timeout, true, false, 3, "firewall", "", ""},
		"tls":            {fails(x509.UnknownAuthorityError{}), TLS, fact.Failed, true, false, 3, "AWS_CA_BUNDLE", "", ""},
		"proxy":          {fails(&net.OpError{Op: "proxyconnect", Net: "tcp", Err: syscall.ECONNREFUSED}), Proxy, fact.Failed, true, false, 3, "HTTPS_PROXY", "", ""},
		"reset":          {fails(&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}), Reset, fact.Failed, true, true, 3, "broke off", "", ""},
		"closed":         {fails(io.EOF), Reset, fact.Failed, true, true, 3, "broke off", "", ""},
		"web page": {func(*http.Request) (*http.Response, error) {
			return says(200, "text/html", "<html><title>Sign in</title></html>"), nil
		}, HTML, fact.Failed, true, true, 1, "login page", "", ""},
		"web page, 503": {func(*http.Request) (*http.Response, error) {
			return says(503, "application/json", " <!DOCTYPE html><p>"), nil
		}, HTML, fact.Failed, true, true, 3, "login page", "", ""},
		"half": {func(*http.Request) (*http.Response, error) {
			return says(200, "application/x-amz-json-1.1", `{"pipeline":{"na`), nil
		}, Truncated, fact.Failed, true, true, 3, "cut short", "", ""},
		"half of CBOR": {func(*http.Request) (*http.Response, error) {
			return says(200, "application/cbor", "\xa1\x6cMetricAl"), nil
		}, Truncated, fact.Failed, true, true, 3, "cut short", "", ""},
		"empty": {func(*http.Request) (*http.Response, error) { return says(200, "application/x-amz-json-1.1", ""), nil }, Truncated, fact.Failed, true, true, 3, "cut short", "", ""},
		"half an error": {func(*http.Request) (*http.Response, error) {
			return says(400, "application/x-amz-json-1.1", `{"__type":"Acc`), nil
		}, Truncated, fact.Failed, true, true, 1, "cut short", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := over(t, c.wire)
				_, err := read(t.Context(), s)
				f := Classify(err)
				if f.Kind != c.kind || f.Class != c.class || f.Client != c.client || f.InDoubt != c.doubt || f.Action != c.action || f.By != c.details {
					t.Errorf("got %+v\nof %v", f, err)
				}
				if !strings.Contains(f.Why, c.why) || strings.Contains(f.Why, "\n") {
					t.Errorf("why %q lacks %q or is not one line", f.Why, c.why)
				}
				if n := s.Tally().Total; n != c.tries {
					t.Errorf("%d tries, want %d", n, c.tries)
				}
				if !f.Client && f.RequestID != "req-1" {
					t.Errorf("request ID %q", f.RequestID)
				}
			})
		})
	}
}

// Query services spell the same errors differently and say them in XML.
func TestClassifyQuery(t *testing.T) {
	for code, kind := range map[string]Kind{
		"AccessDenied": Refused, "Throttling": Rate, "ExpiredToken": OldKeys, "InvalidClientTokenId": BadKeys, "NoSuchEntity": NotFound,
		"LimitExceeded": Quota, "ServiceFailure": Internal, "InvalidAction": NoOperation,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := over(t, wire(func(*http.Request) (*http.Response, error) {
				return says(400, "text/xml", `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>`+code+`</Code><Message>m</Message></Error><RequestId>req-1</RequestId></ErrorResponse>`), nil
			}))
			_, err := iam.NewFromConfig(s.Config("")).ListRoles(t.Context(), &iam.ListRolesInput{})
			if f := Classify(err); f.Kind != kind || f.Code != code || f.Message != "m" {
				t.Errorf("%s: got %+v", code, f)
			}
		})
	}
}

// A truncated XML list must not read as a short list.
func TestHalfXML(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := over(t, wire(func(*http.Request) (*http.Response, error) {
			return says(200, "text/xml", `<ListRolesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListRolesResult><Roles>`), nil
		}))
		var r Reply
		_, err := iam.NewFromConfig(s.Config("")).ListRoles(WithReply(t.Context(), &r), &iam.ListRolesInput{})
		if f := Classify(err); f.Kind != Truncated {
			t.Errorf("got %+v", f)
		}
	})
}

func TestClassifyLocal(t *testing.T) {
	s := over(t, wire(func(*http.Request) (*http.Response, error) { return nil, errors.New("must not be called") }))
	_, err := codepipeline.NewFromConfig(s.Config("")).GetPipeline(t.Context(), &codepipeline.GetPipelineInput{})
	if f := Classify(err); f.Kind != Local || f.InDoubt || f.Client || !strings.Contains(f.Why, "Name") {
		t.Errorf("missing parameter: got %+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = read(ctx, s)
	if f := Classify(err); f.Kind != Interrupted || f.Class != fact.Skipped || f.InDoubt {
		t.Errorf("interrupted: got %+v", f)
	}
	if n := s.Tally().Total; n != 0 {
		t.Errorf("%d calls were made", n)
	}
	if f := Classify(errors.New("what nobody foresaw")); f.Kind != Other || !f.InDoubt || f.Why != "what nobody foresaw" {
		t.Errorf("unforeseen: got %+v", f)
	}
	if f := Classify(Failure{Kind: Rate, Why: "w"}); f.Kind != Rate {
		t.Errorf("classified twice: got %+v", f)
	}
	if f := Classify(nil); f.Kind != "" || f.Why != "" {
		t.Errorf("no error: got %+v", f)
	}
}

// A write whose reply was lost is never repeated for being incomplete: only reads ask for whole replies.
func TestBrokenReplyToWriteIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := over(t, wire(func(*http.Request) (*http.Response, error) {
			r := says(200, "application/x-amz-json-1.1", `{"pipelineExecutionId":"`)
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"pipe`), broken{}))
			return r, nil
		}))
		_, err := codepipeline.NewFromConfig(s.Config("")).StartPipelineExecution(t.Context(), &codepipeline.StartPipelineExecutionInput{Name: aws.String("web")})
		if f := Classify(err); f.Kind != Truncated || !f.InDoubt || s.Tally().Total != 1 {
			t.Errorf("got %+v after %d tries", f, s.Tally().Total)
		}
	})
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
