package imagetagimmutable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// way finds why no rule leads from a push of the watched tag to the pipeline.
func (w *watch) way(s *fact.Snapshot) (fault.Finding, bool) {
	var near []route
	scheduled, doubtful := false, false
	for _, r := range w.routes {
		switch {
		case r.rule.Schedule != "" && r.rule.State != fact.RuleDisabled:
			scheduled = true // it fetches the newest image by the clock
		case r.leads() == unsure:
			doubtful = true
		case about(r.rule.Pattern) && !w.forAnother(r):
			near = append(near, r)
		}
	}
	pick := func(ok func(route) bool) (route, bool) {
		i := slices.IndexFunc(near, ok)
		if i < 0 {
			return route{}, false
		}
		return near[i], true
	}
	switch {
	case doubtful:
		if !w.missed(s) {
			return fault.Finding{}, false
		}
		f := w.lost(s)
		f.Cause = fault.Cause{Code: pushMissed, Class: fault.Unclear, Text: "A rule leads to " + w.p.Name + " whose pattern holds comparisons that were not judged: " + w.patterns()}
		return f, true
	case len(near) == 0:
		return w.nothing(s, scheduled)
	}
	if r, ok := pick(func(r route) bool { return r.match == yes && r.rule.State == fact.RuleDisabled }); ok {
		return w.disabled(s, r), true
	}
	if r, ok := pick(func(r route) bool { return r.match == yes && r.target.Role == "" }); ok {
		f := w.finding(s, targetNoRole, fault.Verified, fmt.Sprintf("The rule %s has %s as a target without a role: EventBridge cannot start a pipeline without one.", r.rule.Name, w.p.Name))
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, r.at, r.rule.Name+"/Targets/RoleArn", "", "the ARN of a role"))
		f.Message = fmt.Sprintf("The rule %s may start nothing: its target %s has no role.%s", r.rule.Name, w.p.Name, w.since(s))
		f.Remedy = "Give the target a role: " + w.putTargets(r.rule.Name)
		f.Details.More["rule"] = r.rule.Name
		return f, true
	}
	if r, ok := pick(func(r route) bool { return r.match == no && len(r.misses) > 0 }); ok {
		return w.mismatch(s, r), true
	}
	return fault.Finding{}, false
}

func (w *watch) patterns() string {
	var all []string
	for _, r := range w.routes {
		if r.rule.Pattern != "" {
			all = append(all, r.rule.Name+" "+r.rule.Pattern)
		}
	}
	return strings.Join(all, "; ")
}

func (w *watch) disabled(s *fact.Snapshot, r route) fault.Finding {
	f := w.finding(s, ruleDisabled, fault.Verified, fmt.Sprintf("The rule %s, which starts %s when %s is pushed, is DISABLED.", r.rule.Name, w.p.Name, w.name()))
	f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, r.rule, r.rule.Name+"/State", r.rule.State, "ENABLED"))
	f.Message = fmt.Sprintf("No push starts %s: the rule %s is disabled.%s", w.p.Name, r.rule.Name, w.since(s))
	f.Remedy = "When nobody keeps it closed on purpose: unjam fix " + w.p.Name
	f.Details.More["rule"] = r.rule.Name
	return f
}

func (w *watch) mismatch(s *fact.Snapshot, r route) fault.Finding {
	var parts []string
	f := w.finding(s, patternMismatch, fault.Verified, "")
	event := push(w.p, w.action.Repository, w.action.ImageTag)
	for _, m := range r.misses {
		if !m.exact {
			f.Cause.Class = fault.Inferred // follows from how EventBridge compares
		}
		parts = append(parts, fmt.Sprintf("%s is %s, a push of %s has %q", m.path, m.wants, w.name(), at(event, m.path)))
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, r.rule, r.rule.Name+"/EventPattern/"+m.path, m.wants, at(event, m.path)))
	}
	f.Cause.Text = fmt.Sprintf("The pattern of the rule %s does not match a push of %s: %s.", r.rule.Name, w.name(), strings.Join(parts, "; "))
	f.Message = fmt.Sprintf("No push of %s starts %s: the pattern of the rule %s is for something else.%s", w.name(), w.p.Name, r.rule.Name, w.since(s))
	f.Remedy = "Have rule and source action name the same image: unjam plan " + w.p.Name
	f.Details.More["rule"] = r.rule.Name
	return f
}

