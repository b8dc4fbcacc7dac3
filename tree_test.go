package unjam_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// tree is the Go files of a repository.
type tree []file

// file is one parsed Go file.
type file struct {
	path, dir string // slash-separated, from the root; dir of a file at the root is "."
	test      bool   // its name ends in _test.go
	lines     int
	fset      *token.FileSet
	ast       *ast.File
	imports   []imported
}

// imported is one import of a file.
type imported struct {
	path string // as written
	dir  string // the folder, when it is ours; "" otherwise
	name string // the name it has in the file
	at   string // file:line
}

// thirdParty reports whether the import is neither ours nor the standard library's.
func (i imported) thirdParty() bool {
	first, _, _ := strings.Cut(i.path, "/")
	return i.dir == "" && strings.Contains(first, ".")
}

// load parses every Go file below a folder, whatever its build tags. testdata and hidden folders are left out, as Go does.
func load(root string) (tree, error) {
	var all tree
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")
		if d.IsDir() {
			if p != root && (hidden || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if hidden || !strings.HasSuffix(p, ".go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		f, err := parse(filepath.ToSlash(rel), string(src))
		all = append(all, f)
		return err
	})
	return all, err
}

// parse parses one file as if it stood at a path of the repository.
func parse(at, src string) (file, error) {
	f := file{path: at, dir: path.Dir(at), test: strings.HasSuffix(at, "_test.go"), lines: strings.Count(src, "\n"), fset: token.NewFileSet()}
	var err error
	if f.ast, err = parser.ParseFile(f.fset, at, src, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		return f, fmt.Errorf("parse %s: %w", at, err)
	}
	for _, s := range f.ast.Imports {
		p, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			return f, fmt.Errorf("parse %s: import %s: %w", at, s.Path.Value, err)
		}
		i := imported{path: p, name: path.Base(p), at: f.pos(s)}
		if s.Name != nil {
			i.name = s.Name.Name
		}
		if below(p, module) {
			i.dir = cleanDir(strings.TrimPrefix(strings.TrimPrefix(p, module), "/"))
		}
		f.imports = append(f.imports, i)
	}
	return f, nil
}

func cleanDir(d string) string {
	if d == "" {
		return "."
	}
	return d
}

// below reports whether a slash-separated path is a folder or in it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// testPackage reports whether the file is of a package that only tests use.
func (f file) testPackage() bool {
	return below(f.dir, "internal/testkit") || below(f.dir, "internal/fulltest") || f.dir == "cmd/unjam-corpus" || f.dir == "cmd/unjam-fault" || f.dir == "."
}

// product is the files that end up in the program: no tests, no test packages, not the lab; or those of one folder, lab and test
// packages included.
func (t tree) product(dir ...string) tree {
	var all tree
	for _, f := range t {
		switch {
		case f.test:
		case len(dir) > 0:
			if f.dir == dir[0] {
				all = append(all, f)
			}
		case !f.testPackage() && !below(f.dir, "lab"):
			all = append(all, f)
		}
	}
	return all
}

// dirs are the folders of the tree, sorted.
func (t tree) dirs() []string {
	seen := map[string]bool{}
	for _, f := range t {
		seen[f.dir] = true
	}
	return keys(seen)
}

func keys[V any](m map[string]V) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// pos is a node's place as file:line.
func (f file) pos(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.fset.Position(n.Pos()).Line)
}

// selector is a use of a name of another package, or a member of a value, in which case pkg is "".
type selector struct{ pkg, name, at string }

// selectors are all x.y of a file.
func (f file) selectors() []selector {
	packages := map[string]string{}
	for _, i := range f.imports {
		packages[i.name] = i.path
	}
	var all []selector
	ast.Inspect(f.ast, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		found := selector{name: s.Sel.Name, at: f.pos(s)}
		if x, ok := s.X.(*ast.Ident); ok {
			found.pkg = packages[x.Name]
		}
		all = append(all, found)
		return true
	})
	return all
}

func (f file) importsPath(p string) bool {
	return slices.ContainsFunc(f.imports, func(i imported) bool { return i.path == p })
}

// packageVars are the variable declarations at package level.
func (f file) packageVars() []*ast.ValueSpec {
	var all []*ast.ValueSpec
	for _, d := range f.ast.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				if v.Doc == nil {
					v.Doc = g.Doc
				}
				all = append(all, v)
			}
		}
	}
	return all
}

// embeds reports whether a go:embed directive fills the variable.
func (f file) embeds(v *ast.ValueSpec) bool {
	if v.Doc == nil {
		return false
	}
	return slices.ContainsFunc(v.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}
