package collect

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/unjam/unjam/internal/fact"
)

// netRef names a thing of a Region's network.
func netRef(q fact.Query, kind fact.Kind, id string) fact.Ref {
	return fact.Ref{Scope: q.Scope, Kind: kind, ID: id}
}

// inVPC filters a list by the VPC that the query names; no ID reads the whole Region.
func inVPC(q fact.Query) []types.Filter {
	if q.ID == "" {
		return nil
	}
	return []types.Filter{{Name: aws.String("vpc-id"), Values: []string{q.ID}}}
}

func tokenOf(token string) *string {
	if token == "" {
		return nil
	}
	return &token
}

func (c *Collector) subnets(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeSubnets(ctx, q.Scope, &ec2.DescribeSubnetsInput{Filters: inVPC(q), NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, s := range out.Subnets {
			id := aws.ToString(s.SubnetId)
			zone := aws.ToString(s.AvailabilityZoneId)
			if zone == "" {
				zone = aws.ToString(s.AvailabilityZone)
			}
			facts = append(facts, fact.Subnet{Seen: seen(netRef(q, fact.KindSubnet, id), src), ID: id, VPC: aws.ToString(s.VpcId), Zone: zone,
				Block: aws.ToString(s.CidrBlock), Free: int(aws.ToInt32(s.AvailableIpAddressCount))})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

func (c *Collector) securityGroups(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeSecurityGroups(ctx, q.Scope, &ec2.DescribeSecurityGroupsInput{Filters: inVPC(q), NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, g := range out.SecurityGroups {
			id := aws.ToString(g.GroupId)
			facts = append(facts, fact.SecurityGroup{Seen: seen(netRef(q, fact.KindSecurityGroup, id), src), ID: id, VPC: aws.ToString(g.VpcId),
				Name: aws.ToString(g.GroupName), In: rules(g.IpPermissions), Out: rules(g.IpPermissionsEgress)})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

func rules(all []types.IpPermission) []fact.GroupRule {
	var out []fact.GroupRule
	for _, p := range all {
		r := fact.GroupRule{Protocol: aws.ToString(p.IpProtocol), From: int(aws.ToInt32(p.FromPort)), To: int(aws.ToInt32(p.ToPort))}
		for _, b := range p.IpRanges {
			r.Blocks = append(r.Blocks, aws.ToString(b.CidrIp))
		}
		for _, b := range p.Ipv6Ranges {
			r.Blocks = append(r.Blocks, aws.ToString(b.CidrIpv6))
		}
		for _, g := range p.UserIdGroupPairs {
			r.Groups = append(r.Groups, aws.ToString(g.GroupId))
		}
		for _, l := range p.PrefixListIds {
			r.Lists = append(r.Lists, aws.ToString(l.PrefixListId))
		}
		out = append(out, r)
	}
	return out
}

func (c *Collector) networkACLs(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeNetworkAcls(ctx, q.Scope, &ec2.DescribeNetworkAclsInput{Filters: inVPC(q), NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, n := range out.NetworkAcls {
			id := aws.ToString(n.NetworkAclId)
			f := fact.NetworkACL{Seen: seen(netRef(q, fact.KindNetworkACL, id), src), ID: id, VPC: aws.ToString(n.VpcId), Default: aws.ToBool(n.IsDefault)}
			for _, a := range n.Associations {
				f.Subnets = append(f.Subnets, aws.ToString(a.SubnetId))
			}
			for _, e := range n.Entries {
				f.Entries = append(f.Entries, aclEntry(e))
			}
			slices.SortStableFunc(f.Entries, func(a, b fact.ACLEntry) int { return cmp.Compare(a.Number, b.Number) })
			facts = append(facts, f)
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

func aclEntry(e types.NetworkAclEntry) fact.ACLEntry {
	out := fact.ACLEntry{Number: int(aws.ToInt32(e.RuleNumber)), Egress: aws.ToBool(e.Egress), Allow: e.RuleAction == types.RuleActionAllow,
		Protocol: aws.ToString(e.Protocol), Block: aws.ToString(e.CidrBlock)}
	if out.Block == "" {
		out.Block = aws.ToString(e.Ipv6CidrBlock)
	}
	if e.PortRange != nil {
		out.From, out.To = int(aws.ToInt32(e.PortRange.From)), int(aws.ToInt32(e.PortRange.To))
	}
	return out
}

func (c *Collector) routeTables(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeRouteTables(ctx, q.Scope, &ec2.DescribeRouteTablesInput{Filters: inVPC(q), NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, t := range out.RouteTables {
			id := aws.ToString(t.RouteTableId)
			f := fact.RouteTable{Seen: seen(netRef(q, fact.KindRouteTable, id), src), ID: id, VPC: aws.ToString(t.VpcId)}
			for _, a := range t.Associations {
				if a.SubnetId != nil {
					f.Subnets = append(f.Subnets, *a.SubnetId)
				}
				f.Main = f.Main || aws.ToBool(a.Main)
			}
			for _, r := range t.Routes {
				f.Routes = append(f.Routes, route(r))
			}
			facts = append(facts, f)
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

func route(r types.Route) fact.Route {
	return fact.Route{
		Block: first(aws.ToString(r.DestinationCidrBlock), aws.ToString(r.DestinationIpv6CidrBlock), aws.ToString(r.DestinationPrefixListId)),
		Target: first(aws.ToString(r.GatewayId), aws.ToString(r.NatGatewayId), aws.ToString(r.TransitGatewayId), aws.ToString(r.VpcPeeringConnectionId),
			aws.ToString(r.NetworkInterfaceId), aws.ToString(r.InstanceId), aws.ToString(r.LocalGatewayId), aws.ToString(r.CarrierGatewayId)),
		State: string(r.State),
	}
}

func (c *Collector) dhcpOptions(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeDhcpOptions(ctx, q.Scope, &ec2.DescribeDhcpOptionsInput{NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, o := range out.DhcpOptions {
			id := aws.ToString(o.DhcpOptionsId)
			f := fact.DHCPOptions{Seen: seen(netRef(q, fact.KindDHCPOptions, id), src), ID: id}
			for _, conf := range o.DhcpConfigurations {
				if aws.ToString(conf.Key) == "domain-name-servers" {
					for _, v := range conf.Values {
						f.Servers = append(f.Servers, aws.ToString(v.Value))
					}
				}
			}
			facts = append(facts, f)
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

func (c *Collector) endpoints(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeVpcEndpoints(ctx, q.Scope, &ec2.DescribeVpcEndpointsInput{Filters: inVPC(q), NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, e := range out.VpcEndpoints {
			id := aws.ToString(e.VpcEndpointId)
			f := fact.Endpoint{Seen: seen(netRef(q, fact.KindEndpoint, id), src), ID: id, VPC: aws.ToString(e.VpcId), Service: aws.ToString(e.ServiceName),
				Type: string(e.VpcEndpointType), State: string(e.State), PrivateDNS: aws.ToBool(e.PrivateDnsEnabled), Policy: aws.ToString(e.PolicyDocument), Subnets: e.SubnetIds}
			for _, g := range e.Groups {
				f.Groups = append(f.Groups, aws.ToString(g.GroupId))
			}
			facts = append(facts, f)
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}
