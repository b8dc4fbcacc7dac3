package awsapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/fact"
)

// Kind tells failures apart more finely than a fact.Class does.
type Kind string

// The kinds of failures. Those up to Interrupted happened on the way: AWS did not refuse anything.
const (
	DNS         Kind = "dns"
	Dial        Kind = "dial"
	TLS         Kind = "tls"
	Proxy       Kind = "proxy"
	Reset       Kind = "reset"
	Slow        Kind = "timeout"
	HTML        Kind = "html"
	Truncated   Kind = "truncated"
	Interrupted Kind = "interrupted"
	NoKeys      Kind = "no-credentials"    // none found, or none to be had
	BadKeys     Kind = "bad-credentials"   // AWS does not know them
	OldKeys     Kind = "old-credentials"   // they ran out
	Clock       Kind = "clock"             // this machine's clock is wrong
	Refused     Kind = "denied"            // not allowed
	Rate        Kind = "throttled"         // too many calls
	NotFound    Kind = "not-found"         // AWS's word that it does not exist
	NoOperation Kind = "unknown-operation" // the service does not know the operation, or the Region the service
	Quota       Kind = "quota"             // a limit of the account is reached
	Internal    Kind = "internal"          // AWS's own trouble
	Other       Kind = "other"             // any other error that AWS names, in Code
	Local       Kind = "local"             // the call never left: invalid input, no endpoint for the Region
)

// Failure is what an error of a call means. It is an error itself: its text is Why.
type Failure struct {
	Kind      Kind
	Class     fact.Class
	Code      string // AWS's error code; "" when AWS named none
	Message   string // AWS's own text, or the SDK's, in one line
	RequestID string
	Action    string // the IAM action of a refusal, where the text names it
	By        string // the policy type of a refusal, where the text names it
	Client    bool   // it happened on the way; AWS answered nothing
	InDoubt   bool   // a write may have been carried out all the same. True only of single attempts: see Never in package op
	Why       string // one line for people: what happened and what to do
	Err       error
}

func (f Failure) Error() string { return f.Why }

// Unwrap gives the error as the SDK gave it.
func (f Failure) Unwrap() error { return f.Err }

// Classify says what an error of a call or of Open means. The zero Failure stands for no error.
func Classify(err error) Failure {
	if err == nil {
		return Failure{}
	}
	var f Failure
	if errors.As(err, &f) {
		return f
	}
	f = Failure{Kind: Local, Class: fact.Failed, Message: oneLine(cause(err)), Err: err}
	var resp *awshttp.ResponseError
	if errors.As(err, &resp) {
		f.RequestID = resp.ServiceRequestID()
	}
	var usage *UsageError
	var keys *CredentialsError
	var reply *ReplyError
	var api smithy.APIError
	var garbled *smithy.DeserializationError
	switch {
	case errors.As(err, &usage):
		f.Why = usage.Why
	case errors.As(err, &keys):
		f.credentials(keys)
	case errors.As(err, &reply):
		f.Kind, f.Client, f.InDoubt, f.Message = reply.Kind, true, true, reply.Error()
	case errors.As(err, &garbled):
		f.Kind, f.Client, f.InDoubt = Truncated, true, true
	case errors.As(err, &api):
		f.api(api, resp)
	default:
		f.network(err)
		var unsent *notSent
		f.InDoubt = f.InDoubt && !errors.As(err, &unsent)
	}
	if f.Why == "" {
		f.Why = f.advice(hostOf(err))
	}
	return f
}

// cause is the text without the SDK's wrapping ("operation error X: Y, exceeded maximum number of attempts, 3, ...").
func cause(err error) string {
	var op *smithy.OperationError
	for errors.As(err, &op) && op.Err != nil {
		err, op = op.Err, nil
	}
	var exchange *url.Error
	if errors.As(err, &exchange) {
		err = exchange.Err
	}
	return err.Error()
}

// api sorts the errors that AWS names. This is the only place that knows their codes. Sources: the common errors of
// each service's API reference and https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html.
func (f *Failure) api(e smithy.APIError, resp *awshttp.ResponseError) {
	f.Code, f.Message = e.ErrorCode(), oneLine(e.ErrorMessage())
	f.Kind, f.Class = codeKind(f.Code, f.Message)
	if f.Kind == Refused {
		if d, ok := fact.ParseDenial(f.Message); ok {
			f.Action, f.By = d.Action, d.By
		}
	}
	if f.Kind == Other && resp != nil && resp.HTTPStatusCode() >= http.StatusInternalServerError {
		f.Kind = Internal
	}
	f.InDoubt = f.Kind == Internal
}

