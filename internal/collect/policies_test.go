package collect

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

const guarded = `account 111111111111 regions=eu-west-1
github acme owner=olga repos=acme/web
boundary Team allow=s3:*
policy Shared allow=sns:*
role Web for=codepipeline path=/team/ allow=codebuild:StartBuild policies=Shared boundary=Team
role Admin allow=*
caller ada you role=Admin
project web-build role=Web
-9d ada grants Web allow=s3:GetObject@arn:aws:s3:::a+b/* name=second
`

const webARN = "arn:aws:iam::111111111111:role/team/Web"

// guard plays the world above.
func guard(t *testing.T) *Collector {
	t.Helper()
	l := lab.New()
	apimodel.Attach(t, l)
	w, err := world.Load(l, "guarded", []byte(guarded), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return over(t, l, awsapi.Keys{ID: w.Default.AccessKeyID, Secret: w.Default.SecretAccessKey, Token: w.Default.SessionToken})
}

// TestPolicies reads all that governs a role, through the wire.
func TestPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := guard(t)
		f := only[fact.RolePolicies](t, c, fact.Query{Scope: scope(""), Kind: fact.KindPolicies, ID: webARN})
		if f.Name != "Web" || f.ARN != webARN || f.Created.IsZero() || !strings.Contains(f.Trust, "codepipeline.amazonaws.com") ||
			f.Boundary != "arn:aws:iam::111111111111:policy/Team" || !strings.Contains(f.Bounds, "s3:*") {
			t.Errorf("role %+v", f)
		}
		var names []string
		for _, d := range f.Documents {
			names = append(names, d.Name)
			if statements, err := fact.Statements(d.Document); err != nil || len(statements) != 1 {
				t.Errorf("%s: %v %s", d.Name, err, d.Document)
			}
		}
		if !slices.Equal(names, []string{"inline", "second", "Shared"}) || !strings.Contains(f.Documents[1].Document, "a+b") {
			t.Errorf("documents %v %+v", names, f.Documents)
		}
		merged, err := fact.Statements(f.Merged())
		if err != nil || len(merged) != 3 {
			t.Errorf("merged %v %+v", err, merged)
		}
		q := fact.Query{Scope: scope(""), Kind: fact.KindPolicies, ID: "arn:aws:iam::111111111111:role/Nobody"}
		if _, gone := ask(t, c, q).Absence(fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID}); !gone {
			t.Error("a role that does not exist is not proven absent")
		}
	})
}

// TestPoliciesOfWhichOneIsDenied: what was read stays, and the gap names the permission.
func TestPoliciesOfWhichOneIsDenied(t *testing.T) {
	c, _ := script(t, map[string][]string{
		"iam:GetRole":                  {`<GetRoleResponse><GetRoleResult><Role><RoleName>Web</RoleName><AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>`},
		"iam:ListRolePolicies":         {`<ListRolePoliciesResponse><ListRolePoliciesResult><PolicyNames><member>own</member><member>other</member></PolicyNames><IsTruncated>true</IsTruncated></ListRolePoliciesResult></ListRolePoliciesResponse>`},
		"iam:ListAttachedRolePolicies": {`<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><AttachedPolicies><member><PolicyName>P</PolicyName><PolicyArn>arn:aws:iam::111111111111:policy/P</PolicyArn></member></AttachedPolicies></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>`},
		"iam:GetRolePolicy":            {`<GetRolePolicyResponse><GetRolePolicyResult><PolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>`},
		"iam:GetPolicy":                {"!AccessDenied User: arn:aws:iam::111111111111:user/ada is not authorized to perform: iam:GetPolicy on resource: policy P because no identity-based policy allows the iam:GetPolicy action"},
	})
	q := fact.Query{Scope: scope(""), Kind: fact.KindPolicies, ID: webARN}
	s := ask(t, c, q)
	g, lost := s.GapOf(q)
	if read := all[fact.RolePolicies](s); !lost || g.Class != fact.Denied || g.Permission != "iam:GetPolicy" || len(read) != 1 || len(read[0].Documents) != 2 || read[0].Trust != `{"Statement":[]}` {
		t.Errorf("gap %+v, read %+v", g, read)
	}
}

