package collect

import (
	"testing"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

// A whole incident, read through the wire: every kind of fact about a pipeline that waits for a pending connection.
func TestWorld(t *testing.T) {
	text, err := world.Open("never-attempted-terraform")
	if err != nil {
		t.Fatal(err)
	}
	l := lab.New()
	apimodel.Attach(t, l)
	w, err := world.Load(l, "never-attempted-terraform", text, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c := over(t, l, awsapi.Keys{ID: w.Default.AccessKeyID, Secret: w.Default.SecretAccessKey, Token: w.Default.SessionToken})
	at := scope(w.DefaultRegion)
	s := ask(t, c, fact.Query{Scope: at, Kind: fact.KindPipelineList}, fact.Query{Scope: at, Kind: fact.KindConnection})
	if len(s.Gaps()) != 0 {
		t.Fatalf("gaps %+v", s.Gaps())
	}
	for p := range fact.All[fact.PipelineListed](s) {
		var queries []fact.Query
		for _, k := range []fact.Kind{fact.KindPipeline, fact.KindPipelineState, fact.KindExecution, fact.KindAction} {
			queries = append(queries, fact.Query{Scope: at, Kind: k, ID: p.Name})
		}
		one := ask(t, c, queries...)
		d, ok := fact.Get[fact.Pipeline](one, fact.PipelineRef(at, p.Name))
		if !ok || len(one.Gaps()) != 0 || d.Version != p.Version || d.ARN == "" || d.Definition == "" {
			t.Fatalf("pipeline %+v, gaps %+v", d, one.Gaps())
		}
		state, ok := fact.Get[fact.PipelineState](one, fact.StateRef(at, p.Name))
		if !ok || len(state.Stages) != len(d.Stages) {
			t.Errorf("state %+v", state)
		}
		for stage, a := range d.Sources {
			conn, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(accountID, a.Connection))
			if !ok || conn.Status != fact.StatusPending {
				t.Errorf("connection %+v", conn)
			}
			st, _ := state.Stage(stage.Name)
			if run, ok := st.Action(a.Name); !ok || run.Status != "Failed" || run.Error == "" || run.Changed.IsZero() {
				t.Errorf("source action %+v", run)
			}
		}
		runs, actions := all[fact.Execution](one), all[fact.ActionRun](one)
		if len(runs) == 0 || len(actions) == 0 || actions[0].Execution != runs[0].ID && len(runs) == 1 || actions[0].Error == "" {
			t.Errorf("runs %+v, actions %+v", runs, actions)
		}
	}
	if len(all[fact.PipelineListed](s)) == 0 {
		t.Error("no pipelines")
	}
}
