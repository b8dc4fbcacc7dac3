package collect

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/unjam/unjam/internal/fact"
)

func (c *Collector) roles(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &iam.ListRolesInput{MaxItems: aws.Int32(1000)} // the largest page: API_ListRoles
		if q.ID != "" {
			in.PathPrefix = &q.ID
		}
		if token != "" {
			in.Marker = &token
		}
		out, src, err := c.r.ListRoles(ctx, q.Scope, in)
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, r := range out.Roles {
			arn := aws.ToString(r.Arn)
			facts = append(facts, fact.Role{
				Seen: seen(fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindRole, ID: arn}, src), ARN: arn,
				Name: aws.ToString(r.RoleName), Path: aws.ToString(r.Path), Created: aws.ToTime(r.CreateDate).UTC(),
			})
		}
		return facts, more(out.IsTruncated, out.Marker), src, nil
	})
}

func more(truncated bool, marker *string) string {
	if !truncated {
		return ""
	}
	return aws.ToString(marker)
}

// simulation asks the policy simulator whether a principal may do Args "actions" on Args "resources", both lists with
// commas; no resources stand for "*". Args "context" gives condition keys, "key=value" with commas. The answer is one fact however many
// pages AWS needs.
func (c *Collector) simulation(ctx context.Context, q fact.Query) answer {
	ref := fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindSimulation, ID: q.ID}
	actions, resources, given := split(q.Args["actions"]), split(q.Args["resources"]), contextOf(q.Args["context"])
	if len(actions) == 0 {
		return answer{err: fmt.Errorf("simulate %s: the query names no actions", q.ID)}
	}
	f := fact.Simulation{Principal: q.ID}
	var last fact.Source
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &q.ID, ActionNames: actions, ResourceArns: resources, MaxItems: aws.Int32(1000), ContextEntries: given}
		if token != "" {
			in.Marker = &token
		}
		out, src, err := c.r.SimulatePrincipalPolicy(ctx, q.Scope, in)
		last = src
		if err != nil {
			return nil, "", src, err
		}
		for _, r := range out.EvaluationResults {
			f.Decisions = append(f.Decisions, decisions(r)...)
		}
		return nil, more(out.IsTruncated, out.Marker), src, nil
	})
	switch {
	case notFound(a.err):
		return gone(last, ref)
	case a.err != nil:
		return a
	}
	f.Seen, f.Decisions = seen(ref, last), spread(f.Decisions, resources)
	a.facts = []fact.Fact{f}
	return a
}

// split gives nil for an empty list: an empty one would be sent as one empty name.
func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// contextOf are the condition keys of a list "key=value,key=value"; all are texts.
func contextOf(list string) []types.ContextEntry {
	var all []types.ContextEntry
	for _, pair := range split(list) {
		if key, value, ok := strings.Cut(pair, "="); ok {
			all = append(all, types.ContextEntry{ContextKeyName: &key, ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{value}})
		}
	}
	return all
}

// decisions reads one result in either style of the simulator: one result per action and resource, or one per action
// with the verdicts on single resources inside. Then the outer resource name is a template ("...:connection/*") and
// counts only when there is nothing inside. https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
func decisions(r types.EvaluationResult) []fact.Decision {
	byOrg := r.OrganizationsDecisionDetail != nil && !r.OrganizationsDecisionDetail.AllowedByOrganizations
	var all []fact.Decision
	for _, s := range r.ResourceSpecificResults {
		byBoundary := s.PermissionsBoundaryDecisionDetail != nil && !s.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary
		d := decision(r, aws.ToString(s.EvalResourceName), s.EvalResourceDecision, byOrg, byBoundary)
		d.Missing = strings.Join(s.MissingContextValues, ",")
		all = append(all, d)
	}
	if len(all) > 0 {
		return all
	}
	byBoundary := r.PermissionsBoundaryDecisionDetail != nil && !r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary
	name := aws.ToString(r.EvalResourceName)
	if name == "" {
		name = anything
	}
	d := decision(r, name, r.EvalDecision, byOrg, byBoundary)
	d.Missing = strings.Join(r.MissingContextValues, ",")
	return []fact.Decision{d}
}

// anything is the resource of actions that know no resources.
const anything = "*"

// spread answers for resources that were asked about and not answered: where the simulator answered for "*" alone, the
// action knows no resources, and what holds for all of them holds for each.
func spread(all []fact.Decision, asked []string) []fact.Decision {
	sim := fact.Simulation{Decisions: all}
	for _, d := range all {
		if d.Resource != anything {
			continue
		}
		for _, resource := range asked {
			if _, ok := sim.Decision(d.Action, resource); !ok {
				d.Resource = resource
				sim.Decisions = append(sim.Decisions, d)
			}
		}
	}
	return sim.Decisions
}

func decision(r types.EvaluationResult, resource string, verdict types.PolicyEvaluationDecisionType, byOrg, byBoundary bool) fact.Decision {
	d := fact.Decision{
		Action: aws.ToString(r.EvalActionName), Resource: resource,
		Allowed:  verdict == types.PolicyEvaluationDecisionTypeAllowed,
		Explicit: verdict == types.PolicyEvaluationDecisionTypeExplicitDeny,
	}
	switch {
	case d.Allowed:
	case byOrg:
		d.By = "service control policy"
	case byBoundary:
		d.By = "permissions boundary"
	default:
		d.By = "identity-based policy"
	}
	return d
}
