package ec2

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

const (
	ours   = "111111111111"
	region = "eu-west-1"
)

type in = map[string]any

// net is a VPC with two subnets, a group that lets HTTPS out, and a server's address behind a virtual private gateway.
type net struct {
	*testing.T
	c    *cloud.Cloud
	s    *Service
	vpc  VPC
	a, b Subnet
	g    Group
}

const serverAddress = "10.9.0.10"

func newNet(t *testing.T) *net {
	t.Helper()
	c := cloud.New()
	n := &net{T: t, c: c, s: New(c)}
	c.Replay(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	var err [4]error
	n.vpc, err[0] = n.s.AddVPC(ours, region, "main", VPCSpec{CIDR: "10.0.0.0/16", DNS: []string{"10.0.0.53"}})
	toServer := Route{CIDR: "10.9.0.0/24", Target: "vgw"}
	n.a, err[1] = n.s.AddSubnet(ours, region, "a", n.vpc.ID, "10.0.1.0/24", region+"a", toServer)
	n.b, err[2] = n.s.AddSubnet(ours, region, "b", n.vpc.ID, "10.0.2.0/24", region+"b", toServer)
	n.g, err[3] = n.s.AddGroup(ours, region, "hosts", n.vpc.ID, nil, []Rule{{Protocol: "tcp", From: 443, To: 443, CIDR: "0.0.0.0/0"}})
	for _, e := range err {
		if e != nil {
			t.Fatal(e)
		}
	}
	return n
}

func (n *net) spot() Spot {
	return Spot{Account: ours, Region: region, VPC: n.vpc.ID, Subnets: []string{n.a.ID, n.b.ID}, Groups: []string{n.g.ID}}
}

func (n *net) call(op string, input in) (map[string]any, error) {
	return n.c.Serve(&cloud.Request{Service: "ec2", Operation: op, Region: region, Caller: cloud.Principal{Type: "IAMUser", Account: ours}, In: input})
}

func (n *net) ok(op string, input in) map[string]any {
	n.Helper()
	out, err := n.call(op, input)
	if err != nil {
		n.Fatalf("%s %v: %v", op, input, err)
	}
	return out
}

func (n *net) fails(op string, input in, code string) {
	n.Helper()
	var e *cloud.Error
	if _, err := n.call(op, input); !errors.As(err, &e) || e.Code != code {
		n.Errorf("%s %v: %v, want %s", op, input, err, code)
	}
}

// TestWhatStopsAPath breaks each part of the path to the server by the API call a person makes, and mends it.
func TestWhatStopsAPath(t *testing.T) {
	n := newNet(t)
	check := func(when, want string) {
		t.Helper()
		if got := n.s.Stops(n.spot(), serverAddress, 443); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	check("at first", "")
	if got := n.s.Stops(n.spot(), serverAddress, 8443); !strings.Contains(got, "no security group") {
		t.Errorf("another port: %q", got)
	}
	https := in{"GroupId": n.g.ID, "IpPermissions": []any{in{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": []any{in{"CidrIp": "0.0.0.0/0"}}}}}
	n.ok("RevokeSecurityGroupEgress", https)
	check("egress revoked", "no security group lets port 443 out")
	n.ok("AuthorizeSecurityGroupEgress", https)
	check("egress authorised", "")

	acl := n.ok("DescribeNetworkAcls", in{"Filter": []any{in{"Name": "association.subnet-id", "Value": []any{n.b.ID}}}})["networkAclSet"].([]any)[0].(in)["networkAclId"]
	entry := func(number int, egress bool, from, to int) in {
		return in{"NetworkAclId": acl, "RuleNumber": number, "Egress": egress, "Protocol": "6", "RuleAction": "deny", "CidrBlock": "10.9.0.0/24", "PortRange": in{"From": from, "To": to}}
	}
	n.ok("CreateNetworkAclEntry", entry(10, true, 443, 443))
	check("port denied", "does not let port 443 out")
	n.ok("ReplaceNetworkAclEntry", entry(10, true, 80, 80))
	check("another port denied", "")
	n.ok("CreateNetworkAclEntry", entry(10, false, 32768, 40000))
	check("part of the answers' ports denied", "does not let answers")
	n.ok("DeleteNetworkAclEntry", in{"NetworkAclId": acl, "RuleNumber": 10, "Egress": false})
	check("entry deleted", "")
	n.ok("CreateNetworkAclEntry", entry(200, true, 443, 443))
	check("denied behind the entry that allows", "")

	table, _ := n.s.Table(ours, region, n.b.ID)
	n.ok("DeleteRoute", in{"RouteTableId": table.ID, "DestinationCidrBlock": "10.9.0.0/24"})
	check("route deleted", "has no route")
	igw, _ := n.s.Gateway(ours, region, n.b.ID, "igw")
	n.ok("CreateRoute", in{"RouteTableId": table.ID, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": igw})
	check("to the internet gateway", "no public address")
	n.fails("DeleteRoute", in{"RouteTableId": table.ID, "DestinationCidrBlock": "10.0.0.0/16"}, "InvalidParameterValue")
}

// TestServerInTheVPC judges the far end too: the groups of the server and the network ACL of its subnet.
func TestServerInTheVPC(t *testing.T) {
	n := newNet(t)
	c, err := n.s.AddSubnet(ours, region, "servers", n.vpc.ID, "10.0.9.0/24", region+"a")
	if err != nil {
		t.Fatal(err)
	}
	g, err := n.s.AddGroup(ours, region, "servers", n.vpc.ID, []Rule{{Protocol: "tcp", From: 443, To: 443, Group: n.g.ID}}, nil)
	if err != nil || !n.s.AddServer(ours, region, "10.0.9.10", []string{g.ID}) || n.s.AddServer(ours, region, "10.9.0.10", nil) {
		t.Fatal("server not placed", err)
	}
	if why := n.s.Stops(n.spot(), "10.0.9.10", 443); why != "" {
		t.Errorf("at first %q", why)
	}
	if _, err := n.s.AddACL(ours, region, "tight", n.vpc.ID, []string{c.ID}, []Entry{{Number: 100, Allow: true, Protocol: "6", From: 443, To: 443, CIDR: "10.0.0.0/16"}}); err != nil {
		t.Fatal(err)
	}
	if why := n.s.Stops(n.spot(), "10.0.9.10", 443); !strings.Contains(why, "server's subnet") {
		t.Errorf("without a way back: %q", why)
	}
	if _, err := n.s.AddACL(ours, region, "open", n.vpc.ID, []string{c.ID}, nil); err != nil {
		t.Fatal(err)
	}
	n.ok("RevokeSecurityGroupIngress", in{"GroupId": g.ID, "SecurityGroupRuleId": []any{g.In[0].ID}})
	if why := n.s.Stops(n.spot(), "10.0.9.10", 443); !strings.Contains(why, "no security group of the server") {
		t.Errorf("without a rule of the server: %q", why)
	}
}

// TestHostTrouble has each reason for which a host cannot be set up.
func TestHostTrouble(t *testing.T) {
	n := newNet(t)
	other, err := n.s.AddVPC(ours, region, "other", VPCSpec{CIDR: "10.2.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	twin, _ := n.s.AddSubnet(ours, region, "twin", n.vpc.ID, "10.0.3.0/24", n.a.Zone)
	far, _ := n.s.AddSubnet(ours, region, "far", other.ID, "10.2.1.0/24", n.a.Zone)
	strange, _ := n.s.AddGroup(ours, region, "strange", other.ID, nil, nil)
	for _, x := range []struct {
		name string
		edit func(*Spot)
		want string
	}{
		{"right", func(*Spot) {}, ""},
		{"unknown to the lab", func(p *Spot) { p.VPC = "vpc-01234567" }, ""},
		{"another account's", func(p *Spot) { p.Account = "222222222222" }, "does not exist"},
		{"another Region's", func(p *Spot) { p.Region = "us-east-1" }, "does not exist"},
		{"no such subnet", func(p *Spot) { p.Subnets = []string{"subnet-01234567"} }, "The subnet ID"},
		{"another VPC's subnet", func(p *Spot) { p.Subnets = []string{far.ID} }, "does not belong"},
		{"one zone twice", func(p *Spot) { p.Subnets = []string{n.a.ID, twin.ID} }, "same Availability Zone"},
		{"no such group", func(p *Spot) { p.Groups = []string{"sg-01234567"} }, "security group"},
		{"another VPC's group", func(p *Spot) { p.Groups = []string{strange.ID} }, "does not belong"},
	} {
		p := n.spot()
		x.edit(&p)
		if got := n.s.HostTrouble(p); x.want == "" && got != "" || !strings.Contains(got, x.want) {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

// TestWhatAHostLeavesInItsVPC: interfaces and an endpoint that only the service can take away.
func TestWhatAHostLeavesInItsVPC(t *testing.T) {
	n := newNet(t)
	n.s.Join(n.spot(), "ghes")
	managed := in{"Filter": []any{in{"Name": "requester-managed", "Value": []any{"true"}}}}
	if got := n.ok("DescribeNetworkInterfaces", managed)["networkInterfaceSet"].([]any); len(got) != 4 {
		t.Errorf("%d interfaces, want one for the host and one for the endpoint in each subnet", len(got))
	}
	e := n.ok("DescribeVpcEndpoints", in{"Filter": []any{in{"Name": "service-name", "Value": []any{"*.codestar-connections.webhooks"}}}})["vpcEndpointSet"].([]any)
	if len(e) != 1 || e[0].(in)["requesterManaged"] != true {
		t.Fatalf("endpoints %v", e)
	}
	id := e[0].(in)["vpcEndpointId"]
	n.fails("ModifyVpcEndpoint", in{"VpcEndpointId": id, "ResetPolicy": true}, "OperationNotPermitted")
	if bad := n.ok("DeleteVpcEndpoints", in{"VpcEndpointId": []any{id}})["unsuccessful"].([]any); len(bad) != 1 {
		t.Errorf("deleted by hand: %v", bad)
	}
	n.s.Leave(n.spot(), "ghes")
	if got := n.ok("DescribeNetworkInterfaces", managed)["networkInterfaceSet"].([]any); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

// TestResolvers follows a VPC's DHCP options.
func TestResolvers(t *testing.T) {
	n := newNet(t)
	if got := n.s.Resolvers(ours, region, n.vpc.ID); len(got) != 1 || got[0] != "10.0.0.53" {
		t.Errorf("at first %v", got)
	}
	made := n.ok("CreateDhcpOptions", in{"DhcpConfiguration": []any{in{"Key": "domain-name-servers", "Value": []any{AmazonDNS}}}})["dhcpOptions"].(in)
	n.ok("AssociateDhcpOptions", in{"DhcpOptionsId": made["dhcpOptionsId"], "VpcId": n.vpc.ID})
	if got := n.s.Resolvers(ours, region, n.vpc.ID); len(got) != 1 || got[0] != AmazonDNS {
		t.Errorf("after the change %v", got)
	}
	deaf, _ := n.s.AddVPC(ours, region, "deaf", VPCSpec{CIDR: "10.3.0.0/16", NoDNSSupport: true})
	if got := n.s.Resolvers(ours, region, deaf.ID); got != nil {
		t.Errorf("without DNS support %v", got)
	}
	on := n.ok("DescribeVpcAttribute", in{"VpcId": deaf.ID, "Attribute": "enableDnsSupport"})["enableDnsSupport"].(in)["value"]
	if on != false {
		t.Errorf("enableDnsSupport %v", on)
	}
}

// TestReads: filters join with and, their values with or; pages; a write shows late.
func TestReads(t *testing.T) {
	n := newNet(t)
	count := func(input in) int {
		t.Helper()
		return len(n.ok("DescribeSubnets", input)["subnetSet"].([]any))
	}
	by := func(kv ...string) in {
		var fs []any
		for i := 0; i < len(kv); i += 2 {
			var values []any
			for _, v := range strings.Split(kv[i+1], "|") {
				values = append(values, v)
			}
			fs = append(fs, in{"Name": kv[i], "Value": values})
		}
		return in{"Filter": fs}
	}
	for _, x := range []struct {
		in   in
		want int
	}{
		{nil, 2}, {by("vpc-id", n.vpc.ID), 2}, {by("vpc-id", "vpc-0*"), 2}, {by("vpc-id", "vpc-0?"), 0}, {by("tag:Name", "a|b"), 2},
		{by("tag:Name", "a", "availability-zone", region+"b"), 0}, {by("cidr", "10.0.1.0/24"), 1}, {in{"SubnetId": []any{n.a.ID}}, 1},
	} {
		if got := count(x.in); got != x.want {
			t.Errorf("%v: %d, want %d", x.in, got, x.want)
		}
	}
	n.c.PageSize = 1
	first := n.ok("DescribeSubnets", nil)
	second := n.ok("DescribeSubnets", in{"NextToken": first["nextToken"]})
	if len(first["subnetSet"].([]any)) != 1 || second["nextToken"] != nil || second["subnetSet"].([]any)[0].(in)["subnetId"] != n.b.ID {
		t.Errorf("pages %v %v", first, second)
	}
	n.c.PageSize, n.c.Lag = 0, 5*time.Second
	n.c.Replay(n.c.Now().Add(6 * time.Second))
	if _, err := n.s.AddSubnet(ours, region, "late", n.vpc.ID, "10.0.4.0/24", region+"a"); err != nil {
		t.Fatal(err)
	}
	if got := count(nil); got != 2 {
		t.Errorf("at once %d subnets are seen", got)
	}
	n.c.Replay(n.c.Now().Add(6 * time.Second))
	if got := count(nil); got != 3 {
		t.Errorf("after the lag %d subnets are seen", got)
	}
}
