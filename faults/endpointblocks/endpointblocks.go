// Package endpointblocks finds VPC endpoints that stand between unjam itself and AWS: a policy that refuses its calls, or a private name
// that the endpoint does not answer. It never counts a refusal whose text names another policy, and it settles no other fault.
package endpointblocks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	endpointPolicy = "endpoint-policy"
	privateDNS     = "private-dns"
)

// connectionsService is the short name of the connections' endpoint; the newer prefix has none of its own
// (docs/aws-facts.md, "VPC endpoints of the connection services").
const connectionsService = "codestar-connections.api"

// Fault is the fault endpoint-blocks.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "endpoint-blocks",
		Doc: fault.Doc{
			Title:   "VPC endpoint stands between unjam and AWS",
			Symptom: `Calls from inside a VPC are refused "because no VPC endpoint policy allows" them, or calls to codeconnections get no answer there.`,
			Text: "Whoever calls AWS from inside a VPC goes through its interface endpoints. An endpoint's policy refuses what it does not name, whatever the caller's own policies say, and " +
				"has to name the actions of connections under both prefixes. The endpoint of the connections answers privately to its older name only. What could not be read stays unknown.",
			Causes: []fault.CauseDoc{
				{Code: endpointPolicy, Text: "The policy of a VPC endpoint refuses unjam's calls.", Evidence: "AWS's text of the refusal; DescribeVpcEndpoints shows the policy.", Remedy: "Have the statement added to the endpoint's policy, or call from outside the VPC."},
				{Code: privateDNS, Text: "The endpoint of the connections does not cover the newer name, and the VPC has no other way out.", Evidence: "The call was never answered, and DescribeVpcEndpoints shows an endpoint for the older name. Inferred.", Remedy: "Give the VPC a way to codeconnections.REGION.amazonaws.com, or call from outside the VPC."},
			},
			See:      []string{"aws ec2 describe-vpc-endpoints"},
			Remedy:   "Let the endpoint through what unjam reads, or call from outside the VPC.",
			Severity: fault.Medium, Bucket: fault.Network, Since: "0.2.0",
			Links: []string{"https://docs.aws.amazon.com/dtconsole/latest/userguide/vpc-interface-endpoints.html", "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindEndpoint},
		Diagnose: diagnose,
	}
}

// diagnose looks at what unjam could not read.
func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs} // a call that got an answer was let through
	for _, p := range pipelines {
		j.Need(fault.StateQuery(p.Ref().Scope, p.Name))
	}
	for _, b := range refusals(s) {
		q := endpointsQuery(b.scope)
		j.Help(q)
		j.Findings = append(j.Findings, byPolicy(s, b, q))
	}
	for _, g := range unanswered(s) {
		scope := fact.Scope{Account: s.Question().Account, Region: g.Source.Region}
		q := endpointsQuery(scope)
		j.Help(q)
		if f, ok := byName(s, g, scope); ok && !slices.ContainsFunc(j.Findings, func(x fault.Finding) bool { return x.Subject == f.Subject }) {
			j.Findings = append(j.Findings, f)
		}
	}
	return j
}

func endpointsQuery(scope fact.Scope) fact.Query {
	return fact.Query{Scope: scope, Kind: fact.KindEndpoint}
}

// blocked is what the endpoints of one service in one Region refused.
type blocked struct {
	scope    fact.Scope
	service  string // the part of the endpoint's service name behind the Region
	actions  []string
	gaps     []fact.Gap
	explicit bool
}

// refusals are the calls of unjam that a VPC endpoint policy refused, by Region and service.
func refusals(s *fact.Snapshot) []blocked {
	var all []blocked
	for _, g := range s.Gaps() {
		d, ok := fact.ParseDenial(g.Why)
		if g.Class != fact.Denied || !ok || !strings.EqualFold(d.By, "VPC endpoint policy") {
			continue
		}
		scope := fact.Scope{Account: s.Question().Account, Region: g.Source.Region}
		service := serviceOf(d.Action)
		i := slices.IndexFunc(all, func(b blocked) bool { return b.scope == scope && b.service == service })
		if i < 0 {
			i = len(all)
			all = append(all, blocked{scope: scope, service: service})
		}
		b := &all[i]
		b.gaps = append(b.gaps, g)
		b.explicit = b.explicit || d.Explicit
		if !slices.Contains(b.actions, d.Action) {
			b.actions = append(b.actions, d.Action)
		}
	}
	for _, b := range all {
		slices.Sort(b.actions)
	}
	return all
}

// serviceOf is the short name of the endpoint that a service's calls take.
func serviceOf(action string) string {
	prefix, _, _ := strings.Cut(action, ":")
	if prefix == "codeconnections" || prefix == "codestar-connections" {
		return connectionsService
	}
	return prefix
}

func fullName(region, service string) string { return "com.amazonaws." + region + "." + service }

// of are the endpoints of a service in a Region.
func of(s *fact.Snapshot, scope fact.Scope, service string) []fact.Endpoint {
	var all []fact.Endpoint
	for e := range fact.All[fact.Endpoint](s) {
		if e.Ref().Scope == scope && e.Service == fullName(scope.Region, service) {
			all = append(all, e)
		}
	}
	return all
}

