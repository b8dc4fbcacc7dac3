package connections_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

const cfn = "CFN_STACK_SYNC"

func (l *lab) linked(arn, repo string) connections.Link {
	l.Helper()
	k, err := l.s.AddLink(ours, use1, arn, repo)
	must(l.T, err)
	return k
}

func TestLinksAreOfTheirAccountAndRegion(t *testing.T) {
	l := newLab(t)
	must(t, noRepo(l.git.AddRepo(provider.GitHub, "acme/api")))
	arn := l.create(new2, "team")
	one := l.linked(arn, "acme/app")
	two := l.linked(arn, "acme/api")
	if _, err := l.s.AddLink(ours, use1, arn, "acme/api"); err == nil {
		t.Error("a repository is linked twice")
	}
	if _, err := l.s.AddLink(ours, use1, arn+"0", "acme/api"); err == nil {
		t.Error("a repository is linked through a connection that is not there")
	}
	l.c.PageSize = 1
	page := l.ok(new2, "ListRepositoryLinks", nil)
	next := l.ok(new2, "ListRepositoryLinks", in{"NextToken": page["NextToken"]})
	text := fmt.Sprint(page["RepositoryLinks"], next["RepositoryLinks"])
	if !strings.Contains(text, one.ID) || !strings.Contains(text, two.ID) || next["NextToken"] != nil {
		t.Errorf("pages: %s, then %v", text, next["NextToken"])
	}
	info := l.ok(new2, "GetRepositoryLink", in{"RepositoryLinkId": two.ID})["RepositoryLinkInfo"].(map[string]any)
	if info["ConnectionArn"] != arn || info["OwnerId"] != "acme" || info["RepositoryName"] != "api" || info["ProviderType"] != "GitHub" || info["RepositoryLinkArn"] != two.ARN {
		t.Errorf("link: %v", info)
	}
	if a := l.auth.last(); a.Action != "codeconnections:GetRepositoryLink" || a.Resource != two.ARN {
		t.Errorf("asked for %s on %s", a.Action, a.Resource)
	}
	_, err := l.call(l.me, new2, "eu-west-1", "GetRepositoryLink", in{"RepositoryLinkId": two.ID})
	wantError(t, err, "ResourceNotFoundException", two.ID)
	_, err = l.call(person(theirs, "eve"), new2, use1, "GetRepositoryLink", in{"RepositoryLinkId": two.ID})
	wantError(t, err, "ResourceNotFoundException", two.ID)
	l.fails(new2, "GetRepositoryLink", in{"RepositoryLinkId": "web"}, "Validation", "repositoryLinkId")
	l.fails(new2, "ListSyncConfigurations", in{"RepositoryLinkId": two.ID, "SyncType": "OTHER"}, "Validation", cfn)
	l.fails(new2, "ListRepositoryLinks", in{"NextToken": "mine"}, "InvalidInputException", "token")
}

// TestGitSyncFollowsPushes: a stack is synced when it is set up and at each push that reaches AWS; what does not work is said.
func TestGitSyncFollowsPushes(t *testing.T) {
	l := newLab(t)
	arn := l.create(new2, "team")
	link := l.linked(arn, "acme/app")
	must(t, l.s.AddSync(connections.Sync{Link: link.ID, Stack: "web", Branch: "main", File: "web.yaml", Role: "arn:aws:iam::" + ours + ":role/GitSync"}))
	if err := l.s.AddSync(connections.Sync{Link: link.ID, Stack: "web", Branch: "next"}); err == nil {
		t.Error("a stack follows two branches")
	}
	l.git.OnPush(l.s.Follow)
	status := func() (string, string, bool) {
		out := l.ok(new2, "GetResourceSyncStatus", in{"ResourceName": "web", "SyncType": cfn})
		last := out["LatestSync"].(map[string]any)
		return last["Status"].(string), last["TargetRevision"].(map[string]any)["Sha"].(string), out["LatestSuccessfulSync"] != nil
	}
	if s, _, ever := status(); s != "FAILED" || ever {
		t.Errorf("through a PENDING connection: %s, ever %v", s, ever)
	}
	push := func() provider.Commit {
		l.pass(time.Minute)
		c, err := l.git.Push(provider.GitHub, "acme/app", "main", "more")
		must(t, err)
		return c
	}
	push()
	if s, _, _ := status(); s != "FAILED" {
		t.Errorf("a push that reaches nobody: %s", s)
	}
	if o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "acme"}); o != connections.Completed {
		t.Fatalf("handshake: %s, %v", o, err)
	}
	if s, _, _ := status(); s != "FAILED" {
		t.Errorf("before the next push: %s", s)
	}
	c := push()
	if s, sha, ever := status(); s != "SUCCEEDED" || sha != c.ID || !ever {
		t.Errorf("after a push: %s at %s, want %s", s, sha, c.ID)
	}
	list := l.ok(new2, "ListSyncConfigurations", in{"RepositoryLinkId": link.ID, "SyncType": cfn})["SyncConfigurations"].([]map[string]any)
	if len(list) != 1 || list[0]["ResourceName"] != "web" || list[0]["Branch"] != "main" || list[0]["ConfigFile"] != "web.yaml" {
		t.Errorf("configurations: %v", list)
	}
	l.fails(new2, "GetResourceSyncStatus", in{"ResourceName": "api", "SyncType": cfn}, "ResourceNotFoundException", "api")
}

// TestTheOlderAPIShowsOldLinksOnly: its model cannot express the newer prefix.
func TestTheOlderAPIShowsOldLinksOnly(t *testing.T) {
	l := newLab(t)
	newer, older := l.linked(l.create(new2, "new"), "acme/app"), l.linked(l.create(old1, "old"), "acme/app")
	if !strings.HasPrefix(older.ARN, "arn:aws:codestar-connections:") || !strings.HasPrefix(newer.ARN, "arn:aws:codeconnections:") {
		t.Errorf("ARNs %s, %s", older.ARN, newer.ARN)
	}
	if n := len(l.ok(new2, "ListRepositoryLinks", nil)["RepositoryLinks"].([]map[string]any)); n != 2 {
		t.Errorf("the newer API lists %d", n)
	}
	if text := fmt.Sprint(l.ok(old1, "ListRepositoryLinks", nil)); strings.Contains(text, newer.ID) || !strings.Contains(text, older.ID) {
		t.Errorf("the older API lists %s", text)
	}
	l.fails(old1, "GetRepositoryLink", in{"RepositoryLinkId": newer.ID}, "ResourceNotFoundException", newer.ID)
}
