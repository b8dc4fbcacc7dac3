package policy

import "strings"

// Values are the condition keys of a request and their values. Names are compared without case.
type Values map[string][]string

// get finds a key whatever its case; false when the request does not carry it.
func (v Values) get(key string) ([]string, bool) {
	if x, ok := v[key]; ok {
		return x, true
	}
	for k, x := range v {
		if strings.EqualFold(k, key) {
			return x, true
		}
	}
	return nil, false
}

// pattern is a text with wildcards, as runes: literal ones and the two wildcards, which a policy variable such as ${*}
// can turn off.
type pattern []rune

const (
	anyRun rune = -1 // *
	anyOne rune = -2 // ?
)

func wild(s string) pattern {
	p := pattern{}
	for _, r := range s {
		switch r {
		case '*':
			p = append(p, anyRun)
		case '?':
			p = append(p, anyOne)
		default:
			p = append(p, r)
		}
	}
	return p
}

func (p pattern) match(s string) bool {
	text := []rune(s)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(text) {
		switch {
		case i < len(p) && p[i] == anyRun:
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == anyOne || p[i] == text[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == anyRun {
		i++
	}
	return i == len(p)
}

// text is the pattern read literally.
func (p pattern) text() string {
	var b strings.Builder
	for _, r := range p {
		switch r {
		case anyRun:
			b.WriteRune('*')
		case anyOne:
			b.WriteRune('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// segments cuts a pattern at its first five colons: the parts of an ARN.
func (p pattern) segments() []pattern {
	var all []pattern
	start := 0
	for i, r := range p {
		if r == ':' && len(all) < 5 {
			all = append(all, p[start:i])
			start = i + 1
		}
	}
	return append(all, p[start:])
}

func arnMatch(p pattern, arn string) bool {
	if len(p) == 1 && p[0] == anyRun {
		return true
	}
	want, have := p.segments(), strings.SplitN(arn, ":", 6)
	if len(want) != 6 || len(have) != 6 {
		return false
	}
	for i := range want {
		if !want[i].match(have[i]) {
			return false
		}
	}
	return true
}

// expand replaces the policy variables of s. What a variable brings in is literal: its stars are no wildcards.
// False when a variable has neither a single value nor a default; nothing matches such a pattern.
func (s *Statement) expand(text string, ctx Values) (pattern, bool) {
	if !s.variables || !strings.Contains(text, "${") {
		return wild(text), true
	}
	out := pattern{}
	for {
		before, rest, ok := strings.Cut(text, "${")
		out = append(out, wild(before)...)
		if !ok {
			return out, true
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return append(out, wild("${"+rest)...), true
		}
		text = after
		value, ok := variable(name, ctx)
		if !ok {
			return nil, false
		}
		out = append(out, []rune(value)...)
	}
}

func variable(name string, ctx Values) (string, bool) {
	if name == "*" || name == "?" || name == "$" {
		return name, true
	}
	key, def := splitDefault(name)
	if v, ok := ctx.get(key); ok && len(v) == 1 {
		return v[0], true
	}
	if def == nil {
		return "", false
	}
	return *def, true
}

// splitDefault reads ${key, 'default'}.
func splitDefault(name string) (key string, def *string) {
	key, rest, ok := strings.Cut(name, ",")
	key, rest = strings.TrimSpace(key), strings.TrimSpace(rest)
	if ok && len(rest) >= 2 && rest[0] == '\'' && rest[len(rest)-1] == '\'' {
		d := rest[1 : len(rest)-1]
		return key, &d
	}
	return key, nil
}

func (s *Statement) eachVariable(text string, add func(string)) {
	if !s.variables {
		return
	}
	for {
		_, rest, ok := strings.Cut(text, "${")
		if !ok {
			return
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return
		}
		if key, _ := splitDefault(name); key != "*" && key != "?" && key != "$" {
			add(key)
		}
		text = after
	}
}

// actionIn reports whether one of the names, in which case does not count, covers the action.
func actionIn(names []string, action string) bool {
	for _, n := range names {
		if wild(strings.ToLower(n)).match(strings.ToLower(action)) {
			return true
		}
	}
	return false
}

// resourceIn reports whether one of the ARN patterns covers the resource. A wildcard may span colons and slashes.
func (s *Statement) resourceIn(patterns []string, resource string, ctx Values) bool {
	for _, r := range patterns {
		if p, ok := s.expand(r, ctx); ok && p.match(resource) {
			return true
		}
	}
	return false
}

// Covers reports whether action and resource are the statement's, conditions and principal aside; policy variables cover
// nothing.
func (s *Statement) Covers(action, resource string) bool { return s.covers(action, resource, nil) }

// covers reports whether action and resource are the statement's, conditions aside. A statement without resources (a
// trust policy's) covers the resource it hangs on.
func (s *Statement) covers(action, resource string, ctx Values) bool {
	if s.Actions != nil && !actionIn(s.Actions, action) || s.NotActions != nil && actionIn(s.NotActions, action) {
		return false
	}
	if s.Resources != nil {
		return s.resourceIn(s.Resources, resource, ctx)
	}
	if s.NotResources != nil {
		return !s.resourceIn(s.NotResources, resource, ctx)
	}
	return true
}
