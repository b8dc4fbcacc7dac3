package fact

import (
	"regexp"
	"strings"
)

// Denial is what AWS's text of a refusal says. AWS names one policy type only, even when several say no.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
type Denial struct {
	Principal string // ARN of the caller
	Action    string // "service:Action"; "service:*" when the text names none
	Resource  string // ARN; "" when the text names none
	By        string // type of the policy that decides: "identity-based policy", "service control policy" ...; "" when not said
	Policy    string // ARN of that policy, where the text has it
	Explicit  bool   // a Deny statement, not the want of an Allow
}

var (
	denied   = regexp.MustCompile(`(?:User: (\S+) )?is not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9]+)(?: on resource: "?([^\s"]+))?`)
	implicit = regexp.MustCompile(`because no (.+?) allows the `)
	explicit = regexp.MustCompile(`with an explicit deny in (?:an? |the )?([A-Za-z -]+?)(?:: (arn:\S+))?(?:[.,;]| \(|: |$)`)
	encoded  = regexp.MustCompile(`Encoded authorization failure message: ([A-Za-z0-9_+/=-]{16,})`)
)

// worded are refusals in CodePipeline's and CodeBuild's own words, which name no policy type. AWS documents the first two and the
// third, for a full clone, in https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html; the text about a
// connection is known from public reports.
var worded = []struct {
	text                        *regexp.Regexp
	action                      string // "" for the use of the connection that the resource names
	principal, resource, bucket int    // submatches; 0: none
}{
	{regexp.MustCompile(`is not authorized to perform AssumeRole on role "?(arn:[^\s"]+)`), "sts:AssumeRole", 0, 1, 0},
	{regexp.MustCompile(`CodePipeline service role "?(arn:[^\s"]+)"? is getting S3 access denied for the S3 bucket "?([^\s"]+)`), "s3:*", 1, 0, 2},
	{regexp.MustCompile(`Access denied to connection "?(arn:[^\s"]+)`), "", 0, 1, 0},
	{regexp.MustCompile(`User is not authorized to access connection "?(arn:[^\s"]+)`), "", 0, 1, 0},
	{regexp.MustCompile(`Unable to use Connection: (arn:\S+) The provided role does not have sufficient permissions`), "", 0, 1, 0},
}

// ParseDenial reads the text of a refusal; false when it follows neither AWS's grammar, which many services do not use, nor the words of
// CodePipeline and CodeBuild that are known. A text that names a service and no action gives "service:*".
func ParseDenial(text string) (Denial, bool) {
	text = strings.Join(strings.Fields(text), " ") // texts come with line breaks
	m := denied.FindStringSubmatch(text)
	if m == nil {
		return ownWords(text)
	}
	d := Denial{Principal: m[1], Action: m[2], Resource: bare(m[3])}
	if m := explicit.FindStringSubmatch(text); m != nil {
		d.Explicit, d.By, d.Policy = true, strings.TrimSpace(m[1]), bare(m[2])
	} else if m := implicit.FindStringSubmatch(text); m != nil {
		d.By = m[1]
	}
	return d, true
}

func ownWords(text string) (Denial, bool) {
	for _, w := range worded {
		m := w.text.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		d := Denial{Action: w.action}
		if w.principal > 0 {
			d.Principal = bare(m[w.principal])
		}
		if w.resource > 0 {
			d.Resource = bare(m[w.resource])
		}
		if w.bucket > 0 {
			d.Resource = "arn:aws:s3:::" + bare(m[w.bucket])
		}
		if d.Action == "" {
			a, err := ParseARN(d.Resource)
			if err != nil || a.Service == "" {
				continue
			}
			d.Action = a.Service + ":UseConnection"
		}
		return d, true
	}
	return Denial{}, false
}

// bare is a name without the punctuation of the sentence around it.
func bare(s string) string { return strings.TrimRight(s, ".,;") }

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
