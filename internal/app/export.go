package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/export"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// exporter saves what is there before a run changes anything: every reply about it, as AWS sent it. A thing that does not exist is
// saved as that; a read that fails is an error, since a half export is none.
func (a *App) exporter(c export.Config, j apply.Journal, by string) func(context.Context, string, plan.Plan, []fact.Ref) (journal.Export, error) {
	c.Lock = func(ctx context.Context) (func() error, error) { return lockExport(ctx, j) }
	return func(ctx context.Context, run string, p plan.Plan, refs []fact.Ref) (journal.Export, error) {
		e := export.Export{Run: run, Account: p.Account, Plan: string(p.ID), By: by, Regions: p.Regions, At: time.Now()}
		for _, ref := range refs {
			items, err := a.raw(ctx, p.Account, ref)
			if err != nil {
				return journal.Export{}, err
			}
			e.Items = append(e.Items, items...)
		}
		s, err := export.Save(ctx, c, e)
		if err != nil {
			return journal.Export{}, err
		}
		return journal.Export{Folder: s.Folder, Commit: s.Commit, Files: s.Files, Trouble: s.Trouble}, nil
	}
}

// exportTries is how often a thing is read before an export is given up: what failed once may work a moment later, also what was denied
// (IAM takes a while to agree with itself; docs/aws-facts.md, "Fresh sessions").
const exportTries = 6

// raw are all replies about one thing.
func (a *App) raw(ctx context.Context, account string, ref fact.Ref) ([]export.Item, error) {
	queries := []fact.Query{{Scope: ref.Scope, Kind: ref.Kind, ID: ref.ID}}
	if ref.Kind == fact.KindConnection {
		queries = append(queries, fact.Query{Scope: ref.Scope, Kind: fact.KindTags, ID: ref.ID})
	}
	for try := 1; ; try++ {
		w := &awsapi.Witness{}
		b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{a.session.Region()}})
		a.collector.Collect(awsapi.WithWitness(ctx, w), b, queries)
		s := b.Seal(time.Now())
		var gap *fact.Gap
		for _, q := range queries {
			if g, ok := s.GapOf(q); ok {
				gap = &g
			}
		}
		if gap != nil && try < exportTries && pause(ctx, time.Duration(try)*time.Second) {
			continue
		}
		if gap != nil {
			return nil, fmt.Errorf("read %s %s: %s", ref.Kind, ref.ID, gap.Why)
		}
		item := export.Item{Kind: string(ref.Kind), ID: ref.ID, Region: ref.Scope.Region}
		if at, gone := s.Absence(ref); gone {
			src := at.Source()
			item.Absent, item.Service, item.Operation, item.RequestID, item.At = true, src.Service, src.Operation, src.RequestID, src.At
			return []export.Item{item}, nil
		}
		var items []export.Item
		for _, r := range w.Seen() {
			i := item
			i.Service, i.Operation, i.RequestID, i.At, i.Body = r.Source.Service, r.Source.Operation, r.Source.RequestID, r.Source.At, r.Body
			items = append(items, i)
		}
		if len(items) == 0 {
			return nil, fmt.Errorf("read %s %s: there is no way to read it", ref.Kind, ref.ID)
		}
		return items, nil
	}
}

// pause reports whether it slept to the end.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lockExport waits until no other run saves.
func lockExport(ctx context.Context, j apply.Journal) (func() error, error) {
	for start := time.Now(); ; {
		l, err := j.Lock("export")
		if err == nil {
			return l.Unlock, nil
		}
		if !errors.Is(err, journal.ErrHeld) || time.Since(start) > time.Minute || !pause(ctx, 100*time.Millisecond) {
			return nil, err
		}
	}
}
