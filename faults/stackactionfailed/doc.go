package stackactionfailed

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// Fault is the fault stack-action-failed.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code:     "stack-action-failed",
		Doc:      doc(),
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindAction, fact.KindStackState, fact.KindStackEvents, fact.KindChangeSet},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func doc() fault.Doc {
	return fault.Doc{
		Title:   "A CloudFormation action failed",
		Symptom: "A Deploy stage with a CloudFormation action is red; its text names a stack, or a list of resources and no reason.",
		Text: "CodePipeline shows that a deployment failed and seldom why. The reason is in the stack's events: the first failure of a resource since the operation began; when one fails, " +
			"CloudFormation cancels all others, and these cancellations say nothing. A stack can also be in a state in which it takes no update at all.",
		Causes: []fault.CauseDoc{
			{Code: resourceFailed, Text: "A resource of the template could not be made, changed or deleted.", Evidence: "The first failure among the stack's events, in nested stacks too.", Remedy: "Mend what the reason names; delete what a failed creation left."},
			{Code: resourceDenied, Text: "CloudFormation was refused a call for a resource: its role lacks the permission.", Evidence: "The first failure is a refusal, with role, action and resource.", Remedy: "Allow it to the role that CloudFormation works with: RoleArn of the action, else the action's own role."},
			{Code: resourceQuota, Text: "A quota of the account kept a resource from being made.", Evidence: "The first failure names a limit.", Remedy: "Make room or request an increase."},
			{Code: rolledBack, Text: "The stack is left over from a creation that failed: it can only be deleted.", Evidence: "StackStatus ROLLBACK_COMPLETE, ROLLBACK_FAILED, CREATE_FAILED or DELETE_FAILED before the action began.", Remedy: "Delete the stack, or use ActionMode REPLACE_ON_FAILURE."},
			{Code: rollbackStuck, Text: "The rollback of an update failed: the stack takes no update.", Evidence: "StackStatus UPDATE_ROLLBACK_FAILED; the failure that stopped the rollback.", Remedy: "Mend what stopped it, then ContinueUpdateRollback."},
			{Code: otherUpdate, Text: "Another operation of the stack was under way.", Evidence: "StackStatus ..._IN_PROGRESS; an operation that began before the action.", Remedy: "Wait for its end, then retry the stage."},
			{Code: changeSetEmpty, Text: "The change set holds no change.", Evidence: "Status FAILED of the change set, with the reason.", Remedy: "There is nothing to deploy; push a change."},
			{Code: changeSetMissing, Text: "The change set to be executed does not exist.", Evidence: "DescribeChangeSet finds none.", Remedy: "Run the action that makes it again; let nobody execute it by hand."},
			{Code: capability, Text: "The template makes IAM resources or uses macros, and the action does not acknowledge it.", Evidence: "AWS's text names the capability.", Remedy: "Add it to Capabilities of the action."},
			{Code: passRole, Text: "The action's role may not hand over the role of the configuration (RoleArn).", Evidence: "AWS refuses iam:PassRole.", Remedy: "Allow iam:PassRole on that role for cloudformation.amazonaws.com."},
			{Code: template, Text: "The file of TemplatePath is not in the artifact.", Evidence: "AWS's text; CloudFormation was not called.", Remedy: "Correct TemplatePath or what the artifact holds."},
			{Code: elsewhere, Text: "The stack is in another account, by the action's role, and its events cannot be read from here.", Evidence: "The account of the action's role. Inferred.", Remedy: "Look at the stack's events with credentials of that account."},
			{Code: unknownCause, Text: "A resource of the stack failed, and the stack's events could not be read.", Evidence: "AWS's text, which names resources and no reason.", Remedy: "Read the stack's events."},
		},
		See: []string{"aws cloudformation describe-stacks --stack-name STACK", "aws cloudformation describe-stack-events --stack-name STACK",
			"aws cloudformation describe-change-set --stack-name STACK --change-set-name NAME"},
		Remedy:   "Find the first failure in the stack's events, mend it, bring the stack into a state that takes updates, then retry the stage.",
		Severity: fault.High, Bucket: fault.Configuration, Since: "0.2.0",
		Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html",
			"https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html"},
	}
}
