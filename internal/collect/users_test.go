package collect

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go/aws/endpoints" //lint:ignore SA1019 taken for AWS's list of endpoints, not as code

	"github.com/unjam/unjam/internal/fact"
)

const (
	pendingARN = "arn:aws:codeconnections:eu-west-1:111111111111:connection/11111111-2222-3333-4444-555555555555"
	otherARN   = "arn:aws:codeconnections:eu-west-1:111111111111:connection/99999999-2222-3333-4444-555555555555"
	canary     = "CANARY-ghp-5f2a" // stands for a secret: no fact, gap or error may hold it
)

// usersReplies is a Region with one user of every kind, and with things beside them that use no connection.
func usersReplies() map[string][]string {
	return map[string][]string{
		"codebuild:ListProjects": {`{"projects":["web","plain"],"nextToken":"2"}`, `{"projects":["docs"]}`},
		"codebuild:BatchGetProjects": {
			`{"projects":[{"name":"web","arn":"arn:web","serviceRole":"arn:aws:iam::111111111111:role/Builder","webhook":{"secret":"` + canary + `"},
				"environment":{"type":"LINUX_CONTAINER","image":"i","computeType":"BUILD_GENERAL1_SMALL","environmentVariables":[{"name":"TOKEN","value":"` + canary + `"}]},
				"source":{"type":"GITHUB","location":"https://ada:` + canary + `@github.com/acme/web.git","auth":{"type":"CODECONNECTIONS","resource":"` + pendingARN + `"}},
				"secondarySources":[{"type":"GITHUB","sourceIdentifier":"lib","location":"https://github.com/acme/lib","auth":{"type":"CODECONNECTIONS","resource":"` + otherARN + `"}}]},
			  {"name":"plain","arn":"arn:plain","source":{"type":"GITHUB","location":"https://github.com/acme/x","auth":{"type":"OAUTH","resource":"` + canary + `"}}}]}`,
			`{"projects":[{"name":"docs","arn":"arn:docs","source":{"type":"NO_SOURCE"}}]}`},
		"codebuild:ListSourceCredentials": {`{"sourceCredentialsInfos":[{"arn":"arn:token/github","serverType":"GITHUB","authType":"CODECONNECTIONS","resource":"` + pendingARN + `"},
			{"arn":"arn:token/bb","serverType":"BITBUCKET","authType":"SECRETS_MANAGER","resource":"` + canary + `"}]}`},
		"codeconnections:ListRepositoryLinks": {`{"RepositoryLinks":[{"ConnectionArn":"` + pendingARN + `","OwnerId":"acme","RepositoryName":"shop","RepositoryLinkId":"l1","RepositoryLinkArn":"arn:l1","ProviderType":"GitHub"},
			{"ConnectionArn":"` + otherARN + `","OwnerId":"acme","RepositoryName":"no","RepositoryLinkId":"l2","RepositoryLinkArn":"arn:l2","ProviderType":"GitHub"}],"NextToken":"2"}`,
			`{"RepositoryLinks":[{"ConnectionArn":"` + pendingARN + `","OwnerId":"acme","RepositoryName":"idle","RepositoryLinkId":"l3","RepositoryLinkArn":"arn:l3","ProviderType":"GitHub"}]}`},
		"codeconnections:ListSyncConfigurations": {`{"SyncConfigurations":[]}`},
		"apprunner:ListServices":                 {`{"ServiceSummaryList":[{"ServiceArn":"arn:app/api","ServiceName":"api","Status":"RUNNING"},{"ServiceArn":"arn:app/old","ServiceName":"old","Status":"DELETED"}]}`},
		"apprunner:DescribeService": {`{"Service":{"ServiceName":"api","ServiceArn":"arn:app/api","SourceConfiguration":{"AuthenticationConfiguration":{"ConnectionArn":"` + pendingARN + `"},
			"CodeRepository":{"RepositoryUrl":"https://github.com/acme/api","SourceCodeVersion":{"Type":"BRANCH","Value":"main"},
			"CodeConfiguration":{"ConfigurationSource":"API","CodeConfigurationValues":{"Runtime":"NODEJS_18","RuntimeEnvironmentVariables":{"KEY":"` + canary + `"}}}}}}}`},
		"servicecatalog:SearchProductsAsAdmin": {`{"ProductViewDetails":[{"ProductARN":"arn:p/vpc","ProductViewSummary":{"Name":"vpc"},"SourceConnection":{"Type":"CODESTAR",
			"ConnectionParameters":{"CodeStar":{"ConnectionArn":"` + pendingARN + `","Repository":"acme/products","Branch":"main","ArtifactPath":"vpc.json"}}}},
			{"ProductARN":"arn:p/plain","ProductViewSummary":{"Name":"plain"}}]}`},
		"codeguru-reviewer:associations": {`{"RepositoryAssociationSummaries":[{"AssociationArn":"arn:a/web","Name":"web","Owner":"acme","ConnectionArn":"` + pendingARN + `","State":"Associated"},
			{"AssociationArn":"arn:a/gone","Name":"gone","Owner":"acme","ConnectionArn":"` + pendingARN + `","State":"Disassociated"},
			{"AssociationArn":"arn:a/cc","Name":"cc","Owner":"111111111111","State":"Associated"}]}`},
	}
}

