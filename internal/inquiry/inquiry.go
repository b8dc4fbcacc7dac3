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

// MaxRounds is how often judging may ask for more facts after it saw some. The longest way takes seven: the list of pipelines, a
// pipeline, the events of its stack, a certificate, the public DNS, the zones, the records in them. One is in reserve.
const MaxRounds = 8

// Collector answers queries; *collect.Collector is one. Every query is settled afterwards: facts, a proof of absence or a gap.
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
// it may be nil. What is still wanted when the rounds are spent becomes a gap. The lenses look at every outcome.
func Run(ctx context.Context, c Collector, b *fact.Builder, faults []*fault.Fault, lenses []fault.Lens, each func(State) error) (State, error) {
	var st State
	for {
		st.judge(b, faults, lenses)
		if each != nil {
			if err := each(st); err != nil {
				return st, err
			}
		}
		if len(st.Outcome.Wants) == 0 {
			return st, nil
		}
		if st.Rounds == MaxRounds {
			for _, w := range st.Outcome.Wants {
				b.Miss(leftOut(w))
			}
			st.judge(b, faults, lenses)
			return st, nil
		}
		st.Rounds++
		c.Collect(ctx, b, st.Outcome.Wants)
	}
}

// judge seals what is known and judges it.
func (st *State) judge(b *fact.Builder, faults []*fault.Fault, lenses []fault.Lens) {
	st.Snapshot = b.Seal(time.Now())
	st.Outcome = fault.Run(st.Snapshot, faults...)
	st.Outcome.Look(st.Snapshot, lenses...)
}

// leftOut is the gap of a query for which no round was left.
func leftOut(q fact.Query) fact.Gap {
	o, _ := op.Reading(q.Kind)
	return fact.Gap{
		Query: q, Class: fact.Skipped, Why: "left out: the diagnosis did not come to an end in its rounds: ask again with a TARGET",
		Source: fact.Source{Service: o.Service, Operation: o.Name, Account: q.Scope.Account, Region: q.Scope.Region},
	}
}
