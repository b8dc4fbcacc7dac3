package connections

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/unjam/unjam/lab/cloud"
)

// problems collects what is wrong with an input, worded as AWS's JSON services do.
type problems []string

func (p *problems) add(value, at, constraint string) {
	*p = append(*p, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, at, constraint))
}

func (p *problems) err() error {
	switch len(*p) {
	case 0:
		return nil
	case 1:
		return cloud.Errorf(cloud.ValidationError, "1 validation error detected: %s", (*p)[0])
	}
	return cloud.Errorf(cloud.ValidationError, "%d validation errors detected: %s", len(*p), strings.Join(*p, "; "))
}

// rule is what a string member has to satisfy; lengths in characters.
type rule struct {
	required bool
	min, max int
	pattern  *regexp.Regexp
	enum     []string
}

// str judges one string member of m; at is its path as the message spells it.
func (p *problems) str(m map[string]any, name, at string, r rule) {
	v, present := m[name]
	if !present || v == nil {
		if r.required {
			p.add("null", at, "Member must not be null")
		}
		return
	}
	text, ok := v.(string)
	if !ok {
		p.add(fmt.Sprintf("'%v'", v), at, "Member must be a string")
		return
	}
	p.text(text, at, r)
}

func (p *problems) text(text, at string, r rule) {
	quoted := "'" + text + "'"
	n := utf8.RuneCountInString(text)
	if n < r.min {
		p.add(quoted, at, fmt.Sprintf("Member must have length greater than or equal to %d", r.min))
	}
	if r.max > 0 && n > r.max {
		p.add(quoted, at, fmt.Sprintf("Member must have length less than or equal to %d", r.max))
	}
	if r.pattern != nil && !r.pattern.MatchString(text) {
		p.add(quoted, at, "Member must satisfy regular expression pattern: "+strings.TrimSuffix(strings.TrimPrefix(r.pattern.String(), "^"), "$"))
	}
	if r.enum == nil {
		return
	}
	for _, e := range r.enum {
		if e == text {
			return
		}
	}
	p.add(quoted, at, "Member must satisfy enum value set: ["+strings.Join(r.enum, ", ")+"]")
}

// list judges the length of a list member and returns it.
func (p *problems) list(m map[string]any, name, at string, required bool, min, max int) []any {
	v, present := m[name]
	if !present || v == nil {
		if required {
			p.add("null", at, "Member must not be null")
		}
		return nil
	}
	l, ok := v.([]any)
	if !ok {
		p.add(fmt.Sprintf("'%v'", v), at, "Member must be a list")
		return nil
	}
	if len(l) < min {
		p.add(fmt.Sprintf("'%v'", l), at, fmt.Sprintf("Member must have length greater than or equal to %d", min))
	}
	if len(l) > max {
		p.add(fmt.Sprintf("'%v'", l), at, fmt.Sprintf("Member must have length less than or equal to %d", max))
	}
	return l
}

// texts judges a list of strings.
func (p *problems) texts(m map[string]any, name, at string, required bool, min, max int, r rule) {
	for i, v := range p.list(m, name, at, required, min, max) {
		p.str(map[string]any{"": v}, "", fmt.Sprintf("%s.%d.member", at, i+1), rule{true, r.min, r.max, r.pattern, r.enum})
	}
}

// page judges MaxResults and NextToken.
func (p *problems) page(r *cloud.Request) {
	if v, ok := r.In["MaxResults"]; ok && v != nil {
		n := r.Int("MaxResults", -1)
		if n < 0 {
			p.add(fmt.Sprintf("'%v'", v), "maxResults", "Member must have value greater than or equal to 0")
		}
		if n > maxPage {
			p.add(fmt.Sprintf("'%v'", v), "maxResults", fmt.Sprintf("Member must have value less than or equal to %d", maxPage))
		}
	}
	p.str(r.In, "NextToken", "nextToken", rule{min: 1, max: 1024})
}

// tags judges a TagList.
func (p *problems) tags(r *cloud.Request, required bool) {
	for i, v := range p.list(r.In, "Tags", "tags", required, 0, 200) {
		at := fmt.Sprintf("tags.%d.member", i+1)
		m, ok := v.(map[string]any)
		if !ok {
			p.add("null", at, "Member must not be null")
			continue
		}
		p.str(m, "Key", at+".key", rule{required: true, min: 1, max: 128})
		p.str(m, "Value", at+".value", rule{required: true, max: 256})
	}
}

// arn judges a required connection or resource ARN.
func (a *api) arn(p *problems, r *cloud.Request, name, at string, max int) {
	p.str(r.In, name, at, rule{required: true, max: max, pattern: a.arnRE})
}

// providers is the ProviderType enum of the API; AzureDevOps came after the rename.
func (a *api) providers() []string {
	all := []string{"Bitbucket", "GitHub", "GitHubEnterpriseServer", "GitLab", "GitLabSelfManaged"}
	if a.name == New20231201 {
		all = append(all, "AzureDevOps")
	}
	return all
}
