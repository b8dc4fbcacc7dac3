package fault

import (
	"slices"

	"github.com/unjam/unjam/internal/fact"
)

// Users are the pipelines that are known to use a connection, and the queries that finding them all takes: a connection serves every
// Region.
func Users(s *fact.Snapshot, connectionARN string) ([]fact.Pipeline, []fact.Query) {
	asks := []fact.Query{RegionsQuery(s.Question().Account)}
	for _, region := range connectionRegions(s) {
		scope := fact.Scope{Account: s.Question().Account, Region: region}
		asks = append(asks, ListQuery(scope))
		for _, name := range Listed(s, scope) {
			asks = append(asks, PipelineQuery(scope, name))
		}
	}
	return Known(s, connectionARN), asks
}

// Standstill is how bad it is that a connection cannot be used: critical where what looks like production waits behind it, info where no
// pipeline that was read uses it.
func Standstill(connectionARN string, users []fact.Pipeline) Severity {
	if len(users) == 0 {
		return Info
	}
	for _, p := range users {
		for _, stage := range p.StagesBehind(connectionARN) {
			if fact.LooksLikeProduction(stage) {
				return Critical
			}
		}
	}
	return High
}

// connectionRegions are where pipelines may use a connection: the Regions asked and, unless the question is quick, every other
// enabled Region that offers connections (docs/aws-facts.md, "Regions").
func connectionRegions(s *fact.Snapshot) []string {
	q := s.Question()
	all := slices.Clone(q.Regions)
	if q.Quick {
		return all
	}
	for r := range fact.All[fact.Region](s) {
		if r.Enabled() && fact.OffersConnectionSource(r.Name) && !slices.Contains(all, r.Name) {
			all = append(all, r.Name)
		}
	}
	return all
}

// Suffering are the pipelines that a finding is about: its subject, or those that it affects; targets come first. At most max that were
// read.
func Suffering(s *fact.Snapshot, f Finding, max int) []fact.Pipeline {
	targeted := func(name string) bool {
		return slices.ContainsFunc(s.Question().Targets, func(t fact.Target) bool { return t.Kind == fact.KindPipeline && t.Name == name })
	}
	subjects := append([]Subject{f.Subject}, f.Affects...)
	slices.SortStableFunc(subjects, func(a, b Subject) int {
		switch {
		case targeted(a.Name) == targeted(b.Name):
			return 0
		case targeted(a.Name):
			return -1
		}
		return 1
	})
	var all []fact.Pipeline
	for _, x := range subjects {
		if x.Kind != "pipeline" || len(all) == max {
			continue
		}
		if p, ok := fact.Get[fact.Pipeline](s, fact.PipelineRef(fact.Scope{Account: x.Account, Region: x.Region}, x.Name)); ok {
			all = append(all, p)
		}
	}
	return all
}
