package world

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/apprunner"
	"github.com/unjam/unjam/lab/svc/codebuild"
	"github.com/unjam/unjam/lab/svc/codegurureviewer"
	"github.com/unjam/unjam/lab/svc/connections"
	"github.com/unjam/unjam/lab/svc/servicecatalog"
)

// consumers are the things beside pipelines that use a connection. The lab serves only reads of their services, so that an act asks for
// the permissions, leaves the event and states the thing.
func (d *loader) consumers() map[string]func(*act, string) error {
	return map[string]func(*act, string) error{
		"project": d.createProject, "credential": d.createCredential, "link": d.createLink, "app": d.createApp, "product": d.createProduct, "review": d.createReview,
	}
}

// use is what every user of a connection says in its line.
type use struct {
	account, region string
	connection      connections.Connection
	repo, branch    string
}

// useOf reads connection=, repo=, branch= and region= of a line.
func (d *loader) useOf(a *act) (use, error) {
	k, err := d.caller(a)
	if err != nil {
		return use{}, err
	}
	u := use{account: k.Account, region: d.regionOf(a), repo: a.opt("repo", ""), branch: a.opt("branch", "main")}
	name := a.opt("connection", "")
	known, ok := d.lab.Connections.Lookup(d.resource(name))
	if !ok {
		return u, fmt.Errorf("there is no connection called %q by then", name)
	}
	u.connection = known
	return u, nil
}

// url is the page of a repository at the connection's provider.
func (d *loader) url(u use, repo string) string {
	org, _, _ := strings.Cut(repo, "/")
	if own := d.urls[org]; own != "" {
		return strings.TrimSuffix(own, "/") + "/" + repo
	}
	host := map[string]string{"Bitbucket": "bitbucket.org", "GitLab": "gitlab.com", "AzureDevOps": "dev.azure.com"}[u.connection.ProviderType]
	if host == "" {
		host = "github.com"
	}
	return "https://" + host + "/" + repo
}

// made asks whether the actor may do what makes a thing that uses a connection, and leaves the event of the call.
func (d *loader) made(a *act, u use, service, op, resource string, in map[string]any) error {
	k, err := d.caller(a)
	if err != nil {
		return err
	}
	if !d.c.Account(k.Account).Enabled(u.region) {
		return fmt.Errorf("account %s has no Region %s enabled", k.Account, u.region)
	}
	if err := d.signIn(k, u.region); err != nil {
		return err
	}
	needs := []cloud.Access{{Action: service + ":" + op, Resource: resource}}
	if prefix := strings.Split(u.connection.ARN, ":")[2]; prefix != "apprunner" { // App Runner's own are not passed
		needs = append(needs, cloud.Access{Action: prefix + ":PassConnection", Resource: u.connection.ARN})
	}
	e := cloud.Event{RequestID: d.c.TraceID(), Time: d.c.Now(), Name: op, Source: service + ".amazonaws.com", Account: k.Account, Region: u.region, Caller: k.Principal,
		AccessKeyID: k.AccessKeyID, Origin: d.origins[k.Name].Origin, Request: in}
	for _, need := range needs {
		if answer := d.c.Authorize(k.Principal, u.region, need); !answer.Allowed {
			refused := cloud.Denied(k.Principal, need, answer)
			e.ErrorCode, e.ErrorText = refused.Code, refused.Message
			d.c.Record(e)
			return refused
		}
	}
	d.c.Record(e)
	return nil
}

