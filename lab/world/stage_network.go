package world

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/ec2"
)

// server is a self-managed server that says where it stands.
type server struct {
	address string
	groups  []string // names
}

// place finds account and Region of a line about a network.
func (d *loader) place(l *line) (account, region string, err error) {
	if account, err = d.accountOf(l); err != nil {
		return "", "", err
	}
	return account, l.opt("region", d.regions[account]), nil
}

// newNetworkName takes the name of a network thing; it stands for the thing's ID from then on.
func (d *loader) newNetworkName(l *line, kind string) (string, error) {
	name, err := l.word("the name of the " + kind)
	if err != nil {
		return "", err
	}
	if _, twice := d.w.arns[name]; twice {
		return "", fmt.Errorf("the name %s is taken", name)
	}
	l.subject = name
	return name, nil
}

func (d *loader) keepNetwork(kind, name, id, account, region string) {
	d.keep(&thing{kind: kind, name: name, arn: id, account: account, region: region})
}

// part is a network thing that a line names.
func (d *loader) part(kind, name string) (*thing, error) {
	t := d.things[name]
	if t == nil || t.kind != kind {
		return nil, fmt.Errorf("there is no %s called %q by then", kind, name)
	}
	return t, nil
}

// parts are the IDs of what a list names; what the world does not name is taken as an ID.
func (d *loader) networkIDs(kind string, names []string) []string {
	var all []string
	for _, n := range names {
		if t, err := d.part(kind, n); err == nil {
			n = t.arn
		}
		all = append(all, n)
	}
	return all
}

// inVPC reads vpc=.
func (d *loader) inVPC(l *line) (*thing, error) { return d.part("vpc", l.opt("vpc", "")) }

// addVPC: vpc NAME cidr= [dns=] [dns-support=no] [region=] [account=]
func (d *loader) addVPC(l *line) error {
	name, err := d.newNetworkName(l, "VPC")
	if err != nil {
		return err
	}
	account, region, err := d.place(l)
	if err != nil {
		return err
	}
	v, err := d.lab.Network.AddVPC(account, region, name, ec2.VPCSpec{CIDR: l.opt("cidr", ""), DNS: l.list("dns"), NoDNSSupport: l.opt("dns-support", "yes") == "no"})
	if err == nil {
		d.keepNetwork("vpc", name, v.ID, account, region)
	}
	return err
}

// addSubnet: subnet NAME vpc= cidr= zone= [routes=server|nat|internet|none]
func (d *loader) addSubnet(l *line) error {
	name, err := d.newNetworkName(l, "subnet")
	if err != nil {
		return err
	}
	v, err := d.inVPC(l)
	if err != nil {
		return err
	}
	routes, err := d.routes(l.opt("routes", "server"))
	if err != nil {
		return err
	}
	zone := l.opt("zone", "")
	if len(zone) == 1 {
		zone = v.region + zone
	}
	if !strings.HasPrefix(zone, v.region) {
		return fmt.Errorf("zone= is a letter, or a zone of %s such as %sa", v.region, v.region)
	}
	n, err := d.lab.Network.AddSubnet(v.account, v.region, name, v.arn, l.opt("cidr", ""), zone, routes...)
	if err != nil {
		return err
	}
	d.keepNetwork("subnet", name, n.ID, v.account, v.region)
	for _, s := range d.servers {
		d.lab.Network.AddServer(v.account, v.region, s.address, d.networkIDs("group", s.groups))
	}
	return nil
}

// routes are where a subnet leads beside its VPC: to the servers, private addresses through a virtual private gateway and
// all others through a NAT gateway; to the internet; nowhere.
func (d *loader) routes(kind string) ([]ec2.Route, error) {
	out := ec2.Route{CIDR: "0.0.0.0/0", Target: "nat"}
	switch kind {
	case "nat":
		return []ec2.Route{out}, nil
	case "internet":
		return []ec2.Route{{CIDR: "0.0.0.0/0", Target: "igw"}}, nil
	case "none":
		return nil, nil
	case "server":
		all := []ec2.Route{out}
		seen := map[string]bool{}
		for _, s := range d.servers {
			net := s.address[:strings.LastIndexByte(s.address, '.')+1] + "0/24"
			if !seen[net] {
				all = append(all, ec2.Route{CIDR: net, Target: "vgw"})
			}
			seen[net] = true
		}
		return all, nil
	}
	return nil, fmt.Errorf("routes= is server, nat, internet or none, not %q", kind)
}

