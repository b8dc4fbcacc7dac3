package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/wire"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.FixedZone("CET", 3600))

// everything has each Go type that an operation may return.
func everything() map[string]any {
	return map[string]any{
		"text": `a<b>&"ü`, "yes": true, "int": 7, "long": int64(1 << 40), "float": 1.5, "whole": 3.0, "at": at, "gone": nil, "lost": map[string]any(nil),
		"anys": []any{"x", 1, nil}, "texts": []string{"p", "q"}, "none": []string(nil), "maps": []map[string]any{{"k": at}}, "map": map[string]any{"in": "side"},
		"entries": map[string]string{"b": "2", "a": "1"},
	}
}

func service(p cloud.Protocol) *cloud.Service {
	return &cloud.Service{
		Name: "codeconnections", Target: "com.amazonaws.codeconnections.CodeConnections_20231201", Version: "2023-12-01", Namespace: "https://example.com/doc/", Protocol: p,
		Ops: map[string]*cloud.Op{"Get": {Name: "Get", Method: "GET", Path: "/things/{Name}/parts"}},
	}
}

func TestReplyJSON(t *testing.T) {
	s := service(cloud.JSON11)
	m, err := wire.Reply(s, s.Ops["Get"], "req-1", everything())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"anys":["x",1,null],"at":1767319445.678,"entries":{"a":"1","b":"2"},"float":1.5,"int":7,"long":1099511627776,"map":{"in":"side"},` +
		`"maps":[{"k":1767319445.678}],"none":[],"text":"a<b>&\"ü","texts":["p","q"],"whole":3,"yes":true}`
	if d := cmp.Diff(want, string(m.Body)); d != "" {
		t.Error(d)
	}
	if m.Status != 200 || m.Header.Get("X-Amzn-Requestid") != "req-1" || m.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		t.Errorf("%+v", m)
	}
}

func TestReplyXML(t *testing.T) {
	s := service(cloud.Query)
	m, err := wire.Reply(s, s.Ops["Get"], "req-1", everything())
	if err != nil {
		t.Fatal(err)
	}
	want := `<GetResponse xmlns="https://example.com/doc/">
<GetResult><anys><member>x</member><member>1</member></anys><at>2026-01-02T02:04:05Z</at>` +
		`<entries><entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></entries><float>1.5</float><int>7</int><long>1099511627776</long>` +
		`<map><in>side</in></map><maps><member><k>2026-01-02T02:04:05Z</k></member></maps><none></none><text>a&lt;b&gt;&amp;&#34;ü</text>` +
		`<texts><member>p</member><member>q</member></texts><whole>3</whole><yes>true</yes></GetResult>
<ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata>
</GetResponse>
`
	if d := cmp.Diff(want, string(m.Body)); d != "" {
		t.Error(d)
	}
}

// TestReplyWithoutResult proves that an operation without a result has an empty JSON body and no result element.
func TestReplyWithoutResult(t *testing.T) {
	for p, want := range map[cloud.Protocol]string{
		cloud.JSON10: "",
		cloud.Query:  "<GetResponse xmlns=\"https://example.com/doc/\">\n<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\n</GetResponse>\n",
	} {
		s := service(p)
		m, err := wire.Reply(s, s.Ops["Get"], "r", nil)
		if err != nil || string(m.Body) != want {
			t.Errorf("%v: %q, %v", p, m.Body, err)
		}
	}
}

func TestReplyOfUnknownGoType(t *testing.T) {
	for _, p := range []cloud.Protocol{cloud.JSON11, cloud.Query} {
		s := service(p)
		_, err := wire.Reply(s, s.Ops["Get"], "r", map[string]any{"outer": []any{map[string]any{"inner": struct{}{}}}})
		if err == nil || !strings.Contains(err.Error(), "inner: encode reply: a value of Go type struct {}") {
			t.Errorf("%v: %v", p, err)
		}
	}
}

