package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/export"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// applyFlags are the flags of every command that can change AWS.
type applyFlags struct {
	apply    bool
	interval time.Duration
	accept   []string
	repo     string
	encrypt  []string
	policy   string
	begun    string // the policy of the run that is resumed or taken back; "" for none
	confirm  string
	file     string // the plan's; "" when it is in none
}

func (a *applyFlags) add(c *cobra.Command, what string) {
	c.Flags().BoolVar(&a.apply, "apply", false, what)
	c.Flags().StringSliceVar(&a.accept, "accept", nil, "consent by `NAME` to what cannot be taken back, or overrules a person, as the plan names it: one-way:OPERATION (repeatable)")
	c.Flags().StringVar(&a.repo, "export-repo", "", "save what is there before the change in the Git work tree `DIR`, with your own git, instead of the state folder")
	c.Flags().StringArrayVar(&a.encrypt, "encrypt-to", nil, "encrypt what is saved to an age `RECIPIENT`: age1..., an SSH public key, or @FILE (repeatable)")
	c.Flags().StringVar(&a.policy, "policy", "", "obey the policy `FILE` (else $UNJAM_POLICY, else policy.yaml in the state folder, if it is there)")
	c.Flags().StringVar(&a.confirm, "confirm-account", "", "name the production account that is changed, by its `ALIAS`, or by its ID if it has none")
	c.Flags().DurationVar(&a.interval, "interval", 0, "how often to look while waiting (default: every 5s for 30 minutes and while a terminal watches, then every 15s)")
}

func newApply(e *env) *cobra.Command {
	var how applyFlags
	c := &cobra.Command{
		Use:   "apply FILE",
		Short: "Show what a saved plan would do; with --apply do it",
		Long: `Shows what a plan would do: a dry run. With --apply it is done: each call is written to the journal before and after,
the steps of a person are waited for, and what came of it is verified. Ctrl-C leaves it; unjam resume goes on.`,
		Example: "  unjam apply web.plan.json\n  unjam apply web.plan.json --apply\n  unjam apply web.plan.json --apply --output json     events, a line each",
		Args:    oneArg("plan FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := how.check(cmd); err != nil {
				return err
			}
			p, err := readPlan(args[0])
			if err != nil {
				return err
			}
			if !how.apply {
				if time.Now().After(p.ExpiresAt) {
					e.say("warning: this plan expired for starting at %s", p.ExpiresAt.UTC().Format(time.RFC3339))
				}
				if err := e.showPlan(p, false, ""); err != nil {
					return err
				}
				if len(p.Steps) == 0 {
					return nil
				}
				how.file = args[0]
				approve, err := e.closed(cmd.Context(), p, how)
				if err != nil {
					return err
				}
				e.say("\nDry run: nothing was changed.\nNext: %sunjam apply %s%s --apply%s", approve, shellWord(args[0]), flagsOf(cmd), accepting(without(p.Consents(), how.accept)))
				return nil
			}
			if len(p.Steps) == 0 {
				return e.showPlan(p, true, "") // there is nothing to do, and no run of it
			}
			how.file = args[0]
			return e.carryOut(cmd.Context(), p, "", how)
		},
	}
	how.add(c, "do it")
	return c
}

func newFix(e *env) *cobra.Command {
	var ask askFlags
	var wish planFlags
	var how applyFlags
	c := &cobra.Command{
		Use:   "fix TARGET...",
		Short: "Diagnose, plan and, with --apply, repair in one go",
		Long: `Diagnoses, plans and shows the plan; with --apply it is done. The one step that no API can do, the handshake of a
connection, is guided: you get the link, the account, the role and a checklist, and the program sees when it is done.`,
		Example: `  unjam fix web                    what would be done
  unjam fix web --apply            do it
  unjam fix web --apply --hold     stop the restarted run behind Source`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("unjam fix takes a TARGET: a pipeline, a connection ARN or a console URL")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := how.check(cmd); err != nil {
				return err
			}
			wish.policy = how.policy
			d, p, err := e.plan(cmd.Context(), args, ask, wish)
			if err != nil {
				return err
			}
			if !how.apply || !e.json() || len(p.Steps) == 0 {
				if err := e.showPlan(p, how.apply, ""); err != nil {
					return err
				}
			}
			if len(p.Steps) == 0 {
				if left := remaining(d); len(left) > 0 && how.apply {
					return codeError{code: exitFindings, err: fmt.Errorf("fix %s: nothing was changed, and it is stuck: %s %s", args[0], left[0].Message, left[0].Remedy), next: "unjam explain " + string(left[0].Code)}
				}
				if d.Report.Blind() && how.apply {
					return codeError{code: exitBlind}
				}
				return nil
			}
			if !how.apply {
				if _, err := e.closed(cmd.Context(), p, how); err != nil {
					return err
				}
				e.say("\nDry run: nothing was changed.\nNext: unjam fix %s%s --apply%s", plainTargets(args, p.Account), flagsOf(cmd), accepting(without(p.Consents(), how.accept)))
				return nil
			}
			return e.carryOut(cmd.Context(), p, "", how)
		},
	}
	ask.add(c)
	wish.add(c)
	how.add(c, "do it")
	return c
}

