package wire_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/wire"
)

// metrics is a service of the Query protocol that speaks two more.
func metrics() *cloud.Service {
	s := service(cloud.Query)
	s.Also = []cloud.Protocol{cloud.JSON10, cloud.CBOR}
	s.Target, s.Text = "com.amazonaws.cloudwatch.Granite", "message"
	s.Shapes = map[string]string{"InvalidParameterValue": "InvalidParameterValueException"}
	return s
}

func rpc(path string, body []byte) *http.Request {
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	return r
}

// TestSpokenAsTheRequestIsWritten: one service, three protocols.
func TestSpokenAsTheRequestIsWritten(t *testing.T) {
	form := httptest.NewRequest("POST", "/", strings.NewReader("Action=Get&Version=2023-12-01"))
	target := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
	target.Header.Set("X-Amz-Target", "Granite.Get")
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for want, r := range map[cloud.Protocol]*http.Request{cloud.Query: form, cloud.JSON10: target, cloud.CBOR: rpc("/service/Granite/operation/Get", nil)} {
		s := wire.Spoken(metrics(), r)
		body := map[cloud.Protocol]string{cloud.Query: "Action=Get&Version=2023-12-01", cloud.JSON10: "{}"}[want]
		op, err := wire.Route(s, r, []byte(body))
		if s.Protocol != want || err != nil || op.Name != "Get" {
			t.Errorf("protocol %v, operation %v, %v; want protocol %v", s.Protocol, op, err, want)
		}
	}
	plain := service(cloud.JSON11)
	if wire.Spoken(plain, rpc("/", nil)) != plain {
		t.Error("a service of one protocol is spoken to in another")
	}
	for _, path := range []string{"/service/Granite/operation/Put", "/service/Other/operation/Get", "/"} {
		r := rpc(path, nil)
		if op, err := wire.Route(wire.Spoken(metrics(), r), r, nil); err == nil {
			t.Errorf("%s is routed to %v", path, op)
		}
	}
}

// TestReplyCBOR has another decoder read every Go type that an operation may return.
func TestReplyCBOR(t *testing.T) {
	s := wire.Spoken(metrics(), rpc("/", nil))
	m, err := wire.Reply(s, s.Ops["Get"], "req-1", everything())
	if err != nil {
		t.Fatal(err)
	}
	got, err := cbor.Decode(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	at := &cbor.Tag{ID: 1, Value: cbor.Float64(1767319445.678)}
	want := cbor.Map{"anys": cbor.List{cbor.String("x"), cbor.Uint(1), &cbor.Nil{}}, "at": at, "entries": cbor.Map{"a": cbor.String("1"), "b": cbor.String("2")},
		"float": cbor.Float64(1.5), "int": cbor.Uint(7), "long": cbor.Uint(1 << 40), "map": cbor.Map{"in": cbor.String("side")}, "maps": cbor.List{cbor.Map{"k": at}},
		"none": cbor.List{}, "text": cbor.String(`a<b>&"ü`), "texts": cbor.List{cbor.String("p"), cbor.String("q")}, "whole": cbor.Float64(3), "yes": cbor.Bool(true)}
	if d := cmp.Diff(cbor.Value(want), got); d != "" {
		t.Error(d)
	}
	if m.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" || m.Header.Get("Content-Type") != "application/cbor" {
		t.Errorf("headers %v", m.Header)
	}
	if m, err = wire.Reply(s, s.Ops["Get"], "r", nil); err != nil || hex.EncodeToString(m.Body) != "a0" {
		t.Errorf("a reply without members: %x, %v", m.Body, err)
	}
}

// TestDecodeCBOR has another encoder write what the lab reads, whole and compressed.
func TestDecodeCBOR(t *testing.T) {
	s := wire.Spoken(metrics(), rpc("/", nil))
	value := rapid.Deferred(func() *rapid.Generator[any] {
		return rapid.OneOf(rapid.String().AsAny(), rapid.Bool().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.IntRange(-1<<40, 1<<40).AsAny())
	})
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.MapOf(rapid.StringN(1, 40, -1), rapid.SliceOfN(value, 0, 30)).Draw(t, "input")
		body, want := cbor.Map{}, map[string]any{}
		for name, list := range plain {
			encoded, decoded := cbor.List{}, []any{}
			for _, v := range list {
				e, d := both(v)
				encoded, decoded = append(encoded, e), append(decoded, d)
			}
			body[name], want[name] = encoded, decoded
		}
		r := rpc("/service/Granite/operation/Get", nil)
		raw := cbor.Encode(body)
		if rapid.Bool().Draw(t, "compressed") {
			r.Header.Set("Content-Encoding", "gzip")
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(raw)
			_ = z.Close()
			raw = b.Bytes()
		}
		got, err := wire.Decode(s, s.Ops["Get"], r, raw)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatal(err, d)
		}
	})
}

