package transitiondisabled

import "github.com/unjam/unjam/internal/fault"

func doc() fault.Doc {
	return fault.Doc{
		Title:   "Runs wait before a stage that somebody closed",
		Symptom: "Nothing is red and nothing moves: a run is InProgress between two stages, and the arrow between them is grey.",
		Text: "A stage whose inbound transition is disabled lets no run in until somebody enables it. It is disabled by a person, who gives a reason, or by a tool. " +
			"A run that comes to it waits without an end; in the mode SUPERSEDED a newer one takes its place. Nothing fails and nobody is told.",
		Causes: []fault.CauseDoc{
			{Code: byPerson, Text: "Somebody disabled the transition, with a reason, and a run waits.", Evidence: "lastChangedBy and disabledReason of the stage; CloudTrail's DisableStageTransition.", Remedy: "Ask whoever closed it. unjam fix PIPELINE opens it, with a consent of its own."},
			{Code: forgotten, Text: "It is closed on, and runs wait for more than a day, in a row, or replace each other.", Evidence: "Since when the run waits; superseded runs since the stage was closed. Inferred: the reason may still hold.", Remedy: "Ask whoever closed it whether the reason still holds."},
			{Code: byAutomation, Text: "A tool closed it: CloudFormation's DisableInboundStageTransitions, Terraform, a script.", Evidence: "The caller of DisableStageTransition, the name of the session in lastChangedBy, or the reason.", Remedy: "Change it where the tool takes it from: what is enabled by hand is disabled again."},
			{Code: heldByUnjam, Text: "unjam closed it itself, by --hold or as it rolled a run back.", Evidence: "The reason says so. It is no fault for a day, because somebody wished it.", Remedy: "Look, then enable the transition; or unjam rollback RUN."},
			{Code: nobodyWaits, Text: "It is closed and nothing waits yet; told only where the question names the pipeline.", Evidence: "The stage's state.", Remedy: "Nothing now."},
		},
		See:      []string{"aws codepipeline get-pipeline-state --name PIPELINE --query 'stageStates[].[stageName,inboundTransitionState,inboundExecutions]'"},
		Remedy:   "Ask whoever disabled the transition, then enable it: unjam fix PIPELINE.",
		Severity: fault.Medium, Bucket: fault.Person, Since: "0.2.0",
		Links: []string{
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/transitions.html",
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html",
		},
	}
}