// at is the value of an event at a path; "" when it has none.
func at(event map[string]any, path string) string {
	name, rest, deeper := strings.Cut(path, ".")
	if deeper {
		m, _ := event[name].(map[string]any)
		return at(m, rest)
	}
	text, _ := event[name].(string)
	return text
}

// nothing: no rule about images has the pipeline as a target. One that watches the image and leads elsewhere is told. Where no push was
// missed, or the pipeline runs by the clock, it may be meant so.
func (w *watch) nothing(s *fact.Snapshot, scheduled bool) (fault.Finding, bool) {
	scope := w.p.Ref().Scope
	if scheduled || !w.missed(s) && !fault.Targeted(s, w.p.Name, scope.Region) {
		return fault.Finding{}, false
	}
	w.helps = append(w.helps, fact.Query{Scope: scope, Kind: fact.KindRule})
	f := w.finding(s, noRule, fault.Verified, fmt.Sprintf("No rule of EventBridge has %s as a target for pushes of %s: an ECR source is not polled, a rule must start the pipeline.", w.p.Name, w.name()))
	f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, w.targeting, "RuleNames", strings.Join(w.targeting.Rules, ","), "a rule for "+w.name()))
	f.Message = fmt.Sprintf("No push of %s starts %s: no rule leads there.%s", w.name(), w.p.Name, w.since(s))
	f.Remedy = "Make the rule: unjam plan " + w.p.Name
	if w.ran && !w.missed(s) {
		f.Severity = fault.Info
	}
	for r := range fact.All[fact.Rule](s) {
		newest, _ := fact.Get[fact.Rule](s, r.Ref())
		if r.Ref().Scope != scope || slices.Contains(w.targeting.Rules, r.Name) || newest.State == fact.RuleDisabled || !about(newest.Pattern) {
			continue
		}
		if m, _ := judge(newest.Pattern, push(w.p, w.action.Repository, w.action.ImageTag)); m != yes {
			continue
		}
		w.helps = append(w.helps, fact.Query{Scope: scope, Kind: fact.KindRuleTargets, ID: r.Name})
		targets, read := fact.Get[fact.RuleTargets](s, fact.RuleTargetsRef(scope, r.Name))
		if !read {
			continue
		}
		to := "nothing at all"
		if len(targets.Targets) > 0 {
			to = targets.Targets[0].ARN
		}
		f.Cause = fault.Cause{Code: targetElsewhere, Class: fault.Verified, Text: fmt.Sprintf("The rule %s matches a push of %s and has %s as a target, not %s.", r.Name, w.name(), to, w.p.Name)}
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, targets, r.Name+"/Targets/Arn", to, w.p.ARN))
		f.Message = fmt.Sprintf("A push of %s does not start %s: the rule %s leads elsewhere.%s", w.name(), w.p.Name, r.Name, w.since(s))
		f.Remedy = "When " + w.p.Name + " is meant: " + w.putTargets(r.Name)
		f.Details.More["rule"] = r.Name
		break
	}
	return f, true
}

