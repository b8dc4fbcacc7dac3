package collect

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/unjam/unjam/internal/fact"
)

// actionType reads the custom action type that the query's ID names: it is absent when the Region's list, read to its end, does not have
// it. GetActionType knows no custom types: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetActionType.html
func (c *Collector) actionType(ctx context.Context, q fact.Query) answer {
	a := c.actionTypes(ctx, q)
	if a.err != nil {
		return a
	}
	a.facts = slices.DeleteFunc(a.facts, func(f fact.Fact) bool { return f.Ref().ID != q.ID })
	if len(a.facts) == 0 {
		return gone(a.src, fact.ActionTypeRef(q.Scope, q.ID))
	}
	return a
}

// actionTypes reads the custom action types registered in the Region.
func (c *Collector) actionTypes(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &codepipeline.ListActionTypesInput{ActionOwnerFilter: types.ActionOwnerCustom, NextToken: tokenOf(token)}
		out, src, err := c.r.ListActionTypes(ctx, q.Scope, in)
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, x := range out.ActionTypes {
			if x.Id == nil {
				continue
			}
			t := fact.CustomActionType{Category: string(x.Id.Category), Provider: aws.ToString(x.Id.Provider), Version: aws.ToString(x.Id.Version)}
			for _, p := range x.ActionConfigurationProperties {
				t.Properties = append(t.Properties, aws.ToString(p.Name))
			}
			t.Seen = seen(fact.ActionTypeRef(q.Scope, t.TypeName()), src)
			facts = append(facts, t)
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}
