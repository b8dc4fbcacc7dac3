package cloud

import "time"

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
}

// handshake are the console's calls that complete a connection or a host. AWS does not document that CloudTrail
// logs them; Trail.NoHandshake leaves them out.
var handshake = map[string]bool{
	"StartOAuthHandshake": true, "GetIndividualAccessToken": true, "ListInstallationTargets": true,
	"GetInstallationUrl": true, "UpdateConnectionInstallation": true, "RegisterAppCode": true, "StartAppRegistrationHandshake": true,
}

func (c *Cloud) record(svc *Service, op *Op, r *Request, out map[string]any, err error) {
	e := Event{
		ID: c.UUID(), RequestID: r.ID, Time: r.Time, Name: op.Name, Source: svc.EventSource,
		Account: r.Caller.Account, Region: r.Region, ReadOnly: op.ReadOnly, Caller: r.Caller, Origin: r.Origin,
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
	c.Record(e)
}

// Record adds an event to the history, unless the trail is told not to log it.
func (c *Cloud) Record(e Event) {
	if c.Trail.Off || (c.Trail.NoReadOnly && e.ReadOnly) || (c.Trail.NoHandshake && handshake[e.Name]) {
		return
	}
	if e.ID == "" {
		e.ID = c.UUID()
	}
	e.Visible = e.Time.Add(c.Trail.Delay)
	c.events = append(c.events, e)
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
