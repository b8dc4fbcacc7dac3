package apimodel

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// parseXML reads a document into nodes. The name of the root keeps its namespace after a blank.
func parseXML(body []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	root := &node{}
	stack := []*node{root}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local}
			if len(stack) == 1 && t.Name.Space != "" {
				n.name += " " + t.Name.Space
			}
			top.kids = append(top.kids, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.kids) != 1 {
		return nil, errors.New("not one root element")
	}
	return root.kids[0], nil
}

// xmlReply checks OperationResponse, its wrapper, its metadata and the members inside.
func (k *check) xmlReply(out *shape) {
	root, err := parseXML(k.x.Body)
	if err != nil {
		k.problem(nil, "wire", "body is not XML: %v", err)
		return
	}
	if want := k.x.Operation + "Response " + k.m.Metadata.XMLNamespace; root.name != want {
		k.problem(nil, "wire", "the root is %q, not %q", root.name, want)
	}
	if id := root.find("ResponseMetadata", "RequestId"); id == nil || id.text == "" {
		k.problem(nil, "wire", "no ResponseMetadata with a RequestId")
	}
	in := &node{}
	for _, kid := range root.kids {
		if kid.name != "ResponseMetadata" {
			in.kids = append(in.kids, kid)
		}
	}
	if k.op.Output != nil && k.op.Output.ResultWrapper != "" {
		wrapper := k.op.Output.ResultWrapper
		if len(in.kids) != 1 || in.kids[0].name != wrapper {
			k.problem(nil, "wire", "not exactly one %s in the reply", wrapper)
			return
		}
		in = in.kids[0]
	}
	if out == nil {
		out = &shape{Type: "structure"}
	}
	k.whole(out, k.xmlValue(out, in, nil))
}

// xmlFault checks ErrorResponse, as the Query protocol has it. s is nil for common errors.
func (k *check) xmlFault(s *shape) {
	root, err := parseXML(k.x.Body)
	if err != nil {
		k.problem(nil, "wire", "body is not XML: %v", err)
		return
	}
	name, space, _ := strings.Cut(root.name, " ")
	if name != "ErrorResponse" || (k.m != nil && k.protocol() != "rest-xml" && space != k.m.Metadata.XMLNamespace) {
		k.problem(nil, "wire", "the root is %q", root.name)
	}
	if id := root.kid("RequestId"); id == nil || id.text == "" {
		k.problem(nil, "wire", "no RequestId")
	}
	e := root.kid("Error")
	if e == nil {
		k.problem(nil, "wire", "no Error")
		return
	}
	if t := e.kid("Type"); t == nil || (t.text != "Sender" && t.text != "Receiver") {
		k.problem(nil, "wire", "no Type that is Sender or Receiver")
	}
	rest := &node{}
	for _, kid := range e.kids {
		switch kid.name {
		case "Type", "Code":
		case "Message": // the shapes spell it message; the wire has it in capitals
		default:
			rest.kids = append(rest.kids, kid)
		}
	}
	if s == nil {
		s = &shape{Type: "structure"}
	}
	k.whole(s, k.xmlValue(s, rest, nil))
}

// xmlValue gives an element the form its shape demands, so that value can check it.
func (k *check) xmlValue(s *shape, n *node, a *at) any {
	switch s.Type {
	case "structure":
		m := map[string]any{}
		k.stray(n, a)
		for _, kid := range n.kids {
			member, known := s.wire[kid.name]
			if !known {
				m[kid.name] = text(kid.text)
				continue
			}
			r := s.Members[member]
			ms, in := k.m.shape(&r), &at{up: a, name: member}
			switch {
			case ms.Type == "list" && (ms.Flattened || r.Flattened):
				list, _ := m[kid.name].([]any)
				m[kid.name] = append(list, k.xmlValue(k.m.shape(ms.Member), kid, in))
			case m[kid.name] != nil:
				k.problem(in, "wire", "the element is there twice")
			default:
				m[kid.name] = k.xmlValue(ms, kid, in)
			}
		}
		return m
	case "list":
		k.stray(n, a)
		list, name := []any{}, orElse(s.Member.LocationName, "member")
		for i, kid := range n.kids {
			in := &at{up: a, index: i}
			if kid.name != name {
				k.problem(in, "wire", "element %s of a list instead of %s", kid.name, name)
				continue
			}
			list = append(list, k.xmlValue(k.m.shape(s.Member), kid, in))
		}
		return list
	case "map":
		return k.xmlMap(s, n, a)
	}
	if len(n.kids) > 0 {
		return map[string]any{}
	}
	return text(n.text)
}

func (k *check) xmlMap(s *shape, n *node, a *at) any {
	m := map[string]any{}
	k.stray(n, a)
	for i, e := range n.kids {
		in := &at{up: a, index: i}
		key, value := e.kid(orElse(s.Key.LocationName, "key")), e.kid(orElse(s.Value.LocationName, "value"))
		if e.name != "entry" || key == nil || value == nil || len(e.kids) != 2 {
			k.problem(in, "wire", "an entry of a map without key and value")
			continue
		}
		m[key.text] = k.xmlValue(k.m.shape(s.Value), value, in)
	}
	return m
}

// stray finds text between elements.
func (k *check) stray(n *node, a *at) {
	if t := strings.TrimSpace(n.text); t != "" {
		k.problem(a, "type", "%q where elements belong", clip(t))
	}
}