func userQueries() []fact.Query {
	var all []fact.Query
	for _, k := range fact.UserKinds() {
		q := fact.Query{Scope: scope("eu-west-1"), Kind: k}
		if k == fact.KindGitSync {
			q.ID = pendingARN
		}
		all = append(all, q)
	}
	return all
}

// Every kind of user is read from the reply that names its connection, and nothing that a reply holds beside is kept: no environment, no
// webhook secret, no token in a URL.
func TestUsers(t *testing.T) {
	replies := usersReplies()
	c, w := script(t, replies)
	s := ask(t, c, userQueries()...)
	if len(s.Gaps()) != 0 {
		t.Fatalf("gaps %+v", s.Gaps())
	}
	var got []string
	for u := range fact.All[fact.ConnectionUser](s) {
		if u.Source().RequestID == "" || u.Ref().Scope != scope("eu-west-1") {
			t.Errorf("%+v does not say which reply it came from", u)
		}
		got = append(got, fmt.Sprintf("%s %s %s %s@%s role=%s stack=%s push=%v", u.Ref().Kind, u.Ref().ID, u.Connection[len(u.Connection)-36:][:4], u.Repository, u.Branch, u.Role, u.Stack, u.OnPush))
	}
	want := []string{
		"app-service arn:app/api 1111 github.com/acme/api@main role= stack= push=true",
		"build-credential arn:token/github 1111 @ role= stack= push=false",
		"build-project arn:web 1111 github.com/acme/web@ role=arn:aws:iam::111111111111:role/Builder stack= push=true",
		"build-project arn:web/lib 9999 github.com/acme/lib@ role=arn:aws:iam::111111111111:role/Builder stack= push=false",
		"code-review arn:a/web 1111 acme/web@ role= stack= push=true",
		"git-sync l1 1111 acme/shop@ role= stack= push=false",
		"git-sync l3 1111 acme/idle@ role= stack= push=false",
		"product arn:p/vpc 1111 acme/products@main role= stack= push=true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	kept, err := json.Marshal([]any{all[fact.ConnectionUser](s), s.Gaps(), s.Content()})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(kept), canary) {
		t.Errorf("a secret was kept: %s", kept)
	}
	if n := len(w.asked["codeconnections:ListSyncConfigurations"]); n != 2 {
		t.Errorf("%d links were asked for what follows them, want the connection's two", n)
	}
	if n := len(w.asked["apprunner:DescribeService"]); n != 1 {
		t.Errorf("%d App Runner services were described, want the one that is not deleted", n)
	}
}

// A stack that follows a link is named with its branch and role; a link that one follows is not named beside it.
func TestGitSync(t *testing.T) {
	replies := usersReplies()
	replies["codeconnections:ListRepositoryLinks"] = []string{`{"RepositoryLinks":[{"ConnectionArn":"` + pendingARN + `","OwnerId":"acme","RepositoryName":"shop","RepositoryLinkId":"l1","RepositoryLinkArn":"arn:l1","ProviderType":"GitHub"}]}`}
	replies["codeconnections:ListSyncConfigurations"] = []string{`{"SyncConfigurations":[{"Branch":"main","OwnerId":"acme","RepositoryName":"shop","RepositoryLinkId":"l1","ResourceName":"shop-prod","RoleArn":"arn:role","SyncType":"CFN_STACK_SYNC","ProviderType":"GitHub"}],"NextToken":"2"}`,
		`{"SyncConfigurations":[{"Branch":"dev","OwnerId":"acme","RepositoryName":"shop","RepositoryLinkId":"l1","ResourceName":"shop-dev","RoleArn":"arn:role","SyncType":"CFN_STACK_SYNC","ProviderType":"GitHub"}]}`}
	c, _ := script(t, replies)
	s := ask(t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindGitSync, ID: pendingARN})
	found := all[fact.ConnectionUser](s)
	if len(found) != 2 || found[0].Stack != "shop-dev" || found[1].Stack != "shop-prod" || found[1].Branch != "main" || found[1].Role != "arn:role" || found[1].Repository != "acme/shop" || len(s.Gaps()) != 0 {
		t.Errorf("found %+v, gaps %+v", found, s.Gaps())
	}
}

