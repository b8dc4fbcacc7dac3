package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// written stands on every page that is not written by hand.
const written = "<!-- Written by `UPDATE=1 go test ./faults -run TestPages` from what the fault says of itself: change its Doc, not this page. -->\n"

// FaultPage writes a fault's documentation as Markdown: what unjam explain says, and the permissions that it reads with.
func FaultPage(w io.Writer, f *fault.Fault) error {
	var b strings.Builder
	d := f.Doc
	fmt.Fprintf(&b, "%s\n# %s\n\n`%s` · usually %s · %s · since %s\n\n%s\n\n**Symptom.** %s\n", written, plain(d.Title), f.Code, d.Severity, matter(d.Bucket), d.Since, plain(d.Text), plain(d.Symptom))
	b.WriteString("\n## Causes\n")
	for _, c := range d.Causes {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", c.Code, plain(c.Text))
		item(&b, "Evidence", c.Evidence)
		item(&b, "Remedy", c.Remedy)
	}
	fmt.Fprintf(&b, "\n## Remedy\n\n%s %s\n", plain(d.Remedy), repair(f))
	if len(d.See) > 0 {
		fmt.Fprintf(&b, "\n## See it by hand\n\n```sh\n%s\n```\n", strings.Join(d.See, "\n"))
	}
	if len(f.Explains) > 0 {
		b.WriteString("\n## What it explains\n\nFindings of these faults about the same things are folded under it:\n\n")
		for _, c := range f.Explains {
			fmt.Fprintf(&b, "- [%s](%s.md)\n", c, c)
		}
	}
	b.WriteString("\n## What it reads\n\n| fact | call | IAM action |\n|---|---|---|\n")
	for _, k := range f.Reads {
		for _, o := range op.Answering(k) {
			fmt.Fprintf(&b, "| %s | `%s` | %s |\n", k, o.Key(), actions(o))
		}
		if len(op.Answering(k)) == 0 {
			fmt.Fprintf(&b, "| %s | no call of AWS | none |\n", k)
		}
	}
	if len(d.Links) > 0 {
		b.WriteString("\n## Read on\n\n")
		for _, l := range d.Links {
			fmt.Fprintf(&b, "- <%s>\n", l)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// CataloguePage writes the page about all faults: codes, causes, whose matter each is, how bad, and what they need to be allowed.
func CataloguePage(w io.Writer, all []*fault.Fault) error {
	var b strings.Builder
	fmt.Fprintf(&b, `%s
# The catalogue of faults

What unjam knows to find. `+"`unjam explain CODE`"+` says the same offline. The severity is the usual one: a finding says how bad it is in
its case. The bucket says whose matter it is.

| code | what | bucket | severity | repair | causes |
|---|---|---|---|---|---|
`, written)
	for _, f := range all {
		var causes []string
		for _, c := range f.Doc.Causes {
			causes = append(causes, c.Code)
		}
		planned := "by hand"
		if f.Plan != nil {
			planned = "planned"
		}
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s | %s | %s |\n", f.Code, f.Code, cell(f.Doc.Title), f.Doc.Bucket, f.Doc.Severity, planned, strings.Join(causes, ", "))
	}
	b.WriteString(`
## What they need to be allowed

Each IAM action with the faults that ask for what it reads. Without it those faults may be unknown or their causes less sure, and a gap
names it. ` + "`unjam permissions --for read`" + ` prints all of it as a policy.

| IAM action | call | asked for by |
|---|---|---|
`)
	for _, o := range op.All() {
		if !o.Write && len(o.Actions) > 0 {
			fmt.Fprintf(&b, "| %s | `%s` | %s |\n", actions(o), o.Key(), askers(o, all))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// askers are the faults that ask for what an operation reads.
func askers(o op.Op, all []*fault.Fault) string {
	var codes []string
	for _, f := range all {
		if slices.ContainsFunc(f.Reads, func(k fact.Kind) bool {
			return slices.ContainsFunc(op.Answering(k), func(x op.Op) bool { return x.Key() == o.Key() })
		}) {
			codes = append(codes, string(f.Code))
		}
	}
	switch len(codes) {
	case 0:
		return "no fault: history, triage, the gates, `whoami` or `probe`"
	case len(all):
		return "every fault"
	}
	return strings.Join(codes, ", ")
}

// actions are the IAM actions of an operation.
func actions(o op.Op) string {
	if len(o.Actions) == 0 {
		return "none"
	}
	var quoted []string
	for _, a := range o.Actions {
		quoted = append(quoted, "`"+a+"`")
	}
	all := strings.Join(quoted, ", ")
	if o.Flag != "" {
		all += " (only with `" + o.Flag + "`)"
	}
	return all
}

// repair says whether the program plans the repair.
func repair(f *fault.Fault) string {
	if f.Plan == nil {
		return "unjam says what to do and changes nothing."
	}
	return "`unjam fix` plans it; with `--apply` it is done."
}

func item(b *strings.Builder, label, text string) {
	if text != "" {
		fmt.Fprintf(b, "- %s: %s\n", label, plain(text))
	}
}

// plain is a text in which Markdown finds nothing to format.
func plain(text string) string {
	return strings.NewReplacer("*", `\*`, "<", "&lt;", "[", `\[`, "`", "\\`").Replace(text)
}

// cell is a plain text in a table.
func cell(text string) string { return strings.ReplaceAll(plain(text), "|", `\|`) }
