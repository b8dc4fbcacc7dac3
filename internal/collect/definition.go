package collect

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/unjam/unjam/internal/fact"
)

// definition reads the declaration of one version of a pipeline, in Args "version".
func (c *Collector) definition(ctx context.Context, q fact.Query) answer {
	n, err := strconv.Atoi(q.Args["version"])
	if err != nil || n < 1 {
		return answer{err: fmt.Errorf("read definition: %q is no version", q.Args["version"])}
	}
	v := int32(n)
	out, raw, src, err := c.r.GetPipeline(ctx, q.Scope, &codepipeline.GetPipelineInput{Name: &q.ID, Version: &v})
	var unknown *types.PipelineVersionNotFoundException
	switch {
	case errors.As(err, &unknown), notFound(err):
		return gone(src, fact.DefinitionRef(q.Scope, q.ID, n))
	case err != nil:
		return answer{err: err, src: src}
	}
	values, err := c.flatten(raw)
	if err != nil {
		return answer{err: err, src: src}
	}
	delete(values, "version")
	f := fact.Definition{Seen: seen(fact.DefinitionRef(q.Scope, q.ID, n), src), Pipeline: q.ID, Version: n, Values: values}
	if out.Metadata != nil {
		f.Updated = aws.ToTime(out.Metadata.Updated).UTC()
	}
	return answer{facts: []fact.Fact{f}}
}
