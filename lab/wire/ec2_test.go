package wire_test

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/wire"
)

func ec2Service() *cloud.Service {
	return &cloud.Service{Name: "ec2", Version: "2016-11-15", Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/", Protocol: cloud.EC2,
		Ops: map[string]*cloud.Op{"DescribeVpcs": {Name: "DescribeVpcs"}}}
}

// TestEC2Protocol: lists are numbered in requests and items in replies, without a result wrapper.
func TestEC2Protocol(t *testing.T) {
	s := ec2Service()
	body := []byte("Action=DescribeVpcs&Version=2016-11-15&VpcId.1=vpc-a&VpcId.2=vpc-b&Filter.1.Name=state&Filter.1.Value.1=x&Port.From=1")
	r := httptest.NewRequest("POST", "/", nil)
	op, err := wire.Route(s, r, body)
	if err != nil {
		t.Fatal(err)
	}
	in, err := wire.Decode(s, op, r, body)
	want := map[string]any{"VpcId": []any{"vpc-a", "vpc-b"}, "Filter": []any{map[string]any{"Name": "state", "Value": []any{"x"}}}, "Port": map[string]any{"From": "1"}}
	if d := cmp.Diff(want, in); err != nil || d != "" {
		t.Error(err, d)
	}
	m, err := wire.Reply(s, op, "r", map[string]any{"vpcSet": []any{map[string]any{"vpcId": "vpc-a", "isDefault": false}}, "nextToken": "more"})
	text := "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n<requestId>r</requestId>\n" +
		"<nextToken>more</nextToken><vpcSet><item><isDefault>false</isDefault><vpcId>vpc-a</vpcId></item></vpcSet>\n</DescribeVpcsResponse>\n"
	if d := cmp.Diff(text, string(m.Body)); err != nil || d != "" {
		t.Error(err, d)
	}
}

// TestEC2Faults has the common errors as EC2 spells them, and its own as they are.
func TestEC2Faults(t *testing.T) {
	for code, want := range map[string]struct {
		code   string
		status int
	}{
		cloud.AccessDenied: {"UnauthorizedOperation", 403}, cloud.Throttling: {"RequestLimitExceeded", 503}, cloud.ExpiredToken: {"RequestExpired", 400},
		cloud.UnrecognizedClient: {"AuthFailure", 401}, cloud.UnknownOperation: {"InvalidAction", 400}, "InvalidVpcID.NotFound": {"InvalidVpcID.NotFound", 400},
	} {
		if m, got := wire.Fault(cloud.EC2, ec2Service(), "r", cloud.Errorf(code, "why")); got != want.code || m.Status != want.status {
			t.Errorf("%s: %s %d", code, got, m.Status)
		}
	}
	m, _ := wire.Fault(cloud.EC2, ec2Service(), "r", cloud.Errorf("InvalidVpcID.NotFound", "The vpc ID 'a<b' does not exist"))
	want := "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>The vpc ID &#39;a&lt;b&#39; does not exist</Message></Error></Errors><RequestID>r</RequestID></Response>\n"
	if d := cmp.Diff(want, string(m.Body)); d != "" {
		t.Error(d)
	}
}