// A read that is refused is a gap of its own, with its permission; the other kinds are read all the same, and so is what came before it.
func TestUsersRefused(t *testing.T) {
	refusals := map[string]struct {
		permission string
		kind       fact.Kind
		kept       int // users of the kind that were read all the same
	}{
		"codebuild:ListProjects":                 {"codebuild:ListProjects", fact.KindBuildProject, 0},
		"codebuild:BatchGetProjects":             {"codebuild:BatchGetProjects", fact.KindBuildProject, 0},
		"codebuild:ListSourceCredentials":        {"codebuild:ListSourceCredentials", fact.KindBuildCredential, 0},
		"codeconnections:ListRepositoryLinks":    {"codeconnections:ListRepositoryLinks", fact.KindGitSync, 0},
		"codeconnections:ListSyncConfigurations": {"codeconnections:ListSyncConfigurations", fact.KindGitSync, 2},
		"apprunner:ListServices":                 {"apprunner:ListServices", fact.KindAppService, 0},
		"apprunner:DescribeService":              {"apprunner:DescribeService", fact.KindAppService, 0},
		"servicecatalog:SearchProductsAsAdmin":   {"servicecatalog:SearchProductsAsAdmin", fact.KindProduct, 0},
		"codeguru-reviewer:associations":         {"codeguru-reviewer:ListRepositoryAssociations", fact.KindReview, 0},
	}
	for key, want := range refusals {
		t.Run(key, func(t *testing.T) {
			replies := usersReplies()
			replies[key] = []string{"!AccessDeniedException User: arn:aws:sts::111111111111:assumed-role/OnCall/ada is not authorized to perform: " + want.permission + " because no identity-based policy allows the " + want.permission + " action"}
			c, _ := script(t, replies)
			s := ask(t, c, userQueries()...)
			if g := s.Gaps(); len(g) != 1 || g[0].Class != fact.Denied || g[0].Permission != want.permission || g[0].Query.Kind != want.kind {
				t.Fatalf("gaps %+v", g)
			}
			kinds := map[fact.Kind]int{}
			for u := range fact.All[fact.ConnectionUser](s) {
				kinds[u.Ref().Kind]++
			}
			if kinds[want.kind] != want.kept || len(kinds) < len(fact.UserKinds())-1 {
				t.Errorf("read %v", kinds)
			}
		})
	}
}

// More App Runner services than are described are named as left out, with their number.
func TestAppServicesLeftOut(t *testing.T) {
	var list []string
	for i := range maxApps + 5 {
		list = append(list, fmt.Sprintf(`{"ServiceArn":"arn:app/%d","ServiceName":"a%d","Status":"RUNNING"}`, i, i))
	}
	c, w := script(t, map[string][]string{"apprunner:ListServices": {`{"ServiceSummaryList":[` + strings.Join(list, ",") + `]}`}, "apprunner:DescribeService": {`{"Service":{"ServiceName":"a"}}`}})
	s := ask(t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindAppService})
	if g := s.Gaps(); len(g) != 1 || g[0].Class != fact.Skipped || !strings.Contains(g[0].Why, "5 of 35") || len(w.asked["apprunner:DescribeService"]) != maxApps {
		t.Errorf("gaps %+v, described %d", s.Gaps(), len(w.asked["apprunner:DescribeService"]))
	}
}

// The old API of the connection services answers where the new one is not to be had.
func TestGitSyncOldAPI(t *testing.T) {
	replies := usersReplies()
	for _, name := range []string{"ListRepositoryLinks", "ListSyncConfigurations"} {
		replies["codestar-connections:"+name] = replies["codeconnections:"+name]
	}
	_, w := script(t, replies)
	c := over(t, transport(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.Host, "codeconnections.") {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}}
		}
		return w.RoundTrip(r)
	}), keysOf())
	s := ask(t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindGitSync, ID: pendingARN})
	if found := all[fact.ConnectionUser](s); len(found) != 2 || len(s.Gaps()) != 0 || found[0].Source().Service != "codestar-connections" {
		t.Errorf("found %+v, gaps %+v", found, s.Gaps())
	}
}

// The Regions that are said to lack a service are not among those where AWS's own list of endpoints has it, and every other Region of that list
// counts as offering it.
func TestOffersUsers(t *testing.T) {
	services := map[fact.Kind]string{fact.KindAppService: "apprunner", fact.KindReview: "codeguru-reviewer", fact.KindProduct: "servicecatalog", fact.KindBuildProject: "codebuild"}
	for kind, name := range services {
		for _, part := range endpoints.DefaultPartitions() {
			if !slices.Contains([]string{"aws", "aws-cn", "aws-us-gov"}, part.ID()) {
				continue
			}
			has := map[string]endpoints.Region{}
			if s, ok := part.Services()[name]; ok {
				has = s.Regions()
			}
			for region := range part.Regions() {
				_, offered := has[region]
				if offered && !fact.OffersUsers(kind, region) {
					t.Errorf("%s has %s and is not asked", region, name)
				}
				if !offered && fact.OffersUsers(kind, region) && fact.OffersConnectionSource(region) && (kind == fact.KindAppService || kind == fact.KindReview) {
					t.Errorf("%s is asked for %s, which it does not have", region, name)
				}
			}
		}
	}
}
