package fact_test

import (
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/fact"
)

func TestParseDenial(t *testing.T) {
	const user = "User: arn:aws:iam::111111111111:user/ada is not authorized to perform: codeconnections:GetConnection"
	const on = user + " on resource: arn:aws:codeconnections:eu-west-1:111111111111:connection/1"
	who := fact.Denial{Principal: "arn:aws:iam::111111111111:user/ada", Action: "codeconnections:GetConnection"}
	at := who
	at.Resource = "arn:aws:codeconnections:eu-west-1:111111111111:connection/1"
	by := func(d fact.Denial, by, policy string, explicit bool) fact.Denial {
		d.By, d.Policy, d.Explicit = by, policy, explicit
		return d
	}
	scp := "arn:aws:organizations::222222222222:policy/o-1/service_control_policy/p-1"
	for text, want := range map[string]fact.Denial{
		user: who,
		on:   at,
		on + " because no identity-based policy allows the codeconnections:GetConnection action":                                                                                                                           by(at, "identity-based policy", "", false),
		on + " because no permissions boundary allows the\ncodeconnections:GetConnection action":                                                                                                                           by(at, "permissions boundary", "", false),
		on + " because no VPC endpoint policy allows the codeconnections:GetConnection action":                                                                                                                             by(at, "VPC endpoint policy", "", false),
		on + " because no session policy allows the codeconnections:GetConnection action":                                                                                                                                  by(at, "session policy", "", false),
		on + " with an explicit deny in an identity-based policy":                                                                                                                                                          by(at, "identity-based policy", "", true),
		on + " with an explicit deny in a service control policy: " + scp:                                                                                                                                                  by(at, "service control policy", scp, true),
		on + " with an explicit deny in a service control policy (Service: AWSCodeBuild; Status Code: 400; Error Code: AccessDeniedException)":                                                                             by(at, "service control policy", "", true),
		on + " with an explicit deny in a resource control policy: arn:aws:organizations::2:policy/o-1/resource_control_policy/p-1":                                                                                        by(at, "resource control policy", "arn:aws:organizations::2:policy/o-1/resource_control_policy/p-1", true),
		on + " with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/Freeze":                                                                                                                            by(at, "identity-based policy", "arn:aws:iam::1:policy/Freeze", true),
		"CodePipeline is not authorized to perform AssumeRole on role arn:aws:iam::1:role/r":                                                                                                                               {Action: "sts:AssumeRole", Resource: "arn:aws:iam::1:role/r"},
		"You are not authorized to perform this operation. " + on + " because no identity-based policy allows the codeconnections:GetConnection action. Encoded authorization failure message: abcdefghijklmnopqrstuvwxyz": by(at, "identity-based policy", "", false),
		on + " because no resource-based policy allows the codeconnections:GetConnection action":                                                                                                                           by(at, "resource-based policy", "", false),
		on + " because no service control policy allows the codeconnections:GetConnection action":                                                                                                                          by(at, "service control policy", "", false),
		on + " with an explicit deny in a permissions boundary: arn:aws:iam::1:policy/p":                                                                                                                                   by(at, "permissions boundary", "arn:aws:iam::1:policy/p", true),
		on + " with an explicit deny in a session policy":                                                                                                                                                                  by(at, "session policy", "", true),
		on + " with an explicit deny in a VPC endpoint policy":                                                                                                                                                             by(at, "VPC endpoint policy", "", true),
		on + " with an explicit deny in a resource-based policy":                                                                                                                                                           by(at, "resource-based policy", "", true),
		on + " with an explicit deny in a resource control policy":                                                                                                                                                         by(at, "resource control policy", "", true),
		"User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/r because no role trust policy allows the sts:AssumeRole action":                                        {Principal: "arn:aws:iam::1:user/a", Action: "sts:AssumeRole", Resource: "arn:aws:iam::1:role/r", By: "role trust policy"},
		"User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/r with an explicit deny in the role trust policy":                                                       {Principal: "arn:aws:iam::1:user/a", Action: "sts:AssumeRole", Resource: "arn:aws:iam::1:role/r", By: "role trust policy", Explicit: true},
		// In the words of CodePipeline and CodeBuild themselves.
		"Unable to use Connection: " + at.Resource + ". The provided role does not have sufficient permissions.": {Action: "codeconnections:UseConnection", Resource: at.Resource},
		"Unable to use Connection: arn:aws:codestar-connections:eu-west-1:1:connection/1. The provided role does not have sufficient permissions.": {
			Action: "codestar-connections:UseConnection", Resource: "arn:aws:codestar-connections:eu-west-1:1:connection/1"},
		`CodePipeline service role "arn:aws:iam::1:role/service-role/Web" is getting S3 access denied for the S3 bucket "acme-artifacts"`: {
			Principal: "arn:aws:iam::1:role/service-role/Web", Action: "s3:*", Resource: "arn:aws:s3:::acme-artifacts"},
		"Build terminated with state: FAILED. Phase: DOWNLOAD_SOURCE, Code: CLIENT_ERROR, Message: Access denied to connection " + at.Resource: {Action: "codeconnections:UseConnection", Resource: at.Resource},
		"OAuthProviderException: User is not authorized to access connection " + at.Resource:                                                   {Action: "codeconnections:UseConnection", Resource: at.Resource},
		"CodeBuild is not authorized to perform: sts:AssumeRole on service role. Please verify that: 1) The provided service role exists":      {Action: "sts:AssumeRole"},
	} {
		got, ok := fact.ParseDenial(text)
		if !ok || got != want {
			t.Errorf("%s\n got %+v\nwant %+v", text, got, want)
		}
	}
	for _, text := range []string{"", "Access Denied", "is not authorized to perform: nothing", "Unexpected EC2 error: UnauthorizedOperation."} {
		if d, ok := fact.ParseDenial(text); ok {
			t.Errorf("%q read as %+v", text, d)
		}
	}
}

