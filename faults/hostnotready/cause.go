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

// way is the network of a host.
type way struct{ netpath.Way }

// evidence is what shows an obstacle: the thing itself, or the report of a call.
func evidence(o *netpath.Obstacle) fault.Evidence {
	class := fault.Verified
	if _, event := o.Proof.(fact.Event); event {
		class = fault.Reported
	}
	return fault.Ev(class, o.Proof, o.Field, o.Got, o.Want)
}

// cause is why: by the host's status first, then by what its way to the server shows.
func cause(s *fact.Snapshot, h fact.Host, scope fact.Scope, good time.Time) (fault.Cause, *netpath.Obstacle, []fact.Query) {
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
func vpcCause(s *fact.Snapshot, h fact.Host, scope fact.Scope) (fault.Cause, *netpath.Obstacle, []fact.Query) {
	w := way{netpath.Of(s, h, scope)}
	c := fault.Cause{Code: vpcFailed, Class: fault.Reported, Text: "AWS could not set it up in " + h.VPC + "." + said(h)}
	o := w.SetupFault(s)
	if o != nil {
		c.Text += " What was read shows it: " + o.Text + "."
	}
	return c, o, w.SetupReads()
}

// wayCause is why an AVAILABLE host does not get to its server: what closes the way for sure, then certificates and DNS, then what may.
func wayCause(s *fact.Snapshot, h fact.Host, scope fact.Scope, good time.Time) (fault.Cause, *netpath.Obstacle, []fact.Query) {
	w := way{netpath.Of(s, h, scope)}
	asks := w.Reads()
	all := w.Obstacles()
	if len(all) > 0 && !all[0].Maybe {
		return fault.Cause{Code: all[0].Cause, Class: fault.Inferred, Text: "Likely " + all[0].Text + "."}, &all[0], asks
	}
	o, more := w.certificates(s)
	asks = append(asks, more...)
	if o != nil {
		return fault.Cause{Code: o.Cause, Class: fault.Inferred, Text: "Likely " + o.Text + "."}, o, asks
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
func guess(o *netpath.Obstacle) fault.Cause {
	if o.Maybe {
		return fault.Cause{Code: o.Cause, Class: fault.Unclear, Text: "Possibly " + o.Text + "; what was read does not tell for sure."}
	}
	return fault.Cause{Code: o.Cause, Class: fault.Inferred, Text: "Likely " + o.Text + "."}
}

// read reports whether the way has been read, as far as it can be: only then is there use in asking who changed what may close it.
func (w way) read(s *fact.Snapshot) bool {
	return !slices.ContainsFunc(w.Reads(), func(q fact.Query) bool { return !s.Settled(q) })
}

// doubtful picks among the things that may close the way: one that was changed since the host last worked, else the first that
// leads nowhere at all. A route that was deleted since counts as one, where the table has none to that block any more.
func (w way) doubtful(s *fact.Snapshot, all []netpath.Obstacle, good time.Time) (*netpath.Obstacle, []fact.Query) {
	var asks []fact.Query
	ask := func(name string) {
		q := fact.Query{Scope: w.Scope, Kind: fact.KindEvent, ID: name}
		if !slices.ContainsFunc(asks, func(x fact.Query) bool { return x.Key() == q.Key() }) {
			asks = append(asks, q)
		}
	}
	for i, o := range all {
		if o.Event == "" {
			continue
		}
		ask(o.Event)
		if e := lastOf(s, o.Event, o.Subject()); e != nil && e.Time.After(good) {
			all[i].Maybe = false
			return &all[i], asks
		}
	}
	if o := w.dropped(s, good); o != nil {
		return o, append(asks, fact.Query{Scope: w.Scope, Kind: fact.KindEvent, ID: "DeleteRoute"})
	}
	ask("DeleteRoute")
	for i, o := range all {
		if o.Cause != groupBlocks { // rules that let out to some blocks only are how such groups are meant to be
			return &all[i], asks
		}
	}
	return nil, asks
}

// dropped is a route that a table of the host's subnets lost since the host last worked.
func (w way) dropped(s *fact.Snapshot, good time.Time) *netpath.Obstacle {
	for _, sn := range w.Subnets {
		t, ok := w.Table(sn.ID)
		if !ok {
			continue
		}
		e := lastOf(s, "DeleteRoute", t.ID)
		if e == nil || !e.Time.After(good) {
			continue
		}
		block := e.Parameters.Text("destinationCidrBlock")
		if block == "" || !w.Reaches(block) || slices.ContainsFunc(t.Routes, func(r fact.Route) bool { return r.Block == block }) {
			continue
		}
		return &netpath.Obstacle{Cause: noRoute, Text: fmt.Sprintf("the server stands in %s, and route table %s of subnet %s has no route to it any more", block, t.ID, sn.ID), Proof: t,
			Field: "Route " + block + " of " + t.ID, Got: "none", Want: "a route to the server", Event: "DeleteRoute"}
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
	if w.Host.VPC != "" {
		text = fmt.Sprintf("Subnets, security groups, network ACLs and routes of %s let it through, as far as they tell without the server's address: look at the server, its own firewall and its certificate.", w.Host.VPC)
	}
	return fault.Cause{Code: unreachable, Class: fault.Inferred, Text: text}
}

// dns looks for a change of the VPC's DHCP options since the host was made and last worked: a host keeps the DNS servers of its first
// day (docs/aws-facts.md, "Hosts in a VPC"). After several changes the first servers may be back; where nobody knows which they were
// the claim is not sure.
func dns(s *fact.Snapshot, w way, good time.Time) (*netpath.Obstacle, []fact.Query) {
	event := func(name string) fact.Query { return fact.Query{Scope: w.Scope, Kind: fact.KindEvent, ID: name} }
	asks := []fact.Query{event("AssociateDhcpOptions")}
	made := time.Time{} // before the trail's reach, unless it shows the host's creation
	if e := lastOf(s, "CreateHost", w.Host.ARN); e != nil {
		made = e.Time
	}
	var before, after []fact.Event
	for e := range fact.All[fact.Event](s) {
		switch {
		case e.Name != "AssociateDhcpOptions" || e.ErrorCode != "" || !mentions(e, w.Host.VPC):
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
	asks = append(asks, event("CreateHost"), fact.Query{Scope: w.Scope, Kind: fact.KindDHCPOptions})
	last := slices.MaxFunc(after, byTime)
	now, was := servers(s, w, last), ""
	if len(before) > 0 {
		was = servers(s, w, slices.MaxFunc(before, byTime))
	}
	if was != "" && was == now {
		return nil, asks // the first ones are back
	}
	return &netpath.Obstacle{
		Maybe: len(after) > 1 && (was == "" || now == ""), Cause: dnsChanged, Proof: last,
		Field: "DNS servers of " + w.Host.VPC, Got: now, Want: "those of the day the host was made",
		Text: fmt.Sprintf("%s gave %s other DHCP options at %s, and the host still asks the DNS servers of its first day", last.Who.Label(), w.Host.VPC, fault.Stamp(last.Time)),
	}, asks
}

// servers are the DNS servers that an AssociateDhcpOptions brought, "" when they are not known any more.
func servers(s *fact.Snapshot, w way, e fact.Event) string {
	for o := range fact.All[fact.DHCPOptions](s) {
		if o.Ref().Scope == w.Scope && mentions(e, o.ID) {
			return strings.Join(o.Servers, ", ")
		}
	}
	return ""
}
