package unjam_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/unjam/unjam"

// floors is the order of the packages: each row may import the rows above it and nothing else of ours. A package that is in no
// row, and neither under lab/ nor a test package, is refused: put it where it belongs.
var floors = []struct {
	floor    int
	packages []string // folders; faults/* is any folder below faults
}{
	{1, []string{"internal/fact"}},
	{1, []string{"internal/op"}},
	{2, []string{"internal/plan", "internal/bundle"}},
	{2, []string{"internal/netpath"}},
	{3, []string{"internal/fault"}},
	{4, []string{"internal/history", "internal/triage", "internal/refusal"}},
	{4, []string{"internal/baseline"}},
	{4, []string{"internal/declared"}},
	{4, []string{"faults/*"}},
	{5, []string{"faults", "internal/planner", "internal/report", "internal/generate"}},
	{6, []string{"internal/awsapi"}},
	{6, []string{"internal/terraform", "internal/resolve"}},
	{6, []string{"internal/baselinefile"}},
	{6, []string{"internal/declaredfile"}},
	{6, []string{"internal/awsapi/read", "internal/awsapi/write", "internal/journal", "internal/export"}},
	{7, []string{"internal/collect", "internal/inquiry", "internal/guard"}},
	{8, []string{"internal/verify"}},
	{8, []string{"internal/watch"}},
	{9, []string{"internal/apply"}},
	{10, []string{"internal/app"}},
	{11, []string{"internal/orgrun", "internal/server", "internal/mcpserver"}},
	{12, []string{"internal/cli"}},
	{12, []string{"cmd/unjam"}},
}

// lastPure is the last floor that only computes.
const lastPure = 5

// impure are imports that the pure floors go without: a judgement must not depend on the machine it is made on.
var impure = []string{"context", "os", "net", "net/http", "log/slog", "database/sql", "math/rand", "math/rand/v2"}

// pureThirdParty are the third-party packages that the pure floors may import.
var pureThirdParty = []string{ // CEL, at a bounded cost: docs/decisions/0009-own-faults.md
	"cel.dev/cel-go/cel", "cel.dev/cel-go/common/ast", "cel.dev/cel-go/common/env", "cel.dev/cel-go/common/overloads",
	"cel.dev/cel-go/common/types", "cel.dev/cel-go/common/types/ref", "cel.dev/cel-go/common/types/traits",
}

// clock are the functions of package time that read or follow the clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

// outside says where a library of the outside world stops: only there may it be imported, tests and test packages aside.
var outside = []struct {
	library string
	only    []string // folders with what is below them
}{
	{"github.com/aws/aws-sdk-go-v2", []string{"internal/awsapi", "internal/collect"}},
	{"github.com/aws/smithy-go", []string{"internal/awsapi", "internal/collect"}},
	{"github.com/hashicorp/terraform-json", []string{"internal/terraform"}},
	{"modernc.org/sqlite", []string{"internal/journal"}},
	{"github.com/go-git", []string{"internal/export"}},
	{"github.com/evanphx/json-patch", []string{"internal/awsapi/write"}},
	{"github.com/miekg/dns", []string{"internal/resolve"}},
	{"filippo.io/age", []string{"internal/export"}},
	{"github.com/goccy/go-yaml", []string{"internal/baselinefile", "internal/declaredfile", "internal/guard"}},
	{"cel.dev/cel-go", []string{"internal/declared"}},
	{"github.com/hiddeco/sshsig", []string{"internal/guard"}},
	{"github.com/teambition/rrule-go", []string{"internal/guard"}},
	{"golang.org/x/crypto", []string{"internal/guard"}},
	{"github.com/spf13/cobra", []string{"internal/cli", "cmd/unjam"}},
}

// rule is one check of imports or of code; it returns what is wrong, a line each.
type rule struct {
	name  string
	check func(tree) []string
}

var rules = []rule{
	{"imports only go down", importsGoDown},
	{"pure floors", pureFloors},
	{"one writer", oneWriter},
	{"collect only reads", collectOnlyReads},
	{"lab stands alone", labStandsAlone},
	{"lab is for tests and cli", labIsForTestsAndCLI},
	{"no fault imports another", faultsAreStrangers},
	{"testkit is for tests", testkitIsForTests},
	{"the outside world stops at its floor", outsideStops},
	{"no grab-bag packages", noGrabBags},
	{"package comments", packageComments},
	{"no func init", noInit},
	{"no package-level state", noState},
	{"no long files", noLongFiles},
	{"no typed UpdatePipeline", noTypedUpdate},
}

// TestFloors holds every rule of ARCHITECTURE.md, "Floors", against every Go file of the repository. It parses them itself: the
// answer of a `go list` would be served from the test cache.
func TestFloors(t *testing.T) {
	repo, err := load(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(repo) < 50 || len(repo.product()) < 20 {
		t.Fatalf("only %d Go files found, %d of them the product's: the test looks in the wrong place", len(repo), len(repo.product()))
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, m := range r.check(repo) {
				t.Error(m)
			}
		})
	}
}

// row is a package's place in the table.
func row(dir string) (n int, ok bool) {
	for i, f := range floors {
		for _, p := range f.packages {
			if p == dir || (strings.HasSuffix(p, "/*") && path.Dir(dir) == path.Dir(p)) {
				return i, true
			}
		}
	}
	return 0, false
}

