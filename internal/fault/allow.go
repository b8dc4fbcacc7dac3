package fault

import (
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
)

// clonePatience is how long a build that clones may take to come through after a retry.
const clonePatience = time.Hour

// AllowUse drafts how a pipeline that was refused its connection comes through: the role gets an inline policy of its own that allows the
// use under both prefixes, and the refused action runs again. The finding names the "role", the "connection" (ARNs) and the "action"
// (STAGE/ACTION) in Details.More.
func AllowUse(s *fact.Snapshot, f Finding, o plan.Options) plan.Draft {
	p, ok := fact.Get[fact.Pipeline](s, f.About)
	more := f.Details.More
	role, err := fact.ParseARN(more["role"])
	if !ok || err != nil {
		return plan.Draft{}
	}
	if role.Account != s.Question().Account {
		return plan.Draft{Notes: []string{"The role " + more["role"] + " is of another account: it has to be allowed the connection there."}}
	}
	c, known := fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, more["connection"]))
	if known && c.Status != fact.StatusAvailable && (o.Strategy == plan.Reuse || o.Reuse != "") {
		return plan.Draft{Notes: []string{"What " + role.Name() + " lacks for " + c.Name + " does not matter where another connection takes its place."}}
	}
	grant, missed := GrantUse(s, more["role"], more["connection"], "let "+role.Name()+" use the connection under both prefixes")
	d := plan.Draft{Steps: []plan.Step{grant}, Notes: []string{"Whatever deploys the policies of " + role.Name() + " (CloudFormation, CDK, Terraform) should name both prefixes too: the inline policy of this plan stands beside them."}}
	last := grant.ID
	steps, notes := refusedAgain(s, p, more, grant.ID, o)
	d.Steps, d.Notes = append(d.Steps, steps...), append(d.Notes, notes...)
	if len(steps) > 0 {
		last = steps[len(steps)-1].ID
	}
	if note := NotSeen(missed); note != "" {
		d.Notes = append(d.Notes, note)
	}
	d.Steps = append(d.Steps, plan.Step{
		ID: "verify-" + last, Title: "the diagnosis again: the role of " + p.Name + " may use its connection", Kind: plan.Verify, Target: f.About,
		After: []string{last}, Verdict: string(f.Code), Patience: 5 * time.Minute,
	})
	return d
}

// refusedAgain has the action that was refused run again; one that came through needs nothing.
func refusedAgain(s *fact.Snapshot, p fact.Pipeline, more map[string]string, after string, o plan.Options) (steps []plan.Step, notes []string) {
	fails, _ := Fails(s, p)
	for _, c := range fails {
		switch {
		case c.Stage.Name+"/"+c.Action.Name != more["action"]:
		case c.Action.Provider == fact.ConnectionSource:
			return Restart{Connection: more["connection"], After: after, Only: []string{p.ARN}, Options: o}.Steps(s)
		case o.NoRestart:
			return nil, []string{p.Name + " is not started again (--no-restart): the next run shows whether the build may clone."}
		default:
			return []plan.Step{Retry(c, []string{after}, clonePatience)}, nil
		}
	}
	return nil, nil
}
