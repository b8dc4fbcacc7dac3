package policy_test

import (
	"testing"

	"github.com/unjam/unjam/lab/policy"
)

// TestEveryGate: each kind of policy refuses by itself, in AWS's words, and the first of the order is named when several do.
func TestEveryGate(t *testing.T) {
	read := func(kind policy.Kind, text string) []policy.Policy {
		d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[`+text+`]}`, kind)
		if err != nil {
			t.Fatal(err)
		}
		return []policy.Policy{{ID: "p", Doc: d}}
	}
	const own, all = policy.Permissions, policy.ResourcePolicy
	yes, no := read(own, `{"Effect":"Allow","Action":"*","Resource":"*"}`), read(own, `{"Effect":"Deny","Action":"*","Resource":"*"}`)
	other := read(own, `{"Effect":"Allow","Action":"s3:Put*","Resource":"*"}`)
	const ada = `"arn:aws:iam::111111111111:role/ada"`
	fromAll := func(effect, who string) []policy.Policy {
		return read(all, `{"Effect":"`+effect+`","Principal":{"AWS":`+who+`},"Action":"s3:Get*","Resource":"*"}`)
	}
	who := policy.Who{Account: "111111111111", ARN: "arn:aws:sts::111111111111:assumed-role/ada/s", Source: "arn:aws:iam::111111111111:role/ada"}
	scp := func(p []policy.Policy) [][]policy.Policy { return [][]policy.Policy{p} }
	for _, tt := range []struct {
		name string
		set  policy.Set
		want string
	}{
		{"nothing but identity", policy.Set{Identity: yes}, ""},
		{"identity", policy.Set{}, "because no identity-based policy allows the s3:GetObject action"},
		{"identity deny", policy.Set{Identity: append(no, yes...)}, "with an explicit deny in an identity-based policy"},
		{"SCP", policy.Set{Identity: yes, SCPs: scp(other)}, "because no service control policy allows the s3:GetObject action"},
		{"SCP deny", policy.Set{Identity: yes, SCPs: scp(no)}, "with an explicit deny in a service control policy"},
		{"RCP deny", policy.Set{Identity: yes, RCPs: fromAll("Deny", `"*"`)}, "with an explicit deny in a resource control policy"},
		{"RCP for somebody else", policy.Set{Identity: yes, RCPs: fromAll("Deny", `"arn:aws:iam::111111111111:role/bob"`)}, ""},
		{"endpoint", policy.Set{Identity: yes, Endpoint: []policy.Policy{}}, "because no VPC endpoint policy allows the s3:GetObject action"},
		{"endpoint of somebody else", policy.Set{Identity: yes, Endpoint: fromAll("Allow", `"222222222222"`)}, "because no VPC endpoint policy allows the s3:GetObject action"},
		{"endpoint deny", policy.Set{Identity: yes, Endpoint: append(fromAll("Deny", `"*"`), fromAll("Allow", `"*"`)...)}, "with an explicit deny in a VPC endpoint policy"},
		{"endpoint open", policy.Set{Identity: yes, Endpoint: fromAll("Allow", `"*"`)}, ""},
		{"boundary", policy.Set{Identity: yes, Boundary: other}, "because no permissions boundary allows the s3:GetObject action"},
		{"boundary deny", policy.Set{Identity: yes, Boundary: no}, "with an explicit deny in a permissions boundary"},
		{"session", policy.Set{Identity: yes, Session: other}, "because no session policy allows the s3:GetObject action"},
		{"session deny", policy.Set{Identity: yes, Session: no}, "with an explicit deny in a session policy"},
		{"resource grants the role", policy.Set{Resource: fromAll("Allow", ada)}, ""},
		{"resource grants the account", policy.Set{Resource: fromAll("Allow", `"111111111111"`)}, "because no identity-based policy allows the s3:GetObject action"},
		{"resource deny", policy.Set{Identity: yes, Resource: fromAll("Deny", ada)}, "with an explicit deny in a resource-based policy"},
		{"foreign resource", policy.Set{Identity: yes, Foreign: true}, "because no resource-based policy allows the s3:GetObject action"},
		{"foreign resource, named", policy.Set{Identity: yes, Foreign: true, Resource: fromAll("Allow", ada)}, ""},
		{"foreign resource, only named", policy.Set{Foreign: true, Resource: fromAll("Allow", ada)}, "because no identity-based policy allows the s3:GetObject action"},
		{"root", policy.Set{Root: true}, ""},
		{"root under a bucket's deny", policy.Set{Root: true, Resource: fromAll("Deny", `"*"`)}, "with an explicit deny in a resource-based policy"},
		{"a deny before the lack of an allow", policy.Set{SCPs: scp(other), Session: no}, "with an explicit deny in a session policy"},
		{"the organisation first", policy.Set{SCPs: scp(no), RCPs: fromAll("Deny", `"*"`), Identity: no}, "with an explicit deny in a service control policy"},
		{"the endpoint before the role", policy.Set{Endpoint: []policy.Policy{}, Boundary: other}, "because no VPC endpoint policy allows the s3:GetObject action"},
	} {
		tt.set.Who = who
		r := policy.Evaluate(tt.set, policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::a/1"})
		if r.Why() != tt.want || r.Allowed != (tt.want == "") {
			t.Errorf("%s: allowed %v, %q; want %q", tt.name, r.Allowed, r.Why(), tt.want)
		}
	}
}

func TestResourcePoliciesNamePrincipals(t *testing.T) {
	const with, without = `{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`, `{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`
	for _, tt := range []struct {
		text string
		kind policy.Kind
		good bool
	}{
		{with, policy.ResourcePolicy, true}, {without, policy.ResourcePolicy, false}, {with, policy.Permissions, false}, {without, policy.Permissions, true},
	} {
		if _, err := policy.Parse(tt.text, tt.kind); (err == nil) != tt.good {
			t.Errorf("kind %d, %s: %v", tt.kind, tt.text, err)
		}
	}
}
