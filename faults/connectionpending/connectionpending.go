// Package connectionpending finds connections to Git providers whose handshake was never completed, and says why.
// It never reads AWS and never claims more than the facts carry: only the status itself is verified.
package connectionpending

import (
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// Fault is the fault connection-pending.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "connection-pending",
		Doc:  doc(),
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindAction, fact.KindConnection, fact.KindHost, fact.KindTags,
			fact.KindEvent, fact.KindSimulation, fact.KindRole, fact.KindRegion, fact.KindBuildProject, fact.KindBuildCredential, fact.KindGitSync,
			fact.KindAppService, fact.KindProduct, fact.KindReview, fact.KindExecution, fact.KindPolicies},
		Explains: []fault.Code{"source-stale", "host-not-ready"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

// diagnose looks at every connection the question is about.
func diagnose(s *fact.Snapshot) fault.Judgement {
	arns, needs := fault.Connections(s)
	j := fault.Judgement{Needs: needs}
	if len(s.Question().Targets) > 0 {
		j.Help(fault.ConnectionsQuery(s.Question())) // shows the status one round trip earlier, and the alternatives
		for _, t := range s.Question().Targets {
			if t.Kind == fact.KindPipeline {
				j.Help(fault.StateQuery(fault.TargetScope(s.Question(), t), t.Name))
			}
		}
		j.Help(fault.ListQuery(fact.Scope{Account: s.Question().Account, Region: s.Question().Regions[0]}), fault.RegionsQuery(s.Question().Account))
	} else if _, lost := s.GapOf(fault.ConnectionsQuery(s.Question())); lost {
		j.Help(fault.RegionsQuery(s.Question().Account)) // each connection takes a round more now: what lies elsewhere must not come last
	}
	for _, arn := range arns {
		c, known, absent, settles := fault.Connection(s, arn)
		if absent || !known {
			j.Need(settles)
			continue
		}
		if c.Status != fact.StatusPending {
			j.Need(settles)
			continue
		}
		own := fault.ConnectionQuery(s.Question().Account, arn)
		j.Need(own) // what decides is read twice, from the owning Region
		f, helps := judge(s, c)
		j.Help(helps...)
		if c.Source().Region != own.Scope.Region && s.Settled(own) && !s.Answered(own) { // the list of another Region may be behind
			f.Cause.Class = fault.Unclear
			f.Cause.Text += fmt.Sprintf(" So says the list of %s, which may be behind: %s itself could not be asked.", c.Source().Region, own.Scope.Region)
		}
		j.Findings = append(j.Findings, f)
	}
	return j
}

// judge describes one PENDING connection.
func judge(s *fact.Snapshot, c fact.Connection) (fault.Finding, []fact.Query) {
	users, helps := fault.Users(s, c.ARN)
	for _, p := range users {
		helps = append(helps, fault.StateQuery(p.Ref().Scope, p.Name))
	}
	trail := readTrail(s, c)
	host, hostHelps := hostOf(s, c)
	who, whoHelps := access(s, c, trail)
	helps = append(helps, trail.asks...)
	helps = append(helps, hostHelps...)
	helps = append(helps, whoHelps...)
	tags := fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindTags, ID: c.ARN}
	helps = append(helps, tags)
	_, _, beside := fault.Radius(s, c.Ref())
	helps = append(helps, beside...)

	cause, proof := cause(s, c, host, trail)
	since, sinceProof := since(s, c, trail, users)
	f := fault.Finding{
		Title:    "Connection waits for its handshake",
		Severity: fault.Standstill(c.ARN, users),
		Bucket:   fault.Person,
		Cause:    cause,
		Subject:  fault.ConnectionSubject(c.ARN, c.Name),
		Since:    fault.Stamp(since),
		Evidence: []fault.Evidence{fault.Ev(fault.Verified, c, "ConnectionStatus", c.Status, fact.StatusAvailable)},
		Remedy:   remedy(cause.Code),
		Link:     fault.ConnectionLink(s.Question(), c.ARN),
		About:    c.Ref(),
	}
	if cause.Code == hostNotReady {
		f.Bucket = fault.Configuration
	} else if cause.Code == handshakeDenied {
		f.Bucket = fault.IAM
	}
	f.Details.CreatedBy, f.Details.CreatedWith = creator(s, c, trail)
	f.Details.Alternatives = fault.Alternatives(s, c)
	helps = append(helps, fault.ReuseAsks(s, users, f.Details.Alternatives)...)
	f.Details.WhoCan = who
	if g, check, ok := grant(s, c, cause.Code, trail); ok {
		f.Details.Grant = g
		helps = append(helps, check)
	}
	f.Evidence = append(f.Evidence, proof...)
	f.Evidence = append(f.Evidence, sinceProof...)
	for _, p := range users {
		f.Affects = append(f.Affects, fault.PipelineSubject(p))
		f.Evidence = append(f.Evidence, failed(s, p, c)...)
	}
	if trail.created == nil {
		since = time.Time{} // the first failure that is on record is not when it began
	}
	f.Message = message(s, c, since, len(users))
	return f, helps
}

