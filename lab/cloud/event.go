package cloud

import (
	"hash/fnv"
	"strings"
	"time"
)

// Event is one CloudTrail management event.
type Event struct {
	ID, RequestID        string
	Time                 time.Time
	Visible              time.Time // when event history first shows it
	Name, Source         string    // eventName, eventSource
	Account, Region      string    // recipient account, awsRegion
	ReadOnly             bool
	Caller               Principal
	AccessKeyID          string
	Origin               Origin
	ErrorCode, ErrorText string
	Request, Response    map[string]any
	SharedID             string // the same in the events of one call that two accounts see; "" for most
}

// handshake are the console's calls that complete a connection or a host. AWS does not document that CloudTrail
// logs them; Trail.NoHandshake leaves them out.
var handshake = map[string]bool{
	"StartOAuthHandshake": true, "GetIndividualAccessToken": true, "ListInstallationTargets": true,
	"GetInstallationUrl": true, "UpdateConnectionInstallation": true, "RegisterAppCode": true, "StartAppRegistrationHandshake": true,
}

func (c *Cloud) record(svc *Service, op *Op, r *Request, out map[string]any, err error) {
	if op.Data {
		return
	}
	e := Event{
		ID: c.UUID(), RequestID: r.ID, Time: r.Time, Name: op.Name, Source: svc.EventSource,
		Account: r.Caller.Account, Region: r.Region, ReadOnly: op.ReadOnly, Caller: r.Caller, AccessKeyID: r.KeyID, Origin: r.Origin,
		Request: r.In,
	}
	if svc.Global {
		e.Region = "us-east-1"
	}
	if !op.ReadOnly {
		e.Response = out
	}
	if err != nil {
		e.ErrorCode, e.ErrorText = InternalFailure, err.Error()
		if ae, ok := err.(*Error); ok {
			e.ErrorCode, e.ErrorText = ae.Code, ae.Message
		}
		e.Response = nil
	}
	c.RecordAt(e, toucher(svc, op, r))
}

// toucher is the account whose role a call assumes; "" for all other calls.
func toucher(svc *Service, op *Op, r *Request) string {
	if svc.Name != "sts" || op.Name != "AssumeRole" {
		return ""
	}
	if p := strings.SplitN(r.Str("RoleArn"), ":", 6); len(p) == 6 {
		return p[4]
	}
	return ""
}

// RecordAt is Record for an event that a second account sees too, when it is not the event's own: there the caller is an account,
// without a name. A refused call is seen by the caller's account alone.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html#cloudtrail-event-reference-user-identity-cross-account
func (c *Cloud) RecordAt(e Event, other string) {
	if other == "" || other == e.Account || e.ErrorCode != "" {
		c.Record(e)
		return
	}
	if e.Caller.Type == "AWSService" {
		e.Account = other
		c.Record(e)
		return
	}
	e.SharedID = c.TraceID()
	c.Record(e)
	e.ID, e.Account, e.AccessKeyID = "", other, ""
	e.Caller = Principal{Type: "AWSAccount", Account: e.Caller.Account, UserID: e.Caller.UserID}
	c.Record(e)
}

// Record adds an event to the history, unless the trail is told not to log it.
func (c *Cloud) Record(e Event) {
	if c.Trail.Off || (c.Trail.NoReadOnly && e.ReadOnly) || (c.Trail.NoHandshake && handshake[e.Name]) {
		return
	}
	if e.ID == "" {
		e.ID = c.TraceID()
	}
	e.Visible = e.Time.Add(c.Trail.Delay + c.part(e.ID))
	c.events = append(c.events, e)
}

// part is an event's own part of the spread: any, and the same in every run.
func (c *Cloud) part(id string) time.Duration {
	if c.Trail.Spread <= 0 {
		return 0
	}
	h := fnv.New32a()
	h.Write([]byte(id))
	return c.Trail.Spread / 1000 * time.Duration(h.Sum32()%1000)
}

// Events returns the events of one account and Region that are visible by now, oldest first.
func (c *Cloud) Events(account, region string) []Event {
	var seen []Event
	for _, e := range c.events {
		if e.Account == account && e.Region == region && !e.Visible.After(c.Now()) {
			seen = append(seen, e)
		}
	}
	return seen
}