// addGroup: group NAME vpc= [in=] [out=]
func (d *loader) addGroup(l *line) error {
	name, err := d.newNetworkName(l, "security group")
	if err != nil {
		return err
	}
	v, err := d.inVPC(l)
	if err != nil {
		return err
	}
	in, err := d.rules(l.opt("in", "none"))
	if err != nil {
		return fmt.Errorf("in=: %w", err)
	}
	out, err := d.rules(l.opt("out", "all"))
	if err != nil {
		return fmt.Errorf("out=: %w", err)
	}
	g, err := d.lab.Network.AddGroup(v.account, v.region, name, v.arn, in, out)
	if err == nil {
		d.keepNetwork("group", name, g.ID, v.account, v.region)
	}
	return err
}

// rules reads 443@10.0.0.0/16,22@bastion: ports, and where they lead; none for no rule.
func (d *loader) rules(text string) ([]ec2.Rule, error) {
	var all []ec2.Rule
	for _, item := range commas(text) {
		if item == "none" {
			continue
		}
		ports, where, _ := strings.Cut(item, "@")
		from, to, err := portRange(ports)
		if err != nil {
			return nil, err
		}
		r := ec2.Rule{Protocol: "tcp", From: from, To: to, CIDR: where}
		if ports == "all" {
			r.Protocol, r.From, r.To = "-1", -1, -1
		}
		if where == "" {
			r.CIDR = "0.0.0.0/0"
		} else if !strings.Contains(where, "/") {
			g, err := d.part("group", where)
			if err != nil {
				return nil, err
			}
			r.CIDR, r.Group = "", g.arn
		}
		all = append(all, r)
	}
	return all, nil
}

// portRange reads 443, 1024-65535 or all.
func portRange(text string) (from, to int, err error) {
	if text == "all" {
		return 0, 65535, nil
	}
	first, last, two := strings.Cut(text, "-")
	if !two {
		last = first
	}
	from, err = strconv.Atoi(first)
	if err == nil {
		to, err = strconv.Atoi(last)
	}
	if err != nil || from < 0 || to > 65535 || from > to {
		return 0, 0, fmt.Errorf("%q are no ports: write 443, 1024-65535 or all", text)
	}
	return from, to, nil
}

// addNACL: nacl NAME vpc= subnets= [in=] [out=]
func (d *loader) addNACL(l *line) error {
	name, err := d.newNetworkName(l, "network ACL")
	if err != nil {
		return err
	}
	v, err := d.inVPC(l)
	if err != nil {
		return err
	}
	for _, n := range l.list("subnets") {
		if _, err := d.part("subnet", n); err != nil {
			return err
		}
	}
	var entries []ec2.Entry
	for key, egress := range map[string]bool{"in": false, "out": true} {
		for i, item := range commas(l.opt(key, "all")) {
			e, err := entry(item, egress)
			if err != nil {
				return fmt.Errorf("%s=: %w", key, err)
			}
			e.Number = 100 * (i + 1)
			entries = append(entries, e)
		}
	}
	a, err := d.lab.Network.AddACL(v.account, v.region, name, v.arn, d.networkIDs("subnet", l.list("subnets")), entries)
	if err == nil {
		d.keepNetwork("nacl", name, a.ID, v.account, v.region)
	}
	return err
}

