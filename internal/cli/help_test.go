package cli_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelp: every command's help has examples and exit codes and fits 80 columns; only what is to be copied whole may be longer.
func TestHelp(t *testing.T) {
	root, err := exec.Command("unjam", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^  ([a-z]+) {2,}[A-Z]`).FindAllSubmatch(root, -1)
	if len(names) < 13 {
		t.Fatalf("%d commands in\n%s", len(names), root)
	}
	for _, n := range names {
		name := string(n[1])
		out, err := exec.Command("unjam", name, "--help").Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := string(out)
		for _, want := range []string{"\nUsage:\n  unjam " + name, "\nExamples:\n  unjam " + name, "\nExit codes:\n", "\nFlags everywhere "} {
			if !strings.Contains(text, want) {
				t.Errorf("help of %s lacks %q:\n%s", name, want, text)
			}
		}
		for line := range strings.Lines(text) {
			if w := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); w > 80 && !strings.Contains(line, "arn:aws:") {
				t.Errorf("help of %s: %d columns: %s", name, w, line)
			}
		}
	}
}