// createProject: creates project NAME connection= repo= [secondary=ORG/REPO,...] [webhook=yes] [region=]; a project that a stage line
// or a pipeline names keeps the rest of what it has.
func (d *loader) createProject(a *act, name string) error {
	u, err := d.useOf(a)
	if err != nil {
		return err
	}
	kind := codebuild.TypeOf(u.connection.ProviderType)
	if kind == "" {
		return fmt.Errorf("CodeBuild knows no repositories of %s", u.connection.ProviderType)
	}
	if err := d.buildRole(u.account); err != nil {
		return err
	}
	p, _ := d.lab.Builds.Project(u.account, u.region, name)
	p.Source = codebuild.Source{Type: kind, Location: d.url(u, u.repo) + ".git", Connection: u.connection.ARN}
	for _, repo := range a.list("secondary") {
		p.Secondary = append(p.Secondary, codebuild.Source{Type: kind, Location: d.url(u, repo) + ".git", Connection: u.connection.ARN})
	}
	p.Webhook = a.opt("webhook", "") == "yes"
	auth := map[string]any{"type": "CODECONNECTIONS", "resource": u.connection.ARN}
	if err := d.made(a, u, "codebuild", "CreateProject", p.ARN(), map[string]any{"name": name, "source": map[string]any{"type": kind, "location": p.Source.Location, "auth": auth}}); err != nil {
		return err
	}
	d.lab.Builds.SetProject(p)
	d.w.arns[name] = p.ARN()
	return nil
}

// createCredential: creates credential NAME connection= [region=]: what all projects of the provider use that name no connection
func (d *loader) createCredential(a *act, name string) error {
	u, err := d.useOf(a)
	if err != nil {
		return err
	}
	k := codebuild.Credential{Account: u.account, Region: u.region, Type: codebuild.TypeOf(u.connection.ProviderType), Connection: u.connection.ARN}
	if k.Type == "" {
		return fmt.Errorf("CodeBuild knows no repositories of %s", u.connection.ProviderType)
	}
	if err := d.made(a, u, "codebuild", "ImportSourceCredentials", "*", map[string]any{"serverType": k.Type, "authType": "CODECONNECTIONS", "token": u.connection.ARN}); err != nil {
		return err
	}
	d.w.arns[name] = k.ARN()
	return d.lab.Builds.AddCredential(k)
}

// createLink: creates link NAME connection= repo= [stack= [branch=] [file=] [role=]] [region=]: a repository link, and with stack=
// the stack that follows it
func (d *loader) createLink(a *act, name string) error {
	u, err := d.useOf(a)
	if err != nil {
		return err
	}
	stack, file, role := a.opt("stack", ""), a.opt("file", "deployment.yaml"), d.named(a.opt("role", "arn:aws:iam::"+u.account+":role/GitSync"))
	if !strings.HasPrefix(role, "arn:") {
		return fmt.Errorf("there is no role %q by then", role)
	}
	service := strings.Split(u.connection.ARN, ":")[2]
	owner, repo, _ := strings.Cut(u.repo, "/")
	if err := d.made(a, u, service, "CreateRepositoryLink", u.connection.ARN, map[string]any{"ConnectionArn": u.connection.ARN, "OwnerId": owner, "RepositoryName": repo}); err != nil {
		return err
	}
	l, err := d.lab.Connections.AddLink(u.account, u.region, u.connection.ARN, u.repo)
	if err != nil {
		return err
	}
	d.w.arns[name] = l.ARN
	if stack == "" {
		return nil
	}
	in := map[string]any{"RepositoryLinkId": l.ID, "Branch": u.branch, "ConfigFile": file, "ResourceName": stack, "RoleArn": role, "SyncType": "CFN_STACK_SYNC"}
	if err := d.made(a, u, service, "CreateSyncConfiguration", l.ARN, in); err != nil {
		return err
	}
	return d.lab.Connections.AddSync(connections.Sync{Link: l.ID, Stack: stack, Branch: u.branch, File: file, Role: role})
}

