package apimodel

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// model is one service's api-2.json or service-2.json.
type model struct {
	service  string // signing name
	Metadata struct {
		Protocol     string   `json:"protocol"`
		Protocols    []string `json:"protocols"`
		JSONVersion  string   `json:"jsonVersion"`
		TargetPrefix string   `json:"targetPrefix"`
		APIVersion   string   `json:"apiVersion"`
		XMLNamespace string   `json:"xmlNamespace"`
	} `json:"metadata"`
	Operations map[string]*operation `json:"operations"`
	Shapes     map[string]*shape     `json:"shapes"`
}

type operation struct {
	HTTP struct {
		Method     string `json:"method"`
		RequestURI string `json:"requestUri"`
		Code       int    `json:"responseCode"` // of success; 0: 200
	} `json:"http"`
	Input  *ref  `json:"input"`
	Output *ref  `json:"output"`
	Errors []ref `json:"errors"`
}

// ref is a use of a shape: as a member, as the element of a list, as input, output or error.
type ref struct {
	Shape           string `json:"shape"`
	ResultWrapper   string `json:"resultWrapper"`
	Location        string `json:"location"`
	LocationName    string `json:"locationName"`
	Flattened       bool   `json:"flattened"`
	TimestampFormat string `json:"timestampFormat"`
	QueryName       string `json:"queryName"`
}

type shape struct {
	name            string
	Type            string         `json:"type"`
	Required        []string       `json:"required"`
	Members         map[string]ref `json:"members"`
	Member          *ref           `json:"member"` // list
	Key             *ref           `json:"key"`    // map
	Value           *ref           `json:"value"`
	Flattened       bool           `json:"flattened"`
	Enum            []string       `json:"enum"`
	Min             *float64       `json:"min"`
	Max             *float64       `json:"max"`
	Pattern         string         `json:"pattern"`
	TimestampFormat string         `json:"timestampFormat"`
	Payload         string         `json:"payload"`
	Document        bool           `json:"document"`
	Union           bool           `json:"union"`
	Exception       bool           `json:"exception"`
	Fault           bool           `json:"fault"`
	Error           struct {
		Code           string `json:"code"`
		HTTPStatusCode int    `json:"httpStatusCode"`
	} `json:"error"`

	wire    map[string]string // name on the wire to member name
	form    map[string]string // the same for the requests of the EC2 protocol
	compile sync.Once
	re      *regexp.Regexp // nil when there is no pattern, or none that RE2 can express
}

func parseModel(service string, text []byte) (*model, error) {
	m := &model{service: service}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("parse model of %s: %w", service, err)
	}
	if len(m.Operations) == 0 || len(m.Shapes) == 0 {
		return nil, fmt.Errorf("parse model of %s: no operations or shapes", service)
	}
	for name, s := range m.Shapes {
		s.name = name
		s.wire, s.form = make(map[string]string, len(s.Members)), make(map[string]string, len(s.Members))
		for member, r := range s.Members {
			s.wire[r.wireName(member)] = member
			s.form[r.formName(member)] = member
		}
	}
	return m, nil
}

// offers tells whether a service speaks a protocol.
func (m *model) offers(protocol string) bool {
	return m.Metadata.Protocol == protocol || slices.Contains(m.Metadata.Protocols, protocol)
}

// protocol is json, query, ec2, rest-json or rest-xml, the ones this package reads; the services that offer more (RPC v2 CBOR) offer
// one of these too.
func (m *model) protocol() string {
	for _, p := range []string{"json", "query", "ec2", "rest-json", "rest-xml"} {
		if m.offers(p) {
			return p
		}
	}
	return m.Metadata.Protocol
}

func (m *model) shape(r *ref) *shape {
	if r == nil {
		return nil
	}
	return m.Shapes[r.Shape]
}

func (r ref) wireName(member string) string {
	if r.LocationName != "" {
		return r.LocationName
	}
	return member
}

// formName is a member's name in a request of the EC2 protocol: capitalised.
// https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
func (r ref) formName(member string) string {
	if r.QueryName != "" {
		return r.QueryName
	}
	name := r.wireName(member)
	return strings.ToUpper(name[:1]) + name[1:]
}

// regexp returns the compiled pattern; ok is false when the shape has one that RE2 cannot express.
func (s *shape) regexp() (re *regexp.Regexp, ok bool) {
	if s.Pattern == "" {
		return nil, true
	}
	s.compile.Do(func() { s.re, _ = regexp.Compile(re2(s.Pattern)) })
	return s.re, s.re != nil
}

var codePoint = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// re2 rewrites a pattern of the models, which are Java's and hold for the whole value: \uXXXX, and the surrogate pairs
// for everything beyond the basic plane.
func re2(pattern string) string {
	pattern = strings.ReplaceAll(pattern, `\uD800\uDC00-\uDBFF\uDFFF`, `\x{10000}-\x{10FFFF}`)
	return `^(?:` + codePoint.ReplaceAllString(pattern, `\x{$1}`) + `)$`
}

// common lists the errors that any operation of a protocol family can answer with, and their status; 0: any.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
func common(protocol string) map[string]int {
	if protocol == "query" || protocol == "rest-xml" {
		return map[string]int{
			"AccessDenied": 403, "AccessDeniedException": 400, "Throttling": 400, "ExpiredToken": 403, "ExpiredTokenException": 403,
			"InvalidClientTokenId": 403, "UnrecognizedClientException": 0, "SignatureDoesNotMatch": 403, "IncompleteSignature": 400,
			"MissingAuthenticationToken": 403, "InvalidAction": 400, "MissingAction": 400, "MalformedQueryString": 0,
			"MissingParameter": 400, "InvalidParameterValue": 400, "InvalidParameterCombination": 400, "InvalidQueryParameter": 0,
			"ValidationError": 400, "InternalFailure": 500, "ServiceUnavailable": 503, "OptInRequired": 403, "RequestExpired": 400,
			"RequestEntityTooLarge": 413,
		}
	}
	if protocol == "ec2" {
		return ec2Errors()
	}
	return map[string]int{
		"AccessDeniedException": 0, "ThrottlingException": 0, "ExpiredTokenException": 0, "UnrecognizedClientException": 0,
		"InvalidSignatureException": 0, "IncompleteSignatureException": 0, "MissingAuthenticationTokenException": 0, "UnknownOperationException": 0,
		"ValidationException": 400, "SerializationException": 400, "InternalFailure": 500, "InternalServerError": 500,
		"ServiceUnavailableException": 503, "OptInRequired": 0, "RequestEntityTooLargeException": 413, "NotAuthorized": 400, "RequestExpired": 400,
	}
}
