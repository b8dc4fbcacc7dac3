package sts

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Limits of AssumeRole. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	minSession     = 15 * time.Minute
	defaultSession = time.Hour
	chainedSession = time.Hour // a role assumed by a role
	longestSession = 12 * time.Hour
	maxPolicy      = 2048 // characters of a session policy
)

func assumeAccess(r *cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "sts:AssumeRole", Resource: r.Str("RoleArn")}}
}

func (s *Service) assumeRole(r *cloud.Request) (map[string]any, error) {
	arn := r.Str("RoleArn")
	if err := checkAssume(r, arn); err != nil {
		return nil, err
	}
	if r.Caller.Type == "Root" {
		return nil, cloud.Errorf(cloud.AccessDenied, "Roles may not be assumed by root accounts.")
	}
	d := s.roles.MayAssume(r.Caller, arn)
	p, exists := s.roles.RolePrincipalByARN(arn, r.Str("RoleSessionName"))
	if !d.Allowed || !exists {
		return nil, cloud.Denied(r.Caller, cloud.Access{Action: "sts:AssumeRole", Resource: arn}, d)
	}
	length, err := s.sessionLength(r, arn)
	if err != nil {
		return nil, err
	}
	p.SessionPolicy = r.Str("Policy")
	k := s.NewSession(p, length)
	k.Place = r.Origin.Place
	return map[string]any{
		"Credentials": map[string]any{
			"AccessKeyId": k.AccessKeyID, "SecretAccessKey": k.SecretAccessKey, "SessionToken": k.SessionToken, "Expiration": k.Expires,
		},
		"AssumedRoleUser": map[string]any{"AssumedRoleId": p.UserID, "Arn": p.ARN},
	}, nil
}

// NewSession makes temporary credentials for a principal, in force from now for the given time.
func (s *Service) NewSession(p cloud.Principal, length time.Duration) *cloud.Caller {
	now := s.c.Now()
	k := &cloud.Caller{
		Name: p.ARN[strings.Index(p.ARN, "/")+1:], Principal: p, Created: now, Expires: now.Add(length).Truncate(time.Second),
		AccessKeyID: "ASIALAB" + strings.ToUpper(s.text(13)), SecretAccessKey: s.text(40), SessionToken: "Lab//////////" + s.text(120),
	}
	s.c.AddCaller(k)
	return k
}

// text is n letters and digits nobody else in this lab has.
func (s *Service) text(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(strings.ReplaceAll(s.c.UUID(), "-", ""))
	}
	return b.String()[:n]
}

func checkAssume(r *cloud.Request, arn string) error {
	if !regexp.MustCompile(`^arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+$`).MatchString(arn) {
		return cloud.Errorf(cloud.ValidationError, "%s is invalid", arn)
	}
	if name := r.Str("RoleSessionName"); !regexp.MustCompile(`^[\w+=,.@-]{2,64}$`).MatchString(name) {
		return cloud.Errorf(cloud.ValidationError, `1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`, name)
	}
	if r.List("PolicyArns") != nil {
		return cloud.Errorf(cloud.ValidationError, "The lab does not serve PolicyArns; use Policy.")
	}
	policy := r.Str("Policy")
	if len(policy) > maxPolicy {
		return cloud.Errorf("PackedPolicyTooLarge", "Packed policy consumes %d%% of allotted space, please use smaller policy.", 100*len(policy)/maxPolicy)
	}
	if policy != "" && !json.Valid([]byte(policy)) {
		return cloud.Errorf("MalformedPolicyDocument", "Syntax errors in policy.")
	}
	return nil
}

func (s *Service) sessionLength(r *cloud.Request, arn string) (time.Duration, error) {
	length := time.Duration(r.Int("DurationSeconds", int(defaultSession/time.Second))) * time.Second
	switch {
	case length < minSession:
		return 0, cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", length/time.Second)
	case length > longestSession:
		return 0, cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200", length/time.Second)
	case r.Caller.Type == "AssumedRole" && length > chainedSession:
		return 0, cloud.Errorf(cloud.ValidationError, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	case length > s.roles.MaxSession(arn):
		return 0, cloud.Errorf(cloud.ValidationError, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return length, nil
}
