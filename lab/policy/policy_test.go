package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const conn = "arn:aws:codeconnections:us-east-1:111111111111:connection/c1"

// one wraps a statement into a document.
func one(statement string) string {
	return `{"Version":"2012-10-17","Statement":[` + statement + `]}`
}

func mustParse(t testing.TB, text string, kind Kind) *Document {
	t.Helper()
	d, err := Parse(text, kind)
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return d
}

func policies(t testing.TB, texts ...string) []Policy {
	all := []Policy{}
	for i, x := range texts {
		all = append(all, Policy{ID: fmt.Sprintf("p%d", i), Doc: mustParse(t, x, Permissions)})
	}
	return all
}

func TestStatementApplies(t *testing.T) {
	allow := func(rest string) string { return `{"Effect":"Allow",` + rest + `}` }
	tests := []struct {
		name, statement, action, resource string
		ctx                               Values
		want                              bool
	}{
		{"exact", allow(`"Action":"codeconnections:GetConnection","Resource":"` + conn + `"`), "codeconnections:GetConnection", conn, nil, true},
		{"action without case", allow(`"Action":"CodeConnections:getconnection","Resource":"*"`), "codeconnections:GetConnection", conn, nil, true},
		{"the other prefix is another action", allow(`"Action":"codestar-connections:*","Resource":"*"`), "codeconnections:GetConnection", conn, nil, false},
		{"star in action", allow(`"Action":"codeconnections:Get*","Resource":"*"`), "codeconnections:GetConnection", conn, nil, true},
		{"question mark is one character", allow(`"Action":"codeconnections:Get?onnection","Resource":"*"`), "codeconnections:GetConnection", conn, nil, true},
		{"question mark is not none", allow(`"Action":"codeconnections:GetConnection?","Resource":"*"`), "codeconnections:GetConnection", conn, nil, false},
		{"handshake scoped to the connection fails", allow(`"Action":"codeconnections:StartOAuthHandshake","Resource":"` + conn + `"`), "codeconnections:StartOAuthHandshake", "*", nil, false},
		{"resource with case", allow(`"Action":"*","Resource":"arn:` + strings.ToUpper(conn[4:]) + `"`), "a:B", conn, nil, false},
		{"resource wildcard spans", allow(`"Action":"*","Resource":"arn:*:connection/*"`), "a:B", conn, nil, true},
		{"second of several", allow(`"Action":["a:A","a:B"],"Resource":["arn:aws:x:::1","arn:aws:x:::2"]`), "a:B", "arn:aws:x:::2", nil, true},
		{"NotAction grants the rest", allow(`"NotAction":"iam:*","Resource":"*"`), "codeconnections:GetConnection", conn, nil, true},
		{"NotAction leaves out", allow(`"NotAction":"iam:*","Resource":"*"`), "iam:GetRole", "*", nil, false},
		{"NotAction list", allow(`"NotAction":["iam:*","sts:*"],"Resource":"*"`), "sts:AssumeRole", "*", nil, false},
		{"NotResource leaves out", allow(`"Action":"*","NotResource":"` + conn + `"`), "a:B", conn, nil, false},
		{"NotResource grants others", allow(`"Action":"*","NotResource":"` + conn + `"`), "a:B", "arn:aws:x:::1", nil, true},
		{"variable", allow(`"Action":"*","Resource":"arn:aws:iam::1:user/${aws:username}"`), "a:B", "arn:aws:iam::1:user/ada", Values{"aws:username": {"ada"}}, true},
		{"variable of another", allow(`"Action":"*","Resource":"arn:aws:iam::1:user/${aws:username}"`), "a:B", "arn:aws:iam::1:user/bob", Values{"aws:username": {"ada"}}, false},
		{"variable missing", allow(`"Action":"*","Resource":"arn:aws:iam::1:user/${aws:username}"`), "a:B", "arn:aws:iam::1:user/${aws:username}", nil, false},
		{"variable default", allow(`"Action":"*","Resource":"arn:aws:iam::1:user/${aws:username, 'x'}"`), "a:B", "arn:aws:iam::1:user/x", nil, true},
		{"variable value is literal", allow(`"Action":"*","Resource":"arn:aws:iam::1:user/${aws:username}"`), "a:B", "arn:aws:iam::1:user/ada", Values{"aws:username": {"*"}}, false},
		{"escaped star", allow(`"Action":"*","Resource":"arn:aws:x:::a${*}b"`), "a:B", "arn:aws:x:::aXb", nil, false},
		{"escaped star itself", allow(`"Action":"*","Resource":"arn:aws:x:::a${*}b"`), "a:B", "arn:aws:x:::a*b", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, one(tt.statement), Permissions)
			if got := d.Statements[0].applies(Request{tt.action, tt.resource, tt.ctx}); got != tt.want {
				t.Errorf("applies = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestCondition(t *testing.T) {
	tests := []struct {
		condition string
		ctx       Values
		want      bool
	}{
		{`{"StringEquals":{"a:k":"x"}}`, Values{"a:k": {"x"}}, true},
		{`{"StringEquals":{"A:K":"x"}}`, Values{"a:k": {"x"}}, true}, // key names know no case
		{`{"StringEquals":{"a:k":"x"}}`, Values{"a:k": {"X"}}, false},
		{`{"StringEquals":{"a:k":"x*"}}`, Values{"a:k": {"xy"}}, false}, // no wildcards
		{`{"StringEquals":{"a:k":["x","y"]}}`, Values{"a:k": {"y"}}, true},
		{`{"StringEquals":{"a:k":"x"}}`, nil, false},
		{`{"StringEqualsIfExists":{"a:k":"x"}}`, nil, true},
		{`{"StringEqualsIfExists":{"a:k":"x"}}`, Values{"a:k": {"y"}}, false},
		{`{"StringEqualsIgnoreCase":{"a:k":"x"}}`, Values{"a:k": {"X"}}, true},
		{`{"StringNotEquals":{"a:k":"x"}}`, Values{"a:k": {"y"}}, true},
		{`{"StringNotEquals":{"a:k":["x","y"]}}`, Values{"a:k": {"y"}}, false}, // none of them
		{`{"StringNotEquals":{"a:k":"x"}}`, nil, true},                         // a missing key is not equal
		{`{"StringNotEqualsIfExists":{"a:k":"x"}}`, nil, true},
		{`{"StringNotEqualsIgnoreCase":{"a:k":"x"}}`, Values{"a:k": {"X"}}, false},
		{`{"StringLike":{"a:k":"x*"}}`, Values{"a:k": {"xy"}}, true},
		{`{"StringNotLike":{"a:k":"x*"}}`, Values{"a:k": {"xy"}}, false},
		{`{"StringLike":{"a:k":"${a:v}*"}}`, Values{"a:k": {"xy"}, "a:v": {"x"}}, true},
		{`{"ArnEquals":{"a:k":"arn:aws:iam::*:role/R*"}}`, Values{"a:k": {"arn:aws:iam::1:role/Ro"}}, true}, // ArnEquals is ArnLike
		{`{"ArnLike":{"a:k":"arn:aws:iam::*"}}`, Values{"a:k": {"arn:aws:iam::1:role/R"}}, false},           // segments
		{`{"ArnNotLike":{"a:k":"arn:aws:iam::*:role/*"}}`, Values{"a:k": {"arn:aws:iam::1:role/R"}}, false},
		{`{"ArnNotEquals":{"a:k":"arn:aws:iam::2:role/*"}}`, Values{"a:k": {"arn:aws:iam::1:role/R"}}, true},
		{`{"Bool":{"a:k":true}}`, Values{"a:k": {"true"}}, true},
		{`{"Bool":{"a:k":"False"}}`, Values{"a:k": {"true"}}, false},
		{`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, nil, false},
		{`{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`, nil, true}, // the deny-without-MFA idiom
		{`{"Null":{"a:k":"true"}}`, nil, true},
		{`{"Null":{"a:k":"false"}}`, nil, false},
		{`{"Null":{"a:k":"false"}}`, Values{"a:k": {"x"}}, true},
		{`{"NumericLessThan":{"a:k":"10"}}`, Values{"a:k": {"9"}}, true},
		{`{"NumericLessThanEquals":{"a:k":10}}`, Values{"a:k": {"10"}}, true},
		{`{"NumericGreaterThan":{"a:k":"10"}}`, Values{"a:k": {"9"}}, false},
		{`{"NumericGreaterThanEquals":{"a:k":"9.0"}}`, Values{"a:k": {"9"}}, true},
		{`{"NumericEquals":{"a:k":"9"}}`, Values{"a:k": {"nine"}}, false},
		{`{"NumericNotEquals":{"a:k":"9"}}`, Values{"a:k": {"8"}}, true},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}`, Values{"aws:CurrentTime": {"2026-11-01T00:00:00Z"}}, true},
		{`{"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}`, Values{"aws:CurrentTime": {"2026-11-01T00:00:00Z"}}, false},
		{`{"DateLessThanEquals":{"aws:EpochTime":"2026-01-01"}}`, Values{"aws:EpochTime": {"100"}}, true},
		{`{"DateNotEquals":{"a:k":"2026-01-01"}}`, Values{"a:k": {"2026-01-02"}}, true},
		{`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]}}`, Values{"aws:SourceIp": {"2001:db8::1"}}, true},
		{`{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, Values{"aws:SourceIp": {"11.0.0.1"}}, false},
		{`{"IpAddress":{"aws:SourceIp":"10.0.0.1"}}`, Values{"aws:SourceIp": {"10.0.0.1"}}, true},
		{`{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, Values{"aws:SourceIp": {"11.0.0.1"}}, true},
		{`{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, nil, true},
		{`{"BinaryEquals":{"a:k":"QQ=="}}`, Values{"a:k": {"QQ=="}}, true},
		{`{"ForAllValues:StringEquals":{"a:k":["x","y"]}}`, Values{"a:k": {"x", "y"}}, true},
		{`{"ForAllValues:StringEquals":{"a:k":["x","y"]}}`, Values{"a:k": {"x", "z"}}, false},
		{`{"ForAllValues:StringEquals":{"a:k":"x"}}`, nil, true},               // the classic hole
		{`{"ForAllValues:StringEquals":{"a:k":"x"}}`, Values{"a:k": {}}, true}, // empty counts as missing
		{`{"ForAnyValue:StringEquals":{"a:k":"x"}}`, Values{"a:k": {"z", "x"}}, true},
		{`{"ForAnyValue:StringEquals":{"a:k":"x"}}`, nil, false},
		{`{"ForAnyValue:StringNotEquals":{"a:k":"x"}}`, Values{"a:k": {"x", "z"}}, true},
		{`{"ForAnyValue:StringNotEquals":{"a:k":"x"}}`, nil, false},
		{`{"ForAllValues:StringNotLike":{"a:k":"x*"}}`, Values{"a:k": {"z", "xx"}}, false},
		{`{"StringEquals":{"a:k":"x","a:l":"y"}}`, Values{"a:k": {"x"}}, false},             // keys: and
		{`{"StringEquals":{"a:k":"x"},"Bool":{"a:b":"true"}}`, Values{"a:k": {"x"}}, false}, // operators: and
		{`{"StringEquals":{"a:k":"x"},"Bool":{"a:b":"true"}}`, Values{"a:k": {"x"}, "a:b": {"true"}}, true},
		{`{}`, nil, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.condition, tt.ctx), func(t *testing.T) {
			d := mustParse(t, one(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+tt.condition+`}`), Permissions)
			if got := d.Statements[0].applies(Request{"a:B", "*", tt.ctx}); got != tt.want {
				t.Errorf("applies = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestVariablesNeedTheVersion(t *testing.T) {
	d := mustParse(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:x:::${aws:username}"}}`, Permissions)
	q := Request{"a:B", "arn:aws:x:::ada", Values{"aws:username": {"ada"}}}
	if d.Statements[0].applies(q) {
		t.Error("a document of 2008-10-17 expanded a policy variable")
	}
	q.Resource = "arn:aws:x:::${aws:username}"
	if !d.Statements[0].applies(q) {
		t.Error("a document of 2008-10-17 did not take ${aws:username} literally")
	}
}

func TestEvaluateNamesOnePolicyType(t *testing.T) {
	all := one(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	none := one(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
	deny := one(`{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"x:*","Resource":"*"}`)
	arn := func(ps []Policy, arn string) []Policy { ps[0].ARN = arn; return ps }
	tests := []struct {
		name, why string
		set       Set
	}{
		{"allowed", "", Set{Identity: policies(t, all)}},
		{"nothing attached", "because no identity-based policy allows the x:Y action", Set{}},
		{"identity lacks it", "because no identity-based policy allows the x:Y action", Set{Identity: policies(t, none)}},
		{"inline deny", "with an explicit deny in an identity-based policy", Set{Identity: policies(t, all, deny)}},
		{"managed deny", "with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/d", Set{Identity: arn(policies(t, deny), "arn:aws:iam::1:policy/d")}},
		{"boundary lacks it", "because no permissions boundary allows the x:Y action", Set{Identity: policies(t, all), Boundary: policies(t, none)}},
		{"boundary of a deleted policy", "because no permissions boundary allows the x:Y action", Set{Identity: policies(t, all), Boundary: []Policy{}}},
		{"boundary denies", "with an explicit deny in a permissions boundary: arn:aws:iam::1:policy/b", Set{Identity: policies(t, all), Boundary: arn(policies(t, deny), "arn:aws:iam::1:policy/b")}},
		{"boundary alone grants nothing", "because no identity-based policy allows the x:Y action", Set{Boundary: policies(t, all)}},
		{"session lacks it", "because no session policy allows the x:Y action", Set{Identity: policies(t, all), Session: policies(t, none)}},
		{"session denies", "with an explicit deny in a session policy", Set{Identity: policies(t, all), Session: policies(t, deny)}},
		{"SCP lacks it", "because no service control policy allows the x:Y action", Set{Identity: policies(t, all), SCPs: [][]Policy{policies(t, all), policies(t, none)}}},
		{"SCP denies", "with an explicit deny in a service control policy: arn:aws:organizations::9:policy/o-1/service_control_policy/p-1",
			Set{Identity: policies(t, all), SCPs: [][]Policy{arn(policies(t, deny), "arn:aws:organizations::9:policy/o-1/service_control_policy/p-1")}}},
		{"two SCPs of one level add up", "", Set{Identity: policies(t, all), SCPs: [][]Policy{policies(t, none, all)}}},
		{"SCP named before identity", "because no service control policy allows the x:Y action", Set{SCPs: [][]Policy{policies(t, none)}}},
		{"a deny named before a gap", "with an explicit deny in a session policy", Set{SCPs: [][]Policy{policies(t, none)}, Session: policies(t, deny)}},
		{"root has no policies and needs none", "", Set{Root: true}},
		{"root under an SCP", "because no service control policy allows the x:Y action", Set{Root: true, SCPs: [][]Policy{policies(t, none)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Evaluate(tt.set, Request{Action: "x:Y", Resource: "*"})
			if r.Why() != tt.why || r.Allowed != (tt.why == "") {
				t.Errorf("allowed %v, why %q, want %q", r.Allowed, r.Why(), tt.why)
			}
		})
	}
}

func TestDenyWithNotResourceSparesOnlyThat(t *testing.T) {
	set := Set{Identity: policies(t, one(`{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"codeconnections:*","NotResource":"`+conn+`"}`))}
	for resource, want := range map[string]bool{conn: true, conn + "2": false, "*": false} {
		if r := Evaluate(set, Request{Action: "codeconnections:GetConnection", Resource: resource}); r.Allowed != want {
			t.Errorf("on %s: allowed = %v, want %v", resource, r.Allowed, want)
		}
	}
}

func TestMalformed(t *testing.T) {
	ok := `"Effect":"Allow","Action":"a:B","Resource":"*"`
	tests := []struct {
		text string
		kind Kind
		want string
	}{
		{``, Permissions, "Syntax errors in policy."},
		{`[]`, Permissions, "Syntax errors in policy."},
		{`{"Version":"2012-10-17"}`, Permissions, "Syntax errors in policy."},
		{`{"Version":"2012-10-17","Statement":[]}`, Permissions, "Syntax errors in policy."},
		{`{"Version":"2020-01-01","Statement":{` + ok + `}}`, Permissions, "The policy must contain a valid version string"},
		{one(`{`+ok+`}`) + `x`, Permissions, "Syntax errors in policy."},
		{one(`{` + ok + `,"Effect":"Deny"}`), Permissions, "Syntax errors in policy."}, // a name twice
		{one(`{` + ok + `,"Colour":"blue"}`), Permissions, "Syntax errors in policy."},
		{one(`{"Action":"a:B","Resource":"*"}`), Permissions, "Missing required field Effect"},
		{one(`{"Effect":"allow","Action":"a:B","Resource":"*"}`), Permissions, "Invalid effect: allow"},
		{one(`{"Effect":"Allow","Resource":"*"}`), Permissions, "Policy statement must contain actions."},
		{one(`{"Effect":"Allow","Action":[],"Resource":"*"}`), Permissions, "Policy statement must contain actions."},
		{one(`{"Effect":"Allow","Action":"a:B"}`), Permissions, "Policy statement must contain resources."},
		{one(`{"Effect":"Allow","Action":"a:B","NotAction":"a:C","Resource":"*"}`), Permissions, "Syntax errors in policy."},
		{one(`{"Effect":"Allow","Action":"GetConnection","Resource":"*"}`), Permissions, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{one(`{"Effect":"Allow","Action":"code*:GetConnection","Resource":"*"}`), Permissions, "Vendor code* is not valid"},
		{one(`{"Effect":"Allow","Action":"a:B","Resource":"c1"}`), Permissions, `Resource c1 must be in ARN format or "*".`},
		{one(`{"Effect":"Allow","Action":null,"Resource":"*"}`), Permissions, "Syntax errors in policy."},
		{one(`{` + ok + `,"Principal":"*"}`), Permissions, "Policy document should not specify a principal."},
		{one(`{` + ok + `,"Condition":{"StringEqual":{"a:k":"x"}}}`), Permissions, "Invalid Condition type : StringEqual."},
		{one(`{` + ok + `,"Condition":{"BoolNot":{"a:k":"x"}}}`), Permissions, "Invalid Condition type : BoolNot."},
		{one(`{` + ok + `,"Condition":{"ForSome:StringEquals":{"a:k":"x"}}}`), Permissions, "Invalid Condition type : ForSome:StringEquals."},
		{one(`{` + ok + `,"Sid":"A"},{` + ok + `,"Sid":"A"}`), Permissions, "Statement IDs (SID) in a single policy must be unique."},
		{one(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), TrustPolicy, "Missing required field Principal"},
		{one(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`), TrustPolicy, "Has prohibited field Resource"},
		{one(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}`), TrustPolicy, "AssumeRole policy may only specify STS AssumeRole actions."},
		{one(`{"Effect":"Allow","Principal":"ada","Action":"sts:AssumeRole"}`), TrustPolicy, `Invalid principal in policy: "ada"`},
	}
	for _, tt := range tests {
		_, err := Parse(tt.text, tt.kind)
		var syntax *Syntax
		if !errors.As(err, &syntax) || syntax.Message != tt.want {
			t.Errorf("parse %s: %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestPositions(t *testing.T) {
	d := mustParse(t, "{\n  \"Statement\": [\n    {\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},\n    {\"Effect\":\"Deny\",\n     \"Action\":\"*\",\"Resource\":\"*\"}]}", Permissions)
	if got := d.Statements[0].Start; got != (Position{3, 5}) {
		t.Errorf("first starts at %v", got)
	}
	if got := d.Statements[1]; got.Start != (Position{4, 5}) || got.End != (Position{5, 34}) {
		t.Errorf("second spans %v to %v", got.Start, got.End)
	}
}

func TestTrust(t *testing.T) {
	role := Who{Account: "111111111111", ARN: "arn:aws:sts::111111111111:assumed-role/Dev/ada", Source: "arn:aws:iam::111111111111:role/Dev"}
	tests := []struct {
		name, principal string
		who             Who
		want            Grant
	}{
		{"everybody", `"*"`, role, AccountGrant},
		{"account ID", `{"AWS":"111111111111"}`, role, AccountGrant},
		{"account root", `{"AWS":["arn:aws:iam::222222222222:root","arn:aws:iam::111111111111:root"]}`, role, AccountGrant},
		{"other account", `{"AWS":"arn:aws:iam::222222222222:root"}`, role, NoGrant},
		{"role", `{"AWS":"arn:aws:iam::111111111111:role/Dev"}`, role, RoleGrant},
		{"session", `{"AWS":"arn:aws:sts::111111111111:assumed-role/Dev/ada"}`, role, DirectGrant},
		{"another session", `{"AWS":"arn:aws:sts::111111111111:assumed-role/Dev/bob"}`, role, NoGrant},
		{"service", `{"Service":"codepipeline.amazonaws.com"}`, Who{Service: "codepipeline.amazonaws.com"}, DirectGrant},
		{"another service", `{"Service":"codebuild.amazonaws.com"}`, Who{Service: "codepipeline.amazonaws.com"}, NoGrant},
		{"a service is no role", `{"Service":"codepipeline.amazonaws.com"}`, role, NoGrant},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, one(`{"Effect":"Allow","Principal":`+tt.principal+`,"Action":"sts:AssumeRole"}`), TrustPolicy)
			r, g := EvaluateTrust(Policy{Doc: d}, tt.who, Request{Action: "sts:AssumeRole", Resource: "arn:aws:iam::1:role/R"})
			if g != tt.want || r.Allowed != (tt.want != NoGrant) {
				t.Errorf("grant %v, allowed %v, want %v", g, r.Allowed, tt.want)
			}
			if !r.Allowed && r.Why() != "because no role trust policy allows the sts:AssumeRole action" {
				t.Errorf("why %q", r.Why())
			}
		})
	}
	d := mustParse(t, one(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111111111111:role/Ops"},"Action":"sts:*"}`), TrustPolicy)
	if r, _ := EvaluateTrust(Policy{Doc: d}, role, Request{Action: "sts:AssumeRole"}); r.Why() != "with an explicit deny in the role trust policy" {
		t.Errorf("why %q", r.Why())
	}
}

func TestMissing(t *testing.T) {
	ps := policies(t, one(`{"Effect":"Allow","Action":"x:*","Resource":"arn:aws:x:::${aws:username}/*","Condition":{"StringEquals":{"x:Key":"v","X:KEY":"v"},"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`),
		one(`{"Effect":"Allow","Action":"y:*","Resource":"*","Condition":{"StringEquals":{"y:Key":"v"}}}`))
	got := Missing(ps, Request{Action: "x:Y", Resource: "arn:aws:x:::ada/1", Context: Values{"AWS:MultiFactorAuthPresent": {"true"}}})
	if fmt.Sprint(got) != "[aws:username x:Key]" {
		t.Errorf("missing %v", got)
	}
}

// statements draws documents over a small world, in which collisions are common.
func statements(effect string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{`"a:X"`, `"a:*"`, `"b:X"`, `"*"`, `"A:x"`}), 1, 3).Draw(t, "actions")
		arns := rapid.SliceOfN(rapid.SampledFrom([]string{`"arn:aws:a:::1"`, `"arn:aws:a:::*"`, `"*"`, `"arn:aws:a:::${a:k}"`}), 1, 2).Draw(t, "resources")
		s := `{"Effect":"` + effect + `",` + rapid.SampledFrom([]string{`"Action"`, `"NotAction"`}).Draw(t, "a") + `:[` + strings.Join(names, ",") + `],` +
			rapid.SampledFrom([]string{`"Resource"`, `"NotResource"`}).Draw(t, "r") + `:[` + strings.Join(arns, ",") + `]`
		op := rapid.SampledFrom([]string{"", "StringEquals", "StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringEquals", "ForAnyValue:StringNotLike", "Null"}).Draw(t, "op")
		if op != "" {
			s += `,"Condition":{"` + op + `":{"a:k":"` + rapid.SampledFrom([]string{"1", "2", "true"}).Draw(t, "value") + `"}}`
		}
		return s + `}`
	})
}

func requests() *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request {
		q := Request{Action: rapid.SampledFrom([]string{"a:X", "a:Y", "b:X"}).Draw(t, "action"),
			Resource: rapid.SampledFrom([]string{"*", "arn:aws:a:::1", "arn:aws:a:::2"}).Draw(t, "resource"), Context: Values{}}
		if vs := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2"}), 0, 2).Draw(t, "values"); len(vs) > 0 {
			q.Context["a:k"] = vs
		}
		return q
	})
}

func drawSet(t *rapid.T, tb testing.TB) (allows, denies []string, set func(allows, denies []string) Set) {
	allows = rapid.SliceOfN(statements("Allow"), 1, 4).Draw(t, "allows")
	denies = rapid.SliceOfN(statements("Deny"), 0, 2).Draw(t, "denies")
	where := rapid.IntRange(0, 3).Draw(t, "where")
	full := one(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	return allows, denies, func(allows, denies []string) Set {
		s := Set{Identity: policies(tb, full)}
		var ps []Policy
		for _, st := range append(append([]string(nil), allows...), denies...) {
			ps = append(ps, policies(tb, one(st))...)
		}
		if ps == nil {
			ps = []Policy{}
		}
		switch where {
		case 0:
			s.Identity = ps
		case 1:
			s.Boundary = ps
		case 2:
			s.Session = ps
		case 3:
			s.SCPs = [][]Policy{ps}
		}
		return s
	}
}

func TestAddingADenyNeverGrants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		allows, denies, set := drawSet(rt, t)
		more := append(append([]string(nil), denies...), statements("Deny").Draw(rt, "one more"))
		q := requests().Draw(rt, "request")
		if before, after := Evaluate(set(allows, denies), q), Evaluate(set(allows, more), q); after.Allowed && !before.Allowed {
			rt.Fatalf("%v was refused %s, and is allowed with one more deny", q, before.Why())
		}
	})
}

func TestRemovingAnAllowNeverGrants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		allows, denies, set := drawSet(rt, t)
		q := requests().Draw(rt, "request")
		if before, after := Evaluate(set(allows, denies), q), Evaluate(set(allows[1:], denies), q); after.Allowed && !before.Allowed {
			rt.Fatalf("%v was refused %s, and is allowed with one allow less", q, before.Why())
		}
	})
}

func TestARefusalNamesTheLayerThatRefuses(t *testing.T) {
	kinds := []Type{Identity, Boundary, Session, SCP}
	rapid.Check(t, func(rt *rapid.T) {
		allows, denies, set := drawSet(rt, t)
		s := set(allows, denies)
		q := requests().Draw(rt, "request")
		r := Evaluate(s, q)
		want := Identity // everything else in these sets allows all
		for i, layer := range [][]Policy{nil, s.Boundary, s.Session} {
			if layer != nil {
				want = kinds[i]
			}
		}
		if s.SCPs != nil {
			want = SCP
		}
		if !r.Allowed && r.Type != want {
			rt.Fatalf("%s was named, %s refused", r.Type, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(one(`{"Effect":"Allow","Action":"a:B","Resource":["*"],"Condition":{"Bool":{"a:k":true}}}`))
	f.Add(`{"Statement":[[]]}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text, Permissions)
		if err != nil {
			return
		}
		for _, s := range d.Statements {
			s.applies(Request{Action: "a:B", Resource: "*"})
			if s.Start.Line < 1 || s.Start.Column < 1 || s.End.Line < s.Start.Line {
				t.Errorf("statement spans %v to %v", s.Start, s.End)
			}
		}
	})
}
