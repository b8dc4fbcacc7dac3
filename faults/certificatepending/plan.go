package certificatepending

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

const (
	// recordTTL is what a new record gets: five minutes, the console's own default.
	recordTTL = 300
	// writePatience is how long a written record may take to show in the API.
	writePatience = 2 * time.Minute
	// personPatience is how long a person may take.
	personPatience = 72 * time.Hour
	// runPatience is how long the action that failed may take when it runs again (docs/aws-facts.md, "Quotas": CodePipeline itself gives
	// a CloudFormation action three days).
	runPatience = 6 * time.Hour
	// slack is how long after the end of a request its status is waited for.
	slack = time.Hour
)

// draft writes the records that belong into zones of this account, tells a person of all else, waits for ACM, and has run again what failed
// on the certificate.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	c, known := fact.Get[fact.ManagedCertificate](s, f.About)
	if !known {
		return plan.Draft{}
	}
	if f.Details.More["instead"] != "" {
		return plan.Draft{Notes: []string{f.Message + " Not planned: " + f.Remedy}}
	}
	v, _, _ := judge(s, c)
	var d plan.Draft
	switch {
	case c.Status != fact.CertificatePending:
		again := requestAgain(s, c, f)
		d.Steps = append(d.Steps, again)
		if len(f.Affects) > 0 {
			d.Notes = append(d.Notes, "What names the old certificate has to name the new one: that is for a person, who then lets "+f.Affects[0].Name+" run.")
		}
		d.Steps = append(d.Steps, verify(f, again.ID))
		return d
	case v.cause == email:
		d.Steps = append(d.Steps, answerMail(s, c))
	}
	var before []string
	for _, r := range v.records {
		step := r.byHand(s, c)
		if r.zone.ID != "" && r.settled {
			step = r.write(s)
			d.Notes = append(d.Notes, fmt.Sprintf("The record has to stay: ACM renews the certificate by it. Where a template or Terraform keeps the zone %s, put it there too.", bare(r.zone.Name)))
		}
		d.Steps, before = append(d.Steps, step), append(before, step.ID)
	}
	for _, l := range v.forbids {
		step := allow(s, c, l)
		d.Steps, before = append(d.Steps, step), append(before, step.ID)
	}
	last := "issued-" + key(c)
	if v.cause != email {
		d.Steps = append(d.Steps, issued(s, c, before))
	}
	steps, notes := restart(s, f, o, last)
	d.Steps, d.Notes = append(d.Steps, steps...), append(d.Notes, notes...)
	d.Steps = append(d.Steps, verify(f, last))
	return d
}

// key is a certificate in the IDs of steps: the last part of its ARN.
func key(c fact.ManagedCertificate) string { return c.ARN[strings.LastIndexByte(c.ARN, '/')+1:] }

// bare is a name as people write it.
func bare(name string) string { return strings.TrimSuffix(name, ".") }

func statusIs(c fact.ManagedCertificate, status string) plan.Check {
	return plan.Check{Ref: c.Ref(), Field: "status", Op: plan.Is, Value: status}
}

// write puts a record into the zone that answers for its name.
func (r *record) write(s *fact.Snapshot) plan.Step {
	ref := fact.RecordRef(s.Question().Account, r.zone.ID, r.name, "CNAME")
	input := func(value string, ttl int64) op.Input {
		return op.Input{"HostedZoneId": r.zone.ID, "Action": "UPSERT", "Name": r.name, "Type": "CNAME", "TTL": strconv.FormatInt(ttl, 10), "Value": value}
	}
	step := plan.NewCall("record-"+r.zone.ID+"-"+r.name, "write the record of "+strings.Join(r.domains, " and ")+" into the zone "+bare(r.zone.Name), ref, plan.Action{
		Service: "route53", Operation: "ChangeResourceRecordSets", Region: s.Question().Regions[0], Input: input(r.value, recordTTL),
	})
	step.Given = []plan.Check{{Ref: ref, Op: plan.Absent}}
	if r.held {
		old := strings.Join(r.there.Values, " ")
		step.Given = []plan.Check{{Ref: ref, Field: "value", Op: plan.Is, Value: old}}
		step.Undo = &plan.Action{Service: "route53", Operation: "ChangeResourceRecordSets", Region: s.Question().Regions[0], Input: input(old, r.there.TTL)}
	}
	step.UndoneWhen = step.Given
	step.DoneWhen = []plan.Check{{Ref: ref, Field: "value", Op: plan.Is, Value: r.value}}
	step.SkipWhen = step.DoneWhen
	step.Window = "dns"
	step.Patience = writePatience
	step.Blast = []plan.Effect{{What: "whoever looks up " + r.name + ", which is ACM"}}
	return step
}

