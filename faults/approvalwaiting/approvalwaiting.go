// Package approvalwaiting finds manual approvals that wait for a person: since when, until when, who was told, what is asked.
// It never approves or rejects, and never calls an approval wrong that somebody has decided.
package approvalwaiting

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	ranOut     = "ran-out"
	runningOut = "running-out"
	nobodyTold = "nobody-told"
	waitsLong  = "waits-long"
	justAsked  = "just-asked"
)

// aDay is how long an approval may wait until it looks forgotten, and how much of its time left is little.
const aDay = 24 * time.Hour

// Fault is the fault approval-waiting.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code:     "approval-waiting",
		Doc:      doc(),
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindEvent},
		Explains: []fault.Code{"execution-queued"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		open, state := pending(s, p)
		j.Need(state)
		c, over := expired(s, p)
		switch {
		case len(open) > 0:
			f := wait(s, open)
			if over {
				f.Evidence = append(f.Evidence, c.Evidence())
				f.Message += fmt.Sprintf(" %s failed as its time was over.", c.Action.Name)
			}
			j.Findings = append(j.Findings, f)
		case over:
			j.Findings = append(j.Findings, ended(s, c))
		}
		if len(open) > 0 || over {
			j.Help(decisions(p))
		}
	}
	return j
}

// pending are the approvals of a pipeline that wait, the one that has waited longest first.
func pending(s *fact.Snapshot, p fact.Pipeline) ([]fault.Current, fact.Query) {
	running, state := fault.Running(s, p)
	open := slices.DeleteFunc(running, func(c fault.Current) bool { return c.Action.Category != "Approval" })
	slices.SortStableFunc(open, func(a, b fault.Current) int { return a.State.Changed.Compare(b.State.Changed) })
	return open, state
}

// expired is the approval of a pipeline whose time ran out, if its run ended there.
func expired(s *fact.Snapshot, p fact.Pipeline) (fault.Current, bool) {
	fails, _ := fault.Fails(s, p)
	for _, c := range fails {
		if c.Action.Category == "Approval" && fault.TimedOut(c.State.ErrorCode+" "+c.State.Error) {
			return c, true
		}
	}
	return fault.Current{}, false
}

// decisions asks who has decided about approvals before.
func decisions(p fact.Pipeline) fact.Query {
	return fact.Query{Scope: p.Ref().Scope, Kind: fact.KindEvent, ID: "PutApprovalResult"}
}

// wait is the finding of approvals that wait; the first one decides.
func wait(s *fact.Snapshot, open []fault.Current) fault.Finding {
	c := open[0]
	clock := fault.ClockOf(c)
	used, left := s.At().Sub(clock.Started), clock.Ends.Sub(s.At())
	f := finding(s, c)
	f.Severity = fault.Low
	if used >= aDay {
		f.Severity = fault.Medium
	}
	f.Message = fmt.Sprintf("%s of %s has waited for a person for %s; unanswered it fails at %s (%s).", c.Action.Name, c.Pipeline.Name, fault.Span(used), fault.Stamp(clock.Ends), clock.Name)
	if n := behind(c); n > 0 {
		f.Message += fmt.Sprintf(" %s before it: an answer is about the older one.", more(n))
	}
	f.Remedy = fmt.Sprintf("Somebody who may %s answers it in the console, stage %s: unjam never does. Until %s.", action, c.Stage.Name, fault.Stamp(clock.Ends))
	switch {
	case left < 0:
		f.Severity = fault.Medium
		f.Cause = fault.Cause{Code: waitsLong, Class: fault.Verified, Text: fmt.Sprintf("Asked at %s; its default limit of %s is over, so a longer one applies here.", fault.Stamp(clock.Started), clock.Name)}
	case left < min(aDay, clock.Limit/4):
		f.Severity = fault.Medium
		f.Cause = fault.Cause{Code: runningOut, Class: fault.Inferred, Text: fmt.Sprintf("Asked at %s, and %s are left of %s: then the stage fails.", fault.Stamp(clock.Started), fault.Span(left), clock.Name)}
	case c.Action.Topic == "":
		f.Cause = fault.Cause{Code: nobodyTold, Class: fault.Inferred, Text: "The action names no SNS topic: unless a notification rule or somebody else told them, whoever must answer does not know."}
	case used >= aDay:
		f.Cause = fault.Cause{Code: waitsLong, Class: fault.Verified, Text: fmt.Sprintf("Asked at %s, told to %s, and nobody has answered.", fault.Stamp(clock.Started), c.Action.Topic)}
	default:
		f.Cause = fault.Cause{Code: justAsked, Class: fault.Verified, Text: fmt.Sprintf("Asked at %s, told to %s.", fault.Stamp(clock.Started), c.Action.Topic)}
	}
	for _, x := range open {
		e := fault.Ev(fault.Verified, x.Seen, x.Name(), x.State.Status, "Succeeded")
		e.Text = "since " + fault.Stamp(x.State.Changed)
		f.Evidence = append(f.Evidence, e)
	}
	f.Evidence = append(f.Evidence, configured(c), queue(c))
	f.Evidence = slices.DeleteFunc(f.Evidence, func(e fault.Evidence) bool { return e.Field == "" })
	decided(s, c, &f)
	return f
}

