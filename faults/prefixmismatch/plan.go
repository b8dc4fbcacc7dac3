package prefixmismatch

import (
	"fmt"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// dead judges an ARN that no connection has: one that exists under the other prefix is a slip of the pen.
func dead(s *fact.Snapshot, j *fault.Judgement, arn string) {
	j.Need(fault.ConnectionsQuery(s.Question()))
	twin, known := fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, twinOf(arn)))
	gone, absent := s.Absence(fact.ConnectionRef(s.Question().Account, arn))
	if !known || !absent {
		return
	}
	users, asks := fault.Users(s, arn)
	j.Help(asks...)
	f := fault.Finding{
		Title: "Definition names the connection under the wrong service prefix", Severity: fault.High, Bucket: fault.Configuration,
		Subject: fault.ConnectionSubject(arn, twin.Name), About: fact.ConnectionRef(s.Question().Account, arn),
		Evidence: append([]fault.Evidence{fault.Ev(fault.Verified, gone, "GetConnection", "ResourceNotFoundException", "a connection"),
			fault.Ev(fault.Verified, twin, "Connections[].ConnectionArn", twin.ARN, arn)}, declared(s, twin.ARN)...),
		Cause:   fault.Cause{Code: wrongARN, Class: fault.Inferred, Text: fmt.Sprintf("The same id exists under the other service prefix, as %q: %s.", twin.Name, twin.ARN)},
		Remedy:  "Write the ARN as " + twin.ARN + ", in the pipeline and in whatever deploys it, then start the pipeline.",
		Message: fmt.Sprintf("%s the connection %q by an ARN with the wrong service prefix.", namers(len(users)), twin.Name),
	}
	f.Details.Alternatives = []string{twin.ARN}
	for _, p := range users {
		f.Affects = append(f.Affects, fault.PipelineSubject(p))
		j.Help(append(fault.UpdateAsks(p), fault.StateQuery(p.Ref().Scope, p.Name))...)
	}
	j.Findings = append(j.Findings, f)
}

func namers(n int) string {
	if n == 1 {
		return "One pipeline names"
	}
	return fault.Plural(n, "pipeline") + " name"
}

// draft lets the role use the connection under both prefixes and has the stage run again, or corrects the ARN in the definitions.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	if f.Cause.Code == wrongARN {
		return correct(s, f, o)
	}
	return fault.AllowUse(s, f, o)
}

// correct points the pipelines at the connection's own ARN.
func correct(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	dead, now := f.Subject.ARN, f.Details.Alternatives[0]
	var d plan.Draft
	var missed []string
	updated := map[string]string{}
	for _, p := range fault.Known(s, dead) {
		step, lost := fault.Repoint(s, p, dead, now)
		d.Steps, missed, updated[p.ARN] = append(d.Steps, step), append(missed, lost...), step.ID
		d.Notes = append(d.Notes, "Whatever deploys the definition of "+p.Name+" (CloudFormation, CDK, Terraform) puts the wrong ARN back at its next deployment: correct it there too.")
	}
	steps, notes := fault.Restart{Connection: dead, Updated: updated, Options: o}.Steps(s)
	d.Steps, d.Notes = append(d.Steps, steps...), append(d.Notes, notes...)
	if note := fault.NotSeen(missed); note != "" {
		d.Notes = append(d.Notes, note)
	}
	if len(d.Steps) > 0 {
		last := d.Steps[len(d.Steps)-1].ID
		d.Steps = append(d.Steps, plan.Step{ID: "verify-" + last, Title: "the diagnosis again: no pipeline names the wrong ARN", Kind: plan.Verify, Target: f.About,
			After: []string{last}, Verdict: "prefix-mismatch", Patience: 5 * time.Minute})
	}
	return d
}
