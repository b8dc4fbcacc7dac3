package collect

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

const networked = `# A network
account 111111111111 regions=eu-west-1
vpc core cidr=10.1.0.0/16 dns=10.1.0.53,10.1.1.53
vpc other cidr=10.2.0.0/16
group hosts vpc=core out=443@10.9.0.0/16
group servers vpc=core in=443@hosts
subnet core-a vpc=core cidr=10.1.1.0/24 zone=a
subnet core-b vpc=core cidr=10.1.2.0/24 zone=b routes=none
subnet other-a vpc=other cidr=10.2.1.0/24 zone=a
nacl edge vpc=core subnets=core-a out=443 in=deny:22,1024-65535
endpoint pipes vpc=core service=codepipeline allow=codepipeline:Get*
role Admin allow=*
caller ada you role=Admin
set page=2
`

// TestNetwork reads a VPC through the wire, with lists that come in pages: what judging needs of each thing is there, and nothing of the
// other VPC.
func TestNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lab.New()
		apimodel.Attach(t, l)
		w, err := world.Load(l, "network", []byte(networked), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		c := over(t, l, awsapi.Keys{ID: w.Default.AccessKeyID, Secret: w.Default.SecretAccessKey, Token: w.Default.SessionToken})
		at, id := scope("eu-west-1"), w.ARN("core")
		var queries []fact.Query
		for _, k := range []fact.Kind{fact.KindSubnet, fact.KindSecurityGroup, fact.KindNetworkACL, fact.KindRouteTable} {
			queries = append(queries, fact.Query{Scope: at, Kind: k, ID: id})
		}
		queries = append(queries, fact.Query{Scope: at, Kind: fact.KindDHCPOptions}, fact.Query{Scope: at, Kind: fact.KindEndpoint})
		s := ask(t, c, queries...)
		if len(s.Gaps()) > 0 {
			t.Fatalf("gaps %+v", s.Gaps())
		}
		if !slices.ContainsFunc(all[fact.DHCPOptions](s), func(o fact.DHCPOptions) bool { return slices.Equal(o.Servers, []string{"10.1.0.53", "10.1.1.53"}) }) {
			t.Errorf("DHCP options %+v", all[fact.DHCPOptions](s))
		}
		subnets := all[fact.Subnet](s)
		if len(subnets) != 2 || subnets[0].Zone == subnets[1].Zone || subnets[0].VPC != id || subnets[0].Free == 0 {
			t.Errorf("subnets %+v", subnets)
		}
		g, _ := fact.Get[fact.SecurityGroup](s, fact.Ref{Scope: at, Kind: fact.KindSecurityGroup, ID: w.ARN("hosts")})
		if len(g.Out) != 1 || g.Out[0].Protocol != "tcp" || g.Out[0].From != 443 || g.Out[0].To != 443 || !slices.Equal(g.Out[0].Blocks, []string{"10.9.0.0/16"}) {
			t.Errorf("group %+v", g)
		}
		if g, _ = fact.Get[fact.SecurityGroup](s, fact.Ref{Scope: at, Kind: fact.KindSecurityGroup, ID: w.ARN("servers")}); len(g.In) != 1 || !slices.Equal(g.In[0].Groups, []string{w.ARN("hosts")}) {
			t.Errorf("group %+v", g)
		}
		entries(t, s, at, w.ARN("edge"))
		routes(t, s, w.ARN("core-a"), w.ARN("core-b"))
		ends := all[fact.Endpoint](s)
		if len(ends) != 1 || ends[0].Service != "com.amazonaws.eu-west-1.codepipeline" || !ends[0].PrivateDNS || ends[0].VPC != id || ends[0].Policy == "" || ends[0].State != "available" {
			t.Errorf("endpoints %+v", ends)
		}
	})
}

// entries come in the order in which they count, with the last one that denies everything.
func entries(t *testing.T, s *fact.Snapshot, at fact.Scope, id string) {
	t.Helper()
	n, _ := fact.Get[fact.NetworkACL](s, fact.Ref{Scope: at, Kind: fact.KindNetworkACL, ID: id})
	var in []fact.ACLEntry
	for _, e := range n.Entries {
		if !e.Egress {
			in = append(in, e)
		}
	}
	if len(in) != 3 || in[0].Allow || in[0].From != 22 || !in[1].Allow || in[1].From != 1024 || in[1].To != 65535 || in[2].Allow || in[2].Protocol != "-1" || in[0].Number > in[1].Number {
		t.Errorf("entries %+v", in)
	}
	if len(n.Subnets) != 1 || n.Default {
		t.Errorf("ACL %+v", n)
	}
}

// routes lead where the world says.
func routes(t *testing.T, s *fact.Snapshot, open, closed string) {
	t.Helper()
	beyond := map[string]int{}
	for _, table := range all[fact.RouteTable](s) {
		for _, subnet := range table.Subnets {
			for _, r := range table.Routes {
				if r.Target != "local" && r.State == "active" && r.Block != "" && r.Target != "" {
					beyond[subnet]++
				}
			}
		}
	}
	if beyond[open] == 0 || beyond[closed] != 0 {
		t.Errorf("routes %v: want some from %s and none from %s", beyond, open, closed)
	}
}
