package cloudformation

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// detectionTime is how long a drift detection takes; AWS says several minutes for a big stack.
const detectionTime = 10 * time.Second

// detection is one run of drift detection.
type detection struct {
	id      string
	stack   *stack
	started time.Time
	done    bool
	failed  []string // logical IDs that could not be read
	drifted int
	status  string // of the stack
}

// drift is what the last detection found out about a resource.
type drift struct {
	status           string // IN_SYNC, MODIFIED or DELETED
	at               time.Time
	expected, actual string // properties as JSON; actual "" of one that is gone
	differences      []difference
}

// difference is one property that is not as the template has it.
type difference struct{ path, expected, actual, kind string }

// detect starts a detection in the name of a caller, whose permissions decide what can be read.
func (s *Service) detect(k *stack, r *cloud.Request, only []any) *detection {
	d := &detection{id: uuid(k.id, "drift", fmt.Sprint(len(s.detections))), stack: k, started: s.c.Now()}
	s.detections = append(s.detections, d)
	caller, origin := r.Caller, r.Origin
	s.c.After(detectionTime, func() {
		for _, x := range k.resources {
			if !x.alive() || !supported(x.kind) || len(only) > 0 && !slices.Contains(only, any(x.logical)) {
				continue
			}
			read := reader{c: s.c, stack: k, caller: caller, origin: origin}
			if found, err := read.drift(x); err != nil {
				d.failed = append(d.failed, x.logical)
			} else {
				x.drift = found
			}
		}
		d.finish(s.c.Now())
	})
	return d
}

// supported reports whether the lab can look at resources of a type: those that calls made, not those of deployed templates.
func supported(kind string) bool {
	return slices.Contains([]string{pipelineType, connectionType, oldConnectionType, roleType}, kind)
}

// finish sums up over the stack.
func (d *detection) finish(now time.Time) {
	known := 0
	for _, x := range d.stack.resources {
		if !x.alive() || x.drift == nil {
			continue
		}
		known++
		if x.drift.status != "IN_SYNC" {
			d.drifted++
		}
	}
	switch {
	case d.drifted > 0:
		d.status = "DRIFTED"
	case known == 0 || len(d.failed) > 0:
		d.status = "UNKNOWN"
	default:
		d.status = "IN_SYNC"
	}
	d.done, d.stack.status, d.stack.checked = true, d.status, now
}

// reader reads resources as CloudFormation does in a caller's name: the calls are authorised and logged.
type reader struct {
	c      *cloud.Cloud
	stack  *stack
	caller cloud.Principal
	origin cloud.Origin
}

func (q reader) call(service, op string, in map[string]any) (map[string]any, error) {
	from := q.origin
	from.UserAgent, from.SourceIP, from.InvokedBy = "cloudformation.amazonaws.com", "cloudformation.amazonaws.com", "cloudformation.amazonaws.com"
	from.Endpoint, from.Stack = "", ""
	region := q.stack.region
	if service == "iam" {
		region = "us-east-1"
	}
	out, err := q.c.Serve(&cloud.Request{Service: service, Operation: op, Region: region, Caller: q.caller, Origin: from, In: in})
	if err != nil {
		return nil, err
	}
	return plain(out), nil
}

// list reads every page of a list.
func (q reader) list(service, op string, in map[string]any, member, token string) ([]any, error) {
	in, all := maps.Clone(in), []any{}
	for {
		out, err := q.call(service, op, in)
		if err != nil {
			return nil, err
		}
		page, _ := out[member].([]any)
		all = append(all, page...)
		if in[token] = out[token]; in[token] == nil {
			return all, nil
		}
	}
}

// plain gives a reply the types that JSON has.
func plain(v map[string]any) map[string]any {
	b, err := json.Marshal(v)
	out := map[string]any{}
	if err != nil || json.Unmarshal(b, &out) != nil {
		return map[string]any{}
	}
	return out
}

