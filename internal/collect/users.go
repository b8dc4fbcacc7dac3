package collect

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apprunner"
	apptypes "github.com/aws/aws-sdk-go-v2/service/apprunner/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	buildtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codegurureviewer"
	reviewtypes "github.com/aws/aws-sdk-go-v2/service/codegurureviewer/types"
	"github.com/aws/aws-sdk-go-v2/service/servicecatalog"
	catalogtypes "github.com/aws/aws-sdk-go-v2/service/servicecatalog/types"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
)

// users answers a query for what uses connections beside pipelines. Of each thing only its name, its connection and where that leads
// are kept, and of things without a connection nothing: environments, tokens and webhook secrets stay with AWS. A refusal counts at once,
// also to a fresh session: no verdict waits for these.
func (c *Collector) users(ctx context.Context, q fact.Query) answer {
	ctx = awsapi.AtOnce(ctx)
	switch q.Kind {
	case fact.KindBuildProject:
		return c.buildProjects(ctx, q)
	case fact.KindBuildCredential:
		return c.buildCredentials(ctx, q)
	case fact.KindGitSync:
		return c.gitSync(ctx, q)
	case fact.KindAppService:
		return c.appServices(ctx, q)
	case fact.KindProduct:
		return c.products(ctx, q)
	}
	return c.reviews(ctx, q)
}

// user fills what every user of a connection has.
func user(q fact.Query, src fact.Source, id, name, connection string) fact.ConnectionUser {
	return fact.ConnectionUser{Seen: seen(fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: id}, src), Name: name, Connection: connection}
}

// buildProjects reads every CodeBuild project of the Region, a hundred at a time: the page of ListProjects and the most that
// BatchGetProjects takes.
func (c *Collector) buildProjects(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		names, src, err := c.r.ListProjects(ctx, q.Scope, &codebuild.ListProjectsInput{NextToken: tokenOf(token)})
		if err != nil || len(names.Projects) == 0 {
			next := ""
			if err == nil {
				next = aws.ToString(names.NextToken)
			}
			return nil, next, src, err
		}
		out, src, err := c.r.BatchGetProjects(ctx, q.Scope, &codebuild.BatchGetProjectsInput{Names: names.Projects})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, p := range out.Projects {
			facts = append(facts, buildSources(q, src, p)...)
		}
		return facts, aws.ToString(names.NextToken), src, nil
	})
}

// buildSources are the sources of a project that name a connection of their own.
func buildSources(q fact.Query, src fact.Source, p buildtypes.Project) []fact.Fact {
	var facts []fact.Fact
	take := func(id string, s buildtypes.ProjectSource, main bool) {
		if s.Auth == nil || s.Auth.Type != buildtypes.SourceAuthTypeCodeconnections || aws.ToString(s.Auth.Resource) == "" {
			return
		}
		u := user(q, src, id, aws.ToString(p.Name), aws.ToString(s.Auth.Resource))
		u.Repository, u.Role, u.OnPush = location(aws.ToString(s.Location)), aws.ToString(p.ServiceRole), main && p.Webhook != nil
		facts = append(facts, u)
	}
	arn := aws.ToString(p.Arn)
	if p.Source != nil {
		take(arn, *p.Source, true)
	}
	for _, s := range p.SecondarySources {
		take(arn+"/"+aws.ToString(s.SourceIdentifier), s, false)
	}
	return facts
}

// location is a repository's URL without its scheme and without the user and token that people write into it; "" for what is no URL.
func location(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Host + strings.TrimSuffix(u.Path, ".git")
}

// buildCredentials reads the Region's credentials of CodeBuild and keeps those that are connections.
func (c *Collector) buildCredentials(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.ListSourceCredentials(ctx, q.Scope)
	if err != nil {
		return answer{err: err, src: src}
	}
	a := answer{src: src}
	for _, s := range out.SourceCredentialsInfos {
		if s.AuthType == buildtypes.AuthTypeCodeconnections && aws.ToString(s.Resource) != "" {
			a.facts = append(a.facts, user(q, src, aws.ToString(s.Arn), string(s.ServerType), aws.ToString(s.Resource)))
		}
	}
	return a
}

// gitSync reads the repository links of the connection that the query names, and the stacks that follow them.
func (c *Collector) gitSync(ctx context.Context, q fact.Query) answer {
	var links []fact.ConnectionUser
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		page, next, src, err := c.r.ListRepositoryLinks(ctx, q.Scope, token)
		for _, l := range page {
			if aws.ToString(l.ConnectionArn) == q.ID {
				u := user(q, src, aws.ToString(l.RepositoryLinkId), aws.ToString(l.OwnerId)+"/"+aws.ToString(l.RepositoryName), q.ID)
				u.Repository = u.Name
				links = append(links, u)
			}
		}
		return nil, next, src, err
	})
	if a.err != nil {
		return a
	}
	synced := make([]answer, len(links))
	reads := make([]func() (fact.Source, error), len(links))
	for i, l := range links {
		reads[i] = func() (fact.Source, error) {
			synced[i] = c.syncs(ctx, q, l)
			return synced[i].src, synced[i].err
		}
	}
	failed := together(reads...)
	for i, s := range synced {
		a.facts = append(a.facts, s.facts...)
		if len(s.facts) == 0 {
			a.facts = append(a.facts, links[i]) // a link that nothing follows, as far as was seen
		}
	}
	if failed.err != nil {
		a.src, a.err = failed.src, failed.err
	}
	return a
}

