// Package planner makes one plan out of findings: it merges the drafts of the faults, orders their steps and seals the result.
// It never decides what is wrong and never runs anything.
package planner

import (
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// lifetime is how long after its making a plan may be started. Waiting for a person does not count.
const lifetime = 24 * time.Hour

// Make plans the repair of findings. Findings whose fault has no plan become notes with their remedy; a plan without steps means
// that there is nothing the program can do.
func Make(s *fact.Snapshot, findings []fault.Finding, faults []*fault.Fault, o plan.Options) (plan.Plan, error) {
	q := s.Question()
	p := plan.Plan{
		Schema: plan.Schema, CreatedAt: s.At().Truncate(time.Second), ExpiresAt: s.At().Truncate(time.Second).Add(lifetime),
		Account: q.Account, Regions: q.Regions, Snapshot: s.Content(), Findings: []plan.Finding{},
	}
	for i := range fact.All[fact.Identity](s) {
		p.Principal = i.ARN
	}
	var steps []plan.Step
	for _, f := range findings {
		i := slices.IndexFunc(faults, func(x *fault.Fault) bool { return x.Code == f.Code })
		if i < 0 || f.Severity == fault.Info {
			continue
		}
		p.Findings = append(p.Findings, plan.Finding{ID: f.ID, Code: string(f.Code), Subject: f.About, Message: f.Message})
		var d plan.Draft
		if faults[i].Plan != nil {
			d = faults[i].Plan(s, f, o)
		}
		if len(d.Steps) == 0 && len(d.Notes) == 0 {
			d.Notes = []string{fmt.Sprintf("%s Not planned: %s", f.Message, f.Remedy)}
		}
		p.Asks = append(p.Asks, d.Asks...)
		if p.Strategy == "" {
			p.Strategy = d.Strategy
		}
		for _, n := range d.Notes {
			if !slices.Contains(p.Notes, n) {
				p.Notes = append(p.Notes, n)
			}
		}
		steps = append(steps, checkLast(d.Steps)...)
	}
	var err error
	if p.Steps, err = order(merge(steps)); err != nil {
		return p, err
	}
	if o.Rehook {
		d := rehook(s, p.Steps)
		p.Steps, p.Notes = append(p.Steps, d.Steps...), append(p.Notes, d.Notes...)
	}
	if o.Load != nil {
		d, err := load(s, p.Steps, *o.Load)
		if err != nil {
			return p, err
		}
		p.Steps, p.Notes = append(p.Steps, d.Steps...), append(p.Notes, d.Notes...)
	}
	if o.Metric {
		p.Steps = append(p.Steps, metric(p, p.Steps)...)
	}
	save(p.Steps)
	p.ID = p.Digest()
	return p, p.Validate()
}

// checkLast lets the checks of a draft come after all of its calls: what is checked is what the calls have left, not what was there
// while they went on.
func checkLast(steps []plan.Step) []plan.Step {
	out := slices.Clone(steps)
	for i, check := range out {
		if check.Kind != plan.Verify {
			continue
		}
		out[i].After = slices.Clone(check.After)
		for _, s := range out {
			if s.Kind == plan.Call && !slices.Contains(out[i].After, s.ID) {
				out[i].After = append(out[i].After, s.ID)
			}
		}
	}
	return out
}

// merge drops steps that two findings both want: the first one of an ID stays and comes after whatever either wanted before it.
func merge(steps []plan.Step) []plan.Step {
	var all []plan.Step
	for _, s := range steps {
		i := slices.IndexFunc(all, func(x plan.Step) bool { return x.ID == s.ID })
		if i < 0 {
			all = append(all, s)
			continue
		}
		for _, a := range s.After {
			if !slices.Contains(all[i].After, a) {
				all[i].After = append(all[i].After, a)
			}
		}
	}
	return all
}

// order sorts steps so that each comes after what it waits for, and otherwise stays where the faults put it.
func order(steps []plan.Step) ([]plan.Step, error) {
	done := []plan.Step{}
	placed := map[string]bool{}
	for len(done) < len(steps) {
		n := len(done)
		for _, s := range steps {
			if !placed[s.ID] && !slices.ContainsFunc(s.After, func(a string) bool { return !placed[a] }) {
				done = append(done, s)
				placed[s.ID] = true
			}
		}
		if len(done) == n {
			return nil, fmt.Errorf("order steps: they wait for each other or for a step that is not there")
		}
	}
	return done, nil
}