// TestFaultSpelling has every common error as each protocol spells it.
func TestFaultSpelling(t *testing.T) {
	for code, want := range map[string][3]string{ // JSON 1.1, Query, REST-JSON
		cloud.AccessDenied:              {"400 AccessDeniedException", "403 AccessDenied", "403 AccessDeniedException"},
		cloud.Throttling:                {"400 ThrottlingException", "400 Throttling", "429 ThrottlingException"},
		cloud.ExpiredToken:              {"400 ExpiredTokenException", "403 ExpiredToken", "403 ExpiredTokenException"},
		cloud.UnrecognizedClient:        {"400 UnrecognizedClientException", "403 InvalidClientTokenId", "403 UnrecognizedClientException"},
		cloud.InvalidSignature:          {"400 InvalidSignatureException", "403 SignatureDoesNotMatch", "403 InvalidSignatureException"},
		wire.IncompleteSignature:        {"400 IncompleteSignatureException", "400 IncompleteSignature", "400 IncompleteSignatureException"},
		wire.MissingAuthenticationToken: {"400 MissingAuthenticationTokenException", "403 MissingAuthenticationToken", "403 MissingAuthenticationTokenException"},
		cloud.UnknownOperation:          {"400 UnknownOperationException", "400 InvalidAction", "400 UnknownOperationException"},
		cloud.InternalFailure:           {"500 InternalServerError", "500 InternalFailure", "500 InternalServerError"},
		cloud.ValidationError:           {"400 ValidationException", "400 ValidationError", "400 ValidationException"},
		cloud.OptInRequired:             {"400 OptInRequired", "403 OptInRequired", "403 OptInRequired"},
		"ResourceNotFoundException":     {"400 ResourceNotFoundException", "400 ResourceNotFoundException", "400 ResourceNotFoundException"},
	} {
		for i, p := range []cloud.Protocol{cloud.JSON11, cloud.Query, cloud.RESTJSON} {
			m, name := wire.Fault(p, service(p), "r", cloud.Errorf(code, "why"))
			if got := fmt.Sprintf("%d %s", m.Status, name); got != want[i] {
				t.Errorf("%s over %v: %s; want %s", code, p, got, want[i])
			}
			if !strings.Contains(string(m.Body)+m.Header.Get("X-Amzn-Errortype"), name) {
				t.Errorf("%s over %v: the reply does not name it: %s", code, p, m.Body)
			}
		}
	}
}

