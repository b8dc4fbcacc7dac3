package codebuild

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// Source is where a project gets its code from, when that is no pipeline.
type Source struct {
	Type       string // GITHUB, GITHUB_ENTERPRISE, BITBUCKET, GITLAB or GITLAB_SELF_MANAGED; "" for a pipeline
	Location   string // URL of the repository
	Connection string // ARN; "" for the account's credential of that type
}

// Credential is an account's credential in a Region for all sources of a type that name none of their own.
type Credential struct {
	Account, Region string
	Type            string // as a source's
	Connection      string // ARN; "" for a personal access token
}

// ARN is the credential's ARN.
func (k Credential) ARN() string {
	return "arn:aws:codebuild:" + k.Region + ":" + k.Account + ":token/" + strings.ToLower(k.Type)
}

// TypeOf is the type of the sources at a provider of connections; "" when CodeBuild has none for it.
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectSource.html
func TypeOf(providerType string) string {
	return map[string]string{"GitHub": "GITHUB", "GitHubEnterpriseServer": "GITHUB_ENTERPRISE", "Bitbucket": "BITBUCKET", "GitLab": "GITLAB",
		"GitLabSelfManaged": "GITLAB_SELF_MANAGED"}[providerType]
}

// show is a source as the API has it; identifier is "" for the first.
func (x Source) show(identifier string) map[string]any {
	m := map[string]any{"type": x.Type, "insecureSsl": false}
	if x.Type == "" {
		m["type"] = "CODEPIPELINE"
		return m
	}
	m["location"], m["gitCloneDepth"], m["reportBuildStatus"] = x.Location, 1, false
	if identifier != "" {
		m["sourceIdentifier"] = identifier
	}
	if x.Connection != "" {
		m["auth"] = map[string]any{"type": "CODECONNECTIONS", "resource": x.Connection}
	}
	return m
}

// artifacts are a pipeline's, or none.
func (p Project) artifacts() map[string]any {
	if p.Source.Type != "" {
		return map[string]any{"type": "NO_ARTIFACTS"}
	}
	return map[string]any{"type": "CODEPIPELINE", "name": p.Name, "packaging": "NONE", "encryptionDisabled": false}
}

// AddCredential states an account's credential; there is one of each type in a Region.
func (s *Service) AddCredential(k Credential) error {
	for _, o := range s.tokens {
		if o.ARN() == k.ARN() {
			return fmt.Errorf("add credential: account %s has one for %s in %s", k.Account, k.Type, k.Region)
		}
	}
	s.tokens = append(s.tokens, k)
	return nil
}

// Project finds a project, stated or named by a pipeline.
func (s *Service) Project(account, region, name string) (Project, bool) {
	return s.project(account, region, name)
}

// listSourceCredentials answers with all there are: the API has no pages.
func (s *Service) listSourceCredentials(r *cloud.Request) (map[string]any, error) {
	all := []any{}
	for _, k := range s.tokens {
		if k.Account != r.Account() || k.Region != r.Region {
			continue
		}
		m := map[string]any{"arn": k.ARN(), "serverType": k.Type, "authType": "PERSONAL_ACCESS_TOKEN"}
		if k.Connection != "" {
			m["authType"], m["resource"] = "CODECONNECTIONS", k.Connection
		}
		all = append(all, m)
	}
	return map[string]any{"sourceCredentialsInfos": all}, nil
}
