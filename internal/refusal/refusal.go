// Package refusal reads what AWS refused a failed action: which policy type says no, to whom, about what, and the least that would mend it.
// AWS's own words come first; the simulator only explains them, and says what it cannot see. It never judges the use of connections,
// artifacts and stacks, which have faults of their own.
package refusal

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes, by the policy type that says no: docs/aws-facts.md, "Denial texts".
const (
	noIdentity   = "no-identity-policy"
	identityDeny = "identity-deny"
	boundary     = "boundary"
	boundaryDeny = "boundary-deny"
	scp          = "scp"
	scpDeny      = "scp-deny"
	rcp          = "rcp-deny"
	endpoint     = "endpoint-policy"
	session      = "session-policy"
	resource     = "resource-policy"
	trust        = "role-trust"
	condition    = "trust-condition"
	missing      = "role-missing"
	handOver     = "pass-role-missing"
	fresh        = "fresh-role"
	unknownCause = "unknown"
)

const assumeRole = "sts:AssumeRole"

// passRole is what hands a role over to the service that an action runs on.
const passRole = "iam:PassRole"

// OfRole reports whether a refusal is about a role itself: it cannot be taken on or handed over, or something above it stands in the way of what its
// policies allow. The rest is what the policies of a role that is in force say.
func OfRole(r Refused, code string) bool {
	switch code {
	case missing, trust, condition, handOver, boundary, boundaryDeny, scp, scpDeny:
		return true
	}
	return r.denial.Action == assumeRole || r.denial.Action == passRole
}

// Judge judges the first refusal of every pipeline that the question is about, where it is the caller's: the others are another fault's.
func Judge(s *fact.Snapshot, title string, mine func(Refused, string) bool) fault.Judgement {
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
			if f.Title = title; mine(r, f.Cause.Code) {
				j.Findings = append(j.Findings, f)
			}
			break // one of a pipeline: what it waits for comes first
		}
	}
	return j
}

func judge(s *fact.Snapshot, r Refused) (fault.Finding, []fact.Query) {
	p := r.Pipeline
	f := fault.Finding{
		Severity: fault.High, Bucket: fault.IAM, Subject: fault.PipelineSubject(p), About: p.Ref(),
		Since: fault.Stamp(r.State.Changed), Link: fault.PipelineLink(s.Question(), p), Evidence: []fault.Evidence{r.Evidence()},
		Message: fmt.Sprintf("AWS refused %s of %s: %s.", r.Action.Name, p.Name, r.what()),
	}
	f.Cause = r.cause(s)
	if f.Cause.Code == endpoint {
		f.Bucket = fault.Network
	}
	f.Evidence = append(f.Evidence, r.decoded(s)...)
	f.Evidence = append(f.Evidence, r.simulated(s)...)
	f.Evidence = append(f.Evidence, r.policies(s)...)
	f.Evidence = append(f.Evidence, r.call(s)...)
	f.Evidence = append(f.Evidence, r.changed(s)...)
	f.Details.More = r.more()
	grant, checks := r.grant(s, f.Cause.Code)
	f.Details.Grant = grant
	f.Remedy = r.remedy(f.Cause.Code)
	return f, append(r.asks(s), checks...)
}

func (r Refused) more() map[string]string {
	m := map[string]string{"role": r.role}
	for k, v := range map[string]string{"action": r.denial.Action, "resource": r.denial.Resource, "policy": r.denial.Policy, "assumer": r.assumer} {
		if v != "" {
			m[k] = v
		}
	}
	return m
}

// what is the refusal in half a sentence.
func (r Refused) what() string {
	switch {
	case r.denial.Action == "" && r.encoded != "":
		return "the reason is in an encoded message"
	case r.denial.Action == "":
		return "its text does not say what"
	case r.denial.Action == assumeRole && r.denial.Principal == "" && r.denial.Resource != "":
		return r.assumer + " may not assume the role " + nameOf(r.denial.Resource)
	case r.denial.Action == assumeRole && r.denial.Principal == "":
		return r.assumer + " may not assume the role"
	case strings.HasSuffix(r.denial.Action, ":*"):
		return nameOf(r.role) + " is refused on " + r.denial.Resource
	}
	text := nameOf(r.role) + " may not call " + r.denial.Action
	if r.denial.Resource != "" && r.denial.Resource != "*" {
		text += " on " + r.denial.Resource
	}
	return text
}

// nameOf is the last part of an ARN, or the text itself.
func nameOf(arn string) string {
	if a, err := fact.ParseARN(arn); err == nil {
		return a.Name()
	}
	return arn
}

