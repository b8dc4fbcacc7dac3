// Package events simulates the default event bus of Amazon EventBridge: rules, their patterns and targets, and the pipelines that they
// start. It runs no schedule, knows no other bus, and never tells anybody that a target could not be reached.
package events

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// The limits of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html and of API_ListRules.
const (
	maxRules   = 300
	maxTargets = 5
	maxPage    = 100
	delivery   = 5 * time.Second // AWS names no figure; the lab takes some seconds
)

// The error codes of the API model.
const (
	notFound   = "ResourceNotFoundException"
	badPattern = "InvalidEventPatternException"
)

// Principal is the service as trust policies name it.
const Principal = "events.amazonaws.com"

// Target is what a rule invokes.
type Target struct {
	ID, ARN, Role string
	Input         string            // constant JSON; "" for the event
	Paths         map[string]string // of an input transformer, by name
	Template      string            // of an input transformer; "" without one
}

// Rule is a rule of the default bus.
type Rule struct {
	Account, Region, Name string
	Pattern               string // JSON; "" for a schedule alone
	Schedule              string
	State, About, Role    string
	Targets               []Target // replaced, never altered
}

// ARN is the rule's ARN.
func (r Rule) ARN() string { return ruleARN(r.Region, r.Account, r.Name) }

func ruleARN(region, account, name string) string {
	return "arn:aws:events:" + region + ":" + account + ":rule/" + name
}

// Pipelines starts pipelines.
type Pipelines interface {
	// Trigger starts a pipeline for a rule, as a role. input is what the target is given besides the pipeline's name.
	Trigger(role cloud.Principal, region, pipeline, ruleARN string, input map[string]any) error
}

// Roles finds the roles that rules take on.
type Roles interface {
	// RolePrincipalByARN is a session of a role; false when the role does not exist.
	RolePrincipalByARN(arn, session string) (cloud.Principal, bool)
	// MayAssume judges a role's trust policy.
	MayAssume(p cloud.Principal, roleARN string) cloud.Decision
}

// Service is EventBridge in every account and Region. Its methods are called with the cloud's lock held.
type Service struct {
	c         *cloud.Cloud
	pipelines Pipelines
	roles     Roles
	held      []*cloud.Lagged[Rule]
}

// New registers the service on a cloud.
func New(c *cloud.Cloud, pipelines Pipelines, roles Roles) *Service {
	s := &Service{c: c, pipelines: pipelines, roles: roles}
	c.Register(&cloud.Service{
		Name: "events", Target: "AWSEvents", Version: "2015-10-07", Protocol: cloud.JSON11, EventSource: "events.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"PutRule":               {Access: onRule("PutRule", "Name"), Do: s.putRule},
			"DescribeRule":          {ReadOnly: true, Access: onRule("DescribeRule", "Name"), Do: s.describeRule},
			"EnableRule":            {Access: onRule("EnableRule", "Name"), Do: s.enable("ENABLED")},
			"DisableRule":           {Access: onRule("DisableRule", "Name"), Do: s.enable("DISABLED")},
			"DeleteRule":            {Access: onRule("DeleteRule", "Name"), Do: s.deleteRule},
			"ListRules":             {ReadOnly: true, Do: s.listRules},
			"PutTargets":            {Access: onTargets, Do: s.putTargets},
			"RemoveTargets":         {Access: onRule("RemoveTargets", "Rule"), Do: s.removeTargets},
			"ListTargetsByRule":     {ReadOnly: true, Access: onRule("ListTargetsByRule", "Rule"), Do: s.listTargets},
			"ListRuleNamesByTarget": {ReadOnly: true, Do: s.listNames},
		},
	})
	return s
}

// onRule is the access to the rule that a request names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
func onRule(op, member string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{{Action: "events:" + op, Resource: ruleARN(r.Region, r.Account(), r.Str(member))}}
	}
}

// onTargets also asks whether the caller may hand over the roles of the targets.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
func onTargets(r *cloud.Request) []cloud.Access {
	all := onRule("PutTargets", "Rule")(r)
	for _, t := range targets(r) {
		if t.Role != "" {
			all = append(all, cloud.Access{Action: "iam:PassRole", Resource: t.Role, Context: map[string][]string{"iam:PassedToService": {Principal}}})
		}
	}
	return all
}

