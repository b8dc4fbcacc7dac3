package prefixmismatch

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// view is what can be seen of what a role may do with a connection.
type view struct {
	role, connection string
	settled          bool // the simulator was asked, whatever came of it
	simulated        bool
	simulation       fact.Simulation
	decisions        []fact.Decision // of both actions, the new prefix first
	read             bool            // every policy of the role was read, and what it says can be told
	policies         fact.RolePolicies
	statements       []fact.Statement
}

// mismatch is how the role's policies miss a prefix.
type mismatch struct {
	cause, text string
	class       fault.Class
}

func (v view) simulationQuery(account string) fact.Query {
	return fact.Query{Scope: fact.Scope{Account: account}, Kind: fact.KindSimulation, ID: v.role, Args: map[string]string{"actions": useNew + "," + useOld, "resources": v.connection}}
}

func look(s *fact.Snapshot, role, connection string) view {
	v := view{role: role, connection: connection}
	v.settled = s.Settled(v.simulationQuery(s.Question().Account))
	for x := range fact.All[fact.Simulation](s) {
		n, ok1 := x.Decision(useNew, connection)
		o, ok2 := x.Decision(useOld, connection)
		if x.Principal == role && ok1 && ok2 {
			v.simulated, v.simulation, v.decisions = true, x, []fact.Decision{n, o}
		}
	}
	for x := range fact.All[fact.RolePolicies](s) {
		if x.ARN == role {
			v.policies, v.read = x, !x.More && len(x.Unread) == 0
		}
	}
	for _, d := range v.policies.Documents {
		all, err := fact.Statements(d.Document)
		if err != nil {
			v.read = false
		}
		v.statements = append(v.statements, all...)
	}
	return v
}

// denied are the actions that the simulator says no to.
func (v view) denied() []fact.Decision {
	return slices.DeleteFunc(slices.Clone(v.decisions), func(d fact.Decision) bool { return d.Allowed })
}

// covers reports whether an Allow of the role, or a Deny, is about an action on an ARN, conditions aside.
func (v view) covers(allow bool, action, arn string) bool {
	return slices.ContainsFunc(v.statements, func(s fact.Statement) bool { return s.Allow == allow && s.Covers(action, arn) })
}

// lacking are the actions that nothing allows on the connection; ok is false where something else than a missing Allow may say no.
func (v view) lacking() (all []string, class fault.Class, ok bool) {
	if v.simulated {
		for _, d := range v.denied() {
			if d.Explicit || d.By != "" && d.By != "identity-based policy" || v.read && v.covers(true, d.Action, v.connection) || !v.read && d.Missing != "" {
				return nil, "", false
			}
			all = append(all, d.Action)
		}
		return all, fault.Simulated, true
	}
	if !v.settled || !v.read || v.policies.Boundary != "" {
		return nil, "", false
	}
	for _, action := range []string{useNew, useOld} {
		if v.covers(false, action, v.connection) {
			return nil, "", false
		}
		if !v.covers(true, action, v.connection) {
			all = append(all, action)
		}
	}
	return all, fault.Inferred, true
}

// mismatch says how the role's policies miss a prefix; false where they do not, or where that is not the whole story.
func (v view) mismatch() (m mismatch, ok bool) {
	lacks, class, ok := v.lacking()
	if !ok || len(lacks) == 0 {
		return m, false
	}
	m.class = class
	twin := twinOf(v.connection)
	if v.read && twin != "" && (v.covers(true, useNew, twin) || v.covers(true, useOld, twin)) && len(lacks) == 2 {
		m.cause, m.text = otherARN, "The role's policies allow it on "+twin+"; the connection's ARN is "+v.connection+"."
		return m, true
	}
	if len(lacks) == 2 {
		return m, false // it is allowed nothing: connection-denied
	}
	has := useNew
	m.cause = lacksOld
	if lacks[0] == useNew {
		m.cause, has = lacksNew, useOld
	}
	m.text = "The role's policies allow " + has + " and not " + lacks[0] + "; a pipeline's role needs both, whatever the prefix of the ARN."
	return m, true
}

// evidence is what the simulator says of both prefixes, and which policies name either.
func (v view) evidence(m mismatch) []fault.Evidence {
	var all []fault.Evidence
	for _, d := range v.decisions {
		got := "denied"
		if d.Allowed {
			got = "allowed"
		}
		all = append(all, fault.Ev(fault.Simulated, v.simulation, d.Action, got, "allowed"))
	}
	for _, d := range v.policies.Documents {
		statements, err := fact.Statements(d.Document)
		if err != nil {
			continue
		}
		for _, s := range statements {
			var names []string
			for _, action := range []string{useNew, useOld} {
				if s.Allow && s.Names(action) {
					names = append(names, action)
				}
			}
			if len(names) == 0 {
				continue
			}
			e := fault.Ev(fault.Verified, v.policies, "policy "+d.Name, strings.Join(names, ", "), useNew+", "+useOld)
			if m.cause == otherARN {
				e.Text = "on " + strings.Join(s.Resources, ", ")
			}
			all = append(all, e)
		}
	}
	return all
}
