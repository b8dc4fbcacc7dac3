package cloudformation

import (
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// register puts the operations on the wire.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
func (s *Service) register() {
	read := func(do func(*cloud.Request) (map[string]any, error), access func(*cloud.Request) []cloud.Access) *cloud.Op {
		return &cloud.Op{ReadOnly: true, Access: access, Do: do}
	}
	s.c.Register(&cloud.Service{
		Name: "cloudformation", Version: "2010-05-15", Namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/", Protocol: cloud.Query,
		EventSource: "cloudformation.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"DescribeStacks":                    read(s.describeStacks, s.onStack),
			"ListStacks":                        read(s.listStacks, nil),
			"DescribeStackResources":            read(s.describeResources, s.onStack),
			"DescribeStackResource":             read(s.describeResource, s.onStack),
			"ListStackResources":                read(s.listResources, s.onStack),
			"DescribeStackEvents":               read(s.describeEvents, s.onStack),
			"GetTemplate":                       read(s.getTemplate, s.onStack),
			"DetectStackDrift":                  read(s.detectDrift, s.onStack),
			"DescribeStackDriftDetectionStatus": read(s.describeDetection, nil),
			"DescribeStackResourceDrifts":       read(s.describeDrifts, s.onStack),
			"DescribeChangeSet":                 read(s.describeChangeSet, s.onStack),
			"CreateStack":                       {Access: s.toDeploy, Do: s.createStack},
			"UpdateStack":                       {Access: s.toDeploy, Do: s.updateStack},
			"DeleteStack":                       {Access: s.toDeploy, Do: s.deleteStack},
			"ContinueUpdateRollback":            {Access: s.toDeploy, Do: s.continueRollback},
			"CreateChangeSet":                   {Access: s.toDeploy, Do: s.createChangeSet},
			"ExecuteChangeSet":                  {Access: s.onStack, Do: s.executeChangeSet},
			"DeleteChangeSet":                   {Access: s.onStack, Do: s.deleteChangeSet},
		},
	})
}

// onStack is the access to the stack that the request names, or to all of the Region when it names none.
func (s *Service) onStack(r *cloud.Request) []cloud.Access {
	arn := "arn:aws:cloudformation:" + r.Region + ":" + r.Account() + ":stack/*/*"
	name := r.Str("StackName")
	if k := s.find(r, name); k != nil {
		arn = k.id
	} else if name != "" && !strings.HasPrefix(name, "arn:") {
		arn = strings.Replace(arn, "*", name, 1)
	} else if name != "" {
		arn = name
	}
	return []cloud.Access{{Action: "cloudformation:" + r.Operation, Resource: arn}}
}

// seen is the time as of which readers see a stack: a deployment is shown the lag late, as writes are everywhere.
func (s *Service) seen(k *stack) time.Time {
	now := s.c.Now()
	if k.operations[0].planned {
		return now.Add(-s.c.Lag)
	}
	return now
}

// find finds a stack of the caller's account in the request's Region: by name one that lives, by ARN any; nil when there is none.
func (s *Service) find(r *cloud.Request, name string) *stack {
	for _, k := range slices.Backward(s.stacks) {
		if k.account != r.Account() || k.region != r.Region || k.created.After(s.seen(k)) {
			continue
		}
		if k.id == name || k.name == name && k.state(s.seen(k)) != "DELETE_COMPLETE" {
			return k
		}
	}
	return nil
}

func invalid(format string, args ...any) error {
	return cloud.Errorf(cloud.ValidationError, format, args...)
}

// required demands a member of the request.
func required(r *cloud.Request, member string) error {
	if r.Str(member) != "" {
		return nil
	}
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", strings.ToLower(member[:1])+member[1:])
}

// stackOf finds the stack that the request must name; text says what is missing, with one %s for the name.
func (s *Service) stackOf(r *cloud.Request, text string) (*stack, error) {
	if err := required(r, "StackName"); err != nil {
		return nil, err
	}
	k := s.find(r, r.Str("StackName"))
	if k == nil {
		return nil, invalid(text, r.Str("StackName"))
	}
	return k, nil
}

