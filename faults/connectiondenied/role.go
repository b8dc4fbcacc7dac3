package connectiondenied

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// clones are the failed builds of a pipeline that could not fetch the repository of a full clone themselves.
func clones(s *fact.Snapshot, p fact.Pipeline) []refusal {
	fails, _ := fault.Fails(s, p)
	var all []refusal
	for _, c := range fails {
		d, ok := fact.ParseDenial(c.State.Error)
		if c.Action.Provider != "CodeBuild" || !ok || !strings.HasSuffix(d.Action, ":UseConnection") {
			continue
		}
		r := refusal{Current: c, connection: d.Resource, clone: true}
		for _, a := range p.Sources {
			if a.Connection == d.Resource {
				r.repository = a.Repository
			}
		}
		q := r.projectQuery()
		if x, ok := fact.Get[fact.Project](s, fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID}); ok {
			r.role = x.Role
		}
		all = append(all, r)
	}
	return all
}

// projectQuery asks for the build's project, in the action's own Region.
func (r refusal) projectQuery() fact.Query {
	scope := r.Pipeline.Ref().Scope
	if r.Action.Region != "" {
		scope.Region = r.Action.Region
	}
	return fact.Query{Scope: scope, Kind: fact.KindProject, ID: r.Action.Project}
}

// asks are the queries that explain the refusal.
func (r refusal) asks(s *fact.Snapshot) []fact.Query {
	account := fact.Scope{Account: s.Question().Account}
	var all []fact.Query
	if r.clone && r.Action.Project != "" {
		all = append(all, r.projectQuery())
	}
	if a, err := fact.ParseARN(r.role); err != nil || a.Account != account.Account {
		return all // another account's policies cannot be read or simulated from here
	}
	all = append(all, fact.Query{Scope: account, Kind: fact.KindSimulation, ID: r.role, Args: map[string]string{"actions": useNew + "," + useOld, "resources": r.connection}})
	for _, name := range []string{"DeleteRolePolicy", "PutRolePolicy", "DetachRolePolicy"} { // can have taken the right away; logged in us-east-1
		all = append(all, fact.Query{Scope: fact.Scope{Account: account.Account, Region: "us-east-1"}, Kind: fact.KindEvent, ID: name})
	}
	if d, _ := r.decisions(s); len(d) > 0 && (!d[0].Allowed || !d[1].Allowed) {
		all = append(all, fact.Query{Scope: account, Kind: fact.KindPolicies, ID: r.role})
	}
	return all
}

// decisions are the simulator's verdicts on the use of the connection, the new prefix first; none when it was not asked.
func (r refusal) decisions(s *fact.Snapshot) ([]fact.Decision, fact.Simulation) {
	for x := range fact.All[fact.Simulation](s) {
		if x.Principal != r.role {
			continue
		}
		n, ok1 := x.Decision(useNew, r.connection)
		o, ok2 := x.Decision(useOld, r.connection)
		if ok1 && ok2 {
			return []fact.Decision{n, o}, x
		}
	}
	return nil, fact.Simulation{}
}

// cause is why, with its remedy.
func (r refusal) cause(s *fact.Snapshot) (fault.Cause, string) {
	d, _ := r.decisions(s)
	var denied []string
	for _, x := range d {
		if !x.Allowed {
			denied = append(denied, x.Action)
		}
	}
	allow := func(actions ...string) string {
		return "Allow " + strings.Join(actions, " and ") + " on " + r.connection + " to " + r.role + ", then retry the stage."
	}
	remedy := allow(denied...)
	if r.clone {
		remedy = first(r.role != "", allow(useNew, useOld),
			"Allow "+useNew+" and "+useOld+" on "+r.connection+" to the role of the project "+r.Action.Project+", then retry the stage.")
	}
	if by, ok := r.outsideRole(d); ok {
		remedy = "The simulator says that the " + by + " says no: a policy of the role cannot mend it. Whoever owns it has to allow " + strings.Join(denied, " and ") + "."
	}
	switch keys := r.conditions(s); {
	case r.clone:
		return r.cloneCause(denied, len(d) > 0), remedy
	case len(d) == 0:
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "AWS refuses it; which policy says no cannot be seen."}, "Check the role's policies for both actions, then retry the stage."
	case len(denied) == 0:
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "AWS refused it, yet the simulator would allow it: the policy changed since, or something it cannot see says no (session, boundary on a condition)."},
			"Check the role's policies for both actions, then retry the stage."
	case len(keys) > 0:
		return fault.Cause{Code: condition, Class: fault.Simulated, Text: "The role is allowed UseConnection only under a condition on " + strings.Join(keys, ", ") + whyNot(keys)},
			"Write the statement twice, each prefix with its own key, as in the policy below; then retry the stage."
	case r.unread(s, d):
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "The simulator says no, and lacked a value for a condition: the role's policies could not be read, which tell whether they allow it under that condition."},
			"Check the role's policies for both actions and for conditions on them, then retry the stage."
	case len(denied) == 2:
		return fault.Cause{Code: lacksBoth, Class: fault.Simulated, Text: "The role is allowed UseConnection under neither prefix."}, remedy
	case denied[0] == useOld:
		return fault.Cause{Code: lacksOld, Class: fault.Simulated, Text: "The role lacks " + useOld + "; it needs both prefixes."}, remedy
	}
	return fault.Cause{Code: lacksNew, Class: fault.Simulated, Text: "The role lacks " + useNew + "; it needs both prefixes."}, remedy
}

