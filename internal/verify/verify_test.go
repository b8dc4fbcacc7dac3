package verify_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/verify"
)

const (
	account = "111111111111"
	arn     = "arn:aws:codeconnections:eu-west-1:111111111111:connection/aaaa"
	other   = "arn:aws:codeconnections:eu-west-1:111111111111:connection/bbbb"
)

// statuses answers connection queries: a status, "gap" or nothing at all.
type statuses map[string]string

func (s statuses) Collect(_ context.Context, b *fact.Builder, queries []fact.Query) {
	for _, q := range queries {
		switch v := s[q.ID]; v {
		case "gap":
			b.Miss(fact.Gap{Query: q, Class: fact.Denied, Why: "not allowed to look"})
		case "":
		default:
			b.Add(fact.Connection{Seen: fact.Seen{About: fact.ConnectionRef(account, q.ID)}, ARN: q.ID, Status: v})
			b.Cover(q)
		}
	}
}

// pending is a fault that looks at the target first and at another connection in a second round.
var pending = &fault.Fault{Code: "connection-pending", Diagnose: func(s *fact.Snapshot) fault.Judgement {
	var j fault.Judgement
	for _, id := range []string{arn, other} {
		j.Need(fault.ConnectionQuery(account, id))
		c, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(account, id))
		if !ok {
			break
		}
		if c.Status == fact.StatusPending {
			j.Findings = append(j.Findings, fault.Finding{Subject: fault.ConnectionSubject(id, ""), About: c.Ref(), Message: id + " is PENDING"})
		}
	}
	return j
}}

func TestAgain(t *testing.T) {
	tests := map[string]struct {
		seen statuses
		want fault.Verdict
		why  string
	}{
		"mended":              {statuses{arn: "AVAILABLE", other: "AVAILABLE"}, fault.Clear, "nothing of it is left"},
		"still there":         {statuses{arn: "PENDING", other: "AVAILABLE"}, fault.Found, arn + " is PENDING"},
		"only another one":    {statuses{arn: "AVAILABLE", other: "PENDING"}, fault.Clear, "nothing of it is left"},
		"not readable":        {statuses{arn: "gap", other: "AVAILABLE"}, fault.Unknown, "not allowed to look"},
		"half readable":       {statuses{arn: "AVAILABLE", other: "gap"}, fault.Unknown, "not allowed to look"},
		"nobody ever answers": {statuses{}, fault.Unknown, "did not come to an end"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			subject := fact.ConnectionRef(account, arn)
			got, why, err := verify.Again(t.Context(), tt.seen, verify.Question(account, nil, subject), pending, subject)
			if err != nil || got != tt.want || !strings.Contains(why, tt.why) {
				t.Errorf("%s, %q, %v; want %s, %q", got, why, err, tt.want, tt.why)
			}
		})
	}
}

// Interrupted, it gives no verdict.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	subject := fact.ConnectionRef(account, arn)
	got, _, err := verify.Again(ctx, statuses{arn: "AVAILABLE", other: "AVAILABLE"}, verify.Question(account, nil, subject), pending, subject)
	if got != fault.Unknown || !errors.Is(err, context.Canceled) {
		t.Errorf("%s, %v", got, err)
	}
}

// What is already known is not lost, and does not count as read again.
func TestKnown(t *testing.T) {
	subject := fact.ConnectionRef(account, arn)
	var saw bool
	f := &fault.Fault{Code: "x", Diagnose: func(s *fact.Snapshot) fault.Judgement {
		for range fact.All[fact.Identity](s) {
			saw = true
		}
		return pending.Diagnose(s)
	}}
	who := fact.Identity{Seen: fact.Seen{About: fact.Ref{Kind: fact.KindIdentity, ID: "me"}}, Account: account}
	if _, _, err := verify.Again(t.Context(), statuses{}, verify.Question(account, nil, subject), f, subject, who); err != nil || !saw {
		t.Errorf("the fault did not see the identity (%v)", err)
	}
}

func TestQuestion(t *testing.T) {
	scope := fact.Scope{Account: account, Region: "us-east-1"}
	tests := map[string]struct {
		subject fact.Ref
		kind    fact.Kind
		regions []string
	}{
		"connection": {fact.ConnectionRef(account, arn), fact.KindConnection, []string{"eu-west-1", "us-west-2"}},
		"pipeline":   {fact.PipelineRef(scope, "web"), fact.KindPipeline, []string{"us-east-1", "us-west-2"}},
		"state":      {fact.StateRef(scope, "web"), fact.KindPipeline, []string{"us-east-1", "us-west-2"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			q := verify.Question(account, []string{"us-west-2", tt.regions[0]}, tt.subject)
			if len(q.Targets) != 1 || q.Targets[0].Kind != tt.kind || q.Targets[0].Name != tt.subject.ID || !reflect.DeepEqual(q.Regions, tt.regions) || !q.Quick || q.Account != account {
				t.Errorf("got %+v", q)
			}
		})
	}
}
