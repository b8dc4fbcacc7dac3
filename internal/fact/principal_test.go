package fact_test

import (
	"testing"

	"github.com/unjam/unjam/internal/fact"
)

// A statement of a resource's policy is about a role that it names by ARN, session, account or as everybody, and not about the others.
func TestAbout(t *testing.T) {
	const role = "arn:aws:iam::111111111111:role/team/Web"
	for principal, want := range map[string]bool{
		`"Principal":"*"`:                      true,
		`"Principal":{"AWS":"*"}`:              true,
		`"Principal":{"AWS":["` + role + `"]}`: true,
		`"Principal":{"AWS":"111111111111"}`:   true,
		`"Principal":{"AWS":"arn:aws:iam::111111111111:root","Service":"codepipeline.amazonaws.com"}`: true,
		`"Principal":{"AWS":"arn:aws:sts::111111111111:assumed-role/Web/1"}`:                          true,
		`"Principal":{"AWS":"222222222222"}`:                                                          false,
		`"Principal":{"AWS":"arn:aws:iam::111111111111:role/Other"}`:                                  false,
		`"Principal":{"Service":"codepipeline.amazonaws.com"}`:                                        false,
		`"NotPrincipal":{"AWS":"` + role + `"}`:                                                       false,
		`"NotPrincipal":{"AWS":"arn:aws:iam::111111111111:role/Other"}`:                               true,
		`"Sid":"none"`: false,
	} {
		all, err := fact.Statements(`{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*",` + principal + `}}`)
		if err != nil || len(all) != 1 || all[0].About(role) != want {
			t.Errorf("%s: %+v, %v", principal, all, err)
		}
	}
	if _, err := fact.Statements(`{"Statement":{"Effect":"Deny","Principal":{"AWS":7}}}`); err == nil {
		t.Error("a principal that is a number is read")
	}
}
