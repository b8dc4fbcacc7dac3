package declared_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/declaredfile"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

const account = "111111111111"

var (
	now    = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	here   = fact.Scope{Account: account, Region: "eu-west-1"}
	there  = fact.Scope{Account: account, Region: "us-east-1"}
	global = fact.Scope{Account: account}
	conn   = "arn:aws:codeconnections:eu-west-1:" + account + ":connection/11111111-2222-3333-4444-555555555555"
)

// rule is a declaration about a subject; when is one line.
func rule(t *testing.T, of, reads, when string, more ...string) *fault.Fault {
	t.Helper()
	got := "subject.name"
	if len(more) > 0 {
		got = more[0]
	}
	f, err := declaredfile.Parse("r.yaml", []byte(`code: acme-rule
title: A rule
symptom: Something.
severity: high
bucket: configuration
since: 1.0.0
remedy: Mend it.
for: `+of+`
reads: [`+reads+`]
when: |
  `+when+`
causes:
  - code: it-is
    when: subject.name.startsWith("w")
    text: It is so.
    class: reported
evidence:
  - field: "{{ subject.name }}"
    got: |
      `+got+`
message: "{{ subject.name }} is wrong."
`))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func seen(scope fact.Scope, kind fact.Kind, id string) fact.Seen {
	return fact.Seen{About: fact.Ref{Scope: scope, Kind: kind, ID: id}, From: fact.Source{Service: "codepipeline", Operation: string(kind), RequestID: "r-" + id, At: now, Account: account, Region: scope.Region}}
}

func pipeline(scope fact.Scope, name string) fact.Pipeline {
	return fact.Pipeline{Seen: seen(scope, fact.KindPipeline, name), Name: name, ARN: "arn:aws:codepipeline:" + scope.Region + ":" + account + ":" + name, Version: 3, Type: "V2",
		Stages: []fact.Stage{{Name: "Source", Actions: []fact.Action{{Name: "Git", Provider: fact.ConnectionSource, Connection: conn, Branch: "main"}}}}}
}

func state(scope fact.Scope, name, status string) fact.PipelineState {
	return fact.PipelineState{Seen: seen(scope, fact.KindPipelineState, name), Name: name, Stages: []fact.StageState{{Name: "Source", Status: status}}}
}

// stage is a builder with a Region's pipelines listed and read.
func stage(regions []string, scope fact.Scope, names ...string) *fact.Builder {
	b := fact.NewBuilder(fact.Question{Account: account, Regions: regions})
	b.Cover(fault.ListQuery(scope))
	b.Cover(fault.ConnectionsQuery(fact.Question{Account: account, Regions: regions}))
	for _, n := range names {
		b.Add(fact.PipelineListed{Seen: seen(scope, fact.KindPipelineList, n), Name: n}, pipeline(scope, n))
		b.Cover(fault.PipelineQuery(scope, n))
	}
	return b
}

// settle turns what an outcome wants into gaps, as the collector does with what nothing answers.
func settle(b *fact.Builder, f *fault.Fault) (fault.Outcome, *fact.Snapshot) {
	for range 7 {
		s := b.Seal(now)
		out := fault.Run(s, f)
		if len(out.Wants) == 0 {
			return out, s
		}
		for _, q := range out.Wants {
			b.Miss(fact.Gap{Query: q, Class: fact.Denied, Why: "not allowed: " + q.Args["why"]})
		}
	}
	return fault.Outcome{}, nil
}

func verdicts(out fault.Outcome) string {
	var all []string
	for _, r := range out.Results {
		all = append(all, string(r.Verdict))
	}
	return strings.Join(all, " ")
}

func TestVerdicts(t *testing.T) {
	f := rule(t, "pipeline", "pipeline-state", `states.exists(s, s.stages.exists(g, g.status == "Failed"))`)
	for _, c := range []struct {
		name, want string
		read       func(b *fact.Builder)
	}{
		{"found", "found", func(b *fact.Builder) { b.Add(state(here, "web", "Failed")); b.Cover(fault.StateQuery(here, "web")) }},
		{"clear", "clear", func(b *fact.Builder) { b.Add(state(here, "web", "Succeeded")); b.Cover(fault.StateQuery(here, "web")) }},
		{"refused", "unknown", func(b *fact.Builder) {
			b.Miss(fact.Gap{Query: fault.StateQuery(here, "web"), Class: fact.Denied, Permission: "codepipeline:GetPipelineState"})
		}},
		{"an observation without its end", "unknown", func(b *fact.Builder) {
			b.Add(state(here, "web", "Failed"))
			b.Miss(fact.Gap{Query: fault.StateQuery(here, "web"), Class: fact.Timeout})
		}},
	} {
		b := stage([]string{"eu-west-1"}, here, "web")
		c.read(b)
		out, _ := settle(b, f)
		if got := verdicts(out); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A refused read never looks like an empty list.
func TestRefusedIsNotEmpty(t *testing.T) {
	f := rule(t, "pipeline", "pipeline-state", `!states.exists(s, s.stages.exists(g, g.status == "Succeeded"))`)
	b := stage([]string{"eu-west-1"}, here, "web")
	b.Miss(fact.Gap{Query: fault.StateQuery(here, "web"), Class: fact.Denied})
	if out, _ := settle(b, f); verdicts(out) != "unknown" || len(out.Findings) != 0 {
		t.Errorf("%s with %d findings, want unknown", verdicts(out), len(out.Findings))
	}
}

func TestFinding(t *testing.T) {
	f := rule(t, "pipeline", "pipeline-state", `states.size() == 1`, "states[0].stages[0].status")
	b := stage([]string{"eu-west-1"}, here, "web")
	b.Add(state(here, "web", "Failed"))
	b.Cover(fault.StateQuery(here, "web"))
	out, _ := settle(b, f)
	if len(out.Findings) != 1 {
		t.Fatalf("%d findings", len(out.Findings))
	}
	x := out.Findings[0]
	if x.Code != "acme-rule" || x.Subject.Kind != "pipeline" || x.Subject.Name != "web" || x.Message != "web is wrong." || x.Cause.Code != "it-is" || x.Cause.Class != fault.Reported ||
		x.Severity != fault.High || !strings.Contains(x.Link, "/pipelines/web/view") || x.About != pipeline(here, "web").Ref() {
		t.Errorf("got %+v", x)
	}
	if e := x.Evidence[0]; e.Field != "web" || e.Got != "Failed" || e.Class != fault.Inferred || e.Source.Operation != string(fact.KindPipelineState) {
		t.Errorf("evidence %+v: want the state's reply as its source", e)
	}
}

// What an expression cannot say of a subject is unknown, with a gap that says why, and never clear.
func TestUnjudged(t *testing.T) {
	for name, c := range map[string]struct{ when, got, want string }{
		"a time that is not set": {`now - subject.created > duration("1h")`, "subject.name", "created is not set: ask has(...created) first"},
		"beyond the end":         {`subject.stages[7].name == "x"`, "subject.name", "index out of bounds"},
		"division by zero":       {`1 / (subject.version - 3) > 0`, "subject.name", "division by zero"},
		"evidence that fails":    {`true`, "subject.stages[7].name", "index out of bounds"},
	} {
		b := stage([]string{"eu-west-1"}, here, "web")
		out, s := settle(b, rule(t, "pipeline", "", c.when, c.got))
		if got := verdicts(out); got != "unknown" || len(out.Findings) != 0 {
			t.Errorf("%s: %s with %d findings, want unknown", name, got, len(out.Findings))
		}
		if why := whys(s); !strings.Contains(why, "acme-rule could not judge the pipeline web: ") || !strings.Contains(why, c.want) {
			t.Errorf("%s: the gap says %q", name, why)
		}
	}
	b := stage([]string{"eu-west-1"}, here, "web")
	if out, _ := settle(b, rule(t, "pipeline", "", `has(subject.created) && now - subject.created > duration("1h")`)); verdicts(out) != "clear" {
		t.Errorf("has() before the time: %s, want clear", verdicts(out))
	}
}

func whys(s *fact.Snapshot) string {
	var all []string
	for _, g := range s.Gaps() {
		if g.Query.Kind == fact.KindOwnFault {
			all = append(all, g.Why)
		}
	}
	return strings.Join(all, "; ")
}

// A connection is judged with its users of every Region: a gap in another one leaves no Clear behind.
func TestAnotherRegion(t *testing.T) {
	f := rule(t, "connection", "pipeline", "pipelines.size() == 0")
	world := func(far func(*fact.Builder)) *fact.Builder {
		b := stage([]string{"eu-west-1"}, here)
		b.Add(fact.Connection{Seen: seen(global, fact.KindConnection, conn), ARN: conn, Name: "w-github", Status: "AVAILABLE"})
		b.Cover(fault.ConnectionQuery(account, conn))
		b.Add(fact.Region{Seen: seen(global, fact.KindRegion, "us-east-1"), Name: "us-east-1", Status: "ENABLED"})
		b.Cover(fault.RegionsQuery(account))
		far(b)
		return b
	}
	used := world(func(b *fact.Builder) {
		b.Cover(fault.ListQuery(there))
		b.Add(fact.PipelineListed{Seen: seen(there, fact.KindPipelineList, "far"), Name: "far"}, pipeline(there, "far"))
		b.Cover(fault.PipelineQuery(there, "far"))
	})
	if out, _ := settle(used, f); verdicts(out) != "clear" {
		t.Errorf("used in another Region: %s, want clear", verdicts(out))
	}
	unused := world(func(b *fact.Builder) { b.Cover(fault.ListQuery(there)) })
	if out, _ := settle(unused, f); verdicts(out) != "found" {
		t.Errorf("used nowhere: %s, want found", verdicts(out))
	}
	refused := world(func(b *fact.Builder) { b.Miss(fact.Gap{Query: fault.ListQuery(there), Class: fact.Denied}) })
	quick := stage([]string{"eu-west-1"}, here)
	quick.Add(fact.Connection{Seen: seen(global, fact.KindConnection, conn), ARN: conn, Name: "w-github", Status: "AVAILABLE"})
	quick.Miss(fact.Gap{Query: fault.RegionsQuery(account), Class: fact.Skipped})
	if out, _ := settle(quick, f); verdicts(out) != "unknown" {
		t.Errorf("without the other Regions: %s, want unknown", verdicts(out))
	}
	out, s := settle(refused, f)
	if verdicts(out) != "unknown" || !strings.Contains(whys(s), "pipeline-list in us-east-1 was not read") {
		t.Errorf("the other Region refused: %s, %s", verdicts(out), whys(s))
	}
}

// The same facts give the same result, in whatever order they came and however often they are judged; request IDs are not seen.
func TestDeterminism(t *testing.T) {
	f := rule(t, "pipeline", "pipeline-state", `states.all(s, s.stages.size() == 1) && subject.about.scope.region == question.regions[0]`, `string(now) + string(subject.stages.size())`)
	names := []string{"w1", "w2", "w3", "a1", "a2"}
	run := func(order []int) fault.Outcome {
		b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{"eu-west-1"}})
		b.Cover(fault.ListQuery(here))
		for _, i := range order {
			n := names[i]
			b.Add(state(here, n, "Failed"), pipeline(here, n), fact.PipelineListed{Seen: seen(here, fact.KindPipelineList, n), Name: n})
			b.Cover(fault.PipelineQuery(here, n))
			b.Cover(fault.StateQuery(here, n))
		}
		return fault.Run(b.Seal(now), f)
	}
	first := run([]int{0, 1, 2, 3, 4})
	if len(first.Findings) != 5 {
		t.Fatalf("%d findings", len(first.Findings))
	}
	for range 20 {
		if again := run([]int{4, 2, 0, 1, 3}); !reflect.DeepEqual(first, again) {
			t.Fatalf("the same facts gave\n%+v\nand\n%+v", first, again)
		}
	}
}

// Where a fact came from is no member, and a secret is no more than the word.
func TestNotShown(t *testing.T) {
	for _, x := range []string{"subject.from.requestId", "subject.Seen.from", "subject.Name", "question.paid.x"} {
		_, err := declaredfile.Parse("r.yaml", []byte(strings.Replace(bare, "WHEN", x+` == "x"`, 1)))
		if err == nil || !strings.Contains(err.Error(), "undefined field") && !strings.Contains(err.Error(), "does not support field selection") {
			t.Errorf("%s: %v", x, err)
		}
	}
}

const bare = `code: acme-rule
title: A rule
symptom: Something.
severity: high
bucket: configuration
since: 1.0.0
remedy: Mend it.
for: pipeline
when: 'WHEN'
causes: [{code: it-is, text: It is so.}]
evidence: [{field: name, got: subject.name}]
message: It is wrong.
`

// hostile are expressions that would work without end, or take all memory, with what stops each.
func hostile() map[string][2]string {
	grow := func(times, by int, first string) string { // a value added to itself again and again
		for range times {
			first += ".map(x, x" + strings.Repeat(" + x", by) + ")"
		}
		return first
	}
	text, list := `["xxxxxxxxxxxxxxxxxxxxxxxx"]`, "[[1, 2, 3, 4]]"
	many := "[" + strings.TrimSuffix(strings.Repeat("1,", 400), ",") + "]"
	return map[string][2]string{
		"loops in loops":           {many + ".all(a, " + many + ".all(b, " + many + ".all(c, a + b + c > 0)))", "cost limit"},
		"too many loops":           {grow(6, 1, list) + "[0].size() == 1", "nesting limit"},
		"a text, grown":            {grow(3, 60, text) + `[0] == "x"`, "limit exceeded"},
		"a list, grown":            {grow(3, 60, list) + "[0].size() == 1", "limit exceeded"},
		"a list, compared":         {grow(3, 60, list) + ".all(l, l == l)", "limit exceeded"},
		"a list, searched":         {grow(3, 60, list) + ".all(l, 7 in l)", "limit exceeded"},
		"a pattern on a long text": {grow(2, 60, text) + `[0].matches("(a*)*(a*)*(a*)*b") && ` + many + `.all(i, "` + strings.Repeat("a", 400) + `".matches("(a*)*(a*)*(a*)*(a*)*b"))`, "limit exceeded"},
		"a long expression":        {strings.Repeat("true && ", 600) + "true", "at most 4096"},
		"a deep expression":        {strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300), "recursion limit"},
	}
}

