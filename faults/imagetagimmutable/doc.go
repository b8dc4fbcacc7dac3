package imagetagimmutable

import "github.com/unjam/unjam/internal/fault"

func doc() fault.Doc {
	return fault.Doc{
		Title:   "No push of the image starts the pipeline",
		Symptom: "Images are pushed to Amazon ECR, and the pipeline that takes its source from there does not start, or starts and deploys the old image.",
		Text: "An ECR source action watches one tag of one repository, latest when it names none, and is not polled: a rule of EventBridge on the default bus has to match the event of the push " +
			"and have the pipeline as a target, with a role. In a repository whose tags are immutable the watched tag can be pushed once and never again. A mutable tag that nobody has pushed lately is no fault, " +
			"and neither is a pipeline without a rule that runs by a schedule.",
		Causes: []fault.CauseDoc{
			{Code: tagImmutable, Text: "The watched tag exists and may not move: the repository is IMMUTABLE, or its exclusions leave the tag immutable.", Evidence: "imageTagMutability and its exclusion filters, the image behind the tag; images that were pushed under other tags since the newest run, or pushes of the tag that ECR refused.", Remedy: "A decision of the repository's owner: exclude the tag, or a rule that takes every tag and hands the image over."},
			{Code: repositoryMissing, Text: "The repository that the source action names does not exist in the pipeline's account and Region.", Evidence: "DescribeRepositories says so.", Remedy: "Create it, or name the right one."},
			{Code: tagMissing, Text: "No image of the repository has the watched tag: it was never pushed, or was deleted.", Evidence: "DescribeImages says so.", Remedy: "Push the tag, or watch another one."},
			{Code: noRule, Text: "No rule about images has the pipeline as a target.", Evidence: "ListRuleNamesByTarget is empty, or names rules about other things only.", Remedy: "Make the rule that CodePipeline's documentation describes."},
			{Code: targetElsewhere, Text: "A rule matches the push and leads to something else than the pipeline.", Evidence: "The rule's pattern and targets.", Remedy: "Add the pipeline as a target."},
			{Code: ruleDisabled, Text: "The rule that leads to the pipeline is DISABLED.", Evidence: "DescribeRule.", Remedy: "Enable it, when nobody keeps it closed on purpose."},
			{Code: patternMismatch, Text: "The rule's pattern is for another repository, tag, action or result.", Evidence: "The pattern, field by field, beside the event of a push.", Remedy: "Have rule and source action name the same image."},
			{Code: targetNoRole, Text: "The rule's target is the pipeline, without a role.", Evidence: "ListTargetsByRule.", Remedy: "Give the target a role that may start the pipeline."},
			{Code: roleMissing, Text: "The role of the rule's target does not exist.", Evidence: "GetRole says so, and a push has started nothing.", Remedy: "Make the role, or name another."},
			{Code: roleUntrusted, Text: "The role of the rule's target does not trust EventBridge.", Evidence: "Its trust policy, and a push that has started nothing. Inferred.", Remedy: "Let events.amazonaws.com assume it."},
			{Code: roleDenied, Text: "The role of the rule's target may not start the pipeline.", Evidence: "Policy simulation, and a push that has started nothing. Simulated.", Remedy: "Allow codepipeline:StartPipelineExecution on the pipeline."},
			{Code: pushMissed, Text: "All is as it should be by now, and a push has started nothing.", Evidence: "The image was pushed after the newest run had begun, and no run has taken it. Inferred: the rule was mended later, or the event was lost.", Remedy: "Start the pipeline."},
		},
		See: []string{
			"aws ecr describe-repositories --repository-names REPOSITORY",
			"aws ecr describe-images --repository-name REPOSITORY --image-ids imageTag=TAG",
			"aws events list-rule-names-by-target --target-arn PIPELINE-ARN",
			"aws events describe-rule --name RULE",
			"aws events list-targets-by-rule --rule RULE",
		},
		Remedy:   "Mend what lies between the push and the pipeline, then start the pipeline once for the push that was missed.",
		Severity: fault.Medium, Bucket: fault.Configuration, Since: "0.1.0",
		Links: []string{
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html",
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/create-cwe-ecr-source.html",
			"https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
		},
	}
}
