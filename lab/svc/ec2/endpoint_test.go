package ec2

import (
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// TestWays has every way a call can take from a VPC to AWS.
func TestWays(t *testing.T) {
	n := newNet(t)
	api, err := n.s.AddEndpoint(ours, region, "api", n.vpc.ID, EndpointSpec{Service: "codestar-connections.api"})
	if err != nil {
		t.Fatal(err)
	}
	bare, err := n.s.AddEndpoint(ours, region, "bare", n.vpc.ID, EndpointSpec{Service: "codepipeline", NoPrivateDNS: true})
	if err != nil {
		t.Fatal(err)
	}
	inside, sealed := cloud.Place{VPC: n.vpc.ID}, cloud.Place{VPC: n.vpc.ID, Only: true}
	for _, x := range []struct {
		name     string
		from     cloud.Place
		service  string
		endpoint string
		lost     string
	}{
		{"internet", cloud.Place{}, "codestar-connections", "", ""},
		{"private DNS", inside, "codestar-connections", api.ID, ""},
		{"the newer name goes past the endpoint", inside, "codeconnections", "", ""},
		{"and nowhere without internet", sealed, "codeconnections", "", cloud.DialTimeout},
		{"sealed, private DNS", sealed, "codestar-connections", api.ID, ""},
		{"no private DNS", sealed, "codepipeline", "", cloud.DialTimeout},
		{"named by the caller", cloud.Place{VPC: n.vpc.ID, Endpoint: bare.ID, Only: true}, "codepipeline", bare.ID, ""},
		{"no endpoint", sealed, "sts", "", cloud.DialTimeout},
	} {
		got, lost := n.c.Way(x.from, ours, x.service, region, x.service+"."+region+".amazonaws.com")
		kind := ""
		if lost != nil {
			kind = lost.Kind
		}
		if got != x.endpoint || kind != x.lost {
			t.Errorf("%s: %q %q, want %q %q", x.name, got, kind, x.endpoint, x.lost)
		}
	}
	deaf, _ := n.s.AddVPC(ours, region, "deaf", VPCSpec{CIDR: "10.3.0.0/16", NoDNSSupport: true})
	if _, lost := n.c.Way(cloud.Place{VPC: deaf.ID, Only: true}, ours, "sts", region, ""); lost == nil || lost.Kind != cloud.NoSuchHost {
		t.Errorf("without DNS support: %v", lost)
	}
}

// TestEndpointOfACall: made by the API it works after a while, and only when its groups let HTTPS in.
func TestEndpointOfACall(t *testing.T) {
	n := newNet(t)
	made := in{"VpcId": n.vpc.ID, "ServiceName": "com.amazonaws." + region + ".sts", "VpcEndpointType": "Interface", "SubnetId": []any{n.a.ID}, "SecurityGroupId": []any{n.g.ID}}
	id := n.ok("CreateVpcEndpoint", made)["vpcEndpoint"].(in)["vpcEndpointId"].(string)
	way := func(want string, lost bool) {
		t.Helper()
		if got, un := n.c.Way(cloud.Place{VPC: n.vpc.ID}, ours, "sts", region, "sts."+region+".amazonaws.com"); got != want || (un != nil) != lost {
			t.Errorf("way %q %v, want %q, lost %v", got, un, want, lost)
		}
	}
	way("", true) // pending: its private DNS is there, nobody answers
	n.c.Replay(n.c.Now().Add(2 * time.Minute))
	way("", true) // the group lets nothing in
	n.ok("AuthorizeSecurityGroupIngress", in{"GroupId": n.g.ID, "IpProtocol": "tcp", "FromPort": "443", "ToPort": "443", "CidrIp": "10.0.0.0/16"})
	way(id, false)
	if got, _ := n.c.Way(cloud.Place{VPC: n.vpc.ID}, ours, "sts", region, "sts.amazonaws.com"); got != "" {
		t.Errorf("the global name takes the endpoint %s", got)
	}
	n.fails("CreateVpcEndpoint", made, "InvalidParameter") // the same private DNS twice
	n.ok("ModifyVpcEndpoint", in{"VpcEndpointId": id, "PrivateDnsEnabled": "false"})
	way("", false)
	n.ok("DeleteVpcEndpoints", in{"VpcEndpointId": []any{id}})
	n.fails("DescribeVpcEndpoints", in{"VpcEndpointId": []any{id}}, "InvalidVpcEndpointId.NotFound")
}

// TestGate words the refusals of an endpoint's policy as AWS does.
func TestGate(t *testing.T) {
	n := newNet(t)
	ada := cloud.Principal{Type: "AssumedRole", Account: ours, ARN: "arn:aws:sts::" + ours + ":assumed-role/Dev/ada", Source: "arn:aws:iam::" + ours + ":role/Dev"}
	for _, x := range []struct{ name, policy, want string }{
		{"open", "", ""},
		{"narrow", `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"codepipeline:Get*","Resource":"*"}]}`,
			"because no VPC endpoint policy allows the codepipeline:StartPipelineExecution action"},
		{"denies", `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"codepipeline:Start*","Resource":"*"}]}`,
			"with an explicit deny in a VPC endpoint policy"},
		{"another principal", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + ours + `:role/Ops"},"Action":"*","Resource":"*"}]}`,
			"because no VPC endpoint policy allows the codepipeline:StartPipelineExecution action"},
		{"this principal", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"` + ada.Source + `"},"Action":"*","Resource":"*"}]}`, ""},
	} {
		e, err := n.s.AddEndpoint(ours, region, x.name, n.vpc.ID, EndpointSpec{Service: "codepipeline", Policy: x.policy})
		if err != nil {
			t.Fatal(err)
		}
		d := n.s.Gate(e.ID, ada, cloud.Access{Action: "codepipeline:StartPipelineExecution", Resource: "arn:aws:codepipeline:" + region + ":" + ours + ":web"})
		if d.Allowed != (x.want == "") || d.Why != x.want {
			t.Errorf("%s: %+v", x.name, d)
		}
	}
}
