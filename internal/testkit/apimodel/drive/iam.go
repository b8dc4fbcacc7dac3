package drive

import (
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

const (
	trust  = `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"codepipeline.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}`
	allow  = `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"*\"}]}`
	role   = `"RoleName":"work"`
	noRole = `"RoleName":"none"`
	noARN  = `"arn:aws:iam::111111111111:policy/none"`
)

func roleSteps() []step {
	return []step{
		{op: "iam:CreateRole", in: `{` + role + `,"AssumeRolePolicyDocument":"` + trust + `","Description":"for work","MaxSessionDuration":3600,"Tags":[{"Key":"team","Value":"shop"}]}`},
		{op: "iam:CreateRole", in: `{` + role + `,"AssumeRolePolicyDocument":"` + trust + `"}`, code: "EntityAlreadyExists"},
		{op: "iam:CreateRole", in: `{"RoleName":"bad","AssumeRolePolicyDocument":"{"}`, code: "MalformedPolicyDocument"},
		{op: "iam:GetRole", in: `{` + role + `}`},
		{op: "iam:GetRole", in: `{` + noRole + `}`, code: "NoSuchEntity"},
		{op: "iam:ListRoles", in: `{"MaxItems":1}`, keep: "more=Marker"},
		{op: "iam:ListRoles", in: `{"MaxItems":1,"Marker":"$more"}`},
		{op: "iam:ListRoles", in: `{"MaxItems":2000}`, code: "ValidationError"},
		{op: "iam:UpdateAssumeRolePolicy", in: `{` + role + `,"PolicyDocument":"` + trust + `"}`},
		{op: "iam:UpdateAssumeRolePolicy", in: `{` + noRole + `,"PolicyDocument":"` + trust + `"}`, code: "NoSuchEntity"},
		{op: "iam:TagRole", in: `{` + role + `,"Tags":[{"Key":"env","Value":"prod"}]}`},
		{op: "iam:TagRole", in: `{` + noRole + `,"Tags":[{"Key":"env","Value":"prod"}]}`, code: "NoSuchEntity"},
		{op: "iam:ListRoleTags", in: `{` + role + `}`},
		{op: "iam:ListRoleTags", in: `{` + noRole + `}`, code: "NoSuchEntity"},
		{op: "iam:PutRolePolicy", in: `{` + role + `,"PolicyName":"own","PolicyDocument":"` + allow + `"}`},
		{op: "iam:PutRolePolicy", in: `{` + role + `,"PolicyName":"own","PolicyDocument":"{"}`, code: "MalformedPolicyDocument"},
		{op: "iam:GetRolePolicy", in: `{` + role + `,"PolicyName":"own"}`},
		{op: "iam:GetRolePolicy", in: `{` + role + `,"PolicyName":"none"}`, code: "NoSuchEntity"},
		{op: "iam:ListRolePolicies", in: `{` + role + `}`},
		{op: "iam:ListRolePolicies", in: `{` + noRole + `}`, code: "NoSuchEntity"},
		{op: "iam:DeleteRole", in: `{` + role + `}`, code: "DeleteConflict"},
	}
}

func policySteps() []step {
	const source = `"PolicySourceArn":"arn:aws:iam::111111111111:role/work","ActionNames":["s3:GetObject","s3:PutObject"]`
	return []step{
		{op: "iam:CreatePolicy", in: `{"PolicyName":"read","PolicyDocument":"` + allow + `","Description":"reads"}`, keep: "policy=Arn"},
		{op: "iam:CreatePolicy", in: `{"PolicyName":"read","PolicyDocument":"` + allow + `"}`, code: "EntityAlreadyExists"},
		{op: "iam:GetPolicy", in: `{"PolicyArn":"$policy"}`},
		{op: "iam:GetPolicy", in: `{"PolicyArn":` + noARN + `}`, code: "NoSuchEntity"},
		{op: "iam:ListPolicyVersions", in: `{"PolicyArn":"$policy"}`},
		{op: "iam:ListPolicyVersions", in: `{"PolicyArn":` + noARN + `}`, code: "NoSuchEntity"},
		{op: "iam:GetPolicyVersion", in: `{"PolicyArn":"$policy","VersionId":"v1"}`},
		{op: "iam:GetPolicyVersion", in: `{"PolicyArn":"$policy","VersionId":"v9"}`, code: "NoSuchEntity"},
		{op: "iam:AttachRolePolicy", in: `{` + role + `,"PolicyArn":"$policy"}`},
		{op: "iam:AttachRolePolicy", in: `{` + role + `,"PolicyArn":` + noARN + `}`, code: "NoSuchEntity"},
		{op: "iam:ListAttachedRolePolicies", in: `{` + role + `}`},
		{op: "iam:ListAttachedRolePolicies", in: `{` + noRole + `}`, code: "NoSuchEntity"},
		{op: "iam:PutRolePermissionsBoundary", in: `{` + role + `,"PermissionsBoundary":"$policy"}`},
		{op: "iam:PutRolePermissionsBoundary", in: `{` + noRole + `,"PermissionsBoundary":"$policy"}`, code: "NoSuchEntity"},
		{op: "iam:GetRole", in: `{` + role + `}`},
		{op: "iam:SimulatePrincipalPolicy", in: `{` + source + `,"ResourceArns":["arn:aws:s3:::shop/a","arn:aws:s3:::shop/b"],
			"ContextEntries":[{"ContextKeyName":"aws:SourceIp","ContextKeyValues":["192.0.2.1"],"ContextKeyType":"ip"}]}`},
		{op: "iam:SimulatePrincipalPolicy", in: `{` + source + `}`},
		{op: "iam:SimulatePrincipalPolicy", in: `{"PolicySourceArn":"arn:aws:iam::111111111111:role/none","ActionNames":["s3:GetObject"]}`, code: "NoSuchEntity"},
		{op: "iam:SimulatePrincipalPolicy", in: `{"PolicySourceArn":"arn:aws:sts::111111111111:assumed-role/work/ada","ActionNames":["s3:GetObject"]}`, code: "InvalidInput"},
		{op: "iam:DeleteRolePermissionsBoundary", in: `{` + role + `}`},
		{op: "iam:DeleteRolePermissionsBoundary", in: `{` + noRole + `}`, code: "NoSuchEntity"},
		{op: "iam:DetachRolePolicy", in: `{` + role + `,"PolicyArn":"$policy"}`},
		{op: "iam:DetachRolePolicy", in: `{` + role + `,"PolicyArn":"$policy"}`, code: "NoSuchEntity"},
		{op: "iam:DeleteRolePolicy", in: `{` + role + `,"PolicyName":"own"}`},
		{op: "iam:DeleteRolePolicy", in: `{` + role + `,"PolicyName":"own"}`, code: "NoSuchEntity"},
		{op: "iam:DeleteRole", in: `{` + role + `}`},
		{op: "iam:DeleteRole", in: `{` + role + `}`, code: "NoSuchEntity"},
		{op: "iam:GetUser", in: `{"UserName":"admin"}`},
		{op: "iam:GetUser", in: `{"UserName":"none"}`, code: "NoSuchEntity"},
		{op: "iam:ListUserPolicies", in: `{"UserName":"admin"}`},
		{op: "iam:ListUserPolicies", in: `{"UserName":"none"}`, code: "NoSuchEntity"},
		{op: "iam:GetUserPolicy", in: `{"UserName":"admin","PolicyName":"all"}`},
		{op: "iam:GetUserPolicy", in: `{"UserName":"admin","PolicyName":"none"}`, code: "NoSuchEntity"},
		{op: "iam:ListAttachedUserPolicies", in: `{"UserName":"admin"}`},
		{op: "iam:ListAttachedUserPolicies", in: `{"UserName":"none"}`, code: "NoSuchEntity"},
		{op: "iam:ListAccountAliases", in: `{}`},
		{op: "iam:ListAccountAliases", in: `{"MaxItems":2000}`, code: "ValidationError"},
	}
}

// versionSteps change the policy of policySteps, which nothing is attached to any more.
func versionSteps() []step {
	const first, none = `"PolicyArn":"$policy","VersionId":"v1"`, `"PolicyArn":"$policy","VersionId":"v9"`
	return []step{
		{op: "iam:CreatePolicyVersion", in: `{"PolicyArn":"$policy","PolicyDocument":"` + allow + `","SetAsDefault":true}`},
		{op: "iam:CreatePolicyVersion", in: `{"PolicyArn":` + noARN + `,"PolicyDocument":"` + allow + `"}`, code: "NoSuchEntity"},
		{op: "iam:CreatePolicyVersion", in: `{"PolicyArn":"$policy","PolicyDocument":"{"}`, code: "MalformedPolicyDocument"},
		{op: "iam:SetDefaultPolicyVersion", in: `{` + first + `}`},
		{op: "iam:SetDefaultPolicyVersion", in: `{` + none + `}`, code: "NoSuchEntity"},
		{op: "iam:DeletePolicyVersion", in: `{` + first + `}`, code: "DeleteConflict"},
		{op: "iam:DeletePolicyVersion", in: `{"PolicyArn":"$policy","VersionId":"v2"}`},
		{op: "iam:DeletePolicyVersion", in: `{` + none + `}`, code: "NoSuchEntity"},
		{op: "iam:GetAccountSummary", in: `{}`},
	}
}

// refusal has a service hide why it refused somebody.
func (d *driver) refusal() error {
	d.lab.Cloud.Within(func() {
		a := cloud.Access{Action: "ec2:CreateVpc", Resource: "*", Context: map[string][]string{"aws:RequestedRegion": {region}}}
		text := d.lab.STS.Encode(d.nobody.Principal, a, d.lab.Cloud.Authorize(d.nobody.Principal, region, a))
		d.vars["message"] = text[strings.LastIndexByte(text, ' ')+1:]
	})
	return nil
}
