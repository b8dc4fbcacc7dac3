package accessanalyzer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/accessanalyzer"
	"github.com/unjam/unjam/lab/svc/iam"
)

const account = "111111111111"

type bench struct {
	t *testing.T
	c *cloud.Cloud
	s *accessanalyzer.Service
	i *iam.Service
}

func newBench(t *testing.T) bench {
	c := cloud.New()
	i := iam.New(c)
	c.AddAccount(&cloud.Account{ID: account})
	return bench{t, c, accessanalyzer.New(c, i), i}
}

func (b bench) call(op string, in map[string]any) (out map[string]any, err error) {
	b.c.Within(func() {
		out, err = b.c.Serve(&cloud.Request{Service: "access-analyzer", Operation: op, Region: "us-east-1", In: in, Caller: iam.RootPrincipal(account)})
	})
	return out, err
}

func (b bench) ok(op string, in map[string]any) map[string]any {
	b.t.Helper()
	out, err := b.call(op, in)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b bench) wrong(code, op string, in map[string]any) {
	b.t.Helper()
	_, err := b.call(op, in)
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code != code {
		b.t.Errorf("%s %v: %v, want %s", op, in, err, code)
	}
}

func doc(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func allow(action, resource string) string {
	return `{"Effect":"Allow","Action":["` + strings.ReplaceAll(action, " ", `","`) + `"],"Resource":"` + resource + `"}`
}

func deny(action string) string {
	return `{"Effect":"Deny","Action":"` + action + `","Resource":"*"}`
}

func TestValidatePolicy(t *testing.T) {
	b := newBench(t)
	for _, tt := range []struct{ name, doc, want string }{
		{"nothing wrong", doc(allow("codeconnections:UseConnection codestar-connections:UseConnection", "*")), ""},
		{"action that does not exist", doc(allow("codeconnections:Use", "*")), "ERROR INVALID_ACTION Statement 0 Action 0"},
		{"second of two", doc(allow("s3:*", "*"), allow("codepipeline:Get* codepipeline:Restart", "*")), "ERROR INVALID_ACTION Statement 1 Action 1"},
		{"pattern that covers nothing", doc(allow("codepipeline:Restart*", "*")), "ERROR INVALID_ACTION Statement 0 Action 0"},
		{"action in another case", doc(allow("CodePipeline:getpipeline", "*")), ""},
		{"a service the lab does not know", doc(allow("batch:Anything", "*")), ""},
		{"PassRole on everything", doc(allow("iam:PassRole", "*")), "SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE Statement 0 Action 0"},
		{"everything on everything", doc(allow("*", "*")), "SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE Statement 0 Action 0"},
		{"PassRole to one service", doc(`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"codepipeline.amazonaws.com"}}}`), ""},
		{"PassRole on one role", doc(allow("iam:PassRole", "arn:aws:iam::111111111111:role/Pipe")), ""},
		{"PassRole denied", doc(deny("iam:PassRole")), ""},
		{"twice the same", doc(allow("s3:GetObject s3:GetObject", "*")), "SUGGESTION REDUNDANT_ACTION Statement 0 Action 1"},
		{"no version", `{"Statement":[` + allow("s3:*", "*") + `]}`, "WARNING MISSING_VERSION"},
		{"no JSON", `{"Version":`, "ERROR JSON_SYNTAX_ERROR"},
		{"no statement", `{"Version":"2012-10-17"}`, "ERROR MISSING_STATEMENT"},
		{"no effect", doc(`{"Action":"s3:*","Resource":"*"}`), "ERROR MISSING_EFFECT"},
		{"principal in an identity policy", doc(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`), "ERROR UNSUPPORTED_PRINCIPAL"},
		{"allowing all but", doc(`{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::a"}`), "WARNING ALLOW_WITH_NOT_RESOURCE Statement 0 NotResource"},
	} {
		var got []string
		for _, f := range b.ok("ValidatePolicy", map[string]any{"policyDocument": tt.doc, "policyType": "IDENTITY_POLICY"})["findings"].([]map[string]any) {
			place := ""
			for _, p := range f["locations"].([]any)[0].(map[string]any)["path"].([]any) {
				for _, v := range p.(map[string]any) {
					place += fmt.Sprint(" ", v)
				}
			}
			got = append(got, fmt.Sprint(f["findingType"], " ", f["issueCode"], place))
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	b.wrong(cloud.ValidationError, "ValidatePolicy", map[string]any{"policyDocument": doc(allow("s3:*", "*")), "policyType": "MY_POLICY"})
	b.wrong(cloud.ValidationError, "ValidatePolicy", map[string]any{"policyType": "IDENTITY_POLICY"})
}

func TestValidatePolicySaysWhere(t *testing.T) {
	b := newBench(t)
	text := "{\n \"Version\": \"2012-10-17\",\n \"Statement\": [\n  " + allow("codepipeline:Restart", "*") + "\n ]\n}"
	f := b.ok("ValidatePolicy", map[string]any{"policyDocument": text, "policyType": "IDENTITY_POLICY"})["findings"].([]map[string]any)[0]
	start := f["locations"].([]any)[0].(map[string]any)["span"].(map[string]any)["start"].(map[string]any)
	if start["line"] != 4 || start["column"] != 2 || !strings.HasPrefix(text[start["offset"].(int):], `{"Effect"`) {
		t.Errorf("the statement begins at %v", start)
	}
	if link := f["learnMoreLink"].(string); !strings.HasSuffix(link, "-checks-error-invalid-action") {
		t.Error(link)
	}
}

func TestCheckNoNewAccess(t *testing.T) {
	const conn, other = "arn:aws:codeconnections:us-east-1:111111111111:connection/1", "arn:aws:codeconnections:us-east-1:111111111111:connection/2"
	when := func(region string) string {
		return `{"Sid":"Here","Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"` + region + `"}}}`
	}
	b := newBench(t)
	for _, tt := range []struct{ name, existing, modified, want string }{
		{"the same", doc(allow("s3:Get*", "*")), doc(allow("s3:Get*", "*")), "PASS []"},
		{"narrower action", doc(allow("s3:*", "*")), doc(allow("s3:Get*", "*")), "PASS []"},
		{"narrower resource", doc(allow("s3:*", "*")), doc(allow("s3:*", conn)), "PASS []"},
		{"one action more", doc(allow("s3:GetObject", "*")), doc(allow("s3:GetObject", "*"), allow("codeconnections:UseConnection", conn)), "FAIL [1]"},
		{"the other prefix", doc(allow("codestar-connections:UseConnection", "*")), doc(allow("codeconnections:UseConnection", "*")), "FAIL [0]"},
		{"another resource", doc(allow("codeconnections:UseConnection", conn)), doc(allow("codeconnections:UseConnection", other)), "FAIL [0]"},
		{"pattern over a name", doc(allow("s3:GetObject", "*")), doc(allow("s3:Get*", "*")), "FAIL [0]"},
		{"everything", doc(allow("s3:*", "*")), doc(allow("*", "*")), "FAIL [0]"},
		{"granted but denied in the same document", doc(allow("s3:GetObject", "*")), doc(allow("s3:*", "*"), deny("s3:*")), "PASS []"},
		{"a denial lifted", doc(allow("s3:*", "*"), deny("s3:DeleteObject")), doc(allow("s3:*", "*")), "FAIL [0]"},
		{"a condition dropped", doc(when("us-east-1")), doc(allow("s3:GetObject", "*")), "FAIL [0]"},
		{"a condition changed", doc(when("us-east-1")), doc(when("eu-west-1")), "FAIL [0]"},
		{"a condition kept", doc(when("us-east-1")), doc(when("us-east-1")), "PASS []"},
		{"a condition added", doc(allow("s3:GetObject", "*")), doc(when("us-east-1")), "PASS []"},
		{"all but one action", doc(allow("s3:*", "*")), doc(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`), "FAIL [0]"},
	} {
		out := b.ok("CheckNoNewAccess", map[string]any{"newPolicyDocument": tt.modified, "existingPolicyDocument": tt.existing, "policyType": "IDENTITY_POLICY"})
		indexes := []any{}
		for _, r := range out["reasons"].([]any) {
			indexes = append(indexes, r.(map[string]any)["statementIndex"])
		}
		if got := fmt.Sprint(out["result"], " ", indexes); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	b.wrong("UnprocessableEntityException", "CheckNoNewAccess", map[string]any{"newPolicyDocument": "{", "existingPolicyDocument": doc(allow("s3:*", "*")), "policyType": "IDENTITY_POLICY"})
	b.wrong(cloud.ValidationError, "CheckNoNewAccess", map[string]any{"newPolicyDocument": doc(allow("s3:*", "*")), "policyType": "IDENTITY_POLICY"})
}

func TestCheckNoNewAccessInTrustPolicies(t *testing.T) {
	trust := func(principal string) string {
		return doc(`{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}`)
	}
	b := newBench(t)
	pipe := `{"Service":"codepipeline.amazonaws.com"}`
	for modified, want := range map[string]string{pipe: "PASS", `{"Service":["codepipeline.amazonaws.com","codebuild.amazonaws.com"]}`: "FAIL", `"*"`: "FAIL"} {
		out := b.ok("CheckNoNewAccess", map[string]any{"newPolicyDocument": trust(modified), "existingPolicyDocument": trust(pipe), "policyType": "RESOURCE_POLICY"})
		if out["result"] != want {
			t.Errorf("%s: %v, want %s", modified, out["result"], want)
		}
	}
}

func TestCheckAccessNotGranted(t *testing.T) {
	b := newBench(t)
	check := func(policy string, access map[string]any) any {
		return b.ok("CheckAccessNotGranted", map[string]any{"policyDocument": policy, "policyType": "IDENTITY_POLICY", "access": []any{access}})["result"]
	}
	policy := doc(allow("s3:Get*", "arn:aws:s3:::a/*"))
	for _, tt := range []struct {
		access map[string]any
		want   string
	}{
		{map[string]any{"actions": []any{"s3:GetObject"}}, "FAIL"},
		{map[string]any{"actions": []any{"s3:PutObject"}}, "PASS"},
		{map[string]any{"actions": []any{"s3:GetObject"}, "resources": []any{"arn:aws:s3:::b/1"}}, "PASS"},
		{map[string]any{"resources": []any{"arn:aws:s3:::a/1"}}, "FAIL"},
	} {
		if got := check(policy, tt.access); got != tt.want {
			t.Errorf("%v: %v, want %s", tt.access, got, tt.want)
		}
	}
	if got := check(doc(allow("s3:*", "*"), deny("s3:GetObject")), map[string]any{"actions": []any{"s3:GetObject"}}); got != "PASS" {
		t.Errorf("denied: %v", got)
	}
}

func TestFindings(t *testing.T) {
	b := newBench(t)
	b.c.Within(func() {
		for name, principal := range map[string]string{
			"Own": `{"AWS":"arn:aws:iam::111111111111:root"}`, "ByID": `{"AWS":"111111111111"}`, "Service": `{"Service":"codepipeline.amazonaws.com"}`,
			"Partner": `{"AWS":"arn:aws:iam::222222222222:root"}`, "Anybody": `"*"`,
		} {
			if _, err := b.i.CreateRole(account, name, "/", doc(`{"Effect":"Allow","Principal":`+principal+`,"Action":"sts:AssumeRole"}`)); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.s.AddAnalyzer(account, "us-east-1", "outside"); err != nil {
			t.Fatal(err)
		}
		if b.s.AddAnalyzer(account, "us-east-1", "second") == nil {
			t.Error("two analyzers of one type in one Region")
		}
	})
	analyzers := b.ok("ListAnalyzers", nil)["analyzers"].([]map[string]any)
	if len(analyzers) != 1 || len(b.ok("ListAnalyzers", map[string]any{"type": "ORGANIZATION"})["analyzers"].([]map[string]any)) != 0 {
		t.Fatalf("analyzers %v", analyzers)
	}
	list := func(filter map[string]any) []string {
		var all []string
		for _, f := range b.ok("ListFindingsV2", map[string]any{"analyzerArn": analyzers[0]["arn"], "filter": filter})["findings"].([]map[string]any) {
			all = append(all, strings.TrimPrefix(f["resource"].(string), "arn:aws:iam::111111111111:role/"))
		}
		return all
	}
	if got := list(nil); !slices.Equal(got, []string{"Anybody", "Partner"}) {
		t.Errorf("findings on %v", got)
	}
	if got := list(map[string]any{"resource": map[string]any{"contains": []any{"Part"}}}); !slices.Equal(got, []string{"Partner"}) {
		t.Errorf("filtered: %v", got)
	}
	if got := list(map[string]any{"status": map[string]any{"neq": []any{"ACTIVE"}}}); got != nil {
		t.Errorf("filtered by status: %v", got)
	}
	b.wrong("ResourceNotFoundException", "ListFindingsV2", map[string]any{"analyzerArn": "arn:aws:access-analyzer:eu-west-1:111111111111:analyzer/outside"})
}
