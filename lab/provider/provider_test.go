package provider_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

// acme is GitHub's organisation acme, owner octo, member hubot, with the repositories acme/app and acme/web.
func acme(t *testing.T) *provider.Directory {
	t.Helper()
	c := cloud.New()
	c.Replay(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	d := provider.New(c)
	_, err := d.AddOrg(provider.GitHub, "acme", "octo", "hubot")
	_, err1 := d.AddRepo(provider.GitHub, "acme/app", "main", "dev")
	_, err2 := d.AddRepo(provider.GitHub, "acme/web")
	if err = errors.Join(err, err1, err2); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOnlyTheOwnerInstalls(t *testing.T) {
	d := acme(t)
	for _, x := range []struct {
		login string
		want  error
	}{{"hubot", provider.ErrOwnerNeeded}, {"hubot", provider.ErrOwnerNeeded}, {"eve", provider.ErrNotFound}, {"octo", nil}, {"hubot", nil}} {
		if _, err := d.Install(provider.GitHub, "acme", x.login); !errors.Is(err, x.want) {
			t.Errorf("%s installs: %v", x.login, err)
		}
		o, _ := d.Org(provider.GitHub, "acme")
		if (o.App != nil) != (x.want == nil) || len(o.Requests) > 1 {
			t.Errorf("after %s: app %v, requests %v", x.login, o.App, o.Requests)
		}
	}
	if n := len(d.Installations(provider.GitHub, "eve")); n != 0 {
		t.Errorf("a stranger sees %d installations", n)
	}
}

func TestWhatAnInstallationReaches(t *testing.T) {
	d := acme(t)
	i, err := d.Install(provider.GitHub, "acme", "octo", "acme/app")
	if err != nil {
		t.Fatal(err)
	}
	for repo, want := range map[string]bool{"acme/app": true, "acme/web": false, "Acme/app": false, "acme/App": false, "app": false, "acme/none": false} {
		if got := d.Sees(i.ID, repo); got != want {
			t.Errorf("sees %s: %v", repo, got)
		}
	}
	if err := d.RenameRepo(provider.GitHub, "acme/app", "acme/core"); err != nil {
		t.Fatal(err)
	}
	if !d.Sees(i.ID, "acme/core") || d.Sees(i.ID, "acme/app") {
		t.Error("the selection did not follow the renamed repository")
	}
	old := i.ID
	if err := d.Uninstall(provider.GitHub, "acme"); err != nil {
		t.Fatal(err)
	}
	again, err := d.Install(provider.GitHub, "acme", "octo")
	if err != nil || again.ID == old || d.Sees(old, "acme/core") || !d.Sees(again.ID, "acme/web") {
		t.Errorf("reinstalled: %v, %+v", err, again)
	}
}

func TestPushAndBranches(t *testing.T) {
	d := acme(t)
	i, err := d.Install(provider.GitHub, "acme", "octo")
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := d.Push(provider.GitHub, "acme/app", "dev", "more")
	if err != nil {
		t.Fatal(err)
	}
	head, ok := d.Head(i.ID, "acme/app", "dev")
	if !ok || head != pushed || head.URL != "https://github.com/acme/app/commit/"+head.ID || head.Author != "octo" {
		t.Errorf("head %+v, pushed %+v", head, pushed)
	}
	o, _ := d.Org(provider.GitHub, "acme")
	r := o.Repos()[0]
	if got := r.Log("dev"); len(got) != 2 || got[0].ID == got[1].ID {
		t.Errorf("log %+v", got)
	}
	if err := d.DeleteBranch(provider.GitHub, "acme/app", "dev"); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Head(i.ID, "acme/app", "dev"); ok {
		t.Error("a deleted branch has a head")
	}
	for what, err := range map[string]error{
		"delete branch": d.DeleteBranch(provider.GitHub, "acme/app", "dev"), "rename branch": d.RenameBranch(provider.GitHub, "acme/app", "dev", "x"),
		"delete repo": d.DeleteRepo(provider.GitLab, "acme/app"), "suspend": d.Suspend(provider.GitLab, "acme", true),
		"select": d.SelectRepos(provider.GitHub, "none"), "uninstall": d.Uninstall(provider.GitHub, "none"),
	} {
		if !errors.Is(err, provider.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := d.Push(provider.GitHub, "acme/none", "main", "x"); !errors.Is(err, provider.ErrNotFound) {
		t.Errorf("push to nowhere: %v", err)
	}
	if _, err := d.AddRepo(provider.GitHub, "acme/app"); !errors.Is(err, provider.ErrExists) {
		t.Errorf("same repository twice: %v", err)
	}
	if err := d.RenameRepo(provider.GitHub, "acme/app", "acme/web"); !errors.Is(err, provider.ErrExists) {
		t.Errorf("rename onto another: %v", err)
	}
}

func TestReplayGivesTheSameCommits(t *testing.T) {
	history := func() (ids []string) {
		d := acme(t)
		for _, m := range []string{"a", "b", "a"} {
			k, err := d.Push(provider.GitHub, "acme/app", "main", m)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, k.ID)
		}
		return ids
	}
	first, second := history(), history()
	if !slices.Equal(first, second) || first[0] == first[2] {
		t.Errorf("%v, then %v", first, second)
	}
}
