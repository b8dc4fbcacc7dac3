package collect

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/lab/cloud"
)

const (
	dev  = "arn:aws:iam::111111111111:role/Dev"
	conn = "arn:aws:codeconnections:eu-west-1:111111111111:connection/1"
)

func simulate(actions, resources string) fact.Query {
	return fact.Query{Scope: scope(""), Kind: fact.KindSimulation, ID: dev, Args: map[string]string{"actions": actions, "resources": resources}}
}

func simulated(members string, more string) string {
	return `<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>` + members + `</EvaluationResults>` + more + `</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`
}

func result(action, resource, decision, rest string) string {
	return `<member><EvalActionName>` + action + `</EvalActionName><EvalResourceName>` + resource + `</EvalResourceName><EvalDecision>` + decision + `</EvalDecision>` + rest + `</member>`
}

const (
	orgNo      = `<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail>`
	orgYes     = `<OrganizationsDecisionDetail><AllowedByOrganizations>true</AllowedByOrganizations></OrganizationsDecisionDetail>`
	boundaryNo = `<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>`
)

func TestSimulation(t *testing.T) {
	no := func(action, resource, by string) fact.Decision {
		return fact.Decision{Action: action, Resource: resource, By: by}
	}
	yes := func(action, resource string) fact.Decision {
		return fact.Decision{Action: action, Resource: resource, Allowed: true}
	}
	for name, c := range map[string]struct {
		replies []string
		want    []fact.Decision
	}{
		"a result per action and resource": {
			[]string{simulated(result("a:X", "*", "allowed", orgYes)+result("a:X", conn, "implicitDeny", ""), "")},
			[]fact.Decision{yes("a:X", "*"), no("a:X", conn, "identity-based policy")},
		},
		"a result per action, resources inside": {
			[]string{simulated(result("a:X", "arn:aws:codeconnections:*:*:connection/*", "implicitDeny",
				`<ResourceSpecificResults><member><EvalResourceName>*</EvalResourceName><EvalResourceDecision>allowed</EvalResourceDecision></member>`+
					`<member><EvalResourceName>`+conn+`</EvalResourceName><EvalResourceDecision>implicitDeny</EvalResourceDecision>`+boundaryNo+`</member></ResourceSpecificResults>`), "")},
			[]fact.Decision{yes("a:X", "*"), no("a:X", conn, "permissions boundary")},
		},
		"the organisation says no": {
			[]string{simulated(result("a:X", "*", "implicitDeny", orgNo)+result("a:X", conn, "explicitDeny", orgNo+boundaryNo), "")},
			[]fact.Decision{no("a:X", "*", "service control policy"), {Action: "a:X", Resource: conn, Explicit: true, By: "service control policy"}},
		},
		"an action that knows no resources": {
			[]string{simulated(result("a:X", "*", "explicitDeny", orgYes), "")},
			[]fact.Decision{{Action: "a:X", Resource: "*", Explicit: true, By: "identity-based policy"}, {Action: "a:X", Resource: conn, Explicit: true, By: "identity-based policy"}},
		},
		"pages": {
			[]string{simulated(result("a:X", "*", "allowed", ""), `<IsTruncated>true</IsTruncated><Marker>m</Marker>`), simulated(result("a:X", conn, "implicitDeny", ""), `<IsTruncated>false</IsTruncated>`)},
			[]fact.Decision{yes("a:X", "*"), no("a:X", conn, "identity-based policy")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := script(t, map[string][]string{"iam:SimulatePrincipalPolicy": c.replies})
			got := only[fact.Simulation](t, s, simulate("a:X", "*,"+conn))
			if d := cmp.Diff(c.want, got.Decisions); d != "" || got.Principal != dev {
				t.Errorf("%s: %s", got.Principal, d)
			}
			form, err := url.ParseQuery(w.asked["iam:SimulatePrincipalPolicy"][0])
			if err != nil || form.Get("PolicySourceArn") != dev || form.Get("ActionNames.member.1") != "a:X" || form.Get("ResourceArns.member.2") != conn {
				t.Errorf("asked %v", form)
			}
		})
	}
}

func TestSimulationOfNobody(t *testing.T) {
	c, w := script(t, map[string][]string{"iam:SimulatePrincipalPolicy": {"!NoSuchEntity gone"}})
	q := simulate("a:X", "*")
	s := ask(t, c, q)
	if _, ok := s.Absence(fact.Ref{Scope: scope(""), Kind: fact.KindSimulation, ID: dev}); !ok || len(all[fact.Simulation](s)) != 0 {
		t.Errorf("no absence; gaps %+v", s.Gaps())
	}
	q.Args = map[string]string{"actions": "a:Y"}
	ask(t, c, q)
	if asked := w.asked["iam:SimulatePrincipalPolicy"]; strings.Contains(asked[len(asked)-1], "ResourceArns") {
		t.Errorf("no resources asked as %s", asked[len(asked)-1])
	}
	q.Args = nil
	if g, ok := ask(t, c, q).GapOf(q); !ok || !strings.Contains(g.Why, "names no actions") {
		t.Errorf("gap %+v", g)
	}
}