// Deliver puts an event of AWS on the default bus: some seconds later the rules that are enabled then and match it invoke their targets.
func (s *Service) Deliver(account, region, source, kind string, resources []any, detail map[string]any) {
	event := map[string]any{"version": "0", "id": s.c.TraceID(), "source": source, "detail-type": kind, "account": account, "region": region,
		"time": s.c.Now().UTC().Format(time.RFC3339), "resources": resources, "detail": detail}
	s.c.After(delivery, func() {
		for _, l := range s.held {
			if k, ok := l.Seen(s.c); ok && k.Account == account && k.Region == region && k.State != "DISABLED" && k.matches(event) {
				s.invoke(k, event)
			}
		}
	})
}

func (r Rule) matches(event map[string]any) bool {
	var pattern map[string]any
	return json.Unmarshal([]byte(r.Pattern), &pattern) == nil && pattern != nil && matches(pattern, event)
}

// invoke starts the pipelines among the targets. What cannot be started nobody hears of.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
func (s *Service) invoke(k Rule, event map[string]any) {
	for _, t := range k.Targets {
		p := strings.SplitN(t.ARN, ":", 6)
		if len(p) != 6 || p[2] != "codepipeline" || p[3] != k.Region || p[4] != k.Account || t.Role == "" {
			continue
		}
		role, ok := s.roles.RolePrincipalByARN(t.Role, s.c.TraceID()[:8])
		if !ok || !s.roles.MayAssume(cloud.Principal{Type: "AWSService", Account: k.Account, ARN: Principal}, t.Role).Allowed {
			continue
		}
		input, ok := t.input(event)
		if !ok {
			continue
		}
		if err := s.pipelines.Trigger(role, k.Region, p[5], k.ARN(), input); err != nil {
			continue // a failed invocation: a metric counts it, and that is all
		}
	}
}

// input is what a target is given: a constant, what its transformer makes of the event, or nothing that a pipeline would read.
func (t Target) input(event map[string]any) (map[string]any, bool) {
	text := t.Input
	if t.Template != "" {
		text = t.Template
		for name, path := range t.Paths {
			v, _ := find(event, strings.TrimPrefix(path, "$.")).(string)
			text = strings.ReplaceAll(text, `"<`+name+`>"`, `"`+v+`"`)
			text = strings.ReplaceAll(text, "<"+name+">", `"`+v+`"`)
		}
	}
	if text == "" {
		return nil, true
	}
	var out map[string]any
	return out, json.Unmarshal([]byte(text), &out) == nil
}

func find(in map[string]any, path string) any {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return in[name]
	}
	m, _ := in[name].(map[string]any)
	return find(m, rest)
}

// Rules are the rules of an account in a Region, as they were written last.
func (s *Service) Rules(account, region string) []Rule {
	var all []Rule
	for _, l := range s.held {
		if k, ok := l.Truth(); ok && k.Account == account && k.Region == region {
			all = append(all, k)
		}
	}
	return all
}

func (s *Service) at(r *cloud.Request, name string) *cloud.Lagged[Rule] {
	for _, l := range s.held {
		if k, ok := l.Truth(); ok && k.Account == r.Account() && k.Region == r.Region && k.Name == name {
			return l
		}
	}
	return nil
}

// onBus refuses every bus but the default one.
func onBus(r *cloud.Request) error {
	if bus := r.Str("EventBusName"); bus != "" && bus != "default" && !strings.HasSuffix(bus, ":event-bus/default") {
		return cloud.Errorf(notFound, "Event bus %s does not exist.", bus)
	}
	return nil
}

// named finds the rule of a request as it is.
func (s *Service) named(r *cloud.Request, member string) (*cloud.Lagged[Rule], Rule, error) {
	if err := onBus(r); err != nil {
		return nil, Rule{}, err
	}
	if l := s.at(r, r.Str(member)); l != nil {
		k, _ := l.Truth()
		return l, k, nil
	}
	return nil, Rule{}, missing(r.Str(member))
}

func missing(name string) error {
	return cloud.Errorf(notFound, "Rule %s does not exist on EventBus default.", name)
}

var ruleName = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)

