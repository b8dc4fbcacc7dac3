package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// Form says who will read a support text.
type Form string

// The forms of a support text.
const (
	ForSupport Form = "support" // a case with AWS Support, which knows the account: its ID stays
	ForPublic  Form = "repost"  // a question on AWS re:Post: account IDs are cut to their last four digits
)

// Support writes what AWS Support, or people who want to help, need to know about a probe: what was asked when and with which request
// IDs, what was seen and what is ruled out. No key and no person's name is in it.
func Support(w io.Writer, d Probe, form Form) error {
	redact := redactor(d, form)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Subject: %s", subjectLine(d))
	line("Service: %s", serviceName(d.Subject.Kind))
	line("Region:  %s", d.Subject.Region)
	line("Account: %s", d.Identity.Account)
	line("Resource: %s", d.Subject.ARN)
	line("Time of these reads: %s (UTC)", fault.Stamp(d.GeneratedAt))
	line("\nWhat was seen")
	if len(d.Symptoms) == 0 {
		line("- no failed action in the latest state")
	}
	for _, s := range d.Symptoms {
		line("- %s", s.words())
	}
	line("\nReads, each made once (time in UTC, request ID)")
	for _, way := range d.Ways {
		line("%s:", way.What)
		if way.Skipped != "" {
			line("- not done: %s", way.Skipped)
		}
		for _, r := range way.Reads {
			line("- %s", r.words())
		}
	}
	line("\nWhat was ruled out")
	for _, r := range append(RuledOut(d), notRuledOut(d.Ways)...) {
		line("- %s", r)
	}
	line("- AWS Health: %s", d.Health)
	if len(d.Differences) > 0 {
		line("\nWhat differed (%s)", d.Cause)
		for _, x := range d.Differences {
			line("- %s", x.words())
		}
	}
	line("\nQuestion: %s", "which side is the failure on, and what has to be done to end it?")
	_, err := io.WriteString(w, redact(b.String()))
	return err
}

func subjectLine(d Probe) string {
	what := d.Subject.Kind + " " + d.Subject.Name + " in " + d.Subject.Region
	if len(d.Symptoms) > 0 {
		s := d.Symptoms[0]
		if s.Code != "" {
			return what + ": " + s.Stage + "/" + s.Action + " fails with " + s.Code
		}
		return what + ": " + s.Stage + "/" + s.Action + " fails"
	}
	for _, r := range d.Ways[0].Reads {
		if r.Outcome != Answered {
			return what + ": " + r.Operation + " ends with " + string(r.Outcome)
		}
	}
	return what + " does not go on"
}

func serviceName(kind string) string {
	if kind == "connection" {
		return "Developer Tools: AWS CodeConnections (codeconnections, codestar-connections)"
	}
	return "AWS CodePipeline"
}

func (r Read) words() string {
	words := r.At.UTC().Format("2006-01-02T15:04:05Z") + " " + r.Service + ":" + r.Operation + " in " + r.Region
	if r.About != "" {
		words += " of " + r.About
	}
	words += ": " + r.Got()
	if r.RequestID != "" {
		words += ", request " + r.RequestID
	}
	if r.Why != "" {
		words += ", " + r.Why
	}
	return words
}

// RuledOut says what the ways that agree with the first rule out.
func RuledOut(d Probe) []string {
	var all []string
	for _, w := range d.Ways {
		differs := slices.ContainsFunc(d.Differences, func(x Difference) bool { return x.Way == w.Name })
		if w.Skipped != "" || len(w.Reads) == 0 || differs {
			continue
		}
		switch w.Name {
		case FreshSession:
			all = append(all, "a session made anew sees the same")
		case OtherRegion:
			if slices.ContainsFunc(w.Reads, func(r Read) bool { return r.Outcome == Answered && r.Operation != "GetCallerIdentity" }) {
				all = append(all, "another Region answers the same")
			}
		case AtOnce:
			all = append(all, "several calls at once are answered like one")
		}
	}
	return all
}

// notRuledOut are the ways that could not be tried.
func notRuledOut(ways []Way) []string {
	var all []string
	for _, w := range ways {
		if w.Skipped != "" {
			all = append(all, "not ruled out: "+string(w.Name)+" could not be tried")
		}
	}
	return all
}

var (
	accountID = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\d{12}\b`) // or a UUID, which stays
	sessionOf = regexp.MustCompile(`(assumed-role/[\w+=,.@-]+/)[\w+=,.@-]+`)
	userOf    = regexp.MustCompile(`((?::user|federated-user)/(?:[\w+=,.@-]+/)*)[\w+=,.@-]+`)
	email     = regexp.MustCompile(`[\w+=.-]+@[\w-]+(?:\.[\w-]+)+`)
	keyID     = regexp.MustCompile(`\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b`)
)

const nobody = "(name left out)"

// redactor takes out what a text for others must not hold: the names of people, keys, and for the public account IDs.
func redactor(d Probe, form Form) func(string) string {
	var names []string
	i := fact.Identity{ARN: d.Identity.ARN, Kind: d.Identity.Kind}
	if s := i.Session(); len(s) > 2 && s != "unjam" { // the name this program gives its own sessions
		names = append(names, s)
	}
	if i.Kind == "user" || i.Kind == "federated-user" {
		names = append(names, i.Name())
	}
	return func(text string) string {
		text = sessionOf.ReplaceAllString(text, "${1}"+nobody)
		text = userOf.ReplaceAllString(text, "${1}"+nobody)
		text = email.ReplaceAllString(text, nobody)
		text = keyID.ReplaceAllString(text, "(key left out)")
		for _, n := range names {
			text = regexp.MustCompile(`(^|[^\w-])`+regexp.QuoteMeta(n)+`($|[^\w-])`).ReplaceAllString(text, "${1}"+nobody+"${2}")
		}
		if form == ForPublic {
			text = accountID.ReplaceAllStringFunc(text, cut)
		}
		return text
	}
}

// cut leaves the last four digits of an account ID.
func cut(id string) string {
	if len(id) != 12 {
		return id // a UUID
	}
	return "********" + id[8:]
}