func codeKind(code, message string) (Kind, fact.Class) {
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized", "Forbidden":
		return Refused, fact.Denied
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled",
		"TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown", "PriorRequestNotComplete",
		"ProvisionedThroughputExceededException", "EC2ThrottledException":
		return Rate, fact.Throttled
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired":
		return OldKeys, fact.Expired
	case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "MissingAuthenticationToken",
		"MissingAuthenticationTokenException", "IncompleteSignature", "IncompleteSignatureException":
		return BadKeys, fact.Failed
	case "SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed":
		if strings.Contains(message, "xpired") || strings.Contains(message, "not yet current") || code == "RequestTimeTooSkewed" {
			return Clock, fact.Failed
		}
		return BadKeys, fact.Failed
	case "UnknownOperationException", "UnknownOperation", "InvalidAction", "OptInRequired", "RegionDisabledException", "SubscriptionRequiredException":
		return NoOperation, fact.Unsupported
	case "RequestTimeout", "RequestTimeoutException":
		return Slow, fact.Timeout
	case "LimitExceededException", "LimitExceeded", "ConcurrentPipelineExecutionsLimitExceededException":
		return Quota, fact.Failed
	case "NoSuchEntity", "NoSuchEntityException", "NoSuchHostedZone", "NoSuchBucket", "NoSuchBucketPolicy":
		return NotFound, fact.Failed
	case "InternalFailure", "InternalError", "InternalServerError", "InternalServerException", "ServiceFailure",
		"ServiceFailureException", "ServiceUnavailable", "ServiceUnavailableException":
		return Internal, fact.Failed
	}
	if strings.HasSuffix(code, "NotFoundException") || strings.HasSuffix(code, "NotFound") {
		return NotFound, fact.Failed
	}
	return Other, fact.Failed
}

// credentials sorts failures to get credentials at all: by what failed inside.
func (f *Failure) credentials(e *CredentialsError) {
	f.Client = true
	var sso *ssocreds.InvalidTokenError
	var op *smithy.OperationError
	var inner smithy.APIError
	text := e.Err.Error()
	errors.As(e.Err, &op)
	switch {
	case errors.As(e.Err, &sso), errors.As(e.Err, &inner) && (inner.ErrorCode() == "UnauthorizedException" || inner.ErrorCode() == "InvalidGrantException"),
		strings.Contains(text, "refresh cached SSO token failed"), strings.Contains(text, "failed to read cached SSO token file"):
		f.Kind, f.Class = OldKeys, fact.Expired
		f.Why = "the SSO session has run out: run `aws sso login` and try again"
	case op != nil && op.ServiceID == "ec2imds", strings.Contains(text, "no EC2 IMDS role found"), strings.Contains(text, "no credentials are configured"):
		f.Kind = NoKeys
		f.Why = "find credentials: neither the environment, the profile nor the instance has any: run `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
	case errors.As(e.Err, &inner):
		f.api(inner, nil)
		f.InDoubt = false
		f.Client = false
		f.Why = fmt.Sprintf("get credentials: %s: %s", opName(op, f.Code), f.advice(""))
	default:
		inside := Failure{Kind: Local, Class: fact.Failed, Message: oneLine(cause(e.Err))}
		inside.network(e.Err)
		f.Kind, f.Class, f.Message = inside.Kind, inside.Class, inside.Message
		if f.Kind == Local {
			f.Kind = NoKeys
		}
		f.Why = "get credentials: " + f.advice(hostOf(e.Err))
	}
}

func opName(op *smithy.OperationError, code string) string {
	if op == nil {
		return code
	}
	return op.ServiceID + " " + op.OperationName
}

// network sorts failures on the way. What the operating system says comes first, texts last.
func (f *Failure) network(err error) {
	var dns *net.DNSError
	var op *net.OpError
	var timeout interface{ Timeout() bool }
	f.Client = true
	switch {
	case errors.Is(err, context.Canceled):
		f.Kind, f.Class, f.InDoubt = Interrupted, fact.Skipped, true
	case errors.As(err, &dns):
		f.Kind = DNS
		if dns.IsTimeout {
			f.Class = fact.Timeout
		}
	case errors.As(err, &op) && op.Op == "proxyconnect", strings.Contains(err.Error(), "proxyconnect"), strings.Contains(err.Error(), "Proxy Authentication Required"):
		f.Kind = Proxy
	case isTLS(err):
		f.Kind = TLS
	case errors.As(err, &op) && op.Op == "dial":
		f.Kind = Dial
		if op.Timeout() {
			f.Class = fact.Timeout
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		f.Kind, f.Class, f.InDoubt = Slow, fact.Timeout, true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), strings.Contains(err.Error(), "connection reset"), strings.Contains(err.Error(), "server closed"):
		f.Kind, f.InDoubt = Reset, true
	default:
		f.local(err)
	}
}

// local sorts what is left: calls that never left, and what nobody foresaw, which counts as in doubt.
func (f *Failure) local(err error) {
	text := err.Error()
	var invalid smithy.InvalidParamsError
	switch {
	case errors.As(err, &invalid):
		f.Client = false
	case strings.Contains(text, "ResolveEndpoint"), strings.Contains(text, "invalid input region"), strings.Contains(text, "Invalid Configuration"):
		f.Kind, f.Class = NoOperation, fact.Unsupported
	default:
		f.Kind, f.InDoubt = Other, true
	}
}

func isTLS(err error) bool {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid) || errors.As(err, &verify) ||
		errors.As(err, &record) || errors.As(err, &alert) || strings.Contains(err.Error(), "tls: ") ||
		strings.Contains(err.Error(), "TLS handshake timeout") || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// oneLine folds line breaks and runs of blanks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
