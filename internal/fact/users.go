package fact

import (
	"encoding/json"
	"fmt"
	"slices"
)

// The services beside CodePipeline that use a connection (docs/aws-facts.md, "Who else uses a connection"). The comment says which operation answers a query of the kind, for the Region of its scope, and what its ID is.
const (
	KindBuildProject    Kind = "build-project"    // codebuild:ListProjects, BatchGetProjects; no ID
	KindBuildCredential Kind = "build-credential" // codebuild:ListSourceCredentials; no ID
	KindGitSync         Kind = "git-sync"         // ListRepositoryLinks, ListSyncConfigurations; connection ARN
	KindAppService      Kind = "app-service"      // apprunner:ListServices, DescribeService; no ID
	KindProduct         Kind = "product"          // servicecatalog:SearchProductsAsAdmin; no ID
	KindReview          Kind = "code-review"      // codeguru-reviewer:ListRepositoryAssociations; no ID
)

// ConnectionUser is something beside a pipeline that uses a connection. The kind of its Ref says what it is.
type ConnectionUser struct {
	Seen
	Name       string `json:"name"`                 // a credential's is the type of its server: GITHUB
	Connection string `json:"connection"`           // ARN
	Repository string `json:"repository,omitempty"` // as the service names it, a URL without scheme and user
	Branch     string `json:"branch,omitempty"`
	Role       string `json:"role,omitempty"`   // ARN of the role it runs with
	Stack      string `json:"stack,omitempty"`  // Git sync: the stack that follows the repository; "" for a link that none follows
	OnPush     bool   `json:"onPush,omitempty"` // a push makes it act
}

// UserKinds are the kinds of what uses connections beside pipelines.
func UserKinds() []Kind {
	return []Kind{KindBuildProject, KindBuildCredential, KindGitSync, KindAppService, KindProduct, KindReview}
}

// OffersUsers reports whether a Region has the service that a kind of users belongs to. Regions that were added later than these lists
// count as having it (docs/aws-facts.md, "Who else uses a connection").
func OffersUsers(kind Kind, region string) bool {
	switch kind {
	case KindGitSync: // repository links live where connections do
		return OffersConnectionSource(region)
	case KindAppService:
		return Partition(region) == "aws" && !slices.Contains([]string{"af-south-1", "ap-east-1", "ap-northeast-2", "ap-northeast-3", "ap-south-2",
			"ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ca-central-1", "ca-west-1", "eu-central-2", "eu-north-1", "eu-south-1",
			"eu-south-2", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-west-1"}, region)
	case KindReview:
		return Partition(region) == "aws" && !slices.Contains([]string{"af-south-1", "ap-east-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
			"ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ca-central-1", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2",
			"eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-west-1"}, region)
	}
	return true
}

// Trusted are the principals that a role's trust policy lets assume it, sorted: services by name, accounts, users and roles by ARN or
// number, identity providers by ARN or host name. Conditions, which may narrow it, are left out.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func Trusted(document string) ([]string, error) {
	raws, err := rawStatements(document)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, raw := range raws {
		var m struct {
			Effect    string
			Principal json.RawMessage
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, fmt.Errorf("read trust policy: %w", err)
		}
		if m.Effect != "Allow" || len(m.Principal) == 0 {
			continue
		}
		var everybody string
		if json.Unmarshal(m.Principal, &everybody) == nil {
			all = append(all, everybody)
			continue
		}
		var byType map[string]list
		if err := json.Unmarshal(m.Principal, &byType); err != nil {
			return nil, fmt.Errorf("read trust policy: %w", err)
		}
		for _, names := range byType {
			all = append(all, names...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
