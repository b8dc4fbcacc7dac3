// Package drive calls every operation a lab serves with hand-made signed requests, rightly and wrongly, so that a validator
// that watches the lab sees each of them. It uses no SDK client and judges nothing but the error codes it expects.
package drive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

const (
	account = "111111111111"
	region  = "us-east-1"
)

// driver is a lab with an account in it, somebody who may do everything and somebody who may do nothing.
type driver struct {
	lab            *lab.Lab
	admin, nobody  *cloud.Caller
	stranger, past *cloud.Caller     // a key the lab does not know; a session that is over
	vars           map[string]string // what earlier replies named, for $name in later inputs
}

// step is one call.
type step struct {
	op    string // "service:Operation"
	in    string // input as JSON; $name stands for what an earlier reply said
	code  string // the error code to be answered; "" for success
	keep  string // "name=Member name=Member": texts of the reply to remember
	later time.Duration
	act   func(*driver) error // instead of a call: something that only a person at a console or a provider can do
}

// All makes every call on an empty lab, in simulated time. Each right call is made first by somebody who may not, and each
// service is called with a key nobody knows and with an expired session. The error joins all answers that were not as
// expected.
func All(l *lab.Lab) error {
	d := &driver{lab: l, vars: map[string]string{}}
	if err := d.populate(); err != nil {
		return err
	}
	var all []error
	for _, s := range steps() {
		if err := d.take(s); err != nil {
			all = append(all, err)
		}
	}
	for _, svc := range l.Cloud.Services() {
		all = append(all, d.outsiders(svc))
	}
	return errors.Join(all...)
}

