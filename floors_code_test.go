package unjam_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// longest is the most lines a Go file may have.
const longest = 500

func packageComments(all tree) []string {
	var bad []string
	comments := map[string][]file{}
	for _, f := range all {
		if f.test {
			continue
		}
		if comments[f.dir] == nil {
			comments[f.dir] = []file{}
		}
		if f.ast.Doc != nil {
			comments[f.dir] = append(comments[f.dir], f)
		}
	}
	for _, dir := range keys(comments) {
		with := comments[dir]
		if len(with) != 1 {
			bad = append(bad, fmt.Sprintf("%s: %d files carry a package comment, want exactly one", dir, len(with)))
			continue
		}
		f := with[0]
		text := f.ast.Doc.Text()
		start := "Package " + f.ast.Name.Name + " "
		if f.ast.Name.Name == "main" {
			start = "Command " + path.Base(dir) + " "
		}
		if !strings.HasPrefix(text, start) {
			bad = append(bad, fmt.Sprintf("%s: the package comment does not start with %q", f.path, start))
		}
		if n := sentences(text); n < 2 || n > 5 {
			bad = append(bad, fmt.Sprintf("%s: the package comment has %d sentences: one says what it does, one what it never does", f.path, n))
		}
	}
	return bad
}

var sentenceEnd = regexp.MustCompile(`[.?!](\s|$)`)

func sentences(text string) int { return len(sentenceEnd.FindAllString(text, -1)) }

func noInit(all tree) []string {
	var bad []string
	for _, f := range all {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				bad = append(bad, fmt.Sprintf("%s: func init: nothing happens before main", f.pos(fn)))
			}
		}
	}
	return bad
}

// noState refuses package-level variables that could change: only sentinel errors, compiled patterns, embedded files, interface
// assertions and tables may be declared, and nothing may assign to them or take their address.
func noState(all tree) []string {
	var bad []string
	for _, dir := range all.dirs() {
		pkg := all.product(dir)
		vars := map[string]bool{}
		for _, f := range pkg {
			for _, spec := range f.packageVars() {
				for i, n := range spec.Names {
					vars[n.Name] = true
					var value ast.Expr
					if i < len(spec.Values) {
						value = spec.Values[i]
					}
					if !readOnly(f, n.Name, spec, value) {
						bad = append(bad, fmt.Sprintf("%s: package-level variable %s can hold state: only sentinel errors, compiled patterns, embedded files and tables may stand there", f.pos(n), n.Name))
					}
				}
			}
		}
		for _, f := range pkg {
			for _, n := range f.changed(vars) {
				bad = append(bad, fmt.Sprintf("%s: %s is package-level and is changed here", f.pos(n), n.Name))
			}
		}
	}
	return bad
}

// readOnly reports whether a variable is of a sort that only ever is read.
func readOnly(f file, name string, spec *ast.ValueSpec, value ast.Expr) bool {
	if name == "_" {
		return true // an interface assertion
	}
	if sel, ok := spec.Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "FS" && f.embeds(spec) {
		return true
	}
	if f.embeds(spec) { // string or []byte
		return true
	}
	switch v := value.(type) {
	case *ast.CompositeLit, *ast.FuncLit:
		return true
	case *ast.CallExpr:
		sel, ok := v.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return false
		}
		made := x.Name + "." + sel.Sel.Name
		return slices.Contains([]string{"errors.New", "regexp.MustCompile", "strings.NewReplacer"}, made) ||
			f.testPackage() && made == "sync.OnceValues" // test data that is read once a process
	}
	return false
}

// changed finds the places where a file assigns to a package-level variable, deletes from it or takes its address.
func (f file) changed(vars map[string]bool) []*ast.Ident {
	var found []*ast.Ident
	for _, d := range f.ast.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		local := locals(fn)
		hit := func(e ast.Expr) {
			if id := root(e); id != nil && vars[id.Name] && !local[id.Name] {
				found = append(found, id)
			}
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, l := range n.Lhs {
						hit(l)
					}
				}
			case *ast.IncDecStmt:
				hit(n.X)
			case *ast.RangeStmt:
				if n.Tok == token.ASSIGN {
					hit(n.Key)
					hit(n.Value)
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					hit(n.X)
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
					hit(n.Args[0])
				}
			}
			return true
		})
	}
	return found
}

// locals are the names that a function declares itself: they hide package-level ones. A name that is both in one function counts
// as local: a false silence there is better than a false alarm.
func locals(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); ok {
						names[id.Name] = true
					}
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		}
		return true
	})
	return names
}

// root is the variable that an expression reaches into: x of x.y[i].
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func noLongFiles(all tree) []string {
	var bad []string
	for _, f := range all {
		if f.lines > longest && !ast.IsGenerated(f.ast) {
			bad = append(bad, fmt.Sprintf("%s: %d lines, at most %d: it does more than one thing", f.path, f.lines, longest))
		}
	}
	return bad
}

// noTypedUpdate keeps pipeline definitions raw: the SDK's structs drop the members that they do not know.
func noTypedUpdate(all tree) []string {
	var bad []string
	for _, f := range all.product() {
		if below(f.dir, "internal/awsapi/write") {
			continue
		}
		for _, s := range f.selectors() {
			if s.name == "UpdatePipelineInput" || (s.name == "UpdatePipeline" && f.importsPath("github.com/aws/aws-sdk-go-v2/service/codepipeline")) {
				bad = append(bad, fmt.Sprintf("%s: the typed UpdatePipeline drops members that the SDK does not know: only internal/awsapi/write updates pipelines, from raw JSON", s.at))
			}
		}
	}
	return bad
}
