package imagetagimmutable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	repositoryMissing = "repository-missing"
	tagMissing        = "tag-missing"
	tagImmutable      = "tag-immutable"
	noRule            = "no-rule"
	targetElsewhere   = "target-elsewhere"
	ruleDisabled      = "rule-disabled"
	patternMismatch   = "pattern-mismatch"
	targetNoRole      = "target-without-role"
	roleMissing       = "target-role-missing"
	roleUntrusted     = "target-role-untrusted"
	roleDenied        = "target-role-denied"
	pushMissed        = "push-missed"
)

// judge finds what is wrong with the way from a push to the pipeline: the thing itself first, then the tag, then the rule, then its role.
func (w *watch) judge(s *fact.Snapshot) (fault.Finding, bool) {
	pinned := slices.ContainsFunc(w.routes, route.pins)
	fixed, known := w.repository.Fixed(w.action.ImageTag)
	switch {
	case w.noRepository != nil:
		return w.gone(s, *w.noRepository, repositoryMissing), true
	case w.noImage != nil && !pinned:
		return w.gone(s, *w.noImage, tagMissing), true
	case pinned, !w.tagged:
		return fault.Finding{}, false
	case slices.ContainsFunc(w.needs, func(q fact.Query) bool { return !s.Settled(q) }):
		return fault.Finding{}, false // a rule may yet show that takes every tag
	case known && fixed:
		return w.stuck(s)
	case !w.mapped():
		return fault.Finding{}, false
	case slices.ContainsFunc(w.routes, func(r route) bool { return r.leads() == yes }):
		if !w.missed(s) {
			return fault.Finding{}, false
		}
		return w.lost(s), true
	}
	return w.way(s)
}

// name is the watched image for people.
func (w *watch) name() string { return w.action.Repository + ":" + w.action.ImageTag }

// finding is what all findings have in common.
func (w *watch) finding(s *fact.Snapshot, cause string, class fault.Class, text string) fault.Finding {
	f := fault.Finding{
		Title: doc().Title, Severity: fault.Low, Bucket: fault.Configuration, Subject: fault.PipelineSubject(w.p), About: w.p.Ref(),
		Link:  fault.PipelineLink(s.Question(), w.p),
		Cause: fault.Cause{Code: cause, Class: class, Text: text},
	}
	f.Details.More = map[string]string{"repository": w.action.Repository, "tag": w.action.ImageTag, "stage": w.stage.Name, "action": w.action.Name}
	if w.tagged && w.missed(s) {
		f.Severity, f.Since = fault.Medium, fault.Stamp(w.image.Pushed)
		f.Details.More["missed"] = w.image.Digest
		e := fault.Ev(fault.Verified, w.image, w.name()+"/imagePushedAt", fault.Stamp(w.image.Pushed), "")
		if !w.last.Started.IsZero() {
			e.Text = "the newest run of " + w.p.Name + " began at " + fault.Stamp(w.last.Started)
		}
		f.Evidence = append(f.Evidence, e)
	}
	return f
}

// since says what was missed, for a message.
func (w *watch) since(s *fact.Snapshot) string {
	if !w.ran {
		return " Whether a push was missed cannot be seen without its runs."
	}
	if !w.missed(s) {
		return ""
	}
	return fmt.Sprintf(" %s was pushed %s ago, and nothing has run since.", w.name(), fault.Span(s.At().Sub(w.image.Pushed)))
}

// gone: the repository or the watched tag does not exist.
func (w *watch) gone(s *fact.Snapshot, at fact.Absent, cause string) fault.Finding {
	what, field, do := "The repository "+w.action.Repository+" does not exist", "repositoryName", "Create it and push an image, or name the right one in the source action of "+w.p.Name+"."
	if cause == tagMissing {
		what, field = "No image of "+w.action.Repository+" has the tag "+w.action.ImageTag, w.name()
		do = "Push " + w.name() + ", or name a tag that exists in the source action of " + w.p.Name + "."
	}
	f := w.finding(s, cause, fault.Verified, what+": every run fails at its source, and no push of it can start one.")
	f.Severity, f.Remedy = fault.High, do
	f.Message = fmt.Sprintf("%s in %s: the source of %s fails.", what, w.p.Ref().Scope.Region, w.p.Name)
	f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, at, field, "does not exist", ""))
	if c, failed := w.failed(s); failed {
		f.Evidence, f.Since = append(f.Evidence, c.Evidence()), fault.Stamp(c.State.Changed)
	}
	return f
}

