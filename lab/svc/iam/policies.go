package iam

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

// Quotas of IAM. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	inlinePerRole   = 10240 // characters of all inline policies of a role together, white space aside
	managedSize     = 6144  // characters of a managed policy, white space aside
	attachedPerRole = 10    // managed policies per role, by default
)

func (s *Service) rolePolicyOps(ops map[string]*cloud.Op) {
	role, name, arn := roleName(), policyName(), policyARN("PolicyArn")
	ops["ListRolePolicies"] = &cloud.Op{ReadOnly: true, Access: s.onRole, Do: checked(s.listRolePolicies, role)}
	ops["GetRolePolicy"] = &cloud.Op{ReadOnly: true, Access: s.onRole, Do: checked(s.getRolePolicy, role, name)}
	ops["PutRolePolicy"] = &cloud.Op{Access: s.onRole, Do: checked(s.putRolePolicy, role, name, document("PolicyDocument"))}
	ops["DeleteRolePolicy"] = &cloud.Op{Access: s.onRole, Do: checked(s.deleteRolePolicy, role, name)}
	ops["ListAttachedRolePolicies"] = &cloud.Op{ReadOnly: true, Access: s.onRole, Do: checked(s.listAttachedRolePolicies, role)}
	ops["AttachRolePolicy"] = &cloud.Op{Access: s.onRole, Do: checked(s.attachRolePolicy, role, arn)}
	ops["DetachRolePolicy"] = &cloud.Op{Access: s.onRole, Do: checked(s.detachRolePolicy, role, arn)}
}

func (s *Service) policyOps(ops map[string]*cloud.Op) {
	arn := policyARN("PolicyArn")
	ops["CreatePolicy"] = &cloud.Op{Access: onNewPolicy, Do: checked(s.createPolicy, policyName(), document("PolicyDocument"),
		field{name: "Path", min: 1, max: 512, pattern: `((/[A-Za-z0-9\.,\+@=_-]+)*)/`, optional: true}, field{name: "Description", max: 1000, optional: true})}
	ops["GetPolicy"] = &cloud.Op{ReadOnly: true, Access: s.onPolicy, Do: checked(s.getPolicy, arn)}
	s.versionOps(ops)
}

func onNewPolicy(r *cloud.Request) []cloud.Access {
	path := r.Str("Path")
	if path == "" {
		path = "/"
	}
	a := cloud.Access{Action: "iam:CreatePolicy", Resource: "arn:aws:iam::" + r.Account() + ":policy" + path + r.Str("PolicyName"), Context: map[string][]string{}}
	for k, v := range tags(r) {
		a.Context["aws:RequestTag/"+k] = []string{v}
	}
	return []cloud.Access{a}
}

