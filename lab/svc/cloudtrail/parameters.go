package cloudtrail

import (
	"encoding/json"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxField is how many bytes of a request or a reply an event shows.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
const maxField = 100 << 10

// hidden stands for a secret.
const hidden = "****"

// secret tells the members whose values CloudTrail does not show.
func secret(name string) bool {
	switch name {
	case "OAuthToken", "RefreshToken", "ClientSecret", "SecretToken", "SecretAccessKey", "SessionToken":
		return true
	}
	return false
}

// within is a request or a reply as the event shows it: what is too large is omitted as a whole. That it is marked as omitted is
// documented, the other two members are known from public reports.
func (e entry) within(v any, field string) any {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil || len(b) <= e.max {
		return v
	}
	return map[string]any{"omitted": true, "originalSize": len(b), "reason": field + " too large"}
}

// parameters writes a call's members as CloudTrail does: names begin with a lower-case letter, secrets are masked,
// nothing at all is null.
func parameters(in map[string]any) any {
	if len(in) == 0 {
		return nil
	}
	return lower(in)
}

func lower(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			switch {
			case k == "configuration" || k == "Configuration": // an action's own keys are data, not members
				out["configuration"] = masked(x)
			case secret(k):
				out[lowerFirst(k)] = hidden
			default:
				out[lowerFirst(k)] = lower(x)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = lower(x)
		}
		return out
	case []map[string]any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = lower(x)
		}
		return out
	case time.Time:
		return stamp(v)
	}
	return v
}

func masked(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, x := range m {
		if secret(k) {
			x = hidden
		}
		out[k] = x
	}
	return out
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}
