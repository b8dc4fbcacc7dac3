package lab

import (
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// dialTime is how long a client waits for a connection that nobody answers: the dialer of Go's http.DefaultTransport.
// https://pkg.go.dev/net/http#DefaultTransport
const dialTime = 30 * time.Second

// leave finds the way of a request from its caller's place to AWS; false when there is none. The lock is held.
func (l *Lab) leave(v *visit, caller *cloud.Caller) bool {
	endpoint, lost := l.Cloud.Way(caller.Place, caller.Account, v.svc.Name, v.x.Region, hostOf(v.r))
	if lost == nil {
		v.endpoint = endpoint
		return true
	}
	v.strike = &cloud.Injection{Kind: lost.Kind}
	if lost.Kind == cloud.DialTimeout {
		v.strike.Delay = dialTime
	}
	return false
}

func hostOf(r *http.Request) string {
	if r.URL.Host != "" {
		return r.URL.Host
	}
	return r.Host
}

// lost answers a request that never got to AWS.
func (v *visit) lost() (fate, bool) {
	if v.strike == nil {
		return whole, false
	}
	f, ok := map[string]fate{cloud.DialTimeout: unanswered, cloud.NoSuchHost: unknownHost}[v.strike.Kind]
	if ok {
		v.x.ErrorCode = v.strike.Kind
	}
	return f, ok
}

// failure is what a transport says of an answer that does not arrive; nil when it does.
func (f fate) failure(host string) error {
	switch f {
	case cut:
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	case unanswered:
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	case unknownHost:
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}
	return nil
}
