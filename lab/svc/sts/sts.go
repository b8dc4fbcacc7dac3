// Package sts simulates AWS Security Token Service: who a caller is, and sessions of roles that end.
// It never judges policies itself and never hands out a session without asking who does.
package sts

import (
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Roles is what STS needs to know about IAM.
type Roles interface {
	// RolePrincipalByARN is the principal a session of the role acts as; false when there is no such role.
	RolePrincipalByARN(arn, session string) (cloud.Principal, bool)
	// MayAssume judges sts:AssumeRole by the role's trust policy and the caller's own policies. A role that does not exist
	// is refused without a reason.
	MayAssume(p cloud.Principal, roleARN string) cloud.Decision
	// MaxSession is the longest session of a role that exists.
	MaxSession(roleARN string) time.Duration
}

// Service is STS. It is guarded by the cloud's lock.
type Service struct {
	c        *cloud.Cloud
	roles    Roles
	messages map[string]string // encoded authorization failure messages and what they say
}

// New registers STS on a cloud.
func New(c *cloud.Cloud, roles Roles) *Service {
	s := &Service{c: c, roles: roles, messages: map[string]string{}}
	c.Register(&cloud.Service{
		Name: "sts", Version: "2011-06-15", Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Protocol: cloud.Query, EventSource: "sts.amazonaws.com",
		Ops: map[string]*cloud.Op{
			// GetCallerIdentity works even under an explicit deny.
			// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
			"GetCallerIdentity":          {ReadOnly: true, Open: true, Do: getCallerIdentity},
			"GetAccessKeyInfo":           {ReadOnly: true, Do: s.getAccessKeyInfo},
			"DecodeAuthorizationMessage": {Do: s.decodeAuthorizationMessage},
			// AssumeRole is open because a trust policy alone can grant it: Do asks Roles.
			"AssumeRole": {Open: true, Access: assumeAccess, Do: s.assumeRole},
		},
	})
	return s
}

func getCallerIdentity(r *cloud.Request) (map[string]any, error) {
	return map[string]any{"Account": r.Caller.Account, "Arn": r.Caller.ARN, "UserId": r.Caller.UserID}, nil
}

func (s *Service) getAccessKeyInfo(r *cloud.Request) (map[string]any, error) {
	key := r.Str("AccessKeyId")
	if len(key) < 16 || len(key) > 128 {
		return nil, cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value '%s' at 'accessKeyId' failed to satisfy constraint: Member must have length between 16 and 128", key)
	}
	k := s.c.CallerByKey(key)
	if k == nil {
		return nil, cloud.Errorf(cloud.ValidationError, "The access key ID %s is not valid", key)
	}
	return map[string]any{"Account": k.Account}, nil
}
