package ec2_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/ec2"
)

const (
	ours   = "111111111111"
	region = "eu-west-1"
)

// client is EC2's own client on a lab, as a user who may do what the policy says.
func client(t *testing.T, l *lab.Lab, name, policy string) *sdk.Client {
	t.Helper()
	k := &cloud.Caller{Name: name, AccessKeyID: "AKIALAB" + strings.ToUpper(name), SecretAccessKey: "secret"}
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: ours})
		if _, err := l.IAM.CreateUser(ours, name, "/"); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.PutUserPolicy(ours, name, "own", policy); err != nil {
			t.Fatal(err)
		}
		k.Principal = l.IAM.UserPrincipal(ours, name)
		l.Cloud.AddCaller(k)
	})
	return sdk.NewFromConfig(aws.Config{Region: region, HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, "")})
}

// TestClientOfAWS reads and changes a network with AWS's own client: what it sends is understood, what it gets it can read.
func TestClientOfAWS(t *testing.T) {
	l := lab.New()
	c := client(t, l, "ada", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}`)
	var v ec2.VPC
	var s ec2.Subnet
	var g ec2.Group
	var err [3]error
	l.Cloud.Within(func() {
		v, err[0] = l.Network.AddVPC(ours, region, "main", ec2.VPCSpec{CIDR: "10.0.0.0/16"})
		s, err[1] = l.Network.AddSubnet(ours, region, "a", v.ID, "10.0.1.0/24", region+"a", ec2.Route{CIDR: "0.0.0.0/0", Target: "nat"})
		g, err[2] = l.Network.AddGroup(ours, region, "web", v.ID, nil, []ec2.Rule{{Protocol: "tcp", From: 443, To: 443, CIDR: "10.0.0.0/8"}})
	})
	if err := errors.Join(err[:]...); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	groups, e := c.DescribeSecurityGroups(ctx, &sdk.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("group-id"), Values: []string{g.ID}}}})
	if e != nil || len(groups.SecurityGroups) != 1 {
		t.Fatal(groups, e)
	}
	out := groups.SecurityGroups[0].IpPermissionsEgress
	if len(out) != 1 || *out[0].FromPort != 443 || *out[0].IpRanges[0].CidrIp != "10.0.0.0/8" {
		t.Errorf("egress %+v", out)
	}
	if _, e := c.RevokeSecurityGroupEgress(ctx, &sdk.RevokeSecurityGroupEgressInput{GroupId: &g.ID, IpPermissions: out}); e != nil {
		t.Fatal(e)
	}
	groups, _ = c.DescribeSecurityGroups(ctx, &sdk.DescribeSecurityGroupsInput{GroupIds: []string{g.ID}})
	if len(groups.SecurityGroups[0].IpPermissionsEgress) != 0 {
		t.Error("the rule is still there")
	}
	tables, e := c.DescribeRouteTables(ctx, &sdk.DescribeRouteTablesInput{Filters: []types.Filter{{Name: aws.String("association.subnet-id"), Values: []string{s.ID}}}})
	if e != nil || len(tables.RouteTables) != 1 || !strings.HasPrefix(*tables.RouteTables[0].Routes[1].NatGatewayId, "nat-0") {
		t.Errorf("routes %+v, %v", tables, e)
	}
	dns, e := c.DescribeVpcAttribute(ctx, &sdk.DescribeVpcAttributeInput{VpcId: &v.ID, Attribute: types.VpcAttributeNameEnableDnsSupport})
	if e != nil || !*dns.EnableDnsSupport.Value {
		t.Errorf("attribute %+v, %v", dns, e)
	}
	made, e := c.CreateVpcEndpoint(ctx, &sdk.CreateVpcEndpointInput{VpcId: &v.ID, ServiceName: aws.String("com.amazonaws.eu-west-1.codestar-connections.api"),
		VpcEndpointType: types.VpcEndpointTypeInterface, SubnetIds: []string{s.ID}, SecurityGroupIds: []string{g.ID}})
	if e != nil || made.VpcEndpoint.State != "pending" || len(made.VpcEndpoint.NetworkInterfaceIds) != 1 || *made.VpcEndpoint.Groups[0].GroupId != g.ID || made.VpcEndpoint.CreationTimestamp == nil {
		t.Errorf("endpoint %+v, %v", made, e)
	}
}

// TestRefusalsOfEC2 has the codes and words of EC2's errors as its client reads them.
func TestRefusalsOfEC2(t *testing.T) {
	l := lab.New()
	c := client(t, l, "bert", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:DescribeSubnets","Resource":"*"}}`)
	_, err := c.DescribeVpcs(t.Context(), nil)
	refused(t, err, "UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:iam::111111111111:user/bert is not authorized to perform: "+
		"ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs action")
	_, err = c.DescribeSubnets(t.Context(), &sdk.DescribeSubnetsInput{SubnetIds: []string{"subnet-01234567"}})
	refused(t, err, "InvalidSubnetID.NotFound", "The subnet ID 'subnet-01234567' does not exist")
	_, err = c.DescribeSubnets(t.Context(), &sdk.DescribeSubnetsInput{Filters: []types.Filter{{Name: aws.String("colour"), Values: []string{"red"}}}})
	refused(t, err, "InvalidParameterValue", "The filter 'colour' is invalid")
	_, err = c.DeleteRoute(t.Context(), &sdk.DeleteRouteInput{RouteTableId: aws.String("rtb-01234567"), DestinationCidrBlock: aws.String("10.0.0.0/8")})
	var e smithy.APIError
	plain := "You are not authorized to perform this operation. User: arn:aws:iam::111111111111:user/bert is not authorized to perform: ec2:DeleteRoute on resource: " +
		"arn:aws:ec2:eu-west-1:111111111111:route-table/rtb-01234567 because no identity-based policy allows the ec2:DeleteRoute action. Encoded authorization failure message: "
	if !errors.As(err, &e) || e.ErrorCode() != "UnauthorizedOperation" || !strings.HasPrefix(e.ErrorMessage(), plain) || len(e.ErrorMessage()) < len(plain)+100 {
		t.Errorf("a refused write: %v", err)
	}
}

func refused(t *testing.T, err error, code, text string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || e.ErrorMessage() != text {
		t.Errorf("got %v\nwant %s: %s", err, code, text)
	}
}
