package app

import (
	"context"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// named takes a target that is the name of no pipeline, here or in another Region, for the connection or else the host of that name,
// and reports whether there is exactly one. Where there is none, names of connections that look alike join those of pipelines; where
// there are several, their ARNs take the place of both.
func (a *App) named(ctx context.Context, ask *Ask, none *NotFoundError) bool {
	if none.What != "pipeline" || len(none.Elsewhere) > 0 {
		return false
	}
	i := slices.IndexFunc(ask.Targets, func(t fact.Target) bool { return t.Kind == fact.KindPipeline && t.Raw == none.Name })
	if i < 0 {
		return false // an ARN, a URL or an execution: it says itself that it is a pipeline
	}
	scope := fact.Scope{Account: none.Account, Region: none.Region}
	q := fact.Question{Account: scope.Account, Regions: []string{scope.Region}}
	b := fact.NewBuilder(q)
	a.collector.Collect(ctx, b, []fact.Query{fault.ConnectionsQuery(q), {Scope: scope, Kind: fact.KindHost}})
	s := b.Seal(time.Now())
	var names, connections, hosts []string
	for c := range fact.All[fact.Connection](s) {
		names = append(names, c.Name)
		if c.Name == none.Name && !slices.Contains(connections, c.ARN) {
			connections = append(connections, c.ARN)
		}
	}
	for h := range fact.All[fact.Host](s) {
		names = append(names, h.Name)
		if h.Name == none.Name && !slices.Contains(hosts, h.ARN) {
			hosts = append(hosts, h.ARN)
		}
	}
	found := connections
	if len(found) == 0 {
		found = hosts
	}
	switch len(found) {
	case 0:
		slices.Sort(names)
		none.Near = Near(none.Name, slices.Concat(none.Near, slices.Compact(names)))
		return false
	case 1:
		t, err := fact.ParseTarget(found[0])
		if err != nil {
			return false
		}
		t.Raw = none.Name
		ask.Targets = slices.Clone(ask.Targets)
		ask.Targets[i] = t
		return true
	}
	none.Near = found
	return false
}