// The lab's simulator judges real policies; the collector must come to the same answers through the wire.
func TestSimulationLive(t *testing.T) {
	l, c := live(t, allowAll)
	l.Cloud.Within(func() {
		if _, err := l.IAM.CreateRole(accountID, "Dev", "/", ""); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.PutRolePolicy(accountID, "Dev", "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codeconnections:*","Resource":"*"},{"Effect":"Deny","Action":"codeconnections:GetInstallationUrl","Resource":"*"}]}`); err != nil {
			t.Fatal(err)
		}
	})
	got := only[fact.Simulation](t, c, simulate("codeconnections:UpdateConnectionInstallation,codeconnections:GetInstallationUrl,codestar-connections:UpdateConnectionInstallation", "*,"+conn))
	for _, want := range []fact.Decision{
		{Action: "codeconnections:UpdateConnectionInstallation", Resource: conn, Allowed: true},
		{Action: "codeconnections:GetInstallationUrl", Resource: "*", Explicit: true, By: "identity-based policy"},
		{Action: "codestar-connections:UpdateConnectionInstallation", Resource: conn, By: "identity-based policy"},
	} {
		if d, ok := got.Decision(want.Action, want.Resource); !ok || d != want {
			t.Errorf("got %+v, want %+v", d, want)
		}
	}
}

func TestRoles(t *testing.T) {
	l, c := live(t, allowAll)
	l.Cloud.Within(func() {
		l.Cloud.PageSize = 2
		for _, r := range [][2]string{{"AWSReservedSSO_Admin_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/"}, {"AWSReservedSSO_Dev_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/eu-west-1/"},
			{"AWSReservedSSO_Ops_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/"}, {"Other", "/"}} {
			if _, err := l.IAM.CreateRole(accountID, r[0], r[1], ""); err != nil {
				t.Fatal(err)
			}
		}
	})
	q := fact.Query{Scope: scope(""), Kind: fact.KindRole, ID: "/aws-reserved/sso.amazonaws.com/"}
	s := ask(t, c, q)
	var sets []string
	for _, r := range all[fact.Role](s) {
		sets = append(sets, r.PermissionSet())
		if r.ARN == "" || r.Created.IsZero() || r.Ref() != (fact.Ref{Scope: scope(""), Kind: fact.KindRole, ID: r.ARN}) {
			t.Errorf("role %+v", r)
		}
	}
	slices.Sort(sets)
	if d := cmp.Diff([]string{"Admin", "Dev", "Ops"}, sets); d != "" || !s.Answered(q) {
		t.Error(d)
	}
}

func TestIdentity(t *testing.T) {
	for arn, kind := range map[string]string{
		"arn:aws:iam::111111111111:root":                                                     "root",
		"arn:aws:iam::111111111111:user/path/ada":                                            "user",
		"arn:aws:sts::111111111111:assumed-role/Admin/ada":                                   "assumed-role",
		"arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada@x": "sso",
		"arn:aws:sts::111111111111:federated-user/ada":                                       "federated-user",
	} {
		w := &canned{replies: map[string][]string{"sts:GetCallerIdentity": {`<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>` + arn + `</Arn><UserId>AIDA:x</UserId><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`}}}
		c := over(t, w, awsapi.Keys{ID: "AKIA", Secret: "s", Source: "SSOProvider"})
		got := only[fact.Identity](t, c, fact.Query{Scope: fact.Scope{Region: "eu-west-1"}, Kind: fact.KindIdentity})
		if got.Kind != kind || got.ARN != arn || got.Account != accountID || got.UserID != "AIDA:x" || got.Origin != "SSOProvider" || !got.ExpiresAt.IsZero() {
			t.Errorf("got %+v, want %s", got, kind)
		}
	}
}

func TestRegions(t *testing.T) {
	l, c := live(t, allowAll)
	l.Cloud.Within(func() {
		l.Cloud.PageSize = 2
		l.Cloud.AddAccount(&cloud.Account{ID: accountID, Regions: map[string]string{"us-east-1": "ENABLED_BY_DEFAULT", "eu-west-1": "ENABLED_BY_DEFAULT", "af-south-1": "DISABLED", "me-south-1": "ENABLED"}})
	})
	s := ask(t, c, fact.Query{Scope: scope(""), Kind: fact.KindRegion})
	got := map[string]bool{}
	for _, r := range all[fact.Region](s) {
		got[r.Name] = r.Enabled()
	}
	if d := cmp.Diff(map[string]bool{"us-east-1": true, "eu-west-1": true, "af-south-1": false, "me-south-1": true}, got); d != "" {
		t.Errorf("%s\ngaps %+v", d, s.Gaps())
	}
}
