package world

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/unjam/unjam/lab/svc/ec2"
)

// direction takes the next word: ingress or egress.
func direction(a *act) (egress bool, err error) {
	switch w, err := a.word("ingress or egress"); {
	case err != nil:
		return false, err
	case w == "egress" || w == "ingress":
		return w == "egress", nil
	default:
		return false, fmt.Errorf("%q is neither ingress nor egress", w)
	}
}

func directionName(egress bool) string {
	if egress {
		return "Egress"
	}
	return "Ingress"
}

// groupActs: ACTOR opens|closes GROUP ingress|egress PORTS [at=CIDR|GROUP]: AuthorizeSecurityGroup..., RevokeSecurityGroup...
func (d *loader) groupActs(a *act) error {
	t, err := d.networkThing(a, "group")
	if err != nil {
		return err
	}
	egress, err := direction(a)
	if err != nil {
		return err
	}
	ports, err := a.word("the ports")
	if err != nil {
		return err
	}
	want, err := d.rules(ports + "@" + a.opt("at", "0.0.0.0/0"))
	if err != nil {
		return err
	}
	if a.verb == "opens" {
		_, err = d.call(a, "ec2", "AuthorizeSecurityGroup"+directionName(egress), t.region, map[string]any{"GroupId": t.arn, "IpPermissions": []any{permission(want[0])}})
		return err
	}
	rules, _ := d.lab.Network.GroupRules(t.account, t.region, t.arn, egress)
	var ids []any
	for _, r := range rules {
		here := !a.has("at") || r.CIDR == want[0].CIDR && r.Group == want[0].Group
		if here && r.Protocol == want[0].Protocol && r.From == want[0].From && r.To == want[0].To {
			ids = append(ids, r.ID)
		}
	}
	if ids == nil {
		return fmt.Errorf("%s has no such rule; its %s rules are %s", t.name, a.verb, shown(rules))
	}
	_, err = d.call(a, "ec2", "RevokeSecurityGroup"+directionName(egress), t.region, map[string]any{"GroupId": t.arn, "SecurityGroupRuleId": ids})
	return err
}

func permission(r ec2.Rule) map[string]any {
	m := map[string]any{"IpProtocol": r.Protocol}
	if r.Protocol != "-1" {
		m["FromPort"], m["ToPort"] = r.From, r.To
	}
	if r.Group != "" {
		m["Groups"] = []any{map[string]any{"GroupId": r.Group}}
	} else {
		m["IpRanges"] = []any{map[string]any{"CidrIp": r.CIDR}}
	}
	return m
}

func shown(rules []ec2.Rule) string {
	text := ""
	for _, r := range rules {
		text += fmt.Sprintf(" %d-%d@%s%s", r.From, r.To, r.CIDR, r.Group)
	}
	if text == "" {
		return "none"
	}
	return text[1:]
}

// networkThing takes the next word as the name of a network thing; its kind may stand before it.
func (d *loader) networkThing(a *act, kind string) (*thing, error) {
	a.skip(kind)
	name, err := a.word("the name of the " + kind)
	if err != nil {
		return nil, err
	}
	a.subject = name
	return d.part(kind, name)
}

// naclActs: ACTOR denies|allows NACL ingress|egress PORTS [at=CIDR] [number=]; ACTOR removes NACL ingress|egress NUMBER
func (d *loader) naclActs(a *act) error {
	t, err := d.networkThing(a, "nacl")
	if err != nil {
		return err
	}
	egress, err := direction(a)
	if err != nil {
		return err
	}
	what, err := a.word("the ports, or the entry's number")
	if err != nil {
		return err
	}
	in := map[string]any{"NetworkAclId": t.arn, "Egress": egress}
	if a.verb == "removes" {
		if in["RuleNumber"], err = strconv.Atoi(what); err != nil {
			return fmt.Errorf("%q is no number of an entry", what)
		}
		_, err = d.call(a, "ec2", "DeleteNetworkAclEntry", t.region, in)
		return err
	}
	e, err := entry(what+"@"+a.opt("at", "0.0.0.0/0"), egress)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(a.opt("number", "50"))
	if err != nil {
		return fmt.Errorf("number= is a number from 1 to 32766")
	}
	in["RuleNumber"], in["Protocol"], in["CidrBlock"], in["RuleAction"] = number, e.Protocol, e.CIDR, "deny"
	if a.verb == "allows" {
		in["RuleAction"] = "allow"
	}
	if e.Protocol == "6" {
		in["PortRange"] = map[string]any{"From": e.From, "To": e.To}
	}
	_, err = d.call(a, "ec2", "CreateNetworkAclEntry", t.region, in)
	return err
}

// routeActs: ACTOR drops route SUBNET CIDR; ACTOR adds route SUBNET CIDR via igw|nat|vgw|ID
func (d *loader) routeActs(a *act) error {
	if !a.skip("route") {
		return fmt.Errorf("write `%s %s route SUBNET CIDR`", a.actor, a.verb)
	}
	t, err := d.networkThing(a, "subnet")
	if err != nil {
		return err
	}
	cidr, err := a.word("the route's destination, a CIDR block")
	if err != nil {
		return err
	}
	table, _ := d.lab.Network.Table(t.account, t.region, t.arn)
	in := map[string]any{"RouteTableId": table.ID, "DestinationCidrBlock": cidr}
	if a.verb == "drops" {
		_, err = d.call(a, "ec2", "DeleteRoute", t.region, in)
		return err
	}
	a.skip("via")
	kind, err := a.word("what the route leads through: igw, nat, vgw or an ID")
	if err != nil {
		return err
	}
	id, _ := d.lab.Network.Gateway(t.account, t.region, t.arn, kind)
	member := "GatewayId"
	if kind == "nat" {
		member = "NatGatewayId"
	}
	in[member] = id
	_, err = d.call(a, "ec2", "CreateRoute", t.region, in)
	return err
}

