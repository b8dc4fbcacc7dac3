package netpath

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/fact"
)

// wide is a way on which nothing is closed: one subnet, one group, an ACL that allows everything, a default route.
func wide(address string) Way {
	w := Way{
		Host: fact.Host{VPC: "vpc-1", Subnets: []string{"subnet-1"}, Groups: []string{"sg-1"}}, Port: 443,
		Subnets: []fact.Subnet{{ID: "subnet-1", VPC: "vpc-1", Zone: "az1"}},
		Groups:  []fact.SecurityGroup{{ID: "sg-1", VPC: "vpc-1", Out: []fact.GroupRule{{Protocol: "-1", Blocks: []string{"0.0.0.0/0"}}}}},
		ACLs: []fact.NetworkACL{{ID: "acl-1", VPC: "vpc-1", Default: true, Entries: []fact.ACLEntry{
			{Number: 100, Egress: true, Allow: true, Protocol: "-1", Block: "0.0.0.0/0"}, {Number: 100, Allow: true, Protocol: "-1", Block: "0.0.0.0/0"},
			{Number: 32767, Egress: true, Protocol: "-1", Block: "0.0.0.0/0"}, {Number: 32767, Protocol: "-1", Block: "0.0.0.0/0"},
		}}},
		Tables: []fact.RouteTable{{ID: "rtb-1", VPC: "vpc-1", Main: true, Routes: []fact.Route{
			{Block: "10.1.0.0/16", Target: "local", State: "active"}, {Block: "0.0.0.0/0", Target: "nat-1", State: "active"},
		}}},
	}
	if address != "" {
		w.Address = netip.MustParseAddr(address)
	}
	return w
}

