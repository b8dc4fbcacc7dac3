package report

import (
	"fmt"
	"io"
)

// VerificationRow is one line of a verification: what, how it stands, and a sentence.
type VerificationRow struct{ What, Status, Message string }

// Verification writes what a verification found; headline is its verdict in words.
func Verification(w io.Writer, headline string, bad bool, rows []VerificationRow, gaps []string, v View) error {
	p := newPage(w, v)
	color := green
	if bad {
		color = red
	}
	p.line(p.paint(bold, p.paint(color, headline)))
	for _, r := range rows {
		st := dim
		switch r.Status {
		case "clear", "ok":
			st = green
		case "found", "broken":
			st = red
		case "unknown", "unseen":
			st = yellow
		}
		p.line("  " + p.paint(st, fmt.Sprintf("%-8s", r.Status)) + r.What)
		if r.Message != "" {
			p.text(10, dim, r.Message)
		}
	}
	if len(gaps) > 0 {
		p.line("Not seen")
		for _, g := range gaps {
			p.text(2, dim, g)
		}
	}
	return p.err
}
