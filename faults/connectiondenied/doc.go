package connectiondenied

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// The causes.
const (
	lacksBoth    = "lacks-both-prefixes"
	lacksOld     = "lacks-codestar-connections"
	lacksNew     = "lacks-codeconnections"
	condition    = "condition-not-met"
	cloneRole    = "clone-role-lacks-use-connection"
	unknownCause = "unknown"
)

const (
	useNew = "codeconnections:UseConnection"
	useOld = "codestar-connections:UseConnection"
)

// Fault is the fault connection-denied.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "connection-denied",
		Doc: fault.Doc{
			Title:   "Pipeline's role may not use its connection",
			Symptom: `The Source stage fails with "Unable to use Connection ... The provided role does not have sufficient permissions", or a build with "Access denied to connection", although the connection is AVAILABLE.`,
			Text: "AWS CodeConnections was renamed from CodeStar Connections in 2024 and both prefixes live on. A pipeline's role needs UseConnection under both, " +
				"whatever the prefix of the ARN. A policy that names only one of them looks right and does not work. With a full clone the build fetches the " +
				"repository itself, and the role of its project needs the same.",
			Causes: []fault.CauseDoc{
				{Code: lacksBoth, Text: "The role is allowed neither.", Evidence: "AWS's refusal, and the simulator says no to both actions.", Remedy: "Allow both actions on the connection."},
				{Code: lacksOld, Text: "The role lacks codestar-connections:UseConnection.", Evidence: "AWS's refusal, and the simulator says no to this action only.", Remedy: "Allow this action as well."},
				{Code: lacksNew, Text: "The role lacks codeconnections:UseConnection.", Evidence: "AWS's refusal, and the simulator says no to this action only.", Remedy: "Allow this action as well."},
				{Code: condition, Text: "A condition on UseConnection does not hold under both prefixes: the key of one prefix is absent when the other is checked.",
					Evidence: "AWS's refusal; the simulator misses the key, and the role's policy has it.", Remedy: "Write the statement twice, each prefix with its own key."},
				{Code: cloneRole, Text: "The build clones the repository itself, and the role of its CodeBuild project may not use the connection.",
					Evidence: "The build's text; the project's role and the simulator, where they may be asked.", Remedy: "Allow both actions on the connection to the project's role, or let the source action hand over a zip file."},
				{Code: unknownCause, Text: "AWS refuses; why cannot be seen.", Evidence: "AWS's refusal alone.", Remedy: "Check identity policies, boundary and service control policies for both actions."},
			},
			See:      []string{"aws iam simulate-principal-policy --policy-source-arn ROLE --action-names codeconnections:UseConnection codestar-connections:UseConnection --resource-arns CONNECTION"},
			Remedy:   "Allow codeconnections:UseConnection and codestar-connections:UseConnection on the connection to the role that was refused, then retry the stage.",
			Severity: fault.High, Bucket: fault.IAM, Since: "0.1.0",
			Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html",
				"https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html#codebuild-role-connections"},
		},
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindSimulation, fact.KindPolicies,
			fact.KindProject, fact.KindPolicyCheck, fact.KindNewAccess, fact.KindEvent},
		Explains: []fault.Code{"source-stale"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

// draft lets the role use the connection, where an Allow mends it, and has the refused action run again. What a condition narrows on purpose
// is not widened.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	if f.Details.Grant == nil || f.Cause.Code == condition {
		return plan.Draft{}
	}
	return fault.AllowUse(s, f, o)
}
