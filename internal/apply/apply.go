// Package apply carries out a plan: it reads before each step what the step relies on, journals every call before and after it,
// waits for people and for AWS, and can be ended at any moment and resumed. It never makes a call that is not a step of the
// plan, and never repeats one that may have happened, unless repeating is safe.
package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/awsapi/write"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// Journal is what a run is written to; *journal.Journal is one.
type Journal interface {
	Create(journal.Run) (journal.Run, error)
	Run(id string) (journal.Run, error)
	State(run string) (journal.State, error)
	List(limit int) ([]journal.Listed, error)
	Append(e journal.Entry, data any) (journal.Entry, error)
	Lock(run string) (*journal.Lock, error)
}

// Config says what to carry out, as whom and how. Journal, Account, Read and Write are needed; Verdict is needed for plans
// with verify steps.
type Config struct {
	Plan    plan.Plan // may be left empty to resume: the journal has it
	RunID   string    // "": a new run; otherwise the run to go on with
	Journal Journal
	Account string // of the caller: must be the plan's
	By      string // who runs it: the caller's ARN

	// Read reads facts. A failed read is a gap of the snapshot; the error is for failures that left no snapshot.
	Read func(context.Context, []fact.Query) (*fact.Snapshot, error)
	// Write makes one call once (write.Writer.Do). Its error is a *write.Refused or a *write.Doubt; any other error counts as doubt.
	Write func(context.Context, plan.Action) (write.Reply, error)
	// Verdict says whether a fault is clear for a subject, from fresh facts, with a line for people.
	Verdict func(ctx context.Context, code string, subject fact.Ref) (fault.Verdict, string, error)
	// Admit is the safety gates: policy, approvals, consents. It is asked before anything is written or called, and again when a
	// run is resumed. Its error is a refusal. nil: --apply is the approval, and the consents of Accept are all there is.
	Admit func(context.Context, Admittance) (journal.Consent, error)
	// Before is asked just before each call, with the run's ID: windows, breakers. Its error is a refusal of that call. nil: always.
	Before func(ctx context.Context, run string, s plan.Step) error
	// Accept are consents to steps without a way back, by name (plan.Step.Consent).
	Accept []string
	// Export saves what is there of refs. It is needed for plans with calls: no export, no change.
	Export func(ctx context.Context, run string, p plan.Plan, refs []fact.Ref) (journal.Export, error)
	// Renew looks for fresh credentials, before each poll after the old ones ran out; nil: the session finds them itself. It
	// must fail when they are of another account.
	Renew func(context.Context) error

	Interval time.Duration // between polls; 0: 5 s for 30 minutes and for as long as Watching, then 15 s
	Watching bool          // somebody sits at a terminal
	Grace    time.Duration // how long a connection may show ERROR, which AWS repairs itself at times; 0: 10 minutes
	Events   func(Event)   // told one at a time; nil: nobody
}

// Admittance is what the gates are asked.
type Admittance struct {
	Plan    plan.Plan
	Run     string   // "" for a new run
	Accept  []string // consents given now or, for a resumed run, before
	Resumed bool
}

// Outcome is what a run came to.
type Outcome struct {
	Run      string         `json:"run"`
	Status   journal.Status `json:"status"`
	ExitHint int            `json:"exitHint"` // 0 done, 1 failed, 5 stale or refused, 6 stopped, waiting or in doubt: resume goes on
	Steps    []StepOutcome  `json:"steps"`    // in the plan's order
}

// StepOutcome is what a step came to.
type StepOutcome struct {
	ID      string            `json:"id"`
	Title   string            `json:"title"`
	Status  journal.Status    `json:"status"`
	Message string            `json:"message,omitempty"`
	Outputs map[string]string `json:"outputs,omitempty"`
}

// RefusedError is a run that a safety gate did not let begin. Nothing was called.
type RefusedError struct {
	Why  string
	Err  error  // may be nil
	Run  string // the run that stands in the way; "" when none does
	Held bool   // a process is working on that run now
}

func (e *RefusedError) Error() string { return e.Why }

// Unwrap gives the error behind it.
func (e *RefusedError) Unwrap() error { return e.Err }

// Exit hints: the exit codes of the command line.
const (
	exitDone    = 0
	exitFailed  = 1
	exitRefused = 5
	exitStopped = 6
)

// Run carries out a plan, or goes on with a run that was left, killed or has failed. Ending ctx stops it after the calls in
// hand. The error is a *RefusedError, or says that the journal or the configuration failed; what the steps came to is in the Outcome.
func Run(ctx context.Context, c Config) (Outcome, error) {
	r, err := begin(ctx, c)
	if err != nil {
		return failedToBegin(c, err)
	}
	unlock, err := r.lock()
	if err != nil {
		return failedToBegin(c, err)
	}
	out, err := r.locked(ctx)
	return out, errors.Join(err, unlock())
}

