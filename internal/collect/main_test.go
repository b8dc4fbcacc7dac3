package collect

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const accountID = "111111111111"

func scope(region string) fact.Scope { return fact.Scope{Account: accountID, Region: region} }

// canned answers operations with written replies: by "service:Operation", the n-th reply to the n-th call, the last one
// for all further calls. A reply that begins with "!" is an error: "!Code message".
type canned struct {
	replies map[string][]string
	mu      sync.Mutex
	asked   map[string][]string // bodies, decoded when they are forms
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil { // a GET has none
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	in := string(body)
	host, _, _ := strings.Cut(r.URL.Host, ".")
	name := strings.TrimPrefix(r.URL.Path, "/")
	if t := r.Header.Get("X-Amz-Target"); t != "" {
		name = t[strings.LastIndex(t, ".")+1:]
	} else if form, err := url.ParseQuery(in); err == nil && form.Get("Action") != "" {
		name = form.Get("Action")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := host + ":" + name
	if c.asked == nil {
		c.asked = map[string][]string{}
	}
	n := len(c.asked[key])
	c.asked[key] = append(c.asked[key], in)
	all := c.replies[key]
	status, text := 200, "!UnknownOperationException "+key
	if len(all) > 0 {
		text = all[min(n, len(all)-1)]
	}
	if code, ok := strings.CutPrefix(text, "!"); ok {
		code, message, _ := strings.Cut(code, " ")
		status, text = 400, `{"__type":"`+code+`","message":"`+message+`"}`
		if strings.HasPrefix(in, "Action=") {
			text = `<ErrorResponse><Error><Code>` + code + `</Code><Message>` + message + `</Message></Error></ErrorResponse>`
		}
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"X-Amzn-Requestid": {"req-" + key}},
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)), Request: r,
	}, nil
}

// over makes a collector over a transport.
func over(t *testing.T, w http.RoundTripper, keys awsapi.Keys) *Collector {
	t.Helper()
	s, err := awsapi.Open(t.Context(), awsapi.Options{Keys: &keys, Region: "eu-west-1", Transport: w})
	if err != nil {
		t.Fatal(err)
	}
	return New(s)
}

func script(t *testing.T, replies map[string][]string) (*Collector, *canned) {
	t.Helper()
	w := &canned{replies: replies}
	return over(t, w, awsapi.Keys{ID: "AKIA", Secret: "s"}), w
}

// ask collects and seals.
func ask(t *testing.T, c *Collector, queries ...fact.Query) *fact.Snapshot {
	t.Helper()
	b := fact.NewBuilder(fact.Question{Account: accountID, Regions: []string{"eu-west-1"}})
	c.Collect(t.Context(), b, queries)
	s := b.Seal(time.Now())
	for _, q := range queries {
		if !s.Settled(q) {
			t.Errorf("query %+v is not settled", q)
		}
	}
	return s
}

func all[T fact.Fact](s *fact.Snapshot) (out []T) {
	for f := range fact.All[T](s) {
		out = append(out, f)
	}
	return out
}

// only asks one query and wants exactly one fact of type T, from the reply that carried it.
func only[T fact.Fact](t *testing.T, c *Collector, q fact.Query) T {
	t.Helper()
	s := ask(t, c, q)
	found := all[T](s)
	if len(found) != 1 || !s.Answered(q) {
		t.Fatalf("%d facts, answered %v, gaps %+v", len(found), s.Answered(q), s.Gaps())
	}
	src := found[0].Source()
	if src.RequestID == "" || src.At.IsZero() || src.At.Location() != time.UTC || src.Account != accountID || src.Region == "" {
		t.Errorf("source %+v is not complete", src)
	}
	return found[0]
}

// live is a lab with one account and one caller, who has the policy.
func live(t *testing.T, policy string) (*lab.Lab, *Collector) {
	t.Helper()
	l := lab.New()
	apimodel.Attach(t, l)
	k := &cloud.Caller{Name: "ada", AccessKeyID: "AKIALABADA0000000001", SecretAccessKey: "ada-secret"}
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: accountID})
		if _, err := l.IAM.CreateUser(accountID, "ada", "/"); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.PutUserPolicy(accountID, "ada", "own", policy); err != nil {
			t.Fatal(err)
		}
		k.Principal = l.IAM.UserPrincipal(accountID, "ada")
		l.Cloud.AddCaller(k)
	})
	return l, over(t, l, awsapi.Keys{ID: k.AccessKeyID, Secret: k.SecretAccessKey})
}

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// transport is a transport made of a function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func keysOf() awsapi.Keys { return awsapi.Keys{ID: "AKIA", Secret: "s"} }
