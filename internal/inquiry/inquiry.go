// Package inquiry runs the loop in which judging asks and collecting answers, until nothing is wanted or the rounds are spent.
// It neither judges nor reads itself.
package inquiry

import (
	"context"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// MaxRounds is how often judging may ask for more facts after it saw some: a pipeline, its connection, where else that is used, the
// events of it, the people in those and their rights are six; two are in reserve.
const MaxRounds = 8

// Collector answers queries; *collect.Collector is one. Every query is settled afterwards: facts, a proof of absence or a gap. It is
// called from two goroutines at a time, with a Builder each.
type Collector interface {
	Collect(ctx context.Context, b *fact.Builder, queries []fact.Query)
}

// State is how far an inquiry is.
type State struct {
	Rounds   int // of collecting so far
	Snapshot *fact.Snapshot
	Outcome  fault.Outcome
}

// Run asks until nothing is wanted. each is told of every state before the next round is read, and ends the inquiry with its error;
// it may be nil. What is still wanted when the rounds are spent becomes a gap.
//
// CloudTrail answers two look-ups a second, everything else comes at once. So look-ups are read beside the rounds, which go on
// without them and are joined by what they brought when nothing else is wanted: the verdict does not wait for the cause, and what is
// judged after each round does not depend on who was faster.
func Run(ctx context.Context, c Collector, b *fact.Builder, faults []*fault.Fault, each func(State) error) (State, error) {
	var st State
	beside := &beside{ctx: ctx, c: c}
	defer beside.join(b)
	for {
		st.Snapshot = b.Seal(time.Now())
		st.Outcome = fault.Run(st.Snapshot, faults...)
		if each != nil {
			if err := each(st); err != nil {
				return st, err
			}
		}
		if len(st.Outcome.Wants) == 0 {
			return st, nil
		}
		if st.Rounds == MaxRounds {
			beside.join(b)
			return leave(st, b, faults), nil
		}
		st.Rounds++
		if now := beside.take(st.Outcome.Wants, b); len(now) > 0 {
			c.Collect(ctx, b, now)
		} else {
			beside.join(b)
		}
	}
}

// leave makes gaps of what is still wanted.
func leave(st State, b *fact.Builder, faults []*fault.Fault) State {
	st.Snapshot = b.Seal(time.Now())
	for _, w := range fault.Run(st.Snapshot, faults...).Wants {
		b.Miss(leftOut(w))
	}
	st.Snapshot = b.Seal(time.Now())
	st.Outcome = fault.Run(st.Snapshot, faults...)
	return st
}

// beside is the reading that goes on beside the rounds.
type beside struct {
	ctx   context.Context
	c     Collector
	b     *fact.Builder   // what is being read; nil: nothing is
	done  chan struct{}
}

// take begins to read the look-ups among the wants, unless some are being read, and returns the other wants.
func (s *beside) take(wants []fact.Query, b *fact.Builder) (now []fact.Query) {
	var slow []fact.Query
	for _, q := range wants {
		if q.Kind == fact.KindEvent {
			slow = append(slow, q)
		} else {
			now = append(now, q)
		}
	}
	if len(slow) > 0 && s.b == nil {
		s.b, s.done = b.Sibling(), make(chan struct{})
		go func() {
			defer close(s.done)
			s.c.Collect(s.ctx, s.b, slow)
		}()
	}
	return now
}

// join waits for the reading to end and adds what it brought.
func (s *beside) join(b *fact.Builder) {
	if s.b == nil {
		return
	}
	<-s.done
	b.Join(s.b)
	s.b = nil
}

// leftOut is the gap of a query for which no round was left.
func leftOut(q fact.Query) fact.Gap {
	o, _ := op.Reading(q.Kind)
	return fact.Gap{
		Query: q, Class: fact.Skipped, Why: "left out: the diagnosis did not come to an end in its rounds: ask again with a TARGET",
		Source: fact.Source{Service: o.Service, Operation: o.Name, Account: q.Scope.Account, Region: q.Scope.Region},
	}
}
