package drive

import (
	"time"

	"github.com/unjam/unjam/lab/svc/config"
)

// configSteps read what a recorder wrote down of a role and a pipeline; before, there is none.
func configSteps() []step {
	const role, none = `"resourceType":"AWS::IAM::Role"`, `"resourceType":"AWS::IAM::Role","resourceId":"AROANONE"`
	return named("config", []step{
		{op: "GetResourceConfigHistory", in: `{` + none + `}`, code: "NoAvailableConfigurationRecorderException"},
		{op: "ListDiscoveredResources", in: `{` + role + `}`, code: "NoAvailableConfigurationRecorderException"},
		{op: "DescribeConfigurationRecorders", in: `{"ConfigurationRecorderNames":["default"]}`, code: "NoSuchConfigurationRecorderException"},
		{op: "DescribeConfigurationRecorderStatus", in: `{"ConfigurationRecorderNames":["none"]}`, code: "NoSuchConfigurationRecorderException"},
		{act: func(d *driver) error {
			return d.recorder(config.Setting{Daily: true, Types: []string{"AWS::IAM::Role"}})
		}},
		{op: "DescribeConfigurationRecorders", in: `{}`},
		{act: func(d *driver) error { return d.recorder(config.Setting{}) }},
		{op: "DescribeConfigurationRecorderStatus", in: `{}`},
		{op: "DescribeConfigurationRecorders", in: `{"ConfigurationRecorderNames":["default"]}`, later: time.Hour},
		{op: "ListDiscoveredResources", in: `{` + role + `,"resourceName":"service"}`, keep: "roleId=resourceId"},
		{op: "ListDiscoveredResources", in: `{` + role + `,"limit":1,"includeDeletedResources":true}`},
		{op: "ListDiscoveredResources", in: `{` + role + `,"limit":101}`, code: "InvalidLimitException"},
		{op: "ListDiscoveredResources", in: `{` + role + `,"nextToken":"none"}`, code: "InvalidNextTokenException"},
		{op: "ListDiscoveredResources", in: `{"resourceType":"AWS::CodeConnections::Connection"}`, code: "ValidationException"},
		{op: "GetResourceConfigHistory", in: `{` + role + `,"resourceId":"$roleId","chronologicalOrder":"Forward","limit":5}`},
		{op: "GetResourceConfigHistory", in: `{` + role + `,"resourceId":"$roleId","laterTime":1798761600,"earlierTime":1767225600}`},
		{op: "GetResourceConfigHistory", in: `{` + role + `,"resourceId":"$roleId","laterTime":1767225600,"earlierTime":1798761600}`, code: "InvalidTimeRangeException"},
		{op: "GetResourceConfigHistory", in: `{` + none + `}`, code: "ResourceNotDiscoveredException"},
		{op: "SelectResourceConfig", in: `{"Expression":"SELECT arn FROM roles"}`, code: "InvalidExpressionException"},
		{op: "SelectResourceConfig", in: `{"Expression":"SELECT resourceId, configuration WHERE resourceType = 'AWS::IAM::Role'","Limit":1}`},
		{act: func(d *driver) error {
			var err error
			d.lab.Cloud.Within(func() { err = d.lab.Config.Stop(account, region) })
			return err
		}},
		{op: "DescribeConfigurationRecorderStatus", in: `{"ConfigurationRecorderNames":["default"]}`},
	})
}

// recorder turns a recorder on.
func (d *driver) recorder(set config.Setting) error {
	set.Account, set.Region = account, region
	var err error
	d.lab.Cloud.Within(func() { err = d.lab.Config.Start(set) })
	return err
}
