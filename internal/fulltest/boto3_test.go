//go:build full

package fulltest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBoto3 reads the world with boto3: its parsers must find every value under the name and of the type they expect.
func TestBoto3(t *testing.T) {
	s := serve(t)
	out, text, code := run(t, s.env(s.caller("ada")), tool(t, "python"), "testdata/read.py", s.world.ARN("team-github"))
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, text)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := map[string]any{
		"account":     "111111111111",
		"regions":     true,
		"connections": map[string]any{"old-github": "AVAILABLE", "team-github": "PENDING"},
		"pages":       2.0,
		"same":        "PENDING",
		"pipelines":   []any{"api", "web"},
		"source":      map[string]any{"connection": s.world.ARN("team-github"), "status": "Failed", "stages": []any{"Source", "Build"}},
		"created":     true,
		"events":      []any{"team-github", "old-github"},
		"role":        []any{"Viewer", "Allow"},
		"missing":     []any{"ResourceNotFoundException", 400.0},
		"none":        []any{"NoSuchEntity", 404.0},
		"deleted":     []any{"PENDING", "ResourceNotFoundException"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("what boto3 read (-want +got):\n%s", d)
	}
}
