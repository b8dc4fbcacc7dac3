package unjam_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

// quoted is how code points at a heading of a document: docs/aws-facts.md, "Two prefixes".
var quoted = regexp.MustCompile(`((?:[\w-]+/)*[\w-]+\.md), "([^"]+)"`)

// TestCodePointsAtHeadings checks that every heading that a Go file or a document of the repository quotes is there.
func TestCodePointsAtHeadings(t *testing.T) {
	n := 0
	for _, f := range walk(t, ".go", ".md") {
		if f == "docs_test.go" {
			continue
		}
		refs := headingRefs(read(t, f))
		n += len(refs)
		for _, m := range unresolved(refs, func(doc string) ([]byte, error) { return os.ReadFile(doc) }) {
			t.Errorf("%s: %s", f, m)
		}
	}
	if n < 8 {
		t.Errorf("only %d references were found: the test looks for the wrong thing", n)
	}
}

// TestCodePointsAtHeadingsCanFail feeds it a comment that points at nothing.
func TestCodePointsAtHeadingsCanFail(t *testing.T) {
	refs := headingRefs("// See (docs/aws-facts.md,\n// \"No such\n// heading\") and (docs/aws-facts.md, \"Regions\").")
	doc := func(name string) ([]byte, error) { return []byte("# Facts\n\n## Regions\n"), nil }
	if bad := unresolved(refs, doc); len(refs) != 2 || len(bad) != 1 || !strings.Contains(bad[0], "No such heading") {
		t.Errorf("%d references, unresolved %q", len(refs), bad)
	}
}

// headingRefs finds the quoted headings of a text, also where a comment wraps.
func headingRefs(text string) [][]string {
	text = regexp.MustCompile(`\s*\n\s*(//\s?)?`).ReplaceAllString(text, " ")
	return quoted.FindAllStringSubmatch(text, -1)
}

func unresolved(refs [][]string, open func(string) ([]byte, error)) []string {
	var bad []string
	for _, r := range refs {
		b, err := open(r[1])
		if err != nil {
			bad = append(bad, fmt.Sprintf("points at %s: %v", r[1], err))
			continue
		}
		if !slices.Contains(headings(b), r[2]) {
			bad = append(bad, fmt.Sprintf("points at %s, %q: there is no such heading", r[1], r[2]))
		}
	}
	return bad
}

// headings are the headings of a Markdown text, outside code.
func headings(b []byte) []string {
	var all []string
	code := false
	for line := range bytes.Lines(b) {
		s := strings.TrimSpace(string(line))
		if strings.HasPrefix(s, "```") {
			code = !code
		}
		if name := strings.TrimLeft(s, "#"); !code && name != s && strings.HasPrefix(name, " ") {
			all = append(all, strings.TrimSpace(name))
		}
	}
	return all
}

var (
	link = regexp.MustCompile(`\]\(([^)\s#]+)(#[^)]*)?\)`)
	// mentioned are files that a document names in code quotes, from the root: `docs/schema/plan.v1.json`.
	mentioned = regexp.MustCompile("`((?:docs|internal|lab|faults|cmd|\\.ci)/[\\w./-]+\\.(?:go|md|json|world|txtar))`")
)

// TestDocumentsPointAtFiles checks that what the documents link to or name is in the repository.
func TestDocumentsPointAtFiles(t *testing.T) {
	n := 0
	for _, f := range walk(t, ".md") {
		text := read(t, f)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			n++
			if _, err := os.Stat(filepath.Join(filepath.Dir(f), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", f, m[1], err)
			}
		}
		for _, m := range mentioned.FindAllStringSubmatch(text, -1) {
			n++
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s names %s: %v", f, m[1], err)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d links were found", n)
	}
}

// TestExampleWorldLoads plays the world that README.md shows.
func TestExampleWorldLoads(t *testing.T) {
	_, rest, found := strings.Cut(read(t, "README.md"), "# Somebody rejected")
	example, _, ended := strings.Cut(rest, "-- args --")
	if !found || !ended {
		t.Fatal("README.md has no example world any more")
	}
	w, err := world.Load(lab.New(), "README.md", []byte("# Somebody rejected"+example), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Wants) != 1 || w.Wants[0].Code != "approval-rejected" {
		t.Errorf("the example wants %+v", w.Wants)
	}
}

// TestDecisionsAreComplete checks that every page of docs/decisions has its parts and a number of its own.
func TestDecisionsAreComplete(t *testing.T) {
	pages, err := filepath.Glob("docs/decisions/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no decisions: %v", err)
	}
	slices.Sort(pages)
	for i, p := range pages {
		if want := fmt.Sprintf("%04d-", i+1); !strings.HasPrefix(path.Base(filepath.ToSlash(p)), want) {
			t.Errorf("%s: the %d. page should begin with %s", p, i+1, want)
		}
		have := headings([]byte(read(t, p)))
		for _, h := range []string{"Context", "Decision", "Consequences"} {
			if !slices.Contains(have, h) {
				t.Errorf("%s has no heading %q", p, h)
			}
		}
	}
}

// TestArchitectureNamesEveryFloor compares the table of ARCHITECTURE.md with that of the floors test: rows of packages that exist.
func TestArchitectureNamesEveryFloor(t *testing.T) {
	text := read(t, "ARCHITECTURE.md")
	for _, f := range floors {
		for _, p := range f.packages {
			if _, err := os.Stat(strings.TrimSuffix(p, "/*")); err != nil {
				continue // named by the rules, not built yet
			}
			row := regexp.MustCompile(`(?m)^\| ` + fmt.Sprint(f.floor) + ` \|.*` + "`" + regexp.QuoteMeta(strings.TrimPrefix(p, "internal/")) + "`")
			if !row.MatchString(text) {
				t.Errorf("ARCHITECTURE.md has no row of floor %d with %s", f.floor, p)
			}
		}
	}
}

func walk(t *testing.T, suffixes ...string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !d.IsDir() && slices.Contains(suffixes, filepath.Ext(p)) {
			all = append(all, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t *testing.T, p string) string {
	t.Helper()
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
