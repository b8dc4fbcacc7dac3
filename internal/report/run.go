package report

import (
	"fmt"
	"io"
)

// StepRow is one step of a run as a table shows it.
type StepRow struct{ Status, Title, Message string }

// Run writes where a run stands.
func Run(w io.Writer, title string, rows []StepRow, v View) error {
	p := newPage(w, v)
	p.line(p.paint(bold, title))
	for _, r := range rows {
		st := dim
		switch r.Status {
		case "done", "skipped":
			st = green
		case "failed", "stale", "in-doubt":
			st = red
		case "waiting", "stopped":
			st = yellow
		}
		p.line("  " + p.paint(st, fmt.Sprintf("%-9s", r.Status)) + r.Title)
		if r.Message != "" && r.Status != "done" {
			p.text(11, dim, r.Message)
		}
	}
	return p.err
}

// Runs lists runs, a line each.
func Runs(w io.Writer, rows [][4]string, v View) error {
	p := newPage(w, v)
	if len(rows) == 0 {
		p.line("No runs yet.")
		return p.err
	}
	p.line(p.paint(dim, fmt.Sprintf("%-20s %-9s %-13s %s", "RUN", "STATUS", "ACCOUNT", "CREATED")))
	for _, r := range rows {
		p.line(fmt.Sprintf("%-20s %-9s %-13s %s", r[0], r[1], r[2], r[3]))
	}
	return p.err
}
