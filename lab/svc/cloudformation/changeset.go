package cloudformation

import (
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// comparing is how long the creation of a change set takes. AWS names no figure.
const comparing = 10 * time.Second

// changeSet is a change that waits to be executed.
type changeSet struct {
	name, id, kind string // kind CREATE or UPDATE
	stack          *stack
	order          order
	created        time.Time
	empty          bool
}

// noChanges is the reason of a change set without a change, as the API's documentation shows it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
const noChanges = "The submitted information didn't contain changes. Submit different information to create a change set."

// status is the status of a change set, why, and whether it can be executed.
func (c *changeSet) status(now time.Time) (status, reason, execution string) {
	switch {
	case now.Before(c.created.Add(comparing)):
		return "CREATE_IN_PROGRESS", "", "UNAVAILABLE"
	case c.empty:
		return "FAILED", noChanges, "UNAVAILABLE"
	}
	return "CREATE_COMPLETE", "", "AVAILABLE"
}

// set finds a change set of a living stack by name, or any by ARN; nil when there is none.
func (s *Service) set(at place, name string) *changeSet {
	for _, c := range s.sets {
		if c.id == name || c.name == name && c.stack.place() == at && c.stack == s.living(at) {
			return c
		}
	}
	return nil
}

func noSet(name string) *cloud.Error {
	return &cloud.Error{Code: "ChangeSetNotFound", Message: "ChangeSet [" + name + "] does not exist", Status: 404}
}

// prepare makes a change set; of a stack that does not exist it makes the stack, which waits for it.
func (s *Service) prepare(o order, name string) (*changeSet, *cloud.Error) {
	if s.set(o.place, name) != nil {
		return nil, cloud.Errorf("AlreadyExistsException", "ChangeSet %s cannot be created due to a mismatch with existing attribute Name", name)
	}
	if err := s.capable(o); err != nil {
		return nil, err
	}
	k, now := s.living(o.place), s.c.Now()
	if _, err := s.hand(o, k); err != nil {
		return nil, err
	}
	c := &changeSet{name: name, kind: "UPDATE", stack: k, order: o, created: now}
	switch {
	case k == nil:
		c.kind = "CREATE"
		c.stack = &stack{account: o.account, region: o.region, name: o.name, id: s.ID(o.account, o.region, o.name), created: now}
		c.stack.operations = []*operation{{kind: "CREATE", start: now, last: now, planned: true, events: []event{{at: now, status: "REVIEW_IN_PROGRESS", reason: "User Initiated"}}}}
		s.stacks = append(s.stacks, c.stack)
	case k.state(now) == "REVIEW_IN_PROGRESS":
		c.kind = "CREATE"
	case !updatable(k.state(now)):
		return nil, cloud.Errorf(cloud.ValidationError, "Stack:%s is in %s state and can not be updated.", k.id, k.state(now))
	default:
		c.empty = o.revision != "" && o.revision == k.good
	}
	c.id = "arn:aws:cloudformation:" + o.region + ":" + o.account + ":changeSet/" + name + "/" + uuid(c.stack.id, name, now.String())
	s.sets = append(s.sets, c)
	return c, nil
}

// execute begins what a change set holds. All change sets of the stack are gone then.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html
func (s *Service) execute(at place, name string, caller cloud.Principal) (*stack, *cloud.Error) {
	c := s.set(at, name)
	if c == nil {
		return nil, noSet(name)
	}
	k, now := c.stack, s.c.Now()
	if status, _, execution := c.status(now); execution != "AVAILABLE" {
		return nil, cloud.Errorf("InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed in its current status of [%s]", c.id, status)
	}
	if state := k.state(now); !updatable(state) && state != "REVIEW_IN_PROGRESS" {
		return nil, cloud.Errorf(cloud.ValidationError, "Stack:%s is in %s state and can not be updated.", k.id, state)
	}
	o := c.order
	o.caller = caller
	hand, err := s.hand(o, k)
	if err != nil {
		return nil, err
	}
	s.begun(k, o, s.deploy(k, c.kind, hand, now, nil))
	s.sets = slices.DeleteFunc(s.sets, func(x *changeSet) bool { return x.stack == k })
	return k, nil
}

func (s *Service) createChangeSet(r *cloud.Request) (map[string]any, error) {
	if err := bodied(r); err != nil {
		return nil, err
	}
	if err := required(r, "ChangeSetName"); err != nil {
		return nil, err
	}
	c, err := s.prepare(s.byName(r), r.Str("ChangeSetName"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"Id": c.id, "StackId": c.stack.id}, nil
}

// named finds the change set of a request.
func (s *Service) named(r *cloud.Request) (*changeSet, error) {
	name := r.Str("ChangeSetName")
	if err := required(r, "ChangeSetName"); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(name, "arn:") {
		if err := required(r, "StackName"); err != nil {
			return nil, err
		}
	}
	c := s.set(s.byName(r).place, name)
	if c == nil || c.stack.account != r.Account() || c.stack.region != r.Region {
		return nil, noSet(name)
	}
	return c, nil
}

// describeChangeSet shows one change set; the lab's changes fit one page.
func (s *Service) describeChangeSet(r *cloud.Request) (map[string]any, error) {
	c, err := s.named(r)
	if err != nil {
		return nil, err
	}
	status, reason, execution := c.status(s.c.Now())
	m := map[string]any{
		"ChangeSetName": c.name, "ChangeSetId": c.id, "StackId": c.stack.id, "StackName": c.stack.name, "CreationTime": c.created, "Status": status,
		"ExecutionStatus": execution, "NotificationARNs": []any{}, "RollbackConfiguration": map[string]any{}, "Capabilities": []any{}, "Tags": []any{},
		"Changes": c.changes(s), "IncludeNestedStacks": false,
	}
	if reason != "" {
		m["StatusReason"] = reason
	}
	for _, x := range c.order.capabilities {
		m["Capabilities"] = append(m["Capabilities"].([]any), x)
	}
	return m, nil
}

func (c *changeSet) changes(s *Service) []any {
	all := []any{}
	if c.empty {
		return all
	}
	action := map[string]string{"CREATE": "Add", "UPDATE": "Modify"}[c.kind]
	for _, d := range s.template(c.stack.place()).level("") {
		change := map[string]any{"Action": action, "LogicalResourceId": d.Logical, "ResourceType": d.Type, "Scope": []any{}, "Details": []any{}}
		if action == "Modify" {
			change["Replacement"] = "False"
		}
		all = append(all, map[string]any{"Type": "Resource", "ResourceChange": change})
	}
	return all
}

func (s *Service) executeChangeSet(r *cloud.Request) (map[string]any, error) {
	c, err := s.named(r)
	if err != nil {
		return nil, err
	}
	if _, err := s.execute(c.stack.place(), c.id, r.Caller); err != nil {
		return nil, err
	}
	return map[string]any{}, nil
}

// deleteChangeSet deletes a change set; one that does not exist is no error.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteChangeSet.html
func (s *Service) deleteChangeSet(r *cloud.Request) (map[string]any, error) {
	if err := required(r, "ChangeSetName"); err != nil {
		return nil, err
	}
	if c, err := s.named(r); err == nil {
		s.sets = slices.DeleteFunc(s.sets, func(x *changeSet) bool { return x == c })
	}
	return map[string]any{}, nil
}
