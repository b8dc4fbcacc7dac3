package declaredfile_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/declared"
	"github.com/unjam/unjam/internal/declaredfile"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

const good = `# ours
code: acme-old-type
title: A pipeline of type V1
symptom: Triggers cannot be filtered.
severity: low
bucket: configuration
since: 1.0.0
remedy: Change the type to V2.
links:
  - https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-types.html
for: pipeline
reads: [pipeline-state]
when: subject.type == "V1" && states.exists(s, s.stages.size() > 0)
causes:
  - code: busy
    when: |
      states.exists(s,
        s.stages.exists(g, g.status == "InProgress"))
    text: It runs.
  - code: never-changed
    text: Nobody changed it.
evidence:
  - field: "{{ subject.name }}/type"
    got: subject.type
    want: V2
    class: verified
message: "{{ subject.name }} is of type {{ subject.type }}."
`

func TestParse(t *testing.T) {
	f, err := declaredfile.Parse("ours.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if f.Code != "acme-old-type" || f.Doc.Severity != fault.Low || f.Doc.Text != f.Doc.Symptom || len(f.Doc.Causes) != 2 || f.Plan != nil {
		t.Errorf("got %+v", f)
	}
	if got := f.Doc.Causes[0].Evidence; got != `states.exists(s, s.stages.exists(g, g.status == "InProgress"))` {
		t.Errorf("the page says of the evidence %q", got)
	}
	if err := fault.Validate([]*fault.Fault{f}); err != nil {
		t.Error(err)
	}
	for _, k := range []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState} {
		if !strings.Contains(join(f.Reads), string(k)) {
			t.Errorf("it reads %v, and not %s", f.Reads, k)
		}
	}
}

func join(all []fact.Kind) string {
	var b strings.Builder
	for _, k := range all {
		b.WriteString(string(k) + " ")
	}
	return b.String()
}

