package collect

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/unjam/unjam/internal/fact"
)

// targeting reads the names of the rules of the default bus that have a target: one fact, also when there is no rule.
func (c *Collector) targeting(ctx context.Context, q fact.Query) answer {
	names := []string{}
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ListRuleNamesByTarget(ctx, q.Scope, &eventbridge.ListRuleNamesByTargetInput{TargetArn: &q.ID, NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		names = append(names, out.RuleNames...)
		return nil, aws.ToString(out.NextToken), src, nil
	})
	if a.err == nil {
		a.facts = []fact.Fact{fact.Targeting{Seen: seen(fact.TargetingRef(q.Scope, q.ID), a.src), Target: q.ID, Rules: names}}
	}
	return a
}

func (c *Collector) rule(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.DescribeRule(ctx, q.Scope, q.ID)
	ref := fact.RuleRef(q.Scope, q.ID)
	switch {
	case notFound(err):
		return gone(src, ref, fact.RuleTargetsRef(q.Scope, q.ID))
	case err != nil:
		return answer{err: err, src: src}
	}
	return answer{facts: []fact.Fact{fact.Rule{Seen: seen(ref, src), ARN: aws.ToString(out.Arn), Name: q.ID, State: string(out.State), Pattern: aws.ToString(out.EventPattern),
		Schedule: aws.ToString(out.ScheduleExpression), About: aws.ToString(out.Description), Role: aws.ToString(out.RoleArn), ManagedBy: aws.ToString(out.ManagedBy)}}}
}

// rules reads the rules of a Region's default bus.
func (c *Collector) rules(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ListRules(ctx, q.Scope, &eventbridge.ListRulesInput{NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, x := range out.Rules {
			name := aws.ToString(x.Name)
			facts = append(facts, fact.Rule{Seen: seen(fact.RuleRef(q.Scope, name), src), ARN: aws.ToString(x.Arn), Name: name, State: string(x.State),
				Pattern: aws.ToString(x.EventPattern), Schedule: aws.ToString(x.ScheduleExpression), About: aws.ToString(x.Description), Role: aws.ToString(x.RoleArn), ManagedBy: aws.ToString(x.ManagedBy)})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

func (c *Collector) ruleTargets(ctx context.Context, q fact.Query) answer {
	ref := fact.RuleTargetsRef(q.Scope, q.ID)
	all := []fact.RuleTarget{}
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ListTargetsByRule(ctx, q.Scope, &eventbridge.ListTargetsByRuleInput{Rule: &q.ID, NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		for _, t := range out.Targets {
			all = append(all, ruleTarget(t))
		}
		return nil, aws.ToString(out.NextToken), src, nil
	})
	switch {
	case notFound(a.err):
		return gone(a.src, ref, fact.RuleRef(q.Scope, q.ID))
	case a.err == nil:
		a.facts = []fact.Fact{fact.RuleTargets{Seen: seen(ref, a.src), Rule: q.ID, Targets: all}}
	}
	return a
}

// ruleTarget keeps of what a target is given only whether it names source revisions.
func ruleTarget(t types.Target) fact.RuleTarget {
	out := fact.RuleTarget{ID: aws.ToString(t.Id), ARN: aws.ToString(t.Arn), Role: aws.ToString(t.RoleArn)}
	text := aws.ToString(t.Input)
	if t.InputTransformer != nil {
		text = aws.ToString(t.InputTransformer.InputTemplate)
	}
	out.Input = text != "" || aws.ToString(t.InputPath) != ""
	out.Pins = strings.Contains(text, "sourceRevisions")
	return out
}
