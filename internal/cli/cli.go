// Package cli is the command line: flags, words, exit codes, one file per command. It never judges, never calls AWS itself and
// never asks a question without a terminal.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/resolve"
)

// Main runs the program with the process's arguments and streams and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// Run runs one command line. stdout gets data, stderr gets talk.
func Run(ctx context.Context, args []string, stdin *os.File, stdout, stderr *os.File) int {
	e := &env{in: stdin, out: stdout, err: stderr}
	root := newRoot(e)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	ran, err := root.ExecuteContextC(ctx)
	return e.exit(ctx, ran.CommandPath(), err)
}

// env is what commands share: streams and the flags that hold everywhere.
type env struct {
	in, out, err *os.File
	profile      string
	roleARN      string
	regions      []string
	endpoint     string
	output       string
	outFile      string
	noColor      bool
	quiet        bool
	timeout      time.Duration
	home         string
	resolvers    []string
	faultsDir    string
}

func newRoot(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "unjam",
		Short: "Find out why an AWS CodePipeline is stuck, and fix it",
		Long: `unjam finds why AWS CodePipelines are stuck, proves it with evidence, plans the
fix, applies it safely and guides the one step that no API can do.

It reads until you say --apply. Start with:

  unjam demo              see a whole incident, no AWS account needed
  unjam whoami            which account and Region you are in
  unjam diagnose          everything in the Region
  unjam diagnose web      one pipeline
  unjam fix web           what would be done about it; with --apply it is done`,
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return e.check(cmd) },
	}
	f := root.PersistentFlags()
	f.StringVar(&e.profile, "profile", "", "profile `NAME` of the AWS config to use")
	f.StringVar(&e.roleARN, "role-arn", "", "`ARN` of a role to assume on top of the credentials")
	f.StringSliceVar(&e.regions, "region", nil, "`REGION` to work in; repeat it for more, or all for every enabled one")
	f.StringVar(&e.endpoint, "endpoint-url", "", "call every service at this `URL` instead of AWS")
	f.StringVarP(&e.output, "output", "o", "table", "`FORMAT`: table or json")
	f.BoolVar(&e.noColor, "no-color", false, "no colours, even on a terminal")
	f.BoolVar(&e.quiet, "quiet", false, "no progress and no hints on stderr")
	f.DurationVar(&e.timeout, "timeout", 0, "stop reading after so long and report what was seen (for example 30s); 0: no limit")
	f.StringVar(&e.home, "home", "", "state folder `DIR` (else $UNJAM_HOME, else the XDG state folder)")
	f.StringSliceVar(&e.resolvers, "resolver", nil, "`ADDR` of a DNS resolver to ask instead of the system's; repeat it for more (else $UNJAM_RESOLVER)")
	f.StringVar(&e.faultsDir, "faults", "", "also look for the faults that the YAML files in `DIR` declare (else $UNJAM_FAULTS)")
	completes(root, "output", []string{"json", "table"}, false)
	completes(root, "region", regionNames(), false)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddGroup(&cobra.Group{ID: "find", Title: "Find"}, &cobra.Group{ID: "fix", Title: "Fix"}, &cobra.Group{ID: "know", Title: "Know more"}, &cobra.Group{ID: "lab", Title: "Try it without AWS"})
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	version := newVersion(e)
	add("find", newDiagnose(e), newProbe(e), newWhoami(e))
	add("fix", newFix(e), newPlan(e), newApprove(e), newApply(e), newRuns(e), newShow(e), newResume(e), newRollback(e), newVerify(e), newWatch(e))
	add("know", newExplain(e), newPermissions(e), newTest(e), version, newCompletion(e))
	add("lab", newDemo(e), newLab(e))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(newHelp())
	root.SetHelpCommandGroupID("know")
	asked := root.Flags().Bool("version", false, "print the version")
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *asked {
			return version.RunE(cmd, args)
		}
		return cmd.Help()
	}
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if err := help(e.out, c); err != nil {
			fmt.Fprintf(e.err, "unjam: write help: %v\n", err)
		}
	})
	return root
}

// check refuses bad values of the flags that hold everywhere.
func (e *env) check(cmd *cobra.Command) error {
	if e.output != "table" && e.output != "json" {
		return usagef("--output is %q, want table or json", e.output)
	}
	if cmd.Flags().Changed("region") && len(e.regions) == 0 {
		return usagef("--region is empty, want a Region such as eu-west-1, or all")
	}
	for _, r := range e.regions {
		if r == "all" && len(e.regions) > 1 {
			return usagef("--region all goes alone")
		}
		if r != "all" && !fact.IsRegion(r) {
			return usagef("--region is %q, want a Region such as eu-west-1, or all", r)
		}
	}
	if env := os.Getenv("UNJAM_RESOLVER"); env != "" && len(e.resolvers) == 0 {
		e.resolvers = strings.Split(env, ",")
	}
	for _, r := range e.resolvers {
		if _, err := resolve.Address(r); err != nil {
			return usagef("--resolver: %v", err)
		}
	}
	if e.timeout < 0 {
		return usagef("--timeout is negative")
	}
	return nil
}

