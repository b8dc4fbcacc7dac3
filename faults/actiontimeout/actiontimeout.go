// Package actiontimeout finds actions that run against the clock: which limit ends them, and when, and those it has ended.
// It never calls an action stuck that has most of its time left, and leaves approvals to approval-waiting.
package actiontimeout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	runningOut = "running-out"
	ranOut     = "ran-out"
)

// Fault is the fault action-timeout.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "action-timeout",
		Doc: fault.Doc{
			Title:   "Action runs against the clock",
			Symptom: "A stage has been InProgress for hours, or failed with a time-out.",
			Text: "CodePipeline fails an action that runs longer than the limit of its kind: an hour for most, 36 hours for CodeBuild, 3 days for CloudFormation, 5 days for CodeDeploy. " +
				"Until then nothing moves and nothing says so.",
			Causes: []fault.CauseDoc{
				{Code: runningOut, Text: "It has used more than half of its time.", Evidence: "The action's state and the limit of its kind.", Remedy: "Look at what it waits for; stop the run if nobody needs it."},
				{Code: ranOut, Text: "Its time ran out.", Evidence: "The action's error text.", Remedy: "Mend what it waited for, then retry the stage."},
			},
			See:      []string{"aws codepipeline get-pipeline-state --name PIPELINE"},
			Remedy:   "Look at what the action waits for.",
			Severity: fault.Low, Bucket: fault.Quota, Since: "0.2.0",
			Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState},
		Explains: []fault.Code{"execution-queued"},
		Diagnose: diagnose,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		running, state := fault.Running(s, p)
		j.Need(state)
		var all []fault.Finding
		for _, c := range slices.DeleteFunc(running, approval) {
			if f, is := late(s, c); is {
				all = append(all, f)
			}
		}
		fails, _ := fault.Fails(s, p)
		for _, c := range slices.DeleteFunc(fails, approval) {
			if fault.TimedOut(c.State.ErrorCode + " " + c.State.Error) {
				all = append(all, ended(s, c))
			}
		}
		if len(all) > 0 {
			j.Findings = append(j.Findings, all[0]) // one of a pipeline: what it waits for comes first
		}
	}
	return j
}

// approval reports whether an action waits for a person and not for a machine: approval-waiting names those.
func approval(c fault.Current) bool { return c.Action.Category == "Approval" }

// late is the finding of an action that has used more than half of its time.
func late(s *fact.Snapshot, c fault.Current) (fault.Finding, bool) {
	clock := fault.ClockOf(c)
	used := s.At().Sub(clock.Started)
	if clock.Started.IsZero() || used < clock.Limit/2 {
		return fault.Finding{}, false
	}
	f := finding(s, c)
	f.Severity = fault.Low
	f.Cause = fault.Cause{Code: runningOut, Class: fault.Inferred,
		Text: fmt.Sprintf("It began at %s and its limit is %s: CodePipeline fails it at %s.", fault.Stamp(clock.Started), clock.Name, fault.Stamp(clock.Ends))}
	if clock.Ends.Before(s.At()) {
		f.Cause.Text = fmt.Sprintf("It began at %s; the default limit of %s is over, so a longer one applies here.", fault.Stamp(clock.Started), clock.Name)
	}
	f.Evidence = []fault.Evidence{fault.Ev(fault.Verified, c.Seen, c.Name(), c.State.Status, "")}
	f.Evidence[0].Text = "since " + fault.Stamp(clock.Started)
	f.Message = fmt.Sprintf("%s of %s has been running for %s of at most %s.", c.Action.Name, c.Pipeline.Name, fault.Span(used), fault.Span(clock.Limit))
	f.Remedy = "Look at what it waits for. Stop the run if nobody needs it: aws codepipeline stop-pipeline-execution."
	return f, true
}

// ended is the finding of an action whose time ran out.
func ended(s *fact.Snapshot, c fault.Current) fault.Finding {
	_, name := fault.TimeLimit(c.Action)
	f := finding(s, c)
	f.Severity = fault.Medium
	f.Cause = fault.Cause{Code: ranOut, Class: fault.Reported, Text: "Its time ran out; the limit is " + name + "."}
	f.Evidence = []fault.Evidence{c.Evidence()}
	f.Message = fmt.Sprintf("%s of %s ran out of its time: %s", c.Action.Name, c.Pipeline.Name, strings.Join(strings.Fields(c.State.Error), " "))
	f.Remedy = "Mend what it waited for, then retry the stage."
	return f
}

func finding(s *fact.Snapshot, c fault.Current) fault.Finding {
	return fault.Finding{
		Title: "Action runs against the clock", Bucket: fault.Quota, Subject: fault.PipelineSubject(c.Pipeline), About: c.Pipeline.Ref(),
		Since: fault.Stamp(c.State.Changed), Link: fault.PipelineLink(s.Question(), c.Pipeline),
	}
}
