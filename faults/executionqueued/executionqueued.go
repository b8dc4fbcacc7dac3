// Package executionqueued finds runs that wait before a stage that is held: by another run, an approval, a closed transition.
// It never calls a short wait behind a working stage a fault, and leaves the limit of runs to quota-reached.
package executionqueued

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	behindTransition = "behind-transition"
	behindApproval   = "behind-approval"
	behindStopping   = "behind-stopping"
	behindRunning    = "behind-running"
	nothingHolds     = "nothing-holds-it"
)

const (
	// maxActive is how many runs a pipeline in the mode QUEUED may have at once (docs/aws-facts.md, "Quotas").
	maxActive = 50
	// working is how long an action of a stage may run until runs behind it count as stuck: most time limits begin at an hour.
	working = time.Hour
	// settled is how long a run must stand before a free stage until that is a fault: reads lag behind what happens.
	settled = 15 * time.Minute
)

// Fault is the fault execution-queued. What holds the runs has findings of its own, which explain it: transition-disabled, approval-waiting,
// action-timeout.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code:     "execution-queued",
		Doc:      doc(),
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindExecution},
		Diagnose: diagnose,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		gates, state := fault.Gates(s, p)
		j.Need(state)
		var all []fault.Finding
		for _, g := range gates {
			if len(g.State.Waiting) > 0 {
				j.Help(fault.ExecutionsQuery(p.Ref().Scope, p.Name)) // since when they wait
			}
			if f, is := queue(s, g); is {
				all = append(all, f)
			}
		}
		if len(all) > 0 {
			j.Findings = append(j.Findings, worst(all)) // one of a pipeline
		}
	}
	return j
}

// worst is the finding with the highest severity, of equal ones the first; it takes the evidence of the others with it.
func worst(all []fault.Finding) fault.Finding {
	w := all[0]
	for _, f := range all[1:] {
		if f.Severity.Rank() < w.Severity.Rank() {
			w, f = f, w
		}
		w.Evidence = append(w.Evidence, f.Evidence...)
	}
	return w
}

// queue is the finding of runs that wait before one stage.
func queue(s *fact.Snapshot, g fault.Gate) (fault.Finding, bool) {
	n := len(g.State.Waiting)
	if n == 0 {
		return fault.Finding{}, false
	}
	f := finding(s, g)
	since := oldest(s, g)
	f.Since = fault.Stamp(since)
	what, ok := holder(s, g, since, &f)
	if !ok {
		return f, false
	}
	f.Message = fmt.Sprintf("%s before stage %s of %s%s: %s.%s", waiting(n), g.Stage(), g.Pipeline.Name, long(s, since), what, rule(g))
	return f, true
}

// holder says what holds the runs before a stage, and sets the cause; false when nothing is wrong with it.
func holder(s *fact.Snapshot, g fault.Gate, since time.Time, f *fault.Finding) (string, bool) {
	if !g.State.TransitionEnabled {
		f.Bucket = fault.Person
		f.Cause = fault.Cause{Code: behindTransition, Class: fault.Verified, Text: fmt.Sprintf("%s disabled the transition into the stage, saying %q.", g.State.DisabledBy, g.State.DisabledReason)}
		f.Remedy = "Whoever closed the stage decides when it opens: unjam explain transition-disabled."
		return "the stage is closed", true
	}
	for _, c := range g.Running {
		if c.Action.Category == "Approval" {
			f.Bucket = fault.Person
			f.Cause = fault.Cause{Code: behindApproval, Class: fault.Verified, Text: fmt.Sprintf("The stage is held by run %s, whose approval %s waits for an answer since %s.", g.State.Execution, c.Action.Name, fault.Stamp(c.State.Changed))}
			f.Remedy = "Answer the approval: unjam explain approval-waiting."
			f.Evidence = append(f.Evidence, running(c))
			return fmt.Sprintf("%s waits for an answer", c.Action.Name), true
		}
	}
	if len(g.Running) > 0 {
		return behindAction(s, g, f)
	}
	if since.IsZero() || s.At().Sub(since) < settled {
		return "", false
	}
	f.Severity, f.Bucket = fault.Medium, fault.Service
	f.Cause = fault.Cause{Code: nothingHolds, Class: fault.Unclear, Text: fmt.Sprintf("The stage is open, and nothing in it runs: its last run is %s and %s.", g.State.Execution, g.State.Status)}
	f.Remedy = "Look again in some minutes. If it stays so: retry the stage, or stop the run that waits and start it again."
	return "nothing in the stage runs, and it is open", true
}

