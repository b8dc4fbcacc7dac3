package cloudtrail_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/cloudtrail"
)

// shown records one event and returns it as event history shows it, listed and whole.
func shown(t *testing.T, c *cloud.Cloud, e cloud.Event) (listed, whole map[string]any) {
	t.Helper()
	c.Within(func() { c.Record(e) })
	got, _, err := lookup(t, c, attribute("EventName", e.Name))
	if err != nil || len(got) != 1 {
		t.Fatalf("%d events, %v", len(got), err)
	}
	return got[0], decode(t, got[0])
}

// Those without credentials of the account: CloudTrail says who vouches for them, and of another account's people nothing.
func TestOutsiders(t *testing.T) {
	const oidc = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
	const subject = "repo:acme/web:ref:refs/heads/main"
	for _, tt := range []struct {
		who      cloud.Principal
		username any
		want     map[string]any
	}{
		{cloud.Principal{Type: "AWSAccount", Account: "222222222222", UserID: "AROAOTHER:bert"}, nil,
			map[string]any{"type": "AWSAccount", "principalId": "AROAOTHER:bert", "accountId": "222222222222"}},
		{cloud.Principal{Type: "WebIdentityUser", Source: oidc, Session: subject, UserID: oidc + ":sts.amazonaws.com:" + subject}, subject,
			map[string]any{"type": "WebIdentityUser", "principalId": oidc + ":sts.amazonaws.com:" + subject, "userName": subject, "identityProvider": oidc}},
		{cloud.Principal{Type: "SAMLUser", Source: "provider", Session: "ada@acme.example", UserID: "provider:ada@acme.example"}, "ada@acme.example",
			map[string]any{"type": "SAMLUser", "principalId": "provider:ada@acme.example", "userName": "ada@acme.example", "identityProvider": "provider"}},
		{cloud.Principal{Type: "IdentityCenterUser", Account: account, Source: "arn:aws:identitystore::111111111111:identitystore/d-1", UserID: "u-1", Session: "c-1"}, nil,
			map[string]any{"type": "IdentityCenterUser", "accountId": account, "credentialId": "c-1",
				"onBehalfOf": map[string]any{"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::111111111111:identitystore/d-1"}}},
	} {
		t.Run(tt.who.Type, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := event("AssumeRole", time.Now())
				e.Caller = tt.who
				listed, whole := shown(t, newCloud(), e)
				if diff := cmp.Diff(tt.want, whole["userIdentity"]); diff != "" || listed["Username"] != tt.username {
					t.Errorf("Username %v; userIdentity (-want +got):\n%s", listed["Username"], diff)
				}
			})
		})
	}
}

// A session carries who vouched for it, for whom it was taken on and how an instance got it.
func TestSessionContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		who := ada()
		who.ARN += "-ci"
		c.AddCaller(&cloud.Caller{Name: "ci", Principal: who, AccessKeyID: "ASIACI", SourceIdentity: "ada", RoleDelivery: "2.0", Federation: cloud.Federation{Provider: "oidc"}})
		e := event("StartPipelineExecution", time.Now())
		e.Caller = who
		_, whole := shown(t, c, e)
		ctx := whole["userIdentity"].(map[string]any)["sessionContext"].(map[string]any)
		web := ctx["webIdFederationData"].(map[string]any)
		if ctx["sourceIdentity"] != "ada" || ctx["ec2RoleDelivery"] != "2.0" || web["federatedProvider"] != "oidc" {
			t.Errorf("sessionContext %v", ctx)
		}
	})
}

func TestFederatedUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := event("GetPipeline", time.Now())
		e.Caller = cloud.Principal{Type: "FederatedUser", Account: account, ARN: "arn:aws:sts::111111111111:federated-user/eve", UserID: account + ":eve",
			Source: "arn:aws:iam::111111111111:user/robot", Session: "AIDAROBOT"}
		listed, whole := shown(t, newCloud(), e)
		id := whole["userIdentity"].(map[string]any)
		want := map[string]any{"type": "IAMUser", "principalId": "AIDAROBOT", "arn": "arn:aws:iam::111111111111:user/robot", "accountId": account, "userName": "robot"}
		if diff := cmp.Diff(want, id["sessionContext"].(map[string]any)["sessionIssuer"]); diff != "" || id["principalId"] != account+":eve" || listed["Username"] != "eve" {
			t.Errorf("%v %v %s", listed["Username"], id, diff)
		}
	})
}

// A role assumed across accounts is seen by both: here with the caller's name, there without. A refusal is seen by the caller's alone.
func TestCrossAccount(t *testing.T) {
	for _, refused := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud()
			e := event("AssumeRole", time.Now())
			e.Source, e.Request = "sts.amazonaws.com", map[string]any{"roleArn": "arn:aws:iam::222222222222:role/Prod"}
			if refused {
				e.ErrorCode = cloud.AccessDenied
			}
			var here, there []cloud.Event
			c.Within(func() {
				c.RecordAt(e, "222222222222")
				here, there = c.Events(account, "eu-west-1"), c.Events("222222222222", "eu-west-1")
			})
			if refused {
				if len(here) != 1 || len(there) != 0 {
					t.Errorf("a refusal: %d events here, %d there", len(here), len(there))
				}
				return
			}
			if len(here) != 1 || len(there) != 1 || here[0].ID == there[0].ID || here[0].SharedID == "" || here[0].SharedID != there[0].SharedID {
				t.Fatalf("here %+v, there %+v", here, there)
			}
			if there[0].Caller.Type != "AWSAccount" || there[0].Caller.ARN != "" || here[0].Caller.ARN != ada().ARN {
				t.Errorf("here %+v, there %+v", here[0].Caller, there[0].Caller)
			}
			got, _, err := lookup(t, c, attribute("ResourceName", "arn:aws:iam::222222222222:role/Prod"))
			if err != nil || len(got) != 1 || decode(t, got[0])["sharedEventID"] != here[0].SharedID {
				t.Errorf("looked up by the role: %d events, %v", len(got), err)
			}
		})
	}
}

// What is too large is omitted as a whole, and marked.
func TestLargeFields(t *testing.T) {
	for _, tt := range []struct {
		max, size int
		omitted   bool
	}{{0, 1000, false}, {0, 102_401, true}, {200, 100, false}, {200, 300, true}} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud()
			c.Trail.Max = tt.max
			e := event("UpdatePipeline", time.Now())
			e.Request = map[string]any{"pipeline": map[string]any{"name": strings.Repeat("x", tt.size)}}
			_, whole := shown(t, c, e)
			params := whole["requestParameters"].(map[string]any)
			if got := params["omitted"] == true; got != tt.omitted || got && params["pipeline"] != nil {
				t.Errorf("max %d, %d bytes: %.80v", tt.max, tt.size, params)
			}
		})
	}
}

// With a spread, events do not become visible in the order in which they happened, and all of them do in the end.
func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cloud.New()
		cloudtrail.New(c)
		c.Trail.Delay, c.Trail.Spread = time.Minute, 10*time.Minute
		begin := time.Now()
		c.Within(func() {
			for i := range 50 {
				c.Record(event("CreateConnection", begin.Add(time.Duration(i)*time.Second)))
			}
		})
		var last time.Time
		disorder := false
		time.Sleep(15 * time.Minute)
		c.Within(func() {
			all := c.Events(account, "eu-west-1")
			if len(all) != 50 {
				t.Fatalf("%d events in the end", len(all))
			}
			for _, e := range all {
				if d := e.Visible.Sub(e.Time); d < time.Minute || d >= 11*time.Minute {
					t.Errorf("visible after %v", d)
				}
				disorder = disorder || e.Visible.Before(last)
				last = e.Visible
			}
		})
		if !disorder {
			t.Error("all events became visible in order")
		}
	})
}
