// Package servicetrouble finds failures that no permission, network path, quota or definition explains: AWS's own trouble, as AWS
// Health reports it or as internal errors suggest it. It never claims an outage that AWS has not reported.
package servicetrouble

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	healthEvent   = "health-event"
	internalError = "internal-error"
)

// Fault is the fault service-trouble.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "service-trouble",
		Doc: fault.Doc{
			Title:   "The service itself fails",
			Symptom: `Actions fail with "Internal Error" or without any reason, in pipelines that nobody changed.`,
			Text: "When neither permissions nor the network nor a quota nor a change explains a failure, the service is left. AWS Health tells accounts with a Business support plan or better; " +
				"for all others the same read made in several ways shows whether the trouble is in the session, in the timing or in the Region.",
			Causes: []fault.CauseDoc{
				{Code: healthEvent, Text: "AWS Health reports trouble with CodePipeline or CodeConnections in this Region.", Evidence: "An open event of AWS Health, and actions that fail with an internal error.", Remedy: "Wait for AWS to close the event, then retry."},
				{Code: internalError, Text: "AWS answered with an internal error.", Evidence: "The action's error text; AWS Health is silent or cannot be read.", Remedy: "Retry once. If it fails again: unjam probe PIPELINE, which also writes the text for a support case."},
			},
			See:      []string{"aws health describe-events --region us-east-1", "unjam probe PIPELINE"},
			Remedy:   "Retry once, then probe.",
			Severity: fault.High, Bucket: fault.Service, Since: "0.2.0",
			Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html", "https://health.aws.amazon.com/health/status"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindHealth},
		Explains: []fault.Code{"source-stale"},
		Diagnose: diagnose,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		fails, state := fault.Fails(s, p)
		j.Need(state)
		for _, c := range fails {
			if !Internal(c.State.ErrorCode, c.State.Error) {
				continue
			}
			q := HealthQuery(p.Ref().Scope)
			j.Help(q)
			j.Findings = append(j.Findings, judge(s, c, q))
			break // one of a pipeline
		}
	}
	return j
}

// HealthQuery asks AWS Health about a Region.
func HealthQuery(scope fact.Scope) fact.Query {
	return fact.Query{Scope: scope.Global(), Kind: fact.KindHealth, ID: scope.Region}
}

// Internal reports whether a failure is AWS's own: an internal error, or a system that was not available. A failed job says the same
// of a missing artifact bucket in another Region, with a text that names the job.
func Internal(code, text string) bool {
	t := strings.ToLower(text)
	switch code {
	case "InternalError", "InternalFailure", "SystemUnavailable", "ServiceUnavailable":
		return true
	}
	for _, w := range []string{"internal error", "internal server error", "internal failure", "service unavailable", "systemunavailable", "unexpected error occurred"} {
		if strings.Contains(t, w) {
			return true
		}
	}
	return false
}

func judge(s *fact.Snapshot, c fault.Current, q fact.Query) fault.Finding {
	p := c.Pipeline
	f := fault.Finding{
		Title: "The service itself fails", Severity: fault.High, Bucket: fault.Service, Subject: fault.PipelineSubject(p), About: p.Ref(),
		Since: fault.Stamp(c.State.Changed), Link: fault.PipelineLink(s.Question(), p), Evidence: []fault.Evidence{c.Evidence()},
		Message: fmt.Sprintf("%s of %s failed with an internal error of AWS.", c.Action.Name, p.Name),
		Remedy:  "Retry the stage once. If it fails again: unjam probe " + p.Name + ", which also writes the text for a support case.",
		Cause:   fault.Cause{Code: internalError, Class: fault.Reported, Text: "AWS answered with an internal error; " + silence(s, q)},
	}
	if !s.Answered(q) {
		f.Cause.Class = fault.Unclear // AWS's word is all there is
	}
	if e := open(s, p.Ref().Scope.Region, c.State.Changed); e != nil {
		f.Cause = fault.Cause{Code: healthEvent, Class: fault.Reported, Text: "AWS Health reports since " + fault.Stamp(e.Start) + ": " + text(*e)}
		ev := fault.Ev(fault.Reported, *e, e.Code, e.Status, "closed")
		ev.Text = text(*e)
		f.Evidence = append(f.Evidence, ev)
		f.Remedy = "Wait until AWS closes the event, then retry the stage."
	}
	return f
}

// silence says what AWS Health had to say when it reported nothing that explains the failure.
func silence(s *fact.Snapshot, q fact.Query) string {
	if s.Answered(q) {
		return "AWS Health reports nothing for this Region."
	}
	if g, ok := s.GapOf(q); ok {
		return "AWS Health cannot be asked: " + g.Why
	}
	return "AWS Health was not asked."
}

// slack is how long before its reported start and after its end an event may explain a failure.
const slack = 2 * time.Hour

// open is an event of the Region that was open around the failure.
func open(s *fact.Snapshot, region string, at time.Time) *fact.HealthEvent {
	for e := range fact.All[fact.HealthEvent](s) {
		if e.Region != region && e.Region != "global" && e.Region != "" {
			continue
		}
		if at.Before(e.Start.Add(-slack)) || (!e.End.IsZero() && at.After(e.End.Add(slack))) || e.Category != "issue" {
			continue
		}
		return &e
	}
	return nil
}

func text(e fact.HealthEvent) string {
	if e.Text != "" {
		return strings.Join(strings.Fields(e.Text), " ")
	}
	return e.Code
}
