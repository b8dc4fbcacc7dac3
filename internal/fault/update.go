package fault

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// updatePatience is how long the new definition may take to show; it usually takes a second.
const updatePatience = 2 * time.Minute

// UpdateAsks are the queries that show what an update of a pipeline's definition ends.
func UpdateAsks(p fact.Pipeline) []fact.Query { return flightAsks(p.Ref()) }

// Repoint drafts the step that points a pipeline's source actions on one connection at another. The patch tests names and old values, so that it
// can hit no other action. missed is what could not be seen of what it disturbs.
func Repoint(s *fact.Snapshot, p fact.Pipeline, old, now string) (step plan.Step, missed []string) {
	name := now
	if c, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, now)); ok {
		name = c.Name
	}
	step, missed = update(s, p, "point "+p.Name+" at "+name)
	var back []plan.Edit
	for i, st := range p.Stages {
		for k, a := range st.Actions {
			if a.Provider != fact.ConnectionSource || a.Connection != old {
				continue
			}
			stage := "/stages/" + strconv.Itoa(i)
			action := stage + "/actions/" + strconv.Itoa(k)
			names := []plan.Edit{edit("test", stage+"/name", st.Name), edit("test", action+"/name", a.Name)}
			value := action + "/configuration/ConnectionArn"
			step.Do.Patch = append(append(step.Do.Patch, names...), edit("test", value, old), edit("replace", value, now))
			back = append(append(back, names...), edit("test", value, now), edit("replace", value, old))
			step.DoneWhen = append(step.DoneWhen, plan.Check{Ref: p.Ref(), Field: st.Name + "/" + a.Name + "/connection", Op: plan.Is, Value: now})
		}
	}
	step.SkipWhen = step.DoneWhen
	undo := *step.Do
	undo.Patch, undo.Definition = back, "" // the definition to take it back from is read when that is planned
	step.Undo, step.OneWay = &undo, ""
	step.UndoneWhen = []plan.Check{{Ref: p.Ref(), Field: "declaration", Op: plan.Is, Value: string(p.Declaration)}}
	return step, missed
}

// Rehook drafts the update of a pipeline without a change: AWS makes its webhook anew.
func Rehook(s *fact.Snapshot, p fact.Pipeline) (step plan.Step, missed []string) {
	step, missed = update(s, p, "update "+p.Name+" without a change, so that AWS makes its webhook anew")
	step.OneWay = "an update without a change leaves nothing to take back"
	step.DoneWhen = []plan.Check{
		{Ref: p.Ref(), Field: "version", Op: plan.Not, Value: strconv.Itoa(p.Version)},
		{Ref: p.Ref(), Field: "declaration", Op: plan.Is, Value: string(p.Declaration)},
	}
	return step, missed
}

func update(s *fact.Snapshot, p fact.Pipeline, title string) (step plan.Step, missed []string) {
	step = plan.NewCall("update-"+stepKey(p), title, p.Ref(), plan.Action{
		Service: "codepipeline", Operation: "UpdatePipeline", Region: p.Ref().Scope.Region, Input: op.Input{"name": p.Name}, Definition: p.Definition,
	})
	step.Given = []plan.Check{{Ref: p.Ref(), Field: "definition", Op: plan.Is, Value: string(p.Definition)}}
	step.Patience = updatePatience
	step.Blast, missed, _ = inFlight(s, p.Ref())
	return step, missed
}

func edit(operation, path, value string) plan.Edit {
	b, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("fault: a text does not marshal: %v", err))
	}
	return plan.Edit{Op: operation, Path: path, Value: b}
}