func (d *driver) populate() error {
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	var err error
	d.lab.Cloud.Within(func() {
		c, iam := d.lab.Cloud, d.lab.IAM
		c.Replay(now)
		c.AddAccount(&cloud.Account{ID: account, Alias: "example", Tags: map[string]string{"env": "sandbox"}})
		for _, name := range []string{"admin", "nobody"} {
			if _, e := iam.CreateUser(account, name, "/"); e != nil {
				err = errors.Join(err, e)
			}
		}
		err = errors.Join(err, iam.PutUserPolicy(account, "admin", "all", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`),
			iam.AttachUserPolicy(account, "admin", "arn:aws:iam::aws:policy/ReadOnlyAccess"))
		_, e := iam.CreateRole(account, "service", "/", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"},
			{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"}]}`)
		err = errors.Join(err, e, iam.PutRolePolicy(account, "service", "use", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
		_, e = d.lab.Git.AddOrg("GitHub", "acme", "olga", "ada")
		err = errors.Join(err, e)
		_, e = d.lab.Git.AddRepo("GitHub", "acme/web", "main")
		err = errors.Join(err, e)
		d.lab.Git.AddServer("GitHubEnterpriseServer", "https://ghes.example.com", "gustav")
		admin, nobody := iam.UserPrincipal(account, "admin"), iam.UserPrincipal(account, "nobody")
		d.admin = &cloud.Caller{Name: "admin", Principal: admin, AccessKeyID: "AKIAADMINEXAMPLE0001", SecretAccessKey: "a"}
		d.nobody = &cloud.Caller{Name: "nobody", Principal: nobody, AccessKeyID: "AKIANOBODYEXAMPLE001", SecretAccessKey: "n"}
		d.past = &cloud.Caller{Name: "past", Principal: admin, AccessKeyID: "ASIAPASTEXAMPLE00001", SecretAccessKey: "p", SessionToken: "t", Expires: now.Add(-time.Hour)}
		d.stranger = &cloud.Caller{AccessKeyID: "AKIASTRANGEREXAMPLE1", SecretAccessKey: "s"}
		for _, k := range []*cloud.Caller{d.admin, d.nobody, d.past} {
			c.AddCaller(k)
		}
	})
	if err != nil {
		return fmt.Errorf("populate the lab: %w", err)
	}
	return nil
}

// take makes one step. Time passes before it, so that no service finds the calls too frequent.
func (d *driver) take(s step) error {
	d.pass(s.later + time.Second)
	if s.act != nil {
		if err := s.act(d); err != nil {
			return fmt.Errorf("act: %w", err)
		}
		return nil
	}
	service, name, _ := strings.Cut(s.op, ":")
	svc := d.lab.Cloud.Service(service)
	if svc == nil || svc.Ops[name] == nil {
		return nil // who counts the operations of the lab sees what is missing
	}
	in := d.filled(s.in)
	if s.code == "" && !svc.Ops[name].Open {
		if code, body, err := d.call(d.nobody, svc, name, in); err != nil || !strings.HasPrefix(code, "AccessDenied") && code != "UnauthorizedOperation" && code != "403" && code != "AuthorizationError" {
			return fmt.Errorf("%s by nobody: %q, %w %s", s.op, code, orNil(err), body)
		}
		d.pass(time.Second)
	}
	code, body, err := d.call(d.admin, svc, name, in)
	if err != nil || code != s.code {
		return fmt.Errorf("%s %s: error code %q, want %q, %w %s", s.op, in, code, s.code, orNil(err), body)
	}
	for _, k := range strings.Fields(s.keep) {
		name, member, _ := strings.Cut(k, "=")
		if d.vars[name] = find(body, member); d.vars[name] == "" {
			return fmt.Errorf("%s: no %s in %s", s.op, member, body)
		}
	}
	return nil
}

// outsiders makes the right call of each operation of a service with a key nobody knows and with a session that is over.
func (d *driver) outsiders(svc *cloud.Service) error {
	var all []error
	done := map[string]bool{}
	for _, s := range steps() {
		service, name, _ := strings.Cut(s.op, ":")
		if service != svc.Name || s.code != "" || done[name] || svc.Ops[name] == nil {
			continue
		}
		done[name] = true
		for who, want := range map[*cloud.Caller][]string{
			d.stranger: {"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "InvalidAccessKeyId", "403"}, d.past: {"ExpiredTokenException", "ExpiredToken", "RequestExpired", "400"},
		} {
			code, body, err := d.call(who, svc, name, d.filled(s.in))
			if err != nil || !slices.Contains(want, code) {
				all = append(all, fmt.Errorf("%s with key %s: error code %q, %w %s", s.op, who.AccessKeyID, code, orNil(err), body))
			}
		}
	}
	return errors.Join(all...)
}

// filled puts what earlier replies said in the place of $name.
func (d *driver) filled(in string) string {
	return os.Expand(in, func(name string) string { return d.vars[name] })
}

func orNil(err error) error {
	if err == nil {
		return errors.New("no transport error")
	}
	return err
}

func (d *driver) pass(t time.Duration) {
	d.lab.Cloud.Within(func() { d.lab.Cloud.Replay(d.lab.Cloud.Now().Add(t)) })
}

// call makes one signed request and returns the error code and the body of the answer.
func (d *driver) call(who *cloud.Caller, svc *cloud.Service, op, in string) (code, body string, err error) {
	r, payload, err := request(svc, svc.Ops[op], in)
	if err != nil {
		return "", "", err
	}
	var now time.Time
	d.lab.Cloud.Within(func() { now = d.lab.Cloud.Now() })
	sum := sha256.Sum256(payload)
	keys := aws.Credentials{AccessKeyID: who.AccessKeyID, SecretAccessKey: who.SecretAccessKey, SessionToken: who.SessionToken}
	if err := v4.NewSigner().SignHTTP(context.Background(), keys, r, hex.EncodeToString(sum[:]), svc.Name, region, now); err != nil {
		return "", "", err
	}
	answer, err := d.lab.RoundTrip(r)
	if err != nil {
		return "", "", err
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", "", err
	}
	body = string(text)
	if answer.StatusCode < 300 {
		return "", body, nil
	}
	if r.Method == http.MethodHead {
		return answer.Status[:3], body, nil // a HEAD tells no more
	}
	code = answer.Header.Get("X-Amzn-Errortype")
	for _, member := range []string{"__type", "Code"} {
		if code == "" {
			code = find(body, member)
		}
	}
	code, _, _ = strings.Cut(code, ":")
	return code[strings.LastIndexByte(code, '#')+1:], body, nil
}

// request writes an input, given as JSON, the way the protocol of the service wants it.
func request(svc *cloud.Service, op *cloud.Op, in string) (*http.Request, []byte, error) {
	method, path, contentType, body := http.MethodPost, "/", "application/json", in
	switch svc.Protocol {
	case cloud.JSON10:
		contentType = "application/x-amz-json-1.0"
	case cloud.JSON11:
		contentType = "application/x-amz-json-1.1"
	case cloud.RESTXML:
		contentType = "application/xml"
		var err error
		if method, path, body, err = restXML(svc, op, in); err != nil {
			return nil, nil, err
		}
	case cloud.RESTJSON:
		var err error
		if method, path, body, err = rest(op, in); err != nil {
			return nil, nil, err
		}
	case cloud.Query, cloud.EC2:
		contentType = "application/x-www-form-urlencoded; charset=utf-8"
		var v any
		if err := json.Unmarshal([]byte(in), &v); err != nil {
			return nil, nil, fmt.Errorf("input of %s: %w", op.Name, err)
		}
		form := url.Values{"Action": {op.Name}, "Version": {svc.Version}}
		if svc.Protocol == cloud.EC2 {
			flattenEC2(form, "", v)
		} else {
			flatten(form, "", v)
		}
		body = form.Encode()
	}
	r, err := http.NewRequest(method, "https://"+svc.Name+"."+region+".amazonaws.com"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Content-Type", contentType)
	if svc.Protocol == cloud.JSON10 || svc.Protocol == cloud.JSON11 {
		r.Header.Set("X-Amz-Target", svc.Target+"."+op.Name)
	}
	return r, []byte(body), nil
}

// rest puts the members of an input into the labels of the path, and of a GET the others into the query string.
func rest(op *cloud.Op, in string) (method, path, body string, err error) {
	var members map[string]any
	if err := json.Unmarshal([]byte(in), &members); err != nil {
		return "", "", "", fmt.Errorf("input of %s: %w", op.Name, err)
	}
	path = op.Path
	query := url.Values{}
	for name, v := range members {
		label := "{" + name + "}"
		if strings.Contains(path, label) {
			path = strings.ReplaceAll(path, label, url.QueryEscape(fmt.Sprint(v)))
			continue
		}
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, x := range list {
			query.Add(name, fmt.Sprint(x))
		}
	}
	if op.Method != http.MethodGet {
		return op.Method, path, in, nil
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return op.Method, path, "", nil
}

func flatten(form url.Values, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			flatten(form, strings.TrimPrefix(name+"."+k, "."), e)
		}
	case []any:
		if pairs(v) {
			flatten(form, name+".entry", numbered(v))
			return
		}
		for i, e := range v {
			flatten(form, fmt.Sprintf("%s.member.%d", name, i+1), e)
		}
	default:
		form.Set(name, fmt.Sprint(v))
	}
}

// pairs tells a map, which the Query protocol sends as numbered entries, by its first entry.
func pairs(list []any) bool {
	if len(list) == 0 {
		return false
	}
	m, _ := list[0].(map[string]any)
	_, lower := m["key"]
	value, upper := m["Value"].(map[string]any)
	return lower || upper && value != nil
}

func numbered(list []any) map[string]any {
	m := map[string]any{}
	for i, e := range list {
		m[fmt.Sprint(i+1)] = e
	}
	return m
}

// find returns the first text member of that name in a JSON or XML body.
func find(body, member string) string {
	for _, form := range []string{`"%s":"([^"]+)"`, `<%s>([^<]+)</`} {
		if m := regexp.MustCompile(fmt.Sprintf(form, regexp.QuoteMeta(member))).FindStringSubmatch(body); m != nil {
			return m[1]
		}
	}
	return ""
}
