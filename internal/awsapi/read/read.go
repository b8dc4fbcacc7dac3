// Package read has one method for every read operation of the catalogue: it calls, and gives the output with the reply
// it came from. It has no write operation and never judges what it read.
package read

import (
	"context"
	"sync"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codestarconnections"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
)

// Reader reads with one session. It is safe for concurrent use. Service clients are made when first needed and kept,
// one per Region: they remember how far this machine's clock is off.
type Reader struct {
	s       *awsapi.Session
	mu      sync.Mutex
	clients map[clientKey]unsafe.Pointer
	old     map[string]bool // by Region: only the old API of the connection services is to be had
}

type clientKey struct{ service, region string }

// New makes a Reader.
func New(s *awsapi.Session) *Reader {
	return &Reader{s: s, clients: map[clientKey]unsafe.Pointer{}}
}

// Region is the Region that is asked for a scope: the scope's own, or the session's for a global one.
func (r *Reader) Region(scope fact.Scope) string {
	if scope.Region != "" {
		return scope.Region
	}
	return r.s.Region()
}

// client finds or makes the client of a service in a Region, of the type that belongs to the service. It is neither generic nor any: CEL's protocol
// buffers look methods up by name, and of every client that meets an interface or a dictionary the linker would then keep all operations,
// which makes the program four times as large (.ci/run measures it).
func (r *Reader) client(service, region string, make func(aws.Config) unsafe.Pointer) unsafe.Pointer {
	k := clientKey{service, region}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.clients[k]
	if !ok {
		c = make(r.s.Config(region))
		r.clients[k] = c
	}
	return c
}

// call makes one call and says which reply it got. The Source is filled as far as it is known also when the call failed.
func call[I, O, F any](ctx context.Context, r *Reader, scope fact.Scope, service, operation string,
	do func(context.Context, *I, ...func(*F)) (*O, error), in *I) (*O, awsapi.Reply, fact.Source, error) {
	var reply awsapi.Reply
	out, err := do(awsapi.WithReply(ctx, &reply), in)
	src := fact.Source{Service: service, Operation: operation, RequestID: reply.RequestID, At: reply.At, Account: scope.Account, Region: r.Region(scope)}
	if err == nil {
		awsapi.Testify(ctx, src, reply.Body)
	}
	return out, reply, src, err
}

func (r *Reader) pipelines(scope fact.Scope) *codepipeline.Client {
	return (*codepipeline.Client)(r.client("codepipeline", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(codepipeline.NewFromConfig(c)) }))
}

func (r *Reader) connections(scope fact.Scope) *codeconnections.Client {
	return (*codeconnections.Client)(r.client("codeconnections", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(codeconnections.NewFromConfig(c)) }))
}

func (r *Reader) oldConnections(scope fact.Scope) *codestarconnections.Client {
	return (*codestarconnections.Client)(r.client("codestar-connections", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(codestarconnections.NewFromConfig(c)) }))
}

func (r *Reader) trail(scope fact.Scope) *cloudtrail.Client {
	return (*cloudtrail.Client)(r.client("cloudtrail", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(cloudtrail.NewFromConfig(c)) }))
}

func (r *Reader) iam(scope fact.Scope) *iam.Client {
	return (*iam.Client)(r.client("iam", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(iam.NewFromConfig(c)) }))
}

func (r *Reader) sts(scope fact.Scope) *sts.Client {
	return (*sts.Client)(r.client("sts", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(sts.NewFromConfig(c)) }))
}

func (r *Reader) account(scope fact.Scope) *account.Client {
	return (*account.Client)(r.client("account", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(account.NewFromConfig(c)) }))
}
