package cloudformation

import (
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// describeEvents lists what happened to a stack, the newest first.
func (s *Service) describeEvents(r *cloud.Request) (map[string]any, error) {
	k, err := s.stackOf(r, "Stack [%s] does not exist")
	if err != nil {
		return nil, err
	}
	all := k.history(s.seen(k))
	slices.Reverse(all)
	return s.paged(r, "StackEvents", all, 0)
}

// history is every event of a stack so far, the oldest first: each operation begins and ends with one of the stack itself.
func (k *stack) history(now time.Time) []any {
	var all []any
	for _, o := range k.operations {
		if !o.planned {
			all = append(all, k.own(o, o.start, o.kind+"_IN_PROGRESS", "User Initiated"))
		}
		for _, e := range o.events {
			if e.at.After(now) || e.status == "REVIEW_IN_PROGRESS" { // the API's model has no such event
				continue
			}
			if e.resource == nil {
				all = append(all, k.own(o, e.at, e.status, e.reason))
				continue
			}
			m := map[string]any{
				"EventId": e.resource.logical + "-" + e.status + "-" + e.at.Format("2006-01-02T15:04:05.000Z"), "LogicalResourceId": e.resource.logical,
				"PhysicalResourceId": e.physical, "ResourceType": e.resource.kind, "ResourceStatus": e.status, "Timestamp": e.at,
				"ResourceProperties": e.properties,
			}
			if e.physical == "" {
				delete(m, "PhysicalResourceId")
			}
			if e.reason != "" {
				m["ResourceStatusReason"] = e.reason
			}
			all = append(all, k.named(m))
		}
		end := o.last.Add(settling)
		if end.After(now) || o.planned {
			continue
		}
		status := o.kind + "_COMPLETE"
		if o.failed != "" {
			status = o.kind + "_FAILED"
		}
		all = append(all, k.own(o, end, status, o.failed))
	}
	return all
}

// own is an event of the stack itself.
func (k *stack) own(o *operation, at time.Time, status, reason string) map[string]any {
	m := map[string]any{
		"EventId": uuid(k.id, status, o.start.String(), at.String()), "LogicalResourceId": k.name, "PhysicalResourceId": k.id,
		"ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": status, "Timestamp": at,
	}
	if reason != "" {
		m["ResourceStatusReason"] = reason
	}
	return k.named(m)
}

func (k *stack) named(m map[string]any) map[string]any {
	m["StackName"], m["StackId"] = k.name, k.id
	return m
}

// detectDrift starts a drift detection. Only stacks that rest in a good state can be checked, and one detection runs at a time.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
func (s *Service) detectDrift(r *cloud.Request) (map[string]any, error) {
	k, err := s.stackOf(r, "Stack [%s] does not exist")
	if err != nil {
		return nil, err
	}
	if state := k.state(s.c.Now()); !slices.Contains([]string{"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"}, state) {
		return nil, invalid("Drift detection cannot be performed on stack [%s] in state [%s]", k.id, state)
	}
	for _, d := range s.detections {
		if d.stack == k && !d.done {
			return nil, invalid("Drift detection is already in progress for stack [%s] and drift detection id is [%s]", k.id, d.id)
		}
	}
	only := r.List("LogicalResourceIds")
	for _, l := range only {
		if !slices.ContainsFunc(k.resources, func(x *resource) bool { return x.alive() && any(x.logical) == l }) {
			return nil, invalid("Resource %v does not exist for stack %s", l, k.name)
		}
	}
	return map[string]any{"StackDriftDetectionId": s.detect(k, r, only).id}, nil
}

func (s *Service) describeDetection(r *cloud.Request) (map[string]any, error) {
	if err := required(r, "StackDriftDetectionId"); err != nil {
		return nil, err
	}
	for _, d := range s.detections {
		if d.id != r.Str("StackDriftDetectionId") || d.stack.account != r.Account() || d.stack.region != r.Region {
			continue
		}
		m := map[string]any{"StackId": d.stack.id, "StackDriftDetectionId": d.id, "Timestamp": d.started, "DetectionStatus": "DETECTION_IN_PROGRESS"}
		if !d.done {
			return m, nil
		}
		m["DetectionStatus"], m["StackDriftStatus"], m["DriftedStackResourceCount"] = "DETECTION_COMPLETE", d.status, d.drifted
		if len(d.failed) > 0 {
			m["DetectionStatus"], m["DetectionStatusReason"] = "DETECTION_FAILED", "Failed to detect drift on resources ["+strings.Join(d.failed, ", ")+"]"
		}
		return m, nil
	}
	return nil, invalid("DriftDetectionId %s does not exist", r.Str("StackDriftDetectionId"))
}

// describeDrifts lists what the last detections found out. Resources that were never checked are not among them.
func (s *Service) describeDrifts(r *cloud.Request) (map[string]any, error) {
	k, err := s.stackOf(r, noStack)
	if err != nil {
		return nil, err
	}
	n := r.Int("MaxResults", 100)
	if n < 1 || n > 100 {
		return nil, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and 100", n)
	}
	all := []any{}
	for _, x := range s.current(k) {
		if f := r.List("StackResourceDriftStatusFilters"); x.drift == nil || len(f) > 0 && !slices.Contains(f, any(x.drift.status)) {
			continue
		}
		all = append(all, x.drifted(k))
	}
	return s.paged(r, "StackResourceDrifts", all, n)
}

func (x *resource) drifted(k *stack) map[string]any {
	m := map[string]any{
		"StackId": k.id, "LogicalResourceId": x.logical, "PhysicalResourceId": x.physical, "ResourceType": x.kind,
		"StackResourceDriftStatus": x.drift.status, "Timestamp": x.drift.at, "ExpectedProperties": x.drift.expected, "PropertyDifferences": []any{},
	}
	if x.drift.actual != "" {
		m["ActualProperties"] = x.drift.actual
	}
	var all []any
	for _, d := range x.drift.differences {
		all = append(all, map[string]any{"PropertyPath": d.path, "ExpectedValue": d.expected, "ActualValue": d.actual, "DifferenceType": d.kind})
	}
	if len(all) > 0 {
		m["PropertyDifferences"] = all
	}
	return m
}
