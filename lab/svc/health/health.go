// Package health simulates AWS Health: what AWS itself says about trouble on its side, to accounts with a support plan
// that includes it. It never finds trouble out: a world says what AWS reports.
package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Service is AWS Health for every account. It is guarded by the cloud's lock.
type Service struct {
	c      *cloud.Cloud
	plans  map[string]string // by account ID
	events []Event           // oldest first
}

// Event is something AWS reports.
type Event struct {
	ARN                   string
	Service, Region       string // Service in AWS Health's own spelling: CODEPIPELINE
	Status                string // open or closed
	Text                  string // the latest description
	Started, Updated, End time.Time
	Account               string   // "" for an event that every account sees
	Affected              []string // ARNs of affected resources
}

// New registers the service on a cloud. It is global and answers in us-east-1 only.
// https://docs.aws.amazon.com/health/latest/ug/health-api.html
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c, plans: map[string]string{}}
	c.Register(&cloud.Service{
		Name: "health", Target: "AWSHealth_20160804", Version: "2016-08-04", Protocol: cloud.JSON11, EventSource: "health.amazonaws.com", Global: true,
		Ops: map[string]*cloud.Op{
			"DescribeEvents":           {ReadOnly: true, Do: s.subscribed(s.describeEvents)},
			"DescribeEventDetails":     {ReadOnly: true, Access: onEvent("DescribeEventDetails"), Do: s.subscribed(s.describeEventDetails)},
			"DescribeAffectedEntities": {ReadOnly: true, Access: onEvent("DescribeAffectedEntities"), Do: s.subscribed(s.describeAffectedEntities)},
		},
	})
	return s
}

// onEvent is the access to the events that a request names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awshealthapisandnotifications.html
func onEvent(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		arns := texts(r.List("eventArns"))
		if arns == nil {
			arns = texts(list(r.Map("filter")["eventArns"]))
		}
		all := []cloud.Access{}
		for _, arn := range arns {
			all = append(all, cloud.Access{Action: "health:" + op, Resource: arn})
		}
		if len(all) == 0 {
			all = append(all, cloud.Access{Action: "health:" + op, Resource: "*"})
		}
		return all
	}
}

// SetPlan sets an account's support plan: basic (as every account has at first), developer, business,
// enterprise-on-ramp or enterprise. Only the last three include AWS Health's API.
// https://docs.aws.amazon.com/health/latest/ug/health-api.html
func (s *Service) SetPlan(account, plan string) error {
	if !slices.Contains([]string{"basic", "developer", "business", "enterprise-on-ramp", "enterprise"}, plan) {
		return fmt.Errorf("set support plan of %s: there is no plan %q", account, plan)
	}
	s.plans[account] = plan
	return nil
}

// Report has AWS report trouble, or close what it reported last about a service in a Region; it returns the event's ARN.
// ARN and times of the event given are ignored.
func (s *Service) Report(e Event) string {
	now := s.c.Now().UTC().Truncate(time.Second)
	for i := len(s.events) - 1; i >= 0; i-- {
		old := &s.events[i]
		if old.Service == e.Service && old.Region == e.Region && old.Account == e.Account && old.Status == "open" {
			old.Status, old.Text, old.Updated = e.Status, old.Text+"\n\n"+e.Text, now
			old.Affected = append(old.Affected, e.Affected...)
			if e.Status == "closed" {
				old.End = now
			}
			return old.ARN
		}
	}
	e.Started, e.Updated, e.End = now, now, time.Time{}
	if e.Status == "closed" {
		e.End = now
	}
	e.ARN = "arn:aws:health:" + e.Region + ":" + e.Account + ":event/" + e.Service + "/" + e.code() + "/" + e.code() + "_" + strings.ToUpper(s.c.UUID()[:8])
	s.events = append(s.events, e)
	return e.ARN
}

// code is the event's type.
func (e Event) code() string { return "AWS_" + e.Service + "_OPERATIONAL_ISSUE" }

func (e Event) show() map[string]any {
	scope := "PUBLIC"
	if e.Account != "" {
		scope = "ACCOUNT_SPECIFIC"
	}
	m := map[string]any{"arn": e.ARN, "service": e.Service, "eventTypeCode": e.code(), "eventTypeCategory": "issue", "region": e.Region,
		"startTime": e.Started, "lastUpdatedTime": e.Updated, "statusCode": e.Status, "eventScopeCode": scope}
	if !e.End.IsZero() {
		m["endTime"] = e.End
	}
	return m
}

// subscribed refuses callers whose account has no plan that includes the API, and calls signed for another Region.
func (s *Service) subscribed(do func(*cloud.Request) (map[string]any, error)) func(*cloud.Request) (map[string]any, error) {
	return func(r *cloud.Request) (map[string]any, error) {
		if r.Region != "us-east-1" {
			return nil, cloud.Errorf(cloud.InvalidSignature, "Credential should be scoped to a valid region. ")
		}
		if plan := s.plans[r.Account()]; plan == "" || plan == "basic" || plan == "developer" {
			return nil, cloud.Errorf("SubscriptionRequiredException", "AWS Premium Support Subscription is required to use this service.")
		}
		return do(r)
	}
}

