// Package connections simulates AWS CodeConnections and its older self, AWS CodeStar Connections: one store of
// connections and hosts behind two APIs, and the console calls that alone complete a handshake. It never makes a
// connection AVAILABLE by an API call: a person at the console does, or nobody.
package connections

import (
	"regexp"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/ec2"
)

// The two prefixes: signing name, ARN service and IAM prefix at once. AWS renamed the service on 2024-03-29 and never
// migrated the old ARNs: https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
const (
	New20231201 = "codeconnections"
	Old20191201 = "codestar-connections"
)

// ConnectionStatus values.
const (
	Pending   = "PENDING"
	Available = "AVAILABLE"
	Errored   = "ERROR"
)

// The quotas of https://docs.aws.amazon.com/dtconsole/latest/userguide/limits-connections.html; 50 tags is the limit
// of https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
const (
	maxConnections = 250 // per account
	maxHosts       = 50  // per account
	maxTags        = 50  // per resource
	maxPage        = 100 // MaxResults of both lists
)

// Errors of the API models.
const (
	notFound    = "ResourceNotFoundException"
	unavailable = "ResourceUnavailableException"
	limit       = "LimitExceededException"
	conflict    = "ConflictException"
	unsupported = "UnsupportedOperationException"
)

// Service is the store behind both APIs. Its methods are called with the cloud's lock held.
type Service struct {
	c      *cloud.Cloud
	dir    *provider.Directory
	conns  []*cloud.Lagged[Connection] // in order of creation; deleted ones stay, so that no ARN is reused
	hosts  []*cloud.Lagged[Host]
	links  []Link
	syncs  []Sync
	shares map[string][]string // connection ARN to the accounts it is shared with
	broken map[string]string   // account/VPC ID to why no host can be set up in it
	arnRE  *regexp.Regexp
	hostRE map[string]*regexp.Regexp // by API
	vpcRE  [3]*regexp.Regexp         // VpcId, SubnetId, SecurityGroupId

	network *ec2.Service    // nil: every VPC is fine
	watched map[string]bool // connections that AWS is about to look at
	noticed map[string]bool // connections in ERROR for a trouble that may pass

	// NameConnection has every event of a handshake name the connection it is for. AWS documents neither; without it
	// only UpdateConnectionInstallation and the reads around it carry a connectionArn, the others the provider type.
	NameConnection bool
}

// New registers both services on c.
func New(c *cloud.Cloud, dir *provider.Directory) *Service {
	s := &Service{
		c: c, dir: dir, shares: map[string][]string{}, broken: map[string]string{}, watched: map[string]bool{}, noticed: map[string]bool{},
		arnRE: regexp.MustCompile(`^arn:aws(-[\w]+)*:.+:.+:[0-9]{12}:.+$`),
		hostRE: map[string]*regexp.Regexp{
			New20231201: regexp.MustCompile(`^arn:aws(-[\w]+)*:(codestar-connections|codeconnections):.+:[0-9]{12}:host\/.+$`),
			Old20191201: regexp.MustCompile(`^arn:aws(-[\w]+)*:codestar-connections:.+:[0-9]{12}:host\/.+$`),
		},
		vpcRE: [3]*regexp.Regexp{
			regexp.MustCompile(`^vpc-\w{8}(\w{9})?$`), regexp.MustCompile(`^subnet-\w{8}(\w{9})?$`), regexp.MustCompile(`^sg-\w{8}(\w{9})?$`),
		},
	}
	c.Register(&cloud.Service{
		Name: New20231201, Target: "com.amazonaws.codeconnections.CodeConnections_20231201", Version: "2023-12-01",
		Protocol: cloud.JSON10, EventSource: "codeconnections.amazonaws.com", Ops: s.ops(New20231201),
	})
	c.Register(&cloud.Service{
		Name: Old20191201, Target: "com.amazonaws.codestar.connections.CodeStar_connections_20191201", Version: "2019-12-01",
		Protocol: cloud.JSON10, EventSource: "codestar-connections.amazonaws.com", Ops: s.ops(Old20191201),
	})
	return s
}

func (s *Service) ops(name string) map[string]*cloud.Op {
	a := &api{Service: s, name: name}
	all := map[string]*cloud.Op{}
	a.connectionOps(all)
	a.hostOps(all)
	a.tagOps(all)
	a.linkOps(all)
	a.consoleOps(all)
	return all
}

// api is one of the two faces of the store.
type api struct {
	*Service
	name string
}

// op builds an operation: the input is judged first, then the caller, then do runs. A request that is not valid needs
// no permission to be told so.
func (a *api) op(readOnly bool, check func(*cloud.Request, *problems), access func(*cloud.Request) cloud.Access,
	do func(*cloud.Request) (map[string]any, error)) *cloud.Op {
	invalid := func(r *cloud.Request) error {
		p := &problems{}
		check(r, p)
		return p.err()
	}
	return &cloud.Op{
		ReadOnly: readOnly,
		Access: func(r *cloud.Request) []cloud.Access {
			if invalid(r) != nil {
				return nil
			}
			return []cloud.Access{access(r)}
		},
		Do: func(r *cloud.Request) (map[string]any, error) {
			if err := invalid(r); err != nil {
				return nil, err
			}
			return do(r)
		},
	}
}

// onResource is the access an operation needs on the resource its member names. The action's prefix follows the
// resource's, whichever API was called.
func (a *api) onResource(member, action string) func(*cloud.Request) cloud.Access {
	return func(r *cloud.Request) cloud.Access {
		arn := r.Str(member)
		return cloud.Access{Action: a.prefixOf(arn) + ":" + action, Resource: arn, Context: a.tagContext(arn)}
	}
}

// prefixOf is the service in an ARN when it is one of ours, the API's own otherwise.
func (a *api) prefixOf(arn string) string {
	if p := parseARN(arn).service; p == New20231201 || p == Old20191201 {
		return p
	}
	return a.name
}

type arnParts struct{ partition, service, region, account, resource string }

func parseARN(arn string) arnParts {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" {
		return arnParts{}
	}
	return arnParts{p[1], p[2], p[3], p[4], p[5]}
}

func makeARN(service, region, account, resource string) string {
	partition := "aws"
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		partition = "aws-us-gov"
	case strings.HasPrefix(region, "cn-"):
		partition = "aws-cn"
	}
	return strings.Join([]string{"arn", partition, service, region, account, resource}, ":")
}
