package ec2

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

// allowAll is the policy of an endpoint that was given none.
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
const allowAll = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`

// webhooks is the service whose endpoints CodeConnections itself makes in the VPC of a host. They know no policies.
// https://docs.aws.amazon.com/dtconsole/latest/userguide/vpc-interface-endpoints.html
const webhooks = "codestar-connections.webhooks"

// offered are the AWS services that an endpoint can be made for, by the part of the name behind the Region, with the part
// of the DNS name before the Region.
func offered() map[string]string {
	all := map[string]string{"codestar-connections.api": "codestar-connections", webhooks: "codestar-connections-webhooks", "ecr.api": "api.ecr", "ecr.dkr": "dkr.ecr"}
	for _, n := range []string{"cloudformation", "cloudtrail", "codebuild", "codepipeline", "config", "ec2", "events", "kms", "logs", "monitoring", "s3", "servicequotas", "ssm", "sts"} {
		all[n] = n
	}
	return all
}

// serviceName is the whole name of an AWS service for endpoints in a Region.
func serviceName(region, short string) string { return "com.amazonaws." + region + "." + short }

func shortName(region, name string) string {
	return strings.TrimPrefix(name, "com.amazonaws."+region+".")
}

// privateName is the DNS name that an endpoint's private DNS takes over: the older one alone for the connections, so that
// a client of codeconnections.REGION.amazonaws.com goes past the endpoint.
func privateName(region, service string) string {
	return offered()[shortName(region, service)] + "." + region + ".amazonaws.com"
}

func (s *Service) endpointReadOps(ops map[string]*cloud.Op) {
	ops["DescribeVpcEndpoints"] = describe(s, kind[Endpoint]{
		ids: "VpcEndpointId", set: "vpcEndpointSet", code: "InvalidVpcEndpointId.NotFound", what: "Vpc Endpoint Id",
		table: func(s *Service) *table[Endpoint] { return &s.endpoints }, id: func(e Endpoint) string { return e.ID },
		fields: func(e Endpoint) map[string][]string {
			return tagFields(e.Name, map[string][]string{"vpc-endpoint-id": one(e.ID), "vpc-id": one(e.VPC), "service-name": one(e.Service),
				"vpc-endpoint-state": one(e.State), "vpc-endpoint-type": one(e.Type)})
		},
		show: showEndpoint,
	})
	ops["DescribeVpcEndpointServices"] = &cloud.Op{ReadOnly: true, Do: s.describeServices}
}

func showEndpoint(r *cloud.Request, e Endpoint) map[string]any {
	groups := []any{}
	for _, g := range e.Groups {
		groups = append(groups, map[string]any{"groupId": g, "groupName": g})
	}
	m := map[string]any{
		"vpcEndpointId": e.ID, "vpcEndpointType": e.Type, "vpcId": e.VPC, "serviceName": e.Service, "state": e.State, "policyDocument": e.policy(),
		"privateDnsEnabled": e.PrivateDNS, "requesterManaged": e.Managed, "ownerId": r.Account(), "creationTimestamp": e.Created, "groupSet": groups,
		"subnetIdSet": e.Subnets, "routeTableIdSet": e.RouteTables, "networkInterfaceIdSet": e.Interfaces, "tagSet": tagsOf(e.Name), "ipAddressType": "ipv4",
	}
	if e.Type == "Interface" {
		own := []any{map[string]any{"dnsName": e.ID + "-" + newID("d", e.ID)[3:11] + "." + privateName(r.Region, e.Service), "hostedZoneId": "Z7HUB22UULQXV"}}
		if e.PrivateDNS {
			own = append(own, map[string]any{"dnsName": privateName(r.Region, e.Service), "hostedZoneId": "ZONEIDPENDING"})
		}
		m["dnsEntrySet"] = own
	}
	return m
}

func (e Endpoint) policy() string {
	if e.Policy == "" {
		return allowAll
	}
	return e.Policy
}

func (s *Service) describeServices(r *cloud.Request) (map[string]any, error) {
	fs, err := filtersOf(r, "")
	if err != nil {
		return nil, err
	}
	for _, f := range fs {
		if f.name != "service-name" && f.name != "service-type" && f.name != "owner" {
			return nil, cloud.Errorf("InvalidFilter", "The filter '%s' is invalid", f.name)
		}
	}
	var names []string
	for short := range offered() {
		names = append(names, serviceName(r.Region, short))
	}
	slices.Sort(names)
	for _, n := range texts(r.In["ServiceName"]) {
		if !slices.Contains(names, n) {
			return nil, cloud.Errorf("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", n)
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		have := map[string][]string{"service-name": one(n), "service-type": {"Interface"}, "owner": {"amazon"}}
		asked := texts(r.In["ServiceName"])
		return len(asked) > 0 && !slices.Contains(asked, n) || slices.ContainsFunc(fs, func(f filter) bool { return !f.fits(have[f.name]) })
	})
	page, next, err := cut(s.c, r, names, "", 0)
	if err != nil {
		return nil, err
	}
	details := []any{}
	for _, n := range page {
		name := privateName(r.Region, n)
		details = append(details, map[string]any{"serviceName": n, "serviceId": newID("vpce-svc", n), "serviceType": []any{map[string]any{"serviceType": "Interface"}},
			"availabilityZoneSet": []string{r.Region + "a", r.Region + "b", r.Region + "c"}, "owner": "amazon", "acceptanceRequired": false, "managesVpcEndpoints": shortName(r.Region, n) == webhooks,
			"vpcEndpointPolicySupported": shortName(r.Region, n) != webhooks, "privateDnsName": name, "privateDnsNameSet": []any{map[string]any{"privateDnsName": name}}})
	}
	return withNext(map[string]any{"serviceNameSet": page, "serviceDetailSet": details}, next), nil
}

// Way finds how a call leaves its place: by the endpoint the caller names, by one whose private DNS covers the service, by
// the internet, or not at all. It is cloud.Network.
func (s *Service) Way(from cloud.Place, account, service, region, host string) (string, *cloud.Unreachable) {
	v, known := s.vpcs.get(Key{account, region, from.VPC})
	for _, e := range s.endpoints.all(account, region) {
		if !e.serves(service, region) || e.ID != from.Endpoint && (e.VPC != from.VPC || !e.PrivateDNS || host == service+".amazonaws.com") {
			continue
		}
		if e.State != "available" {
			return "", &cloud.Unreachable{Kind: cloud.DialTimeout, Reason: "endpoint " + e.ID + " is " + e.State}
		}
		if !s.admits(Key{account, region, ""}, e, v.CIDR) {
			return "", &cloud.Unreachable{Kind: cloud.DialTimeout, Reason: "no security group of endpoint " + e.ID + " lets port 443 in"}
		}
		return e.ID, nil
	}
	switch {
	case !from.Only:
		return "", nil
	case known && !v.DNSSupport:
		return "", &cloud.Unreachable{Kind: cloud.NoSuchHost, Reason: "VPC " + v.ID + " has no DNS support"}
	}
	return "", &cloud.Unreachable{Kind: cloud.DialTimeout, Reason: "VPC " + from.VPC + " has no endpoint for " + service + " and no way to the internet"}
}

// serves reports whether an endpoint leads to the service with a signing name.
func (e Endpoint) serves(service, region string) bool {
	short := shortName(region, e.Service)
	return short != webhooks && (short == service || offered()[short] == service)
}

// admits reports whether the groups of an interface endpoint let HTTPS in from somewhere in a VPC.
func (s *Service) admits(where Key, e Endpoint, cidr string) bool {
	if e.Type != "Interface" || len(e.Groups) == 0 {
		return true
	}
	from, _, _ := strings.Cut(cidr, "/")
	for _, id := range e.Groups {
		g, ok := s.groups.get(Key{where.Account, where.Region, id})
		if !ok || slices.ContainsFunc(g.In, func(r Rule) bool { return r.allows(443, from, e.Groups) }) {
			return true
		}
	}
	return false
}

// Gate judges an access by the policy of an endpoint. It is cloud.Network.
func (s *Service) Gate(endpoint string, p cloud.Principal, a cloud.Access) cloud.Decision {
	_, e, ok := s.endpoints.anywhere(endpoint)
	if !ok {
		return cloud.Decision{Allowed: true}
	}
	var set []policy.Policy
	if d, err := policy.Parse(e.policy(), policy.ResourcePolicy); err == nil {
		set = []policy.Policy{{ID: endpoint, Of: "none", Doc: d}}
	}
	ctx := policy.Values{"aws:PrincipalArn": {p.Source}, "aws:PrincipalAccount": {p.Account}, "aws:PrincipalType": {p.Type}}
	for k, v := range a.Context {
		ctx[k] = v
	}
	r := policy.Evaluate(policy.Set{Root: true, Endpoint: append([]policy.Policy{}, set...), Who: policy.Who{Account: p.Account, ARN: p.ARN, Source: p.Source}},
		policy.Request{Action: a.Action, Resource: a.Resource, Context: ctx})
	return cloud.Decision{Allowed: r.Allowed, Why: r.Why()}
}
