package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apprunner"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cc "github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/codegurureviewer"
	csc "github.com/aws/aws-sdk-go-v2/service/codestarconnections"
	old "github.com/aws/aws-sdk-go-v2/service/codestarconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/servicecatalog"

	"github.com/unjam/unjam/internal/fact"
)

func (r *Reader) builds(scope fact.Scope) *codebuild.Client {
	return (*codebuild.Client)(r.client("codebuild", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(codebuild.NewFromConfig(c)) }))
}

func (r *Reader) apps(scope fact.Scope) *apprunner.Client {
	return (*apprunner.Client)(r.client("apprunner", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(apprunner.NewFromConfig(c)) }))
}

// ListProjects calls codebuild:ListProjects, one page of at most 100 names.
func (r *Reader) ListProjects(ctx context.Context, scope fact.Scope, in *codebuild.ListProjectsInput) (*codebuild.ListProjectsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "codebuild", "ListProjects", r.builds(scope).ListProjects, in)
	return out, src, err
}

// ListSourceCredentials calls codebuild:ListSourceCredentials. The reply holds no tokens: AWS gives their ARNs only.
func (r *Reader) ListSourceCredentials(ctx context.Context, scope fact.Scope) (*codebuild.ListSourceCredentialsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "codebuild", "ListSourceCredentials", r.builds(scope).ListSourceCredentials, &codebuild.ListSourceCredentialsInput{})
	return out, src, err
}

// ListServices calls apprunner:ListServices, one page.
func (r *Reader) ListServices(ctx context.Context, scope fact.Scope, in *apprunner.ListServicesInput) (*apprunner.ListServicesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "apprunner", "ListServices", r.apps(scope).ListServices, in)
	return out, src, err
}

// DescribeService calls apprunner:DescribeService. The reply may hold environment variables of the service: it must not be kept.
func (r *Reader) DescribeService(ctx context.Context, scope fact.Scope, in *apprunner.DescribeServiceInput) (*apprunner.DescribeServiceOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "apprunner", "DescribeService", r.apps(scope).DescribeService, in)
	return out, src, err
}

// SearchProductsAsAdmin calls servicecatalog:SearchProductsAsAdmin, one page.
func (r *Reader) SearchProductsAsAdmin(ctx context.Context, scope fact.Scope, in *servicecatalog.SearchProductsAsAdminInput) (*servicecatalog.SearchProductsAsAdminOutput, fact.Source, error) {
	c := (*servicecatalog.Client)(r.client("servicecatalog", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(servicecatalog.NewFromConfig(c)) }))
	out, _, src, err := call(ctx, r, scope, "servicecatalog", "SearchProductsAsAdmin", c.SearchProductsAsAdmin, in)
	return out, src, err
}

// ListRepositoryAssociations calls codeguru-reviewer:ListRepositoryAssociations, one page.
func (r *Reader) ListRepositoryAssociations(ctx context.Context, scope fact.Scope, in *codegurureviewer.ListRepositoryAssociationsInput) (*codegurureviewer.ListRepositoryAssociationsOutput, fact.Source, error) {
	c := (*codegurureviewer.Client)(r.client("codeguru-reviewer", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(codegurureviewer.NewFromConfig(c)) }))
	out, _, src, err := call(ctx, r, scope, "codeguru-reviewer", "ListRepositoryAssociations", c.ListRepositoryAssociations, in)
	return out, src, err
}

// ListRepositoryLinks calls ListRepositoryLinks, one page; token "" is the first.
func (r *Reader) ListRepositoryLinks(ctx context.Context, scope fact.Scope, token string) ([]types.RepositoryLinkInfo, string, fact.Source, error) {
	return eitherList(r, scope, token, func(token string) ([]types.RepositoryLinkInfo, string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, service, "ListRepositoryLinks", r.connections(scope).ListRepositoryLinks, &cc.ListRepositoryLinksInput{MaxResults: pageSize, NextToken: optional(token)})
		if err != nil {
			return nil, "", src, err
		}
		return out.RepositoryLinks, aws.ToString(out.NextToken), src, nil
	}, func(token string) ([]types.RepositoryLinkInfo, string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, oldService, "ListRepositoryLinks", r.oldConnections(scope).ListRepositoryLinks, &csc.ListRepositoryLinksInput{MaxResults: pageSize, NextToken: optional(token)})
		if err != nil {
			return nil, "", src, err
		}
		var page []types.RepositoryLinkInfo
		for _, l := range out.RepositoryLinks {
			page = append(page, types.RepositoryLinkInfo{
				ConnectionArn: l.ConnectionArn, OwnerId: l.OwnerId, ProviderType: types.ProviderType(l.ProviderType), RepositoryLinkArn: l.RepositoryLinkArn,
				RepositoryLinkId: l.RepositoryLinkId, RepositoryName: l.RepositoryName, EncryptionKeyArn: l.EncryptionKeyArn,
			})
		}
		return page, aws.ToString(out.NextToken), src, nil
	})
}

// ListSyncConfigurations calls ListSyncConfigurations for the stacks that follow a repository link, one page; token "" is the first.
func (r *Reader) ListSyncConfigurations(ctx context.Context, scope fact.Scope, link, token string) ([]types.SyncConfiguration, string, fact.Source, error) {
	return eitherList(r, scope, token, func(token string) ([]types.SyncConfiguration, string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, service, "ListSyncConfigurations", r.connections(scope).ListSyncConfigurations, &cc.ListSyncConfigurationsInput{
			RepositoryLinkId: &link, SyncType: types.SyncConfigurationTypeCfnStackSync, MaxResults: pageSize, NextToken: optional(token)})
		if err != nil {
			return nil, "", src, err
		}
		return out.SyncConfigurations, aws.ToString(out.NextToken), src, nil
	}, func(token string) ([]types.SyncConfiguration, string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, oldService, "ListSyncConfigurations", r.oldConnections(scope).ListSyncConfigurations, &csc.ListSyncConfigurationsInput{
			RepositoryLinkId: &link, SyncType: old.SyncConfigurationTypeCfnStackSync, MaxResults: pageSize, NextToken: optional(token)})
		if err != nil {
			return nil, "", src, err
		}
		var page []types.SyncConfiguration
		for _, c := range out.SyncConfigurations {
			page = append(page, types.SyncConfiguration{
				Branch: c.Branch, OwnerId: c.OwnerId, RepositoryLinkId: c.RepositoryLinkId, RepositoryName: c.RepositoryName, ResourceName: c.ResourceName,
				RoleArn: c.RoleArn, SyncType: types.SyncConfigurationType(c.SyncType), ConfigFile: c.ConfigFile, ProviderType: types.ProviderType(c.ProviderType),
			})
		}
		return page, aws.ToString(out.NextToken), src, nil
	})
}
