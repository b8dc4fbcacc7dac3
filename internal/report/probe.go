package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fault"
)

// ProbeSchema names the form of a probe document; its JSON Schema is docs/schema/probe.v1.json.
const ProbeSchema = "unjam/probe/v1"

// ProbeCause says what makes the difference between several ways of reading the same.
type ProbeCause string

// The causes of a probe.
const (
	StaleSession ProbeCause = "stale-session" // a session made anew gets another answer
	Race         ProbeCause = "race"          // the answer depends on when, or on how many ask at once
	Regional     ProbeCause = "regional"      // another Region gives another answer
	NoCause      ProbeCause = "none"          // all ways agree
)

// Probe is the same reads made in several ways, as a document. Its JSON is part of the contract.
type Probe struct {
	Schema      string        `json:"schema"`
	GeneratedAt time.Time     `json:"generatedAt"`
	Identity    Identity      `json:"identity"`
	Subject     fault.Subject `json:"subject"`
	Cause       ProbeCause    `json:"cause"`
	Text        string        `json:"text"` // what that means and what to do, in a sentence or two
	Differences []Difference  `json:"differences"`
	Ways        []Way         `json:"ways"`
	Symptoms    []Symptom     `json:"symptoms"` // what the pipeline's state shows as failed
	Health      string        `json:"health"`   // what AWS Health says
	Calls       Calls         `json:"calls"`
	ElapsedMS   int64         `json:"elapsedMs"`
}

// WayName names a way of reading.
type WayName string

// The ways, in the order in which they are tried.
const (
	AsNow        WayName = "as-now"        // this session, one read at a time
	FreshSession WayName = "fresh-session" // credentials and connections made anew
	OtherRegion  WayName = "other-region"  // the same session, asked in another Region
	AtOnce       WayName = "at-once"       // this session, eight of each read at the same time
	AsNowAgain   WayName = "as-now-again"  // as at first, when a way differed
)

// Way is one way of reading.
type Way struct {
	Name    WayName `json:"name"`
	What    string  `json:"what"`              // what was done, in words
	Skipped string  `json:"skipped,omitempty"` // why it was not done
	Reads   []Read  `json:"reads"`
}

// Read is one call and what came of it. Calls are made once: nothing is smoothed over by asking again.
type Read struct {
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	About     string    `json:"about"` // name or ARN; "" for the caller
	Region    string    `json:"region"`
	RequestID string    `json:"requestId,omitempty"` // only when AWS answered
	At        time.Time `json:"at"`
	ElapsedMS int64     `json:"elapsedMs"`
	Outcome   Outcome   `json:"outcome"`
	Answer    string    `json:"answer,omitempty"` // what was compared: a status, a version, the caller
	Why       string    `json:"why,omitempty"`    // of a failure
}

// Outcome is what came of a read.
type Outcome string

// The outcomes; a failure that AWS worded has the word of its class.
const (
	Answered    Outcome = "answered"
	NotFound    Outcome = "not-found"   // AWS says that there is none
	Unreachable Outcome = "unreachable" // no answer of AWS
)

// Got is a read's outcome in one word or two.
func (r Read) Got() string {
	if r.Outcome == Answered && r.Answer != "" {
		return r.Answer
	}
	return string(r.Outcome)
}

// Key says what was read, whichever way.
func (r Read) Key() string { return r.Operation + " " + r.About }

// Difference is a read that came out differently in one of the ways.
type Difference struct {
	Way        WayName  `json:"way"`
	Service    string   `json:"service"`
	Operation  string   `json:"operation"`
	About      string   `json:"about"`
	Now        string   `json:"now"`
	Got        string   `json:"got"`
	RequestIDs []string `json:"requestIds"` // of both replies, as far as AWS answered
	Why        string   `json:"why,omitempty"`
}

// Symptom is a failed action.
type Symptom struct {
	Stage  string `json:"stage"`
	Action string `json:"action"`
	Code   string `json:"code,omitempty"`
	Text   string `json:"text"`
	Since  string `json:"since,omitempty"`
	Run    string `json:"executionId,omitempty"`
}

