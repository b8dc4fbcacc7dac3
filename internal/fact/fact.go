// Package fact holds what was read from AWS: facts, proofs of absence, coverage and gaps, sealed in a Snapshot.
// It never reads anything itself and never judges.
package fact

import (
	"cmp"
	"slices"
	"time"
)

// Scope is one account in one Region. Region "" is global to the account: connections, IAM, the Region list.
type Scope struct {
	Account string `json:"account"`
	Region  string `json:"region"`
}

// Global is the account-wide scope of the same account.
func (s Scope) Global() Scope { return Scope{Account: s.Account} }

// Kind names a sort of fact: what one query reads.
type Kind string

// The kinds of facts. The comment says which operation answers a query of the kind and what its ID is.
const (
	KindIdentity      Kind = "identity"       // sts:GetCallerIdentity and the local credentials
	KindRegion        Kind = "region"         // account:ListRegions
	KindPipelineList  Kind = "pipeline-list"  // codepipeline:ListPipelines
	KindPipeline      Kind = "pipeline"       // codepipeline:GetPipeline; pipeline name
	KindPipelineState Kind = "pipeline-state" // codepipeline:GetPipelineState; pipeline name
	KindExecution     Kind = "execution"      // codepipeline:ListPipelineExecutions; pipeline name
	KindAction        Kind = "action"         // codepipeline:ListActionExecutions; pipeline name, Args "execution"
	KindConnection    Kind = "connection"     // GetConnection; connection ARN. ID "" reads ListConnections
	KindTags          Kind = "tags"           // ListTagsForResource; connection ARN
	KindHost          Kind = "host"           // ListHosts of the Region
	KindEvent         Kind = "event"          // cloudtrail:LookupEvents; event name
	KindSimulation    Kind = "simulation"     // iam:SimulatePrincipalPolicy; principal ARN, Args "actions", "resources", "context"
	KindRole          Kind = "role"           // iam:ListRoles; path prefix

	KindDefinition    Kind = "definition"     // codepipeline:GetPipeline of one version; pipeline name, Args "version"
	KindConfigHistory Kind = "config-history" // config:GetResourceConfigHistory; resource name, Args "type"
	KindStack         Kind = "stack"          // cloudformation:DescribeStackResources; physical ID of a resource
	KindDrift         Kind = "drift"          // cloudformation:DescribeStackResourceDrifts; stack name, Args "detect" = "yes" runs a detection first
	KindStackState    Kind = "stack-state"    // cloudformation:DescribeStacks; stack name or ARN
	KindStackEvents   Kind = "stack-events"   // cloudformation:DescribeStackEvents; stack name or ARN, Args "until" = RFC 3339: the operation that had begun last by then
	KindChangeSet     Kind = "change-set"     // cloudformation:DescribeChangeSet; STACK/CHANGE-SET
	KindDeclared      Kind = "declared"       // a Terraform state or plan file; never queried

	KindProject     Kind = "project"      // codebuild:BatchGetProjects; project name
	KindPolicies    Kind = "policies"     // the policies of a role, its trust and its boundary; role ARN
	KindDecoded     Kind = "decoded"      // sts:DecodeAuthorizationMessage; a digest, Args "message"
	KindPolicyCheck Kind = "policy-check" // access-analyzer:ValidatePolicy; a digest, Args "document"
	KindOpenings    Kind = "openings"     // access-analyzer:ListFindingsV2; role ARN
	KindNewAccess   Kind = "new-access"   // access-analyzer:CheckNoNewAccess; a digest, Args "document", "existing"

	KindSubnet        Kind = "subnet"         // ec2:DescribeSubnets; VPC ID
	KindSecurityGroup Kind = "security-group" // ec2:DescribeSecurityGroups; VPC ID
	KindNetworkACL    Kind = "network-acl"    // ec2:DescribeNetworkAcls; VPC ID
	KindRouteTable    Kind = "route-table"    // ec2:DescribeRouteTables; VPC ID
	KindDHCPOptions   Kind = "dhcp-options"   // ec2:DescribeDhcpOptions of the Region
	KindEndpoint      Kind = "endpoint"       // ec2:DescribeVpcEndpoints of the Region
	KindCertificate   Kind = "certificate"    // a TLS handshake with a host's endpoint; its URL

	KindQuota        Kind = "quota"        // servicequotas:ListServiceQuotas; service code
	KindActionType   Kind = "action-type"  // codepipeline:ListActionTypes, the custom ones; ID "" or CATEGORY/PROVIDER/VERSION
	KindWebhook      Kind = "webhook"      // codepipeline:ListWebhooks
	KindOrganization Kind = "organization" // organizations:DescribeOrganization
	KindAlias        Kind = "alias"        // iam:ListAccountAliases
	KindAccountTags  Kind = "account-tags" // organizations:ListTagsForResource of the account
	KindHealth       Kind = "health"       // health:DescribeEvents; Region asked about

	KindAlarm              Kind = "alarm"               // cloudwatch:DescribeAlarms of the Region, those about pipelines
	KindManagedCertificate Kind = "managed-certificate" // acm:DescribeCertificate; certificate ARN. ID "" reads ListCertificates of the Region
	KindHostedZone         Kind = "hosted-zone"         // route53:GetHostedZone; zone ID. ID "" reads ListHostedZones
	KindRecord             Kind = "record"              // route53:ListResourceRecordSets; ZONE-ID/NAME/TYPE
	KindLookup             Kind = "lookup"              // a question to the public DNS; NAME/TYPE

	KindOwnFault    Kind = "own-fault"    // why a user's own fault could not judge a thing, Args "why"; nothing answers it
	KindRepository  Kind = "repository"   // ecr:DescribeRepositories; repository name
	KindImage       Kind = "image"        // ecr:DescribeImages of one tag; REPOSITORY:TAG
	KindImageList   Kind = "image-list"   // ecr:DescribeImages, the tagged ones; repository name
	KindTargeting   Kind = "targeting"    // events:ListRuleNamesByTarget; ARN of a target
	KindRule        Kind = "rule"         // events:DescribeRule; rule name. ID "" reads ListRules of the Region
	KindRuleTargets Kind = "rule-targets" // events:ListTargetsByRule; rule name

	KindBucket           Kind = "bucket"            // s3:HeadBucket in the query's Region; bucket name
	KindOwnBuckets       Kind = "own-buckets"       // s3:ListBuckets
	KindBucketPolicy     Kind = "bucket-policy"     // s3:GetBucketPolicy; bucket name
	KindBucketEncryption Kind = "bucket-encryption" // s3:GetBucketEncryption; bucket name
	KindKey              Kind = "key"               // kms:DescribeKey; key ARN, ID or alias
	KindKeyPolicy        Kind = "key-policy"        // kms:GetKeyPolicy; key ARN or ID
)

