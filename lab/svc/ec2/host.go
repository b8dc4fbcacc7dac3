package ec2

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// Spot is where a host stands: some subnets and groups of a VPC.
type Spot struct {
	Account, Region, VPC string
	Subnets, Groups      []string
}

func (p Spot) key(id string) Key { return Key{p.Account, p.Region, id} }

// HostTrouble tells why no host can be set up at a spot, "" when one can. A VPC that no account of the lab has is left
// unjudged: its world says nothing about it. The rules, not the words, are those of
// https://docs.aws.amazon.com/dtconsole/latest/userguide/troubleshooting-connections.html
func (s *Service) HostTrouble(p Spot) string {
	if _, ok := s.vpcs.get(p.key(p.VPC)); !ok {
		if _, _, elsewhere := s.vpcs.anywhere(p.VPC); elsewhere {
			return fmt.Sprintf("The vpc ID '%s' does not exist", p.VPC)
		}
		return ""
	}
	zones := map[string]string{}
	for _, id := range p.Subnets {
		n, ok := s.subnets.get(p.key(id))
		switch {
		case !ok:
			return fmt.Sprintf("The subnet ID '%s' does not exist", id)
		case n.VPC != p.VPC:
			return fmt.Sprintf("Subnet %s does not belong to VPC %s", id, p.VPC)
		case zones[n.Zone] != "":
			return fmt.Sprintf("Subnets %s and %s are in the same Availability Zone %s", zones[n.Zone], id, n.Zone)
		}
		zones[n.Zone] = id
	}
	for _, id := range p.Groups {
		g, ok := s.groups.get(p.key(id))
		switch {
		case !ok:
			return fmt.Sprintf("The security group '%s' does not exist", id)
		case g.VPC != p.VPC:
			return fmt.Sprintf("Security group %s does not belong to VPC %s", id, p.VPC)
		}
	}
	return ""
}

// Join makes what the connection service makes in the VPC of a host: a network interface in each subnet and an endpoint
// for webhooks, all managed by the service. Nothing where the VPC is not the lab's.
func (s *Service) Join(p Spot, host string) {
	if _, ok := s.vpcs.get(p.key(p.VPC)); !ok {
		return
	}
	text := "AWS CodeConnections host " + host
	for _, id := range p.Subnets {
		s.addInterface(p.key(""), id, p.Groups, text, "interface", connectionsRequester)
	}
	e := Endpoint{ID: newID("vpce", p.Account, p.Region, p.VPC, host), VPC: p.VPC, Service: serviceName(p.Region, webhooks), Type: "Interface", State: "available",
		PrivateDNS: true, Managed: true, Subnets: p.Subnets, Groups: p.Groups, Created: s.c.Now()}
	e = s.attach(p.key(e.ID), e, "VPC Endpoint Interface "+e.ID, connectionsRequester)
	s.endpoints.put(s.c, p.key(e.ID), e)
}

// connectionsRequester is who CodeConnections makes interfaces as. AWS does not document its ID; this is the lab's own.
const connectionsRequester = "codestar-connections.amazonaws.com"

// Leave takes away what Join made.
func (s *Service) Leave(p Spot, host string) {
	for _, e := range s.endpoints.all(p.Account, p.Region) {
		if e.VPC == p.VPC && e.Managed && e.ID == newID("vpce", p.Account, p.Region, p.VPC, host) {
			s.drop(p.key(e.ID), e)
		}
	}
	for _, i := range s.interfaces.all(p.Account, p.Region) {
		if i.VPC == p.VPC && i.Requester == connectionsRequester && strings.HasSuffix(i.Description, " host "+host) {
			s.interfaces.remove(s.c, p.key(i.ID))
		}
	}
}

// Resolvers are the DNS servers that a VPC's DHCP options name now; nil when the VPC is not the lab's, or when it
// relies on its own resolver and that is switched off.
func (s *Service) Resolvers(account, region, vpc string) []string {
	v, ok := s.vpcs.get(Key{account, region, vpc})
	if !ok {
		return nil
	}
	d, ok := s.dhcp.get(Key{account, region, v.DhcpOptions})
	if !ok || slices.Contains(d.DNS, AmazonDNS) {
		if !v.DNSSupport {
			return nil
		}
		return []string{AmazonDNS}
	}
	return slices.Clone(d.DNS)
}

// Knows reports whether the lab has a VPC of that ID in an account and Region.
func (s *Service) Knows(account, region, vpc string) bool {
	_, ok := s.vpcs.get(Key{account, region, vpc})
	return ok
}

