package config_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
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

// TestClientOfAWS reads a history with AWS's own client: over empty pages to its end.
func TestClientOfAWS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "role Blind allow=config:List*\ncaller vera role=Blind\nrecorder", "-20d ada updates web branch=develop\n")
		c, ctx := b.client("ada"), t.Context()
		found, err := c.ListDiscoveredResources(ctx, &sdk.ListDiscoveredResourcesInput{ResourceType: types.ResourceTypePipeline})
		if err != nil || len(found.ResourceIdentifiers) != 1 {
			t.Fatal(found, err)
		}
		in := &sdk.GetResourceConfigHistoryInput{ResourceType: types.ResourceTypePipeline, ResourceId: found.ResourceIdentifiers[0].ResourceId}
		var items []types.ConfigurationItem
		pages := 0
		for p := sdk.NewGetResourceConfigHistoryPaginator(c, in); p.HasMorePages(); pages++ {
			out, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, out.ConfigurationItems...)
		}
		if len(items) != 2 || pages < 4 || *items[0].AwsRegion != "eu-west-1" || *items[0].ResourceName != "web" || items[0].ConfigurationItemStatus != types.ConfigurationItemStatusOk {
			t.Errorf("%d items on %d pages: %+v", len(items), pages, items)
		}
		recorders, err := c.DescribeConfigurationRecorders(ctx, nil)
		if err != nil || len(recorders.ConfigurationRecorders) != 1 || !recorders.ConfigurationRecorders[0].RecordingGroup.AllSupported {
			t.Error(recorders, err)
		}
		var none *types.ResourceNotDiscoveredException
		if _, err := c.GetResourceConfigHistory(ctx, &sdk.GetResourceConfigHistoryInput{ResourceType: types.ResourceTypePipeline, ResourceId: aws.String("none")}); !errors.As(err, &none) {
			t.Errorf("unknown resource: %v", err)
		}
		var query *types.InvalidExpressionException
		if _, err := c.SelectResourceConfig(ctx, &sdk.SelectResourceConfigInput{Expression: aws.String("SELECT")}); !errors.As(err, &query) {
			t.Errorf("wrong query: %v", err)
		}
		var denied smithy.APIError
		if _, err := b.client("vera").GetResourceConfigHistory(ctx, in); !errors.As(err, &denied) || denied.ErrorCode() != "AccessDeniedException" {
			t.Errorf("without permission: %v", err)
		}
	})
}
