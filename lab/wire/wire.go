// Package wire turns HTTP requests of the AWS protocols into operations with plain maps, and results and errors
// back into the bytes AWS would send. It never decides anything: it knows no state, no caller and no permission.
package wire

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// Message is what goes back over HTTP.
type Message struct {
	Status int
	Header http.Header
	Body   []byte
}

// Hint guesses the protocol of a request whose service is not known, so that even its refusal can be read by the
// client that sent it.
func Hint(r *http.Request) cloud.Protocol {
	switch {
	case isCBOR(r):
		return cloud.CBOR
	case r.Header.Get("X-Amz-Target") != "" && strings.Contains(r.Header.Get("Content-Type"), "json-1.1"):
		return cloud.JSON11
	case r.Header.Get("X-Amz-Target") != "":
		return cloud.JSON10
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"), r.URL.Query().Has("Action"):
		return cloud.Query
	}
	return cloud.RESTJSON
}

// Spoken is a service as a request addresses it: in the protocol that the request is written in when the service has it as
// a further one, else in its own.
func Spoken(s *cloud.Service, r *http.Request) *cloud.Service {
	if p := Hint(r); slices.Contains(s.Also, p) {
		as := *s
		as.Protocol = p
		return &as
	}
	return s
}

// Route finds the operation of a service that a request asks for. An operation the service does not have, or that only
// the console can call, is refused with cloud.UnknownOperation.
func Route(s *cloud.Service, r *http.Request, body []byte) (*cloud.Op, error) {
	switch s.Protocol {
	case cloud.Query, cloud.EC2:
		body, err := unfolded(r, body)
		if err != nil {
			return nil, err
		}
		return routeQuery(s, r, body)
	case cloud.RESTJSON, cloud.RESTXML:
		return routeREST(s, r)
	case cloud.CBOR:
		return routeCBOR(s, r)
	}
	return routeTarget(s, r)
}

// Decode reads the input of an operation: JSON values as encoding/json has them, form posts with text at the leaves and
// their member lists and structures nested, CBOR like JSON with times as seconds since 1970. It never returns a nil map
// without an error.
func Decode(s *cloud.Service, op *cloud.Op, r *http.Request, body []byte) (map[string]any, error) {
	body, err := unfolded(r, body)
	if err != nil {
		return nil, err
	}
	switch s.Protocol {
	case cloud.CBOR:
		return decodeCBOR(body)
	case cloud.Query:
		return decodeForm(r, body)
	case cloud.EC2:
		return decodeEC2(r, body)
	case cloud.RESTJSON:
		return decodeREST(op, r, body)
	case cloud.RESTXML:
		return decodeRESTXML(op, r, body)
	}
	return decodeJSON(body)
}

// maxPlain is the most bytes that a compressed body may unfold to.
const maxPlain = 64 << 20

// unfolded is a body as it was before the client compressed it, as clients do with large ones of some operations.
func unfolded(r *http.Request, body []byte) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(z, maxPlain))
	}
	if err != nil {
		return nil, cloud.Errorf("SerializationException", "")
	}
	return body, nil
}

// Reply encodes the result of an operation. A nil result becomes a reply without members. It fails on a value of a Go
// type that cloud.Op.Do does not list, which is a mistake in the service.
func Reply(s *cloud.Service, op *cloud.Op, requestID string, out map[string]any) (Message, error) {
	m := Message{Status: http.StatusOK, Header: http.Header{}}
	m.Header.Set("X-Amzn-Requestid", requestID)
	m.Header.Set("Content-Type", contentType(s.Protocol))
	var err error
	switch s.Protocol {
	case cloud.Query:
		m.Body, err = encodeXML(s, op.Name, requestID, out)
	case cloud.EC2:
		m.Body, err = encodeEC2(s, op.Name, requestID, out)
	case cloud.CBOR:
		m.Header.Set(cborHeader, cborName)
		m.Body, err = encodeCBOR(out)
	case cloud.RESTXML:
		err = encodeRESTXML(s, op, out, &m)
	default:
		m.Body, err = encodeJSON(out)
	}
	return m, err
}

func contentType(p cloud.Protocol) string {
	switch p {
	case cloud.JSON10:
		return "application/x-amz-json-1.0"
	case cloud.JSON11:
		return "application/x-amz-json-1.1"
	case cloud.Query, cloud.EC2, cloud.RESTXML:
		return "text/xml"
	case cloud.CBOR:
		return "application/cbor"
	}
	return "application/json"
}

// routeTarget compares the last dotted part of the target's service half only: the Go SDK sends
// "CodeConnections_20231201.GetConnection", the AWS CLI "com.amazonaws.codeconnections.CodeConnections_20231201.GetConnection".
func routeTarget(s *cloud.Service, r *http.Request) (*cloud.Op, error) {
	target := r.Header.Get("X-Amz-Target")
	service, name := "", target
	if i := strings.LastIndexByte(target, '.'); i >= 0 {
		service, name = target[:i], target[i+1:]
	}
	op := s.Ops[name]
	if lastPart(service) != lastPart(s.Target) || op == nil || op.Console {
		return nil, UnknownOperation(s, name, "")
	}
	return op, nil
}

// UnknownOperation is the error of a service that has no such operation: the JSON protocols name the kind only.
func UnknownOperation(s *cloud.Service, name, version string) error {
	switch s.Protocol {
	case cloud.Query, cloud.EC2:
		return cloud.Errorf(cloud.UnknownOperation, "Could not find operation %s for version %s", name, version)
	case cloud.RESTJSON, cloud.RESTXML:
		return cloud.Errorf(cloud.UnknownOperation, "Unable to determine service/operation name to be authorized")
	}
	return cloud.Errorf(cloud.UnknownOperation, "")
}

func lastPart(dotted string) string { return dotted[strings.LastIndexByte(dotted, '.')+1:] }

func routeREST(s *cloud.Service, r *http.Request) (*cloud.Op, error) {
	for _, op := range s.Ops {
		if _, ok := labels(op.Path, asked(s.Protocol, r)); ok && op.Method == r.Method && fits(s, op, r) && !op.Console {
			return op, nil
		}
	}
	return nil, UnknownOperation(s, "", "")
}
