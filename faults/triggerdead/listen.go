package triggerdead

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// listener is the source action of a pipeline that is to hear pushes, with what the definition makes of it.
type listener struct {
	pipeline     fact.Pipeline
	stage        fact.Stage
	action       fact.Action
	trigger      fact.Trigger
	named        bool   // the question names the pipeline
	paths        bool   // only pushes that change certain files get through
	cause        string // why a push to its own branch starts nothing; "" where the definition lets it through
	text, remedy string // of the cause
}

// listen picks the first source action on a connection that hears pushes to its own branch, else the first one; false for a pipeline that
// has none.
func listen(p fact.Pipeline) (l listener, ok bool) {
	for st, a := range p.Sources {
		x := listener{pipeline: p, stage: st, action: a}
		x.judge()
		if !ok || l.cause != "" && x.cause == "" {
			l, ok = x, true
		}
	}
	return l, ok
}

// judge says what a push to the action's own branch meets. A declared trigger takes the place of change detection, which the console then
// turns off (docs/aws-facts.md, "What starts a pipeline").
func (l *listener) judge() {
	p, a := l.pipeline, l.action
	deaf := func(cause, text, remedy string) { l.cause, l.text, l.remedy = cause, text, remedy }
	if len(p.Triggers) == 0 {
		if strings.EqualFold(a.DetectChanges, "false") {
			deaf(detectOff, "DetectChanges is false and no trigger is declared: no push starts the pipeline, by design or by slip; the definition does not tell which.",
				"If pushes are to start it, set DetectChanges of "+a.Name+" to true. If not, nothing is wrong.")
		}
		return
	}
	t, declared := p.TriggerOf(a.Name)
	l.trigger = t
	switch {
	case !declared:
		deaf(notTriggered, "The definition declares triggers, and none for "+a.Name+": with a declared trigger, change detection is off.",
			"Declare a trigger for "+a.Name+" as well, if pushes are to start it.")
	case len(t.Push)+len(t.Pull) == 0:
	case len(t.Push) == 0:
		deaf(pullsOnly, "The trigger of "+a.Name+" reacts to pull requests alone; a push to "+a.Branch+" starts nothing.", "Add a filter on pushes to the trigger, if pushes are to start it.")
	case !slices.ContainsFunc(t.Push, func(f fact.GitFilter) bool { return f.Tags == nil }):
		deaf(tagsOnly, "The trigger of "+a.Name+" reacts to tags alone ("+patterns(t, func(f fact.GitFilter) *fact.Criteria { return f.Tags })+"); a push to "+a.Branch+" starts nothing.",
			"Push a tag that fits, or add a filter on branches to the trigger.")
	case !slices.ContainsFunc(t.Push, func(f fact.GitFilter) bool { return f.Tags == nil && f.Branches.Passes(a.Branch) }):
		deaf(branchExcluded, fmt.Sprintf("The trigger of %s lets no push to %s through: its filter is %s.", a.Name, a.Branch, patterns(t, func(f fact.GitFilter) *fact.Criteria { return f.Branches })),
			"Include "+a.Branch+" in the trigger's branches, if pushes to it are to start the pipeline.")
	default:
		l.paths = !slices.ContainsFunc(t.Push, func(f fact.GitFilter) bool { return f.Tags == nil && f.Files == nil && f.Branches.Passes(a.Branch) })
	}
}

// patterns are the patterns of one kind in a trigger's filters of pushes.
func patterns(t fact.Trigger, of func(fact.GitFilter) *fact.Criteria) string {
	var all []string
	for _, f := range t.Push {
		c := of(f)
		if c == nil {
			continue
		}
		if len(c.Includes) > 0 {
			all = append(all, strings.Join(c.Includes, ", "))
		}
		if len(c.Excludes) > 0 {
			all = append(all, "not "+strings.Join(c.Excludes, ", "))
		}
	}
	return strings.Join(all, "; ")
}

// evidence is what the definition says.
func (l listener) evidence() fault.Evidence {
	at := l.pipeline.Name + "/" + l.stage.Name + "/" + l.action.Name
	show := func(of func(fact.GitFilter) *fact.Criteria) string { return patterns(l.trigger, of) }
	switch {
	case l.cause == detectOff:
		return fault.Ev(fault.Verified, l.pipeline, at+" DetectChanges", l.action.DetectChanges, "true")
	case l.cause == notTriggered:
		var names []string
		for _, t := range l.pipeline.Triggers {
			names = append(names, t.Action)
		}
		return fault.Ev(fault.Verified, l.pipeline, "triggers sourceActionName", strings.Join(names, ", "), l.action.Name)
	case l.cause == tagsOnly:
		return fault.Ev(fault.Verified, l.pipeline, at+" trigger push tags", show(func(f fact.GitFilter) *fact.Criteria { return f.Tags }), "branches")
	case l.cause == pullsOnly:
		return fault.Ev(fault.Verified, l.pipeline, at+" trigger", "pullRequest", "push")
	case l.paths:
		return fault.Ev(fault.Verified, l.pipeline, at+" trigger push filePaths", show(func(f fact.GitFilter) *fact.Criteria { return f.Files }), "")
	}
	return fault.Ev(fault.Verified, l.pipeline, at+" trigger push branches", show(func(f fact.GitFilter) *fact.Criteria { return f.Branches }), l.action.Branch)
}
