package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

func decodeJSON(body []byte) (map[string]any, error) {
	in := map[string]any{}
	if len(bytes.TrimSpace(body)) == 0 {
		return in, nil
	}
	if err := json.Unmarshal(body, &in); err != nil || in == nil {
		return nil, cloud.Errorf("SerializationException", "")
	}
	return in, nil
}

// decodeREST joins the three places a REST input comes from: path labels, query string, body.
func decodeREST(op *cloud.Op, r *http.Request, body []byte) (map[string]any, error) {
	in, err := decodeJSON(body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.URL.Query() {
		in[name] = values[0]
		if len(values) > 1 {
			all := make([]any, len(values))
			for i, v := range values {
				all[i] = v
			}
			in[name] = all
		}
	}
	found, _ := labels(op.Path, r.URL.EscapedPath())
	for name, value := range found {
		in[name] = value
	}
	return in, nil
}

// labels matches a path against a template such as "/analyzer/{analyzerName}".
func labels(template, path string) (map[string]string, bool) {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	found := map[string]string{}
	for i, w := range want {
		if !strings.HasPrefix(w, "{") || !strings.HasSuffix(w, "}") {
			if w != have[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(have[i])
		if err != nil || value == "" {
			return nil, false
		}
		found[w[1:len(w)-1]] = value
	}
	return found, true
}

// encodeJSON leaves the body empty when the operation has no result at all, as AWS does.
func encodeJSON(out map[string]any) ([]byte, error) {
	if out == nil {
		return nil, nil
	}
	plain, err := jsonValue(out)
	if err != nil {
		return nil, err
	}
	return marshal(plain)
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode reply: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// jsonValue rewrites a value so that encoding/json spells it as AWS does: times are seconds since 1970 with
// milliseconds, absent values are left out, an empty list is a list.
func jsonValue(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool, int, int64, float64:
		return v, nil
	case time.Time:
		return json.RawMessage(epoch(v)), nil
	case map[string]any:
		return jsonObject(v)
	case map[string]string:
		return v, nil
	}
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return nil, fmt.Errorf("encode reply: a value of Go type %T", v)
	}
	all := make([]any, list.Len())
	for i := range all {
		var err error
		if all[i], err = jsonValue(list.Index(i).Interface()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func jsonObject(m map[string]any) (any, error) {
	object := make(map[string]any, len(m))
	for name, member := range m {
		if absent(member) {
			continue
		}
		plain, err := jsonValue(member)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		object[name] = plain
	}
	return object, nil
}

// absent tells what is left out on the wire: nil and nil maps. A nil slice is an empty list.
func absent(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return v == nil
	case map[string]string:
		return v == nil
	}
	return false
}

func epoch(t time.Time) string {
	return strconv.FormatFloat(math.Round(float64(t.UnixMilli()))/1000, 'f', -1, 64)
}

// faultJSON has the shape of the JSON protocols: the code is in the body (JSON 1.0 with a namespace before it), REST-JSON
// names it in a header. The member that carries the text is spelled as the services' models spell it.
func faultJSON(p cloud.Protocol, s *cloud.Service, code string, e *cloud.Error, common bool, m *Message) {
	body := map[string]any{}
	for name, v := range e.More {
		body[name] = v
	}
	text := "message"
	switch p {
	case cloud.JSON10, cloud.CBOR:
		body["__type"] = namespace(s, common) + code
		text = "Message"
	case cloud.JSON11:
		body["__type"] = code
	default:
		m.Header.Set("X-Amzn-Errortype", code+":http://internal.amazon.com/coral/com.amazon.coral.service/")
	}
	if s != nil && s.Text != "" {
		text = s.Text
	}
	if s != nil && s.Texts[code] != "" {
		text = s.Texts[code]
	}
	if e.Message != "" {
		body[text] = e.Message
	}
	if p == cloud.CBOR {
		m.Header.Set(cborHeader, cborName)
		m.Body, _ = encodeCBOR(body) // texts: cannot fail
		return
	}
	m.Body, _ = marshal(body) // what services put into More are texts: cannot fail
}

func namespace(s *cloud.Service, common bool) string {
	if common || s == nil {
		return "com.amazon.coral.service#"
	}
	if i := strings.LastIndexByte(s.Target, '.'); i >= 0 {
		return s.Target[:i] + "#"
	}
	return "com.amazonaws." + strings.ReplaceAll(s.Name, "-", ".") + "#"
}
