package apply

import "time"

// EventSchema names the form of events.
const EventSchema = "unjam/events/v1"

// Event is one line of what a run tells while it goes on.
type Event struct {
	Schema  string    `json:"schema"`
	Run     string    `json:"run"`
	At      time.Time `json:"at"` // UTC
	Step    string    `json:"step,omitempty"`
	Event   Name      `json:"event"`
	Message string    `json:"message,omitempty"` // one line for people
	Data    any       `json:"data,omitempty"`    // Seen, plan.Action, write.Reply or Outcome
}

// Seen is the data of polls and changes: the values that are waited for, by check.
type Seen map[string]string

// Name says what an event tells.
type Name string

// The events.
const (
	RunStarted  Name = "run-started"
	RunFinished Name = "run-finished" // data: Outcome
	Accepted    Name = "accepted"     // consents and approvals; data: journal.Consent
	Exported    Name = "exported"     // what is there before the run is saved; data: journal.Export
	StepStarted Name = "step-started"
	Waiting     Name = "waiting"     // for a person (data: plan.Guide) or for AWS
	Poll        Name = "poll"        // looked, nothing new; data: Seen
	Changed     Name = "changed"     // looked, something is different; data: Seen
	Confirmed   Name = "confirmed"   // a second read says the same
	Unconfirmed Name = "unconfirmed" // a second read says otherwise: it does not count
	Grace       Name = "grace"       // ERROR: AWS may repair it itself; waiting on
	Trouble     Name = "trouble"     // a read failed; it will be tried again
	Expired     Name = "expired"     // the credentials ran out; the message says what to run
	Renewed     Name = "renewed"     // reads work again
	Call        Name = "call"        // about to be made, the intent is journaled; data: plan.Action
	Called      Name = "called"      // AWS accepted it; data: write.Reply
	Refused     Name = "refused"     // it had no effect
	Doubted     Name = "doubted"     // the reply was lost
	Decided     Name = "decided"     // reading has settled a doubt
	Done        Name = "done"
	Skipped     Name = "skipped"
	Failed      Name = "failed"
	Blocked     Name = "blocked" // a gate is closed: a window, a breaker
	Stale       Name = "stale"
	InDoubt     Name = "in-doubt"
	Stopped     Name = "stopped"
	LeftWaiting Name = "left-waiting" // patience is over, nothing failed: resume goes on
)