// lock takes the run and, for a plan that takes another run back, that one as well: nobody goes on with it meanwhile.
func (r *run) lock() (unlock func() error, err error) {
	own, err := r.Journal.Lock(r.id)
	if err != nil {
		return nil, err
	}
	if r.Plan.Undoes == "" {
		return own.Unlock, nil
	}
	other, err := r.Journal.Lock(r.Plan.Undoes)
	if err != nil {
		return nil, errors.Join(err, own.Unlock())
	}
	return func() error { return errors.Join(other.Unlock(), own.Unlock()) }, nil
}

func failedToBegin(c Config, err error) (Outcome, error) {
	out := Outcome{Run: c.RunID, Status: journal.HasFailed, ExitHint: exitFailed}
	if errors.Is(err, journal.ErrHeld) {
		err = &RefusedError{Why: err.Error(), Err: err, Run: c.RunID, Held: true}
	}
	if refused := (*RefusedError)(nil); errors.As(err, &refused) {
		out.ExitHint = exitRefused
	}
	return out, err
}

// begin checks the plan and finds or makes its run.
func begin(ctx context.Context, c Config) (*run, error) {
	if c.Journal == nil || c.Read == nil || c.Write == nil || c.Account == "" {
		return nil, errors.New("begin run: Journal, Read, Write and Account are needed")
	}
	if c.Grace <= 0 {
		c.Grace = defaultGrace
	}
	r := &run{Config: c, id: c.RunID, resumed: c.RunID != ""}
	if r.resumed {
		if err := r.find(); err != nil {
			return nil, err
		}
	}
	if err := r.admit(); err != nil {
		return nil, err
	}
	if err := r.consent(ctx); err != nil {
		return nil, err
	}
	if r.resumed {
		return r, nil
	}
	return r, r.create()
}

