package drive

import (
	"errors"
	"strings"

	"github.com/unjam/unjam/lab/svc/apprunner"
	"github.com/unjam/unjam/lab/svc/codebuild"
	"github.com/unjam/unjam/lab/svc/codegurureviewer"
	"github.com/unjam/unjam/lab/svc/connections"
	"github.com/unjam/unjam/lab/svc/servicecatalog"
)

// linkSteps stand after those that make the connections.
func linkSteps(service string) []step {
	const none, sync = `"RepositoryLinkId":"00000000-0000-4000-8000-000000000000"`, `"SyncType":"CFN_STACK_SYNC"`
	conn := strings.ReplaceAll(service, "-", "")
	return named(service, []step{
		{act: func(d *driver) (err error) {
			d.lab.Cloud.Within(func() {
				var l connections.Link
				if l, err = d.lab.Connections.AddLink(account, region, d.vars[conn], "acme/web"); err == nil {
					err = d.lab.Connections.AddSync(connections.Sync{Link: l.ID, Stack: "stack-" + conn, Branch: "main", File: "deployment.yaml", Role: "arn:aws:iam::111111111111:role/service"})
				}
			})
			return err
		}},
		{op: "ListRepositoryLinks", in: `{"MaxResults":10}`, keep: "link=RepositoryLinkId"},
		{op: "ListRepositoryLinks", in: `{"NextToken":"no token of mine"}`, code: "InvalidInputException"},
		{op: "GetRepositoryLink", in: `{"RepositoryLinkId":"$link"}`},
		{op: "GetRepositoryLink", in: `{` + none + `}`, code: "ResourceNotFoundException"},
		{op: "ListSyncConfigurations", in: `{"RepositoryLinkId":"$link",` + sync + `}`},
		{op: "ListSyncConfigurations", in: `{` + none + `,` + sync + `}`, code: "ResourceNotFoundException"},
		{op: "GetResourceSyncStatus", in: `{"ResourceName":"stack-` + conn + `",` + sync + `}`},
		{op: "GetResourceSyncStatus", in: `{"ResourceName":"none",` + sync + `}`, code: "ResourceNotFoundException"},
	})
}

// userSteps are the services beside CodePipeline that use connections.
func userSteps() []step {
	all := []step{{act: (*driver).useConnection}}
	all = append(all, named("codebuild", []step{
		{op: "ListSourceCredentials", in: `{}`},
		{op: "ListSourceCredentials", in: `[]`, code: "SerializationException"},
		{op: "BatchGetProjects", in: `{"names":["connected"]}`},
	})...)
	all = append(all, named("apprunner", []step{
		{op: "ListServices", in: `{"MaxResults":20}`, keep: "service=ServiceArn"},
		{op: "ListServices", in: `{"MaxResults":21}`, code: "InvalidRequestException"},
		{op: "DescribeService", in: `{"ServiceArn":"$service"}`},
		{op: "DescribeService", in: `{"ServiceArn":"arn:aws:apprunner:us-east-1:111111111111:service/none/0123"}`, code: "ResourceNotFoundException"},
		{op: "ListConnections", in: `{}`},
		{op: "ListConnections", in: `{"NextToken":"no token of mine"}`, code: "InvalidRequestException"},
	})...)
	all = append(all, named("servicecatalog", []step{
		{op: "SearchProductsAsAdmin", in: `{"ProductSource":"ACCOUNT","PageSize":20,"Filters":{"FullTextSearch":["base"]}}`, keep: "product=ProductId"},
		{op: "SearchProductsAsAdmin", in: `{"PageToken":"no token of mine"}`, code: "InvalidParametersException"},
		{op: "DescribeProductAsAdmin", in: `{"Id":"$product"}`},
		{op: "DescribeProductAsAdmin", in: `{"Name":"none"}`, code: "ResourceNotFoundException"},
	})...)
	return append(all, named("codeguru-reviewer", []step{
		{op: "ListRepositoryAssociations", in: `{"State":["Associated","Failed"],"MaxResults":50}`, keep: "association=AssociationArn"},
		{op: "ListRepositoryAssociations", in: `{"MaxResults":101}`, code: "ValidationException"},
		{op: "DescribeRepositoryAssociation", in: `{"AssociationArn":"$association"}`},
		{op: "DescribeRepositoryAssociation", in: `{"AssociationArn":"arn:aws:codeguru-reviewer:us-east-1:111111111111:association:00000000-0000-4000-a000-000000000000"}`, code: "NotFoundException"},
	})...)
}

// useConnection has a project, a credential, an App Runner service, a product and a reviewer use a connection.
func (d *driver) useConnection() error {
	var err [4]error
	d.lab.Cloud.Within(func() {
		l, arn := d.lab, d.vars["codeconnections"]
		source := codebuild.Source{Type: "GITHUB", Location: "https://github.com/acme/web.git", Connection: arn}
		l.Builds.SetProject(codebuild.Project{Account: account, Region: region, Name: "connected", Source: source, Secondary: []codebuild.Source{source}, Webhook: true})
		err[0] = l.Builds.AddCredential(codebuild.Credential{Account: account, Region: region, Type: "GITHUB", Connection: arn})
		_, err[1] = l.Apps.AddApp(apprunner.App{Account: account, Region: region, Name: "shop", Connection: arn, Repository: "https://github.com/acme/web", Branch: "main"})
		_, err[2] = l.Catalog.AddProduct(servicecatalog.Product{Account: account, Region: region, Name: "base", Owner: "platform", Connection: d.vars["codestarconnections"], Repository: "acme/web",
			Branch: "main", Path: "product.yaml", Synced: "SUCCEEDED"})
		_, err[3] = l.Reviews.Associate(codegurureviewer.Association{Account: account, Region: region, Connection: arn, ProviderType: "GitHub", Repository: "acme/web"})
		if _, e := l.Apps.AddConnection(apprunner.Connection{Account: account, Region: region, Name: "own-github", Provider: "GITHUB", Status: "AVAILABLE"}); e != nil {
			err[0] = e
		}
	})
	return errors.Join(err[:]...)
}
