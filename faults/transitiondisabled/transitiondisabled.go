// Package transitiondisabled finds stages that let no run in because somebody disabled their inbound transition: who, why, and what waits.
// It never calls a closed stage wrong before which nothing waits.
package transitiondisabled

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	heldByUnjam  = "held-by-unjam"
	byAutomation = "disabled-by-automation"
	forgotten    = "forgotten"
	byPerson     = "somebody-disabled"
	nobodyWaits  = "nobody-waits"
)

// tooLong is how long a run may wait before a closed stage until it looks forgotten: a freeze of a night is none.
const tooLong = 24 * time.Hour

// Fault is the fault transition-disabled.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code:     "transition-disabled",
		Doc:      doc(),
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindExecution, fact.KindEvent},
		Explains: []fault.Code{"execution-queued"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		shut, state := closed(s, p)
		j.Need(state)
		held := waiting(shut)
		switch {
		case len(held) > 0:
			f, asks := judge(s, p, held, shut)
			j.Findings = append(j.Findings, f)
			j.Help(asks...)
		case len(shut) > 0 && fault.Targeted(s, p.Name, p.Ref().Scope.Region):
			j.Findings = append(j.Findings, idle(s, p, shut))
		}
	}
	return j
}

// closed are the gates of a pipeline that are disabled.
func closed(s *fact.Snapshot, p fact.Pipeline) ([]fault.Gate, fact.Query) {
	gates, state := fault.Gates(s, p)
	var shut []fault.Gate
	for _, g := range gates {
		if !g.State.TransitionEnabled {
			shut = append(shut, g)
		}
	}
	return shut, state
}

// waiting are the gates before which a run waits.
func waiting(gates []fault.Gate) []fault.Gate {
	var held []fault.Gate
	for _, g := range gates {
		if len(g.State.Waiting) > 0 {
			held = append(held, g)
		}
	}
	return held
}

// judge is the finding of a pipeline with runs before a closed stage; the first such stage decides the cause.
func judge(s *fact.Snapshot, p fact.Pipeline, held, shut []fault.Gate) (fault.Finding, []fact.Query) {
	g := held[0]
	d := readDisabling(s, g)
	f := finding(s, p, g, d, shut)
	since, replaced := waits(s, g)
	f.Message = fmt.Sprintf("%s before stage %s of %s%s: %s disabled the transition%s, saying %q.",
		runs(g), g.Stage(), p.Name, long(s, since), d.who, ago(s, g.State.DisabledAt), g.State.DisabledReason)
	if replaced > 0 {
		f.Message += fmt.Sprintf(" %s meanwhile replaced by newer ones.", fault.Plural(replaced, "run")+was(replaced))
	}
	f.Details.More["run"] = strings.Join(g.State.Waiting, ",")
	late := !since.IsZero() && s.At().Sub(since) > tooLong
	switch {
	case ours(g.State.DisabledReason):
		f.Cause = fault.Cause{Code: heldByUnjam, Class: fault.Verified, Text: heldText(g)}
		f.Severity, f.Remedy = fault.Low, "Look at what waits, then let it in: unjam fix "+p.Name+"."
		if s.At().Sub(g.State.DisabledAt) < tooLong { // it is as somebody wished
			f.Severity, f.Remedy = fault.Info, "Look at what waits, then let it in: "+release(g)+"."
		}
		f.Remedy += " unjam runs names the run that closed it; unjam rollback RUN takes all of that back."
	case d.tool != "":
		f.Cause = fault.Cause{Code: byAutomation, Class: d.class, Text: fmt.Sprintf("%s disabled it%s (%s). What is enabled by hand will be disabled again by its next run.", d.tool, ago(s, g.State.DisabledAt), d.how)}
		f.Remedy = "Take it out of what " + d.tool + " deploys. To let runs in now: unjam fix " + p.Name
	case late || replaced > 0 || len(g.State.Waiting) > 1:
		f.Cause = fault.Cause{Code: forgotten, Class: fault.Inferred, Text: overdue(s, since, replaced, g)}
		f.Remedy = "Ask " + d.who + " whether the reason still holds, then: unjam fix " + p.Name
	default:
		f.Cause = fault.Cause{Code: byPerson, Class: fault.Verified, Text: fmt.Sprintf("%s disabled the transition%s, saying %q.", d.who, ago(s, g.State.DisabledAt), g.State.DisabledReason)}
		f.Remedy = "Ask " + d.who + ", who closed it on purpose. When it may go on: unjam fix " + p.Name
		if !s.Answered(fault.ExecutionsQuery(p.Ref().Scope, p.Name)) && s.At().Sub(g.State.DisabledAt) > tooLong {
			f.Cause.Class = fault.Unclear
			f.Cause.Text += " Whether it was forgotten cannot be told: the runs that it replaced were not read."
		}
	}
	return f, []fact.Query{fault.ExecutionsQuery(p.Ref().Scope, p.Name), d.ask}
}

