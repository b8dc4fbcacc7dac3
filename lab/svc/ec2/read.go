package ec2

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// kind is how things of one kind are read: the Describe call, its members, its filters.
type kind[T any] struct {
	ids     string // request member that lists IDs
	filters string // request member of the filters, Filter when ""
	set     string // reply member
	code    string // error for an unknown ID
	what    string // how that error calls it
	max     int    // largest MaxResults, maxPage when 0
	table   func(*Service) *table[T]
	id      func(T) string
	fields  func(T) map[string][]string // values by filter name; what a thing of another kind may have is listed too, empty
	show    func(*cloud.Request, T) map[string]any
}

// describe makes the operation that reads a kind.
func describe[T any](s *Service, k kind[T]) *cloud.Op {
	return &cloud.Op{ReadOnly: true, Do: func(r *cloud.Request) (map[string]any, error) {
		return k.describe(s, r)
	}}
}

func (k kind[T]) describe(s *Service, r *cloud.Request) (map[string]any, error) {
	found, err := k.named(k.table(s).seen(s.c, r.Account(), r.Region), texts(r.In[k.ids]))
	if err != nil {
		return nil, err
	}
	fs, err := filtersOf(r, k.filters)
	if err != nil {
		return nil, err
	}
	var none T
	for _, f := range fs {
		if _, known := k.fields(none)[f.name]; !known && !strings.HasPrefix(f.name, "tag") {
			return nil, cloud.Errorf("InvalidParameterValue", "The filter '%s' is invalid", f.name)
		}
	}
	found = slices.DeleteFunc(found, func(v T) bool {
		have := k.fields(v)
		return slices.ContainsFunc(fs, func(f filter) bool { return !f.fits(have[f.name]) })
	})
	page, next, err := cut(s.c, r, found, k.ids, k.max)
	if err != nil {
		return nil, err
	}
	shown := make([]any, 0, len(page))
	for _, v := range page {
		shown = append(shown, k.show(r, v))
	}
	return withNext(map[string]any{k.set: shown}, next), nil
}

// named keeps the things whose IDs were given, in their own order; all of them when none was.
func (k kind[T]) named(all []T, ids []string) ([]T, error) {
	if len(ids) == 0 {
		return all, nil
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(v T) bool { return k.id(v) == id }) {
			return nil, missing(k.code, k.what, id)
		}
	}
	return slices.DeleteFunc(all, func(v T) bool { return !slices.Contains(ids, k.id(v)) }), nil
}

// cut cuts a page. MaxResults is 5 or more and does not go with IDs.
func cut[T any](c *cloud.Cloud, r *cloud.Request, all []T, ids string, most int) ([]T, string, error) {
	if most == 0 {
		most = maxPage
	}
	want := 0
	if _, given := r.In["MaxResults"]; given {
		want = r.Int("MaxResults", -1)
		if want < 5 || want > most {
			return nil, "", cloud.Errorf("InvalidParameterValue", "Value ( %v ) for parameter maxResults is invalid. Expecting a value between 5 and %d.", r.In["MaxResults"], most)
		}
		if ids != "" && len(texts(r.In[ids])) > 0 {
			return nil, "", cloud.Errorf("InvalidParameterCombination", "The parameter %s cannot be used with the parameter maxResults", strings.ToLower(ids[:1])+ids[1:]+"Set")
		}
	}
	return cloud.Page(c, all, r.Str("NextToken"), want, most, "InvalidNextToken")
}

func withNext(out map[string]any, next string) map[string]any {
	if next != "" {
		out["nextToken"] = next
	}
	return out
}

// filter is one filter of a request: any of its values may fit, with the wildcards * and ?.
type filter struct {
	name   string
	values []string
}

func filtersOf(r *cloud.Request, member string) ([]filter, error) {
	if member == "" {
		member = "Filter"
	}
	var all []filter
	for _, x := range r.List(member) {
		m, _ := x.(map[string]any)
		name, _ := m["Name"].(string)
		values := texts(m["Value"])
		if values == nil {
			values = texts(m["Values"])
		}
		if name == "" || len(values) == 0 {
			return nil, cloud.Errorf("InvalidParameterValue", "The filter '%s' is invalid: it needs a name and values", name)
		}
		all = append(all, filter{name, values})
	}
	return all, nil
}

func (f filter) fits(have []string) bool {
	for _, v := range f.values {
		if slices.ContainsFunc(have, func(h string) bool { return like(v, h) }) {
			return true
		}
	}
	return false
}

// like compares with the wildcards of EC2's filters; a backslash takes their meaning away.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
func like(pattern, text string) bool {
	if !strings.ContainsAny(pattern, `*?\`) {
		return pattern == text
	}
	var b strings.Builder
	escaped := false
	for _, c := range pattern {
		switch {
		case escaped:
			b.WriteString(regexp.QuoteMeta(string(c)))
			escaped = false
		case c == '\\':
			escaped = true
		case c == '*':
			b.WriteString(".*")
		case c == '?':
			b.WriteByte('.')
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	ok, err := regexp.MatchString("^(?s:"+b.String()+")$", text)
	return err == nil && ok
}

func one(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

func yesNo(b bool) []string { return []string{strconv.FormatBool(b)} }

// tagsOf are the tags of a thing: the name it has in its world.
func tagsOf(name string) any {
	if name == "" {
		return nil
	}
	return []any{map[string]any{"key": "Name", "value": name}}
}

// tagFields adds the filters on tags.
func tagFields(name string, m map[string][]string) map[string][]string {
	m["tag:Name"], m["tag-value"], m["tag-key"] = one(name), one(name), nil
	if name != "" {
		m["tag-key"] = []string{"Name"}
	}
	return m
}
