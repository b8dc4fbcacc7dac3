package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/collect"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/report"
)

// atOnce is how many calls of each read are made at the same time to see whether that makes a difference.
const atOnce = 8

// prober makes the same reads in several ways.
type prober struct {
	app     *App
	who     fact.Identity
	home    fact.Scope // where the target is
	target  fact.Target
	queries []fact.Query
	tell    func(string)
}

// Probe makes the reads that matter for a pipeline or a connection in several ways, one after the other: as now, with a session made
// anew, from another Region, and eight at once. What differs tells a stale session, a race and a regional trouble apart; when nothing
// does, the document holds what a support case needs. Calls are made once and not repeated. tell is told of every way; it may be nil.
func (a *App) Probe(ctx context.Context, t fact.Target, tell func(string)) (report.Probe, error) {
	start, before := time.Now(), a.session.Tally()
	if tell == nil {
		tell = func(string) {}
	}
	who, err := a.Identity(ctx)
	if err != nil {
		return report.Probe{}, err
	}
	q, err := a.question(ctx, who, Ask{Targets: []fact.Target{t}}, fact.NewBuilder(fact.Question{}))
	if err != nil {
		return report.Probe{}, err
	}
	p := &prober{app: a, who: who, target: t, tell: tell, home: fault.TargetScope(q, t)}
	if p.home.Region == "" {
		p.home.Region = a.Region()
	}
	d := report.Probe{Schema: report.ProbeSchema, Symptoms: []report.Symptom{}, Differences: []report.Difference{},
		Identity: report.Identity{Account: who.Account, ARN: who.ARN, Kind: who.Kind, Source: who.Origin, ExpiresAt: fault.Stamp(who.ExpiresAt)}}
	if err := p.run(ctx, &d); err != nil {
		return report.Probe{}, err
	}
	d.Calls = a.calls(before)
	d.GeneratedAt, d.ElapsedMS = time.Now().UTC().Truncate(time.Second), time.Since(start).Milliseconds()
	return d, nil
}

// calls are the calls made since a tally.
func (a *App) calls(before awsapi.Tally) report.Calls {
	after := a.session.Tally()
	calls := report.Calls{Total: after.Total - before.Total, ByOperation: map[string]int{}}
	for k, n := range after.ByOperation {
		if n -= before.ByOperation[k]; n > 0 {
			calls.ByOperation[k] = n
		}
	}
	return calls
}

// run goes through the ways and judges them.
func (p *prober) run(ctx context.Context, d *report.Probe) error {
	one := collect.New(p.app.session.Single())
	now, s := p.first(ctx, one)
	ref := fact.PipelineRef(p.home, p.target.Name)
	if _, gone := s.Absence(ref); gone && p.target.Kind == fact.KindPipeline {
		return &NotFoundError{What: "pipeline", Name: p.target.Name, Account: p.who.Account, Region: p.home.Region,
			Elsewhere: p.app.elsewhere(ctx, p.who.Account, p.home.Region, p.target.Name)}
	}
	d.Subject, d.Symptoms = p.subject(s), symptoms(s)
	d.Ways = []report.Way{now, p.fresh(ctx), p.otherRegion(ctx, one), p.together(ctx, one)}
	judge(d)
	if d.Cause != report.NoCause {
		d.Ways = append(d.Ways, p.way(ctx, one, report.AsNowAgain, "As now, a moment later", p.queries))
		judge(d)
	}
	d.Health = p.health(ctx)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("probe %s: %w", p.target.Name, err)
	}
	return nil
}

// first reads as now, and learns from the pipeline which connections belong to the target.
func (p *prober) first(ctx context.Context, c *collect.Collector) (report.Way, *fact.Snapshot) {
	w := report.Way{Name: report.AsNow, What: "As now, one read at a time", Reads: []report.Read{}}
	p.tell(w.What)
	p.queries = []fact.Query{{Scope: fact.Scope{Region: p.home.Region}, Kind: fact.KindIdentity}}
	var connections []string
	if p.target.Kind == fact.KindPipeline {
		p.queries = append(p.queries, fact.Query{Scope: p.home, Kind: fact.KindPipeline, ID: p.target.Name}, fact.Query{Scope: p.home, Kind: fact.KindPipelineState, ID: p.target.Name})
	} else {
		connections = []string{p.target.Name}
	}
	b := fact.NewBuilder(fact.Question{Account: p.who.Account})
	for _, q := range p.queries {
		w.Reads = append(w.Reads, p.read(ctx, c, q, b))
	}
	s := b.Seal(time.Now())
	for pl := range fact.All[fact.Pipeline](s) {
		for _, action := range pl.Sources {
			if a, err := fact.ParseARN(action.Connection); err == nil && a.IsConnection() && !slices.Contains(connections, action.Connection) {
				connections = append(connections, action.Connection)
			}
		}
	}
	for _, arn := range connections {
		q := fact.Query{Scope: fact.Scope{Account: p.who.Account}, Kind: fact.KindConnection, ID: arn}
		p.queries = append(p.queries, q)
		w.Reads = append(w.Reads, p.read(ctx, c, q, b))
	}
	return w, b.Seal(time.Now())
}

