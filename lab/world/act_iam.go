package world

import (
	"encoding/json"
	"errors"
	"fmt"
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

// iamCall makes an IAM call as the act's actor: authorised like any call and left in the event history; do is what it
// does to the account where the lab serves no such operation.
func (d *loader) iamCall(a *act, k *cloud.Caller, op string, in map[string]any, do func() error) error {
	svc := d.c.Service("iam")
	if svc != nil && svc.Ops[op] != nil {
		_, err := d.call(a, "iam", op, "us-east-1", in)
		return err
	}
	resource := "*"
	if role, ok := in["RoleName"].(string); ok {
		resource = d.roles[k.Account+"/"+role]
	}
	e := cloud.Event{
		RequestID: d.c.UUID(), Time: d.c.Now(), Name: op, Source: "iam.amazonaws.com", Account: k.Account, Region: "us-east-1",
		Caller: k.Principal, Origin: d.origins[k.Name].Origin, Request: onWire(in),
	}
	need := cloud.Access{Action: "iam:" + op, Resource: resource}
	if dec := d.c.Authorize(k.Principal, "us-east-1", need); !dec.Allowed {
		err := cloud.Denied(k.Principal, need, dec)
		e.ErrorCode, e.ErrorText = err.Code, err.Message
		d.c.Record(e)
		return err
	}
	if err := do(); err != nil {
		return err
	}
	d.c.Record(e)
	return nil
}

// grants: ACTOR grants ROLE allow=|deny=|policy= [name=]: puts an inline policy, replacing one of that name.
// revokes: ACTOR revokes ROLE [name=]: takes the inline policy away, by default what the role's own line granted.
func (d *loader) grants(a *act) error {
	k, role, err := d.iamActor(a)
	if err != nil {
		return err
	}
	if a.verb == "revokes" {
		name := a.opt("name", "inline")
		return d.iamCall(a, k, "DeleteRolePolicy", map[string]any{"RoleName": role, "PolicyName": name},
			func() error { return d.lab.IAM.DeleteRolePolicy(k.Account, role, name) })
	}
	name := a.opt("name", "granted")
	doc, err := d.policyOf(a.line)
	if err != nil {
		return err
	}
	if doc == "" {
		return errors.New("what is granted? allow=, deny= or policy= is missing")
	}
	var pretty map[string]any
	if err := json.Unmarshal([]byte(doc), &pretty); err != nil {
		return err
	}
	return d.iamCall(a, k, "PutRolePolicy", map[string]any{"RoleName": role, "PolicyName": name, "PolicyDocument": doc},
		func() error { return d.lab.IAM.PutRolePolicy(k.Account, role, name, doc) })
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
	in := map[string]any{"RoleName": role, "PolicyArn": arn}
	switch {
	case boundary && a.verb == "attaches":
		return d.iamCall(a, k, "PutRolePermissionsBoundary", map[string]any{"RoleName": role, "PermissionsBoundary": arn},
			func() error { return d.lab.IAM.SetBoundary(k.Account, role, arn) })
	case boundary:
		return d.iamCall(a, k, "DeleteRolePermissionsBoundary", map[string]any{"RoleName": role},
			func() error { return d.lab.IAM.SetBoundary(k.Account, role, "") })
	case a.verb == "attaches":
		return d.iamCall(a, k, "AttachRolePolicy", in, func() error { return d.lab.IAM.AttachRolePolicy(k.Account, role, arn) })
	}
	return d.iamCall(a, k, "DetachRolePolicy", in, func() error { return d.lab.IAM.DetachRolePolicy(k.Account, role, arn) })
}

// deleteRole: ACTOR deletes role NAME
func (d *loader) deleteRole(a *act) error {
	k, role, err := d.iamActor(a)
	if err != nil {
		return err
	}
	return d.iamCall(a, k, "DeleteRole", map[string]any{"RoleName": role},
		func() error { return errors.New("the lab serves no iam:DeleteRole") })
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
