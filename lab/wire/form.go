package wire

import (
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// formValues joins the query string and the body, as a form post may use both.
func formValues(r *http.Request, body []byte) (url.Values, error) {
	all, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, cloud.Errorf("MalformedQueryString", "The query string contains a syntax error")
	}
	for name, values := range r.URL.Query() {
		if !all.Has(name) {
			all[name] = values
		}
	}
	return all, nil
}

func routeQuery(s *cloud.Service, r *http.Request, body []byte) (*cloud.Op, error) {
	form, err := formValues(r, body)
	if err != nil {
		return nil, err
	}
	name, version := form.Get("Action"), form.Get("Version")
	if name == "" {
		return nil, cloud.Errorf("MissingAction", "The request is missing an action or a required parameter.")
	}
	op := s.Ops[name]
	if op == nil || op.Console || version != s.Version {
		return nil, UnknownOperation(s, name, version)
	}
	return op, nil
}

func decodeForm(r *http.Request, body []byte) (map[string]any, error) {
	form, err := formValues(r, body)
	if err != nil {
		return nil, err
	}
	root := node{}
	for name, values := range form {
		if name == "Action" || name == "Version" {
			continue
		}
		if !root.put(strings.Split(name, "."), values[0]) {
			return nil, cloud.Errorf("MalformedQueryString", "The parameter %s is given twice in different shapes", name)
		}
	}
	in := map[string]any{}
	for name, kid := range root.kids {
		in[name] = kid.value()
	}
	return in, nil
}

// node is one place in the tree that dotted form names spell: a leaf with text, or an inner node with kids.
type node struct {
	text string
	leaf bool
	kids map[string]*node
}

func (n *node) put(path []string, text string) bool {
	if len(path) == 0 {
		if n.leaf || n.kids != nil {
			return false
		}
		n.leaf, n.text = true, text
		return true
	}
	if n.leaf {
		return false
	}
	if n.kids == nil {
		n.kids = map[string]*node{}
	}
	kid := n.kids[path[0]]
	if kid == nil {
		kid = &node{}
		n.kids[path[0]] = kid
	}
	return kid.put(path[1:], text)
}

// value turns {member: {1: a, 2: b}} into a list in the order of the numbers, anything else into a map.
func (n *node) value() any {
	if n.leaf {
		return n.text
	}
	for _, wrapper := range []string{"member", "entry"} {
		if kid := n.kids[wrapper]; kid != nil && len(n.kids) == 1 {
			if list, ok := kid.list(); ok {
				return list
			}
		}
	}
	m := map[string]any{}
	for name, kid := range n.kids {
		m[name] = kid.value()
	}
	return m
}

func (n *node) list() ([]any, bool) {
	var order []int
	for name := range n.kids {
		i, err := strconv.Atoi(name)
		if err != nil || i < 1 || strconv.Itoa(i) != name {
			return nil, false
		}
		order = append(order, i)
	}
	sort.Ints(order)
	list := make([]any, 0, len(order))
	for _, i := range order {
		list = append(list, n.kids[strconv.Itoa(i)].value())
	}
	return list, !n.leaf
}
