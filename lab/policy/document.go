// Package policy parses IAM policy documents and evaluates requests against them, naming the policy type that decides.
// It never reads anything but its arguments and never guesses: a document it cannot read is an error, not an empty policy.
package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
)

// Position is a place in a document's text; lines and columns count from 1.
type Position struct{ Line, Column int }

// Document is one parsed policy.
type Document struct {
	Version    string // 2012-10-17, or 2008-10-17 (the default, in which policy variables are plain text)
	ID         string
	Statements []Statement
}

// Statement is one statement of a document. Of each pair (Actions, NotActions) and (Resources, NotResources) at most
// one is set; a trust policy has no resources at all.
type Statement struct {
	SID                     string
	Allow                   bool
	Actions, NotActions     []string
	Resources, NotResources []string
	Principal, NotPrincipal map[string][]string // AWS, Service, Federated, CanonicalUser; "*" stands under AWS
	Conditions              []Condition
	Start, End              Position // where the statement stands in the text; End is just behind it
	variables               bool     // the document's version knows policy variables
}

// Condition is one operator on one key; a statement applies when all its conditions hold.
type Condition struct {
	Operator string // as written, with its ForAnyValue: or ForAllValues: prefix and IfExists suffix
	Key      string
	Values   []string
	test     test
}

// Syntax is what is wrong with a document; its text is the message that IAM answers with.
type Syntax struct{ Message string }

func (e *Syntax) Error() string { return e.Message }

func syntaxf(format string, args ...any) error { return &Syntax{fmt.Sprintf(format, args...)} }

// Kind is the use a document is parsed for: it decides which elements must and must not be there.
type Kind int

// The kinds of documents.
const (
	Permissions    Kind = iota // identity-based policy, boundary, session policy, SCP: resources, no principal
	TrustPolicy                // who may assume a role: principal, no resources
	ResourcePolicy             // resource-based policy, RCP, VPC endpoint policy: principal and resources
)

// Parse reads a document. Every error it returns is a *Syntax, worded as IAM words a MalformedPolicyDocument.
func Parse(text string, kind Kind) (*Document, error) {
	fields, err := object([]byte(text), 0)
	if err != nil {
		return nil, err
	}
	d := &Document{Version: "2008-10-17"}
	var body *field
	for i, f := range fields {
		switch f.name {
		case "Version":
			err = json.Unmarshal(f.raw, &d.Version)
		case "Id":
			err = json.Unmarshal(f.raw, &d.ID)
		case "Statement":
			body = &fields[i]
		default:
			return nil, syntaxf("Syntax errors in policy.")
		}
		if err != nil {
			return nil, syntaxf("Syntax errors in policy.")
		}
	}
	if d.Version != "2012-10-17" && d.Version != "2008-10-17" {
		return nil, syntaxf("The policy must contain a valid version string")
	}
	if body == nil {
		return nil, syntaxf("Syntax errors in policy.")
	}
	return d, d.statements(text, *body, kind)
}

func (d *Document) statements(text string, body field, kind Kind) error {
	parts := []field{body}
	if body.raw[0] == '[' {
		var err error
		if parts, err = array(body.raw, body.at); err != nil {
			return err
		}
	}
	if len(parts) == 0 {
		return syntaxf("Syntax errors in policy.")
	}
	sids := map[string]bool{}
	for _, p := range parts {
		s, err := statement(p, kind)
		if err != nil {
			return err
		}
		if s.SID != "" && sids[s.SID] {
			return syntaxf("Statement IDs (SID) in a single policy must be unique.")
		}
		sids[s.SID] = true
		s.variables = d.Version == "2012-10-17"
		s.Start, s.End = position(text, p.at), position(text, p.at+len(p.raw))
		d.Statements = append(d.Statements, s)
	}
	return nil
}

func statement(p field, kind Kind) (Statement, error) {
	var s Statement
	fields, err := object(p.raw, p.at)
	if err != nil {
		return s, err
	}
	effect := ""
	for _, f := range fields {
		switch f.name {
		case "Sid":
			err = plain(f.raw, &s.SID)
		case "Effect":
			err = plain(f.raw, &effect)
		case "Action":
			s.Actions, err = texts(f.raw)
		case "NotAction":
			s.NotActions, err = texts(f.raw)
		case "Resource":
			s.Resources, err = texts(f.raw)
		case "NotResource":
			s.NotResources, err = texts(f.raw)
		case "Principal":
			s.Principal, err = principals(f)
		case "NotPrincipal":
			s.NotPrincipal, err = principals(f)
		case "Condition":
			s.Conditions, err = conditions(f)
		default:
			err = syntaxf("Syntax errors in policy.")
		}
		if err != nil {
			return s, err
		}
	}
	if effect == "" {
		return s, syntaxf("Missing required field Effect")
	}
	if effect != "Allow" && effect != "Deny" {
		return s, syntaxf("Invalid effect: %s", effect)
	}
	s.Allow = effect == "Allow"
	return s, s.check(kind)
}

