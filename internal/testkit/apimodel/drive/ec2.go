package drive

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/unjam/unjam/lab/svc/ec2"
)

// network builds a small network, for the reads of EC2 to find something of each kind.
func (d *driver) network() error {
	var err error
	d.lab.Cloud.Within(func() {
		n := d.lab.Network
		var v ec2.VPC
		if v, err = n.AddVPC(account, region, "main", ec2.VPCSpec{CIDR: "10.0.0.0/16", DNS: []string{"10.0.0.53"}}); err != nil {
			return
		}
		var s ec2.Subnet
		s, err = n.AddSubnet(account, region, "a", v.ID, "10.0.1.0/24", region+"a", ec2.Route{CIDR: "0.0.0.0/0", Target: "nat"}, ec2.Route{CIDR: "192.0.2.0/24", Target: "igw"})
		if err != nil {
			return
		}
		g, e1 := n.AddGroup(account, region, "web", v.ID, []ec2.Rule{{Protocol: "tcp", From: 443, To: 443, CIDR: "10.0.0.0/8", Text: "clients"}}, []ec2.Rule{{Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0"}})
		a, e2 := n.AddACL(account, region, "tight", v.ID, []string{s.ID}, nil)
		e, e3 := n.AddEndpoint(account, region, "pipes", v.ID, ec2.EndpointSpec{Service: "codepipeline", Subnets: []string{s.ID}, Groups: []string{g.ID}})
		for _, x := range []error{e1, e2, e3} {
			if x != nil {
				err = x
			}
		}
		t, _ := n.Table(account, region, s.ID)
		nat, _ := n.Gateway(account, region, s.ID, "nat")
		for name, id := range map[string]string{"net": v.ID, "sub": s.ID, "grp": g.ID, "acl": a.ID, "vpce": e.ID, "rtb": t.ID, "nat": nat, "dopt": v.DhcpOptions, "eni": e.Interfaces[0]} {
			d.vars[name] = id
		}
	})
	return err
}

func ec2Steps() []step {
	return append([]step{{act: (*driver).network}}, append(ec2Reads(), ec2Writes()...)...)
}

// ec2Reads read each kind of thing: all, by ID, by a filter, and one that is not there.
func ec2Reads() []step {
	var all []step
	for _, x := range []struct{ op, ids, id, filter, code string }{
		{"DescribeVpcs", "VpcId", "$net", "cidr", "InvalidVpcID.NotFound"},
		{"DescribeSubnets", "SubnetId", "$sub", "vpc-id", "InvalidSubnetID.NotFound"},
		{"DescribeSecurityGroups", "GroupId", "$grp", "group-name", "InvalidGroup.NotFound"},
		{"DescribeSecurityGroupRules", "SecurityGroupRuleId", "", "group-id", "InvalidSecurityGroupRuleId.NotFound"},
		{"DescribeNetworkAcls", "NetworkAclId", "$acl", "association.subnet-id", "InvalidNetworkAclID.NotFound"},
		{"DescribeRouteTables", "RouteTableId", "$rtb", "association.main", "InvalidRouteTableID.NotFound"},
		{"DescribeDhcpOptions", "DhcpOptionsId", "$dopt", "value", "InvalidDhcpOptionID.NotFound"},
		{"DescribeNetworkInterfaces", "NetworkInterfaceId", "$eni", "requester-managed", "InvalidNetworkInterfaceID.NotFound"},
		{"DescribeNatGateways", "NatGatewayId", "$nat", "state", "NatGatewayNotFound"},
		{"DescribeInternetGateways", "InternetGatewayId", "", "attachment.vpc-id", "InvalidInternetGatewayID.NotFound"},
		{"DescribeVpcEndpoints", "VpcEndpointId", "$vpce", "service-name", "InvalidVpcEndpointId.NotFound"},
		{"DescribeVpcEndpointServices", "ServiceName", "com.amazonaws.us-east-1.sts", "service-name", "InvalidServiceName"},
	} {
		all = append(all,
			step{op: "ec2:" + x.op, in: `{}`},
			step{op: "ec2:" + x.op, in: `{"MaxResults":5}`},
			step{op: "ec2:" + x.op, in: fmt.Sprintf(`{"Filter":[{"Name":"%s","Value":["*"]}]}`, x.filter)},
			step{op: "ec2:" + x.op, in: `{"Filter":[{"Name":"no-such-filter","Value":["x"]}]}`, code: wrongFilter(x.op)},
			step{op: "ec2:" + x.op, in: fmt.Sprintf(`{"%s":["none"]}`, x.ids), code: x.code},
		)
		if x.id != "" {
			all = append(all, step{op: "ec2:" + x.op, in: fmt.Sprintf(`{"%s":["%s"]}`, x.ids, x.id)})
		}
	}
	for _, name := range []string{"enableDnsSupport", "enableDnsHostnames"} {
		all = append(all, step{op: "ec2:DescribeVpcAttribute", in: `{"VpcId":"$net","Attribute":"` + name + `"}`})
	}
	return append(all,
		step{op: "ec2:DescribeVpcAttribute", in: `{"VpcId":"vpc-none","Attribute":"enableDnsSupport"}`, code: "InvalidVpcID.NotFound"},
		step{op: "ec2:DescribeVpcAttribute", in: `{"VpcId":"$net"}`, code: "MissingParameter"},
		step{op: "ec2:DescribeVpcs", in: `{"VpcId":["$net"],"MaxResults":5}`, code: "InvalidParameterCombination"},
		step{op: "ec2:DescribeVpcs", in: `{"NextToken":"none"}`, code: "InvalidNextToken"},
	)
}

func wrongFilter(op string) string {
	if op == "DescribeVpcEndpointServices" {
		return "InvalidFilter"
	}
	return "InvalidParameterValue"
}

// ec2Writes change each kind of thing and change it back.
func ec2Writes() []step {
	const rule = `"IpPermissions":[{"IpProtocol":"tcp","FromPort":8443,"ToPort":8443,"IpRanges":[{"CidrIp":"10.9.0.0/16","Description":"test"}]}]`
	const entry = `{"NetworkAclId":"$acl","RuleNumber":50,"Egress":true,"Protocol":"6","RuleAction":"deny","CidrBlock":"10.9.0.0/16","PortRange":{"From":443,"To":443}}`
	const route = `"RouteTableId":"$rtb","DestinationCidrBlock":"10.77.0.0/16"`
	all := []step{}
	for _, dir := range []string{"Ingress", "Egress"} {
		all = append(all,
			step{op: "ec2:AuthorizeSecurityGroup" + dir, in: `{"GroupId":"$grp",` + rule + `}`},
			step{op: "ec2:AuthorizeSecurityGroup" + dir, in: `{"GroupId":"$grp",` + rule + `}`, code: "InvalidPermission.Duplicate"},
			step{op: "ec2:RevokeSecurityGroup" + dir, in: `{"GroupId":"$grp",` + rule + `}`},
			step{op: "ec2:RevokeSecurityGroup" + dir, in: `{"GroupId":"$grp",` + rule + `}`, code: "InvalidPermission.NotFound"},
			step{op: "ec2:RevokeSecurityGroup" + dir, in: `{"GroupId":"sg-none",` + rule + `}`, code: "InvalidGroup.NotFound"},
		)
	}
	return append(all, []step{
		{op: "ec2:CreateNetworkAclEntry", in: entry},
		{op: "ec2:CreateNetworkAclEntry", in: entry, code: "NetworkAclEntryAlreadyExists"},
		{op: "ec2:ReplaceNetworkAclEntry", in: strings.Replace(entry, "deny", "allow", 1)},
		{op: "ec2:ReplaceNetworkAclEntry", in: strings.Replace(entry, "50", "51", 1), code: "InvalidNetworkAclEntry.NotFound"},
		{op: "ec2:DeleteNetworkAclEntry", in: `{"NetworkAclId":"$acl","RuleNumber":50,"Egress":true}`},
		{op: "ec2:DeleteNetworkAclEntry", in: `{"NetworkAclId":"$acl","RuleNumber":50,"Egress":true}`, code: "InvalidNetworkAclEntry.NotFound"},
		{op: "ec2:CreateRoute", in: `{` + route + `,"NatGatewayId":"$nat"}`},
		{op: "ec2:CreateRoute", in: `{` + route + `,"NatGatewayId":"$nat"}`, code: "RouteAlreadyExists"},
		{op: "ec2:DeleteRoute", in: `{` + route + `}`},
		{op: "ec2:DeleteRoute", in: `{` + route + `}`, code: "InvalidRoute.NotFound"},
		{op: "ec2:CreateDhcpOptions", in: `{"DhcpConfiguration":[{"Key":"domain-name-servers","Value":["10.0.0.9","10.0.0.10"]},{"Key":"domain-name","Value":["corp.example"]}]}`, keep: "dhcp=dhcpOptionsId"},
		{op: "ec2:CreateDhcpOptions", in: `{"DhcpConfiguration":[{"Key":"colour","Value":["red"]}]}`, code: "InvalidParameterValue"},
		{op: "ec2:AssociateDhcpOptions", in: `{"DhcpOptionsId":"$dhcp","VpcId":"$net"}`},
		{op: "ec2:AssociateDhcpOptions", in: `{"DhcpOptionsId":"dopt-none","VpcId":"$net"}`, code: "InvalidDhcpOptionID.NotFound"},
		{op: "ec2:CreateVpcEndpoint", in: `{"VpcId":"$net","ServiceName":"com.amazonaws.us-east-1.sts","VpcEndpointType":"Interface","SubnetId":["$sub"],"SecurityGroupId":["$grp"]}`, keep: "tokens=vpcEndpointId"},
		{op: "ec2:CreateVpcEndpoint", in: `{"VpcId":"$net","ServiceName":"com.amazonaws.us-east-1.nothing"}`, code: "InvalidServiceName"},
		{op: "ec2:CreateVpcEndpoint", in: `{"VpcId":"$net","ServiceName":"com.amazonaws.us-east-1.sts","VpcEndpointType":"Interface"}`, code: "InvalidParameter"},
		{op: "ec2:ModifyVpcEndpoint", in: `{"VpcEndpointId":"$tokens","PolicyDocument":"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:*\",\"Resource\":\"*\"}]}","PrivateDnsEnabled":false,"RemoveSecurityGroupId":["$grp"]}`},
		{op: "ec2:ModifyVpcEndpoint", in: `{"VpcEndpointId":"$tokens","PolicyDocument":"{"}`, code: "InvalidPolicyDocument"},
		{op: "ec2:ModifyVpcEndpoint", in: `{"VpcEndpointId":"vpce-none"}`, code: "InvalidVpcEndpointId.NotFound"},
		{op: "ec2:DeleteVpcEndpoints", in: `{"VpcEndpointId":["$tokens","vpce-none"]}`},
		{op: "ec2:DeleteVpcEndpoints", in: `{}`, code: "MissingParameter"},
	}...)
}

// flattenEC2 writes an input as the EC2 protocol does: lists are numbered, with no word before the numbers.
func flattenEC2(form url.Values, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			flattenEC2(form, strings.TrimPrefix(name+"."+k, "."), e)
		}
	case []any:
		for i, e := range v {
			flattenEC2(form, fmt.Sprintf("%s.%d", name, i+1), e)
		}
	default:
		form.Set(name, fmt.Sprint(v))
	}
}
