package fact

import (
	"strings"
	"time"
)

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

// Name is the role's name, the permission set's for roles of IAM Identity Center, or the user's; "root" for root.
func (i Identity) Name() string {
	name, _ := i.parts()
	if set := PermissionSet(name); set != "" {
		return set
	}
	return name
}

// Session is the name of a role's session: often the person's; "" for users and root.
func (i Identity) Session() string {
	_, session := i.parts()
	return session
}

// Partition is aws, aws-cn or aws-us-gov; "" when the ARN does not say.
func (i Identity) Partition() string {
	a, err := ParseARN(i.ARN)
	if err != nil {
		return ""
	}
	return a.Partition
}

func (i Identity) parts() (name, session string) {
	a, err := ParseARN(i.ARN)
	if err != nil {
		return "", ""
	}
	kind, rest, ok := strings.Cut(a.Resource, "/")
	switch {
	case !ok:
		return a.Resource, ""
	case kind == "assumed-role":
		name, session, _ = strings.Cut(rest, "/")
		return name, session
	}
	return a.Name(), ""
}
