// Package acm simulates AWS Certificate Manager: public certificates, how their names are validated over DNS, and how that ends after
// 72 hours. It never sends a mail, holds no key, and looks names up in the lab's DNS only.
package acm

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

const (
	// lifetime is how long a request waits to be validated.
	// https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
	lifetime = 72 * time.Hour
	// firstLook and looks are when names are looked up. AWS does not say; the lab is slow.
	firstLook, looks = 2 * time.Minute, 10 * time.Minute
	// drafting is how long a new certificate shows no record to create: "several seconds" (API_RequestCertificate).
	drafting = 5 * time.Second
	maxNames = 10 // L-FB94F0B0, domain names per certificate
	maxPage  = 1000
)

// issuers are the domains that a CAA record may name to let AWS issue.
// https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html
var issuers = []string{"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"}

// DNS is the public Domain Name System as AWS sees it.
type DNS interface {
	Validated(name, target string) bool
	MayIssue(domain string, wild bool, issuers ...string) bool
}

// Certificate is a certificate or the request for one.
type Certificate struct {
	ARN, Account, Region string
	Names                []string // the first is its domain name
	Method               string   // DNS or EMAIL
	Status, Reason       string
	Created, Issued      time.Time
	Valid                map[string]bool // by name
	Imported             bool
	InUseBy              []string
	Token                string // the caller's
}

// Service is ACM in every account and Region. Its methods are called with the cloud's lock held.
type Service struct {
	c    *cloud.Cloud
	dns  DNS
	held []*cloud.Lagged[Certificate]
}

// New registers the service on a cloud.
func New(c *cloud.Cloud, dns DNS) *Service {
	s := &Service{c: c, dns: dns}
	c.Register(&cloud.Service{
		Name: "acm", Target: "CertificateManager", Version: "2015-12-08", Protocol: cloud.JSON11, EventSource: "acm.amazonaws.com",
		Texts: map[string]string{"AccessDeniedException": "Message"},
		Ops: map[string]*cloud.Op{
			"RequestCertificate":  {Access: onAny("RequestCertificate"), Do: s.request},
			"DeleteCertificate":   {Access: onCertificate("DeleteCertificate"), Do: s.delete},
			"DescribeCertificate": {ReadOnly: true, Access: onCertificate("DescribeCertificate"), Do: s.describe},
			"ListCertificates":    {ReadOnly: true, Do: s.list},
		},
	})
	return s
}

func onAny(op string) func(*cloud.Request) []cloud.Access {
	return func(*cloud.Request) []cloud.Access { return []cloud.Access{{Action: "acm:" + op, Resource: "*"}} }
}

// onCertificate is the access to the certificate that a request names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscertificatemanager.html
func onCertificate(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{{Action: "acm:" + op, Resource: r.Str("CertificateArn")}}
	}
}

