package connectionerror

import (
	"fmt"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// patience is how long a plan waits for the provider: long enough for a weekend.
const patience = 72 * time.Hour

// draft waits for the connection, which a person at the provider brings back, and has the pipelines run again; or points the pipelines at
// another connection where that is wished.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	c, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, f.Subject.ARN))
	if !ok || f.Cause.Code == hostBroken { // the host's finding says what to do
		return plan.Draft{}
	}
	r := fault.Reuse{Connection: c, Code: f.Code, Alternatives: f.Details.Alternatives, Options: o}
	other, why := r.Draft(s)
	switch wished := o.Strategy == plan.Reuse || o.Reuse != ""; {
	case wished && why != "":
		return plan.Draft{Notes: []string{fmt.Sprintf("Not planned with another connection in place of %s: %s.", c.Name, why)}}
	case wished:
		return other
	}
	d := wait(s, f, c, o)
	if why == "" {
		d.Notes = append(d.Notes, "If nobody can restore it: --strategy reuse points the pipelines at "+r.Label(s)+" instead.")
	}
	return d
}

func wait(s *fact.Snapshot, f fault.Finding, c fact.Connection, o plan.Options) plan.Draft {
	ref := c.Ref()
	status := []plan.Check{{Ref: ref, Field: "status", Op: plan.Is, Value: fact.StatusAvailable}}
	a, _ := fact.ParseARN(c.ARN)
	id := "restore-" + f.Subject.Name
	d := plan.Draft{Steps: []plan.Step{{
		ID: id, Title: fmt.Sprintf("restore what %s needs at %s", c.Name, c.Provider), Kind: plan.Human, Target: ref,
		Say: &plan.Guide{
			Link: f.Link, Where: fmt.Sprintf("account %s, Region %s", a.Account, a.Region), Role: "an administrator at " + c.Provider + "; nobody in AWS is needed",
			Checklist: checklist(f, c),
		},
		SkipWhen: status, DoneWhen: status, FailWhen: []plan.Check{{Ref: ref, Op: plan.Absent}}, Patience: patience,
		OneWay: "what is granted at " + c.Provider + " can only be taken back there",
	}, {
		ID: "verify-" + f.Subject.Name, Title: "the diagnosis again: " + c.Name + " works", Kind: plan.Verify, Target: ref, After: []string{id},
		Verdict: string(f.Code), Patience: 5 * time.Minute,
	}}}
	for _, p := range fault.Known(s, c.ARN) {
		d.Steps[0].Blast = append(d.Steps[0].Blast, plan.Effect{What: p.Name + " can fetch again from then on, and pushes may start it"})
	}
	steps, notes := fault.Restart{Connection: c.ARN, After: id, Options: o}.Steps(s)
	d.Steps, d.Notes = append(d.Steps, steps...), append(d.Notes, notes...)
	return d
}

func checklist(f fault.Finding, c fact.Connection) []string {
	look := "Look at the list of installed or authorised apps of the organisation at " + c.Provider + ": AWS's app must be there, not suspended, with access to the repositories."
	if c.Provider == "Bitbucket" {
		look = "At Bitbucket open the workspace's settings, Installed apps: AWS's app must be there, and whoever installed it must still be an administrator of the workspace."
	}
	all := []string{look, "Look at the status page of " + c.Provider + "."}
	if f.Cause.Code == providerTrouble {
		all = []string{all[1], all[0]}
	}
	return append(all, "Then wait: AWS tries a connection in ERROR again by itself. This plan goes on when it is AVAILABLE.",
		"If it does not come back, make a new connection, complete its handshake, and plan with --reuse and its ARN.")
}
