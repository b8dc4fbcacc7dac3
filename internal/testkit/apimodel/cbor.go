package apimodel

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// What a request and a reply of Smithy's RPC v2 with CBOR say of themselves.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
const (
	cborHeader = "Smithy-Protocol"
	cborName   = "rpc-v2-cbor"
)

// stamped is a time as CBOR has it: seconds since 1970 under tag 1.
type stamped struct{ seconds any }

// rpcTarget checks what names the operation.
func (k *check) rpcTarget() {
	if k.x.Method != http.MethodPost || !strings.HasPrefix(k.x.Path, "/service/") || !strings.HasSuffix(k.x.Path, "/operation/"+k.x.Operation) {
		k.problem(nil, "wire", "%s %s instead of POST /service/NAME/operation/%s", k.x.Method, k.x.Path, k.x.Operation)
	}
	if got := k.x.RequestHeader.Get("Content-Type"); got != "application/cbor" && len(k.x.RequestBody) > 0 {
		k.problem(nil, "wire", "Content-Type is %q, not %q", got, "application/cbor")
	}
}

// cborBody decodes a body into what jsonBody would give; nil after a problem. No body is an empty object.
func (k *check) cborBody(body []byte, header http.Header) any {
	if header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(z)
		}
		if err != nil {
			k.problem(nil, "wire", "body is not compressed as it says: %v", err)
			return nil
		}
	}
	if len(body) == 0 {
		return map[string]any{}
	}
	v, err := cbor.Decode(body)
	if err != nil {
		k.problem(nil, "wire", "body is not CBOR: %v", err)
		return nil
	}
	return plain(v)
}

func plain(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		m := map[string]any{}
		for name, e := range v {
			m[name] = plain(e)
		}
		return m
	case cbor.List:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = plain(e)
		}
		return l
	case *cbor.Tag:
		if v.ID == 1 {
			return stamped{plain(v.Value)}
		}
		return plain(v.Value)
	case cbor.String:
		return string(v)
	case cbor.Slice:
		return base64.StdEncoding.EncodeToString(v)
	case cbor.Bool:
		return bool(v)
	case cbor.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10))
	case cbor.NegInt:
		return json.Number("-" + strconv.FormatUint(uint64(v), 10))
	case cbor.Float32:
		return json.Number(strconv.FormatFloat(float64(v), 'g', -1, 32))
	case cbor.Float64:
		return json.Number(strconv.FormatFloat(float64(v), 'g', -1, 64))
	}
	return nil
}

// cborCode is the error's name in a body, without its namespace; "" when there is none.
func cborCode(body []byte) string {
	v, _ := cbor.Decode(body) // what is no CBOR has no code: reported by fault
	m, _ := v.(cbor.Map)
	name, _ := m["__type"].(cbor.String)
	return string(name[strings.LastIndexByte(string(name), '#')+1:])
}