// drift compares a resource with the template. The error is what kept it from being read.
func (q reader) drift(x *resource) (*drift, error) {
	expected := plain(x.template())
	actual, err := q.actual(x, expected)
	found := &drift{status: "IN_SYNC", at: q.c.Now(), expected: text(expected)}
	if gone(err) {
		found.status = "DELETED"
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	found.actual = text(restricted(expected, actual))
	found.differences = compare("", expected, plain(actual))
	if len(found.differences) > 0 {
		found.status = "MODIFIED"
	}
	return found, nil
}

func gone(err error) bool {
	e, ok := err.(*cloud.Error)
	return ok && slices.Contains([]string{"PipelineNotFoundException", "ResourceNotFoundException", "NoSuchEntity"}, e.Code)
}

// actual reads a resource's properties; of those that take a call of their own, only what the template states.
func (q reader) actual(x *resource, expected map[string]any) (map[string]any, error) {
	switch x.kind {
	case pipelineType:
		return q.pipeline(x, expected)
	case roleType:
		return q.role(x, expected)
	}
	return q.connection(x, expected)
}

func (q reader) pipeline(x *resource, expected map[string]any) (map[string]any, error) {
	out, err := q.call("codepipeline", "GetPipeline", map[string]any{"name": x.physical})
	if err != nil {
		return nil, err
	}
	decl, _ := out["pipeline"].(map[string]any)
	all := pipelineProperties(decl)
	if expected["Tags"] == nil {
		return all, nil
	}
	arn := "arn:aws:codepipeline:" + q.stack.region + ":" + q.stack.account + ":" + x.physical
	list, err := q.list("codepipeline", "ListTagsForResource", map[string]any{"resourceArn": arn}, "tags", "nextToken")
	all["Tags"] = ownTags(capitalised(list, "").([]any))
	return all, err
}

// connection reads a connection. Its status is no property: drift says nothing of it.
func (q reader) connection(x *resource, expected map[string]any) (map[string]any, error) {
	service := "codeconnections"
	if x.kind == oldConnectionType {
		service = "codestar-connections"
	}
	out, err := q.call(service, "GetConnection", map[string]any{"ConnectionArn": x.physical})
	if err != nil {
		return nil, err
	}
	c, _ := out["Connection"].(map[string]any)
	all := map[string]any{"ConnectionName": c["ConnectionName"], "ProviderType": c["ProviderType"], "HostArn": c["HostArn"]}
	if expected["Tags"] == nil {
		return all, nil
	}
	tags, err := q.call(service, "ListTagsForResource", map[string]any{"ResourceArn": x.physical})
	list, _ := tags["Tags"].([]any)
	all["Tags"] = ownTags(list)
	return all, err
}

func (q reader) role(x *resource, expected map[string]any) (map[string]any, error) {
	in := map[string]any{"RoleName": x.physical}
	out, err := q.call("iam", "GetRole", in)
	if err != nil {
		return nil, err
	}
	all, _ := out["Role"].(map[string]any)
	trust, _ := all["AssumeRolePolicyDocument"].(string)
	all["AssumeRolePolicyDocument"] = decoded(trust)
	if b, ok := all["PermissionsBoundary"].(map[string]any); ok {
		all["PermissionsBoundary"] = b["PermissionsBoundaryArn"]
	}
	if expected["ManagedPolicyArns"] != nil {
		attached, err := q.list("iam", "ListAttachedRolePolicies", in, "AttachedPolicies", "Marker")
		if err != nil {
			return nil, err
		}
		arns := []any{}
		for _, x := range attached {
			m, _ := x.(map[string]any)
			arns = append(arns, m["PolicyArn"])
		}
		all["ManagedPolicyArns"] = arns
	}
	if expected["Policies"] == nil {
		return all, nil
	}
	all["Policies"], err = q.inline(in)
	return all, err
}

func (q reader) inline(in map[string]any) ([]any, error) {
	names, err := q.list("iam", "ListRolePolicies", in, "PolicyNames", "Marker")
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, n := range names {
		p, err := q.call("iam", "GetRolePolicy", map[string]any{"RoleName": in["RoleName"], "PolicyName": n})
		if err != nil {
			return nil, err
		}
		doc, _ := p["PolicyDocument"].(string)
		all = append(all, map[string]any{"PolicyName": n, "PolicyDocument": decoded(doc)})
	}
	return all, nil
}

func decoded(doc string) any {
	plain, err := url.PathUnescape(doc)
	if err != nil {
		return doc
	}
	return document(plain)
}
