package fact

import "time"

// RolePolicies are a role's policies as IAM holds them: what says yes and no to it, as far as it can be read.
type RolePolicies struct {
	Seen
	ARN       string           `json:"arn"`
	Name      string           `json:"name"`
	Created   time.Time        `json:"created,omitzero"`
	Trust     string           `json:"trust"`              // who may assume it: a policy document
	Boundary  string           `json:"boundary,omitempty"` // ARN of its permissions boundary
	Documents []PolicyDocument `json:"documents"`
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

// Decoded is an authorization message that STS decoded.
type Decoded struct {
	Seen
	Allowed   bool   `json:"allowed"`
	Explicit  bool   `json:"explicit"`
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
}
