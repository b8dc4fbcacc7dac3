package declared

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// program is a declaration, compiled.
type program struct {
	spec     *Spec
	of       sort
	view     *view
	lists    []list
	when     *expression
	causes   []cause
	evidence []evidence
	message  *template
}

type cause struct {
	Cause
	when *expression // nil: it holds
}

type evidence struct {
	Evidence
	field *template
	got   *expression
}

// Compile makes a fault of a declaration. Everything that can be wrong with its expressions is found here, types included; the error is
// an *Error with the place in the file.
func Compile(s *Spec) (*fault.Fault, error) {
	if err := s.words(); err != nil {
		return nil, err
	}
	p := &program{spec: s}
	var known bool
	if p.of, known = sorts()[s.For.Value]; !known {
		return nil, s.wrong(s.For, "for: %q: want %s", s.For.Value, strings.Join(slices.Sorted(maps.Keys(sorts())), ", "))
	}
	reads := slices.Clone(p.of.base)
	for _, r := range s.Reads {
		k := fact.Kind(r.Value)
		l, ok := listOf(k)
		switch {
		case k == p.of.kind:
			continue // the subject itself
		case !ok || !slices.Contains(p.of.lists, k):
			return nil, s.wrong(r, "reads: %q: of a %s can be read %s", r.Value, s.For.Value, join(p.of.lists))
		case slices.ContainsFunc(p.lists, func(x list) bool { return x.kind == k }):
			return nil, s.wrong(r, "reads: %s is there twice", r.Value)
		}
		p.lists = append(p.lists, l)
		reads = append(reads, k)
	}
	if len(p.lists) > 0 && s.For.Value != "pipeline" {
		reads = append(reads, fact.KindRegion) // who uses a connection is asked in every Region
	}
	if err := p.compile(); err != nil {
		return nil, err
	}
	slices.Sort(reads)
	return &fault.Fault{Code: fault.Code(s.Code.Value), Doc: s.doc(), Reads: slices.Compact(reads), Diagnose: p.diagnose}, nil
}

// compile compiles every expression.
func (p *program) compile() error {
	s := p.spec
	l, err := newLanguage(p.of, p.lists)
	if err != nil {
		return s.wrong(s.Code, "%v", err)
	}
	p.view = l.view
	if p.when, err = s.compile(l, "when", s.When, cel.BoolType); err != nil {
		return err
	}
	for _, c := range s.Causes {
		x := cause{Cause: c}
		if c.When.Line > 0 {
			if x.when, err = s.compile(l, "causes: when", c.When, cel.BoolType); err != nil {
				return err
			}
		}
		p.causes = append(p.causes, x)
	}
	for _, e := range s.Evidence {
		x := evidence{Evidence: e}
		if x.field, err = s.template(l, "evidence: field", e.Field); err != nil {
			return err
		}
		if x.got, err = s.compile(l, "evidence: got", e.Got); err != nil {
			return err
		}
		p.evidence = append(p.evidence, x)
	}
	p.message, err = s.template(l, "message", s.Message)
	return err
}

// diagnose judges every subject of the question. A subject is judged when everything that the declaration reads of it was answered, and
// not before: an expression never takes what was refused for what is not there.
func (p *program) diagnose(s *fact.Snapshot) fault.Judgement {
	scenes, needs := p.of.find(s)
	j := fault.Judgement{Needs: needs}
	for _, c := range scenes {
		c.facts = map[string][]fact.Fact{}
		for _, l := range p.lists {
			l.fill(s, c)
		}
		j.Need(c.needs...)
		open := slices.ContainsFunc(c.needs, func(q fact.Query) bool { return !s.Settled(q) })
		lost := slices.IndexFunc(c.needs, func(q fact.Query) bool { return !s.Answered(q) })
		switch {
		case c.blind != "":
			j.Need(p.unjudged(s, c, c.blind))
		case open:
		case lost >= 0:
			if r := c.needs[lost].Scope.Region; r != "" && r != c.name.Region { // a gap elsewhere must not leave a Clear here
				j.Need(p.unjudged(s, c, fmt.Sprintf("%s in %s was not read", c.needs[lost].Kind, r)))
			}
		case c.subject == nil:
			// AWS says that it does not exist
		default:
			f, found, err := p.judge(s, c)
			if err != nil {
				j.Need(p.unjudged(s, c, err.Error()))
			} else if found {
				j.Findings = append(j.Findings, f)
			}
		}
	}
	return j
}

