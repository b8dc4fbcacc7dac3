package fault

import (
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
)

// Gate is the way into a stage: whether it is open, which runs wait before it, and what of the stage runs.
type Gate struct {
	Pipeline fact.Pipeline
	At       int // index of the stage in the definition
	State    fact.StageState
	Seen     fact.PipelineState
	Running  []Current // the actions of the stage that have not ended
}

// Stage is the name of the stage behind the gate.
func (g Gate) Stage() string { return g.Pipeline.Stages[g.At].Name }

// Name is "PIPELINE/STAGE".
func (g Gate) Name() string { return g.Pipeline.Name + "/" + g.Stage() }

// Gates are the ways into the stages of a pipeline, in the order of the definition; the query reads the state.
func Gates(s *fact.Snapshot, p fact.Pipeline) ([]Gate, fact.Query) {
	running, query := Running(s, p)
	state, known := fact.Get[fact.PipelineState](s, StateRef(p))
	if !known {
		return nil, query
	}
	var all []Gate
	for i, st := range p.Stages {
		seen, ok := state.Stage(st.Name)
		if !ok {
			continue // the state is older than the definition
		}
		g := Gate{Pipeline: p, At: i, State: seen, Seen: state}
		for _, c := range running {
			if c.Stage.Name == st.Name {
				g.Running = append(g.Running, c)
			}
		}
		all = append(all, g)
	}
	return all, query
}

// Arrived is when a run came to the gate, as far as it can be told: when the stage before ended, else the last change of the run. Zero
// when neither was read.
func (g Gate) Arrived(s *fact.Snapshot, run string) time.Time {
	var at time.Time
	if g.At > 0 {
		if before, ok := g.Seen.Stage(g.Pipeline.Stages[g.At-1].Name); ok && before.Execution == run {
			for _, a := range before.Actions {
				if a.Changed.After(at) {
					at = a.Changed
				}
			}
		}
	}
	if e, ok := ExecutionOf(s, g.Pipeline, run); ok && at.IsZero() {
		at = e.Updated
	}
	return at
}

// Behind are the effects of a run that enters or goes on: first is said of the stage, later of those behind it.
func (g Gate) Behind(first, later string) []plan.Effect {
	var all []plan.Effect
	for i, st := range g.Pipeline.Stages[g.At:] {
		what := later
		if i == 0 {
			what = first
		}
		all = append(all, plan.Effect{What: fmt.Sprintf("stage %s of %s %s", st.Name, g.Pipeline.Name, what), Production: fact.LooksLikeProduction(st.Name)})
	}
	return all
}

// ExecutionsQuery asks for the newest 100 runs of a pipeline.
func ExecutionsQuery(scope fact.Scope, name string) fact.Query {
	return fact.Query{Scope: scope, Kind: fact.KindExecution, ID: name}
}

// Executions are the runs of a pipeline that were read, the newest first.
func Executions(s *fact.Snapshot, p fact.Pipeline) []fact.Execution {
	var all []fact.Execution
	for e := range latest[fact.Execution](s) {
		if e.Pipeline == p.Name && e.Ref().Scope == p.Ref().Scope {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b fact.Execution) int { return b.Started.Compare(a.Started) })
	return all
}

// ExecutionOf is one run of a pipeline; false when it was not read.
func ExecutionOf(s *fact.Snapshot, p fact.Pipeline, id string) (fact.Execution, bool) {
	return fact.Get[fact.Execution](s, fact.Ref{Scope: p.Ref().Scope, Kind: fact.KindExecution, ID: id})
}

// Targeted reports whether the question names the pipeline.
func Targeted(s *fact.Snapshot, name, region string) bool {
	q := s.Question()
	return slices.ContainsFunc(q.Targets, func(t fact.Target) bool {
		return t.Kind == fact.KindPipeline && t.Name == name && TargetScope(q, t).Region == region
	})
}

// Span is a duration in the largest unit that tells enough: minutes below two hours, hours below three days, then days.
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return Plural(int(d.Minutes()), "minute")
	case d < 72*time.Hour:
		return Plural(int(d.Hours()), "hour")
	}
	return Plural(int(d.Hours()/24), "day")
}