func newResume(e *env) *cobra.Command {
	var how applyFlags
	c := &cobra.Command{
		Use:   "resume [RUN]",
		Short: "Go on with a run that was left, killed or failed",
		Long: `Shows where a run stands and, with --apply, goes on: nothing that was done is done again, and what is in doubt is read
before anything is called. It goes on under the policy that it was begun under. Without RUN the newest one that is not over
is taken.`,
		Example: "  unjam resume                       where the newest open run stands\n  unjam resume 20261123-0312-x7k2 --apply",
		Args:    atMostOne("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := how.check(cmd); err != nil {
				return err
			}
			j, r, err := e.runThat(args, open)
			if errors.Is(err, errNone) {
				e.say("Nothing to go on with: every run is over.")
				return nil
			}
			if err != nil {
				return err
			}
			defer j.Close()
			st, err := j.State(r.ID)
			if err != nil {
				return err
			}
			how.begun = st.Policy
			if !how.apply {
				if err := e.showRun(j, r); err != nil {
					return err
				}
				switch {
				case j.Held(r.ID):
					e.say("\nAnother process works on it.")
				case st.RolledBack != "":
					e.say("\nRun %s takes it back: there is nothing to go on with.", st.RolledBack)
				case st.Status != journal.IsDone:
					e.say("\nNext: unjam resume %s --apply", r.ID)
				}
				return nil
			}
			return e.carryOutWith(cmd.Context(), j, plan.Plan{}, r.ID, how)
		},
		ValidArgsFunction: e.completeRuns,
	}
	how.add(c, "go on with it")
	return c
}

// check refuses bad values.
func (a *applyFlags) check(cmd *cobra.Command) error {
	if err := export.Check(cmd.Context(), export.Config{Home: os.TempDir(), EncryptTo: a.encrypt}); err != nil && len(a.encrypt) > 0 {
		return usageError{err}
	}
	if cmd.Flags().Changed("interval") && a.interval <= 0 {
		return usagef("--interval is %s, want more than nothing, for example 5s", a.interval)
	}
	return nil
}

// carryOut opens the journal and applies.
func (e *env) carryOut(ctx context.Context, p plan.Plan, run string, how applyFlags) error {
	j, err := e.journal()
	if err != nil {
		return err
	}
	return errors.Join(e.carryOutWith(ctx, j, p, run, how), j.Close())
}

// carryOutWith applies a plan or goes on with a run, tells the events as they come, and turns the outcome into an exit code.
func (e *env) carryOutWith(ctx context.Context, j *journal.Journal, p plan.Plan, run string, how applyFlags) error {
	a, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer a.Close()
	if run != "" {
		if p, err = planOf(j, run); err != nil {
			return err
		}
	}
	rules, err := e.rules(&how, p)
	if err != nil {
		return err
	}
	all, err := e.faults()
	if err != nil {
		return err
	}
	out, err := a.Apply(ctx, app.Apply{
		Plan: p, Run: run, Journal: j, Interval: how.interval, Watching: e.asks(), Events: e.events(p), Faults: all, Accept: how.accept,
		Export: export.Config{Repo: how.repo, EncryptTo: how.encrypt}, Policy: rules, PlanFile: how.file, Confirm: how.confirm,
	})
	if gates := guard.Refusals(err); len(gates) > 0 {
		return refusedBy(gates, how.file, run)
	}
	var refused *apply.RefusedError
	if errors.As(err, &refused) {
		return codeError{code: exitRefused, err: err, next: insteadOf(refused, without(p.Consents(), how.accept))}
	}
	if err != nil {
		return codeError{code: max(out.ExitHint, exitFailed), err: err, next: resumeHint(out.Run)}
	}
	return e.outcome(out, p, true)
}