// Stops tells what keeps a spot from opening TCP connections to an address and port, "" when nothing does. Every subnet
// of the spot must have a path: which of them a connection leaves from is not the caller's choice.
func (s *Service) Stops(p Spot, address string, port int) string {
	v, ok := s.vpcs.get(p.key(p.VPC))
	if !ok {
		return ""
	}
	if !slices.ContainsFunc(p.Groups, func(id string) bool {
		g, ok := s.groups.get(p.key(id))
		return ok && slices.ContainsFunc(g.Out, func(r Rule) bool { return r.allows(port, address, s.groupsAt(p, address)) })
	}) {
		return fmt.Sprintf("no security group lets port %d out to %s", port, address)
	}
	for _, id := range p.Subnets {
		if why := s.stopsFrom(p, v, id, address, port); why != "" {
			return why
		}
	}
	return ""
}

// stopsFrom judges one subnet: its network ACL both ways, its route, and the far end where that stands in the same VPC.
func (s *Service) stopsFrom(p Spot, v VPC, subnet, address string, port int) string {
	acl, ok := s.aclOf(p, subnet)
	switch {
	case ok && !acl.verdict(true, port, port, address):
		return fmt.Sprintf("network ACL %s does not let port %d out to %s", acl.ID, port, address)
	case ok && !acl.verdict(false, firstEphemeral, lastPort, address):
		return fmt.Sprintf("network ACL %s does not let answers from %s in to ports %d-%d", acl.ID, address, firstEphemeral, lastPort)
	}
	way, ok := s.tableOf(p, subnet).to(address)
	switch {
	case !ok:
		return fmt.Sprintf("subnet %s has no route to %s", subnet, address)
	case way.Blackhole:
		return fmt.Sprintf("subnet %s has a route to %s that leads nowhere", subnet, address)
	case strings.HasPrefix(way.Target, "igw-"):
		return fmt.Sprintf("subnet %s leads to an internet gateway, and a host has no public address", subnet)
	case way.Target == "local":
		return s.farEnd(p, subnet, address, port)
	}
	return ""
}

// The ports that answers come back to: those that the clients of AWS's own services use.
// https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
const (
	firstEphemeral = 1024
	lastPort       = 65535
)

// farEnd judges a server in the VPC itself: the network ACL of its subnet and the groups of its interface.
func (s *Service) farEnd(p Spot, subnet, address string, port int) string {
	from := s.addressIn(p, subnet)
	for _, n := range s.subnets.all(p.Account, p.Region) {
		if n.VPC != p.VPC || n.ID == subnet || !covers(n.CIDR, address) {
			continue
		}
		if acl, ok := s.aclOf(p, n.ID); ok && (!acl.verdict(false, port, port, from) || !acl.verdict(true, firstEphemeral, lastPort, from)) {
			return fmt.Sprintf("network ACL %s of the server's subnet does not let %s reach port %d and be answered", acl.ID, from, port)
		}
	}
	groups := s.groupsAt(p, address)
	if len(groups) == 0 || slices.ContainsFunc(groups, func(id string) bool {
		g, _ := s.groups.get(p.key(id))
		return slices.ContainsFunc(g.In, func(r Rule) bool { return r.allows(port, from, p.Groups) })
	}) {
		return ""
	}
	return fmt.Sprintf("no security group of the server lets port %d in from %s", port, from)
}

// groupsAt are the groups of the interface that has an address in the spot's VPC.
func (s *Service) groupsAt(p Spot, address string) []string {
	for _, i := range s.interfaces.all(p.Account, p.Region) {
		if i.VPC == p.VPC && i.Address == address {
			return i.Groups
		}
	}
	return nil
}

// addressIn is the address that the spot has in a subnet, the subnet's own when it has none yet.
func (s *Service) addressIn(p Spot, subnet string) string {
	for _, i := range s.interfaces.all(p.Account, p.Region) {
		if i.Subnet == subnet && i.Requester == connectionsRequester && i.Type == "interface" {
			return i.Address
		}
	}
	n, _ := s.subnets.get(p.key(subnet))
	base, _, _ := strings.Cut(n.CIDR, "/")
	return base
}

func (s *Service) aclOf(p Spot, subnet string) (ACL, bool) {
	for _, a := range s.acls.all(p.Account, p.Region) {
		if a.VPC == p.VPC && slices.Contains(a.Subnets, subnet) {
			return a, true
		}
	}
	return ACL{}, false
}

// tableOf is the route table of a subnet: its own, else the VPC's main one.
func (s *Service) tableOf(p Spot, subnet string) RouteTable {
	main := RouteTable{}
	for _, t := range s.routes.all(p.Account, p.Region) {
		if t.VPC == p.VPC && slices.Contains(t.Subnets, subnet) {
			return t
		}
		if t.VPC == p.VPC && t.Main {
			main = t
		}
	}
	return main
}

// Service is the network of a cloud.
var _ cloud.Network = (*Service)(nil)
