package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/baseline"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/inquiry"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/terraform"
)

// Ask is what the user wants to know.
type Ask struct {
	Targets    []fact.Target // none: everything in the Regions
	Principals []string      // also judged for completing a handshake
	Quick      bool          // leave out the other Regions
	Drift      bool          // run a drift detection of the owning stack
	Paid       bool          // allow checks that AWS charges for
	Declared   []fact.Fact   // what Terraform files declare (App.Terraform)
}

// MaxTerraform is how large a Terraform file may be, in bytes.
const MaxTerraform = terraform.MaxSize

// Terraform reads the output of `terraform show -json`, of a state or a plan, for Ask.Declared. name is the file's.
func (a *App) Terraform(name string, text []byte) ([]fact.Fact, error) {
	all, err := terraform.Read(name, text, a.collector.Flatten)
	if err != nil {
		return nil, err
	}
	return terraform.At(all, time.Now()), nil
}

// Progress tells how far a diagnosis is: at the start of each round, and every two seconds within one that takes longer. Findings
// that are already sure come with it, before the rest is read.
type Progress struct {
	Round    int
	Pending  int             // queries of this round
	Answered int             // of them
	New      []fault.Finding // that were not there before, or harmed nothing
	Grown    []fault.Finding // that affect more than before
}

// Diagnosis is a finished diagnosis.
type Diagnosis struct {
	Snapshot *fact.Snapshot
	Outcome  fault.Outcome
	Report   report.Diagnosis
	Rounds   int
	who      fact.Identity
}

// Diagnose finds what is stuck and why. When ctx ends before everything was read, what is missing is a gap and the verdicts on
// what was read stand. A target that is the name of no pipeline is taken for the connection or the host of that name. progress may
// be nil.
func (a *App) Diagnose(ctx context.Context, ask Ask, faults []*fault.Fault, progress func(Progress)) (*Diagnosis, error) {
	start, before := time.Now(), a.session.Tally()
	if progress == nil {
		progress = func(Progress) {}
	}
	if ask.Quick {
		ctx = awsapi.AtOnce(ctx)
	}
	d, err := a.diagnose(ctx, ask, faults, progress)
	for range ask.Targets {
		var none *NotFoundError
		if !errors.As(err, &none) || !a.named(ctx, &ask, none) {
			break
		}
		d, err = a.diagnose(ctx, ask, faults, progress)
	}
	if err != nil {
		return nil, err
	}
	d.Report = report.NewDiagnosis(d.Snapshot, d.Outcome, a.calls(before), time.Since(start))
	d.Report.Warnings = append(a.strangers(ctx, d.who, ask.Targets), report.Warnings(a.standing(ctx, d.who, time.Now()))...)
	d.Report.Warnings = append(d.Report.Warnings, undeployed(d.Snapshot)...)
	return d, nil
}

// Hide takes the findings that a baseline knows out of what is shown and planned.
func (d *Diagnosis) Hide(b baseline.Baseline) {
	d.Report.Hide(b)
	d.Outcome.Findings, _ = b.Apply(d.Outcome.Findings, d.Report.GeneratedAt)
}

// diagnose is Diagnose without its report. A target pipeline that does not exist is a *NotFoundError.
func (a *App) diagnose(ctx context.Context, ask Ask, faults []*fault.Fault, progress func(Progress)) (*Diagnosis, error) {
	who, err := a.Identity(ctx)
	if err != nil {
		return nil, err
	}
	pre := fact.NewBuilder(fact.Question{})
	q, err := a.question(ctx, who, ask, pre)
	if err != nil {
		return nil, err
	}
	b := fact.NewBuilder(q)
	b.Add(who)
	b.Add(ask.Declared...)
	if ask.Quick { // what is left out on purpose is said like everything else that was not seen
		b.Miss(fact.Gap{Query: fault.RegionsQuery(q.Account), Source: fact.Source{Service: "account", Operation: "ListRegions", Account: q.Account},
			Class: fact.Skipped, Why: "--quick leaves out pipelines in other Regions: ask without it to see them"})
	}
	told := map[string]int{}
	early := func(f fault.Finding, more bool) bool { // nothing that was read suffers from it, or no fault explains it: that may change
		return f.Severity == fault.Info || more && slices.ContainsFunc(faults, func(x *fault.Fault) bool { return x.Rest && x.Code == f.Code })
	}
	meter := &meter{tell: progress}
	a.collector.OnReply = meter.reply
	defer func() { a.collector.OnReply = nil }()
	st, err := inquiry.Run(ctx, a.collector, b, faults, lenses(), func(st inquiry.State) error {
		if none := unknownTarget(st.Snapshot); none != nil {
			if none.What == "pipeline" {
				none.Elsewhere = a.elsewhere(ctx, none.Account, none.Region, none.Name)
			}
			return none
		}
		p := Progress{Round: st.Rounds, Pending: len(st.Outcome.Wants)}
		for _, f := range st.Outcome.Findings {
			if early(f, p.Pending > 0) {
				continue
			}
			if n, old := told[f.ID]; !old {
				p.New = append(p.New, f)
			} else if len(f.Affects) > n {
				p.Grown = append(p.Grown, f)
			}
			told[f.ID] = len(f.Affects)
		}
		meter.round(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Diagnosis{Snapshot: st.Snapshot, Outcome: st.Outcome, Rounds: st.Rounds, who: who}, nil
}

// meter counts the answers of a round.
type meter struct {
	tell func(Progress)
	now  Progress
	at   time.Time
}

// round starts a round.
func (m *meter) round(p Progress) {
	m.now, m.at = p, time.Now()
	m.tell(p)
}

// reply counts one answer; the collector calls it one at a time.
func (m *meter) reply(fact.Query) {
	m.now.Answered++
	if time.Since(m.at) >= 2*time.Second {
		m.at = time.Now()
		m.tell(Progress{Round: m.now.Round, Pending: m.now.Pending, Answered: m.now.Answered})
	}
}

// unknownTarget reports a target pipeline that AWS does not know, with names that look alike.
func unknownTarget(s *fact.Snapshot) *NotFoundError {
	q := s.Question()
	for _, t := range q.Targets {
		if t.Kind != fact.KindPipeline {
			continue
		}
		scope := fault.TargetScope(q, t)
		if _, gone := s.Absence(fact.Ref{Scope: scope, Kind: fact.KindExecution, ID: t.Execution}); gone && t.Execution != "" {
			return &NotFoundError{What: "execution", Name: t.Name + "/" + t.Execution, Account: q.Account, Region: scope.Region}
		}
		if _, gone := s.Absence(fact.PipelineRef(scope, t.Name)); !gone {
			continue
		}
		return &NotFoundError{What: "pipeline", Name: t.Name, Account: q.Account, Region: scope.Region, Near: Near(t.Name, fault.Listed(s, scope))}
	}
	return nil
}
