package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
	"github.com/unjam/unjam/internal/report"
)

// besideWorld has a connection that waits, one that serves, and a role that may read pipelines and connections but nothing beside them.
const besideWorld = `# A connection that more than a pipeline waits for
account 111111111111 alias=acme-prod regions=eu-west-1,us-west-1
github acme owner=olga members=ada repos=acme/web,acme/docs
role Admin allow=*
role Reader allow=codepipeline:*,read-connections,cloudtrail:*,iam:*,account:*,config:*,cloudformation:*,servicequotas:*,ec2:*,health:*,access-analyzer:*,organizations:*
user robot allow=sts:AssumeRole
caller ada role=Admin session=ada@acme.example agent=console
caller robot you user=robot
set iam-lag=0s
-60d ada creates connection docs-github provider=GitHub
-60d ada completes handshake docs-github as=olga org=acme
-60d ada creates pipeline docs connection=docs-github repo=acme/docs stages=Build
-9d ada creates connection team-github provider=GitHub
-9d ada creates pipeline web connection=team-github repo=acme/web stages=Build
`

const tokenCanary = "CANARY-ghp-77c1" // a secret in the replies: it must appear nowhere

// beside stands before the lab and answers for the services beside pipelines: with one user of every kind in eu-west-1, or as refuse says.
type beside struct {
	lab     http.RoundTripper
	arn     string
	refuse  string // an operation that is denied
	mu      sync.Mutex
	asked   []string // "REGION SERVICE:OPERATION"
	besides map[string]string
}

func newBeside(lab http.RoundTripper, arn string) *beside {
	return &beside{lab: lab, arn: arn, besides: map[string]string{
		"codebuild:ListProjects":                 `{"projects":["web-ci"]}`,
		"codebuild:BatchGetProjects":             `{"projects":[{"name":"web-ci","arn":"arn:aws:codebuild:eu-west-1:111111111111:project/web-ci","webhook":{"secret":"` + tokenCanary + `"},"source":{"type":"GITHUB","location":"https://bot:` + tokenCanary + `@github.com/acme/web.git","auth":{"type":"CODECONNECTIONS","resource":"ARN"}}}]}`,
		"codebuild:ListSourceCredentials":        `{"sourceCredentialsInfos":[{"arn":"arn:aws:codebuild:eu-west-1:111111111111:token/github","serverType":"GITHUB","authType":"CODECONNECTIONS","resource":"ARN"},{"arn":"arn:t","serverType":"BITBUCKET","authType":"SECRETS_MANAGER","resource":"` + tokenCanary + `"}]}`,
		"codeconnections:ListRepositoryLinks":    `{"RepositoryLinks":[{"ConnectionArn":"ARN","OwnerId":"acme","RepositoryName":"shop","RepositoryLinkId":"l1","RepositoryLinkArn":"arn:l1","ProviderType":"GitHub"}]}`,
		"codeconnections:ListSyncConfigurations": `{"SyncConfigurations":[{"Branch":"main","OwnerId":"acme","RepositoryName":"shop","RepositoryLinkId":"l1","ResourceName":"shop-prod","RoleArn":"arn:aws:iam::111111111111:role/Sync","SyncType":"CFN_STACK_SYNC","ProviderType":"GitHub"}]}`,
		"apprunner:ListServices":                 `{"ServiceSummaryList":[{"ServiceArn":"arn:aws:apprunner:eu-west-1:111111111111:service/api/1","ServiceName":"api","Status":"RUNNING"}]}`,
		"apprunner:DescribeService":              `{"Service":{"ServiceName":"api","SourceConfiguration":{"AuthenticationConfiguration":{"ConnectionArn":"ARN"},"CodeRepository":{"RepositoryUrl":"https://github.com/acme/api","CodeConfiguration":{"ConfigurationSource":"API","CodeConfigurationValues":{"Runtime":"NODEJS_18","RuntimeEnvironmentVariables":{"K":"` + tokenCanary + `"}}}}}}}`,
		"servicecatalog:SearchProductsAsAdmin":   `{"ProductViewDetails":[{"ProductARN":"arn:p","ProductViewSummary":{"Name":"vpc"},"SourceConnection":{"Type":"CODESTAR","ConnectionParameters":{"CodeStar":{"ConnectionArn":"ARN","Repository":"acme/products","Branch":"main","ArtifactPath":"vpc.json"}}}}]}`,
		"codeguru-reviewer:associations":         `{"RepositoryAssociationSummaries":[{"AssociationArn":"arn:a","Name":"web","Owner":"acme","ConnectionArn":"ARN","State":"Associated"}]}`,
	}}
}

