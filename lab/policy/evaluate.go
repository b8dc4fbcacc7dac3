package policy

import "strings"

// Type is a policy type, in the words of AWS's access denied messages.
type Type string

// The policy types that take part in a decision.
const (
	Identity Type = "identity-based policy"
	Boundary Type = "permissions boundary"
	Session  Type = "session policy"
	SCP      Type = "service control policy"
	RCP      Type = "resource control policy"
	Endpoint Type = "VPC endpoint policy"
	Resource Type = "resource-based policy"
	Trust    Type = "role trust policy"
)

// Policy is a document in force and what it is called.
type Policy struct {
	ID  string // name, as a simulation shows it
	ARN string // "" for an inline policy, which has none
	Of  string // where it hangs: user, role, aws-managed, user-managed, resource, none
	Doc *Document
}

// Set is everything that governs one principal's access to one resource. A nil Boundary, Session or Endpoint means that
// there is none; an empty one, which is not nil, allows nothing.
type Set struct {
	Root     bool // the account's root user: no identity-based policy, boundary or session policy governs it
	Who      Who  // the principal, as policies that name principals see it
	Identity []Policy
	Boundary []Policy
	Session  []Policy
	SCPs     [][]Policy // one list per level of the organisation, each of which must allow; none: no organisation
	RCPs     []Policy   // of the resource's account; they stand beside RCPFullAWSAccess, so that only their denials count
	Endpoint []Policy   // of the VPC endpoint that the call goes through
	Resource []Policy   // on the resource itself
	Foreign  bool       // the resource belongs to another account: its own policy must allow as well
	Strict   bool       // the resource's own policy must allow whoever asks, by name or by account, as a KMS key's does
}

// Request is what is to be judged.
type Request struct {
	Action, Resource string
	Context          Values
}

// Match is a statement that applied to a request.
type Match struct {
	Policy    Policy
	Statement *Statement
}

// Result is a decision and its reason: the one policy type that decided.
type Result struct {
	Allowed  bool
	Explicit bool   // refused by a Deny statement, not by the lack of an Allow
	Type     Type   // the type that refused; "" when allowed
	ARN      string // of the policy that refused explicitly, when it has one
	Action   string
	Matched  []Match // statements that applied and have the effect of the result
}

// Why is the clause that AWS appends to an access denied message, "" when the request is allowed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (r Result) Why() string {
	if r.Allowed || r.Type == "" {
		return ""
	}
	if !r.Explicit {
		return "because no " + string(r.Type) + " allows the " + r.Action + " action"
	}
	article := "a "
	switch r.Type {
	case Identity:
		article = "an "
	case Trust:
		article = "the "
	}
	why := "with an explicit deny in " + article + string(r.Type)
	if r.ARN != "" {
		why += ": " + r.ARN
	}
	return why
}

// Evaluate judges a request by AWS's logic: a Deny anywhere refuses; then every level of SCPs, the VPC endpoint policy, the
// identity-based or the resource-based policy (both when the resource is another account's), the boundary and the session
// policy must each allow, as far as they exist. When several would refuse, the first in that order is named, a Deny
// before the lack of an Allow. A resource-based policy that names a session or a user itself allows past boundary and
// session policy as well.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func Evaluate(s Set, q Request) Result {
	gates := s.gates()
	for _, g := range gates {
		if m := g.matches(s.Who, q, false); m != nil {
			return Result{Explicit: true, Type: g.kind, ARN: m[0].Policy.ARN, Action: q.Action, Matched: m}
		}
	}
	grant := s.granted(q)
	for _, g := range gates {
		switch {
		case g.denyOnly, g.kind == Identity && grant != NoGrant && !s.Foreign:
		case g.kind == Resource && !s.Foreign && !s.Strict:
		case (g.kind == Boundary || g.kind == Session) && grant == DirectGrant && !s.Foreign:
		case g.matches(s.Who, q, true) == nil:
			return Result{Type: g.kind, Action: q.Action}
		}
	}
	r := Result{Allowed: true, Action: q.Action}
	if !s.Root {
		r.Matched = matches(s.Identity, q, true)
	}
	return r
}

