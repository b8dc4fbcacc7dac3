package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/unjam/unjam/internal/fact"
)

func (r *Reader) rules(scope fact.Scope) *eventbridge.Client {
	return (*eventbridge.Client)(r.client("events", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(eventbridge.NewFromConfig(c)) }))
}

// ListRuleNamesByTarget calls events:ListRuleNamesByTarget for the default bus, one page.
func (r *Reader) ListRuleNamesByTarget(ctx context.Context, scope fact.Scope, in *eventbridge.ListRuleNamesByTargetInput) (*eventbridge.ListRuleNamesByTargetOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "events", "ListRuleNamesByTarget", r.rules(scope).ListRuleNamesByTarget, in)
	return out, src, err
}

// DescribeRule calls events:DescribeRule for a rule of the default bus.
func (r *Reader) DescribeRule(ctx context.Context, scope fact.Scope, name string) (*eventbridge.DescribeRuleOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "events", "DescribeRule", r.rules(scope).DescribeRule, &eventbridge.DescribeRuleInput{Name: &name})
	return out, src, err
}

// ListTargetsByRule calls events:ListTargetsByRule for a rule of the default bus, one page. The reply may hold inputs with secrets.
func (r *Reader) ListTargetsByRule(ctx context.Context, scope fact.Scope, in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "events", "ListTargetsByRule", r.rules(scope).ListTargetsByRule, in)
	return out, src, err
}

// ListRules calls events:ListRules for the default bus, one page.
func (r *Reader) ListRules(ctx context.Context, scope fact.Scope, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "events", "ListRules", r.rules(scope).ListRules, in)
	return out, src, err
}
