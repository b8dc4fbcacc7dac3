package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/health"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/unjam/unjam/internal/fact"
)

// healthRegion is where AWS Health is served, whatever the Region asked about.
// https://docs.aws.amazon.com/health/latest/ug/health-api.html
const healthRegion = "us-east-1"

func (r *Reader) health() *health.Client {
	return (*health.Client)(r.client("health", healthRegion, func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(health.NewFromConfig(c)) }))
}

// DescribeEvents calls health:DescribeEvents, one page. Accounts without a Business support plan or better are refused.
func (r *Reader) DescribeEvents(ctx context.Context, scope fact.Scope, in *health.DescribeEventsInput) (*health.DescribeEventsOutput, fact.Source, error) {
	scope.Region = healthRegion
	out, _, src, err := call(ctx, r, scope, "health", "DescribeEvents", r.health().DescribeEvents, in)
	return out, src, err
}

// DescribeEventDetails calls health:DescribeEventDetails.
func (r *Reader) DescribeEventDetails(ctx context.Context, scope fact.Scope, in *health.DescribeEventDetailsInput) (*health.DescribeEventDetailsOutput, fact.Source, error) {
	scope.Region = healthRegion
	out, _, src, err := call(ctx, r, scope, "health", "DescribeEventDetails", r.health().DescribeEventDetails, in)
	return out, src, err
}

// DescribeOrganization calls organizations:DescribeOrganization.
func (r *Reader) DescribeOrganization(ctx context.Context, scope fact.Scope) (*organizations.DescribeOrganizationOutput, fact.Source, error) {
	c := (*organizations.Client)(r.client("organizations", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(organizations.NewFromConfig(c)) }))
	out, _, src, err := call(ctx, r, scope, "organizations", "DescribeOrganization", c.DescribeOrganization, &organizations.DescribeOrganizationInput{})
	return out, src, err
}

// AccountTags calls organizations:ListTagsForResource for an account, one page.
func (r *Reader) AccountTags(ctx context.Context, scope fact.Scope, in *organizations.ListTagsForResourceInput) (*organizations.ListTagsForResourceOutput, fact.Source, error) {
	c := (*organizations.Client)(r.client("organizations", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(organizations.NewFromConfig(c)) }))
	out, _, src, err := call(ctx, r, scope, "organizations", "ListTagsForResource", c.ListTagsForResource, in)
	return out, src, err
}