// putRule writes a rule as a whole: what the request leaves out is gone, but its targets.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
func (s *Service) putRule(r *cloud.Request) (map[string]any, error) {
	if err := onBus(r); err != nil {
		return nil, err
	}
	k := Rule{Account: r.Account(), Region: r.Region, Name: r.Str("Name"), Pattern: r.Str("EventPattern"), Schedule: r.Str("ScheduleExpression"),
		State: r.Str("State"), About: r.Str("Description"), Role: r.Str("RoleArn")}
	if k.State == "" {
		k.State = "ENABLED"
	}
	switch {
	case !ruleName.MatchString(k.Name):
		return nil, cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", k.Name)
	case k.Pattern == "" && k.Schedule == "":
		return nil, cloud.Errorf(cloud.ValidationError, "Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case k.Pattern != "":
		if why := judge(k.Pattern); why != "" {
			return nil, cloud.Errorf(badPattern, "Event pattern is not valid. Reason: %s", why)
		}
	}
	l := s.at(r, k.Name)
	if l == nil {
		if most := s.c.Limit(r.Account(), r.Region, "L-244521F2", maxRules); len(s.Rules(k.Account, k.Region)) >= most {
			return nil, cloud.Errorf("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
		}
		l = &cloud.Lagged[Rule]{}
		s.held = append(s.held, l)
	} else {
		old, _ := l.Truth()
		k.Targets = old.Targets
	}
	l.Set(s.c, k)
	return map[string]any{"RuleArn": k.ARN()}, nil
}

func (s *Service) enable(state string) func(*cloud.Request) (map[string]any, error) {
	return func(r *cloud.Request) (map[string]any, error) {
		l, k, err := s.named(r, "Name")
		if err != nil {
			return nil, err
		}
		k.State = state
		l.Set(s.c, k)
		return nil, nil
	}
}

// deleteRule deletes a rule; one that does not exist is deleted already.
func (s *Service) deleteRule(r *cloud.Request) (map[string]any, error) {
	if err := onBus(r); err != nil {
		return nil, err
	}
	l, k, err := s.named(r, "Name")
	if err != nil {
		return nil, nil
	}
	if len(k.Targets) > 0 {
		return nil, cloud.Errorf(cloud.ValidationError, "Rule can't be deleted since it has targets.")
	}
	l.Delete(s.c)
	return nil, nil
}

// targets are the targets of a request.
func targets(r *cloud.Request) []Target {
	var all []Target
	for _, x := range r.List("Targets") {
		m, _ := x.(map[string]any)
		t := Target{}
		t.ID, _ = m["Id"].(string)
		t.ARN, _ = m["Arn"].(string)
		t.Role, _ = m["RoleArn"].(string)
		t.Input, _ = m["Input"].(string)
		if tr, ok := m["InputTransformer"].(map[string]any); ok {
			t.Template, _ = tr["InputTemplate"].(string)
			paths, _ := tr["InputPathsMap"].(map[string]any)
			t.Paths = map[string]string{}
			for k, v := range paths {
				t.Paths[k], _ = v.(string)
			}
		}
		all = append(all, t)
	}
	return all
}

// putTargets takes targets as they are. Whether AWS refuses a pipeline without a role is not documented: the lab takes it and starts nothing.
func (s *Service) putTargets(r *cloud.Request) (map[string]any, error) {
	l, k, err := s.named(r, "Rule")
	if err != nil {
		return nil, err
	}
	kept := slices.Clone(k.Targets)
	for _, t := range targets(r) {
		kept = append(slices.DeleteFunc(kept, func(o Target) bool { return o.ID == t.ID }), t)
	}
	if len(kept) > maxTargets {
		return nil, cloud.Errorf("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
	}
	k.Targets = kept
	l.Set(s.c, k)
	return map[string]any{"FailedEntryCount": 0, "FailedEntries": []any{}}, nil
}

func (s *Service) removeTargets(r *cloud.Request) (map[string]any, error) {
	l, k, err := s.named(r, "Rule")
	if err != nil {
		return nil, err
	}
	k.Targets = slices.DeleteFunc(slices.Clone(k.Targets), func(t Target) bool { return slices.Contains(r.List("Ids"), any(t.ID)) })
	l.Set(s.c, k)
	return map[string]any{"FailedEntryCount": 0, "FailedEntries": []any{}}, nil
}
