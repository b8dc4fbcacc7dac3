package cli_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestExampleFaults: the examples of docs/own-faults.md are proven by the worlds beside them.
func TestExampleFaults(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("unjam", "test", "../../docs/examples/faults").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "\nok ") + 1; n < 7 {
		t.Errorf("%d worlds, want 7 at least\n%s", n, out)
	}
}
