package refusal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

const (
	// around is how far from the failure its call may lie in the trail.
	around = 10 * time.Minute
	// trailDelay is how late an event may appear in event history (docs/aws-facts.md, "Event history").
	trailDelay = 15 * time.Minute
	// propagation is how long after a change of a role a refusal may still come of the old state. AWS gives no bound
	// (docs/aws-facts.md, "Limits and rates").
	propagation = 5 * time.Minute
	// maxParameters is how many of a call's parameters are shown.
	maxParameters = 3
)

// logged are the names under which event history may have the refused call, at most two; why says why it has none: data events and
// permissions that are no calls are not there.
func (r Refused) logged() (names []string, why string) {
	service, name, _ := strings.Cut(r.denial.Action, ":")
	switch {
	case r.denial.Action == "":
		return r.providerCalls(), ""
	case slices.Contains([]string{"s3", "dynamodb", "sqs"}, service) || name == "InvokeFunction":
		return nil, "it is a data event, which event history does not keep"
	case name == "PassRole":
		calls := r.providerCalls() // the first is the one that hands a role over
		return calls[:min(1, len(calls))], "it is a permission and no call of its own"
	}
	return []string{name}, ""
}

// providerCalls are the calls that an action of the provider makes, as CloudTrail names them, for a text that does not say which.
func (r Refused) providerCalls() []string {
	switch r.Action.Provider {
	case "CodeBuild":
		return []string{"StartBuild"}
	case "CodeDeploy", "CodeDeployToECS":
		return []string{"CreateDeployment"}
	case "CloudFormation":
		return []string{"CreateChangeSet", "UpdateStack"}
	case "ECS":
		return []string{"RegisterTaskDefinition", "UpdateService"}
	}
	return nil
}

// event is the refused call in the trail.
func (r Refused) event(s *fact.Snapshot) (fact.Event, bool) {
	names, _ := r.logged()
	for e := range fact.All[fact.Event](s) {
		if gap := e.Time.Sub(r.State.Changed); !slices.Contains(names, e.Name) || !fact.DeniedCode(e.ErrorCode) || gap > around || gap < -around {
			continue
		}
		if sameRole(e.Who.Policied(), r.role) || (r.assumer != "" && r.denial.Resource != "" && strings.Contains(e.Error, r.denial.Resource)) {
			return e, true
		}
	}
	return fact.Event{}, false
}

// call is the refused call in the trail as evidence: who, from where, with what, and AWS's words; or why it is not seen.
func (r Refused) call(s *fact.Snapshot) []fault.Evidence {
	names, why := r.logged()
	if e, ok := r.event(s); ok {
		ev := fault.Ev(fault.Reported, e, e.Name+" in CloudTrail", e.ErrorCode, "")
		ev.Text = callText(e)
		if !strings.Contains(r.State.Error, e.Error) {
			ev.Text += ": " + e.Error
		}
		return []fault.Evidence{ev}
	}
	name := strings.Join(names, " or ")
	said := fault.Ev(fault.Unclear, r.Seen, "", "not seen", "")
	switch {
	case len(names) == 0 && why == "":
		return nil
	case len(names) == 0:
		said.Field, said.Text = r.denial.Action+" in CloudTrail", why
	case !s.Answered(r.eventQuery(names[0])):
		return nil // asked, or a gap that says why not
	case s.At().Sub(r.State.Changed) < trailDelay:
		said.Field, said.Got, said.Text = name+" in CloudTrail", "not visible yet", "events may take 15 minutes to appear"
	default:
		said.Field, said.Text = name+" in CloudTrail", "no refused call of the role within ten minutes of the failure is in event history"
	}
	return []fault.Evidence{said}
}

// callText is an event in a line: who, when, from where, with what.
func callText(e fact.Event) string {
	text := e.Who.Label()
	if by := e.Who.InvokedBy; by != "" && by != text {
		text += " through " + by
	}
	text += " at " + fault.Stamp(e.Time)
	if e.SourceIP != "" && e.SourceIP != e.Who.InvokedBy {
		text += " from " + e.SourceIP
	}
	if tool := e.Tool(); tool != "" {
		text += " with " + tool
	}
	for i, path := range topLevel(e.Parameters) {
		if i < maxParameters {
			text += ", " + path + "=" + e.Parameters[path].String()
		}
	}
	if e.RequestID != "" {
		text += ", request " + e.RequestID
	}
	return text
}

