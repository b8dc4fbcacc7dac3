package schema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/verify"
	"github.com/unjam/unjam/internal/watch"
)

const docs = "../../../docs/schema"

// node is one schema.
type node map[string]any

// read reads a schema file, or the part of one that a reference names.
func read(t *testing.T, ref string) (node, string) {
	t.Helper()
	file, part, _ := strings.Cut(ref, "#")
	b, err := os.ReadFile(filepath.Join(docs, file))
	if err != nil {
		t.Fatal(err)
	}
	var n node
	if err := json.Unmarshal(b, &n); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, p := range strings.Split(strings.Trim(part, "/"), "/") {
		if p == "" {
			continue
		}
		sub, ok := n[p].(map[string]any)
		if !ok {
			t.Fatalf("%s: there is no %s", ref, p)
		}
		n = sub
	}
	return n, file
}

// resolve follows a reference, if the node is one.
func resolve(t *testing.T, n node, file string) (node, string) {
	t.Helper()
	ref, ok := n["$ref"].(string)
	if !ok {
		return n, file
	}
	if strings.HasPrefix(ref, "#") {
		ref = file + ref
	}
	return read(t, ref)
}

// TestSchemasFollowTheCode compares the members of the Go types with those of the schemas, all the way down: names, which of
// them are required, and sorts. A member that is added to a type and not to its schema is red here.
func TestSchemasFollowTheCode(t *testing.T) {
	for _, c := range []struct {
		ref   string
		value any
	}{
		{"diagnosis.v1.json", report.Diagnosis{}},
		{"whoami.v1.json", report.Whoami{}},
		{"probe.v1.json", report.Probe{}},
		{"plan.v1.json", plan.Plan{}},
		{"approval.v1.json", guard.Approval{}},
		{"verification.v1.json", verify.Report{}},
		{"notice.v1.json", watch.Notice{}},
		{"explanation.v1.json", report.Explanation{}},
		{"tested.v1.json", report.Tested{}},
		{"events.v1.json", apply.Event{}},
		{"events.v1.json#/$defs/outcome", apply.Outcome{}},
		{"events.v1.json#/$defs/seen", apply.Seen{}},
		{"run.v1.json#/$defs/run", journal.Run{}},
		{"run.v1.json#/$defs/state", journal.State{}},
		{"run.v1.json#/$defs/entry", journal.Entry{}},
		{"runs.v1.json#/$defs/listed", journal.Listed{}},
	} {
		n, file := read(t, c.ref)
		compare(t, c.ref, reflect.TypeOf(c.value), n, file)
	}
}

func compare(t *testing.T, at string, typ reflect.Type, n node, file string) {
	t.Helper()
	n, file = resolve(t, n, file)
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[time.Time](), typ.Kind() == reflect.String:
		if n["type"] != "string" && n["const"] == nil && n["enum"] == nil {
			t.Errorf("%s: the code has a text, the schema %v", at, n["type"])
		}
	case typ == reflect.TypeFor[json.RawMessage](), typ.Kind() == reflect.Interface: // anything
	case typ.Kind() == reflect.Struct:
		compareStruct(t, at, typ, n, file)
	case typ.Kind() == reflect.Slice:
		items, ok := n["items"].(map[string]any)
		if n["type"] != "array" || !ok {
			t.Errorf("%s: the code has a list, the schema %v", at, n["type"])
			return
		}
		compare(t, at+"[]", typ.Elem(), items, file)
	case typ.Kind() == reflect.Map:
		values, ok := n["additionalProperties"].(map[string]any)
		if n["type"] != "object" || !ok {
			t.Errorf("%s: the code has a map, the schema %v", at, n["type"])
			return
		}
		compare(t, at+"{}", typ.Elem(), values, file)
	case typ.Kind() == reflect.Bool:
		if n["type"] != "boolean" {
			t.Errorf("%s: the code has a bool, the schema %v", at, n["type"])
		}
	case typ.Kind() >= reflect.Int && typ.Kind() <= reflect.Uint64:
		if n["type"] != "integer" && n["enum"] == nil {
			t.Errorf("%s: the code has an integer, the schema %v", at, n["type"])
		}
	default:
		t.Errorf("%s: nothing is said about %s", at, typ)
	}
}

