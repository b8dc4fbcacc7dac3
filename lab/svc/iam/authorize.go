package iam

import (
	"sort"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

// Authorize judges what a principal may do by all policies that govern it; it is the cloud's authoriser. An AWS service
// calling in its own name is allowed, the root user is governed by SCPs only, a principal whose role or user does
// not exist may do nothing.
func (s *Service) Authorize(p cloud.Principal, a cloud.Access) cloud.Decision {
	if p.Type == "AWSService" {
		return cloud.Decision{Allowed: true}
	}
	return decision(s.judge(p, request(s, p, a)))
}

func decision(r policy.Result) cloud.Decision {
	return cloud.Decision{Allowed: r.Allowed, Why: r.Why()}
}

func (s *Service) judge(p cloud.Principal, q policy.Request) policy.Result {
	set, ok := s.governing(p, q)
	if !ok { // a document that cannot be read, which only a hand-made session policy can be: nothing is allowed
		return policy.Result{Type: policy.Session, Action: q.Action}
	}
	return policy.Evaluate(set, q)
}

// request fills in the condition keys that follow from the principal and the resource.
func request(s *Service, p cloud.Principal, a cloud.Access) policy.Request {
	ctx := policy.Values{}
	for k, v := range a.Context {
		ctx[k] = v
	}
	set := func(k, v string) {
		if v != "" {
			ctx[k] = []string{v}
		}
	}
	if p.Type == "AWSService" { // the condition that the consoles of services write into the trust policies of the roles they make
		set("aws:SourceAccount", p.Account)
	}
	set("aws:PrincipalArn", p.Source)
	set("aws:PrincipalAccount", p.Account)
	set("aws:userid", p.UserID)
	set("aws:SecureTransport", "true")
	set("aws:PrincipalIsAWSService", "false")
	types := map[string]string{"Root": "Account", "IAMUser": "User", "AssumedRole": "AssumedRole"}
	set("aws:PrincipalType", types[p.Type])
	if e, ok := s.byARN(p.Source, s.effective); ok {
		for k, v := range e.Tags {
			ctx["aws:PrincipalTag/"+k] = []string{v}
		}
		if e.Kind == "user" {
			set("aws:username", e.Name)
		}
	}
	if parts := strings.SplitN(a.Resource, ":", 6); len(parts) == 6 {
		set("aws:ResourceAccount", parts[4])
	}
	return policy.Request{Action: a.Action, Resource: a.Resource, Context: ctx}
}

// governing collects the policies that govern a principal's request, as they are in force by now; false when its session
// policy is unreadable.
func (s *Service) governing(p cloud.Principal, q policy.Request) (policy.Set, bool) {
	set := policy.Set{Root: p.Type == "Root", Who: whoIs(p), SCPs: s.levels(p.Account)}
	set.Resource, set.Foreign = s.resourcePolicies(p, q)
	if _, held := s.guard(q.Resource); held { // https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
		set.Strict = strings.HasPrefix(q.Resource, "arn:aws:kms:")
	}
	e, ok := s.byARN(p.Source, s.effective)
	if linked := ok && strings.HasPrefix(e.Path, "/aws-service-role/"); linked {
		set.SCPs = nil // neither SCPs nor RCPs touch service-linked roles
	} else {
		set.RCPs = s.resourceControls(p, q)
	}
	if set.Root {
		return set, true
	}
	if ok {
		set.Identity, set.Boundary = s.identity(e), s.boundary(e)
	}
	if p.SessionPolicy != "" {
		d, err := s.parse(p.SessionPolicy, policy.Permissions)
		if err != nil {
			return set, false
		}
		set.Session = []policy.Policy{{ID: "session", Of: "none", Doc: d}}
	}
	return set, true
}

func whoIs(p cloud.Principal) policy.Who {
	if p.Type == "AWSService" {
		return policy.Who{Service: p.ARN}
	}
	return policy.Who{Account: p.Account, ARN: p.ARN, Source: p.Source}
}

// identity lists an entity's inline policies by name, then its managed ones in order of attachment.
func (s *Service) identity(e Entity) []policy.Policy {
	var names []string
	for n := range e.Inline {
		names = append(names, n)
	}
	sort.Strings(names)
	var all []policy.Policy
	for _, n := range names {
		if d, err := s.parse(e.Inline[n], policy.Permissions); err == nil {
			all = append(all, policy.Policy{ID: n, Of: e.Kind, Doc: d})
		}
	}
	for _, arn := range e.Attached {
		if p, ok := s.managedPolicy(arn); ok {
			all = append(all, p)
		}
	}
	return all
}

func (s *Service) managedPolicy(arn string) (policy.Policy, bool) {
	m, ok := s.policyEffective(arn)
	if !ok {
		return policy.Policy{}, false
	}
	d, err := s.parse(m.Document(), policy.Permissions)
	of := "user-managed"
	if strings.HasPrefix(arn, awsPrefix) {
		of = "aws-managed"
	}
	return policy.Policy{ID: m.Name, ARN: arn, Of: of, Doc: d}, err == nil
}

// boundary is nil when the entity has none, and empty, allowing nothing, when its policy is gone.
func (s *Service) boundary(e Entity) []policy.Policy {
	if e.Boundary == "" {
		return nil
	}
	if p, ok := s.managedPolicy(e.Boundary); ok {
		return []policy.Policy{p}
	}
	return []policy.Policy{}
}

// MayAssume judges sts:AssumeRole on a role by its trust policy and, as far as the trust policy does not name the caller
// directly, by the caller's own policies; across accounts both must always allow. A role that does not exist is
// refused without a reason, as AWS refuses it; so is the root user, who may assume no role at all.
func (s *Service) MayAssume(p cloud.Principal, roleARN string) cloud.Decision {
	e, ok := s.byARN(roleARN, s.effective)
	if !ok || e.Kind != "role" || p.Type == "Root" {
		return cloud.Decision{}
	}
	d, err := s.parse(e.Trust, policy.TrustPolicy)
	if err != nil {
		return cloud.Decision{}
	}
	who := whoIs(p)
	q := request(s, p, cloud.Access{Action: "sts:AssumeRole", Resource: roleARN, Context: map[string][]string{"aws:RequestedRegion": {"us-east-1"}}})
	trust, grant := policy.EvaluateTrust(policy.Policy{ID: e.Name, Of: "resource", Doc: d}, who, q)
	if p.Type == "AWSService" {
		if r := policy.Denial(policy.RCP, s.resourceControls(p, q), who, q); r.Explicit {
			return decision(r)
		}
		return decision(trust)
	}
	own := s.judge(p, q)
	switch {
	case own.Explicit || own.Type == policy.SCP:
		return decision(own)
	case !trust.Allowed:
		return decision(trust)
	case own.Allowed:
		return decision(own)
	case p.Account == e.Account && grant == policy.DirectGrant:
		return cloud.Decision{Allowed: true}
	case p.Account == e.Account && grant == policy.RoleGrant && s.bounded(p, q):
		return cloud.Decision{Allowed: true}
	}
	return decision(own)
}

// bounded reports whether everything but the identity-based policies allows.
func (s *Service) bounded(p cloud.Principal, q policy.Request) bool {
	set, ok := s.governing(p, q)
	if !ok {
		return false
	}
	full, err := s.parse(fullAccess, policy.Permissions)
	if err != nil {
		return false
	}
	set.Identity = []policy.Policy{{ID: "trust", Of: "resource", Doc: full}}
	return policy.Evaluate(set, q).Allowed
}
