package cloudtrail_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/cloudtrail"
)

const account = "111111111111"

// ada is a session of a role.
func ada() cloud.Principal {
	return cloud.Principal{
		Type: "AssumedRole", Account: account, Session: "ada@acme.example", UserID: "AROAEXAMPLE:ada@acme.example",
		ARN:    "arn:aws:sts::111111111111:assumed-role/OnCall/ada@acme.example",
		Source: "arn:aws:iam::111111111111:role/team/OnCall",
	}
}

func newCloud() *cloud.Cloud {
	c := cloud.New()
	cloudtrail.New(c)
	c.AddCaller(&cloud.Caller{Name: "ada", Principal: ada(), AccessKeyID: "ASIAADA", Created: time.Now(), MFA: true})
	return c
}

func event(name string, at time.Time) cloud.Event {
	return cloud.Event{
		Time: at, Name: name, Source: "codeconnections.amazonaws.com", Account: account, Region: "eu-west-1", Caller: ada(),
		RequestID: "r", Origin: cloud.Origin{UserAgent: "aws-cli/2", SourceIP: "192.0.2.7"},
	}
}

func lookup(t *testing.T, c *cloud.Cloud, in map[string]any) ([]map[string]any, string, error) {
	t.Helper()
	var out map[string]any
	var err error
	c.Within(func() {
		out, err = c.Serve(&cloud.Request{Service: "cloudtrail", Operation: "LookupEvents", Region: "eu-west-1", Caller: ada(), In: in})
	})
	if err != nil {
		return nil, "", err
	}
	var events []map[string]any
	for _, e := range out["Events"].([]any) {
		events = append(events, e.(map[string]any))
	}
	next, _ := out["NextToken"].(string)
	return events, next, nil
}

func attribute(key, value string) map[string]any {
	return map[string]any{"LookupAttributes": []any{map[string]any{"AttributeKey": key, "AttributeValue": value}}}
}

func TestLookupByEachAttribute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		c.Within(func() {
			e := event("CreateConnection", c.Now())
			e.ID = "the-id"
			c.Record(e)
			read := event("GetConnection", c.Now())
			read.ReadOnly = true
			c.Record(read)
			grant := event("PutRolePolicy", c.Now())
			grant.Source, grant.Request = "iam.amazonaws.com", map[string]any{"RoleName": "OnCall"}
			c.Record(grant)
		})
		for _, tt := range []struct {
			key, value string
			want       int
		}{
			{"EventId", "the-id", 1}, {"EventId", "other", 0}, {"EventName", "CreateConnection", 1}, {"ReadOnly", "true", 1},
			{"ReadOnly", "false", 2}, {"Username", "ada@acme.example", 3}, {"Username", "ada", 0},
			{"EventSource", "codeconnections.amazonaws.com", 2}, {"AccessKeyId", "ASIAADA", 3}, {"AccessKeyId", "ASIABERT", 0},
			{"ResourceType", "AWS::IAM::Role", 1}, {"ResourceName", "OnCall", 1},
			{"ResourceType", "AWS::CodeStarConnections::Connection", 0},
		} {
			got, _, err := lookup(t, c, attribute(tt.key, tt.value))
			n := 0
			for _, e := range got { // every look-up before this one is an event itself by now
				if e["EventName"] != "LookupEvents" {
					n++
				}
			}
			if err != nil || n != tt.want {
				t.Errorf("%s=%s: %d events, want %d; %v", tt.key, tt.value, n, tt.want, err)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	pair := attribute("EventName", "A")["LookupAttributes"].([]any)
	for _, tt := range []struct {
		in   map[string]any
		want string
	}{
		{map[string]any{"LookupAttributes": append(pair, pair...)}, "InvalidLookupAttributesException"},
		{attribute("ConnectionArn", "x"), "InvalidLookupAttributesException"},
		{attribute("EventName", ""), "InvalidLookupAttributesException"},
		{map[string]any{"MaxResults": float64(0)}, "InvalidMaxResultsException"},
		{map[string]any{"MaxResults": float64(51)}, "InvalidMaxResultsException"},
		{map[string]any{"StartTime": float64(2_000_000_000), "EndTime": float64(1_000_000_000)}, "InvalidTimeRangeException"},
		{map[string]any{"StartTime": "yesterday"}, "InvalidTimeRangeException"},
		{map[string]any{"NextToken": "lab-page-1"}, "InvalidNextTokenException"},
		{map[string]any{"EventCategory": "data"}, "InvalidEventCategoryException"},
	} {
		t.Run(fmt.Sprint(tt.in), func(t *testing.T) {
			_, _, err := lookup(t, newCloud(), tt.in)
			var e *cloud.Error
			if !errors.As(err, &e) || e.Code != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestPagesNewestFirstWhileEventsArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		c.Within(func() {
			for i := range 120 {
				c.Record(event(fmt.Sprintf("E%03d", i), c.Now().Add(time.Duration(i)*time.Second-time.Hour)))
			}
		})
		in := attribute("EventSource", "codeconnections.amazonaws.com")
		var names []string
		for {
			page, next, err := lookup(t, c, in)
			if err != nil || len(page) > 50 {
				t.Fatalf("%d events: %v", len(page), err)
			}
			for _, e := range page {
				names = append(names, e["EventName"].(string))
			}
			if next == "" {
				break
			}
			c.Within(func() { c.Record(event("Late", c.Now())) })
			in["NextToken"] = next
		}
		if len(names) != 120 || names[0] != "E119" || names[119] != "E000" {
			t.Errorf("%d events, from %s to %s", len(names), names[0], names[len(names)-1])
		}
	})
}

func TestTokenNeedsTheSameParameters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		c.Within(func() {
			for range 3 {
				c.Record(event("CreateConnection", c.Now()))
			}
		})
		in := attribute("EventName", "CreateConnection")
		in["MaxResults"] = float64(2)
		_, next, err := lookup(t, c, in)
		if err != nil || next == "" {
			t.Fatalf("no second page: %v", err)
		}
		other := attribute("EventName", "DeleteConnection")
		other["MaxResults"], other["NextToken"] = float64(2), next
		if _, _, err := lookup(t, c, other); err == nil {
			t.Error("a token was taken with other parameters")
		}
		in["NextToken"] = next
		if rest, _, err := lookup(t, c, in); err != nil || len(rest) != 1 {
			t.Errorf("second page: %d events, %v", len(rest), err)
		}
	})
}

func TestWhatHistoryShowsAndWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		c.Trail.Delay = 5 * time.Minute
		start := time.Now()
		c.Within(func() { c.Record(event("CreateConnection", c.Now())) })
		count := func(in map[string]any) int {
			got, _, err := lookup(t, c, in)
			if err != nil {
				t.Fatal(err)
			}
			return len(got)
		}
		in := attribute("EventName", "CreateConnection")
		if n := count(in); n != 0 {
			t.Errorf("shown before its delay: %d", n)
		}
		time.Sleep(5 * time.Minute)
		if n := count(in); n != 1 {
			t.Errorf("after its delay: %d events", n)
		}
		in["EndTime"] = float64(start.Unix() - 1)
		if n := count(in); n != 0 {
			t.Errorf("before StartTime..EndTime: %d events", n)
		}
		delete(in, "EndTime")
		time.Sleep(91 * 24 * time.Hour)
		if n := count(in); n != 0 {
			t.Errorf("after 90 days: %d events", n)
		}
	})
}

func decode(t *testing.T, e map[string]any) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(e["CloudTrailEvent"].(string)), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEventShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		at := time.Now().Add(-time.Minute)
		e := event("CreateConnection", at)
		e.ID = "id"
		e.Request = map[string]any{"ProviderType": "GitHub", "Tags": []any{map[string]any{"Key": "Team", "Value": "Web"}}}
		e.Response = map[string]any{"ConnectionArn": "arn:aws:codeconnections:eu-west-1:111111111111:connection/c"}
		c.Within(func() { c.Record(e) })
		got, _, err := lookup(t, c, attribute("EventName", "CreateConnection"))
		if err != nil || len(got) != 1 {
			t.Fatalf("%d events, %v", len(got), err)
		}
		if diff := cmp.Diff([]any{}, got[0]["Resources"]); diff != "" || got[0]["Username"] != "ada@acme.example" || got[0]["ReadOnly"] != "false" {
			t.Errorf("listed as %v %s", got[0], diff)
		}
		stamp := at.UTC().Format(time.RFC3339)
		want := map[string]any{
			"eventVersion": "1.08", "eventTime": stamp, "eventSource": "codeconnections.amazonaws.com", "eventName": "CreateConnection",
			"awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.7", "userAgent": "aws-cli/2",
			"requestParameters": map[string]any{"providerType": "GitHub", "tags": []any{map[string]any{"key": "Team", "value": "Web"}}},
			"responseElements":  map[string]any{"connectionArn": "arn:aws:codeconnections:eu-west-1:111111111111:connection/c"},
			"requestID":         "r", "eventID": "id", "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true,
			"recipientAccountId": account, "eventCategory": "Management",
			"tlsDetails": map[string]any{"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": "codeconnections.eu-west-1.amazonaws.com"},
			"userIdentity": map[string]any{
				"type": "AssumedRole", "principalId": "AROAEXAMPLE:ada@acme.example", "arn": ada().ARN, "accountId": account, "accessKeyId": "ASIAADA",
				"sessionContext": map[string]any{
					"sessionIssuer":       map[string]any{"type": "Role", "principalId": "AROAEXAMPLE", "arn": ada().Source, "accountId": account, "userName": "OnCall"},
					"webIdFederationData": map[string]any{},
					"attributes":          map[string]any{"creationDate": at.Truncate(time.Hour).UTC().Format(time.RFC3339), "mfaAuthenticated": "true"},
				},
			},
		}
		if diff := cmp.Diff(want, decode(t, got[0])); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
	})
}

