package guard

import (
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// Person is who a caller is, as far as AWS can tell people apart: the user name of IAM Identity Center in lower case, the ARN of an IAM
// user, or the ARN of a role. Whoever can assume a role is one and the same Person, whatever they call their session
// (docs/aws-facts.md, "Who a session is").
type Person string

// PersonOf is the Person behind an ARN of GetCallerIdentity. ssoName is the user name of IAM Identity Center where it is known from
// elsewhere, "" otherwise; an ARN of a permission set's role names the user itself. "" when the ARN is none.
func PersonOf(arn, ssoName string) Person {
	if ssoName != "" {
		return Person(strings.ToLower(ssoName))
	}
	a, err := fact.ParseARN(arn)
	if err != nil {
		return ""
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	name, session, _ := strings.Cut(rest, "/")
	switch {
	case a.Service == "sts" && kind == "assumed-role" && fact.PermissionSet(name) != "" && session != "":
		return Person(strings.ToLower(session))
	case a.Service == "sts" && kind == "assumed-role":
		return Person(fact.RoleARN(arn))
	case a.Service == "iam" && kind == "role": // a session's ARN lacks the role's path
		return Person("arn:" + a.Partition + ":iam::" + a.Account + ":role/" + a.Name())
	case a.Service == "sts" && kind == "federated-user": // who asks for the session chooses its name
		return Person("arn:" + a.Partition + ":sts::" + a.Account + ":federated-user/*")
	}
	return Person(arn)
}

// One reports whether the Person is one human being for all that AWS knows, not a role, a federated session or root, which several
// people can be.
func (p Person) One() bool {
	if !strings.HasPrefix(string(p), "arn:") {
		return p != ""
	}
	a, err := fact.ParseARN(string(p))
	return err == nil && a.Service == "iam" && strings.HasPrefix(a.Resource, "user/")
}
