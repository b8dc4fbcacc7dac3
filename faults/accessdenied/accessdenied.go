// Package accessdenied finds actions that AWS refused: which policy type says no, to whom, about what, and the least that would mend it.
// AWS's own words come first; the simulator only explains them, and says what it cannot see.
package accessdenied

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes, by the policy type that says no: docs/aws-facts.md, "Denial texts".
const (
	noIdentity   = "no-identity-policy"
	identityDeny = "identity-deny"
	boundary     = "boundary"
	scp          = "scp"
	rcp          = "rcp"
	endpoint     = "endpoint-policy"
	session      = "session-policy"
	resource     = "resource-policy"
	trust        = "role-trust"
	fresh        = "fresh-role"
	unknownCause = "unknown"
)

// refused is one refusal of a failed action.
type refused struct {
	fault.Current
	denial  fact.Denial
	encoded string // the authorization message, where AWS encoded it
	role    string // ARN of the role that was refused
}

// diagnose looks at every failed action whose text is a refusal, except the connection's own.
func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		fails, state := fault.Fails(s, p)
		j.Need(state)
		for _, c := range fails {
			r, ok := read(s, c)
			if !ok {
				continue
			}
			f, helps := judge(s, r)
			j.Help(helps...)
			j.Findings = append(j.Findings, f)
			break // one of a pipeline: what it waits for comes first
		}
	}
	return j
}

// read reads the refusal of a failed action.
func read(s *fact.Snapshot, c fault.Current) (refused, bool) {
	text := c.State.Error
	if fault.Read(text) == fault.SignatureDenied || strings.Contains(strings.ToLower(text), "access denied to connection") {
		return refused{}, false // connection-denied
	}
	d, ok := fact.ParseDenial(text)
	r := refused{Current: c, denial: d, encoded: fact.EncodedMessage(text), role: c.Role()}
	if !ok && r.encoded == "" {
		return refused{}, false
	}
	if !ok {
		for x := range fact.All[fact.Decoded](s) {
			if x.Ref().ID == messageID(r.encoded) {
				r.denial = fact.Denial{Principal: x.Principal, Action: x.Action, Resource: x.Resource, Explicit: x.Explicit}
			}
		}
	}
	if r.denial.Principal != "" && !sameRole(r.denial.Principal, r.role) {
		r.role = fact.RoleARN(r.denial.Principal) // somebody else was refused: a build's own role, for example
	}
	return r, true
}

// sameRole reports whether a session is one of the role; a session's ARN lacks the role's path.
func sameRole(principal, role string) bool {
	a, err1 := fact.ParseARN(fact.RoleARN(principal))
	b, err2 := fact.ParseARN(role)
	return err1 == nil && err2 == nil && a.Account == b.Account && a.Name() == b.Name()
}

func messageID(message string) string { return string(fact.DigestOf(message))[7:23] }

func judge(s *fact.Snapshot, r refused) (fault.Finding, []fact.Query) {
	p := r.Pipeline
	f := fault.Finding{
		Title: "AWS refused an action", Severity: fault.High, Bucket: fault.IAM, Subject: fault.PipelineSubject(p), About: p.Ref(),
		Since: fault.Stamp(r.State.Changed), Link: fault.PipelineLink(s.Question(), p), Evidence: []fault.Evidence{r.Evidence()},
		Message: fmt.Sprintf("AWS refused %s of %s: %s.", r.Action.Name, p.Name, what(r)),
	}
	helps := r.asks(s)
	f.Cause = r.cause(s)
	if f.Cause.Code == endpoint {
		f.Bucket = fault.Network
	}
	if r.encoded != "" {
		f.Evidence = append(f.Evidence, r.decoded(s)...)
	}
	f.Evidence = append(f.Evidence, r.simulated(s)...)
	f.Evidence = append(f.Evidence, r.policies(s)...)
	f.Evidence = append(f.Evidence, r.call(s)...)
	f.Details.More = map[string]string{"role": r.role, "action": r.denial.Action}
	if r.denial.Resource != "" {
		f.Details.More["resource"] = r.denial.Resource
	}
	if r.denial.Policy != "" {
		f.Details.More["policy"] = r.denial.Policy
	}
	f.Remedy = r.remedy(f.Cause.Code)
	var more []fact.Query
	f.Details.Grant, more = r.grant(s, f.Cause.Code)
	return f, append(helps, more...)
}

