package cloudformation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// The resource types that the lab's stacks can have. There is none for hosts.
const (
	pipelineType      = "AWS::CodePipeline::Pipeline"
	connectionType    = "AWS::CodeConnections::Connection"
	oldConnectionType = "AWS::CodeStarConnections::Connection"
	roleType          = "AWS::IAM::Role"
)

// deed is what a call does to a resource of a stack.
type deed struct {
	verb           string // CREATE, UPDATE or DELETE
	kind, physical string // physical "" of one that could not be made
	name           string // for the logical ID of a new one
	tags           []any
	apply          func(*resource) // changes the template
}

// notice learns from every call that is made for a stack: what it made is the stack's, what it set is in the template.
func (s *Service) notice(r *cloud.Request, out map[string]any, err error) {
	svc := s.c.Service(r.Service)
	if r.Origin.Stack == "" || svc.Ops[r.Operation].ReadOnly {
		return
	}
	d, ok := deedOf(r, out)
	if !ok {
		return
	}
	if d.verb != "CREATE" {
		k := s.byID(r.Origin.Stack)
		if k == nil || k.owned(d.kind, d.physical) == nil {
			return // not the stack's: its template knows nothing of it
		}
	}
	if k := s.begin(r); k != nil {
		k.note(s, d, r, err)
		k.settle()
	}
}

// note writes down what a call did or failed to do. Deleting what is gone already succeeds.
func (k *stack) note(s *Service, d deed, r *cloud.Request, err error) {
	now, o := s.c.Now(), k.operation()
	x := k.owned(d.kind, d.physical)
	if d.verb == "CREATE" {
		x = k.add(d)
	}
	status, reason := d.verb+"_COMPLETE", ""
	if err != nil && (d.verb != "DELETE" || !gone(err)) {
		status, reason = d.verb+"_FAILED", handlerMessage(err, r.ID)
		if d.verb == "CREATE" {
			x.physical = ""
		}
		o.failed = "The following resource(s) failed to " + strings.ToLower(d.verb) + ": [" + x.logical + "]. "
	} else if d.apply != nil {
		d.apply(x)
	}
	properties := text(x.template())
	o.events = append(o.events,
		event{now, x, x.physical, d.verb + "_IN_PROGRESS", "", properties},
		event{now, x, x.physical, status, reason, properties})
	x.status, x.reason, x.at = status, reason, now
}

// add adds a resource to the template, under a logical ID that is free.
func (k *stack) add(d deed) *resource {
	logical := tagged(d.tags, "aws:cloudformation:logical-id")
	if logical == "" {
		logical = camel(d.name)
	}
	taken := func(id string) bool {
		return slices.ContainsFunc(k.resources, func(x *resource) bool { return x.logical == id && x.alive() })
	}
	if taken(logical) {
		logical += d.kind[strings.LastIndexByte(d.kind, ':')+1:]
	}
	for base, n := logical, 2; taken(logical); n++ {
		logical = fmt.Sprint(base, n)
	}
	k.resources = slices.DeleteFunc(k.resources, func(x *resource) bool { return x.logical == logical && !x.alive() })
	x := &resource{logical: logical, physical: d.physical, kind: d.kind, properties: map[string]any{}}
	k.resources = append(k.resources, x)
	return x
}

// handlerMessage words a refusal as a resource handler's. What AWS calls the error's class there is not documented call by call.
// https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
func handlerMessage(err error, requestID string) string {
	class := "GeneralServiceException"
	if e, ok := err.(*cloud.Error); ok {
		switch e.Code {
		case cloud.AccessDenied:
			class = "AccessDenied"
		case cloud.Throttling:
			class = "Throttling"
		case cloud.ValidationError:
			class = "InvalidRequest"
		}
		return fmt.Sprintf(`Resource handler returned message: "%s" (RequestToken: %s, HandlerErrorCode: %s)`, e.Message, requestID, class)
	}
	return fmt.Sprintf(`Resource handler returned message: "%v" (RequestToken: %s, HandlerErrorCode: InternalFailure)`, err, requestID)
}

// deedOf reads what a call does; false for calls that no template can express.
func deedOf(r *cloud.Request, out map[string]any) (deed, bool) {
	switch r.Service {
	case "codeconnections", "codestar-connections":
		return connectionDeed(r, out)
	case "codepipeline":
		return pipelineDeed(r)
	case "iam":
		return roleDeed(r)
	}
	return deed{}, false
}

