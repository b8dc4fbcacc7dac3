package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// Journal is what runs are written to and counted in; *journal.Journal is one.
type Journal interface {
	apply.Journal
	Entries(run string) ([]journal.Entry, error)
	Writes(since time.Time) ([]journal.Write, error)
	Since(since time.Time) ([]journal.Listed, error)
	Newest() (time.Time, error)
}

// gate asks the guard, with what AWS, the journal and the files beside the plan say. Its own fields are set by admit and only read
// afterwards: before is called by steps that run side by side.
type gate struct {
	app     *App
	ask     Apply
	who     fact.Identity
	request guard.Request
}

// Gates are the gates that would refuse a plan if it were applied now: those of its beginning, and those of the calls that come first. The
// error joins them, each a *guard.Refused. Nothing is written.
func (a *App) Gates(ctx context.Context, o Apply) error {
	who, err := a.Identity(ctx)
	if err != nil {
		return err
	}
	g := &gate{app: a, ask: o, who: who}
	r, err := g.asked(ctx, apply.Admittance{Plan: o.Plan, Accept: o.Accept})
	if err != nil {
		return err
	}
	_, err = o.Policy.Admit(r)
	against := []error{err}
	for _, s := range o.Plan.Steps {
		if s.Kind == plan.Call && len(s.After) == 0 {
			against = append(against, o.Policy.Before(r, s))
		}
	}
	return errors.Join(against...)
}

// admit is apply.Config.Admit.
func (g *gate) admit(ctx context.Context, a apply.Admittance) (journal.Consent, error) {
	r, err := g.asked(ctx, a)
	if err != nil {
		return journal.Consent{}, err
	}
	admitted, err := g.ask.Policy.Admit(r)
	if err != nil {
		return journal.Consent{}, err
	}
	if err := g.keep(r); err != nil {
		return journal.Consent{}, err
	}
	g.request = r
	return journal.Consent{OneWay: admitted.Accepted, Approvals: admitted.Approvals, Sandbox: admitted.Sandbox, Policy: g.ask.Policy.File()}, nil
}

// asked is what the guard is asked, with all that it wants to know.
func (g *gate) asked(ctx context.Context, a apply.Admittance) (guard.Request, error) {
	r := guard.Request{
		Plan: a.Plan, Run: a.Run, Account: g.who.Account, By: guard.PersonOf(g.who.ARN, ""), Confirm: g.ask.Confirm,
		Accept: accepted(a.Accept, g.ask.Accept), Resumed: a.Resumed, Past: past{g.ask.Journal},
	}
	if err := g.name(ctx, &r); err != nil {
		return r, err
	}
	var err error
	r.Approvals, err = g.approvals(a.Plan)
	r.Now, r.NowSource = g.now()
	return r, err
}

// before is apply.Config.Before. Approvals are read anew: a revocation counts at once.
func (g *gate) before(_ context.Context, run string, s plan.Step) error {
	r := g.request
	r.Run = run
	var err error
	if r.Approvals, err = g.approvals(r.Plan); err != nil {
		return err
	}
	r.Now, r.NowSource = g.now()
	return g.ask.Policy.Before(r, s)
}

// accepted leaves out what an earlier process of the run was let do once.
func accepted(all, now []string) []string {
	var out []string
	for _, name := range all {
		if name != guard.OpenBreaker {
			out = append(out, name)
		}
	}
	for _, name := range now {
		if name == guard.OpenBreaker {
			return append(out, name)
		}
	}
	return out
}

// name reads what the policy wants to know of the account. An alias or tags that may not be read are not known; the guard decides.
func (g *gate) name(ctx context.Context, r *guard.Request) error {
	scope := fact.Scope{Account: g.who.Account}
	var queries []fact.Query
	if g.ask.Policy.Production(g.who.Account) {
		queries = append(queries, fact.Query{Scope: scope, Kind: fact.KindAlias})
	}
	if g.ask.Policy.Tagged() {
		queries = append(queries, fact.Query{Scope: scope, Kind: fact.KindAccountTags})
	}
	if len(queries) == 0 {
		return nil
	}
	s, err := g.app.Read(ctx, g.who.Account, queries)
	if err != nil {
		return err
	}
	for f := range fact.All[fact.Alias](s) {
		r.Alias, r.AliasKnown = f.Name, true
	}
	for f := range fact.All[fact.AccountTags](s) {
		r.Tags = f.Tags
	}
	return nil
}

