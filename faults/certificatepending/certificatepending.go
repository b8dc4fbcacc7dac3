// Package certificatepending finds out why a certificate of AWS Certificate Manager is not issued: which validation record is missing, lies
// where nobody looks, or says something else. It never takes what one resolver says for more than that, and never requests a certificate.
package certificatepending

import (
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	recordMissing = "record-missing"
	oneMissing    = "one-name-missing"
	privateZone   = "private-zone"
	notDelegated  = "zone-not-delegated"
	doubled       = "zone-doubled"
	nameAltered   = "name-altered"
	valueAltered  = "value-altered"
	otherValue    = "value-of-other-request"
	caa           = "caa-forbids"
	noAnswer      = "zone-not-answering"
	email         = "email-unanswered"
	notYet        = "not-issued-yet"
	timedOut      = "validation-timed-out"
	refused       = "refused-by-acm"
)

const (
	// lifetime is how long a request waits to be validated (docs/aws-facts.md, "Certificates and their validation").
	lifetime = 72 * time.Hour
	// tooLong is how old a request is before it looks wrong that it waits although its records are right. AWS names no time; a record that
	// somebody made only now looks the same, so that this is a mild word.
	tooLong = 24 * time.Hour
)

// diagnose looks at every certificate that the question or a pipeline points at; where nothing does, nothing of them is read.
func diagnose(s *fact.Snapshot) fault.Judgement {
	uses, needs := pointed(s)
	j := fault.Judgement{Needs: needs}
	for _, u := range uses {
		j.Need(certificateQuery(s, u.arn))
		c, known := fact.Get[fact.ManagedCertificate](s, fact.CertificateRef(s.Question().Account, u.arn))
		if !known {
			continue
		}
		v, needs, helps := judge(s, c)
		j.Need(needs...)
		j.Help(helps...)
		if v.cause == "" || len(u.stuck) == 0 && (v.cause == replaced || v.unlisted) {
			continue // nothing waits for it, or another may be issued in its place already
		}
		j.Findings = append(j.Findings, finding(s, c, u, v))
	}
	return j
}

// verdict is what is wrong with a certificate; cause "" for nothing.
type verdict struct {
	cause    string
	class    fault.Class
	bucket   fault.Bucket
	severity fault.Severity
	says     string // behind "the certificate for X ": a sentence without its end
	text     string // why
	remedy   string
	evidence []fault.Evidence
	more     map[string]string
	records  []*record // those that are not right
	forbids  []fact.Lookup
	unlisted bool // whether there is an issued certificate in its place was not read
}

// replaced is the cause of a request that failed and whose names an issued certificate covers: it is told only where something still
// wants the old one.
const replaced = "replaced"

// judge says what is wrong with a certificate, and what it takes to say so.
func judge(s *fact.Snapshot, c fact.ManagedCertificate) (v verdict, needs, helps []fact.Query) {
	switch {
	case c.Type == "IMPORTED" || c.Type == "PRIVATE":
	case c.Status == fact.CertificatePending:
		v, needs, helps = pending(s, c)
	case c.Status == fact.CertificateTimedOut || c.Status == fact.CertificateFailed:
		v, needs, helps = ended(s, c)
	}
	if v.cause == "" {
		return v, needs, helps
	}
	status := fault.Ev(fault.Verified, c, "Certificate.Status", c.Status, fact.CertificateIssued)
	if c.Reason != "" {
		status.Text = "FailureReason " + c.Reason
	}
	v.evidence = append([]fault.Evidence{status}, v.evidence...)
	return v, needs, helps
}

// finding words a verdict.
func finding(s *fact.Snapshot, c fact.ManagedCertificate, u use, v verdict) fault.Finding {
	a, _ := fact.ParseARN(c.ARN) // a certificate that was read has one
	if v.cause == replaced {
		v.cause = endedCause(c)
	}
	f := fault.Finding{
		Title: "A certificate is not issued", Severity: v.severity, Bucket: v.bucket, About: c.Ref(), Since: fault.Stamp(c.Created),
		Subject: fault.Subject{Kind: "certificate", ARN: c.ARN, Name: c.Domain, Account: a.Account, Region: a.Region},
		Link:    fault.CertificateLink(s.Question(), c.ARN),
		Message: fmt.Sprintf("The certificate for %s %s.", c.Domain, v.says),
		Cause:   fault.Cause{Code: v.cause, Class: v.class, Text: v.text},
		Remedy:  v.remedy, Evidence: append(v.evidence, u.evidence...),
	}
	f.Details.More = map[string]string{"status": c.Status}
	for k, x := range v.more {
		f.Details.More[k] = x
	}
	if c.Status == fact.CertificatePending {
		f.Details.More["endsAt"] = fault.Stamp(c.Created.Add(lifetime))
	}
	if len(u.stuck) > 0 {
		f.Severity = fault.High
		f.Details.More["stuck"] = u.stuck[0].Name()
	}
	for _, p := range u.explained(s) {
		f.Affects = append(f.Affects, fault.PipelineSubject(p))
		f.Message += fmt.Sprintf(" %s fails on it.", p.Name)
	}
	return f
}

