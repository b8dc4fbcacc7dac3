package report

import (
	"fmt"
	"io"
	"time"
)

// StepRow is one step of a run as a table shows it. At is when it came to its status, By the ARN of who ran it; both may be empty.
type StepRow struct {
	Status, Title, Message string
	At                     time.Time
	By                     string
}

// Run writes where a run stands; notes are lines about the run itself. begun and last are the times of its first and last entry; zero when they are not to be told.
func Run(w io.Writer, title string, begun, last time.Time, notes []string, rows []StepRow, v View) error {
	p := newPage(w, v)
	p.line(p.paint(bold, title))
	if !begun.IsZero() {
		text := "begun " + p.clock(begun)
		if !last.IsZero() {
			text += ", last entry " + p.clock(last)
		}
		p.text(2, dim, text)
	}
	for _, n := range notes {
		p.text(2, dim, n)
	}
	for _, r := range rows {
		st := dim
		switch r.Status {
		case "done", "skipped":
			st = green
		case "failed", "stale", "in-doubt", "blocked":
			st = red
		case "waiting", "stopped":
			st = yellow
		}
		p.line("  " + p.paint(st, fmt.Sprintf("%-9s", r.Status)) + r.Title)
		if !r.At.IsZero() {
			p.text(11, dim, p.clock(r.At)+" by "+Who(r.By))
		}
		if r.Message != "" && r.Status != "done" {
			p.text(11, dim, r.Message)
		}
	}
	return p.err
}

// RunRow is one run as a list shows it.
type RunRow struct {
	ID, Status, Account string
	Created             time.Time
}

// Runs lists runs, a line each.
func Runs(w io.Writer, rows []RunRow, v View) error {
	p := newPage(w, v)
	if len(rows) == 0 {
		p.line("No runs yet.")
		return p.err
	}
	p.line(p.paint(dim, fmt.Sprintf("%-20s %-9s %-13s %s", "RUN", "STATUS", "ACCOUNT", "CREATED")))
	for _, r := range rows {
		p.line(fmt.Sprintf("%-20s %-9s %-13s %s", r.ID, r.Status, r.Account, p.clock(r.Created)))
	}
	return p.err
}
