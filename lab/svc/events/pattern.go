package events

import (
	"encoding/json"
	"slices"
	"strings"
)

// judge says what is wrong with the form of a pattern; "" for a good one.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
func judge(text string) string {
	var pattern map[string]any
	if err := json.Unmarshal([]byte(text), &pattern); err != nil || pattern == nil {
		return "Filter is not an object"
	}
	if len(pattern) == 0 {
		return "Empty pattern"
	}
	return form(pattern)
}

func form(pattern map[string]any) string {
	for name, v := range pattern {
		switch x := v.(type) {
		case map[string]any:
			if why := form(x); why != "" {
				return why
			}
		case []any:
			if len(x) == 0 {
				return `Empty arrays are not allowed: "` + name + `"`
			}
		default:
			return `"` + name + `" must be an object or an array`
		}
	}
	return ""
}

// matches reports whether a pattern matches an event: every field that it names must have one of the values. Of the comparisons it knows
// prefix, suffix, anything-but, equals-ignore-case, wildcard and exists; any other matches nothing, which is the harsher reading.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
func matches(pattern, event map[string]any) bool {
	for name, want := range pattern {
		got, there := event[name]
		if deeper, ok := want.(map[string]any); ok {
			m, isMap := got.(map[string]any)
			if !isMap && there {
				return false
			}
			if !matches(deeper, m) {
				return false
			}
			continue
		}
		values, _ := want.([]any)
		if !slices.ContainsFunc(values, func(v any) bool { return meets(v, got, there) }) {
			return false
		}
	}
	return true
}

// meets reports whether a value of the event, or one in its list of values, is what one entry of a pattern wants.
func meets(want, got any, there bool) bool {
	if op, ok := want.(map[string]any); ok {
		if exists, ok := op["exists"].(bool); ok && len(op) == 1 {
			return exists == there
		}
	}
	if list, ok := got.([]any); ok {
		return slices.ContainsFunc(list, func(x any) bool { return meets(want, x, true) })
	}
	if !there {
		return false
	}
	op, ok := want.(map[string]any)
	if !ok {
		return want == got
	}
	text, isText := got.(string)
	if len(op) != 1 || !isText {
		return false
	}
	for name, v := range op {
		return compares(name, v, text)
	}
	return false
}

func compares(name string, v any, text string) bool {
	say, isText := v.(string)
	switch {
	case name == "prefix" && isText:
		return strings.HasPrefix(text, say)
	case name == "suffix" && isText:
		return strings.HasSuffix(text, say)
	case name == "equals-ignore-case" && isText:
		return strings.EqualFold(text, say)
	case name == "wildcard" && isText:
		return wild(say, text)
	case name == "anything-but" && isText:
		return text != say
	case name == "anything-but":
		list, ok := v.([]any)
		return ok && !slices.Contains(list, any(text))
	}
	return false
}

// wild matches a text with a pattern in which * stands for any text.
func wild(pattern, text string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star || !strings.HasPrefix(text, before) {
		return pattern == text
	}
	text = text[len(before):]
	for i := 0; i <= len(text); i++ {
		if wild(after, text[i:]) {
			return true
		}
	}
	return false
}
