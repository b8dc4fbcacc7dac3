package ec2

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/unjam/unjam/lab/cloud"
)

// groupOps are the reads and writes of security groups.
func (s *Service) groupOps(ops map[string]*cloud.Op) {
	ops["DescribeSecurityGroups"] = describe(s, kind[Group]{
		ids: "GroupId", set: "securityGroupInfo", code: "InvalidGroup.NotFound", what: "security group",
		table: func(s *Service) *table[Group] { return &s.groups }, id: func(g Group) string { return g.ID },
		fields: func(g Group) map[string][]string {
			return tagFields(g.Name, map[string][]string{"group-id": one(g.ID), "group-name": one(g.Name), "vpc-id": one(g.VPC), "description": one(g.Description)})
		},
		show: func(r *cloud.Request, g Group) map[string]any {
			return map[string]any{"groupId": g.ID, "groupName": g.Name, "groupDescription": g.Description, "vpcId": g.VPC, "ownerId": r.Account(),
				"ipPermissions": permissions(r, g.In), "ipPermissionsEgress": permissions(r, g.Out), "tagSet": tagsOf(g.Name)}
		},
	})
	ops["DescribeSecurityGroupRules"] = &cloud.Op{ReadOnly: true, Do: s.describeRules}
	for name, do := range map[string]func(*cloud.Request, bool) (map[string]any, error){"Authorize": s.authorize, "Revoke": s.revoke} {
		for dir, egress := range map[string]bool{"Ingress": false, "Egress": true} {
			ops[name+"SecurityGroup"+dir] = &cloud.Op{
				Access: func(r *cloud.Request) []cloud.Access {
					return []cloud.Access{need(r, "security-group", r.Str("GroupId"))}
				},
				Do: func(r *cloud.Request) (map[string]any, error) { return do(r, egress) },
			}
		}
	}
}

// permissions joins rules of one protocol and port range, as DescribeSecurityGroups shows them.
func permissions(r *cloud.Request, rules []Rule) []any {
	var all []any
	at := map[string]map[string]any{}
	for _, x := range rules {
		k := fmt.Sprint(x.Protocol, x.From, x.To)
		m := at[k]
		if m == nil {
			m = map[string]any{"ipProtocol": x.Protocol, "ipRanges": []any{}, "groups": []any{}, "ipv6Ranges": []any{}, "prefixListIds": []any{}}
			if x.Protocol != "-1" {
				m["fromPort"], m["toPort"] = x.From, x.To
			}
			at[k], all = m, append(all, m)
		}
		switch {
		case x.Group != "":
			m["groups"] = append(m["groups"].([]any), described(map[string]any{"groupId": x.Group, "userId": r.Account()}, x.Text))
		default:
			m["ipRanges"] = append(m["ipRanges"].([]any), described(map[string]any{"cidrIp": x.CIDR}, x.Text))
		}
	}
	if all == nil {
		all = []any{}
	}
	return all
}

func described(m map[string]any, text string) map[string]any {
	if text != "" {
		m["description"] = text
	}
	return m
}

// groupRule is a rule with where it stands.
type groupRule struct {
	group  Group
	egress bool
	Rule
}

func (s *Service) describeRules(r *cloud.Request) (map[string]any, error) {
	var all []groupRule
	for _, g := range s.groups.seen(s.c, r.Account(), r.Region) {
		for _, x := range g.In {
			all = append(all, groupRule{g, false, x})
		}
		for _, x := range g.Out {
			all = append(all, groupRule{g, true, x})
		}
	}
	ids := texts(r.In["SecurityGroupRuleId"])
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(x groupRule) bool { return x.ID == id }) {
			return nil, missing("InvalidSecurityGroupRuleId.NotFound", "security group rule ID", id)
		}
	}
	fs, err := filtersOf(r, "")
	if err != nil {
		return nil, err
	}
	for _, f := range fs {
		if f.name != "group-id" && f.name != "security-group-rule-id" {
			return nil, cloud.Errorf("InvalidParameterValue", "The filter '%s' is invalid", f.name)
		}
	}
	all = slices.DeleteFunc(all, func(x groupRule) bool {
		have := map[string][]string{"group-id": one(x.group.ID), "security-group-rule-id": one(x.ID)}
		return len(ids) > 0 && !slices.Contains(ids, x.ID) || slices.ContainsFunc(fs, func(f filter) bool { return !f.fits(have[f.name]) })
	})
	page, next, err := cut(s.c, r, all, "SecurityGroupRuleId", 0)
	if err != nil {
		return nil, err
	}
	shown := []any{}
	for _, x := range page {
		shown = append(shown, showRule(r, x))
	}
	return withNext(map[string]any{"securityGroupRuleSet": shown}, next), nil
}

func showRule(r *cloud.Request, x groupRule) map[string]any {
	m := described(map[string]any{"securityGroupRuleId": x.ID, "groupId": x.group.ID, "groupOwnerId": r.Account(), "isEgress": x.egress, "ipProtocol": x.Protocol,
		"fromPort": x.From, "toPort": x.To}, x.Text)
	if x.Group != "" {
		m["referencedGroupInfo"] = map[string]any{"groupId": x.Group, "userId": r.Account()}
	} else {
		m["cidrIpv4"] = x.CIDR
	}
	return m
}

