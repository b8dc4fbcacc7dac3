package fact

import (
	"slices"
	"strings"
)

// Targeting are the rules of EventBridge's default bus that have a target.
type Targeting struct {
	Seen
	Target string   `json:"target"` // ARN
	Rules  []string `json:"rules"`  // names
}

// Field knows "rules": the names, sorted, with commas between them; "" when there is none.
func (t Targeting) Field(path string) (string, bool) {
	names := slices.Clone(t.Rules)
	slices.Sort(names)
	return strings.Join(names, ","), path == "rules"
}

// Rule is a rule of EventBridge's default bus.
type Rule struct {
	Seen
	ARN       string `json:"arn"`
	Name      string `json:"name"`
	State     string `json:"state"`             // ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS
	Pattern   string `json:"pattern,omitempty"` // JSON; "" for a schedule
	Schedule  string `json:"schedule,omitempty"`
	About     string `json:"about,omitempty"`     // its description
	Role      string `json:"role,omitempty"`      // of the rule as a whole; pipelines need one of the target
	ManagedBy string `json:"managedBy,omitempty"` // the service that made it: nobody else may change it
}

// RuleDisabled is the state of a rule that matches nothing (API_DescribeRule).
const RuleDisabled = "DISABLED"

// Field knows "state" and "pattern".
func (r Rule) Field(path string) (string, bool) {
	if path == "pattern" {
		return r.Pattern, true
	}
	return r.State, path == "state"
}

// RuleTargets are the targets of a rule.
type RuleTargets struct {
	Seen
	Rule    string       `json:"rule"`
	Targets []RuleTarget `json:"targets"`
}

// RuleTarget is one of them, without the input that it is given, which may hold secrets.
type RuleTarget struct {
	ID    string `json:"id"`
	ARN   string `json:"arn"`
	Role  string `json:"role,omitempty"`
	Pins  bool   `json:"pins,omitempty"`  // what it is given names source revisions (StartPipelineExecution, sourceRevisions)
	Input bool   `json:"input,omitempty"` // it is given something else than the event
}

// To are the targets with an ARN.
func (t RuleTargets) To(arn string) []RuleTarget {
	return slices.DeleteFunc(slices.Clone(t.Targets), func(x RuleTarget) bool { return x.ARN != arn })
}

// Field knows, below "role/", the ARNs of targets: the role of the first of them.
func (t RuleTargets) Field(path string) (string, bool) {
	arn, ok := strings.CutPrefix(path, "role/")
	if to := t.To(arn); ok && len(to) > 0 {
		return to[0].Role, true
	}
	return "", false
}

// RuleRef is the Ref of a rule.
func RuleRef(scope Scope, name string) Ref { return Ref{Scope: scope, Kind: KindRule, ID: name} }

// RuleTargetsRef is the Ref of a rule's targets.
func RuleTargetsRef(scope Scope, name string) Ref {
	return Ref{Scope: scope, Kind: KindRuleTargets, ID: name}
}

// TargetingRef is the Ref of the rules that have a target.
func TargetingRef(scope Scope, arn string) Ref {
	return Ref{Scope: scope, Kind: KindTargeting, ID: arn}
}