// way makes reads one after the other.
func (p *prober) way(ctx context.Context, c *collect.Collector, name report.WayName, what string, queries []fact.Query) report.Way {
	w := report.Way{Name: name, What: what, Reads: []report.Read{}}
	p.tell(what)
	for _, q := range queries {
		w.Reads = append(w.Reads, p.read(ctx, c, q, nil))
	}
	return w
}

// fresh reads with a session made anew.
func (p *prober) fresh(ctx context.Context) report.Way {
	w := report.Way{Name: report.FreshSession, What: "With a session made anew", Reads: []report.Read{}}
	s, same, err := p.app.session.Anew(ctx)
	if err != nil {
		w.Skipped = awsapi.Classify(err).Why
		return w
	}
	defer s.Close()
	if same {
		from := p.app.session.Sources(ctx).From
		w.Skipped = "the source, " + from + ", gives the same keys again: this says nothing about a stale session. New ones come from `aws sso login`, from whoever hands them out, or with --role-arn"
		return w
	}
	return p.way(ctx, collect.New(s.Single()), w.Name, w.What, p.queries)
}

// otherRegion reads the connections from another Region, which shows them too, and asks for its pipelines only to see whether the
// service answers there.
func (p *prober) otherRegion(ctx context.Context, c *collect.Collector) report.Way {
	w := report.Way{Name: report.OtherRegion, What: "From another Region", Reads: []report.Read{}}
	region := p.another(ctx)
	if region == "" {
		w.Skipped = "the account has no other enabled Region that offers connections"
		return w
	}
	var queries []fact.Query
	for _, q := range p.queries {
		switch q.Kind {
		case fact.KindIdentity, fact.KindConnection:
			q.Scope.Region = region
			queries = append(queries, q)
		case fact.KindPipeline:
			queries = append(queries, fact.Query{Scope: fact.Scope{Account: p.who.Account, Region: region}, Kind: fact.KindPipelineList})
		}
	}
	return p.way(ctx, c, w.Name, "From another Region, "+region, queries)
}

// another is a Region to compare with: enabled, with connections, neither the target's own nor one that controls its connections.
func (p *prober) another(ctx context.Context) string {
	taken := []string{p.home.Region}
	for _, q := range p.queries {
		if a, err := fact.ParseARN(q.ID); err == nil {
			taken = append(taken, a.Region)
		}
	}
	regions, err := p.app.enabledRegions(awsapi.AtOnce(ctx), p.who.Account, fact.NewBuilder(fact.Question{}))
	if err != nil {
		regions = usual(p.who.Partition())
	}
	for _, r := range regions {
		if !slices.Contains(taken, r) && fact.OffersConnectionSource(r) {
			return r
		}
	}
	return ""
}

// usual are Regions that every account of a partition has enabled and that offer connections (docs/aws-facts.md, "Regions").
func usual(partition string) []string {
	if partition == "aws" {
		return []string{"us-east-1", "eu-west-1", "us-west-2"}
	}
	return nil
}

// together makes every read several times at the same time, one sort after the other.
func (p *prober) together(ctx context.Context, c *collect.Collector) report.Way {
	w := report.Way{Name: report.AtOnce, What: fmt.Sprintf("%d of each at once", atOnce), Reads: []report.Read{}}
	p.tell(w.What)
	for _, q := range p.queries {
		reads := make([]report.Read, atOnce)
		var all sync.WaitGroup
		for i := range reads {
			all.Go(func() { reads[i] = p.read(ctx, c, q, nil) })
		}
		all.Wait()
		w.Reads = append(w.Reads, reads...)
	}
	return w
}

// read makes one call. What it gave is also put into b, unless that is nil.
func (p *prober) read(ctx context.Context, c *collect.Collector, q fact.Query, b *fact.Builder) report.Read {
	own := fact.NewBuilder(fact.Question{Account: p.who.Account})
	start := time.Now()
	c.Collect(ctx, own, []fact.Query{q})
	elapsed := time.Since(start)
	s := own.Seal(time.Now())
	r := outcome(s, q)
	r.About, r.ElapsedMS, r.At = q.ID, elapsed.Milliseconds(), start.UTC().Truncate(time.Second)
	if q.Kind == fact.KindIdentity && r.Outcome == report.Answered {
		r.Answer = "account " + p.who.Account
		for i := range fact.All[fact.Identity](s) {
			r.Answer = "account " + i.Account + ", " + i.Name()
		}
	}
	if b != nil {
		pour(b, s, q)
	}
	return r
}