// failed is the evidence of source actions that failed on the connection.
func failed(s *fact.Snapshot, p fact.Pipeline, c fact.Connection) []fault.Evidence {
	var all []fault.Evidence
	for _, src := range fault.Sources(s, p, c.ARN) {
		if src.Failed() {
			e := fault.Ev(fault.Reported, src.Seen, p.Name+"/"+src.Stage.Name+"/"+src.Action.Name, src.State.Status, "Succeeded")
			e.Text = src.State.Error
			all = append(all, e)
		}
		for run := range fact.All[fact.ActionRun](s) { // of an execution that was asked about
			if !slices.ContainsFunc(s.Question().Targets, func(t fact.Target) bool { return t.Execution != "" && t.Execution == run.Execution }) {
				continue
			}
			if run.Pipeline == p.Name && run.Ref().Scope == p.Ref().Scope && run.Action == src.Action.Name && run.Status == "Failed" && run.ID != src.State.ID {
				e := fault.Ev(fault.Reported, run, p.Name+"/"+run.Execution+"/"+run.Action, run.Status, "Succeeded")
				e.Text = run.Error
				all = append(all, e)
			}
		}
	}
	return all
}

// since is when the trouble began: the connection was created so, or else the first failure that is still on record.
func since(s *fact.Snapshot, c fact.Connection, t trail, users []fact.Pipeline) (time.Time, []fault.Evidence) {
	if t.created != nil {
		e := fault.Ev(fault.Reported, *t.created, "CreateConnection", t.created.Who.Label(), "")
		e.Text = "created " + fault.Stamp(t.created.Time)
		return t.created.Time, []fault.Evidence{e}
	}
	var first time.Time
	for _, p := range users {
		for _, src := range fault.Sources(s, p, c.ARN) {
			if src.Failed() && (first.IsZero() || src.State.Changed.Before(first)) {
				first = src.State.Changed
			}
		}
	}
	return first, nil
}

// creator is who created the connection and with which tool; a stack's tag counts when the event is out of sight.
func creator(s *fact.Snapshot, c fact.Connection, t trail) (by, with string) {
	if t.created != nil {
		by, with = t.created.Who.Policied(), t.created.Tool()
	}
	tags, ok := fact.Get[fact.Tags](s, fact.Ref{Scope: c.Ref().Scope, Kind: fact.KindTags, ID: c.ARN})
	if ok && tags.Tags["aws:cloudformation:stack-name"] != "" {
		with = "cloudformation"
	}
	return by, with
}

func message(s *fact.Snapshot, c fact.Connection, since time.Time, n int) string {
	age := ""
	if !since.IsZero() {
		age = " since " + since.UTC().Format(time.DateOnly)
		if d := s.At().Sub(since); d < 48*time.Hour {
			age = fmt.Sprintf(" for %d h", int(d.Hours()))
			if d < time.Hour {
				age = fmt.Sprintf(" for %d min", int(d.Minutes()))
			}
		}
	}
	m := fmt.Sprintf("Connection %q to %s has been waiting for its handshake%s", c.Name, c.Provider, age)
	switch n {
	case 0:
		return m + "; no pipeline that was read uses it."
	case 1:
		return m + ": one pipeline cannot fetch its source."
	}
	return fmt.Sprintf("%s: %d pipelines cannot fetch their source.", m, n)
}

func contains(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}