const noStack = "Stack with id %s does not exist"

func (s *Service) paged(r *cloud.Request, member string, all []any, want int) (map[string]any, error) {
	page, next, err := cloud.Page(s.c, all, r.Str("NextToken"), want, 100, cloud.ValidationError)
	if err != nil {
		return nil, err
	}
	out := map[string]any{member: append([]any{}, page...)}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

func (s *Service) describeStacks(r *cloud.Request) (map[string]any, error) {
	all := []any{}
	if r.Str("StackName") != "" {
		k, err := s.stackOf(r, noStack)
		if err != nil {
			return nil, err
		}
		all = append(all, s.showStack(k))
	} else {
		for _, k := range slices.Backward(s.stacks) {
			if k.account == r.Account() && k.region == r.Region && !k.created.After(s.seen(k)) && k.state(s.seen(k)) != "DELETE_COMPLETE" {
				all = append(all, s.showStack(k))
			}
		}
	}
	return s.paged(r, "Stacks", all, 0)
}

// summary is what DescribeStacks and ListStacks both show.
func (s *Service) summary(k *stack) map[string]any {
	now := s.seen(k)
	o, state := k.at(now), k.state(now)
	m := map[string]any{"StackId": k.id, "StackName": k.name, "CreationTime": k.created, "StackStatus": state}
	drift := map[string]any{"StackDriftStatus": "NOT_CHECKED"}
	if k.status != "" {
		drift["StackDriftStatus"], drift["LastCheckTimestamp"] = k.status, k.checked
	}
	m["DriftInformation"] = drift
	if len(k.operations) > 1 && o != k.operations[0] {
		m["LastUpdatedTime"] = o.start
	}
	if state == "DELETE_COMPLETE" {
		m["DeletionTime"] = o.last.Add(settling)
	}
	if k.parent != nil {
		root := k.parent
		for root.parent != nil {
			root = root.parent
		}
		m["ParentId"], m["RootId"] = k.parent.id, root.id
	}
	if o.planned {
		if _, reason := o.word(now); reason != "" {
			m["StackStatusReason"] = reason
		}
		return m
	}
	if o.failed != "" && strings.HasSuffix(state, "_FAILED") {
		m["StackStatusReason"] = o.failed
	}
	return m
}

func (s *Service) showStack(k *stack) map[string]any {
	m := s.summary(k)
	m["DisableRollback"], m["EnableTerminationProtection"] = !k.at(s.c.Now()).planned, false
	m["RollbackConfiguration"], m["NotificationARNs"], m["Tags"] = map[string]any{}, []any{}, []any{}
	m["Capabilities"] = []any{}
	if k.role != "" {
		m["RoleARN"] = k.role
	}
	for _, c := range k.capabilities {
		m["Capabilities"] = append(m["Capabilities"].([]any), c)
	}
	for _, x := range k.resources {
		if x.kind == roleType && !k.at(s.c.Now()).planned {
			m["Capabilities"] = []any{"CAPABILITY_NAMED_IAM"}
		}
	}
	return m
}

func (s *Service) listStacks(r *cloud.Request) (map[string]any, error) {
	all := []any{}
	for _, k := range slices.Backward(s.stacks) {
		m := s.summary(k)
		if f := r.List("StackStatusFilter"); k.account == r.Account() && k.region == r.Region && !k.created.After(s.seen(k)) && (len(f) == 0 || slices.Contains(f, m["StackStatus"])) {
			all = append(all, m)
		}
	}
	return s.paged(r, "StackSummaries", all, 0)
}

// current are the resources that a stack shows: those it has, or what it had when it is deleted.
func (s *Service) current(k *stack) []*resource {
	now := s.seen(k)
	deleted := k.state(now) == "DELETE_COMPLETE"
	var all []*resource
	for _, x := range k.resources {
		if x.at.After(now) { // its deployment is under way
			y := *x
			y.status, y.reason, y.at = k.at(now).kind+"_IN_PROGRESS", "", k.at(now).start
			all = append(all, &y)
		} else if deleted || x.status != "DELETE_COMPLETE" {
			all = append(all, x)
		}
	}
	return all
}

// show is a resource as a reply carries it; when names the member with the time of its status.
func (x *resource) show(k *stack, when string) map[string]any {
	m := map[string]any{
		"LogicalResourceId": x.logical, "ResourceType": x.kind, "ResourceStatus": x.status, when: x.at,
		"DriftInformation": map[string]any{"StackResourceDriftStatus": "NOT_CHECKED"},
	}
	if k != nil {
		m["StackName"], m["StackId"] = k.name, k.id
	}
	if x.physical != "" {
		m["PhysicalResourceId"] = x.physical
	}
	if x.reason != "" {
		m["ResourceStatusReason"] = x.reason
	}
	if x.drift != nil {
		m["DriftInformation"] = map[string]any{"StackResourceDriftStatus": x.drift.status, "LastCheckTimestamp": x.drift.at}
	}
	return m
}

// describeResources finds a stack by name, or the one that owns a physical ID. A resource that no stack owns has an error for an
// answer. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html
func (s *Service) describeResources(r *cloud.Request) (map[string]any, error) {
	physical, logical := r.Str("PhysicalResourceId"), r.Str("LogicalResourceId")
	var k *stack
	var err error
	switch {
	case r.Str("StackName") != "" && physical != "":
		return nil, invalid("StackName and PhysicalResourceId cannot be specified together")
	case r.Str("StackName") != "":
		k, err = s.stackOf(r, noStack)
	case physical != "":
		if k = s.owner(r, physical); k == nil {
			err = invalid("Stack for %s does not exist", physical)
		}
	default:
		err = invalid("Either StackName or PhysicalResourceId must be specified")
	}
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, x := range s.current(k) {
		if logical == "" || x.logical == logical {
			all = append(all, x.show(k, "Timestamp"))
		}
	}
	return map[string]any{"StackResources": all[:min(len(all), 100)]}, nil // the operation has no pages and shows 100
}

// owner is the stack that owns a physical ID; nil when none does.
func (s *Service) owner(r *cloud.Request, physical string) *stack {
	for _, k := range s.stacks {
		if k.account != r.Account() || k.region != r.Region {
			continue
		}
		for _, x := range k.resources {
			if x.alive() && x.physical == physical {
				return k
			}
		}
	}
	return nil
}

func (s *Service) describeResource(r *cloud.Request) (map[string]any, error) {
	k, err := s.stackOf(r, "Stack '%s' does not exist")
	if err == nil {
		err = required(r, "LogicalResourceId")
	}
	if err != nil {
		return nil, err
	}
	for _, x := range s.current(k) {
		if x.logical == r.Str("LogicalResourceId") {
			return map[string]any{"StackResourceDetail": x.show(k, "LastUpdatedTimestamp")}, nil
		}
	}
	return nil, invalid("Resource %s does not exist for stack %s", r.Str("LogicalResourceId"), k.name)
}

func (s *Service) listResources(r *cloud.Request) (map[string]any, error) {
	k, err := s.stackOf(r, noStack)
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, x := range s.current(k) {
		all = append(all, x.show(nil, "LastUpdatedTimestamp"))
	}
	return s.paged(r, "StackResourceSummaries", all, 0)
}

func (s *Service) getTemplate(r *cloud.Request) (map[string]any, error) {
	if r.Str("ChangeSetName") != "" {
		return nil, &cloud.Error{Code: "ChangeSetNotFound", Message: "ChangeSet [" + r.Str("ChangeSetName") + "] does not exist", Status: 404}
	}
	k, err := s.stackOf(r, noStack)
	if err != nil {
		return nil, err
	}
	return map[string]any{"TemplateBody": k.template(), "StagesAvailable": []any{"Original", "Processed"}}, nil
}
