package stackactionfailed

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// maxDepth is how deep nested stacks are followed.
const maxDepth = 3

// deployed is a failed CloudFormation action with what is known of its stack.
type deployed struct {
	fault.Current
	scope         fact.Scope // of the stack
	foreign       bool       // it is in another account: it cannot be read from here
	stack         fact.Stack
	known, absent bool // the stack: read, or it does not exist
	events        fact.StackEvents
	seen          bool // the events were read
	set           fact.ChangeSet
	hasSet, noSet bool      // the change set: read, or it does not exist
	started       time.Time // of the action; zero when not known
	helps         []fact.Query
}

// look gathers what was read about the stack of an action.
func look(s *fact.Snapshot, c fault.Current) *deployed {
	d := &deployed{Current: c, scope: fault.StackScope(c.Pipeline, c.Action)}
	d.foreign = d.scope.Account != s.Question().Account
	for r := range fact.All[fact.ActionRun](s) {
		if r.ID == c.State.ID && r.Pipeline == c.Pipeline.Name && r.Ref().Scope == c.Pipeline.Ref().Scope {
			d.started = r.Started
		}
	}
	d.helps = []fact.Query{fault.AllRunsQuery(c.Pipeline.Ref().Scope, c.Pipeline.Name)}
	if !d.readable() {
		return d
	}
	ref := fact.StackRef(d.scope, c.Action.StackName)
	d.stack, d.known = fact.Get[fact.Stack](s, ref)
	_, d.absent = s.Absence(ref)
	d.events, d.seen = fact.Get[fact.StackEvents](s, fact.StackEventsRef(d.scope, c.Action.StackName, d.until()))
	if d.planned() {
		ref := fact.ChangeSetRef(d.scope, c.Action.StackName, c.Action.ChangeSet)
		d.set, d.hasSet = fact.Get[fact.ChangeSet](s, ref)
		_, d.noSet = s.Absence(ref)
	}
	return d
}

// readable reports whether the stack can be asked about from here: it is of this account, and its name is no variable.
func (d *deployed) readable() bool { return !d.foreign && !strings.Contains(d.Action.StackName, "#{") }

// planned reports whether the action works with a change set.
func (d *deployed) planned() bool {
	return strings.HasPrefix(d.Action.StackMode, "CHANGE_SET_") && d.Action.ChangeSet != "" && !strings.Contains(d.Action.ChangeSet, "#{")
}

// until is when the action failed: the operation that had begun last by then is the one to look at.
func (d *deployed) until() string { return fault.Stamp(d.State.Changed) }

// needs are the queries without which a failure is not explained.
func (d *deployed) needs() []fact.Query {
	if !d.readable() {
		return nil
	}
	all := []fact.Query{
		{Scope: d.scope, Kind: fact.KindStackState, ID: d.Action.StackName},
		d.eventsQuery(d.Action.StackName),
	}
	if d.planned() {
		all = append(all, fact.Query{Scope: d.scope, Kind: fact.KindChangeSet, ID: d.Action.StackName + "/" + d.Action.ChangeSet})
	}
	return all
}

func (d *deployed) eventsQuery(stack string) fact.Query {
	return fact.Query{Scope: d.scope, Kind: fact.KindStackEvents, ID: stack, Args: map[string]string{"until": d.until()}}
}

// around is how long before the end of an action its operation may have ended: CodePipeline looks at a deployment again and again, at
// intervals that AWS does not name.
const around = 10 * time.Minute

// mine reports whether the operation that was looked at is the action's: it began after the action did. Where the begin of the action is
// not known, it is one that ended when the action did.
func (d *deployed) mine() bool {
	if !d.seen || len(d.events.Events) == 0 {
		return false
	}
	if !d.started.IsZero() {
		return !d.events.Began.Before(d.started.Truncate(time.Second))
	}
	return slices.ContainsFunc(d.events.Events, func(e fact.StackEvent) bool {
		return e.Own && !strings.HasSuffix(e.Status, "_IN_PROGRESS") && d.State.Changed.Sub(e.Time).Abs() <= around
	})
}

// older reports whether the operation had begun before the action did: the action met it and did not make it.
func (d *deployed) older() bool {
	return d.seen && !d.started.IsZero() && !d.events.Began.IsZero() && d.events.Began.Before(d.started.Truncate(time.Second))
}

// failed is the first failure of an operation that is no consequence of another one. A failed nested stack is followed into its own
// events; trail are the logical IDs on the way.
func (d *deployed) failed(s *fact.Snapshot) (e fact.StackEvent, from fact.StackEvents, trail []string, ok bool) {
	from = d.events
	for range maxDepth {
		next, found := from.First()
		if !found {
			return e, from, trail, ok
		}
		e, ok = next, true
		trail = append(trail, e.Logical)
		if e.Type != "AWS::CloudFormation::Stack" || fact.StackName(e.Physical) == "" {
			return e, from, trail, ok
		}
		d.helps = append(d.helps, d.eventsQuery(e.Physical))
		child, read := fact.Get[fact.StackEvents](s, fact.StackEventsRef(d.scope, e.Physical, d.until()))
		if !read {
			return e, from, trail, ok
		}
		if _, more := child.First(); !more {
			return e, from, trail, ok
		}
		from = child
	}
	return e, from, trail, ok
}

// over reports whether the state that a cause names is in nobody's way any more: the stack takes updates, is gone, or the action now
// replaces what failed.
func (d *deployed) over(cause string) bool {
	return d.absent || d.known && d.stack.Updatable() || cause == rolledBack && d.Action.StackMode == "REPLACE_ON_FAILURE"
}

var inState = regexp.MustCompile(`is in ([A-Z_]+) state`)

// state is the state that the text of the failure names; "" for none. CloudFormation says so of a stack that can not be updated
// (docs/aws-facts.md, "Stacks that pipelines deploy").
func (d *deployed) state() string {
	if m := inState.FindStringSubmatch(oneLine(d.State.Error)); m != nil {
		return m[1]
	}
	return ""
}

// says reports whether the text of the failure has all the words, in whatever case.
func (d *deployed) says(words ...string) bool {
	text := strings.ToLower(oneLine(d.State.Error))
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
