package connections

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

// Link is a repository link: what Git sync follows through a connection.
type Link struct {
	ID, ARN, Account, Region string
	Connection               string // ARN
	ProviderType             string
	Repository               string // full name: acme/web
}

// Sync is a CloudFormation stack that follows a file on a branch of a linked repository.
type Sync struct {
	Link, Stack, Branch, File string // Link is its ID
	Role                      string // ARN
	attempts                  []attempt
}

// attempt is one try to bring a stack to what the repository says.
type attempt struct {
	at     time.Time
	sha    string
	from   string // sha before it
	failed string // why, "" when it worked
}

const invalidInput = "InvalidInputException"

// AddLink links a repository through a connection, which need not be AVAILABLE.
func (s *Service) AddLink(account, region, connectionARN, repository string) (Link, error) {
	k, ok := s.Lookup(connectionARN)
	if !ok {
		return Link{}, fmt.Errorf("add repository link: there is no connection %s", connectionARN)
	}
	if !strings.Contains(repository, "/") {
		return Link{}, fmt.Errorf("add repository link: %q is no full name such as acme/web", repository)
	}
	for _, l := range s.links {
		if l.Account == account && l.Region == region && l.Connection == connectionARN && l.Repository == repository {
			return Link{}, fmt.Errorf("add repository link: %s is linked already", repository)
		}
	}
	id := s.c.UUID()
	l := Link{ID: id, ARN: makeARN(parseARN(connectionARN).service, region, account, "repository-link/"+id), Account: account, Region: region,
		Connection: connectionARN, ProviderType: k.ProviderType, Repository: repository}
	s.links = append(s.links, l)
	return l, nil
}

// AddSync has a stack follow a linked repository, and syncs it for the first time.
func (s *Service) AddSync(x Sync) error {
	l, ok := s.link(x.Link)
	if !ok {
		return fmt.Errorf("add sync configuration of %s: there is no repository link %s", x.Stack, x.Link)
	}
	for _, o := range s.syncs {
		if other, _ := s.link(o.Link); o.Stack == x.Stack && other.Account == l.Account && other.Region == l.Region {
			return fmt.Errorf("add sync configuration: the stack %s follows a repository already", x.Stack)
		}
	}
	s.attempt(&x, l)
	s.syncs = append(s.syncs, x)
	return nil
}

// Links are the repository links that exist, in order of creation.
func (s *Service) Links() []Link { return append([]Link(nil), s.links...) }

func (s *Service) link(id string) (Link, bool) {
	for _, l := range s.links {
		if l.ID == id {
			return l, true
		}
	}
	return Link{}, false
}

// Follow tells Git sync of a push: the stacks that follow the branch are synced, if the push reaches AWS at all.
func (s *Service) Follow(providerType, repository, branch string, _ provider.Commit) {
	for i := range s.syncs {
		l, _ := s.link(s.syncs[i].Link)
		if l.Repository == repository && l.ProviderType == providerType && s.syncs[i].Branch == branch && s.Hears(l.Connection, providerType, repository) {
			s.attempt(&s.syncs[i], l)
		}
	}
}

// attempt fetches the branch's newest commit and brings the stack to it.
func (s *Service) attempt(x *Sync, l Link) {
	a := attempt{at: s.c.Now().UTC(), from: "0000000000000000000000000000000000000000"}
	if n := len(x.attempts); n > 0 {
		a.from = x.attempts[n-1].sha
	}
	a.sha = a.from
	k, ok := s.Lookup(l.Connection)
	head, fetched := s.dir.Head(k.Installation, l.Repository, x.Branch)
	switch {
	case !ok || k.Status != Available:
		a.failed = "Unable to use connection " + l.Connection
	case !fetched:
		a.failed = "Unable to read branch " + x.Branch + " of repository " + l.Repository
	default:
		a.sha = head.ID
	}
	x.attempts = append(x.attempts, a)
}

func (a *api) linkOps(all map[string]*cloud.Op) {
	page := func(r *cloud.Request, p *problems) { p.page(r) }
	id := func(r *cloud.Request, p *problems) {
		p.str(r.In, "RepositoryLinkId", "repositoryLinkId", rule{required: true, pattern: regexp.MustCompile(`^[0-9a-fA-F]{8}\b-[0-9a-fA-F]{4}\b-[0-9a-fA-F]{4}\b-[0-9a-fA-F]{4}\b-[0-9a-fA-F]{12}$`)})
	}
	syncType := func(r *cloud.Request, p *problems) {
		p.str(r.In, "SyncType", "syncType", rule{required: true, enum: []string{"CFN_STACK_SYNC"}})
	}
	all["ListRepositoryLinks"] = a.op(true, page, a.anywhere("ListRepositoryLinks"), a.listLinks)
	all["GetRepositoryLink"] = a.op(true, id, a.onLink("GetRepositoryLink"), a.getLink)
	all["ListSyncConfigurations"] = a.op(true, func(r *cloud.Request, p *problems) {
		id(r, p)
		syncType(r, p)
		page(r, p)
	}, a.anywhere("ListSyncConfigurations"), a.listSyncs)
	all["GetResourceSyncStatus"] = a.op(true, func(r *cloud.Request, p *problems) {
		p.str(r.In, "ResourceName", "resourceName", rule{required: true, min: 1, max: 100, pattern: regexp.MustCompile(`^[0-9A-Za-z]+[0-9A-Za-z_\\-]*$`)})
		syncType(r, p)
	}, a.anywhere("GetResourceSyncStatus"), a.getSyncStatus)
}

