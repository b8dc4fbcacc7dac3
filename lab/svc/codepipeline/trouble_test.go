package codepipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/svc/codepipeline"
)

// A trouble has its service, account, Region and time; outside of them everything works.
func TestTroubleIsBounded(t *testing.T) {
	for _, tt := range []struct {
		service, account, region string
		later                    time.Duration
		want                     string
	}{
		{"codebuild", account, region, 0, "Failed"}, {"codebuild", "", "", 0, "Failed"}, {"codepipeline", "", region, 0, "Failed"},
		{"codebuild", "222222222222", region, 0, "Succeeded"}, {"codebuild", account, "eu-west-1", 0, "Succeeded"},
		{"lambda", account, region, 0, "Succeeded"}, {"codebuild", account, region, 2 * time.Hour, "Succeeded"},
	} {
		b := working(t)
		b.create("web")
		b.pass(time.Hour)
		b.must(b.Pipelines.Trouble(codepipeline.Disturbed, tt.service, tt.account, tt.region, time.Hour))
		b.pass(tt.later)
		id := b.start("web")
		b.pass(30 * time.Minute)
		b.wants("web", id, tt.want)
	}
	if err := working(t).Pipelines.Trouble(codepipeline.Throttled, "iam", account, region, time.Hour); err == nil {
		t.Error("a service that no action calls can have a trouble")
	}
}

// The codes and texts of refusals are each service's own; all are told apart by them.
func TestTroubleTexts(t *testing.T) {
	deploys := map[string]in{
		"codebuild":      action("A", "Build", "CodeBuild", in{"ProjectName": "web"}),
		"codedeploy":     action("A", "Deploy", "CodeDeploy", in{"ApplicationName": "web", "DeploymentGroupName": "all"}),
		"cloudformation": action("A", "Deploy", "CloudFormation", in{"StackName": "web", "ActionMode": "CREATE_UPDATE"}),
		"lambda":         action("A", "Invoke", "Lambda", in{"FunctionName": "web"}),
		"ecs":            action("A", "Deploy", "ECS", in{"ClusterName": "web", "ServiceName": "web"}),
		"s3":             action("A", "Deploy", "S3", in{"BucketName": "web", "ObjectKey": "web"}),
	}
	for service, codes := range map[string][3]string{ // throttled, exhausted, disturbed
		"codebuild":      {"ThrottlingException", "AccountLimitExceededException", "InternalServiceError"},
		"codedeploy":     {"ThrottlingException", "DeploymentLimitExceededException", "InternalServiceError"},
		"cloudformation": {"Throttling", "LimitExceededException", "InternalFailure"},
		"lambda":         {"TooManyRequestsException", "TooManyRequestsException", "InternalServiceError"},
		"ecs":            {"ThrottlingException", "LimitExceededException", "InternalServiceError"},
		"s3":             {"SlowDown", "LimitExceededException", "InternalServiceError"},
	} {
		for i, kind := range []codepipeline.Kind{codepipeline.Throttled, codepipeline.Exhausted, codepipeline.Disturbed} {
			b := working(t)
			b.must(b.Pipelines.Trouble(kind, service, account, region, time.Hour))
			b.create("web", setStages(stage("Source", b.source()), stage("Do", deploys[service])))
			b.pass(10 * time.Minute)
			details, _ := b.latest("web", "Do")["errorDetails"].(in)
			if text, _ := details["message"].(string); details["code"] != "JobFailed" || !strings.Contains(text, "; Error Code: "+codes[i]+"; ") {
				t.Errorf("%s %s: %v, want %s", kind, service, details, codes[i])
			}
		}
	}
}

