package accessdenied

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// simulationQuery asks the simulator about the refused call.
func (r refused) simulationQuery(s *fact.Snapshot) (fact.Query, bool) {
	a, err := fact.ParseARN(r.role)
	if err != nil || a.Account != s.Question().Account || r.denial.Action == "" {
		return fact.Query{}, false // another account's policies cannot be simulated from here
	}
	on := r.denial.Resource
	if on == "" {
		on = "*"
	}
	return fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindSimulation, ID: r.role, Args: map[string]string{"actions": r.denial.Action, "resources": on}}, true
}

// simulation is the simulator's decision on the refused call.
func (r refused) simulation(s *fact.Snapshot) (fact.Decision, bool) {
	on := r.denial.Resource
	if on == "" {
		on = "*"
	}
	for x := range fact.All[fact.Simulation](s) {
		if x.Principal == r.role {
			if d, ok := x.Decision(r.denial.Action, on); ok {
				return d, true
			}
		}
	}
	return fact.Decision{}, false
}

// simulated is the simulator's decision as evidence, with what it cannot see where it disagrees with AWS.
func (r refused) simulated(s *fact.Snapshot) []fault.Evidence {
	for x := range fact.All[fact.Simulation](s) {
		d, ok := r.simulation(s)
		if x.Principal != r.role || !ok {
			continue
		}
		if _, here := x.Decision(d.Action, d.Resource); !here {
			continue
		}
		e := fault.Ev(fault.Simulated, x, d.Action, word(d), "allowed")
		if sees, what := simulatorSees(byType(r.denial.By, r.denial.Explicit)); !sees && d.Allowed {
			e.Text = "the simulator does not see " + what
		}
		return []fault.Evidence{e}
	}
	return nil
}

func word(d fact.Decision) string {
	switch {
	case d.Allowed:
		return "allowed"
	case d.By != "":
		return "denied by " + d.By
	}
	return "denied"
}

// asks are the queries that explain a refusal: at most four look-ups of CloudTrail among them.
func (r refused) asks(s *fact.Snapshot) []fact.Query {
	account := fact.Scope{Account: s.Question().Account}
	var all []fact.Query
	if r.encoded != "" {
		all = append(all, fact.Query{Scope: account, Kind: fact.KindDecoded, ID: messageID(r.encoded), Args: map[string]string{"message": r.encoded}})
	}
	if q, ok := r.simulationQuery(s); ok {
		all = append(all, q)
	}
	target := r.role
	if r.denial.Action == "sts:AssumeRole" {
		target = r.denial.Resource
	}
	if a, err := fact.ParseARN(target); err == nil && a.Account == s.Question().Account && strings.HasPrefix(a.Resource, "role/") {
		all = append(all, fact.Query{Scope: account, Kind: fact.KindPolicies, ID: target})
	}
	if name, ok := r.logged(); ok {
		all = append(all, fact.Query{Scope: r.Pipeline.Ref().Scope, Kind: fact.KindEvent, ID: name})
	}
	for _, name := range r.writes() {
		all = append(all, fact.Query{Scope: fact.Scope{Account: s.Question().Account, Region: "us-east-1"}, Kind: fact.KindEvent, ID: name}) // IAM is logged there
	}
	return all
}

// logged is the name under which CloudTrail logs the refused call; false for data events and for permissions that are no calls, which
// its event history does not have.
func (r refused) logged() (string, bool) {
	service, name, _ := strings.Cut(r.denial.Action, ":")
	switch service {
	case "s3", "dynamodb", "sqs", "":
		return "", false
	}
	if name == "PassRole" || name == "InvokeFunction" {
		return "", false
	}
	return name, true
}

// writes are the IAM calls that can have brought the refusal about, by the policy type that says no; at most three.
func (r refused) writes() []string {
	switch byType(r.denial.By, r.denial.Explicit) {
	case noIdentity:
		return []string{"DeleteRolePolicy", "PutRolePolicy", "DetachRolePolicy"}
	case identityDeny:
		return []string{"PutRolePolicy", "AttachRolePolicy", "CreatePolicyVersion"}
	case boundary:
		return []string{"PutRolePermissionsBoundary", "CreatePolicyVersion"}
	case trust:
		return []string{"UpdateAssumeRolePolicy"}
	case "":
		if r.denial.Action == "sts:AssumeRole" {
			return []string{"UpdateAssumeRolePolicy", "DeleteRole"}
		}
		return []string{"DeleteRolePolicy", "PutRolePolicy", "DetachRolePolicy"}
	}
	return nil
}

// young is the newest change of the role within five minutes before the failure, when the simulator allows the call by now.
func (r refused) young(s *fact.Snapshot) (when time.Time, how string, ok bool) {
	d, known := r.simulation(s)
	if !known || !d.Allowed {
		return when, "", false
	}
	if code := byType(r.denial.By, r.denial.Explicit); code != "" && code != noIdentity {
		return when, "", false // only the want of a permission passes by itself
	}
	a, err := fact.ParseARN(r.role)
	if err != nil {
		return when, "", false
	}
	take := func(at time.Time, words string) {
		if before := r.State.Changed.Sub(at); before >= 0 && before < propagation && at.After(when) {
			when, how, ok = at, words, true
		}
	}
	for x := range fact.All[fact.RolePolicies](s) {
		if x.ARN == r.role {
			take(x.Created, "The role was created")
		}
	}
	for e := range fact.All[fact.Event](s) {
		if e.EventSource == "iam.amazonaws.com" && e.Resource == a.Name() && e.ErrorCode == "" && slices.Contains([]string{"PutRolePolicy", "AttachRolePolicy", "CreateRole"}, e.Name) {
			take(e.Time, e.Who.Label()+" called "+e.Name)
		}
	}
	return when, how, ok
}

