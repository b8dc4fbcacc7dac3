package accessanalyzer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
	"github.com/unjam/unjam/lab/svc/iam"
)

// read parses a document of a policy type as the checks take it.
func read(text, policyType string) (*policy.Document, error) {
	switch policyType {
	case "IDENTITY_POLICY":
		return policy.Parse(text, policy.Permissions)
	case "RESOURCE_POLICY":
		if d, err := policy.Parse(text, policy.TrustPolicy); err == nil {
			return d, nil
		}
		return policy.Parse(text, policy.ResourcePolicy)
	}
	return nil, invalid("policyType is not a type of policy that can be checked")
}

// documents reads the documents that a check compares.
func documents(r *cloud.Request, members ...string) ([]*policy.Document, error) {
	var all []*policy.Document
	for _, m := range members {
		if r.Str(m) == "" || r.Str("policyType") == "" {
			return nil, invalid("a policy document or the policy type is missing")
		}
		d, err := read(r.Str(m), r.Str("policyType"))
		if _, bad := err.(*policy.Syntax); bad {
			return nil, &cloud.Error{Code: "UnprocessableEntityException", Message: "The policy document is not valid: " + err.Error(), Status: 422}
		} else if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// checkNoNewAccess fails when the new document allows something that the existing one does not. Both are asked about every
// action, resource and principal that either of them names, wildcards standing for something that nobody names. Conditions
// are compared as text.
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CheckNoNewAccess.html
func (s *Service) checkNoNewAccess(r *cloud.Request) (map[string]any, error) {
	docs, err := documents(r, "newPolicyDocument", "existingPolicyDocument")
	if err != nil {
		return nil, err
	}
	modified, existing := docs[0], docs[1]
	p := probesOf(modified, existing)
	reasons := []any{}
	for i := range modified.Statements {
		if st := &modified.Statements[i]; st.Allow && p.any(st, func(x probe) bool {
			return !denies(modified, x) && (!grants(existing, st, x) || lifts(modified, existing, x))
		}) {
			reasons = append(reasons, reason("New access in the statement with index: %d.", i, st.SID))
		}
	}
	if len(reasons) == 0 {
		return map[string]any{"result": "PASS", "message": "The modified permissions do not grant new access compared to your existing policy.", "reasons": reasons}, nil
	}
	return map[string]any{"result": "FAIL", "message": "The modified permissions grant new access compared to your existing policy.", "reasons": reasons}, nil
}

func reason(format string, index int, sid string) map[string]any {
	m := map[string]any{"description": fmt.Sprintf(format, index), "statementIndex": index}
	if sid != "" {
		m["statementId"] = sid
	}
	return m
}

// checkAccessNotGranted fails when the document allows one of the listed actions on one of the listed resources, on any
// resource when none is listed.
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CheckAccessNotGranted.html
func (s *Service) checkAccessNotGranted(r *cloud.Request) (map[string]any, error) {
	docs, err := documents(r, "policyDocument")
	if err != nil {
		return nil, err
	}
	list := r.List("access")
	if len(list) != 1 {
		return nil, invalid("access has exactly one entry")
	}
	access, _ := list[0].(map[string]any)
	actions, resources := texts(access["actions"]), texts(access["resources"])
	if len(actions)+len(resources) == 0 {
		return nil, invalid("access names actions, resources or both")
	}
	p := probesOf(docs[0])
	if actions != nil {
		p.actions = solid(actions)
	}
	if resources != nil {
		p.resources = solid(resources)
	}
	reasons := []any{}
	for i := range docs[0].Statements {
		if st := &docs[0].Statements[i]; st.Allow && p.any(st, func(x probe) bool { return !denies(docs[0], x) }) {
			reasons = append(reasons, reason("One or more of the listed actions or resources in the statement with index: %d.", i, st.SID))
		}
	}
	if len(reasons) == 0 {
		return map[string]any{"result": "PASS", "message": "The policy document does not grant access to perform one or more of the listed actions or resources.", "reasons": reasons}, nil
	}
	return map[string]any{"result": "FAIL", "message": "The policy document grants access to perform one or more of the listed actions or resources.", "reasons": reasons}, nil
}

// probe is one thing to ask a document about.
type probe struct{ action, resource, principal string }

// probes are all actions, resources and principals to ask about.
type probes struct{ actions, resources, principals []string }

func probesOf(docs ...*policy.Document) probes {
	p := probes{actions: []string{"lab-probe:LabProbe"}, resources: []string{"arn:aws:lab-probe:::lab-probe"}}
	for _, d := range docs {
		for i := range d.Statements {
			st := &d.Statements[i]
			p.actions = append(p.actions, solid(slices.Concat(st.Actions, st.NotActions))...)
			p.resources = append(p.resources, solid(slices.Concat(st.Resources, st.NotResources))...)
			p.principals = append(p.principals, namesOf(st)...)
		}
	}
	if len(p.principals) == 0 {
		p.principals = []string{""}
	}
	return probes{unique(p.actions), unique(p.resources), unique(p.principals)}
}

func unique(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// solid puts a name that nobody uses in the place of wildcards.
func solid(patterns []string) []string {
	var all []string
	for _, p := range patterns {
		if p == "*" {
			continue // the general probe stands for it
		}
		all = append(all, strings.NewReplacer("*", "LabProbe", "?", "L").Replace(p))
	}
	return all
}

// namesOf are a statement's principals, each with its type.
func namesOf(st *policy.Statement) []string {
	var all []string
	for kind, names := range st.Principal {
		for _, n := range names {
			all = append(all, kind+" "+n)
		}
	}
	return all
}

// any reports whether one of the probes that a statement covers is so.
func (p probes) any(st *policy.Statement, so func(probe) bool) bool {
	for _, a := range p.actions {
		for _, r := range p.resources {
			for _, who := range p.principals {
				if x := (probe{a, r, who}); covers(st, x) && so(x) {
					return true
				}
			}
		}
	}
	return false
}

func covers(st *policy.Statement, x probe) bool {
	if !st.Covers(x.action, x.resource) {
		return false
	}
	names := namesOf(st)
	return len(names) == 0 || slices.Contains(names, x.principal) || slices.Contains(names, "AWS *")
}

// denies reports whether a document denies a probe whatever the request's condition keys are.
func denies(d *policy.Document, x probe) bool {
	return slices.ContainsFunc(d.Statements, func(st policy.Statement) bool {
		return !st.Allow && len(st.Conditions) == 0 && covers(&st, x)
	})
}

// lifts reports whether the existing document denies a probe under conditions under which the modified one does not.
func lifts(modified, existing *policy.Document, x probe) bool {
	for i := range existing.Statements {
		st := &existing.Statements[i]
		kept := func(n policy.Statement) bool { return !n.Allow && conditions(&n) == conditions(st) && covers(&n, x) }
		if !st.Allow && len(st.Conditions) > 0 && covers(st, x) && !slices.ContainsFunc(modified.Statements, kept) {
			return true
		}
	}
	return false
}

// grants reports whether a document allows a probe under no more conditions than the statement that is compared with it.
func grants(d *policy.Document, like *policy.Statement, x probe) bool {
	granted := false
	for i := range d.Statements {
		st := &d.Statements[i]
		if !covers(st, x) {
			continue
		}
		if !st.Allow && len(st.Conditions) == 0 {
			return false
		}
		if st.Allow && (len(st.Conditions) == 0 || conditions(st) == conditions(like)) {
			granted = true
		}
	}
	return granted
}

// conditions is what a statement demands beside action, resource and principal, in an order of its own.
func conditions(st *policy.Statement) string {
	var all []string
	for _, c := range st.Conditions {
		all = append(all, fmt.Sprint(c.Operator, c.Key, c.Values))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// open reports whether a role's trust policy lets in another account or everybody.
func open(role iam.Role) bool {
	d, err := policy.Parse(role.Trust, policy.TrustPolicy)
	if err != nil {
		return false
	}
	for _, st := range d.Statements {
		for _, p := range st.Principal["AWS"] {
			parts := strings.SplitN(p, ":", 6)
			if own := p == role.Account || len(parts) == 6 && parts[4] == role.Account; st.Allow && !own {
				return true
			}
		}
	}
	return false
}
