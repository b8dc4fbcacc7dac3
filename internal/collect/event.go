package collect

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
)

// trailRecord is a CloudTrail record as far as it is kept. Members that may be of any shape are read later, one by one.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type trailRecord struct {
	EventID      text            `json:"eventID"`
	EventName    text            `json:"eventName"`
	EventSource  text            `json:"eventSource"`
	EventTime    text            `json:"eventTime"`
	Region       text            `json:"awsRegion"`
	SourceIP     text            `json:"sourceIPAddress"`
	UserAgent    text            `json:"userAgent"`
	ErrorCode    text            `json:"errorCode"`
	ErrorMessage text            `json:"errorMessage"`
	RequestID    text            `json:"requestID"`
	ReadOnly     json.RawMessage `json:"readOnly"`
	Who          json.RawMessage `json:"userIdentity"`
	Request      json.RawMessage `json:"requestParameters"`
	Response     json.RawMessage `json:"responseElements"`
}

// text is a string member that may also be absent, null or, in a record from elsewhere, of another type: then "".
type text string

// UnmarshalJSON never fails: a value that is no string reads as "".
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
	}
	return nil
}

// trailIdentity is CloudTrail's userIdentity.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type trailIdentity struct {
	Type      text `json:"type"`
	Principal text `json:"principalId"`
	ARN       text `json:"arn"`
	UserName  text `json:"userName"`
	InvokedBy text `json:"invokedBy"`
	Account   text `json:"accountId"`
	Provider  text `json:"identityProvider"`
	OnBehalf  struct {
		User text `json:"userId"`
	} `json:"onBehalfOf"` // of a user of IAM Identity Center: an ID, no name
	Session struct {
		Issuer struct {
			ARN      text `json:"arn"`
			UserName text `json:"userName"`
		} `json:"sessionIssuer"`
		SourceIdentity text `json:"sourceIdentity"`
		Attributes     struct {
			MFA text `json:"mfaAuthenticated"`
		} `json:"attributes"`
		Federation struct {
			Provider text `json:"federatedProvider"`
		} `json:"webIdFederationData"`
	} `json:"sessionContext"`
}

// ParseEvent reads a CloudTrail record (the JSON in member CloudTrailEvent of a look-up). Only the members that
// fact.Event names are kept; missing ones and ones of an unexpected shape stay empty. An error means that the record is
// no JSON object.
// Secrets are sealed with a fixed key: equal records give equal events.
func ParseEvent(record []byte) (fact.Event, error) { return sealer{}.parseEvent(record) }

func (s sealer) parseEvent(record []byte) (fact.Event, error) {
	var r trailRecord
	if err := json.Unmarshal(record, &r); err != nil {
		return fact.Event{}, fmt.Errorf("read CloudTrail record: %w", err)
	}
	if object(record) == nil {
		return fact.Event{}, errors.New("read CloudTrail record: it is null")
	}
	e := fact.Event{
		ID: string(r.EventID), Name: string(r.EventName), EventSource: string(r.EventSource), Region: string(r.Region),
		SourceIP: string(r.SourceIP), UserAgent: string(r.UserAgent), ErrorCode: string(r.ErrorCode), Error: string(r.ErrorMessage),
		ReadOnly: strings.Trim(string(r.ReadOnly), `"`) == "true", Who: who(r.Who), RequestID: string(r.RequestID),
	}
	if at, err := time.Parse(time.RFC3339, string(r.EventTime)); err == nil {
		e.Time = at.UTC()
	}
	request, response := object(r.Request), object(r.Response)
	e.Connection = connectionIn(request, response)
	e.ConnectionName = first(request.str("connectionName"), response.sub("connection").str("connectionName"))
	e.Provider = first(request.str("providerType"), response.sub("connection").str("providerType"))
	e.Host = first(request.str("hostArn"), response.str("hostArn"), response.sub("connection").str("hostArn"))
	if e.EventSource == "codepipeline.amazonaws.com" {
		e.Pipeline = first(request.str("pipelineName"), request.str("name"), request.sub("pipeline").str("name"))
		_ = json.Unmarshal(response.sub("pipeline")["version"], &e.Version) // absent or no number: 0
	}
	if e.EventSource == "iam.amazonaws.com" {
		e.Resource = first(request.str("roleName"), request.str("userName"), request.str("policyArn"), request.str("groupName"))
	}
	if e.EventSource == "s3.amazonaws.com" {
		e.Resource = request.str("bucketName")
	}
	if !e.ReadOnly && keepsParameters(e.EventSource) {
		e.Parameters, _ = s.flatten(r.Request) // null, cut off or too large: the event stays without them
	}
	return e, nil
}

// keepsParameters reports whether the request parameters of a service's writes tell what changed in what a pipeline rests on.
func keepsParameters(source string) bool {
	switch strings.TrimSuffix(source, ".amazonaws.com") {
	case "codepipeline", "iam", "codeconnections", "codestar-connections", "ec2", "config", "codebuild":
		return true
	}
	return false
}

// connectionIn finds the connection's ARN: as its own member, inside the connection, or as the resource of tag calls.
func connectionIn(request, response members) string {
	arn := first(request.str("connectionArn"), response.str("connectionArn"), response.sub("connection").str("connectionArn"))
	if arn != "" {
		return arn
	}
	resource := request.str("resourceArn")
	if a, err := fact.ParseARN(resource); err == nil && a.IsConnection() {
		return resource
	}
	return ""
}

func who(raw json.RawMessage) fact.Who {
	var i trailIdentity
	_ = json.Unmarshal(raw, &i) // part of a valid record: it can only complain of a member's type, and reads the others
	w := fact.Who{Type: string(i.Type), ARN: string(i.ARN), Role: string(i.Session.Issuer.ARN), Name: string(i.UserName), InvokedBy: string(i.InvokedBy),
		Account: string(i.Account), MFA: i.Session.Attributes.MFA == "true",
		Origin: first(string(i.Session.SourceIdentity), string(i.Provider), string(i.Session.Federation.Provider))}
	if w.Type == "IdentityCenterUser" && w.Name == "" {
		w.Name = string(i.OnBehalf.User)
	}
	if _, session, ok := strings.Cut(string(i.Principal), ":"); ok && w.Type == "AssumedRole" {
		w.Name = session // AROA...:session
	}
	return w
}

// members are a JSON object's members by lower-case name: services differ in how they spell them.
type members map[string]json.RawMessage

func object(raw json.RawMessage) members {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil || m == nil {
		return nil
	}
	out := members{}
	for _, k := range slices.Sorted(maps.Keys(m)) { // of two that differ in case only, always the same one
		out[strings.ToLower(k)] = m[k]
	}
	return out
}

// str is a string member, "" when it is absent or something else.
func (m members) str(name string) string {
	var s text
	if raw, ok := m[strings.ToLower(name)]; ok && json.Unmarshal(raw, &s) == nil {
		return string(s)
	}
	return ""
}

// sub is an object member, empty when it is absent or something else.
func (m members) sub(name string) members { return object(m[strings.ToLower(name)]) }

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
