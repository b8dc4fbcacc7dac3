package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// query is the part of AWS Config's query language that the lab knows: SELECT of fields, WHERE with =, IN, LIKE and AND.
// https://docs.aws.amazon.com/config/latest/developerguide/query-components.html
type query struct {
	fields []string
	where  []condition
}

// condition holds for a resource when any value found at its path does: lists on the way are looked through.
type condition struct {
	path   string
	values []string // any of them; texts without their quotes
	prefix bool     // LIKE 'text%'
}

func refused(format string, args ...any) *cloud.Error {
	return cloud.Errorf("InvalidExpressionException", "Syntax error in the query: "+format, args...)
}

// topLevel are the fields beside the configuration; SELECT * means those that are scalars.
func topLevel() []string {
	return []string{"accountId", "arn", "awsRegion", "availabilityZone", "configurationItemCaptureTime", "configurationItemStatus",
		"configurationStateId", "resourceCreationTime", "resourceId", "resourceName", "resourceType", "version"}
}

var tokens = regexp.MustCompile(`\s*('(?:[^']|'')*'|[A-Za-z_][\w.]*|[0-9]+(?:\.[0-9]+)?|[=,()*]|\S)`)

// parser reads a query from left to right.
type parser struct{ words []string }

// parse reads an expression. Anything beyond the subset is refused, as AWS refuses what it does not know.
func parse(expression string) (query, error) {
	p := &parser{}
	for _, m := range tokens.FindAllStringSubmatch(strings.TrimSpace(expression), -1) {
		p.words = append(p.words, m[1])
	}
	var q query
	if !p.keyword("SELECT") {
		return q, refused("expected SELECT at %s", p.rest())
	}
	if err := p.selected(&q); err != nil {
		return q, err
	}
	if !p.keyword("WHERE") {
		if len(p.words) > 0 {
			return q, refused("unexpected %s", p.rest())
		}
		return q, nil
	}
	for {
		c, err := p.condition()
		if err != nil {
			return q, err
		}
		q.where = append(q.where, c)
		if !p.keyword("AND") {
			break
		}
	}
	if len(p.words) > 0 {
		return q, refused("unexpected %s", p.rest())
	}
	return q, nil
}

func (p *parser) selected(q *query) error {
	if p.take("*") {
		q.fields = topLevel()
		return nil
	}
	for {
		f, err := p.field()
		if err != nil {
			return err
		}
		q.fields = append(q.fields, f)
		if !p.take(",") {
			return nil
		}
	}
}

// field reads a name: of a top-level field, tags, relationships, or a path into the configuration.
func (p *parser) field() (string, error) {
	if len(p.words) == 0 {
		return "", refused("a property is missing")
	}
	f := p.words[0]
	root, _, _ := strings.Cut(f, ".")
	if f != root && root != "configuration" && root != "tags" || f == root && !slices.Contains(append(topLevel(), "configuration", "supplementaryConfiguration", "tags"), f) {
		return "", refused("unknown property %s", f)
	}
	p.words = p.words[1:]
	return f, nil
}

func (p *parser) condition() (condition, error) {
	path, err := p.field()
	if err != nil {
		return condition{}, err
	}
	if !searchable(path) {
		return condition{}, refused("property %s cannot be searched", path)
	}
	c := condition{path: path}
	switch {
	case p.take("="):
		v, err := p.value()
		c.values = []string{v}
		return c, err
	case p.keyword("LIKE"):
		v, err := p.value()
		if err != nil {
			return c, err
		}
		start, ok := strings.CutSuffix(v, "%")
		if !ok || len(start) < 3 || strings.ContainsAny(start, "%_") {
			return c, refused("LIKE takes a wildcard at the end, after three characters or more: %s", v)
		}
		c.values, c.prefix = []string{start}, true
		return c, nil
	case p.keyword("IN"):
		c.values, err = p.list()
		return c, err
	}
	return c, refused("expected =, IN or LIKE at %s", p.rest())
}

func (p *parser) list() ([]string, error) {
	if !p.take("(") {
		return nil, refused("expected ( at %s", p.rest())
	}
	var all []string
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		if p.take(")") {
			return all, nil
		}
		if !p.take(",") {
			return nil, refused("expected , or ) at %s", p.rest())
		}
	}
}

func (p *parser) value() (string, error) {
	if len(p.words) == 0 {
		return "", refused("a value is missing")
	}
	w := p.words[0]
	p.words = p.words[1:]
	switch {
	case len(w) >= 2 && w[0] == '\'':
		return strings.ReplaceAll(w[1:len(w)-1], "''", "'"), nil
	case w[0] >= '0' && w[0] <= '9', w == "true", w == "false":
		return w, nil
	}
	return "", refused("unexpected %s", w)
}

func (p *parser) take(word string) bool {
	if len(p.words) == 0 || p.words[0] != word {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *parser) keyword(word string) bool {
	return len(p.words) > 0 && strings.EqualFold(p.words[0], word) && p.take(p.words[0])
}

func (p *parser) rest() string {
	if len(p.words) == 0 {
		return "the end"
	}
	return "'" + p.words[0] + "'"
}

// searchable reports whether a condition may name a path: what the published schema lacks can be selected, not searched.
func searchable(path string) bool {
	const pipeline = "configuration.pipeline."
	rest, ok := strings.CutPrefix(path, pipeline)
	if !ok {
		return path != "configuration" && path != "supplementaryConfiguration"
	}
	root, _, _ := strings.Cut(rest, ".")
	known := slices.Contains([]string{"name", "roleArn", "artifactStore", "stages", "version"}, root)
	return known && !strings.HasPrefix(rest, "stages.actions.configuration")
}

// holds reports whether a resource, as nested maps and lists, fulfils a condition.
func (c condition) holds(doc map[string]any) bool {
	found := false
	each(doc, strings.Split(c.path, "."), func(v any) {
		text := fmt.Sprint(v)
		for _, want := range c.values {
			found = found || text == want || c.prefix && strings.HasPrefix(text, want)
		}
	})
	return found
}

// each calls f with every value at a path.
func each(v any, path []string, f func(any)) {
	if list, ok := v.([]any); ok {
		for _, x := range list {
			each(x, path, f)
		}
		return
	}
	if len(path) == 0 {
		f(v)
		return
	}
	if m, ok := v.(map[string]any); ok {
		if x, ok := m[path[0]]; ok {
			each(x, path[1:], f)
		}
	}
}

// project copies what stands at a path into out, with the lists on the way.
func project(v any, path []string, out any) any {
	if list, ok := v.([]any); ok {
		old, _ := out.([]any)
		all := make([]any, len(list))
		for i, x := range list {
			var before any
			if i < len(old) {
				before = old[i]
			}
			all[i] = project(x, path, before)
		}
		return all
	}
	if len(path) == 0 {
		return v
	}
	m, ok := v.(map[string]any)
	if !ok {
		return out
	}
	to, _ := out.(map[string]any)
	if to == nil {
		to = map[string]any{}
	}
	if x, ok := m[path[0]]; ok {
		to[path[0]] = project(x, path[1:], to[path[0]])
	}
	return to
}
