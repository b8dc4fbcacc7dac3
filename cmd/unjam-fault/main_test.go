package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const root = "../.."

// TestScaffold begins a fault beside the repository's own, compiled over them without touching a file: it compiles, its worlds of what is
// well and of what is not seen pass, and the one that shows it is red. So is the catalogue, as long as the fault is not documented.
func TestScaffold(t *testing.T) {
	const code, name = "scaffold-trial", "scaffoldtrial"
	tmp := t.TempDir()
	over := lay(t, tmp, code, func(string, string) string { return "" })
	said, red := play(t, over, "./faults/"+name, filepath.Join(tmp, "faults", name))
	if !red {
		t.Errorf("it is not red\n%s", said)
	}
	for _, want := range []string{"--- FAIL: TestFault/found-first", "--- PASS: TestFault/clear-works", "--- PASS: TestFault/unknown-state", "want " + code + " cause=first-cause"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q\n%s", want, said)
		}
	}
	if said, red := play(t, over, "./faults", root); !red || !strings.Contains(said, "scaffold-trial: its Doc is not complete") {
		t.Errorf("the catalogue takes a fault without documentation\n%s", said)
	}
}

// TestReadme does what README.md, "Add a fault in ten minutes", says: the fault finds what its world shows, and nothing where all is well.
func TestReadme(t *testing.T) {
	const code, name = "approval-rejected", "approvalrejected"
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := func(begins string) string {
		_, rest, found := strings.Cut(string(page), begins)
		text, _, ended := strings.Cut(rest, "```")
		if !found || !ended {
			t.Fatalf("README.md has no block %q", begins)
		}
		return text
	}
	if begin := block("```sh\ngo run ./cmd/unjam-fault new "); !strings.HasPrefix(begin, code+"\n") {
		t.Errorf("README.md begins %q", begin)
	}
	tmp := t.TempDir()
	over := lay(t, tmp, code, func(path, text string) string {
		switch filepath.Base(path) {
		case "found-first.txtar":
			return "# Somebody rejected" + block("```\n# Somebody rejected")
		case name + ".go":
			const is = "// is reports whether"
			before, rest, _ := strings.Cut(text, is)
			_, after, _ := strings.Cut(rest, "\n}\n")
			return strings.ReplaceAll(before+is+block("```go\n"+is)+after, "first-cause", "rejected")
		}
		return ""
	})
	if said, red := play(t, over, "./faults/"+name, filepath.Join(tmp, "faults", name)); red || !strings.Contains(said, "--- PASS: TestFault/found-first") {
		t.Errorf("what README.md shows does not find\n%s", said)
	}
}

// lay writes the files of a new fault into a folder and gives the overlay with which go compiles them as if they stood in the repository.
// edit may write a file anew; "" leaves it.
func lay(t *testing.T, tmp, code string, edit func(path, text string) string) string {
	t.Helper()
	files, err := scaffold(os.DirFS(root), code)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum"} { // the tests look up where AWS's models lie
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file{path: name, text: b})
	}
	over := map[string]string{}
	for i, f := range files {
		there, err := filepath.Abs(filepath.Join(root, f.path))
		if err != nil {
			t.Fatal(err)
		}
		over[there] = filepath.Join(tmp, f.path)
		files[i].old = false
		if text := edit(f.path, string(f.text)); text != "" {
			files[i].text = []byte(text)
		}
	}
	if err := write(tmp, files); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]any{"Replace": over})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(tmp, "overlay.json")
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}

// play compiles the tests of a package, runs them in a folder, and gives what they say and whether they are red.
func play(t *testing.T, overlay, pkg, dir string) (said string, red bool) {
	t.Helper()
	binary := filepath.Join(filepath.Dir(overlay), filepath.Base(pkg)+".bin")
	if out, err := command(root, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, pkg).CombinedOutput(); err != nil {
		t.Fatalf("it does not compile: %v\n%s", err, out)
	}
	out, err := command(dir, binary, "-test.v", "-test.run", "TestFault|TestCatalogue").CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v\n%s", pkg, err, out)
	}
	return string(out), err != nil
}

func command(dir, name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = dir
	return c
}

// repository is a small one.
func repository() fstest.MapFS {
	return fstest.MapFS{
		"CHANGELOG.md":             {Data: []byte("# Changes\n\n## 0.4.0, unreleased\n\n## 0.3.0\n")},
		"faults/all.go":            {Data: []byte("package faults\n\nimport (\n\t\"github.com/unjam/unjam/faults/bb\"\n\t\"github.com/unjam/unjam/faults/dd\"\n\t\"github.com/unjam/unjam/internal/fault\"\n)\n\nfunc All() []*fault.Fault {\n\treturn []*fault.Fault{\n\t\tbb.Fault(),\n\t\tdd.Fault(),\n\t}\n}\n")},
		"faults/sourcestale/ss.go": {},
	}
}

// A fault goes into its place in the list: first, between, last.
func TestEnlist(t *testing.T) {
	for code, want := range map[string]string{"a-a": "aa bb dd", "c-c": "bb cc dd", "e-e": "bb dd ee"} {
		files, err := scaffold(repository(), code)
		if err != nil {
			t.Fatal(err)
		}
		text := string(files[len(files)-1].text)
		var imports, calls []string
		for line := range strings.Lines(text) {
			if _, name, ok := strings.Cut(strings.TrimSpace(line), "unjam/faults/"); ok {
				imports = append(imports, strings.Trim(name, `"`))
			}
			if name, ok := strings.CutSuffix(strings.TrimSpace(line), ".Fault(),"); ok {
				calls = append(calls, name)
			}
		}
		if strings.Join(imports, " ") != want || strings.Join(calls, " ") != want {
			t.Errorf("%s: imports %v, calls %v, want %s", code, imports, calls, want)
		}
		if !bytes.Contains(files[0].text, []byte(`Since: "0.4.0"`)) {
			t.Errorf("%s: the fault is not of the next version\n%s", code, files[0].text)
		}
	}
}

// What cannot be a fault, or is one already, is refused, and nothing is written over what is there.
func TestRefused(t *testing.T) {
	for code, want := range map[string]string{
		"": "want a code", "Source-Stale": "want a code", "source_stale": "want a code", "../evil": "want a code", "a-": "want a code", "select": "take two words",
		"source-stale": "faults/sourcestale is there already", "sources-tale": "faults/sourcestale is there already",
	} {
		if _, err := scaffold(repository(), code); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", code, err, want)
		}
	}
	if _, err := scaffold(fstest.MapFS{}, "source-stale"); err == nil || !strings.Contains(err.Error(), "at the root of the repository") {
		t.Errorf("elsewhere: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "here"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(dir, []file{{path: "here", text: []byte("yours")}}); err == nil {
		t.Error("a file was written over")
	}
	if b, err := os.ReadFile(filepath.Join(dir, "here")); err != nil || string(b) != "mine" {
		t.Errorf("%q, %v", b, err)
	}
	for _, args := range [][]string{nil, {"new"}, {"old", "x"}, {"new", "x", "y"}, {"new", "NOT-A-CODE"}} {
		var out, errs bytes.Buffer
		if code := run(args, root, &out, &errs); code != 2 || errs.Len() == 0 || out.Len() > 0 {
			t.Errorf("%v: exit code %d, %q", args, code, errs.String())
		}
	}
}