// changesDNS: ACTOR changes dns VPC SERVERS|default: CreateDhcpOptions, AssociateDhcpOptions
func (d *loader) changesDNS(a *act) error {
	t, err := d.networkThing(a, "vpc")
	if err != nil {
		return err
	}
	servers, err := a.word("the DNS servers' addresses, or default")
	if err != nil {
		return err
	}
	if servers == "default" {
		servers = ec2.AmazonDNS
	}
	out, err := d.call(a, "ec2", "CreateDhcpOptions", t.region, map[string]any{
		"DhcpConfiguration": []any{map[string]any{"Key": "domain-name-servers", "Value": anyList(commas(servers))}}})
	if err != nil {
		return err
	}
	d.tick()
	made, _ := out["dhcpOptions"].(map[string]any)
	_, err = d.call(a, "ec2", "AssociateDhcpOptions", t.region, map[string]any{"DhcpOptionsId": text(made, "dhcpOptionsId"), "VpcId": t.arn})
	return err
}

func anyList(texts []string) []any {
	all := []any{}
	for _, t := range texts {
		all = append(all, t)
	}
	return all
}

// changesCertificate: PERSON changes certificate ORG [tls=] [cert-expires=] [cert-name=]. It has the administrator of an organisation's server put another certificate on it.
func (d *loader) changesCertificate(a *act) error {
	name, err := a.word("the organisation on the server")
	if err != nil {
		return err
	}
	url, ok := d.urls[name]
	if !ok {
		return fmt.Errorf("%s stands on no server of its own", name)
	}
	s, _ := d.lab.Git.Server(url)
	if who, err := d.login(a); err != nil {
		return err
	} else if who != s.Admin {
		return fmt.Errorf("only the administrator of %s, %s, changes its certificate", url, s.Admin)
	}
	c, err := d.certificate(a.line)
	if err == nil {
		d.lab.Git.Place(url, s.Address, c)
	}
	return err
}

// createEndpoint: ACTOR creates endpoint NAME vpc= service= [subnets=] [groups=] [policy=|allow=|deny=] [private-dns=no]
func (d *loader) createEndpoint(a *act, name string) error {
	v, err := d.inVPC(a.line)
	if err != nil {
		return err
	}
	in := map[string]any{"VpcId": v.arn, "VpcEndpointType": "Interface", "ServiceName": "com.amazonaws." + v.region + "." + a.opt("service", ""),
		"PrivateDnsEnabled": a.opt("private-dns", "yes") != "no"}
	if err := d.endpointMembers(a, in, "SubnetId", "SecurityGroupId"); err != nil {
		return err
	}
	out, err := d.call(a, "ec2", "CreateVpcEndpoint", v.region, in)
	if err != nil {
		return err
	}
	made, _ := out["vpcEndpoint"].(map[string]any)
	d.keepNetwork("endpoint", name, text(made, "vpcEndpointId"), v.account, v.region)
	return nil
}

// endpointMembers adds what a line says about an endpoint's policy, subnets and groups.
func (d *loader) endpointMembers(a *act, in map[string]any, subnets, groups string) error {
	doc, err := d.endpointPolicy(a.line)
	if err != nil {
		return err
	}
	if doc != "" {
		in["PolicyDocument"] = doc
	}
	for member, ids := range map[string][]string{subnets: d.networkIDs("subnet", a.list("subnets")), groups: d.networkIDs("group", a.list("groups"))} {
		if len(ids) > 0 {
			in[member] = anyList(ids)
		}
	}
	return nil
}

// setsEndpoint: ACTOR sets endpoint NAME [policy=|allow=|deny=] [policy=default] [private-dns=yes|no] [groups=] [subnets=]: groups and
// subnets are added, those of without-groups= and without-subnets= taken away.
func (d *loader) setsEndpoint(a *act) error {
	t, err := d.networkThing(a, "endpoint")
	if err != nil {
		return err
	}
	in := map[string]any{"VpcEndpointId": t.arn}
	if a.opt("policy", "") == "default" {
		delete(a.opts, "policy")
		in["ResetPolicy"] = true
	}
	if err := d.endpointMembers(a, in, "AddSubnetId", "AddSecurityGroupId"); err != nil {
		return err
	}
	if dns := a.opt("private-dns", ""); dns != "" {
		if !slices.Contains([]string{"yes", "no"}, dns) {
			return fmt.Errorf("private-dns= is yes or no, not %q", dns)
		}
		in["PrivateDnsEnabled"] = dns == "yes"
	}
	if gone := d.networkIDs("subnet", a.list("without-subnets")); len(gone) > 0 {
		in["RemoveSubnetId"] = anyList(gone)
	}
	if gone := d.networkIDs("group", a.list("without-groups")); len(gone) > 0 {
		in["RemoveSecurityGroupId"] = anyList(gone)
	}
	_, err = d.call(a, "ec2", "ModifyVpcEndpoint", t.region, in)
	return err
}

// deletesEndpoint: ACTOR deletes endpoint NAME
func (d *loader) deletesEndpoint(a *act) error {
	t, err := d.networkThing(a, "endpoint")
	if err != nil {
		return err
	}
	out, err := d.call(a, "ec2", "DeleteVpcEndpoints", t.region, map[string]any{"VpcEndpointId": []any{t.arn}})
	if failed, _ := out["unsuccessful"].([]any); err == nil && len(failed) > 0 {
		return fmt.Errorf("%s was not deleted: %v", t.name, failed[0])
	}
	return err
}