// create makes a new run of the plan, unless one of it is not over: two runs of one plan would make its calls twice. One process at
// a time looks and makes.
func (r *run) create() (err error) {
	text, err := json.Marshal(r.Plan)
	if err != nil {
		return fmt.Errorf("begin run: write plan: %w", err)
	}
	lock, err := r.Journal.Lock("plan-" + strings.ReplaceAll(string(r.Plan.ID), ":", "-"))
	if errors.Is(err, journal.ErrHeld) {
		return &RefusedError{Why: "begin run: another process begins this plan at this moment", Err: err}
	}
	if err != nil {
		return fmt.Errorf("begin run: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	all, err := r.Journal.List(0)
	if err != nil {
		return fmt.Errorf("begin run: %w", err)
	}
	for _, old := range all {
		if old.PlanID == string(r.Plan.ID) && !ended(old.Status) {
			return &RefusedError{Why: fmt.Sprintf("begin run: run %s of this plan is %s, and a plan has one run at a time", old.ID, old.Status), Run: old.ID, Held: old.Status == journal.Running}
		}
	}
	made, err := r.Journal.Create(journal.Run{PlanID: string(r.Plan.ID), Plan: text, Account: r.Account, By: r.By})
	if err != nil {
		return fmt.Errorf("begin run: %w", err)
	}
	r.id = made.ID
	return nil
}

// ended reports whether a run of this status goes on only when somebody wants it again.
func ended(s journal.Status) bool {
	return s == journal.IsDone || s == journal.HasFailed || s == journal.IsStale
}

// find takes the plan from the journal and refuses another one.
func (r *run) find() error {
	old, err := r.Journal.Run(r.id)
	if err != nil {
		return fmt.Errorf("resume run: %w", err)
	}
	p, err := plan.Parse(old.Plan)
	if err != nil {
		return fmt.Errorf("resume run %s: %w", r.id, err)
	}
	if r.Plan.ID != "" && r.Plan.ID != p.ID {
		return &RefusedError{Why: fmt.Sprintf("resume run %s: it carries out plan %s, not %s", r.id, p.ID, r.Plan.ID)}
	}
	r.Plan = p
	st, err := r.Journal.State(r.id)
	if err != nil {
		return fmt.Errorf("resume run: %w", err)
	}
	if st.RolledBack != "" {
		return &RefusedError{Why: fmt.Sprintf("resume run %s: run %s takes it back: plan again", r.id, st.RolledBack), Run: st.RolledBack}
	}
	for _, name := range st.Accepted {
		if !slices.Contains(r.Accept, name) {
			r.Accept = append(slices.Clone(r.Accept), name)
		}
	}
	return nil
}

// admit holds the plan against the gates.
func (r *run) admit() error {
	p := r.Plan
	if got := p.Digest(); got != p.ID {
		return &RefusedError{Why: fmt.Sprintf("begin run: the plan was edited: its content is %s, its ID says %s", got, p.ID)}
	}
	if err := p.Validate(); err != nil {
		return &RefusedError{Why: "begin run: " + err.Error(), Err: err}
	}
	if p.Account != r.Account {
		return &RefusedError{Why: fmt.Sprintf("begin run: the plan is for account %s, these credentials are of account %s: use another profile", p.Account, r.Account)}
	}
	for _, s := range p.Steps {
		if s.Kind == plan.Verify && r.Verdict == nil {
			return fmt.Errorf("begin run: step %s needs a diagnosis, and there is none to ask", s.ID)
		}
		if s.Kind == plan.Call && r.Export == nil {
			return fmt.Errorf("begin run: step %s changes AWS, and there is nothing to save what was there before", s.ID)
		}
	}
	if now := time.Now(); !r.resumed && !p.ExpiresAt.IsZero() && now.After(p.ExpiresAt) {
		return &RefusedError{Why: fmt.Sprintf("begin run: the plan expired for starting at %s: plan again", p.ExpiresAt.UTC().Format(time.RFC3339))}
	}
	return nil
}

// consent asks the gates. Without any, every step that needs a consent of its own must have it.
func (r *run) consent(ctx context.Context) error {
	if r.Admit == nil {
		for _, s := range r.Plan.Steps {
			if name := s.Consent(); name != "" && !slices.Contains(r.Accept, name) {
				return &RefusedError{Why: fmt.Sprintf("begin run: %s; consent to it with --accept %s", s.Unconsented(), name)}
			}
		}
		r.consented = journal.Consent{OneWay: r.Accept}
		return nil
	}
	a := Admittance{Plan: r.Plan, Run: r.id, Accept: r.Accept, Resumed: r.resumed}
	given, err := r.Admit(ctx, a)
	if err != nil {
		return &RefusedError{Why: err.Error(), Err: err}
	}
	r.consented = given
	return nil
}

// locked is the run while this process has it.
func (r *run) locked(ctx context.Context) (Outcome, error) {
	var err error
	if r.state, err = r.Journal.State(r.id); err != nil {
		return Outcome{Run: r.id, Status: journal.HasFailed, ExitHint: exitFailed}, fmt.Errorf("begin run: %w", err)
	}
	r.results = map[string]result{}
	for _, s := range r.Plan.Steps {
		if was := r.state.Step(s.ID); was.Status.Over() {
			r.results[s.ID] = result{status: was.Status, message: was.Message, outputs: was.Outputs}
		}
	}
	if len(r.results) == len(r.Plan.Steps) && r.state.Status == journal.IsDone {
		return r.outcome(ctx), nil
	}
	word := "started"
	if r.resumed {
		word = "resumed"
	}
	failed := Outcome{Run: r.id, Status: journal.HasFailed, ExitHint: exitFailed}
	if err := r.record("", journal.RunStarted, RunStarted, "run "+r.id+" "+word, nil, nil); err != nil {
		return failed, err
	}
	if err := r.prepare(ctx); err != nil {
		return failed, errors.Join(err, r.record("", journal.RunFinished, RunFinished, fmt.Sprintf("run %s: %s", r.id, journal.HasFailed), journal.Finish{Status: journal.HasFailed}, r.outcome(ctx)))
	}
	if err := r.schedule(ctx); err != nil {
		out := r.outcome(ctx)
		out.Status, out.ExitHint = journal.HasFailed, exitFailed
		return out, fmt.Errorf("run %s: %w; once that is mended, resume reads what became of the calls and goes on", r.id, err)
	}
	out := r.outcome(ctx)
	err = r.record("", journal.RunFinished, RunFinished, fmt.Sprintf("run %s: %s", r.id, out.Status), journal.Finish{Status: out.Status}, out)
	if err != nil {
		out.ExitHint = exitFailed
	}
	return out, err
}

// outcome sums up the steps. Stopped on request weighs most, then failed, in doubt, stale, waiting.
func (r *run) outcome(ctx context.Context) Outcome {
	out := Outcome{Run: r.id, Status: journal.IsDone}
	seen := map[journal.Status]bool{}
	failing := func(s plan.Step, st journal.Status) bool {
		return !s.Optional || st == journal.WasStopped || st == journal.Pending
	}
	for _, s := range r.Plan.Steps {
		res, ok := r.results[s.ID]
		if !ok {
			res = result{status: journal.Pending, message: "not begun"}
		}
		seen[res.status] = seen[res.status] || failing(s, res.status)
		out.Steps = append(out.Steps, StepOutcome{ID: s.ID, Title: s.Title, Status: res.status, Message: res.message, Outputs: res.outputs})
	}
	order := []struct {
		when, status journal.Status
		hint         int
	}{
		{journal.WasStopped, journal.WasStopped, exitStopped}, {journal.HasFailed, journal.HasFailed, exitFailed},
		{journal.InDoubt, journal.InDoubt, exitStopped}, {journal.IsBlocked, journal.IsBlocked, exitRefused}, {journal.IsStale, journal.IsStale, exitRefused},
		{journal.IsWaiting, journal.IsWaiting, exitStopped}, {journal.Pending, journal.WasStopped, exitStopped},
	}
	for _, o := range order {
		if seen[o.when] {
			out.Status, out.ExitHint = o.status, o.hint
			break
		}
	}
	return out
}
