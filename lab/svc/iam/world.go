package iam

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

// The methods of this file set up an account as a world describes it: without authorisation, without events, without
// lag checks. They are called under the cloud's lock. A document that IAM would refuse, or a role that does not exist, is
// an error.

// CreateRole adds a role. path is "/" when empty; an empty trust lets the account's own principals assume the role.
func (s *Service) CreateRole(account, name, path, trustJSON string) (*Role, error) {
	if trustJSON == "" {
		trustJSON = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"sts:AssumeRole"}]}`
	}
	if _, ok := s.truth(account, "role", name); ok {
		return nil, fmt.Errorf("create role %s: it exists in account %s", name, account)
	}
	if _, err := s.parse(trustJSON, policy.TrustPolicy); err != nil {
		return nil, fmt.Errorf("create role %s: %w", name, err)
	}
	e := s.create(Entity{Kind: "role", Account: account, Name: name, Path: path, Trust: trustJSON})
	return &e, nil
}

// CreateServiceRole adds the role that an AWS service's console makes for itself, under the path /service-role/, with one inline
// policy; nothing happens when the account has a role of that name. Its unique ID follows from account and name, so that it
// makes no difference to the IDs of what comes after.
func (s *Service) CreateServiceRole(account, name, servicePrincipal, doc string) (*Role, error) {
	if e, ok := s.truth(account, "role", name); ok {
		return &e, nil
	}
	if _, err := s.parse(doc, policy.Permissions); err != nil {
		return nil, fmt.Errorf("create role %s: %w", name, err)
	}
	sum := sha256.Sum256([]byte(account + "/" + name))
	e := s.create(Entity{
		Kind: "role", Account: account, Name: name, Path: "/service-role/", ID: "AROA" + base32.StdEncoding.EncodeToString(sum[:])[:17],
		Trust:  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + servicePrincipal + `"},"Action":"sts:AssumeRole"}]}`,
		Inline: map[string]string{servicePrincipal[:strings.IndexByte(servicePrincipal+".", '.')]: doc},
	})
	return &e, nil
}

// CreateUser adds a user.
func (s *Service) CreateUser(account, name, path string) (*Entity, error) {
	if _, ok := s.truth(account, "user", name); ok {
		return nil, fmt.Errorf("create user %s: it exists in account %s", name, account)
	}
	e := s.create(Entity{Kind: "user", Account: account, Name: name, Path: path})
	return &e, nil
}

// SetTrust replaces a role's trust policy.
func (s *Service) SetTrust(account, role, trustJSON string) error {
	if _, err := s.parse(trustJSON, policy.TrustPolicy); err != nil {
		return fmt.Errorf("set trust policy of role %s: %w", role, err)
	}
	return s.change(account, "role", role, func(e *Entity) { e.Trust = trustJSON })
}

// PutRolePolicy adds or replaces an inline policy of a role.
func (s *Service) PutRolePolicy(account, role, name, doc string) error {
	return s.putInline(account, "role", role, name, doc)
}

// PutUserPolicy adds or replaces an inline policy of a user.
func (s *Service) PutUserPolicy(account, user, name, doc string) error {
	return s.putInline(account, "user", user, name, doc)
}

func (s *Service) putInline(account, kind, entity, name, doc string) error {
	if _, err := s.parse(doc, policy.Permissions); err != nil {
		return fmt.Errorf("put policy %s of %s %s: %w", name, kind, entity, err)
	}
	return s.change(account, kind, entity, func(e *Entity) { e.Inline[name] = doc })
}

// DeleteRolePolicy removes an inline policy of a role.
func (s *Service) DeleteRolePolicy(account, role, name string) error {
	return s.change(account, "role", role, func(e *Entity) { delete(e.Inline, name) })
}

// AttachRolePolicy attaches a managed policy to a role.
func (s *Service) AttachRolePolicy(account, role, policyARN string) error {
	return s.attach(account, "role", role, policyARN)
}

// AttachUserPolicy attaches a managed policy to a user.
func (s *Service) AttachUserPolicy(account, user, policyARN string) error {
	return s.attach(account, "user", user, policyARN)
}

func (s *Service) attach(account, kind, entity, policyARN string) error {
	if _, ok := s.policyTruth(policyARN); !ok {
		return fmt.Errorf("attach policy %s: the lab has no such policy", policyARN)
	}
	return s.change(account, kind, entity, func(e *Entity) {
		if !slices.Contains(e.Attached, policyARN) {
			e.Attached = append(e.Attached, policyARN)
		}
	})
}

// DetachRolePolicy detaches a managed policy from a role.
func (s *Service) DetachRolePolicy(account, role, policyARN string) error {
	return s.change(account, "role", role, func(e *Entity) {
		e.Attached = slices.DeleteFunc(e.Attached, func(a string) bool { return a == policyARN })
	})
}

