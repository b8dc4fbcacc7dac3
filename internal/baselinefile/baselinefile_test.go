package baselinefile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/baseline"
	"github.com/unjam/unjam/internal/baselinefile"
	"github.com/unjam/unjam/internal/fault"
)

const good = `# ours
- id: source-stale/0123456789
  owner: docs team
  reason: |
    retired
    next month
  expires: 2026-12-31

- {id: connection-missing/abcdef0123, owner: "042", reason: being replaced, expires: "2026-12-01"}
`

func TestParse(t *testing.T) {
	b, err := baselinefile.Parse("known.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	want := []baseline.Entry{
		{ID: "source-stale/0123456789", Owner: "docs team", Reason: "retired\nnext month\n", Expires: "2026-12-31", Line: 2},
		{ID: "connection-missing/abcdef0123", Owner: "042", Reason: "being replaced", Expires: "2026-12-01", Line: 9},
	}
	if b.Name != "known.yaml" || len(b.Entries) != 2 || b.Entries[0] != want[0] || b.Entries[1] != want[1] {
		t.Errorf("got %+v", b)
	}
	if b, err := baselinefile.Parse("known.yaml", []byte("[]\n")); err != nil || len(b.Entries) != 0 {
		t.Errorf("an empty list: %+v, %v", b, err)
	}
}

// Every file that is not a baseline is refused with the place of what is wrong, in one line.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "known.yaml:1:1: want one list"},
		{"comment", "# nothing\n", "known.yaml:1:1: want one list"},
		{"two documents", good + "---\n[]\n", "known.yaml:1:1: want one list"},
		{"a mapping", "id: x\nowner: y\n", "want a list of entries with id, owner, reason, expires"},
		{"a word", "known\n", "want a list of entries"},
		{"no entry", "- known\n", "known.yaml:1:3: want an entry"},
		{"no YAML", "- id: [\n", "known.yaml:1:"},
		{"a tab", "- id: source-stale/0123456789\n\towner: x\n", "known.yaml:2:"},
		{"unknown key", strings.Replace(good, "owner: docs", "owners: docs", 1), `known.yaml:3:3: unknown key "owners", want id, owner, reason, expires`},
		{"missing key", strings.Replace(good, "  owner: docs team\n", "", 1), "known.yaml:2:"},
		{"only an id", "- id: source-stale/0123456789\n", "the entry has no owner"},
		{"empty owner", strings.Replace(good, "owner: docs team", "owner:", 1), "known.yaml:3:3: owner: it is empty: fill it in"},
		{"blank reason", strings.Replace(good, "being replaced", `" "`, 1), "known.yaml:9:61: reason: it is empty: fill it in"},
		{"a number", strings.Replace(good, "docs team", "42", 1), "known.yaml:3:10: owner: want a text; put it in quotes"},
		{"a list", strings.Replace(good, "docs team", "[a, b]", 1), "owner: want a text"},
		{"an alias", strings.Replace(strings.Replace(good, "docs team", "&a docs team", 1), `"042"`, "*a", 1), "known.yaml:3:10: owner: want a text"},
		{"no date", strings.Replace(good, "2026-12-31", "2026-13-31", 1), "known.yaml:7:12: expires: it is no date such as 2026-12-31"},
		{"no ID", strings.Replace(good, "source-stale/0123456789", "source-stale", 1), "known.yaml:2:7: id: it is no ID"},
		{"twice", good + "- {id: source-stale/0123456789, owner: x, reason: y, expires: 2026-12-31}\n", "source-stale/0123456789 has an entry in line 2 already"},
		{"a key twice", strings.Replace(good, "  owner: docs team\n", "  owner: docs team\n  owner: me\n", 1), "known.yaml:4:3: "},
		{"control characters", strings.Replace(good, `"042"`, `"\e[2J"`, 1), "owner: it has control characters"},
		{"large", good + strings.Repeat("#", baselinefile.MaxSize), "bytes, want at most 1048576"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := baselinefile.Parse("known.yaml", []byte(c.text))
			if err == nil {
				t.Fatal("it is taken")
			}
			if m := err.Error(); !strings.HasPrefix(m, "read baseline: known.yaml:") || !strings.Contains(m, c.want) || strings.Contains(m, "\n") {
				t.Errorf("got %q, want %q", m, c.want)
			}
		})
	}
}

// A template is refused as it is and taken when it is filled in; a message cannot break out of its comment.
func TestTemplate(t *testing.T) {
	text := string(baselinefile.Template([]fault.Finding{
		{ID: "source-stale/0123456789", Message: "it failed\n- id: x"},
		{ID: "connection-missing/0123456789", Message: "it is gone"},
	}, time.Date(2026, 12, 23, 23, 0, 0, 0, time.UTC)))
	if _, err := baselinefile.Parse("new.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "new.yaml:5:3: owner: it is empty: fill it in") {
		t.Errorf("as it is: %v\n%s", err, text)
	}
	text = strings.NewReplacer("owner:", "owner: platform", "reason:", "reason: known").Replace(text)
	b, err := baselinefile.Parse("new.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(b.Entries) != 2 || b.Entries[0].ID != "connection-missing/0123456789" || b.Entries[1].Expires != "2026-12-23" {
		t.Errorf("got %+v", b.Entries)
	}
	if b, err = baselinefile.Parse("none.yaml", baselinefile.Template(nil, time.Now())); err != nil || len(b.Entries) != 0 {
		t.Errorf("of nothing: %+v, %v", b, err)
	}
}
