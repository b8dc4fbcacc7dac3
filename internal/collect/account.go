package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"

	"github.com/unjam/unjam/internal/fact"
)

func (c *Collector) regions(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &account.ListRegionsInput{MaxResults: aws.Int32(50)} // the largest page: API_ListRegions
		if token != "" {
			in.NextToken = &token
		}
		out, src, err := c.r.ListRegions(ctx, q.Scope, in)
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, r := range out.Regions {
			name := aws.ToString(r.RegionName)
			ref := fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindRegion, ID: name}
			facts = append(facts, fact.Region{Seen: seen(ref, src), Name: name, Status: string(r.RegionOptStatus)})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}
