package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/unjam/unjam/internal/cli"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/testkit/schema"
)

// update rewrites the goldens in the scripts: go test ./internal/cli -update
var update = flag.Bool("update", false, "rewrite the goldens in testdata/*.txtar")

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "12"); err != nil { // scripts wait for pacing and for polls more than they compute
		panic(err)
	}
	testscript.Main(m, map[string]func(){"unjam": unjam, "aged": aged})
}

// unjam is the program, as cmd/unjam runs it; its exit code is also left in a file, for processes in the background.
func unjam() {
	code := cli.Main()
	if work := os.Getenv("WORK"); work != "" {
		if err := os.WriteFile(filepath.Join(work, exitFile), []byte(strconv.Itoa(code)), 0o600); err != nil {
			panic(err)
		}
	}
	os.Exit(code)
}

// aged FILE makes a plan one that was made long ago.
func aged() {
	b, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	p, err := plan.Parse(b)
	if err != nil {
		panic(err)
	}
	p.CreatedAt, p.ExpiresAt = p.CreatedAt.Add(-30*24*time.Hour), p.ExpiresAt.Add(-30*24*time.Hour)
	p.ID = p.Digest()
	if b, err = json.Marshal(p); err == nil {
		err = os.WriteFile(os.Args[1], b, 0o600)
	}
	if err != nil {
		panic(err)
	}
}

const exitFile = ".exit"

// TestScripts runs every user story: testdata/*.txtar, each with the program as a process of its own and a lab over TCP.
// What the scripts can say is in testdata/README.md.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true, UpdateScripts: *update,
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"lab": startLab, "as": become, "act": act, "inject": inject, "writes": writes, "until": until,
			"exits": exits, "normalize": normalize, "jsonschema": validate, "keygen": keygen, "newest": newest, "resolver": resolver,
		},
	})
}

// stageKey is where a script keeps its stage.
type stageKey struct{}

// newest: newest VAR sets a variable to the newest run's ID, as runs lists it.
func newest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: newest VAR, after unjam runs --output json")
	}
	m := regexp.MustCompile(`"id": *"(\d{8}-\d{4}-[a-z0-9]+)"`).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("stdout lists no run")
	}
	ts.Setenv(args[0], m[1])
}

// setup gives a script an environment of nothing but its own.
func setup(env *testscript.Env) error {
	tb, ok := env.T().(testing.TB)
	if !ok {
		return fmt.Errorf("%T is no testing.TB", env.T())
	}
	env.Values[stageKey{}] = &stage{tb: tb}
	user := filepath.Join(env.WorkDir, ".user")
	for k, v := range map[string]string{
		"HOME": user, "UNJAM_HOME": filepath.Join(env.WorkDir, ".unjam"), "TZ": "UTC", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		env.Setenv(k, v)
	}
	return os.Mkdir(user, 0o700)
}

// exits CODE [COMMAND...] demands an exit code: of the command, or of the last unjam that ended.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: exits CODE [COMMAND ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if len(args) > 1 {
		var exit *exec.ExitError
		if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
			got = exit.ExitCode()
		} else {
			ts.Check(err)
		}
	} else {
		got, err = strconv.Atoi(ts.ReadFile(filepath.Join(ts.Getenv("WORK"), exitFile)))
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// normalize stdout|stderr|FILE TO writes a text with all that differs from run to run replaced, for cmp.
func normalize(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: normalize stdout|stderr|FILE TO")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(steady(ts.ReadFile(args[0]))), 0o600))
}

// validate NAME FILE holds a JSON document, or a stream of events, a line each, against docs/schema/NAME.json.
func validate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: jsonschema NAME stdout|stderr|FILE")
	}
	text := []byte(ts.ReadFile(args[1]))
	if !strings.HasPrefix(args[0], "events.") {
		ts.Check(schema.Check(args[0], text))
		return
	}
	n := 0
	for line := range bytes.Lines(text) {
		ts.Check(schema.Check(args[0], line))
		n++
	}
	if n == 0 {
		ts.Fatalf("%s has no line", args[1])
	}
}
