package codepipeline

import (
	"slices"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// execution is one run of a pipeline.
type execution struct {
	p       *pipeline
	id      string
	version int
	trigger trigger
	began   time.Time
	inputs  inputs
	at      string         // the stage it is in or before
	inside  bool           // it is in the stage
	actions []*actionRun   // oldest first
	attempt map[string]int // per stage: where in actions the newest attempt at the whole stage begins
	runFacts
	seen cloud.Lagged[runFacts]
}

// runFacts are what changes about an execution and readers see. Lists in it are replaced, never altered.
type runFacts struct {
	status    string // PipelineExecutionStatus
	summary   string
	updated   time.Time
	revisions []revision
	passed    []string // stages it has succeeded in
	stopping  bool     // a stop was asked for
	reason    string   // of that; "" without
	outdated  bool     // the definition was changed while it ran
}

type trigger struct{ kind, detail string }

// inputs are what a run was started with.
type inputs struct {
	pins      map[string]pin // by source action
	variables []any          // resolved, as GetPipelineExecution shows them
}

// pin makes a source action fetch something else than its configuration says.
type pin struct{ commit, branch string }

// revision is what a source action fetched.
type revision struct {
	action, artifact, id, summary, url string
	at                                 time.Time
}

// actionRun is one run of one action.
type actionRun struct {
	e           *execution
	id          string
	stage, name string
	decl        declared
	began       time.Time
	actionFacts
	shown bool // readers were given its last form
	seen  cloud.Lagged[actionFacts]
}

// actionFacts are what changes about a run of an action and readers see.
type actionFacts struct {
	status        string // ActionExecutionStatus
	changed       time.Time
	summary       string
	code, message string // of a failure
	external      string
	token         string // of an approval that waits
	revision      *revision
	variables     map[string]any
	by            string
}

// running reports whether an execution holds a stage.
func (e *execution) running() bool { return e.status == "InProgress" || e.status == "Stopping" }

// start begins a run and gives it its first stage as soon as that is free.
func (s *Service) start(p *pipeline, t trigger, from inputs) *execution {
	e := s.enroll(p, t, from)
	names, _ := stagesOf(p.current())
	p.arrive(e, names[0])
	p.publish()
	return e
}

// enroll adds a run that is in no stage yet.
func (s *Service) enroll(p *pipeline, t trigger, from inputs) *execution {
	now := s.c.Now()
	e := &execution{p: p, id: s.c.UUID(), version: p.number(), trigger: t, began: now, inputs: from, attempt: map[string]int{},
		runFacts: runFacts{status: "InProgress", updated: now}}
	p.runs, p.open = append(p.runs, e), append(p.open, e)
	return e
}

// arrive brings a run before a stage: it enters, or waits for the transition or for the run inside. In the mode SUPERSEDED a newer
// run takes the place of one that waits.
func (p *pipeline) arrive(e *execution, name string) {
	st := p.stages[name]
	e.at, e.inside = name, false
	if p.mode() == "SUPERSEDED" {
		for _, old := range st.waiting {
			old.end("Superseded", "superseded by "+e.id)
		}
		st.waiting = nil
	}
	st.waiting = append(st.waiting, e)
	p.admit(name)
}

// admit lets runs that wait before a stage enter, as far as they may: one at a time, or all in the mode PARALLEL.
func (p *pipeline) admit(name string) {
	st := p.stages[name]
	for len(st.waiting) > 0 && !p.transitions[name].disabled && (p.mode() == "PARALLEL" || !p.busy(name)) {
		st.latest, st.waiting = st.waiting[0], st.waiting[1:]
		p.run(st.latest, name, nil)
	}
}

// busy reports whether a run holds the stage: the one that entered last or, after the mode PARALLEL, an older one.
func (p *pipeline) busy(name string) bool {
	return slices.ContainsFunc(p.open, func(e *execution) bool { return e.inside && e.at == name && e.running() })
}

// run runs a stage's actions: those named, or all when only is nil. The lowest runOrder goes first.
func (p *pipeline) run(e *execution, name string, only []string) {
	e.inside = true
	_, actions := stagesOf(p.versions[e.version-1].decl)
	first := 0
	for _, a := range actions[name] {
		if only != nil && !slices.Contains(only, a.name()) {
			continue
		}
		if first == 0 || a.order() < first {
			first = a.order()
		}
	}
	p.runGroup(e, name, first, only)
}

func (p *pipeline) runGroup(e *execution, name string, order int, only []string) {
	_, actions := stagesOf(p.versions[e.version-1].decl)
	for _, a := range actions[name] {
		if a.order() == order && (only == nil || slices.Contains(only, a.name())) {
			p.begin(e, name, a)
		}
	}
}

// begin starts one action.
func (p *pipeline) begin(e *execution, stageName string, a declared) {
	c := p.s.c
	run := &actionRun{e: e, id: c.UUID(), stage: stageName, name: a.name(), decl: a, began: c.Now(),
		actionFacts: actionFacts{status: "InProgress", changed: c.Now()}}
	p.stages[stageName].actions[run.name] = run
	p.runsOfActions, e.actions = append(p.runsOfActions, run), append(e.actions, run)
	limit := p.limitOf(a)
	if a.typeOf("category") == "Approval" {
		run.token = c.UUID()
		c.After(limit, func() { p.finish(run, outcome{code: "JobFailed", message: "The approval action timed out."}) })
		return
	}
	d := p.s.durations.Other
	if a.typeOf("category") == "Source" {
		d = p.s.durations.Source
	}
	c.After(d, func() {
		switch {
		case run.status != "InProgress": // abandoned meanwhile
		case !p.served(a):
			p.queue(run, d, limit)
		case p.s.hangs[failKey(p.account, p.region, p.name, run.stage, run.name)]:
			if a.typeOf("owner") == "Custom" { // its worker has said what it began
				run.external = c.UUID()
				p.publish()
			}
			c.After(limit-d, func() { p.finish(run, timedOut(a, limit)) })
		default:
			if o := p.perform(run); o.later != nil {
				p.await(run, o, limit)
			} else {
				p.finish(run, o)
			}
		}
	})
}

// patience is how long an approval waits: seven days, or the action's own timeout.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
func patience(a declared) time.Duration {
	if minutes, ok := number(a["timeoutInMinutes"]); ok {
		return time.Duration(minutes) * time.Minute
	}
	return 7 * 24 * time.Hour
}

// finish ends an action and moves the run on when it was the last of its group.
func (p *pipeline) finish(run *actionRun, o outcome) {
	if run.status != "InProgress" {
		return // abandoned, or decided already
	}
	run.changed, run.token = p.s.c.Now(), ""
	run.summary, run.external, run.revision, run.variables = o.summary, o.external, o.revision, o.variables
	run.status = "Succeeded"
	if o.code != "" {
		run.status, run.code, run.message = "Failed", o.code, o.message
	}
	e := run.e
	e.updated = run.changed
	if o.revision != nil {
		others := slices.DeleteFunc(slices.Clone(e.revisions), func(r revision) bool { return r.action == o.revision.action })
		e.revisions = append(others, *o.revision)
	}
	p.advance(e, run.stage)
	p.publish()
}

// advance decides what comes after an action has ended.
func (p *pipeline) advance(e *execution, name string) {
	names, actions := stagesOf(p.versions[e.version-1].decl)
	failed, next := false, 0
	for _, a := range actions[name] {
		run := e.runOf(name, a.name())
		switch {
		case run == nil:
			if next == 0 || a.order() < next {
				next = a.order()
			}
		case run.status == "InProgress":
			return // the group is not over
		case run.status != "Succeeded":
			failed = true
		}
	}
	switch {
	case e.stopping:
		e.end("Stopped", e.reason)
	case failed:
		e.end("Failed", "")
	case e.outdated:
		e.end("Failed", "The pipeline definition was updated.")
	case next != 0:
		p.runGroup(e, name, next, nil)
		return
	default:
		e.passed = append(slices.Clone(e.passed), name)
		if next := slices.Index(names, name) + 1; next < len(names) {
			p.arrive(e, names[next])
		} else {
			e.end("Succeeded", "")
		}
	}
	p.admit(name)
}

// runOf is the newest run of an action within an execution; nil when it did not run yet, or not since the whole stage is
// being retried.
func (e *execution) runOf(stageName, action string) *actionRun {
	for i := len(e.actions) - 1; i >= e.attempt[stageName]; i-- {
		r := e.actions[i]
		if r.stage == stageName && r.name == action {
			return r
		}
	}
	return nil
}

func (e *execution) end(status, summary string) {
	e.status, e.summary, e.updated, e.inside = status, summary, e.p.s.c.Now(), false
}

// outdate marks the runs in flight after the definition has changed: what runs ends, then they fail.
func (p *pipeline) outdate() {
	for _, e := range p.open {
		if !e.running() {
			continue
		}
		e.outdated = true
		if st := p.stages[e.at]; st != nil && slices.Contains(st.waiting, e) {
			st.waiting = slices.DeleteFunc(st.waiting, func(x *execution) bool { return x == e })
			e.end("Failed", "The pipeline definition was updated.")
		}
	}
}
