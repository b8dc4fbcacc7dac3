// Package imagetagimmutable finds pipelines with an ECR source that no push starts: the watched tag cannot move or does not exist, or no
// rule of EventBridge leads from a push to the pipeline. It never calls a tag broken that merely nobody has pushed lately.
package imagetagimmutable

import (
	"cmp"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// grace is how long a push may be ago until the run that it should have started counts as missing. An event takes seconds; AWS names no
// limit (docs/aws-facts.md, "Pushes of images").
const grace = 10 * time.Minute

// Fault is the fault image-tag-immutable.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "image-tag-immutable",
		Doc:  doc(),
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindExecution, fact.KindRepository, fact.KindImage, fact.KindImageList,
			fact.KindTargeting, fact.KindRule, fact.KindRuleTargets, fact.KindEvent, fact.KindPolicies, fact.KindSimulation},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		var found []fault.Finding
		for st, a := range p.Images {
			w := look(s, p, st, a)
			f, ok := w.judge(s)
			if ok {
				found = append(found, f)
			}
			j.Need(w.needs...)
			j.Help(w.helps...)
			if c, failed := w.failed(s); failed {
				j.Withhold(s, c.Name(), w.needs[:2]) // no image, or no repository: AWS's text is not documented
			}
		}
		if len(found) > 0 { // one a pipeline: the gravest
			slices.SortStableFunc(found, func(a, b fault.Finding) int { return cmp.Compare(a.Severity.Rank(), b.Severity.Rank()) })
			j.Findings = append(j.Findings, found[0])
		}
	}
	return j
}

// watch is an ECR source action with everything that was read about the way from a push to it.
type watch struct {
	p            fact.Pipeline
	stage        fact.Stage
	action       fact.Action
	state        fact.ActionState
	seen         fact.PipelineState
	repository   fact.Repository
	image        fact.Image
	tagged       bool // the watched tag was read and points at image
	noRepository *fact.Absent
	noImage      *fact.Absent
	last         fact.Execution // the newest run
	ran          bool           // the runs were read
	targeting    fact.Targeting
	counted      bool // the rules that have the pipeline as a target were read to the end
	routes       []route
	needs, helps []fact.Query
}

// route is a rule that has the pipeline as a target.
type route struct {
	rule   fact.Rule
	target fact.RuleTarget
	at     fact.RuleTargets
	read   bool
	match  match // of a push of the watched tag
	any    match // of a push of whatever tag
	misses []miss
}

// leads reports whether a push of the watched tag starts the pipeline by the route, as far as rule and target can tell.
func (r route) leads() match {
	if !r.read || r.rule.State == fact.RuleDisabled || r.target.Role == "" {
		return no
	}
	return r.match
}

// pins reports whether the route hands the pushed image over, whatever its tag: then the watched tag does not matter.
func (r route) pins() bool {
	return r.read && r.rule.State != fact.RuleDisabled && r.target.Role != "" && r.target.Pins && r.any != no
}

func look(s *fact.Snapshot, p fact.Pipeline, st fact.Stage, a fact.Action) *watch {
	scope := p.Ref().Scope
	w := &watch{p: p, stage: st, action: a}
	repository := fact.Query{Scope: scope, Kind: fact.KindRepository, ID: a.Repository}
	image := fact.Query{Scope: scope, Kind: fact.KindImage, ID: a.Repository + ":" + a.ImageTag}
	targeting := fact.Query{Scope: scope, Kind: fact.KindTargeting, ID: p.ARN}
	runs := fault.ExecutionsQuery(scope, p.Name)
	w.needs = []fact.Query{repository, image, targeting, runs, fault.StateQuery(scope, p.Name)}
	w.repository, _ = fact.Get[fact.Repository](s, fact.RepositoryRef(scope, a.Repository))
	if gone, ok := s.Absence(fact.RepositoryRef(scope, a.Repository)); ok {
		w.noRepository = &gone
	}
	ref := fact.ImageRef(scope, a.Repository, a.ImageTag)
	w.image, w.tagged = fact.Get[fact.Image](s, ref)
	if gone, ok := s.Absence(ref); ok {
		w.noImage = &gone
	}
	w.seen, _ = fact.Get[fact.PipelineState](s, fault.StateRef(p))
	if stage, ok := w.seen.Stage(st.Name); ok {
		w.state, _ = stage.Action(a.Name)
	}
	if all := fault.Executions(s, p); len(all) > 0 {
		w.last = all[0]
	}
	w.ran = s.Answered(runs)
	w.targeting, _ = fact.Get[fact.Targeting](s, fact.TargetingRef(scope, p.ARN))
	w.counted = s.Answered(targeting)
	for _, name := range w.targeting.Rules {
		w.needs = append(w.needs, fact.Query{Scope: scope, Kind: fact.KindRule, ID: name}, fact.Query{Scope: scope, Kind: fact.KindRuleTargets, ID: name})
		w.routes = append(w.routes, w.route(s, name))
	}
	return w
}

func (w *watch) route(s *fact.Snapshot, name string) route {
	scope := w.p.Ref().Scope
	var r route
	var known bool
	r.rule, known = fact.Get[fact.Rule](s, fact.RuleRef(scope, name))
	r.at, r.read = fact.Get[fact.RuleTargets](s, fact.RuleTargetsRef(scope, name))
	r.read = r.read && known
	if to := r.at.To(w.p.ARN); len(to) > 0 {
		r.target = to[0]
	}
	r.match, r.misses = judge(r.rule.Pattern, push(w.p, w.action.Repository, w.action.ImageTag))
	r.any, _ = judge(r.rule.Pattern, push(w.p, w.action.Repository, ""))
	return r
}

// mapped reports whether all rules that have the pipeline as a target were read.
func (w *watch) mapped() bool {
	return w.counted && !slices.ContainsFunc(w.routes, func(r route) bool { return !r.read })
}

// failed is the source action, where its newest run failed.
func (w *watch) failed(s *fact.Snapshot) (fault.Current, bool) {
	fails, _ := fault.Fails(s, w.p)
	i := slices.IndexFunc(fails, func(c fault.Current) bool { return c.Action.Name == w.action.Name && c.Stage.Name == w.stage.Name })
	if i < 0 {
		return fault.Current{}, false
	}
	return fails[i], true
}

// missed reports whether the watched tag was pushed, and nothing has run since: the newest run is older than the image, and the source
// action did not take it.
func (w *watch) missed(s *fact.Snapshot) bool {
	return w.tagged && w.after(s, w.image) && w.state.Revision != w.image.Digest
}

// after reports whether an image was pushed after the newest run had begun, long enough ago to have started another.
func (w *watch) after(s *fact.Snapshot, x fact.Image) bool {
	begun := w.last.Started
	if begun.IsZero() {
		begun = w.p.Created
	}
	return w.ran && !begun.IsZero() && x.Pushed.After(begun) && s.At().Sub(x.Pushed) > grace
}

// forAnother reports whether a rule is for another ECR source of the pipeline.
func (w *watch) forAnother(r route) bool {
	for _, a := range w.p.Images {
		if a.Name == w.action.Name {
			continue
		}
		if m, _ := judge(r.rule.Pattern, push(w.p, a.Repository, a.ImageTag)); m == yes {
			return true
		}
	}
	return false
}
