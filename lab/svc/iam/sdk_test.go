package iam_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// sdk is an SDK client, its transport a lab in which role Admin may do anything and role Dev nothing.
func sdk(t *testing.T, role string) (*awsiam.Client, *lab.Lab) {
	t.Helper()
	l := lab.New()
	apimodel.Attach(t, l)
	k := &cloud.Caller{Name: role, AccessKeyID: "ASIALABIAM0000000001", SecretAccessKey: "secret", SessionToken: "token"}
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: account, Alias: "example-prod"})
		for name, policy := range map[string]string{"Admin": doc(allow("*", "*")), "Dev": doc(allow("codepipeline:*", "*"))} {
			if _, err := l.IAM.CreateRole(account, name, "/", ""); err != nil {
				t.Fatal(err)
			}
			if err := l.IAM.PutRolePolicy(account, name, "inline", policy); err != nil {
				t.Fatal(err)
			}
		}
		k.Principal = l.IAM.RolePrincipal(account, role, "ada")
		l.Cloud.AddCaller(k)
	})
	return awsiam.NewFromConfig(aws.Config{
		Region: "us-east-1", HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
	}), l
}

func done[T any](t *testing.T) func(T, error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func TestSDKReadsWhatItWrote(t *testing.T) {
	c, _ := sdk(t, "Admin")
	ctx := t.Context()
	trust := doc(`{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	policy := doc(allow("codeconnections:UseConnection", "*"))
	name := aws.String("Pipe")

	created := done[*awsiam.CreatePolicyOutput](t)(c.CreatePolicy(ctx, &awsiam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: &policy, Description: aws.String("d")}))
	arn := created.Policy.Arn
	done[*awsiam.CreateRoleOutput](t)(c.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: &trust, PermissionsBoundary: arn}))
	done[*awsiam.PutRolePolicyOutput](t)(c.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("use"), PolicyDocument: &policy}))
	done[*awsiam.AttachRolePolicyOutput](t)(c.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: name, PolicyArn: arn}))
	done[*awsiam.TagRoleOutput](t)(c.TagRole(ctx, &awsiam.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}}))
	done[*awsiam.UpdateAssumeRolePolicyOutput](t)(c.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: &trust}))
	done[*awsiam.PutRolePermissionsBoundaryOutput](t)(c.PutRolePermissionsBoundary(ctx, &awsiam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: arn}))

	role := done[*awsiam.GetRoleOutput](t)(c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: name})).Role
	if text, err := url.PathUnescape(*role.AssumeRolePolicyDocument); err != nil || text != trust {
		t.Errorf("trust policy %s, %v", *role.AssumeRolePolicyDocument, err)
	}
	if *role.MaxSessionDuration != 3600 || role.CreateDate == nil || *role.PermissionsBoundary.PermissionsBoundaryArn != *arn || role.RoleLastUsed == nil {
		t.Errorf("role %+v", role)
	}
	inline := done[*awsiam.GetRolePolicyOutput](t)(c.GetRolePolicy(ctx, &awsiam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("use")}))
	if text, _ := url.PathUnescape(*inline.PolicyDocument); text != policy {
		t.Errorf("inline policy %s", text)
	}
	tags := done[*awsiam.ListRoleTagsOutput](t)(c.ListRoleTags(ctx, &awsiam.ListRoleTagsInput{RoleName: name}))
	attached := done[*awsiam.ListAttachedRolePoliciesOutput](t)(c.ListAttachedRolePolicies(ctx, &awsiam.ListAttachedRolePoliciesInput{RoleName: name}))
	versions := done[*awsiam.ListPolicyVersionsOutput](t)(c.ListPolicyVersions(ctx, &awsiam.ListPolicyVersionsInput{PolicyArn: arn}))
	got := done[*awsiam.GetPolicyOutput](t)(c.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: arn})).Policy
	if len(tags.Tags) != 1 || len(attached.AttachedPolicies) != 1 || len(versions.Versions) != 1 || *got.AttachmentCount != 1 || *got.Description != "d" {
		t.Errorf("%v %v %v %+v", tags.Tags, attached.AttachedPolicies, versions.Versions, got)
	}
	v := done[*awsiam.GetPolicyVersionOutput](t)(c.GetPolicyVersion(ctx, &awsiam.GetPolicyVersionInput{PolicyArn: arn, VersionId: got.DefaultVersionId}))
	if text, _ := url.PathUnescape(*v.PolicyVersion.Document); text != policy {
		t.Errorf("managed policy %s", text)
	}
	aliases := done[*awsiam.ListAccountAliasesOutput](t)(c.ListAccountAliases(ctx, nil))
	if !slices.Equal(aliases.AccountAliases, []string{"example-prod"}) {
		t.Errorf("aliases %v", aliases.AccountAliases)
	}

	done[*awsiam.DetachRolePolicyOutput](t)(c.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: name, PolicyArn: arn}))
	done[*awsiam.DeleteRolePolicyOutput](t)(c.DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("use")}))
	done[*awsiam.DeleteRolePermissionsBoundaryOutput](t)(c.DeleteRolePermissionsBoundary(ctx, &awsiam.DeleteRolePermissionsBoundaryInput{RoleName: name}))
	done[*awsiam.DeleteRoleOutput](t)(c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: name}))
	_, err := c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: name})
	if gone := (*types.NoSuchEntityException)(nil); !errors.As(err, &gone) || gone.ErrorMessage() != "The role with name Pipe cannot be found." {
		t.Errorf("after the deletion: %v", err)
	}
}

func TestSDKSimulates(t *testing.T) {
	c, l := sdk(t, "Admin")
	l.Cloud.PageSize = 2
	actions := []string{"codepipeline:GetPipelineState", "codeconnections:GetConnection", "codeconnections:UseConnection"}
	p := awsiam.NewSimulatePrincipalPolicyPaginator(c, &awsiam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String(devARN), ActionNames: actions, ResourceArns: []string{connARN, connOld},
		ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("codeconnections:ProviderType"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{"GitHub"}}},
	})
	pages := 0
	got := map[string]types.PolicyEvaluationDecisionType{}
	for p.HasMorePages() {
		pages++
		for _, r := range done[*awsiam.SimulatePrincipalPolicyOutput](t)(p.NextPage(t.Context())).EvaluationResults {
			got[*r.EvalActionName] = r.EvalDecision
			if len(r.ResourceSpecificResults) != 2 || *r.ResourceSpecificResults[1].EvalResourceName != connOld {
				t.Errorf("%s: per resource %+v", *r.EvalActionName, r.ResourceSpecificResults)
			}
		}
	}
	if pages != 2 || got[actions[0]] != "allowed" || got[actions[1]] != "implicitDeny" || len(got) != 3 {
		t.Errorf("%d pages, %v", pages, got)
	}
	_, err := c.SimulatePrincipalPolicy(t.Context(), &awsiam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:sts::111111111111:assumed-role/Dev/ada"), ActionNames: actions})
	if bad := (*types.InvalidInputException)(nil); !errors.As(err, &bad) {
		t.Errorf("an assumed-role ARN: %v, want InvalidInput", err)
	}
}

func TestSDKIsRefused(t *testing.T) {
	c, _ := sdk(t, "Dev")
	_, err := c.ListRoles(t.Context(), nil)
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != "AccessDenied" || e.ErrorMessage() != "User: arn:aws:sts::111111111111:assumed-role/Dev/ada is not authorized to perform: "+
		"iam:ListRoles on resource: * because no identity-based policy allows the iam:ListRoles action" {
		t.Errorf("got %v", err)
	}
}

func TestSDKReadsUsersAndLists(t *testing.T) {
	c, l := sdk(t, "Admin")
	l.Cloud.Within(func() {
		if _, err := l.IAM.CreateUser(account, "ada", "/people/"); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.PutUserPolicy(account, "ada", "own", doc(allow("iam:Get*", "*"))); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.AttachUserPolicy(account, "ada", "arn:aws:iam::aws:policy/ReadOnlyAccess"); err != nil {
			t.Fatal(err)
		}
	})
	ctx, name := t.Context(), aws.String("ada")
	user := done[*awsiam.GetUserOutput](t)(c.GetUser(ctx, &awsiam.GetUserInput{UserName: name})).User
	inline := done[*awsiam.ListUserPoliciesOutput](t)(c.ListUserPolicies(ctx, &awsiam.ListUserPoliciesInput{UserName: name})).PolicyNames
	policy := done[*awsiam.GetUserPolicyOutput](t)(c.GetUserPolicy(ctx, &awsiam.GetUserPolicyInput{UserName: name, PolicyName: aws.String("own")}))
	attached := done[*awsiam.ListAttachedUserPoliciesOutput](t)(c.ListAttachedUserPolicies(ctx, &awsiam.ListAttachedUserPoliciesInput{UserName: name})).AttachedPolicies
	if *user.Arn != "arn:aws:iam::111111111111:user/people/ada" || !slices.Equal(inline, []string{"own"}) || *policy.UserName != "ada" || *attached[0].PolicyName != "ReadOnlyAccess" {
		t.Errorf("%+v %v %+v %+v", user, inline, policy, attached)
	}
	var roles []string
	for p := awsiam.NewListRolesPaginator(c, &awsiam.ListRolesInput{MaxItems: aws.Int32(1)}); p.HasMorePages(); {
		for _, r := range done[*awsiam.ListRolesOutput](t)(p.NextPage(ctx)).Roles {
			roles = append(roles, *r.RoleName)
		}
	}
	names := done[*awsiam.ListRolePoliciesOutput](t)(c.ListRolePolicies(ctx, &awsiam.ListRolePoliciesInput{RoleName: aws.String("Dev")})).PolicyNames
	if !slices.Equal(roles, []string{"Admin", "Dev"}) || !slices.Equal(names, []string{"inline"}) {
		t.Errorf("%v %v", roles, names)
	}
}