// cause is which policy type says no: AWS's words, else what else is known.
func (r Refused) cause(s *fact.Snapshot) fault.Cause {
	if text, ok := r.young(s); ok {
		return fault.Cause{Code: fresh, Class: fault.Inferred, Text: text}
	}
	d := r.denial
	code := byType(d.By, d.Explicit)
	_, allowed, known := r.verdict(s)
	switch {
	case d.Action == assumeRole && code == trust:
		return r.assume(s)
	case d.Action == passRole && code == noIdentity:
		return fault.Cause{Code: handOver, Class: fault.Reported, Text: "AWS says: " + d.Words() + "." + beside(code, allowed && known)}
	case code != "":
		return fault.Cause{Code: code, Class: fault.Reported, Text: "AWS says: " + d.Words() + "." + beside(code, allowed && known)}
	case d.Action == assumeRole:
		return r.assume(s)
	case known && !allowed:
		sim := r.firstNo(s)
		return fault.Cause{Code: byType(sim.By, sim.Explicit), Class: fault.Simulated, Text: "AWS's text does not say which policy; the simulator says: " +
			fact.Denial{By: sim.By, Explicit: sim.Explicit}.Words() + "."}
	case known:
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "AWS's text does not say which policy, and the simulator would allow it: it was granted since, or something it cannot see says no (session, resource, endpoint or resource control policy, a condition)."}
	case d.Action == "" && r.encoded != "":
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "The reason is in an encoded message; sts:DecodeAuthorizationMessage would show it."}
	case d.Action == "":
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "AWS's text says neither what was refused nor which policy says no, and no refused call of the role was found in CloudTrail."}
	case !r.here(s):
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "AWS's text does not say which policy, and the role belongs to another account, whose policies cannot be simulated from here."}
	}
	return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "AWS's text does not say which policy; iam:SimulatePrincipalPolicy would narrow it down."}
}

// beside is what the simulator adds where it does not agree with AWS.
func beside(code string, allowed bool) string {
	if !allowed {
		return ""
	}
	if sees, what := simulatorSees(code); !sees {
		return " The simulator would allow it: it does not see " + what + "."
	}
	return " The simulator would allow it now: it was granted since, or a condition decides."
}

// assume is the cause of a role that could not be assumed, where no policy of the caller says no: the role is gone, or its trust policy, as far as
// it was read.
func (r Refused) assume(s *fact.Snapshot) fault.Cause {
	target := r.denial.Resource
	x, known := policiesOf(s, target)
	_, gone := s.Absence(fact.Ref{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindPolicies, ID: target})
	sim, allowed, simulated := r.verdict(s)
	trusts, because := fact.Trusting(x.Trust, r.who())
	said := byType(r.denial.By, r.denial.Explicit) == trust
	switch {
	case gone:
		return fault.Cause{Code: missing, Class: fault.Verified, Text: "The role does not exist: " + target + "."}
	case known && trusts == fact.TrustUnnamed:
		return fault.Cause{Code: trust, Class: fault.Verified, Text: "The trust policy of " + x.Name + " does not name " + r.assumer + "."}
	case known && trusts == fact.TrustBarred:
		return fault.Cause{Code: trust, Class: fault.Verified, Text: "A Deny in the trust policy of " + x.Name + " names " + r.assumer + "."}
	case known && trusts == fact.TrustExcluded:
		return fault.Cause{Code: condition, Class: fault.Verified, Text: "The trust policy of " + x.Name + " names " + r.assumer + " only under a condition that does not hold for " + r.Pipeline.Name + ": " + because + "."}
	case simulated && !allowed && !said:
		return fault.Cause{Code: byType(sim.By, sim.Explicit), Class: fault.Simulated, Text: "AWS's text does not say which policy; the simulator says: " +
			fact.Denial{By: sim.By, Explicit: sim.Explicit}.Words() + "."}
	case known && trusts == fact.TrustUndecided:
		return fault.Cause{Code: condition, Class: fault.Inferred, Text: "The trust policy of " + x.Name + " names " + r.assumer + " under a condition, which likely does not hold: " + because + "."}
	case said && known:
		return fault.Cause{Code: trust, Class: fault.Reported, Text: "AWS says: " + r.denial.Words() + ". It names " + r.assumer + " now: it was changed since."}
	case said:
		return fault.Cause{Code: trust, Class: fault.Reported, Text: "AWS says: " + r.denial.Words() + "."}
	case known:
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "The trust policy of " + x.Name + " names " + r.assumer + " now: it was changed since, or the role was."}
	case target == "":
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "Which role could not be assumed is not known; codebuild:BatchGetProjects would show it."}
	case ofAccount(s, target):
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "The role could not be assumed: its trust policy does not name " + r.assumer + ", or the role is gone. It could not be read."}
	}
	return fault.Cause{Code: trust, Class: fault.Inferred, Text: "The role could not be assumed: likely its trust policy does not name " + r.assumer + ", or the role is gone. It could not be read."}
}

// who is the assumer with what a trust policy may ask of it: the pipeline's account and, of CodePipeline, the pipeline.
func (r Refused) who() fact.Assumer {
	w := fact.Assumer{Name: r.assumer, Account: r.Pipeline.Ref().Scope.Account}
	if r.assumer == "codepipeline.amazonaws.com" {
		w.Source = r.Pipeline.ARN
	}
	return w
}

// lets reports whether a trust policy lets the assumer in, as far as it can be told.
func (r Refused) lets(document string) bool {
	t, _ := fact.Trusting(document, r.who())
	return t == fact.TrustHolds || t == fact.TrustUndecided
}

// byType is the cause of a policy type; "" for none.
func byType(by string, explicit bool) string {
	either := func(lack, deny string) string {
		if explicit {
			return deny
		}
		return lack
	}
	switch strings.ToLower(by) {
	case "identity-based policy":
		return either(noIdentity, identityDeny)
	case "permissions boundary":
		return either(boundary, boundaryDeny)
	case "service control policy":
		return either(scp, scpDeny)
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
