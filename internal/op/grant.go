package op

import (
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// LeastPolicy is the least policy that allows one action on one resource. Actions of AWS CodeConnections are named under both prefixes
// and on both forms of the ARN, since which one AWS checks follows the caller as well as the ARN; a condition stands in a statement
// for each prefix, because the key of one is absent when the other is checked (docs/aws-facts.md, "Two prefixes"). repository narrows
// UseConnection to OWNER/NAME; service is who a passed role is for, "codebuild.amazonaws.com".
func LeastPolicy(action, resource, repository, service string) Document {
	d := Document{Version: "2012-10-17"}
	if resource == "" {
		resource = "*"
	}
	prefix, name, _ := strings.Cut(action, ":")
	if prefix == "codeconnections" || prefix == "codestar-connections" {
		arns := bothARNs(resource)
		if repository == "" {
			d.Statement = []Statement{{Sid: name, Effect: "Allow", Action: both(name), Resource: arns}}
			return d
		}
		for _, p := range []string{"codeconnections", "codestar-connections"} {
			d.Statement = append(d.Statement, Statement{Sid: name + sid(p), Effect: "Allow", Action: []string{p + ":" + name}, Resource: arns,
				Condition: map[string]map[string]string{"StringEqualsIfExists": {p + ":FullRepositoryId": repository}}})
		}
		return d
	}
	st := Statement{Sid: "Mend", Effect: "Allow", Action: []string{action}, Resource: []string{resource}}
	if action == "iam:PassRole" && service != "" {
		st.Condition = map[string]map[string]string{"StringEquals": {"iam:PassedToService": service}}
	}
	d.Statement = []Statement{st}
	return d
}

// bothARNs are a connection's ARN under both prefixes; anything else stays as it is.
func bothARNs(resource string) []string {
	a, err := fact.ParseARN(resource)
	if err != nil || !a.IsConnection() {
		return []string{resource}
	}
	return []string{strings.Replace(resource, ":"+a.Service+":", ":codeconnections:", 1), strings.Replace(resource, ":"+a.Service+":", ":codestar-connections:", 1)}
}
