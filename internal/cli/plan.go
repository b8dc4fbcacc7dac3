package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
	"github.com/unjam/unjam/internal/report"
)

func newPlan(e *env) *cobra.Command {
	var ask askFlags
	var wish planFlags
	c := &cobra.Command{
		Use:   "plan [TARGET...]",
		Short: "Turn findings into a plan: each step, its effect, its way back",
		Long: `Diagnoses and prints a plan: what a person does, what is called, what may notice, how each step is undone or why it
cannot be. Nothing is changed. With --out the plan is saved for unjam apply.`,
		Example: `  unjam plan web
  unjam plan web --out web.plan.json && unjam apply web.plan.json
  unjam plan web --hold          stop the restarted run behind Source`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if e.outFile != "" && !exists(filepath.Dir(e.outFile)) {
				return usagef("--out %s: there is no such folder", e.outFile)
			}
			_, p, err := e.plan(cmd.Context(), args, ask, wish)
			if err != nil {
				return err
			}
			if e.outFile != "" {
				if err := e.data(func(w io.Writer) error { return report.JSON(w, p) }); err != nil {
					return err
				}
				if err := e.showPlan(p, false, ""); err != nil {
					return err
				}
				e.say("\nSaved to %s.\nNext: unjam apply %s      (shows it again; --apply does it)", e.outFile, e.outFile)
				return nil
			}
			return e.showPlan(p, false, nextPlan(cmd, args, p))
		},
	}
	ask.add(c)
	wish.add(c)
	c.Flags().StringVar(&e.outFile, "out", "", "save the plan to `FILE`")
	return c
}

// nextPlan is the command that comes after a plan that was not saved.
func nextPlan(cmd *cobra.Command, args []string, p plan.Plan) string {
	if len(args) == 0 {
		return "unjam plan" + flagsOf(cmd) + " --out FILE      (saves it for unjam apply)"
	}
	return "unjam fix " + plainTargets(args, p.Account) + flagsOf(cmd) + " --apply" + accepting(p.Consents())
}

// planFlags are the wishes for a plan.
type planFlags struct {
	plan.Options
	strategy, load string
	policy         string // of --policy, where there is one
}

func (p *planFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&p.Hold, "hold", false, "disable the transition behind Source first; release it yourself when you are ready")
	f.BoolVar(&p.NoRestart, "no-restart", false, "neither retry nor start pipelines")
	f.StringVar(&p.strategy, "strategy", "", "`WAY` to repair a connection that waits: handshake, or reuse (point the pipelines at another connection)")
	f.StringVar(&p.Reuse, "reuse", "", "the `ARN` of the AVAILABLE connection to use instead; means --strategy reuse")
	f.BoolVar(&p.Rehook, "rehook", false, "update pipelines without a change after the handshake, so that AWS makes their webhooks anew")
	f.StringVar(&p.load, "load", "", "a smoke load at the end: `PIPELINE=STARTS/TIME`, web=5/10m for example")
	f.BoolVar(&p.Metric, "metric", false, "count the remediation in CloudWatch, namespace Unjam; AWS charges for custom metrics")
	c.MarkFlagsMutuallyExclusive("no-restart", "load")
	c.MarkFlagsMutuallyExclusive("no-restart", "hold")
	completes(c, "strategy", []string{string(plan.Handshake), string(plan.Reuse)}, false)
}

// options are the wishes, checked.
func (p *planFlags) options() (plan.Options, error) {
	o := p.Options
	switch o.Strategy = plan.Strategy(p.strategy); o.Strategy {
	case "", plan.Handshake, plan.Reuse:
	default:
		return o, usagef("--strategy %s: there are handshake and reuse", p.strategy)
	}
	if o.Reuse != "" {
		a, err := fact.ParseARN(o.Reuse)
		if err != nil || !a.IsConnection() {
			return o, usagef("--reuse %s: it is not the ARN of a connection", o.Reuse)
		}
		if o.Strategy == plan.Handshake {
			return o, usagef("--reuse is for --strategy reuse, not for handshake")
		}
	}
	if o.Strategy == plan.Reuse && o.Rehook {
		return o, usagef("--rehook is for --strategy handshake: reuse updates the pipelines anyway")
	}
	if p.load != "" {
		l, err := parseLoad(p.load)
		if err != nil {
			return o, err
		}
		o.Load = &l
	}
	return o, nil
}

// parseLoad reads PIPELINE=STARTS/TIME.
func parseLoad(text string) (plan.Load, error) {
	wrong := usagef("--load %s: write PIPELINE=STARTS/TIME, web=5/10m for example: at most %d starts in %s", text, planner.MaxStarts, planner.MaxOver)
	name, rest, ok := strings.Cut(text, "=")
	n, over, both := strings.Cut(rest, "/")
	if !ok || !both || name == "" {
		return plan.Load{}, wrong
	}
	starts, err := strconv.Atoi(n)
	if err != nil || starts < 1 || starts > planner.MaxStarts {
		return plan.Load{}, wrong
	}
	d, err := time.ParseDuration(over)
	if err != nil || d < 0 || d > planner.MaxOver {
		return plan.Load{}, wrong
	}
	return plan.Load{Pipeline: name, Starts: starts, Over: d}, nil
}

// plan diagnoses and plans.
func (e *env) plan(ctx context.Context, args []string, ask askFlags, wish planFlags) (*app.Diagnosis, plan.Plan, error) {
	rules, err := e.policy(wish.policy, "")
	if err != nil {
		return nil, plan.Plan{}, err
	}
	wish.Metric = wish.Metric || rules.Metric
	o, err := wish.options()
	if err != nil {
		return nil, plan.Plan{}, err
	}
	if o.Load != nil && len(args) == 0 {
		args = []string{o.Load.Pipeline}
	}
	d, err := e.diagnose(ctx, args, ask)
	if err != nil {
		return nil, plan.Plan{}, err
	}
	all, err := e.faults()
	if err != nil {
		return nil, plan.Plan{}, err
	}
	p, err := planner.Make(d.Snapshot, d.Outcome.Findings, all, o)
	if err != nil {
		return nil, p, err
	}
	if len(p.Steps) == 0 && d.Report.Blind() {
		e.say("Not everything that matters could be seen: unjam diagnose lists the gaps.")
	}
	return d, p, nil
}

// showPlan prints a plan: the table, or the plan itself as JSON. brief leaves out what a person is told when the step comes.
func (e *env) showPlan(p plan.Plan, brief bool, next string) error {
	if e.json() {
		return report.JSON(e.out, p)
	}
	v := e.view(e.out)
	v.Brief = brief
	if err := report.Plan(e.out, p, v); err != nil {
		return err
	}
	if next != "" && len(p.Steps) > 0 {
		e.say("\nNext: %s", next)
	}
	return nil
}

// readPlan reads a plan file.
func readPlan(path string) (plan.Plan, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return plan.Plan{}, usageError{err}
	}
	p, err := plan.Parse(b)
	if err != nil {
		return p, usageError{fmt.Errorf("%s: %w", path, err)}
	}
	return p, nil
}

// remaining are the findings that a plan without steps leaves as they are.
func remaining(d *app.Diagnosis) []fault.Finding {
	var all []fault.Finding
	for _, f := range d.Outcome.Findings {
		if f.Severity != fault.Info {
			all = append(all, f)
		}
	}
	return all
}
