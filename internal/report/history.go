package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fault"
)

const (
	maxChanges = 6   // in a table; the JSON names all
	maxMoments = 8   // likewise
	maxPolicy  = 24  // lines of a policy that a table shows whole
	maxText    = 240 // characters of one value or moment in a table
)

// changes writes what changed since it last worked, the likeliest cause first. What one hand changed in one minute stands under one line.
func (p *page) changes(f fault.Finding) {
	before := ""
	for i, c := range f.Changes {
		if i == maxChanges {
			p.field("", fmt.Sprintf("and %d more (all of them with --output json)", len(f.Changes)-maxChanges))
			return
		}
		if head := p.made(c); head != before {
			p.field(first(i, "Changed"), head)
			before = head
		}
		text := place(c.Field)
		if c.What.Kind != f.Subject.Kind || c.What.Name != f.Subject.Name {
			text = c.What.Kind + " " + c.What.Name + ": " + text
		}
		p.field("", "- "+text+": "+arrow(c))
	}
}

// place is a path of a definition in short: "Source/Git BranchName" for "stages/Source/actions/Git/configuration/BranchName".
func place(field string) string {
	p := strings.SplitN(field, "/", 5)
	if len(p) < 5 || p[0] != "stages" || p[2] != "actions" {
		return field
	}
	return p[1] + "/" + p[3] + " " + strings.TrimPrefix(p[4], "configuration/")
}

// made is when, by whom, with what and past whom a change was made.
func (p *page) made(c fault.Change) string {
	s := "at an unknown time"
	if c.At != "" {
		s = p.stamp(c.At)
	}
	if c.Who != "" {
		s += " " + c.Who
	}
	if c.With != "" {
		s += " with " + c.With
	}
	if c.Outside != "" {
		s += ", OUTSIDE " + c.Outside
	}
	return s
}

// arrow is a change in short: before and after, or what was done.
func arrow(c fault.Change) string {
	switch {
	case c.Before == "" && c.After == "":
		return "changed"
	case c.Before == "":
		return clip(c.After)
	case c.After == "":
		return clip(c.Before) + " was removed"
	}
	return clip(c.Before) + " -> " + clip(c.After)
}

// clip cuts a text that is too long for a table.
func clip(s string) string {
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText]) + "..."
	}
	return s
}

// byName is a text with the subject's name in place of its ARN.
func byName(text string, about fault.Subject) string {
	if about.ARN == "" || about.Name == "" {
		return text
	}
	return strings.ReplaceAll(text, about.ARN, about.Name)
}

// timeline writes the last moments of a finding.
func (p *page) timeline(f fault.Finding) {
	from := max(0, len(f.Timeline)-maxMoments)
	for i, m := range f.Timeline[from:] {
		p.field(first(i, "Timeline"), p.stamp(m.At)+"  "+clip(byName(m.What, f.Subject)))
	}
}

// grant writes the least policy that would mend it.
func (p *page) grant(f fault.Finding) {
	g := f.Details.Grant
	if g == nil {
		return
	}
	p.field("Grant", "to "+g.To+" ("+g.Checked+")")
	var b bytes.Buffer
	if json.Indent(&b, g.Document, "", "  ") != nil {
		return
	}
	lines := strings.Split(b.String(), "\n")
	if len(lines) > maxPolicy {
		p.field("", "the policy is in --output json, under details.grant.document")
		return
	}
	for _, l := range lines {
		p.raw("", l)
	}
}
