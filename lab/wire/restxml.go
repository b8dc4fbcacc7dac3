package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// asked is the path of a REST request. In REST-XML a slash at the end means nothing: some models have one, some clients leave it out.
func asked(p cloud.Protocol, r *http.Request) string {
	if p == cloud.RESTXML {
		return bucketOf(r) + strings.TrimSuffix(r.URL.EscapedPath(), "/")
	}
	return r.URL.EscapedPath()
}

// bucketOf is the bucket that the host of a request to Amazon S3 names, as the first part of a path; "" when it names none. At an endpoint
// on localhost the bucket stands before that.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
func bucketOf(r *http.Request) string {
	host := r.Host
	if r.URL.Host != "" {
		host = r.URL.Host
	}
	host, _, _ = strings.Cut(host, ":")
	if strings.HasPrefix(host, "s3.") {
		return ""
	}
	if bucket, ok := strings.CutSuffix(host, ".localhost"); ok {
		return "/" + bucket
	}
	for _, sep := range []string{".s3.", ".s3-"} {
		if i := strings.LastIndex(host, sep); i > 0 && strings.Contains(host[i:], ".amazonaws.com") {
			return "/" + host[:i]
		}
	}
	return ""
}

// fits reports whether the query string has the parameter that tells an operation from others of its path. Of Amazon S3 a request with a
// parameter without a value is for no other operation than the one of that parameter.
func fits(s *cloud.Service, op *cloud.Op, r *http.Request) bool {
	if op.Query != "" || !s.Bare {
		return op.Query == "" || r.URL.Query().Has(op.Query)
	}
	for _, values := range r.URL.Query() {
		if values[0] == "" {
			return false
		}
	}
	return true
}

// Resource is the path and query of a request as the operations of its service have it: a bucket that the host names stands in the path.
func Resource(s *cloud.Service, r *http.Request) string {
	if !s.Bare {
		return r.URL.RequestURI()
	}
	return bucketOf(r) + r.URL.RequestURI()
}

// decodeRESTXML joins the three places that an input comes from: path labels, query string, body. A structure becomes a map, an
// element that is there several times becomes a list in it, everything else is text.
func decodeRESTXML(op *cloud.Op, r *http.Request, body []byte) (map[string]any, error) {
	in := map[string]any{}
	if op.Whole != "" {
		in[op.Whole] = string(body)
	} else if len(bytes.TrimSpace(body)) > 0 {
		root, err := treeOf(body)
		if err != nil {
			return nil, cloud.Errorf("MalformedInput", "The request body is not valid XML.")
		}
		if m, ok := root.(map[string]any); ok {
			in = m
		}
	}
	for name, values := range r.URL.Query() {
		in[name] = values[0]
	}
	for member, header := range op.Given {
		if v := r.Header.Get(header); v != "" {
			in[member] = v
		}
	}
	found, _ := labels(op.Path, asked(cloud.RESTXML, r))
	for name, value := range found {
		in[name] = value
	}
	return in, nil
}

// treeOf reads a document and returns what is inside its root.
func treeOf(body []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		if _, ok := t.(xml.StartElement); ok {
			return inside(d, 0)
		}
	}
}

// maxNesting bounds how deep an element may lie in another.
const maxNesting = 32

func inside(d *xml.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, errors.New("elements lie too deep")
	}
	var text strings.Builder
	var kids map[string]any
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			v, err := inside(d, depth+1)
			if err != nil {
				return nil, err
			}
			if kids == nil {
				kids = map[string]any{}
			}
			add(kids, t.Name.Local, v)
		case xml.EndElement:
			if kids != nil {
				return kids, nil
			}
			return text.String(), nil
		}
	}
}

func add(kids map[string]any, name string, v any) {
	old, twice := kids[name]
	list, isList := old.([]any)
	switch {
	case !twice:
		kids[name] = v
	case isList:
		kids[name] = append(list, v)
	default:
		kids[name] = []any{old, v}
	}
}

// encodeRESTXML writes a reply: members that travel in headers, the status, and the rest in an element of the operation's name.
func encodeRESTXML(s *cloud.Service, op *cloud.Op, out map[string]any, m *Message) error {
	if op.Status != 0 {
		m.Status = op.Status
	}
	if s.Bare {
		m.Header.Set("Content-Type", "application/xml")
	}
	in := maps.Clone(out)
	for member, header := range op.Headers {
		text, ok := in[member].(string)
		if !ok {
			return fmt.Errorf("encode reply: %s is no text and cannot travel in a header", member)
		}
		m.Header.Set(header, text)
		delete(in, member)
	}
	switch whole, isText := in[op.Whole].(string); {
	case op.Root == "-":
		return nil
	case op.Whole != "" && isText:
		m.Header.Set("Content-Type", "application/json") // S3 has policies only
		m.Body = []byte(whole)
		return nil
	}
	root := op.Root
	if root == "" {
		root = op.Name + "Response"
	}
	b := &xmlBuffer{}
	fmt.Fprintf(b, "<?xml version=\"1.0\"?>\n<%s xmlns=\"%s\">", root, escaped(s.Namespace))
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if name == "" { // the text of the root itself
			if err := content(b, in[name]); err != nil {
				return err
			}
			continue
		}
		if err := named(b, s, name, in[name]); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, "</%s>\n", root)
	m.Body = b.Bytes()
	return nil
}

// named writes an element; the elements of a list have the name that the service has for them.
func named(b *xmlBuffer, s *cloud.Service, name string, v any) error {
	if absent(v) {
		return nil
	}
	b.WriteString("<" + name + ">")
	switch v := v.(type) {
	case map[string]any:
		for _, member := range slices.Sorted(maps.Keys(v)) {
			if err := named(b, s, member, v[member]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	default:
		list := reflect.ValueOf(v)
		if list.Kind() != reflect.Slice {
			if err := content(b, v); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			break
		}
		item := s.Items[name]
		if item == "" {
			return fmt.Errorf("encode reply: the service has no name for the elements of %s", name)
		}
		for i := range list.Len() {
			if err := named(b, s, item, list.Index(i).Interface()); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	b.WriteString("</" + name + ">")
	return nil
}
