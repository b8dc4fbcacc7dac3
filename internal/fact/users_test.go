package fact_test

import (
	"slices"
	"testing"

	"github.com/unjam/unjam/internal/fact"
)

// Trust policies take a principal as "*", as one text or as a list, of several types; a Deny lets nobody in.
func TestTrusted(t *testing.T) {
	for document, want := range map[string][]string{
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}}`: {"codebuild.amazonaws.com"},
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":["codepipeline.amazonaws.com","codebuild.amazonaws.com"],"AWS":"arn:aws:iam::222222222222:root"}},
			{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"}}]}`: {"arn:aws:iam::222222222222:root", "codebuild.amazonaws.com", "codepipeline.amazonaws.com"},
		`{"Statement":[{"Effect":"Allow","Principal":"*"}]}`:                                     {"*"},
		`{"Statement":[{"Effect":"Deny","Principal":{"AWS":"*"}}]}`:                              nil,
		`{"Statement":[{"Effect":"Allow","Principal":{"Federated":"token.example"}}]}`:           {"token.example"},
		`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`:                      nil,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["111111111111","333333333333"]}}]}`: {"111111111111", "333333333333"},
	} {
		got, err := fact.Trusted(document)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", document, got, err, want)
		}
	}
	for _, broken := range []string{``, `[]`, `{"Statement":[{"Effect":"Allow","Principal":7}]}`, `{"Statement":[{"Effect":"Allow","Principal":{"AWS":{}}}]}`} {
		if got, err := fact.Trusted(broken); err == nil {
			t.Errorf("%q: got %v and no error", broken, got)
		}
	}
}
