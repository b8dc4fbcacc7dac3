package read

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cc "github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	csc "github.com/aws/aws-sdk-go-v2/service/codestarconnections"
	old "github.com/aws/aws-sdk-go-v2/service/codestarconnections/types"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
)

// AWS CodeConnections has two APIs over one store. The new one knows both ARN prefixes, so it is asked first; where it
// is not to be had (its host name does not resolve or cannot be reached: older Regions, a VPC endpoint of the old service only; or it
// does not know the operation), the old one is asked, which knows old ARNs only. The Source says which one answered. Where the
// old one answered while the new one could not be reached, the Region's further calls go to the old one at once: a host that swallows
// packets costs seconds a call.

const (
	service    = "codeconnections"
	oldService = "codestar-connections"
)

// absent reports whether the new API is not to be had at all, as opposed to having refused.
func absent(err error) bool {
	if err == nil {
		return false
	}
	switch awsapi.Classify(err).Kind {
	case awsapi.DNS, awsapi.Dial, awsapi.NoOperation:
		return true
	}
	return false
}

// onlyOld reports whether a Region's new API was out of reach while its old one answered.
func (r *Reader) onlyOld(scope fact.Scope) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.old[r.Region(scope)]
}

// answered notes that the old API of a Region answered after the new one had failed with an error.
func (r *Reader) answered(scope fact.Scope, err error) {
	if !absent(err) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.old == nil {
		r.old = map[string]bool{}
	}
	r.old[r.Region(scope)] = true
}

// oldARN reports whether the old API can know the resource.
func oldARN(arn string) bool {
	a, err := fact.ParseARN(arn)
	return err == nil && a.Service == oldService
}

// both gives the old API's error where both fail: unless that one is no better, then the new API's stands.
func both(first, second error) error {
	if absent(second) {
		return first
	}
	return second
}

// errIncomplete is a reply without a member that the API promises.
var errIncomplete = errors.New("the reply lacks the connection")

// GetConnection calls GetConnection, falling back to the old API for ARNs of the old prefix. The connection is never nil
// without an error.
func (r *Reader) GetConnection(ctx context.Context, scope fact.Scope, arn string) (*types.Connection, fact.Source, error) {
	return either(r, scope, oldARN(arn), func() (*types.Connection, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, service, "GetConnection", r.connections(scope).GetConnection, &cc.GetConnectionInput{ConnectionArn: &arn})
		switch {
		case err != nil:
			return nil, src, err
		case out.Connection == nil:
			return nil, src, errIncomplete
		}
		return out.Connection, src, nil
	}, func() (*types.Connection, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, oldService, "GetConnection", r.oldConnections(scope).GetConnection, &csc.GetConnectionInput{ConnectionArn: &arn})
		switch {
		case err != nil:
			return nil, src, err
		case out.Connection == nil:
			return nil, src, errIncomplete
		}
		return renew(out.Connection), src, nil
	})
}

// ListConnections calls ListConnections, one page; token "" is the first.
func (r *Reader) ListConnections(ctx context.Context, scope fact.Scope, token string) (page []types.Connection, next string, src fact.Source, err error) {
	return eitherList(r, scope, token, func(token string) ([]types.Connection, string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, service, "ListConnections", r.connections(scope).ListConnections, &cc.ListConnectionsInput{MaxResults: pageSize, NextToken: optional(token)})
		if err != nil {
			return nil, "", src, err
		}
		return out.Connections, aws.ToString(out.NextToken), src, nil
	}, func(token string) ([]types.Connection, string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, oldService, "ListConnections", r.oldConnections(scope).ListConnections, &csc.ListConnectionsInput{MaxResults: pageSize, NextToken: optional(token)})
		if err != nil {
			return nil, "", src, err
		}
		var page []types.Connection
		for i := range out.Connections {
			page = append(page, *renew(&out.Connections[i]))
		}
		return page, aws.ToString(out.NextToken), src, nil
	})
}

