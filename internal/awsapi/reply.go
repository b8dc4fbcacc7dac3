package awsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxBody bounds one reply. The largest known, a list of a thousand pipelines, is far below a megabyte.
const maxBody = 64 << 20

// Reply is what the typed output does not tell: filled during a call whose context carries it (WithReply).
type Reply struct {
	RequestID string    // AWS's request ID of the last exchange, also when it failed
	At        time.Time // when the reply was received, UTC
	Body      []byte    // the reply as sent, with the members that the SDK does not know
}

type replyKey struct{}

// WithReply makes the call that gets this context fill r. It marks the call as a read: an empty or broken reply to it is
// an error and is asked for again, where the SDK would take an empty one for an empty list.
func WithReply(ctx context.Context, r *Reply) context.Context {
	return context.WithValue(ctx, replyKey{}, r)
}

// ReplyError is a reply that is not AWS's: a web page of a proxy, or half a document.
type ReplyError struct {
	Kind   Kind // HTML or Truncated
	Status int
	Host   string
	Err    error // nil for a web page
	read   bool
}

func (e *ReplyError) Error() string {
	if e.Kind == HTML {
		return fmt.Sprintf("%s answered with a web page (status %d)", e.Host, e.Status)
	}
	return fmt.Sprintf("the reply of %s is incomplete: %v", e.Host, e.Err)
}

// Unwrap gives the error behind it.
func (e *ReplyError) Unwrap() error { return e.Err }

// RetryableError tells the SDK to ask again: reads only, and a web page only when the status speaks of a passing trouble.
func (e *ReplyError) RetryableError() bool {
	return e.read && (e.Kind == Truncated || e.Status >= http.StatusInternalServerError)
}

// ServiceName turns the SDK's service ID into the signing name that the catalogue of operations uses.
func ServiceName(serviceID string) string {
	switch serviceID {
	case "Config Service":
		return "config"
	case "AccessAnalyzer":
		return "access-analyzer"
	case "Service Quotas":
		return "servicequotas"
	case "Service Catalog":
		return "servicecatalog"
	case "EventBridge":
		return "events"
	case "Route 53":
		return "route53"
	}
	return strings.ReplaceAll(strings.ToLower(serviceID), " ", "-")
}

// middleware adds pace, time limit, tally and the look at the raw reply to every call.
func (s *Session) middleware(stack *middleware.Stack) error {
	limit := s.opts.Timeout
	if limit <= 0 {
		limit = callTimeout
	}
	pace := middleware.InitializeMiddlewareFunc("unjamPace", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		return s.paced(ctx, limit, func(ctx context.Context) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(ctx, in)
		})
	})
	count := middleware.FinalizeMiddlewareFunc("unjamTally", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		s.tally.count(ServiceName(awsmiddleware.GetServiceID(ctx)) + ":" + awsmiddleware.GetOperationName(ctx))
		return next.HandleFinalize(ctx, in)
	})
	look := middleware.DeserializeMiddlewareFunc("unjamReply", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		sent := time.Now()
		out, md, err := next.HandleDeserialize(ctx, in)
		if resp, ok := out.RawResponse.(*smithyhttp.Response); ok && err == nil {
			s.clock.see(resp.Header, sent, time.Now())
			r, _ := ctx.Value(replyKey{}).(*Reply)
			err = look(resp, host(in.Request), r, isHead(in.Request))
		}
		return out, md, err
	})
	return errors.Join(
		stack.Initialize.Add(pace, middleware.After),
		stack.Finalize.Insert(count, "Retry", middleware.After),
		stack.Deserialize.Add(look, middleware.After), // innermost: before anything has read the body
	)
}

// paced makes a call when its turn has come, within a time limit that begins then. A call that AWS refuses for its rate slows
// the pace and is made again in a later turn: reads and those that credentials need, never others. A read that is refused to a
// fresh session is made again too.
func (s *Session) paced(ctx context.Context, limit time.Duration, call func(context.Context) (middleware.InitializeOutput, middleware.Metadata, error)) (middleware.InitializeOutput, middleware.Metadata, error) {
	service, region := ServiceName(awsmiddleware.GetServiceID(ctx)), awsmiddleware.GetRegion(ctx)
	_, read := ctx.Value(replyKey{}).(*Reply)
	p := s.pace.of(service, region)
	var first time.Time // when it was refused first
	var young youth
	for refusals := 0; ; {
		if err := p.wait(ctx, service, region); err != nil {
			return middleware.InitializeOutput{}, middleware.Metadata{}, err
		}
		sent := time.Now()
		timed, cancel := context.WithTimeout(ctx, limit)
		out, md, err := call(timed)
		cancel()
		now := time.Now()
		if !throttled(err) {
			if err == nil {
				p.answered(now)
			} else if s.again(ctx, &young, err) {
				continue
			}
			return out, md, err
		}
		p.refused(sent, now)
		if refusals++; refusals == 1 {
			first = now
		}
		if !read && service != "sts" || s.alone || p.hopeless(refusals, first, now) || sleep(ctx, backoff(refusals)) != nil {
			return out, md, err
		}
	}
}

func host(request any) string {
	if r, ok := request.(*smithyhttp.Request); ok {
		return r.URL.Host
	}
	return "the endpoint"
}

// isHead reports whether a request is a HEAD, whose reply has no body.
func isHead(request any) bool {
	r, ok := request.(*smithyhttp.Request)
	return ok && r.Method == http.MethodHead
}

// look reads the whole reply, keeps it in r and puts it back for the SDK; r is nil for calls that are no reads.
func look(resp *smithyhttp.Response, host string, r *Reply, bodiless bool) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if r != nil {
		*r = Reply{RequestID: requestID(resp.Header), At: time.Now().UTC(), Body: body}
	}
	bad := &ReplyError{Kind: Truncated, Status: resp.StatusCode, Host: host, Err: err, read: r != nil}
	switch {
	case err != nil:
		return bad
	case webPage(resp.Header, body):
		bad.Kind = HTML
		return bad
	case r == nil || bodiless || resp.StatusCode >= 300:
		return nil
	}
	if bad.Err = whole(resp.Header, body); bad.Err != nil {
		return bad
	}
	return nil
}

func requestID(h http.Header) string {
	for _, name := range []string{"X-Amzn-Requestid", "X-Amz-Request-Id"} {
		if v := h.Get(name); v != "" {
			return v
		}
	}
	return ""
}

func webPage(h http.Header, body []byte) bool {
	start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 256)]))
	return strings.Contains(strings.ToLower(h.Get("Content-Type")), "text/html") ||
		bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// whole reports whether a body is one complete JSON or XML document, or the CBOR that a service says it is.
func whole(h http.Header, body []byte) error {
	if len(body) > 0 && h.Get("Content-Type") == "application/cbor" {
		_, err := cbor.Decode(body)
		return err
	}
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return errors.New("it is empty")
	case body[0] == '{':
		if !json.Valid(body) {
			return io.ErrUnexpectedEOF
		}
		return nil
	case body[0] == '<':
		return wholeXML(body)
	}
	return errors.New("it is neither JSON nor XML")
}

func wholeXML(body []byte) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
