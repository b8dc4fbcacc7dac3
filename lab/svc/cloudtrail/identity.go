package cloudtrail

import (
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// identity is the event's userIdentity in the variant of its type.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func (e entry) identity() map[string]any {
	p := e.Caller
	if p.Type == "AWSService" {
		by := e.Origin.InvokedBy
		if by == "" {
			by = p.ARN
		}
		return map[string]any{"type": "AWSService", "invokedBy": by}
	}
	if id, ok := outside(p); ok {
		return id
	}
	id := map[string]any{"type": p.Type, "principalId": p.UserID, "arn": p.ARN, "accountId": p.Account}
	if e.AccessKeyID != "" {
		id["accessKeyId"] = e.AccessKeyID
	}
	if e.Origin.InvokedBy != "" {
		id["invokedBy"] = e.Origin.InvokedBy
	}
	switch p.Type {
	case "IAMUser":
		id["userName"] = lastPart(p.ARN)
	case "AssumedRole":
		id["sessionContext"] = e.session("Role")
	case "FederatedUser":
		id["sessionContext"] = e.session("IAMUser")
	}
	return id
}

// outside is the identity of those who have no credentials of an account, or of another one than the event's: an account of which
// the other side shows no name, and people whom somebody else vouches for.
func outside(p cloud.Principal) (map[string]any, bool) {
	switch p.Type {
	case "AWSAccount":
		return map[string]any{"type": p.Type, "principalId": p.UserID, "accountId": p.Account}, true
	case "WebIdentityUser", "SAMLUser":
		return map[string]any{"type": p.Type, "principalId": p.UserID, "userName": p.Session, "identityProvider": p.Source}, true
	case "IdentityCenterUser":
		return map[string]any{"type": p.Type, "accountId": p.Account, "credentialId": p.Session,
			"onBehalfOf": map[string]any{"userId": p.UserID, "identityStoreArn": p.Source}}, true
	}
	return nil, false
}

// username is the session name for a role, the user's name for a user and for those that somebody else vouches for.
func (e entry) username() string {
	switch e.Caller.Type {
	case "Root":
		return "root"
	case "AssumedRole", "WebIdentityUser", "SAMLUser":
		if e.Caller.Session != "" {
			return e.Caller.Session
		}
	case "AWSService", "AWSAccount", "IdentityCenterUser":
		return ""
	}
	return lastPart(e.Caller.ARN)
}

// session is the sessionContext of temporary credentials: who issued them, when, and what is known of the person behind.
func (e entry) session(issuer string) map[string]any {
	created, mfa, k := e.Time.Truncate(time.Hour), false, e.caller
	if k == nil {
		k = &cloud.Caller{}
	}
	mfa = k.MFA
	if !k.Created.IsZero() && !k.Created.After(e.Time) {
		created = k.Created
	}
	id, _, _ := strings.Cut(e.Caller.UserID, ":")
	if issuer == "IAMUser" { // the session's own ID begins with the account's; its issuer's stands beside it
		id = e.Caller.Session
	}
	web := map[string]any{}
	if k.Federation.Provider != "" {
		web = map[string]any{"federatedProvider": k.Federation.Provider, "attributes": map[string]any{}}
	}
	out := map[string]any{
		"sessionIssuer": map[string]any{
			"type": issuer, "principalId": id, "arn": e.Caller.Source, "accountId": e.Caller.Account, "userName": lastPart(e.Caller.Source),
		},
		"webIdFederationData": web,
		"attributes":          map[string]any{"creationDate": stamp(created), "mfaAuthenticated": strconv.FormatBool(mfa)},
	}
	if k.SourceIdentity != "" {
		out["sourceIdentity"] = k.SourceIdentity
	}
	if k.RoleDelivery != "" {
		out["ec2RoleDelivery"] = k.RoleDelivery
	}
	return out
}
