package connectionpending

import "github.com/unjam/unjam/internal/fault"

func doc() fault.Doc {
	return fault.Doc{
		Title: "Connection waits for its handshake",
		Symptom: "The Source stage fails or never starts, and the connection's status is PENDING. Pipelines created in this state often do not react " +
			"to pushes even after the handshake.",
		Text: "A connection to a Git provider that was created by CloudFormation, Terraform, the CDK, the CLI or an SDK starts in the status PENDING. " +
			"It becomes AVAILABLE only when a person completes a handshake in the AWS console, signed in at the provider with the right to install an app. " +
			"No API can do that. Until then every pipeline that uses the connection stands still, in every Region.",
		Causes: []fault.CauseDoc{
			{Code: neverAttempted, Text: "Nobody has opened the handshake.", Evidence: "CloudTrail shows the creation and no step of the handshake. Inferred: AWS does not document that it logs these steps.",
				Remedy: "Open the link and complete the handshake."},
			{Code: handshakeDenied, Text: "Somebody tried and AWS refused a step.", Evidence: "A CloudTrail event of a handshake step with errorCode AccessDenied; its text names the policy type that says no.",
				Remedy: "Have the missing actions allowed, or let somebody complete it who may."},
			{Code: notFinished, Text: "The handshake was begun and not completed, usually because an owner of the provider's organisation must approve the app.",
				Evidence: "Handshake events that went through, while the status stays PENDING. Inferred.", Remedy: "Ask the organisation's owner to approve, then finish it in the console."},
			{Code: hostNotReady, Text: "The connection's host is not AVAILABLE.", Evidence: "ListHosts shows another status, often with a message.", Remedy: "Set up the host first."},
			{Code: replaced, Text: "An earlier connection was deleted and created again.", Evidence: "CloudTrail shows DeleteConnection and CreateConnection by the same hand or with the same name.",
				Remedy: "Complete the handshake of the new one; keep the tool from replacing it (name, provider and host are replaced, not changed)."},
			{Code: ownedElsewhere, Text: "The connection is shared from another account.", Evidence: "The account in its ARN is not the pipeline's.", Remedy: "Somebody in the owning account has to complete it."},
			{Code: unknownCause, Text: "It is PENDING; why cannot be seen.", Evidence: "The event history is denied, too old or does not show such steps.", Remedy: "Complete the handshake. What could not be seen is listed."},
		},
		See: []string{
			"aws codeconnections get-connection --connection-arn ARN --query Connection.ConnectionStatus",
			"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=UpdateConnectionInstallation",
		},
		Remedy:   "Complete the handshake in the AWS console, then retry the failed Source stage.",
		Severity: fault.High,
		Bucket:   fault.Person,
		Links: []string{
			"https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-update.html",
			"https://docs.aws.amazon.com/dtconsole/latest/userguide/troubleshooting-connections.html",
		},
		Since: "0.1.0",
	}
}

func remedy(cause string) string {
	for _, c := range doc().Causes {
		if c.Code == cause {
			return c.Remedy
		}
	}
	return doc().Remedy
}