var (
	arnForm  = regexp.MustCompile(`^arn:[\w+=/,.@-]+:acm:[\w+=/,.@-]*:[0-9]+:[\w+=,.@-]+(/[\w+=,.@-]+)*$`)
	nameForm = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$`)
)

// Record is the name and the value of the alias that proves control of a domain name for an account: the same for every request of the
// two, and for a wildcard and its domain. The name ends with a dot.
func Record(account, domain string) (name, value string) {
	base := strings.ToLower(strings.TrimPrefix(domain, "*."))
	sum := sha256.Sum256([]byte(account + " " + base))
	h := hex.EncodeToString(sum[:])
	short := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return 'k' + r - '0'
		}
		return r
	}, h[54:64])
	return "_" + h[:32] + "." + base + ".", "_" + h[20:52] + "." + short + ".acm-validations.aws."
}

// bare is a value without the underscore at its beginning, which a provider that refuses it may leave out; the name may not lose its own.
// https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-DNS-validation.html
func bare(value string) string { return strings.TrimPrefix(value, "_") }

// AddImported states a certificate that was imported, and so is ISSUED.
func (s *Service) AddImported(account, region, domain string) string {
	k := Certificate{ARN: s.arn(account, region), Account: account, Region: region, Names: []string{domain}, Status: "ISSUED", Created: s.c.Now(), Imported: true}
	s.put(k)
	return k.ARN
}

// Fail has AWS refuse a request for a reason of its own, such as ADDITIONAL_VERIFICATION_REQUIRED.
func (s *Service) Fail(arn, reason string) {
	if l := s.at(arn); l != nil {
		k, _ := l.Truth()
		k.Status, k.Reason = "FAILED", reason
		l.Set(s.c, k)
	}
}

// Find is a certificate by its ARN.
func (s *Service) Find(arn string) (Certificate, bool) {
	if l := s.at(arn); l != nil {
		return l.Truth()
	}
	return Certificate{}, false
}

func (s *Service) arn(account, region string) string {
	return "arn:aws:acm:" + region + ":" + account + ":certificate/" + s.c.UUID()
}

func (s *Service) at(arn string) *cloud.Lagged[Certificate] {
	for _, l := range s.held {
		if k, ok := l.Truth(); ok && k.ARN == arn {
			return l
		}
	}
	return nil
}

func (s *Service) put(k Certificate) {
	l := &cloud.Lagged[Certificate]{}
	l.Set(s.c, k)
	s.held = append(s.held, l)
}

// request takes a request. One with the token of an earlier one of the last hour is that one.
func (s *Service) request(r *cloud.Request) (map[string]any, error) {
	domain := r.Str("DomainName")
	k := Certificate{Account: r.Account(), Region: r.Region, Names: []string{domain}, Method: r.Str("ValidationMethod"), Status: "PENDING_VALIDATION",
		Created: s.c.Now().UTC(), Valid: map[string]bool{}, Token: r.Str("IdempotencyToken")}
	if k.Method == "" {
		k.Method = "EMAIL" // API_RequestCertificate recommends DNS and takes this without a word
	}
	for _, x := range r.List("SubjectAlternativeNames") {
		if n, _ := x.(string); !slices.Contains(k.Names, n) {
			k.Names = append(k.Names, n)
		}
	}
	for _, n := range k.Names {
		if len(n) > 253 || !nameForm.MatchString(n) {
			return nil, cloud.Errorf("InvalidParameterException", "1 validation error detected: Value '%s' at 'domainName' failed to satisfy constraint", n)
		}
	}
	switch {
	case k.Method != "DNS" && k.Method != "EMAIL":
		return nil, cloud.Errorf("InvalidParameterException", "The validation method %s is not valid.", k.Method)
	case len(k.Names) > maxNames:
		return nil, cloud.Errorf("LimitExceededException", "Error: the maximum number of %d names has been reached.", maxNames)
	}
	for _, l := range s.held {
		if old, ok := l.Truth(); ok && k.Token != "" && old.Token == k.Token && old.Account == k.Account && old.Region == k.Region && s.c.Now().Sub(old.Created) < time.Hour {
			return map[string]any{"CertificateArn": old.ARN}, nil
		}
	}
	k.ARN = s.arn(k.Account, k.Region)
	s.put(k)
	s.c.After(firstLook, func() { s.look(k.ARN) })
	return map[string]any{"CertificateArn": k.ARN}, nil
}

// look looks the names up, and again a while later, until all are valid or the time is over.
func (s *Service) look(arn string) {
	l := s.at(arn)
	if l == nil {
		return
	}
	k, _ := l.Truth()
	if k.Status != "PENDING_VALIDATION" {
		return
	}
	valid := map[string]bool{}
	all := true
	for _, n := range k.Names {
		if k.Method == "DNS" {
			name, value := Record(k.Account, n)
			valid[n] = k.Valid[n] || s.dns.Validated(name, value) || s.dns.Validated(name, bare(value))
		}
		all = all && valid[n]
	}
	k.Valid = valid
	switch {
	case all && slices.ContainsFunc(k.Names, func(n string) bool {
		return !s.dns.MayIssue(strings.TrimPrefix(n, "*."), strings.HasPrefix(n, "*."), issuers...)
	}):
		k.Status, k.Reason = "FAILED", "CAA_ERROR"
	case all:
		k.Status, k.Issued = "ISSUED", s.c.Now().UTC()
	case !s.c.Now().Before(k.Created.Add(lifetime)):
		k.Status = "VALIDATION_TIMED_OUT"
	default:
		s.c.After(looks, func() { s.look(arn) })
	}
	l.Set(s.c, k)
}

func (s *Service) named(r *cloud.Request) (*cloud.Lagged[Certificate], error) {
	arn := r.Str("CertificateArn")
	if len(arn) < 20 || !arnForm.MatchString(arn) {
		return nil, cloud.Errorf("InvalidArnException", "The ARN %s is not valid.", arn)
	}
	l := s.at(arn)
	if l == nil {
		return nil, missing(r)
	}
	if k, _ := l.Truth(); k.Account != r.Account() || k.Region != r.Region {
		return nil, missing(r)
	}
	return l, nil
}

func missing(r *cloud.Request) error {
	return cloud.Errorf("ResourceNotFoundException", "Could not find certificate %s.", r.Str("CertificateArn"))
}

func (s *Service) delete(r *cloud.Request) (map[string]any, error) {
	l, err := s.named(r)
	if err != nil {
		return nil, err
	}
	if k, _ := l.Truth(); len(k.InUseBy) > 0 {
		return nil, cloud.Errorf("ResourceInUseException", "Certificate %s is in use.", k.ARN)
	}
	l.Delete(s.c)
	return nil, nil
}

func (s *Service) describe(r *cloud.Request) (map[string]any, error) {
	l, err := s.named(r)
	if err != nil {
		return nil, err
	}
	k, ok := l.Seen(s.c)
	if !ok {
		return nil, missing(r)
	}
	return map[string]any{"Certificate": s.detail(k)}, nil
}

// detail is a certificate as DescribeCertificate shows it.
func (s *Service) detail(k Certificate) map[string]any {
	out := map[string]any{"CertificateArn": k.ARN, "DomainName": k.Names[0], "SubjectAlternativeNames": k.Names, "Status": k.Status, "Type": kind(k),
		"KeyAlgorithm": "RSA_2048", "RenewalEligibility": "INELIGIBLE", "InUseBy": append([]string{}, k.InUseBy...),
		"Options": map[string]any{"CertificateTransparencyLoggingPreference": "ENABLED"}}
	if k.Reason != "" {
		out["FailureReason"] = k.Reason
	}
	if k.Imported {
		out["ImportedAt"] = k.Created
		return out
	}
	out["CreatedAt"] = k.Created
	if !k.Issued.IsZero() {
		out["IssuedAt"] = k.Issued
	}
	options := []map[string]any{}
	for _, n := range k.Names {
		status := "PENDING_VALIDATION"
		switch {
		case k.Valid[n]:
			status = "SUCCESS"
		case k.Status != "PENDING_VALIDATION":
			status = "FAILED"
		}
		o := map[string]any{"DomainName": n, "ValidationDomain": n, "ValidationStatus": status, "ValidationMethod": k.Method}
		if k.Method == "EMAIL" {
			o["ValidationEmails"] = []string{"admin@" + strings.TrimPrefix(n, "*.")}
		} else if s.c.Now().Sub(k.Created) >= drafting {
			name, value := Record(k.Account, n)
			o["ResourceRecord"] = map[string]any{"Name": name, "Type": "CNAME", "Value": value}
		}
		options = append(options, o)
	}
	out["DomainValidationOptions"] = options
	return out
}

func kind(k Certificate) string {
	if k.Imported {
		return "IMPORTED"
	}
	return "AMAZON_ISSUED"
}

// list lists certificates in the order in which they were made.
func (s *Service) list(r *cloud.Request) (map[string]any, error) {
	want := r.Int("MaxItems", maxPage)
	if want < 1 || want > maxPage {
		return nil, cloud.Errorf("InvalidArgsException", "MaxItems must be between 1 and %d.", maxPage)
	}
	statuses := r.List("CertificateStatuses")
	var all []map[string]any
	for _, l := range s.held {
		k, ok := l.Seen(s.c)
		if !ok || k.Account != r.Account() || k.Region != r.Region || len(statuses) > 0 && !slices.Contains(statuses, any(k.Status)) {
			continue
		}
		row := map[string]any{"CertificateArn": k.ARN, "DomainName": k.Names[0], "SubjectAlternativeNameSummaries": k.Names, "HasAdditionalSubjectAlternativeNames": false,
			"Status": k.Status, "Type": kind(k), "KeyAlgorithm": "RSA_2048", "InUse": len(k.InUseBy) > 0, "RenewalEligibility": "INELIGIBLE"}
		if k.Imported {
			row["ImportedAt"] = k.Created
		} else {
			row["CreatedAt"] = k.Created
		}
		all = append(all, row)
	}
	page, next, err := cloud.Page(r.Cloud, all, r.Str("NextToken"), want, maxPage, "InvalidArgsException")
	if err != nil {
		return nil, err
	}
	out := map[string]any{"CertificateSummaryList": page}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}