// subject is the service's endpoints in the Region: which of them a call took is not known, and the ID of a finding must not change with
// what is learned of them.
func subject(scope fact.Scope, service string) (fault.Subject, fact.Ref) {
	name := fullName(scope.Region, service)
	return fault.Subject{Kind: "endpoint", ARN: name, Name: name, Account: scope.Account, Region: scope.Region}, fact.Ref{Scope: scope, Kind: fact.KindEndpoint, ID: name}
}

// byPolicy is the finding about a policy.
func byPolicy(s *fact.Snapshot, b blocked, q fact.Query) fault.Finding {
	f := fault.Finding{
		Title: "VPC endpoint stands between unjam and AWS", Severity: fault.Medium, Bucket: fault.Network,
		Message: fmt.Sprintf("The policy of a VPC endpoint for %s refuses %s to unjam: what that would show stays unknown.", b.service, strings.Join(b.actions, ", ")),
		Cause:   fault.Cause{Code: endpointPolicy, Class: fault.Reported, Text: "AWS says that no VPC endpoint policy allows it, so the caller's own policies do not matter."},
		Remedy:  "Have the statement in details.grant added to the endpoint's policy, or run unjam from outside the VPC.",
	}
	if b.explicit {
		f.Cause.Text = "AWS says that a VPC endpoint policy denies it, so the caller's own policies do not matter."
		f.Remedy = "Have the Deny taken out of the endpoint's policy, or run unjam from outside the VPC."
	}
	f.Subject, f.About = subject(b.scope, b.service)
	for _, g := range b.gaps {
		f.Evidence = append(f.Evidence, fault.Evidence{Class: fault.Reported, Field: g.Source.Service + ":" + g.Source.Operation, Got: "denied", Want: "allowed", Text: g.Why, Source: g.Source})
	}
	need := bothPrefixes(b.actions)
	which, ids := policies(s, b, need)
	f.Evidence = append(f.Evidence, which...)
	switch {
	case len(ids) > 0:
		f.Cause.Text += " It is the policy of " + strings.Join(ids, " or ") + "."
	case s.Answered(q):
		f.Cause.Text += " This account's own endpoints allow it: the call took one of another account, or conditions of theirs refuse it."
	default:
		if g, lost := s.GapOf(q); lost {
			f.Cause.Text += " The endpoints themselves could not be read: " + missing(g) + "."
		}
	}
	if !b.explicit {
		to := b.scope.Region + " endpoints of " + b.service
		if len(ids) > 0 {
			to = strings.Join(ids, ", ")
		}
		f.Details.Grant = &fault.Grant{To: to, Document: statement(s.Question().Account, need), Class: fault.Inferred, Checked: "not checked: Access Analyzer was not asked about the endpoint's policy"}
	}
	return f
}

func missing(g fact.Gap) string {
	if g.Permission != "" {
		return g.Permission + " is missing"
	}
	return g.Why
}

// unanswered are the calls to the newer name of the connections that never got an answer.
func unanswered(s *fact.Snapshot) []fact.Gap {
	var all []fact.Gap
	for _, g := range s.Gaps() {
		if g.Source.Service == "codeconnections" && g.Source.RequestID == "" && onTheWay(g) {
			all = append(all, g)
		}
	}
	return all
}

// onTheWay reports whether a gap is a name that does not resolve, or a dial or answer that did not come.
func onTheWay(g fact.Gap) bool {
	switch g.Class {
	case fact.Timeout:
		return !strings.Contains(g.Why, "the time was up") // the user's own limit
	case fact.Failed:
		return strings.Contains(g.Why, "cannot be resolved") || strings.Contains(g.Why, "no connection to ")
	}
	return false
}

// byName is the finding about a name that the endpoint does not cover: only where there is an endpoint that other callers rely on.
func byName(s *fact.Snapshot, g fact.Gap, scope fact.Scope) (fault.Finding, bool) {
	ends := of(s, scope, connectionsService)
	i := slices.IndexFunc(ends, func(e fact.Endpoint) bool { return e.PrivateDNS })
	if i < 0 {
		return fault.Finding{}, false
	}
	e := ends[i]
	old, now := "codestar-connections."+scope.Region+".amazonaws.com", "codeconnections."+scope.Region+".amazonaws.com"
	f := fault.Finding{
		Title: "VPC endpoint stands between unjam and AWS", Severity: fault.Medium, Bucket: fault.Network,
		Message: fmt.Sprintf("Calls to %s get no answer from here: what they would show stays unknown.", now),
		Cause: fault.Cause{Code: privateDNS, Class: fault.Inferred, Text: fmt.Sprintf("Likely unjam runs in %s, whose endpoint %s answers to %s only: calls to %s go past it and find no other way out.",
			e.VPC, e.ID, old, now)},
		Remedy: "Give the VPC a way to " + now + ", or run unjam from outside the VPC.",
		Evidence: []fault.Evidence{
			{Class: fault.Verified, Field: g.Source.Service + ":" + g.Source.Operation, Got: "no answer", Want: "an answer", Text: g.Why, Source: g.Source},
			fault.Ev(fault.Verified, e, "PrivateDnsEnabled of "+e.ID, "true, for "+old, ""),
		},
	}
	f.Subject, f.About = subject(scope, connectionsService)
	return f, true
}
