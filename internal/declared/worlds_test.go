package declared_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/testkit"
)

const people = `
account 111111111111 alias=acme-prod regions=eu-west-1,us-east-1
ghes acme-inner owner=gustav members=ada repos=acme-inner/web url=https://ghes.acme.example admin=gustav
github acme owner=olga members=ada repos=acme/web
role Admin allow=*
role Cfn for=cloudformation allow=*
caller ada you role=Admin session=ada@acme.example agent=console
`

// hosted is a host on which a connection stands that a pipeline of another Region uses.
const hosted = "# A host" + people + `
-9d ada creates host inner url=https://ghes.acme.example provider=GitHubEnterpriseServer
-8d ada creates connection inner-conn host=inner provider=GitHubEnterpriseServer tags=owner:platform,cost:42
-7d ada creates pipeline web connection=inner-conn repo=acme-inner/web stages=Build
-7d ada creates pipeline far connection=inner-conn repo=acme-inner/web stages=Build region=us-east-1
`

// deployed is a pipeline that deploys a stack after a build.
const deployed = "# A stack" + people + `
stack shop resources=Jobs:AWS::SQS::Queue
project web-build
-9d ada creates connection team-github provider=GitHub
-9d ada completes handshake team-github as=olga org=acme
-8d ada creates pipeline web connection=team-github repo=acme/web stages=Build,Deploy:CloudFormation stack=shop stack-role=Cfn
`

// elsewhere is a pipeline that deploys a stack of another account.
const elsewhere = "# A stack elsewhere" + people + `
account 222222222222 alias=acme-live regions=eu-west-1
stack shop account=acme-live resources=Jobs:AWS::SQS::Queue
role Release account=acme-live allow=cloudformation:*,s3:GetObject,iam:PassRole trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole"}]}'
-9d ada creates connection team-github provider=GitHub
-9d ada completes handshake team-github as=olga org=acme
-9d ada grants CodePipelineServiceRole allow=sts:AssumeRole name=far
-8d ada creates pipeline web connection=team-github repo=acme/web stages=Deploy:CloudFormation stack=shop deploy-role=Release
`

// TestSubjects plays worlds on the lab: every sort of subject finds its own and every list holds what belongs to it. What a rule asks
// for is what its fault says that it reads.
func TestSubjects(t *testing.T) {
	for _, c := range []struct {
		name, world, of, reads, when, args string
		want                               fault.Verdict
		affects                            int
	}{
		{"a pipeline's state and runs", deployed, "pipeline", "pipeline-state, execution, action", `states.size() == 1 && states[0].name == subject.name && executions.size() > 0 && executions[0].pipeline == "web" && runs.exists(r, r.action != "" && r.status == "Succeeded")`, "", fault.Found, 0},
		{"a pipeline's connections", deployed, "pipeline", "connection", `connections.size() == 1 && connections[0].name == "team-github" && connections[0].status == "AVAILABLE"`, "", fault.Found, 0},
		{"a pipeline's host", hosted, "pipeline", "host", `hosts.size() == 1 && hosts[0].name == "inner" && hosts[0].status == "PENDING"`, "web", fault.Found, 0},
		{"a pipeline's projects", deployed, "pipeline", "project", `projects.exists(p, p.role != "")`, "web", fault.Found, 0},
		{"a pipeline's stacks", deployed, "pipeline", "stack-state", `stacks.exists(s, s.status.endsWith("_COMPLETE"))`, "web", fault.Found, 0},
		{"a pipeline that is not asked about", hosted, "pipeline", "", `subject.name == "far"`, "web", fault.Clear, 0},
		{"a connection's users everywhere", hosted, "connection", "pipeline, pipeline-state", `pipelines.map(p, p.about.scope.region) == ["eu-west-1", "us-east-1"] && states.size() == 2`, "", fault.Found, 2},
		{"a connection's tags", hosted, "connection", "tags", `tags.size() == 1 && tags[0].tags["cost"] == "42"`, "inner-conn", fault.Found, 0},
		{"a connection's host", hosted, "connection", "host", `hosts.all(h, h.provider != "GitHubEnterpriseServer")`, "", fault.Clear, 0},
		{"a host", hosted, "host", "", `subject.status == "PENDING"`, "", fault.Found, 0},
		{"a host's connections and their users", hosted, "host", "connection, pipeline, execution", `connections.size() == 1 && pipelines.size() == 2`, "", fault.Found, 2},
		{"a host by its connection", hosted, "host", "", `subject.endpoint == "https://ghes.acme.example"`, "inner-conn", fault.Found, 0},
		{"a stack and who deploys it", deployed, "stack", "pipeline, pipeline-state", `subject.status == "CREATE_COMPLETE" && pipelines.exists(p, p.name == "web") && states.size() == 1`, "", fault.Found, 1},
		{"a stack of another account", elsewhere, "stack", "", "true", "", fault.Unknown, 0},
		{"a pipeline's stack of another account", elsewhere, "pipeline", "stack-state", "stacks.size() == 0", "", fault.Unknown, 0},
		{"no stack", hosted, "stack", "", "true", "", fault.Clear, 0},
		{"no host", deployed, "host", "", "true", "", fault.Clear, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := rule(t, c.of, c.reads, c.when)
			judge := f.Diagnose
			f.Diagnose = func(s *fact.Snapshot) fault.Judgement {
				j := judge(s)
				for _, q := range slices.Concat(j.Needs, j.Helps) {
					if q.Kind != fact.KindOwnFault && !slices.Contains(f.Reads, q.Kind) {
						t.Errorf("it asks for %s and says that it reads %v", q.Kind, f.Reads)
					}
				}
				return j
			}
			synctest.Test(t, func(t *testing.T) {
				world := testkit.Start(t, c.name, []byte(c.world+"-- args --\n"+c.args+"\n"))
				d := world.Diagnose(t, f)
				if got := d.Report.Results[0].Verdict; got != c.want {
					t.Fatalf("%s, want %s\n%s", got, c.want, testkit.Describe(d))
				}
				if c.want == fault.Found && len(d.Report.Findings[0].Affects) != c.affects {
					t.Errorf("it affects %d, want %d\n%s", len(d.Report.Findings[0].Affects), c.affects, testkit.Describe(d))
				}
				for _, g := range d.Report.Gaps {
					if strings.Contains(g.Why, "could not judge") != (c.want == fault.Unknown) {
						t.Errorf("gap: %s", g.Why)
					}
				}
			})
		})
	}
}
