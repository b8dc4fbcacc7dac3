package fault

import (
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

// TimedOut reports whether a text says that an action ran out of its time.
func TimedOut(text string) bool {
	t := strings.ToLower(text)
	for _, w := range []string{"timed out", "timeout", "time out", "exceeded the maximum time", "time limit", "failed to return a result"} {
		if strings.Contains(t, w) {
			return true
		}
	}
	return false
}