// unjudged is a need that nothing answers: it becomes a gap that says why a subject was not judged, and its verdict unknown.
func (p *program) unjudged(s *fact.Snapshot, c *scene, why string) fact.Query {
	scope := fact.Scope{Account: s.Question().Account}
	if slices.Contains(s.Question().Regions, c.name.Region) {
		scope.Region = c.name.Region
	}
	return fact.Query{Scope: scope, Kind: fact.KindOwnFault, ID: c.name.Name, Args: map[string]string{
		"why": fmt.Sprintf("%s could not judge the %s %s: %s", p.spec.Code.Value, c.name.Kind, c.name.Name, oneLine(why)),
	}}
}

// vars are the variables of expressions about a subject.
func (p *program) vars(s *fact.Snapshot, c *scene) map[string]any {
	vars := map[string]any{
		"subject": p.view.value(reflect.ValueOf(c.subject)), "now": types.Timestamp{Time: s.At()}, "question": p.view.value(reflect.ValueOf(s.Question())),
	}
	for _, l := range p.lists {
		all := reflect.MakeSlice(reflect.SliceOf(l.typ), 0, len(c.facts[l.name]))
		for _, f := range c.facts[l.name] {
			all = reflect.Append(all, reflect.ValueOf(f))
		}
		vars[l.name] = p.view.value(all)
	}
	return vars
}

// judge judges one subject.
func (p *program) judge(s *fact.Snapshot, c *scene) (f fault.Finding, found bool, err error) {
	vars := p.vars(s, c)
	if found, err = p.when.holds(vars); err != nil || !found {
		return f, false, err
	}
	d := p.spec.doc()
	f = fault.Finding{
		Title: d.Title, Severity: d.Severity, Bucket: d.Bucket, Subject: c.name, About: c.about, Link: c.link, Remedy: d.Remedy,
		Cause: fault.Cause{Code: "unknown", Class: fault.Unclear, Text: "None of the causes that the declaration knows."},
	}
	if f.Message, err = p.message.fill(vars); err != nil {
		return f, false, err
	}
	if f.Message == "" {
		f.Message = d.Title
	}
	for _, x := range p.causes {
		holds := x.when == nil
		if !holds {
			if holds, err = x.when.holds(vars); err != nil {
				return f, false, err
			}
		}
		if holds {
			f.Cause = fault.Cause{Code: x.Code.Value, Class: classOr(x.Class), Text: oneLine(x.Text.Value)}
			if x.Remedy.Value != "" {
				f.Remedy = oneLine(x.Remedy.Value)
			}
			break
		}
	}
	for _, x := range p.evidence {
		e, err := x.show(vars, c)
		if err != nil {
			return f, false, err
		}
		f.Evidence = append(f.Evidence, e)
	}
	f.Affects = affected(c)
	return f, true, nil
}

// show makes a piece of evidence. Its source is the reply that the first fact came from that its expression looks at.
func (x evidence) show(vars map[string]any, c *scene) (fault.Evidence, error) {
	e := fault.Evidence{Class: classOr(x.Class), Want: oneLine(x.Want.Value), Source: c.subject.Source()}
	for _, name := range x.got.reads {
		if name == "subject" {
			break
		}
		if all := c.facts[name]; len(all) > 0 {
			e.Source = all[0].Source()
			break
		}
	}
	var err error
	if e.Field, err = x.field.fill(vars); err == nil {
		e.Got, err = x.got.text(vars)
	}
	return e, err
}

// affected are the pipelines that a finding about something else concerns.
func affected(c *scene) []fault.Subject {
	var all []fault.Subject
	for _, p := range c.users {
		if p.ARN != c.name.ARN {
			all = append(all, fault.PipelineSubject(p))
		}
	}
	return all
}
