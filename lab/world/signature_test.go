package world_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

// failed is what a pipeline shows of a stage that failed: the code and the text of the first action with an error.
func failed(t *testing.T, l *lab.Lab, w *world.World, pipeline, stage string) (status, code, message string) {
	t.Helper()
	out, err := ask(t, l, w.ARN(pipeline), "codepipeline", "GetPipelineState", map[string]any{"name": pipeline})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out["stageStates"].([]any) {
		m := s.(map[string]any)
		latest, _ := m["latestExecution"].(map[string]any)
		if m["stageName"] != stage || latest == nil {
			continue
		}
		status, _ = latest["status"].(string)
		for _, a := range m["actionStates"].([]any) {
			run, _ := a.(map[string]any)["latestExecution"].(map[string]any)
			if details, ok := run["errorDetails"].(map[string]any); ok {
				code, _ = details["code"].(string)
				message, _ = details["message"].(string)
			}
		}
	}
	return status, code, message
}

// TestSignatures: what a pipeline shows of each known failure follows from its cause; without any, everything succeeds.
func TestSignatures(t *testing.T) {
	raw, err := os.ReadFile("testdata/signatures.txt")
	if err != nil {
		t.Fatal(err)
	}
	stage, err := os.ReadFile("testdata/signatures.world") // healthy pipelines of every kind
	if err != nil {
		t.Fatal(err)
	}
	signatureStage := string(stage)
	cases := strings.Split(string(raw), "\ncase: ")[1:]
	if len(cases) < 35 {
		t.Fatalf("%d cases, want at least 35", len(cases))
	}
	for _, c := range cases {
		name, body, _ := strings.Cut(c, "\n")
		acts, want, found := strings.Cut(body, "\n> ")
		if !found {
			t.Errorf("%s: no line says what fails", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w := load(t, "signature.world", []byte(signatureStage+acts+"\n"))
				time.Sleep(5 * time.Minute)
				f := strings.SplitN(strings.TrimSpace(want), " ", 4)
				text := regexp.MustCompile(`\$\{([^}]+)\}`).ReplaceAllStringFunc(f[3], func(s string) string {
					arn := w.ARN(s[2 : len(s)-1])
					if arn == "" { // deleted: any ARN
						t.Fatalf("the world names no %s", s)
					}
					return arn
				})
				status, code, message := failed(t, l, w, f[0], f[1])
				if status != "Failed" || code != f[2] || !strings.Contains(message, text) {
					t.Errorf("%s of %s is %s, %s: %s; want %s: %s", f[1], f[0], status, code, message, f[2], text)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "healthy.world", []byte(signatureStage+"-1d deploy starts web\n-1d deploy starts old\n-1d deploy starts stacks\n-1d deploy starts far\n"))
		time.Sleep(5 * time.Minute)
		for pipeline, stage := range map[string]string{"web": "Deploy", "old": "Build", "stacks": "Deploy", "far": "Deploy"} {
			if status, code, message := failed(t, l, w, pipeline, stage); status != "Succeeded" || code != "" {
				t.Errorf("%s is %s without a cause: %s %s", pipeline, status, code, message)
			}
		}
	})
}
