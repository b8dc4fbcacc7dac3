package fact

import (
	"strings"
	"time"
)

// StackResource is a resource that a CloudFormation stack owns.
type StackResource struct {
	Seen
	Stack    string    `json:"stack"`   // name
	StackID  string    `json:"stackId"` // ARN
	Logical  string    `json:"logical"`
	Physical string    `json:"physical"`
	Type     string    `json:"type"`
	Status   string    `json:"status"`           // of the resource
	Drift    string    `json:"drift"`            // of the last detection: IN_SYNC, MODIFIED, DELETED, NOT_CHECKED
	Checked  time.Time `json:"checked,omitzero"` // when that was
}

// Drift is what the last drift detection says of one resource of a stack. Connections never show PENDING here: their status is no
// property.
type Drift struct {
	Seen
	Stack       string          `json:"stack"`
	Logical     string          `json:"logical"`
	Physical    string          `json:"physical"`
	Type        string          `json:"type"`
	Status      string          `json:"status"`
	Checked     time.Time       `json:"checked,omitzero"`
	Differences []PropertyDrift `json:"differences,omitempty"`
}

// PropertyDrift is one property that differs from the template.
type PropertyDrift struct {
	Path     string `json:"path"` // "/Stages/0/Actions/0/Configuration/BranchName"
	Expected Value  `json:"expected"`
	Actual   Value  `json:"actual"`
	Kind     string `json:"kind"` // ADD, REMOVE, NOT_EQUAL
}

// Declared is a resource as a Terraform state or plan declares it.
type Declared struct {
	Seen
	Tool    string       `json:"tool"` // terraform
	File    string       `json:"file"`
	Address string       `json:"address"` // aws_codepipeline.web
	Type    string       `json:"type"`
	ARN     string       `json:"arn,omitempty"`
	Name    string       `json:"name,omitempty"`
	Values  Values       `json:"values"`
	Drifted []Difference `json:"drifted,omitempty"` // a plan's resource_drift: what changed outside Terraform
}

// Stack is a CloudFormation stack as DescribeStacks shows it.
type Stack struct {
	Seen
	ARN     string    `json:"arn"`
	Name    string    `json:"name"`
	Status  string    `json:"status"`           // StackStatus
	Reason  string    `json:"reason,omitempty"` // StackStatusReason
	Role    string    `json:"role,omitempty"`   // RoleARN that it works with
	Parent  string    `json:"parent,omitempty"` // ARN of the stack that a nested one is part of
	Created time.Time `json:"created,omitzero"`
	Updated time.Time `json:"updated,omitzero"` // of the last update's begin; zero before the first
}

// StackRef is a stack as a Ref, by the name or ARN that the query had.
func StackRef(scope Scope, stack string) Ref {
	return Ref{Scope: scope, Kind: KindStackState, ID: stack}
}

// InProgress reports whether an operation of the stack is under way, so that no other can begin. A stack in REVIEW_IN_PROGRESS waits for
// its first change set. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
func (s Stack) InProgress() bool {
	return strings.HasSuffix(s.Status, "_IN_PROGRESS") && s.Status != "REVIEW_IN_PROGRESS"
}

// Updatable reports whether the stack takes an update in its state.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
func (s Stack) Updatable() bool {
	switch s.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS":
		return true
	}
	return false
}

// Field knows "status", and "updatable": yes or no.
func (s Stack) Field(path string) (string, bool) {
	switch path {
	case "status":
		return s.Status, true
	case "updatable":
		if s.Updatable() {
			return "yes", true
		}
		return "no", true
	}
	return "", false
}

// StackEvents are the events of one operation of a stack that matter: those of the stack itself and the failures, oldest first.
type StackEvents struct {
	Seen
	Stack  string       `json:"stack"` // name or ARN, as asked
	Began  time.Time    `json:"began,omitzero"`
	Events []StackEvent `json:"events"`
	More   bool         `json:"more,omitempty"` // the beginning of the operation was not reached
}

// StackEvent is what happened to a resource of a stack, or to the stack itself.
type StackEvent struct {
	Time     time.Time `json:"time"`
	Logical  string    `json:"logical"`
	Physical string    `json:"physical,omitempty"`
	Type     string    `json:"type"`
	Status   string    `json:"status"`
	Reason   string    `json:"reason,omitempty"`
	Own      bool      `json:"own,omitempty"` // about the stack itself
}

// StackEventsRef is the operation of a stack that had begun last by a time, RFC 3339.
func StackEventsRef(scope Scope, stack, until string) Ref {
	return Ref{Scope: scope, Kind: KindStackEvents, ID: stack + "@" + until}
}

// First is the first failure of a resource that is no consequence of another one: CloudFormation cancels what has not ended when one
// fails (docs/aws-facts.md, "Stacks that pipelines deploy").
func (e StackEvents) First() (StackEvent, bool) {
	for _, x := range e.Events {
		if !x.Own && strings.HasSuffix(x.Status, "_FAILED") && !x.Cancelled() {
			return x, true
		}
	}
	return StackEvent{}, false
}

// Cancelled reports whether a failure only says that another one came first.
func (e StackEvent) Cancelled() bool {
	r := strings.ToLower(e.Reason)
	return strings.HasPrefix(r, "resource ") && (strings.HasSuffix(r, " cancelled") || strings.HasSuffix(r, " canceled"))
}

// ChangeSet is a change set as DescribeChangeSet shows it.
type ChangeSet struct {
	Seen
	Name      string `json:"name"`
	Stack     string `json:"stack"`
	Status    string `json:"status"`           // CREATE_COMPLETE, FAILED ...
	Reason    string `json:"reason,omitempty"` // StatusReason
	Execution string `json:"execution"`        // ExecutionStatus: AVAILABLE, UNAVAILABLE ...
}

// ChangeSetRef is a change set of a stack.
func ChangeSetRef(scope Scope, stack, name string) Ref {
	return Ref{Scope: scope, Kind: KindChangeSet, ID: stack + "/" + name}
}
