package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"github.com/unjam/unjam/internal/fact"
)

func (r *Reader) config(scope fact.Scope) *configservice.Client {
	return (*configservice.Client)(r.client("config", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(configservice.NewFromConfig(c)) }))
}

// ListDiscoveredResources calls config:ListDiscoveredResources, one page.
func (r *Reader) ListDiscoveredResources(ctx context.Context, scope fact.Scope, in *configservice.ListDiscoveredResourcesInput) (*configservice.ListDiscoveredResourcesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "config", "ListDiscoveredResources", r.config(scope).ListDiscoveredResources, in)
	return out, src, err
}

// GetResourceConfigHistory calls config:GetResourceConfigHistory, one page: at most seven days of history.
func (r *Reader) GetResourceConfigHistory(ctx context.Context, scope fact.Scope, in *configservice.GetResourceConfigHistoryInput) (*configservice.GetResourceConfigHistoryOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "config", "GetResourceConfigHistory", r.config(scope).GetResourceConfigHistory, in)
	return out, src, err
}

func (r *Reader) stacks(scope fact.Scope) *cloudformation.Client {
	return (*cloudformation.Client)(r.client("cloudformation", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(cloudformation.NewFromConfig(c)) }))
}

// DescribeStackResources calls cloudformation:DescribeStackResources.
func (r *Reader) DescribeStackResources(ctx context.Context, scope fact.Scope, in *cloudformation.DescribeStackResourcesInput) (*cloudformation.DescribeStackResourcesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudformation", "DescribeStackResources", r.stacks(scope).DescribeStackResources, in)
	return out, src, err
}

// DescribeStackResourceDrifts calls cloudformation:DescribeStackResourceDrifts, one page: the result of the last detection.
func (r *Reader) DescribeStackResourceDrifts(ctx context.Context, scope fact.Scope, in *cloudformation.DescribeStackResourceDriftsInput) (*cloudformation.DescribeStackResourceDriftsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudformation", "DescribeStackResourceDrifts", r.stacks(scope).DescribeStackResourceDrifts, in)
	return out, src, err
}

// DetectStackDrift calls cloudformation:DetectStackDrift. It changes no resource, but it is a job in the account: only asked for by name.
func (r *Reader) DetectStackDrift(ctx context.Context, scope fact.Scope, in *cloudformation.DetectStackDriftInput) (*cloudformation.DetectStackDriftOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudformation", "DetectStackDrift", r.stacks(scope).DetectStackDrift, in)
	return out, src, err
}

// DescribeStackDriftDetectionStatus calls cloudformation:DescribeStackDriftDetectionStatus.
func (r *Reader) DescribeStackDriftDetectionStatus(ctx context.Context, scope fact.Scope, in *cloudformation.DescribeStackDriftDetectionStatusInput) (*cloudformation.DescribeStackDriftDetectionStatusOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudformation", "DescribeStackDriftDetectionStatus", r.stacks(scope).DescribeStackDriftDetectionStatus, in)
	return out, src, err
}
