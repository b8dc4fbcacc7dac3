package cloudtrail

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/unjam/unjam/lab/cloud"
)

// entry is one event with what event history derives from it.
type entry struct {
	cloud.Event
	caller *cloud.Caller // the credentials it was made with, nil when the lab knows none
}

func newEntry(c *cloud.Cloud, ev cloud.Event) entry {
	e := entry{Event: ev}
	if ev.AccessKeyID != "" {
		e.caller = c.CallerByKey(ev.AccessKeyID)
		return e
	}
	if ev.Caller.Type == "AWSService" || ev.Origin.InvokedBy != "" {
		return e
	}
	for _, k := range c.Callers() {
		if k.ARN == ev.Caller.ARN && k.ARN != "" {
			e.caller, e.AccessKeyID = k, k.AccessKeyID
			break
		}
	}
	return e
}

func (e entry) matches(key, value string) bool {
	switch key {
	case "EventId":
		return e.ID == value
	case "EventName":
		return e.Name == value
	case "EventSource":
		return e.Source == value
	case "ReadOnly":
		return strconv.FormatBool(e.ReadOnly) == value
	case "Username":
		return e.username() == value
	case "AccessKeyId":
		return e.AccessKeyID == value
	}
	member := "ResourceName"
	if key == "ResourceType" {
		member = key
	}
	for _, r := range e.resources() {
		if r.(map[string]any)[member] == value {
			return true
		}
	}
	return false
}

// wire is the event as LookupEvents lists it.
func (e entry) wire() map[string]any {
	out := map[string]any{
		"EventId": e.ID, "EventName": e.Name, "EventSource": e.Source, "EventTime": e.Time.Truncate(time.Second),
		"ReadOnly": strconv.FormatBool(e.ReadOnly), "Resources": e.resources(), "CloudTrailEvent": e.text(),
	}
	if e.AccessKeyID != "" {
		out["AccessKeyId"] = e.AccessKeyID
	}
	if u := e.username(); u != "" {
		out["Username"] = u
	}
	return out
}

// username is the session name for a role, the user's name for a user.
func (e entry) username() string {
	switch e.Caller.Type {
	case "Root":
		return "root"
	case "AssumedRole":
		if e.Caller.Session != "" {
			return e.Caller.Session
		}
	case "AWSService":
		return ""
	}
	return lastPart(e.Caller.ARN)
}

// resources names what an event touched. CloudTrail lists none for connections and pipelines; it does for IAM.
func (e entry) resources() []any {
	out := []any{}
	if e.Source != "iam.amazonaws.com" {
		return out
	}
	add := func(member, kind string) {
		if v, ok := e.Request[member].(string); ok && v != "" {
			out = append(out, map[string]any{"ResourceType": kind, "ResourceName": v})
		}
	}
	add("RoleName", "AWS::IAM::Role")
	add("UserName", "AWS::IAM::User")
	add("PolicyArn", "AWS::IAM::Policy")
	return out
}

// text is the whole event, as CloudTrail writes it.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func (e entry) text() string {
	m := map[string]any{
		"eventVersion": "1.08", "userIdentity": e.identity(), "eventTime": stamp(e.Time), "eventSource": e.Source,
		"eventName": e.Name, "awsRegion": e.Region, "sourceIPAddress": e.sourceIP(), "userAgent": e.userAgent(),
		"requestParameters": parameters(e.Request), "responseElements": parameters(e.Response),
		"requestID": e.RequestID, "eventID": e.ID, "readOnly": e.ReadOnly, "eventType": "AwsApiCall",
		"managementEvent": true, "recipientAccountId": e.Account, "eventCategory": "Management",
	}
	if e.ErrorCode != "" {
		m["errorCode"], m["errorMessage"] = errorCode(e.ErrorCode), e.ErrorText
	}
	if strings.HasPrefix(e.userAgent(), "Mozilla/") {
		m["sessionCredentialFromConsole"] = "true"
	}
	if e.Origin.InvokedBy == "" && e.Caller.Type != "AWSService" {
		m["tlsDetails"] = map[string]any{
			"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
			"clientProvidedHostHeader": strings.Replace(e.Source, ".", "."+e.Region+".", 1),
		}
	}
	b, err := json.Marshal(m)
	if err != nil { // only a service that puts a function or a channel into its reply gets here
		return fmt.Sprintf(`{"eventID":%q}`, e.ID)
	}
	return string(b)
}

func (e entry) sourceIP() string {
	switch {
	case e.Origin.SourceIP != "":
		return e.Origin.SourceIP
	case e.Origin.InvokedBy != "":
		return e.Origin.InvokedBy
	}
	return "192.0.2.1"
}

func (e entry) userAgent() string {
	if e.Origin.UserAgent == "" {
		return e.Origin.InvokedBy
	}
	return e.Origin.UserAgent
}

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
		id["sessionContext"] = e.session()
	}
	return id
}

func (e entry) session() map[string]any {
	created, mfa := e.Time.Truncate(time.Hour), false
	if e.caller != nil {
		mfa = e.caller.MFA
		if !e.caller.Created.IsZero() && !e.caller.Created.After(e.Time) {
			created = e.caller.Created
		}
	}
	role, _, _ := strings.Cut(e.Caller.UserID, ":")
	return map[string]any{
		"sessionIssuer": map[string]any{
			"type": "Role", "principalId": role, "arn": e.Caller.Source,
			"accountId": e.Caller.Account, "userName": lastPart(e.Caller.Source),
		},
		"webIdFederationData": map[string]any{},
		"attributes":          map[string]any{"creationDate": stamp(created), "mfaAuthenticated": strconv.FormatBool(mfa)},
	}
}

// errorCode is the name CloudTrail gives an error; denials carry no Exception suffix there.
func errorCode(code string) string {
	switch code {
	case cloud.Throttling:
		return "ThrottlingException"
	case cloud.ValidationError:
		return "ValidationException"
	case cloud.ExpiredToken:
		return "ExpiredTokenException"
	}
	return code
}

// parameters writes a call's members as CloudTrail does: names begin with a lower-case letter, secrets are masked,
// nothing at all is null.
func parameters(in map[string]any) any {
	if len(in) == 0 {
		return nil
	}
	return lower(in)
}

func lower(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			switch {
			case k == "configuration" || k == "Configuration": // an action's own keys are data, not members
				out["configuration"] = masked(x)
			default:
				out[lowerFirst(k)] = lower(x)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = lower(x)
		}
		return out
	case []map[string]any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = lower(x)
		}
		return out
	case time.Time:
		return stamp(v)
	}
	return v
}

func masked(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, x := range m {
		if k == "OAuthToken" || k == "RefreshToken" || k == "ClientSecret" {
			x = "****"
		}
		out[k] = x
	}
	return out
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

func lastPart(arn string) string {
	if i := strings.LastIndexAny(arn, "/:"); i >= 0 {
		return arn[i+1:]
	}
	return arn
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
