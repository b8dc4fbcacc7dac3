package faults_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/testkit"
)

// pages is where the documentation of faults lies.
const pages = "../docs/faults"

// TestPages holds docs/faults against what the faults say of themselves: a page each, the catalogue, and nothing else. UPDATE=1 writes
// and removes pages.
func TestPages(t *testing.T) {
	want := map[string][]byte{}
	add := func(name string, write func(io.Writer) error) {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		want[name] = b.Bytes()
	}
	add("README.md", func(w io.Writer) error { return report.CataloguePage(w, faults.All()) })
	for _, f := range faults.All() {
		add(string(f.Code)+".md", func(w io.Writer) error { return report.FaultPage(w, f) })
	}
	for name, text := range want {
		file := filepath.Join(pages, name)
		old, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Equal(old, text) {
			continue
		}
		if !testkit.Update() {
			t.Errorf("docs/faults/%s is stale: UPDATE=1 go test ./faults -run TestPages writes it", name)
			continue
		}
		if err := errors.Join(os.MkdirAll(pages, 0o755), os.WriteFile(file, text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadDir(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range there {
		if _, ok := want[e.Name()]; ok {
			continue
		}
		if !testkit.Update() {
			t.Errorf("docs/faults/%s is the page of no fault: UPDATE=1 go test ./faults -run TestPages removes it", e.Name())
			continue
		}
		if err := os.Remove(filepath.Join(pages, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if len(want) < 10 || !slices.ContainsFunc(there, func(e fs.DirEntry) bool { return e.Name() == "connection-pending.md" }) && !testkit.Update() {
		t.Errorf("only %d pages: the test looks at the wrong thing", len(want))
	}
}
