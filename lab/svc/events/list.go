package events

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// seen finds the rule of a request as readers see it.
func (s *Service) seen(r *cloud.Request, member string) (Rule, error) {
	if err := onBus(r); err != nil {
		return Rule{}, err
	}
	for _, k := range s.rules(r) {
		if k.Name == r.Str(member) {
			return k, nil
		}
	}
	return Rule{}, missing(r.Str(member))
}

// rules are the caller's rules in the Region of a request, as readers see them, by name.
func (s *Service) rules(r *cloud.Request) []Rule {
	var all []Rule
	for _, l := range s.held {
		if k, ok := l.Seen(s.c); ok && k.Account == r.Account() && k.Region == r.Region {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (r Rule) show() map[string]any {
	out := map[string]any{"Name": r.Name, "Arn": r.ARN(), "State": r.State, "EventBusName": "default"}
	for member, v := range map[string]string{"EventPattern": r.Pattern, "ScheduleExpression": r.Schedule, "Description": r.About, "RoleArn": r.Role} {
		if v != "" {
			out[member] = v
		}
	}
	return out
}

func (s *Service) describeRule(r *cloud.Request) (map[string]any, error) {
	k, err := s.seen(r, "Name")
	if err != nil {
		return nil, err
	}
	out := k.show()
	out["CreatedBy"] = k.Account
	return out, nil
}

func (s *Service) listRules(r *cloud.Request) (map[string]any, error) {
	if err := onBus(r); err != nil {
		return nil, err
	}
	var all []any
	for _, k := range s.rules(r) {
		if strings.HasPrefix(k.Name, r.Str("NamePrefix")) {
			all = append(all, k.show())
		}
	}
	return page(r, "Rules", all)
}

func (s *Service) listTargets(r *cloud.Request) (map[string]any, error) {
	k, err := s.seen(r, "Rule")
	if err != nil {
		return nil, err
	}
	var all []any
	for _, t := range k.Targets {
		m := map[string]any{"Id": t.ID, "Arn": t.ARN}
		if t.Role != "" {
			m["RoleArn"] = t.Role
		}
		if t.Input != "" {
			m["Input"] = t.Input
		}
		if t.Template != "" {
			paths := map[string]any{}
			for name, path := range t.Paths {
				paths[name] = path
			}
			m["InputTransformer"] = map[string]any{"InputTemplate": t.Template, "InputPathsMap": paths}
		}
		all = append(all, m)
	}
	return page(r, "Targets", all)
}

// listNames lists the rules that have a target. It takes the target's ARN to the letter.
func (s *Service) listNames(r *cloud.Request) (map[string]any, error) {
	if err := onBus(r); err != nil {
		return nil, err
	}
	var all []any
	for _, k := range s.rules(r) {
		if slices.ContainsFunc(k.Targets, func(t Target) bool { return t.ARN == r.Str("TargetArn") }) {
			all = append(all, k.Name)
		}
	}
	return page(r, "RuleNames", all)
}

// page cuts a page. The text about the token is the lab's own.
func page(r *cloud.Request, member string, all []any) (map[string]any, error) {
	want := r.Int("Limit", maxPage)
	if want < 1 || want > maxPage {
		return nil, cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", want, maxPage)
	}
	part, next, err := cloud.Page(r.Cloud, all, r.Str("NextToken"), want, maxPage, cloud.ValidationError)
	if err != nil {
		return nil, err
	}
	out := map[string]any{member: append([]any{}, part...)}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}
