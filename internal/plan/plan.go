// Package plan is a repair as data: what a person does, what is called, what is waited for and checked, in which order.
// It never carries code to run and never runs anything.
package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
)

// Schema names the form of a plan file.
const Schema = "unjam/plan/v1"

// Plan is a repair of one account.
type Plan struct {
	Schema    string      `json:"schema"`
	ID        fact.Digest `json:"id"` // digest of everything else: what an approval names
	CreatedAt time.Time   `json:"createdAt"`
	ExpiresAt time.Time   `json:"expiresAt"` // for starting, not for waiting
	Account   string      `json:"account"`
	Regions   []string    `json:"regions"`
	Principal string      `json:"principal"`          // who made it
	Snapshot  fact.Digest `json:"snapshot"`           // content of the facts it was made from
	Findings  []Finding   `json:"findings"`           // what it repairs
	Undoes    string      `json:"undoes,omitempty"`   // the run that it takes back
	Strategy  Strategy    `json:"strategy,omitempty"` // which way was chosen, where there was a choice
	Asks      []Ask       `json:"asks,omitempty"`
	Notes     []string    `json:"notes,omitempty"` // what the reader must know before saying yes
	Steps     []Step      `json:"steps"`
}

// Finding is what a plan remembers of a finding.
type Finding struct {
	ID      string   `json:"id"`
	Code    string   `json:"code"`
	Subject fact.Ref `json:"subject"`
	Message string   `json:"message"`
}

// Ask is a question to a person, put before approval.
type Ask struct {
	ID       string `json:"id"`
	Question string `json:"question"`
	Flag     string `json:"flag,omitempty"` // the flag that answers it
}

// Kind says who does a step.
type Kind string

// The kinds of steps.
const (
	Human  Kind = "human"  // a person does Say; the machine sees when it is done (DoneWhen)
	Call   Kind = "call"   // one API call
	Wait   Kind = "wait"   // until DoneWhen
	Verify Kind = "verify" // the diagnosis again
)

// Step is one step.
type Step struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Kind     Kind          `json:"kind"`
	Target   fact.Ref      `json:"target"`
	After    []string      `json:"after,omitempty"` // steps that must be done or skipped first
	Given    []Check       `json:"given,omitempty"` // what it relies on: read again just before; moved means stale
	Say      *Guide        `json:"say,omitempty"`   // Human
	Do       *Action       `json:"do,omitempty"`    // Call
	Undo     *Action       `json:"undo,omitempty"`  // Call
	OneWay   string        `json:"oneWay,omitempty"`
	SkipWhen []Check       `json:"skipWhen,omitempty"` // all hold: nothing to do any more
	DoneWhen []Check       `json:"doneWhen,omitempty"` // all hold: done
	FailWhen []Check       `json:"failWhen,omitempty"` // any holds: failed, unless it is the state that the step repairs
	Patience time.Duration `json:"patience,omitempty"` // nanoseconds
	Verdict  string        `json:"verdict,omitempty"`  // Verify: the fault that must be Clear for Target
	Blast    []Effect      `json:"blast,omitempty"`    // what may notice

	UndoneWhen []Check    `json:"undoneWhen,omitempty"` // Call with Undo: all held before it, and hold again when it is taken back
	Export     []fact.Ref `json:"export,omitempty"`     // Call: saved before the run changes anything
	Window     string     `json:"window,omitempty"`     // why it needs a maintenance window: it touches DNS, certificates or TLS
	Optional   bool       `json:"optional,omitempty"`   // its failure is told and fails nothing
	NotBefore  time.Time  `json:"notBefore,omitzero"`   // begun no sooner: what is read earlier may be older than a call in doubt

	Pause time.Duration `json:"pause,omitempty"` // nanoseconds; begun no sooner than this after the steps it comes after: a load is spread

	Overrules string `json:"overrules,omitempty"` // Call: whose decision it takes back, and which; wants a consent of its own although it can be undone
}

// Consent is the name under which a step that cannot be taken back needs a consent of its own, "one-way:DeleteConnection" for
// example, or one that takes back what somebody decided, "overrule:EnableStageTransition"; "" when --apply says enough: what can be undone,
// what a person does by hand, and what lets runs go on to stages of which none looks like production.
func (s Step) Consent() string {
	if s.Kind != Call || s.Do == nil {
		return ""
	}
	o, _ := op.Find(s.Do.Service, s.Do.Operation)
	production := slices.ContainsFunc(s.Blast, func(e Effect) bool { return e.Production })
	switch {
	case s.Overrules != "":
		return "overrule:" + s.Do.Operation
	case o.Releases && production:
		return "one-way:" + s.Do.Operation
	case s.Undo != nil || s.OneWay == "" || o.Implied && !production:
		return ""
	}
	return "one-way:" + s.Do.Operation
}

