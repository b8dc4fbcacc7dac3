// Package lab serves a simulated AWS to unmodified clients: over TCP as an http.Handler, in-process as an
// http.RoundTripper. It starts no goroutine, opens no socket by itself and never talks to the real AWS.
package lab

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/wire"
)

// maxBody is the largest request body the lab reads, in bytes; every AWS request it knows is far smaller.
const maxBody = 8 << 20

// Exchange is one request over HTTP and its answer, for observers. Headers and bodies must not be changed.
type Exchange struct {
	Start, End         time.Time // the lab's clock
	RequestID          string
	Service, Operation string         // "" when the request did not get so far
	Protocol           cloud.Protocol // guessed when Service is ""
	Region             string
	Caller             string // principal ARN, "" when the signature was not accepted
	Method, Path       string // Path with its query string
	RequestHeader      http.Header
	RequestBody        []byte
	In                 map[string]any // decoded input
	// Status, Header and Body are what the service answered, also where an injection lost or cut the answer on its way.
	// Status is 0 when nothing was answered.
	Status    int
	Header    http.Header
	Body      []byte
	ErrorCode string // as on the wire; reset, timeout, html or gone where no AWS error was sent; "" on success
	Injected  string // kind of the injection, "" when none
}

// Observe adds a function that is told of every exchange before its answer is delivered. It runs outside the lab's lock
// on the goroutine of the call; calls that run at the same time report at the same time.
func (l *Lab) Observe(f func(Exchange)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observers = append(l.observers, f)
}

func (l *Lab) tell(x Exchange) {
	l.mu.Lock()
	all := l.observers[:len(l.observers):len(l.observers)]
	l.mu.Unlock()
	for _, f := range all {
		f(x)
	}
}

// fate is what becomes of an answer on its way to the client.
type fate int

const (
	whole      fate = iota
	half            // the length of all, the bytes of half
	cut             // connection reset, nothing delivered
	unanswered      // nobody answers at the address: the request was not delivered either
	unknownHost
)

// RoundTrip serves a request in-process: no socket, no goroutine, so it works inside testing/synctest bubbles. It fails
// like a transport does: connection reset, or the error of the request's context.
func (l *Lab) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if h := l.page(r); h != nil {
		return capture(h, r), nil
	}
	m, f, err := l.exchange(r)
	if err != nil {
		return nil, err
	}
	if err := f.failure(r.URL.Hostname()); err != nil {
		return nil, err
	}
	body := io.Reader(bytes.NewReader(m.Body))
	if f == half {
		body = io.MultiReader(bytes.NewReader(m.Body[:len(m.Body)/2]), broken{})
	}
	return response(r, m, io.NopCloser(body)), nil
}

func response(r *http.Request, m wire.Message, body io.ReadCloser) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(m.Status) + " " + http.StatusText(m.Status), StatusCode: m.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: m.Header, Body: body, ContentLength: int64(len(m.Body)), Request: r,
	}
}

// broken is the rest of a body whose connection went away.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// ServeHTTP serves AWS requests of all services, the console's pages under /codesuite/, the providers' under
// /_provider/ and the lab's own under /_lab/.
func (l *Lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := l.page(r); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	m, f, err := l.exchange(r)
	if err != nil || f.failure("") != nil {
		hangUp(w)
		return
	}
	for name, values := range m.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(m.Body)))
	w.WriteHeader(m.Status)
	body := m.Body
	if f == half {
		body = body[:len(body)/2]
	}
	_, _ = w.Write(body) // a client that went away is its own business
}

// hangUp resets the connection.
func hangUp(w http.ResponseWriter) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // close with RST, as a load balancer that gives up does
	}
	_ = conn.Close()
}

// page finds the handler of a request that is for a person or a test, not for an AWS service; nil when it is none.
func (l *Lab) page(r *http.Request) http.Handler {
	switch {
	case strings.HasPrefix(r.URL.Path, "/_lab/"):
		return http.HandlerFunc(l.info)
	case strings.HasPrefix(r.URL.Path, "/codesuite/"), strings.HasPrefix(r.URL.Path, "/_provider/"):
		return l.Console
	}
	return nil
}

// capture runs a handler without a socket.
func capture(h http.Handler, r *http.Request) *http.Response {
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	in.RequestURI = in.URL.RequestURI()
	w := &recorder{m: wire.Message{Header: http.Header{}}}
	h.ServeHTTP(w, in)
	if w.m.Status == 0 {
		w.m.Status = http.StatusOK
	}
	return response(r, w.m, io.NopCloser(bytes.NewReader(w.m.Body)))
}

type recorder struct{ m wire.Message }

func (w *recorder) Header() http.Header { return w.m.Header }

func (w *recorder) WriteHeader(status int) {
	if w.m.Status == 0 {
		w.m.Status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.m.Body = append(w.m.Body, b...)
	return len(b), nil
}

// wait sleeps for d, or less when the client gives up first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