// behindAction is the queue behind actions that run; one that has worked for less than an hour is no fault.
func behindAction(s *fact.Snapshot, g fault.Gate, f *fault.Finding) (string, bool) {
	c := g.Running[0]
	for _, x := range g.Running[1:] {
		if x.State.Changed.Before(c.State.Changed) {
			c = x
		}
	}
	clock := fault.ClockOf(c)
	used := s.At().Sub(clock.Started)
	if used < working {
		return "", false
	}
	f.Cause = fault.Cause{Code: behindRunning, Class: fault.Verified, Text: fmt.Sprintf("The stage is held by run %s, whose action %s runs since %s; it fails at %s at the latest (%s).",
		g.State.Execution, c.Action.Name, fault.Stamp(clock.Started), fault.Stamp(clock.Ends), clock.Name)}
	f.Remedy = fmt.Sprintf("Look at what %s does. If nobody needs its run: aws codepipeline stop-pipeline-execution --pipeline-name %s --pipeline-execution-id %s", c.Action.Name, g.Pipeline.Name, g.State.Execution)
	f.Evidence = append(f.Evidence, running(c))
	if g.State.Status == "Stopping" {
		f.Cause.Code = behindStopping
		f.Cause.Text = fmt.Sprintf("Run %s was told to stop and wait: it holds the stage until %s ends by itself, at %s at the latest (%s).", g.State.Execution, c.Action.Name, fault.Stamp(clock.Ends), clock.Name)
		f.Remedy += " --abandon, which leaves half-done what it does"
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, g.Seen, g.Name()+"/latestExecution.status", g.State.Status, ""))
		return fmt.Sprintf("the run in it is stopping, and %s has been running for %s", c.Action.Name, fault.Span(used)), true
	}
	return fmt.Sprintf("%s has been running for %s", c.Action.Name, fault.Span(used)), true
}

func finding(s *fact.Snapshot, g fault.Gate) fault.Finding {
	p := g.Pipeline
	f := fault.Finding{
		Title: doc().Title, Severity: fault.Low, Bucket: fault.Configuration, Subject: fault.PipelineSubject(p), About: p.Ref(), Link: fault.PipelineLink(s.Question(), p),
		Evidence: []fault.Evidence{fault.Ev(fault.Verified, g.Seen, g.Name()+"/inboundExecutions", strings.Join(g.State.Waiting, ","), "")},
	}
	f.Details.More = map[string]string{"mode": p.Mode, "stage": g.Stage(), "runs": strings.Join(g.State.Waiting, ",")}
	return f
}

// running is an action that runs, as evidence.
func running(c fault.Current) fault.Evidence {
	e := fault.Ev(fault.Verified, c.Seen, c.Name(), c.State.Status, "")
	e.Text = "since " + fault.Stamp(c.State.Changed)
	return e
}

// oldest is since when the first of the runs before a stage waits; zero when that was not read.
func oldest(s *fact.Snapshot, g fault.Gate) time.Time {
	var since time.Time
	for _, run := range g.State.Waiting {
		if at := g.Arrived(s, run); !at.IsZero() && (since.IsZero() || at.Before(since)) {
			since = at
		}
	}
	return since
}

// rule is what the mode does with runs that wait.
func rule(g fault.Gate) string {
	switch g.Pipeline.Mode {
	case "QUEUED":
		return fmt.Sprintf(" They go on in their order; %d runs at most may be active.", maxActive)
	case "SUPERSEDED":
		return " A newer run that comes there takes its place."
	}
	return ""
}

func waiting(n int) string {
	if n == 1 {
		return "1 run waits"
	}
	return fault.Plural(n, "run") + " wait"
}

func long(s *fact.Snapshot, since time.Time) string {
	if since.IsZero() {
		return ""
	}
	return " for " + fault.Span(s.At().Sub(since))
}