// An action that does not end fails when the time of its kind is over: not before, and by the quota where one can be raised.
func TestTimeLimits(t *testing.T) {
	approval := action("A", "Approval", "Manual", in{})
	short := action("A", "Approval", "Manual", in{})
	short["timeoutInMinutes"] = 60
	custom := action("A", "Build", "Jenkins", in{})
	custom["actionTypeId"].(in)["owner"] = "Custom"
	untimed := action("A", "Build", "CodeBuild", in{"ProjectName": "web"})
	untimed["timeoutInMinutes"] = 60 // for approvals alone
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		action in
		limit  time.Duration
		text   string
	}{
		"approval":       {approval, 7 * day, "The approval action timed out."},
		"short approval": {short, time.Hour, "The approval action timed out."},
		"codebuild":      {untimed, 36 * time.Hour, "did not end within 2160 minutes"},
		"cloudformation": {action("A", "Deploy", "CloudFormation", in{"StackName": "web"}), 3 * day, "did not end within 4320 minutes"},
		"codedeploy":     {action("A", "Deploy", "CodeDeploy", in{"ApplicationName": "w", "DeploymentGroupName": "a"}), 5 * day, "did not end within 7200 minutes"},
		"lambda":         {action("A", "Invoke", "Lambda", in{"FunctionName": "f"}), day, "The AWS Lambda function f failed to return a result."},
		"s3":             {action("A", "Deploy", "S3", in{"BucketName": "web", "ObjectKey": "k"}), 90 * time.Minute, "did not end within 90 minutes"},
		"ecs by quota":   {action("A", "Deploy", "ECS", in{"ClusterName": "c", "ServiceName": "s"}), 2 * time.Hour, "did not end within 120 minutes"},
		"custom":         {custom, day, "did not end within 1440 minutes"},
	} {
		b := working(t)
		b.Cloud.SetLimit(account, region, "L-5AA45A27", 7200)
		b.ok("CreateCustomActionType", jenkins())
		b.Pipelines.HangAction(account, region, "web", "Do", "A")
		id := b.create("web", setStages(stage("Source", b.source()), stage("Do", c.action)))
		b.pass(c.limit)
		b.wants("web", id, "InProgress")
		b.pass(10 * time.Second)
		b.wants("web", id, "Failed")
		details, _ := b.latest("web", "Do")["errorDetails"].(in)
		if text, _ := details["message"].(string); details["code"] != "JobFailed" || !strings.Contains(text, c.text) {
			t.Errorf("%s: %v, want %q", name, details, c.text)
		}
		if c.action["actionTypeId"].(in)["category"] == "Approval" {
			continue
		}
		b.Pipelines.FreeAction(account, region, "web", "Do", "A")
		id = b.start("web")
		b.pass(time.Hour)
		b.wants("web", id, "Succeeded")
	}
}

// An old GitHub source works until its token is revoked, and again with a new token.
func TestOldSourceAndItsToken(t *testing.T) {
	b := working(t)
	source := action("Old", "Source", "GitHub", in{"Owner": "acme", "Repo": "web", "Branch": "main", "OAuthToken": "ghp_one"})
	source["actionTypeId"].(in)["owner"] = "ThirdParty"
	id := b.create("web", setStages(stage("Source", source), stage("Build", action("CodeBuild", "Build", "CodeBuild", in{"ProjectName": "web"}))))
	b.pass(time.Hour)
	b.wants("web", id, "Succeeded")
	decl := b.ok("GetPipeline", in{"name": "web"})["pipeline"].(in)
	b.ok("UpdatePipeline", in{"pipeline": decl}) // with asterisks for the token: it stays
	b.Pipelines.RevokeToken("ghp_two")
	id = b.start("web")
	b.pass(time.Hour)
	b.wants("web", id, "Succeeded")
	b.Pipelines.RevokeToken("ghp_one")
	id = b.start("web")
	b.pass(time.Hour)
	b.wants("web", id, "Failed")
	details, _ := b.latest("web", "Source")["errorDetails"].(in)
	if details["code"] != "PermissionError" || details["message"] != "Could not access the GitHub repository" {
		t.Errorf("shown %v", details)
	}
	list(decl["stages"])[0]["actions"].([]any)[0].(in)["configuration"].(in)["OAuthToken"] = "ghp_three"
	b.ok("UpdatePipeline", in{"pipeline": decl})
	id = b.start("web")
	b.pass(time.Hour)
	b.wants("web", id, "Succeeded")
}