// ListHosts calls ListHosts, one page; token "" is the first.
func (r *Reader) ListHosts(ctx context.Context, scope fact.Scope, token string) (page []types.Host, next string, src fact.Source, err error) {
	return eitherList(r, scope, token, func(token string) ([]types.Host, string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, service, "ListHosts", r.connections(scope).ListHosts, &cc.ListHostsInput{MaxResults: pageSize, NextToken: optional(token)})
		if err != nil {
			return nil, "", src, err
		}
		return out.Hosts, aws.ToString(out.NextToken), src, nil
	}, func(token string) ([]types.Host, string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, oldService, "ListHosts", r.oldConnections(scope).ListHosts, &csc.ListHostsInput{MaxResults: pageSize, NextToken: optional(token)})
		if err != nil {
			return nil, "", src, err
		}
		var page []types.Host
		for _, h := range out.Hosts {
			page = append(page, renewHost(h))
		}
		return page, aws.ToString(out.NextToken), src, nil
	})
}

// pageSize is the largest page both APIs give (API_ListConnections, member MaxResults).
const pageSize = 100

// eitherList reads a page from the new API and, where that is not to be had, from the old one. A token is only good at
// the API it came from, so those of the old one are marked.
func eitherList[T any](r *Reader, scope fact.Scope, token string, fresh, old func(token string) ([]T, string, fact.Source, error)) ([]T, string, fact.Source, error) {
	const mark = oldService + "\n"
	token, fromOld := strings.CutPrefix(token, mark)
	var first error
	if !fromOld && (token != "" || !r.onlyOld(scope)) {
		page, next, src, err := fresh(token)
		if !absent(err) || token != "" {
			return page, next, src, err
		}
		first = err
	}
	page, next, src, err := old(token)
	switch {
	case err != nil && first != nil:
		err = both(first, err)
	case err == nil:
		r.answered(scope, first)
	}
	if next != "" {
		next = mark + next
	}
	return page, next, src, err
}

// ListTagsForResource calls ListTagsForResource, falling back to the old API for ARNs of the old prefix.
func (r *Reader) ListTagsForResource(ctx context.Context, scope fact.Scope, arn string) (map[string]string, fact.Source, error) {
	return either(r, scope, oldARN(arn), func() (map[string]string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, service, "ListTagsForResource", r.connections(scope).ListTagsForResource, &cc.ListTagsForResourceInput{ResourceArn: &arn})
		if err != nil {
			return nil, src, err
		}
		tags := map[string]string{}
		for _, t := range out.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return tags, src, nil
	}, func() (map[string]string, fact.Source, error) {
		out, _, src, err := call(ctx, r, scope, oldService, "ListTagsForResource", r.oldConnections(scope).ListTagsForResource, &csc.ListTagsForResourceInput{ResourceArn: &arn})
		if err != nil {
			return nil, src, err
		}
		tags := map[string]string{}
		for _, t := range out.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return tags, src, nil
	})
}

// either reads one thing from the new API and, where that is not to be had and the old one can know the thing, from the old one.
func either[T any](r *Reader, scope fact.Scope, oldKnows bool, fresh, old func() (T, fact.Source, error)) (T, fact.Source, error) {
	var first error
	if !oldKnows || !r.onlyOld(scope) {
		out, src, err := fresh()
		if !absent(err) || !oldKnows {
			return out, src, err
		}
		first = err
	}
	out, src, err := old()
	switch {
	case err != nil && first != nil:
		err = both(first, err)
	case err == nil:
		r.answered(scope, first)
	}
	return out, src, err
}

// renew gives a connection of the old API the new API's type.
func renew(c *old.Connection) *types.Connection {
	if c == nil {
		return nil
	}
	return &types.Connection{
		ConnectionArn: c.ConnectionArn, ConnectionName: c.ConnectionName, ConnectionStatus: types.ConnectionStatus(c.ConnectionStatus),
		HostArn: c.HostArn, OwnerAccountId: c.OwnerAccountId, ProviderType: types.ProviderType(c.ProviderType),
	}
}

// renewHost gives a host of the old API the new API's type.
func renewHost(h old.Host) types.Host {
	n := types.Host{
		HostArn: h.HostArn, Name: h.Name, ProviderEndpoint: h.ProviderEndpoint, ProviderType: types.ProviderType(h.ProviderType),
		Status: h.Status, StatusMessage: h.StatusMessage,
	}
	if v := h.VpcConfiguration; v != nil {
		n.VpcConfiguration = &types.VpcConfiguration{VpcId: v.VpcId, SubnetIds: v.SubnetIds, SecurityGroupIds: v.SecurityGroupIds}
	}
	return n
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