// json reports whether the output is for a script.
func (e *env) json() bool { return e.output == "json" }

// asks reports whether a question may be asked: a person at a terminal, not a script.
func (e *env) asks() bool {
	return !e.json() && term.IsTerminal(int(e.in.Fd())) && term.IsTerminal(int(e.err.Fd()))
}

// view is how tables are shown on a stream.
func (e *env) view(f *os.File) report.View {
	v := report.View{Width: 80, Zone: time.Local}
	if term.IsTerminal(int(f.Fd())) {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w >= 40 {
			v.Width = min(w, 120)
		}
		v.Color = !e.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	return v
}

// say writes talk to stderr unless --quiet: on a terminal folded to its width, otherwise as it is.
func (e *env) say(format string, args ...any) {
	if !e.quiet {
		fmt.Fprintln(e.err, e.folded(fmt.Sprintf(format, args...)))
	}
}

// folded folds prose that goes to stderr to the width of a terminal. Commands to type and words too long for it stay whole, so that
// they can be copied.
func (e *env) folded(text string) string {
	if !term.IsTerminal(int(e.err.Fd())) {
		return text
	}
	width := e.view(e.err).Width
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		if utf8.RuneCountInString(line) <= width || strings.HasPrefix(line, "Next: ") {
			lines = append(lines, line)
			continue
		}
		for _, l := range fold(line, width-len(indent)) {
			lines = append(lines, indent+l)
		}
	}
	return strings.Join(lines, "\n")
}

// stdout is where data goes: --out FILE, else standard output. The file is 0600.
func (e *env) data(write func(io.Writer) error) error {
	if e.outFile == "" {
		return write(e.out)
	}
	var b strings.Builder
	if err := write(&b); err != nil {
		return err
	}
	return writeFile(e.outFile, []byte(b.String()))
}

// writeFile writes a file that only its owner can read, whole or not at all.
func writeFile(path string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(tmp.Name())))
	}
	return nil
}

// homeDir is the state folder: --home, UNJAM_HOME, or the XDG state folder.
func (e *env) homeDir() (string, error) {
	switch {
	case e.home != "":
		return e.home, nil
	case os.Getenv("UNJAM_HOME") != "":
		return os.Getenv("UNJAM_HOME"), nil
	case os.Getenv("XDG_STATE_HOME") != "":
		return filepath.Join(os.Getenv("XDG_STATE_HOME"), "unjam"), nil
	}
	h, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the state folder: %w; name one with --home", err)
	}
	return filepath.Join(h, ".local", "state", "unjam"), nil
}

// open opens the session with AWS.
func (e *env) open(ctx context.Context) (*app.App, error) {
	home, err := e.homeDir()
	if err != nil {
		return nil, err
	}
	cfg := app.Config{Profile: e.profile, RoleARN: e.roleARN, EndpointURL: e.endpoint, Regions: e.regions, Home: home, Version: Version(), Resolvers: e.resolvers, Console: strings.TrimRight(os.Getenv("UNJAM_CONSOLE_URL"), "/")}
	if e.asks() {
		cfg.Code = e.mfaCode
	}
	if !e.json() {
		cfg.OnWait = func(until time.Time) {
			e.say("AWS refuses reads of a session that was only just made: asking again until %s at most, since permissions take a while to spread (--quick does not wait)", until.Local().Format("15:04:05"))
		}
	}
	return app.Open(ctx, cfg)
}

// mfaCode asks for the one-time code of a profile with mfa_serial.
func (e *env) mfaCode() (string, error) {
	fmt.Fprint(e.err, "MFA code: ")
	b, err := term.ReadPassword(int(e.in.Fd()))
	fmt.Fprintln(e.err)
	return strings.TrimSpace(string(b)), err
}

// reading bounds reading by --timeout. What was not read by then becomes a gap.
func (e *env) reading(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, e.timeout)
}

// targets parses TARGET arguments.
func targets(args []string) ([]fact.Target, error) {
	var all []fact.Target
	for _, a := range args {
		t, err := fact.ParseTarget(a)
		if err != nil {
			return nil, usageError{err}
		}
		all = append(all, t)
	}
	return all, nil
}
