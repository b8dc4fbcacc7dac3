// Package actiontypemissing finds custom actions whose type is not registered where they run, or for whose jobs nobody seems to poll.
// It never polls for jobs itself: that would take them away from the worker.
package actiontypemissing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// silence is how long a job may wait before it looks as if nobody polled. A worker takes a job when it polls next, which is seconds to
// minutes; AWS gives no bound (docs/aws-facts.md, "Custom action types").
const silence = time.Hour

// diagnose looks at every custom action of the pipelines asked about. All of one pipeline are one finding.
func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		all, needs, helps := look(s, p)
		j.Need(needs...)
		j.Help(helps...)
		if len(all) == 0 {
			continue
		}
		f := all[0].finding(s)
		for _, t := range all[1:] {
			more := t.finding(s)
			f.Evidence = append(f.Evidence, more.Evidence...)
			f.Message += " " + more.Message
		}
		j.Findings = append(j.Findings, f)
	}
	return j
}

// trouble is what is wrong with the type of one custom action.
type trouble struct {
	fault.Current             // its State is zero when the action never ran
	scope         fact.Scope  // where the action runs
	listed        fact.Source // the reply that lists the Region's types
	cause         string
	same          []fact.CustomActionType // of the same category and provider in that Region
	there         []string                // other Regions of the pipeline that have the type
	gone          fact.Event              // the deletion
}

// look finds what is wrong with the custom actions of a pipeline; a list of action types and the state are read only for a pipeline
// that has some.
func look(s *fact.Snapshot, p fact.Pipeline) (all []trouble, needs, helps []fact.Query) {
	state, known := fact.Get[fact.PipelineState](s, fault.StateRef(p))
	for _, st := range p.Stages {
		seen, _ := state.Stage(st.Name)
		for _, a := range st.Actions {
			if a.Owner != "Custom" {
				continue
			}
			t := trouble{Current: fault.Current{Pipeline: p, Stage: st, Action: a, Seen: state}, scope: regionOf(p, a)}
			t.State, _ = seen.Action(a.Name)
			list := typesQuery(t.scope)
			needs = append(needs, list, fault.StateQuery(p.Ref().Scope, p.Name))
			if !known || !s.Answered(list) {
				continue
			}
			t.listed = s.LastReply(list)
			help := t.judge(s)
			helps = append(helps, help...)
			if t.cause != "" {
				all = append(all, t)
			}
		}
	}
	return all, needs, helps
}

func typesQuery(scope fact.Scope) fact.Query {
	return fact.Query{Scope: scope, Kind: fact.KindActionType}
}

// regionOf is where an action of a pipeline runs.
func regionOf(p fact.Pipeline, a fact.Action) fact.Scope {
	scope := p.Ref().Scope
	if a.Region != "" {
		scope.Region = a.Region
	}
	return scope
}

// judge decides the cause; "" when nothing is wrong. The queries make it surer.
func (t *trouble) judge(s *fact.Snapshot) []fact.Query {
	for x := range fact.All[fact.CustomActionType](s) {
		if x.Ref().Scope != t.scope || x.Category != t.Action.Category || x.Provider != t.Action.Provider {
			continue
		}
		if x.Version == t.Action.Version {
			if t.silent(s) {
				t.cause = noWorker
			}
			return nil
		}
		t.same = append(t.same, x)
	}
	events := fact.Query{Scope: t.scope, Kind: fact.KindEvent, ID: "DeleteCustomActionType"}
	helps := append(t.others(s), events)
	t.deletion(s)
	switch {
	case !t.gone.Time.IsZero():
		t.cause = deleted
	case len(t.same) > 0:
		t.cause = version
	case len(t.there) > 0:
		t.cause = elsewhere
	default:
		t.cause = notRegistered
	}
	return helps
}

// silent reports whether the action's job has waited so long without a word from its provider that likely nobody polls, or did until its
// time ran out.
func (t *trouble) silent(s *fact.Snapshot) bool {
	if t.State.External != "" || t.State.Summary != "" {
		return false
	}
	switch t.State.Status {
	case "InProgress":
		return s.At().Sub(t.State.Changed) > silence
	case "Failed":
		return fault.TimedOut(t.State.ErrorCode + " " + t.State.Error)
	}
	return false
}

// others looks for the type in the other Regions of the pipeline: its own and those of its actions.
func (t *trouble) others(s *fact.Snapshot) []fact.Query {
	regions := []string{t.Pipeline.Ref().Scope.Region}
	for _, st := range t.Pipeline.Stages {
		for _, a := range st.Actions {
			regions = append(regions, a.Region)
		}
	}
	slices.Sort(regions)
	var asks []fact.Query
	for _, r := range slices.Compact(regions) {
		if r == "" || r == t.scope.Region {
			continue
		}
		scope := fact.Scope{Account: t.scope.Account, Region: r}
		asks = append(asks, typesQuery(scope))
		if _, ok := fact.Get[fact.CustomActionType](s, fact.ActionTypeRef(scope, t.Action.TypeName())); ok {
			t.there = append(t.there, r)
		}
	}
	return asks
}

