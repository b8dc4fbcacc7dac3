// Package kms simulates AWS Key Management Service as far as other services rest on its keys: their states, their policies, their
// deletion. It never encrypts anything.
package kms

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// The states of keys that the lab knows.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
const (
	Enabled  = "Enabled"
	Disabled = "Disabled"
	Pending  = "PendingDeletion"
)

// minWindow, maxWindow and defaultWindow are how many days pass before a key is deleted (API_ScheduleKeyDeletion).
const (
	minWindow, maxWindow, defaultWindow = 7, 30, 30
	maxPage                             = 100
)

// Policies judge who may use a key; IAM does.
type Policies interface {
	// SetResourcePolicy gives a resource of an account a policy of its own; it refuses a document that cannot be read.
	SetResourcePolicy(owner, arn, doc string) error
}

// Key is a KMS key.
type Key struct {
	ID, ARN, Account, Region string
	Alias                    string // without alias/; "" for none
	State                    string
	Policy                   string // JSON
	Created, Deletion        time.Time
	Days                     int // of the window of a deletion
}

// Service is KMS in every account and Region. Its methods are called with the cloud's lock held.
type Service struct {
	c        *cloud.Cloud
	policies Policies
	held     []*cloud.Lagged[Key]
}

// New registers the service on a cloud.
func New(c *cloud.Cloud, p Policies) *Service {
	s := &Service{c: c, policies: p}
	c.Register(&cloud.Service{
		Name: "kms", Target: "TrentService", Version: "2014-11-01", Protocol: cloud.JSON11, EventSource: "kms.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"DescribeKey":         {ReadOnly: true, Access: s.onKey("DescribeKey"), Do: s.describe},
			"GetKeyPolicy":        {ReadOnly: true, Access: s.onKey("GetKeyPolicy"), Do: s.getPolicy},
			"PutKeyPolicy":        {Access: s.onKey("PutKeyPolicy"), Do: s.putPolicy},
			"ListAliases":         {ReadOnly: true, Do: s.listAliases},
			"EnableKey":           {Access: s.onKey("EnableKey"), Do: s.switches(Enabled)},
			"DisableKey":          {Access: s.onKey("DisableKey"), Do: s.switches(Disabled)},
			"ScheduleKeyDeletion": {Access: s.onKey("ScheduleKeyDeletion"), Do: s.schedule},
			"CancelKeyDeletion":   {Access: s.onKey("CancelKeyDeletion"), Do: s.cancel},
		},
	})
	return s
}

// onKey is the access to the key that a request names, by its ARN, its ID or an alias.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
func (s *Service) onKey(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		arn := r.Str("KeyId")
		if k, ok := s.Find(r.Account(), r.Region, arn); ok {
			arn = k.ARN
		} else if !strings.HasPrefix(arn, "arn:") {
			arn = ARN(r.Account(), r.Region, arn)
		}
		return []cloud.Access{{Action: "kms:" + op, Resource: arn}}
	}
}

// ARN is the ARN of a key.
func ARN(account, region, id string) string {
	return "arn:aws:kms:" + region + ":" + account + ":key/" + id
}

// Default is the policy of a key that nobody gave another one: the account's own policies decide.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func Default(account string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"}]}`
}

// Make makes a key; policy "" is the default one. The ID follows from account, Region and alias, so that it makes no difference to the
// IDs of what comes after.
func (s *Service) Make(account, region, alias, policy string) (Key, error) {
	if policy == "" {
		policy = Default(account)
	}
	id := identifier(account + "/" + region + "/" + alias)
	k := Key{ID: id, ARN: ARN(account, region, id), Account: account, Region: region, Alias: alias, State: Enabled, Policy: policy, Created: s.c.Now().UTC()}
	if _, ok := s.at(k.ARN); ok {
		return Key{}, fmt.Errorf("make key %s: it exists in account %s, Region %s", alias, account, region)
	}
	if err := s.policies.SetResourcePolicy(account, k.ARN, policy); err != nil {
		return Key{}, fmt.Errorf("make key %s: %w", alias, err)
	}
	l := &cloud.Lagged[Key]{}
	l.Set(s.c, k)
	s.held = append(s.held, l)
	return k, nil
}

