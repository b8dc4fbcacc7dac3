package world_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

const accountStage = `# What is limited and late
account 111111111111 alias=acme-prod regions=us-east-1,eu-west-1
github acme owner=olga repos=acme/web,acme/api
role Admin allow=*
role Dev
policy Team allow=codepipeline:ListPipelines
caller admin you role=Admin
caller dev role=Dev
`

// refusal is the code of AWS's refusal of an act, "" when it is none.
func refusal(err error) string {
	var e *cloud.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestQuotasBite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w := load(t, "quotas.world", []byte(accountStage+`quota connections=2 hosts=1
quota L-78D200AD value=1 region=us-east-1
-2d admin creates connection one provider=GitHub
-2d admin completes handshake one as=olga org=acme
-1d admin creates pipeline web connection=one repo=acme/web
`))
		for _, tt := range []struct{ act, want string }{
			{"admin creates connection two provider=GitHub", ""}, {"admin creates connection three provider=GitHub region=eu-west-1", "LimitExceededException"},
			{"admin creates pipeline api connection=one repo=acme/api", "LimitExceededException"}, {"admin creates pipeline api connection=one repo=acme/api region=eu-west-1", ""},
			{"admin creates host h1 provider=ghes url=https://ghes.example.com", ""}, {"admin creates host h2 provider=ghes url=https://ghes2.example.com", "LimitExceededException"},
		} {
			if err := w.Act(tt.act); refusal(err) != tt.want || tt.want == "" && err != nil {
				t.Errorf("%s: %v, want %q", tt.act, err, tt.want)
			}
		}
	})
}

func TestPermissionsComeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w := load(t, "late.world", []byte(accountStage+"set iam-lag=30s\n"))
		act := func(line string) error { t.Helper(); return w.Act(line) }
		for _, change := range []string{"admin attaches Team to Dev", "admin changes policy Team allow=codepipeline:ListActionTypes", "admin changes policy Team version=v1"} {
			before, after := "dev calls codepipeline:ListPipelines", "dev calls codepipeline:ListActionTypes"
			if !strings.HasPrefix(change, "admin changes policy Team allow") {
				before, after = after, before
			}
			if err := act(change); err != nil {
				t.Fatal(err)
			}
			if err := act(after); refusal(err) != cloud.AccessDenied {
				t.Errorf("%s, at once: %v", change, err)
			}
			time.Sleep(31 * time.Second)
			if err := act(after); err != nil {
				t.Errorf("%s, half a minute later: %v", change, err)
			}
			if err := act(before); refusal(err) != cloud.AccessDenied {
				t.Errorf("%s: what was allowed before still is: %v", change, err)
			}
		}
	})
}

func TestTrustChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "trust.world", []byte(accountStage+`-3d admin creates connection one provider=GitHub
-3d admin completes handshake one as=olga org=acme
-2d admin creates pipeline web connection=one repo=acme/web
-1d admin changes trust CodePipelineServiceRole for=codedeploy
-1h admin starts web
`))
		time.Sleep(time.Minute)
		if got := pipelineText(t, l, w); !strings.Contains(got, "AssumeRole on role") {
			t.Errorf("the run of a role that trusts another service: %s", got)
		}
		if err := w.Act("admin changes trust CodePipelineServiceRole"); err == nil || !strings.Contains(err.Error(), "for= or trust= is missing") {
			t.Errorf("a change to nothing: %v", err)
		}
	})
}

func TestAHealthEventIsForSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for plan, want := range map[string]string{"basic": "SubscriptionRequiredException", "business": ""} {
			_, w := load(t, "health.world", []byte(accountStage+"support acme-prod plan="+plan+"\n-1h aws reports CODEPIPELINE \"Runs wait.\" region=eu-west-1\n"))
			if err := w.Act("admin calls health:DescribeEvents region=us-east-1"); refusal(err) != want {
				t.Errorf("%s: %v", plan, err)
			}
		}
	})
}

func TestAWorldsFullCloneFailsWithoutItsRolesPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "clone.world", []byte(accountStage+`role Builder for=codebuild allow=logs:*
project web-build role=Builder
-3d admin creates connection one provider=GitHub
-3d admin completes handshake one as=olga org=acme
-2d admin creates pipeline web connection=one repo=acme/web format=CODEBUILD_CLONE_REF
-2d admin creates pipeline api connection=one repo=acme/api format=CODEBUILD_CLONE_REF
`))
		l.Cloud.Within(func() {
			if _, failed := l.Builds.Build("111111111111", "us-east-1", "web-build", w.ARN("one"), "acme/web"); failed == nil || !strings.Contains(failed.Message, "Access denied to connection "+w.ARN("one")) {
				t.Errorf("a role that may only log: %v", failed)
			}
			if _, failed := l.Builds.Build("111111111111", "us-east-1", "api-build", w.ARN("one"), "acme/api"); failed != nil {
				t.Errorf("the default role: %v", failed)
			}
		})
		if err := w.Act(`admin calls codebuild:BatchGetProjects json='{"names":["api-build"]}'`); err != nil {
			t.Error(err)
		}
	})
}
