package fact

import (
	"regexp"
	"strings"
)

// Denial is what AWS's text of a refusal says. AWS names one policy type only, even when several say no.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
type Denial struct {
	Principal string // ARN of the caller
	Action    string // "service:Action"
	Resource  string // ARN; "" when the text names none
	By        string // type of the policy that decides: "identity-based policy", "service control policy" ...; "" when not said
	Policy    string // ARN of that policy, where the text has it
	Explicit  bool   // a Deny statement, not the want of an Allow
}

var (
	denied   = regexp.MustCompile(`(?:User: (\S+) )?is not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9]+)(?: on resource: (\S+))?`)
	implicit = regexp.MustCompile(`because no (.+?) allows the `)
	assume   = regexp.MustCompile(`is not authorized to perform AssumeRole on role (arn:\S+)`) // CodePipeline's own words
	encoded  = regexp.MustCompile(`Encoded authorization failure message: ([A-Za-z0-9_+/=-]{16,})`)
	explicit = regexp.MustCompile(`with an explicit deny in (?:an? |the )?([A-Za-z -]+?)(?:: (arn:\S+))?(?:[.,;]| \(|$)`)
)

// ParseDenial reads the text of a refusal; false when it does not follow AWS's grammar, which many services do not use.
func ParseDenial(text string) (Denial, bool) {
	text = strings.Join(strings.Fields(text), " ") // texts come with line breaks
	m := denied.FindStringSubmatch(text)
	if m == nil {
		if r := assume.FindStringSubmatch(text); r != nil {
			return Denial{Action: "sts:AssumeRole", Resource: strings.TrimRight(r[1], ".,;")}, true
		}
		return Denial{}, false
	}
	d := Denial{Principal: m[1], Action: m[2], Resource: strings.TrimRight(m[3], ".,;")}
	if m := explicit.FindStringSubmatch(text); m != nil {
		d.Explicit, d.By, d.Policy = true, strings.TrimSpace(m[1]), strings.TrimRight(m[2], ".,;")
	} else if m := implicit.FindStringSubmatch(text); m != nil {
		d.By = m[1]
	}
	return d, true
}

// EncodedMessage is the encoded authorization message in a text; "" when there is none. STS decodes it for whoever may
// (sts:DecodeAuthorizationMessage).
func EncodedMessage(text string) string {
	if m := encoded.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// Words says who says no; "" when the text did not.
func (d Denial) Words() string {
	switch {
	case d.By == "":
		return ""
	case d.Explicit && d.Policy != "":
		return "a Deny in the " + d.By + " " + d.Policy
	case d.Explicit:
		return "a Deny in the " + d.By
	}
	return "no " + d.By + " allows it"
}
