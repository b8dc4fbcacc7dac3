// Package testkit is the harness of the tests: it plays worlds on the lab in-process and compares what a diagnosis says with what
// the world's writer wants. It is imported by tests only.
package testkit

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/world"
)

// Case is one world being played: the lab, the world and an app that calls the lab as the world's `you`.
type Case struct {
	Lab   *lab.Lab
	World *world.World
	App   *app.App
	Files map[string]string // the files behind the world in its txtar archive
}

// Start plays a world in-process. Call it inside a synctest bubble; every exchange is held against the official API models.
func Start(t *testing.T, name string, text []byte, tweak ...func(*cloud.Cloud)) *Case {
	t.Helper()
	ar := txtar.Parse(text)
	c := &Case{Lab: lab.New(), Files: map[string]string{}}
	for _, f := range ar.Files {
		c.Files[f.Name] = string(f.Data)
	}
	apimodel.Attach(t, c.Lab)
	c.Lab.Cloud.Within(func() {
		for _, f := range tweak {
			f(c.Lab.Cloud)
		}
	})
	w, err := world.Load(c.Lab, name, ar.Comment, time.Now())
	if err != nil {
		t.Fatalf("load world: %v", err)
	}
	c.World = w
	c.App = c.As(t, w.Default)
	return c
}

// As opens an app for another caller of the world.
func (c *Case) As(t *testing.T, k *cloud.Caller) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), app.Config{
		Regions: []string{c.World.DefaultRegion}, Home: t.TempDir(), Transport: c.Lab,
		Resolvers: []string{"192.0.2.53"}, DialDNS: c.Lab.Names.Dial,
		Keys: &awsapi.Keys{ID: k.AccessKeyID, Secret: k.SecretAccessKey, Token: k.SessionToken, Source: "StaticCredentials"},
	})
	if err != nil {
		t.Fatalf("open session: %v", err)
	}
	t.Cleanup(a.Close)
	return a
}

// Ask is what the case's file "args" asks: targets by the names of the world; nothing means everything.
func (c *Case) Ask(t *testing.T) app.Ask {
	t.Helper()
	var ask app.Ask
	for _, w := range strings.Fields(c.Files["args"]) {
		if arn := c.World.ARN(w); arn != "" {
			w = arn
		}
		target, err := fact.ParseTarget(w)
		if err != nil {
			t.Fatal(err)
		}
		ask.Targets = append(ask.Targets, target)
	}
	return ask
}

// Diagnose runs the diagnosis of the case.
func (c *Case) Diagnose(t *testing.T, faults ...*fault.Fault) *app.Diagnosis {
	t.Helper()
	d, err := c.App.Diagnose(t.Context(), c.Ask(t), faults, nil)
	if err != nil {
		t.Fatalf("diagnose: %v", err)
	}
	return d
}

