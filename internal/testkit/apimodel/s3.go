package apimodel

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
)

// Amazon S3 speaks REST-XML in a way of its own: parameters without a value tell operations apart, bodies are single members, errors have no
// envelope, and a HEAD has no body at all.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

// bare reports whether the exchange is one of Amazon S3.
func (k *check) bare() bool { return k.m != nil && k.m.service == "s3" }

// refused reports whether the reply is an error: for S3 a redirect is one.
func (k *check) refused() bool {
	return k.x.Status >= 400 || k.bare() && k.x.Status == http.StatusMovedPermanently
}

// s3Errors are the errors of S3 that its model does not list, and their status.
func s3Errors() map[string]int {
	return map[string]int{
		"AccessDenied": 403, "NoSuchBucket": 404, "NoSuchBucketPolicy": 404, "PermanentRedirect": 301, "InvalidBucketName": 400, "BucketAlreadyExists": 409,
		"BucketAlreadyOwnedByYou": 409, "IllegalLocationConstraintException": 400, "MalformedPolicy": 400, "InvalidAccessKeyId": 403, "ExpiredToken": 400,
		"SlowDown": 503, "InternalError": 500, "MethodNotAllowed": 405, "InvalidArgument": 400, "SignatureDoesNotMatch": 403,
	}
}

// s3Request joins path, query string, headers and body into one input.
func (k *check) s3Request(in *shape) {
	path, query, _ := strings.Cut(k.x.Path, "?")
	template, own, _ := strings.Cut(k.op.HTTP.RequestURI, "?")
	labels, ok := match(strings.TrimSuffix(template, "/"), strings.TrimSuffix(path, "/"))
	if !ok || k.x.Method != k.op.HTTP.Method {
		k.problem(nil, "wire", "%s %s instead of %s %s", k.x.Method, path, k.op.HTTP.Method, k.op.HTTP.RequestURI)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		k.problem(nil, "wire", "query string: %v", err)
	}
	delete(values, own)
	delete(values, "x-id") // the Go SDK says there which operation it means
	if in == nil {
		in = &shape{Type: "structure"}
	}
	value := map[string]any{}
	for member, r := range in.Members {
		name := r.wireName(member)
		switch {
		case r.Location == "uri" && labels[name] != "":
			value[name] = text(labels[name])
		case r.Location == "header" && k.x.RequestHeader.Get(name) != "":
			value[name] = text(k.x.RequestHeader.Get(name))
		case r.Location == "querystring" && values.Has(name):
			value[name] = queryValue(k.m.shape(&r), values[name])
			delete(values, name)
		}
	}
	for name := range values {
		k.problem(nil, "unknown", "parameter %s of the query string", name)
	}
	k.s3Payload(in, k.x.RequestBody, value)
	k.whole(in, value)
}

// s3Payload reads a body that is one member: text as it is, a structure in an element.
func (k *check) s3Payload(s *shape, body []byte, value map[string]any) {
	r, has := s.Members[s.Payload]
	if len(bytes.TrimSpace(body)) == 0 {
		return
	}
	if !has {
		k.problem(nil, "wire", "a body where the model has none")
		return
	}
	name, in := r.wireName(s.Payload), k.m.shape(&r)
	if in.Type != "structure" {
		value[name] = text(string(body))
		return
	}
	root, err := parseXML(body)
	if err != nil {
		k.problem(nil, "wire", "body is not XML: %v", err)
		return
	}
	if got, space, _ := strings.Cut(root.name, " "); got != name || space == "" {
		k.problem(nil, "wire", "the root is %q, not %s in a namespace", root.name, name)
	}
	value[name] = k.xmlValue(in, root, &at{name: s.Payload})
}

// s3Reply checks the body, which is one member or has the members in its root, and those that travel in headers.
func (k *check) s3Reply(out *shape) {
	if out == nil {
		out = &shape{Type: "structure"}
	}
	value := map[string]any{}
	switch body := bytes.TrimSpace(k.x.Body); {
	case out.Payload != "":
		k.s3Payload(out, k.x.Body, value)
	case len(body) > 0:
		root, err := parseXML(body)
		if err != nil {
			k.problem(nil, "wire", "body is not XML: %v", err)
			return
		}
		if name, space, _ := strings.Cut(root.name, " "); space == "" || name != map[string]string{"GetBucketLocation": "LocationConstraint", "ListBuckets": "ListAllMyBucketsResult"}[k.x.Operation] {
			k.problem(nil, "wire", "the root is %q", root.name)
		}
		if k.x.Operation == "GetBucketLocation" { // its root is its one member; empty for us-east-1
			if root.text != "" {
				value["LocationConstraint"] = text(root.text)
			}
			break
		}
		value, _ = k.xmlValue(out, root, nil).(map[string]any)
	}
	k.restReply(out, value)
	k.whole(out, value)
}

// s3Fault checks the name and the status of an error, and that it has a text and the request's ID. A HEAD only has the status.
func (k *check) s3Fault() {
	if k.x.Method == http.MethodHead {
		if len(k.x.Body) > 0 {
			k.problem(nil, "wire", "a body in the reply to HEAD")
		}
		return
	}
	root, err := parseXML(k.x.Body)
	if err != nil {
		k.problem(nil, "wire", "body is not XML: %v", err)
		return
	}
	code := k.code()
	if want, known := s3Errors()[code]; !known {
		k.problem(nil, "error", "%s is no error of Amazon S3", code)
	} else if want != k.x.Status {
		k.problem(nil, "status", "status %d with %s, not %d", k.x.Status, code, want)
	}
	for _, name := range []string{"Message", "RequestId"} {
		if n := root.kid(name); root.name != "Error" || n == nil || n.text == "" {
			k.problem(nil, "wire", "no %s in %s", name, root.name)
		}
	}
}