// permission is a rule as a request writes it: the member of the list, or the request itself.
func permission(m map[string]any) ([]Rule, error) {
	r := &cloud.Request{In: m}
	base := Rule{Protocol: r.Str("IpProtocol"), From: r.Int("FromPort", -1), To: r.Int("ToPort", -1)}
	switch base.Protocol {
	case "":
		return nil, missingParameter("ipProtocol")
	case "6":
		base.Protocol = "tcp"
	case "17":
		base.Protocol = "udp"
	}
	if base.Protocol == "-1" {
		base.From, base.To = -1, -1
	} else if base.Protocol != "icmp" && (base.From < 0 || base.To > 65535 || base.From > base.To) {
		return nil, cloud.Errorf("InvalidParameterValue", "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
	}
	var all []Rule
	for _, x := range append(r.List("IpRanges"), map[string]any{"CidrIp": m["CidrIp"]}) {
		one, _ := x.(map[string]any)
		cidr, _ := one["CidrIp"].(string)
		if cidr == "" {
			continue
		}
		if _, err := netip.ParsePrefix(cidr); err != nil {
			return nil, cloud.Errorf("InvalidParameterValue", "CIDR block %s is malformed", cidr)
		}
		rule := base
		rule.CIDR = cidr
		rule.Text, _ = one["Description"].(string)
		all = append(all, rule)
	}
	for _, x := range append(r.List("Groups"), r.List("UserIdGroupPairs")...) {
		one, _ := x.(map[string]any)
		rule := base
		rule.Group, _ = one["GroupId"].(string)
		rule.Text, _ = one["Description"].(string)
		all = append(all, rule)
	}
	if len(all) == 0 {
		return nil, missingParameter("ipRanges")
	}
	return all, nil
}

// change reads what a call is about: its group and the rules it names.
func (s *Service) change(r *cloud.Request) (Group, []Rule, error) {
	if err := required(r, "GroupId"); err != nil {
		return Group{}, nil, err
	}
	g, ok := s.groups.get(key(r, r.Str("GroupId")))
	if !ok {
		return Group{}, nil, missing("InvalidGroup.NotFound", "security group", r.Str("GroupId"))
	}
	list := r.List("IpPermissions")
	if list == nil && r.Str("IpProtocol") != "" {
		list = []any{r.In}
	}
	var rules []Rule
	for _, x := range list {
		m, _ := x.(map[string]any)
		some, err := permission(m)
		if err != nil {
			return Group{}, nil, err
		}
		rules = append(rules, some...)
	}
	return g, rules, nil
}

func same(a, b Rule) bool {
	a.ID, a.Text, b.ID, b.Text = "", "", "", ""
	return a == b
}

func (s *Service) authorize(r *cloud.Request, egress bool) (map[string]any, error) {
	g, rules, err := s.change(r)
	if err != nil {
		return nil, err
	}
	if len(rules) == 0 {
		return nil, missingParameter("ipPermissions")
	}
	list := slices.Clone(g.In)
	if egress {
		list = slices.Clone(g.Out)
	}
	shown := []any{}
	for _, x := range rules {
		if slices.ContainsFunc(list, func(y Rule) bool { return same(x, y) }) {
			return nil, cloud.Errorf("InvalidPermission.Duplicate", "the specified rule \"peer: %s%s, %s, from port: %d, to port: %d, ALLOW\" already exists", x.CIDR, x.Group, x.Protocol, x.From, x.To)
		}
		x.ID = s.nextID("sgr")
		list = append(list, x)
		shown = append(shown, showRule(r, groupRule{g, egress, x}))
	}
	s.setRules(r, g, egress, list)
	return map[string]any{"return": true, "securityGroupRuleSet": shown}, nil
}

func (s *Service) setRules(r *cloud.Request, g Group, egress bool, list []Rule) {
	if egress {
		g.Out = list
	} else {
		g.In = list
	}
	s.groups.put(s.c, key(r, g.ID), g)
}

func (s *Service) revoke(r *cloud.Request, egress bool) (map[string]any, error) {
	g, rules, err := s.change(r)
	if err != nil {
		return nil, err
	}
	list := slices.Clone(g.In)
	if egress {
		list = slices.Clone(g.Out)
	}
	ids := texts(r.In["SecurityGroupRuleId"])
	if len(rules)+len(ids) == 0 {
		return nil, missingParameter("ipPermissions")
	}
	for _, x := range rules {
		at := slices.IndexFunc(list, func(y Rule) bool { return same(x, y) })
		if at < 0 {
			return nil, cloud.Errorf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		list = slices.Delete(list, at, at+1)
	}
	for _, id := range ids {
		at := slices.IndexFunc(list, func(y Rule) bool { return y.ID == id })
		if at < 0 {
			return nil, missing("InvalidSecurityGroupRuleId.NotFound", "security group rule ID", id)
		}
		list = slices.Delete(list, at, at+1)
	}
	s.setRules(r, g, egress, list)
	return done(), nil
}
