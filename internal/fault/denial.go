package fault

import (
	"regexp"
	"strings"
)

// Denial is AWS's refusal text taken apart.
type Denial struct {
	Action     string // IAM action, with prefix
	Resource   string
	PolicyType string // "identity-based policy", "service control policy", ...; "" when the text does not say
	Explicit   bool   // a Deny statement, not the want of an Allow
	Policy     string // ARN of the policy that denies, when AWS names it
}

var (
	denied   = regexp.MustCompile(`is not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S+))?`)
	implicit = regexp.MustCompile(`because no (.+?) allows the`)
	explicit = regexp.MustCompile(`with an explicit deny in (?:an?|the) ([a-z -]+[a-z])(?:: (arn:\S+))?`)
)

// ParseDenial reads an AccessDenied text (IAM user guide, "Troubleshoot access denied error messages"). Only one policy type is
// ever named, even when several deny.
func ParseDenial(text string) Denial {
	var d Denial
	text = strings.Join(strings.Fields(text), " ")
	if m := denied.FindStringSubmatch(text); m != nil {
		d.Action, d.Resource = m[1], m[2]
	}
	if m := explicit.FindStringSubmatch(text); m != nil {
		d.PolicyType, d.Explicit, d.Policy = m[1], true, m[2]
	} else if m := implicit.FindStringSubmatch(text); m != nil {
		d.PolicyType = m[1]
	}
	return d
}

// Words says who says no.
func (d Denial) Words() string {
	switch {
	case d.PolicyType == "":
		return ""
	case d.Explicit && d.Policy != "":
		return "a Deny in the " + d.PolicyType + " " + d.Policy
	case d.Explicit:
		return "a Deny in the " + d.PolicyType
	}
	return "no " + d.PolicyType + " allows it"
}