// deletion finds the newest event that deleted the type.
func (t *trouble) deletion(s *fact.Snapshot) {
	for e := range fact.All[fact.Event](s) {
		is := e.Name == "DeleteCustomActionType" && e.ErrorCode == "" && e.Region == t.scope.Region &&
			e.Parameters.Text("category")+"/"+e.Parameters.Text("provider")+"/"+e.Parameters.Text("version") == t.Action.TypeName()
		if is && e.Time.After(t.gone.Time) {
			t.gone = e
		}
	}
}

func (t trouble) finding(s *fact.Snapshot) fault.Finding {
	p := t.Pipeline
	f := fault.Finding{
		Title: "A custom action has no action type, or nobody works for it", Severity: fault.High, Bucket: fault.Configuration, Subject: fault.PipelineSubject(p), About: p.Ref(),
		Link: fault.PipelineLink(s.Question(), p), Since: fault.Stamp(t.State.Changed),
		Message: fmt.Sprintf("%s of %s runs with the custom action type %s, which is not registered in %s.", t.Action.Name, p.Name, t.name(), t.scope.Region),
		Cause:   t.why(s), Remedy: t.remedy(), Evidence: t.evidence(),
	}
	switch {
	case t.cause == noWorker && t.State.Status == "Failed":
		f.Message = fmt.Sprintf("%s of %s ran out of its time, and likely nobody had taken its job.", t.Action.Name, p.Name)
	case t.cause == noWorker:
		f.Message = fmt.Sprintf("%s of %s waits for a worker for %s, and CodePipeline fails it at %s.", t.Action.Name, p.Name, fault.Span(s.At().Sub(t.State.Changed)), fault.Stamp(fault.ClockOf(t.Current).Ends))
	case t.State.Status == "InProgress":
		f.Message += fmt.Sprintf(" It stands for %s, and CodePipeline fails it at %s.", fault.Span(s.At().Sub(t.State.Changed)), fault.Stamp(fault.ClockOf(t.Current).Ends))
	case t.State.Status != "Failed":
		f.Severity, f.Since = fault.Medium, ""
		f.Message += " Its next run will stand there."
	}
	f.Details.More = map[string]string{"action": t.Stage.Name + "/" + t.Action.Name, "actionType": t.Action.TypeName(), "region": t.scope.Region}
	return f
}

// name is the type as people say it.
func (t trouble) name() string {
	return fmt.Sprintf("%s %s version %s", t.Action.Category, t.Action.Provider, t.Action.Version)
}

func (t trouble) why(s *fact.Snapshot) fault.Cause {
	seen := s.Answered(fact.Query{Scope: t.scope, Kind: fact.KindEvent, ID: "DeleteCustomActionType"})
	c := fault.Cause{Code: t.cause, Class: fault.Verified}
	if !seen { // it may have been deleted
		c.Class = fault.Inferred
	}
	switch t.cause {
	case deleted:
		c.Class = fault.Reported
		c.Text = fmt.Sprintf("%s deleted it in %s at %s%s.", t.gone.Who.Label(), t.scope.Region, fault.Stamp(t.gone.Time), t.versions(" Registered there are"))
	case version:
		c.Text = fmt.Sprintf("The action names version %s%s.", t.Action.Version, t.versions(", and registered in "+t.scope.Region+" are"))
	case elsewhere:
		c.Text = fmt.Sprintf("The action runs in %s, and the type is registered in %s only: types are registered for each Region.", t.scope.Region, strings.Join(t.there, ", "))
	case notRegistered:
		c.Text = fmt.Sprintf("The list of %s has no version of it.", t.scope.Region)
		if seen {
			c.Text += " Event history shows no deletion: it never was there, or was deleted more than 90 days ago."
		} else {
			c.Class = fault.Unclear
			c.Text += " Whether it ever was there cannot be seen."
		}
	case noWorker:
		c.Class = fault.Inferred
		c.Text = fmt.Sprintf("The type is registered in %s, and its provider has said nothing of the job since %s: likely no worker polls there. No API shows who polls.", t.scope.Region, fault.Stamp(t.State.Changed))
	}
	return c
}

// versions are the registered versions of the same type, behind some words; "" when there are none.
func (t trouble) versions(words string) string {
	if len(t.same) == 0 {
		return ""
	}
	var all []string
	for _, x := range t.same {
		all = append(all, x.Version)
	}
	if strings.HasPrefix(words, " ") {
		words = "." + words
	}
	return words + " the versions " + strings.Join(all, ", ")
}

func (t trouble) evidence() []fault.Evidence {
	got := "not registered"
	if t.cause == noWorker {
		got = "registered"
	}
	all := []fault.Evidence{{Class: fault.Verified, Field: t.Action.TypeName() + " in " + t.scope.Region, Got: got, Want: "registered", Source: t.listed}}
	if t.State.ID != "" {
		class := fault.Verified
		if t.State.Error != "" {
			class = fault.Reported
		}
		e := fault.Ev(class, t.Seen, t.Name(), t.State.Status, "Succeeded")
		if e.Text = t.State.Error; e.Text == "" {
			e.Text = "since " + fault.Stamp(t.State.Changed)
		}
		all = append(all, e)
	}
	if !t.gone.Time.IsZero() {
		e := fault.Ev(fault.Reported, t.gone, t.gone.Name, t.gone.Who.Label(), "")
		e.Text = strings.TrimSpace(fault.Stamp(t.gone.Time) + " " + t.gone.Tool())
		all = append(all, e)
	}
	return all
}
