package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/unjam/unjam/internal/fact"
)

func (r *Reader) keys(scope fact.Scope) *kms.Client {
	return (*kms.Client)(r.client("kms", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(kms.NewFromConfig(c)) }))
}

// DescribeKey calls kms:DescribeKey.
func (r *Reader) DescribeKey(ctx context.Context, scope fact.Scope, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "kms", "DescribeKey", r.keys(scope).DescribeKey, in)
	return out, src, err
}

// GetKeyPolicy calls kms:GetKeyPolicy.
func (r *Reader) GetKeyPolicy(ctx context.Context, scope fact.Scope, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "kms", "GetKeyPolicy", r.keys(scope).GetKeyPolicy, in)
	return out, src, err
}
