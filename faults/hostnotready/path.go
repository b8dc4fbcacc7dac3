package hostnotready

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// obstacle is something on the way from a host's subnets to its server that does not let it through, or may not.
type obstacle struct {
	maybe       bool // it depends on where the server stands, which the host's URL does not say
	cause, text string
	proof       fact.Fact
	field, got  string
	want        string
	class       fault.Class // of the proof; "" is verified
	event       string      // the CloudTrail event that would tell who did it; "" for none
	thing       string      // what that event names, where it is not what the proof is about
}

// subject is the ID that the event behind an obstacle names.
func (o *obstacle) subject() string {
	if o.thing != "" {
		return o.thing
	}
	return o.proof.Ref().ID
}

func (o *obstacle) evidence() fault.Evidence {
	class := o.class
	if class == "" {
		class = fault.Verified
	}
	return fault.Ev(class, o.proof, o.field, o.got, o.want)
}

// way is the network of a host, as far as it was read.
type way struct {
	host    fact.Host
	scope   fact.Scope
	port    int
	address netip.Addr // zero when the endpoint is a name: then only what blocks every address counts
	subnets []fact.Subnet
	groups  []fact.SecurityGroup
	acls    []fact.NetworkACL
	tables  []fact.RouteTable
}

// wayOf gathers the network of a host as far as it was read.
func wayOf(s *fact.Snapshot, h fact.Host, scope fact.Scope) way {
	w := way{host: h, scope: scope, port: 443}
	if u, err := url.Parse(h.Endpoint); err == nil {
		if n, err := strconv.Atoi(u.Port()); err == nil {
			w.port = n
		} else if u.Scheme == "http" {
			w.port = 80
		}
		w.address, _ = netip.ParseAddr(u.Hostname())
	}
	if h.VPC == "" {
		return w
	}
	for x := range fact.All[fact.Subnet](s) {
		if x.Ref().Scope == scope && slices.Contains(h.Subnets, x.ID) {
			w.subnets = append(w.subnets, x)
		}
	}
	for x := range fact.All[fact.SecurityGroup](s) {
		if x.Ref().Scope == scope && slices.Contains(h.Groups, x.ID) {
			w.groups = append(w.groups, x)
		}
	}
	for x := range fact.All[fact.NetworkACL](s) {
		if x.Ref().Scope == scope && x.VPC == h.VPC {
			w.acls = append(w.acls, x)
		}
	}
	for x := range fact.All[fact.RouteTable](s) {
		if x.Ref().Scope == scope && x.VPC == h.VPC {
			w.tables = append(w.tables, x)
		}
	}
	return w
}

// setupReads are the queries that tell why a host could not be set up; none without a VPC.
func (w way) setupReads() []fact.Query { return w.queries(fact.KindSubnet, fact.KindSecurityGroup) }

// reads are the queries that a way takes; none without a VPC.
func (w way) reads() []fact.Query {
	return w.queries(fact.KindSubnet, fact.KindSecurityGroup, fact.KindNetworkACL, fact.KindRouteTable)
}

func (w way) queries(kinds ...fact.Kind) []fact.Query {
	var all []fact.Query
	for _, k := range kinds {
		if w.host.VPC != "" {
			all = append(all, fact.Query{Scope: w.scope, Kind: k, ID: w.host.VPC})
		}
	}
	return all
}

// setup is what keeps a host from being made: its subnets and groups must be the VPC's, each subnet in a zone of its own
// (docs/aws-facts.md, "Hosts in a VPC").
func (w way) setup(s *fact.Snapshot) *obstacle {
	if answered(s, w.scope, fact.KindSubnet, w.host.VPC) {
		zones := map[string]fact.Subnet{}
		for _, id := range w.host.Subnets {
			i := slices.IndexFunc(w.subnets, func(x fact.Subnet) bool { return x.ID == id })
			if i < 0 {
				return &obstacle{cause: vpcFailed, text: "subnet " + id + " is not in " + w.host.VPC, proof: w.host, field: "Subnet " + id, got: "not in " + w.host.VPC, want: "in " + w.host.VPC}
			}
			x := w.subnets[i]
			if y, twice := zones[x.Zone]; twice {
				return &obstacle{cause: vpcFailed, text: fmt.Sprintf("subnets %s and %s are both in zone %s: each must have its own", y.ID, x.ID, x.Zone), proof: x, field: "Zone of " + x.ID, got: x.Zone, want: "another zone than " + y.ID}
			}
			zones[x.Zone] = x
		}
	}
	for o := range fact.All[fact.Host](s) {
		if o.ARN != w.host.ARN && o.VPC == w.host.VPC && o.Ref().Scope == w.scope && o.Status != "VPC_CONFIG_FAILED_INITIALIZATION" {
			return &obstacle{cause: vpcFailed, text: "host " + o.Name + " has " + o.VPC + " already, and a VPC serves one host at a time", proof: o, field: "VpcId of host " + o.Name, got: o.VPC, want: "another VPC"}
		}
	}
	if answered(s, w.scope, fact.KindSecurityGroup, w.host.VPC) {
		for _, id := range w.host.Groups {
			if !slices.ContainsFunc(w.groups, func(g fact.SecurityGroup) bool { return g.ID == id }) {
				return &obstacle{cause: vpcFailed, text: "security group " + id + " is not in " + w.host.VPC, proof: w.host, field: "SecurityGroup " + id, got: "not in " + w.host.VPC, want: "in " + w.host.VPC}
			}
		}
	}
	return nil
}

func answered(s *fact.Snapshot, scope fact.Scope, k fact.Kind, id string) bool {
	return s.Answered(fact.Query{Scope: scope, Kind: k, ID: id})
}
