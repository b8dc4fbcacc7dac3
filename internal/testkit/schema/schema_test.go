package schema_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/testkit/schema"
)

// TestSamples validates one full document of every form.
func TestSamples(t *testing.T) {
	names, err := schema.Names()
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 9 {
		t.Fatalf("only these schemas were found: %v", names)
	}
	for _, name := range names {
		for _, s := range samples(t, name) {
			schema.Validate(t, name, s)
			schema.ValidateSelf(t, s)
			schema.Validate(t, strings.Replace(strings.TrimPrefix(name, "unjam/"), "/", ".", 1), s)
		}
	}
}

// samples are the documents of a form in testdata: one a file, or one a line in a .jsonl.
func samples(t *testing.T, name string) [][]byte {
	t.Helper()
	file := filepath.Join("testdata", strings.ReplaceAll(strings.TrimPrefix(name, "unjam/"), "/", "."))
	if b, err := os.ReadFile(file + ".json"); err == nil {
		return [][]byte{b}
	}
	b, err := os.ReadFile(file + ".jsonl")
	if err != nil {
		t.Fatalf("there is no sample of %s: %v", name, err)
	}
	schema.ValidateLines(t, name, b)
	var all [][]byte
	for _, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		all = append(all, []byte(l))
	}
	return all
}

// free are the members whose content a schema leaves open: journal data of the kinds of a newer unjam.
var free = []string{"/entries/0/data", "/entries/1/data"}

// TestBrokenSamplesAreRefused breaks every sample at every place, one at a time, in three ways: a member nobody knows, a member
// of another sort, and the whole document of another form. Each must be refused.
func TestBrokenSamplesAreRefused(t *testing.T) {
	names, err := schema.Names()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		n := 0
		for _, s := range samples(t, name) {
			n += breakAll(t, name, s)
			for _, other := range names {
				if other != name && schema.Check(other, s) == nil {
					t.Errorf("a document of %s passes as %s", name, other)
				}
			}
		}
		if n < 5 {
			t.Errorf("%s: only %d ways of breaking its sample were tried", name, n)
		}
	}
}

func breakAll(t *testing.T, name string, sample []byte) int {
	t.Helper()
	var root any
	if err := json.Unmarshal(sample, &root); err != nil {
		t.Fatal(err)
	}
	n := 0
	refused := func(what string) {
		t.Helper()
		n++
		b, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		if schema.Check(name, b) == nil {
			t.Errorf("%s: %s, and it passes", name, what)
		}
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		if slices.Contains(free, at) {
			return
		}
		switch v := v.(type) {
		case map[string]any:
			v["surprise"] = []any{}
			refused(at + " has a member that nobody knows")
			delete(v, "surprise")
			for k, old := range v {
				v[k] = wrong(old)
				refused(fmt.Sprintf("%s/%s is %v", at, k, v[k]))
				v[k] = nil
				refused(fmt.Sprintf("%s/%s is null", at, k))
				v[k] = old
				walk(at+"/"+k, old)
			}
		case []any:
			for i := range v {
				walk(fmt.Sprintf("%s/%d", at, i), v[i])
			}
		}
	}
	walk("", root)
	return n
}

// wrong is a value of another sort.
func wrong(v any) any {
	if _, ok := v.(bool); ok {
		return "yes"
	}
	return true
}

// TestRequiredMembersAreMissed takes members away that no document can go without: the refusal names what is missing.
func TestRequiredMembersAreMissed(t *testing.T) {
	for _, c := range []struct{ name, member string }{
		{"unjam/diagnosis/v1", "gaps"}, {"unjam/diagnosis/v1", "identity"}, {"unjam/plan/v1", "id"}, {"unjam/plan/v1", "steps"},
		{"unjam/error/v1", "message"}, {"unjam/events/v1", "event"}, {"unjam/whoami/v1", "warnings"}, {"unjam/run/v1", "state"},
		{"unjam/runs/v1", "runs"}, {"unjam/version/v1", "version"}, {"unjam/explanation/v1", "causes"},
	} {
		var doc map[string]any
		if err := json.Unmarshal(samples(t, c.name)[0], &doc); err != nil {
			t.Fatal(err)
		}
		delete(doc, c.member)
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Check(c.name, b); err == nil || !strings.Contains(err.Error(), c.member) {
			t.Errorf("%s without %s: %v", c.name, c.member, err)
		}
	}
}

// TestRules tries what single schemas say beyond names and sorts.
func TestRules(t *testing.T) {
	sample := func(name string, i int) string { return string(samples(t, name)[i]) }
	for _, c := range []struct{ name, doc, from, to string }{
		{"unjam/diagnosis/v1", sample("unjam/diagnosis/v1", 0), `"verdict": "found"`, `"verdict": "healthy"`},
		{"unjam/diagnosis/v1", sample("unjam/diagnosis/v1", 0), `"2026-11-23T09:00:00Z"`, `"yesterday"`},
		{"unjam/diagnosis/v1", sample("unjam/diagnosis/v1", 0), `"snapshot": "sha256:`, `"snapshot": "md5:`},
		{"unjam/error/v1", sample("unjam/error/v1", 0), `"code": 5`, `"code": 0`},
		{"unjam/error/v1", sample("unjam/error/v1", 0), `plan is for`, `plan\nis for`},
		{"unjam/plan/v1", sample("unjam/plan/v1", 0), `"kind": "human"`, `"kind": "wizard"`},
		{"unjam/plan/v1", sample("unjam/plan/v1", 0), `"oneWay": "a retry`, `"title": "a retry`},
		{"unjam/plan/v1", sample("unjam/plan/v1", 0), `"kind": "verify"`, `"kind": "wait"`},
		{"unjam/events/v1", sample("unjam/events/v1", 0), `"run-started"`, `"waiting"`},
	} {
		if !strings.Contains(c.doc, c.from) {
			t.Errorf("%s: the sample has no %s", c.name, c.from)
		}
		if schema.Check(c.name, []byte(strings.ReplaceAll(c.doc, c.from, c.to))) == nil {
			t.Errorf("%s: %s passes", c.name, c.to)
		}
	}
	for _, doc := range []string{"", "{", "[]", "null", `{"schema":"unjam/error/v1","code":1,"message":"x"} {}`} {
		if schema.Check("unjam/error/v1", []byte(doc)) == nil {
			t.Errorf("%q passes", doc)
		}
	}
	if schema.Check("unjam/nothing/v1", []byte("{}")) == nil {
		t.Error("a form that does not exist passes")
	}
}
