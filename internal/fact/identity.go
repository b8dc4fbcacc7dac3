package fact

import "time"

// Identity is who makes the calls: AWS's answer and what the local credentials say of themselves.
type Identity struct {
	Seen
	Account   string    `json:"account"`
	ARN       string    `json:"arn"`
	UserID    string    `json:"userId"`
	Kind      string    `json:"kind"`               // root, user, assumed-role, sso, federated-user
	Origin    string    `json:"source"`             // the SDK's name of the credential source, for example SSOProvider
	ExpiresAt time.Time `json:"expiresAt,omitzero"` // zero: the credentials do not expire
}

// RoleARN is the role or user whose policies decide, in the form the policy simulator takes. Root gives "".
func (i Identity) RoleARN() string {
	if i.Kind == "root" || i.Kind == "federated-user" {
		return ""
	}
	return RoleARN(i.ARN)
}

// Region is one Region of the account.
type Region struct {
	Seen
	Name   string `json:"name"`
	Status string `json:"status"` // ENABLED, ENABLED_BY_DEFAULT, DISABLED, ENABLING, DISABLING
}

// Enabled reports whether calls can be made there.
func (r Region) Enabled() bool { return r.Status == "ENABLED" || r.Status == "ENABLED_BY_DEFAULT" }
