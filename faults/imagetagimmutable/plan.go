package imagetagimmutable

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// draft mends the way from a push to the pipeline as far as that is a change that can be taken back; what is a decision of somebody else,
// or makes a thing that lives on, a person does. A push that was missed is made up for by a start.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	w, ok := again(s, f)
	if !ok {
		return plan.Draft{Notes: []string{"The source action of " + f.Subject.Name + " was not found again: nothing is planned."}}
	}
	var d plan.Draft
	switch f.Cause.Code {
	case ruleDisabled:
		d.Steps = append(d.Steps, w.enable(f))
	case patternMismatch:
		st, ok := w.rewrite(f)
		if !ok {
			st = w.person(s, f)
		}
		d.Steps = append(d.Steps, st)
	case pushMissed:
	default:
		d.Steps = append(d.Steps, w.person(s, f))
	}
	calls := len(d.Steps) == 0 || d.Steps[0].Kind == plan.Call
	if calls && !fault.Targeted(s, w.p.Name, w.p.Ref().Scope.Region) && len(d.Steps) > 0 {
		return plan.Draft{Notes: []string{fmt.Sprintf("%s Not planned: it may be so on purpose, so the rule is changed only for those who name the pipeline: unjam fix %s", f.Message, w.p.Name)}}
	}
	var after []string
	for _, st := range d.Steps {
		after = append(after, st.ID)
	}
	starts := f.Details.More["missed"] != "" || f.Cause.Code == tagMissing || f.Cause.Code == repositoryMissing
	switch {
	case starts && o.NoRestart:
		d.Notes = append(d.Notes, "The pipeline is not started (--no-restart): the next push does it, when what is wrong was mended.")
	case starts && w.state.Status != "InProgress":
		again := fault.Retry(fault.Current{Pipeline: w.p, Stage: w.stage, Action: w.action, State: w.state, Seen: w.seen}, after, 10*time.Minute)
		d.Steps = append(d.Steps, again)
		after = []string{again.ID}
	}
	if len(after) > 0 && (f.Cause.Code != pushMissed || starts && !o.NoRestart) {
		d.Steps = append(d.Steps, plan.Step{
			ID: "verify-" + after[0], Title: "the diagnosis again: a push starts " + w.p.Name, Kind: plan.Verify, Target: f.About,
			After: after, Verdict: string(f.Code), Patience: 5 * time.Minute,
		})
	}
	return d
}

// again is the source action that a finding is about.
func again(s *fact.Snapshot, f fault.Finding) (*watch, bool) {
	p, ok := fact.Get[fact.Pipeline](s, f.About)
	if !ok {
		return nil, false
	}
	for st, a := range p.Images {
		if a.Name == f.Details.More["action"] && st.Name == f.Details.More["stage"] {
			return look(s, p, st, a), true
		}
	}
	return nil, false
}

func (w *watch) named(name string) (route, bool) {
	for _, r := range w.routes {
		if r.rule.Name == name && r.read {
			return r, true
		}
	}
	return route{}, false
}

// key tells the steps of one rule from those of another.
func (w *watch) key(name string) string { return w.p.Ref().Scope.Region + "-" + name }

// enable enables the rule. It relies on the pattern that was read.
func (w *watch) enable(f fault.Finding) plan.Step {
	name := f.Details.More["rule"]
	r, _ := w.named(name)
	ref := fact.RuleRef(w.p.Ref().Scope, name)
	is := func(field, value string) []plan.Check {
		return []plan.Check{{Ref: ref, Field: field, Op: plan.Is, Value: value}}
	}
	st := plan.NewCall("enable-rule-"+w.key(name), "enable the rule "+name, ref, plan.Action{Service: "events", Operation: "EnableRule", Region: ref.Scope.Region, Input: op.Input{"Name": name}})
	st.Given, st.SkipWhen, st.DoneWhen, st.UndoneWhen = is("pattern", r.rule.Pattern), is("state", "ENABLED"), is("state", "ENABLED"), is("state", fact.RuleDisabled)
	st.Patience = time.Minute
	st.Overrules = "somebody disabled the rule " + name + "; EventBridge does not keep who and why"
	st.Blast = w.blast("runs with every push of " + w.name() + " from now on")
	return st
}

