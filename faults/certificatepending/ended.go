package certificatepending

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// reason is what one of ACM's failure reasons means and takes.
type reason struct{ text, remedy string }

// reasonOf says what a failure reason of a public certificate means (docs/aws-facts.md, "Certificates and their validation").
func reasonOf(code string) reason {
	known := map[string]reason{
		"NO_AVAILABLE_CONTACTS":            {"ACM found nobody to send the validation mail to", "Request it again with DNS validation."},
		"ADDITIONAL_VERIFICATION_REQUIRED": {"AWS wants to know more before it issues for this domain", "Ask AWS Support: the Support Center takes it from there. Then request it again."},
		"DOMAIN_NOT_ALLOWED":               {"the domain is on a list of unsafe ones", "Have the domain taken off the list that names it, then ask AWS Support."},
		"INVALID_PUBLIC_DOMAIN":            {"a name of the certificate is not below a public top-level domain", "Correct the name, and request it again."},
		"DOMAIN_VALIDATION_DENIED":         {"whoever the validation mail went to has refused it", "Ask the domain's owner, then request it again."},
		"CAA_ERROR":                        {"the CAA records of the domain do not let Amazon issue", `Add 0 issue "amazon.com" to the domain's CAA records, then request it again.`},
	}
	if r, ok := known[code]; ok {
		return r
	}
	if code == "" {
		return reason{"ACM gives no reason", "Request it again."}
	}
	return reason{"ACM gives the reason " + code, "Correct what the reason names, and request it again."}
}

// endedCause is the cause of a request that ended without a certificate.
func endedCause(c fact.ManagedCertificate) string {
	switch {
	case c.Status == fact.CertificateTimedOut:
		return timedOut
	case c.Reason == "CAA_ERROR":
		return caa
	}
	return refused
}

// ended says why a request ended without a certificate. Where another, issued certificate covers all its names nobody waits for it.
func ended(s *fact.Snapshot, c fact.ManagedCertificate) (v verdict, needs, helps []fact.Query) {
	a, err := fact.ParseARN(c.ARN)
	if err != nil {
		return v, nil, nil
	}
	v = verdict{cause: endedCause(c), class: fault.Verified, severity: fault.Medium, bucket: fault.Configuration, more: map[string]string{}}
	needs = []fact.Query{{Scope: fact.Scope{Account: s.Question().Account, Region: a.Region}, Kind: fact.KindManagedCertificate}}
	v.unlisted = !s.Answered(needs[0])
	switch v.cause {
	case timedOut:
		v.text = "The request was not validated within 72 hours, and ACM does not look at it any more."
		v.says, v.remedy = "was not validated within 72 hours", "Request it again, create its records at once, and delete this one."
		records, names, more := examine(s, c) // the names are validated by the same records next time
		helps = append(names, more...)
		for _, r := range records {
			v.evidence = append(v.evidence, r.evidence...)
			if r.cause != "" {
				v.records = append(v.records, r)
			}
		}
		if len(v.records) > 0 {
			v.text += fmt.Sprintf(" A new request would end the same way: %s, %s.", v.records[0], v.records[0].text)
		}
	default:
		why := reasonOf(c.Reason)
		v.text, v.remedy = "ACM has refused the request for good: "+why.text+".", why.remedy
		v.says = "was refused: " + why.text
		v.forbids, helps = forbidding(s, c)
		for _, l := range v.forbids {
			v.evidence = append(v.evidence, answered(l, `issue "amazon.com"`))
		}
	}
	if other, ok := instead(s, c); ok {
		v.cause, v.more["instead"] = replaced, other.ARN
		v.remedy = "Use the certificate that is issued for the same names: " + other.ARN
		v.evidence = append(v.evidence, fault.Ev(fault.Verified, other, "Certificate "+other.ARN, other.Status, ""))
	}
	return v, needs, helps
}

// instead is an issued certificate of the Region that covers every name of another.
func instead(s *fact.Snapshot, c fact.ManagedCertificate) (fact.ListedCertificate, bool) {
	for x := range fact.All[fact.ListedCertificate](s) {
		if x.Status != fact.CertificateIssued || x.ARN == c.ARN || !sameRegion(x.ARN, c.ARN) {
			continue
		}
		all := len(c.Names) > 0
		for _, n := range c.Names {
			all = all && x.Covers(n)
		}
		if all {
			return x, true
		}
	}
	return fact.ListedCertificate{}, false
}

func sameRegion(a, b string) bool {
	p, q := strings.Split(a, ":"), strings.Split(b, ":")
	return len(p) > 3 && len(q) > 3 && p[3] == q[3]
}
