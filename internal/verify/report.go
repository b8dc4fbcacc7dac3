package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// Schema names the form of a report.
const Schema = "unjam/verification/v1"

// Verdict is what a verification comes to.
type Verdict string

// The verdicts.
const (
	Fixed  Verdict = "fixed"  // everything relevant was seen, and nothing is wrong
	Broken Verdict = "broken" // something is wrong, still or again
	Unseen Verdict = "unseen" // nothing wrong was seen, but not everything that matters could be
)

// Report is what a verification of a run found. Its JSON is part of the contract.
type Report struct {
	Schema    string     `json:"schema"`
	Run       string     `json:"run"`
	Plan      string     `json:"plan"`
	At        time.Time  `json:"at"`
	Account   string     `json:"account"`
	Verdict   Verdict    `json:"verdict"`
	TakenBack string     `json:"takenBack,omitempty"` // the run that has taken it back
	Subjects  []Subject  `json:"subjects"`            // what the run's plan repairs
	Pipelines []Pipeline `json:"pipelines"`           // that the plan touches
	Roles     []Role     `json:"roles,omitempty"`     // whose permissions the run changed
	Findings  []Finding  `json:"findings"`            // everything that is wrong with them now, of severity low or above, or held on purpose
	Gaps      []string   `json:"gaps"`                // what could not be seen, a line each
	Expired   bool       `json:"-"`                   // the credentials ran out on the way
}

// Subject is one finding of the plan, judged again.
type Subject struct {
	Code    string        `json:"code"`
	Kind    string        `json:"kind"`
	ID      string        `json:"id"`
	Name    string        `json:"name"`
	Region  string        `json:"region,omitempty"`
	Verdict fault.Verdict `json:"verdict"`
	Message string        `json:"message"`
}

// Finding is something that is wrong now.
type Finding struct {
	ID       string `json:"id"`
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Held     bool   `json:"held,omitempty"` // what the plan did on purpose: nothing is wrong with it
}

// Role is what IAM Access Analyzer says of a role whose permissions the run changed.
type Role struct {
	ARN     string `json:"arn"`
	Open    int    `json:"open"` // its active findings
	New     int    `json:"new"`  // of them, made or changed since the run began
	Message string `json:"message"`
}

// Hook says whether the next push starts a pipeline.
type Hook string

// What is known of a pipeline's webhook. No call of AWS shows it.
const (
	HookWorks   Hook = "works"   // a push has started it since the run began
	HookUntried Hook = "untried" // no push has started it since: nobody knows
	HookLikely  Hook = "doubted" // untried, and its definition was last written while the connection was PENDING: likely no push starts it
)

// Pipeline is what became of one pipeline.
type Pipeline struct {
	Name    string    `json:"name"`
	Region  string    `json:"region"`
	Ran     bool      `json:"ran"`    // its source action came through after the run began
	Status  string    `json:"status"` // of its source action
	At      time.Time `json:"at,omitzero"`
	Trigger string    `json:"trigger,omitempty"` // of its newest execution
	Pushes  int       `json:"pushes"`            // executions that pushes started since the run began
	Hook    Hook      `json:"hook"`
	Message string    `json:"message"`
}

// Done is a run to verify.
type Done struct {
	ID    string
	Plan  plan.Plan
	Since time.Time // when it began
	Ended time.Time // its last entry about itself
	Back  string    // the run that has taken it back; "" for none
}

// Targets are what a plan repairs and touches, as targets of a question. A connection that the plan leaves PENDING on purpose is none.
func Targets(p plan.Plan) []fact.Target {
	var all []fact.Target
	add := func(r fact.Ref) {
		t := target(p.Account, r)
		ok := t.Kind == fact.KindPipeline || t.Kind == fact.KindManagedCertificate || t.Kind == fact.KindConnection && p.Strategy != plan.Reuse
		if ok && !slices.ContainsFunc(all, func(x fact.Target) bool { return x.Kind == t.Kind && x.Name == t.Name && x.Region == t.Region }) {
			all = append(all, t)
		}
	}
	for _, s := range p.Steps {
		add(s.Target)
	}
	for _, f := range p.Findings {
		add(f.Subject)
	}
	return all
}

// Runs are the queries that show which executions the pipelines of a plan have had.
func Runs(p plan.Plan) []fact.Query {
	var all []fact.Query
	for _, t := range Targets(p) {
		if t.Kind == fact.KindPipeline {
			scope := fact.Scope{Account: p.Account, Region: t.Region}
			all = append(all, fault.PipelineQuery(scope, t.Name), fault.StateQuery(scope, t.Name), fact.Query{Scope: scope, Kind: fact.KindExecution, ID: t.Name})
		}
	}
	for _, r := range roles(p) {
		all = append(all, opening(p, r))
	}
	return all
}

