package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/world"
)

// kinds is everything that can become of one exchange with AWS.
func kinds() []string {
	return []string{lab.Denied, lab.Throttled, lab.Expired, lab.Reset, lab.Timeout, lab.HTML, lab.Half, lab.Unknown, lab.LostReply}
}

// goldenWorld has one stuck pipeline, another one on the same connection in another Region, and one that is well.
const goldenWorld = `# One connection that nobody completed; two pipelines wait for it, one is well
account 111111111111 alias=acme-prod regions=eu-west-1,us-east-1
github acme owner=olga members=ada repos=acme/web,acme/api,acme/docs
recorder regions=eu-west-1,us-east-1
role Deployer allow=*
role AWSReservedSSO_OnCall_0123456789abcdef allow=codepipeline:*,connections,cloudtrail:LookupEvents,iam:Get*,iam:List*,iam:SimulatePrincipalPolicy,account:ListRegions,config:*,cloudformation:*,servicequotas:*,access-analyzer:*,ec2:Describe*,health:*,codebuild:*,organizations:*,apprunner:*,servicecatalog:*,codeguru-reviewer:*,cloudwatch:Describe*
caller deploy role=Deployer session=terraform agent=terraform
caller ada you role=AWSReservedSSO_OnCall_0123456789abcdef session=ada@acme.example agent=console
-60d deploy creates connection docs-github provider=GitHub
-60d deploy completes handshake docs-github as=olga org=acme
-60d deploy creates pipeline docs connection=docs-github repo=acme/docs stages=Publish
-21d deploy creates connection team-github provider=GitHub tags=team:web
-21d deploy creates pipeline web connection=team-github repo=acme/web stages=Build,Deploy-Production
-21d deploy creates pipeline api connection=team-github repo=acme/api stages=Build region=us-east-1
-1h  ada starts web
`

// site is one call of a golden run: the operation, where and with what, and how many of the same came before it.
type site struct {
	service, operation, region, input string
	before                            int
}

func (s site) String() string {
	name := s.operation
	for _, word := range strings.FieldsFunc(s.input, func(r rune) bool { return strings.ContainsRune(`{}[]",:`, r) }) {
		if len(word) > 2 && word != "name" && len(name) < 60 {
			name += "_" + word
		}
	}
	return fmt.Sprintf("%s_%s_%d", name, s.region, s.before)
}

// stable is a call's input without what differs from run to run.
func stable(in map[string]any) string {
	kept := map[string]any{}
	for k, v := range in {
		if k != "StartTime" && k != "EndTime" {
			kept[k] = v
		}
	}
	b, err := json.Marshal(kept)
	if err != nil {
		panic(err) // it came out of JSON
	}
	return string(b)
}

// sites are the calls of a ledger, in a stable order.
func sites(calls []cloud.Call) []site {
	n := map[site]int{}
	var all []site
	for _, c := range calls {
		s := site{service: c.Service, operation: c.Operation, region: c.Region, input: stable(c.In)}
		n[s]++
		same := s
		same.before = n[s] - 1
		all = append(all, same)
	}
	slices.SortFunc(all, func(a, b site) int {
		return strings.Compare(fmt.Sprintf("%s %s %s %s %06d", a.service, a.operation, a.region, a.input, a.before),
			fmt.Sprintf("%s %s %s %s %06d", b.service, b.operation, b.region, b.input, b.before))
	})
	return all
}

// strike injects a kind at the site: once, or there and at every repetition from then on.
func (s site) strike(kind string, times int) *cloud.Injection {
	return &cloud.Injection{Service: s.service, Operation: s.operation, Kind: kind, Skip: s.before, Times: times, Only: func(region string, in map[string]any) bool {
		return region == s.region && stable(in) == s.input
	}}
}

// goldenCalls plays a world and diagnoses it undisturbed.
func goldenCalls(t *testing.T, on string) (calls []cloud.Call, d *app.Diagnosis) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := play(t, "golden", []byte(goldenWorld))
		d = diagnose(t, s.open(t, nil), on)
		calls = s.lab.Cloud.Ledger()
	})
	if verdicts(d.Report)["connection-pending"] != fault.Found || lost(d.Report) > 0 {
		t.Fatalf("the golden run is not golden\n%s", words(d.Report))
	}
	return calls, d
}

