package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/tools/txtar"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

func newTest(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "test DIR",
		Short: "Prove your own faults on the worlds beside them (offline)",
		Long: `Reads the faults that the YAML files in DIR declare, plays every world beside them on the built-in lab (*.world, or
*.txtar with the targets in a file "args") and compares what the diagnosis says with what the worlds want: a line for each world. Each
fault needs a world that finds it, one that is clear of it and one in which it cannot be known. Needs no network.

Exit code 0 is right, 1 is that a world says something else or is missing, 2 is a file that cannot be read.`,
		Example: "  unjam test docs/examples/faults\n  unjam test faults --output json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("unjam test takes one DIR")
			}
			d, err := e.test(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			err = e.data(func(w io.Writer) error {
				if e.json() {
					return report.JSON(w, d)
				}
				return report.TestedTable(w, d, e.view(e.out))
			})
			if err != nil {
				return err
			}
			switch worlds, lacking := d.Failed(); {
			case worlds > 0:
				return codeError{code: exitFailed, err: fmt.Errorf("%d of %s say something else than they want", worlds, fault.Plural(len(d.Worlds), "world")),
					next: "unjam lab --world FILE, and in another shell unjam diagnose --faults " + shellWord(args[0])}
			case lacking > 0:
				return codeError{code: exitFailed, err: fmt.Errorf("%s not proven", fault.Plural(lacking, "fault")), next: "a world for what is missing; then unjam test " + shellWord(args[0])}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	c.Flags().StringVar(&e.outFile, "out", "", "write to `FILE` instead of standard output")
	return c
}

// atOnce is how many worlds are played at a time.
const atOnce = 4

// maxWorld is how large a world may be, in bytes.
const maxWorld = 1 << 20

// test plays the worlds of a folder and compares.
func (e *env) test(ctx context.Context, dir string) (report.Tested, error) {
	d := report.Tested{Schema: "unjam/tested/v1", Faults: []fault.Code{}, Worlds: []report.TestedWorld{}, Missing: []report.MissingWorlds{}}
	own, err := readFaults(dir)
	if err != nil {
		return d, err
	}
	p := proof{all: faults.All()}
	for _, f := range own {
		p.own = append(p.own, f.Code)
		p.all = append(p.all, f.Fault)
	}
	files, err := worldsIn(dir)
	if err != nil {
		return d, err
	}
	d.Faults = append(d.Faults, p.own...)
	d.Worlds = make([]report.TestedWorld, len(files))
	played := make([][]world.Want, len(files))
	errs := make([]error, len(files))
	turns := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, f := range files {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			d.Worlds[i], played[i], errs[i] = p.play(ctx, f)
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return d, err
		}
	}
	d.Missing = p.missing(slices.Concat(played...))
	return d, nil
}

// worldsIn are the paths of a folder's worlds.
func worldsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, usagef("read %s: %v", dir, cause(err))
	}
	var all []string
	for _, x := range entries {
		if ext := filepath.Ext(x.Name()); !x.IsDir() && (ext == ".world" || ext == ".txtar") {
			all = append(all, filepath.Join(dir, x.Name()))
		}
	}
	if len(all) == 0 {
		return nil, usagef("read %s: there is no *.world and no *.txtar in it: nothing proves its faults", dir)
	}
	return all, nil
}

// proof is what worlds are played with.
type proof struct {
	own []fault.Code
	all []*fault.Fault
}

// play plays one world: a lab of its own, the diagnosis of the world's `you`, the comparison.
func (p proof) play(ctx context.Context, path string) (out report.TestedWorld, wants []world.Want, err error) {
	text, err := readWorld(path)
	if err != nil {
		return out, nil, err
	}
	ar := txtar.Parse(text)
	l := lab.New()
	w, err := world.Load(l, path, ar.Comment, time.Now())
	if err != nil {
		return out, nil, usageError{err}
	}
	out = report.TestedWorld{File: filepath.Base(path), Title: w.Title, Wants: len(w.Wants), Wrong: []string{}}
	d, err := diagnoseIn(ctx, l, w, ar, p.all)
	if err != nil {
		return out, nil, fmt.Errorf("play %s: %w", path, err)
	}
	out.Wrong = append(out.Wrong, p.compare(w, d)...)
	return out, w.Wants, nil
}

func readWorld(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, usagef("read %s: %v", path, cause(err))
	}
	if !info.Mode().IsRegular() || info.Size() > maxWorld {
		return nil, usagef("read %s: want a file of at most 1 MB", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("read %s: %v", path, cause(err))
	}
	return text, nil
}

