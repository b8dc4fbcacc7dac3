package triage_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/testkit"
)

// inVPC is a connection that waits on a host that is AVAILABLE in a VPC, and a pipeline that wants it; you may not do what deny says.
const inVPC = `# A connection on a host
account 111111111111 alias=acme-prod regions=eu-west-1
vpc core cidr=10.1.0.0/16
group hosts vpc=core out=443
ghes corp owner=gustav repos=corp/app url=https://git.corp.example address=10.9.0.10
subnet core-a vpc=core cidr=10.1.1.0/24 zone=a
nacl edge vpc=core subnets=core-a
role Admin allow=*
role You allow=* DENY
caller ada role=Admin session=ada
caller bert you role=You session=bert agent=cli
-20d ada creates host inner provider=ghes url=https://git.corp.example vpc=core subnets=core-a groups=hosts
-19d ada sets up inner as=gustav
-19d ada creates connection conn host=inner
-18d ada creates pipeline app connection=conn repo=corp/app stages=Build
`

// TestNetwork: the ruling on the network says what was read, or which read is missing.
func TestNetwork(t *testing.T) {
	cloud := `# A connection to GitHub.com
account 111111111111 alias=acme-prod regions=eu-west-1
github acme owner=olga repos=acme/app
role Admin allow=*
caller ada you role=Admin session=ada
-19d ada creates connection conn provider=GitHub
-18d ada creates pipeline app connection=conn repo=acme/app stages=Build
`
	for _, x := range []struct {
		name, text string
		code       fault.Code
		says       fault.Says
		why        string
	}{
		{"cloud provider", cloud, "connection-pending", fault.RuledOut, "AWS reaches GitHub.com by itself"},
		{"open way", inVPC, "connection-pending", fault.RuledOut, "let it through"},
		{"closed way", inVPC + "-1d ada closes hosts egress 443\n", "connection-pending", fault.ItIs, "no egress rule"},
		{"depends", inVPC + "-1d ada denies edge egress 443 at=10.9.0.0/24\n", "connection-pending", fault.Unseen, "depends on where the server"},
		{"subnets denied", strings.Replace(inVPC, "DENY", "deny=ec2:DescribeSubnets", 1), "connection-pending", fault.Unseen, "ec2:DescribeSubnets is missing"},
		{"hosts denied", strings.Replace(inVPC, "DENY", "deny=codeconnections:ListHosts,codestar-connections:ListHosts", 1), "connection-pending", fault.Unseen, "ListHosts is missing"},
		{"the server answers", inVPC + "-17d ada completes handshake conn as=gustav org=corp\n-16d ada updates app branch=gone\n-1d ada starts app\n", "connection-unusable", fault.RuledOut, "the server answered"},
		{"a build in a network", cloud + "-17d ada completes handshake conn as=olga org=acme\n-2d aws breaks stage app Build \"dial tcp 10.0.0.7:443: i/o timeout\"\n-1d ada starts app\n", "action-failed", fault.Unseen, "the text of app/Build/Build speaks of a network"},
		{"nothing failed", "account 111111111111 alias=acme-prod regions=eu-west-1\nrole Admin allow=*\ncaller ada you role=Admin session=ada\nquota connections=1\n-19d ada creates connection conn provider=GitHub\n-18d ada creates connection more provider=GitHub expect=LimitExceededException\n", "quota-reached", fault.RuledOut, "no action that was read has failed"},
		{"its own bucket", inVPC + "-17d ada completes handshake conn as=gustav org=corp\n-2d ada closes hosts egress 443\n-1d ada starts app\n", "host-not-ready", fault.ItIs, "security group"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := testkit.Start(t, x.name, []byte(strings.Replace(x.text, " DENY", "", 1)))
				d := c.Diagnose(t, faults.All()...)
				for _, f := range d.Report.Findings {
					if f.Code != x.code {
						continue
					}
					for _, r := range f.Triage {
						if r.Bucket == fault.Network {
							if r.Says != x.says || !strings.Contains(r.Why, x.why) {
								t.Errorf("%s: %s, want %s: %s", r.Says, r.Why, x.says, x.why)
							}
							return
						}
					}
				}
				t.Errorf("no ruling on the network of %s\n%s", x.code, testkit.Describe(d))
			})
		})
	}
}