func TestIdentities(t *testing.T) {
	user := cloud.Principal{Type: "IAMUser", Account: account, ARN: "arn:aws:iam::111111111111:user/ops/bob", UserID: "AIDABOB"}
	root := cloud.Principal{Type: "Root", Account: account, ARN: "arn:aws:iam::111111111111:root", UserID: account}
	service := cloud.Principal{Type: "AWSService", Account: account, ARN: "codepipeline.amazonaws.com"}
	for _, tt := range []struct {
		who      cloud.Principal
		by       string
		username any
		want     map[string]any
	}{
		{user, "", "bob", map[string]any{"type": "IAMUser", "principalId": "AIDABOB", "arn": user.ARN, "accountId": account, "userName": "bob"}},
		{root, "", "root", map[string]any{"type": "Root", "principalId": account, "arn": root.ARN, "accountId": account}},
		{service, "codepipeline.amazonaws.com", nil, map[string]any{"type": "AWSService", "invokedBy": "codepipeline.amazonaws.com"}},
	} {
		t.Run(tt.who.Type, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud()
				e := event("DeleteConnection", time.Now())
				e.Caller, e.Origin.InvokedBy = tt.who, tt.by
				e.ErrorCode, e.ErrorText = cloud.AccessDenied, "User: x is not authorized"
				c.Within(func() { c.Record(e) })
				got, _, err := lookup(t, c, attribute("EventName", "DeleteConnection"))
				if err != nil || len(got) != 1 {
					t.Fatalf("%d events, %v", len(got), err)
				}
				m := decode(t, got[0])
				if diff := cmp.Diff(tt.want, m["userIdentity"]); diff != "" || got[0]["Username"] != tt.username {
					t.Errorf("Username %v; userIdentity (-want +got):\n%s", got[0]["Username"], diff)
				}
				if m["errorCode"] != "AccessDenied" || m["errorMessage"] != "User: x is not authorized" || m["responseElements"] != nil {
					t.Errorf("refusal shown as %v %v %v", m["errorCode"], m["errorMessage"], m["responseElements"])
				}
			})
		})
	}
}

// TestActionConfiguration: what an action's configuration holds is data and keeps its names; secrets are masked.
func TestActionConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		e := event("UpdatePipeline", time.Now())
		e.Request = map[string]any{"pipeline": map[string]any{"actions": []any{map[string]any{
			"configuration": map[string]any{"ConnectionArn": "arn", "OAuthToken": "secret"}}}}}
		c.Within(func() { c.Record(e) })
		got, _, err := lookup(t, c, attribute("EventName", "UpdatePipeline"))
		if err != nil || len(got) != 1 {
			t.Fatalf("%d events, %v", len(got), err)
		}
		want := map[string]any{"pipeline": map[string]any{"actions": []any{map[string]any{
			"configuration": map[string]any{"ConnectionArn": "arn", "OAuthToken": "****"}}}}}
		if diff := cmp.Diff(want, decode(t, got[0])["requestParameters"]); diff != "" {
			t.Errorf("requestParameters (-want +got):\n%s", diff)
		}
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		c.Within(func() {
			for range 2 {
				c.Log(cloud.Call{Start: c.Now(), End: c.Now(), Service: "cloudtrail", Operation: "LookupEvents", Account: account, Region: "eu-west-1"})
			}
		})
		var e *cloud.Error
		if _, _, err := lookup(t, c, nil); !errors.As(err, &e) || e.Code != cloud.Throttling {
			t.Errorf("the third call of a second: %v", err)
		}
		time.Sleep(time.Second)
		if _, _, err := lookup(t, c, nil); err != nil {
			t.Errorf("a second later: %v", err)
		}
	})
}
