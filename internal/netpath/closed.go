package netpath

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/unjam/unjam/internal/fact"
)

// Obstacles are the things on the way that close it, or may, from the host outwards; those that are sure come first.
func (w Way) Obstacles() []Obstacle {
	var all []Obstacle
	take := func(o *Obstacle) {
		if o != nil {
			all = append(all, *o)
		}
	}
	take(w.bySecurityGroups())
	for _, sn := range w.Subnets {
		if acl, ok := w.aclOf(sn.ID); ok {
			take(w.byACL(acl, sn))
		}
	}
	for _, sn := range w.Subnets {
		if t, ok := w.Table(sn.ID); ok {
			take(w.byRoutes(t, sn))
		}
	}
	slices.SortStableFunc(all, func(a, b Obstacle) int {
		switch {
		case a.Maybe == b.Maybe:
			return 0
		case b.Maybe:
			return -1
		}
		return 1
	})
	return all
}

// bySecurityGroups: groups allow what any rule of any of them allows.
func (w Way) bySecurityGroups() *Obstacle {
	if len(w.Groups) == 0 || len(w.Groups) < len(w.Host.Groups) {
		return nil
	}
	narrow := ""
	for _, g := range w.Groups {
		for _, r := range g.Out {
			if !carries(r.Protocol, r.From, r.To, w.Port) {
				continue
			}
			if len(r.Groups) > 0 || len(r.Lists) > 0 {
				narrow = "its rules name other groups or prefix lists"
			}
			for _, b := range r.Blocks {
				if w.everywhere(b) {
					return nil
				}
				if w.Reaches(b) {
					narrow = "it is let out to " + b
				}
			}
		}
	}
	g := w.Groups[0]
	o := Obstacle{Cause: SecurityGroup, Text: fmt.Sprintf("no egress rule of security group %s lets TCP port %d out", names(w.Groups), w.Port), Proof: g,
		Field: "Egress of " + g.ID, Got: "no rule for TCP " + strconv.Itoa(w.Port), Want: "allowed", Event: "RevokeSecurityGroupEgress"}
	if narrow != "" {
		o.Maybe, o.Got = true, narrow
		o.Text = fmt.Sprintf("security group %s does not let TCP port %d out to the server: %s", names(w.Groups), w.Port, narrow)
	}
	return &o
}

func names(groups []fact.SecurityGroup) string {
	out := ""
	for i, g := range groups {
		if i > 0 {
			out += ", "
		}
		out += g.ID
	}
	return out
}

// carries reports whether a rule's protocol and ports cover a TCP port.
func carries(protocol string, from, to, port int) bool {
	switch protocol {
	case "-1", "all":
		return true
	case "tcp", "6":
		return (from == 0 && to == 0) || from == -1 || (from <= port && port <= to)
	}
	return false
}

// Reaches reports whether a block holds the server's address. Where the address is not known any block may.
func (w Way) Reaches(block string) bool {
	p, err := netip.ParsePrefix(block)
	return err != nil || !w.Address.IsValid() || p.Contains(w.Address)
}

// everywhere reports whether a block holds the server for sure: its address, or every address.
func (w Way) everywhere(block string) bool {
	p, err := netip.ParsePrefix(block)
	switch {
	case err != nil:
		return false
	case w.Address.IsValid():
		return p.Contains(w.Address)
	}
	return p.Bits() == 0 && p.Addr().Is4()
}

// ephemeral are ports that the server's replies come to: the ends of the ranges that systems take, and one between. Linux takes 32768
// to 60999, AWS's NAT gateways 1024 to 65535 (docs/aws-facts.md, "Hosts in a VPC").
var ephemeral = [...]int{1024, 32768, 49152, 60999, 65535}

// byACL: the first entry that fits decides, in the order of numbers; replies need an entry of their own.
func (w Way) byACL(acl fact.NetworkACL, sn fact.Subnet) *Obstacle {
	e, says := w.decides(acl, true, w.Port)
	o := Obstacle{Cause: NetworkACL, Proof: acl, Got: "deny", Event: changed(e)}
	o.Text = fmt.Sprintf("network ACL %s of subnet %s lets TCP port %d not out%s", acl.ID, sn.ID, w.Port, numbered(e))
	o.Field, o.Want = "Egress of "+acl.ID, "allow TCP "+strconv.Itoa(w.Port)
	for i := 0; says == passes && i < len(ephemeral); i++ {
		e, says = w.decides(acl, false, ephemeral[i])
		o.Text = fmt.Sprintf("network ACL %s of subnet %s lets replies to port %d not in%s: they come on TCP 1024-65535", acl.ID, sn.ID, ephemeral[i], numbered(e))
		o.Field, o.Want, o.Event = "Ingress of "+acl.ID, "allow TCP 1024-65535", changed(e)
	}
	if says == passes {
		return nil
	}
	o.Maybe = says == may
	return &o
}

