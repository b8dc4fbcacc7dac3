package fact

import (
	"encoding/json"
	"slices"
	"strings"
)

// Test is one condition of a policy statement: an operator on a key, with its values as text.
type Test struct {
	Operator string
	Key      string
	Values   []string
}

// Assumer wants to assume a role: a service in its own name, or a role.
type Assumer struct {
	Name    string // codepipeline.amazonaws.com, or the ARN of a role
	Account string // for whom a service does it: aws:SourceAccount
	Source  string // ARN of the thing a service does it for: aws:SourceArn
}

// Trust is what a trust policy says of an assumer.
type Trust string

// The answers.
const (
	TrustHolds     Trust = "trusted"   // a statement lets it in, and nothing keeps it out
	TrustUnnamed   Trust = "unnamed"   // no statement that lets somebody in names it
	TrustBarred    Trust = "barred"    // a Deny names it
	TrustExcluded  Trust = "excluded"  // it is named only under conditions that do not hold for it
	TrustUndecided Trust = "undecided" // a condition decides whose value nobody knows
)

// Trusting reads a trust policy. Of conditions it knows aws:SourceAccount and aws:SourceArn of services (docs/aws-facts.md, "Roles of pipelines");
// because is the condition that decides, as text.
func Trusting(document string, who Assumer) (answer Trust, because string) {
	statements, err := Statements(document)
	if err != nil {
		return TrustUndecided, "a document that cannot be read"
	}
	answer = TrustUnnamed
	rank := []Trust{TrustUnnamed, TrustExcluded, TrustUndecided, TrustHolds}
	barred, doubt := false, ""
	for _, st := range statements {
		if !st.Names("sts:AssumeRole") || !who.named(st) {
			continue
		}
		got, why := who.meets(st)
		if !st.Allow {
			barred = barred || got == TrustHolds
			if got == TrustUndecided {
				doubt = why
			}
			continue
		}
		if slices.Index(rank, got) > slices.Index(rank, answer) {
			answer, because = got, why
		}
	}
	switch {
	case barred:
		return TrustBarred, ""
	case doubt != "" && answer == TrustHolds:
		return TrustUndecided, doubt
	}
	return answer, because
}

// named reports whether a statement is about the assumer.
func (w Assumer) named(st Statement) bool {
	if _, err := ParseARN(w.Name); err == nil {
		return st.About(w.Name)
	}
	is := func(p string) bool { return strings.EqualFold(p, w.Name) }
	if len(st.NotPrincipals) > 0 {
		return !slices.ContainsFunc(st.NotPrincipals, is)
	}
	return slices.ContainsFunc(st.Principals, is) || !st.Allow && slices.Contains(st.Principals, "*")
}

// meets says whether all conditions of a statement hold for the assumer.
func (w Assumer) meets(st Statement) (Trust, string) {
	answer, because := TrustHolds, ""
	for _, t := range st.Tests {
		text := t.Operator + " " + t.Key + " " + strings.Join(t.Values, ", ")
		switch holds, known := w.test(t); {
		case known && !holds:
			return TrustExcluded, text
		case !known:
			answer, because = TrustUndecided, text
		}
	}
	return answer, because
}

// test judges one condition; known is false where its value cannot be told. Whether CodePipeline sends aws:SourceArn is not documented: a value
// that is not the pipeline's excludes it either way, unless the operator lets an absent key pass.
func (w Assumer) test(t Test) (holds, known bool) {
	operator, ifExists := strings.CutSuffix(t.Operator, "IfExists")
	var value string
	switch strings.ToLower(t.Key) {
	case "aws:sourceaccount":
		value, ifExists = w.Account, false
	case "aws:sourcearn":
		value = w.Source
	}
	if value == "" {
		return false, false
	}
	match := func(p string) bool { return p == value }
	switch operator {
	case "StringEquals":
	case "StringEqualsIgnoreCase":
		match = func(p string) bool { return strings.EqualFold(p, value) }
	case "StringLike", "ArnLike", "ArnEquals":
		match = func(p string) bool { return glob(p, value) }
	default:
		return false, false
	}
	holds = slices.ContainsFunc(t.Values, match)
	if strings.EqualFold(t.Key, "aws:SourceArn") && (holds || ifExists) {
		return false, false
	}
	return holds, true
}

// testsOf are the conditions of a statement, by operator and key.
func testsOf(condition map[string]map[string]json.RawMessage) []Test {
	var all []Test
	for operator, keys := range condition {
		for key, raw := range keys {
			t := Test{Operator: operator, Key: key}
			var values list
			if json.Unmarshal(raw, &values) == nil {
				t.Values = values
			} else { // a number or a truth value stands as it is
				t.Values = []string{string(raw)}
			}
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b Test) int { return strings.Compare(a.Operator+" "+a.Key, b.Operator+" "+b.Key) })
	return all
}

// WithService is a trust policy with one statement more, which lets a service assume the role for things of one account; nothing that it says
// already is touched, its layout aside. "" when it cannot be read, or has members that no policy has.
func WithService(document, service, account string) string {
	raws, err := rawStatements(document)
	if err != nil {
		return ""
	}
	var whole struct {
		Version   string            `json:"Version,omitempty"`
		ID        string            `json:"Id,omitempty"`
		Statement []json.RawMessage `json:"Statement"`
	}
	type add struct {
		Effect    string
		Principal struct{ Service string }
		Action    string
		Condition map[string]map[string]string
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(document), &members); err != nil {
		return ""
	}
	for name, into := range map[string]any{"Version": &whole.Version, "Id": &whole.ID} {
		if raw, ok := members[name]; ok && json.Unmarshal(raw, into) != nil {
			return ""
		}
		delete(members, name)
	}
	delete(members, "Statement")
	if len(members) > 0 {
		return ""
	}
	st := add{Effect: "Allow", Action: "sts:AssumeRole", Condition: map[string]map[string]string{"StringEquals": {"aws:SourceAccount": account}}}
	st.Principal.Service = service
	raw, err := json.Marshal(st)
	if err != nil {
		return ""
	}
	whole.Statement = append(raws, raw)
	b, err := json.Marshal(whole)
	if err != nil {
		return ""
	}
	return string(b)
}

// TrustDigest is the digest of a trust policy, whatever its layout: IAM keeps the text that it was given.
func TrustDigest(document string) string {
	var v any
	if json.Unmarshal([]byte(document), &v) == nil {
		return string(DigestOf(v))
	}
	return string(DigestOf(document))
}
