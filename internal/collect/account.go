package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

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

// alias reads the account's alias. No alias is a fact too.
func (c *Collector) alias(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.ListAccountAliases(ctx, q.Scope)
	if err != nil {
		return answer{err: err, src: src}
	}
	ref := fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindAlias, ID: q.Scope.Account}
	f := fact.Alias{Seen: seen(ref, src)}
	if len(out.AccountAliases) > 0 {
		f.Name = out.AccountAliases[0]
	}
	return answer{facts: []fact.Fact{f}, src: src}
}

// accountTags reads the account's tags in its organisation. Only the management account and delegated administrators may.
func (c *Collector) accountTags(ctx context.Context, q fact.Query) answer {
	ref := fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindAccountTags, ID: q.Scope.Account}
	f := fact.AccountTags{Tags: map[string]string{}}
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &organizations.ListTagsForResourceInput{ResourceId: &q.Scope.Account}
		if token != "" {
			in.NextToken = &token
		}
		out, src, err := c.r.AccountTags(ctx, q.Scope, in)
		if err != nil {
			return nil, "", src, err
		}
		f.Seen = seen(ref, src)
		for _, t := range out.Tags {
			f.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return nil, aws.ToString(out.NextToken), src, nil
	})
	if a.err == nil {
		a.facts = []fact.Fact{f}
	}
	return a
}
