package apimodel

import (
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// node is one place in the tree that dotted form names or XML elements spell.
type node struct {
	name string
	text string
	kids []*node
}

func (n *node) kid(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

func (n *node) find(path ...string) *node {
	for _, name := range path {
		if n = n.kid(name); n == nil {
			return nil
		}
	}
	return n
}

// formRequest checks a form post: Action and Version, then the members.
func (k *check) formRequest(in *shape) {
	_, query, _ := strings.Cut(k.x.Path, "?")
	form, err := url.ParseQuery(string(k.x.RequestBody))
	if err != nil {
		k.problem(nil, "wire", "body is no form: %v", err)
		return
	}
	if inPath, err := url.ParseQuery(query); err == nil {
		for name, values := range inPath {
			form[name] = append(form[name], values...)
		}
	}
	if got := form.Get("Action"); got != k.x.Operation {
		k.problem(nil, "wire", "Action is %q, not %q", got, k.x.Operation)
	}
	if got := form.Get("Version"); got != k.m.Metadata.APIVersion {
		k.problem(nil, "wire", "Version is %q, not %q", got, k.m.Metadata.APIVersion)
	}
	root := &node{}
	for name, values := range form {
		if name == "Action" || name == "Version" || strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		if len(values) > 1 {
			k.problem(nil, "wire", "%s is given %d times", name, len(values))
		}
		n := root
		for _, part := range strings.Split(name, ".") {
			next := n.kid(part)
			if next == nil {
				next = &node{name: part}
				n.kids = append(n.kids, next)
			}
			n = next
		}
		n.text = values[0]
	}
	if in == nil {
		in = &shape{Type: "structure"}
	}
	if v := k.formValue(in, root, nil); v != nil {
		k.whole(in, v)
	}
}

// formValue gives a node the form its shape demands, so that value can check it. What does not fit is a problem and nil.
func (k *check) formValue(s *shape, n *node, a *at) any {
	switch s.Type {
	case "structure":
		m := map[string]any{}
		for _, kid := range n.kids {
			names := s.wire
			if k.protocol() == "ec2" {
				names = s.form
			}
			member, known := names[kid.name]
			if !known {
				m[kid.name] = text(kid.text) // value says that it is unknown
				continue
			}
			r := s.Members[member]
			m[r.wireName(member)] = k.formValue(k.m.shape(&r), kid, &at{up: a, name: member})
		}
		return m
	case "list":
		return k.formList(s, n, a)
	case "map":
		m := map[string]any{}
		for i, e := range k.numbered(s, n, "entry", a) {
			in := &at{up: a, index: i}
			key, value := e.kid(orElse(s.Key.LocationName, "key")), e.kid(orElse(s.Value.LocationName, "value"))
			if key == nil || value == nil || len(e.kids) != 2 {
				k.problem(in, "wire", "an entry of a map without key and value")
				continue
			}
			m[key.text] = k.formValue(k.m.shape(s.Value), value, in)
		}
		return m
	}
	if len(n.kids) > 0 {
		return map[string]any{} // a structure where a scalar belongs: value says so
	}
	return text(n.text)
}

// formList reads Name.member.1, or Name.1 when the list is flattened; "Name=" is an empty list.
func (k *check) formList(s *shape, n *node, a *at) any {
	list := []any{}
	for i, e := range k.numbered(s, n, orElse(s.Member.LocationName, "member"), a) {
		list = append(list, k.formValue(k.m.shape(s.Member), e, &at{up: a, index: i}))
	}
	return list
}

// numbered returns the kids 1, 2, 3 ... in their order.
func (k *check) numbered(s *shape, n *node, wrapper string, a *at) []*node {
	if len(n.kids) == 0 {
		if n.text != "" {
			k.problem(a, "type", "%q instead of a %s", clip(n.text), s.Type)
		}
		return nil
	}
	if !s.Flattened && k.protocol() != "ec2" {
		if len(n.kids) != 1 || n.kids[0].name != wrapper {
			k.problem(a, "wire", "%s instead of %s between a list and its numbers", n.kids[0].name, wrapper)
			return nil
		}
		n = n.kids[0]
	}
	all := append([]*node(nil), n.kids...)
	at := func(i int) int { x, _ := strconv.Atoi(all[i].name); return x }
	sort.Slice(all, func(i, j int) bool { return at(i) < at(j) })
	for i := range all {
		if all[i].name != strconv.Itoa(i+1) {
			k.problem(a, "wire", "the numbers of a list are not 1, 2, 3: %s", all[i].name)
			return nil
		}
	}
	return all
}

func orElse(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
