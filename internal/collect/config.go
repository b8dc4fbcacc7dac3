package collect

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/unjam/unjam/internal/fact"
)

// configPages is how many pages of a history are read: each covers at most seven days (API_GetResourceConfigHistory), and a page may be
// empty with a token behind it.
const configPages = 5

// configHistory reads what AWS Config recorded of the resource named by the query, of the type in Args "type", newest first. Without a
// recorder, or without the resource among what it records, the source is absent.
func (c *Collector) configHistory(ctx context.Context, q fact.Query) answer {
	kind := types.ResourceType(q.Args["type"])
	found, src, err := c.r.ListDiscoveredResources(ctx, q.Scope, &configservice.ListDiscoveredResourcesInput{
		ResourceType: kind, ResourceName: &q.ID, IncludeDeletedResources: true})
	if err != nil {
		return configGap(q, src, err)
	}
	if len(found.ResourceIdentifiers) == 0 {
		return absent(q, src, "AWS Config records nothing of "+q.ID+" in "+q.Scope.Region)
	}
	id := aws.ToString(found.ResourceIdentifiers[0].ResourceId)
	var a answer
	token := ""
	for range configPages {
		out, src, err := c.r.GetResourceConfigHistory(ctx, q.Scope, &configservice.GetResourceConfigHistoryInput{
			ResourceType: kind, ResourceId: &id, Limit: 100, NextToken: tokenOf(token), ChronologicalOrder: types.ChronologicalOrderReverse})
		if err != nil {
			b := configGap(q, src, err)
			b.facts = a.facts
			return b
		}
		for _, item := range out.ConfigurationItems {
			f, err := c.configItem(q, src, item)
			if err != nil {
				a.rest, a.src = "an item of AWS Config could not be read: "+err.Error(), src
				continue
			}
			a.facts = append(a.facts, f)
		}
		if token = aws.ToString(out.NextToken); token == "" {
			return a
		}
	}
	return a // older history is not asked for: what broke lately is looked for
}

func (c *Collector) configItem(q fact.Query, src fact.Source, item types.ConfigurationItem) (fact.ConfigItem, error) {
	f := fact.ConfigItem{
		Type: string(item.ResourceType), Name: q.ID, ID: aws.ToString(item.ResourceId), Status: string(item.ConfigurationItemStatus),
		Captured: aws.ToTime(item.ConfigurationItemCaptureTime).UTC(), State: aws.ToString(item.ConfigurationStateId),
	}
	f.Seen = seen(fact.Ref{Scope: q.Scope, Kind: fact.KindConfigHistory, ID: f.Type + "/" + q.ID + "@" + f.Captured.Format(time.RFC3339) + "/" + f.State}, src)
	if text := aws.ToString(item.Configuration); text != "" {
		values, err := c.flatten([]byte(text))
		if err != nil {
			return f, err
		}
		f.Values = values
	}
	return f, nil
}

// configGap words a failure: no recorder, and a resource that it does not know, mean that there is no such source here.
func configGap(q fact.Query, src fact.Source, err error) answer {
	var none *types.NoAvailableConfigurationRecorderException
	var undiscovered *types.ResourceNotDiscoveredException
	switch {
	case errors.As(err, &none):
		return absent(q, src, "AWS Config records nothing in "+q.Scope.Region+": there is no recorder")
	case errors.As(err, &undiscovered):
		return absent(q, src, "AWS Config records nothing of "+q.ID+" in "+q.Scope.Region)
	}
	return answer{err: err, src: src}
}

// absent is the answer that a source of evidence does not exist here.
func absent(q fact.Query, src fact.Source, why string) answer {
	return answer{lost: &fact.Gap{Query: q, Source: src, Class: fact.Missing, Why: why}}
}
