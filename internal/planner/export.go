package planner

import (
	"slices"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
)

// save names for every call what is saved before it: what it touches and what its checks are about, unless the fault has said so
// already. Where a call touches a pipeline, both its definition and its state are saved.
func save(steps []plan.Step) {
	for i, s := range steps {
		if s.Kind != plan.Call || s.Do == nil || s.Do.Service == "cloudwatch" {
			continue
		}
		refs := slices.Clone(s.Export)
		add := func(r fact.Ref) {
			if savable(r.Kind) && !slices.Contains(refs, r) {
				refs = append(refs, r)
			}
		}
		add(s.Target)
		for _, list := range [][]plan.Check{s.Given, s.DoneWhen, s.UndoneWhen} {
			for _, c := range list {
				add(c.Ref)
			}
		}
		for _, r := range slices.Clone(refs) {
			switch r.Kind {
			case fact.KindPipeline:
				add(fact.StateRef(r.Scope, r.ID))
			case fact.KindPipelineState:
				add(fact.PipelineRef(r.Scope, r.ID))
			}
		}
		steps[i].Export = refs
	}
}

// savable reports whether a thing of the kind can be described and changes with what a plan does.
func savable(k fact.Kind) bool {
	return slices.Contains([]fact.Kind{fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindHost, fact.KindPolicies, fact.KindProject, fact.KindRecord, fact.KindRule}, k)
}
