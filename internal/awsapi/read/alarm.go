package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/unjam/unjam/internal/fact"
)

// DescribeAlarms calls cloudwatch:DescribeAlarms, one page.
func (r *Reader) DescribeAlarms(ctx context.Context, scope fact.Scope, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, fact.Source, error) {
	c := (*cloudwatch.Client)(r.client("cloudwatch", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(cloudwatch.NewFromConfig(c)) }))
	out, _, src, err := call(ctx, r, scope, "cloudwatch", "DescribeAlarms", c.DescribeAlarms, in)
	return out, src, err
}
