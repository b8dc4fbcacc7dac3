package kms_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/kms"
)

const account = "111111111111"

// TestUse: a key is used by whom its own policy and the role's policies both let, and by nobody while it is disabled or waits for its deletion.
func TestUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lab.New()
		use := func(role, action string) string {
			code := ""
			l.Cloud.Within(func() {
				p, _ := l.IAM.RolePrincipalByARN("arn:aws:iam::"+account+":role/"+role, "1")
				if err := l.Keys.Use(p, account, "eu-west-1", "alias/builds", action); err != nil {
					code = err.Code
				}
			})
			return code
		}
		var k kms.Key
		l.Cloud.Within(func() {
			l.Cloud.AddAccount(&cloud.Account{ID: account})
			for name, allow := range map[string]string{"rich": "kms:*", "poor": "s3:*"} {
				if _, err := l.IAM.CreateRole(account, name, "/", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}}`); err != nil {
					t.Fatal(err)
				}
				if err := l.IAM.PutRolePolicy(account, name, "own", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"`+allow+`","Resource":"*"}}`); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if k, err = l.Keys.Make(account, "eu-west-1", "builds", ""); err != nil {
				t.Fatal(err)
			}
		})
		time.Sleep(time.Minute)
		if got := use("rich", "kms:Decrypt"); got != "" {
			t.Errorf("by a role that may: %s", got)
		}
		if got := use("poor", "kms:Decrypt"); got != cloud.AccessDenied {
			t.Errorf("by a role that may not: %q", got)
		}
		l.Cloud.Within(func() {
			if err := l.Keys.SetPolicy(k.ARN, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+account+`:role/poor"},"Action":"kms:*","Resource":"*"}}`); err != nil {
				t.Fatal(err)
			}
		})
		if got := use("rich", "kms:Decrypt"); got != cloud.AccessDenied {
			t.Errorf("by a role that the key's policy does not let in: %q", got)
		}
		if got := use("poor", "kms:Decrypt"); got != "" {
			t.Errorf("by a role that the key's policy names: %q", got)
		}
		if got := use("gone", "kms:Decrypt"); got == "" {
			t.Error("by a role that does not exist: nothing")
		}
	})
}
