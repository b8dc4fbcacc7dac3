// Package actionfailed is the last word on a failed action: whatever no other fault explains is said as AWS says it, so that a red pipeline
// is never called fine. It claims no cause of its own.
package actionfailed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	ownFailure = "own-failure"
	noReason   = "no-reason-given"
)

// Fault is the fault action-failed. The driver drops its findings where others show the same failures as evidence.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "action-failed",
		Doc: fault.Doc{
			Title:   "Action failed for a reason of its own",
			Symptom: "A stage is red.",
			Text: "The action ran and failed: a build that does not compile, a test, a deployment that was rolled back. None of the other faults explains it, so nothing about the pipeline " +
				"itself is known to be wrong; what AWS says is shown, with what changed since it last worked.",
			Causes: []fault.CauseDoc{
				{Code: ownFailure, Text: "What the action did failed.", Evidence: "AWS's text.", Remedy: "Read the text and the action's own log, mend it, then retry the stage."},
				{Code: noReason, Text: "AWS gives no reason.", Evidence: "The action's state.", Remedy: "Look at the action's own log; unjam probe tells whether the service is the trouble."},
			},
			See:      []string{"aws codepipeline get-pipeline-state --name PIPELINE", "aws codepipeline list-action-executions --pipeline-name PIPELINE"},
			Remedy:   "Read the text and the action's own log, mend it, then retry the stage.",
			Severity: fault.Medium, Bucket: fault.Configuration, Since: "0.2.0",
			Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection},
		Rest:     true,
		Diagnose: diagnose,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		fails, state := fault.Fails(s, p)
		j.Need(state)
		fails = slices.DeleteFunc(fails, func(c fault.Current) bool { return others(c) })
		if len(fails) == 0 {
			continue
		}
		c := fails[0]
		f := fault.Finding{
			Title: "Action failed for a reason of its own", Severity: fault.Medium, Bucket: fault.Configuration, Subject: fault.PipelineSubject(p), About: p.Ref(),
			Since: fault.Stamp(c.State.Changed), Link: fault.PipelineLink(s.Question(), p), Evidence: []fault.Evidence{c.Evidence()},
			Message: fmt.Sprintf("%s of %s failed, and none of the known faults explains it.", c.Action.Name, p.Name),
			Cause:   fault.Cause{Code: ownFailure, Class: fault.Reported, Text: "AWS says: " + strings.Join(strings.Fields(c.State.Error), " ")},
			Remedy:  "Read AWS's text and the action's own log, mend it, then retry the stage.",
		}
		if c.State.Error == "" {
			f.Cause = fault.Cause{Code: noReason, Class: fault.Unclear, Text: "AWS gives no reason."}
			f.Remedy = "Look at the action's own log; unjam probe " + p.Name + " tells whether the service is the trouble."
		}
		for _, more := range fails[1:] {
			f.Evidence = append(f.Evidence, more.Evidence())
		}
		j.Findings = append(j.Findings, f)
	}
	return j
}

// others reports whether a failed action is a source on a connection that the faults of connections answer for: they know its texts, and
// are unknown where they cannot see.
func others(c fault.Current) bool {
	return c.Action.Uses(c.Action.Connection) && fault.Read(c.State.Error) != fault.SignatureRole
}
