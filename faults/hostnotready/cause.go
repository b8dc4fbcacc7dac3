package hostnotready

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// cause is why: by the host's status first, then by what its way to the server shows.
func cause(s *fact.Snapshot, h fact.Host, scope fact.Scope, good time.Time) (fault.Cause, *obstacle, []fact.Query) {
	switch h.Status {
	case "PENDING":
		return fault.Cause{Code: neverSetUp, Class: fault.Inferred, Text: "Nobody has set it up: an administrator of the server has to install the app, in the console under Settings, Connections, Hosts."}, nil, nil
	case "VPC_CONFIG_INITIALIZING":
		return fault.Cause{Code: initialising, Class: fault.Verified, Text: "AWS is still making its network interfaces in the VPC: this takes some minutes."}, nil, nil
	case "VPC_CONFIG_FAILED_INITIALIZATION":
		return vpcCause(s, h, scope)
	case fact.StatusError:
		return fault.Cause{Code: appChanged, Class: fault.Inferred, Text: "Likely its app on the server was deleted, or its name or private key changed: AWS cannot take up with it again." + said(h)}, nil, nil
	case fact.StatusAvailable:
		return wayCause(s, h, scope, good)
	}
	return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "Its status is " + h.Status + "; AWS gives no reason." + said(h)}, nil, nil
}

// said is AWS's own word on a host.
func said(h fact.Host) string {
	if h.Message == "" {
		return ""
	}
	return " AWS says: " + strings.TrimRight(h.Message, ".") + "."
}

// vpcCause is why AWS could not set a host up in its VPC: as its status message says, and as the VPC's own parts show.
func vpcCause(s *fact.Snapshot, h fact.Host, scope fact.Scope) (fault.Cause, *obstacle, []fact.Query) {
	w := wayOf(s, h, scope)
	c := fault.Cause{Code: vpcFailed, Class: fault.Reported, Text: "AWS could not set it up in " + h.VPC + "." + said(h)}
	o := w.setup(s)
	if o != nil {
		c.Text += " What was read shows it: " + o.text + "."
	}
	return c, o, w.setupReads()
}

// wayCause is why an AVAILABLE host does not get to its server: what closes the way for sure, then certificates and DNS, then what may.
func wayCause(s *fact.Snapshot, h fact.Host, scope fact.Scope, good time.Time) (fault.Cause, *obstacle, []fact.Query) {
	w := wayOf(s, h, scope)
	asks := w.reads()
	all := w.obstacles()
	if len(all) > 0 && !all[0].maybe {
		return fault.Cause{Code: all[0].cause, Class: fault.Inferred, Text: "Likely " + all[0].text + "."}, &all[0], asks
	}
	o, more := w.certificates(s)
	asks = append(asks, more...)
	if o != nil {
		return fault.Cause{Code: o.cause, Class: fault.Inferred, Text: "Likely " + o.text + "."}, o, asks
	}
	if h.VPC != "" {
		o, more := dns(s, w, good)
		asks = append(asks, more...)
		if o == nil && w.read(s) {
			o, more = w.doubtful(s, all, good)
			asks = append(asks, more...)
		}
		if o != nil {
			return guess(o), o, asks
		}
	}
	return open(s, w, asks), nil, asks
}

// guess is the cause of an obstacle that something speaks for, or that merely may be one.
func guess(o *obstacle) fault.Cause {
	if o.maybe {
		return fault.Cause{Code: o.cause, Class: fault.Unclear, Text: "Possibly " + o.text + "; what was read does not tell for sure."}
	}
	return fault.Cause{Code: o.cause, Class: fault.Inferred, Text: "Likely " + o.text + "."}
}

// read reports whether the way has been read, as far as it can be: only then is there use in asking who changed what may close it.
func (w way) read(s *fact.Snapshot) bool {
	return !slices.ContainsFunc(w.reads(), func(q fact.Query) bool { return !s.Settled(q) })
}

// doubtful picks among the things that may close the way: one that was changed since the host last worked, else the first that
// leads nowhere at all. A route that was deleted since counts as one, where the table has none to that block any more.
func (w way) doubtful(s *fact.Snapshot, all []obstacle, good time.Time) (*obstacle, []fact.Query) {
	var asks []fact.Query
	ask := func(name string) {
		q := fact.Query{Scope: w.scope, Kind: fact.KindEvent, ID: name}
		if !slices.ContainsFunc(asks, func(x fact.Query) bool { return x.Key() == q.Key() }) {
			asks = append(asks, q)
		}
	}
	for i, o := range all {
		if o.event == "" {
			continue
		}
		ask(o.event)
		if e := lastOf(s, o.event, o.subject()); e != nil && e.Time.After(good) {
			all[i].maybe = false
			return &all[i], asks
		}
	}
	if o := w.dropped(s, good); o != nil {
		return o, append(asks, fact.Query{Scope: w.scope, Kind: fact.KindEvent, ID: "DeleteRoute"})
	}
	ask("DeleteRoute")
	for i, o := range all {
		if o.cause != groupBlocks { // rules that let out to some blocks only are how such groups are meant to be
			return &all[i], asks
		}
	}
	return nil, asks
}

