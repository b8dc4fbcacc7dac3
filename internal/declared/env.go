package declared

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/unjam/unjam/internal/fact"
)

// The bounds of an expression. The cost is CEL's own measure of work: a step of a loop costs a few units, so that this is enough for a
// pipeline of a thousand actions looked at some ten times; a hostile expression ends after a fraction of a second.
const (
	costLimit   = 200_000
	nesting     = 100     // of brackets and operators
	loops       = 4       // loops within loops, and behind loops
	memoryLimit = 1 << 20 // size of the largest value, in values and tens of bytes: a list doubled again and again ends here
)

// language is CEL with the facts of one kind of subject.
type language struct {
	env  *cel.Env
	view *view
}

// newLanguage is the language of expressions about subjects of one sort with the lists that are read.
func newLanguage(of sort, lists []list) (*language, error) {
	shown := []reflect.Type{of.typ, reflect.TypeFor[fact.Question]()}
	for _, l := range lists {
		shown = append(shown, l.typ)
	}
	v, err := newView(shown...)
	if err != nil {
		return nil, err
	}
	opts := []cel.EnvOption{
		cel.CustomTypeProvider(v), cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{ExcludeFunctions: excluded()})), cel.DefaultUTCTimeZone(true),
		cel.ParserRecursionLimit(nesting), cel.ParserExpressionSizeLimit(maxText),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals(),
			cel.ValidateHomogeneousAggregateLiterals(), cel.ValidateComprehensionNestingLimit(loops)),
		cel.Variable("subject", v.typeOf(of.typ)), cel.Variable("now", cel.TimestampType), cel.Variable("question", v.typeOf(reflect.TypeFor[fact.Question]())),
	}
	for _, l := range lists {
		opts = append(opts, cel.Variable(l.name, cel.ListType(v.typeOf(l.typ))))
	}
	e, err := cel.NewCustomEnv(opts...)
	if err != nil {
		return nil, fmt.Errorf("make CEL environment: %w", err)
	}
	return &language{env: e, view: v}, nil
}

// excluded are functions that this language goes without: those that would take types out of the check, and those that depend on the
// time zones of the machine.
func excluded() []*env.Function {
	all := []*env.Function{env.NewFunction("dyn"), env.NewFunction("type")}
	for name, zoned := range map[string]string{
		overloads.TimeGetFullYear: overloads.TimestampToYearWithTz, overloads.TimeGetMonth: overloads.TimestampToMonthWithTz,
		overloads.TimeGetDayOfYear: overloads.TimestampToDayOfYearWithTz, overloads.TimeGetDayOfMonth: overloads.TimestampToDayOfMonthZeroBasedWithTz,
		overloads.TimeGetDate: overloads.TimestampToDayOfMonthOneBasedWithTz, overloads.TimeGetDayOfWeek: overloads.TimestampToDayOfWeekWithTz,
		overloads.TimeGetHours: overloads.TimestampToHoursWithTz, overloads.TimeGetMinutes: overloads.TimestampToMinutesWithTz,
		overloads.TimeGetSeconds: overloads.TimestampToSecondsWithTz, overloads.TimeGetMilliseconds: overloads.TimestampToMillisecondsWithTz,
	} {
		all = append(all, env.NewFunction(name, env.NewMemberOverload(zoned, nil, nil, nil)))
	}
	return all
}

// expression is a compiled expression.
type expression struct {
	name    string // of the member of the declaration
	at      Text
	program cel.Program
	reads   []string // the variables that it names, in order
}

// compile makes an expression of a text whose value has one of some types; none means every type that has a text form.
func (s *Spec) compile(l *language, name string, t Text, want ...*cel.Type) (*expression, error) {
	tree, issues := l.env.Compile(t.Value)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		for _, x := range issues.Errors() {
			if x.Location.Line() < first.Location.Line() || (x.Location.Line() == first.Location.Line() && x.Location.Column() < first.Location.Column()) {
				first = x
			}
		}
		return nil, s.wrong(t.at(first.Location.Line(), first.Location.Column()+1), "%s: %s", name, s.hint(l.view, first.Message))
	}
	if len(want) == 0 {
		want = []*cel.Type{cel.StringType, cel.IntType, cel.UintType, cel.DoubleType, cel.BoolType, cel.TimestampType, cel.DurationType}
	}
	if got := tree.OutputType(); !slices.ContainsFunc(want, func(w *cel.Type) bool { return w.IsExactType(got) }) {
		return nil, s.wrong(t, "%s: it gives a %s, want a %s", name, typeName(got), typeNames(want))
	}
	x := &expression{name: name, at: t}
	if made := x.walk(tree.NativeRep()); made != "" {
		return nil, s.wrong(t, "%s: it makes a %s: facts are read, not made", name, made)
	}
	p, err := l.env.Program(tree, cel.CostLimit(costLimit), cel.MemoryLimit(memoryLimit), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, s.wrong(t, "%s: %v", name, err)
	}
	x.program = p
	return x, nil
}

