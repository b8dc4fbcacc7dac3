package drive

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/svc/connections"
)

// steps is every call, in an order in which each finds what it needs.
func steps() []step {
	return slices.Concat(
		accountSteps(), connectionSteps("codeconnections"), connectionSteps("codestar-connections"),
		roleSteps(), policySteps(), pipelineSteps(), trailSteps(),
		quotaSteps(), organizationSteps(), healthSteps(), buildSteps(), analyzerSteps(), versionSteps(), ec2Steps(), configSteps(), stackSteps(),
		topicSteps(), metricSteps(), linkSteps("codeconnections"), linkSteps("codestar-connections"), userSteps(),
		zoneSteps(), certificateSteps(), registrySteps(), ruleSteps(), bucketSteps(), keySteps(),
	)
}

func accountSteps() []step {
	return []step{
		{op: "account:ListRegions", in: `{}`},
		{op: "account:ListRegions", in: `{"MaxResults":5,"RegionOptStatusContains":["ENABLED_BY_DEFAULT"]}`, keep: "more=NextToken"},
		{op: "account:ListRegions", in: `{"MaxResults":5,"RegionOptStatusContains":["ENABLED_BY_DEFAULT"],"NextToken":"$more"}`},
		{op: "account:ListRegions", in: `{"MaxResults":51}`, code: "ValidationException"},
		{op: "sts:GetCallerIdentity", in: `{}`},
		{op: "sts:GetAccessKeyInfo", in: `{"AccessKeyId":"AKIAADMINEXAMPLE0001"}`},
		{op: "sts:GetAccessKeyInfo", in: `{"AccessKeyId":"short"}`, code: "ValidationError"},
		{act: (*driver).refusal},
		{op: "sts:DecodeAuthorizationMessage", in: `{"EncodedMessage":"$message"}`},
		{op: "sts:DecodeAuthorizationMessage", in: `{"EncodedMessage":"none"}`, code: "InvalidAuthorizationMessageException"},
		{op: "sts:AssumeRole", in: `{"RoleArn":"arn:aws:iam::111111111111:role/service","RoleSessionName":"ada"}`},
		{op: "sts:AssumeRole", in: `{"RoleArn":"arn:aws:iam::111111111111:role/service","RoleSessionName":"ada","Policy":"{"}`, code: "MalformedPolicyDocument"},
	}
}

