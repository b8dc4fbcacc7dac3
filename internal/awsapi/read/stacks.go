package read

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/unjam/unjam/internal/fact"
)

// DescribeStacks calls cloudformation:DescribeStacks for one stack.
func (r *Reader) DescribeStacks(ctx context.Context, scope fact.Scope, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudformation", "DescribeStacks", r.stacks(scope).DescribeStacks, in)
	return out, src, err
}

// DescribeStackEvents calls cloudformation:DescribeStackEvents, one page, the newest events first.
func (r *Reader) DescribeStackEvents(ctx context.Context, scope fact.Scope, in *cloudformation.DescribeStackEventsInput) (*cloudformation.DescribeStackEventsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudformation", "DescribeStackEvents", r.stacks(scope).DescribeStackEvents, in)
	return out, src, err
}

// DescribeChangeSet calls cloudformation:DescribeChangeSet, the first page: status and reason stand on every one.
func (r *Reader) DescribeChangeSet(ctx context.Context, scope fact.Scope, in *cloudformation.DescribeChangeSetInput) (*cloudformation.DescribeChangeSetOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudformation", "DescribeChangeSet", r.stacks(scope).DescribeChangeSet, in)
	return out, src, err
}
