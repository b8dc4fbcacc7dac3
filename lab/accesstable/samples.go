package accesstable

import (
	"maps"
	"time"
)

const (
	region  = "us-east-1"
	account = "111111111111"
	userARN = "arn:aws:iam::" + account + ":user/ada"
	roleARN = "arn:aws:iam::" + account + ":role/pipeline"
	id      = "/01234567-89ab-4cde-8f01-23456789abcd"
	at      = ":" + region + ":" + account + ":"

	connectionARN    = "arn:aws:codeconnections" + at + "connection" + id
	oldConnectionARN = "arn:aws:codestar-connections" + at + "connection" + id
	hostARN          = "arn:aws:codeconnections" + at + "host/ghes-01234567"
	oldHostARN       = "arn:aws:codestar-connections" + at + "host/ghes-01234567"
	pipelineARN      = "arn:aws:codepipeline" + at + "web"
	policyARN        = "arn:aws:iam::" + account + ":policy/limits"
	eventARN         = "arn:aws:health:" + region + "::event/CODEPIPELINE/AWS_CODEPIPELINE_OPERATIONAL_ISSUE/1"
	emptyPolicy      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
)

// samples are inputs that carry a valid value for every member an operation may ask for, one input per kind of resource.
// Members that an operation does not know do not disturb it.
func samples() []map[string]any {
	base := map[string]any{
		// connections
		"ConnectionArn": connectionARN, "HostArn": hostARN, "ConnectionName": "web", "Name": "ghes", "ProviderType": "GitHub",
		"ProviderEndpoint": "https://ghes.example.com", "InstallationId": "1", "TagKeys": []any{"team"},
		"Tags": []any{map[string]any{"Key": "team", "Value": "web"}},
		// pipelines
		"name": "web", "pipelineName": "web", "stageName": "Source", "actionName": "Git", "pipelineExecutionId": id[1:],
		"retryMode": "FAILED_ACTIONS", "transitionType": "Inbound", "reason": "held", "pipeline": pipeline(),
		"category": "Build", "provider": "Jenkins", "version": "1", "webhook": map[string]any{"name": "push", "targetPipeline": "web"},
		"resourceArn": pipelineARN, "tagKeys": []any{"team"}, "tags": []any{map[string]any{"key": "team", "value": "web"}},
		// IAM and STS
		"RoleName": "pipeline", "UserName": "ada", "PolicyName": "limits", "PolicyArn": policyARN, "VersionId": "v1",
		"PolicyDocument": emptyPolicy, "AssumeRolePolicyDocument": emptyPolicy, "PermissionsBoundary": policyARN,
		"VpcId": "vpc-01234567", "GroupId": "sg-01234567", "NetworkAclId": "acl-01234567", "RouteTableId": "rtb-01234567", "DhcpOptionsId": "dopt-01234567", // EC2
		"SubnetId": []any{"subnet-01234567"}, "SecurityGroupId": []any{"sg-01234567"}, "VpcEndpointId": "vpce-01234567",
		"AddSubnetId": []any{"subnet-01234567"}, "AddSecurityGroupId": []any{"sg-01234567"}, "AddRouteTableId": []any{"rtb-01234567"},
		"names": []any{"web"}, "ids": []any{"web:" + id[1:]}, "projectName": "web", // CodeBuild
		"StackName": "web-ci", "resourceType": "AWS::CodePipeline::Pipeline", "resourceId": "web", // CloudFormation, Config
		"eventArns": []any{eventARN}, "filter": map[string]any{"eventArns": []any{eventARN}}, // Health
		"analyzerArn": "arn:aws:access-analyzer" + at + "analyzer/outside", "AccountId": account, "TargetId": account, "ChildId": account, "PolicyId": "p-FullAWSAccess",
		"RepositoryLinkId": id[1:], "SyncType": "CFN_STACK_SYNC", "ResourceName": "web-ci", // Git sync
		"ServiceArn": "arn:aws:apprunner" + at + "service/shop/0123456789abcdef0123456789abcdef", "AssociationArn": "arn:aws:codeguru-reviewer" + at + "association:" + id[1:],
		"ResourceId": account, "TopicArn": "arn:aws:sns" + at + "alarms", // Organizations, SNS
		"Id": "Z01234567", "CertificateArn": "arn:aws:acm" + at + "certificate" + id, // Route 53, ACM
		"Bucket": "artifacts", "KeyId": id[1:], // S3, KMS
		"ActionNames": []any{"s3:GetObject"}, "RoleArn": roleARN, "RoleSessionName": "ada",
	}
	var all []map[string]any
	for _, kind := range []map[string]any{
		{"ResourceArn": connectionARN, "PolicySourceArn": roleARN},
		{"ResourceArn": hostARN, "PolicySourceArn": userARN},
		{"ResourceArn": oldConnectionARN, "PolicySourceArn": "arn:aws:iam::" + account + ":group/all", "ConnectionArn": oldConnectionARN, "HostArn": oldHostARN},
		{"ResourceArn": oldHostARN, "PolicySourceArn": roleARN, "ConnectionArn": oldConnectionARN, "HostArn": oldHostARN},
		{"ProviderType": "GitHubEnterpriseServer"}, // hosts are for installed providers only
	} {
		in := maps.Clone(base)
		maps.Copy(in, kind)
		all = append(all, in)
	}
	start := maps.Clone(base)
	start["StartTime"], start["EndTime"] = time.Unix(0, 0), time.Unix(1, 0)
	return append(all, start)
}

// pipeline is a pipeline's definition with a connection as its source.
func pipeline() map[string]any {
	action := func(name, category, provider string, configuration map[string]any) map[string]any {
		return map[string]any{"name": name, "runOrder": 1.0, "configuration": configuration, "inputArtifacts": []any{}, "outputArtifacts": []any{},
			"actionTypeId": map[string]any{"category": category, "owner": "AWS", "provider": provider, "version": "1"}}
	}
	return map[string]any{
		"name": "web", "roleArn": roleARN, "version": 1.0, "pipelineType": "V2", "executionMode": "SUPERSEDED",
		"artifactStore": map[string]any{"type": "S3", "location": "codepipeline-us-east-1-1"},
		"stages": []any{
			map[string]any{"name": "Source", "actions": []any{action("Git", "Source", "CodeStarSourceConnection", map[string]any{
				"ConnectionArn": connectionARN, "FullRepositoryId": "example/web", "BranchName": "main"})}},
			map[string]any{"name": "Approve", "actions": []any{action("Ask", "Approval", "Manual", map[string]any{})}},
		},
	}
}
