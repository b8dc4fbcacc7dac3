package cloudformation_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// client is AWS's own client as the world's caller of that name.
func (b bench) client(caller string) *sdk.Client {
	b.t.Helper()
	k := b.l.Cloud.CallerByName(caller)
	if k == nil {
		b.t.Fatalf("no caller %s", caller)
	}
	return sdk.NewFromConfig(aws.Config{Region: "eu-west-1", HTTPClient: &http.Client{Transport: b.l}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken)})
}

// TestClientOfAWS finds a connection's stack and its drift with AWS's own client.
func TestClientOfAWS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "role Reader allow=cloudformation:DescribeStacks@arn:aws:cloudformation:eu-west-1:111111111111:stack/web-ci/*\ncaller rhea role=Reader\n-20d ada updates web branch=develop\n")
		c, ctx := b.client("ada"), t.Context()
		arn := b.w.ARN("team-github")
		owned, err := c.DescribeStackResources(ctx, &sdk.DescribeStackResourcesInput{PhysicalResourceId: &arn})
		if err != nil || len(owned.StackResources) != 2 || *owned.StackResources[0].StackName != "web-ci" || owned.StackResources[0].Timestamp.IsZero() {
			t.Fatal(owned, err)
		}
		stack := owned.StackResources[0].StackId
		out, err := c.DetectStackDrift(ctx, &sdk.DetectStackDriftInput{StackName: stack})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		status, err := c.DescribeStackDriftDetectionStatus(ctx, &sdk.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: out.StackDriftDetectionId})
		if err != nil || status.DetectionStatus != types.StackDriftDetectionStatusDetectionComplete || status.StackDriftStatus != types.StackDriftStatusDrifted {
			t.Error(status, err)
		}
		drifts, err := c.DescribeStackResourceDrifts(ctx, &sdk.DescribeStackResourceDriftsInput{StackName: stack, StackResourceDriftStatusFilters: []types.StackResourceDriftStatus{types.StackResourceDriftStatusModified}})
		if err != nil || len(drifts.StackResourceDrifts) != 1 || *drifts.StackResourceDrifts[0].PropertyDifferences[0].PropertyPath != "/Stages/0/Actions/0/Configuration/BranchName" {
			t.Error(drifts, err)
		}
		template, err := c.GetTemplate(ctx, &sdk.GetTemplateInput{StackName: aws.String("web-ci"), TemplateStage: types.TemplateStageOriginal})
		if err != nil || len(*template.TemplateBody) < 100 {
			t.Error(template, err)
		}
		var e smithy.APIError
		if _, err := c.DescribeStackResources(ctx, &sdk.DescribeStackResourcesInput{PhysicalResourceId: aws.String("other")}); !errors.As(err, &e) || e.ErrorCode() != "ValidationError" || e.ErrorMessage() != "Stack for other does not exist" {
			t.Errorf("unowned: %v", err)
		}
		reader := b.client("rhea")
		if _, err := reader.DescribeStacks(ctx, &sdk.DescribeStacksInput{StackName: aws.String("web-ci")}); err != nil {
			t.Errorf("a policy with the stack's ARN: %v", err)
		}
		if _, err := reader.DescribeStacks(ctx, nil); !errors.As(err, &e) || e.ErrorCode() != "AccessDenied" {
			t.Errorf("all stacks with a policy for one: %v", err)
		}
	})
}
