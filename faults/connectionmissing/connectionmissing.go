// Package connectionmissing finds pipelines whose connection does not exist any more: the ARN in the definition is dead.
// It never takes a refused or failed read for absence: only AWS's own "not found" counts.
package connectionmissing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// The causes.
const (
	deleted      = "deleted"
	otherPrefix  = "other-prefix"
	unknownCause = "unknown"
)

// Fault is the fault connection-missing.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "connection-missing",
		Doc: fault.Doc{
			Title:   "Pipeline uses a connection that does not exist",
			Symptom: `The Source stage fails, often with "Unable to use Connection ... The provided role does not have sufficient permissions", whatever the role may do.`,
			Text: "A connection can be deleted while pipelines use it: AWS does not refuse. Its ARN is never given out again, so the pipelines keep pointing at nothing " +
				"until their definition names another connection.",
			Causes: []fault.CauseDoc{
				{Code: deleted, Text: "It was deleted.", Evidence: "GetConnection says ResourceNotFoundException; CloudTrail shows DeleteConnection.", Remedy: "Create a connection, complete its handshake, put its ARN into the pipelines."},
				{Code: otherPrefix, Text: "The ARN has the wrong service prefix: the connection of this id has the other one.", Evidence: "ListConnections shows the same id under the other prefix.", Remedy: "Write the ARN as AWS shows it, with the prefix it was created with."},
				{Code: unknownCause, Text: "It does not exist; when it went cannot be seen.", Evidence: "GetConnection says ResourceNotFoundException.", Remedy: "Check the ARN for a slip first: account, Region, prefix. Then as above."},
			},
			See:      []string{"aws codeconnections get-connection --connection-arn ARN", "aws codeconnections list-connections"},
			Remedy:   "Point the pipeline's source action at a connection that exists and is AVAILABLE, then start the pipeline.",
			Severity: fault.High, Bucket: fault.Configuration, Since: "0.1.0",
			Links: []string{"https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-delete.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindRegion, fact.KindEvent, fact.KindSimulation, fact.KindPolicies, fact.KindExecution},
		Explains: []fault.Code{"connection-denied"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	arns, needs := fault.Connections(s)
	j := fault.Judgement{Needs: needs}
	for _, arn := range arns {
		_, _, absent, settles := fault.Connection(s, arn)
		j.Need(settles)
		if !absent {
			continue
		}
		f, helps := judge(s, arn)
		j.Findings = append(j.Findings, f)
		j.Help(helps...)
	}
	return j
}

func judge(s *fact.Snapshot, arn string) (fault.Finding, []fact.Query) {
	ref := fact.ConnectionRef(s.Question().Account, arn)
	gone, _ := s.Absence(ref)
	users, asks := fault.Users(s, arn)
	f := fault.Finding{
		Title: "Connection does not exist", Severity: fault.High, Bucket: fault.Configuration,
		Subject: fault.ConnectionSubject(arn, ""), About: ref, Remedy: "Point the pipelines at a connection that exists and is AVAILABLE, then start them.",
		Evidence: []fault.Evidence{fault.Ev(fault.Verified, gone, "GetConnection", "ResourceNotFoundException", "a connection")},
		Cause:    fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "AWS knows no connection of this ARN; when it went cannot be seen."},
	}
	if a, err := fact.ParseARN(arn); err == nil {
		for _, name := range []string{"DeleteConnection", "CreateConnection"} {
			asks = append(asks, fact.Query{Scope: fact.Scope{Account: s.Question().Account, Region: a.Region}, Kind: fact.KindEvent, ID: name})
		}
	}
	for e := range fact.All[fact.Event](s) {
		if e.Name == "CreateConnection" && e.Connection == arn && e.ConnectionName != "" {
			f.Subject.Name = e.ConnectionName
		}
		if e.Name == "DeleteConnection" && e.ErrorCode == "" && e.Connection == arn {
			with := ""
			if tool := e.Tool(); tool != "" {
				with = " with " + tool
			}
			f.Cause = fault.Cause{Code: deleted, Class: fault.Reported, Text: fmt.Sprintf("%s deleted it%s at %s.", e.Who.Label(), with, fault.Stamp(e.Time))}
			f.Since = fault.Stamp(e.Time)
			f.Evidence = append(f.Evidence, fault.Ev(fault.Reported, e, "DeleteConnection", e.Who.Label(), ""))
		}
	}
	asks = append(asks, fault.ConnectionsQuery(s.Question()))
	for c := range fact.All[fact.Connection](s) {
		if f.Cause.Code == unknownCause && sameID(c.ARN, arn) {
			f.Cause = fault.Cause{Code: otherPrefix, Class: fault.Inferred, Text: "The same id exists under the other service prefix: " + c.ARN + "."}
			f.Remedy = "Write the ARN as " + c.ARN + "."
			f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, c, "Connections[].ConnectionArn", c.ARN, arn))
		}
		if c.Status == fact.StatusAvailable && !slices.Contains(f.Details.Alternatives, c.ARN) {
			f.Details.Alternatives = append(f.Details.Alternatives, c.ARN)
		}
	}
	asks = append(asks, fault.ReuseAsks(s, users, f.Details.Alternatives)...)
	for _, p := range users {
		f.Affects = append(f.Affects, fault.PipelineSubject(p))
	}
	f.Message = fmt.Sprintf("%s to a connection that does not exist (%s).", points(len(users)), arn)
	return f, asks
}

// sameID reports whether two ARNs of connections differ in nothing but their service prefix.
func sameID(a, b string) bool {
	x, err := fact.ParseARN(a)
	y, err2 := fact.ParseARN(b)
	if err != nil || err2 != nil || x.Service == y.Service {
		return false
	}
	x.Service = y.Service
	return x == y
}

func points(n int) string {
	switch n {
	case 0:
		return "The target points"
	case 1:
		return "One pipeline points"
	}
	return fault.Plural(n, "pipeline") + " point"
}

// draft points the pipelines at another connection, where the user asks for that: a dead ARN tells no provider, and which connection takes
// the place of one that is gone is not the program's to guess.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	r := fault.Reuse{Connection: fact.Connection{ARN: f.Subject.ARN, Name: f.Subject.Name}, Code: f.Code, Alternatives: f.Details.Alternatives, Options: o}
	if r.Connection.Name == "" {
		r.Connection.Name = f.Subject.ARN
	}
	switch wished := o.Strategy == plan.Reuse || o.Reuse != ""; {
	case len(f.Details.Alternatives) == 0:
		return plan.Draft{Notes: []string{f.Message + " Not planned: there is no AVAILABLE connection to point them at. Create one and complete its handshake, then plan again."}}
	case !wished && len(f.Details.Alternatives) == 1:
		return plan.Draft{Notes: []string{f.Message + " Not planned without your word: --strategy reuse points them at " + r.Label(s) + "."}}
	case !wished:
		return plan.Draft{Notes: []string{f.Message + " Not planned without your word: name the connection to point them at by --reuse, one of " + strings.Join(f.Details.Alternatives, ", ") + "."}}
	}
	d, why := r.Draft(s)
	if why != "" {
		return plan.Draft{Notes: []string{"Not planned with another connection in place of " + r.Connection.Name + ": " + why + "."}}
	}
	return d
}