// insteadOf is the command to type when a run was not let begin: about the run in the way if there is one, else a new plan.
func insteadOf(r *apply.RefusedError, missing []string) string {
	switch {
	case r.Run == "" && len(missing) > 0:
		return "the same command with" + accepting(missing)
	case r.Run == "":
		return "unjam plan TARGET --out FILE"
	case r.Held:
		return "unjam show " + r.Run + "      (another process works on it)"
	}
	return resumeHint(r.Run)
}

// without are the names that are not among others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(others, n) })
}

// accepting are consents as flags, with a space before them.
func accepting(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " --accept " + strings.Join(names, ",")
}

func resumeHint(run string) string {
	if run == "" {
		return ""
	}
	return "unjam resume " + run + " --apply"
}

// outcome turns what a run came to into an exit code and the next command; more also says how to see what goes on by itself.
func (e *env) outcome(out apply.Outcome, p plan.Plan, more bool) error {
	if !e.json() {
		if err := showOutcome(e.out, out, p, e.view(e.out)); err != nil {
			return err
		}
	}
	switch out.ExitHint {
	case exitOK:
		if held := heldBy(out, p); len(held) > 0 && !e.json() {
			e.say("\nIt is held, as wished. %s\nOr: unjam rollback %s", strings.Join(held, "\n"), out.Run)
			return nil
		}
		if look := lookLater(out, p); look != "" && more && !e.json() {
			e.say("\nWhat lies behind Source runs on by itself.\nNext: %s      (how it went, a while later)", look)
		}
		return nil
	case exitStopped:
		return codeError{code: exitStopped, err: fmt.Errorf("run %s is %s and can go on", out.Run, out.Status), next: resumeHint(out.Run)}
	case exitRefused:
		if out.Status == journal.IsBlocked {
			return codeError{code: exitRefused, err: fmt.Errorf("run %s: %s", out.Run, reason(out, journal.IsBlocked)), next: resumeHint(out.Run)}
		}
		return codeError{code: exitRefused, err: fmt.Errorf("run %s: something moved since the plan was made", out.Run), next: "unjam plan TARGET --out FILE"}
	}
	return codeError{code: exitFailed, err: fmt.Errorf("run %s: %s", out.Run, reason(out, journal.HasFailed)), next: "unjam show " + out.Run}
}

// reason is the last step of a status, with its message.
func reason(out apply.Outcome, status journal.Status) string {
	why := "a step is " + string(status)
	for _, s := range out.Steps {
		if s.Status == status {
			why = s.Title + ": " + s.Message
		}
	}
	return why
}

// heldBy are the words about the transitions that a run has disabled and left so.
func heldBy(out apply.Outcome, p plan.Plan) []string {
	var all []string
	for i, s := range p.Steps {
		if s.Do != nil && s.Do.Operation == "DisableStageTransition" && i < len(out.Steps) && out.Steps[i].Status == journal.IsDone && p.Undoes == "" {
			all = append(all, fault.Released(s.Do.Input["pipelineName"], s.Do.Input["stageName"], s.Do.Region))
		}
	}
	return all
}

// lookLater is the command that shows how the pipelines that a run has set going went on behind Source; "" when it set none going.
func lookLater(out apply.Outcome, p plan.Plan) string {
	var names []string
	for i, s := range p.Steps {
		going := s.Do != nil && (s.Do.Operation == "RetryStageExecution" || s.Do.Operation == "StartPipelineExecution")
		if !going || i >= len(out.Steps) || out.Steps[i].Status != journal.IsDone || slices.Contains(names, s.Target.ID) {
			continue
		}
		if len(names) == 3 || len(p.Regions) == 0 || s.Do.Region != p.Regions[0] {
			return "unjam diagnose --region all"
		}
		names = append(names, s.Target.ID)
	}
	if len(names) == 0 {
		return ""
	}
	return "unjam diagnose " + strings.Join(names, " ")
}

// events tells a run's events: a JSON object a line on standard output, or words on stderr.
func (e *env) events(p plan.Plan) func(apply.Event) {
	if e.json() {
		enc := json.NewEncoder(e.out)
		enc.SetEscapeHTML(false)
		return func(ev apply.Event) {
			if err := enc.Encode(ev); err != nil {
				fmt.Fprintf(e.err, "unjam: write event: %v\n", err)
			}
		}
	}
	t := &teller{env: e, plan: p}
	return t.tell
}
