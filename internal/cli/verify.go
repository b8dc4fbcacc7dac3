package cli

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/verify"
)

func newVerify(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify [RUN]",
		Short: "Is it fixed? The same diagnosis again, from fresh facts",
		Long: `Diagnoses again what a run has repaired and touched, from fresh facts: is the fault gone, did the source action come through
after the run, has a push started the pipeline since. Nothing is changed. Without RUN the newest one is taken.`,
		Example: "  unjam verify\n  unjam verify 20261123-0312-x7k2 --output json",
		Args:    atMostOne("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, r, err := e.run(args)
			if err != nil {
				return err
			}
			defer j.Close()
			done, err := app.Done(j, r.ID)
			if err != nil {
				return notOver(r.ID, err)
			}
			v, err := e.verify(cmd.Context(), done)
			if err != nil {
				return err
			}
			if err := e.data(func(w io.Writer) error { return e.showVerification(w, v) }); err != nil {
				return err
			}
			return verified(v)
		},
		ValidArgsFunction: e.completeRuns,
	}
	return c
}

// notOver adds what to type to the error of a run that has not ended.
func notOver(run string, err error) error {
	if errors.Is(err, app.ErrNotOver) {
		return codeError{code: exitFailed, err: err, next: "unjam resume " + run + " --apply      (or: unjam show " + run + ")"}
	}
	return err
}

// verify verifies a run once.
func (e *env) verify(ctx context.Context, done verify.Done) (verify.Report, error) {
	all, err := e.faults()
	if err != nil {
		return verify.Report{}, err
	}
	a, err := e.open(ctx)
	if err != nil {
		return verify.Report{}, err
	}
	defer a.Close()
	return a.Verify(ctx, done, all)
}

// verified is the exit code of a verification.
func verified(v verify.Report) error {
	switch v.Verdict {
	case verify.Broken:
		return codeError{code: exitFindings}
	case verify.Unseen:
		return codeError{code: exitBlind}
	}
	return nil
}

// headline is a verdict in words.
func headline(v verify.Report) string {
	if v.TakenBack != "" {
		return "Run " + v.Run + " was taken back by run " + v.TakenBack
	}
	switch v.Verdict {
	case verify.Fixed:
		return "Run " + v.Run + ": it is fixed"
	case verify.Broken:
		return "Run " + v.Run + ": it is broken"
	}
	return "Run " + v.Run + ": nothing wrong was seen, but not everything could be"
}

func (e *env) showVerification(w io.Writer, v verify.Report) error {
	if e.json() {
		return report.JSON(w, v)
	}
	var rows []report.VerificationRow
	for _, s := range v.Subjects {
		rows = append(rows, report.VerificationRow{What: s.Code + " of " + s.Name, Status: string(s.Verdict), Message: s.Message})
	}
	for _, p := range v.Pipelines {
		row := report.VerificationRow{What: p.Name + " (" + p.Region + ")", Status: "ok", Message: p.Message}
		switch {
		case p.Status == "":
			row.Status = "unseen"
		case p.Status == "Failed":
			row.Status = "broken"
		case !p.Ran:
			row.Status = "not yet"
		}
		rows = append(rows, row)
	}
	for _, r := range v.Roles {
		status := "ok"
		if r.New > 0 {
			status = "broken"
		}
		rows = append(rows, report.VerificationRow{What: r.ARN, Status: status, Message: r.Message})
	}
	for _, f := range v.Findings {
		if slices.ContainsFunc(v.Subjects, func(s verify.Subject) bool { return s.Code == f.Code && s.Message == f.Message }) {
			continue // its row is there
		}
		status := "found"
		if f.Held {
			status = "held"
		}
		rows = append(rows, report.VerificationRow{What: f.Code, Status: status, Message: f.Message})
	}
	return report.Verification(w, headline(v), v.Verdict == verify.Broken, rows, v.Gaps, e.view(e.out))
}