// CreateManagedPolicy adds a customer managed policy and returns its ARN.
func (s *Service) CreateManagedPolicy(account, name, doc string) (arn string, err error) {
	if _, err := s.parse(doc, policy.Permissions); err != nil {
		return "", fmt.Errorf("create policy %s: %w", name, err)
	}
	return s.newManaged(Managed{Name: name, Versions: []string{doc}}, account).ARN, nil
}

// SetBoundary sets the permissions boundary of the role, or else the user, of that name; an empty ARN removes it.
func (s *Service) SetBoundary(account, name, policyARN string) error {
	if _, ok := s.policyTruth(policyARN); !ok && policyARN != "" {
		return fmt.Errorf("set boundary of %s: the lab has no policy %s", name, policyARN)
	}
	kind := "role"
	if _, ok := s.truth(account, kind, name); !ok {
		kind = "user"
	}
	return s.change(account, kind, name, func(e *Entity) { e.Boundary = policyARN })
}

func (s *Service) change(account, kind, name string, f func(*Entity)) error {
	if !s.edit(account, kind, name, f) {
		return fmt.Errorf("change %s %s: account %s has none", kind, name, account)
	}
	return nil
}

// Role finds a role as written last.
func (s *Service) Role(account, name string) (*Role, bool) {
	e, ok := s.truth(account, "role", name)
	return &e, ok
}

// RolePrincipal is a session of a role as a caller. A role that does not exist makes a principal that may do nothing.
func (s *Service) RolePrincipal(account, roleName, session string) cloud.Principal {
	e, ok := s.truth(account, "role", roleName)
	if !ok {
		e = Entity{Name: roleName, ID: "AROA00000000000000000", ARN: "arn:aws:iam::" + account + ":role/" + roleName}
	}
	return cloud.Principal{
		Type: "AssumedRole", Account: account, Session: session, Source: e.ARN, UserID: e.ID + ":" + session,
		ARN: "arn:aws:sts::" + account + ":assumed-role/" + e.Name + "/" + session, // the path is dropped
	}
}

// RolePrincipalByARN is RolePrincipal for a role's ARN; false when there is no such role.
func (s *Service) RolePrincipalByARN(arn, session string) (cloud.Principal, bool) {
	e, ok := s.byARN(arn, s.truth)
	if !ok || e.Kind != "role" {
		return cloud.Principal{}, false
	}
	return s.RolePrincipal(e.Account, e.Name, session), true
}

// UserPrincipal is a user as a caller.
func (s *Service) UserPrincipal(account, name string) cloud.Principal {
	e, ok := s.truth(account, "user", name)
	if !ok {
		e = Entity{Name: name, ID: "AIDA00000000000000000", ARN: "arn:aws:iam::" + account + ":user/" + name}
	}
	return cloud.Principal{Type: "IAMUser", Account: account, ARN: e.ARN, Source: e.ARN, UserID: e.ID}
}

// RootPrincipal is an account's root user as a caller.
func RootPrincipal(account string) cloud.Principal {
	arn := "arn:aws:iam::" + account + ":root"
	return cloud.Principal{Type: "Root", Account: account, ARN: arn, Source: arn, UserID: account}
}

// byARN finds a role or user by its ARN, path included.
func (s *Service) byARN(arn string, find func(account, kind, name string) (Entity, bool)) (Entity, bool) {
	account, kind, name, ok := splitARN(arn)
	if !ok {
		return Entity{}, false
	}
	e, found := find(account, kind, name)
	return e, found && e.ARN == arn
}

// splitARN takes arn:aws:iam::111111111111:role/path/name apart.
func splitARN(arn string) (account, kind, name string, ok bool) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] != "iam" || p[4] == "" {
		return "", "", "", false
	}
	kind, rest, ok := strings.Cut(p[5], "/")
	name = rest[strings.LastIndex(rest, "/")+1:]
	return p[4], kind, name, ok && name != ""
}

// CreateSSORole adds the role that IAM Identity Center makes for a permission set: AWSReservedSSO_NAME_ and 16 hex
// digits, under the path /aws-reserved/sso.amazonaws.com/REGION/ (no Region when it is us-east-1).
func (s *Service) CreateSSORole(account, region, permissionSet string) (*Role, error) {
	path := "/aws-reserved/sso.amazonaws.com/"
	if region != "" && region != "us-east-1" {
		path += region + "/"
	}
	name := "AWSReservedSSO_" + permissionSet + "_" + strings.ReplaceAll(s.c.UUID(), "-", "")[:16]
	return s.CreateRole(account, name, path, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+
		`"Principal":{"Federated":"arn:aws:iam::`+account+`:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"},`+
		`"Action":["sts:AssumeRoleWithSAML","sts:TagSession"],"Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}]}`)
}

// Roles lists an account's roles that readers see, by name.
func (s *Service) Roles(account string) []Role { return s.list(account, "role") }
