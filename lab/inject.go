package lab

import (
	"net/http"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/wire"
)

// The kinds of cloud.Injection.
const (
	Denied    = "denied"    // AWS's refusal of an action no policy allows
	Throttled = "throttled" // AWS's refusal of too many calls
	Expired   = "expired"   // the session is over
	Reset     = "reset"     // the connection is reset; the operation was not performed
	Timeout   = "timeout"   // no answer until the client gives up; with a Delay, a reset after it; the operation was not performed
	HTML      = "html"      // a proxy answers 200 with a page of its own; the operation was not performed
	HTML503   = "html-503"  // the same with 503
	Half      = "half"      // the operation was performed, half of the answer arrives
	Unknown   = "unknown-operation"
	LostReply = "lost-reply" // the operation was performed, the connection is reset before the answer
	Slow      = "slow"       // the operation is performed Delay later
)

const proxyPage = "<html><head><title>Web filter</title></head><body><h1>Sign in to continue</h1></body></html>\n"

// struck answers a call in place of its service; done is false for the kinds that let the operation happen.
func (l *Lab) struck(v *visit, req *cloud.Request) (m wire.Message, f fate, done bool) {
	switch v.strike.Kind {
	case Denied:
		return v.fault(l.Cloud.Refuse(req, refusal(v, req))), whole, true
	case Throttled:
		return v.fault(l.Cloud.Refuse(req, cloud.Errorf(cloud.Throttling, "Rate exceeded"))), whole, true
	case Expired:
		return v.fault(cloud.Errorf(cloud.ExpiredToken, "The security token included in the request is expired")), whole, true
	case Unknown:
		return v.fault(wire.UnknownOperation(v.svc, v.op.Name, v.svc.Version)), whole, true
	case Reset, Timeout:
		v.x.ErrorCode = v.strike.Kind
		return m, cut, true
	case HTML, HTML503:
		v.x.ErrorCode = v.strike.Kind
		return proxy(v.strike.Kind), whole, true
	case Half, LostReply, Slow:
		return m, whole, false
	}
	return v.fault(cloud.Errorf(cloud.InternalFailure, "The lab knows no injection of kind %s.", v.strike.Kind)), whole, true
}

// delivery is what becomes of the answer of an operation that was performed.
func delivery(strike *cloud.Injection) fate {
	if strike == nil {
		return whole
	}
	switch strike.Kind {
	case Half:
		return half
	case LostReply:
		return cut
	}
	return whole
}

// refusal is AWS's own text for this caller and the first permission the call needs.
func refusal(v *visit, req *cloud.Request) error {
	need := cloud.Access{Action: v.svc.Name + ":" + v.op.Name}
	if all := v.op.Needs(v.svc.Name, req); len(all) > 0 {
		need = all[0]
	}
	return cloud.Denied(req.Caller, need, cloud.Decision{Why: "because no identity-based policy allows the " + need.Action + " action"})
}

func proxy(kind string) wire.Message {
	m := wire.Message{Status: http.StatusOK, Header: http.Header{}, Body: []byte(proxyPage)}
	if kind == HTML503 {
		m.Status = http.StatusServiceUnavailable
	}
	m.Header.Set("Content-Type", "text/html; charset=utf-8")
	return m
}
