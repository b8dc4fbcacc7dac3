package read

import (
	"context"
	"errors"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/unjam/unjam/internal/fact"
)

// buckets addresses buckets in the path, so that one endpoint serves them all and no name of a bucket has to be a host's.
func (r *Reader) buckets(scope fact.Scope) *s3.Client {
	return (*s3.Client)(r.client("s3", r.Region(scope), func(c aws.Config) unsafe.Pointer {
		return unsafe.Pointer(s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }))
	}))
}

// HeadBucket calls s3:HeadBucket. The Region is where the bucket is, as far as AWS says it, also with an error.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func (r *Reader) HeadBucket(ctx context.Context, scope fact.Scope, in *s3.HeadBucketInput) (region string, src fact.Source, err error) {
	out, _, src, err := call(ctx, r, scope, "s3", "HeadBucket", r.buckets(scope).HeadBucket, in)
	if err == nil {
		return aws.ToString(out.BucketRegion), src, nil
	}
	var resp *awshttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil {
		region = resp.Response.Header.Get("X-Amz-Bucket-Region")
	}
	return region, src, err
}

// ListBuckets calls s3:ListBuckets without a page size: AWS answers with all of them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func (r *Reader) ListBuckets(ctx context.Context, scope fact.Scope) (*s3.ListBucketsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "s3", "ListBuckets", r.buckets(scope).ListBuckets, &s3.ListBucketsInput{})
	return out, src, err
}

// GetBucketPolicy calls s3:GetBucketPolicy.
func (r *Reader) GetBucketPolicy(ctx context.Context, scope fact.Scope, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "s3", "GetBucketPolicy", r.buckets(scope).GetBucketPolicy, in)
	return out, src, err
}

// GetBucketEncryption calls s3:GetBucketEncryption.
func (r *Reader) GetBucketEncryption(ctx context.Context, scope fact.Scope, in *s3.GetBucketEncryptionInput) (*s3.GetBucketEncryptionOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "s3", "GetBucketEncryption", r.buckets(scope).GetBucketEncryption, in)
	return out, src, err
}
