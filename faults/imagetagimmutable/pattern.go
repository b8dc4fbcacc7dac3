package imagetagimmutable

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// match says whether a pattern lets an event through.
type match int

const (
	no match = iota
	unsure
	yes
)

// miss is one field of a pattern that an event does not meet.
type miss struct {
	path  string // detail.image-tag
	wants string // what the pattern says there, as JSON
	exact bool   // of exact values alone
}

// push is the event of a push of an image, as ECR sends it (docs/aws-facts.md, "Pushes of images"). The tag "" stands for any.
func push(p fact.Pipeline, repository, tag string) map[string]any {
	scope := p.Ref().Scope
	return map[string]any{"source": "aws.ecr", "detail-type": "ECR Image Action", "account": scope.Account, "region": scope.Region,
		"detail": map[string]any{"action-type": "PUSH", "result": "SUCCESS", "repository-name": repository, "image-tag": tag}}
}

// unknowable are the fields of the event whose value nobody can say before it is there.
var unknowable = []string{"version", "id", "time", "resources", "detail.image-digest", "detail.manifest-media-type", "detail.artifact-media-type"}

// judge holds a pattern against an event: whether it matches, and the fields that it misses. What the program does not know of patterns
// makes it unsure, never sure.
func judge(pattern string, event map[string]any) (match, []miss) {
	var want map[string]any
	if json.Unmarshal([]byte(pattern), &want) != nil || len(want) == 0 {
		return no, nil // a schedule
	}
	return fields(want, event, "")
}

func fields(want, event map[string]any, at string) (match, []miss) {
	out := yes
	var all []miss
	for _, name := range sorted(want) {
		path := at + name
		var m match
		var below []miss
		deeper, isMap := want[name].(map[string]any)
		values, isList := want[name].([]any)
		got, there := event[name]
		sub, _ := got.(map[string]any)
		switch {
		case strings.HasPrefix(name, "$"), !isMap && !isList:
			m = unsure
		case isMap:
			m, below = fields(deeper, sub, path+".")
		default:
			if m = list(values, path, got, there); m == no {
				below = []miss{{path: path, wants: encode(values), exact: exact(values)}}
			}
		}
		out, all = min(out, m), append(all, below...)
	}
	return out, all
}

// list is whether one of the values in a pattern's list is met.
func list(values []any, path string, got any, there bool) match {
	out := no
	for _, v := range values {
		out = max(out, value(v, path, got, there))
	}
	return out
}

func value(want any, path string, got any, there bool) match {
	op, isOp := want.(map[string]any)
	text, _ := got.(string)
	if exists, ok := op["exists"].(bool); ok && len(op) == 1 && there {
		return of(exists)
	}
	if !there {
		if slices.Contains(unknowable, path) {
			return unsure
		}
		return no // an event without the field meets nothing but {"exists": false}
	}
	if text == "" { // any tag
		return unsure
	}
	if !isOp {
		return of(want == got)
	}
	if len(op) != 1 {
		return unsure
	}
	for name, v := range op {
		return operator(name, v, text)
	}
	return unsure
}

func of(met bool) match {
	if met {
		return yes
	}
	return no
}

// operator is one comparison of a pattern (docs/aws-facts.md, "Pushes of images").
func operator(name string, v any, text string) match {
	say, isText := v.(string)
	switch {
	case name == "prefix" && isText:
		return of(strings.HasPrefix(text, say))
	case name == "suffix" && isText:
		return of(strings.HasSuffix(text, say))
	case name == "equals-ignore-case" && isText:
		return of(strings.EqualFold(text, say))
	case name == "wildcard" && isText:
		return of(fact.Wildcard(say, text))
	case name == "anything-but" && isText:
		return of(text != say)
	case name == "anything-but":
		if values, ok := v.([]any); ok {
			return of(!slices.Contains(values, any(text)))
		}
	}
	return unsure
}

// exact reports whether a list holds plain values alone.
func exact(values []any) bool {
	return !slices.ContainsFunc(values, func(v any) bool { _, op := v.(map[string]any); return op })
}

func sorted(m map[string]any) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("imagetagimmutable: " + err.Error()) // it came out of JSON
	}
	return string(b)
}

// about reports whether a pattern may be about images of ECR at all.
func about(pattern string) bool {
	var want map[string]any
	if json.Unmarshal([]byte(pattern), &want) != nil || len(want) == 0 {
		return false
	}
	values, ok := want["source"].([]any)
	if !ok {
		return want["detail-type"] != nil && strings.Contains(encode(want["detail-type"]), "ECR")
	}
	return list(values, "source", "aws.ecr", true) != no
}

// mended is a pattern with the fields that it misses set to what the event has; false when a field cannot be set so.
func mended(pattern string, misses []miss, event map[string]any) (string, bool) {
	var want map[string]any
	if json.Unmarshal([]byte(pattern), &want) != nil {
		return "", false
	}
	for _, m := range misses {
		in, from := want, event
		parts := strings.Split(m.path, ".")
		for _, p := range parts[:len(parts)-1] {
			in, _ = in[p].(map[string]any)
			from, _ = from[p].(map[string]any)
		}
		text, ok := from[parts[len(parts)-1]].(string)
		if !ok || in == nil || m.path == "account" || m.path == "region" {
			return "", false
		}
		in[parts[len(parts)-1]] = []any{text}
	}
	return encode(want), true
}
