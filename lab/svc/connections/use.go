package connections

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

// Codes of a failed source action, of CodePipeline's FailureType enum. Which code comes with which text is not documented.
const (
	permissionError    = "PermissionError"
	configurationError = "ConfigurationError"
)

// The texts a source action fails with. The first and the last are quoted by many users; the exact text for a
// connection that is not AVAILABLE is not documented anywhere, so nobody should rely on it.
const (
	cannotUseText    = "Unable to use Connection: %s. The provided role does not have sufficient permissions."
	notAvailableText = "Connection %s is not in AVAILABLE state"
	noBranchText     = "[%s] No Branch [%s] found for FullRepositoryName [%s]"
)

// Fetch reads the newest commit of a branch through a connection, as a pipeline's source action does in the given
// Region. The role needs UseConnection under both prefixes, whatever the ARN's:
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
// A dead ARN, an ARN of an account that does not share it, and a role that lacks the permission all read the same.
func (s *Service) Fetch(role cloud.Principal, region, connectionARN, fullRepositoryID, branch string) (provider.Commit, *cloud.Error) {
	_, k, ok := s.truth(connectionARN)
	if !ok || !s.MayUse(role, region, connectionARN, fullRepositoryID, branch) || !k.reaches(region) ||
		k.Owner != role.Account && !slices.Contains(s.shares[k.ARN], role.Account) {
		return provider.Commit{}, cloud.Errorf(permissionError, cannotUseText, connectionARN)
	}
	if k.Status != Available {
		return provider.Commit{}, cloud.Errorf(configurationError, notAvailableText, connectionARN)
	}
	if h, ok := s.Host(k.HostARN); ok {
		if _, broken := s.obstacle(h); broken {
			s.watch(k.ARN)
			return provider.Commit{}, cloud.Errorf(configurationError, unreachableText, providerName(k.ProviderType))
		}
	}
	if s.revoked(k) {
		s.watch(k.ARN)
	}
	head, ok := s.dir.Head(k.Installation, fullRepositoryID, branch)
	if !ok {
		return provider.Commit{}, cloud.Errorf(configurationError, noBranchText, k.ProviderType, branch, fullRepositoryID)
	}
	return head, nil
}

// MayUse reports whether a role is allowed UseConnection on a connection under both prefixes.
func (s *Service) MayUse(role cloud.Principal, region, connectionARN, fullRepositoryID, branch string) bool {
	owner, name, _ := strings.Cut(fullRepositoryID, "/")
	for _, prefix := range []string{New20231201, Old20191201} {
		ctx := s.tagContext(connectionARN)
		ctx[prefix+":FullRepositoryId"] = []string{fullRepositoryID}
		ctx[prefix+":OwnerId"] = []string{owner}
		ctx[prefix+":RepositoryName"] = []string{name}
		ctx[prefix+":BranchName"] = []string{branch}
		ctx[prefix+":ProviderAction"] = []string{"GetBranch"}
		ctx[prefix+":ProviderPermissionsRequired"] = []string{"read_only"}
		need := cloud.Access{Action: prefix + ":UseConnection", Resource: connectionARN, Context: ctx}
		if !s.c.Authorize(role, region, need).Allowed {
			return false
		}
	}
	return true
}

// Hookable reports whether a webhook can be made through a connection now: it is AVAILABLE, and the installation it
// is bound to is alive.
func (s *Service) Hookable(connectionARN string) bool {
	k, ok := s.Lookup(connectionARN)
	if !ok || k.Status != Available {
		return false
	}
	i, ok := s.dir.Installation(k.Installation)
	return ok && !i.Suspended
}

// Hears reports whether a push to a repository of the provider reaches AWS through a connection now.
func (s *Service) Hears(connectionARN, providerType, fullRepositoryID string) bool {
	k, ok := s.Lookup(connectionARN)
	return ok && k.Status == Available && k.ProviderType == providerType && s.dir.Sees(k.Installation, fullRepositoryID)
}

// Share lets another account use a connection, as a resource share of AWS RAM does. Only ARNs of the newer prefix can
// be shared: https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-share.html
func (s *Service) Share(connectionARN, account string) error {
	if _, ok := s.Lookup(connectionARN); !ok {
		return fmt.Errorf("share connection %s: not found", connectionARN)
	}
	if parseARN(connectionARN).service != New20231201 {
		return fmt.Errorf("share connection %s: only codeconnections ARNs can be shared", connectionARN)
	}
	if !slices.Contains(s.shares[connectionARN], account) {
		s.shares[connectionARN] = append(s.shares[connectionARN], account)
	}
	return nil
}

// Unshare takes a share back.
func (s *Service) Unshare(connectionARN, account string) {
	s.shares[connectionARN] = slices.DeleteFunc(s.shares[connectionARN], func(a string) bool { return a == account })
}

// Break puts an AVAILABLE connection into ERROR, as the loss of a Bitbucket authorization does.
func (s *Service) Break(connectionARN string) error { return s.move(connectionARN, Available, Errored) }

// Heal brings a connection back from ERROR, as AWS's own retries do once the provider answers again. Connections on
// a broken host cannot be healed.
func (s *Service) Heal(connectionARN string) error {
	if k, ok := s.Lookup(connectionARN); ok {
		if h, ok := s.Host(k.HostARN); ok && h.Status == Errored {
			return fmt.Errorf("heal connection %s: its host %s is beyond repair", connectionARN, h.ARN)
		}
	}
	return s.move(connectionARN, Errored, Available)
}

func (s *Service) move(arn, from, to string) error {
	l, k, ok := s.truth(arn)
	if !ok || k.Status != from {
		return fmt.Errorf("move connection %s to %s: it is not %s", arn, to, from)
	}
	k.Status = to
	l.Set(s.c, k)
	return nil
}

// BreakHost puts a host and its AVAILABLE connections into ERROR for good, as changing or deleting the app on the
// server does: https://docs.aws.amazon.com/dtconsole/latest/userguide/troubleshooting-connections.html
func (s *Service) BreakHost(hostARN string) error {
	l, h, ok := s.hostTruth(hostARN)
	if !ok || h.Status != Available {
		return fmt.Errorf("break host %s: it is not %s", hostARN, Available)
	}
	h.Status = Errored
	l.Set(s.c, h)
	for _, k := range s.Connections() {
		if k.HostARN == hostARN && k.Status == Available {
			if err := s.Break(k.ARN); err != nil {
				return err
			}
		}
	}
	return nil
}
