package iam

import (
	"strings"
	"time"
)

const awsPrefix = "arn:aws:iam::aws:policy/"

const fullAccess = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// awsManaged finds one of AWS's own policies. The lab has those that matter to pipelines. What counts about them:
// neither of the two CodePipeline ones names any action of the connection services, and ReadOnlyAccess names those of
// the old prefix, codestar-connections, only.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
func (s *Service) awsManaged(arn string) (Managed, bool) {
	name, ok := strings.CutPrefix(arn, awsPrefix)
	doc := map[string]string{
		"AdministratorAccess":            fullAccess,
		"ReadOnlyAccess":                 readOnlyAccess,
		"AWSCodePipeline_FullAccess":     codePipelineFull,
		"AWSCodePipeline_ReadOnlyAccess": codePipelineReadOnly,
	}[name]
	if !ok || doc == "" {
		return Managed{}, false
	}
	at := time.Date(2020, 8, 3, 22, 25, 17, 0, time.UTC)
	if name == "AdministratorAccess" || name == "ReadOnlyAccess" {
		at = time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC)
	}
	id := "ANPA" + strings.ToUpper((strings.ReplaceAll(name, "_", "") + "00000000000000000")[:17])
	return Managed{Name: name, Path: "/", ID: id, ARN: arn, Created: at, Updated: at, Versions: []string{doc}, Default: 1}, true
}

const readOnlyAccess = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "ReadOnlyActions",
            "Effect": "Allow",
            "Action": [
                "access-analyzer:Get*", "access-analyzer:List*", "access-analyzer:ValidatePolicy", "account:Get*", "account:List*",
                "cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*",
                "cloudtrail:Describe*", "cloudtrail:Get*", "cloudtrail:List*", "cloudtrail:LookupEvents",
                "cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*",
                "codebuild:BatchGet*", "codebuild:List*",
                "codedeploy:BatchGet*", "codedeploy:Get*", "codedeploy:List*",
                "codepipeline:Get*", "codepipeline:List*",
                "codestar-connections:GetConnection", "codestar-connections:GetHost",
                "codestar-connections:GetRepositoryLink", "codestar-connections:GetRepositorySyncStatus",
                "codestar-connections:GetResourceSyncStatus", "codestar-connections:GetSyncConfiguration",
                "codestar-connections:ListConnections", "codestar-connections:ListHosts",
                "codestar-connections:ListRepositoryLinks", "codestar-connections:ListRepositorySyncDefinitions",
                "codestar-connections:ListSyncConfigurations", "codestar-connections:ListTagsForResource",
                "config:Describe*", "config:Get*", "config:List*", "config:SelectResourceConfig", "ec2:Describe*",
                "events:Describe*", "events:List*", "health:Describe*",
                "iam:Generate*", "iam:Get*", "iam:List*", "iam:Simulate*",
                "kms:Describe*", "kms:Get*", "kms:List*",
                "organizations:Describe*", "organizations:List*",
                "s3:Get*", "s3:List*", "servicequotas:Get*", "servicequotas:List*",
                "ssm:Describe*", "ssm:Get*", "ssm:List*",
                "sts:GetAccessKeyInfo", "sts:GetCallerIdentity", "sts:GetSessionToken",
                "tag:Get*"
            ],
            "Resource": "*"
        }
    ]
}`

const codePipelineFull = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "CodePipelineAuthoringAccess",
            "Effect": "Allow",
            "Action": [
                "codepipeline:*",
                "cloudformation:DescribeStacks", "cloudformation:ListStacks", "cloudformation:ListChangeSets",
                "cloudtrail:DescribeTrails",
                "codebuild:BatchGetProjects", "codebuild:CreateProject", "codebuild:ListProjects",
                "codecommit:ListBranches", "codecommit:ListRepositories",
                "codedeploy:ListApplications", "codedeploy:ListDeploymentGroups",
                "ecr:DescribeRepositories", "ecr:ListImages", "ecs:ListClusters", "ecs:ListServices",
                "iam:ListRoles", "iam:GetRole", "lambda:ListFunctions",
                "events:ListRules", "events:ListTargetsByRule", "events:DescribeRule",
                "s3:ListAllMyBuckets", "sns:ListTopics", "states:ListStateMachines"
            ],
            "Resource": "*"
        },
        {
            "Sid": "CodePipelineIAMPassRole",
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": ["codepipeline.amazonaws.com"]}}
        },
        {
            "Sid": "CodePipelineArtifactsReadWriteAccess",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket", "s3:GetBucketPolicy", "s3:GetBucketVersioning", "s3:GetObjectVersion", "s3:CreateBucket", "s3:PutBucketPolicy"],
            "Resource": "arn:aws:s3::*:codepipeline-*"
        }
    ]
}`

const codePipelineReadOnly = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "codepipeline:GetPipeline", "codepipeline:GetPipelineState", "codepipeline:GetPipelineExecution",
                "codepipeline:ListPipelineExecutions", "codepipeline:ListActionExecutions",
                "codepipeline:ListActionTypes", "codepipeline:ListPipelines", "codepipeline:ListTagsForResource",
                "s3:ListAllMyBuckets"
            ],
            "Resource": "*"
        },
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket", "s3:GetBucketPolicy"],
            "Resource": "arn:aws:s3::*:codepipeline-*"
        }
    ]
}`
