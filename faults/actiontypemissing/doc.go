package actiontypemissing

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	deleted       = "deleted"
	version       = "version-differs"
	elsewhere     = "registered-elsewhere"
	notRegistered = "not-registered"
	noWorker      = "no-worker"
)

// Fault is the fault action-type-missing.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code:     "action-type-missing",
		Doc:      doc(),
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindActionType, fact.KindEvent},
		Explains: []fault.Code{"action-timeout", "execution-queued"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func doc() fault.Doc {
	return fault.Doc{
		Title:   "A custom action has no action type, or nobody works for it",
		Symptom: `A custom action stays InProgress for hours without a word and fails after 24 hours, or AWS says that its ActionType "is not available in region".`,
		Text: "The type of a custom action is registered in an account and a Region, under a category, a provider and a version, and an action names all three exactly. " +
			"CodePipeline only offers the job: a worker, a machine of your own, has to poll for it. Where the type is gone or nobody polls, nothing says so. " +
			"unjam never polls for jobs itself: that would take them away from the worker.",
		Causes: []fault.CauseDoc{
			{Code: deleted, Text: "The action type was deleted.", Evidence: "The Region's list does not have it (verified), and CloudTrail has DeleteCustomActionType.",
				Remedy: "Register it under a version that was never used, and name that version in the pipeline."},
			{Code: version, Text: "Other versions of the action type are registered, and not the one that the action names.", Evidence: "The Region's list. Verified.",
				Remedy: "Name a registered version in the pipeline, or register the one it names."},
			{Code: elsewhere, Text: "It is registered in another Region of the pipeline, and not in the one that the action runs in.", Evidence: "The lists of both Regions. Verified.",
				Remedy: "Register it in the action's Region too, with a worker that polls there."},
			{Code: notRegistered, Text: "It is not registered in the action's Region: it never was, or was deleted before event history begins.", Evidence: "The Region's list. Verified.",
				Remedy: "Register it in the action's Region, with a worker that polls there."},
			{Code: noWorker, Text: "It is registered, and likely nobody polls for its jobs.", Evidence: "The action has been InProgress for more than an hour, and its provider has neither named a job nor said anything. Inferred: no API shows who polls.",
				Remedy: "Start the worker: a job waits until the action's 24 hours are over."},
		},
		See:      []string{"aws codepipeline list-action-types --action-owner-filter Custom --region REGION", "aws codepipeline get-pipeline-state --name PIPELINE"},
		Remedy:   "Register the action type where the action runs, and have a worker poll for its jobs.",
		Severity: fault.High, Bucket: fault.Configuration, Since: "0.2.0",
		Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-custom-action.html",
			"https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DeleteCustomActionType.html"},
	}
}
