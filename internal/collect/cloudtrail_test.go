package collect

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/lab/cloud"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

const sample = `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:ada@acme.example","arn":"arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada@acme.example",
 "accountId":"111111111111","accessKeyId":"ASIACANARY","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef","userName":"AWSReservedSSO_Admin_0123456789abcdef"}}},
 "eventTime":"2026-01-09T23:13:46Z","eventSource":"codeconnections.amazonaws.com","eventName":"CreateConnection","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2.13",
 "errorCode":"AccessDenied","errorMessage":"User: x is not authorized","requestParameters":{"providerType":"GitHub","connectionName":"my-connection","hostArn":"arn:host","secret":"canary"},
 "responseElements":{"connectionArn":"` + conn + `","token":"canary"},"requestID":"r","eventID":"e","readOnly":false}`

func TestParseEvent(t *testing.T) {
	got, err := ParseEvent([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := fact.Event{
		ID: "e", Name: "CreateConnection", EventSource: "codeconnections.amazonaws.com", Time: time.Date(2026, 1, 9, 23, 13, 46, 0, time.UTC), Region: "us-east-1",
		Who: fact.Who{Type: "AssumedRole", ARN: "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada@acme.example",
			Role: "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef", Name: "ada@acme.example", Account: "111111111111"},
		UserAgent: "aws-cli/2.13", SourceIP: "192.0.2.1", ErrorCode: "AccessDenied", Error: "User: x is not authorized",
		Connection: conn, ConnectionName: "my-connection", Provider: "GitHub", Host: "arn:host", RequestID: "r",
		Parameters: fact.Values{"connectionName": {Text: "my-connection"}, "hostArn": {Text: "arn:host"}, "providerType": {Text: "GitHub"}},
	}
	if secret := got.Parameters["secret"]; secret.Secret == "" || secret.Text != "" {
		t.Errorf("a secret parameter is kept as %+v", secret)
	}
	delete(got.Parameters, "secret")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if kept, _ := json.Marshal(got); strings.Contains(strings.ToLower(string(kept)), "canary") {
		t.Errorf("kept %s", kept)
	}
}

func TestParseEventShapes(t *testing.T) {
	for name, c := range map[string]struct {
		record string
		check  func(fact.Event) bool
	}{
		"connection in the request": {`{"requestParameters":{"connectionArn":"` + conn + `"},"responseElements":null}`, func(e fact.Event) bool { return e.Connection == conn }},
		"connection in the response": {`{"requestParameters":null,"responseElements":{"connection":{"connectionArn":"` + conn + `","connectionName":"n","providerType":"GitLab","hostArn":"h"}}}`, func(e fact.Event) bool {
			return e.Connection == conn && e.ConnectionName == "n" && e.Provider == "GitLab" && e.Host == "h"
		}},
		"members in upper case":      {`{"requestParameters":{"ConnectionArn":"` + conn + `"}}`, func(e fact.Event) bool { return e.Connection == conn }},
		"a tagged connection":        {`{"requestParameters":{"resourceArn":"` + conn + `"}}`, func(e fact.Event) bool { return e.Connection == conn }},
		"a tagged host":              {`{"requestParameters":{"resourceArn":"arn:aws:codeconnections:eu-west-1:111111111111:host/1"}}`, func(e fact.Event) bool { return e.Connection == "" }},
		"a pipeline's call":          {`{"eventSource":"codepipeline.amazonaws.com","requestParameters":{"pipeline":{"name":"web"}}}`, func(e fact.Event) bool { return e.Pipeline == "web" }},
		"a name that is no pipeline": {`{"eventSource":"iam.amazonaws.com","requestParameters":{"name":"web"}}`, func(e fact.Event) bool { return e.Pipeline == "" }},
		"types from elsewhere": {`{"eventName":7,"eventID":"e","eventTime":"soon","readOnly":"true","userIdentity":{"type":"Root","sessionContext":"none"},"requestParameters":"text"}`, func(e fact.Event) bool {
			return e.Name == "" && e.ID == "e" && e.ReadOnly && e.Who.Type == "Root" && e.Time.IsZero()
		}},
		"a service": {`{"userIdentity":{"type":"AWSService","invokedBy":"codepipeline.amazonaws.com"}}`, func(e fact.Event) bool { return e.Who.InvokedBy == "codepipeline.amazonaws.com" && e.Who.ARN == "" }},
		"a user":    {`{"userIdentity":{"type":"IAMUser","principalId":"AIDA","arn":"arn:u","userName":"bert"}}`, func(e fact.Event) bool { return e.Who.Name == "bert" && e.Who.Policied() == "arn:u" }},
	} {
		if e, err := ParseEvent([]byte(c.record)); err != nil || !c.check(e) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	for _, bad := range []string{"", "null", "[]", `"x"`, `{"eventName":`, "<xml/>"} {
		if e, err := ParseEvent([]byte(bad)); err == nil {
			t.Errorf("%q read as %+v", bad, e)
		}
	}
}

// Every type of userIdentity reads as a name that people know.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func TestLabels(t *testing.T) {
	for identity, want := range map[string]string{
		`{"type":"Root","arn":"arn:aws:iam::111111111111:root","accountId":"111111111111"}`:                                                                                                                                                             "the root user",
		`{"type":"IAMUser","arn":"arn:aws:iam::111111111111:user/bert","userName":"bert"}`:                                                                                                                                                              "bert",
		`{"type":"AssumedRole","principalId":"AROA:i-0abc","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111111111111:role/ci/Deploy"}}}`:                                                                                                      "Deploy/i-0abc",
		`{"type":"AssumedRole","principalId":"AROA:ada@acme.example","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_OnCall_0123456789abcdef"}}}`:                                "ada@acme.example (OnCall)",
		`{"type":"AssumedRole","principalId":"AROA:1700000000","invokedBy":"codepipeline.amazonaws.com","arn":"arn:aws:sts::111111111111:assumed-role/Web/1700000000","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111111111111:role/Web"}}}`: "Web/1700000000",
		`{"type":"FederatedUser","arn":"arn:aws:sts::111111111111:federated-user/cleo","principalId":"1:cleo","sessionContext":{"sessionIssuer":{"type":"IAMUser","arn":"arn:aws:iam::111111111111:user/broker"}}}`:                                     "cleo (federated)",
		`{"type":"Directory","userName":"dora","accountId":"111111111111"}`:                                                                                                                                                                             "dora",
		`{"type":"AWSAccount","principalId":"AIDA","accountId":"222222222222"}`:                                                                                                                                                                         "account 222222222222",
		`{"type":"AWSService","invokedBy":"cloudformation.amazonaws.com"}`:                                                                                                                                                                              "cloudformation.amazonaws.com",
		`{"type":"WebIdentityUser","userName":"emil","identityProvider":"https://token.actions.example"}`:                                                                                                                                               "emil (token.actions.example)",
		`{"type":"SAMLUser","userName":"fay","identityProvider":"idp"}`:                                                                                                                                                                                 "fay (idp)",
		`{"type":"IdentityCenterUser","accountId":"111111111111","onBehalfOf":{"userId":"94482488-3041"}}`:                                                                                                                                              "94482488-3041",
		`{"type":"Unknown","accountId":"111111111111"}`:                                                                                                                                                                                                 "an unnamed identity of account 111111111111",
		`{"type":"Unknown"}`: "an identity that AWS does not name",
		`null`:               "an identity that AWS does not name",
	} {
		e, err := ParseEvent([]byte(`{"userIdentity":` + identity + `}`))
		if err != nil || e.Who.Label() != want {
			t.Errorf("%s reads as %q, want %q; %v", identity, e.Who.Label(), want, err)
		}
	}
	e, err := ParseEvent([]byte(`{"userIdentity":{"type":"AssumedRole","sessionContext":{"sourceIdentity":"ada","attributes":{"mfaAuthenticated":"true"}}}}`))
	if err != nil || e.Who.Origin != "ada" || !e.Who.MFA {
		t.Errorf("%+v, %v", e.Who, err)
	}
}

// A change of a pipeline keeps the definition, its version and the request ID; a change of a permission what it was about.
func TestParseChanges(t *testing.T) {
	e, err := ParseEvent([]byte(`{"eventName":"UpdatePipeline","eventSource":"codepipeline.amazonaws.com","requestID":"r","readOnly":false,
		"requestParameters":{"pipeline":{"name":"web","stages":[{"name":"Source","actions":[{"name":"Git","configuration":{"BranchName":"main","OAuthToken":"canary"}}]}]}},
		"responseElements":{"pipeline":{"name":"web","version":7}}}`))
	if err != nil || e.Pipeline != "web" || e.Version != 7 || e.RequestID != "r" || e.Parameters.Text("pipeline/stages/Source/actions/Git/configuration/BranchName") != "main" {
		t.Errorf("%+v, %v", e, err)
	}
	if b, _ := json.Marshal(e); strings.Contains(string(b), "canary") {
		t.Errorf("kept %s", b)
	}
	e, _ = ParseEvent([]byte(`{"eventName":"PutRolePolicy","eventSource":"iam.amazonaws.com","requestParameters":{"roleName":"Web","policyName":"inline","policyDocument":"{\"Statement\":[{\"Sid\":\"S\",\"Effect\":\"Allow\"}]}"}}`))
	if e.Resource != "Web" || e.Parameters.Text("policyDocument/Statement/S/Effect") != "Allow" {
		t.Errorf("%+v", e)
	}
	for name, record := range map[string]string{
		"a read":          `{"eventSource":"codepipeline.amazonaws.com","readOnly":true,"requestParameters":{"name":"web"}}`,
		"another service": `{"eventSource":"secretsmanager.amazonaws.com","requestParameters":{"secretString":"canary","name":"x"}}`,
		"cut off":         `{"eventSource":"codepipeline.amazonaws.com","requestParameters":null}`,
	} {
		if e, err := ParseEvent([]byte(record)); err != nil || len(e.Parameters) != 0 {
			t.Errorf("%s: kept %v, %v", name, e.Parameters, err)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"requestParameters":{"connectionArn":1,"ConnectionArn":"x"},"responseElements":[{}],"userIdentity":null}`))
	f.Add([]byte(`{"eventTime":"2026-01-09T23:13:46+25:00","readOnly":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		first, err := ParseEvent(raw)
		again, errAgain := ParseEvent(raw)
		if !reflect.DeepEqual(first, again) || (err == nil) != (errAgain == nil) {
			t.Errorf("two readings differ: %+v, %+v", first, again)
		}
		if err != nil && !reflect.DeepEqual(first, fact.Event{}) {
			t.Errorf("an event beside the error %v: %+v", err, first)
		}
		if err == nil && !json.Valid(raw) {
			t.Error("no error for what is not JSON")
		}
	})
}

func events(from, to int, next string) string {
	var all []string
	for i := from; i < to; i++ {
		r, _ := json.Marshal(fmt.Sprintf(`{"eventID":"e%03d","eventName":"CreateConnection","eventSource":"codeconnections.amazonaws.com","responseElements":{"connectionArn":"arn:%d"}}`, i, i))
		all = append(all, `{"EventId":"e","Username":"ada","CloudTrailEvent":`+string(r)+`}`)
	}
	return `{"Events":[` + strings.Join(all, ",") + `],"NextToken":` + next + `}`
}

func TestEventPages(t *testing.T) {
	lookup := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindEvent, ID: "CreateConnection"}
	about := func(arn string) fact.Query {
		q := lookup
		q.Args = map[string]string{"connection": arn}
		return q
	}
	many := []string{events(0, 50, `"2"`), events(50, 100, `"3"`), events(100, 150, `"4"`), events(150, 160, "null")}
	for name, c := range map[string]struct {
		replies     []string
		query       fact.Query
		calls, read int
		rest        bool
	}{
		"one page":                        {[]string{events(0, 7, "null")}, lookup, 1, 7, false},
		"all pages":                       {[]string{events(0, 50, `"2"`), events(50, 60, "null")}, lookup, 2, 60, false},
		"more than three pages":           {many, lookup, 3, 150, true},
		"stops at the connection's event": {many, about("arn:60"), 2, 61, false},
		"the connection is further back":  {many, about("arn:155"), 3, 150, true},
		"an empty page goes on":           {[]string{`{"Events":[],"NextToken":"2"}`, events(0, 1, "null")}, lookup, 2, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				col, w := script(t, map[string][]string{"cloudtrail:LookupEvents": c.replies})
				s := ask(t, col, c.query)
				g, missed := s.GapOf(c.query)
				if missed != c.rest || s.Answered(c.query) == c.rest || len(all[fact.Event](s)) != c.read || len(w.asked["cloudtrail:LookupEvents"]) != c.calls {
					t.Errorf("%d events in %d calls, gap %+v", len(all[fact.Event](s)), len(w.asked["cloudtrail:LookupEvents"]), g)
				}
				if missed && (g.Class != fact.Skipped || !strings.Contains(g.Why, "older ones were not read")) {
					t.Errorf("gap %+v", g)
				}
				var in struct {
					StartTime        float64
					LookupAttributes []struct{ AttributeKey, AttributeValue string }
				}
				if err := json.Unmarshal([]byte(w.asked["cloudtrail:LookupEvents"][0]), &in); err != nil || len(in.LookupAttributes) != 1 ||
					in.LookupAttributes[0].AttributeKey != "EventName" || in.LookupAttributes[0].AttributeValue != "CreateConnection" {
					t.Errorf("asked %+v, %v", in, err)
				}
			})
		})
	}
}

