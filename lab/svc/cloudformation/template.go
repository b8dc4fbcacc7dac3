package cloudformation

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// with adds an entry to a list of the template.
func (x *resource) with(member string, v any) {
	list, _ := x.properties[member].([]any)
	x.properties[member] = append(slices.Clone(list), v)
}

// without removes an entry from a list of the template: a text, or a structure by one of its members.
func (x *resource) without(member, key, value string) {
	list, _ := x.properties[member].([]any)
	list = slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		if m, ok := v.(map[string]any); ok {
			return m[key] == value
		}
		return v == value
	})
	if len(list) == 0 {
		delete(x.properties, member)
		return
	}
	x.properties[member] = list
}

// retag changes the tags of the template. The service's own tags are not part of it.
func (x *resource) retag(add, remove []any) {
	for _, k := range remove {
		name, _ := k.(string)
		x.without("Tags", "Key", name)
	}
	for _, t := range ownTags(add) {
		m, _ := t.(map[string]any)
		key, _ := m["Key"].(string)
		x.without("Tags", "Key", key)
		x.with("Tags", map[string]any{"Key": key, "Value": m["Value"]})
	}
}

// ownTags are the tags that somebody chose.
func ownTags(tags []any) []any {
	var all []any
	for _, t := range tags {
		m, _ := t.(map[string]any)
		if key, _ := m["Key"].(string); !strings.HasPrefix(key, "aws:") {
			all = append(all, t)
		}
	}
	return all
}

// tagged is the value of a tag, "" when it is not there.
func tagged(tags []any, key string) string {
	for _, t := range tags {
		if m, _ := t.(map[string]any); m["Key"] == key {
			v, _ := m["Value"].(string)
			return v
		}
	}
	return ""
}

// template is what the template says about a resource.
func (x *resource) template() map[string]any {
	all := maps.Clone(x.properties)
	if x.kind == pipelineType {
		maps.Copy(all, pipelineProperties(x.declaration))
	}
	return all
}

// template is the stack's template.
func (k *stack) template() string {
	resources := map[string]any{}
	for _, x := range k.resources {
		if x.alive() {
			resources[x.logical] = map[string]any{"Type": x.kind, "Properties": x.template()}
		}
	}
	return text(map[string]any{"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
}

// pipelineProperties spells a declaration as templates do: capital letters, and a list of the stores by Region.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codepipeline-pipeline.html
func pipelineProperties(decl map[string]any) map[string]any {
	all, _ := capitalised(decl, "").(map[string]any)
	delete(all, "Version")
	stores, _ := decl["artifactStores"].(map[string]any)
	if stores != nil {
		list := []any{}
		for _, region := range slices.Sorted(maps.Keys(stores)) {
			list = append(list, map[string]any{"Region": region, "ArtifactStore": capitalised(stores[region], "")})
		}
		all["ArtifactStores"] = list
	}
	return all
}

// capitalised spells the members of structures with capital letters, all but those that an action is configured with: these are
// free. Secrets among them are masked, as every reply masks them.
func capitalised(v any, member string) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, x := range v {
			switch {
			case member != "configuration":
				out[strings.ToUpper(name[:min(1, len(name))])+name[min(1, len(name)):]] = capitalised(x, name)
			case slices.Contains([]string{"OAuthToken", "ClientSecret", "RefreshToken", "SecretToken"}, name):
				out[name] = "****"
			default:
				out[name] = x
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = capitalised(x, member)
		}
		return out
	}
	return v
}

// camel makes a logical ID out of a name: team-github, TeamGithub.
func camel(name string) string {
	var b strings.Builder
	up := true
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z' && up:
			r -= 'a' - 'A'
			fallthrough
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
			up = false
		default:
			up = true
		}
	}
	if b.Len() == 0 {
		return "Resource"
	}
	return b.String()
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = clone(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = clone(x)
		}
		return out
	}
	return v
}

// text spells a value as JSON.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null" // values come from JSON: this cannot happen
	}
	return string(b)
}
