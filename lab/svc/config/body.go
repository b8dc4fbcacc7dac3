package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/svc/codepipeline"
	"github.com/unjam/unjam/lab/svc/iam"
)

// The resource types that the lab records.
const (
	pipelineType = "AWS::CodePipeline::Pipeline"
	roleType     = "AWS::IAM::Role"
)

func recorded() []string { return []string{pipelineType, roleType} }

// known lists the types that requests may name: those recorded here and some that AWS records. Connections are not among
// them, under neither prefix.
// https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html
func known() []string {
	return append(recorded(), "AWS::CodeBuild::Project", "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup",
		"AWS::CloudFormation::Stack", "AWS::EC2::VPC", "AWS::EC2::SecurityGroup", "AWS::IAM::Policy", "AWS::IAM::User", "AWS::IAM::Group",
		"AWS::KMS::Key", "AWS::Lambda::Function", "AWS::S3::Bucket")
}

// resource is what an item says of its resource.
type resource struct {
	kind, id, name, arn string
	region, zone        string // of a global resource: global, Not Applicable
	created             time.Time
	tags                map[string]string
	body                string // the configuration as JSON text; "" of one that is gone
}

// names lists the resources of a type that exist.
func (s *Service) names(kind, account, region string) []string {
	if kind == pipelineType {
		return s.pipelines.Names(account, region)
	}
	var all []string
	for _, r := range s.roles.Roles(account) {
		all = append(all, r.Name)
	}
	return all
}

// read finds a resource as it is now; false when there is none.
func (s *Service) read(kind string, set Setting, name string) (resource, bool) {
	if kind == pipelineType {
		d, ok := s.pipelines.Definition(set.Account, set.Region, name)
		if !ok {
			return resource{}, false
		}
		return resource{kind: kind, id: d.Name, name: d.Name, arn: d.ARN, region: set.Region, zone: "Not Applicable", created: d.Created,
			tags: d.Tags, body: text(pipelineBody(d, set.Full))}, true
	}
	r, ok := s.roles.Role(set.Account, name)
	if !ok {
		return resource{}, false
	}
	return resource{kind: kind, id: r.ID, name: r.Name, arn: r.ARN, region: "global", zone: "Not Applicable", created: r.Created,
		tags: maps.Clone(r.Tags), body: text(roleBody(*r))}, true
}

// pipelineBody is a pipeline as its item carries it. The published schema has no configuration of actions, no type, no
// triggers and no stores of other Regions; full adds what GetPipeline would show.
// https://github.com/awslabs/aws-config-resource-schema
func pipelineBody(d codepipeline.Definition, full bool) map[string]any {
	pipeline := d.Declaration
	if !full {
		pipeline = only(d.Declaration, "name", "roleArn", "artifactStore", "stages", "version")
		var stages []any
		for _, stage := range members(d.Declaration["stages"]) {
			slim := only(stage, "name", "blockers", "actions")
			var actions []any
			for _, a := range members(stage["actions"]) {
				actions = append(actions, only(a, "name", "actionTypeId", "runOrder", "inputArtifacts", "outputArtifacts", "region", "roleArn", "namespace"))
			}
			slim["actions"] = actions
			stages = append(stages, slim)
		}
		pipeline["stages"] = stages
	}
	return map[string]any{"pipeline": pipeline, "metadata": map[string]any{"pipelineArn": d.ARN, "created": stamp(d.Created)}}
}

// only takes the named members of a structure, those that are there.
func only(m map[string]any, names ...string) map[string]any {
	out := map[string]any{}
	for _, n := range names {
		if v, ok := m[n]; ok {
			out[n] = v
		}
	}
	return out
}

// members are the structures in a list.
func members(v any) []map[string]any {
	var all []map[string]any
	list, _ := v.([]any)
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// roleBody is a role as its item carries it: documents percent-encoded, as IAM's own replies have them.
func roleBody(r iam.Role) map[string]any {
	inline, attached, tags := []any{}, []any{}, []any{}
	for _, n := range slices.Sorted(maps.Keys(r.Inline)) {
		inline = append(inline, map[string]any{"policyName": n, "policyDocument": encoded(r.Inline[n])})
	}
	for _, arn := range r.Attached {
		attached = append(attached, map[string]any{"policyName": arn[strings.LastIndexByte(arn, '/')+1:], "policyArn": arn})
	}
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		tags = append(tags, map[string]any{"key": k, "value": r.Tags[k]})
	}
	var boundary any
	if r.Boundary != "" {
		boundary = map[string]any{"permissionsBoundaryType": "PermissionsBoundaryPolicy", "permissionsBoundaryArn": r.Boundary}
	}
	return map[string]any{
		"path": r.Path, "roleName": r.Name, "roleId": r.ID, "arn": r.ARN, "createDate": stamp(r.Created),
		"assumeRolePolicyDocument": encoded(r.Trust), "instanceProfileList": []any{}, "rolePolicyList": inline,
		"attachedManagedPolicies": attached, "permissionsBoundary": boundary, "tags": tags, "roleLastUsed": nil,
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func encoded(doc string) string { return strings.ReplaceAll(url.QueryEscape(doc), "+", "%20") }
