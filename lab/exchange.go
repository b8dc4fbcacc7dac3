package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/sigv4"
	"github.com/unjam/unjam/lab/wire"
)

// visit is one request on its way through the lab.
type visit struct {
	x        Exchange
	r        *http.Request
	svc      *cloud.Service // nil until known
	op       *cloud.Op      // nil until known
	caller   *cloud.Caller  // nil until the signature is accepted
	strike   *cloud.Injection
	endpoint string // VPC endpoint that it came through, "" for the internet
	err      error  // why it was not admitted
}

// exchange answers one request. The lock is taken twice: to admit the request, and after the latency to perform it. The
// error is that of the client's context.
func (l *Lab) exchange(r *http.Request) (wire.Message, fate, error) {
	v := &visit{r: r, x: Exchange{Method: r.Method, Path: r.URL.RequestURI(), RequestHeader: r.Header, Protocol: wire.Hint(r)}}
	body, tooLarge, err := read(r)
	if err != nil {
		return wire.Message{}, whole, err
	}
	v.x.RequestBody = body
	var delay time.Duration
	l.Cloud.Within(func() {
		v.x.Start, v.x.RequestID = l.Cloud.Now(), l.Cloud.UUID()
		if tooLarge {
			v.err = cloud.Errorf(wire.RequestTooLarge, "The request is larger than %d bytes.", maxBody)
		} else {
			v.err = l.admit(v)
		}
		delay = l.Cloud.Latency
	})
	gone := hold(r.Context(), delay, v.strike)
	var m wire.Message
	f := whole
	l.Cloud.Within(func() {
		if gone != nil {
			v.x.ErrorCode = "gone"
		} else {
			m, f = l.perform(v)
		}
		v.x.End = l.Cloud.Now()
		if m.Header != nil {
			m.Header.Set("Date", v.x.End.Format(http.TimeFormat))
		}
		l.Cloud.Log(v.entry())
	})
	if r.Method == http.MethodHead {
		m.Body = nil
	}
	v.x.Status, v.x.Header, v.x.Body = m.Status, m.Header.Clone(), m.Body
	l.tell(v.x)
	return m, f, gone
}

func read(r *http.Request) (body []byte, tooLarge bool, err error) {
	if r.Body == nil {
		return nil, false, nil
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, false, fmt.Errorf("read request body: %w", err)
	}
	return body, len(body) > maxBody, nil
}

// hold keeps the client waiting: the latency, and what an injection adds to it.
func hold(ctx context.Context, latency time.Duration, strike *cloud.Injection) error {
	if strike != nil {
		switch {
		case strike.Kind == Timeout && strike.Delay == 0:
			<-ctx.Done()
			return ctx.Err()
		case strike.Kind == Timeout || strike.Kind == Slow || strike.Kind == cloud.DialTimeout:
			latency += strike.Delay
		}
	}
	return wait(ctx, latency)
}

// admit finds service, operation and caller, and the injection that is to strike. The lock is held.
func (l *Lab) admit(v *visit) error {
	auth, err := sigv4.Parse(v.r)
	if err != nil {
		return err
	}
	v.x.Region = auth.Region
	svc := l.Cloud.Service(auth.Service)
	if svc == nil {
		return cloud.Errorf(cloud.UnknownOperation, "The lab does not serve %s.", auth.Service)
	}
	svc = wire.Spoken(svc, v.r)
	v.svc, v.x.Service, v.x.Protocol = svc, svc.Name, svc.Protocol
	if v.op, err = wire.Route(svc, v.r, v.x.RequestBody); err != nil {
		return err
	}
	v.x.Operation, v.x.Path = v.op.Name, wire.Resource(svc, v.r)
	caller := l.Cloud.CallerByKey(auth.KeyID)
	if caller != nil && !l.leave(v, caller) {
		return nil
	}
	if err = sigv4.Verify(v.r, v.x.RequestBody, auth, caller, l.Cloud.Now()); err != nil {
		return err
	}
	v.caller, v.x.Caller = caller, caller.ARN
	if !svc.Global { // the one endpoint of a global service answers whatever Regions the account has
		if err = l.regionOpen(caller.Account, auth.Region); err != nil {
			return err
		}
	}
	if v.x.In, err = wire.Decode(svc, v.op, v.r, v.x.RequestBody); err != nil {
		return err
	}
	if v.strike = l.Cloud.Strike(svc.Name, v.op.Name, v.x.Region, v.x.In); v.strike != nil {
		v.x.Injected = v.strike.Kind
	}
	return nil
}

// regionOpen refuses a Region the account has not switched on the way AWS does: as if the credentials were not known there.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
func (l *Lab) regionOpen(account, region string) error {
	if l.Cloud.Account(account).Enabled(region) {
		return nil
	}
	return cloud.Errorf(cloud.UnrecognizedClient, "The security token included in the request is invalid.")
}

// perform produces the answer of an admitted request, or its refusal. The lock is held.
func (l *Lab) perform(v *visit) (wire.Message, fate) {
	if f, ok := v.lost(); ok {
		return wire.Message{}, f
	}
	if v.err != nil {
		return v.fault(v.err), whole
	}
	req := &cloud.Request{
		ID: v.x.RequestID, Time: l.Cloud.Now(), Service: v.svc.Name, Operation: v.op.Name, Region: v.x.Region,
		Caller: v.caller.Principal, KeyID: v.caller.AccessKeyID, Origin: v.origin(), In: v.x.In, Cloud: l.Cloud,
	}
	if v.strike != nil {
		if m, f, done := l.struck(v, req); done {
			return m, f
		}
	}
	return l.answer(v, req), delivery(v.strike)
}

func (l *Lab) answer(v *visit, req *cloud.Request) wire.Message {
	out, err := l.Cloud.Serve(req)
	if err != nil {
		return v.fault(err)
	}
	m, err := wire.Reply(v.svc, v.op, v.x.RequestID, out)
	if err != nil {
		return v.fault(err)
	}
	return m
}

func (v *visit) fault(err error) wire.Message {
	m, code := wire.Fault(v.x.Protocol, v.svc, v.x.RequestID, err)
	v.x.ErrorCode = code
	return m
}

func (v *visit) origin() cloud.Origin {
	r := v.r
	o := cloud.Origin{UserAgent: r.UserAgent(), SourceIP: "192.0.2.10"} // in-process: an address kept for documentation
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		o.SourceIP = host
	}
	o.Place, o.Endpoint = v.caller.Place, v.endpoint
	return o
}

// entry is the visit as the ledger keeps it.
func (v *visit) entry() cloud.Call {
	k := cloud.Call{
		Start: v.x.Start, End: v.x.End, RequestID: v.x.RequestID, Service: v.x.Service, Operation: v.x.Operation, Region: v.x.Region,
		Caller: v.x.Caller, ErrorCode: v.x.ErrorCode, Injected: v.x.Injected, In: v.x.In,
	}
	if v.caller != nil {
		k.Account = v.caller.Account
	}
	if v.op != nil {
		k.ReadOnly = v.op.ReadOnly
	}
	return k
}
