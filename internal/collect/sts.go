package collect

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/unjam/unjam/internal/fact"
)

func (c *Collector) identity(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.GetCallerIdentity(ctx, q.Scope)
	if err != nil {
		return answer{err: err, src: src}
	}
	origin, err := c.s.Credentials(ctx)
	if err != nil {
		return answer{err: err, src: src}
	}
	account, arn := aws.ToString(out.Account), aws.ToString(out.Arn)
	src.Account = account
	ref := fact.Ref{Scope: fact.Scope{Account: account}, Kind: fact.KindIdentity, ID: arn}
	return answer{facts: []fact.Fact{fact.Identity{
		Seen: seen(ref, src), Account: account, ARN: arn, UserID: aws.ToString(out.UserId),
		Kind: identityKind(arn), Origin: origin.Source, ExpiresAt: origin.ExpiresAt,
	}}}
}

// identityKind sorts the ARNs GetCallerIdentity gives.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func identityKind(arn string) string {
	a, err := fact.ParseARN(arn)
	if err != nil {
		return ""
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	if kind == "assumed-role" && fact.PermissionSet(strings.SplitN(name, "/", 2)[0]) != "" {
		return "sso"
	}
	return kind
}
