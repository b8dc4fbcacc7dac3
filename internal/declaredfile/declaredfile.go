// Package declaredfile reads the file form of a user's own fault: one YAML document, refused with line and column as soon as it could mean
// something else than it says. It never judges anything and never opens a path.
package declaredfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/unjam/unjam/internal/declared"
	"github.com/unjam/unjam/internal/fault"
)

// MaxSize is how large a file may be, in bytes.
const MaxSize = 64 << 10

// Parse reads a fault and compiles it. name stands in errors, "faults/ours.yaml:3:7: reason". Unknown, double and missing members are
// refused, values that are not texts, and everything that declared.Compile refuses.
func Parse(name string, text []byte) (*fault.Fault, error) {
	spec, err := read(name, text)
	if err != nil {
		return nil, err
	}
	return declared.Compile(spec)
}

// file is a file being read.
type file struct {
	name  string
	lines []string
}

func (f file) wrong(t *token.Token, format string, args ...any) error {
	e := &declared.Error{File: f.name, Line: 1, Column: 1, Reason: strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")}
	if t != nil && t.Position != nil {
		e.Line, e.Column = max(t.Position.Line, 1), max(t.Position.Column, 1)
	}
	return e
}

// read reads the members of a declaration.
func read(name string, text []byte) (*declared.Spec, error) {
	f := file{name: name, lines: strings.Split(string(text), "\n")}
	if len(text) > MaxSize {
		return nil, f.wrong(nil, "it has %d bytes, want at most %d", len(text), MaxSize)
	}
	if strings.ContainsRune(string(text), '\r') {
		return nil, f.wrong(nil, "lines end in CR: save it with plain line ends")
	}
	doc, err := parser.ParseBytes(text, 0)
	var y yaml.Error
	switch {
	case errors.As(err, &y):
		return nil, f.wrong(y.GetToken(), "%s", y.GetMessage())
	case err != nil:
		return nil, f.wrong(nil, "%v", err)
	case len(doc.Docs) != 1 || doc.Docs[0].Body == nil:
		return nil, f.wrong(nil, "want one fault: code, title and the rest (docs/own-faults.md)")
	}
	s := &declared.Spec{File: name}
	err = f.members(doc.Docs[0].Body, "", map[string]any{
		"code": &s.Code, "title": &s.Title, "symptom": &s.Symptom, "text": &s.Text, "severity": &s.Severity, "bucket": &s.Bucket, "since": &s.Since,
		"links": &s.Links, "see": &s.See, "remedy": &s.Remedy, "for": &s.For, "reads": &s.Reads, "when": &s.When, "causes": &s.Causes,
		"evidence": &s.Evidence, "message": &s.Message,
	})
	if err == nil && s.Code.Line == 0 { // what else is missing is said at the code
		err = f.wrong(nil, "there is no code")
	}
	return s, err
}

// members reads a mapping into texts, lists of texts, and lists of mappings. of names the mapping in errors.
func (f file) members(n ast.Node, of string, into map[string]any) error {
	var all []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		all = n.Values
	case *ast.MappingValueNode:
		all = []*ast.MappingValueNode{n}
	default:
		return f.wrong(n.GetToken(), "%swant members: %s", of, names(into))
	}
	seen := map[string]bool{}
	for _, m := range all {
		at := m.Key.GetToken()
		to, known := into[at.Value]
		switch {
		case !known:
			return f.wrong(at, "%sunknown member %q, want %s", of, at.Value, names(into))
		case seen[at.Value]:
			return f.wrong(at, "%s%s is there twice", of, at.Value)
		}
		seen[at.Value] = true
		if err := f.member(m, of+at.Value+": ", to); err != nil {
			return err
		}
	}
	return nil
}

