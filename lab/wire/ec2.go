package wire

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// decodeEC2 reads a form whose lists are numbered without a word between: VpcId.1, Filter.1.Value.2.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
func decodeEC2(r *http.Request, body []byte) (map[string]any, error) {
	in, err := decodeForm(r, body)
	if err != nil {
		return nil, err
	}
	for name, v := range in {
		in[name] = numbered(v)
	}
	return in, nil
}

// numbered turns {1: a, 2: b} into a list, at every depth.
func numbered(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	list := make([]any, 0, len(m))
	for i := 1; i <= len(m); i++ {
		x, ok := m[fmt.Sprint(i)]
		if !ok {
			break
		}
		list = append(list, numbered(x))
	}
	if len(m) > 0 && len(list) == len(m) {
		return list
	}
	for name, x := range m {
		m[name] = numbered(x)
	}
	return m
}

// encodeEC2 puts the members right into OperationResponse, lists as item elements. A result of no members says
// <return>true</return>.
func encodeEC2(s *cloud.Service, op, requestID string, out map[string]any) ([]byte, error) {
	b := xmlBuffer{item: "item"}
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%sResponse xmlns=\"%s\">\n<requestId>%s</requestId>\n", op, escaped(s.Namespace), escaped(requestID))
	for _, name := range slices.Sorted(maps.Keys(out)) {
		if err := element(&b, name, out[name]); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(&b, "\n</%sResponse>\n", op)
	return b.Bytes(), nil
}

// ec2Common spells the common errors as EC2 does.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
func ec2Common(code string) (string, int) {
	switch code {
	case cloud.AccessDenied:
		return "UnauthorizedOperation", 403
	case cloud.Throttling:
		return "RequestLimitExceeded", 503
	case cloud.ExpiredToken:
		return "RequestExpired", 400
	case cloud.UnrecognizedClient, cloud.InvalidSignature:
		return "AuthFailure", 401
	case cloud.UnknownOperation:
		return "InvalidAction", 400
	case cloud.ValidationError:
		return "InvalidParameterValue", 400
	case cloud.InternalFailure:
		return "InternalError", 500
	case cloud.OptInRequired:
		return "OptInRequired", 401
	}
	return code, http.StatusBadRequest
}

// faultEC2 writes an error in EC2's own envelope and returns its code there. A refusal has EC2's sentence before the
// common one, and names no resource where the action knows none.
func faultEC2(requestID string, e *cloud.Error, m *Message) string {
	code, status := ec2Common(e.Code)
	text := e.Message
	switch e.Code {
	case cloud.AccessDenied:
		text = "You are not authorized to perform this operation. " + strings.Replace(text, " on resource: * ", " ", 1)
	case cloud.UnrecognizedClient, cloud.InvalidSignature:
		text = "AWS was not able to validate the provided access credentials"
	case cloud.ExpiredToken:
		text = "Request has expired."
	case cloud.Throttling:
		text = "Request limit exceeded."
	}
	m.Status = status
	if e.Status != 0 {
		m.Status = e.Status
	}
	m.Body = fmt.Appendf(nil, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>%s</RequestID></Response>\n",
		escaped(code), escaped(text), escaped(requestID))
	return code
}