// One unreadable record hides no other, and is not passed over in silence.
func TestBrokenEvent(t *testing.T) {
	c, _ := script(t, map[string][]string{"cloudtrail:LookupEvents": {strings.Replace(events(0, 2, "null"), `"Events":[`, `"Events":[{"EventId":"bad","CloudTrailEvent":"{"},`, 1)}})
	q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindEvent, ID: "CreateConnection"}
	s := ask(t, c, q)
	if g, ok := s.GapOf(q); !ok || !strings.Contains(g.Why, "event bad could not be read") || len(all[fact.Event](s)) != 2 {
		t.Errorf("%d events, gap %+v", len(all[fact.Event](s)), g)
	}
}

// What the lab logs of a creation comes back whole.
func TestEventsLive(t *testing.T) {
	l, c := live(t, allowAll)
	fresh, _ := both(t, c)
	got := only[fact.Event](t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindEvent, ID: "CreateConnection", Args: map[string]string{"connection": fresh}})
	if got.Connection != fresh || got.ConnectionName != "new" || got.Provider != "GitHub" || got.Who.Name != "ada" || got.Who.Type != "IAMUser" || got.Time.IsZero() ||
		got.EventSource != "codeconnections.amazonaws.com" || got.Tool() != "sdk" || got.Ref() != (fact.Ref{Scope: scope("eu-west-1"), Kind: fact.KindEvent, ID: got.ID}) {
		t.Errorf("got %+v", got)
	}
	l.Cloud.Within(func() { l.Cloud.Trail = cloud.Trail{Off: true} })
	q := fact.Query{Scope: scope("us-west-2"), Kind: fact.KindEvent, ID: "CreateConnection"}
	if s := ask(t, c, q); !s.Answered(q) || len(all[fact.Event](s)) != 0 {
		t.Error("an empty history is an answer")
	}
}
