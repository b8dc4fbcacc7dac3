package iam

import (
	"slices"
	"sort"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

func (s *Service) roleOps(ops map[string]*cloud.Op) {
	name, trust := roleName(), document("AssumeRolePolicyDocument")
	path := field{name: "Path", min: 1, max: 512, pattern: pathPattern, optional: true}
	ops["GetRole"] = &cloud.Op{ReadOnly: true, Access: s.onRole, Do: checked(s.getRole, name)}
	ops["ListRoles"] = &cloud.Op{ReadOnly: true, Do: checked(s.listRoles, field{name: "PathPrefix", min: 1, max: 512, pattern: `/[!-\x7F]*`, optional: true})}
	ops["CreateRole"] = &cloud.Op{Access: s.onNewRole, Do: checked(s.createRole, name, path, trust,
		field{name: "Description", max: 1000, optional: true}, optional(policyARN("PermissionsBoundary")))}
	ops["DeleteRole"] = &cloud.Op{Access: s.onRole, Do: checked(s.deleteRole, name)}
	ops["UpdateAssumeRolePolicy"] = &cloud.Op{Access: s.onRole, Do: checked(s.updateAssumeRolePolicy, name, document("PolicyDocument"))}
	ops["PutRolePermissionsBoundary"] = &cloud.Op{Access: s.onRole, Do: checked(s.putRolePermissionsBoundary, name, policyARN("PermissionsBoundary"))}
	ops["DeleteRolePermissionsBoundary"] = &cloud.Op{Access: s.onRole, Do: checked(s.deleteRolePermissionsBoundary, name)}
	ops["ListRoleTags"] = &cloud.Op{ReadOnly: true, Access: s.onRole, Do: checked(s.listRoleTags, name)}
	ops["TagRole"] = &cloud.Op{Access: s.onRole, Do: checked(s.tagRole, name)}
}

func (s *Service) onNewRole(r *cloud.Request) []cloud.Access {
	a := s.onEntity(r, "role", r.Str("RoleName"))
	path := r.Str("Path")
	if path == "" {
		path = "/"
	}
	a[0].Resource = "arn:aws:iam::" + r.Account() + ":role" + path + r.Str("RoleName")
	for k, v := range tags(r) {
		a[0].Context["aws:RequestTag/"+k] = []string{v}
	}
	return a
}

// role finds the request's role as readers see it; roleTruth as writers must.
func (s *Service) role(r *cloud.Request) (Role, error) {
	e, ok := s.seen(r.Account(), "role", r.Str("RoleName"))
	if !ok {
		return e, noRole(r)
	}
	return e, nil
}

// roleToChange is the role as written last, unless only AWS may change it.
func (s *Service) roleToChange(r *cloud.Request) (Role, error) {
	e, ok := s.truth(r.Account(), "role", r.Str("RoleName"))
	if !ok {
		return e, noRole(r)
	}
	if strings.HasPrefix(e.Path, "/aws-reserved/") || strings.HasPrefix(e.Path, "/aws-service-role/") {
		return e, refuse("UnmodifiableEntity", "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", e.Name)
	}
	return e, nil
}

func noRole(r *cloud.Request) error {
	return refuse("NoSuchEntity", "The role with name %s cannot be found.", r.Str("RoleName"))
}

// showRole is a role as a reply carries it. ListRoles leaves out boundary, last use and tags.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
func showRole(e Role, inList bool) map[string]any {
	m := map[string]any{
		"Path": e.Path, "RoleName": e.Name, "RoleId": e.ID, "Arn": e.ARN, "CreateDate": e.Created,
		"AssumeRolePolicyDocument": encoded(e.Trust), "MaxSessionDuration": e.MaxSession,
	}
	if e.Description != "" {
		m["Description"] = e.Description
	}
	if inList {
		return m
	}
	m["RoleLastUsed"] = map[string]any{}
	if e.Boundary != "" {
		m["PermissionsBoundary"] = showBoundary(e)
	}
	if len(e.Tags) > 0 {
		m["Tags"] = showTags(e)
	}
	return m
}

func showBoundary(e Entity) map[string]any {
	return map[string]any{"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": e.Boundary}
}

func showTags(e Entity) []any {
	var keys []string
	for k := range e.Tags {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	all := []any{}
	for _, k := range keys {
		all = append(all, map[string]any{"Key": k, "Value": e.Tags[k]})
	}
	return all
}

func (s *Service) getRole(r *cloud.Request) (map[string]any, error) {
	e, err := s.role(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Role": showRole(e, false)}, nil
}

func (s *Service) listRoles(r *cloud.Request) (map[string]any, error) {
	all := slices.DeleteFunc(s.list(r.Account(), "role"), func(e Role) bool { return !strings.HasPrefix(e.Path, r.Str("PathPrefix")) })
	return paged(r, "Roles", all, func(e Role) any { return showRole(e, true) })
}

func (s *Service) createRole(r *cloud.Request) (map[string]any, error) {
	e := Entity{
		Kind: "role", Account: r.Account(), Name: r.Str("RoleName"), Path: r.Str("Path"), Trust: r.Str("AssumeRolePolicyDocument"),
		Description: r.Str("Description"), MaxSession: r.Int("MaxSessionDuration", 3600), Boundary: r.Str("PermissionsBoundary"), Tags: tags(r),
	}
	if e.MaxSession < 3600 || e.MaxSession > 43200 {
		return nil, invalid("out of range", "MaxSessionDuration", "Member must have value between 3600 and 43200")
	}
	if strings.HasPrefix(e.Path, "/aws-reserved/") || strings.HasPrefix(e.Path, "/aws-service-role/") {
		return nil, refuse("InvalidInput", "The path %s is reserved for AWS.", e.Path)
	}
	if err := s.checkTrust(e.Name, e.Trust); err != nil {
		return nil, err
	}
	if err := checkTags(e.Tags); err != nil {
		return nil, err
	}
	if _, ok := s.policyTruth(e.Boundary); !ok && e.Boundary != "" {
		return nil, refuse("InvalidInput", "Scope ARN: %s does not exist or is not attachable.", e.Boundary)
	}
	if _, ok := s.truth(e.Account, "role", e.Name); ok {
		return nil, refuse("EntityAlreadyExists", "Role with name %s already exists.", e.Name)
	}
	return map[string]any{"Role": showRole(s.create(e), false)}, nil
}

// checkTrust refuses a malformed trust policy, and one of more than 2,048 characters without white space, the default quota.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (s *Service) checkTrust(role, doc string) error {
	if _, err := s.parse(doc, policy.TrustPolicy); err != nil {
		return refuse("MalformedPolicyDocument", "%v", err)
	}
	if size(doc) > 2048 {
		return refuse("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
	}
	return nil
}

// size counts a document as IAM does for its quotas: without white space.
func size(doc string) int {
	return len([]rune(strings.NewReplacer(" ", "", "\t", "", "\n", "", "\r", "").Replace(doc)))
}

func (s *Service) deleteRole(r *cloud.Request) (map[string]any, error) {
	e, err := s.roleToChange(r)
	if err != nil {
		return nil, err
	}
	if len(e.Attached) > 0 {
		return nil, refuse("DeleteConflict", "Cannot delete entity, must detach all policies first.")
	}
	if len(e.Inline) > 0 {
		return nil, refuse("DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	s.slot(e.Account, "role", e.Name).Delete(s.c)
	s.changed(e)
	return nil, nil
}

func (s *Service) updateAssumeRolePolicy(r *cloud.Request) (map[string]any, error) {
	e, err := s.roleToChange(r)
	if err != nil {
		return nil, err
	}
	doc := r.Str("PolicyDocument")
	if err := s.checkTrust(e.Name, doc); err != nil {
		return nil, err
	}
	s.edit(e.Account, "role", e.Name, func(e *Entity) { e.Trust = doc })
	return nil, nil
}

func (s *Service) putRolePermissionsBoundary(r *cloud.Request) (map[string]any, error) {
	e, err := s.roleToChange(r)
	if err != nil {
		return nil, err
	}
	arn := r.Str("PermissionsBoundary")
	if _, ok := s.policyTruth(arn); !ok {
		return nil, refuse("NoSuchEntity", "Scope ARN: %s does not exist or is not attachable.", arn)
	}
	s.edit(e.Account, "role", e.Name, func(e *Entity) { e.Boundary = arn })
	return nil, nil
}

func (s *Service) deleteRolePermissionsBoundary(r *cloud.Request) (map[string]any, error) {
	e, err := s.roleToChange(r)
	if err != nil {
		return nil, err
	}
	if e.Boundary == "" {
		return nil, refuse("NoSuchEntity", "The role with name %s does not have a permissions boundary.", e.Name)
	}
	s.edit(e.Account, "role", e.Name, func(e *Entity) { e.Boundary = "" })
	return nil, nil
}

func (s *Service) listRoleTags(r *cloud.Request) (map[string]any, error) {
	e, err := s.role(r)
	if err != nil {
		return nil, err
	}
	return paged(r, "Tags", showTags(e), func(t any) any { return t })
}

func (s *Service) tagRole(r *cloud.Request) (map[string]any, error) {
	e, err := s.roleToChange(r)
	if err != nil {
		return nil, err
	}
	added := tags(r)
	if len(added) == 0 {
		return nil, invalid("null", "Tags", "Member must not be null")
	}
	if err := checkTags(added); err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, from := range []map[string]string{e.Tags, added} {
		for k, v := range from {
			all[k] = v
		}
	}
	if len(all) > 50 {
		return nil, refuse("LimitExceeded", "The number of tags has reached the maximum limit.")
	}
	s.edit(e.Account, "role", e.Name, func(e *Entity) { e.Tags = all })
	return nil, nil
}

// tags reads the Tags of an input.
func tags(r *cloud.Request) map[string]string {
	all := map[string]string{}
	for _, t := range r.List("Tags") {
		if m, ok := t.(map[string]any); ok {
			k, _ := m["Key"].(string)
			all[k], _ = m["Value"].(string)
		}
	}
	return all
}

// checkTags refuses more than 50 tags, keys outside 1 to 128 characters, values over 256, and AWS's own prefix.
func checkTags(all map[string]string) error {
	if len(all) > 50 {
		return refuse("LimitExceeded", "The number of tags has reached the maximum limit.")
	}
	for k, v := range all {
		if k == "" || len([]rune(k)) > 128 || len([]rune(v)) > 256 {
			return refuse("InvalidInput", "Tag keys have 1 to 128 characters, tag values at most 256.")
		}
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return refuse("InvalidInput", "Tag keys that begin with aws: are reserved.")
		}
	}
	return nil
}