// lost: the rule is as it should be by now, and a push has started nothing. The role of its target is looked at.
func (w *watch) lost(s *fact.Snapshot) fault.Finding {
	i := slices.IndexFunc(w.routes, func(r route) bool { return r.leads() != no })
	r := w.routes[max(i, 0)]
	f := w.finding(s, pushMissed, fault.Inferred, fmt.Sprintf("The rule %s matches by now. It was mended after the push, or the event was lost.", r.rule.Name))
	f.Details.More["rule"] = r.rule.Name
	f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, r.rule, r.rule.Name+"/State", r.rule.State, ""))
	f.Message = "A push was missed:" + w.since(s)
	f.Remedy = "Start the pipeline: unjam fix " + w.p.Name
	role, err := fact.ParseARN(r.target.Role)
	if err != nil || role.Account != s.Question().Account {
		return f
	}
	global := fact.Scope{Account: s.Question().Account}
	policies := fact.Query{Scope: global, Kind: fact.KindPolicies, ID: r.target.Role}
	simulation := fact.Query{Scope: global, Kind: fact.KindSimulation, ID: r.target.Role, Args: map[string]string{"actions": start, "resources": w.p.ARN}}
	w.helps = append(w.helps, policies)
	ref := fact.Ref{Scope: global, Kind: fact.KindPolicies, ID: r.target.Role}
	if gone, ok := s.Absence(ref); ok {
		f.Cause = fault.Cause{Code: roleMissing, Class: fault.Verified, Text: fmt.Sprintf("The role %s, with which the rule %s starts %s, does not exist.", role.Name(), r.rule.Name, w.p.Name)}
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, gone, "RoleArn", "does not exist", r.target.Role))
		f.Remedy = "Make the role anew, or name another: " + w.putTargets(r.rule.Name)
		return f
	}
	w.helps = append(w.helps, simulation)
	if has, ok := fact.Get[fact.RolePolicies](s, ref); ok && !strings.Contains(has.Trust, events) {
		f.Cause = fault.Cause{Code: roleUntrusted, Class: fault.Inferred, Text: fmt.Sprintf("The trust policy of the role %s does not name events.amazonaws.com: EventBridge cannot take it on to start %s.", role.Name(), w.p.Name)}
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, has, "AssumeRolePolicyDocument", has.Trust, "events.amazonaws.com"))
		f.Bucket, f.Remedy = fault.IAM, "Let events.amazonaws.com assume the role "+role.Name()+" (aws iam update-assume-role-policy), then start the pipeline."
		return f
	}
	if has, ok := fact.Get[fact.RolePolicies](s, ref); ok {
		f.Details.More["policies"], _ = has.Field("documents")
	}
	for x := range fact.All[fact.Simulation](s) {
		if x.Principal != r.target.Role {
			continue
		}
		if d, ok := x.Decision(start, w.p.ARN); ok && !d.Allowed {
			f.Cause = fault.Cause{Code: roleDenied, Class: fault.Simulated, Text: fmt.Sprintf("The policies of the role %s do not let it start %s.", role.Name(), w.p.Name)}
			f.Evidence = append(f.Evidence, fault.Ev(fault.Simulated, x, start, "denied", "allowed"))
			f.Bucket, f.Remedy = fault.IAM, fmt.Sprintf("Allow %s on %s for the role %s, then start the pipeline.", start, w.p.ARN, role.Name())
			return f
		}
	}
	if !s.Answered(policies) || !s.Answered(simulation) {
		f.Cause.Class = fault.Unclear
		f.Cause.Text = fmt.Sprintf("The rule %s matches. Whether the role %s may start %s cannot be seen; else the rule was mended after the push, or the event was lost.", r.rule.Name, role.Name(), w.p.Name)
	}
	return f
}

// events is EventBridge in a trust policy.
const events = "events.amazonaws.com"

// start is what the role of a target must be allowed.
const start = "codepipeline:StartPipelineExecution"

// putTargets is the command that makes the pipeline a target of a rule.
func (w *watch) putTargets(rule string) string {
	return fmt.Sprintf("aws events put-targets --region %s --rule %s --targets Id=%s,Arn=%s,RoleArn=ROLE-ARN", w.p.Ref().Scope.Region, rule, w.p.Name, w.p.ARN)
}