// granted is how directly the resource's own policy allows a request; no more than NoGrant by the account, which leaves it
// to the account's own policies.
func (s Set) granted(q Request) Grant {
	best := NoGrant
	for _, m := range matches(s.Resource, q, true) {
		best = max(best, m.Statement.grant(s.Who))
	}
	if best == AccountGrant {
		return NoGrant
	}
	return best
}

type gate struct {
	kind     Type
	policies []Policy
	denyOnly bool // its lack of an Allow refuses nothing
	named    bool // its statements name principals
}

// gates lists what must allow a request, in the order in which refusals are named.
func (s Set) gates() []gate {
	var all []gate
	for _, level := range s.SCPs {
		all = append(all, gate{kind: SCP, policies: level})
	}
	all = append(all, gate{kind: RCP, policies: s.RCPs, denyOnly: true, named: true})
	if s.Endpoint != nil {
		all = append(all, gate{kind: Endpoint, policies: s.Endpoint, named: true})
	}
	if !s.Root {
		all = append(all, gate{kind: Identity, policies: s.Identity})
	}
	all = append(all, gate{kind: Resource, policies: s.Resource, named: true})
	if s.Root {
		return all
	}
	if s.Boundary != nil {
		all = append(all, gate{kind: Boundary, policies: s.Boundary})
	}
	if s.Session != nil {
		all = append(all, gate{kind: Session, policies: s.Session})
	}
	return all
}

// matches lists the statements of one effect that apply to the principal; nil when there are none.
func (g gate) matches(who Who, q Request, allow bool) []Match {
	found := matches(g.policies, q, allow)
	if !g.named {
		return found
	}
	var of []Match
	for _, m := range found {
		if m.Statement.grant(who) != NoGrant {
			of = append(of, m)
		}
	}
	return of
}

// matches lists the statements of one effect that apply; nil when there are none.
func matches(policies []Policy, q Request, allow bool) []Match {
	var found []Match
	for _, p := range policies {
		for i := range p.Doc.Statements {
			st := &p.Doc.Statements[i]
			if st.Allow == allow && st.applies(q) {
				found = append(found, Match{p, st})
			}
		}
	}
	return found
}

// applies reports whether action, resource and all conditions fit; who the principal is stands aside.
func (s *Statement) applies(q Request) bool {
	if !s.covers(q.Action, q.Resource, q.Context) {
		return false
	}
	for i := range s.Conditions {
		if !s.Conditions[i].holds(s, q.Context) {
			return false
		}
	}
	return true
}

// Missing lists the condition keys that statements covering the action and resource read and the request does not
// carry, each once.
func Missing(policies []Policy, q Request) []string {
	var all []string
	seen := map[string]bool{}
	for _, p := range policies {
		for i := range p.Doc.Statements {
			st := &p.Doc.Statements[i]
			if !st.mayCover(q) {
				continue
			}
			for _, k := range st.Keys() {
				if _, ok := q.Context.get(k); !ok && !seen[strings.ToLower(k)] {
					seen[strings.ToLower(k)] = true
					all = append(all, k)
				}
			}
		}
	}
	return all
}

// mayCover is covers, with policy variables of unknown value taken to fit.
func (s *Statement) mayCover(q Request) bool {
	if s.covers(q.Action, q.Resource, q.Context) {
		return true
	}
	bare := *s
	bare.Resources, bare.NotResources = nil, nil
	if !bare.covers(q.Action, q.Resource, q.Context) {
		return false
	}
	for _, r := range append(append([]string(nil), s.Resources...), s.NotResources...) {
		if _, ok := s.expand(r, q.Context); !ok {
			return true
		}
	}
	return false
}
