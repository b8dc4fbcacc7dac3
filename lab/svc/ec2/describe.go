package ec2

import "github.com/unjam/unjam/lab/cloud"

// readOps are the Describe calls except those of endpoints. What the reply and the filters of each are called:
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Operations.html
func (s *Service) readOps(ops map[string]*cloud.Op) {
	ops["DescribeVpcs"] = describe(s, kind[VPC]{
		ids: "VpcId", set: "vpcSet", code: "InvalidVpcID.NotFound", what: "vpc ID",
		table: func(s *Service) *table[VPC] { return &s.vpcs }, id: func(v VPC) string { return v.ID },
		fields: func(v VPC) map[string][]string {
			return tagFields(v.Name, map[string][]string{"vpc-id": one(v.ID), "cidr": one(v.CIDR), "cidr-block-association.cidr-block": one(v.CIDR),
				"dhcp-options-id": one(v.DhcpOptions), "is-default": yesNo(v.Default), "isDefault": yesNo(v.Default), "state": one("available")})
		},
		show: showVPC,
	})
	ops["DescribeVpcAttribute"] = &cloud.Op{ReadOnly: true, Access: func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{need(r, "vpc", r.Str("VpcId"))}
	}, Do: s.describeVPCAttribute}
	ops["DescribeSubnets"] = describe(s, kind[Subnet]{
		ids: "SubnetId", set: "subnetSet", code: "InvalidSubnetID.NotFound", what: "subnet ID",
		table: func(s *Service) *table[Subnet] { return &s.subnets }, id: func(v Subnet) string { return v.ID },
		fields: func(v Subnet) map[string][]string {
			return tagFields(v.Name, map[string][]string{"subnet-id": one(v.ID), "vpc-id": one(v.VPC), "cidr-block": one(v.CIDR), "cidr": one(v.CIDR), "cidrBlock": one(v.CIDR),
				"availability-zone": one(v.Zone), "availabilityZone": one(v.Zone), "state": one("available")})
		},
		show: showSubnet,
	})
	ops["DescribeNetworkAcls"] = describe(s, kind[ACL]{
		ids: "NetworkAclId", set: "networkAclSet", code: "InvalidNetworkAclID.NotFound", what: "networkAcl ID",
		table: func(s *Service) *table[ACL] { return &s.acls }, id: func(v ACL) string { return v.ID },
		fields: func(v ACL) map[string][]string {
			return tagFields(v.Name, map[string][]string{"network-acl-id": one(v.ID), "vpc-id": one(v.VPC), "default": yesNo(v.Default),
				"association.subnet-id": v.Subnets, "association.network-acl-id": one(v.ID)})
		},
		show: showACL,
	})
	ops["DescribeRouteTables"] = describe(s, kind[RouteTable]{
		ids: "RouteTableId", set: "routeTableSet", code: "InvalidRouteTableID.NotFound", what: "routeTable ID", max: 100,
		table: func(s *Service) *table[RouteTable] { return &s.routes }, id: func(v RouteTable) string { return v.ID },
		fields: func(v RouteTable) map[string][]string {
			m := map[string][]string{"route-table-id": one(v.ID), "vpc-id": one(v.VPC), "association.subnet-id": v.Subnets,
				"association.main": yesNo(v.Main), "association.route-table-id": one(v.ID)}
			for _, x := range v.Routes {
				m["route.destination-cidr-block"] = append(m["route.destination-cidr-block"], x.CIDR)
			}
			m["route.destination-cidr-block"] = append([]string{}, m["route.destination-cidr-block"]...)
			return tagFields(v.Name, m)
		},
		show: showRouteTable,
	})
	ops["DescribeDhcpOptions"] = describe(s, kind[DhcpOptions]{
		ids: "DhcpOptionsId", set: "dhcpOptionsSet", code: "InvalidDhcpOptionID.NotFound", what: "dhcpOption ID",
		table: func(s *Service) *table[DhcpOptions] { return &s.dhcp }, id: func(v DhcpOptions) string { return v.ID },
		fields: func(v DhcpOptions) map[string][]string {
			return tagFields("", map[string][]string{"dhcp-options-id": one(v.ID), "key": {"domain-name-servers"}, "value": v.DNS})
		},
		show: showDhcp,
	})
	s.moreReadOps(ops)
}

