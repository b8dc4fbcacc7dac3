package drive

func registrySteps() []step {
	const web = `"repositoryName":"web"`
	return named("ecr", []step{
		{op: "CreateRepository", in: `{` + web + `,"imageTagMutability":"IMMUTABLE_WITH_EXCLUSION","imageTagMutabilityExclusionFilters":[{"filterType":"WILDCARD","filter":"dev*"}]}`},
		{op: "CreateRepository", in: `{` + web + `}`, code: "RepositoryAlreadyExistsException"},
		{op: "CreateRepository", in: `{"repositoryName":"shop","imageTagMutability":"MUTABLE"}`},
		{op: "DescribeRepositories", in: `{"maxResults":1}`, keep: "more=nextToken"},
		{op: "DescribeRepositories", in: `{"nextToken":"$more"}`},
		{op: "DescribeRepositories", in: `{"repositoryNames":["web"]}`},
		{op: "DescribeRepositories", in: `{"repositoryNames":["none"]}`, code: "RepositoryNotFoundException"},
		{op: "PutImage", in: `{` + web + `,"imageManifest":"{\"one\":1}","imageTag":"latest"}`},
		{op: "PutImage", in: `{` + web + `,"imageManifest":"{\"two\":2}","imageTag":"latest"}`, code: "ImageTagAlreadyExistsException"},
		{op: "PutImage", in: `{` + web + `,"imageManifest":"{\"one\":1}","imageTag":"latest"}`, code: "ImageAlreadyExistsException"},
		{op: "PutImage", in: `{` + web + `,"imageManifest":"{\"two\":2}","imageTag":"dev"}`},
		{op: "PutImage", in: `{` + web + `,"imageManifest":"{\"three\":3}","imageTag":"dev"}`},
		{op: "DescribeImages", in: `{` + web + `,"imageIds":[{"imageTag":"latest"}]}`},
		{op: "DescribeImages", in: `{` + web + `,"filter":{"tagStatus":"TAGGED"},"maxResults":1}`, keep: "images=nextToken"},
		{op: "DescribeImages", in: `{` + web + `,"nextToken":"$images"}`},
		{op: "DescribeImages", in: `{` + web + `,"imageIds":[{"imageTag":"stable"}]}`, code: "ImageNotFoundException"},
		{op: "DescribeImages", in: `{"repositoryName":"none"}`, code: "RepositoryNotFoundException"},
		{op: "PutImageTagMutability", in: `{` + web + `,"imageTagMutability":"MUTABLE_WITH_EXCLUSION","imageTagMutabilityExclusionFilters":[{"filterType":"WILDCARD","filter":"v*"}]}`},
		{op: "PutImageTagMutability", in: `{` + web + `,"imageTagMutability":"MUTABLE_WITH_EXCLUSION"}`, code: "InvalidParameterException"},
		{op: "BatchDeleteImage", in: `{` + web + `,"imageIds":[{"imageTag":"latest"},{"imageTag":"none"}]}`},
		{op: "BatchDeleteImage", in: `{"repositoryName":"none","imageIds":[{"imageTag":"latest"}]}`, code: "RepositoryNotFoundException"},
		{op: "DeleteRepository", in: `{` + web + `}`, code: "RepositoryNotEmptyException"},
		{op: "DeleteRepository", in: `{` + web + `,"force":true}`},
	})
}

func ruleSteps() []step {
	const pattern = `"EventPattern":"{\"source\":[\"aws.ecr\"],\"detail\":{\"image-tag\":[{\"prefix\":\"v\"}]}}"`
	const target = `"Targets":[{"Id":"1","Arn":"arn:aws:codepipeline:us-east-1:111111111111:web","RoleArn":"arn:aws:iam::111111111111:role/service",
		"InputTransformer":{"InputPathsMap":{"digest":"$.detail.image-digest"},"InputTemplate":"{\"sourceRevisions\":[]}"}}]`
	const elsewhere = `,"EventBusName":"none"`
	return named("events", []step{
		{op: "PutRule", in: `{"Name":"push",` + pattern + `,"Description":"images","State":"ENABLED"}`},
		{op: "PutRule", in: `{"Name":"push","EventPattern":"[]"}`, code: "InvalidEventPatternException"},
		{op: "PutRule", in: `{"Name":"night","ScheduleExpression":"rate(1 day)"}`},
		{op: "PutTargets", in: `{"Rule":"push",` + target + `}`},
		{op: "PutTargets", in: `{"Rule":"none",` + target + `}`, code: "ResourceNotFoundException"},
		{op: "DescribeRule", in: `{"Name":"push"}`},
		{op: "DescribeRule", in: `{"Name":"none"}`, code: "ResourceNotFoundException"},
		{op: "DisableRule", in: `{"Name":"push"}`},
		{op: "DisableRule", in: `{"Name":"none"}`, code: "ResourceNotFoundException"},
		{op: "EnableRule", in: `{"Name":"push"}`},
		{op: "EnableRule", in: `{"Name":"none"}`, code: "ResourceNotFoundException"},
		{op: "ListRules", in: `{"Limit":1}`, keep: "more=NextToken"},
		{op: "ListRules", in: `{"NextToken":"$more"}`},
		{op: "ListRules", in: `{"NamePrefix":"push"` + elsewhere + `}`, code: "ResourceNotFoundException"},
		{op: "ListTargetsByRule", in: `{"Rule":"push"}`},
		{op: "ListTargetsByRule", in: `{"Rule":"none"}`, code: "ResourceNotFoundException"},
		{op: "ListRuleNamesByTarget", in: `{"TargetArn":"arn:aws:codepipeline:us-east-1:111111111111:web"}`},
		{op: "ListRuleNamesByTarget", in: `{"TargetArn":"arn:aws:codepipeline:us-east-1:111111111111:web"` + elsewhere + `}`, code: "ResourceNotFoundException"},
		{op: "RemoveTargets", in: `{"Rule":"push","Ids":["1"]}`},
		{op: "RemoveTargets", in: `{"Rule":"none","Ids":["1"]}`, code: "ResourceNotFoundException"},
		{op: "DeleteRule", in: `{"Name":"push"}`},
		{op: "DeleteRule", in: `{"Name":"night"` + elsewhere + `}`, code: "ResourceNotFoundException"},
	})
}
