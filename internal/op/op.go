// Package op is the catalogue of every AWS operation unjam can call, reads and writes alike: the IAM actions each needs,
// whether repeating is safe, how it is undone or why it cannot be. It never calls anything.
package op

import (
	"encoding/json"
	"slices"

	"github.com/unjam/unjam/internal/fact"
)

// Repeat says whether a call may be made again when its reply was lost.
type Repeat string

// The ways a call can be repeated.
const (
	Safe    Repeat = "safe"  // reads, and writes that set a state
	ByToken Repeat = "token" // safe with the same client request token
	Never   Repeat = "never" // read until it can be decided
)

// Op is one operation.
type Op struct {
	Service  string                // signing name
	Name     string                // API operation
	Actions  []string              // IAM actions; both service prefixes where AWS may check either
	Resource string                // what to name as Resource: an ARN pattern with {partition} {region} {account} {name}, or "*"
	Kind     fact.Kind             // reads: the kind of fact it answers
	Flag     string                // reads: the flag without which it is never called; "" for all others
	Write    bool                  // changes AWS
	Repeat   Repeat                // writes
	Undo     UndoFunc              // writes: how to take it back; nil: OneWay says why not
	OneWay   string                // writes: why there is no way back; one sentence
	Says     func(in Input) string // writes: one line, what the call does
	Disturbs string                // writes: what else may notice; one sentence
	Implied  bool                  // writes without a way back: --apply itself consents, unless something behind looks like production
	Releases bool                  // writes that let a waiting run go on: they can be undone, the run cannot be called back
}

// Input is the input of a call: member names as in the API, values as text.
type Input map[string]string

// UndoFunc gives the call that takes another back.
type UndoFunc func(in Input) (service, operation string, undo Input)

// Key is "service:Operation".
func (o Op) Key() string { return o.Service + ":" + o.Name }

// All returns the catalogue, reads first, in a stable order.
func All() []Op {
	return slices.Concat(reads(), writes())
}

// Find finds an operation.
func Find(service, name string) (Op, bool) {
	for _, o := range All() {
		if o.Service == service && o.Name == name {
			return o, true
		}
	}
	return Op{}, false
}

// Reading finds the read that answers queries of a kind; the first of the catalogue counts.
func Reading(kind fact.Kind) (Op, bool) {
	if kind == fact.KindDefinition { // GetPipeline with a version
		kind = fact.KindPipeline
	}
	for _, o := range reads() {
		if o.Kind == kind {
			return o, true
		}
	}
	return Op{}, false
}

// Answering are all reads that answer queries of a kind; none for what is no call of AWS.
func Answering(kind fact.Kind) []Op {
	if kind == fact.KindDefinition { // GetPipeline with a version
		kind = fact.KindPipeline
	}
	return slices.DeleteFunc(reads(), func(o Op) bool { return o.Kind != kind })
}

const (
	connectionARN = "arn:{partition}:codeconnections:*:{account}:connection/*"
	pipelineARN   = "arn:{partition}:codepipeline:*:{account}:*"
	roleARN       = "arn:{partition}:iam::{account}:role/*"

	certificateARN = "arn:{partition}:acm:*:{account}:certificate/*"
	zoneARN        = "arn:{partition}:route53:::hostedzone/*"
	repositoryARN  = "arn:{partition}:ecr:*:{account}:repository/*"
	ruleARN        = "arn:{partition}:events:*:{account}:rule/*"
	alarmARN       = "arn:{partition}:cloudwatch:*:{account}:alarm:*"
	bucketARN      = "arn:{partition}:s3:::*" // names neither account nor Region
	keyARN         = "arn:{partition}:kms:*:{account}:key/*"
)

// both names an action under both prefixes of AWS CodeConnections: which one AWS checks follows the resource's ARN
// (docs/aws-facts.md, "Two prefixes").
func both(action string) []string {
	return []string{"codeconnections:" + action, "codestar-connections:" + action}
}

