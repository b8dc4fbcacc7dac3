package lab

import (
	"github.com/unjam/unjam/lab/svc/codepipeline"
	"github.com/unjam/unjam/lab/svc/ecr"
)

// images is ECR as CodePipeline sees it.
type images struct{ *ecr.Service }

// Image finds the image of a digest, or else the one that a tag points at.
func (i images) Image(account, region, repository, tag, digest string) (codepipeline.Image, string) {
	r, ok := i.Find(account, region, repository)
	if !ok {
		return codepipeline.Image{}, "repository"
	}
	x, ok := r.Digested(digest)
	if digest == "" {
		x, ok = r.Tagged(tag)
	}
	if !ok {
		return codepipeline.Image{}, "image"
	}
	return codepipeline.Image{Digest: x.Digest, Pushed: x.Pushed}, ""
}

// tellPush puts the event of a push on the event bus.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
func (l *Lab) tellPush(account, region string, detail map[string]any) {
	l.Events.Deliver(account, region, "aws.ecr", "ECR Image Action", []any{}, detail)
}
