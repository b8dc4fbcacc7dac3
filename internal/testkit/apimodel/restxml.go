package apimodel

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
)

// success200 is the status of a success: 200, unless the model says otherwise.
func (k *check) success200() int {
	if k.op != nil && k.op.HTTP.Code != 0 {
		return k.op.HTTP.Code
	}
	return http.StatusOK
}

// restXMLRequest joins path labels, query string and the XML body into one input. A slash at the end of the path means nothing.
func (k *check) restXMLRequest(in *shape) {
	path, query, _ := strings.Cut(k.x.Path, "?")
	labels, ok := match(strings.TrimSuffix(k.op.HTTP.RequestURI, "/"), strings.TrimSuffix(path, "/"))
	if !ok || k.x.Method != k.op.HTTP.Method {
		k.problem(nil, "wire", "%s %s instead of %s %s", k.x.Method, path, k.op.HTTP.Method, k.op.HTTP.RequestURI)
	}
	value := map[string]any{}
	if len(bytes.TrimSpace(k.x.RequestBody)) > 0 {
		root, err := parseXML(k.x.RequestBody)
		if err != nil {
			k.problem(nil, "wire", "body is not XML: %v", err)
			return
		}
		if want, _, _ := strings.Cut(root.name, " "); k.op.Input != nil && k.op.Input.LocationName != "" && want != k.op.Input.LocationName {
			k.problem(nil, "wire", "the root is %q, not %q", want, k.op.Input.LocationName)
		}
		value, _ = k.xmlValue(in, root, nil).(map[string]any)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		k.problem(nil, "wire", "query string: %v", err)
	}
	for member, r := range in.Members {
		name := r.wireName(member)
		switch all := values[name]; {
		case r.Location == "uri" && labels[name] != "":
			value[name] = text(labels[name])
		case r.Location == "querystring" && len(all) > 0:
			value[name] = queryValue(k.m.shape(&r), all)
			delete(values, name)
		}
	}
	for name := range values {
		k.problem(nil, "unknown", "parameter %s of the query string", name)
	}
	k.whole(in, value)
}

// restXMLReply checks the root, which has the name of the output's shape, its members, and those that travel in headers.
func (k *check) restXMLReply(out *shape) {
	value := map[string]any{}
	if len(bytes.TrimSpace(k.x.Body)) > 0 && out != nil {
		root, err := parseXML(k.x.Body)
		if err != nil {
			k.problem(nil, "wire", "body is not XML: %v", err)
			return
		}
		if name, space, _ := strings.Cut(root.name, " "); name != out.name || space == "" {
			k.problem(nil, "wire", "the root is %q, not %s in a namespace", root.name, out.name)
		}
		value, _ = k.xmlValue(out, root, nil).(map[string]any)
	}
	if out != nil {
		k.restReply(out, value)
	}
	k.whole(out, value)
}

// match compares a path with a template such as /analyzer/{analyzerName} and returns the labels, unescaped.
func match(template, path string) (map[string]string, bool) {
	template, _, _ = strings.Cut(template, "?")
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	labels := map[string]string{}
	for i, w := range want {
		if i >= len(have) {
			return nil, false
		}
		if name, ok := strings.CutPrefix(w, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			got := have[i]
			if greedy, ok := strings.CutSuffix(name, "+"); ok {
				name, got, have = greedy, strings.Join(have[i:], "/"), have[:i+1]
			}
			l, err := url.PathUnescape(got)
			if err != nil || l == "" {
				return nil, false
			}
			labels[name] = l
		} else if w != have[i] {
			return nil, false
		}
	}
	return labels, len(want) == len(have)
}
