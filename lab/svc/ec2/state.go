package ec2

import (
	"net/netip"
	"slices"
	"time"
)

// VPC is a virtual private cloud.
type VPC struct {
	ID, Name, CIDR string
	DhcpOptions    string // dopt- ID
	DNSSupport     bool   // the resolver at the VPC's second address answers
	DNSHostnames   bool
	Default        bool
}

// Subnet is one subnet of a VPC.
type Subnet struct{ ID, Name, VPC, CIDR, Zone string }

// Group is a security group: stateful, what is not allowed is refused.
type Group struct {
	ID, Name, Description, VPC string
	In, Out                    []Rule
}

// Rule allows one protocol on a range of ports to or from a CIDR block or the members of a group.
type Rule struct {
	ID       string // sgr- ID
	Protocol string // tcp, udp, icmp, or -1 for all
	From, To int    // -1 for all
	CIDR     string // "" when a group is named
	Group    string // "" when a block is named
	Text     string // description
}

// ACL is a network ACL: stateless, the entry with the lowest number that fits decides, none refuses.
type ACL struct {
	ID, Name, VPC string
	Default       bool
	Subnets       []string
	Entries       []Entry
}

// Entry is one numbered rule of a network ACL, 1 to 32766.
type Entry struct {
	Number   int
	Egress   bool
	Allow    bool
	Protocol string // 6 for TCP, 17 for UDP, -1 for all
	From, To int    // all ports when both are 0
	CIDR     string
}

// RouteTable is one route table; the main one serves the subnets that have none of their own.
type RouteTable struct {
	ID, Name, VPC string
	Main          bool
	Subnets       []string
	Routes        []Route
}

// Route leads to a target: local, or the ID of a gateway (igw-, vgw-, nat-, tgw-, pcx-, eni-).
type Route struct {
	CIDR, Target string
	Blackhole    bool // the target is gone
	Made         bool // by CreateRoute, not with the table
}

// DhcpOptions is a set of DHCP options. DNS holds addresses, or AmazonProvidedDNS.
type DhcpOptions struct {
	ID, Domain string
	DNS        []string
}

// Endpoint is a VPC endpoint. Policy "" is the default one, which allows everything.
type Endpoint struct {
	ID, Name, VPC, Service string
	Type                   string // Interface or Gateway
	State                  string // pending, available, deleting
	Policy                 string
	PrivateDNS             bool
	Managed                bool // by the service that asked for it
	Subnets, Groups        []string
	RouteTables            []string
	Interfaces             []string
	Created                time.Time
}

// Interface is an elastic network interface.
type Interface struct {
	ID, VPC, Subnet, Zone string
	Address               string // primary private IPv4 address
	Groups                []string
	Description           string
	Type                  string // interface, vpc_endpoint, nat_gateway
	Requester             string // account or service that manages it, "" for the owner's own
}

// NatGateway is a NAT gateway.
type NatGateway struct {
	ID, VPC, Subnet, Interface, Address string
	Created                             time.Time
}

// InternetGateway is an internet gateway attached to one VPC.
type InternetGateway struct{ ID, VPC string }

// AmazonDNS is the value of domain-name-servers that stands for the VPC's own resolver.
const AmazonDNS = "AmazonProvidedDNS"

// covers reports whether a CIDR block contains an address.
func covers(cidr, address string) bool {
	p, err := netip.ParsePrefix(cidr)
	a, err2 := netip.ParseAddr(address)
	return err == nil && err2 == nil && p.Contains(a)
}

// allows reports whether a rule lets a TCP port through to or from an address with the given groups.
func (r Rule) allows(port int, address string, groups []string) bool {
	if r.Protocol != "-1" && (r.Protocol != "tcp" || port < r.From || port > r.To) {
		return false
	}
	return covers(r.CIDR, address) || r.Group != "" && slices.Contains(groups, r.Group)
}

// verdict is what a network ACL says to TCP on all of a range of ports to or from an address. Where entries cut the range,
// it is allowed only when every port of it is.
func (a ACL) verdict(egress bool, from, to int, address string) bool {
	entries := slices.Clone(a.Entries)
	slices.SortFunc(entries, func(x, y Entry) int { return x.Number - y.Number })
	type span struct{ from, to int }
	open := []span{{from, to}} // not decided yet
	for _, e := range entries {
		if e.Egress != egress || e.Protocol != "-1" && e.Protocol != "6" || !covers(e.CIDR, address) {
			continue
		}
		lo, hi := e.From, e.To
		if e.Protocol == "-1" || lo == 0 && hi == 0 {
			lo, hi = 0, 65535
		}
		var left []span
		for _, s := range open {
			if hi < s.from || lo > s.to {
				left = append(left, s)
				continue
			}
			if !e.Allow {
				return false
			}
			if s.from < lo {
				left = append(left, span{s.from, lo - 1})
			}
			if s.to > hi {
				left = append(left, span{hi + 1, s.to})
			}
		}
		open = left
	}
	return len(open) == 0
}

// to finds the route for an address: the most specific one.
func (t RouteTable) to(address string) (Route, bool) {
	best, bits := Route{}, -1
	for _, r := range t.Routes {
		if p, err := netip.ParsePrefix(r.CIDR); err == nil && covers(r.CIDR, address) && p.Bits() > bits {
			best, bits = r, p.Bits()
		}
	}
	return best, bits >= 0
}
