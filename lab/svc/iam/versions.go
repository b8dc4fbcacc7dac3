package iam

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

// maxVersions is how many versions a managed policy keeps.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxVersions = 5

func (s *Service) versionOps(ops map[string]*cloud.Op) {
	arn, id := policyARN("PolicyArn"), field{name: "VersionId", min: 2, max: 64, pattern: `v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`}
	ops["GetPolicyVersion"] = &cloud.Op{ReadOnly: true, Access: s.onPolicy, Do: checked(s.getPolicyVersion, arn, id)}
	ops["ListPolicyVersions"] = &cloud.Op{ReadOnly: true, Access: s.onPolicy, Do: checked(s.listPolicyVersions, arn)}
	ops["CreatePolicyVersion"] = &cloud.Op{Access: s.onPolicy, Do: checked(s.createPolicyVersion, arn, document("PolicyDocument"))}
	ops["SetDefaultPolicyVersion"] = &cloud.Op{Access: s.onPolicy, Do: checked(s.setDefaultPolicyVersion, arn, id)}
	ops["DeletePolicyVersion"] = &cloud.Op{Access: s.onPolicy, Do: checked(s.deletePolicyVersion, arn, id)}
}

// versions are the numbers of the versions a policy still has, the newest first.
func (m Managed) versions() []int {
	var all []int
	for i, doc := range m.Versions {
		if doc != "" {
			all = append([]int{i + 1}, all...)
		}
	}
	return all
}

// version finds the request's version of a policy, from 1.
func (m Managed) version(r *cloud.Request) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(r.Str("VersionId"), "v"))
	if err != nil || !slices.Contains(m.versions(), n) {
		return 0, refuse("NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", m.ARN, r.Str("VersionId"))
	}
	return n, nil
}

func (m Managed) showVersion(n int) map[string]any {
	made := m.Created
	if len(m.Made) >= n {
		made = m.Made[n-1]
	}
	return map[string]any{"VersionId": version(n), "IsDefaultVersion": n == m.Default, "CreateDate": made}
}

func (s *Service) getPolicyVersion(r *cloud.Request) (map[string]any, error) {
	m, err := s.policyOf(r)
	if err != nil {
		return nil, err
	}
	n, err := m.version(r)
	if err != nil {
		return nil, err
	}
	shown := m.showVersion(n)
	shown["Document"] = encoded(m.Versions[n-1])
	return map[string]any{"PolicyVersion": shown}, nil
}

func (s *Service) listPolicyVersions(r *cloud.Request) (map[string]any, error) {
	m, err := s.policyOf(r)
	if err != nil {
		return nil, err
	}
	return paged(r, "Versions", m.versions(), func(n int) any { return m.showVersion(n) })
}

// policyToChange is the request's customer managed policy as written last.
func (s *Service) policyToChange(r *cloud.Request) (Managed, error) {
	arn := r.Str("PolicyArn")
	if strings.HasPrefix(arn, awsPrefix) {
		return Managed{}, refuse("InvalidInput", "Cannot perform the operation on the AWS managed policy %s.", arn)
	}
	if !strings.HasPrefix(arn, "arn:aws:iam::"+r.Account()+":policy/") {
		return Managed{}, refuse("InvalidInput", "ARN %s is not valid.", arn)
	}
	m, ok := s.policyTruth(arn)
	if !ok {
		return m, refuse("NoSuchEntity", "Policy %s was not found.", arn)
	}
	m.Versions, m.Made = slices.Clone(m.Versions), slices.Clone(m.Made)
	return m, nil
}

func (s *Service) createPolicyVersion(r *cloud.Request) (map[string]any, error) {
	m, err := s.policyToChange(r)
	if err != nil {
		return nil, err
	}
	doc := r.Str("PolicyDocument")
	if _, err := s.parse(doc, policy.Permissions); err != nil {
		return nil, refuse("MalformedPolicyDocument", "%v", err)
	}
	if size(doc) > managedSize {
		return nil, refuse("LimitExceeded", "Cannot exceed quota for PolicySize: %d", managedSize)
	}
	if len(m.versions()) >= maxVersions {
		return nil, refuse("LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
	}
	n := s.addVersion(m, doc, r.Bool("SetAsDefault"))
	m, _ = s.policyTruth(m.ARN)
	return map[string]any{"PolicyVersion": m.showVersion(n)}, nil
}

func (s *Service) addVersion(m Managed, doc string, inForce bool) int {
	now := s.c.Now().UTC().Truncate(time.Second)
	m.Versions, m.Made, m.Updated = append(m.Versions, doc), append(m.Made, now), now
	if inForce {
		m.Default = len(m.Versions)
	}
	s.managed[m.ARN].Set(s.c, m)
	return len(m.Versions)
}

func (s *Service) setDefaultPolicyVersion(r *cloud.Request) (map[string]any, error) {
	m, err := s.policyToChange(r)
	if err != nil {
		return nil, err
	}
	if m.Default, err = m.version(r); err != nil {
		return nil, err
	}
	m.Updated = s.c.Now().UTC().Truncate(time.Second)
	s.managed[m.ARN].Set(s.c, m)
	return nil, nil
}

func (s *Service) deletePolicyVersion(r *cloud.Request) (map[string]any, error) {
	m, err := s.policyToChange(r)
	if err != nil {
		return nil, err
	}
	n, err := m.version(r)
	if err != nil {
		return nil, err
	}
	if n == m.Default {
		return nil, refuse("DeleteConflict", "Cannot delete the default version of a policy.")
	}
	m.Versions[n-1] = ""
	s.managed[m.ARN].Set(s.c, m)
	return nil, nil
}
