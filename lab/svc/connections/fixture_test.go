package connections_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

const noID = "00000000-0000-4000-8000-000000000000"

const (
	ours   = "111111111111"
	theirs = "222222222222"
	new2   = connections.New20231201
	old1   = connections.Old20191201
	use1   = "us-east-1"
)

// asked is an authorizer that remembers what it was asked and says no to what deny picks.
type asked struct {
	all  []cloud.Access
	deny func(cloud.Access) bool
}

func (a *asked) Authorize(_ cloud.Principal, x cloud.Access) cloud.Decision {
	a.all = append(a.all, x)
	if a.deny != nil && a.deny(x) {
		return cloud.Decision{Why: "because no identity-based policy allows the " + x.Action + " action"}
	}
	return cloud.Decision{Allowed: true}
}

func (a *asked) last() cloud.Access { return a.all[len(a.all)-1] }

func denyAction(action string) func(cloud.Access) bool {
	return func(x cloud.Access) bool { return x.Action == action }
}

type lab struct {
	*testing.T
	c    *cloud.Cloud
	git  *provider.Directory
	s    *connections.Service
	auth *asked
	me   connections.Person
	now  time.Time
}

// newLab has one account "ours" with one person, GitHub's acme (owner octo, member hubot) and its repository acme/app.
func newLab(t *testing.T) *lab {
	t.Helper()
	c := cloud.New()
	l := &lab{T: t, c: c, git: provider.New(c), auth: &asked{}, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	l.s = connections.New(c, l.git)
	c.SetAuthorizer(l.auth)
	c.Replay(l.now)
	l.me = person(ours, "ada")
	must(t, noOrg(l.git.AddOrg(provider.GitHub, "acme", "octo", "hubot")))
	must(t, noRepo(l.git.AddRepo(provider.GitHub, "acme/app")))
	return l
}

func noOrg(_ *provider.Org, err error) error   { return err }
func noRepo(_ *provider.Repo, err error) error { return err }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func person(account, name string) connections.Person {
	return connections.Person{Principal: cloud.Principal{
		Type: "AssumedRole", Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/Admin/" + name,
		Source: "arn:aws:iam::" + account + ":role/Admin",
	}}
}

func (l *lab) pass(d time.Duration) {
	l.now = l.now.Add(d)
	l.c.Replay(l.now)
}

type in = map[string]any

// call makes a call as a person in a Region.
func (l *lab) call(p connections.Person, service, region, op string, input in) (map[string]any, error) {
	return l.c.Serve(&cloud.Request{Service: service, Region: region, Operation: op, Caller: p.Principal, Origin: p.Origin, In: input})
}

// ok makes a call in us-east-1 that has to succeed.
func (l *lab) ok(service, op string, input in) map[string]any {
	l.Helper()
	out, err := l.call(l.me, service, use1, op, input)
	if err != nil {
		l.Fatalf("%s:%s %v: %v", service, op, input, err)
	}
	return out
}

// fails makes a call in us-east-1 that has to fail with a code and a text.
func (l *lab) fails(service, op string, input in, code, text string) {
	l.Helper()
	_, err := l.call(l.me, service, use1, op, input)
	wantError(l.T, err, code, text)
}

func wantError(t *testing.T, err error, code, text string) {
	t.Helper()
	var aws *cloud.Error
	if !errors.As(err, &aws) || aws == nil || aws.Code != code || !strings.Contains(aws.Message, text) {
		t.Errorf("error %v, want %s with %q", err, code, text)
	}
}

func (l *lab) create(service, name string) string {
	l.Helper()
	return l.ok(service, "CreateConnection", in{"ConnectionName": name, "ProviderType": "GitHub"})["ConnectionArn"].(string)
}

// available creates a connection and completes it with acme, installing the app on all repositories if need be.
func (l *lab) available(name string) string {
	l.Helper()
	arn := l.create(new2, name)
	if o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "acme"}); o != connections.Completed {
		l.Fatalf("handshake: %s, %v", o, err)
	}
	return arn
}

func (l *lab) status(arn string) string {
	l.Helper()
	return l.ok(new2, "GetConnection", in{"ConnectionArn": arn})["Connection"].(map[string]any)["ConnectionStatus"].(string)
}

// events lists the names of the account's events in a Region, with "!" before refused ones.
func (l *lab) events(region string) []string {
	var names []string
	for _, e := range l.c.Events(ours, region) {
		n := e.Name
		if e.ErrorCode != "" {
			n = "!" + n
		}
		names = append(names, n)
	}
	return names
}
