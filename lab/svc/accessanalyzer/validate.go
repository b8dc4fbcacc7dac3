package accessanalyzer

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

const reference = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"

// finding is one remark on a document. Codes, kinds and texts: see reference.
type finding struct {
	kind, code, text string
	statement        int    // index, -1 for the document as a whole
	element          string // Action, Resource, Version, ""
	index            int    // of the element's entry, -1 for all of it
}

// validatePolicy answers with what is wrong with a document.
func (s *Service) validatePolicy(r *cloud.Request) (map[string]any, error) {
	text, kind := r.Str("policyDocument"), r.Str("policyType")
	if !slices.Contains([]string{"IDENTITY_POLICY", "RESOURCE_POLICY", "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}, kind) {
		return nil, invalid("policyType is not a type of policy")
	}
	if _, given := r.In["policyDocument"].(string); !given {
		return nil, invalid("policyDocument is missing")
	}
	d, found := judge(text, kind)
	return paged(r, "findings", found, func(f finding) map[string]any {
		anchor := strings.ReplaceAll(strings.ToLower(f.kind+"-"+f.code), "_", "-")
		return map[string]any{"findingType": f.kind, "issueCode": f.code, "findingDetails": f.text, "locations": []any{f.location(text, d)},
			"learnMoreLink": reference + "#access-analyzer-reference-policy-checks-" + anchor}
	})
}

// judge lists the findings on a document, and the document when it can be read.
func judge(text, kind string) (*policy.Document, []finding) {
	whole := func(kind, code, text string) finding { return finding{kind, code, text, -1, "", -1} }
	var all []finding
	if !json.Valid([]byte(text)) {
		return nil, []finding{whole("ERROR", "JSON_SYNTAX_ERROR", "Fix the JSON syntax error at the end of the document.")}
	}
	var top map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &top) == nil && top["Version"] == nil {
		all = append(all, finding{"WARNING", "MISSING_VERSION", "We recommend that you specify the Version element to help you with debugging permission issues.", -1, "Version", -1})
	}
	if top["Statement"] == nil {
		return nil, append(all, whole("ERROR", "MISSING_STATEMENT", "Add a Statement element to the policy."))
	}
	use := policy.ResourcePolicy
	if kind == "IDENTITY_POLICY" || kind == "SERVICE_CONTROL_POLICY" {
		use = policy.Permissions
	}
	d, err := policy.Parse(text, use)
	if err != nil && kind == "RESOURCE_POLICY" {
		d, err = policy.Parse(text, policy.TrustPolicy)
	}
	if err != nil {
		return nil, append(all, whole("ERROR", codeOf(err.Error()), err.Error()))
	}
	for i := range d.Statements {
		all = append(all, remarks(&d.Statements[i], i)...)
	}
	return d, all
}

// codeOf names the check that a document fails which cannot be read as a policy.
func codeOf(message string) string {
	for _, c := range [][2]string{
		{"Missing required field Effect", "MISSING_EFFECT"}, {"Invalid effect", "INVALID_EFFECT"}, {"must contain actions", "MISSING_ACTION"},
		{"must contain resources", "MISSING_RESOURCE"}, {"ARN format", "INVALID_ARN_PREFIX"}, {"valid version", "INVALID_VERSION"},
		{"should not specify a principal", "UNSUPPORTED_PRINCIPAL"}, {"field Principal", "MISSING_PRINCIPAL"}, {"prohibited field Resource", "UNSUPPORTED_RESOURCE"},
		{"prefaced by a vendor", "MISSING_ACTION_PREFIX"}, {"Statement IDs", "UNIQUE_SIDS_REQUIRED"}, {"Condition type", "INVALID_CONDITION_OPERATOR"},
	} {
		if strings.Contains(message, c[0]) {
			return c[1]
		}
	}
	return "POLICY_SYNTAX_ERROR"
}

// remarks are the findings on one statement.
func remarks(st *policy.Statement, i int) []finding {
	var all []finding
	element, actions := "Action", st.Actions
	if st.NotActions != nil {
		element, actions = "NotAction", st.NotActions
	}
	for n, a := range actions {
		if !exists(a) {
			all = append(all, finding{"ERROR", "INVALID_ACTION", "The action " + a + " does not exist. Did you mean another action?", i, element, n})
		}
		if slices.Contains(actions[:n], a) {
			all = append(all, finding{"SUGGESTION", "REDUNDANT_ACTION", "The action " + a + " is redundant because it provides the same permissions as another action.", i, element, n})
		}
	}
	if st.Allow && slices.Contains(st.Resources, "*") {
		for n, a := range st.Actions {
			if code := passRole(a); code != "" && !passedTo(st) {
				all = append(all, finding{"SECURITY_WARNING", code, "Using wildcards (*) in the action or the resource can be overly permissive because it allows iam:PassRole permissions on all resources. " +
					"We recommend that you specify resource ARNs or add the iam:PassedToService condition key to your statement.", i, "Action", n})
			}
		}
	}
	if st.Allow && st.NotResources != nil {
		all = append(all, finding{"WARNING", "ALLOW_WITH_NOT_RESOURCE", "Using Allow with NotResource can be overly permissive. We recommend that you use Resource instead.", i, "NotResource", -1})
	}
	return all
}

// exists reports whether an action, or at least one that a pattern covers, exists.
func exists(action string) bool {
	service, name, _ := strings.Cut(action, ":")
	all := known(service)
	if all == nil || name == "*" {
		return true
	}
	st := policy.Statement{Actions: []string{action}}
	return slices.ContainsFunc(all, func(n string) bool { return st.Covers(service+":"+n, "*") })
}

func passRole(action string) string {
	switch {
	case action == "*":
		return "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE"
	case strings.EqualFold(action, "iam:PassRole"):
		return "PASS_ROLE_WITH_STAR_IN_RESOURCE"
	}
	if st := (policy.Statement{Actions: []string{action}}); st.Covers("iam:PassRole", "*") {
		return "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE"
	}
	return ""
}

func passedTo(st *policy.Statement) bool {
	return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
		return strings.EqualFold(c.Key, "iam:PassedToService")
	})
}

// location is the place of a finding: the path to the element, and the lines of the statement that it is in. Lines count
// from 1, columns and offsets from 0.
func (f finding) location(text string, d *policy.Document) map[string]any {
	path := []any{}
	end := position(text, len(text))
	span := map[string]any{"start": map[string]any{"line": 1, "column": 0, "offset": 0}, "end": end}
	if f.statement >= 0 && d != nil {
		st := d.Statements[f.statement]
		path = append(path, map[string]any{"value": "Statement"}, map[string]any{"index": f.statement})
		span = map[string]any{"start": placed(text, st.Start), "end": placed(text, st.End)}
	}
	if f.element != "" && f.statement >= 0 {
		path = append(path, map[string]any{"value": f.element})
		if f.index >= 0 {
			path = append(path, map[string]any{"index": f.index})
		}
	}
	return map[string]any{"path": path, "span": span}
}

func position(text string, offset int) map[string]any {
	before := text[:offset]
	return map[string]any{"line": strings.Count(before, "\n") + 1, "column": offset - strings.LastIndex(before, "\n") - 1, "offset": offset}
}

// placed finds the offset of a line and column.
func placed(text string, p policy.Position) map[string]any {
	offset := 0
	for range p.Line - 1 {
		offset += strings.Index(text[offset:], "\n") + 1
	}
	return position(text, offset+p.Column-1)
}
