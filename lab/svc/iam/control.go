package iam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

// Organization is an organisation of accounts. The policies of its management account's root reach every member; the lab
// knows no organisational units.
type Organization struct {
	ID         string   // o-...
	Management string   // account ID; SCPs and RCPs do not touch this account
	Delegated  []string // member accounts that may read the organisation as the management account does
	Members    []string // account IDs, the management account among them
}

// ControlPolicy is a service control policy or a resource control policy of an organisation.
type ControlPolicy struct {
	ID, ARN, Name, Type string // Type: SERVICE_CONTROL_POLICY or RESOURCE_CONTROL_POLICY
	Document            string // JSON
	AWSManaged          bool
}

// The organisation of accounts that are governed by an SCP or RCP and belong to none that was stated.
const (
	unstatedOrganization = "o-lab0000001"
	unstatedManagement   = "999999999999" // it has no principals of its own
)

// SetOrganization states an organisation; its management account is always a member.
func (s *Service) SetOrganization(o Organization) error {
	if !slices.Contains(o.Members, o.Management) {
		o.Members = append([]string{o.Management}, o.Members...)
	}
	for _, m := range o.Members {
		if other, ok := s.stated(m); ok {
			return fmt.Errorf("set organization %s: account %s belongs to %s", o.ID, m, other.ID)
		}
	}
	s.orgs = append(s.orgs, o)
	return nil
}

func (s *Service) stated(account string) (Organization, bool) {
	for _, o := range s.orgs {
		if slices.Contains(o.Members, account) {
			return o, true
		}
	}
	return Organization{}, false
}

// Organization is the organisation that an account belongs to: the one stated, or the lab's own when a control policy
// governs it; false when there is none.
func (s *Service) Organization(account string) (Organization, bool) {
	if o, ok := s.stated(account); ok {
		return o, true
	}
	if len(s.scps[account])+len(s.rcps[account]) == 0 {
		return Organization{}, false
	}
	o := Organization{ID: unstatedOrganization, Management: unstatedManagement, Members: []string{unstatedManagement}}
	for _, a := range s.c.Accounts() {
		if _, other := s.stated(a.ID); !other && len(s.scps[a.ID])+len(s.rcps[a.ID]) > 0 {
			o.Members = append(o.Members, a.ID)
		}
	}
	return o, true
}

// SetSCP adds or replaces a service control policy that governs an account. A policy that allows something stands alone
// at its level of the organisation, so that it must allow whatever is done; one that only denies stands beside
// FullAWSAccess, as it does when nobody detached that. An account without any has FullAWSAccess only.
func (s *Service) SetSCP(account, name, doc string) error {
	if _, err := s.parse(doc, policy.Permissions); err != nil {
		return fmt.Errorf("set SCP %s: %w", name, err)
	}
	s.control(s.scps, "service_control_policy", account, name, doc)
	return nil
}

// SetRCP adds or replaces a resource control policy on the resources of an account. It stands beside RCPFullAWSAccess,
// which cannot be detached: only what it denies counts, and only for the services of resourceControlled.
func (s *Service) SetRCP(account, name, doc string) error {
	d, err := s.parse(doc, policy.ResourcePolicy)
	if err != nil {
		return fmt.Errorf("set RCP %s: %w", name, err)
	}
	if allows(d) {
		return fmt.Errorf("set RCP %s: an RCP can only deny", name)
	}
	s.control(s.rcps, "resource_control_policy", account, name, doc)
	return nil
}

func (s *Service) control(all map[string][]named, kind, account, name, doc string) {
	for i, p := range all[account] {
		if p.id == name {
			all[account][i].text = doc
			return
		}
	}
	o, ok := s.stated(account)
	if !ok {
		o = Organization{ID: unstatedOrganization, Management: unstatedManagement}
	}
	id := "p-" + strings.ToLower(s.id())[:10]
	arn := "arn:aws:organizations::" + o.Management + ":policy/" + o.ID + "/" + kind + "/" + id
	all[account] = append(all[account], named{name, arn, doc})
}

// RemoveSCP takes a service control policy away.
func (s *Service) RemoveSCP(account, name string) {
	s.scps[account] = slices.DeleteFunc(s.scps[account], func(p named) bool { return p.id == name })
}

// RemoveRCP takes a resource control policy away.
func (s *Service) RemoveRCP(account, name string) {
	s.rcps[account] = slices.DeleteFunc(s.rcps[account], func(p named) bool { return p.id == name })
}

// ControlPolicies lists the control policies of a type that govern an account, AWS's own full access among them where
// it is attached.
func (s *Service) ControlPolicies(account, kind string) []ControlPolicy {
	own, full := s.scps[account], fullControl(kind, "FullAWSAccess")
	if kind == "RESOURCE_CONTROL_POLICY" {
		own, full = s.rcps[account], fullControl(kind, "RCPFullAWSAccess")
	}
	var all []ControlPolicy
	alone := false
	for _, p := range own {
		all = append(all, ControlPolicy{ID: p.arn[strings.LastIndexByte(p.arn, '/')+1:], ARN: p.arn, Name: p.id, Type: kind, Document: p.text})
		if d, err := s.parse(p.text, policy.Permissions); err == nil {
			alone = alone || allows(d)
		}
	}
	if !alone {
		all = append([]ControlPolicy{full}, all...)
	}
	return all
}

