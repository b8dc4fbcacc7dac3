package triage

import (
	"fmt"
	"slices"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/netpath"
)

// network rules the network out for providers that AWS reaches by itself, and looks at the host of the others. The queries read the host
// and its way.
func network(s *fact.Snapshot, f *fault.Finding, pipelines []fact.Pipeline) (fault.Ruling, []fact.Query) {
	if r, ok := it(f, fault.Network); ok {
		return r, nil
	}
	con, ok := connection(s, f, pipelines)
	switch {
	case !ok && unread(s, pipelines) != "":
		return ruling(fault.Network, fault.Unseen, fault.Unclear, unread(s, pipelines)), nil
	case con.HostARN == "" && speaks(s, pipelines) != "":
		return ruling(fault.Network, fault.Unseen, fault.Unclear, speaks(s, pipelines)), nil
	case !ok && !failed(s, pipelines):
		return ruling(fault.Network, fault.RuledOut, fault.Inferred, "no action that was read has failed"), nil
	case !ok:
		return ruling(fault.Network, fault.RuledOut, fault.Inferred, "AWS answered every step of the failed run with a text of its own: no time-out, no name that does not resolve"), nil
	case con.HostARN == "":
		return ruling(fault.Network, fault.RuledOut, fault.Inferred,
			fmt.Sprintf("AWS reaches %s by itself: nothing of your network lies between", providerName(con.Provider))), nil
	}
	if text := answered(s, con, pipelines); text != "" {
		return ruling(fault.Network, fault.RuledOut, fault.Inferred, "the server answered through its host: "+text), nil
	}
	a, err := fact.ParseARN(con.HostARN)
	if err != nil {
		return ruling(fault.Network, fault.Unseen, fault.Unclear, "the connection's host ARN is malformed"), nil
	}
	scope := fact.Scope{Account: s.Question().Account, Region: a.Region}
	list := fact.Query{Scope: scope, Kind: fact.KindHost}
	h, ok := fact.Get[fact.Host](s, fact.Ref{Scope: scope, Kind: fact.KindHost, ID: con.HostARN})
	if !ok {
		return ruling(fault.Network, fault.Unseen, fault.Unclear, "the connection stands on a host that could not be read"+lacking(s, list)), []fact.Query{list}
	}
	r, asks := ofHost(s, h, scope)
	return r, append(asks, list)
}

// answered is the text of a failed source that only the server can have given; "" for none.
func answered(s *fact.Snapshot, con fact.Connection, pipelines []fact.Pipeline) string {
	for _, p := range pipelines {
		for _, src := range fault.Sources(s, p, con.ARN) {
			if src.Failed() && fault.Read(src.State.Error) == fault.SignatureNoBranch {
				return src.State.Error
			}
		}
	}
	return ""
}

// ofHost says what the way of a host shows.
func ofHost(s *fact.Snapshot, h fact.Host, scope fact.Scope) (fault.Ruling, []fact.Query) {
	switch {
	case h.Status != fact.StatusAvailable:
		return ruling(fault.Network, fault.Unseen, fault.Unclear, fmt.Sprintf("host %s is %s: until it is set up nothing shows whether the network lets it through", h.Name, h.Status)), nil
	case h.VPC == "":
		return ruling(fault.Network, fault.RuledOut, fault.Inferred, "AWS reaches the host "+h.Endpoint+" over the internet, not through a VPC"), nil
	}
	w := netpath.Of(s, h, scope)
	asks := w.Reads()
	for _, q := range asks {
		if !s.Answered(q) {
			return ruling(fault.Network, fault.Unseen, fault.Unclear, fmt.Sprintf("the way of host %s in %s was not read whole%s", h.Name, h.VPC, lacking(s, q))), asks
		}
	}
	all := w.Obstacles()
	switch {
	case len(all) == 0:
		return ruling(fault.Network, fault.RuledOut, fault.Inferred,
			fmt.Sprintf("subnets, security groups, network ACLs and routes of host %s in %s let it through, as far as the VPC shows", h.Name, h.VPC)), asks
	case all[0].Maybe:
		return ruling(fault.Network, fault.Unseen, fault.Unclear, "it depends on where the server of host "+h.Name+" stands: "+all[0].Text), asks
	}
	return ruling(fault.Network, fault.ItIs, fault.Inferred, "the way of host "+h.Name+" looks closed, and what comes next will fail there: "+all[0].Text), asks
}

// lacking says why a query was not answered: ": ec2:DescribeSubnets is missing".
func lacking(s *fact.Snapshot, q fact.Query) string {
	g, lost := s.GapOf(q)
	switch {
	case !lost:
		return ""
	case g.Permission != "":
		return ": " + g.Permission + " is missing"
	}
	return ": " + g.Why
}

// failed reports whether an action of the pipelines failed last.
func failed(s *fact.Snapshot, pipelines []fact.Pipeline) bool {
	return slices.ContainsFunc(pipelines, func(p fact.Pipeline) bool {
		fails, _ := fault.Fails(s, p)
		return len(fails) > 0
	})
}

// speaks is a failure whose text speaks of a network: what a build, a function or a deployment reached for is nothing that is read here.
func speaks(s *fact.Snapshot, pipelines []fact.Pipeline) string {
	for _, p := range pipelines {
		fails, _ := fault.Fails(s, p)
		for _, c := range fails {
			if fault.OfNetwork(c.State.Error) {
				return "the text of " + c.Name() + " speaks of a network, and where it leads was not read"
			}
		}
	}
	return ""
}