func importsGoDown(all tree) []string {
	var bad []string
	for _, f := range all.product() {
		from, ok := row(f.dir)
		if !ok {
			bad = append(bad, fmt.Sprintf("%s: package %s is on no floor: add it to the table in floors_test.go and ARCHITECTURE.md", f.path, f.dir))
			continue
		}
		for _, i := range f.imports {
			to, ours := row(i.dir)
			if i.dir == "" || !ours {
				continue // lab and the test packages have rules of their own
			}
			if to >= from {
				bad = append(bad, fmt.Sprintf("%s: %s (floor %d) imports %s (floor %d): imports only go down", i.at, f.dir, floors[from].floor, i.dir, floors[to].floor))
			}
		}
	}
	return bad
}

func pureFloors(all tree) []string {
	var bad []string
	for _, f := range all.product() {
		n, ok := row(f.dir)
		if !ok || floors[n].floor > lastPure {
			continue
		}
		for _, i := range f.imports {
			switch {
			case slices.Contains(impure, i.path):
				bad = append(bad, fmt.Sprintf("%s: %s is pure (floor %d) and imports %s", i.at, f.dir, floors[n].floor, i.path))
			case i.thirdParty() && !slices.Contains(pureThirdParty, i.path):
				bad = append(bad, fmt.Sprintf("%s: %s is pure (floor %d) and imports the third-party package %s, which is not on the list", i.at, f.dir, floors[n].floor, i.path))
			}
		}
		for _, s := range f.selectors() {
			if s.pkg == "time" && slices.Contains(clock, s.name) {
				bad = append(bad, fmt.Sprintf("%s: %s is pure (floor %d) and uses time.%s: take the time from the snapshot", s.at, f.dir, floors[n].floor, s.name))
			}
		}
	}
	return bad
}

func oneWriter(all tree) []string {
	const writer = "internal/awsapi/write"
	var bad []string
	for _, f := range all {
		if f.dir == "internal/apply" || f.dir == writer {
			continue
		}
		for _, i := range f.imports {
			if i.dir == writer {
				bad = append(bad, fmt.Sprintf("%s: only internal/apply may import %s", i.at, writer))
			}
		}
	}
	return bad
}

func collectOnlyReads(all tree) []string {
	allowed := []string{"internal/awsapi", "internal/awsapi/read", "internal/resolve"}
	var bad []string
	for _, f := range all.product() {
		if !below(f.dir, "internal/collect") {
			continue
		}
		for _, i := range f.imports {
			n, ok := row(i.dir)
			if ok && floors[n].floor == 6 && !slices.Contains(allowed, i.dir) {
				bad = append(bad, fmt.Sprintf("%s: collect imports %s: it may only read", i.at, i.dir))
			}
		}
	}
	return bad
}

func labStandsAlone(all tree) []string {
	var bad []string
	for _, f := range all {
		if !below(f.dir, "lab") {
			continue
		}
		for _, i := range f.imports {
			if i.dir != "" && !below(i.dir, "lab") && !(f.test && below(i.dir, "internal/testkit")) {
				bad = append(bad, fmt.Sprintf("%s: the lab imports %s: it would share our mistakes", i.at, i.dir))
			}
		}
	}
	return bad
}

func labIsForTestsAndCLI(all tree) []string {
	var bad []string
	for _, f := range all {
		if f.test || f.testPackage() || below(f.dir, "lab") || f.dir == "internal/cli" {
			continue
		}
		for _, i := range f.imports {
			if below(i.dir, "lab") {
				bad = append(bad, fmt.Sprintf("%s: %s imports %s: only tests, testkit and cli may", i.at, f.dir, i.dir))
			}
		}
	}
	return bad
}

func faultsAreStrangers(all tree) []string {
	var bad []string
	for _, f := range all {
		for _, i := range f.imports {
			if path.Dir(f.dir) == "faults" && path.Dir(i.dir) == "faults" && i.dir != f.dir {
				bad = append(bad, fmt.Sprintf("%s: fault %s imports fault %s", i.at, path.Base(f.dir), path.Base(i.dir)))
			}
		}
	}
	return bad
}

func testkitIsForTests(all tree) []string {
	var bad []string
	for _, f := range all {
		if f.test || f.testPackage() {
			continue
		}
		for _, i := range f.imports {
			if below(i.dir, "internal/testkit") {
				bad = append(bad, fmt.Sprintf("%s: %s imports %s: only tests may", i.at, f.dir, i.dir))
			}
		}
	}
	return bad
}

func outsideStops(all tree) []string {
	var bad []string
	for _, f := range all.product() {
		for _, i := range f.imports {
			for _, o := range outside {
				if below(i.path, o.library) && !slices.ContainsFunc(o.only, func(d string) bool { return below(f.dir, d) }) {
					bad = append(bad, fmt.Sprintf("%s: %s imports %s, which stops at %s", i.at, f.dir, i.path, strings.Join(o.only, " and ")))
				}
			}
		}
	}
	return bad
}

func noGrabBags(all tree) []string {
	names := []string{"util", "utils", "common", "types", "helper", "helpers", "misc", "shared"}
	var bad []string
	for _, f := range all {
		if slices.Contains(names, strings.TrimSuffix(f.ast.Name.Name, "_test")) || slices.Contains(names, path.Base(f.dir)) {
			bad = append(bad, fmt.Sprintf("%s: package %s says nothing about what is in it", f.path, f.ast.Name.Name))
		}
	}
	return bad
}
