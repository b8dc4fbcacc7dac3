package provider

import (
	"fmt"
	"slices"
	"time"
)

// Installation is AWS's app ("AWS Connector for GitHub" and its siblings) as installed on one organisation: at most
// one at a time. A reinstalled app is a new installation; what was bound to the old one stays dead.
// https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html
type Installation struct {
	ID        string // 8 digits, never reused
	Type, Org string
	By        string // the login that installed or approved it
	At        time.Time
	Repos     []string // full names of the selected repositories; empty: all of them
	Suspended bool
}

// InstallRequest is a member's wish for the app, waiting for the organisation's owner.
type InstallRequest struct {
	By    string
	At    time.Time
	Repos []string // full names; empty: all
}

func (i *Installation) rename(from, to string) {
	if n := slices.Index(i.Repos, from); n >= 0 {
		i.Repos[n] = to
	}
}

func (i *Installation) covers(repo string) bool {
	return !i.Suspended && (len(i.Repos) == 0 || slices.Contains(i.Repos, repo))
}

// Install installs the app on an organisation, for the given repositories or for all. The owner's login installs it;
// a member's leaves a request for the owner and gets ErrOwnerNeeded; a stranger's gets ErrNotFound.
// When the app is there already its installation is returned unchanged.
func (d *Directory) Install(providerType, org, login string, repos ...string) (*Installation, error) {
	o, ok := d.Org(providerType, org)
	if !ok || !o.Knows(login) {
		return nil, fmt.Errorf("install the app on %s %s as %s: %w", providerType, org, login, ErrNotFound)
	}
	if o.App != nil {
		return o.App, nil
	}
	if o.Owner != login {
		o.request(InstallRequest{By: login, At: d.c.Now(), Repos: slices.Clone(repos)})
		return nil, fmt.Errorf("install the app on %s %s as %s: %w", providerType, org, login, ErrOwnerNeeded)
	}
	return d.install(o, login, repos), nil
}

// request files a wish once per person.
func (o *Org) request(r InstallRequest) {
	for _, x := range o.Requests {
		if x.By == r.By {
			return
		}
	}
	o.Requests = append(o.Requests, r)
}

// Approve installs the app as the oldest request asks for it and clears the requests. Only the owner's login may.
// Nothing at AWS changes by it.
func (d *Directory) Approve(providerType, org, login string) (*Installation, error) {
	o, ok := d.Org(providerType, org)
	if !ok || len(o.Requests) == 0 {
		return nil, fmt.Errorf("approve a request on %s %s: %w", providerType, org, ErrNotFound)
	}
	if o.Owner != login {
		return nil, fmt.Errorf("approve a request on %s %s as %s: %w", providerType, org, login, ErrOwnerNeeded)
	}
	if o.App != nil {
		o.Requests = nil
		return o.App, nil
	}
	return d.install(o, login, o.Requests[0].Repos), nil
}

func (d *Directory) install(o *Org, login string, repos []string) *Installation {
	d.installs++
	o.App = &Installation{ID: fmt.Sprintf("%08d", 40_000_000+d.installs*7919), Type: o.Type, Org: o.Name, By: login,
		At: d.c.Now(), Repos: slices.Clone(repos)}
	o.Requests = nil
	return o.App
}

// Uninstall removes the app from an organisation; connections bound to it are not told.
func (d *Directory) Uninstall(providerType, org string) error {
	o, err := d.withApp(providerType, org)
	if err != nil {
		return fmt.Errorf("uninstall the app: %w", err)
	}
	o.App = nil
	return nil
}

// Suspend suspends or resumes the app on an organisation: while suspended it sees no repository.
func (d *Directory) Suspend(providerType, org string, suspended bool) error {
	o, err := d.withApp(providerType, org)
	if err != nil {
		return fmt.Errorf("suspend the app: %w", err)
	}
	o.App.Suspended = suspended
	return nil
}

// SelectRepos narrows the app to some repositories, given by full name; none means all.
func (d *Directory) SelectRepos(providerType, org string, repos ...string) error {
	o, err := d.withApp(providerType, org)
	if err != nil {
		return fmt.Errorf("select repositories of the app: %w", err)
	}
	o.App.Repos = slices.Clone(repos)
	return nil
}

func (d *Directory) withApp(providerType, org string) (*Org, error) {
	o, ok := d.Org(providerType, org)
	if !ok || o.App == nil {
		return nil, fmt.Errorf("%s installation on %q: %w", providerType, org, ErrNotFound)
	}
	return o, nil
}

// Installation finds a living installation by its ID.
func (d *Directory) Installation(id string) (*Installation, bool) {
	for _, o := range d.orgs {
		if o.App != nil && o.App.ID == id {
			return o.App, true
		}
	}
	return nil, false
}

// Installations lists the installations of a provider type that a login can see: those of its organisations.
func (d *Directory) Installations(providerType, login string) []*Installation {
	var all []*Installation
	for _, o := range d.Orgs(providerType) {
		if o.App != nil && o.Knows(login) {
			all = append(all, o.App)
		}
	}
	return all
}

// Sees reports whether an installation is alive, not suspended, and reaches a repository of that exact name.
func (d *Directory) Sees(installation, repo string) bool {
	i, ok := d.Installation(installation)
	if !ok || !i.covers(repo) || orgPart(repo) != i.Org {
		return false
	}
	_, _, err := d.repo(i.Type, repo)
	return err == nil
}

// Head reads the newest commit of a branch through an installation; false whenever any link is missing, without
// saying which, as the providers do not say either.
func (d *Directory) Head(installation, repo, branch string) (Commit, bool) {
	if !d.Sees(installation, repo) {
		return Commit{}, false
	}
	i, _ := d.Installation(installation)
	_, r, err := d.repo(i.Type, repo)
	if err != nil {
		return Commit{}, false
	}
	return r.Head(branch)
}