// stuck: the watched tag exists and may not move. It is told where images were pushed since or a push was refused; where the tag is one
// that is meant to move; and to those who ask about the pipeline.
func (w *watch) stuck(s *fact.Snapshot) (fault.Finding, bool) {
	scope := w.p.Ref().Scope
	images, events := fact.Query{Scope: scope, Kind: fact.KindImageList, ID: w.action.Repository}, fact.Query{Scope: scope, Kind: fact.KindEvent, ID: "PutImage"}
	w.helps = append(w.helps, images, events)
	setting := w.repository.Mutability
	if len(w.repository.Filters) > 0 {
		setting += " (" + strings.Join(w.repository.Filters, ", ") + ")"
	}
	f := w.finding(s, tagImmutable, fault.Verified, fmt.Sprintf("The repository %s is %s: a second push of the tag %s is refused, so the tag points at the same image for ever, and a new tag is not the one that %s watches.",
		w.action.Repository, setting, w.action.ImageTag, w.p.Name))
	if !w.mapped() {
		f.Cause.Class = fault.Inferred
		f.Cause.Text += " Whether a rule hands pushed images over whatever their tag cannot be seen."
	}
	e := fault.Ev(fault.Verified, w.repository, w.action.Repository+"/imageTagMutability", setting, fact.TagsMutable)
	e.Text = "the tag " + w.action.ImageTag + " exists already: " + w.image.Digest
	f.Evidence = append(f.Evidence, e)
	newer := 0
	for x := range fact.All[fact.Image](s) {
		if x.Repository == w.action.Repository && x.Ref().Kind == fact.KindImageList && x.Ref().Scope == scope && !slices.Contains(x.Tags, w.action.ImageTag) && w.after(s, x) {
			newer++
			f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, x, w.action.Repository+":"+strings.Join(x.Tags, ",")+"/imagePushedAt", fault.Stamp(x.Pushed), ""))
		}
	}
	refused := w.refusals(s)
	f.Evidence = append(f.Evidence, refused...)
	f.Message = fmt.Sprintf("%s watches %s, a tag that cannot move: no push starts it.", w.p.Name, w.name())
	switch {
	case newer > 0:
		f.Severity = fault.Medium
		f.Message += fmt.Sprintf(" %s pushed to the repository since its newest run.", fault.Plural(newer, "image")+were(newer))
	case len(refused) > 0:
		f.Severity = fault.Medium
		f.Message += fmt.Sprintf(" %s refused since its newest run.", fault.Plural(len(refused), "push of it")+were(len(refused)))
	case w.action.ImageTag != fact.LatestTag && !fault.Targeted(s, w.p.Name, scope.Region):
		return f, false // pinned on purpose, as far as can be seen
	}
	f.Remedy = "Decide with the owner of " + w.action.Repository + ": let the tag move (" + w.exclude() + "), or have the rule take every tag and hand the image over (docs: source overrides)."
	return f, true
}

func were(n int) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

// refusals are the pushes of the watched tag that ECR refused after the newest run had begun, as CloudTrail tells.
func (w *watch) refusals(s *fact.Snapshot) []fault.Evidence {
	var all []fault.Evidence
	for e := range fact.All[fact.Event](s) {
		if e.Name == "PutImage" && strings.Contains(e.ErrorCode, "ImageTagAlreadyExists") && e.Region == w.p.Ref().Scope.Region && e.Time.After(w.last.Started) &&
			strings.Contains(e.Error, "'"+w.action.ImageTag+"'") && strings.Contains(e.Error, "'"+w.action.Repository+"'") {
			x := fault.Ev(fault.Reported, e, e.Name, e.ErrorCode, "")
			x.Text = fault.Stamp(e.Time) + " " + e.Who.Label() + ": " + e.Error
			all = append(all, x)
		}
	}
	return all
}

// exclude is the command that lets the watched tag move and leaves all others as they are.
func (w *watch) exclude() string {
	base := fmt.Sprintf("aws ecr put-image-tag-mutability --region %s --repository-name %s --image-tag-mutability ", w.p.Ref().Scope.Region, w.action.Repository)
	if w.repository.Mutability == fact.TagsMutableButSome { // the filters say what may not move
		var kept []string
		for _, f := range w.repository.Filters {
			if !fact.Wildcard(f, w.action.ImageTag) {
				kept = append(kept, "filterType=WILDCARD,filter="+f)
			}
		}
		if len(kept) == 0 {
			return base + fact.TagsMutable
		}
		return base + fact.TagsMutableButSome + " --image-tag-mutability-exclusion-filters " + strings.Join(kept, " ")
	}
	var filters []string
	for _, f := range append(slices.Clone(w.repository.Filters), w.action.ImageTag) {
		filters = append(filters, "filterType=WILDCARD,filter="+f)
	}
	return base + fact.TagsImmutableButSome + " --image-tag-mutability-exclusion-filters " + strings.Join(filters, " ")
}
