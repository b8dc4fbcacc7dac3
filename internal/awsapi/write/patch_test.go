package write

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/unjam/unjam/internal/plan"
)

const sample = `{"name":"web","version":3,"roleArn":"arn:r","unknown":{"big":12345678901234567890,"html":"<&>"},
 "stages":[
  {"name":"Source","actions":[
   {"name":"Hub","actionTypeId":{"provider":"GitHub"},"configuration":{"Branch":"main","OAuthToken":"****"}},
   {"name":"Git","actionTypeId":{"provider":"CodeStarSourceConnection"},"configuration":{"ConnectionArn":"arn:old"}}]},
  {"name":"Build","onFailure":{"x":1.50},"actions":[{"name":"Build","actionTypeId":{"provider":"CodeBuild"},"configuration":{"ProjectName":"p"}}]}]}`

func edit(o, path, value string) plan.Edit {
	return plan.Edit{Op: o, Path: path, Value: json.RawMessage(value)}
}

// What no edit names stays byte for byte: unknown members, numbers of any size and form, and characters that Go would escape.
func TestPatched(t *testing.T) {
	const conn = "/stages/0/actions/1/configuration/ConnectionArn"
	got, err := patched([]byte(sample), []plan.Edit{edit("test", conn, `"arn:old"`), edit("replace", conn, `"arn:new"`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, keep := range []string{`12345678901234567890`, `1.50`, `"<&>"`, `"OAuthToken":"****"`, `"version":3`} {
		if !strings.Contains(string(got), keep) {
			t.Errorf("%s is gone", keep)
		}
	}
	if d := cmp.Diff(decoded(t, strings.Replace(sample, "arn:old", "arn:new", 1)), decoded(t, string(got))); d != "" {
		t.Error(d)
	}
	if same, err := patched([]byte(sample), nil); err != nil || string(same) != sample {
		t.Errorf("without an edit it changed: %v", err)
	}
}

func decoded(t interface{ Fatal(...any) }, text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPatchRefused(t *testing.T) {
	const hub = "/stages/0/actions/0"
	secret := map[string][]plan.Edit{
		"renames the stage":     {edit("replace", "/stages/0/name", `"Fetch"`)},
		"renames the action":    {edit("replace", hub+"/name", `"H"`)},
		"changes beside it":     {edit("replace", hub+"/configuration/Branch", `"dev"`)},
		"changes its type":      {edit("replace", hub+"/actionTypeId/provider", `"Other"`)},
		"replaces it":           {edit("replace", hub+"/configuration/OAuthToken", `"new"`)},
		"removes it":            {edit("remove", hub+"/configuration/OAuthToken", ``)},
		"removes the action":    {edit("remove", hub, ``)},
		"removes the stage":     {edit("remove", "/stages/0", ``)},
		"adds one":              {edit("add", "/stages/1/actions/0/configuration/Token", `"****"`)},
		"adds one in disguise":  {edit("add", "/stages/1/actions/0/configuration/Token", `"\u002a\u002a\u002a\u002a"`)},
		"tests one":             {edit("test", hub+"/configuration/OAuthToken", `"****"`)},
		"doubles the stage":     {edit("add", "/stages/2", `{"name":"Source","actions":[{"name":"Hub","actionTypeId":{"provider":"GitHub"},"configuration":{"Branch":"main","OAuthToken":"\u002a***"}}]}`)},
		"pushes the index away": {edit("add", "/stages/0", `{"name":"First","actions":[]}`), edit("replace", "/stages/1/actions/0/configuration/Branch", `"x"`)},
	}
	for name, edits := range secret {
		if _, err := patched([]byte(sample), edits); !errors.Is(err, errSecret) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	other := map[string][]plan.Edit{
		"another name":        {edit("replace", "/name", `"api"`)},
		"another place":       {edit("test", "/stages/0/name", `"Build"`)},
		"no such place":       {edit("replace", "/stages/7/name", `"x"`)},
		"from the end":        {edit("remove", "/stages/-1", ``)},
		"copies":              {{Op: "copy", Path: "/x"}},
		"moves":               {{Op: "move", Path: "/x"}},
		"nothing to put":      {{Op: "add", Path: "/x"}},
		"unknown operation":   {{Op: "", Path: "/x"}},
		"value is no JSON":    {edit("add", "/x", `{`)},
		"whole document":      {edit("replace", "", `7`)},
		"whole document gone": {edit("remove", "", ``)},
	}
	for name, edits := range other {
		if got, err := patched([]byte(sample), edits); err == nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
	// Another stage in front moves indices, not names: the secrets stay with their stage.
	if _, err := patched([]byte(sample), []plan.Edit{edit("add", "/stages/0", `{"name":"First","actions":[]}`)}); err != nil {
		t.Errorf("a stage in front: %v", err)
	}
}

// Any patch that is made equals what a plain reading of RFC 6902 makes of it, and keeps every secret at its stage and action.
func TestAnyPatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"a", "b", "c", "****", "x/y", "~"})
		action := rapid.Custom(func(t *rapid.T) any {
			return map[string]any{"name": word.Draw(t, "action"), "actionTypeId": map[string]any{"provider": "P"},
				"configuration": map[string]any{"K": word.Draw(t, "value"), "L": word.Draw(t, "value")}}
		})
		stage := rapid.Custom(func(t *rapid.T) any {
			return map[string]any{"name": word.Draw(t, "stage"), "actions": rapid.SliceOfN(action, 0, 2).Draw(t, "actions")}
		})
		doc := map[string]any{"name": "web", "stages": rapid.SliceOfN(stage, 0, 3).Draw(t, "stages"), "z": word.Draw(t, "z")}
		raw := canonical(doc)
		var edits []plan.Edit
		for range rapid.IntRange(1, 3).Draw(t, "edits") {
			path := rapid.SampledFrom([]string{"/stages/0", "/stages/1/name", "/stages/0/actions/0", "/stages/0/actions/1/configuration/K", "/stages/1/actions/0/configuration/L", "/z", "/new", "/stages/2"}).Draw(t, "path")
			value := canonical(rapid.OneOf(rapid.Map(word, func(s string) any { return s }), stage, action).Draw(t, "value"))
			edits = append(edits, edit(rapid.SampledFrom([]string{"test", "replace", "add", "remove"}).Draw(t, "op"), path, value))
		}
		got, err := patched([]byte(raw), edits)
		want, ok := interpret(decoded(t, raw), edits)
		if err != nil {
			if ok && masks(decoded(t, raw)) == 0 && masks(want) == 0 && !slices.ContainsFunc(edits, func(e plan.Edit) bool { return strings.Contains(string(e.Value), masked) }) {
				t.Fatalf("refused a patch that fits and touches no secret: %v", err)
			}
			return
		}
		if !ok {
			t.Fatalf("made a patch that does not fit: %s", got)
		}
		if d := cmp.Diff(want, decoded(t, string(got))); d != "" {
			t.Fatal(d)
		}
		if a, b := masks(decoded(t, raw)), masks(want); a != b {
			t.Fatalf("%d secrets became %d", a, b)
		}
	})
}

// masks counts the masked values of a document.
func masks(v any) int { return strings.Count(canonical(v), `"`+masked+`"`) }

// interpret is RFC 6902 in its plainest form.
func interpret(doc any, edits []plan.Edit) (any, bool) {
	for _, e := range edits {
		var value any
		if json.Unmarshal(e.Value, &value) != nil {
			return nil, false
		}
		var ok bool
		if doc, ok = at(doc, strings.Split(e.Path, "/")[1:], e.Op, value); !ok {
			return nil, false
		}
	}
	return doc, true
}

func at(doc any, path []string, o string, value any) (any, bool) {
	switch d := doc.(type) {
	case map[string]any:
		old, there := d[path[0]]
		switch {
		case len(path) > 1:
			sub, ok := at(old, path[1:], o, value)
			d[path[0]] = sub
			return d, there && ok
		case o == "test":
			return d, there && cmp.Equal(old, value)
		case o == "remove":
			delete(d, path[0])
			return d, there
		}
		d[path[0]] = value
		return d, there || o == "add"
	case []any:
		i, err := strconv.Atoi(path[0])
		inside := err == nil && i >= 0 && i < len(d)
		switch {
		case len(path) > 1:
			if !inside {
				return d, false
			}
			sub, ok := at(d[i], path[1:], o, value)
			d[i] = sub
			return d, ok
		case o == "add":
			if i < 0 || i > len(d) {
				return d, false
			}
			return slices.Insert(d, i, value), true
		case !inside:
			return d, false
		case o == "test":
			return d, cmp.Equal(d[i], value)
		case o == "remove":
			return slices.Delete(d, i, i+1), true
		}
		d[i] = value
		return d, true
	}
	return doc, false
}

func FuzzPatched(f *testing.F) {
	f.Add("replace", "/stages/0/actions/1/configuration/ConnectionArn", `"arn:new"`)
	f.Add("add", "/stages/-", `{}`)
	f.Add("remove", "/stages/0/actions/0/configuration/~1", ``)
	f.Fuzz(func(t *testing.T, o, path, value string) {
		got, err := patched([]byte(sample), []plan.Edit{edit(o, path, value)})
		if err == nil && (!json.Valid(got) || strings.Count(string(got), masked) != 1) {
			t.Errorf("%s %s %s: %s", o, path, value, got)
		}
	})
}
