package app

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/report"
)

// judge compares the ways of a probe with the first of them and sets its cause: what depends on the moment is a race whatever else
// differs; then comes the session, then the Region, then the number of calls at once.
func judge(d *report.Probe) {
	by := map[report.WayName]report.Way{}
	for _, w := range d.Ways {
		by[w.Name] = w
	}
	now := by[report.AsNow].Reads
	d.Differences = []report.Difference{}
	diffs := map[report.WayName][]report.Difference{}
	for _, n := range []report.WayName{report.AsNowAgain, report.FreshSession, report.OtherRegion, report.AtOnce} {
		diffs[n] = differences(now, by[n])
		if n == report.OtherRegion {
			diffs[n] = append(diffs[n], silent(now, by[n])...)
		}
		d.Differences = append(d.Differences, diffs[n]...)
	}
	switch {
	case len(diffs[report.AsNowAgain]) > 0:
		d.Cause, d.Text = report.Race, "the same session got two answers to the same read within moments: what is read still changes, or passing trouble is in the way. Wait a minute and ask again."
	case len(diffs[report.FreshSession]) > 0:
		d.Cause, d.Text = report.StaleSession, "a session made anew gets another answer than this one: the session is stale. Sign in again (aws sso login) and restart what holds the old session."
	case len(diffs[report.OtherRegion]) > 0:
		d.Cause, d.Text = report.Regional, "another Region gives another answer: the trouble is in "+d.Subject.Region+" or on the way there. See https://health.aws.amazon.com/health/status for the Region."
	case len(diffs[report.AtOnce]) > 0:
		d.Cause, d.Text = report.Race, "one read at a time is answered as now, several at once are not: something in the account calls too fast, or answers depend on the moment. Let tools make fewer calls at once and wait longer before they try again."
	default:
		d.Cause, d.Text = report.NoCause, agreed(*d)
	}
}

// agreed says what follows when nothing differs; ways that could not be tried rule nothing out.
func agreed(d report.Probe) string {
	out := report.RuledOut(d)
	if len(out) == 0 {
		return "nothing differs, but no other way could be tried."
	}
	return "all ways agree: " + strings.Join(out, ", ") + "."
}

// differences are the reads of a way that came out differently, one for each read.
func differences(now []report.Read, w report.Way) []report.Difference {
	var all []report.Difference
	seen := map[string]bool{}
	for _, got := range w.Reads {
		i := slices.IndexFunc(now, func(r report.Read) bool { return r.Key() == got.Key() })
		if i < 0 || seen[got.Key()] || !differ(now[i], got, w.Name) {
			continue
		}
		seen[got.Key()] = true
		all = append(all, difference(now[i], got, w.Name, got.Got()))
	}
	return all
}

// difference is a read of now beside what came of it another way, in words.
func difference(now, got report.Read, way report.WayName, words string) report.Difference {
	x := report.Difference{Way: way, Service: now.Service, Operation: now.Operation, About: now.About, Now: now.Got(), Got: words, RequestIDs: []string{}, Why: got.Why}
	if x.Why == "" {
		x.Why = now.Why
	}
	for _, id := range []string{now.RequestID, got.RequestID} {
		if id != "" {
			x.RequestIDs = append(x.RequestIDs, id)
		}
	}
	return x
}

// differ reports whether a read came out differently. From another Region only what it answered counts: that a Region is closed to
// this caller says nothing about the other.
func differ(now, got report.Read, way report.WayName) bool {
	if got.Outcome == report.Outcome(fact.Skipped) || now.Outcome == report.Outcome(fact.Skipped) {
		return false // interrupted
	}
	if way == report.OtherRegion && got.Outcome != report.Answered && got.Outcome != report.NotFound {
		return false
	}
	return now.Outcome != got.Outcome || now.Answer != got.Answer
}

// silent is CodePipeline that answers none of the reads in the target's Region, but does answer in another. A pipeline is not to be seen
// from there, so the reads are not the same ones: only whether AWS answers at all is compared.
func silent(now []report.Read, w report.Way) []report.Difference {
	there := slices.IndexFunc(w.Reads, func(r report.Read) bool { return r.Operation == "ListPipelines" && r.Outcome == report.Answered })
	here := slices.IndexFunc(now, func(r report.Read) bool { return r.Service == "codepipeline" })
	if there < 0 || here < 0 || slices.ContainsFunc(now, func(r report.Read) bool { return r.Service == "codepipeline" && !unanswered(r) }) {
		return nil
	}
	return []report.Difference{difference(now[here], w.Reads[there], w.Name, "ListPipelines answered")}
}

// unanswered reports whether a read got no answer to its question: no reply, or an error that is AWS's own trouble. A refusal, for
// lack of permission or for the rate, is an answer.
func unanswered(r report.Read) bool {
	switch r.Outcome {
	case report.Unreachable, report.Outcome(fact.Failed), report.Outcome(fact.Timeout):
		return true
	}
	return false
}
