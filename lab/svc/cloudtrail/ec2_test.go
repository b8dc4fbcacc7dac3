package cloudtrail

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/lab/cloud"
)

// TestEventsOfEC2: requests with their lists in items, errors with the word Client before them, the resource by its ID, the
// endpoint a call came through.
func TestEventsOfEC2(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e := entry{Event: cloud.Event{Name: "RevokeSecurityGroupEgress", Source: "ec2.amazonaws.com", Time: at, Caller: cloud.Principal{Type: "IAMUser", ARN: "arn:aws:iam::111111111111:user/ada"},
		Origin: cloud.Origin{Endpoint: "vpce-01"}, ErrorCode: cloud.AccessDenied, ErrorText: "User: ada is not authorized to perform: ec2:X on resource: * because",
		Request: map[string]any{"GroupId": "sg-01", "IpPermissions": []any{map[string]any{"FromPort": "443", "IpRanges": []any{map[string]any{"CidrIp": "10.0.0.0/8"}}}}}}}
	var got map[string]any
	if err := json.Unmarshal([]byte(e.text()), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"groupId": "sg-01", "ipPermissions": map[string]any{"items": []any{map[string]any{"fromPort": 443.0, "ipRanges": map[string]any{"items": []any{map[string]any{"cidrIp": "10.0.0.0/8"}}}}}},
	}
	if d := cmp.Diff(want, got["requestParameters"]); d != "" {
		t.Error(d)
	}
	if got["errorCode"] != "Client.UnauthorizedOperation" || got["vpcEndpointId"] != "vpce-01" ||
		got["errorMessage"] != "You are not authorized to perform this operation. User: ada is not authorized to perform: ec2:X because" {
		t.Errorf("%v %v %v", got["errorCode"], got["errorMessage"], got["vpcEndpointId"])
	}
	if d := cmp.Diff([]any{map[string]any{"ResourceType": "AWS::EC2::SecurityGroup", "ResourceName": "sg-01"}}, e.wire()["Resources"]); d != "" {
		t.Error(d)
	}
	made := ec2Parameters("ModifyVpcEndpoint", map[string]any{"VpcEndpointId": "vpce-01"})
	if d := cmp.Diff(map[string]any{"ModifyVpcEndpointRequest": map[string]any{"VpcEndpointId": "vpce-01"}}, made); d != "" {
		t.Error(d)
	}
}
