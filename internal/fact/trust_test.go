package fact_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/fact"
)

// TestTrusting: who is let in by a trust policy, and that nobody is called excluded whose condition cannot be judged.
func TestTrusting(t *testing.T) {
	const service = "codepipeline.amazonaws.com"
	pipeline := fact.Assumer{Name: service, Account: "111111111111", Source: "arn:aws:codepipeline:eu-west-1:111111111111:web"}
	role := fact.Assumer{Name: "arn:aws:iam::111111111111:role/service-role/Web", Account: "111111111111"}
	allow := func(principal, condition string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"` + condition + `}`
	}
	cond := func(operator, key, value string) string {
		return `,"Condition":{"` + operator + `":{"` + key + `":` + value + `}}`
	}
	svc := `{"Service":["codebuild.amazonaws.com","codepipeline.amazonaws.com"]}`
	for _, tt := range []struct {
		name      string
		who       fact.Assumer
		statement string
		want      fact.Trust
	}{
		{"named", pipeline, allow(svc, ""), fact.TrustHolds},
		{"another service", pipeline, allow(`{"Service":"codebuild.amazonaws.com"}`, ""), fact.TrustUnnamed},
		{"the name as part of another", pipeline, allow(`{"Service":"x-codepipeline.amazonaws.com"}`, ""), fact.TrustUnnamed},
		{"everybody is no service", pipeline, allow(`{"AWS":"*"}`, ""), fact.TrustUnnamed},
		{"another action", pipeline, strings.Replace(allow(svc, ""), "sts:AssumeRole", "sts:TagSession", 1), fact.TrustUnnamed},
		{"denied", pipeline, allow(svc, "") + `,` + strings.Replace(allow(svc, ""), "Allow", "Deny", 1), fact.TrustBarred},
		{"another one is denied", pipeline, allow(svc, "") + `,` + strings.Replace(allow(`{"Service":"ec2.amazonaws.com"}`, ""), "Allow", "Deny", 1), fact.TrustHolds},
		{"denied for another account", pipeline, allow(svc, "") + `,` + strings.Replace(allow(svc, cond("StringEquals", "aws:SourceAccount", `"222222222222"`)), "Allow", "Deny", 1), fact.TrustHolds},
		{"perhaps denied", pipeline, allow(svc, "") + `,` + strings.Replace(allow(svc, cond("StringEquals", "aws:SourceOrgID", `"o-1"`)), "Allow", "Deny", 1), fact.TrustUndecided},
		{"its account", pipeline, allow(svc, cond("StringEquals", "AWS:SourceAccount", `["222222222222","111111111111"]`)), fact.TrustHolds},
		{"another account", pipeline, allow(svc, cond("StringEquals", "aws:SourceAccount", `"222222222222"`)), fact.TrustExcluded},
		{"another account, if it is said", pipeline, allow(svc, cond("StringEqualsIfExists", "aws:SourceAccount", `"222222222222"`)), fact.TrustExcluded},
		{"another pipeline", pipeline, allow(svc, cond("ArnLike", "aws:SourceArn", `"arn:aws:codepipeline:*:111111111111:api"`)), fact.TrustExcluded},
		{"another pipeline, if it is said", pipeline, allow(svc, cond("ArnLikeIfExists", "aws:SourceArn", `"arn:aws:codepipeline:*:111111111111:api"`)), fact.TrustUndecided},
		{"itself: whether it is sent is not known", pipeline, allow(svc, cond("ArnLike", "aws:SourceArn", `"arn:aws:codepipeline:*:111111111111:web"`)), fact.TrustUndecided},
		{"a number", pipeline, allow(svc, cond("NumericLessThan", "aws:MultiFactorAuthAge", `3600`)), fact.TrustUndecided},
		{"two ways, one of them open", pipeline, allow(svc, cond("StringEquals", "aws:SourceAccount", `"222222222222"`)) + `,` + allow(svc, ""), fact.TrustHolds},
		{"a role by its ARN", role, allow(`{"AWS":"arn:aws:iam::111111111111:role/service-role/Web"}`, ""), fact.TrustHolds},
		{"a role by its account", role, allow(`{"AWS":"111111111111"}`, ""), fact.TrustHolds},
		{"a role that was made again", role, allow(`{"AWS":"AROAEXAMPLEID00000000"}`, ""), fact.TrustUnnamed},
		{"a role with an external ID", role, allow(`{"AWS":"111111111111"}`, cond("StringEquals", "sts:ExternalId", `"x"`)), fact.TrustUndecided},
	} {
		got, because := fact.Trusting(`{"Version":"2012-10-17","Statement":[`+tt.statement+`]}`, tt.who)
		if got != tt.want || (got == fact.TrustExcluded || got == fact.TrustUndecided) != (because != "") {
			t.Errorf("%s: %s because of %q, want %s", tt.name, got, because, tt.want)
		}
	}
	if got, _ := fact.Trusting("{", pipeline); got != fact.TrustUndecided {
		t.Errorf("unreadable: %s", got)
	}
}

// TestWithService: one statement is added, for one account, and what stood there stands there still.
func TestWithService(t *testing.T) {
	const before = `{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"A","Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	after := fact.WithService(before, "codepipeline.amazonaws.com", "111111111111")
	var d struct {
		Version, ID string
		Statement   []json.RawMessage
	}
	if err := json.Unmarshal([]byte(after), &d); err != nil || d.Version != "2012-10-17" || d.ID != "x" || len(d.Statement) != 2 || !strings.Contains(before, string(d.Statement[0])) {
		t.Fatalf("%v: %s", err, after)
	}
	for account, want := range map[string]fact.Trust{"111111111111": fact.TrustHolds, "222222222222": fact.TrustExcluded} {
		if got, _ := fact.Trusting(after, fact.Assumer{Name: "codepipeline.amazonaws.com", Account: account}); got != want {
			t.Errorf("account %s: %s, want %s", account, got, want)
		}
	}
	for _, broken := range []string{"", "{", `{"Statement":[],"Other":1}`, `{"Version":1,"Statement":[]}`} {
		if got := fact.WithService(broken, "s", "1"); got != "" {
			t.Errorf("%q became %s", broken, got)
		}
	}
	if fact.TrustDigest(before) != fact.TrustDigest(" "+strings.ReplaceAll(before, ",", ", ")) || fact.TrustDigest(before) == fact.TrustDigest(after) {
		t.Error("the digest is of the layout, not of what is said")
	}
}
