package connectionpending

import (
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// The causes.
const (
	neverAttempted  = "handshake-never-attempted"
	handshakeDenied = "handshake-denied"
	notFinished     = "handshake-not-finished"
	hostNotReady    = "host-not-ready"
	replaced        = "replaced"
	ownedElsewhere  = "owned-elsewhere"
	unknownCause    = "unknown"
)

// trailDelay is how late an event may appear in CloudTrail's event history (docs/aws-facts.md, "Event history").
const trailDelay = 15 * time.Minute

// trail is what CloudTrail's event history says about one connection.
type trail struct {
	asks     []fact.Query
	whole    bool        // every look-up was answered
	created  *fact.Event // CreateConnection of this connection
	denied   *fact.Event // the newest refused handshake step, if no later one went through
	attempt  *fact.Event // the newest handshake step that went through
	deleted  *fact.Event // DeleteConnection of the one before it
	previous *fact.Event // CreateConnection of the one before it
	sure     bool        // the refused or begun step names this connection
	// speaks: yes when the trail shows handshake steps of any connection, no when a connection was completed within its reach and
	// no step shows, unknown otherwise. AWS does not document that it logs these steps.
	speaks fact.Class
}

const (
	speaksYes fact.Class = "yes"
	speaksNo  fact.Class = "no"
)

// lookups are the event names asked for, at most six in all: CloudTrail answers two look-ups a second.
var (
	first  = [...]string{"CreateConnection", "UpdateConnectionInstallation", "StartOAuthHandshake", "ListInstallationTargets"}
	begun  = [...]string{"GetIndividualAccessToken", "GetInstallationUrl"}
	silent = [...]string{"DeleteConnection"}
)

// readTrail asks for the events of a connection's life and sorts them. Handshake steps are logged, if at all, in the Region of the
// console page, which is the ARN's.
func readTrail(s *fact.Snapshot, c fact.Connection) trail {
	t := trail{whole: true}
	arn, err := fact.ParseARN(c.ARN)
	if err != nil {
		return t
	}
	ask := func(names ...string) {
		for _, name := range names {
			q := fact.Query{Scope: fact.Scope{Account: s.Question().Account, Region: arn.Region}, Kind: fact.KindEvent, ID: name}
			t.asks = append(t.asks, q)
			t.whole = t.whole && s.Answered(q)
		}
	}
	ask(first[:]...)
	known := !slices.ContainsFunc(t.asks, func(q fact.Query) bool { return !s.Settled(q) })
	events := eventsOf(s, arn.Region)
	t.sort(events, c, s)
	if t.attempt != nil && t.denied == nil {
		ask(begun[:]...)
	} else if t.denied == nil && known { // not before it is known: six look-ups are what an incident may cost
		ask(silent[:]...)
	}
	t.findPrevious(events, c)
	return t
}

func eventsOf(s *fact.Snapshot, region string) []fact.Event {
	var all []fact.Event
	for e := range fact.All[fact.Event](s) {
		if e.Region == region {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b fact.Event) int { return a.Time.Compare(b.Time) })
	return all
}

// sort finds the creation and the handshake steps, oldest first.
func (t *trail) sort(events []fact.Event, c fact.Connection, s *fact.Snapshot) {
	for i, e := range events {
		if e.Name == "CreateConnection" && e.ErrorCode == "" && e.Connection == c.ARN {
			t.created = &events[i]
		}
	}
	others := rivals(s, c)
	for i, e := range events {
		if !slices.Contains(op.Handshake(), e.Name) {
			continue
		}
		t.speaks = speaksYes
		named := e.Connection == c.ARN
		if (e.Connection != "" && !named) || (e.Provider != "" && e.Provider != c.Provider) || (t.created != nil && e.Time.Before(t.created.Time)) {
			continue
		}
		if !named && !attributable(events, e, c, others) {
			continue
		}
		if e.ErrorCode == "" {
			if t.denied != nil && t.denied.Who.ARN == e.Who.ARN && e.Time.Sub(t.denied.Time) < time.Hour {
				continue // a step that went through beside the refused one, by the same person, finishes nothing
			}
			t.attempt, t.denied = &events[i], nil
		} else if fact.DeniedCode(e.ErrorCode) {
			t.denied = &events[i]
		}
		t.sure = named || others == 0
	}
	if t.speaks == "" && completedInSight(s, c, events) {
		t.speaks = speaksNo
	}
}

// rivals is the number of other connections of the provider that an unnamed step could as well belong to.
func rivals(s *fact.Snapshot, c fact.Connection) int {
	n := map[string]bool{}
	for o := range fact.All[fact.Connection](s) {
		if o.ARN != c.ARN && o.Provider == c.Provider {
			n[o.ARN] = true
		}
	}
	return len(n)
}

// attributable reports whether a step that names no connection can be laid to this one: there is no other of the provider, or no
// completion of another one by the same person within the hour takes it.
func attributable(events []fact.Event, e fact.Event, c fact.Connection, others int) bool {
	if others == 0 {
		return true
	}
	for _, o := range events {
		if o.Name == "UpdateConnectionInstallation" && o.Connection != "" && o.Connection != c.ARN && o.Who.ARN == e.Who.ARN &&
			!o.Time.Before(e.Time) && o.Time.Sub(e.Time) < time.Hour {
			return false
		}
	}
	return true
}

// completedInSight reports whether another connection, created where the trail can see it, is AVAILABLE: its handshake should show.
func completedInSight(s *fact.Snapshot, c fact.Connection, events []fact.Event) bool {
	for _, e := range events {
		if e.Name != "CreateConnection" || e.ErrorCode != "" || e.Connection == "" || e.Connection == c.ARN {
			continue
		}
		o, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, e.Connection))
		if ok && o.Status == fact.StatusAvailable && s.At().Sub(e.Time) > trailDelay {
			return true
		}
	}
	return false
}

