package refusal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// How long an action may take that runs again, how long a person may take, and how long the last check waits.
const (
	actionPatience = time.Hour
	personPatience = 72 * time.Hour
	checkPatience  = 5 * time.Minute
	trustPatience  = 2 * time.Minute // until a trust policy shows; IAM gives no bound (docs/aws-facts.md, "Limits and rates")
	settle         = time.Minute     // between a change of a trust policy and the run that needs it: the change spreads
)

// Draft plans what mends a refusal that Judge found: a small inline policy where the role lacks a right, one statement more where the trust policy
// of a role of the account lacks CodePipeline, a person's step where such a role is gone or does not trust whoever assumes it for another
// reason; then the action runs again. Without steps where none of these mends it.
func Draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	r, ok := refusalOf(s, f)
	if !ok {
		return plan.Draft{}
	}
	var d plan.Draft
	switch code := f.Cause.Code; {
	case f.Details.Grant != nil && ofAccount(s, r.role):
		var document bytes.Buffer
		if err := json.Compact(&document, f.Details.Grant.Document); err != nil {
			return plan.Draft{}
		}
		step, missed := fault.GrantPolicy(s, fault.Policy{Role: r.role, Name: "unjam-" + digest(document.String())[:8], Document: document.String(),
			Region: r.Pipeline.Ref().Scope.Region, Title: "let " + nameOf(r.role) + " do " + r.denial.Action})
		d.Steps = append(d.Steps, step)
		d.Notes = append(d.Notes, "Whatever deploys the policies of "+nameOf(r.role)+" (CloudFormation, CDK, Terraform) should hold the right too: the inline policy of this plan stands beside them.")
		if note := fault.NotSeen(missed); note != "" {
			d.Notes = append(d.Notes, note)
		}
	case code == trust && r.restorable(s):
		step, note := r.restore(s, f)
		d.Steps, d.Notes = append(d.Steps, step), append(d.Notes, note)
	case (code == missing || code == trust || code == condition) && ofAccount(s, r.governed()):
		step, ok := r.person(s, f)
		if !ok {
			return plan.Draft{}
		}
		d.Steps = append(d.Steps, step)
	default:
		return plan.Draft{}
	}
	last := d.Steps[0].ID
	if o.NoRestart {
		d.Notes = append(d.Notes, r.Pipeline.Name+" is not started again (--no-restart): its next run shows whether it comes through.")
	} else {
		again := fault.Retry(r.Current, []string{last}, actionPatience)
		if d.Steps[0].Do != nil && d.Steps[0].Do.Operation == "UpdateAssumeRolePolicy" {
			again.Pause = settle
		}
		d.Steps, last = append(d.Steps, again), again.ID
	}
	d.Steps = append(d.Steps, plan.Step{ID: "verify-" + last, Title: "the diagnosis again: " + r.Pipeline.Name + " is not refused", Kind: plan.Verify, Target: f.About,
		After: []string{last}, Verdict: string(f.Code), Patience: checkPatience})
	return d
}

// refusalOf is the refusal that a finding tells of.
func refusalOf(s *fact.Snapshot, f fault.Finding) (Refused, bool) {
	p, ok := fact.Get[fact.Pipeline](s, f.About)
	if !ok {
		return Refused{}, false
	}
	fails, _ := fault.Fails(s, p)
	for _, c := range fails {
		if r, ok := read(s, c); ok {
			return r, true
		}
	}
	return Refused{}, false
}

// person is the step of whoever may change roles. false where no read would show that it is done.
func (r Refused) person(s *fact.Snapshot, f fault.Finding) (plan.Step, bool) {
	role := r.governed()
	a, _ := fact.ParseARN(role)
	ref := fact.Ref{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindPolicies, ID: role}
	account := r.Pipeline.Ref().Scope.Account
	document := trustOf(r.assumer, account)
	st := plan.Step{Kind: plan.Human, Target: ref, Patience: personPatience, OneWay: "what a person changes of a role, a person takes back", Say: &plan.Guide{
		Link: fault.PipelineLink(s.Question(), r.Pipeline), Where: "account " + a.Account, Role: "whoever may change roles", Handover: f.Message + " " + f.Cause.Text,
	}}
	switch x, known := policiesOf(s, role); {
	case f.Cause.Code == missing:
		st.ID, st.Title = "role-"+a.Name(), "create the role "+a.Name()+" again"
		st.Say.Checklist = []string{
			fmt.Sprintf("aws iam create-role --role-name %s%s --assume-role-policy-document '%s'", a.Name(), pathOf(a), document),
			"Give it the policies that it had: whatever deployed it has them (CloudFormation, CDK, Terraform), or another pipeline's role shows them.",
			"Policies of buckets, keys and other accounts that named the old role show an id (AROA...) in its place: name the new role there again.",
		}
		st.DoneWhen = []plan.Check{{Ref: ref, Field: "trusts/" + r.assumer, Op: plan.Is, Value: "yes"}}
	case known && x.Trust != "":
		st.ID, st.Title = "trust-"+a.Name(), "let "+r.assumer+" assume the role "+a.Name()
		st.Say.Checklist = []string{
			fmt.Sprintf("Write the role's trust policy into a file: aws iam get-role --role-name %s --query Role.AssumeRolePolicyDocument > trust.json", a.Name()),
			"Let it have this statement, and leave those for others as they are: " + statementOf(r.assumer, account),
			fmt.Sprintf("aws iam update-assume-role-policy --role-name %s --policy-document file://trust.json; it replaces the whole policy.", a.Name()),
		}
		if f.Cause.Code == condition {
			st.Say.Checklist[1] = "Correct the condition of the statement that names " + r.assumer + ", as it holds for this pipeline: " + statementOf(r.assumer, account)
		} else {
			st.Say.Checklist = append(st.Say.Checklist, "A Deny in the trust policy stands against every Allow: take it out or narrow it.")
		}
		now, _ := x.Field("trust")
		st.DoneWhen = []plan.Check{{Ref: ref, Field: "trust", Op: plan.Not, Value: now}, {Ref: ref, Field: "trusts/" + r.assumer, Op: plan.Is, Value: "yes"}}
	default:
		return plan.Step{}, false
	}
	st.SkipWhen = st.DoneWhen
	return st, true
}

// pathOf is the option for a role with a path of its own.
func pathOf(a fact.ARN) string {
	path := strings.TrimSuffix(strings.TrimPrefix(a.Resource, "role"), a.Name())
	if path == "/" {
		return ""
	}
	return " --path " + path
}

// trustOf is a trust policy for one assumer, a service or a role.
func trustOf(assumer, account string) string {
	return `{"Version":"2012-10-17","Statement":[` + statementOf(assumer, account) + `]}`
}

// statementOf lets an assumer in; a service for things of the account only (docs/aws-facts.md, "Roles of pipelines").
func statementOf(assumer, account string) string {
	if strings.HasPrefix(assumer, "arn:") {
		return `{"Effect":"Allow","Principal":{"AWS":"` + assumer + `"},"Action":"sts:AssumeRole"}`
	}
	return `{"Effect":"Allow","Principal":{"Service":"` + assumer + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"` + account + `"}}}`
}
