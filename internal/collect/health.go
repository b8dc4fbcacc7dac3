package collect

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/health"
	"github.com/aws/aws-sdk-go-v2/service/health/types"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/fact"
)

// needsPlan is why AWS Health does not answer most accounts (docs/aws-facts.md, "AWS Health").
const needsPlan = "AWS Health answers accounts with a Business, Enterprise On-Ramp or Enterprise support plan only; health.aws.amazon.com/health/status needs none"

// health reads what AWS Health reports open about CodePipeline and the connection services in the Region that the query names, with the
// latest description of each.
func (c *Collector) health(ctx context.Context, q fact.Query) answer {
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeEvents(ctx, q.Scope, &health.DescribeEventsInput{
			Filter: &types.EventFilter{
				Services: []string{"CODEPIPELINE", "CODESTAR"}, Regions: []string{q.ID, "global"},
				EventStatusCodes: []types.EventStatusCode{types.EventStatusCodeOpen, types.EventStatusCodeClosed},
			}, MaxResults: aws.Int32(100), NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, e := range out.Events {
			arn := aws.ToString(e.Arn)
			facts = append(facts, fact.HealthEvent{
				Seen: seen(fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindHealth, ID: arn}, src), ARN: arn, Service: aws.ToString(e.Service),
				Code: aws.ToString(e.EventTypeCode), Category: string(e.EventTypeCategory), Region: aws.ToString(e.Region), Status: string(e.StatusCode),
				Start: aws.ToTime(e.StartTime).UTC(), End: aws.ToTime(e.EndTime).UTC(),
			})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
	var api smithy.APIError
	if errors.As(a.err, &api) && api.ErrorCode() == "SubscriptionRequiredException" {
		return absent(q, a.src, needsPlan)
	}
	if a.err == nil && len(a.facts) > 0 {
		if src, err := c.describe(ctx, q, a.facts); err != nil {
			a.src, a.err = src, err // the events stand without their text
		}
	}
	return a
}

// maxDescribed is how many events one call describes (API_DescribeEventDetails).
const maxDescribed = 10

// describe adds the latest descriptions of the events that are open; without them an event says its code.
func (c *Collector) describe(ctx context.Context, q fact.Query, events []fact.Fact) (fact.Source, error) {
	at := map[string]int{}
	var arns []string
	for i, f := range events {
		if e := f.(fact.HealthEvent); e.Status == "open" && len(arns) < maxDescribed {
			at[e.ARN] = i
			arns = append(arns, e.ARN)
		}
	}
	if len(arns) == 0 {
		return fact.Source{}, nil
	}
	out, src, err := c.r.DescribeEventDetails(ctx, q.Scope, &health.DescribeEventDetailsInput{EventArns: arns})
	if err != nil {
		return src, err
	}
	for _, d := range out.SuccessfulSet {
		if d.Event == nil || d.EventDescription == nil {
			continue
		}
		if i, ok := at[aws.ToString(d.Event.Arn)]; ok {
			e := events[i].(fact.HealthEvent)
			e.Text = strings.Join(strings.Fields(aws.ToString(d.EventDescription.LatestDescription)), " ")
			events[i] = e
		}
	}
	return src, nil
}

// organization reads the organisation of the account. Without one the query is answered, with AWS's word that there is none.
func (c *Collector) organization(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.DescribeOrganization(ctx, q.Scope)
	ref := fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindOrganization, ID: q.Scope.Account}
	var none *orgtypes.AWSOrganizationsNotInUseException
	switch {
	case errors.As(err, &none):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	case out.Organization == nil:
		return gone(src, ref)
	}
	o := out.Organization
	return answer{facts: []fact.Fact{fact.Organization{Seen: seen(ref, src), ID: aws.ToString(o.Id), ARN: aws.ToString(o.Arn), Management: aws.ToString(o.MasterAccountId)}}}
}
