package iam

import (
	"strconv"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

func (s *Service) userOps(ops map[string]*cloud.Op) {
	user := field{name: "UserName", min: 1, max: 128, pattern: namePattern}
	ops["GetUser"] = &cloud.Op{ReadOnly: true, Access: s.onUser, Do: checked(s.getUser, optional(user))}
	ops["ListUserPolicies"] = &cloud.Op{ReadOnly: true, Access: s.onUser, Do: checked(s.listUserPolicies, user)}
	ops["GetUserPolicy"] = &cloud.Op{ReadOnly: true, Access: s.onUser, Do: checked(s.getUserPolicy, user, policyName())}
	ops["ListAttachedUserPolicies"] = &cloud.Op{ReadOnly: true, Access: s.onUser, Do: checked(s.listAttachedUserPolicies, user)}
	ops["GetAccountSummary"] = &cloud.Op{ReadOnly: true, Do: s.getAccountSummary}
	ops["ListAccountAliases"] = &cloud.Op{ReadOnly: true, Do: s.listAccountAliases}
}

// userName is the user that a request names, or the calling user himself.
func userName(r *cloud.Request) string {
	if n := r.Str("UserName"); n != "" {
		return n
	}
	if _, kind, name, ok := splitARN(r.Caller.Source); ok && kind == "user" {
		return name
	}
	return ""
}

func (s *Service) user(r *cloud.Request) (Entity, error) {
	e, ok := s.seen(r.Account(), "user", userName(r))
	if !ok {
		return e, refuse("NoSuchEntity", "The user with name %s cannot be found.", userName(r))
	}
	return e, nil
}

func (s *Service) getUser(r *cloud.Request) (map[string]any, error) {
	if r.Str("UserName") == "" && r.Caller.Type != "IAMUser" {
		if r.Caller.Type == "Root" {
			return map[string]any{"User": s.showRoot(r)}, nil
		}
		return nil, cloud.Errorf(cloud.ValidationError, "Must specify userName when calling with non-User credentials")
	}
	e, err := s.user(r)
	if err != nil {
		return nil, err
	}
	m := map[string]any{"Path": e.Path, "UserName": e.Name, "UserId": e.ID, "Arn": e.ARN, "CreateDate": e.Created}
	if e.Boundary != "" {
		m["PermissionsBoundary"] = showBoundary(e)
	}
	if len(e.Tags) > 0 {
		m["Tags"] = showTags(e)
	}
	return map[string]any{"User": m}, nil
}

// showRoot is the root user as GetUser shows it to itself. AWS answers without a name or with the alias; the model wants
// name and path, so the lab says root and /.
func (s *Service) showRoot(r *cloud.Request) map[string]any {
	return map[string]any{"Path": "/", "UserName": "root", "UserId": "AIDA00000" + r.Account(), "Arn": r.Caller.ARN, "CreateDate": r.Time}
}

func (s *Service) listUserPolicies(r *cloud.Request) (map[string]any, error) {
	e, err := s.user(r)
	if err != nil {
		return nil, err
	}
	return paged(r, "PolicyNames", inlineNames(e), func(n string) any { return n })
}

func (s *Service) getUserPolicy(r *cloud.Request) (map[string]any, error) {
	e, err := s.user(r)
	if err != nil {
		return nil, err
	}
	doc, ok := e.Inline[r.Str("PolicyName")]
	if !ok {
		return nil, refuse("NoSuchEntity", "The user policy with name %s cannot be found.", r.Str("PolicyName"))
	}
	return map[string]any{"UserName": e.Name, "PolicyName": r.Str("PolicyName"), "PolicyDocument": encoded(doc)}, nil
}

func (s *Service) listAttachedUserPolicies(r *cloud.Request) (map[string]any, error) {
	e, err := s.user(r)
	if err != nil {
		return nil, err
	}
	return s.listAttached(r, e)
}

func (s *Service) listAccountAliases(r *cloud.Request) (map[string]any, error) {
	aliases := []string{}
	if a := r.Cloud.Account(r.Account()); a != nil && a.Alias != "" {
		aliases = append(aliases, a.Alias)
	}
	return paged(r, "AccountAliases", aliases, func(a string) any { return a })
}

// getAccountSummary counts what the account has, beside IAM's default quotas.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
func (s *Service) getAccountSummary(r *cloud.Request) (map[string]any, error) {
	policies, versions := 0, 0
	for _, l := range s.managed {
		if m, ok := l.Seen(s.c); ok && strings.HasPrefix(m.ARN, "arn:aws:iam::"+r.Account()+":") {
			policies, versions = policies+1, versions+len(m.versions())
		}
	}
	summary := map[string]string{}
	for name, n := range map[string]int{
		"Users": len(s.list(r.Account(), "user")), "UsersQuota": 5000, "Groups": 0, "GroupsQuota": 300, "Policies": policies, "PoliciesQuota": 1500,
		"PolicyVersionsInUse": versions, "PolicyVersionsInUseQuota": 10000, "VersionsPerPolicyQuota": maxVersions, "PolicySizeQuota": managedSize,
		"AttachedPoliciesPerRoleQuota": attachedPerRole, "AttachedPoliciesPerUserQuota": 10, "AccountMFAEnabled": 1, "GlobalEndpointTokenVersion": 1,
	} {
		summary[name] = strconv.Itoa(n)
	}
	return map[string]any{"SummaryMap": summary}, nil
}
