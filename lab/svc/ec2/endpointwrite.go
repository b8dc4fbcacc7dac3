package ec2

import (
	"slices"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

func (s *Service) endpointOps(ops map[string]*cloud.Op) {
	ops["CreateVpcEndpoint"] = &cloud.Op{
		Access: func(r *cloud.Request) []cloud.Access {
			all := []cloud.Access{need(r, "vpc", r.Str("VpcId")), need(r, "vpc-endpoint", "*")}
			return append(all, parts(r, "SubnetId", "SecurityGroupId", "RouteTableId")...)
		},
		Do: s.createEndpoint,
	}
	ops["ModifyVpcEndpoint"] = &cloud.Op{
		Access: func(r *cloud.Request) []cloud.Access {
			return append([]cloud.Access{need(r, "vpc-endpoint", r.Str("VpcEndpointId"))}, parts(r, "AddSubnetId", "AddSecurityGroupId", "AddRouteTableId")...)
		},
		Do: s.modifyEndpoint,
	}
	ops["DeleteVpcEndpoints"] = &cloud.Op{
		Access: func(r *cloud.Request) []cloud.Access {
			var all []cloud.Access
			for _, id := range texts(r.In["VpcEndpointId"]) {
				all = append(all, need(r, "vpc-endpoint", id))
			}
			return all
		},
		Do: s.deleteEndpoints,
	}
}

// parts are the accesses to what an endpoint is to be made of: subnets, groups, route tables, in this order.
func parts(r *cloud.Request, members ...string) []cloud.Access {
	var all []cloud.Access
	for i, kind := range []string{"subnet", "security-group", "route-table"} {
		for _, id := range texts(r.In[members[i]]) {
			all = append(all, need(r, kind, id))
		}
	}
	return all
}

func (s *Service) createEndpoint(r *cloud.Request) (map[string]any, error) {
	if err := required(r, "VpcId", "ServiceName"); err != nil {
		return nil, err
	}
	e := Endpoint{VPC: r.Str("VpcId"), Service: r.Str("ServiceName"), Type: r.Str("VpcEndpointType"), State: "pending", Policy: r.Str("PolicyDocument"),
		Subnets: texts(r.In["SubnetId"]), Groups: texts(r.In["SecurityGroupId"]), RouteTables: texts(r.In["RouteTableId"]), Created: s.c.Now()}
	if e.Type == "" {
		e.Type = "Gateway"
	}
	e.PrivateDNS = e.Type == "Interface"
	if _, given := r.In["PrivateDnsEnabled"]; given {
		e.PrivateDNS = r.Bool("PrivateDnsEnabled")
	}
	if _, ok := s.vpcs.get(key(r, e.VPC)); !ok {
		return nil, missing("InvalidVpcID.NotFound", "vpc ID", e.VPC)
	}
	if _, ok := offered()[shortName(r.Region, e.Service)]; !ok {
		return nil, cloud.Errorf("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", e.Service)
	}
	if err := s.sound(r, e); err != nil {
		return nil, err
	}
	e.ID = s.nextID("vpce")
	e = s.attach(key(r, e.ID), e, "VPC Endpoint Interface "+e.ID, r.Account())
	s.endpoints.put(s.c, key(r, e.ID), e)
	s.c.After(endpointTime, func() {
		if now, ok := s.endpoints.get(key(r, e.ID)); ok && now.State == "pending" {
			now.State = "available"
			s.endpoints.put(s.c, key(r, e.ID), now)
		}
	})
	return map[string]any{"vpcEndpoint": showEndpoint(r, e)}, nil
}

// sound checks what an endpoint is to be: its policy, its parts, its private DNS.
// https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html
func (s *Service) sound(r *cloud.Request, e Endpoint) error {
	if e.Policy != "" {
		if _, err := policy.Parse(e.Policy, policy.ResourcePolicy); err != nil {
			return cloud.Errorf("InvalidPolicyDocument", "The policy document is not valid: %v", err)
		}
	}
	for _, id := range e.Subnets {
		if n, ok := s.subnets.get(key(r, id)); !ok || n.VPC != e.VPC {
			return missing("InvalidSubnetID.NotFound", "subnet ID", id)
		}
	}
	for _, id := range e.Groups {
		if g, ok := s.groups.get(key(r, id)); !ok || g.VPC != e.VPC {
			return missing("InvalidGroup.NotFound", "security group", id)
		}
	}
	if !e.PrivateDNS {
		return nil
	}
	if v, _ := s.vpcs.get(key(r, e.VPC)); !v.DNSSupport || !v.DNSHostnames {
		return cloud.Errorf("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", e.VPC)
	}
	for _, o := range s.endpoints.all(r.Account(), r.Region) {
		if o.ID != e.ID && o.VPC == e.VPC && o.Service == e.Service && o.PrivateDNS {
			return cloud.Errorf("InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s", privateName(r.Region, e.Service), e.VPC)
		}
	}
	return nil
}

// attach makes the network interfaces of an interface endpoint, one for each subnet.
func (s *Service) attach(k Key, e Endpoint, text, requester string) Endpoint {
	if e.Type != "Interface" {
		return e
	}
	for _, id := range e.Subnets {
		e.Interfaces = append(e.Interfaces, s.addInterface(k, id, e.Groups, text, "vpc_endpoint", requester))
	}
	return e
}

func (s *Service) modifyEndpoint(r *cloud.Request) (map[string]any, error) {
	if err := required(r, "VpcEndpointId"); err != nil {
		return nil, err
	}
	e, ok := s.endpoints.get(key(r, r.Str("VpcEndpointId")))
	if !ok {
		return nil, missing("InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id", r.Str("VpcEndpointId"))
	}
	if e.Managed {
		return nil, cloud.Errorf("OperationNotPermitted", "Operation is not allowed for requester-managed VPC endpoints for the service %s.", e.Service)
	}
	if p := r.Str("PolicyDocument"); p != "" {
		e.Policy = p
	}
	if r.Bool("ResetPolicy") {
		e.Policy = ""
	}
	if _, given := r.In["PrivateDnsEnabled"]; given {
		e.PrivateDNS = r.Bool("PrivateDnsEnabled")
	}
	e.Subnets = changed(e.Subnets, r, "AddSubnetId", "RemoveSubnetId")
	e.Groups = changed(e.Groups, r, "AddSecurityGroupId", "RemoveSecurityGroupId")
	e.RouteTables = changed(e.RouteTables, r, "AddRouteTableId", "RemoveRouteTableId")
	if err := s.sound(r, e); err != nil {
		return nil, err
	}
	s.endpoints.put(s.c, key(r, e.ID), e)
	return done(), nil
}

func changed(have []string, r *cloud.Request, add, remove string) []string {
	gone := texts(r.In[remove])
	have = slices.DeleteFunc(slices.Clone(have), func(id string) bool { return slices.Contains(gone, id) })
	for _, id := range texts(r.In[add]) {
		if !slices.Contains(have, id) {
			have = append(have, id)
		}
	}
	return have
}

// deleteEndpoints deletes what it can and lists the rest: the call itself succeeds.
func (s *Service) deleteEndpoints(r *cloud.Request) (map[string]any, error) {
	ids := texts(r.In["VpcEndpointId"])
	if len(ids) == 0 {
		return nil, missingParameter("VpcEndpointId")
	}
	failed := []any{}
	refuse := func(id, code, text string) {
		failed = append(failed, map[string]any{"resourceId": id, "error": map[string]any{"code": code, "message": text}})
	}
	for _, id := range ids {
		e, ok := s.endpoints.get(key(r, id))
		switch {
		case !ok:
			refuse(id, "InvalidVpcEndpoint.NotFound", "The VpcEndpoint Id '"+id+"' does not exist")
		case e.Managed:
			refuse(id, "OperationNotPermitted", "Operation is not allowed for requester-managed VPC endpoints for the service "+e.Service+".")
		default:
			s.drop(key(r, id), e)
		}
	}
	return map[string]any{"unsuccessful": failed}, nil
}

// drop removes an endpoint and its interfaces.
func (s *Service) drop(k Key, e Endpoint) {
	for _, id := range e.Interfaces {
		s.interfaces.remove(s.c, Key{k.Account, k.Region, id})
	}
	s.endpoints.remove(s.c, k)
}