// walk notes what variables an expression names, and returns the type of a struct that it makes; "" for none.
func (x *expression) walk(tree *ast.AST) (made string) {
	ast.PreOrderVisit(ast.NavigateAST(tree), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			if !slices.Contains(x.reads, e.AsIdent()) {
				x.reads = append(x.reads, e.AsIdent())
			}
		case ast.StructKind:
			made = e.AsStruct().TypeName()
		}
	}))
	return made
}

// hint completes CEL's message where it is about one of our names.
func (s *Spec) hint(v *view, message string) string {
	message, _, _ = strings.Cut(message, "\n")
	if strings.HasPrefix(message, "undefined field ") && v.missed != nil {
		message += fmt.Sprintf(": a %s has %s", strings.TrimPrefix(v.missed.name, namespace), strings.Join(v.missed.names(), ", "))
	}
	if name, ok := strings.CutPrefix(message, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(name, "'")
		message = "there is no " + name
		if l, known := listNamed(name); known {
			message = fmt.Sprintf("%s is not read: reads wants %s", name, l.kind)
			if !slices.Contains(sorts()[s.For.Value].lists, l.kind) {
				message = fmt.Sprintf("a %s has no %s", s.For.Value, name)
			}
		}
	}
	return message
}

// typeName is the name of a type without our namespace.
func typeName(t *cel.Type) string {
	return strings.NewReplacer(namespace, "", "google.protobuf.Timestamp", "timestamp", "google.protobuf.Duration", "duration").Replace(t.String())
}

func typeNames(all []*cel.Type) string {
	var names []string
	for _, t := range all {
		names = append(names, typeName(t))
	}
	return strings.Join(names, ", ")
}

// eval evaluates the expression; its errors are those of the facts, like a time that is not set, and the cost limit.
func (x *expression) eval(vars map[string]any) (ref.Val, error) {
	v, _, err := x.program.Eval(vars)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", x.name, strings.Join(strings.Fields(err.Error()), " "))
	}
	return v, nil
}

// holds evaluates a condition.
func (x *expression) holds(vars map[string]any) (bool, error) {
	v, err := x.eval(vars)
	return v == types.True, err
}

// text evaluates to the text that a finding shows.
func (x *expression) text(vars map[string]any) (string, error) {
	v, err := x.eval(vars)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case types.String:
		return oneLine(string(v)), nil
	case types.Timestamp:
		return v.UTC().Format(time.RFC3339), nil
	case types.Duration:
		return v.String(), nil
	}
	return fmt.Sprint(v.Value()), nil
}

// template is a text with expressions in {{ }}.
type template struct {
	literal []string // one more than there are expressions
	values  []*expression
}

// template compiles a text with expressions in {{ }}.
func (s *Spec) template(l *language, name string, t Text) (*template, error) {
	var m template
	rest, offset := t.Value, 0
	for {
		before, after, open := strings.Cut(rest, "{{")
		m.literal = append(m.literal, before)
		if !open {
			if strings.Contains(before, "}}") {
				return nil, s.wrong(t, "%s: }} without {{ before it", name)
			}
			return &m, nil
		}
		inner, left, closed := strings.Cut(after, "}}")
		if !closed {
			return nil, s.wrong(s.place(t, offset+len(before)), "%s: {{ without }} behind it", name)
		}
		at := s.place(t, offset+len(before)+2)
		at.Value, at.Straight = inner, t.Straight && !strings.Contains(inner, "\n")
		x, err := s.compile(l, name, at)
		if err != nil {
			return nil, err
		}
		m.values = append(m.values, x)
		offset += len(before) + 2 + len(inner) + 2
		rest = left
	}
}

// place is the place of a byte of a text.
func (s *Spec) place(t Text, offset int) Text {
	before := t.Value[:offset]
	line := strings.Count(before, "\n") + 1
	return t.at(line, len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))+1)
}

// fill fills in a template.
func (m *template) fill(vars map[string]any) (string, error) {
	var b strings.Builder
	for i, x := range m.values {
		b.WriteString(m.literal[i])
		text, err := x.text(vars)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	b.WriteString(m.literal[len(m.values)])
	return oneLine(b.String()), nil
}

// longest is how long a text of a finding may be, in bytes: AWS's error texts are shorter.
const longest = 4000

// oneLine is a text in one line, without what a terminal might obey.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0) || c == ' ' }), " ")
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return text
}