// decoded is what STS made of the encoded message, or why it could not.
func (r refused) decoded(s *fact.Snapshot) []fault.Evidence {
	for x := range fact.All[fact.Decoded](s) {
		if x.Ref().ID == messageID(r.encoded) {
			e := fault.Ev(fault.Verified, x, "decoded message", x.Action, "")
			e.Text = x.Principal + " on " + x.Resource
			return []fault.Evidence{e}
		}
	}
	return nil
}

// policies names the role's policies that speak of the action, its boundary and, for a role that cannot be assumed, its trust.
func (r refused) policies(s *fact.Snapshot) []fault.Evidence {
	var all []fault.Evidence
	for x := range fact.All[fact.RolePolicies](s) {
		if x.ARN != r.role && x.ARN != r.denial.Resource {
			continue
		}
		if x.ARN == r.role && x.Boundary != "" && byType(r.denial.By, r.denial.Explicit) == boundary {
			all = append(all, fault.Ev(fault.Verified, x, "PermissionsBoundary of "+x.Name, x.Boundary, ""))
		}
		if r.denial.Action == "sts:AssumeRole" && x.ARN == r.denial.Resource {
			all = append(all, fault.Ev(fault.Verified, x, "trust policy of "+x.Name, fmt.Sprintf("names codepipeline.amazonaws.com: %v", trusts(x.Trust, "codepipeline.amazonaws.com")), ""))
			continue
		}
		var names []string
		for _, d := range x.Documents {
			names = append(names, d.Name)
		}
		if x.ARN == r.role && len(names) > 0 {
			all = append(all, fault.Ev(fault.Verified, x, "policies of "+x.Name, strings.Join(names, ", "), ""))
		}
	}
	return all
}

// around is how far from the failure its call may lie in the trail.
const around = 10 * time.Minute

// call is the refused call in the trail: who, from where, with what, and AWS's words.
func (r refused) call(s *fact.Snapshot) []fault.Evidence {
	name, ok := r.logged()
	if !ok {
		return nil
	}
	for e := range fact.All[fact.Event](s) {
		gap := e.Time.Sub(r.State.Changed)
		if e.Name != name || !fact.DeniedCode(e.ErrorCode) || gap > around || gap < -around || !sameRole(e.Who.ARN, r.role) {
			continue
		}
		ev := fault.Ev(fault.Reported, e, e.Name, e.ErrorCode, "")
		ev.Text = fmt.Sprintf("%s at %s", e.Who.Label(), fault.Stamp(e.Time))
		if e.SourceIP != "" {
			ev.Text += " from " + e.SourceIP
		}
		if tool := e.Tool(); tool != "" {
			ev.Text += " with " + tool
		}
		if e.RequestID != "" {
			ev.Text += ", request " + e.RequestID
		}
		return []fault.Evidence{ev}
	}
	return nil
}

// grant is the least policy that would mend it, where a policy of the role can: not against a boundary, a control policy or a trust.
func (r refused) grant(s *fact.Snapshot, code string) (*fault.Grant, []fact.Query) {
	sim, known := r.simulation(s)
	lacking := code == noIdentity || (code == unknownCause && known && !sim.Allowed && byType(sim.By, sim.Explicit) == noIdentity)
	if !lacking || r.denial.Action == "" || r.role == "" {
		return nil, nil
	}
	doc := op.LeastPolicy(r.denial.Action, r.denial.Resource, "", r.passedTo())
	text := doc.String()
	q := fact.Query{Scope: r.Pipeline.Ref().Scope, Kind: fact.KindPolicyCheck, ID: messageID(text), Args: map[string]string{"document": text}}
	asks := []fact.Query{q}
	if s.Question().Paid {
		if x, ok := r.existing(s); ok {
			asks = append(asks, fact.Query{Scope: q.Scope, Kind: fact.KindNewAccess, ID: messageID(text + x), Args: map[string]string{"document": text, "existing": x}})
		}
	}
	g := &fault.Grant{To: r.role, Document: []byte(text), Class: fault.Inferred}
	g.Checked = fault.Checked(s, asks)
	return g, asks
}

// existing is the first policy document of the role: what a new one is compared with.
func (r refused) existing(s *fact.Snapshot) (string, bool) {
	for x := range fact.All[fact.RolePolicies](s) {
		if x.ARN == r.role && len(x.Documents) > 0 {
			return x.Documents[0].Document, true
		}
	}
	return "", false
}

// passedTo is the service that a passed role is for.
func (r refused) passedTo() string {
	switch r.Action.Provider {
	case "CloudFormation", "CloudFormationStackSet", "CloudFormationStackInstances":
		return "cloudformation.amazonaws.com"
	case "ECS", "CodeDeployToECS":
		return "ecs-tasks.amazonaws.com"
	case "CodeBuild":
		return "codebuild.amazonaws.com"
	}
	return ""
}

// remedy says who has to change what.
func (r refused) remedy(code string) string {
	switch code {
	case noIdentity:
		return "Attach the policy below to " + r.role + ", then retry the stage."
	case fresh:
		return "Retry the stage: the permission is in force by now."
	}
	for _, c := range doc().Causes {
		if c.Code == code {
			return c.Remedy
		}
	}
	return doc().Remedy
}
