// Package accesstable derives, from the lab's own operations, the table of what each of them demands: IAM actions and the
// types of the resources they are checked on. It never lists anything by hand that an operation can say itself.
package accesstable

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// Row is one operation that the lab serves.
type Row struct {
	Service   string `json:"service"` // signing name
	Operation string `json:"operation"`
	Open      bool   `json:"open,omitempty"`    // checked by no identity-based policy alone: GetCallerIdentity, AssumeRole
	Console   bool   `json:"console,omitempty"` // of the AWS console only; no API client can call it
	Needs     []Need `json:"needs,omitempty"`
}

// Need is one IAM action and the resource types it is checked on, in the names of the Service Authorization Reference;
// an empty list means that it is checked on "*".
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
type Need struct {
	Action    string   `json:"action"`
	Resources []string `json:"resources,omitempty"`
}

// Table asks every operation of a cloud what it demands of sample requests that name every kind of resource. Rows are
// in order of service and operation. It is an error when an operation that is not open demands nothing. The cloud's
// lock must be held.
func Table(c *cloud.Cloud) ([]Row, error) {
	var rows []Row
	for _, svc := range c.Services() {
		for _, name := range slices.Sorted(maps.Keys(svc.Ops)) {
			op := svc.Ops[name]
			row := Row{Service: svc.Name, Operation: name, Open: op.Open, Console: op.Console, Needs: needs(c, svc, op)}
			if len(row.Needs) == 0 && !op.Open {
				return nil, fmt.Errorf("tell access of %s %s: it demands nothing of any sample request", svc.Name, name)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// needs joins what an operation demands of all sample requests.
func needs(c *cloud.Cloud, svc *cloud.Service, op *cloud.Op) []Need {
	if op.Open && op.Access == nil {
		return nil
	}
	found := map[string]map[string]bool{}
	for _, in := range samples() {
		r := &cloud.Request{
			Cloud: c, Time: c.Now(), Service: svc.Name, Operation: op.Name, Region: region, In: in,
			Caller: cloud.Principal{Type: "IAMUser", Account: account, ARN: userARN, Source: userARN, UserID: "AIDA00000000000000000"},
		}
		for _, a := range op.Needs(svc.Name, r) {
			if found[a.Action] == nil {
				found[a.Action] = map[string]bool{}
			}
			if a.Resource != "*" && a.Resource != "" {
				found[a.Action][TypeOf(a.Resource)] = true
			}
		}
	}
	var all []Need
	for _, action := range slices.Sorted(maps.Keys(found)) {
		all = append(all, Need{Action: action, Resources: slices.Sorted(maps.Keys(found[action]))})
	}
	return all
}

// TypeOf names the type of the resource behind an ARN as the Service Authorization Reference does; the ARN itself when
// its type is not known.
func TypeOf(arn string) string {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 {
		return arn
	}
	kind, _, _ := strings.Cut(p[5], "/")
	switch p[2] {
	case "codeconnections", "codestar-connections":
		if name := map[string]string{"connection": "Connection", "host": "Host", "repository-link": "RepositoryLink"}[kind]; name != "" {
			return name
		}
	case "codepipeline":
		if kind, _, colon := strings.Cut(p[5], ":"); colon {
			return kind // actiontype, webhook
		}
		return []string{"pipeline", "stage", "action"}[min(strings.Count(p[5], "/"), 2)]
	case "iam":
		if slices.Contains([]string{"role", "user", "group", "policy"}, kind) {
			return kind
		}
	case "organizations":
		if p[4] == "aws" {
			return "awspolicy"
		}
		return kind // account, policy
	case "config":
		return map[string]string{"configuration-recorder": "ConfigurationRecorder"}[kind]
	case "cloudformation":
		return kind // stack
	case "ec2", "health", "codebuild":
		return kind // event, project
	case "sns":
		return "topic"
	case "ecr":
		return kind // repository
	case "events":
		return "rule-on-default-event-bus"
	case "cloudwatch":
		kind, _, _ = strings.Cut(p[5], ":")
		return kind // alarm
	case "catalog":
		return map[string]string{"product": "Product"}[kind]
	case "apprunner":
		return kind // service
	case "codeguru-reviewer":
		kind, _, _ = strings.Cut(p[5], ":")
		return kind // association
	case "access-analyzer":
		return map[string]string{"analyzer": "Analyzer"}[kind]
	case "acm", "route53", "kms":
		return kind // certificate, hostedzone, key
	case "account", "s3":
		return map[string]string{"account": "account", "s3": "bucket"}[p[2]]
	}
	return arn
}