// createApp: creates app NAME connection=|own=GITHUB|BITBUCKET repo= [branch=] [auto=no] [region=]: an App Runner service; own= gives it a
// connection of App Runner's own, which is none of CodeConnections
func (d *loader) createApp(a *act, name string) error {
	var u use
	var err error
	own := a.opt("own", "")
	if own == "" {
		u, err = d.useOf(a)
	} else {
		u, err = d.ownConnection(a, name, own)
	}
	if err != nil {
		return err
	}
	app := apprunner.App{Account: u.account, Region: u.region, Name: name, Connection: u.connection.ARN, Repository: d.url(u, u.repo), Branch: u.branch, Manual: a.opt("auto", "yes") == "no"}
	in := map[string]any{"ServiceName": name, "SourceConfiguration": map[string]any{"AuthenticationConfiguration": map[string]any{"ConnectionArn": app.Connection},
		"CodeRepository": map[string]any{"RepositoryUrl": app.Repository}}}
	if err := d.made(a, u, "apprunner", "CreateService", "arn:aws:apprunner:"+u.region+":"+u.account+":service/"+name+"/*", in); err != nil {
		return err
	}
	if app, err = d.lab.Apps.AddApp(app); err == nil {
		d.w.arns[name] = app.ARN()
	}
	return err
}

// ownConnection makes a connection of App Runner's own.
func (d *loader) ownConnection(a *act, name, provider string) (use, error) {
	k, err := d.caller(a)
	if err != nil {
		return use{}, err
	}
	if provider != "GITHUB" && provider != "BITBUCKET" {
		return use{}, fmt.Errorf("own= is GITHUB or BITBUCKET, not %q", provider)
	}
	u := use{account: k.Account, region: d.regionOf(a), repo: a.opt("repo", ""), branch: a.opt("branch", "main")}
	own, err := d.lab.Apps.AddConnection(apprunner.Connection{Account: u.account, Region: u.region, Name: name + "-own", Provider: provider, Status: "AVAILABLE"})
	u.connection = connections.Connection{ARN: own.ARN(), ProviderType: map[string]string{"GITHUB": "GitHub", "BITBUCKET": "Bitbucket"}[provider]}
	return u, err
}

// createProduct: creates product NAME connection= repo= [branch=] [file=] [region=]: a Service Catalog product
func (d *loader) createProduct(a *act, name string) error {
	u, err := d.useOf(a)
	if err != nil {
		return err
	}
	p := servicecatalog.Product{Account: u.account, Region: u.region, Name: name, Owner: a.actor, Connection: u.connection.ARN, Repository: u.repo, Branch: u.branch,
		Path: a.opt("file", "product.yaml"), Synced: "FAILED"}
	if u.connection.Status == connections.Available {
		p.Synced = "SUCCEEDED"
	}
	if strings.Split(p.Connection, ":")[2] != connections.Old20191201 {
		return fmt.Errorf("the product of Service Catalog takes connections of the older prefix only: create %s with api=codestar", u.connection.Name)
	}
	source := map[string]any{"CodeStar": map[string]any{"ConnectionArn": p.Connection, "Repository": p.Repository, "Branch": p.Branch, "ArtifactPath": p.Path}}
	in := map[string]any{"Name": name, "Owner": p.Owner, "ProductType": "CLOUD_FORMATION_TEMPLATE", "SourceConnection": map[string]any{"Type": "CODESTAR", "ConnectionParameters": source}}
	if err := d.made(a, u, "servicecatalog", "CreateProduct", "*", in); err != nil {
		return err
	}
	if p, err = d.lab.Catalog.AddProduct(p); err == nil {
		d.w.arns[name] = p.ARN()
	}
	return err
}

// createReview: creates review NAME connection= repo= [region=]: a repository association of CodeGuru Reviewer
func (d *loader) createReview(a *act, name string) error {
	u, err := d.useOf(a)
	if err != nil {
		return err
	}
	x := codegurureviewer.Association{Account: u.account, Region: u.region, Connection: u.connection.ARN, ProviderType: u.connection.ProviderType, Repository: u.repo}
	owner, repo, _ := strings.Cut(u.repo, "/")
	in := map[string]any{"Repository": map[string]any{x.ProviderType: map[string]any{"Name": repo, "Owner": owner, "ConnectionArn": x.Connection}}}
	if err := d.made(a, u, "codeguru-reviewer", "AssociateRepository", "*", in); err != nil {
		return err
	}
	if u.connection.Status != connections.Available {
		x.State = "Failed"
	}
	if x, err = d.lab.Reviews.Associate(x); err == nil {
		d.w.arns[name] = x.ARN()
	}
	return err
}
