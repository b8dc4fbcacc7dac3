// Package baselinefile reads and writes the file form of a baseline: a YAML list, refused with line and column as soon as it could mean
// something else than it says. It never decides what an entry hides and never opens a path.
package baselinefile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/unjam/unjam/internal/baseline"
	"github.com/unjam/unjam/internal/fault"
)

// MaxSize is how large a baseline may be, in bytes: some thousand entries.
const MaxSize = 1 << 20

// Parse reads a baseline. name stands in errors, "known.yaml:3:7: reason". Unknown, missing and empty keys are refused, values that are
// not texts, wrong dates, and two entries for one ID; an empty list is a baseline that hides nothing.
func Parse(name string, text []byte) (baseline.Baseline, error) {
	s := source(name)
	b := baseline.Baseline{Name: name}
	if len(text) > MaxSize {
		return b, s.wrong(nil, "it has %d bytes, want at most %d", len(text), MaxSize)
	}
	f, err := parser.ParseBytes(text, 0)
	var y yaml.Error
	switch {
	case errors.As(err, &y):
		return b, s.wrong(y.GetToken(), "%s", y.GetMessage())
	case err != nil:
		return b, s.wrong(nil, "%v", err)
	case len(f.Docs) != 1 || f.Docs[0].Body == nil:
		return b, s.wrong(nil, "want one list of entries; [] is an empty one")
	}
	list, ok := f.Docs[0].Body.(*ast.SequenceNode)
	if !ok {
		return b, s.wrong(f.Docs[0].Body.GetToken(), "want a list of entries with %s", strings.Join(baseline.Keys(), ", "))
	}
	lines := map[string]int{}
	for _, n := range list.Values {
		e, err := s.entry(n)
		if err != nil {
			return b, err
		}
		if before, double := lines[e.ID]; double {
			return b, s.wrong(n.GetToken(), "%s has an entry in line %d already", e.ID, before)
		}
		lines[e.ID] = e.Line
		b.Entries = append(b.Entries, e)
	}
	return b, nil
}

// source is the name of a file, for errors.
type source string

func (s source) wrong(t *token.Token, format string, args ...any) error {
	line, column := 1, 1
	if t != nil && t.Position != nil {
		line, column = t.Position.Line, t.Position.Column
	}
	return fmt.Errorf("read baseline: %s:%d:%d: %s", string(s), line, column, oneLine(fmt.Sprintf(format, args...)))
}

// entry reads one entry and says where it is wrong.
func (s source) entry(n ast.Node) (baseline.Entry, error) {
	var members []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		members = n.Values
	case *ast.MappingValueNode:
		members = []*ast.MappingValueNode{n}
	default:
		return baseline.Entry{}, s.wrong(n.GetToken(), "want an entry with %s", strings.Join(baseline.Keys(), ", "))
	}
	var e baseline.Entry
	into := map[string]*string{"id": &e.ID, "owner": &e.Owner, "reason": &e.Reason, "expires": &e.Expires}
	places := map[string]*token.Token{}
	for _, m := range members {
		at := m.Key.GetToken()
		key := at.Value
		to, known := into[key]
		if !known {
			return e, s.wrong(at, "unknown key %q, want %s", key, strings.Join(baseline.Keys(), ", "))
		}
		places[key] = m.Value.GetToken()
		if e.Line == 0 {
			e.Line = at.Position.Line
		}
		switch v := m.Value.(type) {
		case *ast.StringNode:
			*to = v.Value
		case *ast.LiteralNode:
			*to = v.Value.Value
		case *ast.NullNode:
			places[key] = at
		default:
			return e, s.wrong(places[key], "%s: want a text; put it in quotes", key)
		}
	}
	for _, key := range baseline.Keys() {
		if places[key] == nil {
			return e, s.wrong(n.GetToken(), "the entry has no %s", key)
		}
	}
	if key, why := e.Wrong(); key != "" {
		return e, s.wrong(places[key], "%s: %s", key, why)
	}
	return e, nil
}

// Template writes a baseline for findings, with owner and reason left empty: Parse refuses it until somebody has filled them in.
func Template(all []fault.Finding, expires time.Time) []byte {
	var b strings.Builder
	b.WriteString("# Known findings, for unjam diagnose --baseline. Each needs an owner and a reason; it hides through the day on which it expires (UTC).\n")
	if len(all) == 0 {
		b.WriteString("[]\n")
	}
	for _, f := range slices.SortedFunc(slices.Values(all), func(a, b fault.Finding) int { return strings.Compare(a.ID, b.ID) }) {
		fmt.Fprintf(&b, "\n# %s\n- id: %s\n  owner:\n  reason:\n  expires: %s\n", oneLine(f.Message), f.ID, expires.UTC().Format(time.DateOnly))
	}
	return []byte(b.String())
}

// oneLine is a text without line breaks and what else a terminal might obey.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, text)
}
