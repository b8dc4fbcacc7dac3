// Package hostnotready finds hosts of self-managed Git servers that stand in the way of their connections: never set up, refused by the
// VPC, or cut off by the network. A path that looks closed is no finding while runs succeed: only a failure makes it one.
package hostnotready

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/netpath"
)

// The causes.
const (
	neverSetUp    = "setup-never-done"
	initialising  = "vpc-initializing"
	vpcFailed     = netpath.Setup
	groupBlocks   = netpath.SecurityGroup
	aclBlocks     = netpath.NetworkACL
	noRoute       = netpath.Route
	dnsChanged    = "dns-changed"
	certExpired   = "certificate-expired"
	certName      = "certificate-name"
	certUntrusted = "certificate-untrusted"
	unreachable   = "unreachable"
	appChanged    = "app-changed"
	unknownCause  = "unknown"
)

// diagnose looks at the hosts that the question names, and at those of the connections that it is about.
func diagnose(s *fact.Snapshot) fault.Judgement {
	arns, needs := fault.Connections(s)
	j := fault.Judgement{Needs: needs}
	var hosts []string
	for _, t := range s.Question().Targets {
		if t.Kind == fact.KindHost {
			hosts = append(hosts, t.Name)
		}
	}
	for _, arn := range arns {
		c, known, absent, settles := fault.Connection(s, arn)
		j.Need(settles)
		if known && !absent && c.HostARN != "" {
			hosts = append(hosts, c.HostARN)
		}
	}
	slices.Sort(hosts)
	for _, arn := range slices.Compact(hosts) {
		if a, err := fact.ParseARN(arn); err == nil {
			one(s, arn, fact.Scope{Account: s.Question().Account, Region: a.Region}, &j)
		}
	}
	return j
}

// standing are the connections on a host that were read.
func standing(s *fact.Snapshot, host string) []fact.Connection {
	var on []fact.Connection
	for c := range fact.All[fact.Connection](s) {
		newest, _ := fact.Get[fact.Connection](s, c.Ref())
		if newest.HostARN == host && !slices.ContainsFunc(on, func(x fact.Connection) bool { return x.ARN == newest.ARN }) {
			on = append(on, newest)
		}
	}
	return on
}

// one judges a host with the connections on it. It is read as soon as it is known to be there: the rounds are few.
func one(s *fact.Snapshot, arn string, scope fact.Scope, j *fault.Judgement) {
	on := standing(s, arn)
	list := fact.Query{Scope: scope, Kind: fact.KindHost}
	j.Need(list)
	symptom, states := trouble(s, on)
	h, ok := fact.Get[fact.Host](s, fact.Ref{Scope: scope, Kind: fact.KindHost, ID: arn})
	if !ok || h.Status == fact.StatusAvailable {
		j.Need(states...)
		if symptom == nil || !s.Settled(list) {
			return
		}
	}
	if !ok {
		f, helps := unseen(s, arn, list, on, symptom)
		j.Help(helps...)
		j.Findings = append(j.Findings, f)
		return
	}
	f, helps := judge(s, h, scope, on, symptom)
	j.Help(states...)
	j.Help(helps...)
	j.Findings = append(j.Findings, f)
}

// unseen is the finding about a host that could not be read, and whose connections fail as if they did not get to the server.
func unseen(s *fact.Snapshot, arn string, list fact.Query, on []fact.Connection, symptom *fault.Evidence) (fault.Finding, []fact.Query) {
	a, _ := fact.ParseARN(arn)
	f := fault.Finding{
		Title: doc().Title, Severity: fault.High, Bucket: fault.Network, Remedy: remedy(unknownCause),
		Subject: fault.Subject{Kind: "host", ARN: arn, Name: a.Name(), Account: a.Account, Region: a.Region}, About: fact.Ref{Scope: list.Scope, Kind: fact.KindHost, ID: arn},
		Evidence: []fault.Evidence{*symptom},
		Message:  "AWS likely cannot reach the server of a host that could not be read.",
		Cause:    fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "The Region's list of hosts does not show it."},
	}
	if g, lost := s.GapOf(list); lost {
		f.Cause.Text = "The host could not be read: " + lacks(g) + "."
	}
	return f, suffers(s, &f, fact.Host{Status: fact.StatusAvailable}, on)
}

