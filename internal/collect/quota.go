package collect

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	sqtypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"

	"github.com/unjam/unjam/internal/fact"
)

// quotas reads the applied quotas of the service whose code is the query's ID. A service that Service Quotas does not know is
// absent: its limits are in the documentation only.
func (c *Collector) quotas(ctx context.Context, q fact.Query) answer {
	var last fact.Source
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &servicequotas.ListServiceQuotasInput{ServiceCode: &q.ID, MaxResults: aws.Int32(100)} // the largest page
		if token != "" {
			in.NextToken = &token
		}
		out, src, err := c.r.ListServiceQuotas(ctx, q.Scope, in)
		last = src
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, x := range out.Quotas {
			code := aws.ToString(x.QuotaCode)
			facts = append(facts, fact.ServiceQuota{
				Seen: seen(fact.Ref{Scope: q.Scope, Kind: fact.KindQuota, ID: q.ID + "/" + code}, src), Service: q.ID, Code: code,
				Name: aws.ToString(x.QuotaName), Value: aws.ToFloat64(x.Value), Adjustable: x.Adjustable,
			})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
	var unknown *sqtypes.NoSuchResourceException
	if errors.As(a.err, &unknown) {
		return gone(last, fact.Ref{Scope: q.Scope, Kind: fact.KindQuota, ID: q.ID})
	}
	return a
}

// webhooks reads the pipeline webhooks of the Region, without the secrets they hold.
func (c *Collector) webhooks(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &codepipeline.ListWebhooksInput{MaxResults: aws.Int32(100)} // the largest page: API_ListWebhooks
		if token != "" {
			in.NextToken = &token
		}
		out, src, err := c.r.ListWebhooks(ctx, q.Scope, in)
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, x := range out.Webhooks {
			w := fact.Webhook{ARN: aws.ToString(x.Arn), Error: aws.ToString(x.ErrorMessage), Last: aws.ToTime(x.LastTriggered).UTC()}
			if d := x.Definition; d != nil {
				w.Name, w.Pipeline = aws.ToString(d.Name), aws.ToString(d.TargetPipeline)
			}
			w.Seen = seen(fact.Ref{Scope: q.Scope, Kind: fact.KindWebhook, ID: w.ARN}, src)
			facts = append(facts, w)
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}
