package wire

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// encodeXML wraps a result the way the Query protocol does: OperationResponse, OperationResult, ResponseMetadata. An
// operation without a result has no OperationResult.
func encodeXML(s *cloud.Service, op, requestID string, out map[string]any) ([]byte, error) {
	b := xmlBuffer{item: "member"}
	fmt.Fprintf(&b, "<%sResponse xmlns=\"%s\">\n", op, escaped(s.Namespace))
	if out != nil {
		if err := element(&b, op+"Result", out); err != nil {
			return nil, err
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>\n</%sResponse>\n", escaped(requestID), op)
	return b.Bytes(), nil
}

// xmlBuffer is an XML document being written; item is the name of the elements of its lists.
type xmlBuffer struct {
	bytes.Buffer
	item string
}

func element(b *xmlBuffer, name string, v any) error {
	if absent(v) {
		return nil
	}
	b.WriteString("<" + name + ">")
	if err := content(b, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.WriteString("</" + name + ">")
	return nil
}

// content writes what is inside an element. Structures are map[string]any, maps are map[string]string.
func content(b *xmlBuffer, v any) error {
	switch v := v.(type) {
	case string:
		b.WriteString(escaped(v))
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int:
		b.WriteString(strconv.Itoa(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(strconv.FormatFloat(v, 'f', -1, 64))
	case time.Time:
		b.WriteString(v.UTC().Format("2006-01-02T15:04:05Z"))
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := element(b, name, v[name]); err != nil {
				return err
			}
		}
	case map[string]string:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(b, "<entry><key>%s</key><value>%s</value></entry>", escaped(key), escaped(v[key]))
		}
	default:
		return members(b, v)
	}
	return nil
}

func members(b *xmlBuffer, v any) error {
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return fmt.Errorf("encode reply: a value of Go type %T", v)
	}
	for i := range list.Len() {
		if err := element(b, b.item, list.Index(i).Interface()); err != nil {
			return err
		}
	}
	return nil
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer takes everything
	return b.String()
}

func faultXML(s *cloud.Service, requestID, code, message string, m *Message) {
	side, namespace := "Sender", ""
	if m.Status >= 500 {
		side = "Receiver"
	}
	if s != nil {
		namespace = s.Namespace
	}
	m.Body = fmt.Appendf(nil, "<ErrorResponse xmlns=\"%s\">\n<Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error>\n<RequestId>%s</RequestId>\n</ErrorResponse>\n",
		escaped(namespace), side, escaped(code), escaped(message), escaped(requestID))
}