// findPrevious looks for the connection that this one replaced: one of the same name that was deleted before it was created, or
// one of the provider that the same identity deleted within an hour of creating this one.
func (t *trail) findPrevious(events []fact.Event, c fact.Connection) {
	if t.created == nil {
		return
	}
	for i, d := range events {
		if d.Name != "DeleteConnection" || d.ErrorCode != "" || d.Connection == "" || d.Connection == c.ARN {
			continue
		}
		var made *fact.Event
		for k, e := range events {
			if e.Name == "CreateConnection" && e.Connection == d.Connection {
				made = &events[k]
			}
		}
		sameName := made != nil && made.ConnectionName == c.Name && d.Time.Before(t.created.Time.Add(time.Minute))
		gap := t.created.Time.Sub(d.Time)
		sameHand := d.Who.Policied() == t.created.Who.Policied() && gap > -time.Hour && gap < time.Hour && (made == nil || made.Provider == c.Provider)
		if sameName || sameHand {
			t.deleted, t.previous = &events[i], made
		}
	}
}

// hostOf is the host behind a connection, and the query that reads it.
func hostOf(s *fact.Snapshot, c fact.Connection) (*fact.Host, []fact.Query) {
	a, err := fact.ParseARN(c.HostARN)
	if err != nil {
		return nil, nil
	}
	q := fact.Query{Scope: fact.Scope{Account: s.Question().Account, Region: a.Region}, Kind: fact.KindHost}
	for h := range fact.All[fact.Host](s) {
		if h.ARN == c.HostARN {
			return &h, []fact.Query{q}
		}
	}
	return nil, []fact.Query{q}
}

// cause decides why, and with what. The order is from what forbids the handshake to what is known of attempts.
func cause(s *fact.Snapshot, c fact.Connection, host *fact.Host, t trail) (fault.Cause, []fault.Evidence) {
	if a, err := fact.ParseARN(c.ARN); err == nil && a.Account != s.Question().Account {
		return fault.Cause{Code: ownedElsewhere, Class: fault.Inferred,
				Text: fmt.Sprintf("It belongs to account %s and is shared with this one: only there can its handshake be completed.", a.Account)},
			[]fault.Evidence{fault.Ev(fault.Inferred, c, "account in ConnectionArn", a.Account, s.Question().Account)}
	}
	if host != nil && host.Status != fact.StatusAvailable {
		text := fmt.Sprintf("Its host %q is %s: the host must be set up first.", host.Name, host.Status)
		if host.Message != "" {
			text += " AWS says: " + host.Message
		}
		e := fault.Ev(fault.Verified, *host, "Host.Status", host.Status, fact.StatusAvailable)
		e.Text = host.Message
		return fault.Cause{Code: hostNotReady, Class: fault.Inferred, Text: text}, []fault.Evidence{e}
	}
	if host == nil && c.HostARN != "" && t.denied == nil && t.attempt == nil {
		return fault.Cause{Code: unknownCause, Class: fault.Unclear,
			Text: "It stands on a host that could not be read: likely the host is not set up, or nobody has completed the handshake."}, nil
	}
	switch {
	case t.denied != nil:
		return deniedCause(t)
	case t.attempt != nil:
		return fault.Cause{Code: notFinished, Class: fault.Inferred, Text: fmt.Sprintf(
				"%s began the handshake at %s and it was never completed: usually an owner of the organisation at the provider still has to approve the app.",
				t.attempt.Who.Label(), fault.Stamp(t.attempt.Time))},
			[]fault.Evidence{step(fault.Reported, t.attempt, "went through")}
	case t.deleted != nil:
		return replacedCause(t)
	}
	return silentCause(s, t), nil
}

