package apimodel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// check is one exchange being checked.
type check struct {
	v     *Validator
	x     Exchange
	m     *model
	op    *operation
	where string // request, reply or error

	problems       []Problem
	skipped, newer []string
	count          Count
	counted        bool
	unserved       int
	broken, lost   int
}

func (k *check) problem(a *at, rule, format string, args ...any) {
	k.problems = append(k.problems, Problem{
		Service: k.x.Service, Operation: k.x.Operation, Where: k.where, Path: a.String(), Rule: rule, Text: fmt.Sprintf(format, args...),
	})
}

// declared reports whether something the model does not know was declared as newer than it.
func (k *check) declared(format string, args ...any) bool {
	name := fmt.Sprintf(format, args...)
	if !k.v.newer[name] {
		return false
	}
	k.newer = append(k.newer, name)
	return true
}

func (k *check) exchange() {
	if k.x.Service == "" || k.x.Operation == "" {
		k.unrouted()
		return
	}
	k.where = "request"
	var err error
	if k.m, err = k.v.Models.service(k.x.Service); err != nil {
		k.problem(nil, "model", "%v", err)
		return
	}
	k.op = k.m.Operations[k.x.Operation]
	k.counted = true
	if k.op == nil {
		if !k.declared("%s:%s", k.x.Service, k.x.Operation) {
			k.problem(nil, "unknown", "the model has no such operation")
		}
		k.reply()
		return
	}
	k.request()
	against := k.problems
	k.reply()
	k.judge(against)
}

// judge decides what a request against the model means: a service must refuse it as invalid. Then the request is
// counted and forgiven; accepted, or refused for another reason, it is a problem of whoever sent it and of the service.
func (k *check) judge(against []Problem) {
	if len(against) == 0 {
		k.count.Requests++
		return
	}
	switch {
	case k.x.Status >= 400 && refusesInput(k.code()):
		k.count.Refused++
		k.problems = k.problems[len(against):]
	case k.x.Status >= 200 && k.x.Status < 300 && !k.v.isBroken(k.x.Injected):
		k.where = "reply"
		k.problem(nil, "accepted", "the service accepted a request against its model")
	}
}

// refusesInput tells the error codes that blame the request's content.
func refusesInput(code string) bool {
	if code == "InvalidSignatureException" || code == "InvalidClientTokenId" {
		return false
	}
	for _, p := range []string{"Invalid", "Validation", "Malformed", "Missing", "Serialization", "UnknownOperation"} {
		if strings.HasPrefix(code, p) {
			return true
		}
	}
	return false
}

// unrouted checks the answer to a request that reached no operation: only common errors are possible.
func (k *check) unrouted() {
	k.unserved++
	k.where = "error"
	if k.x.Service != "" {
		var err error
		if k.m, err = k.v.Models.service(k.x.Service); err != nil {
			k.problem(nil, "model", "%v", err)
			return
		}
	}
	if k.x.Status == 0 || k.v.isBroken(k.x.Injected) {
		return
	}
	if k.x.Status < 400 {
		k.problem(nil, "status", "status %d for a request that reached no operation", k.x.Status)
		return
	}
	k.fault()
}

// protocol is the model's, or CBOR or Query where the client chose it; for requests to a service that nobody knows, the one the answer's content type says.
func (k *check) protocol() string {
	if k.x.RequestHeader.Get(cborHeader) == cborName {
		return "cbor"
	}
	if k.m != nil {
		if k.m.offers("query") && strings.HasPrefix(k.x.RequestHeader.Get("Content-Type"), "application/x-www-form-urlencoded") {
			return "query"
		}
		return k.m.protocol()
	}
	switch t := k.x.Header.Get("Content-Type"); {
	case strings.HasPrefix(t, "text/xml"):
		return "query"
	case strings.HasPrefix(t, "application/x-amz-json"):
		return "json"
	}
	return "rest-json"
}

func (k *check) request() {
	k.where = "request"
	in := k.m.shape(k.op.Input)
	if k.bare() {
		k.s3Request(in)
		return
	}
	switch k.protocol() {
	case "json":
		k.target()
		k.whole(in, k.jsonBody(k.x.RequestBody))
	case "cbor":
		k.rpcTarget()
		k.whole(in, k.cborBody(k.x.RequestBody, k.x.RequestHeader))
	case "query", "ec2":
		k.formRequest(in)
	case "rest-json":
		k.restRequest(in)
	case "rest-xml":
		k.restXMLRequest(in)
	default:
		k.problem(nil, "model", "protocol %s is not one this package reads", k.m.Metadata.Protocol)
	}
}