// lacks is what a gap lacks.
func lacks(g fact.Gap) string {
	if g.Permission != "" {
		return g.Permission + " is missing"
	}
	return g.Why
}

// trouble is what shows that an AVAILABLE host does not work: a connection in ERROR, or a source whose newest run failed with a text
// about reaching the server while no source fetched through the host since. nil: nothing does.
func trouble(s *fact.Snapshot, on []fact.Connection) (*fault.Evidence, []fact.Query) {
	var needs []fact.Query
	var found *fault.Evidence
	var failed, fetched time.Time
	for _, c := range on {
		for _, p := range fault.Known(s, c.ARN) {
			needs = append(needs, fault.StateQuery(p.Ref().Scope, p.Name))
			for _, src := range fault.Sources(s, p, c.ARN) {
				switch at := src.State.Changed; {
				case src.State.Status == "Succeeded" && at.After(fetched):
					fetched = at
				case src.Failed() && Unreached(src.State.Error) && (found == nil || at.After(failed)):
					failed = at
					e := fault.Current{Pipeline: p, Stage: src.Stage, Action: src.Action, State: src.State, Seen: src.Seen}.Evidence()
					found = &e
				}
			}
		}
	}
	if found != nil && !fetched.After(failed) {
		return found, needs
	}
	for _, c := range on {
		if c.Status == fact.StatusError {
			e := fault.Ev(fault.Verified, c, "ConnectionStatus", c.Status, fact.StatusAvailable)
			return &e, needs
		}
	}
	return nil, needs
}

// Unreached reports whether a text speaks of a server that could not be reached. AWS does not document the texts: they are a hint.
func Unreached(text string) bool {
	t := strings.ToLower(text)
	for _, w := range []string{"could not connect", "cannot connect", "unable to connect", "connection refused", "timed out", "timeout", "unreachable", "could not resolve", "unknown host",
		"certificate", "ssl", "tls", "handshake failure", "provider host", "host is not"} {
		if strings.Contains(t, w) {
			return true
		}
	}
	return false
}

// judge describes one host that is not AVAILABLE, or is and does not get to its server.
func judge(s *fact.Snapshot, h fact.Host, scope fact.Scope, on []fact.Connection, symptom *fault.Evidence) (fault.Finding, []fact.Query) {
	a, _ := fact.ParseARN(h.ARN)
	f := fault.Finding{
		Title: doc().Title, Severity: fault.High, Bucket: fault.Network,
		Subject: fault.Subject{Kind: "host", ARN: h.ARN, Name: h.Name, Account: a.Account, Region: a.Region}, About: h.Ref(),
		Evidence: []fault.Evidence{fault.Ev(fault.Verified, h, "Host.Status", h.Status, fact.StatusAvailable)},
		Message:  fmt.Sprintf("Host %q (%s) is %s.", h.Name, h.Endpoint, h.Status),
	}
	f.Evidence[0].Text = h.Message
	if symptom != nil {
		f.Evidence = append(f.Evidence, *symptom)
		if h.Status == fact.StatusAvailable {
			f.Message = fmt.Sprintf("AWS cannot reach the server of host %q (%s).", h.Name, h.Endpoint)
		}
	}
	helps := suffers(s, &f, h, on)
	good, runs := worked(s, on)
	helps = append(helps, runs...)
	c, o, asks := cause(s, h, scope, good)
	f.Cause, helps = c, append(helps, asks...)
	if o != nil {
		f.Evidence = append(f.Evidence, evidence(o))
		helps = append(helps, who(s, &f, scope, o)...)
	}
	if f.Cause.Code == vpcFailed { // where it is folded under a connection that waits, this line is all that shows
		f.Message += " " + f.Cause.Text
	}
	f.Remedy = remedy(f.Cause.Code)
	f.Bucket = bucket(f.Cause.Code)
	return f, helps
}

