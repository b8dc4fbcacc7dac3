package fact

import "time"

// Role is an IAM role as ListRoles shows it.
type Role struct {
	Seen
	ARN     string    `json:"arn"`
	Name    string    `json:"name"`
	Path    string    `json:"path"`
	Created time.Time `json:"created,omitzero"`
}

// PermissionSet is the permission set's name when the role was made by IAM Identity Center
// (AWSReservedSSO_<set>_<16 hex digits>); otherwise "".
func (r Role) PermissionSet() string { return PermissionSet(r.Name) }

// Decision is the simulator's verdict on one action and resource.
type Decision struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
	Allowed  bool   `json:"allowed"`
	Explicit bool   `json:"explicit,omitempty"` // denied by a Deny statement, not for want of an Allow
	By       string `json:"by,omitempty"`       // what says no: identity-based policy, permissions boundary, service control policy
	// Missing are the condition keys that policies ask for and the simulator was not given, with commas: with them the verdict may be
	// another one.
	Missing string `json:"missing,omitempty"`
}

// Simulation is one answer of SimulatePrincipalPolicy. It is never proof: it sees no session policies, no resource control
// policies, no VPC endpoint policies and no real request context (docs/aws-facts.md, "What simulation cannot see").
type Simulation struct {
	Seen
	Principal string     `json:"principal"` // user or role ARN
	Decisions []Decision `json:"decisions"`
}

// Decision finds the verdict on an action and resource.
func (s Simulation) Decision(action, resource string) (Decision, bool) {
	for _, d := range s.Decisions {
		if d.Action == action && d.Resource == resource {
			return d, true
		}
	}
	return Decision{}, false
}

// PermissionSet is the permission set's name in the name of a role made by IAM Identity Center, otherwise "".
func PermissionSet(role string) string {
	const prefix = "AWSReservedSSO_"
	if len(role) <= len(prefix)+17 || role[:len(prefix)] != prefix {
		return ""
	}
	return role[len(prefix) : len(role)-17]
}
