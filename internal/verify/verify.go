// Package verify asks the diagnosis again, on fresh facts, whether a fault is gone. It has no judgement of its own and changes
// nothing.
package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/inquiry"
)

// Question is the question about one subject of a plan: a connection, a pipeline or its state. Regions are the plan's; the
// blast radius in other Regions is left out.
func Question(account string, regions []string, subject fact.Ref) fact.Question {
	t := target(account, subject)
	q := fact.Question{Account: account, Quick: true, Targets: []fact.Target{t}}
	if t.Region != "" {
		q.Regions = append(q.Regions, t.Region)
	}
	for _, r := range regions {
		if !slices.Contains(q.Regions, r) {
			q.Regions = append(q.Regions, r)
		}
	}
	return q
}

// target is a subject as the target of a question.
func target(account string, subject fact.Ref) fact.Target {
	t := fact.Target{Kind: subject.Kind, Name: subject.ID, Account: account, Region: subject.Scope.Region, Raw: subject.ID}
	if a, err := fact.ParseARN(subject.ID); err == nil {
		t.Region = a.Region
	}
	if subject.Kind == fact.KindPipelineState {
		t.Kind = fact.KindPipeline
	}
	return t
}

// Again diagnoses one fault anew and says whether it is clear for the subject, with a line for people. known are facts that
// need not be read again, the caller's identity for example.
func Again(ctx context.Context, c inquiry.Collector, q fact.Question, f *fault.Fault, subject fact.Ref, known ...fact.Fact) (fault.Verdict, string, error) {
	b := fact.NewBuilder(q)
	b.Add(known...)
	st, err := inquiry.Run(ctx, c, b, []*fault.Fault{f}, nil, nil)
	if err != nil {
		return fault.Unknown, "", fmt.Errorf("verify %s: %w", f.Code, err)
	}
	if err := ctx.Err(); err != nil {
		return fault.Unknown, "", fmt.Errorf("verify %s: %w", f.Code, err)
	}
	v, why := judge(st.Snapshot, st.Outcome, f, subject)
	return v, why, nil
}

func judge(s *fact.Snapshot, out fault.Outcome, f *fault.Fault, subject fact.Ref) (fault.Verdict, string) {
	for _, x := range out.Findings {
		if x.Severity != fault.Info && about(x, subject) && speaksOf(x, f.Code) {
			return fault.Found, x.Message
		}
	}
	// Found elsewhere is no proof for the subject: then, as for Clear, everything the fault needs must have been answered.
	needs := f.Diagnose(s).Needs
	clear := len(needs) > 0
	for _, n := range needs {
		if !s.Answered(n) && inScope(n, subject) {
			clear = false
		}
	}
	if clear {
		return fault.Clear, "nothing of it is left"
	}
	var why []string
	for _, g := range s.Gaps() {
		if !slices.Contains(why, g.Why) {
			why = append(why, g.Why)
		}
	}
	if len(why) == 0 {
		return fault.Unknown, "the diagnosis did not come to an end"
	}
	return fault.Unknown, strings.Join(why[:min(len(why), 3)], "; ")
}

// inScope reports whether a query matters for the subject: global ones do, and those of its own Region.
func inScope(q fact.Query, subject fact.Ref) bool {
	region := subject.Scope.Region
	if a, err := fact.ParseARN(subject.ID); err == nil {
		region = a.Region
	}
	return q.Scope.Region == "" || region == "" || q.Scope.Region == region
}

// speaksOf reports whether a finding is of a fault, or holds it as a symptom.
func speaksOf(x fault.Finding, code fault.Code) bool {
	return x.Code == code || slices.ContainsFunc(x.Explained, func(e fault.Explained) bool { return e.Code == code })
}

func about(x fault.Finding, subject fact.Ref) bool {
	if x.About == subject || x.Subject.ARN == subject.ID {
		return true
	}
	pipeline := subject.Kind == fact.KindPipeline || subject.Kind == fact.KindPipelineState
	return pipeline && slices.ContainsFunc(append([]fault.Subject{x.Subject}, x.Affects...), func(f fault.Subject) bool {
		return f.Kind == "pipeline" && f.Name == subject.ID && f.Region == subject.Scope.Region
	})
}