// topLevel are the paths of parameters that are no part of others.
func topLevel(v fact.Values) []string {
	return slices.DeleteFunc(v.Paths(), func(p string) bool { return strings.Contains(p, "/") })
}

// writes are the IAM calls that can have brought the refusal about, by the policy type that says no; at most three.
func (r Refused) writes() []string {
	switch byType(r.denial.By, r.denial.Explicit) {
	case noIdentity:
		return []string{"DeleteRolePolicy", "PutRolePolicy", "DetachRolePolicy"}
	case identityDeny:
		return []string{"PutRolePolicy", "AttachRolePolicy", "CreatePolicyVersion"}
	case boundary, boundaryDeny:
		return []string{"PutRolePermissionsBoundary", "CreatePolicyVersion"}
	case trust:
		return []string{"UpdateAssumeRolePolicy"}
	case "":
		switch r.denial.Action {
		case "":
			return nil
		case assumeRole:
			return []string{"UpdateAssumeRolePolicy", "DeleteRole"}
		}
		return []string{"DeleteRolePolicy", "PutRolePolicy", "DetachRolePolicy"}
	}
	return nil
}

// touches reports whether an event is a change of a role's permissions that went through.
func touches(e fact.Event, x fact.RolePolicies, role string) bool {
	if e.EventSource != "iam.amazonaws.com" || e.ErrorCode != "" || e.ReadOnly || e.Resource == "" {
		return false
	}
	return e.Resource == nameOf(role) || e.Resource == x.Boundary ||
		slices.ContainsFunc(x.Documents, func(d fact.PolicyDocument) bool { return d.ARN != "" && d.ARN == e.Resource })
}

// changed is the last change of the role's permissions before the action began to fail.
func (r Refused) changed(s *fact.Snapshot) []fault.Evidence {
	role := r.governed()
	x, _ := policiesOf(s, role)
	broke, good := r.BrokeAt(s)
	var last fact.Event
	for e := range fact.All[fact.Event](s) {
		if touches(e, x, role) && slices.Contains(r.writes(), e.Name) && e.Time.After(good) && !e.Time.After(broke) && e.Time.After(last.Time) {
			last = e
		}
	}
	if last.Time.IsZero() {
		return nil
	}
	ev := fault.Ev(fault.Reported, last, "last change of "+nameOf(role)+" before it failed", last.Name, "")
	ev.Text = callText(last)
	return []fault.Evidence{ev}
}

// young says that the role or its policies were changed within five minutes before the failure, when it would be allowed by now; false
// when it does not look so.
func (r Refused) young(s *fact.Snapshot) (string, bool) {
	role := r.governed()
	x, read := policiesOf(s, role)
	now := ""
	switch _, allowed, known := r.verdict(s); byType(r.denial.By, r.denial.Explicit) {
	case "", noIdentity:
		if known && allowed {
			now = "it would be allowed now (simulated)"
		} else if r.denial.Action == assumeRole && r.denial.Principal == "" && read && r.lets(x.Trust) {
			now = "its trust policy names " + r.assumer
		}
	case trust:
		if read && r.lets(x.Trust) {
			now = "its trust policy names " + r.assumer
		}
	}
	if now == "" {
		return "", false // only the want of a permission passes by itself
	}
	var when time.Time
	how := ""
	take := func(at time.Time, words string) {
		if before := r.State.Changed.Sub(at); before >= 0 && before < propagation && at.After(when) {
			when, how = at, words
		}
	}
	take(x.Created, "The role was created")
	for e := range fact.All[fact.Event](s) {
		if touches(e, x, role) && slices.Contains([]string{"PutRolePolicy", "AttachRolePolicy", "CreatePolicyVersion", "UpdateAssumeRolePolicy"}, e.Name) {
			take(e.Time, e.Who.Label()+" called "+e.Name)
		}
	}
	if how == "" {
		return "", false
	}
	return fmt.Sprintf("%s at %s, %s before the failure, and %s: likely the change had not reached everywhere yet.",
		how, fault.Stamp(when), r.State.Changed.Sub(when).Round(time.Second), now), true
}
