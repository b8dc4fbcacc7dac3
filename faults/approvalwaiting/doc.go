package approvalwaiting

import "github.com/unjam/unjam/internal/fault"

// action is the permission that an answer takes.
const action = "codepipeline:PutApprovalResult"

func doc() fault.Doc {
	return fault.Doc{
		Title:   "An approval waits for a person",
		Symptom: "A stage is blue for hours or days and says \"Waiting for approval\"; or it failed after seven days and nobody knows why.",
		Text: "A manual approval stops the run until somebody who may " + action + " approves or rejects it. Unanswered it fails after seven days, or after the action's own timeoutInMinutes. " +
			"Meanwhile the stage is locked: newer runs wait before it. Who is told depends on the action's NotificationArn.",
		Causes: []fault.CauseDoc{
			{Code: runningOut, Text: "Less than a day of its time is left, or a quarter of a shorter one.", Evidence: "Its start and its limit. Inferred: the limit may be another one than the definition's.", Remedy: "Answer it now; afterwards the stage has to be retried."},
			{Code: nobodyTold, Text: "Its definition names no topic, so the pipeline told nobody.", Evidence: "NotificationArn is missing. Inferred: a notification rule may tell them.", Remedy: "Tell whoever must answer; then give the action a topic."},
			{Code: waitsLong, Text: "It was told to a topic, and nobody has answered for more than a day.", Evidence: "The action's state and NotificationArn.", Remedy: "Ask who reads the topic."},
			{Code: justAsked, Text: "It was asked less than a day ago.", Evidence: "The action's state.", Remedy: "Answer it."},
			{Code: ranOut, Text: "Nobody answered in time.", Evidence: "The action's error text.", Remedy: "Find out who must answer, then retry the stage, which asks anew."},
		},
		See: []string{
			"aws codepipeline get-pipeline-state --name PIPELINE --query \"stageStates[].actionStates[?latestExecution.status=='InProgress']\"",
		},
		Remedy:   "Somebody who may " + action + " approves or rejects it in the console: unjam never does.",
		Severity: fault.Medium, Bucket: fault.Person, Since: "0.2.0",
		Links: []string{
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html",
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-approve-or-reject.html",
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html",
		},
	}
}
