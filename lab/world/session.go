package world

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// sessionLength is how long a session lasts before its tool begins another: AWS's default for a role.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const sessionLength = time.Hour

// gitHubIssuer is the OpenID Connect provider of GitHub Actions.
// https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
const gitHubIssuer = "token.actions.githubusercontent.com"

// sessionOf reads what a caller's line says of how its session came to be: oidc=SUBJECT of a token of GitHub Actions, via=CALLER
// who assumes the role, source-identity=, instance=1.0|2.0 for the role of an EC2 instance.
func (d *loader) sessionOf(l *line, k *cloud.Caller) error {
	k.SourceIdentity, k.RoleDelivery = l.opt("source-identity", ""), l.opt("instance", "")
	if k.RoleDelivery != "" && k.RoleDelivery != "1.0" && k.RoleDelivery != "2.0" {
		return fmt.Errorf("instance= is 1.0 or 2.0, the version of the instance's metadata service")
	}
	subject, via := l.opt("oidc", ""), l.opt("via", "")
	if k.Type != "AssumedRole" && k.SourceIdentity+k.RoleDelivery+subject+via != "" {
		return fmt.Errorf("source-identity=, instance=, oidc= and via= go with role=")
	}
	if subject != "" {
		k.Federation = cloud.Federation{Provider: "arn:aws:iam::" + k.Account + ":oidc-provider/" + gitHubIssuer, Audience: "sts.amazonaws.com", Subject: subject}
	}
	if via != "" {
		d.via[k.Name] = via
	}
	return nil
}

// federated is a user, or with federated=NAME a session of GetFederationToken that the user made. Such a session may do what both
// the user and its own policy allow: without session-policy= nothing.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
func (d *loader) federated(l *line, user cloud.Principal) cloud.Principal {
	name := l.opt("federated", "")
	if name == "" {
		return user
	}
	return cloud.Principal{
		Type: "FederatedUser", Account: user.Account, Source: user.ARN, Session: user.UserID, UserID: user.Account + ":" + name,
		ARN: "arn:aws:sts::" + user.Account + ":federated-user/" + name, SessionPolicy: `{"Version":"2012-10-17","Statement":[]}`,
	}
}

// signIn begins a caller's session anew when the last one is over, with the events that this leaves: the token of GitHub Actions, the
// assertion of IAM Identity Center, or the call of whoever assumes the role, which AWS may refuse.
func (d *loader) signIn(k *cloud.Caller, region string) error {
	last, before := d.sessions[k.Name]
	if now := d.c.Now(); before && now.Sub(last) < sessionLength {
		return nil
	}
	switch {
	case k.Federation.Subject != "":
		d.vouched(k, region)
	case strings.Contains(k.Source, ":role/aws-reserved/sso.amazonaws.com/"):
		d.centre(k)
	case d.via[k.Name] != "":
		if err := d.assume(k, region); err != nil {
			return err
		}
	default:
		return nil
	}
	d.sessions[k.Name], k.Created = d.c.Now(), d.c.Now()
	return nil
}

// vouched leaves the event of a role that a workflow of GitHub Actions assumes with its token.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func (d *loader) vouched(k *cloud.Caller, region string) {
	f := k.Federation
	who := cloud.Principal{Type: "WebIdentityUser", Account: k.Account, Source: f.Provider, Session: f.Subject, UserID: f.Provider + ":" + f.Audience + ":" + f.Subject}
	d.began(k, who, "AssumeRoleWithWebIdentity", region)
}

// centre leaves the events of a person who comes in through IAM Identity Center: in the account, the role assumed with an
// assertion; in the account that manages the organisation, where the lab has one, the sign-in.
// https://docs.aws.amazon.com/singlesignon/latest/userguide/sso-cloudtrail-use-cases.html
func (d *loader) centre(k *cloud.Caller) {
	saml := "arn:aws:iam::" + k.Account + ":saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"
	d.began(k, cloud.Principal{Type: "SAMLUser", Account: k.Account, Source: saml, Session: k.Session, UserID: saml + ":" + k.Session}, "AssumeRoleWithSAML", "us-east-1")
	o, ok := d.lab.IAM.Organization(k.Account)
	if !ok || d.c.Account(o.Management) == nil {
		return
	}
	store := "arn:aws:identitystore::" + o.Management + ":identitystore/d-0123456789"
	d.c.Record(cloud.Event{
		RequestID: d.c.TraceID(), Time: d.c.Now(), Name: "Federate", Source: "sso.amazonaws.com", Account: o.Management, Region: d.regions[o.Management],
		Caller: cloud.Principal{Type: "IdentityCenterUser", Account: o.Management, Source: store, UserID: d.c.TraceID(), Session: d.c.TraceID()},
		Origin: d.origins[k.Name].Origin,
	})
}

func (d *loader) began(k *cloud.Caller, who cloud.Principal, name, region string) {
	d.c.Record(cloud.Event{
		RequestID: d.c.TraceID(), Time: d.c.Now(), Name: name, Source: "sts.amazonaws.com", Account: k.Account, Region: region, Caller: who, ReadOnly: true,
		Origin: d.origins[k.Name].Origin, Request: map[string]any{"roleArn": k.Source, "roleSessionName": k.Session},
		Response: map[string]any{
			"credentials":     map[string]any{"accessKeyId": k.AccessKeyID, "expiration": d.c.Now().Add(sessionLength)},
			"assumedRoleUser": map[string]any{"assumedRoleId": k.UserID, "arn": k.ARN},
		},
	})
}

// assume has the caller behind a caller assume the role: a call like any other, which the role's trust policy can refuse.
func (d *loader) assume(k *cloud.Caller, region string) error {
	by := d.c.CallerByName(d.via[k.Name])
	if by == nil {
		return fmt.Errorf("there is no caller %q through whom %s could act", d.via[k.Name], k.Name)
	}
	_, err := d.serve(by, "sts", "AssumeRole", region, map[string]any{"RoleArn": k.Source, "RoleSessionName": k.Session})
	return err
}
