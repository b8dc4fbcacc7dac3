package fact

import (
	"fmt"
	"strings"
)

// ARN is a parsed Amazon Resource Name.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ParseARN parses arn:partition:service:region:account:resource.
func ParseARN(s string) (ARN, error) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, fmt.Errorf("parse ARN %q: want arn:partition:service:region:account:resource", s)
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, nil
}

// String is the ARN as AWS writes it.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Name is the last part of the resource: the connection's UUID, the role's name.
func (a ARN) Name() string { return a.Resource[strings.LastIndexAny(a.Resource, "/:")+1:] }

// IsConnection reports whether the ARN names a connection, of either service prefix.
func (a ARN) IsConnection() bool {
	return ConnectionService(a.Service) && strings.HasPrefix(a.Resource, "connection/") && len(a.Resource) > len("connection/")
}

// IsHost reports whether the ARN names a host, of either service prefix.
func (a ARN) IsHost() bool {
	return ConnectionService(a.Service) && strings.HasPrefix(a.Resource, "host/") && len(a.Resource) > len("host/")
}

// ConnectionService reports whether a service prefix is one of the two names of AWS CodeConnections
// (renamed in March 2024; old ARNs are never migrated: docs/aws-facts.md, "Two prefixes").
func ConnectionService(prefix string) bool {
	return prefix == "codeconnections" || prefix == "codestar-connections"
}

// ConnectionRef is the Ref of a connection: kept once per account, by ARN, because every Region shows it.
func ConnectionRef(account, arn string) Ref {
	return Ref{Scope: Scope{Account: account}, Kind: KindConnection, ID: arn}
}

// PipelineRef is the Ref of a pipeline.
func PipelineRef(scope Scope, name string) Ref {
	return Ref{Scope: scope, Kind: KindPipeline, ID: name}
}

// StateRef is the Ref of a pipeline's state.
func StateRef(scope Scope, name string) Ref {
	return Ref{Scope: scope, Kind: KindPipelineState, ID: name}
}

// RoleARN turns the ARN of an assumed-role session into the ARN of its role, the only form that IAM's simulator takes.
// The session ARN lacks the role's path: for IAM Identity Center roles the known one is put back, for others it is
// exact only when the role has the path "/".
func RoleARN(session string) string {
	a, err := ParseARN(session)
	if err != nil || a.Service != "sts" || !strings.HasPrefix(a.Resource, "assumed-role/") {
		return session
	}
	role := strings.Split(a.Resource, "/")[1]
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", a.Partition, a.Account, role)
}
