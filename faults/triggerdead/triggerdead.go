// Package triggerdead finds pipelines that pushes do not start, although their connection works. It never calls a quiet repository a fault:
// without a sign that a push was missed it says no more than what the definition says.
package triggerdead

import (
	"fmt"
	"strconv"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		if l, ok := listen(p); ok {
			l.named = fault.Targeted(s, p.Name, p.Ref().Scope.Region)
			if l.cause != "" {
				l.deaf(s, &j)
			} else if l.named {
				l.hooked(s, &j)
			}
		}
	}
	return j
}

// deaf judges a pipeline whose definition lets no push to its own branch start it. What it lets start it may be what is wanted: a run
// that was started so since shows that.
func (l listener) deaf(s *fact.Snapshot, j *fault.Judgement) {
	p := l.pipeline
	runs := fault.ExecutionsQuery(p.Ref().Scope, p.Name)
	j.Need(runs)
	if !s.Answered(runs) && (l.cause != detectOff || !s.Settled(runs)) {
		return // a tag or a pull request may have started it, as was meant
	}
	h := heard(s, l)
	if h.pushes > 0 {
		return
	}
	f := l.finding(s, h)
	f.Cause = fault.Cause{Code: l.cause, Class: fault.Verified, Text: l.text}
	f.Remedy = l.remedy
	switch {
	case l.named && len(h.missed) > 0:
		f.Severity = fault.Medium
	case l.named || len(h.missed) > 0:
		f.Severity = fault.Low
	default:
		f.Severity = fault.Info
	}
	f.Evidence = append([]fault.Evidence{l.evidence()}, f.Evidence...)
	j.Findings = append(j.Findings, f)
}

// hooked judges a pipeline whose definition lets pushes to its branch start it, by what has started it since the definition was written.
func (l listener) hooked(s *fact.Snapshot, j *fault.Judgement) {
	p, scope := l.pipeline, l.pipeline.Ref().Scope
	c, known, absent, settles := fault.Connection(s, l.action.Connection)
	j.Need(settles)
	if absent || known && c.Status != fact.StatusAvailable {
		return // another fault's matter
	}
	j.Need(fault.StateQuery(scope, p.Name))
	for _, src := range fault.Sources(s, p, l.action.Connection) {
		if src.Action.Name == l.action.Name && src.Failed() || !src.Known {
			return // likewise
		}
	}
	runs := fault.ExecutionsQuery(scope, p.Name)
	j.Need(runs)
	if !known || !s.Answered(runs) {
		return
	}
	h := heard(s, l)
	if h.pushes > 0 && !(l.paths && len(h.missed) > 0) {
		return
	}
	f := l.finding(s, h)
	f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, c, "ConnectionStatus", c.Status, fact.StatusAvailable))
	if l.paths && len(h.missed) > 0 {
		l.byPath(&f)
		j.Findings = append(j.Findings, f)
		return
	}
	w := l.written(s, c)
	j.Help(w.asks...)
	switch {
	case w.pending && len(h.missed) > 0:
		f.Cause = fault.Cause{Code: createdPending, Class: fault.Inferred, Text: w.text + " Likely AWS made no webhook then."}
	case w.pending:
		f.Severity = fault.Info
		f.Cause = fault.Cause{Code: createdPending, Class: fault.Inferred, Text: w.text + " Likely AWS made no webhook then; no sign of a missed push was seen."}
		f.Message = fmt.Sprintf("Whether a push starts %s is not known: none has since its connection was completed, and its definition is older than that.", p.Name)
		f.Remedy = "Push once and look. If nothing starts: unjam plan " + p.Name + " --region " + scope.Region + " --rehook"
	case len(h.missed) > 0:
		f.Cause = fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: "The definition lets pushes to " + l.action.Branch + " through and the connection works: the webhook may be lost, or the provider does not deliver."}
	default:
		if before, ok := l.moved(s, h, j); ok {
			f.Severity = fault.Info
			f.Cause = fault.Cause{Code: otherBranch, Class: fault.Inferred, Text: fmt.Sprintf("Pushes started it while its definition named the branch %s; it names %s now, and no push has started it since.", before, l.action.Branch)}
			f.Message = fmt.Sprintf("No push has started %s since its branch was changed from %s to %s.", p.Name, before, l.action.Branch)
			f.Remedy = "Push to " + l.action.Branch + ", or name the branch that people push to in the definition."
			j.Findings = append(j.Findings, f)
		}
		return
	}
	f.Evidence = append(f.Evidence, w.evidence...)
	j.Findings = append(j.Findings, f)
}

// moved is the branch that the version before named, where pushes started runs until then.
func (l listener) moved(s *fact.Snapshot, h history, j *fault.Judgement) (before string, ok bool) {
	p := l.pipeline
	if h.pushesBefore == 0 || p.Version < 2 {
		return "", false
	}
	j.Help(fact.Query{Scope: p.Ref().Scope, Kind: fact.KindDefinition, ID: p.Name, Args: map[string]string{"version": strconv.Itoa(p.Version - 1)}})
	old, ok := fact.Get[fact.Definition](s, fact.DefinitionRef(p.Ref().Scope, p.Name, p.Version-1))
	before = old.Values.Text("stages/" + l.stage.Name + "/actions/" + l.action.Name + "/configuration/BranchName")
	return before, ok && before != "" && before != l.action.Branch
}

// maxShown is how many missed pushes a finding shows.
const maxShown = 3

// finding is what all findings have in common, with the sign that a push was missed.
func (l listener) finding(s *fact.Snapshot, h history) fault.Finding {
	p := l.pipeline
	f := fault.Finding{
		Title: "Pushes start nothing", Severity: fault.Medium, Bucket: fault.Configuration,
		Subject: fault.PipelineSubject(p), About: p.Ref(), Link: fault.PipelineLink(s.Question(), p),
		Affects: []fault.Subject{fault.ConnectionSubject(l.action.Connection, "")},
		Message: fmt.Sprintf("Pushes to %s of %s start no run of %s.", l.action.Branch, l.action.Repository, p.Name),
		Remedy:  "Update the pipeline without a change, so that AWS makes its webhook anew: unjam fix " + p.Name + ". Then push once and look.",
	}
	if c, known, _, _ := fault.Connection(s, l.action.Connection); known {
		f.Affects[0] = fault.ConnectionSubject(c.ARN, c.Name)
	}
	for i, m := range h.missed {
		switch i {
		case 0:
			f.Since = fault.Stamp(m.Started)
		case maxShown:
			return f
		}
		e := fault.Ev(fault.Reported, m, "run "+m.ID, m.Trigger, "WebhookV2")
		e.Text = "it fetched the commit " + m.Revisions[l.action.Name] + ", which no run that a push started has brought, unless somebody chose the commit for this start"
		f.Evidence = append(f.Evidence, e)
	}
	return f
}

// byPath puts a missed push down to the filter on file paths.
func (l listener) byPath(f *fault.Finding) {
	f.Severity = fault.Low
	f.Cause = fault.Cause{Code: pathFilter, Class: fault.Inferred,
		Text: "The trigger has a filter on file paths: likely the push changed other files, or the right ones came behind the first 100, or it made the branch."}
	f.Remedy = "Compare the files of the commit with the filter on file paths in the definition's trigger."
	f.Message = fmt.Sprintf("A push to %s of %s started no run of %s, likely because of the filter on file paths.", l.action.Branch, l.action.Repository, l.pipeline.Name)
	f.Evidence = append(f.Evidence, l.evidence())
}