func FuzzParseDenial(f *testing.F) {
	f.Add("User: arn:aws:iam::111111111111:user/ada is not authorized to perform: iam:ListRoles on resource: * because no identity-based policy allows the iam:ListRoles action")
	f.Add("User: a is not authorized to perform: a:b with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p")
	f.Add("is not authorized to perform: a:b because no  allows the ")
	f.Add("CodePipeline is not authorized to perform AssumeRole on role arn:aws:iam::1:role/r.")
	f.Add(`CodePipeline service role "arn:aws:iam::1:role/r" is getting S3 access denied for the S3 bucket "b"`)
	f.Add("Unable to use Connection: arn:aws:codeconnections:eu-west-1:1:connection/1. The provided role does not have sufficient permissions.")
	f.Add("Access denied to connection arn:a:b:c:d:e")
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := fact.ParseDenial(text)
		if ok != (d.Action != "") {
			t.Errorf("%q: %v %+v", text, ok, d)
		}
		if service, action, both := strings.Cut(d.Action, ":"); ok && (!both || service == "" || action == "") {
			t.Errorf("%q: action %q", text, d.Action)
		}
		for _, part := range []string{d.Principal, strings.TrimPrefix(d.Resource, "arn:aws:s3:::"), d.By, d.Policy} { // an action may be meant, not named
			if !strings.Contains(strings.Join(strings.Fields(text), " "), part) || strings.ContainsAny(part, "\r\n") {
				t.Errorf("%q: %q is not of the text", text, part)
			}
		}
	})
}

func TestEncodedMessage(t *testing.T) {
	if got := fact.EncodedMessage("You are not authorized to perform this operation. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abcd_1234"); got != "4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abcd_1234" {
		t.Errorf("got %q", got)
	}
	if got := fact.EncodedMessage("Encoded authorization failure message: short"); got != "" {
		t.Errorf("got %q", got)
	}
}
