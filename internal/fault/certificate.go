package fault

import (
	"slices"

	"github.com/unjam/unjam/internal/fact"
)

// CertificateLink is the console's page of a certificate.
func CertificateLink(q fact.Question, arn string) string {
	a, err := fact.ParseARN(arn)
	if err != nil {
		return ""
	}
	return console(q, a.Region) + "/acm/home?region=" + a.Region + "#/certificates/" + a.Name()
}

// ZonesLink is the console's list of the records of a hosted zone, by the zone's ID.
func ZonesLink(q fact.Question, zone string) string {
	return console(q, q.Regions[0]) + "/route53/v2/hostedzones#ListRecordSets/" + zone
}

// configured reports whether an action of a pipeline is configured with a certificate.
func configured(p fact.Pipeline, certificateARN string) bool {
	for _, st := range p.Stages {
		if slices.ContainsFunc(st.Actions, func(a fact.Action) bool { return slices.Contains(a.Certificates, certificateARN) }) {
			return true
		}
	}
	return false
}
