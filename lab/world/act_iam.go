package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// iamActor is the acting caller and the role the line names.
func (d *loader) iamActor(a *act) (*cloud.Caller, string, error) {
	a.skip("role")
	role, err := a.word("the role")
	if err != nil {
		return nil, "", err
	}
	a.subject = role
	k, err := d.caller(a)
	if err != nil {
		return nil, "", err
	}
	if _, ok := d.roles[k.Account+"/"+role]; !ok {
		return nil, "", fmt.Errorf("there is no role %q in account %s", role, k.Account)
	}
	return k, role, nil
}

// iamCall makes an IAM call as the act's actor.
func (d *loader) iamCall(a *act, op string, in map[string]any) error {
	_, err := d.call(a, "iam", op, "us-east-1", in)
	return err
}

// grants: ACTOR grants ROLE allow=|deny=|policy= [name=]: puts an inline policy, replacing one of that name.
// revokes: ACTOR revokes ROLE [name=]: takes the inline policy away, by default what the role's own line granted.
func (d *loader) grants(a *act) error {
	_, role, err := d.iamActor(a)
	if err != nil {
		return err
	}
	if a.verb == "revokes" {
		return d.iamCall(a, "DeleteRolePolicy", map[string]any{"RoleName": role, "PolicyName": a.opt("name", "inline")})
	}
	name := a.opt("name", "granted")
	doc, err := d.policyOf(a.line)
	if err != nil {
		return err
	}
	if doc == "" {
		return errors.New("what is granted? allow=, deny= or policy= is missing")
	}
	return d.iamCall(a, "PutRolePolicy", map[string]any{"RoleName": role, "PolicyName": name, "PolicyDocument": doc})
}

// attaches: ACTOR attaches POLICY to ROLE, attaches boundary POLICY to ROLE; detaches POLICY from ROLE, detaches
// boundary from ROLE
func (d *loader) attaches(a *act) error {
	boundary, policy := a.skip("boundary"), ""
	var err error
	if !boundary || a.verb == "attaches" {
		if policy, err = a.word("the policy"); err != nil {
			return err
		}
	}
	a.skip("to", "from")
	k, role, err := d.iamActor(a)
	if err != nil {
		return err
	}
	arn := d.managedARN(k.Account, policy)
	switch {
	case boundary && a.verb == "attaches":
		return d.iamCall(a, "PutRolePermissionsBoundary", map[string]any{"RoleName": role, "PermissionsBoundary": arn})
	case boundary:
		return d.iamCall(a, "DeleteRolePermissionsBoundary", map[string]any{"RoleName": role})
	case a.verb == "attaches":
		return d.iamCall(a, "AttachRolePolicy", map[string]any{"RoleName": role, "PolicyArn": arn})
	}
	return d.iamCall(a, "DetachRolePolicy", map[string]any{"RoleName": role, "PolicyArn": arn})
}

// deleteRole: ACTOR deletes role NAME, first emptying it as IAM demands
func (d *loader) deleteRole(a *act) error {
	k, name, err := d.iamActor(a)
	if err != nil {
		return err
	}
	role, ok := d.lab.IAM.Role(k.Account, name)
	if !ok {
		return fmt.Errorf("the role %s is deleted already", name)
	}
	for _, p := range slices.Sorted(maps.Keys(role.Inline)) {
		if err := d.iamCall(a, "DeleteRolePolicy", map[string]any{"RoleName": name, "PolicyName": p}); err != nil {
			return err
		}
	}
	for _, arn := range role.Attached {
		if err := d.iamCall(a, "DetachRolePolicy", map[string]any{"RoleName": name, "PolicyArn": arn}); err != nil {
			return err
		}
	}
	return d.iamCall(a, "DeleteRole", map[string]any{"RoleName": name})
}

// scps: ACTOR applies scp|rcp NAME allow=|deny=|policy= [account=]; lifts scp|rcp NAME [account=]. The organisation's
// management account does it: the account itself sees no event.
func (d *loader) scps(a *act) error {
	rcp := a.skip("rcp")
	a.skip("scp")
	name, err := a.word("the policy's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(a.line)
	if err != nil {
		return err
	}
	switch {
	case a.verb == "lifts" && rcp:
		d.lab.IAM.RemoveRCP(account, name)
		return nil
	case a.verb == "lifts":
		d.lab.IAM.RemoveSCP(account, name)
		return nil
	case rcp:
		return d.putRCP(account, name, a.line)
	}
	return d.putSCP(account, name, a.line)
}

// changes: ACTOR changes trust ROLE for=|trust=; ACTOR changes policy NAME allow=|deny=|policy=|version=
func (d *loader) changes(a *act) error {
	switch {
	case a.skip("dns"):
		return d.changesDNS(a)
	case a.skip("certificate"):
		return d.changesCertificate(a)
	case a.skip("repository"):
		return d.changesRepository(a)
	}
	if a.skip("trust") {
		k, role, err := d.iamActor(a)
		if err != nil {
			return err
		}
		if !a.has("for") && !a.has("trust") {
			return errors.New("whom does the role trust now? for= or trust= is missing")
		}
		doc := trustOf(k.Account, a.opt("for", ""))
		if a.has("trust") {
			doc = d.fill(a.opt("trust", ""))
		}
		return d.iamCall(a, "UpdateAssumeRolePolicy", map[string]any{"RoleName": role, "PolicyDocument": doc})
	}
	if !a.skip("policy", "boundary") {
		return errors.New("what is changed? write `changes trust ROLE` or `changes policy NAME`")
	}
	return d.changePolicy(a)
}

// changePolicy makes a new version of a managed policy the one in force, or an older one again.
func (d *loader) changePolicy(a *act) error {
	name, err := a.word("the policy's name")
	if err != nil {
		return err
	}
	k, err := d.caller(a)
	if err != nil {
		return err
	}
	arn, ok := d.policies[k.Account+"/"+name]
	if !ok {
		return fmt.Errorf("there is no policy %q in account %s", name, k.Account)
	}
	if v := a.opt("version", ""); v != "" {
		return d.iamCall(a, "SetDefaultPolicyVersion", map[string]any{"PolicyArn": arn, "VersionId": v})
	}
	doc, err := d.policyOf(a.line)
	if err != nil {
		return err
	}
	if doc == "" {
		return errors.New("what does the policy say now? allow=, deny=, policy= or version= is missing")
	}
	return d.iamCall(a, "CreatePolicyVersion", map[string]any{"PolicyArn": arn, "PolicyDocument": doc, "SetAsDefault": true})
}

// calls: ACTOR calls SERVICE:Operation [json='{...}'] [Member=text ...]: any call the lab serves.
func (d *loader) calls(a *act) error {
	what, err := a.word("the operation, as service:Operation")
	if err != nil {
		return err
	}
	service, op, ok := strings.Cut(what, ":")
	if !ok {
		return fmt.Errorf("%q is no operation: write service:Operation", what)
	}
	in := map[string]any{}
	if doc := a.opt("json", ""); doc != "" {
		if err := json.Unmarshal([]byte(d.fill(doc)), &in); err != nil {
			return fmt.Errorf("json= is no JSON object: %w", err)
		}
	}
	region := d.regionOf(a)
	for key, value := range a.opts {
		if key == "json" || key == "region" || key == "expect" {
			continue
		}
		in[key] = d.fill(a.opt(key, value))
	}
	_, err = d.call(a, service, op, region, in)
	return err
}