func connectionDeed(r *cloud.Request, out map[string]any) (deed, bool) {
	d := deed{kind: connectionType, physical: r.Str("ConnectionArn")}
	if r.Service == "codestar-connections" {
		d.kind = oldConnectionType
	}
	switch r.Operation {
	case "CreateConnection":
		arn, _ := out["ConnectionArn"].(string)
		d.verb, d.physical, d.name, d.tags = "CREATE", arn, r.Str("ConnectionName"), r.List("Tags")
		d.apply = func(x *resource) {
			for _, p := range []string{"ConnectionName", "ProviderType", "HostArn"} {
				if v := r.Str(p); v != "" {
					x.properties[p] = v
				}
			}
			x.retag(r.List("Tags"), nil)
		}
	case "DeleteConnection":
		d.verb = "DELETE"
	case "TagResource", "UntagResource":
		d.verb, d.physical = "UPDATE", r.Str("ResourceArn")
		d.apply = func(x *resource) { x.retag(r.List("Tags"), r.List("TagKeys")) }
	default:
		return d, false
	}
	return d, true
}

func pipelineDeed(r *cloud.Request) (deed, bool) {
	decl := r.Map("pipeline")
	name, _ := decl["name"].(string)
	d := deed{kind: pipelineType, physical: name, name: name}
	set := func(x *resource) { x.declaration = clone(decl).(map[string]any) }
	switch r.Operation {
	case "CreatePipeline":
		d.verb, d.tags = "CREATE", capitalised(r.List("tags"), "").([]any)
		d.apply = func(x *resource) { set(x); x.retag(d.tags, nil) }
	case "UpdatePipeline":
		d.verb, d.apply = "UPDATE", set
	case "DeletePipeline":
		d.verb, d.physical = "DELETE", r.Str("name")
	case "TagResource", "UntagResource":
		arn := r.Str("resourceArn")
		d.verb, d.physical = "UPDATE", arn[strings.LastIndexByte(arn, ':')+1:]
		d.apply = func(x *resource) { x.retag(capitalised(r.List("tags"), "").([]any), r.List("tagKeys")) }
	default:
		return d, false
	}
	return d, true
}

// roleDeed reads the calls by which CloudFormation makes and changes a role, its inline and attached policies included.
func roleDeed(r *cloud.Request) (deed, bool) {
	d := deed{verb: "UPDATE", kind: roleType, physical: r.Str("RoleName"), name: r.Str("RoleName")}
	name, arn := r.Str("PolicyName"), r.Str("PolicyArn")
	edit := map[string]func(*resource){
		"CreateRole": func(x *resource) {
			for _, p := range []string{"RoleName", "Path", "Description", "PermissionsBoundary", "MaxSessionDuration"} {
				if v, ok := r.In[p]; ok {
					x.properties[p] = v
				}
			}
			x.properties["AssumeRolePolicyDocument"] = document(r.Str("AssumeRolePolicyDocument"))
			x.retag(r.List("Tags"), nil)
		},
		"DeleteRole":                    nil,
		"UpdateAssumeRolePolicy":        func(x *resource) { x.properties["AssumeRolePolicyDocument"] = document(r.Str("PolicyDocument")) },
		"PutRolePermissionsBoundary":    func(x *resource) { x.properties["PermissionsBoundary"] = r.Str("PermissionsBoundary") },
		"DeleteRolePermissionsBoundary": func(x *resource) { delete(x.properties, "PermissionsBoundary") },
		"PutRolePolicy": func(x *resource) {
			x.without("Policies", "PolicyName", name)
			x.with("Policies", map[string]any{"PolicyName": name, "PolicyDocument": document(r.Str("PolicyDocument"))})
		},
		"DeleteRolePolicy": func(x *resource) { x.without("Policies", "PolicyName", name) },
		"AttachRolePolicy": func(x *resource) { x.without("ManagedPolicyArns", "", arn); x.with("ManagedPolicyArns", arn) },
		"DetachRolePolicy": func(x *resource) { x.without("ManagedPolicyArns", "", arn) },
		"TagRole":          func(x *resource) { x.retag(r.List("Tags"), nil) },
	}
	apply, known := edit[r.Operation]
	d.apply = apply
	switch r.Operation {
	case "CreateRole":
		d.verb, d.tags = "CREATE", r.List("Tags")
	case "DeleteRole":
		d.verb = "DELETE"
	}
	return d, known
}

// document is a policy as templates carry it: a structure.
func document(doc string) any {
	var v any
	if json.Unmarshal([]byte(doc), &v) != nil {
		return doc
	}
	return v
}
