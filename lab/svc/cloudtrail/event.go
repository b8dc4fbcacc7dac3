package cloudtrail

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// entry is one event with what event history derives from it.
type entry struct {
	cloud.Event
	max    int           // bytes of a request or reply that the event shows; more is omitted
	caller *cloud.Caller // the credentials it was made with, nil when the lab knows none
}

func newEntry(c *cloud.Cloud, ev cloud.Event) entry {
	e := entry{Event: ev, max: c.Trail.Max}
	if e.max <= 0 {
		e.max = maxField
	}
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

// resources names what an event touched. CloudTrail lists none for connections and pipelines; it does for IAM.
func (e entry) resources() []any {
	if e.Source == ec2Source {
		return e.ec2Resources()
	}
	out := []any{}
	add := func(member, kind string) {
		if v, ok := e.Request[member].(string); ok && v != "" {
			out = append(out, map[string]any{"ResourceType": kind, "ResourceName": v})
		}
	}
	switch e.Source {
	case "sts.amazonaws.com":
		add("RoleArn", "AWS::IAM::Role")
		add("roleArn", "AWS::IAM::Role")
		return out
	case "iam.amazonaws.com":
	default:
		return out
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
		"requestParameters": e.within(parameters(e.Request), "requestParameters"), "responseElements": e.within(parameters(e.Response), "responseElements"),
		"requestID": e.RequestID, "eventID": e.ID, "readOnly": e.ReadOnly, "eventType": "AwsApiCall",
		"managementEvent": true, "recipientAccountId": e.Account, "eventCategory": "Management",
	}
	if e.ErrorCode != "" {
		m["errorCode"], m["errorMessage"] = e.refused()
	}
	if p, ok := m["requestParameters"].(map[string]any); ok && e.Source == "s3.amazonaws.com" && p["bucket"] != nil {
		p["bucketName"] = p["bucket"] // https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html
		delete(p, "bucket")
	}
	if e.Source == ec2Source {
		m["requestParameters"] = ec2Parameters(e.Name, e.Request)
	}
	if e.SharedID != "" {
		m["sharedEventID"] = e.SharedID
	}
	if role := e.assumed(); role != "" {
		m["resources"] = []any{map[string]any{"ARN": role, "accountId": e.Account, "type": "AWS::IAM::Role"}}
	}
	if e.Origin.Endpoint != "" {
		m["vpcEndpointId"] = e.Origin.Endpoint
	}
	if strings.HasPrefix(e.userAgent(), "Mozilla/") {
		m["sessionCredentialFromConsole"] = "true"
	}
	if e.Origin.InvokedBy == "" && e.Caller.Type != "AWSService" {
		m["tlsDetails"] = map[string]any{"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": e.host()}
	}
	b, err := json.Marshal(m)
	if err != nil { // only a service that puts a function or a channel into its reply gets here
		return fmt.Sprintf(`{"eventID":%q}`, e.ID)
	}
	return string(b)
}

// host is the endpoint that the client called; IAM and the like have one for all Regions.
func (e entry) host() string {
	switch e.Source {
	case "iam.amazonaws.com", "account.amazonaws.com", "organizations.amazonaws.com", "health.amazonaws.com":
		return e.Source
	}
	return strings.Replace(e.Source, ".", "."+e.Region+".", 1)
}

// assumed is the ARN of the role that the event's call assumed or tried to, "" for all other calls.
func (e entry) assumed() string {
	if e.Source != "sts.amazonaws.com" || !strings.HasPrefix(e.Name, "AssumeRole") {
		return ""
	}
	for _, member := range []string{"RoleArn", "roleArn"} {
		if arn, ok := e.Request[member].(string); ok {
			return arn
		}
	}
	return ""
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

func lastPart(arn string) string {
	if i := strings.LastIndexAny(arn, "/:"); i >= 0 {
		return arn[i+1:]
	}
	return arn
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
