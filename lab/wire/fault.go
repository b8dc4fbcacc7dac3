package wire

import (
	"errors"
	"net/http"

	"github.com/unjam/unjam/lab/cloud"
)

// Codes of authentication that only the front door uses, beside the common ones of package cloud.
const (
	IncompleteSignature        = "IncompleteSignature"
	MissingAuthenticationToken = "MissingAuthenticationToken"
	RequestTooLarge            = "RequestEntityTooLarge"
)

// spelling is how one common error looks: JSON services say it with one name and mostly with status 400, Query services
// with another. REST-JSON takes the JSON name and the Query status.
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/CommonErrors.html
type spelling struct {
	json        string
	jsonStatus  int
	query       string
	queryStatus int
}

func common(code string) (spelling, bool) {
	switch code {
	case cloud.AccessDenied:
		return spelling{"AccessDeniedException", 400, "AccessDenied", 403}, true
	case cloud.Throttling:
		return spelling{"ThrottlingException", 400, "Throttling", 400}, true
	case cloud.ExpiredToken:
		return spelling{"ExpiredTokenException", 400, "ExpiredToken", 403}, true
	case cloud.UnrecognizedClient:
		return spelling{"UnrecognizedClientException", 400, "InvalidClientTokenId", 403}, true
	case cloud.InvalidSignature:
		return spelling{"InvalidSignatureException", 400, "SignatureDoesNotMatch", 403}, true
	case IncompleteSignature:
		return spelling{"IncompleteSignatureException", 400, "IncompleteSignature", 400}, true
	case MissingAuthenticationToken:
		return spelling{"MissingAuthenticationTokenException", 400, "MissingAuthenticationToken", 403}, true
	case cloud.UnknownOperation:
		return spelling{"UnknownOperationException", 400, "InvalidAction", 400}, true
	case cloud.InternalFailure:
		return spelling{"InternalServerError", 500, "InternalFailure", 500}, true
	case cloud.ValidationError:
		return spelling{"ValidationException", 400, "ValidationError", 400}, true
	case cloud.OptInRequired:
		return spelling{"OptInRequired", 400, "OptInRequired", 403}, true
	case RequestTooLarge:
		return spelling{"RequestEntityTooLargeException", 413, "RequestEntityTooLarge", 413}, true
	}
	return spelling{}, false
}

// Fault encodes an error in the envelope of a protocol and returns the code as it is spelled there. Common codes are
// translated; any other code goes out as it is, so a service names its errors as the wire does (IAM: NoSuchEntity). An
// error that is no *cloud.Error is an internal failure. The service may be nil when it is not known.
func Fault(p cloud.Protocol, s *cloud.Service, requestID string, err error) (Message, string) {
	e := &cloud.Error{Code: cloud.InternalFailure, Message: err.Error()}
	errors.As(err, &e)
	code, status := e.Code, e.Status
	known, isCommon := common(e.Code)
	if isCommon {
		code, status = known.spell(p, status)
	}
	if status == 0 {
		status = http.StatusBadRequest
	}
	text := e.Message
	if s != nil && s.Reword != nil && e.Code == cloud.AccessDenied {
		code, text = s.Reword(text)
	}
	m := Message{Status: status, Header: http.Header{}}
	m.Header.Set("X-Amzn-Requestid", requestID)
	m.Header.Set("Content-Type", contentType(p))
	for name, value := range e.Headers {
		m.Header.Set(name, value)
	}
	if s != nil && s.Bare {
		code = faultS3(requestID, code, text, &m)
		return m, code
	}
	if s != nil && s.Shapes != nil && p != cloud.Query {
		code = compatible(s, e.Code, code, status, &m)
	}
	switch p {
	case cloud.Query, cloud.RESTXML:
		faultXML(s, requestID, code, text, &m)
	case cloud.EC2:
		code = faultEC2(requestID, e, &m)
	default:
		faultJSON(p, s, code, e, isCommon, &m)
	}
	return m, code
}

// compatible names the shape of an error of a Query service that is spoken to in another protocol, and says in a header how
// Query names it. https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
func compatible(s *cloud.Service, own, code string, status int, m *Message) string {
	side := ";Sender"
	if status >= 500 {
		side = ";Receiver"
	}
	if known, ok := common(own); ok {
		own = known.query
	}
	m.Header.Set("X-Amzn-Query-Error", own+side)
	if name, ok := s.Shapes[own]; ok {
		return name
	}
	return code
}

func (k spelling) spell(p cloud.Protocol, status int) (string, int) {
	code, own := k.json, k.jsonStatus
	switch p {
	case cloud.Query, cloud.RESTXML:
		code, own = k.query, k.queryStatus
	case cloud.RESTJSON:
		own = k.queryStatus
		if code == "ThrottlingException" {
			own = http.StatusTooManyRequests
		}
	}
	if status == 0 {
		status = own
	}
	return code, status
}
