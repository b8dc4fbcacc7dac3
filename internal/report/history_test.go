package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/unjam/unjam/internal/fault"
)

// The table tells the first changes and the last moments, who went past whose back, cuts what is long, and stays within its columns.
func TestChangesInATable(t *testing.T) {
	f := fault.Finding{Code: "x", Subject: fault.Subject{Kind: "pipeline", Name: "web"}}
	branch := fault.Change{At: "2026-11-23T09:00:00Z", Who: "ada", With: "console", What: f.Subject, Field: "stages/Source/actions/Git/configuration/BranchName", Before: "main", After: "mian", Outside: "stack web-ci", Class: fault.Verified}
	f.Changes = append(f.Changes, branch, fault.Change{What: fault.Subject{Kind: "role", Name: "Web"}, Field: "PutRolePolicy", Class: fault.Reported},
		fault.Change{What: f.Subject, Field: "long", Before: strings.Repeat("word ", 400), Class: fault.Verified}, fault.Change{What: f.Subject, Field: "gone", Before: "b", Class: fault.Verified})
	for i := range 10 {
		f.Changes = append(f.Changes, fault.Change{What: f.Subject, Field: fmt.Sprint("field", i), After: "new"})
		f.Timeline = append(f.Timeline, fault.Moment{At: "2026-11-23T09:00:00Z", What: fmt.Sprint("moment", i)})
	}
	var b bytes.Buffer
	p := newPage(&b, View{})
	p.changes(f)
	p.timeline(f)
	text := b.String()
	for _, want := range []string{
		"Changed   2026-11-23 09:00 UTC ada with console, OUTSIDE stack web-ci", "- Source/Git BranchName: main -> mian", "at an unknown time", "role Web: PutRolePolicy: changed",
		"... was removed", "gone: b was removed", "field1: new", "and 8 more (all of them with --output json)", "Timeline  2026-11-23 09:00 UTC moment2", "moment9",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	for _, not := range []string{"field2", "moment1", strings.Repeat("word ", 60)} {
		if strings.Contains(strings.Join(strings.Fields(text), " ")+" ", not) {
			t.Errorf("the table has %q:\n%s", not, text)
		}
	}
	if n := strings.Count(text, "at an unknown time"); n != 1 {
		t.Errorf("one head for what was changed together, not %d:\n%s", n, text)
	}
	for l := range strings.Lines(text) {
		if utf8.RuneCountInString(strings.TrimSuffix(l, "\n")) > 80 {
			t.Errorf("wider than 80 columns: %q", l)
		}
	}
}
