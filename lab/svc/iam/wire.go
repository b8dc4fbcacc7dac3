package iam

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// Errors of IAM as they are spelled on the wire, with their HTTP status.
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and each operation's own page
func refuse(code, format string, args ...any) *cloud.Error {
	e := cloud.Errorf(code, format, args...)
	switch code {
	case "NoSuchEntity":
		e.Status = 404
	case "EntityAlreadyExists", "DeleteConflict", "LimitExceeded":
		e.Status = 409
	}
	return e
}

// register declares the operations. IAM is global: all its calls are made, and logged, in us-east-1.
func (s *Service) register() {
	ops := map[string]*cloud.Op{}
	s.roleOps(ops)
	s.rolePolicyOps(ops)
	s.policyOps(ops)
	s.userOps(ops)
	ops["SimulatePrincipalPolicy"] = &cloud.Op{ReadOnly: true, Access: s.onSource, Do: s.simulatePrincipalPolicy}
	s.c.Register(&cloud.Service{
		Name: "iam", Version: "2010-05-08", Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		Protocol: cloud.Query, EventSource: "iam.amazonaws.com", Global: true, Ops: ops,
	})
}

// onRole is the access to the role that the request names: its ARN with its path, and its tags as condition keys.
func (s *Service) onRole(r *cloud.Request) []cloud.Access {
	return s.onEntity(r, "role", r.Str("RoleName"))
}

func (s *Service) onUser(r *cloud.Request) []cloud.Access { return s.onEntity(r, "user", userName(r)) }

func (s *Service) onEntity(r *cloud.Request, kind, name string) []cloud.Access {
	a := cloud.Access{Action: "iam:" + r.Operation, Resource: "arn:aws:iam::" + r.Account() + ":" + kind + "/" + name, Context: map[string][]string{}}
	if e, ok := s.seen(r.Account(), kind, name); ok {
		a.Resource = e.ARN
		for k, v := range e.Tags {
			a.Context["aws:ResourceTag/"+k], a.Context["iam:ResourceTag/"+k] = []string{v}, []string{v}
		}
		if e.Boundary != "" {
			a.Context["iam:PermissionsBoundary"] = []string{e.Boundary}
		}
	}
	if b := r.Str("PermissionsBoundary"); b != "" {
		a.Context["iam:PermissionsBoundary"] = []string{b}
	}
	if p := r.Str("PolicyArn"); p != "" {
		a.Context["iam:PolicyARN"] = []string{p}
	}
	return []cloud.Access{a}
}

func (s *Service) onPolicy(r *cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "iam:" + r.Operation, Resource: r.Str("PolicyArn")}}
}

func (s *Service) onSource(r *cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "iam:" + r.Operation, Resource: r.Str("PolicySourceArn")}}
}

// encoded is a policy document as IAM's replies carry it: percent-encoded after RFC 3986.
func encoded(doc string) string { return strings.ReplaceAll(url.QueryEscape(doc), "+", "%20") }

// field is a rule for one text member of an input.
type field struct {
	name     string
	min, max int
	pattern  string
	optional bool
}

const (
	namePattern = `[\w+=,.@-]+`
	pathPattern = `(/)|(/[!-~]+/)`
	textPattern = `[\t\n\r -\x{FF}]+`
)

func roleName() field { return field{name: "RoleName", min: 1, max: 64, pattern: namePattern} }
func policyName() field {
	return field{name: "PolicyName", min: 1, max: 128, pattern: namePattern}
}
func policyARN(name string) field { return field{name: name, min: 20, max: 2048} }
func document(name string) field {
	return field{name: name, min: 1, max: 131072, pattern: textPattern}
}
func optional(f field) field { f.optional = true; return f }

// checked puts the rules of an operation's input before what it does.
func checked(do func(*cloud.Request) (map[string]any, error), fields ...field) func(*cloud.Request) (map[string]any, error) {
	return func(r *cloud.Request) (map[string]any, error) {
		for _, f := range fields {
			if err := f.check(r); err != nil {
				return nil, err
			}
		}
		return do(r)
	}
}

func (f field) check(r *cloud.Request) error {
	v, ok := r.In[f.name].(string)
	if !ok {
		if f.optional {
			return nil
		}
		return invalid("null", f.name, "Member must not be null")
	}
	if n := len([]rune(v)); n < f.min {
		return invalid("'"+v+"'", f.name, fmt.Sprintf("Member must have length greater than or equal to %d", f.min))
	} else if n > f.max {
		return invalid("'"+v+"'", f.name, fmt.Sprintf("Member must have length less than or equal to %d", f.max))
	}
	if f.pattern != "" && !regexp.MustCompile("^(?:"+f.pattern+")$").MatchString(v) {
		return invalid("'"+v+"'", f.name, "Member must satisfy regular expression pattern: "+f.pattern)
	}
	return nil
}

func invalid(value, member, rule string) error {
	return cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value %s at '%s' failed to satisfy constraint: %s",
		value, strings.ToLower(member[:1])+member[1:], rule)
}

// paged cuts a page and adds IsTruncated and Marker. A page holds 100 entries unless MaxItems, 1 to 1000, says otherwise.
func paged[T any](r *cloud.Request, name string, all []T, show func(T) any) (map[string]any, error) {
	want := r.Int("MaxItems", 100)
	if want < 1 || want > 1000 {
		return nil, invalid(fmt.Sprintf("'%d'", want), "MaxItems", "Member must have value between 1 and 1000")
	}
	page, next, err := cloud.Page(r.Cloud, all, r.Str("Marker"), want, 1000, cloud.ValidationError)
	if err != nil {
		return nil, err
	}
	shown := []any{}
	for _, x := range page {
		shown = append(shown, show(x))
	}
	out := map[string]any{name: shown, "IsTruncated": next != ""}
	if next != "" {
		out["Marker"] = next
	}
	return out, nil
}

// texts reads a list of texts from an input.
func texts(v any) []string {
	var all []string
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if t, ok := x.(string); ok {
				all = append(all, t)
			}
		}
	case []string:
		all = append(all, v...)
	}
	return all
}
