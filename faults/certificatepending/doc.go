package certificatepending

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// Fault is the fault certificate-pending.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "certificate-pending",
		Doc:  doc(),
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindStackEvents, fact.KindManagedCertificate, fact.KindHostedZone, fact.KindRecord,
			fact.KindLookup},
		Explains: []fault.Code{"stack-action-failed", "action-failed"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func doc() fault.Doc {
	return fault.Doc{
		Title:   "A certificate is not issued",
		Symptom: "A certificate stays in Pending validation although its CNAME was created, or a deployment fails because the certificate it names is not issued.",
		Text: "ACM issues a public certificate when the public DNS shows, for each of its names, the CNAME record that ACM asks for. It looks again and again for 72 hours, then it gives up for good. " +
			"While the record is new and everybody can see it there is nothing to do but to wait: minutes as a rule, hours at worst. Look-ups are the word of the resolver that was asked, " +
			"which the evidence names; --resolver ADDR asks another. It is looked at when the question is about a certificate (unjam diagnose ARN), or an action of a pipeline, its failure or its stack's names one.",
		Causes: []fault.CauseDoc{
			{Code: recordMissing, Text: "The record does not exist where the public looks.", Evidence: "The resolver's answer; the account's zones that the name lies in do not have it either.", Remedy: "Create it. Where the zone is in Route 53 of the same account unjam fix does it, in a maintenance window for DNS."},
			{Code: oneMissing, Text: "The certificate has several names, and one lacks its record.", Evidence: "DomainValidationOptions: other names are SUCCESS, or their records are right.", Remedy: "Create the one that is missing: every name has a record of its own, but for a wildcard and its domain."},
			{Code: privateZone, Text: "The record is in a private hosted zone.", Evidence: "ListResourceRecordSets of a zone with PrivateZone, and nobody answers in public.", Remedy: "Create it in the public zone of the domain."},
			{Code: notDelegated, Text: "The record is in a public zone that nobody is sent to: the zone above names other name servers, or a zone between them has the name.", Evidence: "DelegationSet of the zone against the NS records at the zone above.", Remedy: "Create the record in the zone that is delegated, or correct the delegation at the registrar."},
			{Code: doubled, Text: "The provider put the zone behind a name that had it already.", Evidence: "NAME.ZONE.ZONE answers with the value.", Remedy: "Enter the name without the zone."},
			{Code: nameAltered, Text: "The record's name lost the underscore at its beginning.", Evidence: "The name without it answers with the value.", Remedy: "Create it with the underscore; only the value may lose its own."},
			{Code: valueAltered, Text: "The record has another value: the zone was put behind it, or it points to something else.", Evidence: "The resolver's answer against ResourceRecord.Value.", Remedy: "Correct the value. A dot at its end keeps a provider from putting the zone behind."},
			{Code: otherValue, Text: "The value is that of another request, of another account for example.", Evidence: "The answer ends in acm-validations.aws and is not ResourceRecord.Value.", Remedy: "Take the value from this certificate."},
			{Code: caa, Text: "CAA records forbid Amazon to issue.", Evidence: "FailureReason CAA_ERROR, or the CAA records that hold for the name.", Remedy: "Add amazon.com to them. A request that failed has to be made again."},
			{Code: noAnswer, Text: "No name server answers for the zone, or its signatures do not hold.", Evidence: "SERVFAIL or REFUSED from the resolver. It does not say why.", Remedy: "Mend the domain's delegation or its DNSSEC first."},
			{Code: email, Text: "It is to be validated by mail, and nobody has answered.", Evidence: "ValidationMethod EMAIL.", Remedy: "Follow the link in the mail, or request it again with DNS validation."},
			{Code: notYet, Text: "The records are right and it waits for more than a day.", Evidence: "The resolver's answers. It cannot be told when the records were made, nor what ACM sees.", Remedy: "Wait an hour, then ask a resolver outside of your network."},
			{Code: timedOut, Text: "Nobody created the records within 72 hours.", Evidence: "Status VALIDATION_TIMED_OUT.", Remedy: "Request it again, create the records, and delete the old one."},
			{Code: refused, Text: "ACM refused the request for a reason of its own.", Evidence: "Status FAILED and FailureReason.", Remedy: "What the reason takes, then request it again."},
		},
		See: []string{
			"aws acm describe-certificate --certificate-arn ARN --query 'Certificate.[Status,FailureReason,DomainValidationOptions]'",
			"dig +short CNAME RECORD-NAME @1.1.1.1",
			"dig +short NS ZONE @1.1.1.1",
			"dig +short CAA DOMAIN @1.1.1.1",
		},
		Remedy:   "Create the record that ACM asks for where the public sees it: unjam fix ARN.",
		Severity: fault.Medium, Bucket: fault.Configuration, Since: "0.2.0",
		Links: []string{
			"https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html",
			"https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-DNS-validation.html",
			"https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-caa.html",
		},
	}
}
