package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// aclOps are the writes of network ACLs.
func (s *Service) aclOps(ops map[string]*cloud.Op) {
	for name, do := range map[string]func(*cloud.Request) (map[string]any, error){
		"CreateNetworkAclEntry": s.createEntry, "ReplaceNetworkAclEntry": s.replaceEntry, "DeleteNetworkAclEntry": s.deleteEntry,
	} {
		ops[name] = &cloud.Op{
			Access: func(r *cloud.Request) []cloud.Access {
				return []cloud.Access{need(r, "network-acl", r.Str("NetworkAclId"))}
			},
			Do: do,
		}
	}
}

// entry finds the ACL of a call and the place of the entry that the call names; -1 when there is none.
func (s *Service) entry(r *cloud.Request) (ACL, int, error) {
	if err := required(r, "NetworkAclId", "RuleNumber", "Egress"); err != nil {
		return ACL{}, -1, err
	}
	a, ok := s.acls.get(key(r, r.Str("NetworkAclId")))
	if !ok {
		return ACL{}, -1, missing("InvalidNetworkAclID.NotFound", "networkAcl ID", r.Str("NetworkAclId"))
	}
	a.Entries = slices.Clone(a.Entries)
	return a, slices.IndexFunc(a.Entries, func(e Entry) bool {
		return e.Number == r.Int("RuleNumber", 0) && e.Egress == r.Bool("Egress")
	}), nil
}

// written is the entry that a call describes.
func written(r *cloud.Request) (Entry, error) {
	if err := required(r, "Protocol", "RuleAction"); err != nil {
		return Entry{}, err
	}
	ports := &cloud.Request{In: r.Map("PortRange")}
	e := Entry{Number: r.Int("RuleNumber", 0), Egress: r.Bool("Egress"), Allow: r.Str("RuleAction") == "allow", Protocol: r.Str("Protocol"),
		CIDR: r.Str("CidrBlock"), From: ports.Int("From", 0), To: ports.Int("To", 0)}
	switch e.Protocol {
	case "tcp":
		e.Protocol = "6"
	case "udp":
		e.Protocol = "17"
	}
	_, err := netip.ParsePrefix(e.CIDR)
	switch {
	case e.Number < 1 || e.Number > 32766:
		return e, cloud.Errorf("InvalidParameterValue", "Value (%d) for parameter ruleNumber is invalid. It must be between 1 and 32766.", e.Number)
	case err != nil:
		return e, cloud.Errorf("InvalidParameterValue", "CIDR block %s is malformed", e.CIDR)
	case r.Str("RuleAction") != "allow" && r.Str("RuleAction") != "deny":
		return e, cloud.Errorf("InvalidParameterValue", "Value (%s) for parameter ruleAction is invalid.", r.Str("RuleAction"))
	}
	return e, nil
}

func (s *Service) createEntry(r *cloud.Request) (map[string]any, error) {
	a, at, err := s.entry(r)
	if err != nil {
		return nil, err
	}
	e, err := written(r)
	if err != nil {
		return nil, err
	}
	if at >= 0 {
		return nil, cloud.Errorf("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", e.Number)
	}
	a.Entries = append(a.Entries, e)
	s.acls.put(s.c, key(r, a.ID), a)
	return done(), nil
}

func noEntry(r *cloud.Request, a ACL) error {
	return cloud.Errorf("InvalidNetworkAclEntry.NotFound", "The network acl entry identified by %d in network acl '%s' does not exist", r.Int("RuleNumber", 0), a.ID)
}

func (s *Service) replaceEntry(r *cloud.Request) (map[string]any, error) {
	a, at, err := s.entry(r)
	if err != nil {
		return nil, err
	}
	e, err := written(r)
	if err != nil {
		return nil, err
	}
	if at < 0 {
		return nil, noEntry(r, a)
	}
	a.Entries[at] = e
	s.acls.put(s.c, key(r, a.ID), a)
	return done(), nil
}

func (s *Service) deleteEntry(r *cloud.Request) (map[string]any, error) {
	a, at, err := s.entry(r)
	if err != nil {
		return nil, err
	}
	if at < 0 {
		return nil, noEntry(r, a)
	}
	a.Entries = slices.Delete(a.Entries, at, at+1)
	s.acls.put(s.c, key(r, a.ID), a)
	return done(), nil
}

// routeOps are the writes of route tables.
func (s *Service) routeOps(ops map[string]*cloud.Op) {
	access := func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{need(r, "route-table", r.Str("RouteTableId"))}
	}
	ops["CreateRoute"] = &cloud.Op{Access: access, Do: s.createRoute}
	ops["DeleteRoute"] = &cloud.Op{Access: access, Do: s.deleteRoute}
}

// targetMember is how a route's target is called, by the prefix of its ID. Internet and virtual private gateways and
// "local" share one name.
func targetMember(id string) string {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "nat":
		return "natGatewayId"
	case "tgw":
		return "transitGatewayId"
	case "pcx":
		return "vpcPeeringConnectionId"
	case "eni":
		return "networkInterfaceId"
	}
	return "gatewayId"
}

