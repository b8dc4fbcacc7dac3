package cloudwatch_test

import (
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
)

// TestAlarms: an alarm is taken on any metric, replaced by its name, listed page by page in its own Region, and knows what missing data makes
// of it.
func TestAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lab.New()
		apimodel.Attach(t, l)
		c, abroad, ctx := client(t, l, "ada", "eu-west-1", everything), client(t, l, "eve", "us-east-1", everything), t.Context()
		put := func(name, missing string) {
			t.Helper()
			if _, err := c.PutMetricAlarm(ctx, &sdk.PutMetricAlarmInput{AlarmName: &name, Namespace: aws.String("AWS/codepipeline"), MetricName: aws.String("Nothing"), Statistic: types.StatisticSum,
				Period: aws.Int32(300), EvaluationPeriods: aws.Int32(2), Threshold: aws.Float64(0.5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
				Dimensions: []types.Dimension{{Name: aws.String("PipelineName"), Value: aws.String("web")}}, TreatMissingData: &missing, AlarmActions: []string{"arn:aws:sns:eu-west-1:111111111111:x"}}); err != nil {
				t.Fatal(err)
			}
		}
		put("b", "missing")
		put("a", "breaching")
		put("c", "breaching")
		put("c", "notBreaching")
		all := func(c *sdk.Client) (found []types.MetricAlarm) {
			t.Helper()
			for pages := sdk.NewDescribeAlarmsPaginator(c, &sdk.DescribeAlarmsInput{MaxRecords: aws.Int32(2)}); pages.HasMorePages(); {
				out, err := pages.NextPage(ctx)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, out.MetricAlarms...)
			}
			return found
		}
		got := all(c)
		if len(got) != 3 || got[0].StateValue != types.StateValueAlarm || got[1].StateValue != types.StateValueInsufficientData || got[2].StateValue != types.StateValueOk {
			t.Fatalf("got %+v", got)
		}
		if a := got[0]; *a.AlarmName != "a" || *a.Period != 300 || *a.Threshold != 0.5 || *a.Dimensions[0].Value != "web" || !*a.ActionsEnabled || a.AlarmActions[0] == "" {
			t.Errorf("got %+v", a)
		}
		if there := all(abroad); len(there) != 0 {
			t.Errorf("another Region has %+v", there)
		}
		if _, err := c.DeleteAlarms(ctx, &sdk.DeleteAlarmsInput{AlarmNames: []string{"a", "b"}}); err != nil {
			t.Fatal(err)
		}
		if left := all(c); len(left) != 1 || *left[0].AlarmName != "c" {
			t.Errorf("left %+v", left)
		}
	})
}
