package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/unjam/unjam/internal/fault"
)

// Tested is what the worlds of a folder of faults say of them, as a document.
type Tested struct {
	Schema  string          `json:"schema"`
	Faults  []fault.Code    `json:"faults"`
	Worlds  []TestedWorld   `json:"worlds"`
	Missing []MissingWorlds `json:"missing"` // what no world shows
}

// TestedWorld is one world.
type TestedWorld struct {
	File  string   `json:"file"`
	Title string   `json:"title"`
	Wants int      `json:"wants"`
	Wrong []string `json:"wrong"` // what the diagnosis says otherwise; empty: nothing
}

// MissingWorlds are the verdicts of a fault that no world wants.
type MissingWorlds struct {
	Code     fault.Code      `json:"code"`
	Verdicts []fault.Verdict `json:"verdicts"`
}

// Failed is how many worlds differ, and how many faults lack a world.
func (d Tested) Failed() (worlds, lacking int) {
	for _, w := range d.Worlds {
		if len(w.Wrong) > 0 {
			worlds++
		}
	}
	return worlds, len(d.Missing)
}

// TestedTable writes a line for each world, and one for each fault that lacks some.
func TestedTable(w io.Writer, d Tested, v View) error {
	p := newPage(w, v)
	for _, x := range d.Worlds {
		if len(x.Wrong) == 0 {
			p.line("ok    " + x.File + "  " + fault.Plural(x.Wants, "want"))
			continue
		}
		p.line(p.paint(red, "FAIL") + "  " + x.File + "  " + strings.Join(x.Wrong, "; "))
	}
	for _, m := range d.Missing {
		var words []string
		for _, verdict := range m.Verdicts {
			words = append(words, string(verdict))
		}
		p.line(p.paint(red, "FAIL") + "  " + string(m.Code) + "  " + fmt.Sprintf("no world shows it %s: a line with %q behind it does", strings.Join(words, ", nor "), want(m.Verdicts[0], m.Code)))
	}
	return p.err
}

// want is the comment of a world that demands a verdict.
func want(v fault.Verdict, c fault.Code) string {
	if v == fault.Found {
		return "# want " + string(c)
	}
	return "# want " + string(v) + " " + string(c)
}
