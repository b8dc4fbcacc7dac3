package sts_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/sts"
)

func TestDecodeAuthorizationMessage(t *testing.T) {
	c := cloud.New()
	s := sts.New(c, roles{})
	text := s.Encode(caller("ada", "IAMUser"), cloud.Access{Action: "ec2:CreateVpc", Resource: "*", Context: map[string][]string{"ec2:Region": {"us-east-1"}}},
		cloud.Decision{Why: "with an explicit deny in a service control policy"})
	blob, ok := strings.CutPrefix(text, "Encoded authorization failure message: ")
	if !ok || strings.Contains(blob, "ada") {
		t.Fatalf("text %q", text)
	}
	decode := func(message string) (map[string]any, error) {
		return c.Serve(&cloud.Request{Service: "sts", Operation: "DecodeAuthorizationMessage", Region: "us-east-1", Caller: caller("bob", "IAMUser"), In: map[string]any{"EncodedMessage": message}})
	}
	out, err := decode(blob)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Allowed, ExplicitDeny bool
		Context               struct {
			Principal        struct{ ID, ARN string }
			Action, Resource string
			Conditions       struct {
				Items []struct {
					Key    string
					Values struct{ Items []struct{ Value string } }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out["DecodedMessage"].(string)), &m); err != nil {
		t.Fatal(err)
	}
	k := m.Context.Conditions.Items
	if m.Allowed || !m.ExplicitDeny || m.Context.Action != "ec2:CreateVpc" || m.Context.Principal.ID != "ada" || len(k) != 1 || k[0].Values.Items[0].Value != "us-east-1" {
		t.Errorf("%+v", m)
	}
	var e *cloud.Error
	if _, err := decode(blob + "x"); !errors.As(err, &e) || e.Code != "InvalidAuthorizationMessageException" {
		t.Errorf("a message of somebody else's: %v", err)
	}
	c.SetAuthorizer(strict{})
	if _, err := decode(blob); !errors.As(err, &e) || e.Code != cloud.AccessDenied {
		t.Errorf("without the permission: %v", err)
	}
}