// entry reads [deny:]443[@10.0.0.0/16].
func entry(item string, egress bool) (ec2.Entry, error) {
	rest, deny := strings.CutPrefix(item, "deny:")
	ports, where, _ := strings.Cut(rest, "@")
	from, to, err := portRange(ports)
	if where == "" {
		where = "0.0.0.0/0"
	}
	e := ec2.Entry{Egress: egress, Allow: !deny, Protocol: "6", From: from, To: to, CIDR: where}
	if ports == "all" {
		e.Protocol, e.From, e.To = "-1", 0, 0
	}
	return e, err
}

// addEndpoint: endpoint NAME vpc= service= [subnets=] [groups=] [policy=|allow=|deny=] [private-dns=no]
func (d *loader) addEndpoint(l *line) error {
	name, err := d.newNetworkName(l, "VPC endpoint")
	if err != nil {
		return err
	}
	v, err := d.inVPC(l)
	if err != nil {
		return err
	}
	doc, err := d.endpointPolicy(l)
	if err != nil {
		return err
	}
	e, err := d.lab.Network.AddEndpoint(v.account, v.region, name, v.arn, ec2.EndpointSpec{Service: l.opt("service", ""), Policy: doc,
		NoPrivateDNS: l.opt("private-dns", "yes") == "no", Subnets: d.networkIDs("subnet", l.list("subnets")), Groups: d.networkIDs("group", l.list("groups"))})
	if err == nil {
		d.keepNetwork("endpoint", name, e.ID, v.account, v.region)
	}
	return err
}

// endpointPolicy is a line's policy for an endpoint: statements that name no principal are for everybody.
func (d *loader) endpointPolicy(l *line) (string, error) {
	text, err := d.policyOf(l)
	if err != nil || text == "" {
		return "", err
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return "", fmt.Errorf("policy= is no JSON document: %w", err)
	}
	list, ok := doc["Statement"].([]any)
	if !ok {
		list = []any{doc["Statement"]}
	}
	for _, s := range list {
		if m, ok := s.(map[string]any); ok && m["Principal"] == nil && m["NotPrincipal"] == nil {
			m["Principal"] = "*"
		}
	}
	doc["Statement"] = list
	b, err := json.Marshal(doc)
	return string(b), err
}

// addServer notes where an organisation's server stands and what certificate it shows:
// [address=] [server-groups=] [tls=public|private-ca] [cert-expires=] [cert-name=]
func (d *loader) addServer(l *line, url string) error {
	c, err := d.certificate(l)
	if err != nil {
		return err
	}
	s := server{address: l.opt("address", ""), groups: l.list("server-groups")}
	if s.address != "" {
		if strings.Count(s.address, ".") != 3 {
			return fmt.Errorf("address= is an IPv4 address such as 10.0.9.10, not %q", s.address)
		}
		d.servers = append(d.servers, s)
	}
	d.lab.Git.Place(url, s.address, c)
	return nil
}

func (d *loader) certificate(l *line) (provider.Certificate, error) {
	c := provider.Certificate{Name: l.opt("cert-name", "")}
	switch tls := l.opt("tls", "public"); tls {
	case "public", "private-ca":
		c.Private = tls == "private-ca"
	default:
		return c, fmt.Errorf("tls= is public or private-ca, not %q", tls)
	}
	var err error
	if e := l.opt("cert-expires", ""); e != "" {
		c.Expires, err = d.offset(e)
	}
	return c, err
}

// placeOf is where a caller sits: vpc=NAME [only=yes], vpce=NAME, or the internet.
func (d *loader) placeOf(l *line) (cloud.Place, error) {
	var p cloud.Place
	if name := l.opt("vpc", ""); name != "" {
		v, err := d.part("vpc", name)
		if err != nil {
			return p, err
		}
		p.VPC = v.arn
	}
	if name := l.opt("vpce", ""); name != "" {
		e, err := d.part("endpoint", name)
		if err != nil {
			return p, err
		}
		p.Endpoint, p.VPC = e.arn, d.lab.Network.EndpointVPC(e.account, e.region, e.arn)
	}
	p.Only = l.opt("only", "no") == "yes"
	if p.Only && p.VPC == "" {
		return p, fmt.Errorf("only=yes goes with vpc= or vpce=")
	}
	return p, nil
}
