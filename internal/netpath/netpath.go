// Package netpath looks at the network of a host in a VPC as it was read: what closes the way from its subnets to its server, and what may.
// It reads nothing itself, and it never says that a way is open: beyond the VPC it sees nothing.
package netpath

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"github.com/unjam/unjam/internal/fact"
)

// The causes that the parts of a VPC stand for.
const (
	Setup         = "vpc-failed"
	SecurityGroup = "security-group-blocks"
	NetworkACL    = "network-acl-blocks"
	Route         = "no-route"
)

// Obstacle is something on the way from a host's subnets to its server that does not let it through, or may not.
type Obstacle struct {
	Maybe bool      // it depends on where the server stands, which the host's URL does not say
	Cause string    // one of the causes
	Text  string    // half a sentence
	Proof fact.Fact // what shows it
	Field string    // in it
	Got   string    // there
	Want  string    // instead
	Event string    // the CloudTrail event that would tell who did it; "" for none
	Thing string    // what that event names, where it is not what Proof is about
}

// Subject is the ID that the event behind an obstacle names.
func (o *Obstacle) Subject() string {
	if o.Thing != "" {
		return o.Thing
	}
	return o.Proof.Ref().ID
}

// Way is the network of a host, as far as it was read.
type Way struct {
	Host    fact.Host
	Scope   fact.Scope
	Port    int        // of the server
	Address netip.Addr // of the server; zero when the host's URL has a name: then only what concerns every address is sure
	Subnets []fact.Subnet
	Groups  []fact.SecurityGroup
	ACLs    []fact.NetworkACL
	Tables  []fact.RouteTable
}

// Of gathers the network of a host as far as it was read.
func Of(s *fact.Snapshot, h fact.Host, scope fact.Scope) Way {
	w := Way{Host: h, Scope: scope, Port: 443}
	if u, err := url.Parse(h.Endpoint); err == nil {
		if n, err := strconv.Atoi(u.Port()); err == nil {
			w.Port = n
		} else if u.Scheme == "http" {
			w.Port = 80
		}
		w.Address, _ = netip.ParseAddr(u.Hostname())
	}
	if h.VPC == "" {
		return w
	}
	for x := range fact.All[fact.Subnet](s) {
		if x.Ref().Scope == scope && slices.Contains(h.Subnets, x.ID) {
			w.Subnets = append(w.Subnets, x)
		}
	}
	for x := range fact.All[fact.SecurityGroup](s) {
		if x.Ref().Scope == scope && slices.Contains(h.Groups, x.ID) {
			w.Groups = append(w.Groups, x)
		}
	}
	for x := range fact.All[fact.NetworkACL](s) {
		if x.Ref().Scope == scope && x.VPC == h.VPC {
			w.ACLs = append(w.ACLs, x)
		}
	}
	for x := range fact.All[fact.RouteTable](s) {
		if x.Ref().Scope == scope && x.VPC == h.VPC {
			w.Tables = append(w.Tables, x)
		}
	}
	return w
}

// SetupReads are the queries that tell why a host could not be set up; none without a VPC.
func (w Way) SetupReads() []fact.Query { return w.queries(fact.KindSubnet, fact.KindSecurityGroup) }

// Reads are the queries that a way takes; none without a VPC.
func (w Way) Reads() []fact.Query {
	return w.queries(fact.KindSubnet, fact.KindSecurityGroup, fact.KindNetworkACL, fact.KindRouteTable)
}

func (w Way) queries(kinds ...fact.Kind) []fact.Query {
	var all []fact.Query
	for _, k := range kinds {
		if w.Host.VPC != "" {
			all = append(all, fact.Query{Scope: w.Scope, Kind: k, ID: w.Host.VPC})
		}
	}
	return all
}

// SetupFault is what keeps a host from being made: its subnets and groups must be the VPC's, each subnet in a zone of its own
// (docs/aws-facts.md, "Hosts in a VPC").
func (w Way) SetupFault(s *fact.Snapshot) *Obstacle {
	if answered(s, w.Scope, fact.KindSubnet, w.Host.VPC) {
		zones := map[string]fact.Subnet{}
		for _, id := range w.Host.Subnets {
			i := slices.IndexFunc(w.Subnets, func(x fact.Subnet) bool { return x.ID == id })
			if i < 0 {
				return &Obstacle{Cause: Setup, Text: "subnet " + id + " is not in " + w.Host.VPC, Proof: w.Host, Field: "Subnet " + id, Got: "not in " + w.Host.VPC, Want: "in " + w.Host.VPC}
			}
			x := w.Subnets[i]
			if y, twice := zones[x.Zone]; twice {
				return &Obstacle{Cause: Setup, Text: fmt.Sprintf("subnets %s and %s are both in zone %s: each must have its own", y.ID, x.ID, x.Zone), Proof: x, Field: "Zone of " + x.ID, Got: x.Zone, Want: "another zone than " + y.ID}
			}
			zones[x.Zone] = x
		}
	}
	for o := range fact.All[fact.Host](s) {
		if o.ARN != w.Host.ARN && o.VPC == w.Host.VPC && o.Ref().Scope == w.Scope && o.Status != "VPC_CONFIG_FAILED_INITIALIZATION" {
			return &Obstacle{Cause: Setup, Text: "host " + o.Name + " has " + o.VPC + " already, and a VPC serves one host at a time", Proof: o, Field: "VpcId of host " + o.Name, Got: o.VPC, Want: "another VPC"}
		}
	}
	if answered(s, w.Scope, fact.KindSecurityGroup, w.Host.VPC) {
		for _, id := range w.Host.Groups {
			if !slices.ContainsFunc(w.Groups, func(g fact.SecurityGroup) bool { return g.ID == id }) {
				return &Obstacle{Cause: Setup, Text: "security group " + id + " is not in " + w.Host.VPC, Proof: w.Host, Field: "SecurityGroup " + id, Got: "not in " + w.Host.VPC, Want: "in " + w.Host.VPC}
			}
		}
	}
	return nil
}

func answered(s *fact.Snapshot, scope fact.Scope, k fact.Kind, id string) bool {
	return s.Answered(fact.Query{Scope: scope, Kind: k, ID: id})
}
