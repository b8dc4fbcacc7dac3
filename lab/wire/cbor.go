package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// What the header of the protocol says.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
const (
	cborHeader = "Smithy-Protocol"
	cborName   = "rpc-v2-cbor"
)

func isCBOR(r *http.Request) bool { return r.Header.Get(cborHeader) == cborName }

// routeCBOR reads /service/NAME/operation/NAME.
func routeCBOR(s *cloud.Service, r *http.Request) (*cloud.Op, error) {
	found, ok := labels("/service/{service}/operation/{operation}", r.URL.EscapedPath())
	op := s.Ops[found["operation"]]
	if !ok || found["service"] != lastPart(s.Target) || op == nil || op.Console {
		return nil, UnknownOperation(s, found["operation"], "")
	}
	return op, nil
}

func decodeCBOR(body []byte) (map[string]any, error) {
	if len(body) == 0 {
		return map[string]any{}, nil
	}
	d := cborReader{rest: body}
	v, err := d.value(0)
	in, ok := v.(map[string]any)
	if err != nil || !ok || len(d.rest) > 0 {
		return nil, cloud.Errorf("SerializationException", "")
	}
	return in, nil
}

// encodeCBOR writes a result; none at all is an empty map.
func encodeCBOR(out map[string]any) ([]byte, error) {
	var b bytes.Buffer
	if err := cborValue(&b, out); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// The major types of CBOR, and the marks of its simple ones.
// https://www.rfc-editor.org/rfc/rfc8949#section-3.1
const (
	cborUint = iota << 5
	cborNegative
	cborBytes
	cborText
	cborList
	cborMap
	cborTag
	cborSimple

	cborFalse   = cborSimple | 20
	cborTrue    = cborSimple | 21
	cborNull    = cborSimple | 22
	cborFloat64 = cborSimple | 27
	cborBreak   = cborSimple | 31
)

// cborHead writes a major type with its number, in the shortest form.
func cborHead(b *bytes.Buffer, major byte, n uint64) {
	switch {
	case n < 24:
		b.WriteByte(major | byte(n))
	case n <= math.MaxUint8:
		b.Write([]byte{major | 24, byte(n)})
	case n <= math.MaxUint16:
		b.Write(binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(n)))
	case n <= math.MaxUint32:
		b.Write(binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(n)))
	default:
		b.Write(binary.BigEndian.AppendUint64([]byte{major | 27}, n))
	}
}

// cborValue writes a value; times are seconds since 1970 under tag 1.
func cborValue(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case nil:
		b.WriteByte(cborNull)
	case bool:
		b.WriteByte(map[bool]byte{false: cborFalse, true: cborTrue}[v])
	case string:
		cborHead(b, cborText, uint64(len(v)))
		b.WriteString(v)
	case int:
		cborInt(b, int64(v))
	case int64:
		cborInt(b, v)
	case float64:
		b.Write(binary.BigEndian.AppendUint64([]byte{cborFloat64}, math.Float64bits(v)))
	case time.Time:
		cborHead(b, cborTag, 1)
		return cborValue(b, float64(v.UnixMilli())/1000)
	case map[string]any:
		return cborObject(b, v)
	case map[string]string:
		all := map[string]any{}
		for k, x := range v {
			all[k] = x
		}
		return cborObject(b, all)
	default:
		return cborItems(b, v)
	}
	return nil
}

func cborInt(b *bytes.Buffer, n int64) {
	if n < 0 {
		cborHead(b, cborNegative, uint64(-1-n))
		return
	}
	cborHead(b, cborUint, uint64(n))
}

