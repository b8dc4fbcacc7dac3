package guard

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// source is the text of a policy, to say where in it something is wrong.
type source struct {
	name string
	file *ast.File
}

// parseSource refuses what is not exactly one YAML document with keys at its top. Anchors and aliases are refused as well: a policy says
// each thing where it is read.
func parseSource(name string, text []byte) (source, error) {
	s := source{name: name}
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		return s, s.located(err)
	}
	s.file = f
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return s, fmt.Errorf("read policy: %s: want one document that is not empty; to have no policy, remove the file", name)
	}
	switch f.Docs[0].Body.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		return s, s.wrong(f.Docs[0].Body.GetToken(), "want keys such as approvals, accounts, windows, breaker")
	}
	v := &oddity{}
	ast.Walk(v, f.Docs[0].Body)
	if v.found != nil {
		return s, s.wrong(v.found.GetToken(), "%s", v.why)
	}
	return s, nil
}

// oddity finds what does not stand for itself, and what the library would read as something else than is written: 012 as 10, 1.5 as 1,
// nothing as a default.
type oddity struct {
	found ast.Node
	why   string
}

func (v *oddity) Visit(n ast.Node) ast.Visitor {
	why := ""
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		why = "anchors, aliases, merge keys and tags are not for policies: write each value where it belongs"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		why = "no key takes a number like this"
	case *ast.IntegerNode:
		if text := n.GetToken().Value; len(text) > 1 && strings.Trim(text, "0123456789-") != "" || strings.HasPrefix(strings.TrimPrefix(text, "-"), "0") && len(text) > 1 {
			why = "write the number in decimal digits, and an account ID in quotes"
		}
	case *ast.NullNode:
		why = "nothing stands here: write a value, or leave the key away"
	}
	if why != "" && v.found == nil {
		v.found, v.why = n, why
	}
	return v
}

// node is what stands at a path, nil when nothing does.
func (s source) node(path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	n, err := p.FilterFile(s.file)
	if err != nil {
		return nil
	}
	return n
}

func (s source) has(path string) bool { return s.node(path) != nil }

// at is an error about what stands at a path, or about the nearest thing above it that is there.
func (s source) at(path, format string, args ...any) error {
	for p := path; p != "$" && p != ""; p = p[:strings.LastIndexAny(p, ".[")] {
		if n := s.node(p); n != nil {
			return s.wrong(n.GetToken(), format, args...)
		}
	}
	return s.wrong(nil, format, args...)
}

func (s source) wrong(t *token.Token, format string, args ...any) error {
	line, column := 1, 1
	if t != nil && t.Position != nil {
		line, column = t.Position.Line, t.Position.Column
	}
	return fmt.Errorf("read policy: %s:%d:%d: %s", s.name, line, column, oneLine(fmt.Sprintf(format, args...)))
}

// oneLine is a message without line breaks and what else a terminal might obey: parts of it are from the file.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, text)
}

// located is an error of the YAML library in one line with its place.
func (s source) located(err error) error {
	var y yaml.Error
	if errors.As(err, &y) {
		return s.wrong(y.GetToken(), "%s", strings.ReplaceAll(y.GetMessage(), "Go value of type", "what is wanted:"))
	}
	return s.wrong(nil, "%s", err.Error())
}