// syncs reads the stacks that follow a link.
func (c *Collector) syncs(ctx context.Context, q fact.Query, link fact.ConnectionUser) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		page, next, src, err := c.r.ListSyncConfigurations(ctx, q.Scope, link.Ref().ID, token)
		var facts []fact.Fact
		for _, s := range page {
			stack := aws.ToString(s.ResourceName)
			u := user(q, src, link.Ref().ID+"/"+stack, link.Name, q.ID)
			u.Repository, u.Branch, u.Role, u.Stack, u.OnPush = link.Repository, aws.ToString(s.Branch), aws.ToString(s.RoleArn), stack, true
			facts = append(facts, u)
		}
		return facts, next, src, err
	})
}

// maxApps is how many App Runner services of a Region are described: each takes a call, and what a repair may disturb must not cost more
// than finding out what is wrong.
const maxApps = 30

// appServices reads the App Runner services of the Region. Only a service's description names its connection.
func (c *Collector) appServices(ctx context.Context, q fact.Query) answer {
	var listed []apptypes.ServiceSummary
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ListServices(ctx, q.Scope, &apprunner.ListServicesInput{NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		for _, s := range out.ServiceSummaryList {
			if s.Status != apptypes.ServiceStatusDeleted {
				listed = append(listed, s)
			}
		}
		return nil, aws.ToString(out.NextToken), src, nil
	})
	if a.err != nil {
		return a
	}
	if len(listed) > maxApps {
		a.rest = fmt.Sprintf("%d of %d App Runner services were left out: unjam describes %d in a Region; look at the others with `aws apprunner describe-service` to see them",
			len(listed)-maxApps, len(listed), maxApps)
		listed = listed[:maxApps]
	}
	found := make([][]fact.Fact, len(listed))
	reads := make([]func() (fact.Source, error), len(listed))
	for i, s := range listed {
		reads[i] = func() (src fact.Source, err error) {
			found[i], src, err = c.appService(ctx, q, aws.ToString(s.ServiceArn))
			return src, err
		}
	}
	failed := together(reads...)
	for _, f := range found {
		a.facts = append(a.facts, f...)
	}
	if failed.err != nil {
		a.src, a.err = failed.src, failed.err
	}
	return a
}

// appService is an App Runner service, if it fetches code over a connection. One that is gone by now is none.
func (c *Collector) appService(ctx context.Context, q fact.Query, arn string) ([]fact.Fact, fact.Source, error) {
	out, src, err := c.r.DescribeService(ctx, q.Scope, &apprunner.DescribeServiceInput{ServiceArn: &arn})
	switch {
	case notFound(err):
		return nil, src, nil
	case err != nil:
		return nil, src, err
	case out.Service == nil || out.Service.SourceConfiguration == nil:
		return nil, src, nil
	}
	s := out.Service.SourceConfiguration
	if s.AuthenticationConfiguration == nil || s.CodeRepository == nil || aws.ToString(s.AuthenticationConfiguration.ConnectionArn) == "" {
		return nil, src, nil
	}
	u := user(q, src, arn, aws.ToString(out.Service.ServiceName), aws.ToString(s.AuthenticationConfiguration.ConnectionArn))
	u.Repository = location(aws.ToString(s.CodeRepository.RepositoryUrl))
	if v := s.CodeRepository.SourceCodeVersion; v != nil {
		u.Branch = aws.ToString(v.Value)
	}
	u.OnPush = s.AutoDeploymentsEnabled == nil || *s.AutoDeploymentsEnabled // the default for code: API_SourceConfiguration
	return []fact.Fact{u}, src, nil
}

// products reads the Service Catalog products of the account whose versions come from a repository.
func (c *Collector) products(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &servicecatalog.SearchProductsAsAdminInput{ProductSource: catalogtypes.ProductSourceAccount, PageSize: 20, PageToken: tokenOf(token)} // the largest page: API_SearchProductsAsAdmin
		out, src, err := c.r.SearchProductsAsAdmin(ctx, q.Scope, in)
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, p := range out.ProductViewDetails {
			if p.SourceConnection == nil || p.SourceConnection.ConnectionParameters == nil || p.SourceConnection.ConnectionParameters.CodeStar == nil || p.ProductViewSummary == nil {
				continue
			}
			s := p.SourceConnection.ConnectionParameters.CodeStar
			u := user(q, src, aws.ToString(p.ProductARN), aws.ToString(p.ProductViewSummary.Name), aws.ToString(s.ConnectionArn))
			u.Repository, u.Branch, u.OnPush = aws.ToString(s.Repository), aws.ToString(s.Branch), true
			facts = append(facts, u)
		}
		return facts, aws.ToString(out.NextPageToken), src, nil
	})
}

// reviews reads the repositories that CodeGuru Reviewer looks at over a connection.
func (c *Collector) reviews(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &codegurureviewer.ListRepositoryAssociationsInput{MaxResults: aws.Int32(100), NextToken: tokenOf(token)} // the largest page: API_ListRepositoryAssociations
		out, src, err := c.r.ListRepositoryAssociations(ctx, q.Scope, in)
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, r := range out.RepositoryAssociationSummaries {
			if aws.ToString(r.ConnectionArn) == "" || r.State == reviewtypes.RepositoryAssociationStateDisassociated {
				continue
			}
			u := user(q, src, aws.ToString(r.AssociationArn), aws.ToString(r.Name), aws.ToString(r.ConnectionArn))
			u.Repository, u.OnPush = aws.ToString(r.Owner)+"/"+aws.ToString(r.Name), true
			facts = append(facts, u)
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}
