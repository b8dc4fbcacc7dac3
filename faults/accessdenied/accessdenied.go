// Package accessdenied finds actions whose role AWS refused a call: which policy type says no, about what, and the least that would mend it.
// It never judges a role that cannot be taken on or handed over, or has something above it in the way: role-broken does.
package accessdenied

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/refusal"
)

// Fault is the fault access-denied.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "access-denied",
		Doc:  doc(),
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindSimulation, fact.KindPolicies, fact.KindDecoded, fact.KindPolicyCheck,
			fact.KindNewAccess, fact.KindProject, fact.KindEvent},
		Explains: []fault.Code{"source-stale"},
		Diagnose: diagnose,
		Plan:     refusal.Draft,
	}
}

func doc() fault.Doc {
	return fault.Doc{
		Title:   "AWS refused an action",
		Symptom: `An action fails with "... is not authorized to perform: ..." or an encoded authorization message.`,
		Text: "AWS names one policy type that says no, even when several do, and some services name none. What has to change, and by whom, follows from that type: " +
			"a role's own policy can be mended in the account, a control policy only by the organisation's administrators.",
		Causes: refusal.Causes("no-identity-policy", "identity-deny", "rcp-deny", "endpoint-policy", "session-policy",
			"resource-policy", "fresh-role", "unknown"),
		See:      []string{"aws iam simulate-principal-policy --policy-source-arn ROLE --action-names ACTION --resource-arns RESOURCE", "aws sts decode-authorization-message --encoded-message MESSAGE"},
		Remedy:   "Let whoever owns the policy that says no allow the action, then retry the stage.",
		Severity: fault.High, Bucket: fault.IAM, Since: "0.2.0",
		Links: []string{"https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"},
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	return refusal.Judge(s, "AWS refused an action", func(r refusal.Refused, code string) bool { return !refusal.OfRole(r, code) })
}