// outcome is what a query came to.
func outcome(s *fact.Snapshot, q fact.Query) report.Read {
	if g, lost := s.GapOf(q); lost {
		r := newRead(g.Source)
		r.Outcome, r.Why = report.Outcome(g.Class), g.Why
		if r.RequestID == "" && (g.Class == fact.Failed || g.Class == fact.Timeout) {
			r.Outcome = report.Unreachable
		}
		return r
	}
	for f := range fact.All[fact.Identity](s) {
		return newRead(f.Source())
	}
	for f := range fact.All[fact.Pipeline](s) {
		r := newRead(f.Source())
		r.Answer = fmt.Sprintf("version %d", f.Version)
		return r
	}
	for f := range fact.All[fact.PipelineState](s) {
		r := newRead(f.Source())
		r.Answer = fmt.Sprintf("version %d", f.Version)
		return r
	}
	for f := range fact.All[fact.Connection](s) {
		r := newRead(f.Source())
		r.Answer = f.Status
		return r
	}
	ref := fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID}
	if q.Kind == fact.KindConnection {
		ref = fact.ConnectionRef(q.Scope.Account, q.ID)
	}
	if gone, ok := s.Absence(ref); ok {
		r := newRead(gone.Source())
		r.Outcome = report.NotFound
		return r
	}
	return newRead(s.LastReply(q)) // a list, empty or not
}

func newRead(src fact.Source) report.Read {
	return report.Read{Service: src.Service, Operation: src.Operation, Region: src.Region, RequestID: src.RequestID, Outcome: report.Answered}
}

// pour puts what one read gave into the snapshot of the whole.
func pour(b *fact.Builder, s *fact.Snapshot, q fact.Query) {
	for f := range fact.All[fact.Pipeline](s) {
		b.Add(f)
	}
	for f := range fact.All[fact.PipelineState](s) {
		b.Add(f)
	}
	for f := range fact.All[fact.Connection](s) {
		b.Add(f)
	}
	if gone, ok := s.Absence(fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID}); ok {
		b.Add(gone)
	}
}

// subject is what is probed.
func (p *prober) subject(s *fact.Snapshot) fault.Subject {
	if p.target.Kind == fact.KindConnection {
		name := ""
		if c, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(p.who.Account, p.target.Name)); ok {
			name = c.Name
		}
		return fault.ConnectionSubject(p.target.Name, name)
	}
	if pl, ok := fact.Get[fact.Pipeline](s, fact.PipelineRef(p.home, p.target.Name)); ok {
		return fault.PipelineSubject(pl)
	}
	arn := fact.ARN{Partition: p.who.Partition(), Service: "codepipeline", Region: p.home.Region, Account: p.who.Account, Resource: p.target.Name}
	return fault.Subject{Kind: "pipeline", ARN: arn.String(), Name: p.target.Name, Account: p.who.Account, Region: p.home.Region}
}

// symptoms are the failed actions of the latest runs.
func symptoms(s *fact.Snapshot) []report.Symptom {
	all := []report.Symptom{}
	for st := range fact.All[fact.PipelineState](s) {
		for _, stage := range st.Stages {
			for _, a := range stage.Actions {
				if a.Status == "Failed" {
					text := strings.Join(strings.Fields(a.Error), " ")
					if text == "" {
						text = "failed without a reason"
					}
					all = append(all, report.Symptom{Stage: stage.Name, Action: a.Name, Code: a.ErrorCode, Text: text, Since: fault.Stamp(a.Changed), Run: stage.Execution})
				}
			}
		}
	}
	return all
}

// health is what AWS Health says about the Region.
func (p *prober) health(ctx context.Context) string {
	q := fact.Query{Scope: p.home.Global(), Kind: fact.KindHealth, ID: p.home.Region}
	b := fact.NewBuilder(fact.Question{Account: p.who.Account})
	p.app.collector.Collect(awsapi.AtOnce(ctx), b, []fact.Query{q})
	s := b.Seal(time.Now())
	if g, lost := s.GapOf(q); lost {
		return "not seen: " + g.Why
	}
	var open []string
	for e := range fact.All[fact.HealthEvent](s) {
		if e.Status == "open" && e.Category == "issue" {
			open = append(open, fmt.Sprintf("%s since %s: %s", e.Code, fault.Stamp(e.Start), e.Text))
		}
	}
	if len(open) == 0 {
		return "nothing open for CodePipeline and the connection services in " + p.home.Region
	}
	return strings.Join(open, "; ")
}
