package fact

import "testing"

func TestGlobPath(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"main", "main", true}, {"main", "Main", false}, {"main", "maintain", false}, {"m.in", "main", false},
		{"*", "main", true}, {"*", "feature/a", false}, {"**", "feature/a", true}, {"feature/*", "feature/a", true}, {"feature/*", "feature/a/b", false},
		{"feature/**", "feature/a/b", true}, {"**/b", "feature/a/b", true}, {"rel?", "rel1", true}, {"rel?", "rel/", false}, {"rel?", "rel", false},
		{"[dm]ain", "main", true}, {"[dm]ain", "vain", false}, {"{main,develop}", "develop", true}, {"{main,develop}", "trunk", false},
		{"*.{java,class}", "A.class", true}, {`a\*`, "a*", true}, {`a\*`, "ab", false}, {"a[", "a[", true}, {"a[", "ab", false}, {"a}", "a}", true}, {"a,b", "a,b", true},
	} {
		if got := GlobPath(c.pattern, c.name); got != c.want {
			t.Errorf("GlobPath(%q, %q) is %v", c.pattern, c.name, got)
		}
	}
}

func TestCriteria(t *testing.T) {
	var none *Criteria
	all := &Criteria{Includes: []string{"**"}, Excludes: []string{"wip/**"}}
	but := &Criteria{Excludes: []string{"wip"}}
	for name, c := range map[string]struct {
		c    *Criteria
		on   string
		want bool
	}{
		"none": {none, "x", true}, "included": {all, "main", true}, "an exclude counts more": {all, "wip/a", false}, "excludes alone": {but, "main", true}, "excluded": {but, "wip", false},
	} {
		if c.c.Passes(c.on) != c.want {
			t.Errorf("%s: %s passes: %v", name, c.on, !c.want)
		}
	}
}
