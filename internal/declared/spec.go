// Package declared makes faults out of declarations: texts with CEL expressions over the facts, compiled once and judged like every other
// fault. It never reads a file or the clock, and no expression sees a secret.
package declared

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/unjam/unjam/internal/fault"
)

// Text is a text of a declaration and where it stands, for errors.
type Text struct {
	Value        string
	Line, Column int // of its first character, from 1; 0: it is not there
	// Straight says that the text stands in the file as it is, so that a place in it is a place in the file: a line break begins a new
	// line at the same column.
	Straight bool
}

// Cause is one cause of a declaration, Evidence one piece of its evidence.
type (
	Cause    struct{ Code, When, Text, Remedy, Class Text }
	Evidence struct{ Field, Got, Want, Class Text }
)

// Spec is a declaration. docs/own-faults.md says what each member means.
type Spec struct {
	File                                                        string
	Code, Title, Symptom, Text, Severity, Bucket, Since, Remedy Text
	Links, See                                                  []Text
	For                                                         Text
	Reads                                                       []Text
	When                                                        Text
	Causes                                                      []Cause
	Evidence                                                    []Evidence
	Message                                                     Text
}

// Error is what is wrong with a declaration, with its place.
type Error struct {
	File         string
	Line, Column int
	Reason       string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Reason)
}

// The limits of a declaration.
const (
	maxText   = 4096 // bytes of one text or expression
	maxCauses = 20   // causes, and pieces of evidence
)

var (
	codeForm  = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)                 // as in docs/schema/diagnosis.v1.json
	sinceForm = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)           // as in docs/schema/explanation.v1.json
	linkForm  = regexp.MustCompile(`^https?://[^\s/?#]+[^\s]*$`)         // something that can be opened
	fieldPath = regexp.MustCompile(`^subject(\.[A-Za-z_]\w*|\[\d+\])+$`) // a value as AWS gave it
)

// wrong is an error about a text of the declaration.
func (s *Spec) wrong(t Text, format string, args ...any) error {
	return &Error{File: s.File, Line: max(t.Line, 1), Column: max(t.Column, 1), Reason: strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")}
}

// at is the place in a file of a place in a text, both from 1.
func (t Text) at(line, column int) Text {
	switch {
	case !t.Straight || line < 1 || column < 1:
		return t
	default:
		return Text{Line: t.Line + line - 1, Column: t.Column + column - 1}
	}
}

// words checks everything of a declaration that is no expression.
func (s *Spec) words() error {
	for _, m := range []struct {
		name string
		text Text
	}{{"code", s.Code}, {"title", s.Title}, {"symptom", s.Symptom}, {"severity", s.Severity}, {"bucket", s.Bucket}, {"since", s.Since},
		{"remedy", s.Remedy}, {"for", s.For}, {"when", s.When}, {"message", s.Message}} {
		if err := s.filled(m.name, m.text); err != nil {
			return err
		}
	}
	switch {
	case !codeForm.MatchString(s.Code.Value):
		return s.wrong(s.Code, "code: %q: want lower-case words joined by hyphens", s.Code.Value)
	case fault.Severity(s.Severity.Value).Rank() < 0:
		return s.wrong(s.Severity, "severity: %q: want critical, high, medium, low or info", s.Severity.Value)
	case !slices.Contains(buckets(), fault.Bucket(s.Bucket.Value)):
		return s.wrong(s.Bucket, "bucket: %q: want %s", s.Bucket.Value, join(buckets()))
	case !sinceForm.MatchString(s.Since.Value):
		return s.wrong(s.Since, "since: %q: want a version such as 1.0.0", s.Since.Value)
	}
	if s.Text.Line > 0 {
		if err := s.filled("text", s.Text); err != nil {
			return err
		}
	}
	for _, l := range s.Links {
		if !linkForm.MatchString(l.Value) {
			return s.wrong(l, "links: %q: want https://...", l.Value)
		}
	}
	for _, l := range s.See {
		if err := s.filled("see", l); err != nil {
			return err
		}
	}
	return s.lists()
}

// lists checks causes and evidence.
func (s *Spec) lists() error {
	switch {
	case len(s.Causes) == 0:
		return s.wrong(s.Code, "there is no cause: causes wants one at least, with code and text")
	case len(s.Causes) > maxCauses || len(s.Evidence) > maxCauses:
		return s.wrong(s.Code, "causes, evidence: want at most %d of each", maxCauses)
	case len(s.Evidence) == 0:
		return s.wrong(s.Code, "there is no evidence: a finding without it is a claim; want one at least, with field and got")
	}
	seen := map[string]bool{}
	for i, c := range s.Causes {
		if err := s.filled("causes: code", c.Code); err != nil {
			return err
		}
		if err := s.filled("causes: text", c.Text); err != nil {
			return err
		}
		switch {
		case !codeForm.MatchString(c.Code.Value):
			return s.wrong(c.Code, "causes: code: %q: want lower-case words joined by hyphens", c.Code.Value)
		case seen[c.Code.Value]:
			return s.wrong(c.Code, "causes: code: %s is there twice", c.Code.Value)
		case c.When.Line == 0 && i < len(s.Causes)-1:
			return s.wrong(c.Code, "causes: %s has no when, so that no cause below it is ever looked at: put it last", c.Code.Value)
		}
		seen[c.Code.Value] = true
		if err := s.class("causes", c.Class); err != nil {
			return err
		}
		if c.Remedy.Line > 0 {
			if err := s.filled("causes: remedy", c.Remedy); err != nil {
				return err
			}
		}
	}
	for _, e := range s.Evidence {
		if err := s.filled("evidence: field", e.Field); err != nil {
			return err
		}
		if err := s.filled("evidence: got", e.Got); err != nil {
			return err
		}
		if err := s.class("evidence", e.Class); err != nil {
			return err
		}
		if e.Want.Line > 0 {
			if err := s.filled("evidence: want", e.Want); err != nil {
				return err
			}
		}
		if e.Class.Value == string(fault.Verified) && !fieldPath.MatchString(strings.TrimSpace(e.Got.Value)) {
			return s.wrong(e.Class, "evidence: class: verified is for a value as AWS gives it, got: subject.status for example; what is computed is inferred")
		}
	}
	return nil
}

// filled reports a text that is missing, empty or too long.
func (s *Spec) filled(name string, t Text) error {
	switch {
	case t.Line == 0:
		return s.wrong(s.Code, "there is no %s", strings.ReplaceAll(name, ": ", " without "))
	case strings.TrimSpace(t.Value) == "":
		return s.wrong(t, "%s: it is empty", name)
	case strings.ContainsFunc(t.Value, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }):
		return s.wrong(t, "%s: it holds a control character", name)
	case len(t.Value) > maxText:
		return s.wrong(t, "%s: it has %d bytes, want at most %d", name, len(t.Value), maxText)
	}
	return nil
}

