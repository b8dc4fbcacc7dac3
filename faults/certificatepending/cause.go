package certificatepending

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// pending says why a request waits: nothing is wrong while it is young and the DNS is as ACM wants it.
func pending(s *fact.Snapshot, c fact.ManagedCertificate) (v verdict, needs, helps []fact.Query) {
	v = verdict{severity: fault.Medium, bucket: fault.Configuration, more: map[string]string{}}
	age := s.At().Sub(c.Created)
	waits := fmt.Sprintf("has been waiting for %s to be validated: ", fault.Span(age))
	records, needs, helps := examine(s, c)
	forbids, more := forbidding(s, c)
	needs = append(needs, more...)
	for _, r := range records {
		v.evidence = append(v.evidence, r.evidence...)
	}
	for _, l := range forbids {
		v.evidence = append(v.evidence, answered(l, `issue "amazon.com"`))
	}
	v.forbids, v.records = forbids, slices.DeleteFunc(slices.Clone(records), func(r *record) bool { return r.cause == "" })
	mails := mailed(c)
	switch {
	case len(v.records) > 0:
		v.wrong(c, records, waits)
	case len(forbids) > 0:
		v.cause, v.class, v.text = caa, fault.Reported, caaText(forbids)
		v.says, v.remedy = waits+"its CAA records do not let Amazon issue it", caaRemedy(forbids[0])
	case len(mails) > 0:
		v.cause, v.class, v.bucket = email, fault.Verified, fault.Person
		v.text = "ACM sent a mail to whoever is named as responsible for " + strings.Join(mails, " and ") + ", and nobody has followed its link"
		v.says, v.remedy = waits+"nobody has answered the mail to the domain's owner", "Follow the link in the mail, or request the certificate again with DNS validation: a record is easier to see and renews by itself."
	case age >= tooLong && len(records) > 0 && !slices.ContainsFunc(records, func(r *record) bool { return !r.right() }):
		v.cause, v.class, v.severity = notYet, fault.Unclear, fault.Low
		v.text = "The records are as ACM wants them, as far as " + records[0].look.Server + " sees: they may be new, or ACM may see something else than a resolver inside of a network"
		v.says, v.remedy = waits+"its records are right, and ACM has not issued it", "Wait an hour. Then ask a resolver outside of your network: --resolver 1.1.1.1, and look for name servers of the zone that answer differently."
	}
	return v, needs, helps
}

// examine looks at every record that a certificate waits for.
func examine(s *fact.Snapshot, c fact.ManagedCertificate) (records []*record, needs, helps []fact.Query) {
	records = recordsOf(c)
	zones := fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindHostedZone}
	for _, r := range records {
		needs = append(needs, lookup(s, r.name, "CNAME"))
		helps = append(helps, r.find(s)...)
		if r.cause != "" {
			r.gap(s, zones)
		}
	}
	if len(records) > 0 {
		helps = append(helps, zones)
	}
	return records, needs, helps
}

// forbidding are the look-ups of CAA records that do not let Amazon issue for a name of the certificate.
func forbidding(s *fact.Snapshot, c fact.ManagedCertificate) (forbids []fact.Lookup, needs []fact.Query) {
	for _, o := range c.Options {
		base := strings.ToLower(strings.TrimPrefix(o.Domain, "*.")) + "."
		needs = append(needs, lookup(s, base, "CAA"))
		l, ok := looked(s, base, "CAA")
		if ok && !l.LetsAmazon(strings.HasPrefix(o.Domain, "*.")) && !slices.ContainsFunc(forbids, func(x fact.Lookup) bool { return x.Name == l.Name }) {
			forbids = append(forbids, l)
		}
	}
	return forbids, needs
}

// mailed are the names that are to be validated by mail.
func mailed(c fact.ManagedCertificate) []string {
	var all []string
	for _, o := range c.Options {
		if o.Method == "EMAIL" && o.Status != "SUCCESS" {
			all = append(all, o.Domain)
		}
	}
	return all
}

// wrong words what is wrong with the records: the first one of the surest cause speaks.
func (v *verdict) wrong(c fact.ManagedCertificate, records []*record, waits string) {
	order := []string{notDelegated, privateZone, doubled, nameAltered, otherValue, valueAltered, noAnswer, recordMissing}
	first := slices.MinFunc(v.records, func(a, b *record) int { return slices.Index(order, a.cause) - slices.Index(order, b.cause) })
	v.cause, v.class = first.cause, fault.Reported
	v.text = "The record " + first.String() + " is not seen by the public: " + first.text + "."
	switch first.cause {
	case valueAltered, otherValue:
		v.text = fmt.Sprintf("The record %s says %s and not %s: %s.", first.name, first.look.Answers[0], first.value, first.text)
	case recordMissing:
		if len(first.unseen) > 0 {
			v.class = fault.Unclear
			v.text += " Whether it is in a zone of this account cannot be told: " + strings.Join(first.unseen, "; ") + "."
		} else if len(v.records) < len(records) || slices.ContainsFunc(c.Options, func(o fact.DomainValidation) bool { return o.Status == "SUCCESS" }) {
			v.cause = oneMissing
			v.text = fmt.Sprintf("The certificate has several names, each with a record of its own, and it is issued when all of them are validated: %s is missing.", first)
		}
	case noAnswer:
		v.class = fault.Unclear
	}
	names := strings.Join(first.domains, " and ")
	v.says = waits + "the record for " + names + " " + map[string]string{
		notDelegated: "is in a zone that nobody is sent to", privateZone: "is in a private zone", doubled: "has the zone twice in its name",
		nameAltered: "lost the underscore of its name", otherValue: "has the value of another request", valueAltered: "has another value",
		noAnswer: "cannot be looked up", recordMissing: "is missing",
	}[first.cause]
	if n := len(v.records); n > 1 {
		v.says += fmt.Sprintf(", and %s with it", fault.Plural(n-1, "other"))
	}
	if len(v.forbids) > 0 {
		v.text += " Besides, " + caaText(v.forbids) + "."
	}
	v.remedy = first.remedy()
	v.more["record"], v.more["value"], v.more["resolver"] = first.name, first.value, first.look.Server
	if first.zone.ID != "" {
		v.more["zone"] = first.zone.ID
	}
}

// remedy is one line on what to do about a record.
func (r *record) remedy() string {
	if r.zone.ID != "" {
		return fmt.Sprintf("Write %s into the zone %s (%s); unjam fix plans it.", r, bare(r.zone.Name), r.zone.ID)
	}
	switch r.cause {
	case notDelegated:
		return fmt.Sprintf("Have whoever keeps the zone above delegate %s to %s, or write %s where the public looks now.", bare(r.loose.Name), strings.Join(r.loose.Servers, " "), r)
	case doubled:
		return fmt.Sprintf("With the value %s enter the name without the zone: %s", r.value, r.entered())
	case noAnswer:
		return "See first to it that the domain's name servers answer, then look again."
	}
	return "Create " + r.String() + " where the domain's public records are kept."
}

// entered is the name as a provider wants it that puts the zone behind.
func (r *record) entered() string {
	return strings.TrimSuffix(strings.TrimSuffix(r.name, r.look.Zone), ".")
}

func caaText(forbids []fact.Lookup) string {
	return fmt.Sprintf("the CAA records of %s (%s) do not name Amazon, which may then not issue", bare(forbids[0].Zone), strings.Join(forbids[0].Answers, ", "))
}

func caaRemedy(l fact.Lookup) string {
	return fmt.Sprintf(`Add 0 issue "amazon.com" to the CAA records of %s (issuewild for wildcards, where there are such records).`, bare(l.Zone))
}