func both(v any) (cbor.Value, any) {
	switch v := v.(type) {
	case string:
		return cbor.String(v), v
	case bool:
		return cbor.Bool(v), v
	case int:
		if v < 0 {
			return cbor.NegInt(-v), float64(v)
		}
		return cbor.Uint(v), float64(v)
	}
	return &cbor.Tag{ID: 1, Value: cbor.Float64(v.(float64))}, v
}

// TestWhatIsNoCBOR: no body makes the reader fall over, and what is cut or no map is refused.
func TestWhatIsNoCBOR(t *testing.T) {
	s := wire.Spoken(metrics(), rpc("/", nil))
	for _, text := range []string{"a1", "80", "a16161", "ff", "a10101", "a16161fc", "a1616182", "bf6161", "a161617f41ff", "a0a0", "a161619bffffffffffffffff", "a161611f", "a161617bfffffffffffffffe"} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if in, err := wire.Decode(s, s.Ops["Get"], rpc("/", nil), raw); err == nil {
			t.Errorf("%s is read as %v", text, in)
		}
	}
	deep := append(bytes.Repeat([]byte{0xa1, 0x61, 0x61}, 1000), 0xa0)
	if _, err := wire.Decode(s, s.Ops["Get"], rpc("/", nil), deep); err == nil {
		t.Error("a thousand levels are read")
	}
	open, err := hex.DecodeString("bf61619f01ff61627f61636164ffff")
	if err != nil {
		t.Fatal(err)
	}
	in, err := wire.Decode(s, s.Ops["Get"], rpc("/", nil), open)
	if d := cmp.Diff(map[string]any{"a": []any{1.0}, "b": "cd"}, in); err != nil || d != "" {
		t.Error("without lengths:", err, d)
	}
	rapid.Check(t, func(t *rapid.T) {
		_, _ = wire.Decode(s, s.Ops["Get"], rpc("/", nil), rapid.SliceOf(rapid.Byte()).Draw(t, "body"))
	})
}

// TestFaultOfACompatibleService: shape in the body, the Query code in a header.
func TestFaultOfACompatibleService(t *testing.T) {
	s := wire.Spoken(metrics(), rpc("/", nil))
	for own, want := range map[string][2]string{
		"InvalidParameterValue": {"InvalidParameterValueException", "InvalidParameterValue;Sender"},
		cloud.AccessDenied:      {"AccessDeniedException", "AccessDenied;Sender"},
		cloud.InternalFailure:   {"InternalServerError", "InternalFailure;Receiver"},
	} {
		m, code := wire.Fault(cloud.CBOR, s, "r", cloud.Errorf(own, "no"))
		v, err := cbor.Decode(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		body := v.(cbor.Map)
		name := string(body["__type"].(cbor.String))
		if code != want[0] || !strings.HasSuffix(name, "#"+want[0]) || m.Header.Get("X-Amzn-Query-Error") != want[1] || body["message"] != cbor.String("no") {
			t.Errorf("%s: code %s, body %v, header %v", own, code, body, m.Header)
		}
	}
	if m, code := wire.Fault(cloud.Query, metrics(), "r", cloud.Errorf("InvalidParameterValue", "no")); code != "InvalidParameterValue" || !strings.Contains(string(m.Body), "<Code>InvalidParameterValue</Code>") {
		t.Errorf("Query: %s %s", code, m.Body)
	}
}

// TestCompressedBodies: every protocol reads a body that its client compressed, and refuses one that is not what it says.
func TestCompressedBodies(t *testing.T) {
	for p, plain := range map[cloud.Protocol]string{cloud.Query: "Action=Get&Version=2023-12-01&Name=web", cloud.JSON10: `{"Name":"web"}`, cloud.CBOR: "\xa1dNamecweb"} {
		s := service(p)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(plain))
		_ = z.Close()
		r := httptest.NewRequest("POST", "/service/CodeConnections_20231201/operation/Get", nil)
		r.Header.Set("X-Amz-Target", "CodeConnections_20231201.Get")
		r.Header.Set("Content-Encoding", "gzip")
		op, err := wire.Route(s, r, b.Bytes())
		if err != nil {
			t.Errorf("protocol %v: %v", p, err)
			continue
		}
		if in, err := wire.Decode(s, op, r, b.Bytes()); err != nil || in["Name"] != "web" {
			t.Errorf("protocol %v: %v, %v", p, in, err)
		}
		if in, err := wire.Decode(s, op, r, []byte(plain)); err == nil {
			t.Errorf("protocol %v: what is not compressed is read as %v", p, in)
		}
	}
}