func connectionSteps(service string) []step {
	const tags = `"Tags":[{"Key":"team","Value":"shop"}]`
	dead := fmt.Sprintf(`arn:aws:%s:us-east-1:111111111111:connection/00000000-0000-4000-8000-000000000000`, service)
	noHost := strings.ReplaceAll(dead, ":connection/", ":host/none-")
	conn := strings.ReplaceAll(service, "-", "") // the name of the variable that keeps the ARN
	all := []step{
		{op: "CreateConnection", in: `{"ConnectionName":"` + service + `","ProviderType":"GitHub",` + tags + `}`, keep: conn + "=ConnectionArn"},
		{op: "CreateConnection", in: `{"ConnectionName":"x","ProviderType":"Forge"}`, code: "ValidationException"},
		{op: "CreateConnection", in: `{"ConnectionName":"x","HostArn":"` + noHost + `"}`, code: "ResourceNotFoundException"},
		{op: "GetConnection", in: `{"ConnectionArn":"$` + conn + `"}`},
		{act: func(d *driver) error { return d.handshake(conn) }},
		{op: "GetConnection", in: `{"ConnectionArn":"$` + conn + `"}`},
		{op: "GetConnection", in: `{"ConnectionArn":"` + dead + `"}`, code: "ResourceNotFoundException"},
		{op: "CreateConnection", in: `{"ConnectionName":"spare","ProviderType":"Bitbucket"}`, keep: "spare=ConnectionArn"},
		{op: "ListConnections", in: `{"MaxResults":1}`, keep: "more=NextToken"},
		{op: "ListConnections", in: `{"MaxResults":1,"NextToken":"$more"}`},
		{op: "ListConnections", in: `{"MaxResults":500}`, code: "ValidationException"},
		{op: "DeleteConnection", in: `{"ConnectionArn":"` + dead + `"}`, code: "ResourceNotFoundException"},
		{op: "DeleteConnection", in: `{"ConnectionArn":"$spare"}`},
		{op: "CreateHost", in: `{"Name":"ghes-` + conn + `","ProviderType":"GitHubEnterpriseServer","ProviderEndpoint":"https://ghes.example.com",` + tags + `}`, keep: "host=HostArn"},
		{op: "CreateHost", in: `{"Name":"","ProviderType":"GitHubEnterpriseServer","ProviderEndpoint":"https://ghes.example.com"}`, code: "ValidationException"},
		{op: "CreateHost", in: `{"Name":"vpc-` + conn + `","ProviderType":"GitLabSelfManaged","ProviderEndpoint":"https://gitlab.example.com","VpcConfiguration":{"VpcId":"vpc-012345` + fmt.Sprint(len(service)) + `",
			"SubnetIds":["subnet-01234567"],"SecurityGroupIds":["sg-01234567"]}}`, keep: "vpc=HostArn"},
		{op: "GetHost", in: `{"HostArn":"$vpc"}`, later: time.Hour},
		{op: "GetHost", in: `{"HostArn":"` + noHost + `"}`, code: "ResourceNotFoundException"},
		{op: "ListHosts", in: `{}`},
		{op: "ListHosts", in: `{"MaxResults":500}`, code: "ValidationException"},
		{op: "ListConnections", in: `{"HostArnFilter":"$host"}`},
		{op: "UpdateHost", in: `{"HostArn":"$vpc","ProviderEndpoint":"https://gitlab.example.org"}`},
		{op: "UpdateHost", in: `{"HostArn":"` + noHost + `","ProviderEndpoint":"https://ghes.example.org"}`, code: "ResourceNotFoundException"},
		{op: "CreateConnection", in: `{"ConnectionName":"hosted","HostArn":"$host"}`, keep: "hosted=ConnectionArn"},
		{op: "DeleteHost", in: `{"HostArn":"$host"}`, code: "ResourceUnavailableException"},
		{op: "DeleteConnection", in: `{"ConnectionArn":"$hosted"}`},
		{op: "DeleteHost", in: `{"HostArn":"$host"}`},
		{op: "DeleteHost", in: `{"HostArn":"$vpc"}`, later: time.Hour},
		{op: "DeleteHost", in: `{"HostArn":"` + noHost + `"}`, code: "ResourceNotFoundException"},
		{op: "TagResource", in: `{"ResourceArn":"$` + conn + `","Tags":[{"Key":"env","Value":"prod"}]}`},
		{op: "TagResource", in: `{"ResourceArn":"` + dead + `","Tags":[{"Key":"env","Value":"prod"}]}`, code: "ResourceNotFoundException"},
		{op: "ListTagsForResource", in: `{"ResourceArn":"$` + conn + `"}`},
		{op: "ListTagsForResource", in: `{"ResourceArn":"` + dead + `"}`, code: "ResourceNotFoundException"},
		{op: "UntagResource", in: `{"ResourceArn":"$` + conn + `","TagKeys":["env"]}`},
		{op: "UntagResource", in: `{"ResourceArn":"` + dead + `","TagKeys":["env"]}`, code: "ResourceNotFoundException"},
	}
	for i := range all {
		if all[i].act == nil {
			all[i].op = service + ":" + all[i].op
		}
	}
	return all
}

// handshake completes a connection as a person at the console does.
func (d *driver) handshake(name string) error {
	var err error
	d.lab.Cloud.Within(func() {
		_, err = d.lab.Connections.Handshake(connections.Person{Principal: d.admin.Principal}, d.vars[name], connections.Attempt{Org: "acme"})
	})
	return err
}

func trailSteps() []step {
	return []step{
		{op: "cloudtrail:LookupEvents", in: `{"MaxResults":50}`, later: time.Hour},
		{op: "cloudtrail:LookupEvents", in: `{"MaxResults":1,"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"CreateConnection"}]}`, keep: "more=NextToken"},
		{op: "cloudtrail:LookupEvents", in: `{"MaxResults":1,"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"CreateConnection"}],"NextToken":"$more"}`},
		{op: "cloudtrail:LookupEvents", in: `{"StartTime":1767225600,"EndTime":1798761600,"LookupAttributes":[{"AttributeKey":"EventSource","AttributeValue":"iam.amazonaws.com"}]}`},
		{op: "cloudtrail:LookupEvents", in: `{"MaxResults":51}`, code: "InvalidMaxResultsException"},
		{op: "cloudtrail:LookupEvents", in: `{"StartTime":1798761600,"EndTime":1767225600}`, code: "InvalidTimeRangeException"},
		{op: "cloudtrail:LookupEvents", in: `{"NextToken":"no token of mine"}`, code: "InvalidNextTokenException"},
	}
}
