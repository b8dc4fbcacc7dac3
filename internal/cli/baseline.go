package cli

import (
	"errors"
	"os"
	"time"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/baseline"
	"github.com/unjam/unjam/internal/baselinefile"
	"github.com/unjam/unjam/internal/fault"
)

// acceptedFor is how long the entries of a new baseline hide, unless somebody writes another day.
const acceptedFor = 30 * 24 * time.Hour

// readBaseline reads the file of --baseline; without one it is the zero Baseline.
func readBaseline(name string) (baseline.Baseline, error) {
	if name == "" {
		return baseline.Baseline{}, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return baseline.Baseline{}, usagef("read --baseline %s: %v", name, errors.Unwrap(err))
	}
	if !info.Mode().IsRegular() || info.Size() > baselinefile.MaxSize {
		return baseline.Baseline{}, usagef("read --baseline %s: want a file of at most 1 MB", name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return baseline.Baseline{}, usagef("read --baseline %s: %v", name, errors.Unwrap(err))
	}
	b, err := baselinefile.Parse(name, text)
	if err != nil {
		return b, usageError{err}
	}
	return b, nil
}

// tellHidden says on stderr what a baseline hides and which of its entries do nothing; the JSON document says the same.
func (e *env) tellHidden(h *baseline.Hidden) {
	if h == nil || e.json() {
		return
	}
	e.say("baseline %s hides %s", h.File, fault.Plural(len(h.Findings), "finding"))
	for _, x := range h.Expired {
		e.say("note: %s:%d: %s expired on %s and hides nothing any more: %s decides whether it goes or gets another day", h.File, x.Line, x.ID, x.Expires, x.Owner)
	}
	for _, x := range h.Unmatched {
		e.say("note: %s:%d: %s matches no finding of this diagnosis: take it out if everything was looked at", h.File, x.Line, x.ID)
	}
}

// fresh refuses to write a baseline over a file: somebody's owners and reasons stand in it.
func fresh(name string) error {
	if name != "" && exists(name) {
		return usagef("write --write-baseline %s: it is there already; name a new file and copy its entries over", name)
	}
	return nil
}

// writeBaseline writes entries for the findings that are shown.
func (e *env) writeBaseline(name string, d *app.Diagnosis) error {
	if name == "" {
		return nil
	}
	if err := writeFile(name, baselinefile.Template(d.Report.Findings, d.Report.GeneratedAt.Add(acceptedFor))); err != nil {
		return err
	}
	e.say("%s lists %s. Fill in owner and reason of each: it is refused before.\nNext: unjam diagnose --baseline %s", name, fault.Plural(len(d.Report.Findings), "finding"), shellWord(name))
	return nil
}
