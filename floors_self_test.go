package unjam_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const ours = `"github.com/unjam/unjam/`

// breaches are small sources that each break one rule, and twins of them that do not. Without them a rule that finds nothing
// could as well be one that looks at nothing.
var breaches = []struct {
	rule, name string
	bad        map[string]string // path to source
	good       map[string]string
}{
	{"imports only go down", "up",
		map[string]string{"internal/fact/x.go": "package fact\nimport _ " + ours + `internal/op"`},
		map[string]string{"internal/op/x.go": "package op\nimport _ " + ours + `internal/fact"`}},
	{"imports only go down", "sideways",
		map[string]string{"internal/planner/x.go": "package planner\nimport _ " + ours + `internal/report"`},
		map[string]string{"internal/planner/x_test.go": "package planner\nimport _ " + ours + `internal/report"`}},
	{"imports only go down", "on no floor",
		map[string]string{"internal/clever/x.go": "package clever"},
		map[string]string{"faults/another/x.go": "package another"}},
	{"pure floors", "impure import",
		map[string]string{"faults/another/x.go": "package another\nimport _ \"os\""},
		map[string]string{"internal/journal/x.go": "package journal\nimport _ \"os\""}},
	{"pure floors", "third party",
		map[string]string{"internal/report/x.go": "package report\nimport _ \"example.com/table\""},
		map[string]string{"internal/report/x.go": "package report\nimport _ \"encoding/json\""}},
	{"pure floors", "clock",
		map[string]string{"internal/fault/x.go": "package fault\nimport t \"time\"\nfunc f() any { return t.Now() }"},
		map[string]string{"internal/fault/x.go": "package fault\nimport t \"time\"\nfunc f() any { return t.Unix(0, 0) }"}},
	{"one writer", "a fault writes",
		map[string]string{"internal/app/x.go": "package app\nimport _ " + ours + `internal/awsapi/write"`},
		map[string]string{"internal/apply/x.go": "package apply\nimport _ " + ours + `internal/awsapi/write"`}},
	{"collect only reads", "journal",
		map[string]string{"internal/collect/x.go": "package collect\nimport _ " + ours + `internal/journal"`},
		map[string]string{"internal/collect/x.go": "package collect\nimport _ " + ours + `internal/awsapi/read"`}},
	{"lab stands alone", "ours",
		map[string]string{"lab/svc/sts/x_test.go": "package sts\nimport _ " + ours + `internal/fact"`},
		map[string]string{"lab/svc/sts/x_test.go": "package sts\nimport _ " + ours + `internal/testkit/apimodel"`}},
	{"lab is for tests and cli", "app",
		map[string]string{"internal/app/x.go": "package app\nimport _ " + ours + `lab/world"`},
		map[string]string{"internal/cli/x.go": "package cli\nimport _ " + ours + `lab/world"`}},
	{"no fault imports another", "borrowed",
		map[string]string{"faults/one/x_test.go": "package one\nimport _ " + ours + `faults/two"`},
		map[string]string{"faults/one/x_test.go": "package one_test\nimport _ " + ours + `faults/one"`}},
	{"testkit is for tests", "in the product",
		map[string]string{"internal/cli/x.go": "package cli\nimport _ " + ours + `internal/testkit"`},
		map[string]string{"internal/cli/x_test.go": "package cli\nimport _ " + ours + `internal/testkit"`}},
	{"the outside world stops at its floor", "SDK in cli",
		map[string]string{"internal/cli/x.go": "package cli\nimport _ \"github.com/aws/aws-sdk-go-v2/aws\""},
		map[string]string{"internal/collect/x.go": "package collect\nimport _ \"github.com/aws/aws-sdk-go-v2/aws\""}},
	{"no grab-bag packages", "util",
		map[string]string{"internal/util/x.go": "package util"},
		map[string]string{"internal/cli/util.go": "package cli"}},
	{"package comments", "none",
		map[string]string{"internal/app/x.go": "package app"},
		map[string]string{"internal/app/x.go": "// Package app does this. It never does that.\npackage app"}},
	{"package comments", "two of them",
		map[string]string{"internal/app/x.go": "// Package app does this. It never does that.\npackage app", "internal/app/y.go": "// Package app does this. It never does that.\npackage app"},
		map[string]string{"internal/app/x.go": "// Package app does this. It never does that.\npackage app", "internal/app/y.go": "package app"}},
	{"package comments", "one sentence",
		map[string]string{"cmd/unjam/x.go": "// Command unjam does this.\npackage main"},
		map[string]string{"cmd/unjam/x.go": "// Command unjam does this. It never does that.\npackage main"}},
	{"package comments", "other words",
		map[string]string{"internal/app/x.go": "// This does this. It never does that.\npackage app"},
		map[string]string{"internal/app/x_test.go": "package app"}},
	{"no func init", "init",
		map[string]string{"lab/x.go": "package lab\nfunc init() {}"},
		map[string]string{"lab/x.go": "package lab\ntype t struct{}\nfunc (t) init() {}"}},
	{"no package-level state", "a counter",
		map[string]string{"lab/x.go": "package lab\nvar n int"},
		map[string]string{"lab/x.go": "package lab\nimport \"errors\"\nvar errNone = errors.New(\"none\")\nvar _ error = errNone"}},
	{"no package-level state", "a lock",
		map[string]string{"internal/app/x.go": "package app\nimport \"sync\"\nvar mu = new(sync.Mutex)"},
		map[string]string{"internal/app/x.go": "package app\nimport \"regexp\"\nvar re = regexp.MustCompile(`x`)"}},
	{"no package-level state", "a memo in the product",
		map[string]string{"internal/app/x.go": "package app\nimport \"sync\"\nvar memo = sync.OnceValues(f)"},
		map[string]string{"internal/testkit/x.go": "package testkit\nimport \"sync\"\nvar memo = sync.OnceValues(f)"}},
	{"no package-level state", "a table written from another file",
		map[string]string{"internal/app/x.go": "package app\nvar table = map[string]int{}", "internal/app/y.go": "package app\nfunc f() { table[`x`] = 1 }"},
		map[string]string{"internal/app/x.go": "package app\nvar table = map[string]int{}", "internal/app/y.go": "package app\nfunc f(table map[string]int) { table[`x`] = 1 }"}},
	{"no package-level state", "a table emptied",
		map[string]string{"internal/app/x.go": "package app\nvar table = map[string]int{}\nfunc f() { delete(table, `x`) }"},
		map[string]string{"internal/app/x.go": "package app\nvar table = map[string]int{}\nfunc f() int { return table[`x`] }"}},
	{"no package-level state", "an address",
		map[string]string{"internal/app/x.go": "package app\nvar rows = []int{1}\nfunc f() *int { return &rows[0] }"},
		map[string]string{"internal/app/x.go": "package app\nimport \"embed\"\n//go:embed x\nvar rows embed.FS"}},
	{"no long files", "long",
		map[string]string{"lab/x.go": "package lab\n" + strings.Repeat("\n", longest)},
		map[string]string{"lab/x.go": "// Code generated by hand. DO NOT EDIT.\n\npackage lab\n" + strings.Repeat("\n", longest)}},
	{"no typed UpdatePipeline", "typed",
		map[string]string{"internal/awsapi/read/x.go": "package read\nimport cp \"github.com/aws/aws-sdk-go-v2/service/codepipeline\"\nvar _ cp.UpdatePipelineInput"},
		map[string]string{"internal/awsapi/write/x.go": "package write\nimport cp \"github.com/aws/aws-sdk-go-v2/service/codepipeline\"\nvar _ cp.UpdatePipelineInput"}},
}

