package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// View is where a table is shown: its width, whether it may be coloured, whose clock the reader has.
type View struct {
	Width int            // columns; 0 means 80
	Color bool           // ANSI colours
	Zone  *time.Location // nil means UTC
	Brief bool           // plans leave out what a person is told when the step comes
}

// page writes lines that fit a View. The first error sticks.
type page struct {
	w    io.Writer
	view View
	err  error
}

func newPage(w io.Writer, v View) *page {
	if v.Width <= 0 {
		v.Width = 80
	}
	if v.Zone == nil {
		v.Zone = time.UTC
	}
	return &page{w: w, view: v}
}

func (p *page) line(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, strings.TrimRight(s, " ")+"\n")
	}
}

// style is an ANSI style.
type style string

const (
	bold   style = "1"
	dim    style = "2"
	red    style = "1;31"
	yellow style = "33"
	green  style = "32"
	cyan   style = "36"
)

func (p *page) paint(st style, s string) string {
	if !p.view.Color || s == "" {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

// labelWidth is the column of labels in a finding.
const labelWidth = 10

// instant is a time within a text.
var instant = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// times puts the times within a text into the page's form.
func (p *page) times(text string) string { return instant.ReplaceAllStringFunc(text, p.stamp) }

// field writes a labelled text, wrapped and indented; every line of text starts in the same column. Texts hold no styles.
func (p *page) field(label, text string) {
	for i, l := range wrap(p.times(text), p.view.Width-labelWidth-2) {
		if i > 0 {
			label = ""
		}
		p.line("  " + p.paint(dim, fmt.Sprintf("%-*s", labelWidth, label)) + l)
	}
}

// raw writes a labelled line as it is, for columns.
func (p *page) raw(label, line string) {
	p.line("  " + p.paint(dim, fmt.Sprintf("%-*s", labelWidth, label)) + line)
}

// text writes a wrapped text with an indent.
func (p *page) text(indent int, st style, text string) {
	for _, l := range wrap(p.times(text), p.view.Width-indent) {
		p.line(strings.Repeat(" ", indent) + p.paint(st, l))
	}
}

// wrap breaks a text at spaces into lines of at most width columns. A word that is too long (a link, an ARN) stays whole, so that it can be copied.
func wrap(text string, width int) []string {
	var lines []string
	for para := range strings.Lines(text) {
		line := ""
		for _, w := range strings.Fields(para) {
			switch {
			case line == "":
				line = w
			case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) <= width:
				line += " " + w
			default:
				lines = append(lines, line)
				line = w
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// clock is a time for people: local, with UTC beside it where they differ.
func (p *page) clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	local, utc := t.In(p.view.Zone), t.UTC()
	if _, off := local.Zone(); off == 0 {
		return utc.Format("2006-01-02 15:04 UTC")
	}
	if local.YearDay() == utc.YearDay() {
		return local.Format("2006-01-02 15:04") + utc.Format(" (15:04 UTC)")
	}
	return local.Format("2006-01-02 15:04") + utc.Format(" (2 Jan 15:04 UTC)")
}

// stamp is clock for a time kept as RFC 3339.
func (p *page) stamp(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return p.clock(t)
}