// dropped is a route that a table of the host's subnets lost since the host last worked.
func (w way) dropped(s *fact.Snapshot, good time.Time) *obstacle {
	for _, sn := range w.subnets {
		t, ok := w.tableOf(sn.ID)
		if !ok {
			continue
		}
		e := lastOf(s, "DeleteRoute", t.ID)
		if e == nil || !e.Time.After(good) {
			continue
		}
		block := e.Parameters.Text("destinationCidrBlock")
		if block == "" || !w.reaches(block) || slices.ContainsFunc(t.Routes, func(r fact.Route) bool { return r.Block == block }) {
			continue
		}
		return &obstacle{cause: noRoute, text: fmt.Sprintf("the server stands in %s, and route table %s of subnet %s has no route to it any more", block, t.ID, sn.ID), proof: t,
			field: "Route " + block + " of " + t.ID, got: "none", want: "a route to the server", event: "DeleteRoute"}
	}
	return nil
}

// lastOf is the newest call of a name that went through and named a thing; nil for none.
func lastOf(s *fact.Snapshot, name, id string) *fact.Event {
	var last *fact.Event
	for e := range fact.All[fact.Event](s) {
		if e.Name == name && e.ErrorCode == "" && mentions(e, id) && (last == nil || e.Time.After(last.Time)) {
			last = &e
		}
	}
	return last
}

// open is the cause when nothing that was read closes the way: the server, unless a read is missing that could show more.
func open(s *fact.Snapshot, w way, asks []fact.Query) fault.Cause {
	for _, q := range asks {
		g, lost := s.GapOf(q)
		if !lost || q.Kind == fact.KindCertificate {
			continue
		}
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "What lies between AWS and the server could not be read whole: " + lacks(g) + "."}
	}
	text := "Nothing that can be read on AWS's side of the way blocks it: look at the server, its firewall and its certificate."
	if w.host.VPC != "" {
		text = fmt.Sprintf("Subnets, security groups, network ACLs and routes of %s let it through, as far as they tell without the server's address: look at the server, its own firewall and its certificate.", w.host.VPC)
	}
	return fault.Cause{Code: unreachable, Class: fault.Inferred, Text: text}
}

// dns looks for a change of the VPC's DHCP options since the host was made and last worked: a host keeps the DNS servers of its first
// day (docs/aws-facts.md, "Hosts in a VPC"). After several changes the first servers may be back; where nobody knows which they were
// the claim is not sure.
func dns(s *fact.Snapshot, w way, good time.Time) (*obstacle, []fact.Query) {
	event := func(name string) fact.Query { return fact.Query{Scope: w.scope, Kind: fact.KindEvent, ID: name} }
	asks := []fact.Query{event("AssociateDhcpOptions")}
	made := time.Time{} // before the trail's reach, unless it shows the host's creation
	if e := lastOf(s, "CreateHost", w.host.ARN); e != nil {
		made = e.Time
	}
	var before, after []fact.Event
	for e := range fact.All[fact.Event](s) {
		switch {
		case e.Name != "AssociateDhcpOptions" || e.ErrorCode != "" || !mentions(e, w.host.VPC):
		case e.Time.Before(made):
			before = append(before, e)
		default:
			after = append(after, e)
		}
	}
	byTime := func(a, b fact.Event) int { return a.Time.Compare(b.Time) }
	if len(after) == 0 || !slices.MaxFunc(after, byTime).Time.After(good) {
		return nil, asks
	}
	asks = append(asks, event("CreateHost"), fact.Query{Scope: w.scope, Kind: fact.KindDHCPOptions})
	last := slices.MaxFunc(after, byTime)
	now, was := servers(s, w, last), ""
	if len(before) > 0 {
		was = servers(s, w, slices.MaxFunc(before, byTime))
	}
	if was != "" && was == now {
		return nil, asks // the first ones are back
	}
	return &obstacle{
		maybe: len(after) > 1 && (was == "" || now == ""), cause: dnsChanged, proof: last, class: fault.Reported,
		field: "DNS servers of " + w.host.VPC, got: now, want: "those of the day the host was made",
		text: fmt.Sprintf("%s gave %s other DHCP options at %s, and the host still asks the DNS servers of its first day", last.Who.Label(), w.host.VPC, fault.Stamp(last.Time)),
	}, asks
}

// servers are the DNS servers that an AssociateDhcpOptions brought, "" when they are not known any more.
func servers(s *fact.Snapshot, w way, e fact.Event) string {
	for o := range fact.All[fact.DHCPOptions](s) {
		if o.Ref().Scope == w.scope && mentions(e, o.ID) {
			return strings.Join(o.Servers, ", ")
		}
	}
	return ""
}