func (w *watch) blast(what string) []plan.Effect {
	var all []plan.Effect
	for i, st := range w.p.Stages {
		if i > 0 {
			all = append(all, plan.Effect{What: "stage " + st.Name + " of " + w.p.Name + " " + what, Production: fact.LooksLikeProduction(st.Name)})
		}
	}
	return all
}

// rewrite writes the pattern so that it matches a push of the watched image, where the rule serves this pipeline alone and all else of it
// stays as it is.
func (w *watch) rewrite(f fault.Finding) (plan.Step, bool) {
	name := f.Details.More["rule"]
	r, ok := w.named(name)
	if !ok || len(r.at.Targets) != 1 || r.rule.ManagedBy != "" || r.rule.Schedule != "" || r.rule.State != "ENABLED" || r.target.Role == "" {
		return plan.Step{}, false
	}
	event := push(w.p, w.action.Repository, w.action.ImageTag)
	pattern, ok := mended(r.rule.Pattern, r.misses, event)
	if m, _ := judge(pattern, event); !ok || m != yes {
		return plan.Step{}, false
	}
	ref := fact.RuleRef(w.p.Ref().Scope, name)
	put := func(pattern string) plan.Action {
		in := op.Input{"Name": name, "EventPattern": pattern, "State": r.rule.State}
		if r.rule.About != "" {
			in["Description"] = r.rule.About
		}
		if r.rule.Role != "" {
			in["RoleArn"] = r.rule.Role
		}
		return plan.Action{Service: "events", Operation: "PutRule", Region: ref.Scope.Region, Input: in}
	}
	is := func(pattern string) []plan.Check {
		return []plan.Check{{Ref: ref, Field: "pattern", Op: plan.Is, Value: pattern}}
	}
	st := plan.NewCall("write-rule-"+w.key(name), "have the rule "+name+" match pushes of "+w.name(), ref, put(pattern))
	undo := put(r.rule.Pattern)
	st.Undo, st.OneWay = &undo, ""
	st.Given, st.SkipWhen, st.DoneWhen, st.UndoneWhen = is(r.rule.Pattern), is(pattern), is(pattern), is(r.rule.Pattern)
	st.Patience = time.Minute
	st.Overrules = "somebody wrote the rule " + name + " for something else; it may be the source action that is wrong"
	st.Blast = w.blast("runs with every push of " + w.name() + " from now on")
	return st, true
}