func TestFaultEnvelopes(t *testing.T) {
	missing := &cloud.Error{Code: "NoSuchEntity", Message: "a<b", Status: 404}
	for _, c := range []struct {
		p    cloud.Protocol
		err  error
		want string
	}{
		{cloud.JSON10, cloud.Errorf("ResourceNotFoundException", "why"), `400 {"Message":"why","__type":"com.amazonaws.codeconnections#ResourceNotFoundException"}`},
		{cloud.JSON10, cloud.Errorf(cloud.AccessDenied, "why"), `400 {"Message":"why","__type":"com.amazon.coral.service#AccessDeniedException"}`},
		{cloud.JSON11, cloud.Errorf("PipelineNotFoundException", "why"), `400 {"__type":"PipelineNotFoundException","message":"why"}`},
		{cloud.JSON11, cloud.Errorf(cloud.UnknownOperation, ""), `400 {"__type":"UnknownOperationException"}`},
		{cloud.JSON11, fmt.Errorf("list: %w", cloud.Errorf("X", "wrapped")), `400 {"__type":"X","message":"wrapped"}`},
		{cloud.JSON11, errors.New("broken"), `500 {"__type":"InternalServerError","message":"broken"}`},
		{cloud.RESTJSON, cloud.Errorf(cloud.ValidationError, "why"), `400 {"message":"why"}`},
		{cloud.Query, missing, "404 <ErrorResponse xmlns=\"https://example.com/doc/\">\n<Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>a&lt;b</Message></Error>\n<RequestId>r</RequestId>\n</ErrorResponse>\n"},
		{cloud.Query, errors.New("broken"), "500 <ErrorResponse xmlns=\"https://example.com/doc/\">\n<Error><Type>Receiver</Type><Code>InternalFailure</Code><Message>broken</Message></Error>\n<RequestId>r</RequestId>\n</ErrorResponse>\n"},
	} {
		m, _ := wire.Fault(c.p, service(c.p), "r", c.err)
		if got := fmt.Sprintf("%d %s", m.Status, m.Body); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestDecodeJSON(t *testing.T) {
	s := service(cloud.JSON10)
	for text, want := range map[string]map[string]any{
		"": {}, " \n": {}, `{"n":2,"l":["a"]}`: {"n": 2.0, "l": []any{"a"}},
		"null": nil, "[]": nil, "{": nil, `"x"`: nil,
	} {
		got, err := wire.Decode(s, s.Ops["Get"], httptest.NewRequest("POST", "/", nil), []byte(text))
		if want == nil {
			var e *cloud.Error
			if !errors.As(err, &e) || e.Code != "SerializationException" {
				t.Errorf("%q: got %v, %v", text, got, err)
			}
			continue
		}
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%q: %v %s", text, err, d)
		}
	}
}

func TestREST(t *testing.T) {
	s := service(cloud.RESTJSON)
	r := httptest.NewRequest("GET", "/things/a%2Fb/parts?max=5", nil)
	op, err := wire.Route(s, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := wire.Decode(s, op, r, nil)
	if d := cmp.Diff(map[string]any{"Name": "a/b", "max": "5"}, in); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
	for _, other := range []string{"/things/a", "/things/a/parts/", "/things//parts", "/stuff/a/parts"} {
		if op, err := wire.Route(s, httptest.NewRequest("GET", other, nil), nil); err == nil {
			t.Errorf("%s is served as %s", other, op.Name)
		}
	}
	if _, err := wire.Route(s, httptest.NewRequest("POST", "/things/a/parts", nil), nil); err == nil {
		t.Error("POST is served as GET")
	}
}

func TestForm(t *testing.T) {
	s := service(cloud.Query)
	decode := func(form string) (map[string]any, error) {
		return wire.Decode(s, s.Ops["Get"], httptest.NewRequest("POST", "/", nil), []byte(form))
	}
	got, err := decode("Action=Get&Version=2023-12-01&Name=x&A.member.10.B=ten&A.member.9.B=nine&A.member.9.C.member.1=in&S.T=u&Empty=&E.entry.1.key=k&Odd.member.01=z")
	want := map[string]any{
		"Name": "x", "Empty": "", "S": map[string]any{"T": "u"}, "E": []any{map[string]any{"key": "k"}},
		"A":   []any{map[string]any{"B": "nine", "C": []any{"in"}}, map[string]any{"B": "ten"}},
		"Odd": map[string]any{"member": map[string]any{"01": "z"}},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
	for _, bad := range []string{"A=1&A.B=2", "A.member.1=x&A.member.1.B=y", "A=%zz"} {
		if got, err := decode(bad); err == nil {
			t.Errorf("%s: got %v", bad, got)
		}
	}
	for form, code := range map[string]string{"Action=Put&Version=2023-12-01": cloud.UnknownOperation, "Action=Get&Version=1999-01-01": cloud.UnknownOperation, "Version=2023-12-01": "MissingAction"} {
		var e *cloud.Error
		if _, err := wire.Route(s, httptest.NewRequest("POST", "/", nil), []byte(form)); !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: %v", form, err)
		}
	}
}

// TestFormRoundTrip writes arbitrary values as a form and reads them back.
func TestFormRoundTrip(t *testing.T) {
	s := service(cloud.Query)
	rapid.Check(t, func(t *rapid.T) {
		want := structure(t, 3)
		form := url.Values{}
		flatten(form, "", want)
		got, err := wire.Decode(s, s.Ops["Get"], httptest.NewRequest("POST", "/", nil), []byte(form.Encode()))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatalf("%v %s", err, d)
		}
	})
}

func structure(t *rapid.T, depth int) map[string]any {
	m := map[string]any{}
	for range rapid.IntRange(1, 3).Draw(t, "members") {
		m[rapid.StringMatching(`[A-Z][a-z]{1,3}`).Draw(t, "name")] = value(t, depth)
	}
	return m
}

func value(t *rapid.T, depth int) any {
	if depth == 0 {
		return rapid.String().Draw(t, "text")
	}
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 0:
		return structure(t, depth-1)
	case 1:
		var list []any
		for range rapid.IntRange(1, 12).Draw(t, "length") {
			list = append(list, value(t, depth-1))
		}
		return list
	}
	return rapid.String().Draw(t, "text")
}

func flatten(form url.Values, prefix string, v any) {
	switch v := v.(type) {
	case string:
		form.Set(strings.TrimPrefix(prefix, "."), v)
	case []any:
		for i, e := range v {
			flatten(form, fmt.Sprintf("%s.member.%d", prefix, i+1), e)
		}
	case map[string]any:
		for name, e := range v {
			flatten(form, prefix+"."+name, e)
		}
	}
}

// FuzzDecode proves that no request body makes the decoders panic or answer with neither input nor error.
func FuzzDecode(f *testing.F) {
	f.Add("A.member.1.B=x&A.member.2=y")
	f.Add(`{"a":[{"b":1}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, p := range []cloud.Protocol{cloud.JSON10, cloud.Query, cloud.RESTJSON} {
			s := service(p)
			in, err := wire.Decode(s, s.Ops["Get"], httptest.NewRequest("POST", "/things/x/parts", nil), []byte(body))
			if (in == nil) == (err == nil) {
				t.Errorf("%v: %v, %v", p, in, err)
			}
			if err == nil {
				if _, err := json.Marshal(in); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
