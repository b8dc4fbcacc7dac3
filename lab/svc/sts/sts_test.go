package sts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/sts"
)

const role = "arn:aws:iam::111111111111:role/ops/deploy"

// roles is an IAM with one role that ada may assume, for up to two hours.
type roles struct{}

func (roles) RolePrincipalByARN(arn, session string) (cloud.Principal, bool) {
	return cloud.Principal{
		Type: "AssumedRole", Account: "111111111111", ARN: "arn:aws:sts::111111111111:assumed-role/deploy/" + session, Source: role, UserID: "AROAEXAMPLE:" + session, Session: session,
	}, arn == role
}

func (roles) MayAssume(p cloud.Principal, arn string) cloud.Decision {
	if arn != role {
		return cloud.Decision{}
	}
	if p.UserID != "ada" {
		return cloud.Decision{Why: "because no role trust policy allows the sts:AssumeRole action"}
	}
	return cloud.Decision{Allowed: true}
}

func (roles) MaxSession(string) time.Duration { return 2 * time.Hour }

// strict refuses everything, as an explicit deny on all actions does.
type strict struct{}

func (strict) Authorize(cloud.Principal, cloud.Access) cloud.Decision {
	return cloud.Decision{Why: "with an explicit deny in an identity-based policy"}
}

func caller(name, kind string) cloud.Principal {
	return cloud.Principal{Type: kind, Account: "111111111111", ARN: "arn:aws:iam::111111111111:user/" + name, UserID: name}
}

func TestCallerIdentityUnderExplicitDeny(t *testing.T) {
	c := cloud.New()
	sts.New(c, roles{})
	c.SetAuthorizer(strict{})
	ada := caller("ada", "IAMUser")
	out, err := c.Serve(&cloud.Request{Service: "sts", Operation: "GetCallerIdentity", Region: "us-east-1", Caller: ada})
	if err != nil || out["Arn"] != ada.ARN || out["Account"] != ada.Account || out["UserId"] != "ada" {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestAssumeRole(t *testing.T) {
	c := cloud.New()
	sts.New(c, roles{})
	const narrow = `{"Version":"2012-10-17","Statement":[]}`
	out, err := c.Serve(&cloud.Request{Service: "sts", Operation: "AssumeRole", Region: "us-east-1", Caller: caller("ada", "IAMUser"),
		In: map[string]any{"RoleArn": role, "RoleSessionName": "ci", "DurationSeconds": "7200", "Policy": narrow}})
	if err != nil {
		t.Fatal(err)
	}
	creds := out["Credentials"].(map[string]any)
	k := c.CallerByKey(creds["AccessKeyId"].(string))
	if k == nil || !strings.HasPrefix(k.AccessKeyID, "ASIA") || k.SecretAccessKey != creds["SecretAccessKey"] || k.SessionToken != creds["SessionToken"] || k.SessionToken == "" {
		t.Fatalf("the credentials are not known: %v", k)
	}
	if left := time.Until(k.Expires); left < 7190*time.Second || left > 7200*time.Second || k.Expires != creds["Expiration"] {
		t.Errorf("ends in %v; want two hours", left)
	}
	if k.SessionPolicy != narrow || k.ARN != "arn:aws:sts::111111111111:assumed-role/deploy/ci" || k.UserID != "AROAEXAMPLE:ci" {
		t.Errorf("acts as %+v", k.Principal)
	}
	user := out["AssumedRoleUser"].(map[string]any)
	if user["Arn"] != k.ARN || user["AssumedRoleId"] != k.UserID {
		t.Errorf("got %v", user)
	}
}

func TestAssumeRoleRefuses(t *testing.T) {
	in := func(more ...string) map[string]any {
		m := map[string]any{"RoleArn": role, "RoleSessionName": "ci"}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	for _, c := range []struct {
		name string
		who  cloud.Principal
		in   map[string]any
		want string
	}{
		{"not trusted", caller("eve", "IAMUser"), in(), "AccessDenied: User: arn:aws:iam::111111111111:user/eve is not authorized to perform: sts:AssumeRole on resource: " + role + " because no role trust policy allows the sts:AssumeRole action"},
		{"no such role", caller("ada", "IAMUser"), in("RoleArn", role+"2"), "AccessDenied: User: arn:aws:iam::111111111111:user/ada is not authorized to perform: sts:AssumeRole on resource: " + role + "2"},
		{"root", caller("ada", "Root"), in(), "AccessDenied: Roles may not be assumed by root accounts."},
		{"not a role", caller("ada", "IAMUser"), in("RoleArn", "arn:aws:iam::111111111111:user/ada"), "Validation: "},
		{"session name", caller("ada", "IAMUser"), in("RoleSessionName", "a b"), "Validation: "},
		{"too short", caller("ada", "IAMUser"), in("DurationSeconds", "899"), "Validation: "},
		{"too long", caller("ada", "IAMUser"), in("DurationSeconds", "43201"), "Validation: "},
		{"longer than the role's", caller("ada", "IAMUser"), in("DurationSeconds", "7201"), "Validation: The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"chained", caller("ada", "AssumedRole"), in("DurationSeconds", "3601"), "Validation: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"},
		{"bad policy", caller("ada", "IAMUser"), in("Policy", "{"), "MalformedPolicyDocument: "},
		{"big policy", caller("ada", "IAMUser"), in("Policy", `"`+strings.Repeat("x", 2048)+`"`), "PackedPolicyTooLarge: "},
	} {
		k := cloud.New()
		sts.New(k, roles{})
		_, err := k.Serve(&cloud.Request{Service: "sts", Operation: "AssumeRole", Region: "us-east-1", Caller: c.who, In: c.in})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || len(k.Callers()) != 0 {
			t.Errorf("%s: got %v; want %s", c.name, err, c.want)
		}
	}
}

func TestAccessKeyInfo(t *testing.T) {
	c := cloud.New()
	sts.New(c, roles{})
	c.AddCaller(&cloud.Caller{AccessKeyID: "AKIALABADA0000000001", Principal: cloud.Principal{Account: "222222222222"}})
	ask := func(key string) (map[string]any, error) {
		return c.Serve(&cloud.Request{Service: "sts", Operation: "GetAccessKeyInfo", Region: "us-east-1", Caller: caller("ada", "IAMUser"), In: map[string]any{"AccessKeyId": key}})
	}
	if out, err := ask("AKIALABADA0000000001"); err != nil || out["Account"] != "222222222222" {
		t.Errorf("got %v, %v", out, err)
	}
	for _, key := range []string{"", "AKIA", "AKIAUNKNOWN000000000"} {
		var e *cloud.Error
		if _, err := ask(key); !errors.As(err, &e) || e.Code != cloud.ValidationError {
			t.Errorf("%q: %v", key, err)
		}
	}
}
