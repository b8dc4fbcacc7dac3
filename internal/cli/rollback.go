package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/report"
)

func newRollback(e *env) *cobra.Command {
	var how applyFlags
	c := &cobra.Command{
		Use:   "rollback [RUN]",
		Short: "Take back what a run has changed; with --apply do it",
		Long: `Plans to take back what a run has called, the last call first and nothing else, and says what cannot be taken back. It is
a plan like any other: shown first, carried out with --apply, written to the journal, and it can be taken back itself. The
policy that the run was begun under holds for it too. Without RUN the newest one that has changed something is taken.`,
		Example: "  unjam rollback 20261123-0312-x7k2\n  unjam rollback 20261123-0312-x7k2 --apply\n  unjam rollback 20261123-0312-x7k2 --out back.plan.json      for unjam approve",
		Args:    atMostOne("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := how.check(cmd); err != nil {
				return err
			}
			j, r, err := e.runThat(args, changed)
			if errors.Is(err, errNone) {
				e.say("Nothing to take back: no run has changed anything that is not taken back yet.")
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
			if by := st.RolledBack; by != "" {
				back, err := j.State(by)
				if err != nil {
					return err
				}
				if back.Status == journal.IsDone {
					e.say("Run %s was taken back by run %s: nothing is left to take back.\nNext: unjam show %s", r.ID, by, by)
					return nil
				}
			}
			a, err := e.open(cmd.Context())
			if err != nil {
				return err
			}
			p, err := a.Rollback(cmd.Context(), j, r.ID)
			a.Close()
			if errors.Is(err, journal.ErrHeld) {
				return codeError{code: exitRefused, err: err, next: "unjam show " + r.ID + "      (stop it first)"}
			}
			if err != nil {
				return err
			}
			if e.outFile != "" {
				if err := e.data(func(w io.Writer) error { return report.JSON(w, p) }); err != nil {
					return err
				}
			}
			if !how.apply || !e.json() {
				if err := e.showPlan(p, how.apply, ""); err != nil {
					return err
				}
			}
			switch {
			case len(p.Steps) == 0:
				return nil
			case e.outFile != "" && !how.apply:
				e.say("\nSaved to %s. Nothing was changed.\nNext: unjam apply %s --apply%s", e.outFile, shellWord(e.outFile), accepting(without(p.Consents(), how.accept)))
				return nil
			case !how.apply:
				if _, err := e.closed(cmd.Context(), p, how); err != nil {
					return err
				}
				e.say("\nDry run: nothing was changed.\nNext: unjam rollback %s --apply%s", r.ID, accepting(without(p.Consents(), how.accept)))
				return nil
			}
			return e.carryOutWith(cmd.Context(), j, p, "", how)
		},
		ValidArgsFunction: e.completeRuns,
	}
	how.add(c, "take it back")
	c.Flags().StringVar(&e.outFile, "out", "", "save the plan to `FILE`")
	return c
}
