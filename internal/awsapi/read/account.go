package read

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/unjam/unjam/internal/fact"
)

// GetCallerIdentity calls sts:GetCallerIdentity. It needs no permission.
func (r *Reader) GetCallerIdentity(ctx context.Context, scope fact.Scope) (*sts.GetCallerIdentityOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "sts", "GetCallerIdentity", r.sts(scope).GetCallerIdentity, &sts.GetCallerIdentityInput{})
	return out, src, err
}

// ListRegions calls account:ListRegions, one page.
func (r *Reader) ListRegions(ctx context.Context, scope fact.Scope, in *account.ListRegionsInput) (*account.ListRegionsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "account", "ListRegions", r.account(scope).ListRegions, in)
	return out, src, err
}

// LookupEvents calls cloudtrail:LookupEvents, one page.
func (r *Reader) LookupEvents(ctx context.Context, scope fact.Scope, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "cloudtrail", "LookupEvents", r.trail(scope).LookupEvents, in)
	return out, src, err
}

// SimulatePrincipalPolicy calls iam:SimulatePrincipalPolicy, one page.
func (r *Reader) SimulatePrincipalPolicy(ctx context.Context, scope fact.Scope, in *iam.SimulatePrincipalPolicyInput) (*iam.SimulatePrincipalPolicyOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "iam", "SimulatePrincipalPolicy", r.iam(scope).SimulatePrincipalPolicy, in)
	return out, src, err
}

// ListRoles calls iam:ListRoles, one page.
func (r *Reader) ListRoles(ctx context.Context, scope fact.Scope, in *iam.ListRolesInput) (*iam.ListRolesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "iam", "ListRoles", r.iam(scope).ListRoles, in)
	return out, src, err
}