// visible are the events an account sees, the one updated last first.
func (s *Service) visible(account string) []Event {
	var all []Event
	for _, e := range s.events {
		if e.Account == "" || e.Account == account {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int { return b.Updated.Compare(a.Updated) })
	return all
}

func (s *Service) find(account, arn string) (Event, bool) {
	for _, e := range s.visible(account) {
		if e.ARN == arn {
			return e, true
		}
	}
	return Event{}, false
}

func (s *Service) describeEvents(r *cloud.Request) (map[string]any, error) {
	f := r.Map("filter")
	var all []Event
	for _, e := range s.visible(r.Account()) {
		if e.matches(f) {
			all = append(all, e)
		}
	}
	return paged(r, "events", all, Event.show)
}

// matches reports whether an event meets every criterion of a filter.
func (e Event) matches(f map[string]any) bool {
	for member, value := range map[string]string{
		"eventArns": e.ARN, "services": e.Service, "regions": e.Region, "eventStatusCodes": e.Status, "eventTypeCodes": e.code(), "eventTypeCategories": "issue",
	} {
		if wanted := texts(list(f[member])); wanted != nil && !slices.Contains(wanted, value) {
			return false
		}
	}
	for member, at := range map[string]time.Time{"startTimes": e.Started, "endTimes": e.End, "lastUpdatedTimes": e.Updated} {
		if ranges := list(f[member]); ranges != nil && !within(ranges, at) {
			return false
		}
	}
	return true
}

// within reports whether a time lies in one of the ranges.
func within(ranges []any, at time.Time) bool {
	for _, x := range ranges {
		m, _ := x.(map[string]any)
		from, hasFrom := m["from"].(float64)
		to, hasTo := m["to"].(float64)
		if seconds := float64(at.Unix()); !at.IsZero() && (!hasFrom || seconds >= from) && (!hasTo || seconds <= to) {
			return true
		}
	}
	return false
}

func (s *Service) describeEventDetails(r *cloud.Request) (map[string]any, error) {
	arns := texts(r.List("eventArns"))
	if len(arns) < 1 || len(arns) > 10 {
		return nil, invalid("eventArns", "Member must have length between 1 and 10")
	}
	found, failed := []any{}, []any{}
	for _, arn := range arns {
		e, ok := s.find(r.Account(), arn)
		if !ok {
			failed = append(failed, map[string]any{"eventArn": arn, "errorName": "InvalidEventArn", "errorMessage": "The event ARN " + arn + " is not valid."})
			continue
		}
		found = append(found, map[string]any{"event": e.show(), "eventDescription": map[string]any{"latestDescription": e.Text}})
	}
	return map[string]any{"successfulSet": found, "failedSet": failed}, nil
}

func (s *Service) describeAffectedEntities(r *cloud.Request) (map[string]any, error) {
	arns := texts(list(r.Map("filter")["eventArns"]))
	if len(arns) < 1 || len(arns) > 10 {
		return nil, invalid("filter.eventArns", "Member must have length between 1 and 10")
	}
	type entity struct {
		e     Event
		value string
	}
	var all []entity
	for _, arn := range arns {
		e, _ := s.find(r.Account(), arn)
		for _, value := range e.Affected {
			if strings.Contains(value, ":"+r.Account()+":") {
				all = append(all, entity{e, value})
			}
		}
	}
	return paged(r, "entities", all, func(x entity) map[string]any {
		status := "IMPAIRED"
		if x.e.Status == "closed" {
			status = "RESOLVED"
		}
		return map[string]any{"entityArn": strings.Replace(x.e.ARN, ":event/", ":entity/", 1), "eventArn": x.e.ARN, "entityValue": x.value,
			"awsAccountId": r.Account(), "lastUpdatedTime": x.e.Updated, "statusCode": status}
	})
}

// paged cuts a page: 10 to 100 entries.
func paged[T any](r *cloud.Request, name string, all []T, show func(T) map[string]any) (map[string]any, error) {
	want := r.Int("maxResults", 100)
	if want < 10 || want > 100 {
		return nil, invalid("maxResults", "Member must have value between 10 and 100")
	}
	page, next, err := cloud.Page(r.Cloud, all, r.Str("nextToken"), want, 100, "InvalidPaginationToken")
	if err != nil {
		return nil, err
	}
	shown := []map[string]any{}
	for _, x := range page {
		shown = append(shown, show(x))
	}
	out := map[string]any{name: shown}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

func invalid(member, rule string) error {
	return cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value at '%s' failed to satisfy constraint: %s", member, rule)
}

func list(v any) []any { l, _ := v.([]any); return l }

func texts(l []any) []string {
	var all []string
	for _, x := range l {
		if t, ok := x.(string); ok {
			all = append(all, t)
		}
	}
	return all
}
