package fault

import (
	"time"

	"github.com/unjam/unjam/internal/fact"
)

// Current is an action with its latest run.
type Current struct {
	Pipeline fact.Pipeline
	Stage    fact.Stage
	Action   fact.Action
	State    fact.ActionState
	Seen     fact.PipelineState
}

// Role is the role that the action ran as: its own, or the pipeline's.
func (c Current) Role() string {
	if c.Action.RoleARN != "" {
		return c.Action.RoleARN
	}
	return c.Pipeline.RoleARN
}

// Name is "PIPELINE/STAGE/ACTION".
func (c Current) Name() string { return c.Pipeline.Name + "/" + c.Stage.Name + "/" + c.Action.Name }

// Evidence is the failure as AWS reports it, with its text.
func (c Current) Evidence() Evidence {
	e := Ev(Reported, c.Seen, c.Name(), c.State.Status, "Succeeded")
	e.Text = c.State.Error
	return e
}

// Fails are the actions of a pipeline whose latest run failed, in the order of the definition; the query reads the state.
func Fails(s *fact.Snapshot, p fact.Pipeline) ([]Current, fact.Query) {
	return withStatus(s, p, "Failed"), StateQuery(p.Ref().Scope, p.Name)
}

// Running are the actions of a pipeline that have not ended, in the order of the definition; the query reads the state.
func Running(s *fact.Snapshot, p fact.Pipeline) ([]Current, fact.Query) {
	return withStatus(s, p, "InProgress"), StateQuery(p.Ref().Scope, p.Name)
}

func withStatus(s *fact.Snapshot, p fact.Pipeline, status string) []Current {
	state, known := fact.Get[fact.PipelineState](s, StateRef(p))
	if !known {
		return nil
	}
	var all []Current
	for _, st := range p.Stages {
		seen, _ := state.Stage(st.Name)
		for _, a := range st.Actions {
			if run, ok := seen.Action(a.Name); ok && run.Status == status {
				all = append(all, Current{Pipeline: p, Stage: st, Action: a, State: run, Seen: state})
			}
		}
	}
	return all
}

// StateRef is the state of a pipeline as a Ref.
func StateRef(p fact.Pipeline) fact.Ref { return fact.StateRef(p.Ref().Scope, p.Name) }

// AllRunsQuery asks for the newest action runs of a pipeline, whatever their execution.
func AllRunsQuery(scope fact.Scope, name string) fact.Query {
	return fact.Query{Scope: scope, Kind: fact.KindAction, ID: name}
}

// BrokeAt is when the action began to fail: its first failure since it last succeeded, as far as runs were read (AllRunsQuery), else
// its latest one. good is its last success; zero when none was seen.
func (c Current) BrokeAt(s *fact.Snapshot) (broke, good time.Time) {
	broke = c.State.Changed
	same := func(r fact.ActionRun) bool {
		return r.Pipeline == c.Pipeline.Name && r.Ref().Scope == c.Pipeline.Ref().Scope && r.Stage == c.Stage.Name && r.Action == c.Action.Name
	}
	for r := range fact.All[fact.ActionRun](s) {
		if same(r) && r.Status == "Succeeded" && r.Updated.After(good) {
			good = r.Updated
		}
	}
	for r := range fact.All[fact.ActionRun](s) {
		if same(r) && r.Status == "Failed" && r.Updated.After(good) && r.Updated.Before(broke) {
			broke = r.Updated
		}
	}
	return broke, good
}