// TestHostile: a hostile expression is refused, or ends soon and what it would have said is unknown.
func TestHostile(t *testing.T) {
	for name, c := range hostile() {
		began := time.Now()
		f, err := declaredfile.Parse("r.yaml", []byte(strings.Replace(bare, "WHEN", c[0], 1)))
		said := fmt.Sprint(err)
		if err == nil {
			out, s := settle(stage([]string{"eu-west-1"}, here, "web"), f)
			if said = whys(s); verdicts(out) != "unknown" {
				t.Errorf("%s: %s", name, verdicts(out))
			}
		}
		if !strings.Contains(said, c[1]) {
			t.Errorf("%s: %.300q, want %q", name, said, c[1])
		}
		if took := time.Since(began); took > 10*time.Second { // a fraction of a second alone; the machine may be busy
			t.Errorf("%s took %s", name, took)
		} else {
			t.Logf("%s: %s", name, took)
		}
	}
}

// An expression of a usual size on the largest pipeline that AWS allows is far from the limit.
func TestLargePipeline(t *testing.T) {
	p := pipeline(here, "web")
	for i := range 50 {
		st := fact.Stage{Name: fmt.Sprintf("Stage%d", i)}
		for j := range 20 {
			st.Actions = append(st.Actions, fact.Action{Name: fmt.Sprintf("a%d", j), Provider: "CodeBuild", Category: "Build"})
		}
		p.Stages = append(p.Stages, st)
	}
	b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{"eu-west-1"}})
	b.Add(fact.PipelineListed{Seen: seen(here, fact.KindPipelineList, "web"), Name: "web"}, p)
	b.Cover(fault.ListQuery(here))
	b.Cover(fault.PipelineQuery(here, "web"))
	f := rule(t, "pipeline", "", `subject.stages.all(s, s.actions.all(a, a.provider != "Jenkins" && a.name.matches("^[A-Za-z0-9]+$") && (a.category != "Deploy" || a.region == "eu-west-1")))`)
	if out, s := settle(b, f); verdicts(out) != "found" {
		t.Errorf("%s: %s", verdicts(out), whys(s))
	}
}