func (b *beside) RoundTrip(r *http.Request) (*http.Response, error) {
	service, rest, _ := strings.Cut(r.URL.Host, ".")
	region, _, _ := strings.Cut(rest, ".")
	name := strings.TrimPrefix(r.URL.Path, "/")
	if t := r.Header.Get("X-Amz-Target"); t != "" {
		name = t[strings.LastIndex(t, ".")+1:]
	}
	key := service + ":" + name
	reply, known := b.besides[key]
	if !known {
		return b.lab.RoundTrip(r)
	}
	if r.Body != nil {
		r.Body.Close()
	}
	b.mu.Lock()
	b.asked = append(b.asked, region+" "+key)
	b.mu.Unlock()
	status := 200
	switch {
	case key == b.refuse:
		status, reply = 400, `{"__type":"AccessDeniedException","message":"User: arn:aws:sts::111111111111:assumed-role/OnCall/ada is not authorized to perform: `+key+` because no identity-based policy allows the `+key+` action"}`
	case region != "eu-west-1":
		reply = `{}` // nothing is there
	default:
		reply = strings.ReplaceAll(reply, "ARN\"", b.arn+"\"")
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"X-Amzn-Requestid": {"beside"}},
		ContentLength: int64(len(reply)), Body: io.NopCloser(strings.NewReader(reply)), Request: r}, nil
}

// handshake is the plan's step for a person, and its notes.
func handshake(t *testing.T, d *app.Diagnosis) (plan.Step, string) {
	t.Helper()
	p, err := planner.Make(d.Snapshot, d.Outcome.Findings, faults.All(), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		if s.Kind == plan.Human {
			return s, strings.Join(p.Notes, "\n")
		}
	}
	t.Fatalf("the plan has no step for a person: %+v", p.Steps)
	return plan.Step{}, ""
}

var besideEffects = []string{
	"App Runner service api (eu-west-1) fetches github.com/acme/api over it from then on, and pushes deploy it",
	"CodeBuild project web-ci (eu-west-1) fetches github.com/acme/web over it from then on, and pushes start it",
	"CodeGuru Reviewer (eu-west-1) reviews the pull requests of acme/web from then on",
	"Service Catalog product vpc (eu-west-1) takes new versions from main of acme/products from then on",
	"every CodeBuild project in eu-west-1 with a GITHUB source and no credential of its own fetches over it from then on",
	"stack shop-prod (eu-west-1) follows main of acme/shop by Git sync from then on: pushes update it",
	"web can fetch acme/web from then on, and pushes may start it",
}

