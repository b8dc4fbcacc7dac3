// Package provider simulates the Git hosting providers that connections lead to: organisations and their people,
// repositories, branches, commits, and the installation of AWS's app. It never knows an AWS account, a connection or
// a pipeline: they look at it, it does not look at them.
package provider

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// The provider types, spelled as the ProviderType enum of CodeConnections. AzureDevOps exists in the newer API only.
const (
	GitHub                 = "GitHub"
	GitHubEnterpriseServer = "GitHubEnterpriseServer"
	GitLab                 = "GitLab"
	GitLabSelfManaged      = "GitLabSelfManaged"
	Bitbucket              = "Bitbucket"
	AzureDevOps            = "AzureDevOps"
)

// The refusals of the providers. Errors returned by this package wrap one of them.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
	// ErrOwnerNeeded is what a login that does not own the organisation meets.
	ErrOwnerNeeded = errors.New("organisation owner needed")
)

// OwnerNeededText is what the provider's page tells that login, as quoted in
// https://docs.aws.amazon.com/dtconsole/latest/userguide/troubleshooting-connections.html
const OwnerNeededText = "An organization owner must install the GitHub app"

// Commit is one commit on a branch.
type Commit struct {
	ID      string // 40 hex digits
	Message string
	Author  string // login
	URL     string // page of the commit at the provider; nothing answers there
	At      time.Time
}

// Directory holds the organisations of every provider. One organisation name may exist once per provider type.
// Its methods are called with the cloud's lock held.
type Directory struct {
	c        *cloud.Cloud
	orgs     []*Org
	servers  []*Server
	onPush   []func(providerType, repo, branch string, c Commit)
	onEvent  []func(Event)
	installs int // installations made so far, for their IDs
	commits  int // commits made so far, for their IDs
}

// New returns an empty directory on c's clock.
func New(c *cloud.Cloud) *Directory { return &Directory{c: c} }

// Org is one organisation (GitHub), workspace (Bitbucket), group (GitLab) or personal account. Names keep their case.
type Org struct {
	Type     string
	Name     string
	Owner    string   // the login that may install apps; of a personal account: its own name
	Members  []string // further logins, without the right to install
	App      *Installation
	Requests []InstallRequest // installations members asked the owner for, oldest first
	repos    []*Repo
}

// Repo is one repository. FullName is org/name in its exact case, as FullRepositoryId of a source action wants it.
type Repo struct {
	FullName string
	branches map[string][]Commit
}

// Server is one self-managed server (GitHub Enterprise Server, GitLab self-managed) with its administrator.
type Server struct {
	Type, Endpoint, Admin string
	Address               string // IPv4; "" somewhere on the internet
	Certificate           Certificate
}

// Certificate is what a server shows to those who speak to it. The zero Certificate is in order: of a public CA, valid,
// for the server's own name.
type Certificate struct {
	Private bool      // of a CA that only the server's owner trusts
	Expires time.Time // zero: not soon
	Name    string    // the host name it is for; "" the server's own
}

// Place says where a server stands and what certificate it shows; false when there is none at the endpoint.
func (d *Directory) Place(endpoint, address string, c Certificate) bool {
	s, ok := d.Server(endpoint)
	if ok {
		s.Address, s.Certificate = address, c
	}
	return ok
}

// AddOrg adds an organisation. A second one of the same type and name is refused with ErrExists.
func (d *Directory) AddOrg(providerType, name, owner string, members ...string) (*Org, error) {
	if _, ok := d.Org(providerType, name); ok {
		return nil, fmt.Errorf("add organisation %s %s: %w", providerType, name, ErrExists)
	}
	o := &Org{Type: providerType, Name: name, Owner: owner, Members: slices.Clone(members)}
	d.orgs = append(d.orgs, o)
	return o, nil
}

// Org finds an organisation by its exact name.
func (d *Directory) Org(providerType, name string) (*Org, bool) {
	for _, o := range d.orgs {
		if o.Type == providerType && o.Name == name {
			return o, true
		}
	}
	return nil, false
}

// OrgNamed finds an organisation by its exact name whatever its provider; the first one added wins.
func (d *Directory) OrgNamed(name string) (*Org, bool) {
	for _, o := range d.orgs {
		if o.Name == name {
			return o, true
		}
	}
	return nil, false
}

// Orgs lists the organisations of one provider type, or of all for "", in the order they were added.
func (d *Directory) Orgs(providerType string) []*Org {
	var all []*Org
	for _, o := range d.orgs {
		if providerType == "" || o.Type == providerType {
			all = append(all, o)
		}
	}
	return all
}

// Knows reports whether a login owns the organisation or is a member of it.
func (o *Org) Knows(login string) bool { return o.Owner == login || slices.Contains(o.Members, login) }

// Logins lists everybody with a login at the provider type, once each: owners and members of its organisations in order.
func (d *Directory) Logins(providerType string) []string {
	var all []string
	for _, o := range d.Orgs(providerType) {
		for _, l := range append([]string{o.Owner}, o.Members...) {
			if !slices.Contains(all, l) {
				all = append(all, l)
			}
		}
	}
	return all
}

// AddServer adds a self-managed server; its administrator alone can register AWS's app on it.
func (d *Directory) AddServer(providerType, endpoint, admin string) {
	d.servers = append(d.servers, &Server{Type: providerType, Endpoint: strings.TrimSuffix(endpoint, "/"), Admin: admin})
}

// Server finds a self-managed server by its endpoint URL.
func (d *Directory) Server(endpoint string) (*Server, bool) {
	for _, s := range d.servers {
		if s.Endpoint == strings.TrimSuffix(endpoint, "/") {
			return s, true
		}
	}
	return nil, false
}