// suffers adds the connections on the host and the pipelines that use them, in every Region; the queries find the pipelines.
func suffers(s *fact.Snapshot, f *fault.Finding, h fact.Host, on []fact.Connection) []fact.Query {
	var helps []fact.Query
	users := 0
	for _, c := range on {
		if h.Status == fact.StatusAvailable && c.Status == fact.StatusPending {
			continue // it waits for a person, not for the host
		}
		f.Affects = append(f.Affects, fault.ConnectionSubject(c.ARN, c.Name))
		pipelines, asks := fault.Users(s, c.ARN)
		helps = append(helps, asks...)
		for _, p := range pipelines {
			users++
			x := fault.PipelineSubject(p)
			if !slices.Contains(f.Affects, x) {
				f.Affects = append(f.Affects, x)
			}
		}
	}
	if users == 0 {
		f.Severity = fault.Info // nothing that was read suffers from it
	}
	return helps
}

// maxRuns is how many pipelines' runs are read to see when a host last worked.
const maxRuns = 3

// worked is when a source last fetched through the host, zero when no such run was read. What changed before did not break it.
func worked(s *fact.Snapshot, on []fact.Connection) (good time.Time, asks []fact.Query) {
	for _, c := range on {
		for _, p := range fault.Known(s, c.ARN) {
			for _, src := range fault.Sources(s, p, c.ARN) {
				if src.State.Status == "Succeeded" && src.State.Changed.After(good) {
					good = src.State.Changed
				}
				if !src.Failed() {
					continue
				}
				if len(asks) < maxRuns {
					asks = append(asks, fault.AllRunsQuery(p.Ref().Scope, p.Name))
				}
				at := fault.Current{Pipeline: p, Stage: src.Stage, Action: src.Action, State: src.State, Seen: src.Seen}
				if _, ok := at.BrokeAt(s); ok.After(good) {
					good = ok
				}
			}
		}
	}
	return good, asks
}

// bucket is whose matter a cause is.
func bucket(cause string) fault.Bucket {
	switch cause {
	case neverSetUp, initialising:
		return fault.Configuration
	case appChanged:
		return fault.Provider
	}
	return fault.Network
}

// who asks for the event that made the obstacle, and adds it to the cause and the evidence.
func who(s *fact.Snapshot, f *fault.Finding, scope fact.Scope, o *netpath.Obstacle) []fact.Query {
	if o.Event == "" {
		return nil
	}
	q := fact.Query{Scope: scope, Kind: fact.KindEvent, ID: o.Event}
	last := lastOf(s, o.Event, o.Subject())
	if last == nil {
		return []fact.Query{q}
	}
	tool := ""
	if t := last.Tool(); t != "" {
		tool = " with " + t
	}
	f.Cause.Text += fmt.Sprintf(" %s changed it last%s, at %s.", last.Who.Label(), tool, fault.Stamp(last.Time))
	f.Since = fault.Stamp(last.Time)
	ev := fault.Ev(fault.Reported, *last, last.Name, last.Who.Label(), "")
	ev.Text = "at " + fault.Stamp(last.Time)
	f.Evidence = append(f.Evidence, ev)
	return []fact.Query{q}
}

// mentions reports whether a call named a thing in its parameters.
func mentions(e fact.Event, id string) bool {
	if id == "" {
		return false
	}
	for _, v := range e.Parameters {
		if v.Text == id {
			return true
		}
	}
	return e.Host == id
}

func remedy(code string) string {
	for _, c := range doc().Causes {
		if c.Code == code {
			return c.Remedy
		}
	}
	return doc().Remedy
}
