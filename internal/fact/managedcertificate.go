package fact

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// ManagedCertificate is a certificate of AWS Certificate Manager, or the request for one.
type ManagedCertificate struct {
	Seen
	ARN     string             `json:"arn"`
	Domain  string             `json:"domain"`
	Names   []string           `json:"names,omitempty"` // all domain names, Domain among them
	Status  string             `json:"status"`          // PENDING_VALIDATION, ISSUED, VALIDATION_TIMED_OUT, FAILED ...
	Reason  string             `json:"reason,omitempty"`
	Type    string             `json:"type,omitempty"` // AMAZON_ISSUED, IMPORTED, PRIVATE
	Created time.Time          `json:"created,omitzero"`
	Options []DomainValidation `json:"options,omitempty"` // per domain name
	InUseBy []string           `json:"inUseBy,omitempty"` // ARNs
}

// The statuses of certificates that the program tells apart (API_CertificateDetail).
const (
	CertificatePending  = "PENDING_VALIDATION"
	CertificateIssued   = "ISSUED"
	CertificateTimedOut = "VALIDATION_TIMED_OUT"
	CertificateFailed   = "FAILED"
)

// DomainValidation is how one domain name of a certificate is validated, and how far that is.
type DomainValidation struct {
	Domain string `json:"domain"`
	Status string `json:"status"`          // PENDING_VALIDATION, SUCCESS, FAILED
	Method string `json:"method"`          // DNS, EMAIL, HTTP
	Name   string `json:"name,omitempty"`  // of the record to create, with a dot at its end; "" while AWS has not named it
	Value  string `json:"value,omitempty"` // of the record
}

// Field knows "status".
func (c ManagedCertificate) Field(path string) (string, bool) { return c.Status, path == "status" }

// ListedCertificate is a certificate as the list of a Region shows it.
type ListedCertificate struct {
	Seen
	ARN    string   `json:"arn"`
	Domain string   `json:"domain"`
	Names  []string `json:"names,omitempty"` // the first hundred
	Status string   `json:"status"`
}

// Covers reports whether a certificate's names cover a domain name, by itself or by a wildcard for its first part.
func (c ListedCertificate) Covers(domain string) bool {
	_, parent, _ := strings.Cut(domain, ".")
	return slices.Contains(c.Names, domain) || slices.Contains(c.Names, "*."+parent)
}

// HostedZone is a hosted zone of Route 53.
type HostedZone struct {
	Seen
	ID      string   `json:"id"`   // without /hostedzone/
	Name    string   `json:"name"` // with a dot at its end
	Private bool     `json:"private"`
	Servers []string `json:"servers,omitempty"` // of a public zone, once it was read by itself: absolute names
}

// RecordSet is a record set of a hosted zone.
type RecordSet struct {
	Seen
	Zone   string   `json:"zone"` // ID
	Name   string   `json:"name"` // with a dot at its end
	Type   string   `json:"type"`
	TTL    int64    `json:"ttl"` // seconds
	Values []string `json:"values"`
}

// Field knows "value": the values with a blank between them.
func (r RecordSet) Field(path string) (string, bool) {
	return strings.Join(r.Values, " "), path == "value"
}

// Lookup is what the public Domain Name System answered to one question.
type Lookup struct {
	Seen
	Name    string   `json:"name"` // with a dot at its end
	Type    string   `json:"type"` // CNAME, NS, CAA
	Code    string   `json:"code"` // NOERROR, NXDOMAIN, SERVFAIL, REFUSED
	Answers []string `json:"answers,omitempty"`
	Server  string   `json:"server"` // who answered: a resolver, or a name server of the zone above
	// Zone is, for NS, the zone above, which delegates; for CAA, the name whose records hold; else the zone that denies the name.
	Zone string `json:"zone,omitempty"`
	// Parent says, for NS, that a name server of the zone above answered, not only a resolver.
	Parent bool `json:"parent,omitempty"`
}

// Field knows "answer": the answers with a blank between them; for CNAME "target": what the alias points to, as ValidationTarget has it;
// for CAA "amazon" and "amazon-wild": yes or no, whether Amazon may issue for the name and for a wildcard below it.
func (l Lookup) Field(path string) (string, bool) {
	yesNo := map[bool]string{true: "yes", false: "no"}
	switch path {
	case "answer":
		return strings.Join(l.Answers, " "), true
	case "target":
		return ValidationTarget(strings.Join(l.Answers, " ")), true
	case "amazon":
		return yesNo[l.LetsAmazon(false)], true
	case "amazon-wild":
		return yesNo[l.LetsAmazon(true)], true
	}
	return "", false
}

// ValidationTarget is the value of a validation record in the form in which two of them compare: in small letters, without the dot at
// the end, and without the underscore at the beginning, which providers that refuse it may leave out
// (docs/aws-facts.md, "Certificates and their validation").
func ValidationTarget(value string) string {
	return strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(value), "."), "_")
}

// caaRecord is a CAA record as a Lookup carries it: flags, tag, value in quotes.
var caaRecord = regexp.MustCompile(`^([0-9]+) ([A-Za-z0-9]+) "(.*)"$`)

// LetsAmazon reports whether the CAA records of a look-up let Amazon issue a certificate for the name that was asked about; wild is for a
// wildcard's name. Records that name no issuer for the kind of name let everybody (RFC 8659, 4.2 and 4.3).
// The four names of Amazon: https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html
func (l Lookup) LetsAmazon(wild bool) bool {
	var issue, issueWild []string
	for _, a := range l.Answers {
		m := caaRecord.FindStringSubmatch(a)
		if m == nil {
			continue
		}
		who, _, _ := strings.Cut(m[3], ";")
		switch strings.ToLower(m[2]) {
		case "issue":
			issue = append(issue, strings.ToLower(strings.TrimSpace(who)))
		case "issuewild":
			issueWild = append(issueWild, strings.ToLower(strings.TrimSpace(who)))
		}
	}
	if wild && len(issueWild) > 0 {
		issue = issueWild
	}
	return len(issue) == 0 || slices.ContainsFunc(issue, func(who string) bool {
		return slices.Contains([]string{"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"}, who)
	})
}

// CertificateRef is the Ref of a certificate. Its ARN names the Region.
func CertificateRef(account, arn string) Ref {
	return Ref{Scope: Scope{Account: account}, Kind: KindManagedCertificate, ID: arn}
}

// RecordRef is the Ref of a record set: ZONE-ID/NAME/TYPE.
func RecordRef(account, zone, name, kind string) Ref {
	return Ref{Scope: Scope{Account: account}, Kind: KindRecord, ID: zone + "/" + name + "/" + kind}
}

// LookupRef is the Ref of a look-up: NAME/TYPE.
func LookupRef(account, name, kind string) Ref {
	return Ref{Scope: Scope{Account: account}, Kind: KindLookup, ID: name + "/" + kind}
}

var certificateARN = regexp.MustCompile(`arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+`)

// CertificatesIn are the ARNs of certificates that a text names, sorted.
func CertificatesIn(text string) []string {
	all := certificateARN.FindAllString(text, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

// IsCertificate reports whether the ARN names a certificate of AWS Certificate Manager.
func (a ARN) IsCertificate() bool {
	return a.Service == "acm" && strings.HasPrefix(a.Resource, "certificate/") && len(a.Resource) > len("certificate/")
}