func (s *Service) route(r *cloud.Request) (RouteTable, int, error) {
	if err := required(r, "RouteTableId", "DestinationCidrBlock"); err != nil {
		return RouteTable{}, -1, err
	}
	t, ok := s.routes.get(key(r, r.Str("RouteTableId")))
	if !ok {
		return RouteTable{}, -1, missing("InvalidRouteTableID.NotFound", "routeTable ID", r.Str("RouteTableId"))
	}
	t.Routes = slices.Clone(t.Routes)
	return t, slices.IndexFunc(t.Routes, func(x Route) bool { return x.CIDR == r.Str("DestinationCidrBlock") }), nil
}

func (s *Service) createRoute(r *cloud.Request) (map[string]any, error) {
	t, at, err := s.route(r)
	if err != nil {
		return nil, err
	}
	target := ""
	for _, member := range []string{"GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId"} {
		if id := r.Str(member); id != "" {
			target = id
		}
	}
	_, malformed := netip.ParsePrefix(r.Str("DestinationCidrBlock"))
	switch {
	case target == "":
		return nil, missingParameter("gatewayId")
	case malformed != nil:
		return nil, cloud.Errorf("InvalidParameterValue", "Value (%s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", r.Str("DestinationCidrBlock"))
	case at >= 0:
		return nil, cloud.Errorf("RouteAlreadyExists", "The route identified by %s already exists.", r.Str("DestinationCidrBlock"))
	}
	t.Routes = append(t.Routes, Route{CIDR: r.Str("DestinationCidrBlock"), Target: target, Made: true})
	s.routes.put(s.c, key(r, t.ID), t)
	return done(), nil
}

func (s *Service) deleteRoute(r *cloud.Request) (map[string]any, error) {
	t, at, err := s.route(r)
	if err != nil {
		return nil, err
	}
	if at < 0 {
		return nil, cloud.Errorf("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", r.Str("DestinationCidrBlock"), t.ID)
	}
	if t.Routes[at].Target == "local" {
		return nil, cloud.Errorf("InvalidParameterValue", "cannot remove local route %s in route table %s", t.Routes[at].CIDR, t.ID)
	}
	t.Routes = slices.Delete(t.Routes, at, at+1)
	s.routes.put(s.c, key(r, t.ID), t)
	return done(), nil
}

// dhcpOps are the writes of DHCP options. A set is never changed: another one is made and associated.
func (s *Service) dhcpOps(ops map[string]*cloud.Op) {
	ops["CreateDhcpOptions"] = &cloud.Op{
		Access: func(r *cloud.Request) []cloud.Access { return []cloud.Access{need(r, "dhcp-options", "*")} },
		Do:     s.createDhcp,
	}
	ops["AssociateDhcpOptions"] = &cloud.Op{
		Access: func(r *cloud.Request) []cloud.Access {
			return []cloud.Access{need(r, "dhcp-options", r.Str("DhcpOptionsId")), need(r, "vpc", r.Str("VpcId"))}
		},
		Do: s.associateDhcp,
	}
}

func (s *Service) createDhcp(r *cloud.Request) (map[string]any, error) {
	d := DhcpOptions{}
	for _, x := range r.List("DhcpConfiguration") {
		m, _ := x.(map[string]any)
		values := texts(m["Value"])
		switch k, _ := m["Key"].(string); k {
		case "domain-name-servers":
			d.DNS = values
		case "domain-name":
			d.Domain = strings.Join(values, " ")
		default:
			return nil, cloud.Errorf("InvalidParameterValue", "Value (%s) for parameter key is invalid: Unknown DHCP option", k)
		}
	}
	if d.DNS == nil && d.Domain == "" {
		return nil, missingParameter("dhcpConfiguration")
	}
	d.ID = s.nextID("dopt")
	s.dhcp.put(s.c, key(r, d.ID), d)
	return map[string]any{"dhcpOptions": showDhcp(r, d)}, nil
}

func (s *Service) associateDhcp(r *cloud.Request) (map[string]any, error) {
	if err := required(r, "DhcpOptionsId", "VpcId"); err != nil {
		return nil, err
	}
	v, ok := s.vpcs.get(key(r, r.Str("VpcId")))
	if !ok {
		return nil, missing("InvalidVpcID.NotFound", "vpc ID", r.Str("VpcId"))
	}
	if _, ok := s.dhcp.get(key(r, r.Str("DhcpOptionsId"))); !ok && r.Str("DhcpOptionsId") != "default" {
		return nil, missing("InvalidDhcpOptionID.NotFound", "dhcpOption ID", r.Str("DhcpOptionsId"))
	}
	v.DhcpOptions = r.Str("DhcpOptionsId")
	s.vpcs.put(s.c, key(r, v.ID), v)
	return done(), nil
}