// Find is a key as it was written last, by its ARN, its ID, or an alias with alias/ before it.
func (s *Service) Find(account, region, name string) (Key, bool) {
	for _, l := range s.held {
		if k, ok := l.Truth(); ok && k.is(account, region, name) {
			return k, true
		}
	}
	return Key{}, false
}

func (k Key) is(account, region, name string) bool {
	if strings.HasPrefix(name, "arn:") {
		return name == k.ARN && k.Region == region || k.Alias != "" && name == k.aliasARN() && k.Region == region
	}
	return k.Account == account && k.Region == region && (name == k.ID || k.Alias != "" && name == "alias/"+k.Alias)
}

func (k Key) aliasARN() string {
	return "arn:aws:kms:" + k.Region + ":" + k.Account + ":alias/" + k.Alias
}

// identifier is a UUID that follows from a text.
func identifier(text string) string {
	sum := sha256.Sum256([]byte(text))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

func (s *Service) at(arn string) (*cloud.Lagged[Key], bool) {
	for _, l := range s.held {
		if k, ok := l.Truth(); ok && k.ARN == arn {
			return l, true
		}
	}
	return nil, false
}

// Use judges the use of a key by a principal, in the words in which Amazon S3 passes on what KMS says; nil when it may be used.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func (s *Service) Use(p cloud.Principal, owner, region, key, action string) *cloud.Error {
	k, ok := s.Find(owner, region, key)
	if !ok {
		return &cloud.Error{Code: "KMS.NotFoundException", Message: "Invalid keyId " + key, Status: 400}
	}
	a := cloud.Access{Action: action, Resource: k.ARN}
	if d := s.c.Authorize(p, region, a); !d.Allowed {
		e := cloud.Denied(p, a, d)
		e.Status = 403
		return e
	}
	switch k.State {
	case Disabled:
		return &cloud.Error{Code: "KMS.DisabledException", Message: k.ARN + " is disabled.", Status: 400}
	case Pending:
		return &cloud.Error{Code: "KMS.KMSInvalidStateException", Message: k.ARN + " is pending deletion.", Status: 400}
	}
	return nil
}

// seen is the key that a request names, as a reader sees it.
func (s *Service) seen(r *cloud.Request) (Key, error) {
	name := r.Str("KeyId")
	if p := strings.SplitN(name, ":", 6); p[0] == "arn" && (len(p) != 6 || p[2] != "kms" || p[3] != r.Region) {
		return Key{}, cloud.Errorf("InvalidArnException", "Invalid arn %s", name)
	}
	for _, l := range s.held {
		if k, ok := l.Seen(s.c); ok && k.is(r.Account(), r.Region, name) {
			return k, nil
		}
	}
	return Key{}, cloud.Errorf("NotFoundException", "Key '%s' does not exist", ARN(r.Account(), r.Region, name))
}

func (s *Service) describe(r *cloud.Request) (map[string]any, error) {
	k, err := s.seen(r)
	if err != nil {
		return nil, err
	}
	m := map[string]any{"AWSAccountId": k.Account, "KeyId": k.ID, "Arn": k.ARN, "CreationDate": k.Created, "Enabled": k.State == Enabled, "KeyState": k.State,
		"KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": false, "Description": ""}
	if k.State == Pending {
		m["DeletionDate"] = k.Deletion
	}
	return map[string]any{"KeyMetadata": m}, nil
}