// now is AWS's time where a reply has said it, so that a clock that was set back gains nothing.
func (g *gate) now() (now time.Time, source string) {
	skew, known := g.app.session.Skew()
	if !known {
		return time.Now(), ""
	}
	return time.Now().Add(-skew), "AWS's clock"
}

// kept is where the approvals of a plan are kept once a run of it has begun, for resuming: in the form of files beside a plan.
func kept(home string, id fact.Digest) string {
	return filepath.Join(home, "approvals", strings.ReplaceAll(string(id), ":", "-"), "plan.json")
}

// origin is the file in which the path of the plan file is kept.
func origin(kept string) string { return filepath.Join(filepath.Dir(kept), "origin") }

// approvals are all approvals and revocations of a plan: beside its file, and those kept when a run of it began.
func (g *gate) approvals(p plan.Plan) ([]guard.Signed, error) {
	if g.ask.Policy.Approvals.Count == 0 {
		return nil, nil
	}
	kept := kept(g.app.cfg.Home, p.ID)
	files := []string{g.ask.PlanFile, kept}
	where, err := os.ReadFile(origin(kept))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for approvals: %w", err)
	}
	files = append(files, string(where))
	var all []guard.Signed
	for _, file := range files {
		if file == "" {
			continue
		}
		found, err := guard.LoadApprovals(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, &guard.Refused{Gate: guard.GateApproval, Why: err.Error(), Next: "look at that file: it may be a revocation"}
		}
		all = append(all, found...)
	}
	return all, nil
}

// keep keeps the approvals that let a run begin.
func (g *gate) keep(r guard.Request) error {
	if g.ask.PlanFile == "" || len(r.Approvals) == 0 {
		return nil
	}
	kept := kept(g.app.cfg.Home, r.Plan.ID)
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		return fmt.Errorf("keep approvals: %w", err)
	}
	path, err := filepath.Abs(g.ask.PlanFile)
	if err != nil {
		return fmt.Errorf("keep approvals: %w", err)
	}
	if err := replace(origin(kept), []byte(path)); err != nil {
		return fmt.Errorf("keep approvals: %w", err)
	}
	for _, s := range r.Approvals {
		if s.PlanID != r.Plan.ID {
			continue
		}
		text, err := s.Text()
		if err == nil {
			err = replace(s.FileName(kept), text)
		}
		if err != nil {
			return fmt.Errorf("keep approvals: %w", err)
		}
	}
	return nil
}

// replace writes a file whole or not at all: half an approval would be refused ever after.
func replace(file string, text []byte) error {
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// past counts in the journal.
type past struct{ j Journal }

// Writes has the last attempt of each step: what AWS was too busy for is tried again, and that is no surge.
func (p past) Writes(since time.Time) ([]guard.Write, error) {
	all, err := p.j.Writes(since)
	if err != nil {
		return nil, err
	}
	type step struct{ run, id string }
	last := map[step]int{}
	for i, w := range all {
		last[step{w.Run, w.Step}] = i
	}
	var out []guard.Write
	for i, w := range all {
		if last[step{w.Run, w.Step}] == i {
			out = append(out, guard.Write{At: w.At, Run: w.Run, Account: w.Account, Operation: w.Operation, Failed: w.Failed})
		}
	}
	return out, nil
}

// Shapes are the runs that were done.
func (p past) Shapes(since time.Time) ([]guard.ShapeRun, error) {
	all, err := p.j.Since(since)
	if err != nil {
		return nil, err
	}
	var out []guard.ShapeRun
	for _, l := range all {
		if l.Status != journal.IsDone {
			continue
		}
		done, err := plan.Parse(l.Plan)
		if err != nil {
			continue // a plan of another version rehearses nothing
		}
		entries, err := p.j.Entries(l.ID)
		if err != nil {
			return nil, err
		}
		run := guard.ShapeRun{Account: l.Account, Shape: guard.Shape(done), Done: true, At: l.UpdatedAt}
		for _, e := range entries {
			var c journal.Consent
			if e.Event == journal.Accepted && json.Unmarshal(e.Data, &c) == nil {
				run.Sandbox = run.Sandbox || c.Sandbox
			}
		}
		out = append(out, run)
	}
	return out, nil
}

// Newest is when the journal was last written to.
func (p past) Newest() (time.Time, error) { return p.j.Newest() }