func what(r refused) string {
	if r.denial.Action == "" {
		return "the reason is in an encoded message"
	}
	who := r.role
	if a, err := fact.ParseARN(r.role); err == nil {
		who = a.Name()
	}
	s := who + " may not call " + r.denial.Action
	if r.denial.Resource != "" && r.denial.Resource != "*" {
		s += " on " + r.denial.Resource
	}
	return s
}

// propagation is how long after a change of a role a refusal may still come of the old state. AWS gives no bound
// (docs/aws-facts.md, "Limits and rates").
const propagation = 5 * time.Minute

// cause is which policy type says no: AWS's words, else what the simulator adds.
func (r refused) cause(s *fact.Snapshot) fault.Cause {
	if when, how, ok := r.young(s); ok {
		return fault.Cause{Code: fresh, Class: fault.Inferred, Text: fmt.Sprintf(
			"%s at %s, %s before the failure, and it would be allowed now (simulated): likely the change had not reached everywhere yet.",
			how, fault.Stamp(when), r.State.Changed.Sub(when).Round(time.Second))}
	}
	d := r.denial
	if code := byType(d.By, d.Explicit); code != "" {
		text := "AWS says: " + d.Words() + "."
		if sim, ok := r.simulation(s); ok && sim.Allowed {
			if seen, _ := simulatorSees(code); seen {
				text += " The simulator would allow it now: it was granted since, or a condition decides."
			} else {
				text += " The simulator would allow it, and cannot see policies of this type."
			}
		}
		return fault.Cause{Code: code, Class: fault.Reported, Text: text}
	}
	if d.Action == "sts:AssumeRole" && d.By == "" {
		return r.assume(s)
	}
	sim, ok := r.simulation(s)
	switch {
	case ok && !sim.Allowed:
		return fault.Cause{Code: byType(sim.By, sim.Explicit), Class: fault.Simulated, Text: "AWS's text does not say which policy; the simulator says: " +
			fact.Denial{By: sim.By, Explicit: sim.Explicit}.Words() + "."}
	case ok:
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "AWS's text does not say which policy, and the simulator would allow it: it was granted since, or something it cannot see says no (session, resource, endpoint or resource control policy, a condition)."}
	case d.Action == "":
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "The reason is in an encoded message; sts:DecodeAuthorizationMessage would show it."}
	}
	return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "AWS's text does not say which policy; iam:SimulatePrincipalPolicy would narrow it down."}
}

// assume is the cause of a role that could not be assumed, where the text names no policy: its trust, as far as it was read.
func (r refused) assume(s *fact.Snapshot) fault.Cause {
	target := r.denial.Resource
	for x := range fact.All[fact.RolePolicies](s) {
		if x.ARN == target && !trusts(x.Trust, "codepipeline.amazonaws.com") {
			return fault.Cause{Code: trust, Class: fault.Verified, Text: "The trust policy of " + x.Name + " does not name codepipeline.amazonaws.com."}
		}
	}
	ref := fact.Ref{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindPolicies, ID: target}
	if _, gone := s.Absence(ref); gone {
		return fault.Cause{Code: trust, Class: fault.Verified, Text: "The role does not exist: " + target}
	}
	return fault.Cause{Code: trust, Class: fault.Inferred, Text: "CodePipeline could not assume the role: likely its trust policy does not name codepipeline.amazonaws.com, or the role is gone."}
}

// trusts reports whether a trust policy's text names a service. It is a text search: a policy that names it under a condition passes.
func trusts(document, service string) bool { return strings.Contains(document, `"`+service+`"`) }

// byType is the cause of a policy type; "" for none.
func byType(by string, explicit bool) string {
	switch strings.ToLower(by) {
	case "identity-based policy":
		if explicit {
			return identityDeny
		}
		return noIdentity
	case "permissions boundary":
		return boundary
	case "service control policy":
		return scp
	case "resource control policy":
		return rcp
	case "vpc endpoint policy":
		return endpoint
	case "session policy":
		return session
	case "resource-based policy":
		return resource
	case "role trust policy":
		return trust
	}
	return ""
}

// simulatorSees reports whether the simulator judges policies of a cause's type (docs/aws-facts.md, "What simulation cannot see").
func simulatorSees(code string) (sees bool, what string) {
	switch code {
	case session:
		return false, "session policies"
	case rcp:
		return false, "resource control policies"
	case endpoint:
		return false, "VPC endpoint policies"
	case resource:
		return false, "resource-based policies"
	case trust:
		return false, "trust policies"
	}
	return true, ""
}