// ended is the finding of an approval whose time ran out.
func ended(s *fact.Snapshot, c fault.Current) fault.Finding {
	_, limit := fault.TimeLimit(c.Action)
	f := finding(s, c)
	f.Severity = fault.Medium
	f.Cause = fault.Cause{Code: ranOut, Class: fault.Reported, Text: "Nobody answered in time; the limit is " + limit + "."}
	if c.Action.Topic == "" {
		f.Cause.Text += " The action names no SNS topic that would have told anybody."
	}
	f.Message = fmt.Sprintf("Nobody answered %s of %s in time: %s", c.Action.Name, c.Pipeline.Name, strings.Join(strings.Fields(c.State.Error), " "))
	f.Remedy = fmt.Sprintf("Find out who must answer, then retry stage %s: it asks anew, with the same revision.", c.Stage.Name)
	f.Evidence = []fault.Evidence{c.Evidence(), configured(c)}
	decided(s, c, &f)
	return f
}

func finding(s *fact.Snapshot, c fault.Current) fault.Finding {
	f := fault.Finding{
		Title: doc().Title, Bucket: fault.Person, Subject: fault.PipelineSubject(c.Pipeline), About: c.Pipeline.Ref(),
		Since: fault.Stamp(c.State.Changed), Link: fault.PipelineLink(s.Question(), c.Pipeline),
	}
	f.Details.More = map[string]string{"stage": c.Stage.Name, "action": c.Action.Name}
	st, _ := c.Seen.Stage(c.Stage.Name)
	for k, v := range map[string]string{"run": st.Execution, "topic": c.Action.Topic, "asked": c.Action.CustomData, "review": c.Action.ReviewLink} {
		if v != "" {
			f.Details.More[k] = v
		}
	}
	return f
}

// configured is what the definition says of who is told and what is asked.
func configured(c fault.Current) fault.Evidence {
	e := fault.Ev(fault.Verified, c.Pipeline, c.Name()+"/NotificationArn", c.Action.Topic, "")
	if e.Got == "" {
		e.Got = "none"
	}
	e.Text = strings.Join(strings.Fields(c.Action.CustomData+" "+c.Action.ReviewLink), " ")
	return e
}

// behind counts the runs that wait before the stage of an approval.
func behind(c fault.Current) int {
	st, _ := c.Seen.Stage(c.Stage.Name)
	return len(st.Waiting)
}

// queue is the evidence of runs that wait behind the approval; without a field when there are none.
func queue(c fault.Current) fault.Evidence {
	st, _ := c.Seen.Stage(c.Stage.Name)
	if len(st.Waiting) == 0 {
		return fault.Evidence{}
	}
	return fault.Ev(fault.Verified, c.Seen, c.Pipeline.Name+"/"+c.Stage.Name+"/inboundExecutions", strings.Join(st.Waiting, ","), "")
}

func more(n int) string {
	if n == 1 {
		return "A newer run waits"
	}
	return fault.Plural(n, "newer run") + " wait"
}

// decided adds who has answered approvals of the pipeline before: they may be the ones to ask.
func decided(s *fact.Snapshot, c fault.Current, f *fault.Finding) {
	var who []string
	var newest fact.Event
	for e := range fact.All[fact.Event](s) {
		if e.Name != "PutApprovalResult" || e.ErrorCode != "" || e.Pipeline != c.Pipeline.Name || e.Region != c.Pipeline.Ref().Scope.Region {
			continue
		}
		if l := e.Who.Label(); !slices.Contains(who, l) {
			who = append(who, l)
		}
		if e.Time.After(newest.Time) {
			newest = e
		}
	}
	if len(who) == 0 {
		return
	}
	slices.Sort(who)
	f.Details.More["answeredBefore"] = strings.Join(who, ", ")
	e := fault.Ev(fault.Reported, newest, newest.Name, newest.Who.Label(), "")
	e.Text = "answered last, at " + fault.Stamp(newest.Time)
	f.Evidence = append(f.Evidence, e)
}
