package apimodel

// ec2Errors are the errors that the lab's EC2 answers with: the EC2 models name no errors at all.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
func ec2Errors() map[string]int {
	all := map[string]int{
		"UnauthorizedOperation": 403, "AuthFailure": 401, "RequestExpired": 400, "RequestLimitExceeded": 503, "InternalError": 500, "OptInRequired": 401,
	}
	for _, code := range []string{
		"InvalidAction", "MissingAction", "MissingParameter", "InvalidParameter", "InvalidParameterValue", "InvalidParameterCombination", "InvalidNextToken", "InvalidFilter",
		"MalformedQueryString", "OperationNotPermitted", "MissingAuthenticationToken", "IncompleteSignature", "RequestEntityTooLarge",
		"InvalidVpcID.NotFound", "InvalidSubnetID.NotFound", "InvalidGroup.NotFound", "InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound", "InvalidPermission.Duplicate",
		"InvalidNetworkAclID.NotFound", "InvalidNetworkAclEntry.NotFound", "NetworkAclEntryAlreadyExists", "InvalidRouteTableID.NotFound", "InvalidRoute.NotFound", "RouteAlreadyExists",
		"InvalidDhcpOptionID.NotFound", "InvalidVpcEndpointId.NotFound", "InvalidServiceName", "InvalidPolicyDocument", "InvalidNetworkInterfaceID.NotFound", "NatGatewayNotFound",
		"InvalidInternetGatewayID.NotFound",
	} {
		all[code] = 400
	}
	return all
}

// ec2Reply checks OperationResponse, its request ID and its members, which stand in it without a wrapper.
func (k *check) ec2Reply(out *shape) {
	root, err := parseXML(k.x.Body)
	if err != nil {
		k.problem(nil, "wire", "body is not XML: %v", err)
		return
	}
	if want := k.x.Operation + "Response " + k.m.Metadata.XMLNamespace + "/"; root.name != want {
		k.problem(nil, "wire", "the root is %q, not %q", root.name, want)
	}
	if id := root.kid("requestId"); id == nil || id.text == "" {
		k.problem(nil, "wire", "no requestId")
	}
	in := &node{}
	for _, kid := range root.kids {
		if kid.name == "return" && out == nil { // what has no result says that it was done
			continue
		}
		if kid.name != "requestId" {
			in.kids = append(in.kids, kid)
		}
	}
	if out == nil {
		out = &shape{Type: "structure"}
	}
	k.whole(out, k.xmlValue(out, in, nil))
}

// ec2Code is the error code of a reply, "" when there is none.
func ec2Code(body []byte) string {
	if root, err := parseXML(body); err == nil {
		if c := root.find("Errors", "Error", "Code"); c != nil {
			return c.text
		}
	}
	return ""
}

// ec2Fault checks the envelope of EC2's errors.
func (k *check) ec2Fault() {
	root, err := parseXML(k.x.Body)
	if err != nil {
		k.problem(nil, "wire", "body is not XML: %v", err)
		return
	}
	if root.name != "Response" {
		k.problem(nil, "wire", "the root is %q", root.name)
	}
	if id := root.kid("RequestID"); id == nil || id.text == "" {
		k.problem(nil, "wire", "no RequestID")
	}
	if m := root.find("Errors", "Error", "Message"); m == nil || m.text == "" {
		k.problem(nil, "wire", "no Message")
	}
}