// changed is the event that brings an entry, or takes away the one that would have allowed.
func changed(e fact.ACLEntry) string {
	if final(e) {
		return "DeleteNetworkAclEntry"
	}
	return "CreateNetworkAclEntry"
}

// final reports whether an entry is the last one, which denies what no other allows and cannot be changed.
func final(e fact.ACLEntry) bool { return e.Number == 0 || e.Number == 32767 }

func numbered(e fact.ACLEntry) string {
	if final(e) {
		return ""
	}
	return fmt.Sprintf(" (rule %d, %s)", e.Number, e.Block)
}

func (w Way) aclOf(subnet string) (fact.NetworkACL, bool) {
	var fallback fact.NetworkACL
	for _, a := range w.ACLs {
		if slices.Contains(a.Subnets, subnet) {
			return a, true
		}
		if a.Default {
			fallback = a
		}
	}
	return fallback, fallback.Default
}

// says is what an ACL does with a packet.
type says int

const (
	passes says = iota
	may         // depends on the server's address
	denies
)

// decides is what an ACL does with a TCP port, and the entry that decides. An entry that may or may not fit the server's address, and
// allows, counts as fitting; one that may and denies makes it a may.
func (w Way) decides(acl fact.NetworkACL, egress bool, port int) (fact.ACLEntry, says) {
	var doubt *fact.ACLEntry
	for i, e := range acl.Entries {
		if e.Egress != egress || !carries(e.Protocol, e.From, e.To, port) || !w.Reaches(e.Block) {
			continue
		}
		switch {
		case e.Allow && doubt != nil:
			return *doubt, may
		case e.Allow:
			return e, passes
		case w.everywhere(e.Block):
			return e, denies
		case doubt == nil:
			doubt = &acl.Entries[i]
		}
	}
	return fact.ACLEntry{}, denies // what no entry allows is denied
}

// byRoutes: the most specific route that holds the address counts. Where the address is not known, a table that leads nowhere but into
// the VPC, or into a black hole, may be the reason.
func (w Way) byRoutes(t fact.RouteTable, sn fact.Subnet) *Obstacle {
	if w.Address.IsValid() {
		return w.byRouteTo(t, sn)
	}
	beyond := 0
	var hole *fact.Route
	for i, r := range t.Routes {
		switch {
		case r.Target == "local":
		case r.State == "blackhole":
			hole = &t.Routes[i]
		default:
			beyond++
		}
	}
	switch {
	case hole != nil:
		o := w.hole(t, sn, *hole)
		o.Maybe = beyond > 0
		return o
	case beyond == 0:
		return &Obstacle{Maybe: true, Cause: Route, Text: fmt.Sprintf("route table %s of subnet %s leads nowhere but into the VPC itself", t.ID, sn.ID), Proof: t,
			Field: "Routes of " + t.ID, Got: "local only", Want: "a route to the server", Event: "DeleteRoute"}
	}
	return nil
}

// byRouteTo looks up the route to an address.
func (w Way) byRouteTo(t fact.RouteTable, sn fact.Subnet) *Obstacle {
	best, bits := fact.Route{}, -1
	for _, r := range t.Routes {
		p, err := netip.ParsePrefix(r.Block)
		if err != nil {
			if r.Target != "local" {
				return nil // a prefix list, whose blocks are not read
			}
			continue
		}
		if p.Contains(w.Address) && p.Bits() > bits {
			best, bits = r, p.Bits()
		}
	}
	switch {
	case bits < 0:
		return &Obstacle{Cause: Route, Text: fmt.Sprintf("route table %s of subnet %s has no route to %s", t.ID, sn.ID, w.Address), Proof: t,
			Field: "Routes of " + t.ID, Got: "none to " + w.Address.String(), Want: "a route to the server", Event: "DeleteRoute"}
	case best.State == "blackhole":
		return w.hole(t, sn, best)
	}
	return nil
}

// hole is a route whose target is gone.
func (w Way) hole(t fact.RouteTable, sn fact.Subnet, r fact.Route) *Obstacle {
	o := &Obstacle{Cause: Route, Text: fmt.Sprintf("route table %s of subnet %s sends %s to %s, which does not exist any more", t.ID, sn.ID, r.Block, r.Target), Proof: t,
		Field: "Route " + r.Block + " of " + t.ID, Got: "blackhole", Want: "active", Thing: r.Target}
	switch {
	case len(r.Target) > 4 && r.Target[:4] == "nat-":
		o.Event = "DeleteNatGateway"
	case len(r.Target) > 4 && r.Target[:4] == "pcx-":
		o.Event = "DeleteVpcPeeringConnection"
	}
	return o
}

// Table is the route table that serves a subnet.
func (w Way) Table(subnet string) (fact.RouteTable, bool) {
	var fallback fact.RouteTable
	for _, t := range w.Tables {
		if slices.Contains(t.Subnets, subnet) {
			return t, true
		}
		if t.Main {
			fallback = t
		}
	}
	return fallback, fallback.Main
}
