package iam_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
)

const (
	account = "111111111111"
	connARN = "arn:aws:codeconnections:us-east-1:111111111111:connection/c1"
)

func doc(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func allow(action, resource string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
}

func deny(action, resource string) string {
	return `{"Effect":"Deny","Action":"` + action + `","Resource":"` + resource + `"}`
}

// bench is one account with an administrator and a way to call as anybody.
type bench struct {
	t *testing.T
	c *cloud.Cloud
	s *iam.Service
}

func newBench(t *testing.T) bench {
	c := cloud.New()
	b := bench{t, c, iam.New(c)}
	c.AddAccount(&cloud.Account{ID: account, Alias: "example-prod", Regions: map[string]string{"us-east-1": "ENABLED_BY_DEFAULT"}})
	b.role("Admin", doc(allow("*", "*")))
	return b
}

func (b bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// role adds a role with one inline policy per document.
func (b bench) role(name string, docs ...string) *iam.Role {
	b.t.Helper()
	r, err := b.s.CreateRole(account, name, "/", "")
	b.must(err)
	for i, d := range docs {
		b.must(b.s.PutRolePolicy(account, name, fmt.Sprintf("inline%d", i), d))
	}
	return r
}

func (b bench) as(p cloud.Principal, op string, in map[string]any) (map[string]any, error) {
	var out map[string]any
	var err error
	b.c.Within(func() {
		out, err = b.c.Serve(&cloud.Request{Service: "iam", Operation: op, Region: "us-east-1", Caller: p, In: in})
	})
	return out, err
}

func (b bench) admin(op string, in map[string]any) (map[string]any, error) {
	return b.as(b.s.RolePrincipal(account, "Admin", "root"), op, in)
}

func (b bench) ok(op string, in map[string]any) map[string]any {
	b.t.Helper()
	out, err := b.admin(op, in)
	b.must(err)
	return out
}

// wrong expects a refusal by code.
func (b bench) wrong(code, op string, in map[string]any) {
	b.t.Helper()
	_, err := b.admin(op, in)
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code != code {
		b.t.Errorf("%s %v: %v, want %s", op, in, err, code)
	}
}

func (b bench) why(p cloud.Principal, action, resource string) string {
	d := b.c.Authorize(p, "us-east-1", cloud.Access{Action: action, Resource: resource})
	if d.Allowed {
		return "allowed"
	}
	return d.Why
}

func TestDeniedInAWSOwnWords(t *testing.T) {
	b := newBench(t)
	b.role("Dev", doc(allow("codepipeline:*", "*")))
	_, err := b.as(b.s.RolePrincipal(account, "Dev", "ada"), "GetRole", map[string]any{"RoleName": "Admin"})
	want := "User: arn:aws:sts::111111111111:assumed-role/Dev/ada is not authorized to perform: iam:GetRole on resource: " +
		"arn:aws:iam::111111111111:role/Admin because no identity-based policy allows the iam:GetRole action"
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code != cloud.AccessDenied || e.Message != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAuthorize(t *testing.T) {
	const get = "codeconnections:GetConnection"
	b := newBench(t)
	b.role("Dev", doc(allow("codeconnections:*", "*")))
	b.role("Bounded", doc(allow("*", "*")))
	arn, err := b.s.CreateManagedPolicy(account, "limits", doc(allow("s3:*", "*"), deny("kms:*", "*")))
	b.must(err)
	b.must(b.s.SetBoundary(account, "Bounded", arn))
	_, err = b.s.CreateUser(account, "ada", "/people/")
	b.must(err)
	b.must(b.s.PutUserPolicy(account, "ada", "own", doc(allow("iam:GetUser", "arn:aws:iam::*:user/people/${aws:username}"))))
	if _, err := b.s.CreateSSORole(account, "eu-west-1", "Admins"); err != nil {
		t.Fatal(err)
	}
	role := func(n string) cloud.Principal { return b.s.RolePrincipal(account, n, "s") }
	session := role("Dev")
	session.SessionPolicy = doc(allow("s3:*", "*"))
	unreadable := role("Dev")
	unreadable.SessionPolicy = "{"
	ada := b.s.UserPrincipal(account, "ada")
	for _, tt := range []struct {
		name             string
		p                cloud.Principal
		action, on, want string
	}{
		{"role", role("Dev"), get, connARN, "allowed"},
		{"other prefix", role("Dev"), "codestar-connections:GetConnection", connARN, "because no identity-based policy allows the codestar-connections:GetConnection action"},
		{"boundary", role("Bounded"), get, connARN, "because no permissions boundary allows the codeconnections:GetConnection action"},
		{"boundary deny", role("Bounded"), "kms:Decrypt", "*", "with an explicit deny in a permissions boundary: " + arn},
		{"session", session, get, connARN, "because no session policy allows the codeconnections:GetConnection action"},
		{"unreadable session policy", unreadable, get, connARN, "because no session policy allows the codeconnections:GetConnection action"},
		{"no such role", role("Ghost"), get, connARN, "because no identity-based policy allows the codeconnections:GetConnection action"},
		{"root", iam.RootPrincipal(account), get, connARN, "allowed"},
		{"service", cloud.Principal{Type: "AWSService", ARN: "codepipeline.amazonaws.com"}, get, connARN, "allowed"},
		{"variable", ada, "iam:GetUser", "arn:aws:iam::111111111111:user/people/ada", "allowed"},
		{"variable of somebody else", ada, "iam:GetUser", "arn:aws:iam::111111111111:user/people/bob", "because no identity-based policy allows the iam:GetUser action"},
	} {
		if got := b.why(tt.p, tt.action, tt.on); got != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

func TestSCPsGovernEverybodyButServiceLinkedRoles(t *testing.T) {
	b := newBench(t)
	_, err := b.s.CreateRole(account, "Linked", "/aws-service-role/codepipeline.amazonaws.com/", "")
	b.must(err)
	b.must(b.s.PutRolePolicy(account, "Linked", "all", doc(allow("*", "*"))))
	b.must(b.s.SetSCP(account, "no-handshake", doc(deny("codeconnections:StartOAuthHandshake", "*"))))
	admin := b.s.RolePrincipal(account, "Admin", "s")
	const action = "codeconnections:StartOAuthHandshake"
	for name, p := range map[string]cloud.Principal{"admin": admin, "root": iam.RootPrincipal(account)} {
		if why := b.why(p, action, "*"); !strings.HasPrefix(why, "with an explicit deny in a service control policy: arn:aws:organizations::") {
			t.Errorf("%s: %s", name, why)
		}
	}
	if why := b.why(b.s.RolePrincipal(account, "Linked", "s"), action, "*"); why != "allowed" {
		t.Errorf("service-linked role: %s", why)
	}
	if why := b.why(admin, "s3:GetObject", "*"); why != "allowed" {
		t.Errorf("an SCP that only denies took FullAWSAccess away: %s", why)
	}
	b.must(b.s.SetSCP(account, "only-pipelines", doc(allow("codepipeline:*", "*"))))
	if why := b.why(admin, "s3:GetObject", "*"); why != "because no service control policy allows the s3:GetObject action" {
		t.Errorf("allow list: %s", why)
	}
	b.s.RemoveSCP(account, "only-pipelines")
	b.s.RemoveSCP(account, "no-handshake")
	if why := b.why(admin, action, "*"); why != "allowed" {
		t.Errorf("after the SCPs are gone: %s", why)
	}
}

func TestManagedPoliciesHaveAWSOwnHoles(t *testing.T) {
	b := newBench(t)
	for name, want := range map[string][4]bool{ // reads pipelines, retries stages, reads new-prefix, reads old-prefix connections
		"AdministratorAccess":            {true, true, true, true},
		"ReadOnlyAccess":                 {true, false, false, true},
		"AWSCodePipeline_FullAccess":     {true, true, false, false},
		"AWSCodePipeline_ReadOnlyAccess": {true, false, false, false},
	} {
		b.role(name)
		b.must(b.s.AttachRolePolicy(account, name, "arn:aws:iam::aws:policy/"+name))
		p := b.s.RolePrincipal(account, name, "s")
		for i, action := range []string{"codepipeline:GetPipelineState", "codepipeline:RetryStageExecution", "codeconnections:GetConnection", "codestar-connections:GetConnection"} {
			if got := b.why(p, action, "*") == "allowed"; got != want[i] {
				t.Errorf("%s: %s allowed = %v, want %v", name, action, got, want[i])
			}
		}
	}
}

func TestMayAssume(t *testing.T) {
	b := newBench(t)
	trust := func(principal string) string {
		return doc(`{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}`)
	}
	b.role("Dev")
	b.role("DevAllowed", doc(allow("sts:AssumeRole", "*")))
	b.role("DevDenied", doc(allow("*", "*"), deny("sts:*", "*")))
	target := func(name, t string) string {
		r, err := b.s.CreateRole(account, name, "/team/", t)
		b.must(err)
		return r.ARN
	}
	byAccount := target("ByAccount", trust(`{"AWS":"arn:aws:iam::111111111111:root"}`))
	byRole := target("ByRole", trust(`{"AWS":["arn:aws:iam::111111111111:role/Dev","arn:aws:iam::111111111111:role/DevDenied"]}`))
	pipeline := target("Pipeline", trust(`{"Service":"codepipeline.amazonaws.com"}`))
	foreign, err := b.s.CreateRole("222222222222", "Foreign", "/", trust(`{"AWS":"arn:aws:iam::111111111111:role/Dev"}`))
	b.must(err)
	as := func(n string) cloud.Principal { return b.s.RolePrincipal(account, n, "s") }
	service := cloud.Principal{Type: "AWSService", ARN: "codepipeline.amazonaws.com"}
	bounded := as("Dev")
	bounded.SessionPolicy = doc(allow("s3:*", "*"))
	for _, tt := range []struct {
		name string
		p    cloud.Principal
		arn  string
		want string
	}{
		{"account trusted, caller allowed", as("DevAllowed"), byAccount, "allowed"},
		{"account trusted, caller lacks it", as("Dev"), byAccount, "because no identity-based policy allows the sts:AssumeRole action"},
		{"role trusted by name needs no policy", as("Dev"), byRole, "allowed"},
		{"role trusted by name, session narrowed", bounded, byRole, "because no identity-based policy allows the sts:AssumeRole action"},
		{"role trusted by name, denied", as("DevDenied"), byRole, "with an explicit deny in an identity-based policy"},
		{"not trusted", as("DevAllowed"), byRole, "because no role trust policy allows the sts:AssumeRole action"},
		{"service trusted", service, pipeline, "allowed"},
		{"service not trusted", service, byRole, "because no role trust policy allows the sts:AssumeRole action"},
		{"role not trusted by a service's role", as("DevAllowed"), pipeline, "because no role trust policy allows the sts:AssumeRole action"},
		{"across accounts both must allow", as("Dev"), foreign.ARN, "because no identity-based policy allows the sts:AssumeRole action"},
		{"path left out", as("DevAllowed"), "arn:aws:iam::111111111111:role/ByAccount", ""},
		{"no such role", as("DevAllowed"), "arn:aws:iam::111111111111:role/Ghost", ""},
		{"root", iam.RootPrincipal(account), byAccount, ""},
	} {
		d := b.s.MayAssume(tt.p, tt.arn)
		if got := map[bool]string{true: "allowed", false: d.Why}[d.Allowed]; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestRoleLife(t *testing.T) {
	b := newBench(t)
	trust := doc(`{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	in := map[string]any{"RoleName": "Pipe", "Path": "/service-role/", "AssumeRolePolicyDocument": trust, "Description": "x",
		"Tags": []any{map[string]any{"Key": "team", "Value": "web"}}}
	role := b.ok("CreateRole", in)["Role"].(map[string]any)
	if role["Arn"] != "arn:aws:iam::111111111111:role/service-role/Pipe" || !strings.HasPrefix(role["RoleId"].(string), "AROA") {
		t.Errorf("created %v", role)
	}
	if text, err := url.QueryUnescape(role["AssumeRolePolicyDocument"].(string)); err != nil || text != trust || strings.ContainsAny(role["AssumeRolePolicyDocument"].(string), `{ "+`) {
		t.Errorf("document %v", role["AssumeRolePolicyDocument"])
	}
	b.wrong("EntityAlreadyExists", "CreateRole", map[string]any{"RoleName": "PIPE", "AssumeRolePolicyDocument": trust})
	b.wrong("MalformedPolicyDocument", "CreateRole", map[string]any{"RoleName": "R", "AssumeRolePolicyDocument": doc(allow("sts:AssumeRole", "*"))})
	b.wrong(cloud.ValidationError, "CreateRole", map[string]any{"RoleName": "a b", "AssumeRolePolicyDocument": trust})
	b.wrong(cloud.ValidationError, "CreateRole", map[string]any{"RoleName": "R"})
	b.wrong("LimitExceeded", "CreateRole", map[string]any{"RoleName": "R", "AssumeRolePolicyDocument": strings.Replace(trust, `"Effect"`, `"Sid":"`+strings.Repeat("a", 2048)+`","Effect"`, 1)})

	name := map[string]any{"RoleName": "Pipe"}
	with := func(more ...any) map[string]any {
		m := map[string]any{"RoleName": "Pipe"}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	b.ok("PutRolePolicy", with("PolicyName", "inline", "PolicyDocument", doc(allow("s3:*", "*"))))
	b.wrong("MalformedPolicyDocument", "PutRolePolicy", with("PolicyName", "inline", "PolicyDocument", "{"))
	policy := b.ok("CreatePolicy", map[string]any{"PolicyName": "P", "PolicyDocument": doc(allow("s3:*", "*"))})["Policy"].(map[string]any)["Arn"]
	b.wrong("EntityAlreadyExists", "CreatePolicy", map[string]any{"PolicyName": "p", "PolicyDocument": doc(allow("s3:*", "*"))})
	b.ok("AttachRolePolicy", with("PolicyArn", policy))
	b.ok("AttachRolePolicy", with("PolicyArn", policy)) // again: no error
	b.wrong("NoSuchEntity", "AttachRolePolicy", with("PolicyArn", "arn:aws:iam::111111111111:policy/none"))
	b.ok("PutRolePermissionsBoundary", with("PermissionsBoundary", policy))
	got := b.ok("GetRole", name)["Role"].(map[string]any)
	if fmt.Sprint(got["PermissionsBoundary"]) != fmt.Sprint(map[string]any{"PermissionsBoundaryArn": policy, "PermissionsBoundaryType": "PermissionsBoundaryPolicy"}) || len(got["Tags"].([]any)) != 1 {
		t.Errorf("role %v", got)
	}
	listed := b.ok("ListRoles", map[string]any{"PathPrefix": "/service-role/"})["Roles"].([]any)
	if len(listed) != 1 || listed[0].(map[string]any)["Tags"] != nil || listed[0].(map[string]any)["PermissionsBoundary"] != nil {
		t.Errorf("listed %v: ListRoles leaves tags and boundary out", listed)
	}
	p := b.ok("GetPolicy", map[string]any{"PolicyArn": policy})["Policy"].(map[string]any)
	if p["AttachmentCount"] != 1 || p["PermissionsBoundaryUsageCount"] != 1 || p["DefaultVersionId"] != "v1" {
		t.Errorf("policy %v", p)
	}
	b.wrong("DeleteConflict", "DeleteRole", name)
	b.ok("DetachRolePolicy", with("PolicyArn", policy))
	b.wrong("NoSuchEntity", "DetachRolePolicy", with("PolicyArn", policy))
	b.wrong("DeleteConflict", "DeleteRole", name)
	b.ok("DeleteRolePolicy", with("PolicyName", "inline"))
	b.wrong("NoSuchEntity", "DeleteRolePolicy", with("PolicyName", "inline"))
	b.ok("DeleteRolePermissionsBoundary", name)
	b.wrong("NoSuchEntity", "DeleteRolePermissionsBoundary", name)
	b.ok("DeleteRole", name)
	b.wrong("NoSuchEntity", "GetRole", name)
}

func TestProtectedRoles(t *testing.T) {
	b := newBench(t)
	r, err := b.s.CreateSSORole(account, "us-east-1", "Developers")
	b.must(err)
	if !strings.HasPrefix(r.ARN, "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Developers_") || len(r.Name) != len("AWSReservedSSO_Developers_")+16 {
		t.Errorf("ARN %s", r.ARN)
	}
	p, ok := b.s.RolePrincipalByARN(r.ARN, "ada@example.com")
	if !ok || p.ARN != "arn:aws:sts::111111111111:assumed-role/"+r.Name+"/ada@example.com" {
		t.Errorf("principal %+v", p)
	}
	b.wrong("UnmodifiableEntity", "PutRolePolicy", map[string]any{"RoleName": r.Name, "PolicyName": "p", "PolicyDocument": doc(allow("*", "*"))})
	b.wrong("UnmodifiableEntity", "DeleteRole", map[string]any{"RoleName": r.Name})
}

func TestListsPage(t *testing.T) {
	b := newBench(t)
	for i := range 7 {
		b.role(fmt.Sprintf("R%d", i))
	}
	b.c.PageSize = 3
	var names []string
	in := map[string]any{}
	for range 10 {
		out := b.ok("ListRoles", in)
		for _, r := range out["Roles"].([]any) {
			names = append(names, r.(map[string]any)["RoleName"].(string))
		}
		if out["IsTruncated"] == false {
			break
		}
		in = map[string]any{"Marker": out["Marker"]}
	}
	if fmt.Sprint(names) != "[Admin R0 R1 R2 R3 R4 R5 R6]" {
		t.Errorf("names %v", names)
	}
	b.wrong(cloud.ValidationError, "ListRoles", map[string]any{"Marker": "nonsense"})
	b.wrong(cloud.ValidationError, "ListRoles", map[string]any{"MaxItems": "1001"})
}

func TestReadsAndDecisionsLag(t *testing.T) {
	b := newBench(t)
	start := b.c.Now()
	b.c.Replay(start)
	b.role("Dev")
	b.c.Lag = 10 * time.Second
	b.c.Replay(start.Add(time.Minute))
	b.ok("PutRolePolicy", map[string]any{"RoleName": "Dev", "PolicyName": "p", "PolicyDocument": doc(allow("s3:*", "*"))})
	dev := b.s.RolePrincipal(account, "Dev", "s")
	list := func() string {
		return fmt.Sprint(b.ok("ListRolePolicies", map[string]any{"RoleName": "Dev"})["PolicyNames"])
	}
	if why := b.why(dev, "s3:GetObject", "*"); why == "allowed" || list() != "[]" {
		t.Errorf("seen at once: %s, %s", why, list())
	}
	b.c.Replay(start.Add(time.Minute + 10*time.Second))
	if why := b.why(dev, "s3:GetObject", "*"); why != "allowed" || list() != "[p]" {
		t.Errorf("not seen after the lag: %s, %s", why, list())
	}
}

func TestUsers(t *testing.T) {
	b := newBench(t)
	_, err := b.s.CreateUser(account, "ada", "/")
	b.must(err)
	b.must(b.s.PutUserPolicy(account, "ada", "own", doc(allow("iam:Get*", "arn:aws:iam::111111111111:user/ada"))))
	b.must(b.s.AttachUserPolicy(account, "ada", "arn:aws:iam::aws:policy/AWSCodePipeline_ReadOnlyAccess"))
	out, err := b.as(b.s.UserPrincipal(account, "ada"), "GetUser", nil)
	if err != nil || out["User"].(map[string]any)["UserName"] != "ada" {
		t.Errorf("own user %v, %v", out, err)
	}
	b.wrong(cloud.ValidationError, "GetUser", nil)
	b.wrong("NoSuchEntity", "GetUser", map[string]any{"UserName": "bob"})
	if got := fmt.Sprint(b.ok("ListUserPolicies", map[string]any{"UserName": "ada"})["PolicyNames"]); got != "[own]" {
		t.Errorf("policies %s", got)
	}
	if got := len(b.ok("ListAttachedUserPolicies", map[string]any{"UserName": "ada"})["AttachedPolicies"].([]any)); got != 1 {
		t.Errorf("%d attached", got)
	}
	if got := fmt.Sprint(b.ok("ListAccountAliases", nil)["AccountAliases"]); got != "[example-prod]" {
		t.Errorf("aliases %s", got)
	}
}