func deniedCause(t trail) (fault.Cause, []fault.Evidence) {
	d, _ := fact.ParseDenial(t.denied.Error)
	action := d.Action
	if action == "" {
		action = t.denied.Name
	}
	text := fmt.Sprintf("%s tried to complete it at %s and AWS refused %s", t.denied.Who.Label(), fault.Stamp(t.denied.Time), action)
	if d.By != "" {
		text += ": " + d.Words()
	}
	class := fault.Reported
	if !t.sure {
		class = fault.Inferred
		text += "; the event does not name the connection"
	}
	e := step(fault.Reported, t.denied, t.denied.ErrorCode)
	e.Text = t.denied.Error
	return fault.Cause{Code: handshakeDenied, Class: class, Text: text + "."}, []fault.Evidence{e}
}

func replacedCause(t trail) (fault.Cause, []fault.Evidence) {
	tool := t.deleted.Tool()
	if tool != "" {
		tool = " with " + tool
	}
	text := fmt.Sprintf("It replaced another connection: %s deleted that one%s at %s. A new connection is always PENDING.",
		t.deleted.Who.Label(), tool, fault.Stamp(t.deleted.Time))
	class := fault.Reported
	if t.previous == nil || t.previous.ConnectionName != t.created.ConnectionName {
		class = fault.Inferred
	}
	e := step(fault.Reported, t.deleted, t.deleted.Connection)
	proof := []fault.Evidence{e}
	if t.previous != nil {
		proof = append(proof, step(fault.Reported, t.previous, t.previous.Connection))
	}
	return fault.Cause{Code: replaced, Class: class, Text: text}, proof
}

// silentCause is the cause when no step of the handshake is on record. Absence of an event is at most a hint.
func silentCause(s *fact.Snapshot, t trail) fault.Cause {
	unknown := func(text string) fault.Cause {
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: text}
	}
	switch {
	case !t.whole:
		for _, q := range t.asks {
			if g, ok := s.GapOf(q); ok {
				why := "The event history could not be read (" + string(g.Class) + ")"
				if g.Permission != "" {
					why += "; " + g.Permission + " would show it"
				}
				return unknown(why + ". Likely nobody has opened the handshake yet, or somebody has and it was not completed.")
			}
		}
		return unknown("The event history was not read.")
	case t.created == nil:
		return unknown("Its creation is not in the event history: it is older than 90 days, or too young to show. No attempt to complete it is on record.")
	case t.speaks == speaksNo:
		return unknown("No attempt to complete it is on record, but this account's event history shows no handshake steps of other connections either: whether somebody began cannot be told.")
	case t.speaks == speaksYes:
		return fault.Cause{Code: neverAttempted, Class: fault.Inferred,
			Text: "Nobody has tried to complete it: the event history shows such steps for other connections and none for this one."}
	}
	// Nothing shows whether this account's trail records such steps at all: the likeliest cause is named, not claimed.
	return fault.Cause{Code: neverAttempted, Class: fault.Unclear,
		Text: "Likely nobody has tried to complete it: no attempt is on record. AWS does not document that it records them, so one may have begun."}
}

func step(c fault.Class, e *fact.Event, got string) fault.Evidence {
	ev := fault.Ev(c, *e, e.Name, got, "")
	ev.Text = e.Who.Label() + " at " + fault.Stamp(e.Time)
	return ev
}
