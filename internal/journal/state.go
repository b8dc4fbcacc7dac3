package journal

import (
	"encoding/json"
	"time"
)

// Kind says what an entry records.
type Kind string

// What entries about a run record.
const (
	RunStarted  Kind = "run-started"  // by a process; again at every resume
	RunFinished Kind = "run-finished" // data: Finish
	Accepted    Kind = "accepted"     // who consented to what; data: Consent
	Exported    Kind = "exported"     // what was there before is saved; data: Export
	RolledBack  Kind = "rolled-back"  // another run takes it back; data: Rollback
	Checked     Kind = "checked"      // a watch has looked again; data is the watch's own
)

// What entries about a step record. Data is Note unless said otherwise.
const (
	StepStarted Kind = "step-started"
	Waiting     Kind = "waiting" // for a person or for AWS
	Changed     Kind = "changed" // what is waited for looks different now
	Intent      Kind = "intent"  // the call is about to be made; data: what is called
	Called      Kind = "called"  // AWS accepted the call; data: Reply
	Refused     Kind = "refused" // the call had no effect
	Doubted     Kind = "doubted" // nobody knows whether the call had an effect
	Decided     Kind = "decided" // reading has settled a doubt; data: Decision
	Done        Kind = "done"
	Skipped     Kind = "skipped"
	Failed      Kind = "failed"
	Stale       Kind = "stale"   // what the step relied on has moved
	Blocked     Kind = "blocked" // a safety gate is closed: a window, a breaker
	Stopped     Kind = "stopped" // left on request, to be resumed
)

// Note is the data of most entries.
type Note struct {
	Message string `json:"message,omitempty"`
}

// Reply is the data of Called.
type Reply struct {
	RequestID string            `json:"requestId,omitempty"`
	Outputs   map[string]string `json:"outputs,omitempty"`
}

// Decision is the data of Decided.
type Decision struct {
	Happened bool   `json:"happened"`
	Message  string `json:"message"`
}

// Consent is the data of Accepted: under which names steps without a way back were consented to, and whose approvals let the plan pass.
type Consent struct {
	OneWay    []string `json:"oneWay,omitempty"`
	Approvals []string `json:"approvals,omitempty"` // people
	Sandbox   bool     `json:"sandbox,omitempty"`   // the policy calls the account a sandbox
	Policy    string   `json:"policy,omitempty"`    // absolute path of the policy in force; "": none
}

// Export is the data of Exported: where what was there before the run is saved.
type Export struct {
	Folder string            `json:"folder"`           // of the run, absolute
	Commit string            `json:"commit,omitempty"` // of the Git repository it lies in; "" when the commit failed: Trouble says why
	Files  map[string]string `json:"files"`            // path below Folder to SHA-256 of its content, as it lies there
	// Trouble is why there is no commit, though the files are there.
	Trouble string `json:"trouble,omitempty"`
}

// Rollback is the data of RolledBack.
type Rollback struct {
	By string `json:"by"` // the run that takes it back
}

// Finish is the data of RunFinished.
type Finish struct {
	Status Status `json:"status"`
}

// Status is the state of a run or a step.
type Status string

// The states. Planned and Running are of runs; Pending, Intended and WasSkipped of steps; the rest of both.
const (
	Planned    Status = "planned"
	Running    Status = "running"
	Pending    Status = "pending"
	IsWaiting  Status = "waiting"
	Intended   Status = "intent" // the call was about to be made when the process ended: in doubt until read
	InDoubt    Status = "in-doubt"
	IsDone     Status = "done"
	WasSkipped Status = "skipped"
	HasFailed  Status = "failed"
	IsStale    Status = "stale"
	IsBlocked  Status = "blocked"
	WasStopped Status = "stopped"
)

// Over reports whether nothing is left to do: done or skipped.
func (s Status) Over() bool { return s == IsDone || s == WasSkipped }

// State is what a run's entries add up to.
type State struct {
	Status    Status               `json:"status"`
	Steps     map[string]StepState `json:"steps"` // steps without entries are missing: pending
	StartedAt time.Time            `json:"startedAt,omitzero"`
	UpdatedAt time.Time            `json:"updatedAt,omitzero"` // the last entry

	Accepted   []string `json:"accepted,omitempty"`   // consents to steps without a way back
	Policy     string   `json:"policy,omitempty"`     // absolute path of the policy it was begun under; "": none
	Export     *Export  `json:"export,omitempty"`     // nil: nothing was saved yet
	RolledBack string   `json:"rolledBack,omitempty"` // the last run that takes it back
}

