package cloudtrail

import (
	"strconv"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

const ec2Source = "ec2.amazonaws.com"

// ec2Resources are the resources that events of EC2 name, by the member that carries their ID.
func (e entry) ec2Resources() []any {
	out := []any{}
	for _, m := range [][2]string{
		{"GroupId", "AWS::EC2::SecurityGroup"}, {"NetworkAclId", "AWS::EC2::NetworkAcl"}, {"RouteTableId", "AWS::EC2::RouteTable"},
		{"DhcpOptionsId", "AWS::EC2::DHCPOptions"}, {"VpcId", "AWS::EC2::VPC"}, {"VpcEndpointId", "AWS::EC2::VPCEndpoint"},
	} {
		if id, ok := e.Request[m[0]].(string); ok && id != "" {
			out = append(out, map[string]any{"ResourceType": m[1], "ResourceName": id})
		}
	}
	return out
}

// refused are the code and the text of an error; EC2's codes say whose mistake it was.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func (e entry) refused() (code, text string) {
	if e.Source != ec2Source {
		return errorCode(e.ErrorCode), e.ErrorText
	}
	switch e.ErrorCode {
	case cloud.AccessDenied:
		return "Client.UnauthorizedOperation", "You are not authorized to perform this operation. " + strings.Replace(e.ErrorText, " on resource: * ", " ", 1)
	case cloud.Throttling:
		return "Client.RequestLimitExceeded", "Request limit exceeded."
	}
	return "Client." + e.ErrorCode, e.ErrorText
}

// ec2Parameters writes a request of EC2 as CloudTrail does: lists stand in items; requests about VPC endpoints stand, as they
// were, in a member of their own.
func ec2Parameters(name string, in map[string]any) any {
	if len(in) == 0 {
		return nil
	}
	if strings.Contains(name, "VpcEndpoint") {
		return map[string]any{name + "Request": in}
	}
	return items(in)
}

func items(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[lowerFirst(k)] = items(number(k, x))
		}
		return out
	case []any:
		all := make([]any, len(v))
		for i, x := range v {
			all[i] = items(x)
		}
		return map[string]any{"items": all}
	}
	return v
}

// number turns the members that are numbers, and text in a form, into numbers.
func number(name string, v any) any {
	switch text, _ := v.(string); name {
	case "FromPort", "ToPort", "RuleNumber", "From", "To":
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return v
}
