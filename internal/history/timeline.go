package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

const (
	maxMoments = 40
	// trailDelay is how young an event may be and still not show (docs/aws-facts.md, "Event history").
	trailDelay = 15 * time.Minute
)

type moment struct {
	fault.Moment
	at time.Time
}

// timeline merges events, executions, failures and versions, oldest first: the forty that lie around the break.
func (c *past) timeline() []fault.Moment {
	var all []moment
	add := func(at time.Time, class fault.Class, src fact.Source, format string, args ...any) {
		if !at.IsZero() {
			all = append(all, moment{fault.Moment{What: fmt.Sprintf(format, args...), Class: class, Source: src}, at})
		}
	}
	for e := range fact.All[fact.Execution](c.s) {
		if e.Pipeline != c.pipeline.Name || e.Ref().Scope != c.scope {
			continue
		}
		add(e.Started, fault.Verified, e.Source(), "run %s began%s", short(e.ID), by(e.Trigger))
		if e.Status != "InProgress" && e.Status != "Stopping" {
			add(e.Updated, fault.Verified, e.Source(), "run %s ended: %s", short(e.ID), e.Status)
		}
	}
	for _, r := range c.runs {
		if r.Status == "Failed" {
			add(r.Updated, fault.Reported, r.Source(), "%s/%s failed in run %s, version %d: %s", r.Stage, r.Action, short(r.Execution), r.Version, oneLine(r.Error))
		}
	}
	for e := range fact.All[fact.Event](c.s) {
		if c.concerns(e) {
			add(e.Time, fault.Reported, e.Source(), "%s", told(e))
		}
	}
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.What, b.What)) })
	all = slices.CompactFunc(all, func(a, b moment) bool { return a.at.Equal(b.at) && a.What == b.What })
	if c.s.At().Sub(c.broke) < trailDelay && !c.broke.IsZero() && len(all) > 0 {
		add(c.s.At(), fault.Inferred, all[len(all)-1].Source, "what CloudTrail shows of the last %d minutes may not be whole: events come late", int(trailDelay.Minutes()))
	}
	var out []fault.Moment
	for _, m := range around(all, c.broke) {
		m.Moment.At = fault.Stamp(m.at)
		out = append(out, m.Moment)
	}
	return out
}

// around keeps the moments that lie nearest to the break, or the newest when nothing broke.
func around(all []moment, broke time.Time) []moment {
	if len(all) <= maxMoments {
		return all
	}
	end := len(all)
	if i := slices.IndexFunc(all, func(m moment) bool { return m.at.After(broke) }); !broke.IsZero() && i >= 0 {
		end = min(len(all), i+maxMoments/2)
	}
	begin := max(0, end-maxMoments)
	return all[begin:min(len(all), begin+maxMoments)]
}

// concerns reports whether an event belongs into the pipeline's timeline.
func (c *past) concerns(e fact.Event) bool {
	if e.Pipeline == c.pipeline.Name && e.Ref().Scope == c.scope {
		return true
	}
	if c.finding.Subject.Kind == "connection" && e.Connection == c.finding.Subject.ARN && e.Connection != "" {
		return !e.ReadOnly || e.ErrorCode != ""
	}
	if e.ReadOnly && e.ErrorCode == "" {
		return false
	}
	_, ok := c.about(e)
	return ok || (e.ErrorCode != "" && slices.Contains(c.roles(), e.Who.Role))
}

// told is an event in a line: who called what, from where, with which tool, and what came of it.
func told(e fact.Event) string {
	s := e.Who.Label() + " called " + e.Name
	if tool := e.Tool(); tool != "" {
		s += " with " + tool
	}
	if e.SourceIP != "" && !strings.HasSuffix(e.SourceIP, ".amazonaws.com") {
		s += " from " + e.SourceIP
	}
	if g := gist(e); g != "" {
		s += ": " + g
	}
	if e.ErrorCode != "" {
		s += "; " + e.ErrorCode + " " + oneLine(e.Error)
	}
	return s
}

func by(trigger string) string {
	if trigger == "" {
		return ""
	}
	return " by " + trigger
}

func short(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
