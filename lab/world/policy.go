package world

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// groups are words for sets of actions under both prefixes of the connection services.
// https://docs.aws.amazon.com/dtconsole/latest/userguide/security-iam.html#permissions-reference-connections-handshake
func groups() map[string][]string {
	return map[string][]string{
		"handshake": {
			"GetIndividualAccessToken", "GetInstallationUrl", "ListInstallationTargets", "StartOAuthHandshake",
			"UpdateConnectionInstallation", "StartAppRegistrationHandshake", "RegisterAppCode",
		},
		"connections":       {"*"},
		"use-connection":    {"UseConnection"},
		"pass-connection":   {"PassConnection"},
		"create-connection": {"CreateConnection", "DeleteConnection", "GetConnection", "ListConnections", "TagResource", "UntagResource", "ListTagsForResource"},
		"read-connections":  {"Get*", "List*"},
	}
}

// readAround is the word for the reads of the services around a pipeline.
const readAround = "read-around"

// document is a policy document.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect   string
	Action   []string
	Resource []string
}

// policyOf reads a line's policy: allow= and deny= short forms, or policy= with a JSON document; "" when it has none.
func (d *loader) policyOf(l *line) (string, error) {
	doc := l.opt("policy", "")
	allow, deny := l.opt("allow", ""), l.opt("deny", "")
	if doc != "" {
		if allow != "" || deny != "" {
			return "", fmt.Errorf("policy= is the whole document: it does not go with allow= or deny=")
		}
		doc = d.fill(doc)
		var any map[string]any
		if err := json.Unmarshal([]byte(doc), &any); err != nil {
			return "", fmt.Errorf("policy= is no JSON document: %w", err)
		}
		return doc, nil
	}
	if allow == "" && deny == "" {
		return "", nil
	}
	out := document{Version: "2012-10-17"}
	for _, part := range []struct{ effect, text string }{{"Allow", allow}, {"Deny", deny}} {
		st, err := d.statements(part.effect, part.text)
		if err != nil {
			return "", err
		}
		out.Statement = append(out.Statement, st...)
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// statements reads one short form: actions with commas between them, each with an optional @resource.
func (d *loader) statements(effect, text string) ([]statement, error) {
	by := map[string][]string{}
	for _, item := range commas(text) {
		action, resource, scoped := strings.Cut(item, "@")
		if !scoped {
			resource = "*"
		} else if resource = d.resource(resource); resource == "" {
			return nil, fmt.Errorf("%s: nothing is called %q by then; write an ARN or the name of a connection, pipeline or host", item, strings.TrimPrefix(item, action+"@"))
		}
		actions, err := expand(action)
		if err != nil {
			return nil, err
		}
		by[resource] = append(by[resource], actions...)
	}
	var resources []string
	for r := range by {
		resources = append(resources, r)
	}
	sort.Strings(resources)
	var all []statement
	for _, r := range resources {
		all = append(all, statement{effect, by[r], []string{r}})
	}
	return all, nil
}

func (d *loader) resource(name string) string {
	if name == "*" || strings.HasPrefix(name, "arn:") {
		return name
	}
	return d.w.arns[name]
}

func expand(action string) ([]string, error) {
	if action == "*" || strings.Contains(action, ":") {
		return []string{action}, nil
	}
	if action == readAround {
		return []string{"cloudformation:Describe*", "codebuild:BatchGet*", "config:Get*", "config:List*", "ec2:Describe*", "health:Describe*", "organizations:DescribeOrganization",
			"servicequotas:Get*", "servicequotas:List*", "access-analyzer:ValidatePolicy", "sts:DecodeAuthorizationMessage",
			"codebuild:List*", "apprunner:List*", "apprunner:Describe*", "servicecatalog:SearchProductsAsAdmin", "codeguru-reviewer:List*",
			"cloudwatch:Describe*", "acm:Describe*", "acm:List*", "route53:List*", "ecr:Describe*", "events:Describe*", "events:List*",
			"s3:ListBucket", "s3:ListAllMyBuckets", "s3:GetBucketPolicy", "s3:GetEncryptionConfiguration", "kms:DescribeKey", "kms:GetKeyPolicy"}, nil
	}
	ops, ok := groups()[action]
	if !ok {
		var known []string
		for g := range groups() {
			known = append(known, g)
		}
		known = append(known, readAround)
		sort.Strings(known)
		return nil, fmt.Errorf("%q is no action; write service:Action, * or one of the words %s", action, strings.Join(known, ", "))
	}
	var all []string
	for _, prefix := range []string{"codeconnections:", "codestar-connections:"} {
		for _, o := range ops {
			all = append(all, prefix+o)
		}
	}
	return all, nil
}

// fill replaces ${name} by the ARN of what the world calls name, in JSON that a line carries.
func (d *loader) fill(text string) string {
	for name, arn := range d.w.arns {
		text = strings.ReplaceAll(text, "${"+name+"}", arn)
	}
	return text
}