// moreReadOps are interfaces and gateways.
func (s *Service) moreReadOps(ops map[string]*cloud.Op) {
	ops["DescribeNetworkInterfaces"] = describe(s, kind[Interface]{
		ids: "NetworkInterfaceId", set: "networkInterfaceSet", code: "InvalidNetworkInterfaceID.NotFound", what: "networkInterface ID",
		table: func(s *Service) *table[Interface] { return &s.interfaces }, id: func(v Interface) string { return v.ID },
		fields: func(v Interface) map[string][]string {
			return tagFields("", map[string][]string{"network-interface-id": one(v.ID), "vpc-id": one(v.VPC), "subnet-id": one(v.Subnet), "group-id": v.Groups,
				"private-ip-address": one(v.Address), "addresses.private-ip-address": one(v.Address), "description": one(v.Description), "availability-zone": one(v.Zone),
				"requester-id": one(v.Requester), "requester-managed": yesNo(v.Requester != ""), "interface-type": one(v.Type), "status": one("in-use")})
		},
		show: showInterface,
	})
	ops["DescribeNatGateways"] = describe(s, kind[NatGateway]{
		ids: "NatGatewayId", set: "natGatewaySet", code: "NatGatewayNotFound", what: "NatGateway",
		table: func(s *Service) *table[NatGateway] { return &s.nats }, id: func(v NatGateway) string { return v.ID },
		fields: func(v NatGateway) map[string][]string {
			return tagFields("", map[string][]string{"nat-gateway-id": one(v.ID), "vpc-id": one(v.VPC), "subnet-id": one(v.Subnet), "state": one("available")})
		},
		show: func(_ *cloud.Request, v NatGateway) map[string]any {
			return map[string]any{"natGatewayId": v.ID, "vpcId": v.VPC, "subnetId": v.Subnet, "state": "available", "connectivityType": "public", "createTime": v.Created,
				"natGatewayAddressSet": []any{map[string]any{"networkInterfaceId": v.Interface, "privateIp": v.Address, "publicIp": "203.0.113.77", "isPrimary": true, "status": "succeeded"}}}
		},
	})
	ops["DescribeInternetGateways"] = describe(s, kind[InternetGateway]{
		ids: "InternetGatewayId", set: "internetGatewaySet", code: "InvalidInternetGatewayID.NotFound", what: "internetGateway ID",
		table: func(s *Service) *table[InternetGateway] { return &s.gateways }, id: func(v InternetGateway) string { return v.ID },
		fields: func(v InternetGateway) map[string][]string {
			return tagFields("", map[string][]string{"internet-gateway-id": one(v.ID), "attachment.vpc-id": one(v.VPC), "attachment.state": one("available")})
		},
		show: func(r *cloud.Request, v InternetGateway) map[string]any {
			return map[string]any{"internetGatewayId": v.ID, "ownerId": r.Account(), "attachmentSet": []any{map[string]any{"vpcId": v.VPC, "state": "available"}}}
		},
	})
}

func showVPC(r *cloud.Request, v VPC) map[string]any {
	return map[string]any{
		"vpcId": v.ID, "cidrBlock": v.CIDR, "dhcpOptionsId": v.DhcpOptions, "state": "available", "ownerId": r.Account(),
		"instanceTenancy": "default", "isDefault": v.Default, "tagSet": tagsOf(v.Name),
		"cidrBlockAssociationSet": []any{map[string]any{"associationId": newID("vpc-cidr-assoc", v.ID), "cidrBlock": v.CIDR, "cidrBlockState": map[string]any{"state": "associated"}}},
	}
}

// describeVPCAttribute answers about DNS. It is the one call that tells whether a VPC's resolver is on.
func (s *Service) describeVPCAttribute(r *cloud.Request) (map[string]any, error) {
	if err := required(r, "Attribute", "VpcId"); err != nil {
		return nil, err
	}
	v, ok := s.seenVPC(r, r.Str("VpcId"))
	if !ok {
		return nil, missing("InvalidVpcID.NotFound", "vpc ID", r.Str("VpcId"))
	}
	value := map[string]bool{"enableDnsSupport": v.DNSSupport, "enableDnsHostnames": v.DNSHostnames, "enableNetworkAddressUsageMetrics": false}
	on, known := value[r.Str("Attribute")]
	if !known {
		return nil, cloud.Errorf("InvalidParameterValue", "Value (%s) for parameter attribute is invalid. Unknown attribute.", r.Str("Attribute"))
	}
	return map[string]any{"vpcId": v.ID, r.Str("Attribute"): map[string]any{"value": on}}, nil
}

func (s *Service) seenVPC(r *cloud.Request, id string) (VPC, bool) {
	for _, v := range s.vpcs.seen(s.c, r.Account(), r.Region) {
		if v.ID == id {
			return v, true
		}
	}
	return VPC{}, false
}

