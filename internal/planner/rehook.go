package planner

import (
	"slices"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// rehook drafts an update without a change of each pipeline that the question names and whose connection works: AWS makes its webhook anew.
// It is for pipelines that a repair has left behind; the ones that a step updates anyway are left out.
func rehook(s *fact.Snapshot, before []plan.Step) plan.Draft {
	var d plan.Draft
	pipelines, _ := fault.Pipelines(s)
	for _, p := range pipelines {
		if len(s.Question().Targets) == 0 || !hooked(s, p) {
			continue
		}
		step, missed := fault.Rehook(s, p)
		if slices.ContainsFunc(before, func(x plan.Step) bool { return x.ID == step.ID }) {
			continue
		}
		d.Steps = append(d.Steps, step)
		d.Notes = append(d.Notes, p.Name+" is updated without a change; whether pushes start it then shows at the next push.")
		if note := fault.NotSeen(missed); note != "" {
			d.Notes = append(d.Notes, note)
		}
	}
	return d
}

// hooked reports whether a pipeline fetches over connections that are all AVAILABLE: only then AWS can make a webhook.
func hooked(s *fact.Snapshot, p fact.Pipeline) bool {
	n := 0
	for _, a := range p.Sources {
		if !a.Uses(a.Connection) {
			continue
		}
		c, known, _, _ := fault.Connection(s, a.Connection)
		if !known || c.Status != fact.StatusAvailable {
			return false
		}
		n++
	}
	return n > 0
}