func (s *Service) getPolicy(r *cloud.Request) (map[string]any, error) {
	k, err := s.seen(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Policy": k.Policy, "PolicyName": "default"}, nil
}

func (s *Service) putPolicy(r *cloud.Request) (map[string]any, error) {
	k, err := s.seen(r)
	if err != nil {
		return nil, err
	}
	if err := s.SetPolicy(k.ARN, r.Str("Policy")); err != nil {
		return nil, cloud.Errorf("MalformedPolicyDocumentException", "The policy is not valid: %v", err)
	}
	return nil, nil
}

// SetPolicy replaces the policy of a key.
func (s *Service) SetPolicy(arn, policy string) error {
	l, ok := s.at(arn)
	if !ok {
		return fmt.Errorf("set policy of key %s: there is no such key", arn)
	}
	k, _ := l.Truth()
	if err := s.policies.SetResourcePolicy(k.Account, arn, policy); err != nil {
		return fmt.Errorf("set policy of key %s: %w", arn, err)
	}
	k.Policy = policy
	l.Set(s.c, k)
	return nil
}

func (s *Service) listAliases(r *cloud.Request) (map[string]any, error) {
	all := []any{}
	for _, l := range s.held {
		if k, ok := l.Seen(s.c); ok && k.Account == r.Account() && k.Region == r.Region && k.Alias != "" {
			all = append(all, map[string]any{"AliasName": "alias/" + k.Alias, "AliasArn": k.aliasARN(), "TargetKeyId": k.ID, "CreationDate": k.Created, "LastUpdatedDate": k.Created})
		}
	}
	page, next, err := cloud.Page(s.c, all, r.Str("Marker"), r.Int("Limit", 50), maxPage, "InvalidMarkerException")
	if err != nil {
		return nil, err
	}
	out := map[string]any{"Aliases": page, "Truncated": next != ""}
	if next != "" {
		out["NextMarker"] = next
	}
	return out, nil
}

// switches enables or disables a key.
func (s *Service) switches(to string) func(*cloud.Request) (map[string]any, error) {
	return func(r *cloud.Request) (map[string]any, error) {
		k, err := s.seen(r)
		if err != nil {
			return nil, err
		}
		if k.State == Pending {
			return nil, invalidState(k)
		}
		s.edit(k.ARN, func(k *Key) { k.State = to })
		return nil, nil
	}
}

func invalidState(k Key) error {
	if k.State == Pending {
		return cloud.Errorf("KMSInvalidStateException", "%s is pending deletion.", k.ARN)
	}
	return cloud.Errorf("KMSInvalidStateException", "%s is not pending deletion.", k.ARN)
}

func (s *Service) edit(arn string, f func(*Key)) {
	if l, ok := s.at(arn); ok {
		k, _ := l.Truth()
		f(&k)
		l.Set(s.c, k)
	}
}

func (s *Service) schedule(r *cloud.Request) (map[string]any, error) {
	k, err := s.seen(r)
	if err != nil {
		return nil, err
	}
	days := r.Int("PendingWindowInDays", defaultWindow)
	switch {
	case days < minWindow || days > maxWindow:
		return nil, cloud.Errorf(cloud.ValidationError, "PendingWindowInDays must be between %d and %d", minWindow, maxWindow)
	case k.State == Pending:
		return nil, invalidState(k)
	}
	end := s.c.Now().UTC().AddDate(0, 0, days)
	s.edit(k.ARN, func(k *Key) { k.State, k.Deletion, k.Days = Pending, end, days })
	s.c.At(end, func() { s.destroy(k.ARN, end) })
	return map[string]any{"KeyId": k.ARN, "DeletionDate": end, "KeyState": Pending, "PendingWindowInDays": days}, nil
}

// destroy deletes a key whose window is over, unless its deletion was cancelled.
func (s *Service) destroy(arn string, end time.Time) {
	s.held = slices.DeleteFunc(s.held, func(l *cloud.Lagged[Key]) bool {
		k, ok := l.Truth()
		return ok && k.ARN == arn && k.State == Pending && k.Deletion.Equal(end)
	})
}

// cancel leaves the key disabled, as KMS does.
func (s *Service) cancel(r *cloud.Request) (map[string]any, error) {
	k, err := s.seen(r)
	if err != nil {
		return nil, err
	}
	if k.State != Pending {
		return nil, invalidState(k)
	}
	s.edit(k.ARN, func(k *Key) { k.State, k.Deletion = Disabled, time.Time{} })
	return map[string]any{"KeyId": k.ARN}, nil
}