func inlineNames(e Entity) []string {
	names := []string{}
	for n := range e.Inline {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (s *Service) listRolePolicies(r *cloud.Request) (map[string]any, error) {
	e, err := s.role(r)
	if err != nil {
		return nil, err
	}
	return paged(r, "PolicyNames", inlineNames(e), func(n string) any { return n })
}

func (s *Service) getRolePolicy(r *cloud.Request) (map[string]any, error) {
	e, err := s.role(r)
	if err != nil {
		return nil, err
	}
	doc, ok := e.Inline[r.Str("PolicyName")]
	if !ok {
		return nil, refuse("NoSuchEntity", "The role policy with name %s cannot be found.", r.Str("PolicyName"))
	}
	return map[string]any{"RoleName": e.Name, "PolicyName": r.Str("PolicyName"), "PolicyDocument": encoded(doc)}, nil
}

func (s *Service) putRolePolicy(r *cloud.Request) (map[string]any, error) {
	e, err := s.roleToChange(r)
	if err != nil {
		return nil, err
	}
	name, doc := r.Str("PolicyName"), r.Str("PolicyDocument")
	if _, err := s.parse(doc, policy.Permissions); err != nil {
		return nil, refuse("MalformedPolicyDocument", "%v", err)
	}
	total := size(doc)
	for n, d := range e.Inline {
		if n != name {
			total += size(d)
		}
	}
	if total > inlinePerRole {
		return nil, refuse("LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", inlinePerRole, e.Name)
	}
	s.edit(e.Account, "role", e.Name, func(e *Entity) { e.Inline[name] = doc })
	return nil, nil
}

func (s *Service) deleteRolePolicy(r *cloud.Request) (map[string]any, error) {
	e, err := s.roleToChange(r)
	if err != nil {
		return nil, err
	}
	name := r.Str("PolicyName")
	if _, ok := e.Inline[name]; !ok {
		return nil, refuse("NoSuchEntity", "The role policy with name %s cannot be found.", name)
	}
	s.edit(e.Account, "role", e.Name, func(e *Entity) { delete(e.Inline, name) })
	return nil, nil
}

func (s *Service) listAttachedRolePolicies(r *cloud.Request) (map[string]any, error) {
	e, err := s.role(r)
	if err != nil {
		return nil, err
	}
	return s.listAttached(r, e)
}

func (s *Service) listAttached(r *cloud.Request, e Entity) (map[string]any, error) {
	all := []Managed{}
	for _, arn := range e.Attached {
		if m, ok := s.policySeen(arn); ok && strings.HasPrefix(m.Path, r.Str("PathPrefix")) {
			all = append(all, m)
		}
	}
	return paged(r, "AttachedPolicies", all, func(m Managed) any {
		return map[string]any{"PolicyName": m.Name, "PolicyArn": m.ARN}
	})
}

func (s *Service) attachRolePolicy(r *cloud.Request) (map[string]any, error) {
	e, err := s.roleToChange(r)
	if err != nil {
		return nil, err
	}
	arn := r.Str("PolicyArn")
	if _, ok := s.policyTruth(arn); !ok {
		return nil, refuse("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	if slices.Contains(e.Attached, arn) {
		return nil, nil
	}
	if len(e.Attached) >= attachedPerRole {
		return nil, refuse("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", attachedPerRole)
	}
	s.edit(e.Account, "role", e.Name, func(e *Entity) { e.Attached = append(e.Attached, arn) })
	return nil, nil
}

func (s *Service) detachRolePolicy(r *cloud.Request) (map[string]any, error) {
	e, err := s.roleToChange(r)
	if err != nil {
		return nil, err
	}
	arn := r.Str("PolicyArn")
	if !slices.Contains(e.Attached, arn) {
		return nil, refuse("NoSuchEntity", "Policy %s was not found.", arn)
	}
	s.edit(e.Account, "role", e.Name, func(e *Entity) {
		e.Attached = slices.DeleteFunc(e.Attached, func(a string) bool { return a == arn })
	})
	return nil, nil
}

func (s *Service) createPolicy(r *cloud.Request) (map[string]any, error) {
	name, doc := r.Str("PolicyName"), r.Str("PolicyDocument")
	if _, err := s.parse(doc, policy.Permissions); err != nil {
		return nil, refuse("MalformedPolicyDocument", "%v", err)
	}
	if size(doc) > managedSize {
		return nil, refuse("LimitExceeded", "Cannot exceed quota for PolicySize: %d", managedSize)
	}
	for _, l := range s.managed {
		m, ok := l.Truth()
		if ok && strings.EqualFold(m.Name, name) && strings.HasPrefix(m.ARN, "arn:aws:iam::"+r.Account()+":") {
			return nil, refuse("EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
		}
	}
	m := s.newManaged(Managed{Name: name, Path: r.Str("Path"), Description: r.Str("Description"), Versions: []string{doc}}, r.Account())
	shown := s.showPolicy(m)
	delete(shown, "Description") // CreatePolicy answers without it
	return map[string]any{"Policy": shown}, nil
}

func (s *Service) showPolicy(m Managed) map[string]any {
	attached, bounds := s.attachments(m.ARN)
	shown := map[string]any{
		"PolicyName": m.Name, "PolicyId": m.ID, "Arn": m.ARN, "Path": m.Path, "DefaultVersionId": version(m.Default),
		"AttachmentCount": attached, "PermissionsBoundaryUsageCount": bounds, "IsAttachable": true,
		"CreateDate": m.Created, "UpdateDate": m.Updated,
	}
	if m.Description != "" {
		shown["Description"] = m.Description
	}
	return shown
}

func version(n int) string { return fmt.Sprintf("v%d", n) }

// policyOf finds the request's managed policy as readers see it. Other accounts' policies cannot be read.
func (s *Service) policyOf(r *cloud.Request) (Managed, error) {
	arn := r.Str("PolicyArn")
	if !strings.HasPrefix(arn, awsPrefix) && !strings.HasPrefix(arn, "arn:aws:iam::"+r.Account()+":policy/") {
		return Managed{}, refuse("InvalidInput", "ARN %s is not valid.", arn)
	}
	m, ok := s.policySeen(arn)
	if !ok {
		return m, refuse("NoSuchEntity", "Policy %s was not found.", arn)
	}
	return m, nil
}

func (s *Service) getPolicy(r *cloud.Request) (map[string]any, error) {
	m, err := s.policyOf(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Policy": s.showPolicy(m)}, nil
}
