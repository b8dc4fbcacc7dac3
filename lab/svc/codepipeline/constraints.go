package codepipeline

import "regexp"

// The patterns of the API model, anchored.
var (
	namePattern     = regexp.MustCompile(`^[A-Za-z0-9.@\-_]+$`)
	rolePattern     = regexp.MustCompile(`^arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*$`)
	uuidPattern     = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	tokenPattern    = regexp.MustCompile(`^[a-zA-Z0-9-]+$`)
	heldPattern     = regexp.MustCompile(`^[a-zA-Z0-9!@ \(\)\.\*\?\-]+$`)
	typePattern     = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)
	variablePattern = regexp.MustCompile(`^[A-Za-z0-9@\-_]+$`)
	bucketPattern   = regexp.MustCompile(`^[a-zA-Z0-9\-\.]+$`)
)

// constraints are the rules of the API model (2015-07-09) for an operation's input. Members mean the same in every operation, but for
// reason; required members at the top are told by register.
func constraints(operation string) []rule {
	reason := rule{path: "reason", max: 200}
	if operation == "DisableStageTransition" {
		reason = rule{path: "reason", min: 1, max: 300, pattern: heldPattern}
	}
	rules := []rule{
		named("name"), named("pipelineName"), named("stageName"), named("actionName"), reason,
		{path: "pipelineExecutionId", pattern: uuidPattern},
		{path: "version", min: 1},
		{path: "nextToken", min: 1, max: 2048},
		{path: "clientRequestToken", min: 1, max: 128, pattern: tokenPattern},
		{path: "retryMode", enum: []string{"FAILED_ACTIONS", "ALL_ACTIONS"}},
		{path: "transitionType", enum: []string{"Inbound", "Outbound"}},
		{path: "actionOwnerFilter", enum: []string{"AWS", "ThirdParty", "Custom"}},
		{path: "regionFilter", min: 4, max: 30},
		{path: "token", pattern: uuidPattern},
		{path: "result.summary!", max: 512},
		{path: "result.status!", enum: []string{"Approved", "Rejected"}},
		{path: "filter.pipelineExecutionId", pattern: uuidPattern},
		{path: "filter.latestInPipelineExecution.pipelineExecutionId!", pattern: uuidPattern},
		{path: "filter.latestInPipelineExecution.startTimeRange!", enum: []string{"Latest", "All"}},
		named("filter.succeededInStage.stageName"),
		{path: "variables", min: 1, max: 50},
		{path: "variables[].name!", min: 1, max: 128, pattern: variablePattern},
		{path: "variables[].value!", min: 1, max: 1000},
		{path: "sourceRevisions", max: 50},
		named("sourceRevisions[].actionName!"),
		{path: "sourceRevisions[].revisionType!", enum: []string{"COMMIT_ID", "IMAGE_DIGEST", "S3_OBJECT_VERSION_ID", "S3_OBJECT_KEY"}},
		{path: "sourceRevisions[].revisionValue!", min: 1, max: 1500},
		{path: "tags[].key!", min: 1, max: 128},
		{path: "tags[].value!", max: 256},
		named("webhook.name!"),
		named("webhook.targetPipeline!"),
		named("webhook.targetAction!"),
		{path: "webhook.filters!", max: 5},
		{path: "webhook.authentication!", enum: []string{"GITHUB_HMAC", "IP", "UNAUTHENTICATED"}},
		{path: "webhook.authenticationConfiguration!"},
	}
	if operation == "CreatePipeline" || operation == "UpdatePipeline" {
		return append(rules, append(declarationRules(), triggerRules()...)...)
	}
	if operation == "CreateCustomActionType" || operation == "DeleteCustomActionType" {
		return append(rules, typeRules()...)
	}
	return rules
}

