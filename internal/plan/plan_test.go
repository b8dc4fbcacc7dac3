package plan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// whole is a plan with a step of every kind.
func whole() plan.Plan {
	scope := fact.Scope{Account: "111111111111", Region: "eu-west-1"}
	ref := fact.StateRef(scope, "web")
	available := []plan.Check{{Ref: fact.ConnectionRef("111111111111", "arn:aws:codeconnections:eu-west-1:111111111111:connection/1"), Field: "status", Op: plan.Is, Value: "AVAILABLE"}}
	call := plan.NewCall("start-web", "start web", ref, plan.Action{Service: "codepipeline", Operation: "StartPipelineExecution", Region: "eu-west-1", Input: op.Input{"name": "web"}})
	call.After = []string{"handshake"}
	call.DoneWhen = []plan.Check{{Ref: ref, Field: "Source/Source/id", Op: plan.Not, Value: "1"}}
	p := plan.Plan{
		Schema: plan.Schema, CreatedAt: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
		Account: "111111111111", Regions: []string{"eu-west-1"}, Findings: []plan.Finding{{ID: "connection-pending/1", Code: "connection-pending"}},
		Steps: []plan.Step{
			{ID: "handshake", Kind: plan.Human, Say: &plan.Guide{Link: "https://example.com/"}, DoneWhen: available, OneWay: "no way back"},
			call,
			{ID: "wait", Kind: plan.Wait, DoneWhen: available, After: []string{"start-web"}},
			{ID: "verify", Kind: plan.Verify, Verdict: "connection-pending", After: []string{"wait"}},
		},
	}
	p.ID = p.Digest()
	return p
}

func text(t testing.TB, p plan.Plan) []byte {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A plan file that was edited, cut or made by something else is refused in one line.
func TestParse(t *testing.T) {
	good := string(text(t, whole()))
	if p, err := plan.Parse([]byte(good)); err != nil || p.ID != whole().ID {
		t.Fatalf("a whole plan: %v", err)
	}
	broken := whole()
	broken.Steps[1].Do = &plan.Action{Service: "codepipeline", Operation: "DeletePipeline"}
	broken.ID = broken.Digest()
	loop := whole()
	loop.Steps[0].After = []string{"verify"}
	loop.ID = loop.Digest()
	for name, c := range map[string]struct{ in, want string }{
		"empty":                {"", "not JSON"},
		"half":                 {good[:len(good)/2], "not JSON"},
		"a list":               {"[]", "not JSON"},
		"null":                 {"null", "schema"},
		"another document":     {`{"schema":"unjam/diagnosis/v1"}`, "schema"},
		"one word edited":      {strings.Replace(good, "start web", "stop web", 1), "edited"},
		"not in the catalogue": {string(text(t, broken)), "not a write of the catalogue"},
		"steps in a circle":    {string(text(t, loop)), "not before it"},
	} {
		_, err := plan.Parse([]byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Whatever a plan file holds: no panic, an error in one line, or a plan that is written back as the same plan. Each input is also
// tried with the right ID, which lets it past the first gate.
func FuzzParse(f *testing.F) {
	f.Add(text(f, whole()))
	f.Add([]byte(`{"schema":"unjam/plan/v1","steps":[{"id":"a","kind":"call","do":{"service":"codepipeline","operation":"RetryStageExecution"}}]}`))
	f.Add([]byte(`{"schema":"unjam/plan/v1","createdAt":"2026-11-23T09:00:00+23:59"}`))
	f.Add([]byte(`{"schema":"unjam/plan/v1","steps":[{"id":"a","kind":"human","after":["a"]}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, in []byte) {
		check(t, in)
		var p plan.Plan
		if json.Unmarshal(in, &p) == nil {
			p.Schema, p.ID = plan.Schema, ""
			p.ID = p.Digest()
			check(t, text(t, p))
		}
	})
}

func check(t *testing.T, in []byte) {
	t.Helper()
	p, err := plan.Parse(in)
	if err != nil {
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q", err)
		}
		return
	}
	again, err := plan.Parse(text(t, p))
	if err != nil || again.ID != p.ID {
		t.Errorf("written back: %v", err)
	}
}
