package codepipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// rule is one constraint of the API model on a member of an input.
type rule struct {
	// path leads to the member: "filter.pipelineExecutionId", "tags[].key" for one in every entry of a list. A "!" at its end
	// makes the member required wherever what holds it is present.
	path     string
	min, max int // length of a text or a list, value of a number; max 0 means none
	pattern  *regexp.Regexp
	enum     []string
}

// validate judges the input of a call by itself, as the API model describes it. The first breach is told.
func validate(r *cloud.Request, required []string) error {
	for _, m := range required {
		if r.In[m] == nil {
			return missing(m)
		}
	}
	for _, c := range constraints(r.Operation) {
		path, must := strings.CutSuffix(c.path, "!")
		if err := c.walk(r.In, strings.Split(path, "."), "", must); err != nil {
			return err
		}
	}
	return nil
}

// walk follows a path from a structure at a place to every member it leads to.
func (c rule) walk(in map[string]any, path []string, at string, must bool) error {
	name, each := strings.CutSuffix(path[0], "[]")
	v, last := in[name], len(path) == 1
	at += name
	switch {
	case v == nil && last && must:
		return missing(at)
	case v == nil:
		return nil
	case last && !each:
		return c.judge(v, at)
	case !each:
		m, _ := v.(map[string]any)
		return c.walk(m, path[1:], at+".", must)
	}
	list, _ := v.([]any)
	for i, e := range list {
		if last { // the entries themselves
			if err := c.judge(e, fmt.Sprintf("%s.%d.member", at, i+1)); err != nil {
				return err
			}
			continue
		}
		m, _ := e.(map[string]any)
		if err := c.walk(m, path[1:], fmt.Sprintf("%s.%d.member.", at, i+1), must); err != nil {
			return err
		}
	}
	return nil
}

// judge holds one value against the constraint.
func (c rule) judge(v any, at string) error {
	what, size := "value", 0
	switch x := v.(type) {
	case string:
		what, size = "length", len([]rune(x))
	case []any:
		what, size = "length", len(x)
	default:
		n, ok := number(v)
		if !ok {
			return nil
		}
		size = n
	}
	text, isText := v.(string)
	switch {
	case isText && c.enum != nil && !slices.Contains(c.enum, text):
		return invalid(at, v, "Member must satisfy enum value set: ["+strings.Join(c.enum, ", ")+"]")
	case size < c.min:
		return invalid(at, v, fmt.Sprintf("Member must have %s greater than or equal to %d", what, c.min))
	case c.max > 0 && size > c.max:
		return invalid(at, v, fmt.Sprintf("Member must have %s less than or equal to %d", what, c.max))
	case isText && c.pattern != nil && !c.pattern.MatchString(text):
		return invalid(at, v, "Member must satisfy regular expression pattern: "+strings.Trim(c.pattern.String(), "^$"))
	}
	return nil
}

func missing(member string) *cloud.Error {
	return cloud.Errorf("ValidationException", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

func invalid(member string, value any, constraint string) *cloud.Error {
	return cloud.Errorf("ValidationException", "1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}
