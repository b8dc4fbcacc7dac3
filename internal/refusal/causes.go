package refusal

import (
	"slices"

	"github.com/unjam/unjam/internal/fault"
)

// Causes documents the causes of these codes, in this order; of none, all of them.
func Causes(codes ...string) []fault.CauseDoc {
	all := causes()
	if len(codes) == 0 {
		return all
	}
	var kept []fault.CauseDoc
	for _, code := range codes {
		if i := slices.IndexFunc(all, func(c fault.CauseDoc) bool { return c.Code == code }); i >= 0 {
			kept = append(kept, all[i])
		}
	}
	return kept
}

func causes() []fault.CauseDoc {
	return []fault.CauseDoc{
		{Code: noIdentity, Text: "No policy of the role allows it.", Evidence: "AWS's text, or the simulator where the text names no type.", Remedy: "Attach a policy that allows it."},
		{Code: identityDeny, Text: "A Deny in a policy of the role.", Evidence: "AWS's text; the statement, where the policies may be read.", Remedy: "Take the Deny out of the role's policy, or narrow it: no Allow outweighs it."},
		{Code: boundary, Text: "The role's permissions boundary does not allow it.", Evidence: "AWS's text; the boundary's name from GetRole.", Remedy: "Whoever owns the permissions boundary has to allow it there; a policy of the role cannot."},
		{Code: boundaryDeny, Text: "A Deny in the role's permissions boundary.", Evidence: "AWS's text; the boundary's name from GetRole.", Remedy: "Whoever owns the permissions boundary has to take the Deny out, or narrow it."},
		{Code: scp, Text: "No service control policy of the organisation allows it.", Evidence: "AWS's text.", Remedy: "Only the organisation's administrators can change a service control policy: send them AWS's text. A policy of the role cannot mend it."},
		{Code: scpDeny, Text: "A Deny in a service control policy of the organisation.", Evidence: "AWS's text, with the policy's ARN where it has it.", Remedy: "Only the organisation's administrators can change a service control policy: send them AWS's text. A policy of the role cannot mend it."},
		{Code: rcp, Text: "A Deny in a resource control policy of the organisation.", Evidence: "AWS's text. The simulator does not see it.", Remedy: "Only the organisation's administrators can change a resource control policy: send them AWS's text."},
		{Code: endpoint, Text: "The policy of the VPC endpoint that the call went through says no.", Evidence: "AWS's text. The simulator does not see it.", Remedy: "Allow the action in the endpoint's policy, under both prefixes for connections, or call past the endpoint."},
		{Code: session, Text: "The session was narrowed when it was made.", Evidence: "AWS's text. The simulator does not see it.", Remedy: "Make the session without the policy that narrows it, or widen that policy where the role is assumed."},
		{Code: resource, Text: "The policy of the resource says no, or does not name a caller of another account.", Evidence: "AWS's text. The simulator does not see it.", Remedy: "Whoever owns the resource has to let the role in, in the resource's own policy."},
		{Code: trust, Text: "The role's trust policy does not let the caller assume it.", Evidence: "AWS's text, or the trust policy itself.", Remedy: "Name the service or the role that assumes it in the trust policy of the role that is assumed."},
		{Code: condition, Text: "The role's trust policy names the caller only under a condition that does not hold for this pipeline.", Evidence: "The trust policy: verified for aws:SourceAccount and aws:SourceArn, inferred for other keys.", Remedy: "Let the condition in the role's trust policy hold for this pipeline."},
		{Code: missing, Text: "The role to be assumed does not exist.", Evidence: "GetRole. Verified.", Remedy: "Create the role again under its name, with its trust policy and permissions, or give the pipeline another one."},
		{Code: handOver, Text: "The role may not hand over another role to the service that the action calls.", Evidence: "AWS's text, which names iam:PassRole.", Remedy: "Allow iam:PassRole on the role that is handed over, for the service that gets it."},
		{Code: fresh, Text: "The role or its policy was made moments before the failure and allows it by now.", Evidence: "The time of the change and the simulator. Inferred.", Remedy: "Retry the stage: the permission should be in force by now."},
		{Code: unknownCause, Text: "Which policy says no cannot be told.", Evidence: "AWS's text alone.", Remedy: "Look at identity policies, boundary, control policies, session, resource and endpoint policies, in this order."},
	}
}