// Every file that is no fault is refused with the place of what is wrong and the reason, in one line.
func TestRefused(t *testing.T) {
	with := func(old, now string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the good file has no %q", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	for _, c := range []struct{ name, text, want string }{
		// YAML
		{"nothing", "", "ours.yaml:1:1: want one fault"},
		{"only a comment", "# ours\n", "ours.yaml:1:1: want one fault"},
		{"two documents", good + "---\n" + good, "ours.yaml:1:1: want one fault"},
		{"a list", "- code: x\n", "ours.yaml:1:1: want members: bucket, causes, code"},
		{"no YAML", "code: [\n", "ours.yaml:1:"},
		{"a tab", "code: x\n\ttitle: y\n", "ours.yaml:2:"},
		{"carriage returns", strings.ReplaceAll(good, "\n", "\r\n"), "ours.yaml:1:1: lines end in CR"},
		{"too large", good + strings.Repeat("# more\n", 10_000), "ours.yaml:1:1: it has"},
		{"an unknown member", with("symptom:", "symptoms:"), `ours.yaml:4:1: unknown member "symptoms", want bucket, causes, code`},
		{"a member twice", with("severity: low", "severity: low\nseverity: high"), "ours.yaml:6:1: "},
		{"an unknown member of a cause", with("    text: It runs.", "    says: It runs."), `ours.yaml:19:5: causes: unknown member "says"`},
		{"an unknown member of evidence", with("    want: V2", "    wants: V2"), `ours.yaml:25:5: evidence: unknown member "wants", want class, field, got, want`},
		{"a number", with("title: A pipeline of type V1", "title: 42"), "ours.yaml:3:8: title: want a text; put it in quotes, or in a block behind |"},
		{"a template without quotes", with(`message: "{{ subject.name }} is of type {{ subject.type }}."`, "message: {{ subject.name }} waits"), "ours.yaml:27:"},
		{"a tag by mistake", with(`when: subject.type == "V1" && states`, "when: !states"), "ours.yaml:13:"},
		{"an alias", with("since: 1.0.0", "since: &a 1.0.0"), "ours.yaml:7:8: since: want a text"},
		{"links as a text", with("links:\n  - ", "links: "), "ours.yaml:9:8: links: want a list"},
		{"a cause without a code", with("  - code: never-changed\n    text:", "  - text:"), "causes: the entry has no code"},
		{"evidence without a field", with(`  - field: "{{ subject.name }}/type"`+"\n    got", "  - got"), "evidence: the entry has no field"},
		// words
		{"no code", with("code: acme-old-type\n", ""), "ours.yaml:1:1: there is no code"},
		{"no message", with(`message: "{{ subject.name }} is of type {{ subject.type }}."`, ""), "ours.yaml:2:7: there is no message"},
		{"no when", with("when: subject.type == \"V1\" && states.exists(s, s.stages.size() > 0)\n", ""), "there is no when"},
		{"an empty remedy", with("remedy: Change the type to V2.", "remedy:"), "ours.yaml:8:1: remedy: it is empty"},
		{"an escape for terminals", with("title: A pipeline of type V1", `title: "red \e[31m"`), "ours.yaml:3:8: title: it holds a control character"},
		{"an empty remedy of a cause", with("    text: It runs.", "    text: It runs.\n    remedy:"), "ours.yaml:20:5: causes: remedy: it is empty"},
		{"a code in capitals", with("acme-old-type", "Acme_Old"), `ours.yaml:2:7: code: "Acme_Old": want lower-case words joined by hyphens`},
		{"a severity nobody knows", with("severity: low", "severity: awful"), `ours.yaml:5:11: severity: "awful": want critical, high, medium, low or info`},
		{"a bucket nobody knows", with("bucket: configuration", "bucket: us"), `ours.yaml:6:9: bucket: "us": want human, iam, network`},
		{"a version that is none", with("since: 1.0.0", "since: v1"), `ours.yaml:7:8: since: "v1": want a version`},
		{"a link that is none", with("https://docs", "see docs"), "ours.yaml:10:5: links:"},
		{"a subject nobody knows", with("for: pipeline", "for: bucket"), `ours.yaml:11:6: for: "bucket": want connection, host, pipeline, stack`},
		{"a kind that a pipeline has not", with("reads: [pipeline-state]", "reads: [pipeline-state, tags]"), `ours.yaml:12:25: reads: "tags": of a pipeline can be read pipeline-state, execution`},
		{"a kind twice", with("reads: [pipeline-state]", "reads: [pipeline-state, pipeline-state]"), "ours.yaml:12:25: reads: pipeline-state is there twice"},
		{"no cause", with(good[strings.Index(good, "causes:"):strings.Index(good, "evidence:")], "causes: []\n"), "there is no cause"},
		{"no evidence", with(good[strings.Index(good, "evidence:"):strings.Index(good, "message:")], "evidence: []\n"), "there is no evidence"},
		{"a cause that hides the rest", with("    when: |\n      states.exists(s,\n        s.stages.exists(g, g.status == \"InProgress\"))\n", ""), "causes: busy has no when"},
		{"a cause twice", with("never-changed", "busy"), "causes: code: busy is there twice"},
		{"a cause that is proof", with("    text: It runs.", "    text: It runs.\n    class: verified"), `ours.yaml:20:12: causes: class: "verified": want reported, inferred`},
		{"proof that is computed", with("got: subject.type", "got: subject.name + subject.type"), "evidence: class: verified is for a value as AWS gives it"},
		{"a text without end", with("A pipeline of type V1", strings.Repeat("x", 5000)), "ours.yaml:3:8: title: it has 5000 bytes, want at most 4096"},
		// expressions
		{"a typo in a member", with(`subject.type == "V1"`, `subject.typ == "V1"`), "ours.yaml:13:14: when: undefined field 'typ'"},
		{"a typo in the second line of a block", with(`g.status ==`, `g.stauts ==`), "ours.yaml:18:29: causes: when: undefined field 'stauts': a StageState has actions, disabledAt"},
		{"a typo in a template", with(`{{ subject.type }}.`, `{{ subject.typ }}.`), "ours.yaml:27:51: message: undefined field 'typ'"},
		{"a list that is not read", with("reads: [pipeline-state]\n", ""), "ours.yaml:12:31: when: states is not read: reads wants pipeline-state"},
		{"a list that a pipeline has not", with("states.exists(s, s.stages", "tags.exists(s, s.stages"), "ours.yaml:13:31: when: a pipeline has no tags"},
		{"a name nobody knows", with(`subject.type == "V1"`, `pipeline.type == "V1"`), "ours.yaml:13:7: when: there is no pipeline"},
		{"a condition that is none", with(`when: subject.type == "V1" && states.exists(s, s.stages.size() > 0)`, "when: subject.type"), "ours.yaml:13:7: when: it gives a string, want a bool"},
		{"evidence that is no text", with("got: subject.type", "got: subject.stages"), "evidence: got: it gives a list(Stage), want a string, int"},
		{"types that do not meet", with(`subject.type == "V1"`, `subject.version == "V1"`), "ours.yaml:13:23: when: found no matching overload for '_==_'"},
		{"half an expression", with(`subject.type == "V1" &&`, `subject.type == &&`), "ours.yaml:13:"},
		{"a clock of its own", with(`subject.type == "V1"`, `timestamp() < now`), "ours.yaml:13:16: when: found no matching overload for 'timestamp'"},
		{"a time zone", with(`subject.type == "V1"`, `now.getHours("Europe/Berlin") > 8`), "when: found no matching overload for 'getHours'"},
		{"a way round the types", with(`subject.type == "V1"`, `dyn(subject).typ == "V1"`), "when: there is no dyn"},
		{"a fact that is made", with(`subject.type == "V1" && states.exists(s, s.stages.size() > 0)`, `'unjam.Stage{name: "x"}.name == "x" && states.size() > 0'`), "when: it makes a unjam.Stage: facts are read, not made"},
		{"a pattern that is none", with(`subject.type == "V1"`, `subject.type.matches("[")`), "ours.yaml:13:28: when: "},
		{"a duration that is none", with(`subject.type == "V1"`, `duration("1 day") > duration("1h")`), "when: invalid duration"},
		{"loops in loops in loops", with(`subject.type == "V1"`, `1 in [1] && [1].all(a, [1].all(b, [1].all(c, [1].all(d, [1].all(e, a + b + c + d + e > 0)))))`), "when: comprehension exceeds nesting limit"},
		{"brackets without end", with(`subject.type == "V1"`, strings.Repeat("(", 500)+"true"+strings.Repeat(")", 500)), "when: "},
		{"braces without end", with(`{{ subject.type }}."`, `{{ subject.type."`), "ours.yaml:27:41: message: {{ without }} behind it"},
		{"an end without braces", with(`{{ subject.type }}."`, `subject.type }}."`), "message: }} without {{ before it"},
	} {
		f, err := declaredfile.Parse("ours.yaml", []byte(c.text))
		if err == nil {
			t.Errorf("%s: taken: %+v", c.name, f)
			continue
		}
		var e *declared.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\n want %s", c.name, err, c.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line: %q", c.name, err)
		}
	}
}