func fullControl(kind, name string) ControlPolicy {
	doc := fullAccess
	if kind == "RESOURCE_CONTROL_POLICY" {
		doc = fullResourceAccess
	}
	return ControlPolicy{ID: "p-" + name, ARN: "arn:aws:organizations::aws:policy/" + strings.ToLower(kind) + "/p-" + name,
		Name: name, Type: kind, Document: doc, AWSManaged: true}
}

const fullResourceAccess = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`

// levels are the SCPs that govern an account, one level each (see SetSCP). The management account has none.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
func (s *Service) levels(account string) [][]policy.Policy {
	if s.manages(account) {
		return nil
	}
	full := fullControl("SERVICE_CONTROL_POLICY", "FullAWSAccess")
	fullDoc, _ := s.parse(full.Document, policy.Permissions)
	var all [][]policy.Policy
	for _, p := range s.scps[account] {
		d, err := s.parse(p.text, policy.Permissions)
		if err != nil {
			continue
		}
		level := []policy.Policy{{ID: p.id, ARN: p.arn, Of: "none", Doc: d}}
		if !allows(d) {
			level = append(level, policy.Policy{ID: full.Name, ARN: full.ARN, Of: "none", Doc: fullDoc})
		}
		all = append(all, level)
	}
	return all
}

func (s *Service) manages(account string) bool {
	o, ok := s.stated(account)
	return ok && o.Management == account
}

func allows(d *policy.Document) bool {
	for _, st := range d.Statements {
		if st.Allow {
			return true
		}
	}
	return false
}

// resourceControlled are the services whose resources RCPs govern, by IAM prefix. The connection services and
// CodePipeline are not among them: an RCP that denies their actions does nothing.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func resourceControlled(action string) bool {
	service, _, _ := strings.Cut(action, ":")
	return slices.Contains([]string{"s3", "sts", "kms", "sqs", "secretsmanager", "ecr", "dynamodb", "logs", "cognito-identity", "cognito-idp"}, strings.ToLower(service))
}

// resourceControls are the RCPs of the account that owns a resource; of the caller's own when the ARN names none.
func (s *Service) resourceControls(p cloud.Principal, q policy.Request) []policy.Policy {
	if !resourceControlled(q.Action) {
		return nil
	}
	owner := s.ownerOf(q.Resource, p.Account)
	if s.manages(owner) {
		return nil
	}
	var all []policy.Policy
	for _, r := range s.rcps[owner] {
		if d, err := s.parse(r.text, policy.ResourcePolicy); err == nil {
			all = append(all, policy.Policy{ID: r.id, ARN: r.arn, Of: "none", Doc: d})
		}
	}
	return all
}

func (s *Service) ownerOf(resource, otherwise string) string {
	if g, ok := s.guard(resource); ok {
		return g.owner
	}
	if parts := strings.SplitN(resource, ":", 6); len(parts) == 6 && parts[4] != "" {
		return parts[4]
	}
	return otherwise
}

// guarded is a resource with a policy of its own.
type guarded struct{ owner, text string }

// SetResourcePolicy gives a resource (a bucket: arn:aws:s3:::name) of an account a policy of its own; an empty document
// takes it away. It also governs what lies below the resource: arn:aws:s3:::name/key.
func (s *Service) SetResourcePolicy(owner, arn, doc string) error {
	if doc == "" {
		delete(s.onResource, arn)
		return nil
	}
	if _, err := s.parse(doc, policy.ResourcePolicy); err != nil {
		return fmt.Errorf("set policy of %s: %w", arn, err)
	}
	s.onResource[arn] = guarded{owner, doc}
	return nil
}

// SetOwner says whose a resource is that has no policy of its own: principals of other accounts may do nothing with it.
func (s *Service) SetOwner(owner, arn string) { s.onResource[arn] = guarded{owner: owner} }

func (s *Service) guard(resource string) (guarded, bool) {
	if g, ok := s.onResource[resource]; ok {
		return g, true
	}
	above, _, below := strings.Cut(resource, "/")
	if !below {
		return guarded{}, false
	}
	g, ok := s.onResource[above]
	return g, ok
}

// resourcePolicies is the policy on a request's resource, and whether that belongs to another account.
func (s *Service) resourcePolicies(p cloud.Principal, q policy.Request) (all []policy.Policy, foreign bool) {
	g, ok := s.guard(q.Resource)
	if !ok {
		return nil, false
	}
	d, err := s.parse(g.text, policy.ResourcePolicy)
	if err != nil {
		return nil, g.owner != p.Account
	}
	return []policy.Policy{{ID: "resource", Of: "resource", Doc: d}}, g.owner != p.Account
}