// target compares the last two dotted parts: the Go SDK leaves out the package before them, the AWS CLI sends it.
func (k *check) target() {
	last := k.m.Metadata.TargetPrefix[strings.LastIndexByte(k.m.Metadata.TargetPrefix, '.')+1:]
	want := last + "." + k.x.Operation
	if got := k.x.RequestHeader.Get("X-Amz-Target"); got != want && !strings.HasSuffix(got, "."+want) {
		k.problem(nil, "wire", "X-Amz-Target is %q, not %q", got, want)
	}
	if got, want := k.x.RequestHeader.Get("Content-Type"), "application/x-amz-json-"+k.m.Metadata.JSONVersion; got != want {
		k.problem(nil, "wire", "Content-Type is %q, not %q", got, want)
	}
	if k.x.Method != http.MethodPost || k.x.Path != "/" {
		k.problem(nil, "wire", "%s %s instead of POST /", k.x.Method, k.x.Path)
	}
}

func (k *check) reply() {
	switch {
	case k.x.Status == 0:
		k.lost++
	case k.v.isBroken(k.x.Injected):
		k.broken++
	case k.refused():
		k.where = "error"
		k.count.Errors++
		k.fault()
	case k.x.Status != k.success200():
		k.where = "reply"
		k.problem(nil, "status", "status %d", k.x.Status)
	default:
		k.where = "reply"
		k.count.Replies++
		k.envelope()
		if k.op != nil {
			k.success()
		}
	}
}

// envelope checks what every answer carries whatever the operation.
func (k *check) envelope() {
	want := "application/json"
	switch k.protocol() {
	case "json":
		want = "application/x-amz-json-"
		if k.m != nil {
			want += k.m.Metadata.JSONVersion
		}
	case "query", "ec2", "rest-xml":
		want = "text/xml"
	case "cbor":
		want = "application/cbor"
		if k.x.Header.Get(cborHeader) != cborName {
			k.problem(nil, "wire", "the reply does not say that it is %s", cborName)
		}
	}
	if k.bare() && k.x.Operation == "GetBucketPolicy" && k.x.Status == http.StatusOK {
		want = "application/json"
	} else if k.bare() {
		want = "application/xml"
	}
	if got := k.x.Header.Get("Content-Type"); !strings.HasPrefix(got, want) {
		k.problem(nil, "wire", "Content-Type is %q, not %q", got, want)
	}
	if k.x.Header.Get("X-Amzn-Requestid") == "" {
		k.problem(nil, "wire", "no request ID")
	}
}

func (k *check) success() {
	out := k.m.shape(k.op.Output)
	if k.bare() {
		k.s3Reply(out)
		return
	}
	switch k.protocol() {
	case "query":
		k.xmlReply(out)
		return
	case "ec2":
		k.ec2Reply(out)
		return
	case "rest-xml":
		k.restXMLReply(out)
		return
	case "cbor":
		k.whole(out, k.cborBody(k.x.Body, k.x.Header))
		return
	}
	value := k.jsonBody(k.x.Body)
	if m, ok := value.(map[string]any); ok && out != nil {
		k.restReply(out, m)
	}
	k.whole(out, value)
}

// whole checks the value of an input or output, which may have no shape: then nothing may be there.
func (k *check) whole(s *shape, value any) {
	if value == nil {
		return // was no JSON at all: said already
	}
	m, ok := value.(map[string]any)
	if !ok {
		k.problem(nil, "type", "not an object")
		return
	}
	if s == nil {
		for name := range m {
			k.problem(nil, "unknown", "member %s where the model has none", name)
		}
		return
	}
	k.value(s, m, nil, nil)
}

// jsonBody decodes a body; nil after a problem. No body is an empty object.
func (k *check) jsonBody(body []byte) any {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		k.problem(nil, "wire", "body is not JSON: %v", err)
		return nil
	}
	if d.More() {
		k.problem(nil, "wire", "more after the JSON body")
	}
	if v == nil {
		k.problem(nil, "type", "null instead of an object")
	}
	return v
}

// code is the error code on the wire, without namespace and link; "" when there is none.
func (k *check) code() string {
	if k.protocol() == "ec2" {
		return ec2Code(k.x.Body)
	}
	if k.protocol() == "query" || k.protocol() == "rest-xml" {
		if e, err := parseXML(k.x.Body); err == nil {
			if c := e.kid("Code"); c != nil && k.bare() {
				return c.text
			}
			if c := e.find("Error", "Code"); c != nil {
				return c.text
			}
		}
		return ""
	}
	if k.protocol() == "cbor" {
		return cborCode(k.x.Body)
	}
	code := k.x.Header.Get("X-Amzn-Errortype")
	if code == "" {
		var body struct {
			Type string `json:"__type"`
			Code string `json:"code"`
		}
		_ = json.Unmarshal(k.x.Body, &body) // a body that is no JSON has no code: reported by fault
		if code = body.Type; code == "" {
			code = body.Code
		}
	}
	code, _, _ = strings.Cut(code, ":")
	return code[strings.LastIndexByte(code, '#')+1:]
}