// cloneCause is the cause of a build that could not clone: its own text names the connection.
func (r refusal) cloneCause(denied []string, simulated bool) fault.Cause {
	text := "The build clones the repository itself, and AWS refuses the role of the project " + r.Action.Project + " the connection."
	switch {
	case len(denied) > 0:
		text += " The simulator says no to " + strings.Join(denied, " and ") + "."
	case simulated:
		text += " The simulator would allow it: it was granted since, or a condition decides."
	}
	return fault.Cause{Code: cloneRole, Class: fault.Reported, Text: text}
}

// outsideRole is what says no, where it is no policy of the role.
func (r refusal) outsideRole(d []fact.Decision) (by string, ok bool) {
	for _, x := range d {
		if !x.Allowed && x.By != "" && x.By != "identity-based policy" {
			return x.By, true
		}
	}
	return "", false
}

// mendable reports whether an Allow for the role can mend it: no Deny, boundary or control policy stands against it.
func (r refusal) mendable(s *fact.Snapshot) bool {
	d, _ := r.decisions(s)
	_, outside := r.outsideRole(d)
	return !outside && !slices.ContainsFunc(d, func(x fact.Decision) bool { return x.Explicit })
}

// conditions are the keys of conditions that the role's Allows of UseConnection depend on, where the simulator lacked a value for them.
func (r refusal) conditions(s *fact.Snapshot) []string {
	var keys []string
	d, _ := r.decisions(s)
	for _, x := range d {
		if x.Allowed || x.Missing == "" {
			continue
		}
		for x := range fact.All[fact.RolePolicies](s) {
			if x.ARN == r.role {
				keys = append(keys, keysOn(x, r.connection)...)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// unread reports whether a condition may decide that nobody could read.
func (r refusal) unread(s *fact.Snapshot, d []fact.Decision) bool {
	return slices.ContainsFunc(d, func(x fact.Decision) bool { return !x.Allowed && x.Missing != "" }) &&
		!s.Answered(fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindPolicies, ID: r.role})
}

// whyNot is why a condition on these keys does not hold, as far as its keys tell.
func whyNot(keys []string) string {
	has := func(prefix string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, prefix+":") })
	}
	if has("codeconnections") != has("codestar-connections") {
		return ": the key of one prefix is absent when the other is checked, and a pipeline's role is checked under both."
	}
	return ", and it did not hold."
}

func keysOn(x fact.RolePolicies, connection string) []string {
	var keys []string
	for _, d := range x.Documents {
		statements, err := fact.Statements(d.Document)
		if err != nil {
			continue // it allows nothing that could be told
		}
		for _, st := range statements {
			if st.Allow && (st.Covers(useNew, connection) || st.Covers(useOld, connection)) {
				keys = append(keys, st.Keys...)
			}
		}
	}
	return keys
}

// proof is what the simulator says of both prefixes.
func (r refusal) proof(s *fact.Snapshot) []fault.Evidence {
	var all []fault.Evidence
	d, sim := r.decisions(s)
	for _, x := range d {
		e := fault.Ev(fault.Simulated, sim, x.Action, first(x.Allowed, "allowed", "denied"), "allowed")
		if !x.Allowed && x.By != "" {
			e.Text = "by " + x.By
		}
		if !x.Allowed && x.Missing != "" {
			e.Text += "; without a value for " + strings.ReplaceAll(x.Missing, ",", ", ")
		}
		all = append(all, e)
	}
	return all
}

func first(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

// grant is the least policy that lets the role use the connection, under both prefixes and on both forms of its ARN; with the
// repository as its condition where the role's policies have one.
func (r refusal) grant(s *fact.Snapshot) (*fault.Grant, []fact.Query) {
	n := op.Need{Action: useNew, Resource: r.connection}
	if len(r.conditions(s)) > 0 {
		n.Repository = r.repository
	}
	text := op.LeastPolicy(n).String()
	id := func(text string) string { return string(fact.DigestOf(text))[7:23] }
	scope := r.Pipeline.Ref().Scope
	asks := []fact.Query{{Scope: scope, Kind: fact.KindPolicyCheck, ID: id(text), Args: map[string]string{"document": text}}}
	for x := range fact.All[fact.RolePolicies](s) {
		if x.ARN == r.role && s.Question().Paid {
			existing := x.Merged()
			asks = append(asks, fact.Query{Scope: scope, Kind: fact.KindNewAccess, ID: id(text + existing), Args: map[string]string{"document": text, "existing": existing}})
		}
	}
	return &fault.Grant{To: r.role, Document: []byte(text), Class: fault.Inferred, Checked: fault.Checked(s, asks)}, asks
}
