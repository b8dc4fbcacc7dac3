package iam_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
)

func TestControlPoliciesDoNotTouchTheManagementAccount(t *testing.T) {
	b := newBench(t)
	admin := b.s.RolePrincipal(account, "Admin", "s")
	b.must(b.s.SetSCP(account, "none", doc(deny("*", "*"))))
	if why := b.why(admin, "s3:GetObject", "*"); !strings.Contains(why, "service control policy") {
		t.Fatalf("before the organisation: %s", why)
	}
	b.must(b.s.SetOrganization(iam.Organization{ID: "o-example0001", Management: account}))
	if why := b.why(admin, "s3:GetObject", "*"); why != "allowed" {
		t.Errorf("in the management account: %s", why)
	}
	if err := b.s.SetOrganization(iam.Organization{ID: "o-example0002", Management: "222222222222", Members: []string{account}}); err == nil {
		t.Error("an account belongs to two organisations")
	}
}

func TestResourceControlPolicies(t *testing.T) {
	b := newBench(t)
	admin := b.s.RolePrincipal(account, "Admin", "s")
	everybody := func(action, more string) string {
		return doc(`{"Effect":"Deny","Principal":"*","Action":"` + action + `","Resource":"*"` + more + `}`)
	}
	b.must(b.s.SetRCP(account, "all", everybody("*", `,"Condition":{"Bool":{"aws:PrincipalIsAWSService":"false"}}`)))
	for action, want := range map[string]bool{"s3:PutObject": false, "sts:AssumeRole": false, "codepipeline:GetPipeline": true, "codeconnections:UseConnection": true} {
		if why := b.why(admin, action, "*"); (why == "allowed") != want {
			t.Errorf("%s: %s; only some services are subject to RCPs", action, why)
		}
	}
	if why := b.why(admin, "s3:PutObject", "*"); !strings.HasPrefix(why, "with an explicit deny in a resource control policy: arn:aws:organizations::") {
		t.Error(why)
	}
	if why := b.why(admin, "kms:Decrypt", "arn:aws:kms:us-east-1:222222222222:key/1"); why != "allowed" {
		t.Errorf("an RCP reached another account's key: %s", why)
	}
	b.s.RemoveRCP(account, "all")
	if why := b.why(admin, "s3:PutObject", "*"); why != "allowed" {
		t.Errorf("after it is gone: %s", why)
	}
	for name, bad := range map[string]string{"an RCP that allows": doc(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`), "an RCP for nobody": doc(deny("*", "*"))} {
		if b.s.SetRCP(account, "bad", bad) == nil {
			t.Error(name + " was taken")
		}
	}
}

func TestRCPKeepsAServiceOutOfARole(t *testing.T) {
	b := newBench(t)
	r, err := b.s.CreateRole(account, "Pipe", "/", doc(`{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}`))
	b.must(err)
	service := cloud.Principal{Type: "AWSService", ARN: "codepipeline.amazonaws.com"}
	if d := b.s.MayAssume(service, r.ARN); !d.Allowed {
		t.Fatalf("the service may not assume its role: %s", d.Why)
	}
	b.must(b.s.SetRCP(account, "none", doc(`{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`)))
	if d := b.s.MayAssume(service, r.ARN); d.Allowed || !strings.Contains(d.Why, "resource control policy") {
		t.Errorf("%+v", d)
	}
}

func TestResourcePolicies(t *testing.T) {
	const bucket, key = "arn:aws:s3:::artifacts", "arn:aws:s3:::artifacts/web/1"
	b := newBench(t)
	b.role("Empty")
	b.role("Bounded", doc(allow("s3:*", "*")))
	arn, err := b.s.CreateManagedPolicy(account, "limits", doc(allow("codepipeline:*", "*")))
	b.must(err)
	b.must(b.s.SetBoundary(account, "Bounded", arn))
	admin, empty, bounded := b.s.RolePrincipal(account, "Admin", "s"), b.s.RolePrincipal(account, "Empty", "s"), b.s.RolePrincipal(account, "Bounded", "s")
	stranger := cloud.Principal{Type: "AssumedRole", Account: "222222222222", ARN: "arn:aws:sts::222222222222:assumed-role/X/s", Source: "arn:aws:iam::222222222222:role/X"}
	grant := func(principal string) string {
		return doc(`{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"s3:GetObject","Resource":"` + bucket + `/*"}`)
	}
	for _, tt := range []struct {
		name, policy, want string
		p                  cloud.Principal
	}{
		{"denied by the bucket", doc(`{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"` + bucket + `/*"}`), "with an explicit deny in a resource-based policy", admin},
		{"denied to somebody else", doc(`{"Effect":"Deny","Principal":{"AWS":"` + empty.Source + `"},"Action":"s3:GetObject","Resource":"` + bucket + `/*"}`), "allowed", admin},
		{"granted to the role by name", grant(empty.Source), "allowed", empty},
		{"granted to the account", grant("arn:aws:iam::111111111111:root"), "because no identity-based policy allows the s3:GetObject action", empty},
		{"granted to the role past its boundary", grant(bounded.Source), "because no permissions boundary allows the s3:GetObject action", bounded},
		{"granted to the session past its boundary", grant(bounded.ARN), "allowed", bounded},
		{"another account, not named", grant(empty.Source), "because no identity-based policy allows the s3:GetObject action", stranger},
		{"no policy of its own", "", "allowed", admin},
	} {
		b.must(b.s.SetResourcePolicy(account, bucket, tt.policy))
		if why := b.why(tt.p, "s3:GetObject", key); why != tt.want {
			t.Errorf("%s: %s", tt.name, why)
		}
	}
}

func TestWritesTakeEffectLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.role("Dev")
		arn, err := b.s.CreateManagedPolicy(account, "grown", doc(allow("codepipeline:*", "*")))
		b.must(err)
		time.Sleep(time.Hour)
		b.c.AuthLag = 30 * time.Second
		dev := b.s.RolePrincipal(account, "Dev", "s")
		const get = "codeconnections:GetConnection"
		for step, change := range map[string]func() error{
			"an inline policy": func() error { return b.s.PutRolePolicy(account, "Dev", "more", doc(allow(get, "*"))) },
			"an attachment": func() error {
				return b.s.AttachRolePolicy(account, "Dev", "arn:aws:iam::aws:policy/AdministratorAccess")
			},
		} {
			b.must(change())
			if why := b.why(dev, get, "*"); why == "allowed" {
				t.Errorf("%s was in force at once", step)
			}
			shown := len(b.ok("ListRolePolicies", map[string]any{"RoleName": "Dev"})["PolicyNames"].([]any)) +
				len(b.ok("ListAttachedRolePolicies", map[string]any{"RoleName": "Dev"})["AttachedPolicies"].([]any))
			if shown != 1 {
				t.Errorf("%s: reads show %d policies, want 1: they do not lag", step, shown)
			}
			time.Sleep(31 * time.Second)
			if why := b.why(dev, get, "*"); why != "allowed" {
				t.Errorf("%s after half a minute: %s", step, why)
			}
			b.must(b.s.DeleteRolePolicy(account, "Dev", "more"))
			b.must(b.s.DetachRolePolicy(account, "Dev", "arn:aws:iam::aws:policy/AdministratorAccess"))
			time.Sleep(31 * time.Second)
		}
		b.must(b.s.AttachRolePolicy(account, "Dev", arn))
		time.Sleep(time.Minute)
		b.ok("CreatePolicyVersion", map[string]any{"PolicyArn": arn, "PolicyDocument": doc(allow(get, "*")), "SetAsDefault": true})
		if why := b.why(dev, get, "*"); why == "allowed" {
			t.Error("a new version of a policy was in force at once")
		}
		fresh := b.role("Fresh")
		if d := b.s.MayAssume(b.s.RolePrincipal(account, "Admin", "s"), fresh.ARN); d.Allowed {
			t.Error("a role was assumed in the second it was made")
		}
		time.Sleep(31 * time.Second)
		if d := b.s.MayAssume(b.s.RolePrincipal(account, "Admin", "s"), fresh.ARN); !d.Allowed {
			t.Errorf("half a minute later: %s", d.Why)
		}
	})
}

func TestPolicyVersions(t *testing.T) {
	b := newBench(t)
	b.role("Dev")
	arn, err := b.s.CreateManagedPolicy(account, "grown", doc(allow("s3:*", "*")))
	b.must(err)
	b.must(b.s.AttachRolePolicy(account, "Dev", arn))
	dev := b.s.RolePrincipal(account, "Dev", "s")
	in := func(more ...any) map[string]any {
		m := map[string]any{"PolicyArn": arn}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	v := b.ok("CreatePolicyVersion", in("PolicyDocument", doc(allow("kms:*", "*"))))["PolicyVersion"].(map[string]any)
	if v["VersionId"] != "v2" || v["IsDefaultVersion"] != false || b.why(dev, "kms:Decrypt", "*") == "allowed" {
		t.Errorf("a version that is not the default one: %v", v)
	}
	b.ok("SetDefaultPolicyVersion", in("VersionId", "v2"))
	if why := b.why(dev, "kms:Decrypt", "*"); why != "allowed" {
		t.Errorf("after it became the default one: %s", why)
	}
	for range 3 {
		b.ok("CreatePolicyVersion", in("PolicyDocument", doc(allow("s3:*", "*"))))
	}
	b.wrong("LimitExceeded", "CreatePolicyVersion", in("PolicyDocument", doc(allow("s3:*", "*"))))
	b.wrong("DeleteConflict", "DeletePolicyVersion", in("VersionId", "v2"))
	b.ok("DeletePolicyVersion", in("VersionId", "v1"))
	b.wrong("NoSuchEntity", "GetPolicyVersion", in("VersionId", "v1"))
	if v := b.ok("CreatePolicyVersion", in("PolicyDocument", doc(allow("s3:*", "*")), "SetAsDefault", "true"))["PolicyVersion"].(map[string]any); v["VersionId"] != "v6" || v["IsDefaultVersion"] != true {
		t.Errorf("numbers are never used again: %v", v)
	}
	b.wrong("InvalidInput", "CreatePolicyVersion", map[string]any{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "PolicyDocument": doc(allow("s3:*", "*"))})
	summary := b.ok("GetAccountSummary", nil)["SummaryMap"].(map[string]string)
	if summary["Policies"] != "1" || summary["PolicyVersionsInUse"] != "5" {
		t.Errorf("summary %v", summary)
	}
}

// TestSimulationDoesNotSee: what the simulator must not see is refused by the real call alone.
func TestSimulationDoesNotSee(t *testing.T) {
	b := newBench(t)
	b.role("Dev", doc(allow("*", "*")))
	b.must(b.s.SetRCP(account, "none", doc(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`)))
	b.must(b.s.SetResourcePolicy(account, "arn:aws:s3:::a", doc(`{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`)))
	r := b.simulate("s3:PutObject", map[string]any{"ResourceArns": []any{"arn:aws:s3:::a/1"}})
	if r["EvalDecision"] != "allowed" || b.why(b.s.RolePrincipal(account, "Dev", "s"), "s3:PutObject", "arn:aws:s3:::a/1") == "allowed" {
		t.Errorf("simulated: %v", r["EvalDecision"])
	}
	b.must(b.s.SetSCP(account, "none", doc(deny("*", "*"))))
	b.must(b.s.SetOrganization(iam.Organization{ID: "o-example0001", Management: account}))
	if r := b.simulate("s3:PutObject", nil); r["EvalDecision"] != "allowed" || r["OrganizationsDecisionDetail"] != nil {
		t.Errorf("SCPs in the management account: %v", r)
	}
}
