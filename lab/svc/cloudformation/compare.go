package cloudformation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// restricted takes what the template states out of what there is.
func restricted(expected, actual map[string]any) map[string]any {
	out := map[string]any{}
	for name := range expected {
		if v := actual[name]; v != nil {
			out[name] = v
		}
	}
	return out
}

// compare lists the properties that differ. Only those that the template states are compared; in lists and in what an action is
// configured with, what the template does not have counts as added.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
func compare(path string, expected, actual any) []difference {
	switch e := expected.(type) {
	case map[string]any:
		if a, ok := actual.(map[string]any); ok {
			return compareStructures(path, e, a)
		}
	case []any:
		if a, ok := actual.([]any); ok {
			return compareLists(path, sorted(e), sorted(a))
		}
	}
	if text(expected) == text(actual) || fmt.Sprint(expected) == fmt.Sprint(actual) {
		return nil
	}
	return []difference{{path, shown(expected), shown(actual), "NOT_EQUAL"}}
}

func compareStructures(path string, expected, actual map[string]any) []difference {
	var all []difference
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		at := path + "/" + name
		if actual[name] == nil {
			all = append(all, difference{at, shown(expected[name]), "null", "REMOVE"})
			continue
		}
		all = append(all, compare(at, expected[name], actual[name])...)
	}
	if !strings.HasSuffix(path, "/Configuration") {
		return all
	}
	for _, name := range slices.Sorted(maps.Keys(actual)) {
		if expected[name] == nil {
			all = append(all, difference{path + "/" + name, "null", shown(actual[name]), "ADD"})
		}
	}
	return all
}

func compareLists(path string, expected, actual []any) []difference {
	var all []difference
	for i := range max(len(expected), len(actual)) {
		at := fmt.Sprint(path, "/", i)
		switch {
		case i >= len(actual):
			all = append(all, difference{at, shown(expected[i]), "null", "REMOVE"})
		case i >= len(expected):
			all = append(all, difference{at, "null", shown(actual[i]), "ADD"})
		default:
			all = append(all, compare(at, expected[i], actual[i])...)
		}
	}
	return all
}

// sorted brings lists without an order, of tags, policies and ARNs, into one.
func sorted(list []any) []any {
	key := func(v any) string {
		m, ok := v.(map[string]any)
		if !ok {
			s, _ := v.(string)
			return s
		}
		for _, k := range []string{"Key", "PolicyName"} {
			if s, ok := m[k].(string); ok {
				return s
			}
		}
		return ""
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(key(a), key(b)) })
	return list
}

// shown is a value as a difference shows it: texts as they are, all else as JSON.
func shown(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return text(v)
}
