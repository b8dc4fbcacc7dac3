// Package read has one method for every read operation of the catalogue: it calls, and gives the output with the reply
// it came from. It has no write operation and never judges what it read.
package read

import (
	"context"
	"sync"

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
	clients map[clientKey]any
	old     map[string]bool // by Region: only the old API of the connection services is to be had
}

type clientKey struct{ service, region string }

// New makes a Reader.
func New(s *awsapi.Session) *Reader {
	return &Reader{s: s, clients: map[clientKey]any{}}
}

// Region is the Region that is asked for a scope: the scope's own, or the session's for a global one.
func (r *Reader) Region(scope fact.Scope) string {
	if scope.Region != "" {
		return scope.Region
	}
	return r.s.Region()
}

// client finds or makes the client of a service in a Region.
func client[C any](r *Reader, service, region string, make func(aws.Config) *C) *C {
	k := clientKey{service, region}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.clients[k].(*C); ok {
		return c
	}
	c := make(r.s.Config(region))
	r.clients[k] = c
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
	return client(r, "codepipeline", r.Region(scope), func(c aws.Config) *codepipeline.Client { return codepipeline.NewFromConfig(c) })
}

func (r *Reader) connections(scope fact.Scope) *codeconnections.Client {
	return client(r, "codeconnections", r.Region(scope), func(c aws.Config) *codeconnections.Client { return codeconnections.NewFromConfig(c) })
}

func (r *Reader) oldConnections(scope fact.Scope) *codestarconnections.Client {
	return client(r, "codestar-connections", r.Region(scope), func(c aws.Config) *codestarconnections.Client { return codestarconnections.NewFromConfig(c) })
}

func (r *Reader) trail(scope fact.Scope) *cloudtrail.Client {
	return client(r, "cloudtrail", r.Region(scope), func(c aws.Config) *cloudtrail.Client { return cloudtrail.NewFromConfig(c) })
}

func (r *Reader) iam(scope fact.Scope) *iam.Client {
	return client(r, "iam", r.Region(scope), func(c aws.Config) *iam.Client { return iam.NewFromConfig(c) })
}

func (r *Reader) sts(scope fact.Scope) *sts.Client {
	return client(r, "sts", r.Region(scope), func(c aws.Config) *sts.Client { return sts.NewFromConfig(c) })
}

func (r *Reader) account(scope fact.Scope) *account.Client {
	return client(r, "account", r.Region(scope), func(c aws.Config) *account.Client { return account.NewFromConfig(c) })
}