// TestObstacles closes a way in each manner: what is said to close it for sure, what may, and what does not.
func TestObstacles(t *testing.T) {
	tcp := func(n int, egress, allow bool, block string, from, to int) fact.ACLEntry {
		return fact.ACLEntry{Number: n, Egress: egress, Allow: allow, Protocol: "6", Block: block, From: from, To: to}
	}
	entries := func(w *Way, e ...fact.ACLEntry) { w.ACLs[0].Entries = append(e, w.ACLs[0].Entries...) }
	rule := func(w *Way, r ...fact.GroupRule) { w.Groups[0].Out = r }
	routes := func(w *Way, r ...fact.Route) { w.Tables[0].Routes = append(w.Tables[0].Routes[:1], r...) }
	for _, x := range []struct {
		name, address string
		change        func(*Way)
		cause         string // "" for nothing
		maybe         bool
	}{
		{"open", "", func(*Way) {}, "", false},
		{"open, address", "10.9.0.10", func(*Way) {}, "", false},
		{"group: no rule", "", func(w *Way) { rule(w) }, SecurityGroup, false},
		{"group: another port", "", func(w *Way) {
			rule(w, fact.GroupRule{Protocol: "tcp", From: 80, To: 80, Blocks: []string{"0.0.0.0/0"}})
		}, SecurityGroup, false},
		{"group: UDP", "", func(w *Way) {
			rule(w, fact.GroupRule{Protocol: "udp", From: 443, To: 443, Blocks: []string{"0.0.0.0/0"}})
		}, SecurityGroup, false},
		{"group: range", "", func(w *Way) {
			rule(w, fact.GroupRule{Protocol: "tcp", From: 400, To: 500, Blocks: []string{"0.0.0.0/0"}})
		}, "", false},
		{"group: IPv6 only", "", func(w *Way) { rule(w, fact.GroupRule{Protocol: "-1", Blocks: []string{"::/0"}}) }, SecurityGroup, true},
		{"group: a block, server unknown", "", func(w *Way) {
			rule(w, fact.GroupRule{Protocol: "tcp", From: 443, To: 443, Blocks: []string{"10.8.0.0/16"}})
		}, SecurityGroup, true},
		{"group: another block", "10.9.0.10", func(w *Way) {
			rule(w, fact.GroupRule{Protocol: "tcp", From: 443, To: 443, Blocks: []string{"10.8.0.0/16"}})
		}, SecurityGroup, false},
		{"group: its block", "10.9.0.10", func(w *Way) {
			rule(w, fact.GroupRule{Protocol: "tcp", From: 443, To: 443, Blocks: []string{"10.9.0.0/16"}})
		}, "", false},
		{"group: a group as peer", "", func(w *Way) { rule(w, fact.GroupRule{Protocol: "tcp", From: 443, To: 443, Groups: []string{"sg-9"}}) }, SecurityGroup, true},
		{"group: a second one allows", "", func(w *Way) {
			rule(w)
			w.Host.Groups = append(w.Host.Groups, "sg-2")
			w.Groups = append(w.Groups, fact.SecurityGroup{ID: "sg-2", Out: []fact.GroupRule{{Protocol: "-1", Blocks: []string{"0.0.0.0/0"}}}})
		}, "", false},
		{"group: a second one unread", "", func(w *Way) { rule(w); w.Host.Groups = append(w.Host.Groups, "sg-2") }, "", false},
		{"ACL: deny before allow", "", func(w *Way) { entries(w, tcp(50, true, false, "0.0.0.0/0", 443, 443)) }, NetworkACL, false},
		{"ACL: allow before deny", "", func(w *Way) {
			entries(w, tcp(40, true, true, "0.0.0.0/0", 443, 443), tcp(50, true, false, "0.0.0.0/0", 443, 443))
		}, "", false},
		{"ACL: another port", "", func(w *Way) { entries(w, tcp(50, true, false, "0.0.0.0/0", 22, 22)) }, "", false},
		{"ACL: all ports", "", func(w *Way) { entries(w, tcp(50, true, false, "0.0.0.0/0", 0, 0)) }, NetworkACL, false},
		{"ACL: a block, server unknown", "", func(w *Way) { entries(w, tcp(50, true, false, "10.9.0.0/16", 443, 443)) }, NetworkACL, true},
		{"ACL: its block", "10.9.0.10", func(w *Way) { entries(w, tcp(50, true, false, "10.9.0.0/16", 443, 443)) }, NetworkACL, false},
		{"ACL: another block", "10.9.0.10", func(w *Way) { entries(w, tcp(50, true, false, "10.8.0.0/16", 443, 443)) }, "", false},
		{"ACL: replies denied", "", func(w *Way) { entries(w, tcp(50, false, false, "0.0.0.0/0", 1024, 65535)) }, NetworkACL, false},
		{"ACL: some replies denied", "", func(w *Way) { entries(w, tcp(50, false, false, "0.0.0.0/0", 49152, 65535)) }, NetworkACL, false},
		{"ACL: replies to 443 only", "", func(w *Way) {
			w.ACLs[0].Entries = []fact.ACLEntry{tcp(100, true, true, "0.0.0.0/0", 443, 443), tcp(100, false, true, "0.0.0.0/0", 443, 443)}
		}, NetworkACL, false},
		{"ACL: just enough", "", func(w *Way) {
			w.ACLs[0].Entries = []fact.ACLEntry{tcp(100, true, true, "0.0.0.0/0", 443, 443), tcp(100, false, true, "0.0.0.0/0", 1024, 65535)}
		}, "", false},
		{"ACL: of another subnet", "", func(w *Way) {
			w.ACLs = append(w.ACLs, fact.NetworkACL{ID: "acl-2", Subnets: []string{"subnet-9"}})
		}, "", false},
		{"ACL: its own, empty", "", func(w *Way) {
			w.ACLs = append(w.ACLs, fact.NetworkACL{ID: "acl-2", Subnets: []string{"subnet-1"}})
		}, NetworkACL, false},
		{"route: local only, server unknown", "", func(w *Way) { routes(w) }, Route, true},
		{"route: local only, server outside", "10.9.0.10", func(w *Way) { routes(w) }, Route, false},
		{"route: local only, server inside", "10.1.9.10", func(w *Way) { routes(w) }, "", false},
		{"route: black hole", "", func(w *Way) { routes(w, fact.Route{Block: "0.0.0.0/0", Target: "nat-1", State: "blackhole"}) }, Route, false},
		{"route: one of two a black hole, server unknown", "", func(w *Way) {
			routes(w, fact.Route{Block: "0.0.0.0/0", Target: "nat-1", State: "active"}, fact.Route{Block: "10.9.0.0/16", Target: "pcx-1", State: "blackhole"})
		}, Route, true},
		{"route: the most specific counts", "10.9.0.10", func(w *Way) {
			routes(w, fact.Route{Block: "0.0.0.0/0", Target: "nat-1", State: "active"}, fact.Route{Block: "10.9.0.0/16", Target: "pcx-1", State: "blackhole"})
		}, Route, false},
		{"route: a more specific one helps", "10.9.0.10", func(w *Way) {
			routes(w, fact.Route{Block: "10.0.0.0/8", Target: "pcx-1", State: "blackhole"}, fact.Route{Block: "10.9.0.0/24", Target: "tgw-1", State: "active"})
		}, "", false},
		{"route: a prefix list", "10.9.0.10", func(w *Way) { routes(w, fact.Route{Block: "pl-1", Target: "tgw-1", State: "active"}) }, "", false},
	} {
		w := wide(x.address)
		x.change(&w)
		all := w.Obstacles()
		switch {
		case x.cause == "" && len(all) > 0:
			t.Errorf("%s: %s, want nothing", x.name, all[0].Text)
		case x.cause != "" && len(all) == 0:
			t.Errorf("%s: nothing, want %s", x.name, x.cause)
		case x.cause != "" && (all[0].Cause != x.cause || all[0].Maybe != x.maybe):
			t.Errorf("%s: %s maybe=%v (%s), want %s maybe=%v", x.name, all[0].Cause, all[0].Maybe, all[0].Text, x.cause, x.maybe)
		}
	}
}

// TestObstaclesAreNamed: what is said names the thing, so that somebody can go and look.
func TestObstaclesAreNamed(t *testing.T) {
	w := wide("")
	w.ACLs[0].Entries = append([]fact.ACLEntry{{Number: 50, Egress: true, Protocol: "6", Block: "0.0.0.0/0", From: 443, To: 443}}, w.ACLs[0].Entries...)
	o := w.Obstacles()[0]
	for _, want := range []string{"acl-1", "subnet-1", "rule 50", "443"} {
		if !strings.Contains(o.Text, want) {
			t.Errorf("%q lacks %q", o.Text, want)
		}
	}
	if o.Event != "CreateNetworkAclEntry" {
		t.Errorf("the event is %s", o.Event)
	}
}