// Unconsented says why a step needs a consent of its own (Consent).
func (s Step) Unconsented() string {
	if s.Overrules != "" {
		return fmt.Sprintf("step %s takes back what somebody decided: %s", s.ID, s.Overrules)
	}
	if s.OneWay == "" {
		return fmt.Sprintf("step %s lets runs go on to what looks like production: they cannot be called back", s.ID)
	}
	return fmt.Sprintf("step %s has no way back: %s", s.ID, s.OneWay)
}

// Consents are the names of all consents that a plan needs beside --apply, each once.
func (p Plan) Consents() []string {
	var all []string
	for _, s := range p.Steps {
		if name := s.Consent(); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// Strategy is a way to repair a connection that waits.
type Strategy string

// The strategies.
const (
	Handshake Strategy = "handshake" // complete the connection that waits
	Reuse     Strategy = "reuse"     // point the pipelines at an AVAILABLE connection of the same provider
)

// Action is one API call as data.
type Action struct {
	Service   string   `json:"service"`
	Operation string   `json:"operation"`
	Region    string   `json:"region"`
	Input     op.Input `json:"input"`

	// UpdatePipeline only: the change to the declaration, and the declaration that it was made for (fact.Pipeline.Definition). A
	// whole definition never stands in a plan. Without a patch the declaration is sent as it is.
	Patch      []Edit      `json:"patch,omitempty"`
	Definition fact.Digest `json:"definition,omitempty"`
}

// Edit is one operation of a JSON Patch (RFC 6902) on a pipeline's declaration, the member "pipeline" of GetPipeline's reply.
// A "test" before each "replace" says what stood there: the two together are the diff that people see.
type Edit struct {
	Op    string          `json:"op"`   // test, replace, add or remove
	Path  string          `json:"path"` // JSON Pointer, /stages/0/actions/0/configuration/ConnectionArn
	Value json.RawMessage `json:"value,omitempty"`
}

// Guide is what a person is told.
type Guide struct {
	Link      string   `json:"link"`      // one deep link
	Where     string   `json:"where"`     // account and Region
	Role      string   `json:"role"`      // who to be
	Checklist []string `json:"checklist"` // in order
	Policy    string   `json:"policy"`    // IAM policy to ask for when a permission is lacking; JSON
	Ask       string   `json:"ask"`       // the command that prints the policy
	Handover  string   `json:"handover"`  // a message to copy for somebody without AWS access
}

// Effect is something that may notice a step.
type Effect struct {
	What       string `json:"what"`
	Production bool   `json:"production,omitempty"`
}

// Check is a condition on fresh facts that a machine can judge.
type Check struct {
	Ref   fact.Ref `json:"ref"`
	Field string   `json:"field,omitempty"`
	Op    Op       `json:"op"`
	Value string   `json:"value,omitempty"`
}

// Op compares.
type Op string

// The comparisons. Absent needs AWS's word that the thing does not exist.
const (
	Is     Op = "is"
	Not    Op = "not"
	Absent Op = "absent"
)

// Answer is a check's answer.
type Answer int

// The answers. Unknown: the fact was not read.
const (
	Unknown Answer = iota
	No
	Yes
)

// Judge judges the check on a snapshot.
func (c Check) Judge(s *fact.Snapshot) Answer {
	if _, gone := s.Absence(c.Ref); gone {
		return answer(c.Op == Absent)
	}
	f, ok := fact.Get[fact.Fielder](s, c.Ref)
	if !ok {
		return Unknown
	}
	if c.Op == Absent {
		return No
	}
	if part, ok := f.(fact.Partial); ok && part.Missing(c.Field) {
		return Unknown
	}
	v, ok := f.Field(c.Field)
	if !ok {
		v = ""
	}
	return answer((v == c.Value) == (c.Op == Is))
}

func answer(b bool) Answer {
	if b {
		return Yes
	}
	return No
}

// String is the check in words.
func (c Check) String() string {
	if c.Op == Absent {
		return c.Ref.ID + " does not exist"
	}
	return fmt.Sprintf("%s %s %s", c.Field, c.Op, c.Value)
}

// All reports whether every check holds; Unknown when none fails but one could not be judged. No checks: No.
func All(s *fact.Snapshot, checks []Check) Answer {
	if len(checks) == 0 {
		return No
	}
	out := Yes
	for _, c := range checks {
		switch c.Judge(s) {
		case No:
			return No
		case Unknown:
			out = Unknown
		}
	}
	return out
}

// Digest is the plan's ID as it should be: the digest of everything but the ID.
func (p Plan) Digest() fact.Digest {
	p.ID = ""
	return fact.DigestOf(p)
}

// Parse reads a plan file. It refuses what is not a plan, an unknown schema, a broken order and an edited plan.
func Parse(b []byte) (Plan, error) {
	var p Plan
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("read plan: not JSON of a plan: %w", err)
	}
	if p.Schema != Schema {
		return p, fmt.Errorf("read plan: schema is %q, want %q", p.Schema, Schema)
	}
	if got := p.Digest(); got != p.ID {
		return p, fmt.Errorf("read plan: it was edited: its content is %s, its ID says %s", got, p.ID)
	}
	return p, p.Validate()
}

// Validate reports what is wrong with a plan: double or unknown step IDs, a step before the one it waits for, calls that are
// not in the catalogue, human steps without a word or an end.
func (p Plan) Validate() error {
	seen := map[string]bool{}
	for _, s := range p.Steps {
		if s.ID == "" || seen[s.ID] {
			return fmt.Errorf("validate plan: step ID %q is empty or double", s.ID)
		}
		for _, a := range s.After {
			if !seen[a] {
				return fmt.Errorf("validate plan: step %s comes after %q, which is not before it", s.ID, a)
			}
		}
		seen[s.ID] = true
		if err := s.validate(); err != nil {
			return fmt.Errorf("validate plan: step %s: %w", s.ID, err)
		}
	}
	return nil
}

func (s Step) validate() error {
	switch s.Kind {
	case Human:
		if s.Say == nil || len(s.DoneWhen) == 0 {
			return fmt.Errorf("a human step needs words and an end a machine can see")
		}
	case Call:
		if s.Do == nil {
			return fmt.Errorf("a call step needs a call")
		}
		o, ok := op.Find(s.Do.Service, s.Do.Operation)
		if !ok || !o.Write {
			return fmt.Errorf("%s:%s is not a write of the catalogue", s.Do.Service, s.Do.Operation)
		}
		if s.Undo == nil && s.OneWay == "" {
			return fmt.Errorf("a call needs an undo or the reason why there is none")
		}
		if len(s.Do.Patch) > 0 && s.Do.Definition == "" {
			return fmt.Errorf("a patch needs the digest of the definition it was made for")
		}
	case Wait:
		if len(s.DoneWhen) == 0 {
			return fmt.Errorf("a wait needs an end")
		}
	case Verify:
		if s.Verdict == "" {
			return fmt.Errorf("a verify step needs a fault")
		}
	default:
		return fmt.Errorf("unknown kind %q", s.Kind)
	}
	return nil
}

// Draft is what one fault wants done about one finding; the planner completes it.
type Draft struct {
	Asks     []Ask
	Notes    []string
	Steps    []Step
	Strategy Strategy // which way it takes, where there was a choice
}

// Options are the user's wishes for a plan.
type Options struct {
	Hold      bool     // disable the transition behind Source first
	NoRestart bool     // neither retry nor start pipelines
	Strategy  Strategy // "": the planner chooses
	Reuse     string   // ARN of the connection to point pipelines at; "": the one AVAILABLE connection of the same provider
	Rehook    bool     // update pipelines that were created while their connection was PENDING, without a change
	Metric    bool     // count the remediation in CloudWatch, which AWS charges for
	Load      *Load    // start a pipeline many times afterwards
}

// Load is a bounded smoke load: so many starts of a pipeline, spread over a time.
type Load struct {
	Pipeline string        `json:"pipeline"`
	Starts   int           `json:"starts"`
	Over     time.Duration `json:"over"`
}

// NewCall fills a call step from the catalogue: undo or one-way reason.
func NewCall(id, title string, target fact.Ref, do Action) Step {
	s := Step{ID: id, Title: title, Kind: Call, Target: target, Do: &do}
	o, ok := op.Find(do.Service, do.Operation)
	if !ok {
		return s // Validate refuses it
	}
	s.OneWay = o.OneWay
	if o.Undo != nil {
		svc, name, in := o.Undo(do.Input)
		s.Undo = &Action{Service: svc, Operation: name, Region: do.Region, Input: in}
	}
	return s
}