func cborObject(b *bytes.Buffer, m map[string]any) error {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(m)), func(name string) bool { return absent(m[name]) })
	cborHead(b, cborMap, uint64(len(names)))
	for _, name := range names {
		if err := cborValue(b, name); err != nil {
			return err
		}
		if err := cborValue(b, m[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func cborItems(b *bytes.Buffer, v any) error {
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return fmt.Errorf("encode reply: a value of Go type %T", v)
	}
	cborHead(b, cborList, uint64(list.Len()))
	for i := range list.Len() {
		if err := cborValue(b, list.Index(i).Interface()); err != nil {
			return err
		}
	}
	return nil
}

// cborReader reads one value after the other from the front of rest.
type cborReader struct{ rest []byte }

// errCBOR says that a body is no CBOR, or none that the protocol allows.
var errCBOR = errors.New("decode CBOR: not a value")

// maxDepth bounds nesting: no AWS request is anywhere near.
const maxDepth = 64

// endless is the length of a list, map or text that goes on until a break.
const endless = math.MaxUint64

// head reads a major type and its number.
func (d *cborReader) head() (major, minor byte, n uint64, err error) {
	if len(d.rest) == 0 {
		return 0, 0, 0, errCBOR
	}
	major, minor = d.rest[0]&0xe0, d.rest[0]&0x1f
	d.rest = d.rest[1:]
	if minor < 24 {
		return major, minor, uint64(minor), nil
	}
	if minor == 31 {
		return major, minor, endless, nil
	}
	if minor > 27 || len(d.rest) < 1<<(minor-24) {
		return 0, 0, 0, errCBOR
	}
	size := 1 << (minor - 24)
	for _, x := range d.rest[:size] {
		n = n<<8 | uint64(x)
	}
	d.rest = d.rest[size:]
	return major, minor, n, nil
}

// value reads a value in the Go types that JSON would give: numbers are float64.
func (d *cborReader) value(depth int) (any, error) {
	major, minor, n, err := d.head()
	if err != nil || depth > maxDepth || minor == 31 && (major < cborBytes || major > cborMap) {
		return nil, errCBOR
	}
	switch major {
	case cborUint:
		return float64(n), nil
	case cborNegative:
		return -1 - float64(n), nil
	case cborBytes, cborText:
		return d.text(major, n)
	case cborList:
		return d.list(n, depth)
	case cborMap:
		return d.object(n, depth)
	case cborTag: // 1, a time, is all that the protocol has; its seconds stay
		return d.value(depth + 1)
	}
	return simple(minor, n)
}

func simple(minor byte, n uint64) (any, error) {
	switch minor {
	case 20, 21:
		return minor == 21, nil
	case 22, 23:
		return nil, nil
	case 26:
		return float(float64(math.Float32frombits(uint32(n)))), nil
	case 27:
		return float(math.Float64frombits(n)), nil
	}
	return nil, errCBOR
}

// float is a number, or the text that Smithy's JSON has for what is none.
func float(f float64) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return f
}

// ends tells, and takes, the break at the end of what has no length of its own.
func (d *cborReader) ends() bool {
	if len(d.rest) > 0 && d.rest[0] == cborBreak {
		d.rest = d.rest[1:]
		return true
	}
	return false
}

func (d *cborReader) text(major byte, n uint64) (string, error) {
	if n != endless {
		if n > uint64(len(d.rest)) {
			return "", errCBOR
		}
		s := string(d.rest[:n])
		d.rest = d.rest[n:]
		return s, nil
	}
	var b strings.Builder
	for !d.ends() {
		kind, _, size, err := d.head()
		if err != nil || kind != major || size == endless {
			return "", errCBOR
		}
		part, err := d.text(major, size)
		if err != nil {
			return "", err
		}
		b.WriteString(part)
	}
	return b.String(), nil
}

func (d *cborReader) list(n uint64, depth int) ([]any, error) {
	all := []any{}
	for i := uint64(0); i < n; i++ {
		if n == endless && d.ends() {
			break
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func (d *cborReader) object(n uint64, depth int) (map[string]any, error) {
	m := map[string]any{}
	for i := uint64(0); i < n; i++ {
		if n == endless && d.ends() {
			break
		}
		key, err := d.value(depth + 1)
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, errCBOR
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if v != nil {
			m[name] = v
		}
	}
	return m, nil
}
