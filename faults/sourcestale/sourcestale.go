// Package sourcestale finds pipelines whose source failed on a connection that is AVAILABLE by now: only a retry is missing.
// It never calls a failure stale whose text names another cause.
package sourcestale

import (
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// The causes.
const (
	completedLater = "connection-completed-later"
	retryWanted    = "retry-wanted"
)

// Fault is the fault source-stale.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "source-stale",
		Doc: fault.Doc{
			Title:   "Source failed on a connection that works by now",
			Symptom: "The Source stage shows a failure, the connection shows AVAILABLE, and nothing moves.",
			Text: "A failed source action is not tried again by itself when its connection becomes AVAILABLE. Somebody has to retry the stage or start the pipeline; " +
				"the next push does it as well, if the pipeline reacts to pushes.",
			Causes: []fault.CauseDoc{
				{Code: completedLater, Text: "The connection became AVAILABLE after the run had failed: its handshake was completed, or it recovered.", Evidence: "The action's error says that the connection was not available, or CloudTrail shows the handshake's last step after the failure.", Remedy: "Retry the Source stage."},
				{Code: retryWanted, Text: "The connection is AVAILABLE and the failure names no other cause.", Evidence: "Status and failed action. Inferred: a passing outage looks the same.", Remedy: "Retry the Source stage; if it fails again, its new text tells why."},
			},
			See:      []string{"aws codepipeline get-pipeline-state --name PIPELINE"},
			Remedy:   "Retry the failed Source stage.",
			Severity: fault.Medium, Bucket: fault.Person, Since: "0.1.0",
			Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-retry.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindEvent},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		for _, a := range p.Sources {
			c, known, absent, settles := fault.Connection(s, a.Connection)
			j.Need(settles)
			if absent || !known || c.Status != fact.StatusAvailable {
				continue
			}
			j.Need(fault.StateQuery(p.Ref().Scope, p.Name))
			for _, src := range fault.Sources(s, p, a.Connection) {
				sig := fault.Read(src.State.Error)
				if src.Action.Name != a.Name || !src.Failed() || (sig != fault.SignatureNone && sig != fault.SignatureNotAvailable) {
					continue
				}
				j.Need(fault.ConnectionQuery(s.Question().Account, c.ARN)) // what decides is read twice, from the owning Region
				f, ask := judge(s, src, c)
				j.Findings = append(j.Findings, f)
				j.Help(ask...)
			}
		}
	}
	return j
}

func judge(s *fact.Snapshot, src fault.Source, c fact.Connection) (fault.Finding, []fact.Query) {
	p := src.Pipeline
	said := fault.Ev(fault.Reported, src.Seen, p.Name+"/"+src.Stage.Name+"/"+src.Action.Name, src.State.Status, "Succeeded")
	said.Text = src.State.Error
	f := fault.Finding{
		Title: "Source failed on a connection that works by now", Severity: fault.Medium, Bucket: fault.Person,
		Subject: fault.PipelineSubject(p), About: p.Ref(), Since: fault.Stamp(src.State.Changed),
		Affects:  []fault.Subject{fault.ConnectionSubject(c.ARN, c.Name)},
		Evidence: []fault.Evidence{said, fault.Ev(fault.Verified, c, "ConnectionStatus", c.Status, fact.StatusAvailable)},
		Link:     fault.PipelineLink(s.Question(), p),
		Remedy:   "Retry the failed Source stage: unjam fix " + p.Name,
		Message:  fmt.Sprintf("The source of %s failed, its connection %q is AVAILABLE by now: it only wants a retry.", p.Name, c.Name),
		Cause:    fault.Cause{Code: retryWanted, Class: fault.Inferred, Text: "The connection is AVAILABLE and the failure names no other cause."},
	}
	f.Details.More = map[string]string{"connection": c.ARN}
	if fault.Read(src.State.Error) == fault.SignatureNotAvailable {
		f.Cause = fault.Cause{Code: completedLater, Class: fault.Reported, Text: "The run failed because the connection was not available then; it is now."}
		return f, nil
	}
	var asks []fact.Query
	if a, err := fact.ParseARN(c.ARN); err == nil {
		asks = append(asks, fact.Query{Scope: fact.Scope{Account: s.Question().Account, Region: a.Region}, Kind: fact.KindEvent, ID: "UpdateConnectionInstallation"})
	}
	for e := range fact.All[fact.Event](s) {
		if e.Name == "UpdateConnectionInstallation" && e.Connection == c.ARN && e.ErrorCode == "" && e.Time.After(src.State.Changed) {
			f.Cause = fault.Cause{Code: completedLater, Class: fault.Reported,
				Text: fmt.Sprintf("%s completed the handshake at %s, after the run had failed.", e.Who.Label(), fault.Stamp(e.Time))}
			f.Evidence = append(f.Evidence, fault.Ev(fault.Reported, e, e.Name, e.Who.Label(), ""))
		}
	}
	return f, asks
}

// draft retries or starts the one pipeline.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	r := fault.Restart{Connection: f.Details.More["connection"], Only: []string{f.Subject.ARN}, Options: o}
	steps, notes := r.Steps(s)
	d := plan.Draft{Steps: steps, Notes: notes}
	if i := slices.IndexFunc(steps, func(st plan.Step) bool { return st.Kind == plan.Call && len(st.FailWhen) > 0 }); i >= 0 {
		d.Steps = append(d.Steps, plan.Step{
			ID: "verify-" + steps[i].ID, Title: "the diagnosis again: " + f.Subject.Name + " is no longer stuck", Kind: plan.Verify, Target: f.About,
			After: []string{steps[i].ID}, Verdict: "source-stale", Patience: 5 * time.Minute,
		})
	}
	return d
}