// class checks a class; verified causes do not exist, since a cause is always a conclusion.
func (s *Spec) class(of string, t Text) error {
	all := []fault.Class{fault.Verified, fault.Reported, fault.Inferred}
	if of == "causes" {
		all = all[1:]
	}
	if t.Line > 0 && !slices.Contains(all, fault.Class(t.Value)) {
		return s.wrong(t, "%s: class: %q: want %s", of, t.Value, join(all))
	}
	return nil
}

// classOr is the class of a text, inferred where it is not there.
func classOr(t Text) fault.Class {
	if t.Line == 0 {
		return fault.Inferred
	}
	return fault.Class(t.Value)
}

func buckets() []fault.Bucket {
	return []fault.Bucket{fault.Person, fault.IAM, fault.Network, fault.Quota, fault.Configuration, fault.Provider, fault.Service}
}

// doc is the declaration as documentation.
func (s *Spec) doc() fault.Doc {
	d := fault.Doc{
		Title: oneLine(s.Title.Value), Symptom: oneLine(s.Symptom.Value), Text: oneLine(s.Text.Value), Remedy: oneLine(s.Remedy.Value), Since: s.Since.Value,
		Severity: fault.Severity(s.Severity.Value), Bucket: fault.Bucket(s.Bucket.Value), Links: values(s.Links), See: values(s.See),
	}
	if d.Text == "" {
		d.Text = d.Symptom
	}
	for _, c := range s.Causes {
		d.Causes = append(d.Causes, fault.CauseDoc{Code: c.Code.Value, Text: oneLine(c.Text.Value), Evidence: s.evidenceOf(c), Remedy: oneLine(c.Remedy.Value)})
	}
	return d
}

// evidenceOf says in a page what decides on a cause: its expression, or that of the file where it is the only one.
func (s *Spec) evidenceOf(c Cause) string {
	when := c.When
	switch {
	case when.Line == 0 && len(s.Causes) > 1:
		return "None of the causes above."
	case when.Line == 0:
		when = s.When
	}
	return strings.Join(strings.Fields(when.Value), " ")
}

func values(all []Text) []string {
	out := []string{}
	for _, t := range all {
		out = append(out, t.Value)
	}
	return out
}

func join[T ~string](all []T) string {
	var words []string
	for _, x := range all {
		words = append(words, string(x))
	}
	return strings.Join(words, ", ")
}