// diagnoseIn diagnoses a lab within this process; the files of the archive say what is asked.
func diagnoseIn(ctx context.Context, l *lab.Lab, w *world.World, ar *txtar.Archive, all []*fault.Fault) (d *app.Diagnosis, err error) {
	if w.Default == nil {
		return nil, usagef("world %s has no caller: mark one with `you`", w.Name)
	}
	var ask app.Ask
	for _, f := range ar.Files {
		if f.Name != "args" {
			continue
		}
		for _, word := range strings.Fields(string(f.Data)) {
			if arn := w.ARN(word); arn != "" {
				word = arn
			}
			t, err := fact.ParseTarget(word)
			if err != nil {
				return nil, usageError{err}
			}
			ask.Targets = append(ask.Targets, t)
		}
	}
	home, err := os.MkdirTemp("", "unjam-test-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the test: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	k := w.Default
	a, err := app.Open(ctx, app.Config{
		Regions: []string{w.DefaultRegion}, Home: home, Version: Version(), Transport: l, Resolvers: []string{"192.0.2.53"}, DialDNS: l.Names.Dial,
		Keys: &awsapi.Keys{ID: k.AccessKeyID, Secret: k.SecretAccessKey, Token: k.SessionToken, Source: "test"},
	})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	return a.Diagnose(ctx, ask, all, nil)
}

// compare is what a diagnosis says otherwise than a world wants, a line of the world each.
func (p proof) compare(w *world.World, d *app.Diagnosis) []string {
	var wrong []string
	say := func(line int, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("line %d: ", line)+fmt.Sprintf(format, args...))
	}
	ours := 0
	for _, want := range w.Wants {
		if slices.Contains(p.own, fault.Code(want.Code)) {
			ours++
		}
		if !slices.ContainsFunc(p.all, func(f *fault.Fault) bool { return string(f.Code) == want.Code }) {
			say(want.Line, "there is no fault %q", want.Code)
			continue
		}
		f, found := findingOf(w, d, want)
		verdict := verdictOf(d, fault.Code(want.Code))
		switch {
		case want.Verdict == "found" && !found:
			say(want.Line, "%s is not found of %s, it is %s%s", want.Code, orAny(want.Subject), verdict, why(d, want))
		case want.Verdict == "found":
			for _, m := range differs(f, want) {
				say(want.Line, "%s", m)
			}
		case found:
			say(want.Line, "%s is found of %s, want %s", want.Code, f.Subject.Name, want.Verdict)
		case verdict != fault.Found && string(verdict) != want.Verdict:
			say(want.Line, "%s is %s, want %s%s", want.Code, verdict, want.Verdict, why(d, want))
		}
	}
	if ours == 0 {
		wrong = append(wrong, "no line wants anything of these faults")
	}
	return append(wrong, p.surplus(w, d)...)
}

// surplus are findings of the folder's faults that no line wants.
func (p proof) surplus(w *world.World, d *app.Diagnosis) []string {
	var wrong []string
	for _, f := range d.Report.Findings {
		wanted := slices.ContainsFunc(w.Wants, func(x world.Want) bool {
			return x.Code == string(f.Code) && (x.Subject == "" || x.Subject == f.Subject.Name || w.ARN(x.Subject) == f.Subject.ARN)
		})
		if slices.Contains(p.own, f.Code) && !wanted {
			wrong = append(wrong, fmt.Sprintf("%s is found of %s, which no line wants", f.Code, f.Subject.Name))
		}
	}
	return wrong
}

// findingOf is the finding of a want's code about a want's subject.
func findingOf(w *world.World, d *app.Diagnosis, want world.Want) (fault.Finding, bool) {
	for _, f := range d.Report.Findings {
		if string(f.Code) == want.Code && (want.Subject == "" || f.Subject.Name == want.Subject || f.Subject.ARN == w.ARN(want.Subject)) {
			return f, true
		}
	}
	return fault.Finding{}, false
}

// differs compares a finding with what a want says beside its code.
func differs(f fault.Finding, want world.Want) []string {
	var wrong []string
	got := map[string]string{"class": string(f.Cause.Class), "severity": string(f.Severity), "bucket": string(f.Bucket), "affects": fmt.Sprint(len(f.Affects))}
	if want.Cause != "" && f.Cause.Code != want.Cause {
		wrong = append(wrong, fmt.Sprintf("%s has the cause %s, want %s", f.Code, f.Cause.Code, want.Cause))
	}
	for _, k := range slices.Sorted(maps.Keys(want.More)) {
		switch have, known := got[k]; {
		case !known:
			wrong = append(wrong, fmt.Sprintf("want %s=: unjam test knows cause, subject, affects, bucket, class and severity", k))
		case have != want.More[k]:
			wrong = append(wrong, fmt.Sprintf("%s has %s %s, want %s", f.Code, k, have, want.More[k]))
		}
	}
	return wrong
}

// verdictOf is the verdict of a code over all Regions: found, else unknown, else clear.
func verdictOf(d *app.Diagnosis, code fault.Code) fault.Verdict {
	worst := fault.Verdict("")
	for _, r := range d.Report.Results {
		if r.Code == code && (r.Verdict == fault.Found || worst == "" || (r.Verdict == fault.Unknown && worst == fault.Clear)) {
			worst = r.Verdict
		}
	}
	return worst
}

// missing are the verdicts of the folder's faults that no world wants.
func (p proof) missing(wants []world.Want) []report.MissingWorlds {
	all := []report.MissingWorlds{}
	for _, code := range p.own {
		m := report.MissingWorlds{Code: code}
		for _, v := range []fault.Verdict{fault.Found, fault.Clear, fault.Unknown} {
			if !slices.ContainsFunc(wants, func(w world.Want) bool { return w.Code == string(code) && w.Verdict == string(v) }) {
				m.Verdicts = append(m.Verdicts, v)
			}
		}
		if len(m.Verdicts) > 0 {
			all = append(all, m)
		}
	}
	return all
}

// why is the first gap that blocks the fault of a want, in brackets; "" where there is none.
func why(d *app.Diagnosis, want world.Want) string {
	for _, g := range d.Report.Gaps {
		if slices.Contains(g.Blocks, fault.Code(want.Code)) {
			return " (" + oneLine(g.Why) + ")"
		}
	}
	return ""
}

// orAny is a subject, or what stands for any.
func orAny(subject string) string {
	if subject == "" {
		return "anything"
	}
	return subject
}
