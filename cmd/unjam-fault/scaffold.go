package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// file is one file to write, with its path from the root.
type file struct {
	path string
	text []byte
	old  bool // it is there and is written anew
}

var (
	codeForm = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	// version is the newest heading of CHANGELOG.md.
	version = regexp.MustCompile(`(?m)^## (\d+\.\d+\.\d+)`)
)

// list is where all faults are listed.
const list = "faults/all.go"

// packageOf is the folder and package of a code.
func packageOf(code string) string { return strings.ReplaceAll(code, "-", "") }

// scaffold makes the files of a new fault in a repository. It refuses a code that is none, and one that is taken.
func scaffold(repo fs.FS, code string) ([]file, error) {
	name := packageOf(code)
	switch {
	case !codeForm.MatchString(code):
		return nil, fmt.Errorf("make %q: want a code such as source-stale: lower-case words with hyphens", code)
	case token.IsKeyword(name) || name == "main" || name == "faults" || name == "fault":
		return nil, fmt.Errorf("make %q: no Go package can be called %s: take two words", code, name)
	}
	all, err := fs.ReadFile(repo, list)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w: run it at the root of the repository", list, err)
	}
	changes, err := fs.ReadFile(repo, "CHANGELOG.md")
	if err != nil {
		return nil, fmt.Errorf("read the version: %w", err)
	}
	since := version.FindSubmatch(changes)
	if since == nil {
		return nil, errors.New("read the version: CHANGELOG.md has no heading such as ## 0.3.0")
	}
	if _, err := fs.Stat(repo, "faults/"+name); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("make %q: faults/%s is there already", code, name)
	}
	listed, err := enlist(all, name)
	if err != nil {
		return nil, err
	}
	files, err := fill(code, name, string(since[1]))
	return append(files, file{path: list, text: listed, old: true}), err
}

// fill fills the templates.
func fill(code, name, since string) ([]file, error) {
	t, err := template.New("").Delims("<<", ">>").ParseFS(templates, "templates/*")
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	var all []file
	for _, f := range []struct{ template, path string }{
		{"fault.go.tmpl", name + ".go"},
		{"fault_test.go.tmpl", name + "_test.go"},
		{"found-first.txtar.tmpl", "testdata/found-first.txtar"},
		{"clear-works.txtar.tmpl", "testdata/clear-works.txtar"},
		{"unknown-state.txtar.tmpl", "testdata/unknown-state.txtar"},
	} {
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, f.template, map[string]string{"Code": code, "Package": name, "Since": since}); err != nil {
			return nil, fmt.Errorf("fill %s: %w", f.template, err)
		}
		text := b.Bytes()
		if strings.HasSuffix(f.path, ".go") {
			if text, err = format.Source(text); err != nil {
				return nil, fmt.Errorf("format %s: %w", f.path, err)
			}
		}
		all = append(all, file{path: path.Join("faults", name, f.path), text: text})
	}
	return all, nil
}

// enlist adds a fault's import and call to the list, in order.
func enlist(all []byte, name string) ([]byte, error) {
	lines := strings.SplitAfter(string(all), "\n")
	for _, l := range []struct{ prefix, suffix string }{{"\t\"github.com/unjam/unjam/faults/", "\"\n"}, {"\t\t", ".Fault(),\n"}} {
		at := -1
		for i, line := range lines {
			if !strings.HasPrefix(line, l.prefix) || !strings.HasSuffix(line, l.suffix) {
				continue
			}
			switch have := strings.TrimSuffix(strings.TrimPrefix(line, l.prefix), l.suffix); {
			case have < name:
				at = i + 1 // behind the last that is smaller
			case at < 0:
				at = i // before the first
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("add %s to %s: it has no line like %q", name, list, l.prefix+"..."+strings.TrimSpace(l.suffix))
		}
		lines = slices.Insert(lines, at, l.prefix+name+l.suffix)
	}
	return []byte(strings.Join(lines, "")), nil
}

// write writes files below a root; new ones only where nothing is.
func write(root string, files []file) error {
	for _, f := range files {
		name := filepath.Join(root, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
		how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
		if f.old {
			how = os.O_WRONLY | os.O_TRUNC
		}
		w, err := os.OpenFile(name, how, 0o644)
		if err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
		_, err = w.Write(f.text)
		if err = errors.Join(err, w.Close()); err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
	}
	return nil
}