// fault checks an error reply: its envelope, its name, its status, its members.
func (k *check) fault() {
	k.envelope()
	if k.bare() {
		k.s3Fault()
		return
	}
	code := k.code()
	if code == "" {
		k.problem(nil, "wire", "no error code in the reply")
		return
	}
	s := k.errorShape(code)
	if s == nil {
		status, known := common(k.protocol())[code]
		switch {
		case known && status != 0 && status != k.x.Status:
			k.problem(nil, "status", "status %d with the common error %s, not %d", k.x.Status, code, status)
		case !known && !k.declared("%s:%s!%s", k.x.Service, k.x.Operation, code):
			k.problem(nil, "error", "%s is no error of the operation and no common one", code)
		}
	} else if want := s.status(k.protocol()); want != 0 && want != k.x.Status {
		k.problem(nil, "status", "status %d with %s, not %d", k.x.Status, code, want)
	}
	switch k.protocol() {
	case "query", "rest-xml":
		k.xmlFault(s)
	case "ec2":
		k.ec2Fault()
	default:
		k.jsonFault(s)
	}
}

// status is what the model says; the JSON protocol has 400 for what the caller did and 500 for what the service did.
func (s *shape) status(protocol string) int {
	if s.Error.HTTPStatusCode != 0 && protocol != "json" {
		return s.Error.HTTPStatusCode
	}
	if protocol == "json" && !s.Fault {
		return http.StatusBadRequest
	}
	return 0
}

// errorShape finds an error of the operation by its name on the wire; nil when it declares none of that name.
func (k *check) errorShape(code string) *shape {
	if k.op == nil {
		return nil
	}
	for i := range k.op.Errors {
		s := k.m.shape(&k.op.Errors[i])
		if s == nil {
			continue
		}
		name := s.name
		if k.protocol() == "query" && s.Error.Code != "" {
			name = s.Error.Code
		}
		if name == code {
			return s
		}
	}
	return nil
}

// jsonFault checks the members of an error's body. AWS sends a text with errors whose shape has no member for it.
func (k *check) jsonFault(s *shape) {
	whole := k.jsonBody
	if k.protocol() == "cbor" {
		whole = func(b []byte) any { return k.cborBody(b, k.x.Header) }
	}
	body, ok := whole(k.x.Body).(map[string]any)
	if !ok {
		return
	}
	delete(body, "__type")
	texts := []string{"message", "Message"}
	if s == nil || !slices.ContainsFunc(texts, func(t string) bool { _, has := s.Members[t]; return has }) {
		for _, t := range texts {
			if v, has := body[t]; has {
				if _, isText := v.(string); !isText {
					k.problem(&at{name: t}, "type", "not a string")
				}
				delete(body, t)
			}
		}
	}
	k.whole(s, body)
}

// restRequest joins path labels, query string, headers and body into one input.
func (k *check) restRequest(in *shape) {
	path, query, _ := strings.Cut(k.x.Path, "?")
	labels, ok := match(k.op.HTTP.RequestURI, path)
	if !ok || k.x.Method != k.op.HTTP.Method {
		k.problem(nil, "wire", "%s %s instead of %s %s", k.x.Method, path, k.op.HTTP.Method, k.op.HTTP.RequestURI)
	}
	value, _ := k.jsonBody(k.x.RequestBody).(map[string]any)
	if value == nil {
		return
	}
	if in == nil {
		k.whole(nil, value)
		return
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		k.problem(nil, "wire", "query string: %v", err)
	}
	for member, r := range in.Members {
		name := r.wireName(member)
		switch r.Location {
		case "uri":
			if l, ok := labels[name]; ok {
				value[name] = text(l)
			}
		case "querystring":
			if all, ok := values[name]; ok {
				value[name] = queryValue(k.m.shape(&r), all)
				delete(values, name)
			}
		case "header":
			if h := k.x.RequestHeader.Get(name); h != "" {
				value[name] = text(h)
			}
		}
	}
	for name := range values {
		k.problem(nil, "unknown", "parameter %s of the query string", name)
	}
	k.whole(in, value)
}

func queryValue(s *shape, all []string) any {
	if s == nil || s.Type != "list" {
		return text(all[0])
	}
	var list []any
	for _, v := range all {
		list = append(list, text(v))
	}
	return list
}

// restReply adds the members of an output that travel in headers.
func (k *check) restReply(out *shape, value map[string]any) {
	for member, r := range out.Members {
		if name := r.wireName(member); r.Location == "header" && k.x.Header.Get(name) != "" {
			value[name] = text(k.x.Header.Get(name))
		}
	}
}
