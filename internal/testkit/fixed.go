package testkit

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
	"github.com/unjam/unjam/internal/report"
)

// Update reports whether goldens are to be rewritten: UPDATE=1 go test ./faults/...
func Update() bool { return os.Getenv("UPDATE") == "1" }

// Plan makes the plan of a case's findings. The file "wishes" may hold the words hold, no-restart, rehook, reuse and metric.
func (c *Case) Plan(t *testing.T, d *app.Diagnosis, faults []*fault.Fault) plan.Plan {
	t.Helper()
	wish := func(word string) bool { return slices.Contains(strings.Fields(c.Files["wishes"]), word) }
	o := plan.Options{Hold: wish("hold"), NoRestart: wish("no-restart"), Rehook: wish("rehook"), Metric: wish("metric")}
	if wish("reuse") {
		o.Strategy = plan.Reuse
	}
	p, err := planner.Make(d.Snapshot, d.Outcome.Findings, faults, o)
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	return p
}

var planLine = regexp.MustCompile(`(?m)^Plan [0-9a-f]+ `)

// golden compares the plan of a case with its file plan.golden, or rewrites that.
func golden(t *testing.T, path string, c *Case, p plan.Plan) {
	t.Helper()
	want, ok := c.Files["plan.golden"]
	if !ok {
		return
	}
	var b bytes.Buffer
	if err := report.Plan(&b, p, report.View{}); err != nil {
		t.Fatal(err)
	}
	got := planLine.ReplaceAllString(b.String(), "Plan ID ")
	if got == want {
		return
	}
	if !Update() {
		t.Errorf("plan differs from plan.golden; UPDATE=1 go test rewrites it\n%s", got)
		return
	}
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ar.Files {
		if ar.Files[i].Name == "plan.golden" {
			ar.Files[i].Data = []byte(got)
		}
	}
	if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fix applies the plan of a case, whose person acts by the world's later acts (+5m ...), demands that the fault is clear then, rolls the
// run back and demands the first world back, apart from what the plan had marked one-way.
func fix(t *testing.T, c *Case, f *fault.Fault, all []*fault.Fault) {
	t.Helper()
	d := c.Diagnose(t, all...)
	if verdictOf(d, f.Code) != fault.Found {
		t.Fatalf("nothing to fix\n%s", Describe(d))
	}
	p := c.Plan(t, d, all)
	before := reversible(t, c, p)
	writes := c.writes()
	j, err := journal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	out, err := c.App.Apply(t.Context(), app.Apply{Plan: p, Journal: j, Faults: all, Accept: consents(p)})
	if err != nil || out.ExitHint != 0 {
		t.Fatalf("apply: %v, %+v", err, out)
	}
	calls := 0
	for _, s := range p.Steps {
		if s.Kind == plan.Call {
			calls++
		}
	}
	if got := c.writes() - writes; got != calls {
		t.Errorf("the ledger has %d writes, the plan %d", got, calls)
	}
	again := c.Diagnose(t, all...)
	if verdictOf(again, f.Code) != fault.Clear {
		t.Errorf("still not clear\n%s", Describe(again))
	}
	c.takeBack(t, j, out.Run, all)
	time.Sleep(time.Minute) // reads lag behind writes
	if after := reversible(t, c, p); before != after {
		t.Errorf("after the rollback the world differs:\nbefore %s\nafter  %s", before, after)
	}
}

// consents are those that a plan needs where no policy defines a maintenance window.
func consents(p plan.Plan) []string {
	all := p.Consents()
	if slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Window != "" }) {
		all = append(all, guard.NoWindow)
	}
	return all
}

// writes counts the calls in the ledger that may change something.
func (c *Case) writes() int {
	n := 0
	for _, k := range c.Lab.Cloud.Ledger() {
		if !k.ReadOnly {
			n++
		}
	}
	return n
}

// takeBack rolls a run back.
func (c *Case) takeBack(t *testing.T, j *journal.Journal, run string, all []*fault.Fault) {
	t.Helper()
	p, err := c.App.Rollback(t.Context(), j, run)
	if err != nil {
		t.Fatalf("plan rollback: %v", err)
	}
	if len(p.Steps) == 0 {
		return
	}
	if out, err := c.App.Apply(t.Context(), app.Apply{Plan: p, Journal: j, Faults: all, Accept: consents(p)}); err != nil || out.ExitHint != 0 {
		t.Fatalf("rollback: %v, %+v", err, out)
	}
}

// reversible is the state that undoing must give back: definitions and transitions of every pipeline that the plan touches, but for
// definitions that a person edits; policies and record sets.
func reversible(t *testing.T, c *Case, p plan.Plan) string {
	t.Helper()
	var qs []fact.Query
	edited := map[fact.Ref]bool{}
	for _, s := range p.Steps {
		if s.Kind == plan.Human && (s.Target.Kind == fact.KindPipeline || s.Target.Kind == fact.KindPolicies) {
			edited[s.Target] = true
		}
		if s.Target.Kind == fact.KindPolicies || s.Target.Kind == fact.KindRecord {
			qs = append(qs, fact.Query{Scope: s.Target.Scope, Kind: s.Target.Kind, ID: s.Target.ID})
		}
		if s.Target.Kind == fact.KindRule {
			qs = append(qs, fact.Query{Scope: s.Target.Scope, Kind: fact.KindRule, ID: s.Target.ID})
		}
		if s.Target.Kind == fact.KindPipelineState {
			qs = append(qs, fault.StateQuery(s.Target.Scope, s.Target.ID), fault.PipelineQuery(s.Target.Scope, s.Target.ID))
		}
	}
	snap, err := c.App.Read(t.Context(), p.Account, qs)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for x := range fact.All[fact.Pipeline](snap) {
		if edited[x.Ref()] {
			continue
		}
		b.WriteString(x.ARN + " " + string(x.Declaration) + "\n")
	}
	for x := range fact.All[fact.RolePolicies](snap) {
		if edited[x.Ref()] {
			continue
		}
		b.WriteString(x.ARN + " " + x.Trust + "\n")
		for _, d := range x.Documents {
			b.WriteString(x.ARN + " " + d.Name + " " + d.Document + "\n")
		}
	}
	for x := range fact.All[fact.Rule](snap) {
		b.WriteString(x.Name + " " + x.State + " " + x.Pattern + " " + x.About + "\n")
	}
	for x := range fact.All[fact.RecordSet](snap) {
		fmt.Fprintf(&b, "%s %s %d %v\n", x.Name, x.Type, x.TTL, x.Values)
	}
	for x := range fact.All[fact.PipelineState](snap) {
		for _, st := range x.Stages {
			if st.TransitionEnabled {
				b.WriteString(x.Name + "/" + st.Name + " enabled\n")
			} else {
				b.WriteString(x.Name + "/" + st.Name + " disabled\n")
			}
		}
	}
	return b.String()
}