// person is the step for somebody who may decide or make what is missing.
func (w *watch) person(s *fact.Snapshot, f fault.Finding) plan.Step {
	scope := w.p.Ref().Scope
	name := f.Details.More["rule"]
	g := &plan.Guide{
		Link: fault.PipelineLink(s.Question(), w.p), Where: fmt.Sprintf("account %s, Region %s", scope.Account, scope.Region), Role: "whoever owns " + w.action.Repository,
		Handover: f.Message + " " + f.Cause.Text,
	}
	st := plan.Step{ID: "person-" + w.key(w.p.Name), Kind: plan.Human, Target: f.About, Say: g, Patience: 72 * time.Hour}
	check := func(ref fact.Ref, field string, how plan.Op, value string) {
		st.DoneWhen = append(st.DoneWhen, plan.Check{Ref: ref, Field: field, Op: how, Value: value})
	}
	event := push(w.p, w.action.Repository, w.action.ImageTag)
	if name != "" {
		g.Link = fault.RuleLink(s.Question(), scope.Region, name)
	}
	switch f.Cause.Code {
	case tagImmutable:
		st.Title = "decide whether the tag " + w.action.ImageTag + " of " + w.action.Repository + " may move"
		g.Checklist = []string{"Ask why the repository's tags are immutable: it is a protection against replaced images.", w.exclude(),
			"Or leave it as it is, and have the rule take every tag and hand the pushed image over: --input-template with sourceRevisions of the type IMAGE_DIGEST.",
			"Push " + w.name() + " again: that starts the pipeline."}
		check(fact.RepositoryRef(scope, w.action.Repository), "fixed/"+w.action.ImageTag, plan.Is, "no")
	case repositoryMissing:
		st.Title = "create the repository " + w.action.Repository + ", or name another in " + w.p.Name
		g.Checklist = []string{fmt.Sprintf("aws ecr create-repository --region %s --repository-name %s", scope.Region, w.action.Repository), "Push " + w.name() + "."}
		check(fact.ImageRef(scope, w.action.Repository, w.action.ImageTag), "digest", plan.Not, "")
	case tagMissing:
		st.Title = "push " + w.name() + ", or watch another tag in " + w.p.Name
		g.Checklist = []string{fmt.Sprintf("docker push %s.dkr.ecr.%s.amazonaws.com/%s", scope.Account, scope.Region, w.name())}
		check(fact.ImageRef(scope, w.action.Repository, w.action.ImageTag), "digest", plan.Not, "")
	case patternMismatch:
		r, _ := w.named(name)
		st.Title = "have the rule " + name + " and the source action of " + w.p.Name + " name the same image"
		g.Checklist = []string{"The rule has: " + r.rule.Pattern, w.putRule(name, encode(pattern(event)))}
		check(fact.RuleRef(scope, name), "pattern", plan.Not, r.rule.Pattern)
	case roleUntrusted, roleMissing, roleDenied, targetNoRole:
		st.Title = "give the rule " + name + " a role that may start " + w.p.Name
		g.Role = "whoever may change roles"
		g.Checklist = []string{"The role trusts events.amazonaws.com and may do " + start + " on " + w.p.ARN + ".", w.putTargets(name)}
		w.rights(&st, f, check)
	default: // no rule, or one that leads elsewhere
		st.Title = "make a rule that starts " + w.p.Name + " when " + w.name() + " is pushed"
		if name == "" {
			g.Checklist = []string{w.putRule(w.p.Name+"-image", encode(pattern(event)))}
			name = w.p.Name + "-image"
		}
		g.Checklist = append(g.Checklist, "The role of the target trusts events.amazonaws.com and may do "+start+" on "+w.p.ARN+".", w.putTargets(name))
		check(fact.TargetingRef(scope, w.p.ARN), "rules", plan.Not, w.names())
	}
	return st
}

// rights says how it is seen that a role is as it should be: the policies are not those that were read, or the target has another role.
func (w *watch) rights(st *plan.Step, f fault.Finding, check func(fact.Ref, string, plan.Op, string)) {
	r, _ := w.named(f.Details.More["rule"])
	ref := fact.Ref{Scope: fact.Scope{Account: w.p.Ref().Scope.Account}, Kind: fact.KindPolicies, ID: r.target.Role}
	switch f.Cause.Code {
	case targetNoRole:
		check(fact.RuleTargetsRef(w.p.Ref().Scope, r.rule.Name), "role/"+w.p.ARN, plan.Not, "")
	case roleUntrusted:
		check(ref, "trusts/events.amazonaws.com", plan.Is, "yes")
	case roleMissing:
		check(ref, "trusts/events.amazonaws.com", plan.Is, "yes")
	default:
		check(ref, "documents", plan.Not, documents(f))
	}
}

// documents is the digest of the policies that were read, as the finding keeps it.
func documents(f fault.Finding) string { return f.Details.More["policies"] }

// names are the rules that have the pipeline as a target now.
func (w *watch) names() string {
	v, _ := w.targeting.Field("rules")
	return v
}

// pattern is the one that CodePipeline's documentation has for an ECR source.
func pattern(event map[string]any) map[string]any {
	detail := map[string]any{}
	for _, k := range []string{"action-type", "image-tag", "repository-name", "result"} {
		detail[k] = []any{at(event, "detail."+k)}
	}
	return map[string]any{"source": []any{at(event, "source")}, "detail-type": []any{at(event, "detail-type")}, "detail": detail}
}

// putRule is the command that writes a pattern.
func (w *watch) putRule(rule, pattern string) string {
	return fmt.Sprintf("aws events put-rule --region %s --name %s --event-pattern '%s'", w.p.Ref().Scope.Region, rule, strings.ReplaceAll(pattern, "'", `'\''`))
}
