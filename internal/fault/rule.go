package fault

import (
	"net/url"

	"github.com/unjam/unjam/internal/fact"
)

// RuleLink is the console's page of a rule of EventBridge's default bus.
func RuleLink(q fact.Question, region, name string) string {
	return console(q, region) + "/events/home?region=" + region + "#/eventbus/default/rules/" + url.PathEscape(name)
}
