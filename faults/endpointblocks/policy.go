package endpointblocks

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// document is a policy as far as it is looked at here. Resources, principals and conditions are not judged.
type document struct {
	Statement oneOrMore[entry]
}

type entry struct {
	Effect    string
	Action    oneOrMore[string]
	NotAction oneOrMore[string]
}

// oneOrMore is a member that is a value or a list of them.
type oneOrMore[T any] []T

// UnmarshalJSON takes both.
func (o *oneOrMore[T]) UnmarshalJSON(b []byte) error {
	var list []T
	if json.Unmarshal(b, &list) == nil {
		*o = list
		return nil
	}
	var one T
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*o = []T{one}
	return nil
}

// policies says which endpoints of the service lack which of the actions that are needed, or deny them, with their IDs.
func policies(s *fact.Snapshot, b blocked, need []string) (evidence []fault.Evidence, ids []string) {
	for _, e := range of(s, b.scope, b.service) {
		var d document
		if e.Policy == "" || json.Unmarshal([]byte(e.Policy), &d) != nil {
			continue
		}
		var lacks, refused []string
		for _, a := range need {
			switch allowed, deniedIt := d.says(a); {
			case deniedIt:
				refused = append(refused, a)
			case !allowed:
				lacks = append(lacks, a)
			}
		}
		if len(lacks)+len(refused) == 0 {
			continue
		}
		ids = append(ids, e.ID)
		got := "lacks " + strings.Join(lacks, ", ")
		switch {
		case len(lacks) == 0:
			got = "denies " + strings.Join(refused, ", ")
		case len(refused) > 0:
			got += " and denies " + strings.Join(refused, ", ")
		}
		evidence = append(evidence, fault.Ev(fault.Verified, e, "PolicyDocument of "+e.ID+" in "+e.VPC, got, "allows them"))
	}
	return evidence, ids
}

// says reports whether some statement allows an action and whether some statement denies it.
func (d document) says(action string) (allowed, denied bool) {
	for _, st := range d.Statement {
		fits := slices.ContainsFunc(st.Action, func(p string) bool { return match(p, action) })
		if len(st.NotAction) > 0 {
			fits = !slices.ContainsFunc(st.NotAction, func(p string) bool { return match(p, action) })
		}
		switch {
		case fits && st.Effect == "Deny":
			denied = true
		case fits && st.Effect == "Allow":
			allowed = true
		}
	}
	return allowed, denied
}

// match is IAM's matching of actions: stars and question marks, in any case.
func match(pattern, action string) bool {
	pattern, action = strings.ToLower(pattern), strings.ToLower(action)
	p, a, star, from := 0, 0, -1, 0
	for a < len(action) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, a
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == action[a]):
			p++
			a++
		case star >= 0:
			from++
			p, a = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// bothPrefixes are the actions with the ones of connections under both prefixes (docs/aws-facts.md, "Two prefixes").
func bothPrefixes(actions []string) []string {
	var all []string
	for _, a := range actions {
		prefix, name, _ := strings.Cut(a, ":")
		if serviceOf(a) == connectionsService {
			all = append(all, "codeconnections:"+name, "codestar-connections:"+name)
		} else {
			all = append(all, prefix+":"+name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// statement is the policy that would let the actions through, for principals of the account.
func statement(account string, actions []string) json.RawMessage {
	doc := map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": "*",
		"Condition": map[string]any{"StringEquals": map[string]any{"aws:PrincipalAccount": account}},
	}}}
	b, err := json.Marshal(doc)
	if err != nil {
		panic("endpointblocks: statement does not marshal: " + err.Error())
	}
	return b
}
