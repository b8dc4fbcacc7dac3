package fact

import (
	"regexp"
	"slices"
	"strings"
)

// Trigger is a declared trigger of a source action: what starts the pipeline in the place of change detection. Without filters it is every
// push to the action's own branch. https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html
type Trigger struct {
	Action string      `json:"action"` // name of the source action
	Push   []GitFilter `json:"push,omitempty"`
	Pull   []GitFilter `json:"pullRequest,omitempty"`
}

// GitFilter is one filter of a trigger: one of a list that fits is enough.
type GitFilter struct {
	Tags     *Criteria `json:"tags,omitempty"`
	Branches *Criteria `json:"branches,omitempty"`
	Files    *Criteria `json:"filePaths,omitempty"`
	Events   []string  `json:"events,omitempty"` // of pull requests: OPEN, UPDATED, CLOSED; none means all
}

// Criteria are glob patterns of what is let through. What is excluded stays out whatever includes it; excludes alone let everything else
// through.
type Criteria struct {
	Includes []string `json:"includes,omitempty"`
	Excludes []string `json:"excludes,omitempty"`
}

// Passes reports whether a name is let through; without criteria every name is.
func (c *Criteria) Passes(name string) bool {
	if c == nil {
		return true
	}
	matches := func(pattern string) bool { return GlobPath(pattern, name) }
	return !slices.ContainsFunc(c.Excludes, matches) && (len(c.Includes) == 0 || slices.ContainsFunc(c.Includes, matches))
}

// TriggerOf is the declared trigger of a source action.
func (p Pipeline) TriggerOf(action string) (Trigger, bool) {
	for _, t := range p.Triggers {
		if t.Action == action {
			return t, true
		}
	}
	return Trigger{}, false
}

// GlobPath matches a name with a pattern of CodePipeline: * for any text without a slash, ** for any text, ? for one character, [ab] for one
// of some, {a,b} for one of several patterns, and a backslash takes the next character for itself. A pattern that is none matches nothing but
// its own text. https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
func GlobPath(pattern, name string) bool {
	if re, err := regexp.Compile(`^(?s:` + expression(pattern) + `)$`); err == nil {
		return re.MatchString(name)
	}
	return pattern == name
}

// expression is a pattern as a regular expression, which takes no longer than the name is long.
func expression(pattern string) string {
	var b strings.Builder
	in := []rune(pattern)
	depth := 0
	for i := 0; i < len(in); i++ {
		switch c := in[i]; {
		case c == '*' && i+1 < len(in) && in[i+1] == '*':
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '[', c == ']':
			b.WriteRune(c)
		case c == '{':
			depth++
			b.WriteString("(?:")
		case c == '}' && depth > 0:
			depth--
			b.WriteString(")")
		case c == ',' && depth > 0:
			b.WriteString("|")
		case c == '\\' && i+1 < len(in):
			i++
			b.WriteString(regexp.QuoteMeta(string(in[i])))
		case c == '-' || c == '!':
			b.WriteRune(c)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String()
}
