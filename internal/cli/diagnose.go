package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/baseline"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/report"
)

func newDiagnose(e *env) *cobra.Command {
	var ask askFlags
	var write string
	c := &cobra.Command{
		Use:   "diagnose [TARGET...]",
		Short: "Find what is stuck and why, with evidence",
		Long: `Finds what is stuck and why. Nothing is changed.

TARGET is a pipeline's name or ARN, PIPELINE/EXECUTION-ID, the name or ARN (either prefix) of a connection or of a
host, the ARN of a stack that pipelines deploy, or the console URL of any of them. A name is looked for among pipelines first. Without a TARGET everything in the Region is looked at.`,
		Example: `  unjam diagnose                               everything in the Region
  unjam diagnose web                           one pipeline
  unjam diagnose arn:aws:codeconnections:eu-west-1:111111111111:connection/...
  unjam diagnose --region all --output json    for a script
  unjam diagnose web --quick                   without the other Regions
  unjam diagnose --baseline known.yaml         without what is accepted for now`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fresh(write); err != nil {
				return err
			}
			d, err := e.diagnose(cmd.Context(), args, ask)
			if err != nil {
				return err
			}
			e.foreign(d)
			err = e.data(func(w io.Writer) error {
				if e.json() {
					return report.JSON(w, d.Report)
				}
				return report.Table(w, d.Report, e.view(e.out), next(cmd, d, args))
			})
			if err == nil {
				err = e.writeBaseline(write, d)
			}
			if err != nil {
				return err
			}
			return verdict(d.Report)
		},
	}
	ask.add(c)
	c.Flags().StringVar(&write, "write-baseline", "", "write a baseline for the findings shown to `FILE`; owners and reasons are yours to fill in")
	c.Flags().StringVar(&e.outFile, "out", "", "write to `FILE` instead of standard output")
	return c
}

// askFlags are the flags of every command that diagnoses.
type askFlags struct {
	principals []string
	quick      bool
	drift      bool
	paid       bool
	terraform  []string
	baseline   string
}

func (a *askFlags) add(c *cobra.Command) {
	c.Flags().StringSliceVar(&a.principals, "principal", nil, "also say whether this user or role `ARN` may complete a handshake")
	c.Flags().BoolVar(&a.quick, "quick", false, "leave out pipelines in other Regions, and wait for no permissions to spread")
	c.Flags().BoolVar(&a.drift, "drift", false, "run a drift detection of the owning stack, a job in the account, instead of taking the last result")
	c.Flags().StringArrayVar(&a.terraform, "terraform", nil, "compare with a Terraform state or plan: `FILE` holds the output of terraform show -json (repeatable)")
	c.Flags().StringVar(&a.baseline, "baseline", "", "leave out the known findings that the YAML `FILE` lists: id, owner, reason, expires")
	c.Flags().BoolVar(&a.paid, "paid-checks", false, "allow checks that AWS charges for: CheckNoNewAccess of Access Analyzer")
}

// diagnose runs a diagnosis with progress on stderr.
func (e *env) diagnose(ctx context.Context, args []string, f askFlags) (*app.Diagnosis, error) {
	ts, err := targets(args)
	if err != nil {
		return nil, err
	}
	for _, p := range f.principals {
		if a, err := fact.ParseARN(p); err != nil || (a.Service != "iam" && a.Service != "sts") {
			return nil, usagef("--principal %q is not the ARN of a user or role, arn:aws:iam::ACCOUNT:role/NAME", p)
		}
	}
	known, err := readBaseline(f.baseline)
	if err != nil {
		return nil, err
	}
	all, err := e.faults()
	if err != nil {
		return nil, err
	}
	a, err := e.open(ctx)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	ctx, cancel := e.reading(ctx)
	defer cancel()
	ask := app.Ask{Targets: ts, Principals: f.principals, Quick: f.quick, Drift: f.drift, Paid: f.paid}
	for _, name := range f.terraform {
		facts, err := declared(a, name)
		if err != nil {
			return nil, err
		}
		ask.Declared = append(ask.Declared, facts...)
	}
	d, err := a.Diagnose(ctx, ask, all, e.progress(known))
	if err == nil && f.baseline != "" {
		d.Hide(known)
		e.tellHidden(d.Report.Hidden)
	}
	return d, err
}

// declared reads a file that `terraform show -json` wrote.
func declared(a *app.App, name string) ([]fact.Fact, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, usagef("read --terraform %s: %v", name, errors.Unwrap(err))
	}
	if info.IsDir() || info.Size() > app.MaxTerraform {
		return nil, usagef("read --terraform %s: want a file of at most 64 MB, the output of `terraform show -json`", name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("read --terraform %s: %v", name, errors.Unwrap(err))
	}
	facts, err := a.Terraform(name, text)
	if err != nil {
		return nil, usagef("%v", err)
	}
	return facts, nil
}

// progress tells the verdict as soon as it stands, unless a terminal is about to show it anyway or it is known, and, on a terminal, what
// is being read.
func (e *env) progress(known baseline.Baseline) func(app.Progress) {
	if e.quiet || e.json() {
		return nil
	}
	soon := term.IsTerminal(int(e.out.Fd())) && e.outFile == "" // the same words stand on standard output in a moment
	return func(p app.Progress) {
		for _, f := range p.New {
			if _, hidden := known.Hides(f.ID, time.Now()); f.Severity != fault.Info && !soon && !hidden {
				e.say("found: %s", f.Message)
			}
		}
		for _, f := range p.Grown {
			if _, hidden := known.Hides(f.ID, time.Now()); hidden {
				continue
			}
			e.say("  %s by %s so far", fault.Plural(len(f.Affects), "pipeline")+" held up", f.Subject.Name)
		}
		switch {
		case !term.IsTerminal(int(e.err.Fd())) || p.Pending == 0:
		case p.Answered > 0:
			e.say("  read %d of %d", p.Answered, p.Pending)
		default:
			e.say("reading %s ...", fault.Plural(p.Pending, "fact"))
		}
	}
}

// foreign says of targets what was not typed: that a name is a connection's or a host's, and that one belongs to another account: it explains why little is seen of them. Pipelines of other accounts
// are refused before.
func (e *env) foreign(d *app.Diagnosis) {
	for _, t := range d.Snapshot.Question().Targets {
		if typed, err := fact.ParseTarget(t.Raw); err == nil && typed.Kind != t.Kind && !e.json() {
			e.say("note: there is no pipeline %q: it is taken for the %s %s", t.Raw, t.Noun(), t.Name)
		}
		if own := d.Report.Identity.Account; t.Account != "" && t.Account != own && !e.json() {
			e.say("note: the %s %s belongs to account %s, these credentials are of account %s", t.Noun(), t.Name, t.Account, own)
		}
	}
}

// planned reports whether the program plans the repair of a fault. Those of users have none.
func planned(c fault.Code) bool {
	for _, f := range faults.All() {
		if f.Code == c {
			return f.Plan != nil
		}
	}
	return false
}

// verdict is the exit code of a diagnosis.
func verdict(d report.Diagnosis) error {
	if code := d.Exit(); code != exitOK {
		return codeError{code: code}
	}
	return nil
}