func reads() []Op {
	pipeline := func(name string, kind fact.Kind) Op {
		return Op{Service: "codepipeline", Name: name, Kind: kind, Resource: pipelineARN, Actions: []string{"codepipeline:" + name}}
	}
	connection := func(name string, kind fact.Kind, resource string) Op {
		return Op{Service: "codeconnections", Name: name, Kind: kind, Resource: resource, Actions: both(name)}
	}
	return []Op{
		{Service: "sts", Name: "GetCallerIdentity", Kind: fact.KindIdentity, Resource: "*"}, // needs no permission
		{Service: "account", Name: "ListRegions", Kind: fact.KindRegion, Resource: "*", Actions: []string{"account:ListRegions"}},
		{Service: "codepipeline", Name: "ListPipelines", Kind: fact.KindPipelineList, Resource: "*", Actions: []string{"codepipeline:ListPipelines"}},
		pipeline("GetPipeline", fact.KindPipeline),
		pipeline("GetPipelineState", fact.KindPipelineState),
		pipeline("ListPipelineExecutions", fact.KindExecution),
		pipeline("ListActionExecutions", fact.KindAction),
		connection("GetConnection", fact.KindConnection, connectionARN),
		connection("ListConnections", fact.KindConnection, "*"),
		connection("ListTagsForResource", fact.KindTags, connectionARN),
		connection("ListHosts", fact.KindHost, "*"),
		{Service: "cloudtrail", Name: "LookupEvents", Kind: fact.KindEvent, Resource: "*", Actions: []string{"cloudtrail:LookupEvents"}},
		{Service: "iam", Name: "SimulatePrincipalPolicy", Kind: fact.KindSimulation, Resource: "*", Actions: []string{"iam:SimulatePrincipalPolicy"}},
		{Service: "iam", Name: "ListRoles", Kind: fact.KindRole, Resource: "*", Actions: []string{"iam:ListRoles"}},
		{Service: "codepipeline", Name: "ListActionTypes", Kind: fact.KindActionType, Resource: "*", Actions: []string{"codepipeline:ListActionTypes"}},
		{Service: "codepipeline", Name: "ListWebhooks", Kind: fact.KindWebhook, Resource: "*", Actions: []string{"codepipeline:ListWebhooks"}},
		plain("config", "ListDiscoveredResources", fact.KindConfigHistory),
		plain("config", "GetResourceConfigHistory", fact.KindConfigHistory),
		plain("cloudformation", "DescribeStackResources", fact.KindStack),
		plain("cloudformation", "DescribeStackResourceDrifts", fact.KindDrift),
		plain("cloudformation", "DescribeStacks", fact.KindStackState),
		plain("cloudformation", "DescribeStackEvents", fact.KindStackEvents),
		plain("cloudformation", "DescribeChangeSet", fact.KindChangeSet),
		plain("codebuild", "BatchGetProjects", fact.KindProject),
		plain("iam", "GetRole", fact.KindPolicies),
		plain("iam", "ListRolePolicies", fact.KindPolicies),
		plain("iam", "GetRolePolicy", fact.KindPolicies),
		plain("iam", "ListAttachedRolePolicies", fact.KindPolicies),
		plain("iam", "GetPolicy", fact.KindPolicies),
		plain("iam", "GetPolicyVersion", fact.KindPolicies),
		plain("sts", "DecodeAuthorizationMessage", fact.KindDecoded),
		{Service: "access-analyzer", Name: "ValidatePolicy", Kind: fact.KindPolicyCheck, Resource: "*", Actions: []string{"access-analyzer:ValidatePolicy"}},
		{Service: "access-analyzer", Name: "ListAnalyzers", Kind: fact.KindOpenings, Resource: "*", Actions: []string{"access-analyzer:ListAnalyzers"}},
		{Service: "access-analyzer", Name: "ListFindingsV2", Kind: fact.KindOpenings, Resource: "*", Actions: []string{"access-analyzer:ListFindings"}},
		{Service: "access-analyzer", Name: "CheckNoNewAccess", Kind: fact.KindNewAccess, Resource: "*", Actions: []string{"access-analyzer:CheckNoNewAccess"}, Flag: "--paid-checks"},
		{Service: "cloudformation", Name: "DetectStackDrift", Kind: fact.KindDrift, Resource: "*", Actions: []string{"cloudformation:DetectStackDrift"}, Flag: "--drift"},
		{Service: "cloudformation", Name: "DescribeStackDriftDetectionStatus", Kind: fact.KindDrift, Resource: "*", Actions: []string{"cloudformation:DescribeStackDriftDetectionStatus"}, Flag: "--drift"},
		plain("ec2", "DescribeSubnets", fact.KindSubnet),
		plain("ec2", "DescribeSecurityGroups", fact.KindSecurityGroup),
		plain("ec2", "DescribeNetworkAcls", fact.KindNetworkACL),
		plain("ec2", "DescribeRouteTables", fact.KindRouteTable),
		plain("ec2", "DescribeDhcpOptions", fact.KindDHCPOptions),
		plain("ec2", "DescribeVpcEndpoints", fact.KindEndpoint),
		plain("servicequotas", "ListServiceQuotas", fact.KindQuota),
		plain("organizations", "DescribeOrganization", fact.KindOrganization),
		plain("iam", "ListAccountAliases", fact.KindAlias),
		plain("organizations", "ListTagsForResource", fact.KindAccountTags),
		plain("health", "DescribeEvents", fact.KindHealth),
		plain("health", "DescribeEventDetails", fact.KindHealth),
		plain("codebuild", "ListProjects", fact.KindBuildProject),
		plain("codebuild", "ListSourceCredentials", fact.KindBuildCredential),
		connection("ListRepositoryLinks", fact.KindGitSync, "*"),
		connection("ListSyncConfigurations", fact.KindGitSync, "*"),
		plain("apprunner", "ListServices", fact.KindAppService),
		plain("apprunner", "DescribeService", fact.KindAppService),
		plain("servicecatalog", "SearchProductsAsAdmin", fact.KindProduct),
		plain("codeguru-reviewer", "ListRepositoryAssociations", fact.KindReview),
		{Service: "cloudwatch", Name: "DescribeAlarms", Kind: fact.KindAlarm, Resource: alarmARN, Actions: []string{"cloudwatch:DescribeAlarms"}},
		{Service: "acm", Name: "DescribeCertificate", Kind: fact.KindManagedCertificate, Resource: certificateARN, Actions: []string{"acm:DescribeCertificate"}},
		plain("acm", "ListCertificates", fact.KindManagedCertificate),
		{Service: "route53", Name: "GetHostedZone", Kind: fact.KindHostedZone, Resource: zoneARN, Actions: []string{"route53:GetHostedZone"}},
		plain("route53", "ListHostedZones", fact.KindHostedZone),
		{Service: "ecr", Name: "DescribeRepositories", Kind: fact.KindRepository, Resource: repositoryARN, Actions: []string{"ecr:DescribeRepositories"}},
		{Service: "ecr", Name: "DescribeImages", Kind: fact.KindImage, Resource: repositoryARN, Actions: []string{"ecr:DescribeImages"}},
		{Service: "ecr", Name: "DescribeImages", Kind: fact.KindImageList, Resource: repositoryARN, Actions: []string{"ecr:DescribeImages"}},
		plain("events", "ListRuleNamesByTarget", fact.KindTargeting),
		{Service: "events", Name: "DescribeRule", Kind: fact.KindRule, Resource: ruleARN, Actions: []string{"events:DescribeRule"}},
		plain("events", "ListRules", fact.KindRule),
		{Service: "events", Name: "ListTargetsByRule", Kind: fact.KindRuleTargets, Resource: ruleARN, Actions: []string{"events:ListTargetsByRule"}},
		{Service: "s3", Name: "HeadBucket", Kind: fact.KindBucket, Resource: bucketARN, Actions: []string{"s3:ListBucket"}},
		{Service: "s3", Name: "ListBuckets", Kind: fact.KindOwnBuckets, Resource: "*", Actions: []string{"s3:ListAllMyBuckets"}},
		{Service: "s3", Name: "GetBucketPolicy", Kind: fact.KindBucketPolicy, Resource: bucketARN, Actions: []string{"s3:GetBucketPolicy"}},
		{Service: "s3", Name: "GetBucketEncryption", Kind: fact.KindBucketEncryption, Resource: bucketARN, Actions: []string{"s3:GetEncryptionConfiguration"}},
		{Service: "kms", Name: "DescribeKey", Kind: fact.KindKey, Resource: keyARN, Actions: []string{"kms:DescribeKey"}},
		{Service: "kms", Name: "GetKeyPolicy", Kind: fact.KindKeyPolicy, Resource: keyARN, Actions: []string{"kms:GetKeyPolicy"}},
		{Service: "route53", Name: "ListResourceRecordSets", Kind: fact.KindRecord, Resource: zoneARN, Actions: []string{"route53:ListResourceRecordSets"}},
	}
}

// plain is a read that is granted on "*" by the action of its own name.
func plain(service, name string, kind fact.Kind) Op {
	return Op{Service: service, Name: name, Kind: kind, Resource: "*", Actions: []string{service + ":" + name}}
}

// Handshake are the IAM actions a person needs in the console to complete a connection, without prefix. None of them knows
// a resource type except UpdateConnectionInstallation: a policy that scopes the others to the connection's ARN grants
// nothing (Service Authorization Reference, AWS CodeConnections).
func Handshake() []string {
	return []string{"GetIndividualAccessToken", "GetInstallationUrl", "ListInstallationTargets", "StartOAuthHandshake", "UpdateConnectionInstallation"}
}

// JSON is the input as JSON with sorted members.
func (in Input) JSON() json.RawMessage {
	b, err := json.Marshal(map[string]string(in))
	if err != nil {
		panic("op: input does not marshal: " + err.Error())
	}
	return b
}
