// Package guard is the gate before every change: from the policy, the plan, its approvals, who asks, what time it is and what the journal
// counts it decides whether a run may begin and whether a call may be made. It never calls AWS, never changes anything, and never lets
// pass what it cannot judge.
package guard

import (
	"errors"
	"fmt"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
)

// Request is one run that asks to begin, to go on, or to make a call.
type Request struct {
	Plan       plan.Plan
	Run        string // "" before it has one
	Account    string // of the caller
	Alias      string // of that account, as AWS says; "" when it has none
	AliasKnown bool   // AWS was asked and answered
	Tags       map[string]string
	By         Person
	Confirm    string   // what the person typed to name the account
	Accept     []string // consents by name: plan.Step.Consent, NoWindow, OpenBreaker
	Approvals  []Signed // all documents about this plan
	Now        time.Time
	NowSource  string // where Now is from, in words; "": this machine's clock
	Resumed    bool   // the run has begun before: neither plan nor approvals expire for going on
	Past       Past
}

// Past is what the journal knows of all runs.
type Past interface {
	// Writes are the calls since a time.
	Writes(since time.Time) ([]Write, error)
	// Shapes are the runs that ended since a time.
	Shapes(since time.Time) ([]ShapeRun, error)
	// Newest is when the last entry was written; zero when there is none.
	Newest() (time.Time, error)
}

// Write is one call that a run was about to make. Attempts of one step, which AWS was too busy for, are one Write.
type Write struct {
	At        time.Time
	Run       string
	Account   string
	Operation string // service:Operation
	Failed    bool   // AWS refused it, or its step failed
}

// ShapeRun is one run of a plan of a shape.
type ShapeRun struct {
	Account string
	Shape   fact.Digest
	Sandbox bool // the account was a sandbox by its tag when the run began: Admission.Sandbox
	Done    bool
	At      time.Time // its end
}

// Admission is what let a run pass.
type Admission struct {
	Approvals []string // people
	Accepted  []string // consents that were used; OpenBreaker is not among them: it is good for one process
	Sandbox   bool     // the account is a sandbox
}

// The gates.
const (
	GatePlan     = "plan"
	GateClock    = "clock"
	GateAccount  = "account"
	GateAlias    = "alias"
	GateConfirm  = "confirm"
	GateSandbox  = "sandbox"
	GateApproval = "approval"
	GateConsent  = "consent"
	GateWindow   = "window"
	GateBreaker  = "breaker"
)

// Refused is one gate that is closed.
type Refused struct {
	Gate  string
	Why   string
	Next  string    // the command to type, a flag to add to this one ("--..."), or whom to ask; "" when nothing helps
	Opens time.Time // GateWindow: when it opens next; zero: never
}

func (r *Refused) Error() string { return r.Gate + ": " + r.Why }

// Refusals are all closed gates of an error of Admit or Before.
func Refusals(err error) []*Refused {
	switch e := err.(type) {
	case *Refused:
		return []*Refused{e}
	case interface{ Unwrap() []error }:
		var all []*Refused
		for _, one := range e.Unwrap() {
			all = append(all, Refusals(one)...)
		}
		return all
	case interface{ Unwrap() error }:
		return Refusals(e.Unwrap())
	}
	return nil
}

// clockSlack is how far two clocks may differ: AWS itself refuses requests that are five minutes off (Troubleshooting Signature Version 4
// signing for AWS API requests, IAM User Guide).
const clockSlack = 5 * time.Minute

// Admit decides whether a run may begin or go on. The error joins everything that stands against it, each a *Refused, so that the user
// sees at once all that is missing; an error that is none means that a gate could not be judged, and is a refusal too.
func (p Policy) Admit(r Request) (Admission, error) {
	if r.Past == nil {
		return Admission{}, errors.New("admit run: there is no journal to look into")
	}
	var a Admission
	var against []error
	for _, gate := range []func(Request, *Admission) error{
		p.planGate, p.clockGate, p.accountGate, p.confirmGate, p.sandboxGate, p.approvalGate, p.consentGate, p.windowsExist, p.breakerGate,
	} {
		if err := gate(r, &a); err != nil {
			against = append(against, err)
		}
	}
	if len(against) > 0 {
		return Admission{}, errors.Join(against...)
	}
	return a, nil
}

// Before decides, just before it is made, whether the call of a step may be made. r.Approvals must be read anew: a revocation stops a run
// that has begun.
func (p Policy) Before(r Request, s plan.Step) error {
	if r.Past == nil {
		return errors.New("before call: there is no journal to look into")
	}
	r.Resumed = true // what has begun does not expire
	var a Admission
	return errors.Join(p.clockGate(r, &a), p.accountGate(r, &a), p.approvalGate(r, &a), p.windowGate(r, s), p.breakerGate(r, &a))
}

// planGate refuses an edited and an expired plan, and one for another account.
func (p Policy) planGate(r Request, _ *Admission) error {
	switch got := r.Plan.Digest(); {
	case r.Plan.ID == "" || got != r.Plan.ID:
		return &Refused{Gate: GatePlan, Why: fmt.Sprintf("the plan was edited: its content is %s, its ID says %s", got, r.Plan.ID), Next: "unjam plan TARGET --out FILE"}
	case r.Plan.Account != r.Account:
		return &Refused{Gate: GatePlan, Why: fmt.Sprintf("the plan is for account %s, these credentials are of account %s", r.Plan.Account, r.Account), Next: "unjam whoami; then another --profile"}
	}
	if err := r.Plan.Validate(); err != nil {
		return &Refused{Gate: GatePlan, Why: err.Error(), Next: "unjam plan TARGET --out FILE"}
	}
	if !r.Resumed && !r.Now.Before(r.Plan.ExpiresAt) {
		return &Refused{Gate: GatePlan, Why: fmt.Sprintf("the plan expired for starting at %s, and it is %s by %s", stamp(r.Plan.ExpiresAt), stamp(r.Now), r.clock()), Next: "unjam plan TARGET --out FILE"}
	}
	return nil
}

// clockGate refuses when the clock was set back: expiries would mean nothing.
func (p Policy) clockGate(r Request, _ *Admission) error {
	latest := r.Now.Add(clockSlack)
	if r.Plan.CreatedAt.After(latest) {
		return &Refused{Gate: GateClock, Why: fmt.Sprintf("the plan was made at %s, but it is %s by %s", stamp(r.Plan.CreatedAt), stamp(r.Now), r.clock()), Next: "set the clock, then unjam whoami"}
	}
	newest, err := r.Past.Newest()
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	if newest.After(latest) {
		return &Refused{Gate: GateClock, Why: fmt.Sprintf("the journal was written at %s, but it is %s by %s: the clock was set back", stamp(newest), stamp(r.Now), r.clock()), Next: "set the clock, then unjam whoami"}
	}
	return nil
}

// clock is where Now is from.
func (r Request) clock() string {
	if r.NowSource == "" {
		return "this machine's clock"
	}
	return r.NowSource
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
