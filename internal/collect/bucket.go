package collect

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
)

var errNoKey = errors.New("the reply lacks the key")

// stores are the artifact stores of a definition, in the order of their Regions; a single one is for the pipeline's own.
func stores(d *types.PipelineDeclaration, home string) []fact.Store {
	var all []fact.Store
	take := func(region string, s types.ArtifactStore) {
		x := fact.Store{Region: region, Bucket: aws.ToString(s.Location)}
		if s.EncryptionKey != nil {
			x.Key = aws.ToString(s.EncryptionKey.Id)
		}
		all = append(all, x)
	}
	if d.ArtifactStore != nil {
		take(home, *d.ArtifactStore)
	}
	for _, region := range slices.Sorted(maps.Keys(d.ArtifactStores)) {
		take(region, d.ArtifactStores[region])
	}
	return all
}

// bucket asks for one bucket: absent when AWS says that there is none of that name, and in another Region when AWS says so. A refusal says
// nothing of whose bucket it is.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func (c *Collector) bucket(ctx context.Context, q fact.Query) answer {
	region, src, err := c.r.HeadBucket(ctx, q.Scope, &s3.HeadBucketInput{Bucket: &q.ID})
	ref := fact.BucketRef(q.Scope, q.Kind, q.ID)
	elsewhere := region != "" && region != q.Scope.Region && awsapi.Classify(err).Kind == awsapi.Other
	switch {
	case notFound(err):
		return gone(src, ref)
	case err != nil && !elsewhere:
		return answer{err: err, src: src}
	case region == "":
		region = q.Scope.Region // the one that answered
	}
	return answer{facts: []fact.Fact{fact.Bucket{Seen: seen(ref, src), Name: q.ID, Region: region}}}
}

// ownBuckets lists the account's buckets.
func (c *Collector) ownBuckets(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.ListBuckets(ctx, q.Scope)
	if err != nil {
		return answer{err: err, src: src}
	}
	f := fact.OwnBuckets{Seen: seen(fact.Ref{Scope: q.Scope, Kind: q.Kind}, src)}
	for _, b := range out.Buckets {
		f.Names = append(f.Names, aws.ToString(b.Name))
	}
	return answer{facts: []fact.Fact{f}}
}

func (c *Collector) bucketPolicy(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.GetBucketPolicy(ctx, q.Scope, &s3.GetBucketPolicyInput{Bucket: &q.ID})
	ref := fact.BucketRef(q.Scope, q.Kind, q.ID)
	switch {
	case notFound(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	}
	return answer{facts: []fact.Fact{fact.BucketPolicy{Seen: seen(ref, src), Bucket: q.ID, Document: aws.ToString(out.Policy)}}}
}

func (c *Collector) bucketEncryption(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.GetBucketEncryption(ctx, q.Scope, &s3.GetBucketEncryptionInput{Bucket: &q.ID})
	ref := fact.BucketRef(q.Scope, q.Kind, q.ID)
	switch {
	case notFound(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	}
	f := fact.BucketEncryption{Seen: seen(ref, src), Bucket: q.ID}
	if x := out.ServerSideEncryptionConfiguration; x != nil {
		for _, rule := range x.Rules {
			if by := rule.ApplyServerSideEncryptionByDefault; by != nil {
				f.Algorithm, f.Key = string(by.SSEAlgorithm), aws.ToString(by.KMSMasterKeyID)
			}
		}
	}
	return answer{facts: []fact.Fact{f}}
}

func (c *Collector) key(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.DescribeKey(ctx, q.Scope, &kms.DescribeKeyInput{KeyId: &q.ID})
	ref := fact.KeyRef(q.Scope, q.Kind, q.ID)
	switch {
	case notFound(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	case out.KeyMetadata == nil:
		return answer{err: errNoKey, src: src}
	}
	m := out.KeyMetadata
	return answer{facts: []fact.Fact{fact.Key{Seen: seen(ref, src), ARN: aws.ToString(m.Arn), State: string(m.KeyState), Deletion: aws.ToTime(m.DeletionDate).UTC()}}}
}

func (c *Collector) keyPolicy(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.GetKeyPolicy(ctx, q.Scope, &kms.GetKeyPolicyInput{KeyId: &q.ID})
	ref := fact.KeyRef(q.Scope, q.Kind, q.ID)
	switch {
	case notFound(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	}
	return answer{facts: []fact.Fact{fact.KeyPolicy{Seen: seen(ref, src), Key: q.ID, Document: aws.ToString(out.Policy)}}}
}
