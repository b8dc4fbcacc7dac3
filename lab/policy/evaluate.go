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
	Trust    Type = "role trust policy"
)

// Policy is a document in force and what it is called.
type Policy struct {
	ID  string // name, as a simulation shows it
	ARN string // "" for an inline policy, which has none
	Of  string // where it hangs: user, role, aws-managed, user-managed, resource, none
	Doc *Document
}

// Set is everything that governs one principal. A nil Boundary or Session means that there is none; an empty one, which
// is not nil, allows nothing.
type Set struct {
	Root     bool // the account's root user: only SCPs govern it
	Identity []Policy
	Boundary []Policy
	Session  []Policy
	SCPs     [][]Policy // one list per level of the organisation, each of which must allow; none: no organisation
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

// Evaluate judges a request by AWS's logic: a Deny anywhere refuses; then every level of SCPs, the identity-based
// policies, the boundary and the session policy must each allow, as far as they exist. When several would refuse, the
// first in that order is named, a Deny before the lack of an Allow.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func Evaluate(s Set, q Request) Result {
	gates := s.gates()
	for _, g := range gates {
		if m := matches(g.policies, q, false); m != nil {
			return Result{Explicit: true, Type: g.kind, ARN: m[0].Policy.ARN, Action: q.Action, Matched: m}
		}
	}
	for _, g := range gates {
		if matches(g.policies, q, true) == nil {
			return Result{Type: g.kind, Action: q.Action}
		}
	}
	r := Result{Allowed: true, Action: q.Action}
	if !s.Root {
		r.Matched = matches(s.Identity, q, true)
	}
	return r
}

type gate struct {
	kind     Type
	policies []Policy
}

// gates lists what must allow a request, in the order in which refusals are named.
func (s Set) gates() []gate {
	var all []gate
	for _, level := range s.SCPs {
		all = append(all, gate{SCP, level})
	}
	if s.Root {
		return all
	}
	all = append(all, gate{Identity, s.Identity})
	if s.Boundary != nil {
		all = append(all, gate{Boundary, s.Boundary})
	}
	if s.Session != nil {
		all = append(all, gate{Session, s.Session})
	}
	return all
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