// FuzzParse: whatever a file holds, it is refused with a place in it, or a fault that is complete.
func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("code: [\n")
	f.Add("when: |\n  ((((\n")
	f.Add(strings.Replace(good, "subject.type", "subject.stages[0].actions.map(a, a.name)[0]", 3))
	f.Add(strings.ReplaceAll(good, "V1", "\u00e4\u2028{{"))
	f.Fuzz(func(t *testing.T, text string) {
		x, err := declaredfile.Parse("f.yaml", []byte(text))
		var e *declared.Error
		switch {
		case err == nil:
			if err := fault.Validate([]*fault.Fault{x}); err != nil {
				t.Error(err)
			}
		case !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Reason == "" || strings.ContainsAny(err.Error(), "\n"):
			t.Errorf("refused with %q", err)
		case e.Line > strings.Count(text, "\n")+1:
			t.Errorf("refused in line %d of %d: %v", e.Line, strings.Count(text, "\n")+1, err)
		}
	})
}

// TestPageExample: the file that the manual shows is a fault.
func TestPageExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/own-faults.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begun := strings.Cut(string(page), "```yaml\n")
	example, _, ended := strings.Cut(rest, "```")
	if !begun || !ended {
		t.Fatal("the page shows no file any more")
	}
	if _, err := declaredfile.Parse("page.yaml", []byte(example)); err != nil {
		t.Error(err)
	}
}
