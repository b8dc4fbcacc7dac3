package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/unjam/unjam/internal/fact"
)

// GetRole calls iam:GetRole.
func (r *Reader) GetRole(ctx context.Context, scope fact.Scope, in *iam.GetRoleInput) (*iam.GetRoleOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "iam", "GetRole", r.iam(scope).GetRole, in)
	return out, src, err
}

// ListRolePolicies calls iam:ListRolePolicies, one page.
func (r *Reader) ListRolePolicies(ctx context.Context, scope fact.Scope, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "iam", "ListRolePolicies", r.iam(scope).ListRolePolicies, in)
	return out, src, err
}

// GetRolePolicy calls iam:GetRolePolicy.
func (r *Reader) GetRolePolicy(ctx context.Context, scope fact.Scope, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "iam", "GetRolePolicy", r.iam(scope).GetRolePolicy, in)
	return out, src, err
}

// ListAttachedRolePolicies calls iam:ListAttachedRolePolicies, one page.
func (r *Reader) ListAttachedRolePolicies(ctx context.Context, scope fact.Scope, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "iam", "ListAttachedRolePolicies", r.iam(scope).ListAttachedRolePolicies, in)
	return out, src, err
}

// GetPolicy calls iam:GetPolicy.
func (r *Reader) GetPolicy(ctx context.Context, scope fact.Scope, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "iam", "GetPolicy", r.iam(scope).GetPolicy, in)
	return out, src, err
}

// GetPolicyVersion calls iam:GetPolicyVersion.
func (r *Reader) GetPolicyVersion(ctx context.Context, scope fact.Scope, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "iam", "GetPolicyVersion", r.iam(scope).GetPolicyVersion, in)
	return out, src, err
}

// DecodeAuthorizationMessage calls sts:DecodeAuthorizationMessage.
func (r *Reader) DecodeAuthorizationMessage(ctx context.Context, scope fact.Scope, in *sts.DecodeAuthorizationMessageInput) (*sts.DecodeAuthorizationMessageOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "sts", "DecodeAuthorizationMessage", r.sts(scope).DecodeAuthorizationMessage, in)
	return out, src, err
}

func (r *Reader) analyzer(scope fact.Scope) *accessanalyzer.Client {
	return (*accessanalyzer.Client)(r.client("accessanalyzer", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(accessanalyzer.NewFromConfig(c)) }))
}

// ValidatePolicy calls access-analyzer:ValidatePolicy, one page. It is free.
func (r *Reader) ValidatePolicy(ctx context.Context, scope fact.Scope, in *accessanalyzer.ValidatePolicyInput) (*accessanalyzer.ValidatePolicyOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "access-analyzer", "ValidatePolicy", r.analyzer(scope).ValidatePolicy, in)
	return out, src, err
}

// ListAnalyzers calls access-analyzer:ListAnalyzers, one page.
func (r *Reader) ListAnalyzers(ctx context.Context, scope fact.Scope, in *accessanalyzer.ListAnalyzersInput) (*accessanalyzer.ListAnalyzersOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "access-analyzer", "ListAnalyzers", r.analyzer(scope).ListAnalyzers, in)
	return out, src, err
}

// ListFindingsV2 calls access-analyzer:ListFindingsV2, one page.
func (r *Reader) ListFindingsV2(ctx context.Context, scope fact.Scope, in *accessanalyzer.ListFindingsV2Input) (*accessanalyzer.ListFindingsV2Output, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "access-analyzer", "ListFindingsV2", r.analyzer(scope).ListFindingsV2, in)
	return out, src, err
}

// CheckNoNewAccess calls access-analyzer:CheckNoNewAccess. AWS charges for every call.
func (r *Reader) CheckNoNewAccess(ctx context.Context, scope fact.Scope, in *accessanalyzer.CheckNoNewAccessInput) (*accessanalyzer.CheckNoNewAccessOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "access-analyzer", "CheckNoNewAccess", r.analyzer(scope).CheckNoNewAccess, in)
	return out, src, err
}

// BatchGetProjects calls codebuild:BatchGetProjects.
func (r *Reader) BatchGetProjects(ctx context.Context, scope fact.Scope, in *codebuild.BatchGetProjectsInput) (*codebuild.BatchGetProjectsOutput, fact.Source, error) {
	c := (*codebuild.Client)(r.client("codebuild", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(codebuild.NewFromConfig(c)) }))
	out, _, src, err := call(ctx, r, scope, "codebuild", "BatchGetProjects", c.BatchGetProjects, in)
	return out, src, err
}

// ListAccountAliases calls iam:ListAccountAliases.
func (r *Reader) ListAccountAliases(ctx context.Context, scope fact.Scope) (*iam.ListAccountAliasesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "iam", "ListAccountAliases", r.iam(scope).ListAccountAliases, &iam.ListAccountAliasesInput{})
	return out, src, err
}