// No verdict of any world turns clear, and no exit code 0, when an operation is lost for good.
func TestNoWorldTurnsClear(t *testing.T) {
	for _, name := range world.Worlds() {
		text, err := world.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var golden *app.Diagnosis
		operations := map[string]bool{}
		synctest.Test(t, func(t *testing.T) {
			s := play(t, name, text)
			golden = diagnose(t, s.open(t, nil), "")
			for _, k := range s.lab.Cloud.Ledger() {
				operations[k.Operation] = k.Operation != "GetCallerIdentity"
			}
		})
		for operation, lose := range operations {
			for _, kind := range []string{lab.Denied, lab.Half} {
				if !lose {
					continue
				}
				t.Run(name+"/"+operation+"/"+kind, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						s := play(t, name, text)
						a := s.open(t, nil)
						s.set(func(c *cloud.Cloud) {
							c.Injections = append(c.Injections, &cloud.Injection{Operation: operation, Kind: kind})
						})
						weaker(t, golden.Report, diagnose(t, a, "").Report)
					})
				})
			}
		}
	}
}

// weaker checks that a diagnosis that saw less claims no more.
func weaker(t *testing.T, golden, d report.Diagnosis) {
	t.Helper()
	was := verdicts(golden)
	for code, now := range verdicts(d) {
		if now != was[code] && now != fault.Unknown {
			t.Errorf("%s turned from %s into %s", code, was[code], now)
		}
	}
	if d.Exit() == 0 && golden.Exit() != 0 {
		t.Errorf("exit code 0, with everything seen %d", golden.Exit())
	}
	if d.Exit() == 3 && golden.Exit() != 3 {
		t.Errorf("exit code 3, with everything seen %d", golden.Exit())
	}
	if t.Failed() {
		t.Logf("\nseen everything:\n%s\nthen:\n%s", words(golden), words(d))
	}
}

// verdicts are the verdicts by code in the main Region.
func verdicts(d report.Diagnosis) map[fault.Code]fault.Verdict {
	all := map[fault.Code]fault.Verdict{}
	for _, r := range d.Results {
		if r.Region == d.Results[0].Region {
			all[r.Code] = r.Verdict
		}
	}
	return all
}

// Every call of the diagnosis of a stuck pipeline is struck by everything that can become of it, once and for good.
func TestEveryCallOfADiagnosis(t *testing.T) {
	t.Run("of one pipeline", func(t *testing.T) { everyCall(t, "web", 1, 0) })
	t.Run("of everything", func(t *testing.T) { everyCall(t, "", 0) })
}

func everyCall(t *testing.T, on string, often ...int) {
	t.Helper()
	calls, golden := goldenCalls(t, on)
	for _, at := range sites(calls) {
		for _, kind := range kinds() {
			for _, times := range often {
				t.Run(fmt.Sprintf("%s/%s_%d", at, kind, times), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						s := play(t, "golden", []byte(goldenWorld))
						a := s.open(t, nil)
						s.set(func(c *cloud.Cloud) { c.Injections = append(c.Injections, at.strike(kind, times)) })
						start := time.Now()
						d, err := a.Diagnose(t.Context(), app.Ask{Targets: target(t, on)}, faults.All(), nil)
						if took := time.Since(start); took > 5*time.Minute {
							t.Errorf("it took %s", took)
						}
						if !s.wasStruck() {
							t.Error("nothing was struck")
						}
						if at.operation == "GetCallerIdentity" {
							withoutIdentity(t, d, err, kind, times)
							return
						}
						if err != nil {
							t.Fatalf("no diagnosis: %v", err)
						}
						struck(t, on, golden.Report, d.Report, at, kind, times)
					})
				})
			}
		}
	}
}

// overcome reports whether asking again helps: what happens once on the way, or for the rate, is asked for again at once.
func overcome(kind string, times int) bool {
	return times == 1 && slices.Contains([]string{lab.Throttled, lab.Reset, lab.Timeout, lab.Half, lab.LostReply}, kind)
}

// classes are what a gap is called after each kind.
func classOf(kind string) fact.Class {
	switch kind {
	case lab.Denied:
		return fact.Denied
	case lab.Throttled:
		return fact.Throttled
	case lab.Expired:
		return fact.Expired
	case lab.Timeout:
		return fact.Timeout
	case lab.Unknown:
		return fact.Unsupported
	}
	return fact.Failed
}