// TestFloorsCanFail proves of every rule that it finds what it is for, and only that.
func TestFloorsCanFail(t *testing.T) {
	proven := map[string]bool{}
	for _, b := range breaches {
		t.Run(b.rule+"/"+b.name, func(t *testing.T) {
			i := slices.IndexFunc(rules, func(r rule) bool { return r.name == b.rule })
			if i < 0 {
				t.Fatalf("there is no rule %q", b.rule)
			}
			if found := rules[i].check(grow(t, b.bad)); len(found) == 0 {
				t.Errorf("the rule let this pass:\n%s", show(b.bad))
			}
			for _, m := range rules[i].check(grow(t, b.good)) {
				t.Errorf("the rule refused this: %s\n%s", m, show(b.good))
			}
		})
		proven[b.rule] = true
	}
	for _, r := range rules {
		if !proven[r.name] {
			t.Errorf("nothing proves that the rule %q can fail", r.name)
		}
	}
}

func grow(t *testing.T, sources map[string]string) tree {
	t.Helper()
	var all tree
	for _, p := range keys(sources) {
		f, err := parse(p, sources[p])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

func show(sources map[string]string) string {
	var b strings.Builder
	for _, p := range keys(sources) {
		fmt.Fprintf(&b, "-- %s --\n%s\n", p, sources[p])
	}
	return b.String()
}
