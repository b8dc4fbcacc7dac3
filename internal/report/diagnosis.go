// Package report turns results into what people and scripts read: tables, JSON. It never judges and never leaves anything out
// without saying so.
package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/unjam/unjam/internal/baseline"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// DiagnosisSchema names the form of a diagnosis document; its JSON Schema is docs/schema/diagnosis.v1.json.
const DiagnosisSchema = "unjam/diagnosis/v1"

// Diagnosis is a diagnosis as a document. Its JSON is part of the contract.
type Diagnosis struct {
	Schema      string           `json:"schema"`
	GeneratedAt time.Time        `json:"generatedAt"`
	Snapshot    fact.Digest      `json:"snapshot"`
	Identity    Identity         `json:"identity"`
	Warnings    []string         `json:"warnings,omitempty"` // what looks wrong about the session
	Results     []Result         `json:"results"`
	Findings    []fault.Finding  `json:"findings"`
	Hidden      *baseline.Hidden `json:"hidden,omitempty"` // what a baseline hid of them
	Gaps        []Gap            `json:"gaps"`
	Calls       Calls            `json:"calls"`
	ElapsedMS   int64            `json:"elapsedMs"`
}

// Identity is who asked.
type Identity struct {
	Account   string `json:"account"`
	ARN       string `json:"arn"`
	Kind      string `json:"kind"`
	Source    string `json:"source"`
	ExpiresAt string `json:"expiresAt,omitempty"`
}

// Result is one verdict.
type Result struct {
	Code    fault.Code    `json:"code"`
	Account string        `json:"account"`
	Region  string        `json:"region"`
	Verdict fault.Verdict `json:"verdict"`
}

// Gap is what could not be seen.
type Gap struct {
	Account    string       `json:"account"`
	Region     string       `json:"region"`
	Service    string       `json:"service"`
	Operation  string       `json:"operation"`
	Class      fact.Class   `json:"class"`
	Permission string       `json:"permission,omitempty"`
	Why        string       `json:"why"`
	About      string       `json:"about,omitempty"` // what was asked for, where the query names a thing
	Blocks     []fault.Code `json:"blocks"`
}

// Calls counts the API calls made.
type Calls struct {
	Total       int            `json:"total"`
	ByOperation map[string]int `json:"byOperation"`
}

// NewDiagnosis makes the document of an outcome.
func NewDiagnosis(s *fact.Snapshot, out fault.Outcome, calls Calls, elapsed time.Duration) Diagnosis {
	d := Diagnosis{
		Schema: DiagnosisSchema, GeneratedAt: s.At().Truncate(time.Second), Snapshot: s.Content(), Calls: calls, ElapsedMS: elapsed.Milliseconds(),
		Results: []Result{}, Findings: []fault.Finding{}, Gaps: []Gap{},
	}
	if d.Calls.ByOperation == nil {
		d.Calls.ByOperation = map[string]int{}
	}
	for i := range fact.All[fact.Identity](s) {
		d.Identity = Identity{Account: i.Account, ARN: i.ARN, Kind: i.Kind, Source: i.Origin, ExpiresAt: fault.Stamp(i.ExpiresAt)}
	}
	for _, r := range out.Results {
		d.Results = append(d.Results, Result{r.Code, r.Scope.Account, r.Scope.Region, r.Verdict})
	}
	for _, f := range out.Findings {
		if f.Affects == nil {
			f.Affects = []fault.Subject{}
		}
		if f.Explained == nil {
			f.Explained = []fault.Explained{}
		}
		d.Findings = append(d.Findings, f)
	}
	for _, g := range s.Gaps() {
		blocks := out.Blocks[g.Query.Key()]
		d.Gaps = append(d.Gaps, newGap(g, blocks))
	}
	return d
}

// newGap is a gap as a document has it; blocks may be nil.
func newGap(g fact.Gap, blocks []fault.Code) Gap {
	if blocks == nil {
		blocks = []fault.Code{}
	}
	return Gap{Account: g.Query.Scope.Account, Region: g.Source.Region, Service: g.Source.Service, Operation: g.Source.Operation,
		Class: g.Class, Permission: g.Permission, Why: g.Why, About: g.Query.ID, Blocks: blocks}
}

// Hide takes out the findings that a baseline knows and says so in Hidden. Verdicts stay what they are.
func (d *Diagnosis) Hide(b baseline.Baseline) {
	left, hidden := b.Apply(d.Findings, d.GeneratedAt)
	d.Findings, d.Hidden = left, &hidden
}

// Wrong reports whether anything of severity low or above was found.
func (d Diagnosis) Wrong() bool {
	for _, f := range d.Findings {
		if f.Severity != fault.Info {
			return true
		}
	}
	return false
}

// Blind reports whether some verdict is unknown.
func (d Diagnosis) Blind() bool {
	for _, r := range d.Results {
		if r.Verdict == fault.Unknown {
			return true
		}
	}
	return false
}

// Exit is the exit code of a diagnosis: 3 when something is wrong, 4 when nothing is but not everything that matters could be
// seen, else 0.
func (d Diagnosis) Exit() int {
	switch {
	case d.Wrong():
		return 3
	case d.Blind():
		return 4
	}
	return 0
}

// JSON writes any document as indented JSON with a final newline, without HTML escapes.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