// release is the command that opens a stage.
func release(g fault.Gate) string {
	return fmt.Sprintf("aws codepipeline enable-stage-transition --region %s --pipeline-name %s --stage-name %s --transition-type Inbound", g.Pipeline.Ref().Scope.Region, g.Pipeline.Name, g.Stage())
}

// idle is told only to those who ask about the pipeline: nothing waits yet.
func idle(s *fact.Snapshot, p fact.Pipeline, shut []fault.Gate) fault.Finding {
	g := shut[0]
	d := readDisabling(s, g)
	f := finding(s, p, g, d, shut)
	f.Severity = fault.Info
	f.Cause = fault.Cause{Code: nobodyWaits, Class: fault.Verified, Text: fmt.Sprintf("%s disabled it%s, saying %q.", d.who, ago(s, g.State.DisabledAt), g.State.DisabledReason)}
	f.Message = fmt.Sprintf("Stage %s of %s lets no run in; nothing waits there yet.", g.Stage(), p.Name)
	f.Remedy = "Nothing now. The next run stops there until the transition is enabled."
	return f
}

func finding(s *fact.Snapshot, p fact.Pipeline, g fault.Gate, d disabling, shut []fault.Gate) fault.Finding {
	f := fault.Finding{
		Title: doc().Title, Severity: fault.Medium, Bucket: fault.Person, Subject: fault.PipelineSubject(p), About: p.Ref(),
		Since: fault.Stamp(g.State.DisabledAt), Link: fault.PipelineLink(s.Question(), p), Evidence: d.evidence,
	}
	f.Details.More = map[string]string{"stage": g.Stage(), "disabledBy": g.State.DisabledBy, "reason": g.State.DisabledReason}
	for _, x := range shut {
		e := fault.Ev(fault.Verified, x.Seen, x.Name()+"/inboundTransitionState.enabled", "false", "true")
		e.Text = fmt.Sprintf("by %s at %s: %s", x.State.DisabledBy, fault.Stamp(x.State.DisabledAt), x.State.DisabledReason)
		f.Evidence = append(f.Evidence, e)
		if len(x.State.Waiting) > 0 {
			f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, x.Seen, x.Name()+"/inboundExecutions", strings.Join(x.State.Waiting, ","), ""))
		}
	}
	return f
}

// waits says since when the longest waiting of the runs stands before the gate, and how many were replaced by newer ones since it was closed.
func waits(s *fact.Snapshot, g fault.Gate) (since time.Time, replaced int) {
	for _, run := range g.State.Waiting {
		if at := g.Arrived(s, run); !at.IsZero() && (since.IsZero() || at.Before(since)) {
			since = at
		}
	}
	if since.Before(g.State.DisabledAt) && !since.IsZero() {
		since = g.State.DisabledAt // before that it waited for something else
	}
	for _, e := range fault.Executions(s, g.Pipeline) {
		if e.Status == "Superseded" && e.Updated.After(g.State.DisabledAt) {
			replaced++
		}
	}
	return since, replaced
}

// overdue says why it looks forgotten.
func overdue(s *fact.Snapshot, since time.Time, replaced int, g fault.Gate) string {
	var why []string
	if at := s.At().Sub(since); !since.IsZero() && at > tooLong {
		why = append(why, "the run waits for "+fault.Span(at))
	}
	if n := len(g.State.Waiting); n > 1 {
		why = append(why, fault.Plural(n, "run")+" wait in a row")
	}
	if replaced > 0 {
		why = append(why, fmt.Sprintf("%s replaced by newer ones", fault.Plural(replaced, "run")+was(replaced)))
	}
	return "Whoever closed it may have forgotten it: " + strings.Join(why, ", ") + "."
}

func runs(g fault.Gate) string {
	if n := len(g.State.Waiting); n > 1 {
		return fault.Plural(n, "run") + " wait"
	}
	return "A run waits"
}

func was(n int) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

func long(s *fact.Snapshot, since time.Time) string {
	if since.IsZero() {
		return ""
	}
	return " for " + fault.Span(s.At().Sub(since))
}

func ago(s *fact.Snapshot, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return " " + fault.Span(s.At().Sub(at)) + " ago"
}
