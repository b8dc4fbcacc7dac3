package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// prepare writes down what a run was allowed and saves what is there before it changes anything: no export, no change. What an
// earlier process of the run has saved stays what was there before.
func (r *run) prepare(ctx context.Context) error {
	if (len(r.consented.OneWay)+len(r.consented.Approvals) > 0 || r.consented.Sandbox) && !r.resumed {
		if err := r.record("", journal.Accepted, Accepted, "", r.consented, r.consented); err != nil {
			return err
		}
	}
	if err := r.rollsBack(); err != nil {
		return err
	}
	refs := exports(r.Plan)
	if r.state.Export != nil || len(refs) == 0 {
		return nil
	}
	x, err := r.Export(ctx, r.id, r.Plan, refs)
	if err != nil {
		return fmt.Errorf("save what is there before the change: %w; nothing was changed", err)
	}
	message := fmt.Sprintf("what is there now is saved in %s", x.Folder)
	if x.Trouble != "" {
		message += "; it could not be committed: " + x.Trouble
	}
	return r.record("", journal.Exported, Exported, message, x, x)
}

// rollsBack writes into the run that this plan takes back that it does.
func (r *run) rollsBack() error {
	if r.Plan.Undoes == "" {
		return nil
	}
	old, err := r.Journal.State(r.Plan.Undoes)
	if err != nil || old.RolledBack == r.id {
		return err
	}
	_, err = r.Journal.Append(journal.Entry{Run: r.Plan.Undoes, By: r.By, Event: journal.RolledBack}, journal.Rollback{By: r.id})
	return err
}

// exports are what the calls of a plan touch, each once.
func exports(p plan.Plan) []fact.Ref {
	var all []fact.Ref
	for _, s := range p.Steps {
		if s.Kind != plan.Call {
			continue
		}
		for _, ref := range s.Export {
			if !slices.Contains(all, ref) {
				all = append(all, ref)
			}
		}
	}
	return all
}