func showSubnet(r *cloud.Request, v Subnet) map[string]any {
	return map[string]any{
		"subnetId": v.ID, "subnetArn": arn(r, "subnet", v.ID), "vpcId": v.VPC, "cidrBlock": v.CIDR, "availabilityZone": v.Zone, "state": "available",
		"availableIpAddressCount": 251, "defaultForAz": false, "mapPublicIpOnLaunch": false, "ownerId": r.Account(), "tagSet": tagsOf(v.Name),
	}
}

func showACL(r *cloud.Request, v ACL) map[string]any {
	subnets, entries := []any{}, []any{}
	for _, id := range v.Subnets {
		subnets = append(subnets, map[string]any{"networkAclAssociationId": newID("aclassoc", v.ID, id), "networkAclId": v.ID, "subnetId": id})
	}
	for _, e := range append(append([]Entry{}, v.Entries...), lastEntry(true), lastEntry(false)) {
		m := map[string]any{"ruleNumber": e.Number, "egress": e.Egress, "ruleAction": "deny", "protocol": e.Protocol, "cidrBlock": e.CIDR}
		if e.Allow {
			m["ruleAction"] = "allow"
		}
		if e.Protocol == "6" || e.Protocol == "17" {
			m["portRange"] = map[string]any{"from": e.From, "to": e.To}
		}
		entries = append(entries, m)
	}
	return map[string]any{"networkAclId": v.ID, "vpcId": v.VPC, "default": v.Default, "ownerId": r.Account(), "associationSet": subnets, "entrySet": entries, "tagSet": tagsOf(v.Name)}
}

// lastEntry is the entry that every network ACL ends with, shown as number 32767: what nothing allowed is denied.
func lastEntry(egress bool) Entry {
	return Entry{Number: 32767, Egress: egress, Protocol: "-1", CIDR: "0.0.0.0/0"}
}

func showRouteTable(r *cloud.Request, v RouteTable) map[string]any {
	of, routes := []any{}, []any{}
	associated := map[string]any{"state": "associated"}
	if v.Main {
		of = append(of, map[string]any{"main": true, "routeTableAssociationId": newID("rtbassoc", v.ID), "routeTableId": v.ID, "associationState": associated})
	}
	for _, id := range v.Subnets {
		of = append(of, map[string]any{"main": false, "routeTableAssociationId": newID("rtbassoc", v.ID, id), "routeTableId": v.ID, "subnetId": id, "associationState": associated})
	}
	for _, x := range v.Routes {
		m := map[string]any{"destinationCidrBlock": x.CIDR, "origin": "CreateRouteTable", "state": "active", targetMember(x.Target): x.Target}
		if x.Made {
			m["origin"] = "CreateRoute"
		}
		if x.Blackhole {
			m["state"] = "blackhole"
		}
		routes = append(routes, m)
	}
	return map[string]any{"routeTableId": v.ID, "vpcId": v.VPC, "ownerId": r.Account(), "associationSet": of, "routeSet": routes, "propagatingVgwSet": []any{}, "tagSet": tagsOf(v.Name)}
}

func showDhcp(r *cloud.Request, v DhcpOptions) map[string]any {
	values := []any{}
	for _, x := range v.DNS {
		values = append(values, map[string]any{"value": x})
	}
	set := []any{map[string]any{"key": "domain-name-servers", "valueSet": values}}
	if v.Domain != "" {
		set = append([]any{map[string]any{"key": "domain-name", "valueSet": []any{map[string]any{"value": v.Domain}}}}, set...)
	}
	return map[string]any{"dhcpOptionsId": v.ID, "ownerId": r.Account(), "dhcpConfigurationSet": set}
}

func showInterface(r *cloud.Request, v Interface) map[string]any {
	m := map[string]any{
		"networkInterfaceId": v.ID, "vpcId": v.VPC, "subnetId": v.Subnet, "availabilityZone": v.Zone, "privateIpAddress": v.Address, "description": v.Description,
		"ownerId": r.Account(), "requesterManaged": v.Requester != "", "status": "in-use", "interfaceType": v.Type, "sourceDestCheck": true,
		"privateIpAddressesSet": []any{map[string]any{"primary": true, "privateIpAddress": v.Address}}, "macAddress": mac(v.ID),
	}
	groups := []any{}
	for _, g := range v.Groups {
		groups = append(groups, map[string]any{"groupId": g, "groupName": g})
	}
	m["groupSet"] = groups
	if v.Requester != "" {
		m["requesterId"] = v.Requester
	}
	return m
}

// mac makes a locally administered hardware address out of an ID.
func mac(id string) string {
	tail := "000000000000" + id[len(id)-8:]
	out := "02"
	for i := len(tail) - 10; i < len(tail); i += 2 {
		out += ":" + tail[i:i+2]
	}
	return out
}