// StepState is what a step's entries add up to.
type StepState struct {
	Status     Status            `json:"status"`
	Called     bool              `json:"called,omitempty"` // its call was made: never make it again
	Open       bool              `json:"open,omitempty"`   // an intent has no outcome: read before anything else
	Outputs    map[string]string `json:"outputs,omitempty"`
	RequestID  string            `json:"requestId,omitempty"`
	Message    string            `json:"message,omitempty"` // of the last entry that had one
	StartedAt  time.Time         `json:"startedAt,omitzero"`
	WaitingAt  time.Time         `json:"waitingAt,omitzero"`  // since when it waits
	IntendedAt time.Time         `json:"intendedAt,omitzero"` // the last intent
	CalledAt   time.Time         `json:"calledAt,omitzero"`
	EndedAt    time.Time         `json:"endedAt,omitzero"`
}

// Step is the state of a step, pending when nothing was written about it.
func (s State) Step(id string) StepState {
	if st, ok := s.Steps[id]; ok {
		return st
	}
	return StepState{Status: Pending}
}

// Fold adds up entries, oldest first.
func Fold(entries []Entry) State {
	s := State{Status: Planned, Steps: map[string]StepState{}}
	for _, e := range entries {
		s.UpdatedAt = e.At
		if e.Step != "" {
			s.Steps[e.Step] = s.Step(e.Step).next(e)
			continue
		}
		switch e.Event {
		case RunStarted:
			s.Status = Running
			if s.StartedAt.IsZero() {
				s.StartedAt = e.At
			}
		case RunFinished:
			var f Finish
			if json.Unmarshal(e.Data, &f) == nil {
				s.Status = f.Status
			}
		case Accepted:
			var c Consent
			if json.Unmarshal(e.Data, &c) == nil {
				s.Accepted = c.OneWay
				if c.Policy != "" {
					s.Policy = c.Policy
				}
			}
		case Exported:
			var x Export
			if json.Unmarshal(e.Data, &x) == nil {
				s.Export = &x
			}
		case RolledBack:
			var r Rollback
			if json.Unmarshal(e.Data, &r) == nil {
				s.RolledBack = r.By
			}
		}
	}
	return s
}

// next is the state of a step after one more entry. Kinds it does not know change nothing: an older unjam can show the
// journal of a newer one.
func (s StepState) next(e Entry) StepState {
	var n Note
	if json.Unmarshal(e.Data, &n) == nil && n.Message != "" {
		s.Message = n.Message
	}
	switch e.Event {
	case StepStarted: // Called and Open outlive it: what was called stays called
		s.Status, s.EndedAt = Pending, time.Time{}
		if s.StartedAt.IsZero() {
			s.StartedAt = e.At
		}
	case Waiting:
		s.Status = IsWaiting
		if s.WaitingAt.IsZero() {
			s.WaitingAt = e.At
		}
	case Intent:
		s.Status, s.Open, s.IntendedAt = Intended, true, e.At
	case Called:
		var r Reply
		if json.Unmarshal(e.Data, &r) == nil {
			s.Outputs, s.RequestID = r.Outputs, r.RequestID
		}
		s.Status, s.Called, s.Open, s.CalledAt = IsWaiting, true, false, e.At
	case Refused:
		s.Status, s.Open = Pending, false
	case Doubted:
		s.Status, s.Open = InDoubt, true
	case Decided:
		s = s.decide(e)
	case Done:
		s.Status, s.EndedAt = IsDone, e.At
	case Skipped:
		s.Status, s.EndedAt = WasSkipped, e.At
	case Failed:
		s.Status, s.EndedAt = HasFailed, e.At
	case Stale:
		s.Status, s.EndedAt = IsStale, e.At
	case Blocked:
		s.Status = IsBlocked
	case Stopped:
		s.Status = WasStopped
	}
	return s
}

func (s StepState) decide(e Entry) StepState {
	var d Decision
	if json.Unmarshal(e.Data, &d) != nil {
		return s // still in doubt
	}
	s.Status, s.Open = Pending, false
	if d.Happened {
		s.Status, s.Called, s.CalledAt = IsWaiting, true, e.At
	}
	return s
}
