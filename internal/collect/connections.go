package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"

	"github.com/unjam/unjam/internal/fact"
)

// asked is where a query about one ARN is sent: the Region of the query, else the ARN's own, which controls it.
func asked(q fact.Query) fact.Scope {
	scope := q.Scope
	if a, err := fact.ParseARN(q.ID); scope.Region == "" && err == nil {
		scope.Region = a.Region
	}
	return scope
}

func (c *Collector) connection(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.GetConnection(ctx, asked(q), q.ID)
	switch {
	case notFound(err):
		return gone(src, fact.ConnectionRef(q.Scope.Account, q.ID))
	case err != nil:
		return answer{err: err, src: src}
	}
	return answer{facts: []fact.Fact{connection(q, out, src)}}
}

func connection(q fact.Query, c *types.Connection, src fact.Source) fact.Connection {
	arn := aws.ToString(c.ConnectionArn)
	return fact.Connection{
		Seen: seen(fact.ConnectionRef(q.Scope.Account, arn), src), ARN: arn, Name: aws.ToString(c.ConnectionName),
		Provider: string(c.ProviderType), Owner: aws.ToString(c.OwnerAccountId), Status: string(c.ConnectionStatus), HostARN: aws.ToString(c.HostArn),
	}
}

func (c *Collector) connectionList(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		page, next, src, err := c.r.ListConnections(ctx, q.Scope, token)
		var facts []fact.Fact
		for i := range page {
			facts = append(facts, connection(q, &page[i], src))
		}
		return facts, next, src, err
	})
}

func (c *Collector) tags(ctx context.Context, q fact.Query) answer {
	ref := fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindTags, ID: q.ID}
	tags, src, err := c.r.ListTagsForResource(ctx, asked(q), q.ID)
	switch {
	case notFound(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	}
	return answer{facts: []fact.Fact{fact.Tags{Seen: seen(ref, src), Tags: tags}}}
}

func (c *Collector) hosts(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		page, next, src, err := c.r.ListHosts(ctx, q.Scope, token)
		var facts []fact.Fact
		for _, h := range page {
			arn := aws.ToString(h.HostArn)
			f := fact.Host{
				Seen: seen(fact.Ref{Scope: q.Scope, Kind: fact.KindHost, ID: arn}, src), ARN: arn, Name: aws.ToString(h.Name),
				Provider: string(h.ProviderType), Endpoint: aws.ToString(h.ProviderEndpoint),
				Status: aws.ToString(h.Status), Message: aws.ToString(h.StatusMessage),
			}
			if v := h.VpcConfiguration; v != nil {
				f.VPC, f.Subnets, f.Groups = aws.ToString(v.VpcId), v.SubnetIds, v.SecurityGroupIds
				f.Certificates = certificates(aws.ToString(v.TlsCertificate))
			}
			facts = append(facts, f)
		}
		return facts, next, src, err
	})
}
