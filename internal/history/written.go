package history

import (
	"slices"
	"strconv"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// written is one version of the definition: from GetPipeline, from the body of the event that wrote it, or as AWS Config recorded it.
type written struct {
	version int
	values  fact.Values
	by      *fact.Event
	source  fact.Source
	class   fault.Class
	partial bool // AWS Config's: it may leave members out (docs/aws-facts.md, "What AWS Config records")
}

// writings are the known versions, oldest first; of each the best source.
func (c *past) writings() []written {
	by := map[int]*written{}
	for d := range fact.All[fact.Definition](c.s) {
		if d.Pipeline == c.pipeline.Name && d.Ref().Scope == c.scope {
			by[d.Version] = &written{version: d.Version, values: d.Values, source: d.Source(), class: fault.Verified}
		}
	}
	for e := range fact.All[fact.Event](c.s) {
		if e.EventSource != "codepipeline.amazonaws.com" || e.Pipeline != c.pipeline.Name || e.ErrorCode != "" || e.Version == 0 || e.Ref().Scope != c.scope {
			continue
		}
		w := by[e.Version]
		if w == nil {
			values := under(e.Parameters, "pipeline/")
			if len(values) == 0 {
				continue // CloudTrail leaves out what is too large
			}
			w = &written{version: e.Version, values: values, source: e.Source(), class: fault.Reported}
			by[e.Version] = w
		}
		w.by = &e
	}
	for i := range fact.All[fact.ConfigItem](c.s) {
		v, err := strconv.Atoi(i.Values.Text("pipeline/version"))
		if c.recorded(i) && err == nil && by[v] == nil {
			by[v] = &written{version: v, values: under(i.Values, "pipeline/"), source: i.Source(), class: fault.Reported, partial: true}
		}
	}
	var all []written
	for _, w := range by {
		all = append(all, *w)
	}
	slices.SortFunc(all, func(a, b written) int { return a.version - b.version })
	return all
}

// recorded reports whether an item of AWS Config is the pipeline's.
func (c *past) recorded(i fact.ConfigItem) bool {
	return i.Type == pipelineType && i.Name == c.pipeline.Name && i.Ref().Scope == c.scope
}

// under are the values below a path, by the rest of theirs.
func under(all fact.Values, path string) fact.Values {
	out := fact.Values{}
	for p, v := range all {
		if rest, ok := strings.CutPrefix(p, path); ok {
			out[rest] = v
		}
	}
	return out
}

// definitions are the differences from each known version to the next, from the last good one on.
func (c *past) definitions() []dated {
	all := c.writings()
	var out []dated
	for i := 1; i < len(all); i++ {
		if to := all[i]; c.goodV == 0 || to.version > c.goodV {
			out = append(out, c.between(all[i-1], to)...)
		}
	}
	return out
}

// between are the differences from one version to another. Who made them is known only of two versions in a row.
func (c *past) between(from, to written) []dated {
	var out []dated
	for _, d := range fact.Diff(from.values, to.values) {
		if noise(d.Path) || ((from.partial || to.partial) && (d.Added || d.Gone)) {
			continue
		}
		x := dated{Change: fault.Change{What: fault.PipelineSubject(c.pipeline), Field: d.Path, Before: shown(d.Before, d.Added), After: shown(d.After, d.Gone),
			Class: to.class, Source: to.source}, version: to.version}
		if from.class != fault.Verified {
			x.Class = from.class
		}
		if to.by != nil && to.version == from.version+1 {
			x.by(*to.by)
			x.Outside = c.owner(x.What).past(x.With)
		} else {
			x.at = c.captured(d)
		}
		if c.goodV == 0 && !x.at.IsZero() && x.at.Before(c.s.At().Add(-reach)) {
			continue
		}
		out = append(out, x)
	}
	return out
}

// shown is a side of a difference; a value that was removed or not there yet reads as nothing.
func shown(v fact.Value, none bool) string {
	if none {
		return ""
	}
	return v.String()
}

// by takes who, when and with what from an event.
func (x *dated) by(e fact.Event) {
	x.at, x.Who, x.With = e.Time, e.Who.Label(), e.Tool()
}
