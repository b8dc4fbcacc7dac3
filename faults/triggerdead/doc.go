package triggerdead

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	createdPending = "created-while-pending"
	detectOff      = "change-detection-off"
	notTriggered   = "source-without-trigger"
	branchExcluded = "branch-excluded"
	tagsOnly       = "tags-only"
	pullsOnly      = "pull-requests-only"
	pathFilter     = "path-filter"
	otherBranch    = "branch-changed"
	unknownCause   = "unknown"
)

// Fault is the fault trigger-dead.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "trigger-dead",
		Doc: fault.Doc{
			Title:   "Pushes start nothing",
			Symptom: "The connection is AVAILABLE, a start by hand runs through, and pushes to the branch start no run.",
			Text: "AWS makes the webhook of a connection source when the pipeline's definition is written, as far as anybody can tell; no call shows it. A pipeline that was " +
				"created while its connection was PENDING may be left without one. Besides, the definition itself may say that a push to its branch starts nothing: change " +
				"detection is off, or a declared trigger, which takes the place of change detection, lets other branches, tags or pull requests through only. A push that " +
				"started nothing leaves no trace at AWS: the sign that there was one is a run started in another way that fetched a new commit which no push has brought. " +
				"A quiet repository is no fault. Without such a sign nothing is said above info of a hook, and hooks are looked at only where the question names the pipeline.",
			Causes: []fault.CauseDoc{
				{Code: createdPending, Text: "The definition was last written before the connection's handshake was completed: likely AWS made no webhook.",
					Evidence: "CloudTrail's last step of the handshake is later than the definition, or the source failed on this definition because the connection was not available; no push has started a run since. Inferred.",
					Remedy:   "Update the pipeline without a change, then push once and look."},
				{Code: detectOff, Text: "DetectChanges is false and no trigger is declared: pushes start nothing, by design or by slip.", Evidence: "The definition.", Remedy: "Set DetectChanges to true, or declare a trigger, if pushes are to start the pipeline."},
				{Code: notTriggered, Text: "Triggers are declared, and none of them for a source action on a connection: change detection is off for all of them.", Evidence: "The definition.", Remedy: "Declare a trigger for the source action."},
				{Code: branchExcluded, Text: "The declared trigger lets no push to the source's own branch through.", Evidence: "The definition's filters and BranchName.", Remedy: "Include the branch, or name another branch."},
				{Code: tagsOnly, Text: "The declared trigger reacts to tags alone.", Evidence: "The definition; no run since was started by a tag.", Remedy: "Push a tag that fits, or add a filter on branches."},
				{Code: pullsOnly, Text: "The declared trigger reacts to pull requests alone.", Evidence: "The definition; no run since was started by one.", Remedy: "Add a filter on pushes."},
				{Code: pathFilter, Text: "The filter on file paths likely let a push go by: other files changed, or the right ones came behind the first 100, or the branch was new.",
					Evidence: "The definition's filters, and a commit that no push has brought. Inferred.", Remedy: "Compare the commit's files with the filter."},
				{Code: otherBranch, Text: "Pushes started the pipeline until its branch was changed in the definition: people may still push to the old one.", Evidence: "The runs before and since, and the version before. Inferred.", Remedy: "Push to the branch that the definition names."},
				{Code: unknownCause, Text: "A commit came that no push has brought, and the definition lets it through.", Evidence: "The runs and what they fetched. The webhook may be lost, or the provider does not deliver.",
					Remedy: "Look at the deliveries of the app at the provider; update the pipeline without a change, then push once and look."},
			},
			See: []string{"aws codepipeline list-pipeline-executions --pipeline-name PIPELINE --query 'pipelineExecutionSummaries[].[startTime,trigger.triggerType,sourceRevisions[0].revisionId]'",
				"aws codepipeline get-pipeline --name PIPELINE --query 'pipeline.triggers'"},
			Remedy:   "Let the definition react to the branch that people push to; where it does, update the pipeline without a change, so that AWS makes its webhook anew.",
			Severity: fault.Medium, Bucket: fault.Configuration, Since: "0.1.0",
			Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html", "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html",
				"https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindExecution, fact.KindAction, fact.KindEvent, fact.KindDefinition},
		Diagnose: diagnose,
		Plan:     draft,
	}
}
