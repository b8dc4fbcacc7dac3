package read

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/unjam/unjam/internal/fact"
)

func (r *Reader) metrics(scope fact.Scope) *cloudwatch.Client {
	return client(r, "monitoring", r.Region(scope), func(c aws.Config) *cloudwatch.Client { return cloudwatch.NewFromConfig(c) })
}

// DescribeAlarms calls cloudwatch:DescribeAlarms, one page.
func (r *Reader) DescribeAlarms(ctx context.Context, scope fact.Scope, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudwatch", "DescribeAlarms", r.metrics(scope).DescribeAlarms, in)
	return out, src, err
}

// ListMetrics calls cloudwatch:ListMetrics, one page.
func (r *Reader) ListMetrics(ctx context.Context, scope fact.Scope, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudwatch", "ListMetrics", r.metrics(scope).ListMetrics, in)
	return out, src, err
}
