package refusal

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// decoded is what STS made of the encoded message.
func (r Refused) decoded(s *fact.Snapshot) []fault.Evidence {
	for x := range fact.All[fact.Decoded](s) {
		if r.encoded != "" && x.Ref().ID == digest(r.encoded) {
			e := fault.Ev(fault.Verified, x, "decoded message", x.Action, "")
			e.Text = x.Principal + " on " + x.Resource
			if x.Explicit {
				e.Text += ", denied by a statement"
			}
			return []fault.Evidence{e}
		}
	}
	return nil
}

// policies names the statement that denies, or says what the policies allow instead; for a role that cannot be assumed, its trust.
func (r Refused) policies(s *fact.Snapshot) []fault.Evidence {
	role := r.governed()
	x, ok := policiesOf(s, role)
	if !ok {
		return nil
	}
	if role != r.role || r.assumer != "" && r.denial.Principal == "" {
		return []fault.Evidence{fault.Ev(fault.Verified, x, "trust policy of "+x.Name, fmt.Sprintf("lets %s in: %v", r.assumer, r.lets(x.Trust)), "")}
	}
	needs := r.needs()
	if len(needs) == 0 {
		return nil
	}
	need := needs[0]
	for _, j := range r.judged(s) {
		if !j.Allowed {
			need = j.Need
			break
		}
	}
	all := []fault.Evidence{fault.Ev(fault.Verified, x, "policies of "+x.Name, speak(x.Documents, need), "")}
	if x.Boundary != "" {
		say := x.Boundary
		if x.Bounds != "" {
			say = speak([]fact.PolicyDocument{{Name: nameOf(x.Boundary), Document: x.Bounds}}, need)
		}
		all = append(all, fault.Ev(fault.Verified, x, "permissions boundary of "+x.Name, say, ""))
	}
	return all
}

// speak is what policies say of an action on a resource, conditions aside: a Deny first, then an Allow, then an Allow of something near.
func speak(documents []fact.PolicyDocument, n op.Need) string {
	allows, near := "", ""
	for _, d := range documents {
		statements, err := fact.Statements(d.Document)
		if err != nil {
			near = d.Name + " cannot be read as a policy"
			continue
		}
		for i, st := range statements {
			name := d.Name + ", statement " + statementName(st, i)
			switch on := target(n); {
			case st.Covers(n.Action, on) && !st.Allow:
				return name + " denies " + n.Action + under(st)
			case st.Covers(n.Action, on) && allows == "":
				allows = name + " allows " + n.Action + under(st)
			case st.Allow && st.Names(n.Action) && near == "":
				near = name + " allows " + n.Action + " on other resources: " + strings.Join(st.Resources, ", ")
			}
		}
	}
	switch {
	case allows != "":
		return allows
	case near != "":
		return near
	case len(documents) == 0:
		return "it has none"
	case len(documents) == 1:
		return documents[0].Name + " does not allow " + n.Action
	}
	return fmt.Sprintf("none of %s allows %s", fault.Plural(len(documents), "document"), n.Action)
}

func statementName(st fact.Statement, i int) string {
	if st.Sid != "" {
		return st.Sid
	}
	return fmt.Sprint(i + 1)
}

func under(st fact.Statement) string {
	if len(st.Keys) == 0 {
		return ""
	}
	return " under a condition on " + strings.Join(st.Keys, ", ")
}

// grant is the least policy that would mend it, where a policy of the role can: not against a Deny, a boundary, a control policy or a
// trust.
func (r Refused) grant(s *fact.Snapshot, code string) (*fault.Grant, []fact.Query) {
	needs := r.needs()
	if judged := r.judged(s); len(judged) > 1 {
		needs = nil
		for _, j := range judged {
			if !j.Allowed {
				needs = append(needs, j.Need)
			}
		}
	}
	if (code != noIdentity && code != handOver) || len(needs) == 0 || r.role == "" {
		return nil, nil
	}
	text := op.LeastPolicy(needs...).String()
	scope := r.Pipeline.Ref().Scope
	asks := []fact.Query{{Scope: scope, Kind: fact.KindPolicyCheck, ID: digest(text), Args: map[string]string{"document": text}}}
	if x, ok := policiesOf(s, r.role); ok && s.Question().Paid {
		existing := x.Merged()
		asks = append(asks, fact.Query{Scope: scope, Kind: fact.KindNewAccess, ID: digest(text + existing), Args: map[string]string{"document": text, "existing": existing}})
	}
	return &fault.Grant{To: r.role, Document: []byte(text), Class: fault.Inferred, Checked: fault.Checked(s, asks)}, asks
}

// remedy says who has to change what.
func (r Refused) remedy(code string) string {
	switch code {
	case noIdentity, handOver:
		return "Attach the policy below to " + r.role + ", then retry the stage."
	case scp, scpDeny, rcp, identityDeny, boundaryDeny:
		if r.denial.Policy != "" {
			return remedyOf(code) + " The policy is " + r.denial.Policy + "."
		}
	}
	return remedyOf(code)
}

func remedyOf(code string) string {
	for _, c := range causes() {
		if c.Code == code {
			return c.Remedy
		}
	}
	return "Let whoever owns the policy that says no allow the action, then retry the stage."
}
