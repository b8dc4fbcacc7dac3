package fact

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// RolePolicies are a role's policies as IAM holds them: what says yes and no to it, as far as it can be read.
type RolePolicies struct {
	Seen
	ARN       string           `json:"arn"`
	Name      string           `json:"name"`
	Created   time.Time        `json:"created,omitzero"`
	Trust     string           `json:"trust"`              // who may assume it: a policy document
	Boundary  string           `json:"boundary,omitempty"` // ARN of its permissions boundary
	Bounds    string           `json:"bounds,omitempty"`   // the boundary's document
	Documents []PolicyDocument `json:"documents"`
	Unread    []string         `json:"unread,omitempty"` // names of inline policies whose document was not read
	More      bool             `json:"more,omitempty"`   // there are more policies than were listed
}

// PolicyDocument is one policy of a role.
type PolicyDocument struct {
	Name     string `json:"name"`
	ARN      string `json:"arn,omitempty"` // "" when it is inline
	Document string `json:"document"`
}

// PolicyCheck is what Access Analyzer's ValidatePolicy finds in a policy document.
type PolicyCheck struct {
	Seen
	Findings []PolicyIssue `json:"findings"`
}

// PolicyIssue is one of its findings.
type PolicyIssue struct {
	Kind string `json:"kind"` // ERROR, SECURITY_WARNING, WARNING, SUGGESTION
	Code string `json:"code"`
	Text string `json:"text"`
}

// NewAccess is what Access Analyzer's CheckNoNewAccess says of a policy beside an existing one. AWS charges for it.
type NewAccess struct {
	Seen
	Result  string   `json:"result"` // PASS: nothing new; FAIL: new access, in Reasons
	Message string   `json:"message"`
	Reasons []string `json:"reasons,omitempty"`
}

// Openings are what IAM Access Analyzer finds open to others than the account about one resource: its active findings.
type Openings struct {
	Seen
	Analyzer string    `json:"analyzer"` // ARN; "" when no analyzer of the account looks in the Region
	Findings []Opening `json:"findings"`
}

// Opening is one of its findings.
type Opening struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"` // ExternalAccess, for example
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// Decoded is an authorization message that STS decoded.
type Decoded struct {
	Seen
	Allowed   bool   `json:"allowed"`
	Explicit  bool   `json:"explicit"`
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
}

// Merged are the role's policies as one document, without statement IDs, which may occur in more than one of them. A document that
// cannot be read is left out.
func (r RolePolicies) Merged() string {
	all := []json.RawMessage{}
	for _, d := range r.Documents {
		statements, err := rawStatements(d.Document)
		if err != nil {
			continue
		}
		for _, raw := range statements {
			var m map[string]json.RawMessage
			if json.Unmarshal(raw, &m) != nil {
				continue
			}
			delete(m, "Sid")
			if b, err := json.Marshal(m); err == nil {
				all = append(all, b)
			}
		}
	}
	b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": all})
	if err != nil {
		panic("fact: policy does not marshal: " + err.Error()) // it consists of valid JSON
	}
	return string(b)
}

// Statement is one statement of a policy document, as far as it can be told without a request: what it is about, and under which
// condition keys.
type Statement struct {
	Sid          string
	Allow        bool // else it denies
	Actions      []string
	NotActions   []string
	Resources    []string
	NotResources []string
	Keys         []string // condition keys, in order
	Tests        []Test   // the conditions themselves; all have to hold
	// Principals are whom a statement of a resource's policy is about: ARNs, account IDs, services, "*"; NotPrincipals whom it is not about.
	Principals, NotPrincipals []string
}

// Statements reads a policy document.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Statements(document string) ([]Statement, error) {
	raws, err := rawStatements(document)
	if err != nil {
		return nil, err
	}
	var all []Statement
	for _, raw := range raws {
		var m struct {
			Sid, Effect                              string
			Action, NotAction, Resource, NotResource list
			Condition                                map[string]map[string]json.RawMessage
			Principal, NotPrincipal                  principals
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, fmt.Errorf("read policy statement: %w", err)
		}
		s := Statement{Sid: m.Sid, Allow: m.Effect == "Allow", Actions: m.Action, NotActions: m.NotAction, Resources: m.Resource, NotResources: m.NotResource}
		s.Principals, s.NotPrincipals = m.Principal, m.NotPrincipal
		keys := map[string]bool{}
		for _, tests := range m.Condition {
			for k := range tests {
				keys[k] = true
			}
		}
		s.Keys, s.Tests = slices.Sorted(maps.Keys(keys)), testsOf(m.Condition)
		all = append(all, s)
	}
	return all, nil
}

// rawStatements are a document's statements: a list, or one that stands alone.
func rawStatements(document string) ([]json.RawMessage, error) {
	var d struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return nil, fmt.Errorf("read policy document: %w", err)
	}
	var all []json.RawMessage
	if err := json.Unmarshal(d.Statement, &all); err != nil {
		if len(d.Statement) == 0 {
			return nil, nil
		}
		all = []json.RawMessage{d.Statement}
	}
	return all, nil
}

// list is a member that holds one text or several.
type list []string

// UnmarshalJSON reads either form.
func (l *list) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = list{one}
		return nil
	}
	var all []string
	if err := json.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("read list of texts: %w", err)
	}
	*l = all
	return nil
}

// principals is "*", or lists by the sort of principal.
type principals []string

// UnmarshalJSON reads either form.
func (p *principals) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*p = principals{one}
		return nil
	}
	var all map[string]list
	if err := json.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("read principals: %w", err)
	}
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		*p = append(*p, all[kind]...)
	}
	return nil
}

// About reports whether a statement of a resource's policy is about a role: by its ARN, its account or everybody. A role's sessions, which such a
// policy may name too, count as the role.
func (s Statement) About(role string) bool {
	a, err := ParseARN(role)
	if err != nil {
		return false
	}
	is := func(p string) bool {
		return p == "*" || p == role || p == a.Account || p == "arn:"+a.Partition+":iam::"+a.Account+":root" || strings.Contains(p, ":assumed-role/"+a.Name()+"/")
	}
	if len(s.NotPrincipals) > 0 {
		return !slices.ContainsFunc(s.NotPrincipals, is)
	}
	return slices.ContainsFunc(s.Principals, is)
}

// Names reports whether the statement is about the action. Actions know no upper and lower case.
func (s Statement) Names(action string) bool {
	action = strings.ToLower(action)
	matches := func(p string) bool { return glob(strings.ToLower(p), action) }
	if len(s.NotActions) > 0 {
		return !slices.ContainsFunc(s.NotActions, matches)
	}
	return slices.ContainsFunc(s.Actions, matches)
}

// Covers reports whether the statement is about the action on the resource, conditions aside. Policy variables match nothing.
func (s Statement) Covers(action, resource string) bool {
	if !s.Names(action) {
		return false
	}
	matches := func(p string) bool { return glob(p, resource) }
	if len(s.NotResources) > 0 {
		return !slices.ContainsFunc(s.NotResources, matches)
	}
	return slices.ContainsFunc(s.Resources, matches)
}

// glob matches the wildcards of policies: * for any text, ? for one character.
func glob(pattern, text string) bool {
	star, mark := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0: // the last star takes one character more
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
