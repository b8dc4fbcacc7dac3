package policy

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// test is one condition operator, taken apart.
type test struct {
	compare  func(want pattern, have string) bool
	negated  bool
	ifExists bool
	null     bool
	set      string // "", ForAnyValue, ForAllValues
}

// operator finds a condition operator by name. Names are compared without case.
func operator(name string) (test, error) {
	var t test
	base := name
	if i := strings.Index(base, ":"); i >= 0 {
		switch strings.ToLower(base[:i]) {
		case "foranyvalue":
			t.set = "ForAnyValue"
		case "forallvalues":
			t.set = "ForAllValues"
		default:
			return t, syntaxf("Invalid Condition type : %s.", name)
		}
		base = base[i+1:]
	}
	base = strings.ToLower(base)
	if base == "null" {
		t.null = true
		return t, nil
	}
	base, t.ifExists = strings.CutSuffix(base, "ifexists")
	positive, ok := comparisons(base)
	if !ok && strings.Contains(base, "not") {
		t.negated = true
		positive, ok = comparisons(strings.Replace(base, "not", "", 1))
	}
	if !ok || t.negated && !negatable(base) {
		return t, syntaxf("Invalid Condition type : %s.", name)
	}
	t.compare = positive
	return t, nil
}

// negatable are the operators that have a Not form.
func negatable(base string) bool {
	switch base {
	case "stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike",
		"numericnotequals", "datenotequals", "notipaddress":
		return true
	}
	return false
}

func comparisons(base string) (func(pattern, string) bool, bool) {
	switch base {
	case "stringequals":
		return func(p pattern, s string) bool { return p.text() == s }, true
	case "stringequalsignorecase":
		return func(p pattern, s string) bool { return strings.EqualFold(p.text(), s) }, true
	case "stringlike":
		return func(p pattern, s string) bool { return p.match(s) }, true
	case "arnequals", "arnlike": // the two are the same
		return arnMatch, true
	case "bool":
		return func(p pattern, s string) bool { return strings.EqualFold(p.text(), s) }, true
	case "binaryequals":
		return binaryEquals, true
	case "ipaddress":
		return inNetwork, true
	}
	for _, kind := range []string{"numeric", "date"} {
		order, ok := strings.CutPrefix(base, kind)
		holds := orders(order)
		if !ok || holds == nil {
			continue
		}
		read := number
		if kind == "date" {
			read = date
		}
		return func(p pattern, s string) bool {
			want, ok1 := read(p.text())
			have, ok2 := read(s)
			return ok1 && ok2 && holds(have, want)
		}, true
	}
	return nil, false
}

func orders(name string) func(have, want float64) bool {
	switch name {
	case "equals":
		return func(a, b float64) bool { return a == b }
	case "lessthan":
		return func(a, b float64) bool { return a < b }
	case "lessthanequals":
		return func(a, b float64) bool { return a <= b }
	case "greaterthan":
		return func(a, b float64) bool { return a > b }
	case "greaterthanequals":
		return func(a, b float64) bool { return a >= b }
	}
	return nil
}

func number(s string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return n, err == nil
}

// date reads an ISO 8601 date or seconds since 1970, the two forms IAM takes.
func date(s string) (float64, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return float64(t.UnixNano()) / 1e9, true
		}
	}
	return number(s)
}

func inNetwork(p pattern, s string) bool {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	if net, err := netip.ParsePrefix(p.text()); err == nil {
		return net.Contains(ip)
	}
	one, err := netip.ParseAddr(p.text())
	return err == nil && one == ip
}

func binaryEquals(p pattern, s string) bool {
	want, err1 := base64.StdEncoding.DecodeString(p.text())
	have, err2 := base64.StdEncoding.DecodeString(s)
	return err1 == nil && err2 == nil && string(want) == string(have)
}

// holds reports whether a condition is met.
//
// The rules for a key the request does not carry: Null answers; ...IfExists is met; ForAllValues is met (so an Allow
// resting on it alone is wide open); ForAnyValue is not; a negated operator is met; all others are not.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func (c *Condition) holds(s *Statement, ctx Values) bool {
	have, ok := ctx.get(c.Key)
	missing := !ok || len(have) == 0
	t := c.test
	if t.null {
		for _, v := range c.Values {
			if strings.EqualFold(v, "true") == missing {
				return true
			}
		}
		return false
	}
	if missing {
		if t.ifExists || t.set == "ForAllValues" {
			return true
		}
		return t.negated && t.set == ""
	}
	met := func(v string) bool { return c.any(s, v, ctx) != t.negated }
	switch {
	case t.set == "ForAllValues", t.set == "" && t.negated:
		return all(have, met)
	default:
		return some(have, met)
	}
}

// any reports whether a value equals one of the condition's.
func (c *Condition) any(s *Statement, have string, ctx Values) bool {
	for _, w := range c.Values {
		if p, ok := s.expand(w, ctx); ok && c.test.compare(p, have) {
			return true
		}
	}
	return false
}

func all(vs []string, f func(string) bool) bool {
	for _, v := range vs {
		if !f(v) {
			return false
		}
	}
	return true
}

func some(vs []string, f func(string) bool) bool {
	for _, v := range vs {
		if f(v) {
			return true
		}
	}
	return false
}
