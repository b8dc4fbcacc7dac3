package accesstable

import (
	"strings"
	"testing"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// table is the table of the whole lab.
func table(t *testing.T) []Row {
	t.Helper()
	l := lab.New()
	var rows []Row
	var err error
	l.Cloud.Within(func() { rows, err = Table(l.Cloud) })
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestEveryServedOperationTellsWhatItDemands(t *testing.T) {
	l := lab.New()
	served := 0
	for _, s := range l.Cloud.Services() {
		served += len(s.Ops)
	}
	rows := table(t)
	if len(rows) != served || served < 60 {
		t.Errorf("%d rows for %d operations", len(rows), served)
	}
	for _, r := range rows {
		for _, n := range r.Needs {
			if vendor, name, ok := strings.Cut(n.Action, ":"); !ok || vendor == "" || name == "" {
				t.Errorf("%s %s demands %q, which is no action", r.Service, r.Operation, n.Action)
			}
			for _, kind := range n.Resources {
				if strings.Contains(kind, ":") {
					t.Errorf("%s %s: %s is checked on %s, of no known type", r.Service, r.Operation, n.Action, kind)
				}
			}
		}
	}
}

func TestRowsThatMatter(t *testing.T) {
	want := map[string]string{
		"codeconnections GetConnection":       "codeconnections:GetConnection[Connection] codestar-connections:GetConnection[Connection]",
		"codeconnections StartOAuthHandshake": "codeconnections:StartOAuthHandshake[]",
		"codeconnections ListConnections":     "codeconnections:ListConnections[]",
		"iam SimulatePrincipalPolicy":         "iam:SimulatePrincipalPolicy[group role user]",
		"iam ListRoles":                       "iam:ListRoles[]",
		"cloudtrail LookupEvents":             "cloudtrail:LookupEvents[]",
		"sts GetCallerIdentity":               "",
	}
	for _, r := range table(t) {
		key := r.Service + " " + r.Operation
		expected, ok := want[key]
		if !ok {
			continue
		}
		delete(want, key)
		var got []string
		for _, n := range r.Needs {
			got = append(got, n.Action+"["+strings.Join(n.Resources, " ")+"]")
		}
		if strings.Join(got, " ") != expected {
			t.Errorf("%s demands %v, want %s", key, got, expected)
		}
	}
	for key := range want {
		t.Errorf("%s is not served", key)
	}
}

func TestAnOperationThatDemandsNothingIsAnError(t *testing.T) {
	c := cloud.New()
	c.Register(&cloud.Service{Name: "s3", Ops: map[string]*cloud.Op{"GetObject": {Access: func(*cloud.Request) []cloud.Access { return nil }}}})
	if rows, err := Table(c); err == nil {
		t.Errorf("no error, rows %v", rows)
	}
}

func TestTypeOf(t *testing.T) {
	for arn, want := range map[string]string{
		connectionARN: "Connection", oldHostARN: "Host", pipelineARN: "pipeline", pipelineARN + "/Source": "stage",
		pipelineARN + "/Source/Git": "action", "arn:aws:codepipeline" + at + "actiontype:AWS/Source/S3/1": "actiontype",
		roleARN: "role", userARN: "user", policyARN: "policy", "arn:aws:account::" + account + ":account": "account",
		"arn:aws:codebuild" + at + "project/web": "project", eventARN: "event", "arn:aws:access-analyzer" + at + "analyzer/a": "Analyzer",
		"arn:aws:organizations::" + account + ":account/o-1/" + account: "account", "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess": "awspolicy",
		"arn:aws:x:::y": "arn:aws:x:::y", "web": "web",
	} {
		if got := TypeOf(arn); got != want {
			t.Errorf("TypeOf(%s) = %s, want %s", arn, got, want)
		}
	}
}
