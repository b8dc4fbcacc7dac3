package fact

import (
	"strings"
	"time"
)

// Event is a CloudTrail management event, reduced to what judging needs; parameters that may hold secrets are not kept.
type Event struct {
	Seen
	ID          string    `json:"id"`
	Name        string    `json:"name"`        // eventName
	EventSource string    `json:"eventSource"` // codeconnections.amazonaws.com ...
	Time        time.Time `json:"time"`
	Region      string    `json:"region"`
	ReadOnly    bool      `json:"readOnly,omitempty"`
	Who         Who       `json:"who"`
	UserAgent   string    `json:"userAgent,omitempty"`
	SourceIP    string    `json:"sourceIp,omitempty"`
	ErrorCode   string    `json:"errorCode,omitempty"`
	Error       string    `json:"error,omitempty"`
	// From requestParameters and responseElements:
	Connection     string `json:"connection,omitempty"` // connection ARN
	ConnectionName string `json:"connectionName,omitempty"`
	Provider       string `json:"provider,omitempty"`
	Host           string `json:"host,omitempty"`
	Pipeline       string `json:"pipeline,omitempty"`
	Version        int    `json:"version,omitempty"`   // responseElements.pipeline.version: the version that a change of a pipeline made
	Resource       string `json:"resource,omitempty"`  // IAM: the role, user or policy that was changed
	RequestID      string `json:"requestId,omitempty"` // of the call itself
	// Parameters are the request parameters of calls that change a pipeline, a connection, a permission or a network, without secrets.
	Parameters Values `json:"parameters,omitempty"`
}

// Who is CloudTrail's userIdentity.
type Who struct {
	Type      string `json:"type"`           // Root, IAMUser, AssumedRole, AWSService, ...
	ARN       string `json:"arn,omitempty"`  // of the session or user
	Role      string `json:"role,omitempty"` // sessionIssuer's ARN: the role with its path
	Name      string `json:"name,omitempty"` // user name or session name
	InvokedBy string `json:"invokedBy,omitempty"`
	Account   string `json:"account,omitempty"` // of the caller
	Origin    string `json:"origin,omitempty"`  // sourceIdentity, or the identity provider of a federated session
	MFA       bool   `json:"mfa,omitempty"`
}

// Policied is the ARN whose policies decide: the role of a session, or the user.
func (w Who) Policied() string {
	if w.Role != "" {
		return w.Role
	}
	return RoleARN(w.ARN)
}

// Label is the shortest name people would recognise, for every type of CloudTrail's userIdentity.
func (w Who) Label() string {
	switch {
	case w.Type == "Root":
		return "the root user"
	case w.Type == "AWSAccount" && w.ARN == "":
		return "account " + w.Account
	case (w.Type == "WebIdentityUser" || w.Type == "SAMLUser") && w.Name != "":
		return w.Name + " (" + strings.TrimPrefix(w.Origin, "https://") + ")"
	case w.InvokedBy != "" && w.ARN == "":
		return w.InvokedBy
	case w.Type == "FederatedUser":
		a, _ := ParseARN(w.ARN)
		return a.Name() + " (federated)"
	case w.Type == "AssumedRole" && w.Role != "":
		a, _ := ParseARN(w.Role)
		if set := PermissionSet(a.Name()); set != "" {
			return w.Name + " (" + set + ")"
		}
		return a.Name() + "/" + w.Name
	case w.Name != "":
		return w.Name
	case w.ARN == "" && w.Account != "":
		return "an unnamed identity of account " + w.Account
	case w.ARN == "":
		return "an identity that AWS does not name"
	}
	return w.ARN
}

// Tool is what made the call, read from its user agent: cloudformation, terraform, console, aws-cli, cdk, sdk, or "" when unknown.
func (e Event) Tool() string {
	ua := strings.ToLower(e.UserAgent)
	switch {
	case strings.Contains(ua, "cloudformation.amazonaws.com") || strings.Contains(e.SourceIP, "cloudformation.amazonaws.com"):
		return "cloudformation"
	case strings.Contains(ua, "terraform"), strings.Contains(ua, "opentofu"):
		return "terraform"
	case strings.Contains(ua, "pulumi"):
		return "pulumi"
	case strings.HasPrefix(ua, "mozilla/"), strings.Contains(ua, "console.amazonaws.com"), strings.Contains(ua, "signin.amazonaws.com"), strings.Contains(ua, "aws-internal"):
		return "console"
	case strings.Contains(ua, "aws-cli/"):
		return "aws-cli"
	case strings.Contains(ua, "boto3/"), strings.Contains(ua, "botocore/"), strings.Contains(ua, "aws-sdk"):
		return "sdk"
	}
	return ""
}

// DeniedCode reports whether an event's errorCode means that access was refused; services spell it differently.
func DeniedCode(code string) bool {
	return strings.Contains(code, "AccessDenied") || strings.Contains(code, "Unauthorized") || code == "Client.UnauthorizedOperation"
}