// TestPolicyThatWasNotRead: of an inline policy whose document was refused nobody knows what it holds, while one that is not listed is not there.
func TestPolicyThatWasNotRead(t *testing.T) {
	c, _ := script(t, map[string][]string{
		"iam:GetRole":                  {`<GetRoleResponse><GetRoleResult><Role><RoleName>Web</RoleName></Role></GetRoleResult></GetRoleResponse>`},
		"iam:ListRolePolicies":         {`<ListRolePoliciesResponse><ListRolePoliciesResult><PolicyNames><member>own</member></PolicyNames></ListRolePoliciesResult></ListRolePoliciesResponse>`},
		"iam:ListAttachedRolePolicies": {`<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><AttachedPolicies></AttachedPolicies></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>`},
		"iam:GetRolePolicy":            {"!AccessDenied User: arn:aws:iam::111111111111:user/ada is not authorized to perform: iam:GetRolePolicy on resource: role Web"},
	})
	q := fact.Query{Scope: scope(""), Kind: fact.KindPolicies, ID: webARN}
	s := ask(t, c, q)
	for name, want := range map[string]plan.Answer{"own": plan.Unknown, "other": plan.Yes} {
		check := plan.Check{Ref: fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID}, Field: "inline/" + name, Op: plan.Is}
		if got := check.Judge(s); got != want {
			t.Errorf("is %s absent: %v, want %v", name, got, want)
		}
	}
}

// TestPoliciesBeyondTheBound: more policies than are read is said, not hidden.
func TestPoliciesBeyondTheBound(t *testing.T) {
	c, w := script(t, map[string][]string{
		"iam:GetRole":                  {`<GetRoleResponse><GetRoleResult><Role><RoleName>Web</RoleName></Role></GetRoleResult></GetRoleResponse>`},
		"iam:ListRolePolicies":         {`<ListRolePoliciesResponse><ListRolePoliciesResult><PolicyNames>` + strings.Repeat("<member>own</member>", 95) + `</PolicyNames></ListRolePoliciesResult></ListRolePoliciesResponse>`},
		"iam:ListAttachedRolePolicies": {`<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><AttachedPolicies>` + strings.Repeat("<member><PolicyName>P</PolicyName><PolicyArn>arn:aws:iam::111111111111:policy/P</PolicyArn></member>", 10) + `</AttachedPolicies></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>`},
		"iam:GetRolePolicy":            {`<GetRolePolicyResponse><GetRolePolicyResult><PolicyDocument>{}</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>`},
		"iam:GetPolicy":                {`<GetPolicyResponse><GetPolicyResult><Policy><DefaultVersionId>v2</DefaultVersionId></Policy></GetPolicyResult></GetPolicyResponse>`},
		"iam:GetPolicyVersion":         {`<GetPolicyVersionResponse><GetPolicyVersionResult><PolicyVersion><Document>{}</Document></PolicyVersion></GetPolicyVersionResult></GetPolicyVersionResponse>`},
	})
	q := fact.Query{Scope: scope(""), Kind: fact.KindPolicies, ID: webARN}
	s := ask(t, c, q)
	if g, lost := s.GapOf(q); !lost || g.Class != fact.Skipped || len(all[fact.RolePolicies](s)[0].Documents) != 100 || !all[fact.RolePolicies](s)[0].More {
		t.Errorf("gap %+v, %d documents", g, len(all[fact.RolePolicies](s)[0].Documents))
	}
	if n := len(w.asked["iam:GetRolePolicy"]) + len(w.asked["iam:GetPolicyVersion"]); n != 100 || !strings.Contains(w.asked["iam:GetPolicyVersion"][0], "VersionId=v2") {
		t.Errorf("%d documents were asked for: %v", n, w.asked["iam:GetPolicyVersion"])
	}
}

// TestProject reads the role of a build, and proves that there is no such project.
func TestProject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := guard(t)
		at := scope("eu-west-1")
		if p := only[fact.Project](t, c, fact.Query{Scope: at, Kind: fact.KindProject, ID: "web-build"}); p.Role != webARN || p.ARN == "" {
			t.Errorf("project %+v", p)
		}
		q := fact.Query{Scope: at, Kind: fact.KindProject, ID: "none"}
		if _, gone := ask(t, c, q).Absence(fact.Ref{Scope: at, Kind: q.Kind, ID: q.ID}); !gone {
			t.Error("a project that does not exist is not proven absent")
		}
	})
}

