// Package baseline decides which findings are known and accepted for a time: each by its ID, with an owner, a reason and a day on
// which that ends. It never reads a file, and it hides nothing without saying so.
package baseline

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/unjam/unjam/internal/fault"
)

// Entry is one known finding. It hides the finding of its ID whatever its cause is and however much it affects: the ID is made of the
// fault and the subject.
type Entry struct {
	ID      string `json:"id"`
	Owner   string `json:"owner"`   // who answers for it
	Reason  string `json:"reason"`  // why it may stay
	Expires string `json:"expires"` // the last day on which it hides, YYYY-MM-DD, in UTC
	Line    int    `json:"-"`       // in the file
}

// Keys are the members of an entry, in the order in which files have them.
func Keys() []string { return []string{"id", "owner", "reason", "expires"} }

var findingID = regexp.MustCompile(`^[a-z]+(-[a-z]+)*/[0-9a-f]{10}$`)

// Wrong says which member of an entry cannot stand, and why; "" for both when all can.
func (e Entry) Wrong() (key, why string) {
	for i, text := range []string{e.ID, e.Owner, e.Reason, e.Expires} {
		switch {
		case strings.TrimSpace(text) == "":
			return Keys()[i], "it is empty: fill it in"
		case strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) && c != '\n' }):
			return Keys()[i], "it has control characters"
		}
	}
	if !findingID.MatchString(e.ID) {
		return "id", "it is no ID of a finding such as connection-pending/0123456789: unjam diagnose --output json shows them"
	}
	if _, err := time.Parse(time.DateOnly, e.Expires); err != nil {
		return "expires", "it is no date such as 2026-12-31"
	}
	return "", ""
}

// Expired reports whether an entry's last day is over.
func (e Entry) Expired(at time.Time) bool { return at.UTC().Format(time.DateOnly) > e.Expires }

// Baseline is the content of one file: entries that are not Wrong, at most one for an ID.
type Baseline struct {
	Name    string // of the file
	Entries []Entry
}

// Hides finds the entry that hides a finding at a time.
func (b Baseline) Hides(id string, at time.Time) (Entry, bool) {
	i := slices.IndexFunc(b.Entries, func(e Entry) bool { return e.ID == id && !e.Expired(at) })
	if i < 0 {
		return Entry{}, false
	}
	return b.Entries[i], true
}

// Hidden is what a baseline did to a diagnosis. Its JSON is part of the contract.
type Hidden struct {
	File      string  `json:"file"`
	Findings  []Known `json:"findings"`  // that it hides, in the order of the diagnosis
	Expired   []Entry `json:"expired"`   // their last day is over: they hide nothing
	Unmatched []Entry `json:"unmatched"` // no finding of this diagnosis has their ID
}

// Known is a finding that is hidden, with the entry that hides it.
type Known struct {
	ID       string         `json:"id"`
	Code     fault.Code     `json:"code"`
	Title    string         `json:"title"`
	Severity fault.Severity `json:"severity"`
	Message  string         `json:"message"`
	Owner    string         `json:"owner"`
	Reason   string         `json:"reason"`
	Expires  string         `json:"expires"`
}

// Apply splits findings into those that are left and those that the baseline hides at a time. What is folded under a hidden finding is
// hidden with it; an entry for something that is folded under another finding hides nothing and is not unmatched.
func (b Baseline) Apply(all []fault.Finding, at time.Time) ([]fault.Finding, Hidden) {
	left := []fault.Finding{}
	h := Hidden{File: b.Name, Findings: []Known{}, Expired: []Entry{}, Unmatched: []Entry{}}
	seen := map[string]bool{}
	for _, f := range all {
		seen[f.ID] = true
		for _, x := range f.Explained {
			seen[x.ID()] = true
		}
		if e, ok := b.Hides(f.ID, at); ok {
			h.Findings = append(h.Findings, Known{ID: f.ID, Code: f.Code, Title: f.Title, Severity: f.Severity, Message: f.Message, Owner: e.Owner, Reason: e.Reason, Expires: e.Expires})
			continue
		}
		left = append(left, f)
	}
	for _, e := range b.Entries {
		switch {
		case e.Expired(at):
			h.Expired = append(h.Expired, e)
		case !seen[e.ID]:
			h.Unmatched = append(h.Unmatched, e)
		}
	}
	return left, h
}
