package apimodel

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// text is a scalar whose type the wire does not show: a form value, the text of an XML element, a header.
type text string

// value checks a value against a shape. Objects and maps are map[string]any by their name on the wire, lists []any,
// scalars what encoding/json makes of them with UseNumber, or text. r is the use of the shape, nil at the top.
func (k *check) value(s *shape, v any, a *at, r *ref) {
	if s.Document {
		return
	}
	switch s.Type {
	case "structure":
		if m, ok := v.(map[string]any); ok {
			k.structure(s, m, a)
			return
		}
	case "list":
		if l, ok := v.([]any); ok {
			k.size(s, len(l), a, "entries")
			for i, e := range l {
				k.value(k.m.shape(s.Member), e, &at{up: a, index: i}, s.Member)
			}
			return
		}
	case "map":
		if m, ok := v.(map[string]any); ok {
			k.size(s, len(m), a, "entries")
			for key, e := range m {
				in := &at{up: a, name: key}
				k.value(k.m.shape(s.Key), text(key), in, s.Key)
				k.value(k.m.shape(s.Value), e, in, s.Value)
			}
			return
		}
	default:
		k.scalar(s, v, a, r)
		return
	}
	k.problem(a, "type", "%s instead of a %s", kind(v), s.Type)
}

func (k *check) structure(s *shape, m map[string]any, a *at) {
	present := 0
	for name, v := range m {
		member, ok := s.wire[name]
		if !ok {
			if !k.declared("%s.%s.%s", k.x.Service, s.name, name) {
				k.problem(a, "unknown", "member %s is not in %s", name, s.name)
			}
			continue
		}
		if v == nil {
			continue // null: as if it were not there
		}
		present++
		r := s.Members[member]
		k.value(k.m.shape(&r), v, &at{up: a, name: member}, &r)
	}
	for _, member := range s.Required {
		if m[s.Members[member].wireName(member)] == nil {
			k.problem(a, "required", "member %s of %s is missing", member, s.name)
		}
	}
	if s.Union && present != 1 {
		k.problem(a, "required", "%d members of the union %s", present, s.name)
	}
}

func (k *check) scalar(s *shape, v any, a *at, r *ref) {
	ok := false
	switch s.Type {
	case "string", "character":
		var str string
		if str, ok = asString(v); ok {
			k.str(s, str, a)
		}
	case "integer", "long", "short", "byte":
		bits := map[string]int{"byte": 8, "short": 16, "integer": 32, "long": 64}[s.Type]
		if digits, is := asNumber(v); is {
			n, err := strconv.ParseInt(digits, 10, bits)
			if ok = err == nil; ok {
				k.limits(s, float64(n), a)
			}
		}
	case "float", "double":
		if digits, is := asNumber(v); is {
			f, err := strconv.ParseFloat(digits, 64)
			if ok = err == nil; ok {
				k.limits(s, f, a)
			}
		}
	case "boolean":
		_, ok = v.(bool)
		if t, is := v.(text); is {
			ok = t == "true" || t == "false"
		}
	case "timestamp":
		ok = k.timestamp(s, v, r)
	case "blob":
		if str, is := asString(v); is {
			b, err := base64.StdEncoding.DecodeString(str)
			if ok = err == nil; ok {
				k.size(s, len(b), a, "bytes")
			}
		}
	default:
		k.problem(a, "model", "shape %s has type %q, which this package does not know", s.name, s.Type)
		return
	}
	if !ok {
		k.problem(a, "type", "%s is no %s", kind(v), s.Type)
	}
}

func (k *check) str(s *shape, v string, a *at) {
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) && !k.declared("%s.%s=%s", k.x.Service, s.name, v) {
		k.problem(a, "enum", "%q is none of %s", v, strings.Join(s.Enum, ", "))
	}
	k.size(s, utf8.RuneCountInString(v), a, "characters")
	re, ok := s.regexp()
	switch {
	case !ok:
		k.skipped = append(k.skipped, k.x.Service+"."+s.name)
	case re != nil && !re.MatchString(v) && !k.declared("%s.%s~", k.x.Service, s.name):
		k.problem(a, "pattern", "%q does not match %s", clip(v), s.Pattern)
	}
}

func (k *check) size(s *shape, n int, a *at, unit string) {
	tooFew, tooMany := s.Min != nil && float64(n) < *s.Min, s.Max != nil && float64(n) > *s.Max
	if (!tooFew && !tooMany) || k.declared("%s.%s~", k.x.Service, s.name) {
		return
	}
	if tooFew {
		k.problem(a, "length", "%d %s, at least %v", n, unit, *s.Min)
	} else {
		k.problem(a, "length", "%d %s, at most %v", n, unit, *s.Max)
	}
}

func (k *check) limits(s *shape, n float64, a *at) {
	tooSmall, tooBig := s.Min != nil && n < *s.Min, s.Max != nil && n > *s.Max
	if (!tooSmall && !tooBig) || k.declared("%s.%s~", k.x.Service, s.name) {
		return
	}
	if tooSmall {
		k.problem(a, "range", "%v, at least %v", n, *s.Min)
	} else {
		k.problem(a, "range", "%v, at most %v", n, *s.Max)
	}
}

// timestamp knows the three spellings; which one is meant depends on the protocol and the place unless the model says so.
// https://smithy.io/2.0/spec/protocol-traits.html#timestampformat-trait
func (k *check) timestamp(s *shape, v any, r *ref) bool {
	if k.protocol() == "cbor" {
		_, ok := v.(stamped)
		return ok
	}
	format := s.TimestampFormat
	if r != nil && r.TimestampFormat != "" {
		format = r.TimestampFormat
	}
	if format == "" {
		switch {
		case r != nil && r.Location == "header":
			format = "rfc822"
		case k.protocol() == "query", k.protocol() == "ec2", k.protocol() == "rest-xml", r != nil && (r.Location == "querystring" || r.Location == "uri"):
			format = "iso8601"
		default:
			format = "unixTimestamp"
		}
	}
	if format == "unixTimestamp" {
		digits, ok := asNumber(v)
		if !ok {
			return false
		}
		f, err := strconv.ParseFloat(digits, 64)
		return err == nil && math.Abs(f) < 1e11 // seconds, not milliseconds: before the year 5138
	}
	str, ok := asString(v)
	if !ok {
		return false
	}
	var err error
	if format == "rfc822" {
		_, err = time.Parse(http.TimeFormat, str)
	} else {
		_, err = time.Parse(time.RFC3339, str)
	}
	return err == nil
}

func asString(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case text:
		return string(v), true
	}
	return "", false
}

func asNumber(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return string(v), true
	case text:
		return string(v), true
	}
	return "", false
}

func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "the string " + strconv.Quote(clip(v))
	case text:
		return strconv.Quote(clip(string(v)))
	case json.Number:
		return "the number " + string(v)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		return "a list"
	}
	return "an object"
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
