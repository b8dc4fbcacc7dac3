package fault

import (
	"encoding/json"
	"time"

	"github.com/unjam/unjam/internal/fact"
)

// Finding is one thing that is wrong. Its JSON is part of the contract.
type Finding struct {
	ID        string      `json:"id"`   // stamped by the driver
	Code      Code        `json:"code"` // stamped by the driver
	Title     string      `json:"title"`
	Severity  Severity    `json:"severity"`
	Bucket    Bucket      `json:"bucket"`
	Cause     Cause       `json:"cause"`
	Subject   Subject     `json:"subject"`
	Since     string      `json:"since,omitempty"` // RFC 3339, UTC
	Details   Details     `json:"details"`
	Triage    []Ruling    `json:"triage,omitempty"`   // the buckets told apart; added by a lens
	Changes   []Change    `json:"changes,omitempty"`  // since it last worked, likeliest cause first; added by a lens
	Timeline  []Moment    `json:"timeline,omitempty"` // what happened, oldest first; added by a lens
	Message   string      `json:"message"`            // one sentence in the user's words
	Affects   []Subject   `json:"affects"`
	Explained []Explained `json:"explains"`
	Evidence  []Evidence  `json:"evidence"`
	Remedy    string      `json:"remedy"`
	Link      string      `json:"link,omitempty"`
	About     fact.Ref    `json:"-"` // the subject as a Ref
}

// Cause is why.
type Cause struct {
	Code  string `json:"code"`
	Text  string `json:"text"`
	Class Class  `json:"class"`
}

// Subject is a thing in AWS.
type Subject struct {
	Kind    string `json:"kind"`
	ARN     string `json:"arn"`
	Name    string `json:"name"`
	Account string `json:"account"`
	Region  string `json:"region"`
}

// Details are what helps beside the cause.
type Details struct {
	CreatedBy    string            `json:"createdBy,omitempty"`
	CreatedWith  string            `json:"createdWith,omitempty"`
	Alternatives []string          `json:"alternatives,omitempty"` // ARNs
	WhoCan       []WhoCan          `json:"whoCan,omitempty"`
	Grant        *Grant            `json:"grant,omitempty"` // the least policy that would mend it
	More         map[string]string `json:"more,omitempty"`
}

// WhoCan says whether somebody may complete the handshake: a simulation.
type WhoCan struct {
	ARN     string   `json:"arn"`
	Class   Class    `json:"class"`
	Allowed bool     `json:"allowed"`
	Lacks   []string `json:"lacks,omitempty"` // actions the simulator says no to
	By      string   `json:"by,omitempty"`    // what says no
}

// Explained is a symptom folded under its cause.
type Explained struct {
	Code    Code    `json:"code"`
	Subject Subject `json:"subject"`
	Message string  `json:"message"`
}

// Evidence is one observation that carries a claim.
type Evidence struct {
	Class  Class       `json:"class"`
	Field  string      `json:"field"`
	Got    string      `json:"got"`
	Want   string      `json:"want,omitempty"`
	Text   string      `json:"text,omitempty"`
	Source fact.Source `json:"source"`
}

// Ruling says whether one bucket is where the trouble lies.
type Ruling struct {
	Bucket Bucket `json:"bucket"`
	Says   Says   `json:"says"`
	Why    string `json:"why"`
	Class  Class  `json:"class"`
}

// Says is the word of a ruling.
type Says string

// The words of a ruling.
const (
	ItIs     Says = "it-is"     // this is the bucket
	RuledOut Says = "ruled-out" // what could be wrong there was looked at, and is not
	Unseen   Says = "not-seen"  // it could not be looked at: Why names what is missing
)

// Change is one difference between what worked and what does not.
type Change struct {
	At      string      `json:"at,omitempty"` // RFC 3339, UTC
	Who     string      `json:"who,omitempty"`
	With    string      `json:"with,omitempty"` // the tool: console, terraform, cloudformation, aws-cli ...
	What    Subject     `json:"what"`
	Field   string      `json:"field"` // path in the resource: "stages/Source/actions/Git/configuration/BranchName"
	Before  string      `json:"before,omitempty"`
	After   string      `json:"after,omitempty"`
	Outside string      `json:"outside,omitempty"` // the stack or Terraform address that owns the resource and did not make the change
	Class   Class       `json:"class"`
	Source  fact.Source `json:"source"`
}

// Moment is one entry of a timeline.
type Moment struct {
	At     string      `json:"at"`
	What   string      `json:"what"` // one line
	Class  Class       `json:"class"`
	Source fact.Source `json:"source"`
}

// Grant is a policy that would give what is missing, and no more.
type Grant struct {
	To       string          `json:"to"`       // role or user ARN
	Document json.RawMessage `json:"document"` // an IAM policy document. Nothing applies it: it is for whoever may
	Checked  string          `json:"checked"`  // what Access Analyzer says of it, or why it was not asked
	Class    Class           `json:"class"`
}

// Ev makes evidence out of a fact.
func Ev(c Class, f fact.Fact, field, got, want string) Evidence {
	return Evidence{Class: c, Field: field, Got: got, Want: want, Source: f.Source()}
}

// Stamp is a time as findings carry it: RFC 3339 in UTC, "" for the zero time.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// ID is the ID that the symptom had as a finding of its own.
func (e Explained) ID() string { return findingID(e.Code, Finding{Subject: e.Subject}) }