// check refuses what IAM refuses in a document that is well-formed JSON.
func (s *Statement) check(kind Kind) error {
	if s.Actions != nil && s.NotActions != nil || s.Resources != nil && s.NotResources != nil || s.Principal != nil && s.NotPrincipal != nil {
		return syntaxf("Syntax errors in policy.")
	}
	if len(s.Actions)+len(s.NotActions) == 0 {
		return syntaxf("Policy statement must contain actions.")
	}
	for _, a := range append(append([]string(nil), s.Actions...), s.NotActions...) {
		if err := actionName(a); err != nil {
			return err
		}
	}
	if kind == TrustPolicy {
		return s.checkTrust()
	}
	named := s.Principal != nil || s.NotPrincipal != nil
	if kind == ResourcePolicy && !named {
		return syntaxf("Missing required field Principal")
	}
	if kind != ResourcePolicy && named {
		return syntaxf("Policy document should not specify a principal.")
	}
	if len(s.Resources)+len(s.NotResources) == 0 {
		return syntaxf("Policy statement must contain resources.")
	}
	for _, r := range append(append([]string(nil), s.Resources...), s.NotResources...) {
		if r != "*" && !strings.HasPrefix(r, "arn:") {
			return syntaxf("Resource %s must be in ARN format or \"*\".", r)
		}
	}
	return nil
}

func (s *Statement) checkTrust() error {
	if s.Resources != nil || s.NotResources != nil {
		return syntaxf("Has prohibited field Resource")
	}
	if s.Principal == nil && s.NotPrincipal == nil {
		return syntaxf("Missing required field Principal")
	}
	for _, a := range append(append([]string(nil), s.Actions...), s.NotActions...) {
		if !strings.HasPrefix(strings.ToLower(a), "sts:") {
			return syntaxf("AssumeRole policy may only specify STS AssumeRole actions.")
		}
	}
	return nil
}

func actionName(a string) error {
	if a == "*" {
		return nil
	}
	vendor, name, ok := strings.Cut(a, ":")
	if !ok || name == "" {
		return syntaxf("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	}
	if vendor == "" || strings.ContainsAny(vendor, "*? ") {
		return syntaxf("Vendor %s is not valid", vendor)
	}
	return nil
}

func principals(f field) (map[string][]string, error) {
	if f.raw[0] == '"' {
		var star string
		if err := plain(f.raw, &star); err != nil || star != "*" {
			return nil, syntaxf("Invalid principal in policy: %q", star)
		}
		return map[string][]string{"AWS": {"*"}}, nil
	}
	fields, err := object(f.raw, f.at)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, k := range fields {
		switch k.name {
		case "AWS", "Service", "Federated", "CanonicalUser":
		default:
			return nil, syntaxf("Invalid principal in policy: %q", k.name)
		}
		if all[k.name], err = texts(k.raw); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func conditions(f field) ([]Condition, error) {
	operators, err := object(f.raw, f.at)
	if err != nil {
		return nil, err
	}
	var all []Condition
	for _, op := range operators {
		t, err := operator(op.name)
		if err != nil {
			return nil, err
		}
		keys, err := object(op.raw, op.at)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			c := Condition{Operator: op.name, Key: k.name, test: t}
			if c.Values, err = texts(k.raw); err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// field is one member of an object or one element of an array, with its offset in the whole text.
type field struct {
	name string
	raw  []byte
	at   int
}

// object splits an object into its members; a name given twice is an error, as it is to IAM.
func object(text []byte, base int) ([]field, error) {
	return members(text, base, '{')
}

func array(text []byte, base int) ([]field, error) {
	return members(text, base, '[')
}

func members(text []byte, base int, open rune) ([]field, error) {
	bad := syntaxf("Syntax errors in policy.")
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim(open) {
		return nil, bad
	}
	seen := map[string]bool{}
	all := []field{}
	for dec.More() {
		var f field
		if open == '{' {
			t, err := dec.Token()
			if err != nil {
				return nil, bad
			}
			f.name, _ = t.(string)
			if seen[f.name] {
				return nil, bad
			}
			seen[f.name] = true
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil || len(raw) == 0 {
			return nil, bad
		}
		f.raw, f.at = raw, base+int(dec.InputOffset())-len(raw)
		all = append(all, f)
	}
	if _, err := dec.Token(); err != nil {
		return nil, bad
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, bad
	}
	return all, nil
}

func plain(raw []byte, s *string) error {
	if json.Unmarshal(raw, s) != nil || raw[0] != '"' {
		return syntaxf("Syntax errors in policy.")
	}
	return nil
}

// texts reads one text or a list of them; numbers and booleans count as their text, as IAM allows in conditions.
func texts(raw []byte) ([]string, error) {
	bad := syntaxf("Syntax errors in policy.")
	parts := []field{{raw: raw}}
	if raw[0] == '[' {
		var err error
		if parts, err = array(raw, 0); err != nil {
			return nil, err
		}
	}
	all := []string{}
	for _, p := range parts {
		switch p.raw[0] {
		case '"':
			var s string
			if json.Unmarshal(p.raw, &s) != nil {
				return nil, bad
			}
			all = append(all, s)
		case '{', '[', 'n':
			return nil, bad
		default:
			all = append(all, string(p.raw))
		}
	}
	return all, nil
}

func position(text string, at int) Position {
	before := text[:at]
	return Position{Line: strings.Count(before, "\n") + 1, Column: at - strings.LastIndex(before, "\n")}
}

// Keys lists the condition keys that the statement reads, in conditions and in policy variables, each once, sorted.
func (s *Statement) Keys() []string {
	found := map[string]string{}
	add := func(key string) {
		if _, ok := found[strings.ToLower(key)]; !ok {
			found[strings.ToLower(key)] = key
		}
	}
	for _, c := range s.Conditions {
		add(c.Key)
		for _, v := range c.Values {
			s.eachVariable(v, add)
		}
	}
	for _, r := range append(append([]string(nil), s.Resources...), s.NotResources...) {
		s.eachVariable(r, add)
	}
	var all []string
	for _, k := range found {
		all = append(all, k)
	}
	sort.Strings(all)
	return all
}