// roles are the ARNs of the roles whose policies a plan changes.
func roles(p plan.Plan) []string {
	var all []string
	for _, s := range p.Steps {
		if s.Do != nil && s.Do.Service == "iam" && s.Target.Kind == fact.KindPolicies && !slices.Contains(all, s.Target.ID) {
			all = append(all, s.Target.ID)
		}
	}
	return all
}

// opening asks Access Analyzer about a role, in the plan's first Region: IAM is global, analyzers are not.
func opening(p plan.Plan, role string) fact.Query {
	q := fact.Query{Scope: fact.Scope{Account: p.Account}, Kind: fact.KindOpenings, ID: role}
	if len(p.Regions) > 0 {
		q.Scope.Region = p.Regions[0]
	}
	return q
}

// role says what Access Analyzer sees of a role.
func (r *Report) role(done Done, s *fact.Snapshot, arn string) {
	q := opening(done.Plan, arn)
	out := Role{ARN: arn}
	f, ok := fact.Get[fact.Openings](s, fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID})
	switch {
	case !ok:
		out.Message = "Access Analyzer could not be asked"
		r.worse(Unseen)
	case f.Analyzer == "":
		out.Message = "no analyzer of Access Analyzer looks in " + q.Scope.Region
	default:
		out.Open = len(f.Findings)
		for _, x := range f.Findings {
			if x.Created.After(done.Since) || x.Updated.After(done.Since) {
				out.New++
			}
		}
		out.Message = fmt.Sprintf("Access Analyzer has %s about it, %d of them since the run", fault.Plural(out.Open, "finding"), out.New)
		if out.New > 0 {
			r.worse(Broken)
		}
	}
	r.Roles = append(r.Roles, out)
}

// asWished reports whether a finding is no more than what the plan did on purpose: it held the runs of a pipeline. The cause's code is the
// one of transition-disabled.
func asWished(p plan.Plan, f fault.Finding) bool {
	return f.Cause.Code == "held-by-unjam" && slices.ContainsFunc(p.Steps, func(s plan.Step) bool {
		return s.Do != nil && s.Do.Operation == "DisableStageTransition" && s.Do.Input["pipelineName"] == f.Subject.Name && s.Do.Region == f.Subject.Region
	})
}

// Judge turns a diagnosis of a plan's targets, and their executions, into a report.
func Judge(done Done, s *fact.Snapshot, out fault.Outcome, runs *fact.Snapshot, faults []*fault.Fault) Report {
	r := Report{Schema: Schema, Run: done.ID, Plan: string(done.Plan.ID), At: s.At().UTC(), Account: done.Plan.Account, Verdict: Fixed, TakenBack: done.Back,
		Subjects: []Subject{}, Pipelines: []Pipeline{}, Findings: []Finding{}, Gaps: []string{}}
	for _, f := range done.Plan.Findings {
		i := slices.IndexFunc(faults, func(x *fault.Fault) bool { return string(x.Code) == f.Code })
		if i < 0 || done.Plan.Strategy == plan.Reuse && f.Subject.Kind == fact.KindConnection {
			continue // the pipelines are what it repairs
		}
		v, why := judge(s, out, faults[i], f.Subject)
		r.Subjects = append(r.Subjects, Subject{Code: f.Code, Kind: string(f.Subject.Kind), ID: f.Subject.ID, Name: name(s, f.Subject), Region: f.Subject.Scope.Region, Verdict: v, Message: why})
		r.worse(map[fault.Verdict]Verdict{fault.Found: Broken, fault.Unknown: Unseen}[v])
	}
	for _, f := range out.Findings {
		held := asWished(done.Plan, f)
		if f.Severity != fault.Info || held {
			r.Findings = append(r.Findings, Finding{ID: f.ID, Code: string(f.Code), Severity: string(f.Severity), Message: f.Message, Held: held})
		}
		if f.Severity != fault.Info && !held {
			r.worse(Broken)
		}
	}
	for _, t := range Targets(done.Plan) {
		if t.Kind == fact.KindPipeline {
			r.pipeline(done, runs, t)
		}
	}
	for _, arn := range roles(done.Plan) {
		r.role(done, runs, arn)
	}
	for _, x := range []*fact.Snapshot{s, runs} {
		for _, g := range x.Gaps() {
			r.Expired = r.Expired || g.Class == fact.Expired
			if g.Class != fact.Skipped && g.Class != fact.Unsupported && !slices.Contains(r.Gaps, g.Why) {
				r.Gaps = append(r.Gaps, g.Why)
			}
		}
	}
	return r
}

