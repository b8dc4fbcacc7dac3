// Package servicequotas simulates Service Quotas: what an account may have, by AWS's defaults and as increased.
// It never enforces a quota: each service does, and both ask the cloud for the number in force.
package servicequotas

import (
	"encoding/base64"
	"slices"

	"github.com/unjam/unjam/lab/cloud"
)

// Service is Service Quotas. It is guarded by the cloud's lock.
type Service struct{ c *cloud.Cloud }

// New registers the service on a cloud.
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c}
	c.Register(&cloud.Service{
		Name: "servicequotas", Target: "ServiceQuotasV20190624", Version: "2019-06-24", Protocol: cloud.JSON11, Text: "Message", EventSource: "servicequotas.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"ListServices":                {ReadOnly: true, Do: s.listServices},
			"ListServiceQuotas":           {ReadOnly: true, Do: s.listQuotas(false)},
			"ListAWSDefaultServiceQuotas": {ReadOnly: true, Do: s.listQuotas(true)},
			"GetServiceQuota":             {ReadOnly: true, Do: s.getQuota(false)},
			"GetAWSDefaultServiceQuota":   {ReadOnly: true, Do: s.getQuota(true)},
		},
	})
	return s
}

// quota is one row of a service's table.
type quota struct {
	code, name string
	value      int
	adjustable bool
}

// serviceCode is the only service of the lab that has quotas here. The connection services publish none: asking for them
// is asking for a service that does not exist.
const (
	serviceCode = "codepipeline"
	serviceName = "AWS CodePipeline"
)

// quotas is CodePipeline's table; time-outs are in seconds.
// https://docs.aws.amazon.com/general/latest/gr/codepipeline.html
func quotas() []quota {
	const hour = 3600
	return []quota{
		{"L-447DD651", "CloudFormation action timeout", 72 * hour, true},
		{"L-5AA45A27", "Action timeout", hour, true},
		{"L-78D200AD", "Total number of pipelines per Region in an AWS account", 1000, true},
		{"L-87C878A5", "CodeDeploy ECS (Blue/Green) action timeout", 120 * hour, true},
		{"L-912817AD", "Lambda action timeout", 24 * hour, true},
		{"L-ABB870A7", "S3 deployment action timeout", 90 * 60, true},
		{"L-CE1F2EE9", "CodeDeploy action timeout", 120 * hour, true},
		{"L-519D5A90", "Total number of custom actions per Region in an AWS account", 50, true},
		{"L-FE939BB2", "Total number of webhooks per Region in an AWS account", 300, true},
	}
}

// Known reports whether a name is a quota that can be changed in the lab: one of CodePipeline's codes, or connections or
// hosts, which have no code.
func Known(name string) bool {
	return name == "connections" || name == "hosts" || slices.ContainsFunc(quotas(), func(q quota) bool { return q.code == name })
}

// show is a quota as a reply carries it: the value in force, or AWS's default.
func (s *Service) show(r *cloud.Request, q quota, byDefault bool) map[string]any {
	value := q.value
	if !byDefault {
		value = s.c.Limit(r.Account(), r.Region, q.code, q.value)
	}
	owner := r.Account()
	if byDefault {
		owner = ""
	}
	return map[string]any{
		"ServiceCode": serviceCode, "ServiceName": serviceName, "QuotaCode": q.code, "QuotaName": q.name, "Value": float64(value), "Unit": "None",
		"QuotaArn":   "arn:aws:servicequotas:" + r.Region + ":" + owner + ":" + serviceCode + "/" + q.code,
		"Adjustable": q.adjustable, "GlobalQuota": false, "QuotaAppliedAtLevel": "ACCOUNT",
	}
}

func checkService(r *cloud.Request) error {
	if n := len(r.Str("ServiceCode")); n < 1 || n > 63 {
		return cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value at 'serviceCode' failed to satisfy constraint: Member must have length between 1 and 63")
	}
	if r.Str("ServiceCode") != serviceCode {
		return cloud.Errorf("NoSuchResourceException", "The request failed because the specified service does not exist.")
	}
	return nil
}

func (s *Service) getQuota(byDefault bool) func(*cloud.Request) (map[string]any, error) {
	return func(r *cloud.Request) (map[string]any, error) {
		if err := checkService(r); err != nil {
			return nil, err
		}
		if n := len(r.Str("QuotaCode")); n < 1 || n > 128 {
			return nil, cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value at 'quotaCode' failed to satisfy constraint: Member must have length between 1 and 128")
		}
		for _, q := range quotas() {
			if q.code == r.Str("QuotaCode") {
				return map[string]any{"Quota": s.show(r, q, byDefault)}, nil
			}
		}
		return nil, cloud.Errorf("NoSuchResourceException", "The request failed because the specified quota does not exist.")
	}
}

func (s *Service) listQuotas(byDefault bool) func(*cloud.Request) (map[string]any, error) {
	return func(r *cloud.Request) (map[string]any, error) {
		if err := checkService(r); err != nil {
			return nil, err
		}
		all := quotas()
		if code := r.Str("QuotaCode"); code != "" && !byDefault {
			all = slices.DeleteFunc(all, func(q quota) bool { return q.code != code })
		}
		return paged(r, "Quotas", all, func(q quota) map[string]any { return s.show(r, q, byDefault) })
	}
}

func (s *Service) listServices(r *cloud.Request) (map[string]any, error) {
	return paged(r, "Services", []string{serviceCode}, func(string) map[string]any {
		return map[string]any{"ServiceCode": serviceCode, "ServiceName": serviceName}
	})
}

// paged cuts a page of at most 100 entries. Tokens are in base 64, as the service's model demands.
func paged[T any](r *cloud.Request, name string, all []T, show func(T) map[string]any) (map[string]any, error) {
	want := r.Int("MaxResults", 100)
	if want < 1 || want > 100 {
		return nil, cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and 100", want)
	}
	token, err := base64.StdEncoding.DecodeString(r.Str("NextToken"))
	if err != nil {
		return nil, cloud.Errorf("InvalidPaginationTokenException", "The provided NextToken value is invalid.")
	}
	page, next, err := cloud.Page(r.Cloud, all, string(token), want, 100, "InvalidPaginationTokenException")
	if err != nil {
		return nil, err
	}
	shown := []map[string]any{}
	for _, x := range page {
		shown = append(shown, show(x))
	}
	out := map[string]any{name: shown}
	if next != "" {
		out["NextToken"] = base64.StdEncoding.EncodeToString([]byte(next))
	}
	return out, nil
}
