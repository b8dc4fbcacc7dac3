package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/unjam/unjam/internal/fact"
)

func (r *Reader) registry(scope fact.Scope) *ecr.Client {
	return (*ecr.Client)(r.client("ecr", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(ecr.NewFromConfig(c)) }))
}

// DescribeRepositories calls ecr:DescribeRepositories, one page.
func (r *Reader) DescribeRepositories(ctx context.Context, scope fact.Scope, in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "ecr", "DescribeRepositories", r.registry(scope).DescribeRepositories, in)
	return out, src, err
}

// DescribeImages calls ecr:DescribeImages, one page.
func (r *Reader) DescribeImages(ctx context.Context, scope fact.Scope, in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "ecr", "DescribeImages", r.registry(scope).DescribeImages, in)
	return out, src, err
}
