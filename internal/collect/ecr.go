package collect

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/unjam/unjam/internal/fact"
)

var (
	errNoRepository = errors.New("the reply lacks the repository")
	errNoImage      = errors.New("the reply lacks the image")
)

// repository reads one repository of the account's own registry.
func (c *Collector) repository(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.DescribeRepositories(ctx, q.Scope, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{q.ID}})
	ref := fact.RepositoryRef(q.Scope, q.ID)
	switch {
	case notFound(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	case len(out.Repositories) != 1:
		return answer{err: errNoRepository, src: src}
	}
	x := out.Repositories[0]
	f := fact.Repository{Seen: seen(ref, src), ARN: aws.ToString(x.RepositoryArn), Name: aws.ToString(x.RepositoryName), Mutability: string(x.ImageTagMutability)}
	for _, e := range x.ImageTagMutabilityExclusionFilters {
		f.Filters = append(f.Filters, aws.ToString(e.Filter))
	}
	return answer{facts: []fact.Fact{f}}
}

// image reads what one tag points at.
func (c *Collector) image(ctx context.Context, q fact.Query) answer {
	repository, tag, ok := strings.Cut(q.ID, ":")
	if !ok {
		return answer{err: errors.New("read image: its ID is not REPOSITORY:TAG")}
	}
	out, src, err := c.r.DescribeImages(ctx, q.Scope, &ecr.DescribeImagesInput{RepositoryName: &repository, ImageIds: []types.ImageIdentifier{{ImageTag: &tag}}})
	ref := fact.ImageRef(q.Scope, repository, tag)
	switch {
	case notFound(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	case len(out.ImageDetails) != 1:
		return answer{err: errNoImage, src: src}
	}
	return answer{facts: []fact.Fact{image(ref, src, repository, out.ImageDetails[0])}}
}

func image(ref fact.Ref, src fact.Source, repository string, x types.ImageDetail) fact.Image {
	return fact.Image{Seen: seen(ref, src), Repository: repository, Digest: aws.ToString(x.ImageDigest), Tags: x.ImageTags, Pushed: aws.ToTime(x.ImagePushedAt).UTC()}
}

// images reads the tagged images of a repository: AWS lists them in no order of time.
func (c *Collector) images(ctx context.Context, q fact.Query) answer {
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeImages(ctx, q.Scope, &ecr.DescribeImagesInput{RepositoryName: &q.ID, MaxResults: aws.Int32(1000), NextToken: tokenOf(token),
			Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusTagged}})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, x := range out.ImageDetails {
			ref := fact.Ref{Scope: q.Scope, Kind: fact.KindImageList, ID: q.ID + "@" + aws.ToString(x.ImageDigest)}
			facts = append(facts, image(ref, src, q.ID, x))
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
	if notFound(a.err) {
		return gone(a.src, fact.RepositoryRef(q.Scope, q.ID))
	}
	return a
}
