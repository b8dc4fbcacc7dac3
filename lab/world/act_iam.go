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

// scps: ACTOR applies scp NAME allow=|deny=|policy= [account=]; lifts scp NAME [account=]. The organisation's
// management account does it: the account itself sees no event.
func (d *loader) scps(a *act) error {
	a.skip("scp")
	name, err := a.word("the policy's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(a.line)
	if err != nil {
		return err
	}
	if a.verb == "lifts" {
		d.lab.IAM.RemoveSCP(account, name)
		return nil
	}
	return d.putSCP(account, name, a.line)
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