// byHand has a person create a record where the program has no hands.
func (r *record) byHand(s *fact.Snapshot, c fact.ManagedCertificate) plan.Step {
	done := []plan.Check{{Ref: fact.LookupRef(s.Question().Account, r.name, "CNAME"), Field: "target", Op: plan.Is, Value: fact.ValidationTarget(r.value)}}
	say := guide(s, c, "whoever keeps the public DNS of "+strings.Join(r.domains, " and "),
		"Please create this record in the public DNS, and leave it there: "+r.String(),
		"Create this record, or correct it: "+r.String(),
		"Where the provider puts the zone behind names by itself, enter the name without it: "+r.entered(),
		"Keep the dot at the value's end, unless the provider refuses it. The name must keep its underscore; the value may lose its own.",
		"Leave the record there afterwards: ACM renews the certificate by it.")
	switch r.cause {
	case notDelegated:
		say.Checklist = append([]string{fmt.Sprintf("Either have the zone above delegate %s to these name servers: %s", bare(r.loose.Name), strings.Join(r.loose.Servers, " "))}, say.Checklist...)
		say.Checklist[1] = "Or create this record where the public looks now: " + r.String()
	case noAnswer:
		say.Checklist = append([]string{"See to it that the name servers of the domain answer: " + r.text + "."}, say.Checklist...)
	}
	return plan.Step{ID: "record-" + r.name, Title: "create the record of " + strings.Join(r.domains, " and ") + " in the public DNS", Kind: plan.Human, Target: c.Ref(), Say: say,
		DoneWhen: done, SkipWhen: done, Patience: personPatience, OneWay: "what a person changes elsewhere a person takes back"}
}

// allow has a person let Amazon issue: who may issue certificates is for the domain's owner to say.
func allow(s *fact.Snapshot, c fact.ManagedCertificate, l fact.Lookup) plan.Step {
	field, tag := "amazon", "issue"
	if l.LetsAmazon(false) {
		field, tag = "amazon-wild", "issuewild"
	}
	done := []plan.Check{{Ref: l.Ref(), Field: field, Op: plan.Is, Value: "yes"}}
	say := guide(s, c, "whoever decides who may issue certificates for "+bare(l.Zone),
		fmt.Sprintf("Its authority Amazon is not named by the CAA records of %s. May it issue for %s?", bare(l.Zone), bare(l.Name)),
		fmt.Sprintf("Add this record to the CAA records of %s: 0 %s \"amazon.com\"", l.Zone, tag),
		"Keep those that are there: "+strings.Join(l.Answers, ", "))
	return plan.Step{ID: "caa-" + l.Name, Title: "let Amazon issue for " + bare(l.Name), Kind: plan.Human, Target: c.Ref(), Say: say, DoneWhen: done, SkipWhen: done,
		Patience: personPatience, OneWay: "what a person changes elsewhere a person takes back"}
}

// answerMail has the domain's owner follow the link in the mail.
func answerMail(s *fact.Snapshot, c fact.ManagedCertificate) plan.Step {
	names := strings.Join(mailed(c), " and ")
	say := guide(s, c, "whoever reads the mail of the owner of "+names,
		"Please follow the link in the mail of Amazon Certificates to the owner of "+names+".",
		"Find the mail from Amazon Certificates to admin@, administrator@, hostmaster@, postmaster@ or webmaster@ of "+names+".",
		"Follow its link and approve the request. Lost mails are sent again from the console's page of the certificate.")
	done := []plan.Check{statusIs(c, fact.CertificateIssued)}
	return plan.Step{ID: "issued-" + key(c), Title: "answer the validation mail of " + names, Kind: plan.Human, Target: c.Ref(), Say: say, DoneWhen: done, SkipWhen: done,
		FailWhen: over(c), Patience: personPatience, OneWay: "an issued certificate stays issued"}
}

