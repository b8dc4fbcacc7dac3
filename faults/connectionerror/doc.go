package connectionerror

import "github.com/unjam/unjam/internal/fault"

// The causes.
const (
	hostBroken        = "host-broken"
	authorizationLost = "authorization-lost"
	providerTrouble   = "provider-trouble"
	unknownCause      = "unknown"
)

func doc() fault.Doc {
	return fault.Doc{
		Title:   "Connection is in ERROR",
		Symptom: "The connection shows ERROR, its source actions fail, and nobody changed anything in AWS.",
		Text: "AWS could speak to the provider once and cannot any more. It tries such a connection again by itself, and nothing can use it until it is AVAILABLE. " +
			"Whether it comes back depends on what happened at the provider, which no call of AWS tells; the other connections to the same provider narrow it down.",
		Causes: []fault.CauseDoc{
			{Code: hostBroken, Text: "The connection stands on a host that does not work.", Evidence: "The connection names a host; the host's own finding says what is wrong with it.", Remedy: "Mend the host. Where its app at the server was deleted or changed, host and connection cannot be recovered: make both anew."},
			{Code: authorizationLost, Text: "The provider no longer lets this connection in: the app was removed, or whoever authorised it lost their rights.", Evidence: "Another connection to the same provider is AVAILABLE, so that the provider itself answers.", Remedy: "Have the app and its authorisation restored at the provider, and wait for AVAILABLE; if it does not come back, make a new connection and point the pipelines at it."},
			{Code: providerTrouble, Text: "The provider does not answer AWS.", Evidence: "Every connection to it is in ERROR, and they fetch from different owners.", Remedy: "Look at the provider's status page and wait: AWS tries again by itself."},
			{Code: unknownCause, Text: "Nothing else uses the provider, so the causes cannot be told apart.", Evidence: "The status alone.", Remedy: "Look whether the app is still installed at the provider and its authorising user still has the rights; then at the provider's status page."},
		},
		See:      []string{"aws codeconnections get-connection --connection-arn ARN", "aws codeconnections list-connections --provider-type-filter PROVIDER"},
		Remedy:   "Restore the app and its authorisation at the provider and wait for AVAILABLE, or point the pipelines at another connection.",
		Severity: fault.High, Bucket: fault.Provider, Since: "0.2.0",
		Links: []string{
			"https://docs.aws.amazon.com/dtconsole/latest/userguide/welcome-connections-workflow.html",
			"https://docs.aws.amazon.com/dtconsole/latest/userguide/troubleshooting-connections.html",
		},
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