func (a *api) anywhere(action string) func(*cloud.Request) cloud.Access {
	return func(*cloud.Request) cloud.Access { return cloud.Access{Action: a.name + ":" + action, Resource: "*"} }
}

// onLink is the access to the link that a request names, under the prefix of its ARN, or of the API for one that nobody knows.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_codeconnections.html
func (a *api) onLink(action string) func(*cloud.Request) cloud.Access {
	return func(r *cloud.Request) cloud.Access {
		arn := makeARN(a.name, r.Region, r.Account(), "repository-link/"+r.Str("RepositoryLinkId"))
		if l, ok := a.mine(r); ok {
			arn = l.ARN
		}
		return cloud.Access{Action: a.prefixOf(arn) + ":" + action, Resource: arn}
	}
}

// mine is the link that a request names, if it is the caller's in this Region and this API can express it.
func (a *api) mine(r *cloud.Request) (Link, bool) {
	l, ok := a.link(r.Str("RepositoryLinkId"))
	return l, ok && a.owns(r, l)
}

func (a *api) owns(r *cloud.Request, l Link) bool {
	return l.Account == r.Account() && l.Region == r.Region && (a.name == New20231201 || l.ProviderType != provider.AzureDevOps && parseARN(l.ARN).service == Old20191201)
}

func (a *api) listLinks(r *cloud.Request) (map[string]any, error) {
	var all []Link
	for _, l := range a.links {
		if a.owns(r, l) {
			all = append(all, l)
		}
	}
	return pageOf(r, "RepositoryLinks", all, Link.show)
}

func pageOf[T any](r *cloud.Request, name string, all []T, show func(T) map[string]any) (map[string]any, error) {
	page, next, err := cloud.Page(r.Cloud, all, r.Str("NextToken"), r.Int("MaxResults", 0), maxPage, invalidInput)
	if err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for _, x := range page {
		list = append(list, show(x))
	}
	return withToken(map[string]any{name: list}, next), nil
}

func (l Link) show() map[string]any {
	owner, name, _ := strings.Cut(l.Repository, "/")
	return map[string]any{"ConnectionArn": l.Connection, "OwnerId": owner, "ProviderType": l.ProviderType, "RepositoryLinkArn": l.ARN, "RepositoryLinkId": l.ID, "RepositoryName": name}
}

func (a *api) getLink(r *cloud.Request) (map[string]any, error) {
	l, ok := a.mine(r)
	if !ok {
		return nil, noLink(r)
	}
	return map[string]any{"RepositoryLinkInfo": l.show()}, nil
}

func noLink(r *cloud.Request) error {
	return cloud.Errorf(notFound, "Repository link %s not found.", r.Str("RepositoryLinkId"))
}

func (a *api) listSyncs(r *cloud.Request) (map[string]any, error) {
	l, ok := a.mine(r)
	if !ok {
		return nil, noLink(r)
	}
	var all []Sync
	for _, x := range a.syncs {
		if x.Link == l.ID {
			all = append(all, x)
		}
	}
	return pageOf(r, "SyncConfigurations", all, func(x Sync) map[string]any { return x.show(l) })
}

func (x Sync) show(l Link) map[string]any {
	owner, name, _ := strings.Cut(l.Repository, "/")
	return map[string]any{"Branch": x.Branch, "ConfigFile": x.File, "OwnerId": owner, "ProviderType": l.ProviderType, "RepositoryLinkId": l.ID, "RepositoryName": name,
		"ResourceName": x.Stack, "RoleArn": x.Role, "SyncType": "CFN_STACK_SYNC"}
}

func (a *api) getSyncStatus(r *cloud.Request) (map[string]any, error) {
	for _, x := range a.syncs {
		l, _ := a.link(x.Link)
		if x.Stack != r.Str("ResourceName") || !a.owns(r, l) {
			continue
		}
		last := x.attempts[len(x.attempts)-1]
		out := map[string]any{"DesiredState": x.revision(l, last.sha), "LatestSync": x.showAttempt(l, last)}
		for i := len(x.attempts) - 1; i >= 0; i-- {
			if x.attempts[i].failed == "" {
				out["LatestSuccessfulSync"] = x.showAttempt(l, x.attempts[i])
				break
			}
		}
		return out, nil
	}
	return nil, cloud.Errorf(notFound, "Resource sync status of %s not found.", r.Str("ResourceName"))
}

func (x Sync) revision(l Link, sha string) map[string]any {
	owner, name, _ := strings.Cut(l.Repository, "/")
	return map[string]any{"Branch": x.Branch, "Directory": "/", "OwnerId": owner, "RepositoryName": name, "ProviderType": l.ProviderType, "Sha": sha}
}

func (x Sync) showAttempt(l Link, a attempt) map[string]any {
	status, event := "SUCCEEDED", "The stack is at the revision that the branch has."
	if a.failed != "" {
		status, event = "FAILED", a.failed
	}
	return map[string]any{"Status": status, "StartedAt": a.at, "InitialRevision": x.revision(l, a.from), "TargetRevision": x.revision(l, a.sha),
		"Target": makeARN("cloudformation", l.Region, l.Account, "stack/"+x.Stack),
		"Events": []map[string]any{{"Event": event, "Time": a.at, "Type": "SYNC_" + status}}}
}
