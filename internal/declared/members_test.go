package declared

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cel.dev/cel-go/common/types"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
)

// page is where the members are listed, between two marks.
const (
	page  = "../../docs/own-faults.md"
	begin = "<!-- members: written by `UPDATE=1 go test ./internal/declared -run TestPage` -->\n"
	end   = "<!-- end of members -->\n"
)

// everything is a view of all that expressions can see.
func everything(t *testing.T) *view {
	t.Helper()
	all := []reflect.Type{reflect.TypeFor[fact.Question]()}
	for _, s := range sorts() {
		all = append(all, s.typ)
	}
	for _, l := range lists() {
		all = append(all, l.typ)
	}
	v, err := newView(all...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestPage holds the list of members on the page against the code: their names are an interface.
func TestPage(t *testing.T) {
	v := everything(t)
	var b strings.Builder
	b.WriteString("\n| type | members |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(v.all)) {
		var members []string
		for _, m := range v.all[name].names() {
			members = append(members, "`"+m+"` "+typeName(v.all[name].fields[m].typ.Type))
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.TrimPrefix(name, namespace), strings.Join(members, ", "))
	}
	b.WriteString("\n")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks %q and %q", page, begin, end)
	}
	if have == b.String() {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("%s lists other members than the code has: UPDATE=1 go test ./internal/declared -run TestPage, and think of the files that use them", page)
	}
	if err := os.WriteFile(page, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPageNamesEveryList: what can be read of which subject stands on the page.
func TestPageNamesEveryList(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range sorts() {
		if !strings.Contains(string(text), "| `"+name+"` | "+join(s.lists)+" |") {
			t.Errorf("%s has no row | `%s` | %s |", page, name, join(s.lists))
		}
	}
	for _, l := range lists() {
		if !strings.Contains(string(text), "| `"+string(l.kind)+"` | `"+l.name+"` |") {
			t.Errorf("%s has no row | `%s` | `%s` |", page, l.kind, l.name)
		}
	}
}

// TestSecrets: a secret is shown as the word, wherever it stands, and no member is a reply's source.
func TestSecrets(t *testing.T) {
	v := everything(t)
	for _, x := range []any{fact.Value{Secret: "k"}, fact.Secret("k")} {
		if got := v.value(reflect.ValueOf(x)); got != types.String("(secret)") {
			t.Errorf("%#v is shown as %v", x, got)
		}
	}
	values := v.value(reflect.ValueOf(fact.Values{"token": {Secret: "k"}}))
	if got := fmt.Sprint(values.Value()); strings.Contains(got, "k}") || !strings.Contains(got, "(secret)") {
		t.Errorf("values are shown as %v", got)
	}
	for name, m := range v.all {
		if _, shown := m.fields["from"]; shown || name == namespace+"Source" {
			t.Errorf("%s shows where it came from", name)
		}
	}
}

// TestReadsAreInThePolicy: what a declaration may read is read by calls of the catalogue, so that the policy of unjam permissions
// --for read is enough for it.
func TestReadsAreInThePolicy(t *testing.T) {
	policy := op.ReadPolicy("aws", "*").String()
	n := 0
	for name, s := range sorts() {
		for _, k := range slices.Concat(s.base, s.lists, []fact.Kind{fact.KindRegion}) {
			all := op.Answering(k)
			if len(all) == 0 {
				t.Errorf("%s: nothing reads %s", name, k)
			}
			for _, o := range all {
				for _, a := range o.Actions {
					n++
					if !strings.Contains(policy, `"`+a+`"`) {
						t.Errorf("%s: %s needs %s, which the policy lacks", name, k, a)
					}
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d actions were looked at", n)
	}
}
