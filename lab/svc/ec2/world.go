package ec2

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/policy"
)

// VPCSpec is a VPC to be.
type VPCSpec struct {
	CIDR         string
	DNS          []string // addresses of DNS servers; none: the VPC's own resolver
	NoDNSSupport bool
}

// AddVPC makes a VPC as it is at the beginning: a main route table that knows the VPC itself, a default network ACL that
// lets everything through, a default security group, a set of DHCP options.
func (s *Service) AddVPC(account, region, name string, spec VPCSpec) (VPC, error) {
	if err := block(spec.CIDR, 16, 28); err != nil {
		return VPC{}, fmt.Errorf("add VPC %s: %w", name, err)
	}
	at := func(id string) Key { return Key{account, region, id} }
	v := VPC{ID: newID("vpc", account, region, name), Name: name, CIDR: spec.CIDR, DNSSupport: !spec.NoDNSSupport, DNSHostnames: !spec.NoDNSSupport}
	d := DhcpOptions{ID: newID("dopt", account, region, "default"), DNS: []string{AmazonDNS}, Domain: region + ".compute.internal"}
	if len(spec.DNS) > 0 {
		d = DhcpOptions{ID: newID("dopt", account, region, name), DNS: spec.DNS}
	}
	v.DhcpOptions = d.ID
	s.dhcp.put(s.c, at(d.ID), d)
	s.vpcs.put(s.c, at(v.ID), v)
	t := RouteTable{ID: newID("rtb", v.ID), VPC: v.ID, Main: true, Routes: []Route{{CIDR: v.CIDR, Target: "local"}}}
	s.routes.put(s.c, at(t.ID), t)
	a := ACL{ID: newID("acl", v.ID), VPC: v.ID, Default: true, Entries: openEntries()}
	s.acls.put(s.c, at(a.ID), a)
	g := Group{ID: newID("sg", v.ID), Name: "default", Description: "default VPC security group", VPC: v.ID}
	g.Out = []Rule{{ID: newID("sgr", g.ID, "out"), Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0"}}
	g.In = []Rule{{ID: newID("sgr", g.ID, "in"), Protocol: "-1", From: -1, To: -1, Group: g.ID}}
	s.groups.put(s.c, at(g.ID), g)
	return v, nil
}

func openEntries() []Entry {
	return []Entry{{Number: 100, Egress: true, Allow: true, Protocol: "-1", CIDR: "0.0.0.0/0"}, {Number: 100, Allow: true, Protocol: "-1", CIDR: "0.0.0.0/0"}}
}

// block checks a CIDR block and the length of its mask.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
func block(cidr string, least, most int) error {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return fmt.Errorf("parse CIDR block: %w", err)
	}
	if p.Bits() < least || p.Bits() > most || p.Masked() != p {
		return fmt.Errorf("%s is no block of %d to %d bits that begins where it says", cidr, least, most)
	}
	return nil
}

// AddSubnet makes a subnet of a VPC, with a route table of its own when routes are given. A target that is a kind of
// gateway (igw, nat, vgw) is made on the way.
func (s *Service) AddSubnet(account, region, name, vpc, cidr, zone string, routes ...Route) (Subnet, error) {
	v, ok := s.vpcs.get(Key{account, region, vpc})
	if !ok {
		return Subnet{}, fmt.Errorf("add subnet %s: there is no VPC %s in %s", name, vpc, region)
	}
	if err := block(cidr, 16, 28); err != nil {
		return Subnet{}, fmt.Errorf("add subnet %s: %w", name, err)
	}
	if base, _, _ := strings.Cut(cidr, "/"); !covers(v.CIDR, base) {
		return Subnet{}, fmt.Errorf("add subnet %s: %s is not in the VPC's %s", name, cidr, v.CIDR)
	}
	n := Subnet{ID: newID("subnet", account, region, name), Name: name, VPC: vpc, CIDR: cidr, Zone: zone}
	s.subnets.put(s.c, Key{account, region, n.ID}, n)
	for _, a := range s.acls.all(account, region) {
		if a.VPC == vpc && a.Default {
			a.Subnets = append(slices.Clone(a.Subnets), n.ID)
			s.acls.put(s.c, Key{account, region, a.ID}, a)
		}
	}
	if len(routes) == 0 {
		return n, nil
	}
	t := RouteTable{ID: newID("rtb", n.ID), Name: name, VPC: vpc, Subnets: []string{n.ID}, Routes: []Route{{CIDR: v.CIDR, Target: "local"}}}
	for _, r := range routes {
		if base, _, _ := strings.Cut(r.CIDR, "/"); r.CIDR != "0.0.0.0/0" && covers(v.CIDR, base) {
			continue // the VPC itself
		}
		t.Routes = append(t.Routes, Route{CIDR: r.CIDR, Target: s.gateway(account, region, n, r.Target), Made: true})
	}
	s.routes.put(s.c, Key{account, region, t.ID}, t)
	return n, nil
}

// gateway is the gateway of a kind that a subnet's routes lead to.
func (s *Service) gateway(account, region string, n Subnet, kind string) string {
	switch kind {
	case "igw":
		g := InternetGateway{ID: newID("igw", n.VPC), VPC: n.VPC}
		s.gateways.put(s.c, Key{account, region, g.ID}, g)
		return g.ID
	case "nat":
		g := NatGateway{ID: newID("nat", n.ID), VPC: n.VPC, Subnet: n.ID, Created: s.c.Now()}
		g.Interface = s.addInterface(Key{account, region, ""}, n.ID, nil, "Interface for NAT Gateway "+g.ID, "nat_gateway", account)
		i, _ := s.interfaces.get(Key{account, region, g.Interface})
		g.Address = i.Address
		s.nats.put(s.c, Key{account, region, g.ID}, g)
		return g.ID
	case "vgw":
		return newID("vgw", n.VPC)
	}
	return kind
}

// AddGroup makes a security group with its rules.
func (s *Service) AddGroup(account, region, name, vpc string, in, out []Rule) (Group, error) {
	if _, ok := s.vpcs.get(Key{account, region, vpc}); !ok {
		return Group{}, fmt.Errorf("add group %s: there is no VPC %s in %s", name, vpc, region)
	}
	g := Group{ID: newID("sg", account, region, name), Name: name, Description: name, VPC: vpc}
	for dir, rules := range map[string]*[]Rule{"in": &in, "out": &out} {
		for i := range *rules {
			(*rules)[i].ID = newID("sgr", g.ID, dir, fmt.Sprint(i))
		}
	}
	g.In, g.Out = in, out
	s.groups.put(s.c, Key{account, region, g.ID}, g)
	return g, nil
}

// AddACL makes a network ACL and puts subnets under it, which leave the one they were under. Without entries it lets
// everything through.
func (s *Service) AddACL(account, region, name, vpc string, subnets []string, entries []Entry) (ACL, error) {
	if _, ok := s.vpcs.get(Key{account, region, vpc}); !ok {
		return ACL{}, fmt.Errorf("add network ACL %s: there is no VPC %s in %s", name, vpc, region)
	}
	for _, a := range s.acls.all(account, region) {
		a.Subnets = slices.DeleteFunc(slices.Clone(a.Subnets), func(id string) bool { return slices.Contains(subnets, id) })
		s.acls.put(s.c, Key{account, region, a.ID}, a)
	}
	if len(entries) == 0 {
		entries = openEntries()
	}
	a := ACL{ID: newID("acl", account, region, name), Name: name, VPC: vpc, Subnets: subnets, Entries: entries}
	s.acls.put(s.c, Key{account, region, a.ID}, a)
	return a, nil
}

// EndpointSpec is an interface endpoint to be.
type EndpointSpec struct {
	Service         string // the part of the name behind the Region: codepipeline
	Policy          string // JSON; "" allows everything
	NoPrivateDNS    bool
	Subnets, Groups []string
}

// AddEndpoint makes an available interface endpoint.
func (s *Service) AddEndpoint(account, region, name, vpc string, spec EndpointSpec) (Endpoint, error) {
	if _, ok := s.vpcs.get(Key{account, region, vpc}); !ok {
		return Endpoint{}, fmt.Errorf("add endpoint %s: there is no VPC %s in %s", name, vpc, region)
	}
	if _, ok := offered()[spec.Service]; !ok || spec.Service == webhooks {
		return Endpoint{}, fmt.Errorf("add endpoint %s: no endpoints are made for %q", name, spec.Service)
	}
	if spec.Policy != "" {
		if _, err := policy.Parse(spec.Policy, policy.ResourcePolicy); err != nil {
			return Endpoint{}, fmt.Errorf("add endpoint %s: %w", name, err)
		}
	}
	e := Endpoint{ID: newID("vpce", account, region, name), Name: name, VPC: vpc, Service: serviceName(region, spec.Service), Type: "Interface", State: "available",
		Policy: spec.Policy, PrivateDNS: !spec.NoPrivateDNS, Subnets: spec.Subnets, Groups: spec.Groups, Created: s.c.Now()}
	k := Key{account, region, e.ID}
	e = s.attach(k, e, "VPC Endpoint Interface "+e.ID, account)
	s.endpoints.put(s.c, k, e)
	return e, nil
}

// AddServer puts a machine with security groups at an address, when a subnet of the account has the address; false when
// none has.
func (s *Service) AddServer(account, region, address string, groups []string) bool {
	for _, n := range s.subnets.all(account, region) {
		if covers(n.CIDR, address) {
			k := Key{account, region, newID("eni", account, region, address)}
			s.interfaces.put(s.c, k, Interface{ID: k.ID, VPC: n.VPC, Subnet: n.ID, Zone: n.Zone, Address: address, Groups: groups, Type: "interface", Description: "server"})
			return true
		}
	}
	return false
}

// addInterface makes a network interface at the next free address of a subnet and returns its ID.
func (s *Service) addInterface(k Key, subnet string, groups []string, text, kind, requester string) string {
	n, _ := s.subnets.get(Key{k.Account, k.Region, subnet})
	address := ""
	if p, err := netip.ParsePrefix(n.CIDR); err == nil {
		a := p.Addr()
		for range 10 { // the first addresses are AWS's own, and the next ones often somebody's
			a = a.Next()
		}
		for taken := true; taken; a = a.Next() {
			address = a.String()
			taken = slices.ContainsFunc(s.interfaces.all(k.Account, k.Region), func(i Interface) bool { return i.VPC == n.VPC && i.Address == address })
		}
	}
	i := Interface{ID: newID("eni", k.Account, k.Region, subnet, address, text), VPC: n.VPC, Subnet: n.ID, Zone: n.Zone, Address: address, Groups: groups, Description: text, Type: kind, Requester: requester}
	s.interfaces.put(s.c, Key{k.Account, k.Region, i.ID}, i)
	return i.ID
}

// GroupRules are the rules of a security group in one direction; false when there is no such group.
func (s *Service) GroupRules(account, region, id string, egress bool) ([]Rule, bool) {
	g, ok := s.groups.get(Key{account, region, id})
	if egress {
		return slices.Clone(g.Out), ok
	}
	return slices.Clone(g.In), ok
}

// Table is the route table in force for a subnet; false when there is no such subnet.
func (s *Service) Table(account, region, subnet string) (RouteTable, bool) {
	n, ok := s.subnets.get(Key{account, region, subnet})
	return s.tableOf(Spot{Account: account, Region: region, VPC: n.VPC}, subnet), ok
}

// Gateway is the ID of the gateway of a kind (igw, nat, vgw) that routes of a subnet can lead to. Internet and NAT gateways
// are made when the subnet's VPC, or the subnet, has none yet.
func (s *Service) Gateway(account, region, subnet, kind string) (string, bool) {
	n, ok := s.subnets.get(Key{account, region, subnet})
	if !ok {
		return "", false
	}
	return s.gateway(account, region, n, kind), true
}

// EndpointVPC is the VPC of an endpoint, "" when there is no such endpoint.
func (s *Service) EndpointVPC(account, region, id string) string {
	e, _ := s.endpoints.get(Key{account, region, id})
	return e.VPC
}