// typeRules are the rules for a custom action type.
func typeRules() []rule {
	return []rule{
		{path: "category", enum: []string{"Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute"}},
		{path: "provider", min: 1, max: 35, pattern: typePattern},
		{path: "version", min: 1, max: 9, pattern: typePattern},
		{path: "configurationProperties", max: 10},
		{path: "inputArtifactDetails.minimumCount!", max: 5},
		{path: "inputArtifactDetails.maximumCount!", max: 5},
		{path: "outputArtifactDetails.minimumCount!", max: 5},
		{path: "outputArtifactDetails.maximumCount!", max: 5},
	}
}

// triggerRules are the rules for the filters of declared triggers.
func triggerRules() []rule {
	var all []rule
	const git = "pipeline.triggers[].gitConfiguration."
	for _, filter := range []string{"push[].branches", "push[].tags", "push[].filePaths", "pullRequest[].branches", "pullRequest[].filePaths"} {
		for _, list := range []string{".includes", ".excludes"} {
			all = append(all, rule{path: git + filter + list, min: 1, max: 8}, rule{path: git + filter + list + "[]", min: 1, max: 255})
		}
	}
	return append(all, rule{path: git + "pullRequest[].events", min: 1, max: 3}, rule{path: git + "pullRequest[].events[]", enum: []string{"OPEN", "UPDATED", "CLOSED"}})
}

func named(path string) rule { return rule{path: path, min: 1, max: 100, pattern: namePattern} }

// declarationRules are the rules for a PipelineDeclaration.
func declarationRules() []rule {
	return []rule{
		named("pipeline.name!"),
		{path: "pipeline.roleArn!", max: 1024, pattern: rolePattern},
		{path: "pipeline.stages!"},
		{path: "pipeline.pipelineType", enum: []string{"V1", "V2"}},
		{path: "pipeline.executionMode", enum: []string{"QUEUED", "SUPERSEDED", "PARALLEL"}},
		{path: "pipeline.artifactStore.type!", enum: []string{"S3"}},
		{path: "pipeline.artifactStore.location!", min: 3, max: 63, pattern: bucketPattern},
		{path: "pipeline.variables", max: 50},
		{path: "pipeline.variables[].name!", min: 1, max: 128, pattern: variablePattern},
		{path: "pipeline.variables[].defaultValue", min: 1, max: 1000},
		{path: "pipeline.triggers", max: 50},
		{path: "pipeline.triggers[].providerType!", enum: []string{"CodeStarSourceConnection"}},
		{path: "pipeline.triggers[].gitConfiguration!"},
		named("pipeline.triggers[].gitConfiguration.sourceActionName!"),
		{path: "pipeline.triggers[].gitConfiguration.push", min: 1, max: 3},
		{path: "pipeline.triggers[].gitConfiguration.pullRequest", min: 1, max: 3},
		named("pipeline.stages[].name!"),
		{path: "pipeline.stages[].actions!"},
		named("pipeline.stages[].actions[].name!"),
		{path: "pipeline.stages[].actions[].actionTypeId!"},
		{path: "pipeline.stages[].actions[].actionTypeId.category!", enum: []string{"Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute"}},
		{path: "pipeline.stages[].actions[].actionTypeId.owner!", enum: []string{"AWS", "ThirdParty", "Custom"}},
		{path: "pipeline.stages[].actions[].actionTypeId.provider!", min: 1, max: 35, pattern: typePattern},
		{path: "pipeline.stages[].actions[].actionTypeId.version!", min: 1, max: 9, pattern: typePattern},
		{path: "pipeline.stages[].actions[].runOrder", min: 1, max: 999},
		{path: "pipeline.stages[].actions[].timeoutInMinutes", min: 5, max: 86400},
		{path: "pipeline.stages[].actions[].roleArn", max: 1024, pattern: rolePattern},
		{path: "pipeline.stages[].actions[].region", min: 4, max: 30},
		{path: "pipeline.stages[].actions[].namespace", min: 1, max: 100, pattern: variablePattern},
	}
}
