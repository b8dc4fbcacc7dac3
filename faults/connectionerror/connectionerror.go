// Package connectionerror finds connections in ERROR and tells by their neighbours whether the provider, the authorisation or a host is
// the trouble. It never claims to have seen the provider: only the status is verified.
package connectionerror

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// Fault is the fault connection-error.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "connection-error",
		Doc:  doc(),
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindRegion, fact.KindSimulation,
			fact.KindPolicies, fact.KindExecution},
		Explains: []fault.Code{"source-stale", "action-failed"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	arns, needs := fault.Connections(s)
	j := fault.Judgement{Needs: needs}
	for _, arn := range arns {
		c, known, absent, settles := fault.Connection(s, arn)
		j.Need(settles)
		if absent || !known || c.Status != fact.StatusError {
			continue
		}
		j.Need(fault.ConnectionQuery(s.Question().Account, arn)) // what decides is read twice, from the owning Region
		f, helps := judge(s, c)
		j.Findings = append(j.Findings, f)
		j.Help(helps...)
	}
	return j
}

func judge(s *fact.Snapshot, c fact.Connection) (fault.Finding, []fact.Query) {
	users, helps := fault.Users(s, c.ARN)
	helps = append(helps, fault.ConnectionsQuery(s.Question()))
	f := fault.Finding{
		Title: doc().Title, Severity: fault.Standstill(c.ARN, users), Bucket: fault.Provider,
		Subject: fault.ConnectionSubject(c.ARN, c.Name), About: c.Ref(), Link: fault.ConnectionLink(s.Question(), c.ARN),
		Evidence: []fault.Evidence{fault.Ev(fault.Verified, c, "ConnectionStatus", c.Status, fact.StatusAvailable)},
	}
	var first time.Time
	for _, p := range users {
		f.Affects = append(f.Affects, fault.PipelineSubject(p))
		helps = append(helps, fault.StateQuery(p.Ref().Scope, p.Name))
		for _, src := range fault.Sources(s, p, c.ARN) {
			if !src.Failed() {
				continue
			}
			f.Evidence = append(f.Evidence, fault.Current{Pipeline: p, Stage: src.Stage, Action: src.Action, State: src.State, Seen: src.Seen}.Evidence())
			if first.IsZero() || src.State.Changed.Before(first) {
				first = src.State.Changed
			}
		}
	}
	f.Since = fault.Stamp(first)
	proof, asks := []fault.Evidence(nil), []fact.Query(nil)
	f.Cause, proof, asks = cause(s, c)
	f.Evidence, helps = append(f.Evidence, proof...), append(helps, asks...)
	f.Remedy = remedy(f.Cause.Code)
	if f.Cause.Code == hostBroken {
		f.Bucket = fault.Network
	}
	f.Details.Alternatives = fault.Alternatives(s, c)
	helps = append(helps, fault.ReuseAsks(s, users, f.Details.Alternatives)...)
	f.Message = fmt.Sprintf("Connection %q to %s is in ERROR; no pipeline that was read uses it.", c.Name, c.Provider)
	if len(users) > 0 {
		f.Message = fmt.Sprintf("Connection %q to %s is in ERROR: %s cannot fetch.", c.Name, c.Provider, fault.Plural(len(users), "pipeline"))
	}
	return f, helps
}

// cause looks at the other connections to the provider. No call of AWS shows the provider, so that nothing here is certain.
func cause(s *fact.Snapshot, c fact.Connection) (fault.Cause, []fault.Evidence, []fact.Query) {
	if c.HostARN != "" {
		a, _ := fact.ParseARN(c.HostARN)
		return fault.Cause{Code: hostBroken, Class: fault.Inferred, Text: "The connection stands on host " + a.Name() + ": likely what is wrong there is why."}, nil, nil
	}
	var works, broken []fact.Connection
	for o := range fact.All[fact.Connection](s) {
		newest, _ := fact.Get[fact.Connection](s, o.Ref())
		if newest.ARN == c.ARN || newest.Provider != c.Provider || newest.HostARN != "" {
			continue
		}
		list := &broken
		if newest.Status == fact.StatusAvailable {
			list = &works
		} else if newest.Status != fact.StatusError {
			continue
		}
		if !slices.ContainsFunc(*list, func(x fact.Connection) bool { return x.ARN == newest.ARN }) {
			*list = append(*list, newest)
		}
	}
	var asks []fact.Query
	for _, o := range works { // does it fetch, or is its AVAILABLE only old?
		for _, p := range fault.Known(s, o.ARN) {
			asks = append(asks, fault.StateQuery(p.Ref().Scope, p.Name))
		}
	}
	if len(works) > 0 {
		text := fmt.Sprintf("Connection %q to %s is AVAILABLE, so %s answers: likely the app of this connection was removed there, or its authorising user lost their rights.", works[0].Name, c.Provider, c.Provider)
		return fault.Cause{Code: authorizationLost, Class: fault.Inferred, Text: text},
			[]fault.Evidence{fault.Ev(fault.Verified, works[0], works[0].Name+" ConnectionStatus", works[0].Status, "")}, asks
	}
	all := owners(s, c.ARN)
	for _, o := range broken {
		if theirs := owners(s, o.ARN); len(all) > 0 && len(theirs) > 0 && !slices.ContainsFunc(theirs, func(x string) bool { return slices.Contains(all, x) }) {
			text := fmt.Sprintf("Connection %q to %s is in ERROR as well and fetches from another owner (%s): likely %s does not answer AWS.", o.Name, c.Provider, strings.Join(theirs, ", "), c.Provider)
			return fault.Cause{Code: providerTrouble, Class: fault.Inferred, Text: text},
				[]fault.Evidence{fault.Ev(fault.Verified, o, o.Name+" ConnectionStatus", o.Status, "")}, nil
		}
	}
	return fault.Cause{Code: unknownCause, Class: fault.Unclear,
		Text: "No other connection to " + c.Provider + " was seen that would tell the provider from this connection's authorisation. AWS tries again by itself; whether it comes back is decided at the provider."}, nil, nil
}

// owners are whose repositories the pipelines that were read fetch over a connection.
func owners(s *fact.Snapshot, connection string) []string {
	var all []string
	for _, p := range fault.Known(s, connection) {
		for _, a := range p.Sources {
			owner, _, _ := strings.Cut(a.Repository, "/")
			if a.Connection == connection && owner != "" && !slices.Contains(all, strings.ToLower(owner)) {
				all = append(all, strings.ToLower(owner))
			}
		}
	}
	slices.Sort(all)
	return all
}
