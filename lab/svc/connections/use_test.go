package connections_test

import (
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

func TestFetch(t *testing.T) {
	const noBranch = "[GitHub] No Branch [main] found for FullRepositoryName [acme/app]"
	for name, x := range map[string]struct {
		act        func(*lab, string)
		code, text string
		hookable   bool
	}{
		"works":             {func(*lab, string) {}, "", "", true},
		"uninstalled":       {func(l *lab, _ string) { must(l.T, l.git.Uninstall(provider.GitHub, "acme")) }, "ConfigurationError", noBranch, false},
		"suspended":         {func(l *lab, _ string) { must(l.T, l.git.Suspend(provider.GitHub, "acme", true)) }, "ConfigurationError", noBranch, false},
		"resumed":           {resume, "", "", true},
		"reinstalled":       {reinstall, "ConfigurationError", noBranch, false},
		"other repo picked": {func(l *lab, _ string) { must(l.T, l.git.SelectRepos(provider.GitHub, "acme", "acme/web")) }, "ConfigurationError", noBranch, true},
		"branch renamed":    {func(l *lab, _ string) { must(l.T, l.git.RenameBranch(provider.GitHub, "acme/app", "main", "trunk")) }, "ConfigurationError", noBranch, true},
		"case changed":      {func(l *lab, _ string) { must(l.T, l.git.RenameRepo(provider.GitHub, "acme/app", "acme/App")) }, "ConfigurationError", noBranch, true},
		"repo deleted":      {func(l *lab, _ string) { must(l.T, l.git.DeleteRepo(provider.GitHub, "acme/app")) }, "ConfigurationError", noBranch, true},
		"error":             {func(l *lab, arn string) { must(l.T, l.s.Break(arn)) }, "ConfigurationError", "not in AVAILABLE state", false},
		"healed":            {func(l *lab, arn string) { must(l.T, l.s.Break(arn)); must(l.T, l.s.Heal(arn)) }, "", "", true},
		"new prefix denied": {func(l *lab, _ string) { l.auth.deny = denyAction("codeconnections:UseConnection") }, "PermissionError", "Unable to use Connection: ", true},
		"old prefix denied": {func(l *lab, _ string) { l.auth.deny = denyAction("codestar-connections:UseConnection") }, "PermissionError", "Unable to use Connection: ", true},
		"deleted": {func(l *lab, arn string) { l.ok(new2, "DeleteConnection", in{"ConnectionArn": arn}) }, "PermissionError",
			" The provided role does not have sufficient permissions.", false},
	} {
		l := newLab(t)
		arn := l.available("c")
		x.act(l, arn)
		got, err := l.s.Fetch(l.me.Principal, "eu-west-1", arn, "acme/app", "main")
		if (err == nil) != (x.code == "") || (err == nil) != (len(got.ID) == 40) {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
		if x.code != "" {
			wantError(t, err, x.code, x.text)
		}
		if h := l.s.Hookable(arn); h != x.hookable {
			t.Errorf("%s: hookable %v", name, h)
		}
		if h := l.s.Hears(arn, provider.GitHub, "acme/app"); h != (x.code == "" || x.code == "PermissionError" && x.hookable || name == "branch renamed") {
			t.Errorf("%s: hears %v", name, h)
		}
	}
}

func resume(l *lab, _ string) {
	must(l.T, l.git.Suspend(provider.GitHub, "acme", true))
	must(l.T, l.git.Suspend(provider.GitHub, "acme", false))
}

// reinstall shows that a connection stays bound to the installation it was completed with.
func reinstall(l *lab, arn string) {
	must(l.T, l.git.Uninstall(provider.GitHub, "acme"))
	_, err := l.git.Install(provider.GitHub, "acme", "octo")
	must(l.T, err)
	if s := l.status(arn); s != "AVAILABLE" {
		l.Errorf("after reinstalling the status is %s", s)
	}
}

func TestFetchOnPendingConnection(t *testing.T) {
	l := newLab(t)
	arn := l.create(new2, "c")
	_, err := l.s.Fetch(l.me.Principal, use1, arn, "acme/app", "main")
	wantError(t, err, "ConfigurationError", "is not in AVAILABLE state")
	if l.s.Hookable(arn) || l.s.Hears(arn, provider.GitHub, "acme/app") {
		t.Error("a PENDING connection takes webhooks")
	}
}

func TestFetchAsksForBothPrefixesWithTheirKeys(t *testing.T) {
	l := newLab(t)
	arn := l.available("c")
	l.auth.all = nil
	_, err := l.s.Fetch(l.me.Principal, use1, arn, "acme/app", "main")
	if err != nil || len(l.auth.all) != 2 {
		t.Fatalf("%v, asked for %+v", err, l.auth.all)
	}
	for i, prefix := range []string{new2, old1} {
		a := l.auth.all[i]
		if a.Action != prefix+":UseConnection" || a.Resource != arn || a.Context[prefix+":FullRepositoryId"][0] != "acme/app" ||
			a.Context[prefix+":OwnerId"][0] != "acme" || a.Context[prefix+":RepositoryName"][0] != "app" || a.Context[prefix+":BranchName"][0] != "main" {
			t.Errorf("asked for %+v", a)
		}
	}
}

func TestFetchAcrossAccountsNeedsAShare(t *testing.T) {
	l := newLab(t)
	arn, role := l.available("c"), person(theirs, "pipeline").Principal
	_, err := l.s.Fetch(role, use1, arn, "acme/app", "main")
	wantError(t, err, "PermissionError", "Unable to use Connection: "+arn)
	must(t, l.s.Share(arn, theirs))
	if _, err := l.s.Fetch(role, use1, arn, "acme/app", "main"); err != nil {
		t.Error(err)
	}
}

func TestFetchSeesPushesAtOnce(t *testing.T) {
	l := newLab(t)
	l.c.Lag = time.Hour
	arn := l.create(new2, "c")
	l.pass(time.Hour)
	var heard []string
	l.git.OnPush(func(providerType, repo, branch string, c provider.Commit) {
		heard = append(heard, providerType+" "+repo+" "+branch+" "+c.Message)
	})
	pushed, err := l.git.Push(provider.GitHub, "acme/app", "main", "fix")
	must(t, err)
	if len(heard) != 1 || heard[0] != "GitHub acme/app main fix" {
		t.Errorf("heard %v", heard)
	}
	complete(l, arn)
	got, ferr := l.s.Fetch(l.me.Principal, use1, arn, "acme/app", "main")
	if ferr != nil || got != pushed || !got.At.Equal(l.now) {
		t.Errorf("fetched %+v, %v; pushed %+v", got, ferr, pushed)
	}
}

func complete(l *lab, arn string) {
	l.Helper()
	i, err := l.git.Install(provider.GitHub, "acme", "octo")
	must(l.T, err)
	must(l.T, l.s.Connect(l.me, arn, "octo", i.ID))
}

var _ cloud.Authorizer = (*asked)(nil)
