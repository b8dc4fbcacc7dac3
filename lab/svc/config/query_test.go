package config_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// TestQueries: what the subset can say is answered from the newest items; what is deleted is not among them.
func TestQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder", "-20d ada creates pipeline api connection=team-github repo=acme/web\n-19d ada deletes pipeline api\n-19d ada tags web team:shop\n")
		for query, want := range map[string]string{
			`SELECT resourceName WHERE resourceType = 'AWS::CodePipeline::Pipeline'`: `{"resourceName":"web"}`,
			`select resourceId, configuration.pipeline.version where resourceType = 'AWS::CodePipeline::Pipeline' and configuration.pipeline.stages.actions.actionTypeId.provider = 'CodeStarSourceConnection'`: `{"configuration":{"pipeline":{"version":1}},"resourceId":"web"}`,
			`SELECT configuration.pipeline.stages.name WHERE configuration.pipeline.version = 1`:                                                                                                                `{"configuration":{"pipeline":{"stages":[{"name":"Source"},{"name":"Build"},{"name":"Deploy"}]}}}`,
			`SELECT resourceName WHERE resourceName LIKE 'Runn%'`:                                                                                                                                               `{"resourceName":"Runner"}`,
			`SELECT resourceName WHERE resourceName IN ('web', 'api') AND awsRegion = 'eu-west-1'`:                                                                                                              `{"resourceName":"web"}`,
			`SELECT resourceName WHERE tags.tag = 'team=shop'`:                                                                                                                                                  `{"resourceName":"web"}`,
			`SELECT resourceName WHERE configuration.pipeline.stages.actions.actionTypeId.provider = 'ECR'`:                                                                                                     ``,
		} {
			var got []string
			for _, r := range b.call("SelectResourceConfig", map[string]any{"Expression": query})["Results"].([]any) {
				got = append(got, r.(string))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s\n gives %s\n want  %s", query, got, want)
			}
		}
		whole := b.call("SelectResourceConfig", map[string]any{"Expression": "SELECT configuration, arn WHERE resourceId = 'web'"})["Results"].([]any)
		if len(whole) != 1 || !strings.Contains(whole[0].(string), `"roleArn":"arn:aws:iam::111111111111:role/Runner"`) {
			t.Errorf("whole configuration: %v", whole)
		}
	})
}

// TestQueriesBeyondTheSubsetAreRefused, as are those that AWS refuses.
func TestQueriesBeyondTheSubsetAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := load(t, "recorder", "")
		for _, query := range []string{
			"", "SELECT", "SELECT colour", "FROM x", "SELECT arn FROM x", "SELECT DISTINCT arn", "SELECT arn WHERE", "SELECT arn WHERE arn", "SELECT arn WHERE arn = ",
			"SELECT arn WHERE resourceName LIKE '%web'", "SELECT arn WHERE resourceName LIKE 'we%'", "SELECT arn WHERE resourceName LIKE 'web_x%'",
			"SELECT arn WHERE resourceName IN 'web'", "SELECT arn WHERE resourceName IN ('web'", "SELECT arn WHERE resourceName = 'a' OR resourceName = 'b'",
			"SELECT arn WHERE resourceName = 'a' ORDER BY arn", "SELECT COUNT(*)", "SELECT arn WHERE resourceName = NULL",
			"SELECT arn WHERE configuration.pipeline.stages.actions.configuration.ConnectionArn = 'x'", "SELECT arn WHERE configuration.pipeline.pipelineType = 'V2'",
			"SELECT arn WHERE configuration = 'x'", "SELECT resourceName.x",
		} {
			b.refused("SelectResourceConfig", map[string]any{"Expression": query}, "InvalidExpressionException")
		}
		b.refused("SelectResourceConfig", map[string]any{"Expression": "SELECT arn", "Limit": 101.0}, "InvalidLimitException")
		b.refused("SelectResourceConfig", map[string]any{"Expression": "SELECT arn", "NextToken": "none"}, "InvalidNextTokenException")
	})
}
