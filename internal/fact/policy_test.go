package fact_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/unjam/unjam/internal/fact"
)

func TestStatements(t *testing.T) {
	all, err := fact.Statements(`{"Version":"2012-10-17","Statement":[
		{"Sid":"One","Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::a/*","Condition":{"StringEquals":{"b:K":"v","a:K":["v"]},"Bool":{"a:K":"true"}}},
		{"Effect":"Deny","NotAction":["iam:*","sts:AssumeRole"],"NotResource":["arn:aws:s3:::keep","arn:aws:s3:::?"]}]}`)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v %+v", err, all)
	}
	one, two := all[0], all[1]
	if one.Sid != "One" || !one.Allow || two.Allow || !slices.Equal(one.Keys, []string{"a:K", "b:K"}) || two.Keys != nil {
		t.Errorf("%+v", all)
	}
	for _, tt := range []struct {
		st               fact.Statement
		action, resource string
		names, covers    bool
	}{
		{one, "s3:GetObject", "arn:aws:s3:::a/x/y", true, true},
		{one, "S3:getobject", "arn:aws:s3:::a/", true, true},
		{one, "s3:GetObject", "arn:aws:s3:::A/x", true, false},
		{one, "s3:PutObject", "arn:aws:s3:::a/x", false, false},
		{two, "s3:GetObject", "arn:aws:s3:::b/x", true, true},
		{two, "s3:GetObject", "arn:aws:s3:::keep", true, false},
		{two, "s3:GetObject", "arn:aws:s3:::b", true, false},
		{two, "IAM:GetRole", "x", false, false},
		{fact.Statement{Actions: []string{"*"}, Resources: []string{"*a*b*"}}, "x:Y", "ccacbbc", true, true},
		{fact.Statement{Actions: []string{"*"}, Resources: []string{"*a*b"}}, "x:Y", "abc", true, false},
		{fact.Statement{Actions: []string{"*"}}, "x:Y", "abc", true, false},
	} {
		if n, c := tt.st.Names(tt.action), tt.st.Covers(tt.action, tt.resource); n != tt.names || c != tt.covers {
			t.Errorf("%+v on %s %s: names %v, covers %v", tt.st, tt.action, tt.resource, n, c)
		}
	}
	for _, bad := range []string{"", "[]", `{"Statement":7}`, `{"Statement":[{"Action":7}]}`} {
		if all, err := fact.Statements(bad); err == nil {
			t.Errorf("%q read as %+v", bad, all)
		}
	}
}

func FuzzStatements(f *testing.F) {
	f.Add(`{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, "s3:GetObject", "arn:aws:s3:::a")
	f.Add(`{"Statement":[{"NotAction":["*?*"],"NotResource":"***a"}]}`, "a:b", "aaaa")
	f.Add(`{"Statement":null}`, "", "")
	f.Fuzz(func(t *testing.T, document, action, resource string) {
		all, err := fact.Statements(document)
		if err != nil && all != nil {
			t.Errorf("%+v beside the error %v", all, err)
		}
		for _, st := range all {
			if st.Covers(action, resource) && !st.Names(action) {
				t.Errorf("%+v covers what it does not name", st)
			}
		}
		if m := (fact.RolePolicies{Documents: []fact.PolicyDocument{{Document: document}}}).Merged(); !json.Valid([]byte(m)) {
			t.Errorf("merged into %s", m)
		}
	})
}
