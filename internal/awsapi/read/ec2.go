package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/unjam/unjam/internal/fact"
)

func (r *Reader) ec2(scope fact.Scope) *ec2.Client {
	return (*ec2.Client)(r.client("ec2", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(ec2.NewFromConfig(c)) }))
}

// DescribeSubnets calls ec2:DescribeSubnets, one page.
func (r *Reader) DescribeSubnets(ctx context.Context, scope fact.Scope, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "ec2", "DescribeSubnets", r.ec2(scope).DescribeSubnets, in)
	return out, src, err
}

// DescribeSecurityGroups calls ec2:DescribeSecurityGroups, one page.
func (r *Reader) DescribeSecurityGroups(ctx context.Context, scope fact.Scope, in *ec2.DescribeSecurityGroupsInput) (*ec2.DescribeSecurityGroupsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "ec2", "DescribeSecurityGroups", r.ec2(scope).DescribeSecurityGroups, in)
	return out, src, err
}

// DescribeNetworkAcls calls ec2:DescribeNetworkAcls, one page.
func (r *Reader) DescribeNetworkAcls(ctx context.Context, scope fact.Scope, in *ec2.DescribeNetworkAclsInput) (*ec2.DescribeNetworkAclsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "ec2", "DescribeNetworkAcls", r.ec2(scope).DescribeNetworkAcls, in)
	return out, src, err
}

// DescribeRouteTables calls ec2:DescribeRouteTables, one page.
func (r *Reader) DescribeRouteTables(ctx context.Context, scope fact.Scope, in *ec2.DescribeRouteTablesInput) (*ec2.DescribeRouteTablesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "ec2", "DescribeRouteTables", r.ec2(scope).DescribeRouteTables, in)
	return out, src, err
}

// DescribeDhcpOptions calls ec2:DescribeDhcpOptions, one page.
func (r *Reader) DescribeDhcpOptions(ctx context.Context, scope fact.Scope, in *ec2.DescribeDhcpOptionsInput) (*ec2.DescribeDhcpOptionsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "ec2", "DescribeDhcpOptions", r.ec2(scope).DescribeDhcpOptions, in)
	return out, src, err
}

// DescribeVpcEndpoints calls ec2:DescribeVpcEndpoints, one page.
func (r *Reader) DescribeVpcEndpoints(ctx context.Context, scope fact.Scope, in *ec2.DescribeVpcEndpointsInput) (*ec2.DescribeVpcEndpointsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "ec2", "DescribeVpcEndpoints", r.ec2(scope).DescribeVpcEndpoints, in)
	return out, src, err
}