// over is how a request ends without a certificate.
func over(c fact.ManagedCertificate) []plan.Check {
	return []plan.Check{statusIs(c, fact.CertificateTimedOut), statusIs(c, fact.CertificateFailed)}
}

// issued waits until ACM has issued, at most until the request's 72 hours are over.
func issued(s *fact.Snapshot, c fact.ManagedCertificate, after []string) plan.Step {
	return plan.Step{ID: "issued-" + key(c), Title: "ACM issues the certificate for " + c.Domain, Kind: plan.Wait, Target: c.Ref(), After: after,
		DoneWhen: []plan.Check{statusIs(c, fact.CertificateIssued)}, FailWhen: over(c), Patience: (max(c.Created.Add(lifetime).Sub(s.At()), 0) + slack).Round(time.Minute)}
}

// requestAgain has a person make a request in the place of one that has ended: which names it is to have, and what it is put into, is not
// for the program to say.
func requestAgain(s *fact.Snapshot, c fact.ManagedCertificate, f fault.Finding) plan.Step {
	a, _ := fact.ParseARN(c.ARN) // one that was read has one
	say := guide(s, c, "somebody who may request certificates (acm:RequestCertificate, acm:DeleteCertificate)",
		"Please request it again and delete it then. "+f.Remedy,
		f.Remedy,
		fmt.Sprintf("aws acm request-certificate --region %s --validation-method DNS --domain-name '%s'%s", a.Region, c.Domain, others(c)),
		"Create the records that describe-certificate then shows. For a name and an account they are the same as before.",
		"Wait until it is ISSUED, and put its ARN wherever the old one was.",
		fmt.Sprintf("aws acm delete-certificate --region %s --certificate-arn %s", a.Region, c.ARN))
	done := []plan.Check{{Ref: c.Ref(), Op: plan.Absent}}
	return plan.Step{ID: "request-" + key(c), Title: "request the certificate for " + c.Domain + " again, and delete this one", Kind: plan.Human, Target: c.Ref(), Say: say, DoneWhen: done, SkipWhen: done,
		Patience: personPatience, OneWay: "a request that has ended does not come back"}
}

func others(c fact.ManagedCertificate) string {
	names := slices.DeleteFunc(slices.Clone(c.Names), func(n string) bool { return n == c.Domain })
	if len(names) == 0 {
		return ""
	}
	return " --subject-alternative-names '" + strings.Join(names, "' '") + "'"
}

// restart has the actions run again that failed on the certificate.
func restart(s *fact.Snapshot, f fault.Finding, o plan.Options, after string) (steps []plan.Step, notes []string) {
	uses, _ := pointed(s)
	i := slices.IndexFunc(uses, func(u use) bool { return u.arn == f.Subject.ARN })
	if i < 0 || len(uses[i].stuck) == 0 {
		return nil, nil
	}
	if o.NoRestart {
		return nil, []string{"What failed on the certificate is not retried (--no-restart)."}
	}
	for _, p := range uses[i].explained(s) {
		for _, c := range uses[i].stuck {
			if c.Pipeline.ARN != p.ARN {
				continue
			}
			step := fault.Retry(c, []string{after}, runPatience)
			if !slices.ContainsFunc(steps, func(x plan.Step) bool { return x.ID == step.ID }) {
				steps = append(steps, step)
			}
		}
	}
	return steps, nil
}

func verify(f fault.Finding, after string) plan.Step {
	return plan.Step{ID: "verify-" + after, Title: "the diagnosis again: nobody waits for the certificate any more", Kind: plan.Verify, Target: f.About, After: []string{after},
		Verdict: string(f.Code), Patience: 5 * time.Minute}
}

// guide is what a person is told about a certificate.
func guide(s *fact.Snapshot, c fact.ManagedCertificate, who, please string, checklist ...string) *plan.Guide {
	a, _ := fact.ParseARN(c.ARN) // one that was read has one
	return &plan.Guide{
		Link: fault.CertificateLink(s.Question(), c.ARN), Where: "account " + a.Account + ", Region " + a.Region, Role: who, Checklist: checklist,
		Handover: fmt.Sprintf("The AWS certificate for %s (account %s, Region %s) is not issued. %s", c.Domain, a.Account, a.Region, please),
	}
}