// use is a certificate with what points at it.
type use struct {
	arn      string
	stuck    []fault.Current // failed actions whose failure names it
	evidence []fault.Evidence
}

// explained are the pipelines whose every failed action fails on the certificate: a pipeline that fails elsewhere too is not explained.
func (u use) explained(s *fact.Snapshot) []fact.Pipeline {
	var all []fact.Pipeline
	for _, c := range u.stuck {
		p := c.Pipeline
		if slices.ContainsFunc(all, func(x fact.Pipeline) bool { return x.ARN == p.ARN }) {
			continue
		}
		fails, _ := fault.Fails(s, p)
		if !slices.ContainsFunc(fails, func(f fault.Current) bool {
			return !slices.ContainsFunc(u.stuck, func(x fault.Current) bool { return x.Name() == f.Name() })
		}) {
			all = append(all, p)
		}
	}
	return all
}

// pointed are the certificates of the account that the question is about: its targets, those that actions are configured with, and those
// that a failed action or the stack that it deploys names.
func pointed(s *fact.Snapshot) ([]use, []fact.Query) {
	pipelines, needs := fault.Subjects(s)
	var all []use
	at := func(arn string) *use {
		i := slices.IndexFunc(all, func(u use) bool { return u.arn == arn })
		if i < 0 {
			all = append(all, use{arn: arn})
			i = len(all) - 1
		}
		return &all[i]
	}
	own := func(arn string) bool {
		a, err := fact.ParseARN(arn)
		return err == nil && a.Account == s.Question().Account // another account's cannot be read from here
	}
	for _, t := range s.Question().Targets {
		if t.Kind == fact.KindManagedCertificate {
			at(t.Name)
		}
	}
	for _, p := range pipelines {
		for _, st := range p.Stages {
			for _, a := range st.Actions {
				for _, arn := range a.Certificates {
					if own(arn) {
						at(arn).evidence = append(at(arn).evidence, fault.Ev(fault.Verified, p, p.Name+"/"+st.Name+"/"+a.Name, "is configured with "+arn, ""))
					}
				}
			}
		}
		fails, state := fault.Fails(s, p)
		needs = append(needs, state)
		for _, c := range fails {
			said, more := failure(s, c)
			needs = append(needs, more...)
			for _, e := range said {
				for _, arn := range fact.CertificatesIn(e.Text) {
					u := at(arn)
					u.stuck = append(u.stuck, c)
					u.evidence = append(u.evidence, c.Evidence())
					if e.Field != c.Name() {
						u.evidence = append(u.evidence, e)
					}
				}
			}
		}
	}
	return slices.DeleteFunc(all, func(u use) bool { return !own(u.arn) }), needs
}

// maxDepth is how deep nested stacks are followed.
const maxDepth = 3

// failure is what was said as an action failed: its own text and, of a stack, the first failure that is no consequence of another. The
// queries read the latter; they are those of stack-action-failed.
func failure(s *fact.Snapshot, c fault.Current) (said []fault.Evidence, needs []fact.Query) {
	said = []fault.Evidence{c.Evidence()}
	scope := fault.StackScope(c.Pipeline, c.Action)
	if !fault.OfStack(c) || c.Action.StackName == "" || scope.Account != s.Question().Account {
		return said, nil
	}
	stack, until := c.Action.StackName, fault.Stamp(c.State.Changed)
	for range maxDepth {
		needs = append(needs, fact.Query{Scope: scope, Kind: fact.KindStackEvents, ID: stack, Args: map[string]string{"until": until}})
		events, ok := fact.Get[fact.StackEvents](s, fact.StackEventsRef(scope, stack, until))
		if !ok {
			break
		}
		first, ok := events.First()
		if !ok {
			break
		}
		e := fault.Ev(fault.Reported, events, fact.StackName(stack)+"/"+first.Logical, first.Status, "")
		if fact.StackName(stack) == "" {
			e.Field = stack + "/" + first.Logical
		}
		e.Text = first.Reason
		said = append(said, e)
		if fact.StackName(first.Physical) == "" {
			break
		}
		stack = first.Physical
	}
	return said, needs
}

func certificateQuery(s *fact.Snapshot, arn string) fact.Query {
	return fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindManagedCertificate, ID: arn}
}
