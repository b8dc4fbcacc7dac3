package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/world"
)

// stage is a world being played; every exchange is held against the official API models.
type stage struct {
	lab   *lab.Lab
	world *world.World
}

func play(tb testing.TB, name string, text []byte) *stage {
	tb.Helper()
	s := &stage{lab: lab.New()}
	apimodel.Attach(tb, s.lab)
	w, err := world.Load(s.lab, name, text, time.Now())
	if err != nil {
		tb.Fatalf("load world: %v", err)
	}
	s.world = w
	return s
}

// open opens an app for the world's `you`, over a transport; nil is the lab itself.
func (s *stage) open(tb testing.TB, over http.RoundTripper, regions ...string) *app.App {
	tb.Helper()
	if over == nil {
		over = s.lab
	}
	if len(regions) == 0 {
		regions = []string{s.world.DefaultRegion}
	}
	k := s.world.Default
	a, err := app.Open(tb.Context(), app.Config{
		Regions: regions, Home: tb.TempDir(), Transport: over,
		Keys: &awsapi.Keys{ID: k.AccessKeyID, Secret: k.SecretAccessKey, Token: k.SessionToken, Source: "StaticCredentials"},
	})
	if err != nil {
		tb.Fatalf("open session: %v", err)
	}
	tb.Cleanup(a.Close)
	return a
}

// set changes the lab under its lock.
func (s *stage) set(f func(*cloud.Cloud)) { s.lab.Cloud.Within(func() { f(s.lab.Cloud) }) }

// wasStruck reports whether an injection struck a call.
func (s *stage) wasStruck() bool {
	return slices.ContainsFunc(s.lab.Cloud.Ledger(), func(k cloud.Call) bool { return k.Injected != "" })
}

// target parses a TARGET as the command line does.
func target(tb testing.TB, text string) []fact.Target {
	tb.Helper()
	if text == "" {
		return nil
	}
	t, err := fact.ParseTarget(text)
	if err != nil {
		tb.Fatal(err)
	}
	return []fact.Target{t}
}

// diagnose diagnoses one target; "" is everything.
func diagnose(tb testing.TB, a *app.App, on string) *app.Diagnosis {
	tb.Helper()
	d, err := a.Diagnose(tb.Context(), app.Ask{Targets: target(tb, on)}, faults.All(), nil)
	if err != nil {
		tb.Fatalf("diagnose: %v", err)
	}
	return d
}

// words are a diagnosis in a few lines, for failure messages.
func words(d report.Diagnosis) string {
	var b strings.Builder
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "  %s %s cause=%s (%s) affects=%d\n", f.Code, f.Subject.Name, f.Cause.Code, f.Cause.Class, len(f.Affects))
	}
	for _, r := range d.Results {
		fmt.Fprintf(&b, "  %s %s %s\n", r.Region, r.Code, r.Verdict)
	}
	for _, g := range d.Gaps {
		fmt.Fprintf(&b, "  gap %s:%s %s %s %q blocks=%v\n", g.Service, g.Operation, g.About, g.Class, g.Why, g.Blocks)
	}
	fmt.Fprintf(&b, "  %d calls %v\n", d.Calls.Total, d.Calls.ByOperation)
	return b.String()
}

// size says how large an account is.
type size struct {
	regions   int // enabled ones
	pipelines int // in each Region; the first ones of the first Region are stuck
	stuck     int // of them wait for a connection
	elsewhere int // in every other Region so many wait for it too
}

// account writes a world of a size. The stuck connection is team-github, created three weeks ago and never completed.
func account(s size) []byte {
	names := []string{"eu-west-1"}
	for _, r := range []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-central-1", "eu-west-2", "eu-west-3", "eu-north-1",
		"ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "sa-east-1"} {
		if len(names) < s.regions {
			names = append(names, r)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Pipelines that wait for one connection
account 111111111111 alias=acme-prod regions=%[1]s
github acme owner=olga members=ada repos=acme/web,acme/docs
recorder regions=%[1]s
role Deployer allow=*
role AWSReservedSSO_OnCall_0123456789abcdef allow=codepipeline:*,connections,cloudtrail:LookupEvents,iam:Get*,iam:List*,iam:SimulatePrincipalPolicy,account:ListRegions,config:*,cloudformation:*,servicequotas:*,access-analyzer:*,ec2:Describe*,health:*,codebuild:*,organizations:*,apprunner:*,servicecatalog:*,codeguru-reviewer:*
caller deploy role=Deployer session=terraform agent=terraform
caller ada you role=AWSReservedSSO_OnCall_0123456789abcdef session=ada@acme.example
-60d deploy creates connection docs-github provider=GitHub
-60d deploy completes handshake docs-github as=olga org=acme
-21d deploy creates connection team-github provider=GitHub
`, strings.Join(names, ","))
	for r, region := range names {
		stuck := s.stuck
		if r > 0 {
			stuck = s.elsewhere
		}
		for i := range s.pipelines {
			connection, repo := "docs-github", "acme/docs"
			if i < stuck {
				connection, repo = "team-github", "acme/web"
			}
			fmt.Fprintf(&b, "-20d deploy creates pipeline p%04d region=%s connection=%s repo=%s stages=Build,Deploy-Production\n", i, region, connection, repo)
		}
	}
	return []byte(b.String())
}

// lost counts the gaps of what is there to be seen: an account without a recorder of AWS Config or a support plan lacks the source.
func lost(d report.Diagnosis) int {
	n := 0
	for _, g := range d.Gaps {
		if g.Class != fact.Missing {
			n++
		}
	}
	return n
}