// The plan names everything that waits for the connection beside pipelines; one refused read costs its own kind and nothing else, and the plan
// says which, with the permission. No secret of the replies comes through, and no verdict changes.
func TestBeside(t *testing.T) {
	lost := map[string]int{ // what each refusal costs
		"": 0, "codebuild:ListProjects": 1, "codebuild:BatchGetProjects": 1, "codebuild:ListSourceCredentials": 1, "codeconnections:ListRepositoryLinks": 1,
		"codeconnections:ListSyncConfigurations": 1, "apprunner:ListServices": 1, "apprunner:DescribeService": 1, "servicecatalog:SearchProductsAsAdmin": 1,
	}
	for refuse, n := range lost {
		t.Run("without "+refuse, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(t, "beside", []byte(besideWorld))
				over := newBeside(s.lab, s.world.ARN("team-github"))
				over.refuse = refuse
				d := diagnose(t, s.openAs(t, reader, over), "web")
				step, notes := handshake(t, d)
				var got []string
				for _, e := range step.Blast {
					got = append(got, e.What)
					if e.Production != strings.Contains(e.What, "shop-prod") {
						t.Errorf("%q: production %v", e.What, e.Production)
					}
				}
				slices.Sort(got)
				if refuse == "" && !slices.Equal(got, besideEffects) {
					t.Errorf("effects\n%s", strings.Join(got, "\n"))
				}
				same := 0
				for _, e := range got {
					if slices.Contains(besideEffects, e) {
						same++
					}
				}
				if same != len(besideEffects)-n {
					t.Errorf("%d effects are as without the refusal\n%s", same, strings.Join(got, "\n"))
				}
				if named := strings.Contains(notes, "Not seen: ") && strings.Contains(notes, "("+refuse+")"); named != (refuse != "") {
					t.Errorf("notes: %s", notes)
				}
				if v := verdicts(d.Report)["connection-pending"]; v != "found" || d.Report.Findings[0].Cause.Code != "handshake-never-attempted" {
					t.Errorf("verdict %s\n%s", v, words(d.Report))
				}
				var out bytes.Buffer
				if err := report.JSON(&out, d.Report); err != nil {
					t.Fatal(err)
				}
				step.Say = nil
				b, err := json.Marshal([]any{step, notes, slices.Collect(fact.All[fact.ConnectionUser](d.Snapshot))})
				if err != nil {
					t.Fatal(err)
				}
				if text := out.String() + string(b); strings.Contains(text, tokenCanary) {
					t.Errorf("a secret came through: %s", text)
				}
			})
		})
	}
}

// Where nothing waits, none of it is asked, nor with --quick; where something waits, it is asked in the Regions of the question and where pipelines
// use the connection, once each.
func TestBesideAsks(t *testing.T) {
	for name, c := range map[string]struct {
		acts   []string
		target string
		quick  bool
		asked  []string // Regions
	}{
		"healthy pipeline":          {target: "docs"},
		"completed meanwhile":       {acts: []string{"ada completes handshake team-github as=olga org=acme"}},
		"quick":                     {target: "web", quick: true},
		"waiting":                   {target: "web", asked: []string{"eu-west-1"}},
		"waiting in another Region": {acts: []string{"ada creates pipeline far connection=team-github repo=acme/web stages=Build region=us-west-1"}, target: "web", asked: []string{"eu-west-1", "us-west-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(t, "beside", []byte(besideWorld))
				for _, act := range c.acts {
					if err := s.world.Act(act); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Hour) // an hour later
				over := newBeside(s.lab, s.world.ARN("team-github"))
				if _, err := s.openAs(t, reader, over).Diagnose(t.Context(), app.Ask{Targets: target(t, c.target), Quick: c.quick}, faults.All(), nil); err != nil {
					t.Fatal(err)
				}
				regions := map[string]bool{}
				calls := map[string]int{}
				for _, x := range over.asked {
					region, op, _ := strings.Cut(x, " ")
					if op == "codebuild:BatchGetProjects" { // a lens may look at a project that a pipeline names
						continue
					}
					regions[region] = true
					if calls[x]++; calls[x] > 1 {
						t.Errorf("%s was asked twice", x)
					}
				}
				if len(regions) != len(c.asked) {
					t.Errorf("asked %v", over.asked)
				}
				for _, r := range c.asked {
					if !regions[r] || calls[r+" codebuild:ListProjects"] != 1 || calls[r+" codeconnections:ListRepositoryLinks"] != 1 {
						t.Errorf("%s: asked %v", r, over.asked)
					}
				}
				if regions["us-west-1"] && calls["us-west-1 apprunner:ListServices"] > 0 {
					t.Error("App Runner is not in us-west-1")
				}
			})
		})
	}
}

// A fresh session that may not read them waits for none of them.
func TestBesideFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, "beside", []byte(besideWorld))
		over := newBeside(s.lab, s.world.ARN("team-github"))
		over.refuse = "apprunner:ListServices"
		a := s.openAs(t, reader, over)
		start := time.Now()
		d := diagnose(t, a, "web")
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v\n%s", took, words(d.Report))
		}
	})
}
