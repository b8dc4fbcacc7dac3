package fault

import (
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
)

// TimeLimit is how long an action may run before CodePipeline fails it (docs/aws-facts.md, "Quotas"): the default of its provider.
// Where a limit can be raised or set, the true one may be longer or, for approvals, shorter.
func TimeLimit(a fact.Action) (limit time.Duration, name string) {
	day := 24 * time.Hour
	if a.Timeout > 0 {
		return a.Timeout, "the action's own timeoutInMinutes"
	}
	switch {
	case a.Category == "Approval":
		return 7 * day, "7 days for an approval"
	case a.Owner == "Custom":
		return day, "24 hours for a custom action"
	}
	switch a.Provider {
	case "CodeBuild":
		return 36 * time.Hour, "36 hours for CodeBuild"
	case "CloudFormation", "CloudFormationStackSet", "CloudFormationStackInstances":
		return 3 * day, "3 days for CloudFormation"
	case "CodeDeploy", "CodeDeployToECS":
		return 5 * day, "5 days for CodeDeploy"
	case "Lambda":
		return day, "24 hours for Lambda"
	case "S3":
		if a.Category == "Deploy" {
			return 90 * time.Minute, "90 minutes for a deployment to S3"
		}
	}
	return time.Hour, "1 hour for this kind of action"
}

// Clock is which limit ends a running action, and when.
type Clock struct {
	Started, Ends time.Time
	Limit         time.Duration
	Name          string
}

// ClockOf is the clock of a running action; its start is its last status change.
func ClockOf(c Current) Clock {
	limit, name := TimeLimit(c.Action)
	return Clock{Started: c.State.Changed, Ends: c.State.Changed.Add(limit), Limit: limit, Name: name}
}

// TimedOut reports whether a text says that an action ran out of its time: a call of its own that got no answer did not.
func TimedOut(text string) bool {
	return !OfNetwork(text) && says(text, "timed out", "timeout", "time out", "exceeded the maximum time", "time limit", "failed to return a result")
}

// OfNetwork reports whether a text tells of a connection that did not come about: of a build, a function or a deployment, which print what
// their tools say. It is a hint.
func OfNetwork(text string) bool {
	return says(text, "connection timed out", "connect timed out", "connect timeout", "connection timeout", "i/o timeout", "etimedout", "connection refused", "econnrefused", "connection reset",
		"econnreset", "could not connect", "unable to connect", "cannot connect", "failed to connect", "no such host", "unknown host", "enotfound", "could not resolve", "name resolution",
		"network is unreachable", "no route to host", "tls handshake timeout")
}

func says(text string, words ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}
