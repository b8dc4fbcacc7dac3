package terraform_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/collect"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/terraform"
)

func flatten(raw []byte) (fact.Values, error) { return (&collect.Collector{}).Flatten(raw) }

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A state gives the managed resources that pipelines rest on, in modules as well, without what Terraform marks as sensitive.
func TestState(t *testing.T) {
	all, err := terraform.Read("state.json", file(t, "state.json"), flatten)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]fact.Declared{}
	for _, d := range all {
		got[d.Address] = d
	}
	web, ok := got["module.ci.aws_codepipeline.web"]
	if len(all) != 3 || !ok {
		t.Fatalf("read %d resources: %v", len(all), got)
	}
	if web.Name != "web" || web.ARN != "arn:aws:codepipeline:eu-west-1:111111111111:web" || web.Tool != "terraform" || web.File != "state.json" {
		t.Errorf("web is %+v", web)
	}
	if b := web.Values.Text("stage/Source/action/GitHub/configuration/BranchName"); b != "main" {
		t.Errorf("branch %q in %v", b, web.Values.Paths())
	}
	if _, there := web.Values["stage/Source/action/GitHub/configuration/OAuthToken"]; there {
		t.Error("a value that Terraform marks as sensitive was kept")
	}
	if c := got["aws_codeconnections_connection.git"]; c.ARN != "arn:aws:codeconnections:eu-west-1:111111111111:connection/1" || c.Values.Text("connection_status") != "PENDING" {
		t.Errorf("connection is %+v", c)
	}
	for _, f := range terraform.At(all, time.Unix(1, 0)) {
		if f.Source().At.IsZero() || f.Ref().Kind != fact.KindDeclared {
			t.Errorf("fact %+v", f)
		}
		if b, _ := json.Marshal(f); strings.Contains(string(b), "canary") {
			t.Errorf("a secret was kept: %s", b)
		}
	}
}

// A plan gives what it wants, and what it found changed outside Terraform.
func TestPlan(t *testing.T) {
	all, err := terraform.Read("dir/plan.json", file(t, "plan.json"), flatten)
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	d := all[0].Drifted
	if len(d) != 1 || d[0].Path != "stage/Source/action/GitHub/configuration/BranchName" || d[0].Before.Text != "main" || d[0].After.Text != "develop" {
		t.Errorf("drift %+v", d)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"no JSON":      {"resource \"aws_codepipeline\" {}", "not the JSON of `terraform show -json`"},
		"something":    {`{"a":1}`, "lacks format_version"},
		"a raw state":  {`{"version":4,"serial":3,"resources":[]}`, "raw state file"},
		"a future one": {`{"format_version":"9.0","values":{}}`, "unsupported"},
		"cut off":      {`{"format_version":"1.0","values":{"root_module":`, "not the JSON"},
	} {
		if _, err := terraform.Read("f.json", []byte(c.text), flatten); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "f.json") {
			t.Errorf("%s: %v, want ...%s", name, err, c.says)
		}
	}
	if all, err := terraform.Read("f.json", []byte(`{"format_version":"1.0","terraform_version":"1.9.0"}`), flatten); err != nil || len(all) != 0 {
		t.Errorf("an empty state: %v, %v", all, err)
	}
	deep := `{"format_version":"1.0","values":{"root_module":` + strings.Repeat(`{"child_modules":[`, 80) + `{}` + strings.Repeat(`]}`, 80) + `}}`
	if _, err := terraform.Read("f.json", []byte(deep), flatten); err == nil {
		t.Error("modules 80 deep were read")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(f, "state.json"))
	f.Add(file(f, "plan.json"))
	f.Add([]byte(`{"format_version":"1.0","values":{"root_module":{"resources":[{"type":"aws_codepipeline","mode":"managed","values":{"stage":[{"name":1}]},"sensitive_values":{"stage":true}}]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := terraform.Read("fuzz.json", text, flatten)
		if err != nil && all != nil {
			t.Errorf("facts beside the error %v", err)
		}
		for _, d := range all {
			if !strings.HasPrefix(d.Type, "aws_") || len(d.Values) > 20001 {
				t.Errorf("read %s with %d values", d.Type, len(d.Values))
			}
		}
	})
}