// TestPolicyChecks asks Access Analyzer, in the lab, about a good and a bad document, and about new access.
func TestPolicyChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := guard(t)
		check := func(document string) fact.PolicyCheck {
			return only[fact.PolicyCheck](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindPolicyCheck, ID: "d", Args: map[string]string{"document": document}})
		}
		const good, wide = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::a/*"]}]}`,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["*"]}]}`
		if f := check(good); len(f.Findings) != 0 {
			t.Errorf("findings %+v", f.Findings)
		}
		if f := check(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"]}]}`); len(f.Findings) == 0 || f.Findings[0].Kind == "" || f.Findings[0].Code == "" || f.Findings[0].Text == "" {
			t.Errorf("findings %+v", f.Findings)
		}
		access := func(document, existing string) string {
			return only[fact.NewAccess](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindNewAccess, ID: "n", Args: map[string]string{"document": document, "existing": existing}}).Result
		}
		if got := access(good, wide); got != "PASS" {
			t.Errorf("nothing new is %s", got)
		}
		if got := access(wide, good); got != "FAIL" {
			t.Errorf("more is %s", got)
		}
	})
}

const message = `{"allowed":false,"explicitDeny":true,"matchedStatements":{"items":[]},"failures":{"items":[]},
 "context":{"principal":{"id":"AROA:s","arn":"arn:aws:sts::111111111111:assumed-role/Web/s"},"action":"ec2:RunInstances","resource":"arn:aws:ec2:eu-west-1:111111111111:instance/*","conditions":{"items":[]}}}`

func TestDecode(t *testing.T) {
	reply := func(s string) string {
		return `<DecodeAuthorizationMessageResponse><DecodeAuthorizationMessageResult><DecodedMessage><![CDATA[` + s + `]]></DecodedMessage></DecodeAuthorizationMessageResult></DecodeAuthorizationMessageResponse>`
	}
	q := fact.Query{Scope: scope(""), Kind: fact.KindDecoded, ID: "d", Args: map[string]string{"message": "abc_DEF"}}
	c, w := script(t, map[string][]string{"sts:DecodeAuthorizationMessage": {reply(message)}})
	f := only[fact.Decoded](t, c, q)
	if f.Allowed || !f.Explicit || f.Principal != "arn:aws:sts::111111111111:assumed-role/Web/s" || f.Action != "ec2:RunInstances" || !strings.HasSuffix(f.Resource, "instance/*") {
		t.Errorf("decoded %+v", f)
	}
	if !strings.Contains(w.asked["sts:DecodeAuthorizationMessage"][0], "EncodedMessage=abc_DEF") {
		t.Errorf("asked %v", w.asked)
	}
	c, _ = script(t, map[string][]string{"sts:DecodeAuthorizationMessage": {"!AccessDenied User: arn:aws:iam::1:user/a is not authorized to perform: sts:DecodeAuthorizationMessage"}})
	if g, lost := ask(t, c, q).GapOf(q); !lost || g.Permission != "sts:DecodeAuthorizationMessage" {
		t.Errorf("gap %+v", g)
	}
	c, _ = script(t, map[string][]string{"sts:DecodeAuthorizationMessage": {reply("no JSON")}})
	if _, lost := ask(t, c, q).GapOf(q); !lost {
		t.Error("what cannot be read is no gap")
	}
}

// TestSimulationContext: condition keys are sent, and those that were missing are kept.
func TestSimulationContext(t *testing.T) {
	c, w := script(t, map[string][]string{"iam:SimulatePrincipalPolicy": {simulated(result("iam:PassRole", "*", "implicitDeny", `<MissingContextValues><member>aws:RequestTag/team</member><member>aws:SourceIp</member></MissingContextValues>`), "")}})
	f := only[fact.Simulation](t, c, fact.Query{Scope: scope(""), Kind: fact.KindSimulation, ID: dev,
		Args: map[string]string{"actions": "iam:PassRole", "context": "iam:PassedToService=cloudformation.amazonaws.com"}})
	if f.Decisions[0].Missing != "aws:RequestTag/team,aws:SourceIp" {
		t.Errorf("decisions %+v", f.Decisions)
	}
	for _, part := range []string{"ContextKeyName=iam%3APassedToService", "ContextKeyType=string", "ContextKeyValues.member.1=cloudformation.amazonaws.com"} {
		if in := w.asked["iam:SimulatePrincipalPolicy"][0]; !strings.Contains(in, part) {
			t.Errorf("%s is not in %s", part, in)
		}
	}
}
