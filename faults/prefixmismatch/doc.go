package prefixmismatch

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	lacksOld = "policy-lacks-codestar-connections"
	lacksNew = "policy-lacks-codeconnections"
	otherARN = "policy-names-other-arn"
	wrongARN = "arn-of-other-prefix"
)

// Fault is the fault prefix-mismatch.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "prefix-mismatch",
		Doc: fault.Doc{
			Title:   "One service prefix in the ARN, the other in the policy",
			Symptom: `The Source stage fails with "Unable to use Connection ... The provided role does not have sufficient permissions", although a policy of the role allows UseConnection; or a definition names a connection that only exists under the other prefix.`,
			Text: "AWS CodeStar Connections became AWS CodeConnections in 2024, and both prefixes live on: two sets of IAM actions, two forms of ARN, nothing is migrated. " +
				"A pipeline's role needs UseConnection under both prefixes, and the resource in a policy has to be the ARN as the connection has it. A policy, template or " +
				"parameter that was written for one prefix looks right and does not work with the other.",
			Causes: []fault.CauseDoc{
				{Code: lacksOld, Text: "The role's policies allow codeconnections:UseConnection alone.", Evidence: "AWS's refusal; the simulator says yes to one action and no to the other, and no Allow of the role names the other.",
					Remedy: "Allow codestar-connections:UseConnection as well."},
				{Code: lacksNew, Text: "The role's policies allow codestar-connections:UseConnection alone.", Evidence: "The same, the other way round.", Remedy: "Allow codeconnections:UseConnection as well."},
				{Code: otherARN, Text: "The role's policies allow it on the connection's ARN with the other prefix.", Evidence: "AWS's refusal; a statement of the role covers the same id under the other prefix and not the ARN that the connection has.",
					Remedy: "Name the ARN in both forms as the resource."},
				{Code: wrongARN, Text: "The definition names the connection's id under the prefix that it does not have.", Evidence: "GetConnection says ResourceNotFoundException; ListConnections shows the same id under the other prefix.",
					Remedy: "Write the ARN as AWS shows it, in the pipeline and in whatever deploys it."},
			},
			See: []string{"aws iam simulate-principal-policy --policy-source-arn ROLE --action-names codeconnections:UseConnection codestar-connections:UseConnection --resource-arns CONNECTION",
				"aws codeconnections list-connections"},
			Remedy:   "Allow UseConnection under both prefixes and on both forms of the ARN, then retry the stage.",
			Severity: fault.High, Bucket: fault.IAM, Since: "0.1.0",
			Links: []string{"https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html",
				"https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html"},
		},
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindSimulation, fact.KindPolicies,
			fact.KindProject, fact.KindPolicyCheck, fact.KindRegion, fact.KindExecution},
		Explains: []fault.Code{"connection-denied", "connection-missing", "source-stale"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}
