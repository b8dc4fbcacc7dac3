package connections

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// Tag is one tag of a connection or host.
type Tag struct{ Key, Value string }

func (a *api) tagOps(all map[string]*cloud.Op) {
	named := func(r *cloud.Request, p *problems) { a.arn(p, r, "ResourceArn", "resourceArn", 1011) }
	all["TagResource"] = a.op(false, func(r *cloud.Request, p *problems) {
		named(r, p)
		p.tags(r, true)
	}, a.accessTag("TagResource"), func(r *cloud.Request) (map[string]any, error) {
		return a.retag(r, func(old []Tag) ([]Tag, error) { return mergeTags(r, old) })
	})
	all["UntagResource"] = a.op(false, func(r *cloud.Request, p *problems) {
		named(r, p)
		p.texts(r.In, "TagKeys", "tagKeys", true, 0, 200, rule{min: 1, max: 128})
	}, a.accessTag("UntagResource"), func(r *cloud.Request) (map[string]any, error) {
		return a.retag(r, func(old []Tag) ([]Tag, error) {
			return slices.DeleteFunc(slices.Clone(old), func(t Tag) bool { return slices.Contains(r.List("TagKeys"), any(t.Key)) }), nil
		})
	})
	all["ListTagsForResource"] = a.op(true, named, a.onResource("ResourceArn", "ListTagsForResource"), a.listTags)
}

func (a *api) accessTag(action string) func(*cloud.Request) cloud.Access {
	return func(r *cloud.Request) cloud.Access {
		access := a.onResource("ResourceArn", action)(r)
		for k, v := range requestTags(r) {
			access.Context[k] = v
		}
		for _, k := range r.List("TagKeys") {
			access.Context["aws:TagKeys"] = append(access.Context["aws:TagKeys"], k.(string))
		}
		return access
	}
}

// retag changes the tags of a connection or host, in the Region of its ARN.
func (a *api) retag(r *cloud.Request, change func([]Tag) ([]Tag, error)) (map[string]any, error) {
	arn := r.Str("ResourceArn")
	if strings.HasPrefix(parseARN(arn).resource, "host/") {
		l, h, err := a.ownHost(r, arn)
		if err != nil {
			return nil, err
		}
		if h.Tags, err = change(h.Tags); err != nil {
			return nil, err
		}
		l.Set(a.c, h)
		return map[string]any{}, nil
	}
	l, k, err := a.owned(r, arn)
	if err != nil {
		return nil, err
	}
	if k.Tags, err = change(k.Tags); err != nil {
		return nil, err
	}
	l.Set(a.c, k)
	return map[string]any{}, nil
}

func (a *api) listTags(r *cloud.Request) (map[string]any, error) {
	arn := r.Str("ResourceArn")
	if strings.HasPrefix(parseARN(arn).resource, "host/") {
		h, err := a.seenHost(r, arn)
		if err != nil {
			return nil, err
		}
		return map[string]any{"Tags": tagList(h.Tags)}, nil
	}
	k, err := a.seen(r, arn)
	if err != nil {
		return nil, err
	}
	if k.Region != r.Region {
		return nil, noConnection(arn)
	}
	return map[string]any{"Tags": tagList(k.Tags)}, nil
}

// mergeTags adds the request's tags to old ones. Only AWS services may write keys that begin with "aws:".
func mergeTags(r *cloud.Request, old []Tag) ([]Tag, error) {
	tags := slices.Clone(old)
	for _, v := range r.List("Tags") {
		m, _ := v.(map[string]any)
		t := Tag{Key: m["Key"].(string), Value: m["Value"].(string)}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") && r.Origin.InvokedBy == "" {
			return nil, cloud.Errorf(cloud.ValidationError, "Tag keys that begin with aws: are reserved for system use: %s", t.Key)
		}
		if i := slices.IndexFunc(tags, func(o Tag) bool { return o.Key == t.Key }); i >= 0 {
			tags[i] = t
		} else {
			tags = append(tags, t)
		}
	}
	if len(tags) > maxTags {
		return nil, cloud.Errorf(limit, "A resource can have at most %d tags.", maxTags)
	}
	return tags, nil
}

func tagList(tags []Tag) []map[string]any {
	list := []map[string]any{}
	for _, t := range tags {
		list = append(list, map[string]any{"Key": t.Key, "Value": t.Value})
	}
	return list
}

// requestTags are the condition keys of tags in a request that was found valid.
func requestTags(r *cloud.Request) map[string][]string {
	ctx := map[string][]string{}
	for _, v := range r.List("Tags") {
		m, _ := v.(map[string]any)
		key, _ := m["Key"].(string)
		value, _ := m["Value"].(string)
		ctx["aws:RequestTag/"+key] = []string{value}
		ctx["aws:TagKeys"] = append(ctx["aws:TagKeys"], key)
	}
	return ctx
}

// tagContext are the condition keys of the tags a resource carries.
func (s *Service) tagContext(arn string) map[string][]string {
	ctx := map[string][]string{}
	tags := []Tag{}
	if k, ok := s.Lookup(arn); ok {
		tags = k.Tags
	} else if h, ok := s.Host(arn); ok {
		tags = h.Tags
	}
	for _, t := range tags {
		ctx["aws:ResourceTag/"+t.Key] = []string{t.Value}
	}
	return ctx
}