// Fault runs every world in testdata of a fault's folder. A file's name says what its world shows: found-*, clear-*, unknown-*, and
// fixed-* for faults that plan; the harness fails when one is missing, and when the fault asks for what its Reads do not name.
func Fault(t *testing.T, f *fault.Fault, all []*fault.Fault) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	all, asked := watched(f, all)
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		kind, _, _ := strings.Cut(name, "-")
		kinds[kind]++
		t.Run(name, func(t *testing.T) {
			text := read(t, path)
			synctest.Test(t, func(t *testing.T) {
				c := Start(t, path, text)
				if kind == "fixed" {
					fix(t, c, f, all)
					return
				}
				d := c.Diagnose(t, all...)
				Check(t, c, d)
				golden(t, path, c, c.Plan(t, d, all))
				if got, want := verdictOf(d, f.Code), map[string]fault.Verdict{"found": fault.Found, "clear": fault.Clear, "unknown": fault.Unknown}[kind]; got != want {
					t.Errorf("verdict of %s is %s, want %s\n%s", f.Code, got, want, Describe(d))
				}
				if kind == "unknown" && !blocked(d, f.Code) {
					t.Errorf("no gap says what blocks %s\n%s", f.Code, Describe(d))
				}
			})
		})
	}
	for _, k := range []string{"found", "clear", "unknown", "fixed"} {
		if kinds[k] == 0 && (k != "fixed" || f.Plan != nil) {
			t.Errorf("testdata has no world %s-*.txtar", k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(asked)) {
		if !slices.Contains(f.Reads, k) {
			t.Errorf("%s asks for %s, which its Reads do not name: the permissions on its page would be too few", f.Code, k)
		}
	}
}

// watched puts in the place of a fault one that judges as it does and notes what it asks for.
func watched(f *fault.Fault, all []*fault.Fault) ([]*fault.Fault, map[fact.Kind]bool) {
	asked := map[fact.Kind]bool{}
	noting := *f
	noting.Diagnose = func(s *fact.Snapshot) fault.Judgement {
		j := f.Diagnose(s)
		for _, q := range slices.Concat(j.Needs, j.Helps) {
			asked[q.Kind] = true
		}
		return j
	}
	out := slices.Clone(all)
	for i := range out {
		if out[i].Code == f.Code {
			out[i] = &noting
		}
	}
	return out, asked
}

// Check compares a diagnosis with the world's wants: each wanted finding is there with its cause and subject, what must be clear or
// unknown is so, and nothing else of a wanted code is found.
func Check(t *testing.T, c *Case, d *app.Diagnosis) {
	t.Helper()
	for _, w := range c.World.Wants {
		switch w.Verdict {
		case "clear", "unknown":
			if got := verdictOf(d, fault.Code(w.Code)); string(got) != w.Verdict && found(d, w, c) {
				t.Errorf("line %d: %s is %s, want %s\n%s", w.Line, w.Code, got, w.Verdict, Describe(d))
			}
		default:
			if !found(d, w, c) {
				t.Errorf("line %d: want %s cause=%s subject=%s\n%s", w.Line, w.Code, w.Cause, w.Subject, Describe(d))
				continue
			}
			f, _ := Finding(d, c, w)
			checkMore(t, c, w, f)
		}
	}
}

// checkMore compares what a want says beside code and cause.
func checkMore(t *testing.T, c *Case, w world.Want, f fault.Finding) {
	t.Helper()
	for k, v := range w.More {
		ok := false
		switch k {
		case "policy": // the policy type that says no
			ok = strings.Contains(f.Cause.Text, strings.ReplaceAll(v, "-", " ")) || strings.Contains(strings.ReplaceAll(f.Cause.Text, "-", " "), strings.ReplaceAll(v, "-", " "))
		case "alternative":
			ok = slices.Contains(f.Details.Alternatives, c.World.ARN(v))
		case "class":
			ok = string(f.Cause.Class) == v
		case "severity":
			ok = string(f.Severity) == v
		case "affects":
			ok = fmt.Sprint(len(f.Affects)) == v
		default:
			t.Errorf("line %d: want %s=: the harness does not know it", w.Line, k)
			continue
		}
		if !ok {
			t.Errorf("line %d: want %s=%s, got cause %q severity %s alternatives %v affects %d", w.Line, k, v, f.Cause.Text, f.Severity, f.Details.Alternatives, len(f.Affects))
		}
	}
}

func found(d *app.Diagnosis, w world.Want, c *Case) bool {
	f, ok := Finding(d, c, w)
	return ok && (w.Cause == "" || f.Cause.Code == w.Cause)
}

// Finding is the finding of a want's code about a want's subject, whatever its cause.
func Finding(d *app.Diagnosis, c *Case, w world.Want) (fault.Finding, bool) {
	for _, f := range d.Report.Findings {
		if string(f.Code) == w.Code && (w.Subject == "" || f.Subject.Name == w.Subject || f.Subject.ARN == c.World.ARN(w.Subject)) {
			return f, true
		}
	}
	return fault.Finding{}, false
}

func verdictOf(d *app.Diagnosis, code fault.Code) fault.Verdict {
	worst := fault.Verdict("")
	for _, r := range d.Report.Results {
		if r.Code != code {
			continue
		}
		if r.Verdict == fault.Found || worst == "" || (r.Verdict == fault.Unknown && worst == fault.Clear) {
			worst = r.Verdict
		}
	}
	return worst
}

func blocked(d *app.Diagnosis, code fault.Code) bool {
	for _, g := range d.Report.Gaps {
		for _, b := range g.Blocks {
			if b == code {
				return true
			}
		}
	}
	return false
}

// Describe is a diagnosis in a few lines, for failure messages.
func Describe(d *app.Diagnosis) string {
	var b strings.Builder
	for _, f := range d.Report.Findings {
		fmt.Fprintf(&b, "  %s %s cause=%s (%s) subject=%s affects=%d: %s\n    %s\n", f.Severity, f.Code, f.Cause.Code, f.Cause.Class, f.Subject.Name, len(f.Affects), f.Message, f.Cause.Text)
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "    %s %s got=%s %s\n", e.Class, e.Field, e.Got, e.Text)
		}
	}
	for _, r := range d.Report.Results {
		fmt.Fprintf(&b, "  %s %s %s\n", r.Region, r.Code, r.Verdict)
	}
	for _, g := range d.Report.Gaps {
		fmt.Fprintf(&b, "  gap %s:%s %s %s %s blocks=%v\n", g.Service, g.Operation, g.About, g.Class, g.Why, g.Blocks)
	}
	fmt.Fprintf(&b, "  %d calls, %d rounds\n", d.Report.Calls.Total, d.Rounds)
	return b.String()
}
