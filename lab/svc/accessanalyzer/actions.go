package accessanalyzer

import "strings"

// known are all actions of the services for which the lab knows them; of every other service it takes any name for an action.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func known(service string) []string {
	const connections = "CreateConnection CreateHost CreateRepositoryLink CreateSyncConfiguration DeleteConnection DeleteHost " +
		"DeleteRepositoryLink DeleteSyncConfiguration GetConnection GetConnectionToken GetHost GetIndividualAccessToken " +
		"GetInstallationUrl GetRepositoryLink GetRepositorySyncStatus GetResourceSyncStatus GetSyncBlockerSummary " +
		"GetSyncConfiguration ListConnections ListHosts ListInstallationTargets ListRepositoryLinks ListRepositorySyncDefinitions " +
		"ListSyncConfigurations ListTagsForResource PassConnection PassRepository RegisterAppCode StartAppRegistrationHandshake " +
		"StartOAuthHandshake TagResource UntagResource UpdateConnectionInstallation UpdateHost UpdateRepositoryLink " +
		"UpdateSyncBlocker UpdateSyncConfiguration UseConnection"
	const pipelines = "AcknowledgeJob AcknowledgeThirdPartyJob CreateCustomActionType CreatePipeline DeleteCustomActionType DeletePipeline " +
		"DeleteWebhook DeregisterWebhookWithThirdParty DisableStageTransition EnableStageTransition GetActionType GetJobDetails " +
		"GetPipeline GetPipelineExecution GetPipelineState GetThirdPartyJobDetails ListActionExecutions ListActionTypes " +
		"ListPipelineExecutions ListPipelines ListRuleExecutions ListRuleTypes ListTagsForResource ListWebhooks " +
		"OverrideStageCondition PollForJobs PollForThirdPartyJobs PutActionRevision PutApprovalResult PutJobFailureResult " +
		"PutJobSuccessResult PutThirdPartyJobFailureResult PutThirdPartyJobSuccessResult PutWebhook RegisterWebhookWithThirdParty " +
		"RetryStageExecution RollbackStage StartPipelineExecution StopPipelineExecution TagResource UntagResource " +
		"UpdateActionType UpdatePipeline"
	const tokens = "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot DecodeAuthorizationMessage GetAccessKeyInfo " +
		"GetCallerIdentity GetFederationToken GetServiceBearerToken GetSessionToken SetContext SetSourceIdentity TagSession"
	switch strings.ToLower(service) {
	case "codeconnections", "codestar-connections":
		return strings.Fields(connections)
	case "codepipeline":
		return strings.Fields(pipelines)
	case "sts":
		return strings.Fields(tokens)
	}
	return nil
}