func compareStruct(t *testing.T, at string, typ reflect.Type, n node, file string) {
	t.Helper()
	if n["additionalProperties"] != false {
		t.Errorf("%s: the schema is open: additionalProperties is not false", at)
	}
	properties, _ := n["properties"].(map[string]any)
	var required []string
	list, _ := n["required"].([]any)
	for _, r := range list {
		required = append(required, r.(string))
	}
	seen := map[string]bool{}
	for _, f := range members(typ) {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" {
			t.Errorf("%s: member %s of %s has no JSON name", at, f.Name, typ)
			continue
		}
		seen[name] = true
		sub, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s: the schema has no %q", at, name)
			continue
		}
		always := !strings.Contains(rest, "omitempty") && !strings.Contains(rest, "omitzero")
		if always != slices.Contains(required, name) {
			t.Errorf("%s: %q is always written: %v; the schema requires it: %v", at, name, always, !always)
		}
		compare(t, at+"/"+name, f.Type, sub, file)
	}
	for name := range properties {
		if !seen[name] {
			t.Errorf("%s: the schema has %q, %s has not", at, name, typ)
		}
	}
}

// members are the fields of a struct with those of embedded ones.
func members(typ reflect.Type) []reflect.StructField {
	var all []reflect.StructField
	for _, f := range reflect.VisibleFields(typ) {
		if !f.Anonymous && f.IsExported() {
			all = append(all, f)
		}
	}
	return all
}

// TestEnumsFollowTheCode compares the words of the schemas with the constants.
func TestEnumsFollowTheCode(t *testing.T) {
	for _, c := range []struct {
		ref   string
		words []string
	}{
		{"diagnosis.v1.json#/$defs/severity", texts(fault.Critical, fault.High, fault.Medium, fault.Low, fault.Info)},
		{"diagnosis.v1.json#/$defs/bucket", texts(fault.Person, fault.IAM, fault.Network, fault.Quota, fault.Configuration, fault.Provider, fault.Service)},
		{"diagnosis.v1.json#/$defs/class", texts(fault.Verified, fault.Reported, fault.Simulated, fault.Inferred, fault.Unclear)},
		{"diagnosis.v1.json#/$defs/verdict", texts(fault.Found, fault.Clear, fault.Unknown)},
		{"diagnosis.v1.json#/$defs/gap/properties/class",
			texts(fact.Denied, fact.Throttled, fact.Timeout, fact.Expired, fact.Unsupported, fact.Missing, fact.Skipped, fact.Failed)},
		{"probe.v1.json#/properties/cause", texts(report.StaleSession, report.Race, report.Regional, report.NoCause)},
		{"probe.v1.json#/$defs/way", texts(report.AsNow, report.FreshSession, report.OtherRegion, report.AtOnce, report.AsNowAgain)},
		{"plan.v1.json#/$defs/step/properties/kind", texts(plan.Human, plan.Call, plan.Wait, plan.Verify)},
		{"plan.v1.json#/$defs/check/properties/op", texts(plan.Is, plan.Not, plan.Absent)},
		{"events.v1.json#/properties/event", texts(apply.RunStarted, apply.RunFinished, apply.Accepted, apply.Exported, apply.Blocked, apply.StepStarted, apply.Waiting, apply.Poll, apply.Changed, apply.Confirmed,
			apply.Unconfirmed, apply.Grace, apply.Trouble, apply.Expired, apply.Renewed, apply.Call, apply.Called, apply.Refused, apply.Doubted, apply.Decided,
			apply.Done, apply.Skipped, apply.Failed, apply.Stale, apply.InDoubt, apply.Stopped, apply.LeftWaiting)},
		{"events.v1.json#/$defs/status", texts(journal.Planned, journal.Running, journal.Pending, journal.IsWaiting, journal.Intended, journal.InDoubt,
			journal.IsDone, journal.WasSkipped, journal.HasFailed, journal.IsStale, journal.IsBlocked, journal.WasStopped)},
		{"run.v1.json#/$defs/entry/properties/event", texts(journal.RunStarted, journal.RunFinished, journal.StepStarted, journal.Waiting, journal.Changed,
			journal.Intent, journal.Called, journal.Refused, journal.Doubted, journal.Decided, journal.Done, journal.Skipped, journal.Failed, journal.Stale,
			journal.Blocked, journal.Stopped, journal.Accepted, journal.Exported, journal.RolledBack, journal.Checked)},
	} {
		n, _ := read(t, c.ref)
		var words []string
		list, _ := n["enum"].([]any)
		for _, w := range list {
			words = append(words, w.(string))
		}
		slices.Sort(words)
		slices.Sort(c.words)
		if !slices.Equal(words, c.words) {
			t.Errorf("%s: the schema has %v, the code %v", c.ref, words, c.words)
		}
	}
}

func texts[T ~string](words ...T) []string {
	var all []string
	for _, w := range words {
		all = append(all, string(w))
	}
	return all
}