// next is what a message must say to do, by kind.
func next(kind string) string {
	switch kind {
	case lab.Denied:
		return "have it allowed"
	case lab.Expired:
		return "aws sso login"
	case lab.HTML:
		return "HTTPS_PROXY"
	case lab.Unknown:
		return "check "
	}
	return "try again"
}

// said checks a message: one line, in words, with what to do next.
func said(t *testing.T, why, kind string) {
	t.Helper()
	if why == "" || strings.Contains(why, "\n") || !strings.Contains(why, next(kind)) {
		t.Errorf("message %q does not say %q in one line", why, next(kind))
	}
	for _, noise := range []string{"operation error", "StatusCode", "RequestID", "exceeded maximum number", "api error", "https response error"} {
		if strings.Contains(why, noise) {
			t.Errorf("message %q is the SDK's noise", why)
		}
	}
}

// withoutIdentity is what must become of a diagnosis that does not know whose account it looks at: nothing, with a reason.
func withoutIdentity(t *testing.T, d *app.Diagnosis, err error, kind string, times int) {
	t.Helper()
	if overcome(kind, times) {
		if err != nil {
			t.Errorf("one more try would have helped: %v", err)
		}
		return
	}
	var gap *app.GapError
	if d != nil || !errors.As(err, &gap) {
		t.Fatalf("got %v, %v; want an error", d, err)
	}
	if gap.Gap.Class != classOf(kind) {
		t.Errorf("class %s, want %s", gap.Gap.Class, classOf(kind))
	}
	said(t, err.Error(), kind)
}

// struck is what must be true of a diagnosis that lost one call.
func struck(t *testing.T, on string, golden, d report.Diagnosis, at site, kind string, times int) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Log("\n" + words(d))
		}
	}()
	old := d.Calls.ByOperation["codestar-connections:"+at.operation] > 0 // the API's older name was asked instead
	if overcome(kind, times) || kind == lab.Unknown && old {
		if len(d.Gaps) > 0 || d.Snapshot != golden.Snapshot {
			t.Errorf("asking again would have helped")
		}
		return
	}
	// Asked about one pipeline, its definition carries everything: without it nothing is known. The rest of what can be lost
	// leaves the finding: the connection's status is read twice, by its list and by itself.
	want, exit := fault.Found, 3
	definition := at.operation == "GetPipeline" && strings.Contains(at.input, `"web"`)
	if definition && on == "web" {
		want, exit = fault.Unknown, 4
	}
	if got := verdicts(d)["connection-pending"]; got != want {
		t.Errorf("connection-pending is %s, want %s", got, want)
	}
	if d.Exit() != exit {
		t.Errorf("exit code %d, want %d", d.Exit(), exit)
	}
	for code, was := range verdicts(golden) {
		if now := verdicts(d)[code]; now != was && now != fault.Unknown {
			t.Errorf("%s turned from %s into %s", code, was, now)
		}
	}
	lost := 0
	for _, g := range d.Gaps {
		global := at.service == "iam" || at.service == "account"              // signed for us-east-1, whatever Region asks
		service := strings.Replace(at.service, "monitoring", "cloudwatch", 1) // signing name and prefix of actions differ
		if g.Service != service || g.Operation != at.operation || g.Region != at.region && !global {
			t.Errorf("gap %s:%s in %s: that was not lost", g.Service, g.Operation, g.Region)
			continue
		}
		lost++
		if g.Class != classOf(kind) || (kind == lab.Denied) != (g.Permission != "") || len(g.Blocks) == 0 {
			t.Errorf("gap of class %s, permission %q, blocks %v", g.Class, g.Permission, g.Blocks)
		}
		said(t, g.Why, kind)
	}
	if lost == 0 {
		t.Errorf("no gap names %s", at)
	}
	for _, f := range golden.Findings {
		if want == fault.Found && !slices.ContainsFunc(d.Findings, func(x fault.Finding) bool {
			return x.ID == f.ID && (x.Severity == f.Severity || definition || at.operation == "ListPipelines")
		}) {
			t.Errorf("finding %s is gone or another one", f.ID)
		}
	}
}
