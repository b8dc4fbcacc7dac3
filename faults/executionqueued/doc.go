package executionqueued

import "github.com/unjam/unjam/internal/fault"

func doc() fault.Doc {
	return fault.Doc{
		Title:   "Runs wait for other runs",
		Symptom: "A push or a start seems to do nothing: its run is InProgress and stands between two stages.",
		Text: "A stage takes in one run at a time. In the mode SUPERSEDED the newest run waits before it and takes the place of older ones that wait; in the mode QUEUED all wait in their order. " +
			"In the mode PARALLEL nobody waits. In QUEUED and PARALLEL at most 50 runs may be active; quota-reached tells when they are. A failed run lets go of its stage.",
		Causes: []fault.CauseDoc{
			{Code: behindTransition, Text: "The stage is closed.", Evidence: "inboundTransitionState.", Remedy: "unjam explain transition-disabled"},
			{Code: behindApproval, Text: "The run in the stage waits for an approval.", Evidence: "The action's state.", Remedy: "unjam explain approval-waiting"},
			{Code: behindRunning, Text: "An action in the stage has been running for more than an hour.", Evidence: "The action's state, and the limit that ends it.", Remedy: "Look at what it does; stop its run if nobody needs it."},
			{Code: behindStopping, Text: "The run in the stage was told to stop and wait for what it does, for more than an hour.", Evidence: "The stage is Stopping, and its action runs.", Remedy: "Wait, or stop it with --abandon, which leaves half-done what the action does."},
			{Code: nothingHolds, Text: "The stage is open and nothing in it runs, for a quarter of an hour.", Evidence: "The stage's state. Nobody documents why that would be.", Remedy: "Look again; then stop the run and start it again."},
		},
		See: []string{
			"aws codepipeline get-pipeline-state --name PIPELINE --query 'stageStates[].[stageName,latestExecution,inboundExecutions]'",
			"aws codepipeline list-pipeline-executions --pipeline-name PIPELINE --query \"pipelineExecutionSummaries[?status=='InProgress']\"",
		},
		Remedy:   "Settle what holds the stage.",
		Severity: fault.Low, Bucket: fault.Configuration, Since: "0.2.0",
		Links: []string{
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html",
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/execution-modes.html",
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html",
		},
	}
}