func (f file) member(m *ast.MappingValueNode, of string, into any) (err error) {
	switch to := into.(type) {
	case *declared.Text:
		*to, err = f.text(m.Value, m.Key.GetToken(), of)
		return err
	case *[]declared.Text:
		return f.list(m.Value, of, func(n ast.Node) error {
			t, err := f.text(n, n.GetToken(), of)
			*to = append(*to, t)
			return err
		})
	case *[]declared.Cause:
		return f.list(m.Value, of, func(n ast.Node) error {
			var c declared.Cause
			err := f.members(n, of, map[string]any{"code": &c.Code, "when": &c.When, "text": &c.Text, "remedy": &c.Remedy, "class": &c.Class})
			*to = append(*to, c)
			return f.beside(err, n, of, c.Code.Line, "code")
		})
	case *[]declared.Evidence:
		return f.list(m.Value, of, func(n ast.Node) error {
			var e declared.Evidence
			err := f.members(n, of, map[string]any{"field": &e.Field, "got": &e.Got, "want": &e.Want, "class": &e.Class})
			*to = append(*to, e)
			return f.beside(err, n, of, e.Field.Line, "field")
		})
	}
	return fmt.Errorf("read %s: no place for a %T", of, into)
}

// beside reports an entry of a list that lacks the member by which errors find it.
func (f file) beside(err error, n ast.Node, of string, line int, member string) error {
	if err == nil && line == 0 {
		return f.wrong(n.GetToken(), "%sthe entry has no %s", of, member)
	}
	return err
}

func (f file) list(n ast.Node, of string, each func(ast.Node) error) error {
	all, ok := n.(*ast.SequenceNode)
	if !ok {
		return f.wrong(n.GetToken(), "%swant a list", of)
	}
	for _, x := range all.Values {
		if err := each(x); err != nil {
			return err
		}
	}
	return nil
}

// text reads a text with its place. A member without a value is an empty text at its key.
func (f file) text(n ast.Node, key *token.Token, of string) (declared.Text, error) {
	at := n.GetToken().Position
	switch n := n.(type) {
	case *ast.StringNode:
		t := declared.Text{Value: n.Value, Line: at.Line, Column: at.Column}
		quoted := n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
		if quoted {
			t.Column++
		}
		t.Straight = f.stands(t)
		if !t.Straight && quoted {
			t.Column--
		}
		return t, nil
	case *ast.LiteralNode:
		return f.block(n), nil
	case *ast.NullNode:
		return declared.Text{Line: key.Position.Line, Column: key.Position.Column}, nil
	}
	return declared.Text{}, f.wrong(n.GetToken(), "%swant a text; put it in quotes, or in a block behind |", of)
}

// stands reports whether a text of one line stands in the file as it is.
func (f file) stands(t declared.Text) bool {
	if t.Line < 1 || t.Line > len(f.lines) || strings.Contains(t.Value, "\n") {
		return false
	}
	line := []rune(f.lines[t.Line-1])
	return t.Column >= 1 && t.Column <= len(line) && strings.HasPrefix(string(line[t.Column-1:]), t.Value)
}

// block is the text of a block behind | or >. Places in it are known when its lines stand in the file as they are.
func (f file) block(n *ast.LiteralNode) declared.Text {
	at := n.Start.Position
	t := declared.Text{Value: n.Value.Value, Line: at.Line, Column: at.Column}
	if at.Line < 1 || at.Line >= len(f.lines) {
		return t
	}
	first := f.lines[at.Line]
	indent := len(first) - len(strings.TrimLeft(first, " "))
	for i, line := range strings.Split(strings.TrimRight(t.Value, "\n"), "\n") {
		if at.Line+i >= len(f.lines) || strings.TrimRight(f.lines[at.Line+i], " ") != strings.TrimRight(strings.Repeat(" ", indent)+line, " ") {
			return t
		}
	}
	return declared.Text{Value: t.Value, Line: at.Line + 1, Column: indent + 1, Straight: true}
}

// names are the members of a mapping, sorted.
func names(into map[string]any) string {
	var all []string
	for n := range into {
		all = append(all, n)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