// Ref names one thing: the ARN in ID, or the name where AWS gives no ARN.
type Ref struct {
	Scope Scope  `json:"scope"`
	Kind  Kind   `json:"kind"`
	ID    string `json:"id"`
}

// Compare orders Refs by account, Region, kind and ID.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(cmp.Compare(r.Scope.Account, o.Scope.Account), cmp.Compare(r.Scope.Region, o.Scope.Region),
		cmp.Compare(r.Kind, o.Kind), cmp.Compare(r.ID, o.ID))
}

// Source is the one reply a fact came from.
type Source struct {
	Service   string    `json:"service"`   // signing name
	Operation string    `json:"operation"` // API operation
	RequestID string    `json:"requestId"` // as AWS sent it; "" when the fact is local
	At        time.Time `json:"at"`        // when the reply was received, UTC
	Account   string    `json:"account"`
	Region    string    `json:"region"` // the Region asked
}

// Fact is one observation: a value that came with one reply.
type Fact interface {
	Ref() Ref
	Source() Source
}

// Seen is embedded by every fact: what it is about and where it came from.
type Seen struct {
	About Ref    `json:"about"`
	From  Source `json:"from"`
}

// Ref is what the fact is about.
func (s Seen) Ref() Ref { return s.About }

// Source is the reply the fact came from.
func (s Seen) Source() Source { return s.From }

// Absent is AWS's own word that a thing does not exist: proof, unlike never having asked.
type Absent struct{ Seen }

// Coverage says that a query was answered to its end. Without it, no gap does not mean that something was read.
type Coverage struct {
	Query Query  `json:"query"`
	Last  Source `json:"last,omitzero"` // the last reply to it, where one is known: the only trace of an empty list
}

// Class says why something could not be seen. The words are part of the JSON contract.
type Class string

// The classes of gaps.
const (
	Denied      Class = "denied"      // AWS refused the read; Permission names what is missing
	Throttled   Class = "throttled"   // refused for its rate, after all tries
	Timeout     Class = "timeout"     // no answer in time
	Expired     Class = "expired"     // the credentials ran out
	Unsupported Class = "unsupported" // the Region or partition has no such service
	Missing     Class = "absent"      // the source does not exist here (no recorder, no trail, no plan)
	Skipped     Class = "skipped"     // left out on purpose: --quick, a budget
	Failed      Class = "error"       // anything else, in Why
)

// Gap is what could not be seen, as narrow as it really is.
type Gap struct {
	Query      Query  `json:"query"`
	Source     Source `json:"source"`
	Class      Class  `json:"class"`
	Permission string `json:"permission"` // the IAM action that would have shown it; "" when none would
	Why        string `json:"why"`        // one line for people, AWS's own text where there is one
}

// Query is something to read next.
type Query struct {
	Scope Scope             `json:"scope"`
	Kind  Kind              `json:"kind"`
	ID    string            `json:"id,omitempty"`
	Args  map[string]string `json:"args,omitempty"`
}

// Key is the query as one string: equal queries have equal keys.
func (q Query) Key() string {
	k := q.Scope.Account + "\x00" + q.Scope.Region + "\x00" + string(q.Kind) + "\x00" + q.ID
	names := make([]string, 0, len(q.Args))
	for n := range q.Args {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		k += "\x00" + n + "=" + q.Args[n]
	}
	return k
}

// Question is what the user asked: which Regions of which account, about what.
type Question struct {
	Account    string   `json:"account"`
	Regions    []string `json:"regions"`              // in the order asked; the first is the main one
	Targets    []Target `json:"targets,omitempty"`    // empty: everything in the Regions
	Principals []string `json:"principals,omitempty"` // also judged for completing a handshake (--principal)
	Quick      bool     `json:"quick,omitempty"`      // leave out the blast radius in other Regions
	Drift      bool     `json:"drift,omitempty"`      // run a drift detection of the owning stack: a job in the account (--drift)
	Paid       bool     `json:"paid,omitempty"`       // checks that AWS charges for are allowed (--paid-checks)
	Console    string   `json:"console,omitempty"`    // base URL of the console; "" is AWS's own
}
