// Package schema holds documents against the JSON Schemas in docs/schema, for tests. It never changes a document and knows no
// other form of it than the published one.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// base is where the schemas say they are; nothing is ever fetched from there.
const base = "https://github.com/unjam/unjam/docs/schema/"

// Validate fails the test when doc is not one JSON document of the named form, "unjam/diagnosis/v1" or, for short, "diagnosis.v1".
func Validate(t testing.TB, name string, doc []byte) {
	t.Helper()
	if err := Check(name, doc); err != nil {
		t.Errorf("%v\n%s", err, doc)
	}
}

// ValidateLines fails the test when one of the lines is not a JSON document of the named form, or there is none.
func ValidateLines(t testing.TB, name string, lines []byte) {
	t.Helper()
	n := 0
	for line := range bytes.Lines(lines) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
			Validate(t, name, line)
		}
	}
	if n == 0 {
		t.Errorf("%s: there is not one line", name)
	}
}

// ValidateSelf validates a document by the form it names itself in its member "schema".
func ValidateSelf(t testing.TB, doc []byte) {
	t.Helper()
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(doc, &head); err != nil || head.Schema == "" {
		t.Errorf("the document names no schema (%v)\n%s", err, doc)
		return
	}
	Validate(t, head.Schema, doc)
}

// Check is Validate for callers that want the error: what is wrong, where.
func Check(name string, doc []byte) error {
	all, err := compiled()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(name, "unjam/") {
		name = "unjam/" + strings.Replace(name, ".v", "/v", 1)
	}
	s := all[name]
	if s == nil {
		return fmt.Errorf("%s: docs/schema has no schema of that name", name)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return fmt.Errorf("%s: not one JSON document: %w", name, err)
	}
	if err := s.Validate(v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Names are the forms that have a schema, as documents name them.
func Names() ([]string, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list schemas: %w", err)
	}
	var all []string
	for _, f := range files {
		all = append(all, "unjam/"+strings.Replace(strings.TrimSuffix(filepath.Base(f), ".json"), ".v", "/v", 1))
	}
	return all, nil
}

// compiled are the schemas of docs/schema by name, compiled once a process.
var compiled = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	names, err := Names()
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(local(dir))
	all := map[string]*jsonschema.Schema{}
	for _, n := range names {
		if all[n], err = c.Compile(base + strings.ReplaceAll(strings.TrimPrefix(n, "unjam/"), "/", ".") + ".json"); err != nil {
			return nil, fmt.Errorf("compile schema %s: %w", n, err)
		}
	}
	return all, nil
})

// local loads schemas from a folder in place of their published address.
type local string

// Load reads the schema with an address.
func (dir local) Load(url string) (any, error) {
	file, ok := strings.CutPrefix(url, base)
	if !ok {
		return nil, fmt.Errorf("load schema %s: it is not one of ours", url)
	}
	b, err := os.ReadFile(filepath.Join(string(dir), file))
	if err != nil {
		return nil, fmt.Errorf("load schema: %w", err)
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(b))
}

// folder is docs/schema of the repository that the test runs in.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find docs/schema: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "docs", "schema"), nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("find docs/schema: there is no go.mod above the working folder")
		}
		dir = up
	}
}
