package fault

import "strings"

// LimitKind says what sort of limit a text names.
type LimitKind string

// The kinds.
const (
	NoLimit LimitKind = ""
	Rate    LimitKind = "rate"  // passes by itself
	Limit   LimitKind = "limit" // stays until there is room or the quota is raised
)

// Told reads an error code or text: a rate, a limit, or neither. LimitExceeded means a quota here, although the SDKs take it for a
// rate (docs/aws-facts.md, "Quotas").
func Told(text string) LimitKind {
	t := strings.ToLower(text)
	for _, w := range []string{"rate exceeded", "throttlingexception", "throttling:", "requestlimitexceeded", "too many requests", "toomanyrequestsexception", "request rate", "slowdown"} {
		if strings.Contains(t, w) {
			return Rate
		}
	}
	for _, w := range []string{"limitexceeded", "limit exceeded", "quota exceeded", "exceeded the limit", "exceeded the maximum number", "quota has been reached", "limit was exceeded"} {
		if strings.Contains(t, w) {
			return Limit
		}
	}
	return NoLimit
}