// ProbeTable writes a probe for a person at a terminal.
func ProbeTable(w io.Writer, d Probe, v View) error {
	p := newPage(w, v)
	p.line(p.paint(bold, "Account "+d.Identity.Account) + "  Region " + d.Subject.Region)
	p.line(p.paint(dim, "as "+Who(d.Identity.ARN)))
	p.line("")
	st := yellow
	if d.Cause == NoCause {
		st = green
	}
	p.text(0, st, string(d.Cause)+": "+d.Text)
	for _, x := range d.Differences {
		p.text(2, "", x.words())
	}
	p.line("")
	for _, way := range d.Ways {
		p.text(0, bold, way.What)
		if way.Skipped != "" {
			p.text(2, yellow, "not done: "+way.Skipped)
		}
		for _, g := range grouped(way.Reads) {
			p.text(2, "", g.words)
			p.text(4, dim, g.requests)
		}
	}
	if len(d.Symptoms) > 0 {
		p.line("")
	}
	for _, s := range d.Symptoms {
		p.text(0, "", "Failed: "+s.words())
	}
	p.line("")
	p.text(0, "", "AWS Health: "+d.Health)
	p.line(p.paint(dim, fmt.Sprintf("%s in %.1f s", fault.Plural(d.Calls.Total, "call"), float64(d.ElapsedMS)/1000)))
	if d.Cause == NoCause {
		p.line("")
		p.line("Next: " + p.paint(bold, "unjam probe "+d.target()+" --support") + "   (the text for a support case)")
	}
	return p.err
}

// target is the subject as one types it.
func (d Probe) target() string {
	if d.Subject.Kind == "pipeline" {
		return d.Subject.Name
	}
	return d.Subject.ARN
}

// group is reads that came out alike.
type group struct {
	words    string
	requests string // their request IDs, as far as AWS answered
}

// grouped says what came of the reads, a group for each outcome.
func grouped(reads []Read) []group {
	var all []group
	ids := map[string][]string{}
	count := map[string]int{}
	for _, r := range reads {
		words := r.Service + ":" + r.Operation
		if r.About != "" {
			words += " of " + r.About
		}
		words += " in " + r.Region + ": " + r.Got()
		if r.Outcome != Answered && r.Why != "" {
			words += ", " + r.Why
		}
		if count[words]++; count[words] == 1 {
			all = append(all, group{words: words})
		}
		if r.RequestID != "" {
			ids[words] = append(ids[words], r.RequestID)
		}
	}
	for i, g := range all {
		if n := count[g.words]; n > 1 {
			all[i].words += fmt.Sprintf(" (%d times)", n)
		}
		switch requests := ids[g.words]; len(requests) {
		case 0:
		case 1:
			all[i].requests = "request " + requests[0]
		default:
			all[i].requests = fmt.Sprintf("request %s and %d more", requests[0], len(requests)-1)
		}
	}
	return all
}

func (x Difference) words() string {
	what := x.Service + ":" + x.Operation
	if x.About != "" {
		what += " of " + x.About
	}
	words := fmt.Sprintf("%s: %s as now, %s %s", what, x.Now, x.Got, x.Way.words())
	if len(x.RequestIDs) > 0 {
		words += " [requests " + strings.Join(x.RequestIDs, ", ") + "]"
	}
	return words
}

// words are a way behind an answer: "PENDING from another Region".
func (n WayName) words() string {
	switch n {
	case FreshSession:
		return "with a fresh session"
	case OtherRegion:
		return "from another Region"
	case AtOnce:
		return "with eight reads at once"
	case AsNowAgain:
		return "a moment later"
	}
	return "as now"
}

func (s Symptom) words() string {
	words := s.Stage + "/" + s.Action + ": "
	if s.Code != "" {
		words += s.Code + ": "
	}
	words += s.Text
	if s.Since != "" {
		words += " (" + s.Since
		if s.Run != "" {
			words += ", execution " + s.Run
		}
		words += ")"
	}
	return words
}