// name is what people call a subject.
func name(s *fact.Snapshot, r fact.Ref) string {
	if c, ok := fact.Get[fact.Connection](s, r); ok {
		return c.Name
	}
	if c, ok := fact.Get[fact.ManagedCertificate](s, r); ok {
		return c.Domain
	}
	if a, err := fact.ParseARN(r.ID); err == nil {
		return a.Name()
	}
	return r.ID
}

// worse takes a verdict where it is worse than what there is.
func (r *Report) worse(v Verdict) {
	if v == Broken || v == Unseen && r.Verdict == Fixed {
		r.Verdict = v
	}
}

// pipeline says what became of a pipeline: did its source come through, does a push start it?
func (r *Report) pipeline(done Done, s *fact.Snapshot, t fact.Target) {
	scope := fact.Scope{Account: done.Plan.Account, Region: t.Region}
	out := Pipeline{Name: t.Name, Region: t.Region, Hook: HookUntried}
	p, ok := fact.Get[fact.Pipeline](s, fact.PipelineRef(scope, t.Name))
	state, seen := fact.Get[fact.PipelineState](s, fact.StateRef(scope, t.Name))
	if _, gone := s.Absence(fact.PipelineRef(scope, t.Name)); gone {
		out.Message = "it does not exist any more"
		r.Pipelines = append(r.Pipelines, out)
		r.worse(Broken)
		return
	}
	if !ok || !seen {
		out.Message = "it could not be read"
		r.Pipelines = append(r.Pipelines, out)
		r.worse(Unseen)
		return
	}
	stage, action := source(p)
	if st, ok := state.Stage(stage); ok {
		if a, ok := st.Action(action); ok {
			out.Status, out.At = a.Status, a.Changed
		}
	}
	out.Ran = out.Status == "Succeeded" && !out.At.Before(done.Since.Truncate(time.Second))
	var newest fact.Execution
	for e := range fact.All[fact.Execution](s) {
		if e.Pipeline != t.Name || e.Ref().Scope != scope {
			continue
		}
		if e.Started.After(newest.Started) {
			newest = e
		}
		if fault.StartedByPush(e) && e.Started.After(done.Since) {
			out.Pushes++
		}
	}
	out.Trigger = newest.Trigger
	switch {
	case out.Pushes > 0:
		out.Hook = HookWorks
	case writtenPending(done, p):
		out.Hook = HookLikely
	}
	out.Message = words(out, restarted(done.Plan, t))
	if !out.Ran && restarted(done.Plan, t) || out.Status == "Failed" {
		r.worse(Broken)
	}
	r.Pipelines = append(r.Pipelines, out)
}

// source is the action that fetches: the one on a connection, else the pipeline's first.
func source(p fact.Pipeline) (stage, action string) {
	for st, a := range p.Sources {
		return st.Name, a.Name
	}
	if len(p.Stages) > 0 && len(p.Stages[0].Actions) > 0 {
		return p.Stages[0].Name, p.Stages[0].Actions[0].Name
	}
	return "", ""
}

// restarted reports whether the plan sets the pipeline going.
func restarted(p plan.Plan, t fact.Target) bool {
	return slices.ContainsFunc(p.Steps, func(s plan.Step) bool {
		return s.Do != nil && (s.Do.Operation == "RetryStageExecution" || s.Do.Operation == "StartPipelineExecution") && s.Target.ID == t.Name && s.Target.Scope.Region == t.Region
	})
}

// writtenPending reports whether a pipeline's definition was last written before the handshake of its connection was completed, as far as the
// plan knows.
func writtenPending(done Done, p fact.Pipeline) bool {
	return p.Updated.Before(done.Since) && slices.ContainsFunc(done.Plan.Steps, func(s plan.Step) bool {
		return s.Kind == plan.Human && s.Target.Kind == fact.KindConnection && p.UsesConnection(s.Target.ID)
	})
}

func words(p Pipeline, restarted bool) string {
	var all []string
	at := p.At.UTC().Format("2006-01-02 15:04 UTC")
	switch {
	case p.Ran:
		all = append(all, "its source came through at "+at)
	case p.Status == "":
		all = append(all, "its source has never run")
	case !restarted:
		all = append(all, fmt.Sprintf("its source is %s since %s; this run did not start it", p.Status, at))
	default:
		all = append(all, fmt.Sprintf("its source has not come through since the run began: %s since %s", p.Status, at))
	}
	switch p.Hook {
	case HookWorks:
		all = append(all, fmt.Sprintf("%s started it", fault.Plural(p.Pushes, "push")))
	case HookUntried:
		all = append(all, "no push has started it yet: push once and look")
	case HookLikely:
		all = append(all, "no push has started it yet, and it was created while its connection was PENDING: likely none will. Push once and look; `unjam plan "+p.Name+" --region "+p.Region+" --rehook` makes its webhook anew")
	}
	return strings.Join(all, "; ")
}
