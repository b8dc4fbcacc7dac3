package fault

import (
	"slices"

	"github.com/unjam/unjam/internal/fact"
)

// StartedByPush reports whether an execution was started by what happened at a repository, as far as AWS tells: by a push, a tag or a pull
// request, or by a rule or a poll that noticed (API_ExecutionTrigger).
func StartedByPush(e fact.Execution) bool {
	return slices.Contains([]string{"Webhook", "WebhookV2", "CloudWatchEvent", "PollForSourceChanges"}, e.Trigger)
}
