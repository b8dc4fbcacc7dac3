// Package history is the lens that tells what changed between the last time a pipeline worked and the first time it did not: who, when,
// with what, and whether the tool that owns the resource knows of it. It reads nothing itself and calls no change the cause.
package history

import (
	"slices"
	"strconv"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// maxVersions is how many versions of a definition are compared, beside the one of now: the last good one, the first bad one, and what
// lies just before that.
const maxVersions = 4

// pipelineType is the name of pipelines in AWS Config and CloudFormation.
const pipelineType = "AWS::CodePipeline::Pipeline"

// Lens adds changes and a timeline to a finding, about the pipeline that it concerns most.
func Lens() fault.Lens { return look }

func look(s *fact.Snapshot, f *fault.Finding) []fact.Query {
	if f.Severity == fault.Info {
		return nil
	}
	ps := fault.Suffering(s, *f, 1)
	if len(ps) == 0 {
		return nil
	}
	c := gather(s, *f, ps[0])
	f.Changes = c.changes()
	f.Timeline = c.timeline()
	return c.asks()
}

// past is what is known of a pipeline's past.
type past struct {
	s        *fact.Snapshot
	finding  fault.Finding
	pipeline fact.Pipeline
	scope    fact.Scope
	failed   []fault.Current
	runs     []fact.ActionRun // of the pipeline, oldest first
	broke    time.Time        // the first failure since it last worked; zero when it never failed
	good     time.Time        // when it last worked; zero when no such run is on record
	goodV    int              // the version that worked; 0 when unknown
	badV     int              // the version that failed first
}

func gather(s *fact.Snapshot, f fault.Finding, p fact.Pipeline) past {
	c := past{s: s, finding: f, pipeline: p, scope: p.Ref().Scope}
	c.failed, _ = fault.Fails(s, p)
	for r := range fact.All[fact.ActionRun](s) {
		if r.Pipeline == p.Name && r.Ref().Scope == c.scope {
			c.runs = append(c.runs, r)
		}
	}
	slices.SortStableFunc(c.runs, func(a, b fact.ActionRun) int { return a.Updated.Compare(b.Updated) })
	for _, x := range c.failed {
		broke, good := x.BrokeAt(s)
		if c.broke.IsZero() || broke.Before(c.broke) {
			c.broke, c.good = broke, good
		}
	}
	for _, r := range c.runs {
		if !c.good.IsZero() && r.Status == "Succeeded" && r.Updated.Equal(c.good) {
			c.goodV = r.Version
		}
		if r.Status == "Failed" && r.Updated.Equal(c.broke) {
			c.badV = r.Version
		}
	}
	if c.badV == 0 {
		c.badV = p.Version
	}
	return c
}

// asks are the queries that telling the past takes: all that can be asked at once first, then the versions and the drift.
func (c *past) asks() []fact.Query {
	q := func(k fact.Kind, id string, args map[string]string) fact.Query {
		return fact.Query{Scope: c.scope, Kind: k, ID: id, Args: args}
	}
	all := []fact.Query{
		fault.AllRunsQuery(c.scope, c.pipeline.Name), q(fact.KindExecution, c.pipeline.Name, nil), q(fact.KindStack, c.pipeline.Name, nil),
		q(fact.KindConfigHistory, c.pipeline.Name, map[string]string{"type": pipelineType}),
	}
	if c.mayLookUp() {
		all = append(all, c.updates())
	}
	for _, v := range c.versions() {
		all = append(all, q(fact.KindDefinition, c.pipeline.Name, map[string]string{"version": strconv.Itoa(v)}))
	}
	if stack := c.owner(fault.PipelineSubject(c.pipeline)).stack; stack != "" {
		args := map[string]string(nil)
		if c.s.Question().Drift {
			args = map[string]string{"detect": "yes"}
		}
		all = append(all, q(fact.KindDrift, stack, args))
	}
	return all
}

// updates asks for the changes of pipelines in the Region or, where no pipeline that was read was ever changed, for the creations: one
// look-up, because CloudTrail answers two a second.
func (c *past) updates() fact.Query {
	q := fact.Query{Scope: c.scope, Kind: fact.KindEvent, ID: "CreatePipeline"}
	for p := range fact.All[fact.Pipeline](c.s) {
		if p.Ref().Scope == c.scope && p.Version > 1 {
			q.ID = "UpdatePipeline"
		}
	}
	return q
}

// mayLookUp keeps an incident within six look-ups of CloudTrail: a pending connection takes four at once, and two more when somebody
// began its handshake.
func (c *past) mayLookUp() bool {
	if c.finding.Code != "connection-pending" {
		return true
	}
	a, err := fact.ParseARN(c.finding.Subject.ARN)
	if err != nil {
		return true
	}
	first := fact.Query{Scope: fact.Scope{Account: c.s.Question().Account, Region: a.Region}, Kind: fact.KindEvent, ID: "CreateConnection"}
	return c.s.Settled(first) && c.finding.Cause.Code != "handshake-not-finished"
}

// versions are the versions of the definition worth comparing, newest first: from the last good one to the first bad one, and the one of
// now. While it is not known which one worked there is only the one of now, to hold what Terraform declares against.
func (c *past) versions() []int {
	var all []int
	if c.goodV > 0 && c.goodV < c.pipeline.Version {
		all = append(all, c.goodV)
		for v := max(c.badV, c.goodV+1); v > c.goodV && len(all) < maxVersions; v-- {
			all = append(all, v)
		}
	}
	if !slices.Contains(all, c.pipeline.Version) && (len(all) > 0 || c.isDeclared()) {
		all = append(all, c.pipeline.Version)
	}
	slices.SortFunc(all, func(a, b int) int { return b - a })
	return all
}

// isDeclared reports whether a Terraform file that the user gave declares the pipeline.
func (c *past) isDeclared() bool {
	return c.owner(fault.PipelineSubject(c.pipeline)).tool == "terraform"
}
