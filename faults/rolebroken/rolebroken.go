// Package rolebroken finds roles of pipelines that cannot be taken on or handed over: gone, not trusting whoever assumes them, without
// iam:PassRole, or held back by a boundary or a control policy. It never judges what a role in force may do: access-denied does.
package rolebroken

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/refusal"
)

// Fault is the fault role-broken.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "role-broken",
		Doc:  doc(),
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindSimulation, fact.KindPolicies, fact.KindDecoded, fact.KindPolicyCheck,
			fact.KindNewAccess, fact.KindProject, fact.KindEvent},
		Explains: []fault.Code{"source-stale"},
		Diagnose: diagnose,
		Plan:     refusal.Draft,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	return refusal.Judge(s, "A role cannot be taken on or handed over", refusal.OfRole)
}

func doc() fault.Doc {
	return fault.Doc{
		Title: "A role cannot be taken on or handed over",
		Symptom: `An action fails with "... is not authorized to perform AssumeRole on role ..." or "... is not authorized to perform: sts:AssumeRole", or with a refusal of iam:PassRole; a role was ` +
			"deleted, made anew or tidied up.",
		Text: "CodePipeline assumes the pipeline's role and, from there, the role of an action where it has its own; some actions hand a role over to the service that they run on. A role that was deleted, or " +
			"whose trust policy no longer names who assumes it, stops the pipeline whatever its policies allow. A role that was made again under the same name is another role: policies of buckets, keys and " +
			"other accounts that named the old one have to be mended too.",
		Causes: refusal.Causes("role-missing", "role-trust", "trust-condition", "pass-role-missing", "no-identity-policy", "identity-deny", "boundary", "boundary-deny", "scp", "scp-deny", "rcp-deny", "session-policy", "resource-policy",
			"fresh-role", "unknown"),
		See:      []string{"aws iam get-role --role-name ROLE", "aws iam simulate-principal-policy --policy-source-arn ROLE --action-names iam:PassRole --resource-arns PASSED"},
		Remedy:   "Make the role exist, trust whoever assumes it and be passed by whoever hands it over, then retry the stage.",
		Severity: fault.High, Bucket: fault.IAM, Since: "0.2.0",
		Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/security-iam.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html",
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"},
	}
}
