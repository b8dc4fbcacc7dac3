package world_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// users is a world in which everything that can use a connection uses one.
const users = accountStage + `role Half allow=codebuild:*,apprunner:*
caller half role=Half
-3d admin creates connection team provider=GitHub
-3d admin creates connection old provider=GitHub api=codestar
-2d admin completes handshake team as=olga org=acme
-1d admin creates project build connection=team repo=acme/web secondary=acme/api webhook=yes
-1d admin creates credential builds connection=team
-1d admin creates link sync connection=team repo=acme/web stack=web-infra
-1d admin creates app shop connection=team repo=acme/web region=eu-west-1
-1d admin creates app landing own=GITHUB repo=acme/web auto=no
-1d admin creates product base connection=old repo=acme/web
-1d admin creates review look connection=team repo=acme/web
`

func TestWhatElseUsesAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "users.world", []byte(users))
		ask := func(service, op, region string, in map[string]any) string {
			return fmt.Sprint(serve(t, l, service, op, region, in))
		}
		team, old := w.ARN("team"), w.ARN("old")
		for name, tt := range map[string]struct {
			said string
			has  []string
		}{
			"project":    {ask("codebuild", "BatchGetProjects", "us-east-1", map[string]any{"names": []any{"build"}}), []string{team, "https://github.com/acme/web.git", "https://github.com/acme/api.git", "webhook"}},
			"credential": {ask("codebuild", "ListSourceCredentials", "us-east-1", nil), []string{team, "GITHUB"}},
			"link":       {ask("codeconnections", "ListRepositoryLinks", "us-east-1", nil), []string{team, "OwnerId:acme", "RepositoryName:web"}},
			"stack":      {ask("codeconnections", "GetResourceSyncStatus", "us-east-1", map[string]any{"ResourceName": "web-infra", "SyncType": "CFN_STACK_SYNC"}), []string{"Status:SUCCEEDED"}},
			"app":        {ask("apprunner", "DescribeService", "eu-west-1", map[string]any{"ServiceArn": w.ARN("shop")}), []string{team, "https://github.com/acme/web", "AutoDeploymentsEnabled:true"}},
			"own":        {ask("apprunner", "DescribeService", "us-east-1", map[string]any{"ServiceArn": w.ARN("landing")}), []string{":connection/landing-own/", "AutoDeploymentsEnabled:false"}},
			"product":    {ask("servicecatalog", "SearchProductsAsAdmin", "us-east-1", nil), []string{old, "Repository:acme/web", "LastSyncStatus:FAILED"}},
			"review":     {ask("codeguru-reviewer", "ListRepositoryAssociations", "us-east-1", nil), []string{team, "State:Associated"}},
		} {
			for _, part := range tt.has {
				if !strings.Contains(tt.said, part) {
					t.Errorf("%s: no %s in %s", name, part, tt.said)
				}
			}
		}
		var names []string
		l.Cloud.Within(func() {
			for _, region := range []string{"us-east-1", "eu-west-1"} {
				for _, e := range l.Cloud.Events("111111111111", region) {
					names = append(names, e.Name)
				}
			}
		})
		for _, want := range []string{"CreateProject", "ImportSourceCredentials", "CreateRepositoryLink", "CreateSyncConfiguration", "CreateService", "CreateProduct", "AssociateRepository"} {
			if !strings.Contains(strings.Join(names, " "), want) {
				t.Errorf("no event %s among %v", want, names)
			}
		}
	})
}

func TestWhoMayUseAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "users.world", []byte(users))
		for act, want := range map[string]string{
			"dev creates project mine connection=team repo=acme/web":                   "AccessDenied",
			"half creates project mine connection=team repo=acme/web":                  "AccessDenied", // no PassConnection
			"half creates app landing2 own=GITHUB repo=acme/web":                       "",             // which App Runner's own connections do not need
			"half creates review mine connection=team repo=acme/web":                   "AccessDenied",
			"admin creates review mine connection=team repo=acme/web region=us-east-1": "",
		} {
			if err := w.Act(act); refusal(err) != want || want == "" && err != nil {
				t.Errorf("%s: %v, want %q", act, err, want)
			}
		}
		for _, act := range []string{
			"admin creates product newer connection=team repo=acme/web", "admin creates project mine connection=none repo=acme/web", "admin creates app shop connection=team repo=acme/web region=eu-west-1",
			"admin creates app abroad connection=team repo=acme/web region=eu-north-1", "admin creates app odd own=GITLAB repo=acme/web", "olga creates project mine connection=team repo=acme/web",
		} {
			if err := w.Act(act); err == nil || refusal(err) != "" {
				t.Errorf("%s: %v, want a complaint about the line", act, err)
			}
		}
		denied := 0
		l.Cloud.Within(func() {
			for _, e := range l.Cloud.Events("111111111111", "us-east-1") {
				if e.ErrorCode != "" && e.Name == "CreateProject" {
					denied++
				}
			}
		})
		if denied != 2 {
			t.Errorf("%d refused calls in the event history, want 2", denied)
		}
	})
}

func TestTagsOfAnAccountAndTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "tags.world", []byte(strings.Replace(accountStage, "alias=acme-prod", "alias=acme-prod tags=env:sandbox,team:web", 1)+"organization\ntopic alarms region=eu-west-1\n"))
		if got := fmt.Sprint(serve(t, l, "organizations", "ListTagsForResource", "us-east-1", map[string]any{"ResourceId": "111111111111"})); !strings.Contains(got, "Key:env Value:sandbox") {
			t.Errorf("tags: %s", got)
		}
		if err := w.Act("admin calls sns:Publish TopicArn=${alarms} Message=stuck region=eu-west-1"); err != nil {
			t.Fatal(err)
		}
		l.Cloud.Within(func() {
			if m := l.Topics.Messages(w.ARN("alarms")); len(m) != 1 || m[0].Text != "stuck" {
				t.Errorf("messages: %v", m)
			}
		})
	})
}
