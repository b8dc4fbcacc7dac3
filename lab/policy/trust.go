package policy

import "strings"

// Who is a principal as a trust policy sees it.
type Who struct {
	Account string
	ARN     string // the caller's own: arn:aws:sts::111111111111:assumed-role/Admin/ada, or the user's
	Source  string // the role or user behind it: arn:aws:iam::111111111111:role/Admin
	Service string // service principal, for example codepipeline.amazonaws.com; then the rest is empty
}

// Grant is how directly a trust policy names a principal.
type Grant int

// The grants, from none to the most direct.
const (
	NoGrant      Grant = iota
	AccountGrant       // by the account or "*": identity-based policies must allow as well
	RoleGrant          // by the role's ARN: boundary and session policy must still allow
	DirectGrant        // by the user's, session's or service's own name: nothing else need allow
)

// EvaluateTrust judges a request by a trust policy alone. The result is allowed with the most direct grant found, or
// refused, explicitly or for want of an Allow.
func EvaluateTrust(trust Policy, who Who, q Request) (Result, Grant) {
	for _, m := range matches([]Policy{trust}, q, false) {
		if m.Statement.grant(who) != NoGrant {
			return Result{Explicit: true, Type: Trust, Action: q.Action, Matched: []Match{m}}, NoGrant
		}
	}
	best := NoGrant
	r := Result{Type: Trust, Action: q.Action}
	for _, m := range matches([]Policy{trust}, q, true) {
		g := m.Statement.grant(who)
		if g != NoGrant {
			r.Matched = append(r.Matched, m)
		}
		best = max(best, g)
	}
	if best != NoGrant {
		r.Allowed, r.Type = true, ""
	}
	return r, best
}

// Denial judges a request by the Deny statements alone of policies that name principals: explicitly refused, or allowed.
func Denial(of Type, policies []Policy, who Who, q Request) Result {
	if m := (gate{kind: of, policies: policies, named: true}).matches(who, q, false); m != nil {
		return Result{Explicit: true, Type: of, ARN: m[0].Policy.ARN, Action: q.Action, Matched: m}
	}
	return Result{Allowed: true, Action: q.Action}
}

func (s *Statement) grant(who Who) Grant {
	if s.NotPrincipal != nil {
		if named(s.NotPrincipal, who) == NoGrant {
			return AccountGrant
		}
		return NoGrant
	}
	return named(s.Principal, who)
}

func named(principals map[string][]string, who Who) Grant {
	best := NoGrant
	if who.Service != "" {
		for _, p := range principals["Service"] {
			if strings.EqualFold(p, who.Service) {
				best = DirectGrant
			}
		}
	}
	for _, p := range principals["AWS"] {
		best = max(best, namedAWS(p, who))
	}
	return best
}

func namedAWS(p string, who Who) Grant {
	switch {
	case p == "*":
		return AccountGrant
	case who.Account == "":
		return NoGrant
	case p == who.Account, p == "arn:aws:iam::"+who.Account+":root":
		return AccountGrant
	case p == who.ARN:
		return DirectGrant
	case p == who.Source:
		return RoleGrant
	}
	return NoGrant
}