// OnPush has f called after every push, with the repository's full name.
func (d *Directory) OnPush(f func(providerType, repo, branch string, c Commit)) {
	d.onPush = append(d.onPush, f)
}

// AddRepo adds a repository org/name with one commit on each of the branches ("main" when none is given).
// The organisation must exist.
func (d *Directory) AddRepo(providerType, fullName string, branches ...string) (*Repo, error) {
	o, err := d.orgOf(providerType, fullName)
	if err != nil {
		return nil, fmt.Errorf("add repository %s: %w", fullName, err)
	}
	if o.repo(fullName) != nil {
		return nil, fmt.Errorf("add repository %s: %w", fullName, ErrExists)
	}
	r := &Repo{FullName: fullName, branches: map[string][]Commit{}}
	if len(branches) == 0 {
		branches = []string{"main"}
	}
	for _, b := range branches {
		r.branches[b] = []Commit{d.commit(o, fullName, b, "Initial commit")}
	}
	o.repos = append(o.repos, r)
	return r, nil
}

// Repos lists the repositories of an organisation in the order they were added.
func (o *Org) Repos() []*Repo { return slices.Clone(o.repos) }

// Head is the newest commit of a branch.
func (r *Repo) Head(branch string) (Commit, bool) {
	h := r.branches[branch]
	if len(h) == 0 {
		return Commit{}, false
	}
	return h[len(h)-1], true
}

// Log lists the commits of a branch, oldest first.
func (r *Repo) Log(branch string) []Commit { return slices.Clone(r.branches[branch]) }

// RenameRepo gives a repository another name or case within its organisation; the old name leads nowhere.
func (d *Directory) RenameRepo(providerType, fullName, newName string) error {
	o, r, err := d.repo(providerType, fullName)
	if err != nil {
		return fmt.Errorf("rename repository %s: %w", fullName, err)
	}
	if orgPart(newName) != o.Name {
		return fmt.Errorf("rename repository %s: %s is outside %s: %w", fullName, newName, o.Name, ErrNotFound)
	}
	if o.repo(newName) != nil {
		return fmt.Errorf("rename repository %s: %s: %w", fullName, newName, ErrExists)
	}
	r.FullName = newName
	if o.App != nil {
		o.App.rename(fullName, newName)
	}
	return nil
}

// DeleteRepo removes a repository.
func (d *Directory) DeleteRepo(providerType, fullName string) error {
	o, r, err := d.repo(providerType, fullName)
	if err != nil {
		return fmt.Errorf("delete repository %s: %w", fullName, err)
	}
	o.repos = slices.DeleteFunc(o.repos, func(x *Repo) bool { return x == r })
	return nil
}

// RenameBranch gives a branch another name.
func (d *Directory) RenameBranch(providerType, fullName, branch, newName string) error {
	_, r, err := d.repo(providerType, fullName)
	if err == nil && len(r.branches[branch]) == 0 {
		err = ErrNotFound
	}
	if err == nil && len(r.branches[newName]) > 0 {
		err = ErrExists
	}
	if err != nil {
		return fmt.Errorf("rename branch %s of %s to %s: %w", branch, fullName, newName, err)
	}
	r.branches[newName] = r.branches[branch]
	delete(r.branches, branch)
	return nil
}

// DeleteBranch removes a branch.
func (d *Directory) DeleteBranch(providerType, fullName, branch string) error {
	_, r, err := d.repo(providerType, fullName)
	if err == nil && len(r.branches[branch]) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("delete branch %s of %s: %w", branch, fullName, err)
	}
	delete(r.branches, branch)
	return nil
}

func (d *Directory) repo(providerType, fullName string) (*Org, *Repo, error) {
	o, err := d.orgOf(providerType, fullName)
	if err != nil {
		return nil, nil, err
	}
	if r := o.repo(fullName); r != nil {
		return o, r, nil
	}
	return nil, nil, fmt.Errorf("%s repository: %w", providerType, ErrNotFound)
}

func (d *Directory) orgOf(providerType, fullName string) (*Org, error) {
	if o, ok := d.Org(providerType, orgPart(fullName)); ok {
		return o, nil
	}
	return nil, fmt.Errorf("%s organisation %q: %w", providerType, orgPart(fullName), ErrNotFound)
}

func (o *Org) repo(fullName string) *Repo {
	for _, r := range o.repos {
		if r.FullName == fullName {
			return r
		}
	}
	return nil
}

func orgPart(fullName string) string {
	org, _, _ := strings.Cut(fullName, "/")
	return org
}

// commit makes a commit whose ID is the same in every replay of the same history.
func (d *Directory) commit(o *Org, repo, branch, message string) Commit {
	d.commits++
	id := fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "%d %s %s %s %s", d.commits, o.Type, repo, branch, message)))
	return Commit{ID: id, Message: message, Author: o.Owner, URL: commitURL(o.Type, repo, id), At: d.c.Now()}
}

func commitURL(providerType, repo, id string) string {
	switch providerType {
	case GitHub:
		return "https://github.com/" + repo + "/commit/" + id
	case GitLab:
		return "https://gitlab.com/" + repo + "/-/commit/" + id
	case Bitbucket:
		return "https://bitbucket.org/" + repo + "/commits/" + id
	case GitLabSelfManaged:
		return "https://gitlab.example/" + repo + "/-/commit/" + id
	case AzureDevOps:
		return "https://dev.azure.com/" + repo + "/commit/" + id
	}
	return "https://git.example/" + repo + "/commit/" + id
}
