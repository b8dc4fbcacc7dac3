package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/export"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/verify"
)

// Apply says what to carry out.
type Apply struct {
	Plan     plan.Plan // empty to resume
	Run      string    // the run to resume; "" for a new one
	Journal  Journal
	Interval time.Duration // between polls; 0: the documented rhythm
	Watching bool          // somebody sits at a terminal
	Accept   []string      // consents by name: plan.Step.Consent, guard.NoWindow, guard.OpenBreaker
	Policy   guard.Policy  // the zero one: whoever applies is the approval
	PlanFile string        // approvals lie beside it; "": the plan is in no file
	Confirm  string        // what the person typed to name a production account
	Export   export.Config // where what is there is saved first; Home "": the folder export of the state folder
	Events   func(apply.Event)
	Faults   []*fault.Fault
}

// Apply carries out a plan or goes on with a run. It is the only use case that changes AWS.
func (a *App) Apply(ctx context.Context, o Apply) (apply.Outcome, error) {
	who, err := a.Identity(ctx)
	if err != nil {
		return apply.Outcome{Run: o.Run, ExitHint: 1}, err
	}
	if o.Export.Home == "" {
		o.Export.Home = filepath.Join(a.cfg.Home, "export")
	}
	if err := export.Check(ctx, o.Export); err != nil {
		return apply.Outcome{Run: o.Run, ExitHint: 1}, err
	}
	g := &gate{app: a, ask: o, who: who}
	return apply.Run(ctx, apply.Config{
		Plan: o.Plan, RunID: o.Run, Journal: o.Journal, Account: who.Account, By: who.ARN,
		Read: func(ctx context.Context, qs []fact.Query) (*fact.Snapshot, error) {
			return a.Read(ctx, who.Account, qs)
		},
		Write: apply.WriteTo(a.session),
		Verdict: func(ctx context.Context, code string, subject fact.Ref) (fault.Verdict, string, error) {
			return a.verdict(ctx, who, o.Faults, code, subject)
		},
		Renew: a.session.Renew, Accept: o.Accept, Admit: g.admit, Before: g.before, Export: a.exporter(o.Export, o.Journal, who.ARN), Interval: o.Interval, Watching: o.Watching, Events: o.Events,
	})
}

// Read reads facts outside a diagnosis: what a plan relies on and waits for.
func (a *App) Read(ctx context.Context, account string, qs []fact.Query) (*fact.Snapshot, error) {
	b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{a.session.Region()}})
	a.collector.Collect(ctx, b, qs)
	return b.Seal(time.Now()), nil
}

// verdict is the diagnosis again, for one subject: the same collecting and the same judging.
func (a *App) verdict(ctx context.Context, who fact.Identity, faults []*fault.Fault, code string, subject fact.Ref) (fault.Verdict, string, error) {
	for _, f := range faults {
		if string(f.Code) == code {
			q := verify.Question(who.Account, []string{a.session.Region()}, subject)
			return verify.Again(ctx, a.collector, q, f, subject, who)
		}
	}
	return fault.Unknown, "", fmt.Errorf("verify: there is no fault %q", code)
}
