package connections_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

func TestHandshakeCompletes(t *testing.T) {
	for _, service := range []string{new2, old1} {
		l := newLab(t)
		arn := l.create(service, "c")
		if o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "acme"}); o != connections.Completed || l.status(arn) != "AVAILABLE" {
			t.Fatalf("%s, %v, %s", o, err, l.status(arn))
		}
		want := []string{"CreateConnection", "GetConnection", "StartOAuthHandshake", "GetIndividualAccessToken", "ListInstallationTargets",
			"GetInstallationUrl", "UpdateConnectionInstallation"}
		if got := l.events(use1); !slices.Equal(got[:len(want)], want) {
			t.Errorf("events %v", got)
		}
		for _, e := range l.c.Events(ours, use1)[:len(want)] {
			_, named := e.Request["ConnectionArn"]
			if e.Source != service+".amazonaws.com" || named != (e.Name == "GetConnection" || e.Name == "UpdateConnectionInstallation") {
				t.Errorf("event %s of %s: %v", e.Name, e.Source, e.Request)
			}
		}
		for _, a := range l.auth.all[2:6] {
			if a.Resource != "*" || !strings.HasPrefix(a.Action, service+":") {
				t.Errorf("asked for %s on %s", a.Action, a.Resource)
			}
		}
		if a := l.auth.all[2]; a.Context[service+":ProviderType"][0] != "GitHub" {
			t.Errorf("asked for %+v", a)
		}
		if a := l.auth.all[6]; a.Resource != arn || len(a.Context[service+":InstallationId"][0]) != 8 {
			t.Errorf("asked for %+v", a)
		}
		if o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "acme"}); o != connections.NotPending || err == nil {
			t.Errorf("a second time: %s, %v", o, err)
		}
	}
}

func TestHandshakeEventsCanNameTheConnection(t *testing.T) {
	l := newLab(t)
	l.s.NameConnection = true
	arn := l.available("c")
	for _, e := range l.c.Events(ours, use1)[1:] {
		if e.Request["ConnectionArn"] != arn {
			t.Errorf("event %s: %v", e.Name, e.Request)
		}
	}
}

func TestDeniedStepStopsHandshake(t *testing.T) {
	steps := []string{"GetConnection", "StartOAuthHandshake", "GetIndividualAccessToken", "ListInstallationTargets", "GetInstallationUrl", "UpdateConnectionInstallation"}
	for i, step := range steps {
		l := newLab(t)
		arn := l.create(new2, "c")
		l.auth.deny = denyAction("codeconnections:" + step)
		o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "acme"})
		wantError(t, err, "AccessDenied", "User: "+l.me.Principal.ARN+" is not authorized to perform: codeconnections:"+step)
		want := append(append([]string{"CreateConnection"}, steps[:i]...), "!"+step)
		if got := l.events(use1); o != connections.Denied || !slices.Equal(got, want) {
			t.Errorf("%s denied: %s, events %v", step, o, got)
		}
		l.auth.deny = nil
		if s := l.status(arn); s != "PENDING" {
			t.Errorf("%s denied: %s", step, s)
		}
	}
}

func TestPolicyScopedToTheConnectionDoesNotGrantTheHandshake(t *testing.T) {
	l := newLab(t)
	arn := l.create(new2, "c")
	l.auth.deny = func(a cloud.Access) bool { return a.Resource != arn }
	o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "acme"})
	if o != connections.Denied {
		t.Errorf("outcome %s", o)
	}
	wantError(t, err, "AccessDenied", "codeconnections:StartOAuthHandshake on resource: *")
}

func TestMemberLeavesARequestAndApprovalCompletesNothing(t *testing.T) {
	l := newLab(t)
	arn := l.create(new2, "c")
	try := connections.Attempt{Login: "hubot", Org: "acme", Repos: []string{"acme/app"}}
	o, err := l.s.Handshake(l.me, arn, try)
	org, _ := l.git.Org(provider.GitHub, "acme")
	if o != connections.OwnerNeeded || !errors.Is(err, provider.ErrOwnerNeeded) || len(org.Requests) != 1 || l.status(arn) != "PENDING" {
		t.Fatalf("%s, %v, requests %v", o, err, org.Requests)
	}
	if _, err := l.git.Approve(provider.GitHub, "acme", "hubot"); !errors.Is(err, provider.ErrOwnerNeeded) {
		t.Errorf("a member approved: %v", err)
	}
	i, err := l.git.Approve(provider.GitHub, "acme", "octo")
	must(t, err)
	if l.status(arn) != "PENDING" || !slices.Equal(i.Repos, try.Repos) || len(org.Requests) != 0 {
		t.Errorf("after approval %s, %+v", l.status(arn), i)
	}
	if o, err := l.s.Handshake(l.me, arn, try); o != connections.Completed || l.status(arn) != "AVAILABLE" {
		t.Errorf("finishing: %s, %v", o, err)
	}
}

func TestHandshakeLeftHalfWay(t *testing.T) {
	for stop, calls := range map[connections.Step]int{connections.Opened: 1, connections.Authorized: 3, connections.Listed: 4, connections.Installed: 5} {
		l := newLab(t)
		arn := l.create(new2, "c")
		o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "acme", Stop: stop})
		if got := l.events(use1); o != connections.Left || err != nil || len(got) != 1+calls {
			t.Errorf("%s: %s, %v, events %v", stop, o, err, got)
		}
		org, _ := l.git.Org(provider.GitHub, "acme")
		if (org.App != nil) != (stop == connections.Installed) || l.status(arn) != "PENDING" {
			t.Errorf("%s: installed %v, %s", stop, org.App != nil, l.status(arn))
		}
	}
}

func TestWrongOrganisation(t *testing.T) {
	l := newLab(t)
	must(t, noOrg(l.git.AddOrg(provider.GitHub, "octo", "octo")))
	arn := l.create(new2, "c")
	if o, _ := l.s.Handshake(l.me, arn, connections.Attempt{Login: "octo", Org: "Acme"}); o != connections.NoSuchOrg {
		t.Errorf("name in the wrong case: %s", o)
	}
	if o, err := l.s.Handshake(l.me, arn, connections.Attempt{Login: "octo", Org: "octo"}); o != connections.Completed || l.status(arn) != "AVAILABLE" {
		t.Fatal(o, err)
	}
	_, err := l.s.Fetch(l.me.Principal, use1, arn, "acme/app", "main")
	wantError(t, err, "ConfigurationError", "[GitHub] No Branch [main] found for FullRepositoryName [acme/app]")
}

func TestStrangersInstallationCannotBeBound(t *testing.T) {
	l := newLab(t)
	must(t, noOrg(l.git.AddOrg(provider.GitHub, "other", "eve")))
	i, err := l.git.Install(provider.GitHub, "other", "eve")
	must(t, err)
	arn := l.create(new2, "c")
	if err := l.s.Connect(l.me, arn, "octo", i.ID); !errors.Is(err, provider.ErrNotFound) || l.status(arn) != "PENDING" {
		t.Errorf("bound to a stranger's installation: %v", err)
	}
}
