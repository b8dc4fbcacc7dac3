package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/verify"
	"github.com/unjam/unjam/internal/watch"
)

func newWatch(e *env) *cobra.Command {
	var length, interval time.Duration
	var notify []string
	c := &cobra.Command{
		Use:   "watch [RUN]",
		Short: "Does it stay fixed? Checks after 1, 6, 24 and 48 hours",
		Long: `Verifies a run 1, 6, 24 and 48 hours after its end, as far as --for reaches, and tells each trouble once, and its end: here
and wherever --notify says. Nothing is changed. It can be stopped and started again and goes on; checks that were missed
meanwhile run late and say so. At the end it says whether the repair held. Without RUN the newest one is taken.`,
		Example: `  unjam watch --for 48h
  unjam watch --notify slack:https://hooks.slack.com/services/...
  unjam watch --notify sns:arn:aws:sns:eu-west-1:111111111111:oncall`,
		Args: atMostOne("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if length <= 0 || length > 31*24*time.Hour {
				return usagef("--for is %s, want more than nothing and at most 744h", length)
			}
			if interval < 0 || interval > length {
				return usagef("--interval is %s, want at most --for", interval)
			}
			for _, n := range notify {
				if _, err := watch.Parse(n, nil); err != nil {
					return usageError{err}
				}
			}
			all, err := e.faults()
			if err != nil {
				return err
			}
			j, r, err := e.run(args)
			if err != nil {
				return err
			}
			defer j.Close()
			return e.watch(cmd.Context(), app.Watch{Journal: j, Run: r.ID, Faults: all, For: length, Interval: interval, Notify: notify}, flagsAgain(cmd))
		},
		ValidArgsFunction: e.completeRuns,
	}
	c.Flags().DurationVar(&length, "for", 48*time.Hour, "how long, counted from the end of the run")
	c.Flags().DurationVar(&interval, "interval", 0, "check this often instead")
	c.Flags().StringArrayVar(&notify, "notify", nil, "tell `WHERE` as well: https://..., slack:https://... or sns:TOPIC_ARN; repeatable")
	return c
}

// flagsAgain are the flags of a watch that is started again.
func flagsAgain(cmd *cobra.Command) string {
	again := flagsOf(cmd)
	if f := cmd.Flags().Lookup("interval"); f.Changed {
		again += " --interval " + f.Value.String()
	}
	if cmd.Flags().Lookup("notify").Changed {
		again += " --notify WHERE" // an address may be a secret: it is not shown
	}
	return again
}

// watch watches a run to its end.
func (e *env) watch(ctx context.Context, o app.Watch, again string) error {
	a, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer a.Close()
	o.Tell = func(v watch.Event) { e.say("%s  %s", v.At.Local().Format("15:04:05"), v.Text) }
	out, err := a.Watch(ctx, o)
	switch {
	case errors.Is(err, app.ErrTakenBack):
		return codeError{code: exitRefused, err: err, next: "unjam runs"}
	case errors.Is(err, journal.ErrHeld):
		return codeError{code: exitRefused, err: err, next: "stop the other watch of this run first"}
	case ctx.Err() != nil:
		return codeError{code: exitStopped, err: errors.New("watch stopped; what was told is not told again"), next: "unjam watch " + o.Run + again}
	case err != nil:
		return notOver(o.Run, err)
	}
	if err := e.data(func(w io.Writer) error { return e.showClosing(w, o.Run, out) }); err != nil {
		return err
	}
	switch {
	case out.Verdict == verify.Broken:
		return codeError{code: exitFindings}
	case out.Verdict == verify.Unseen:
		return codeError{code: exitBlind}
	}
	return nil
}

// watchDoc is how a watch ended.
type watchDoc struct {
	Schema  string         `json:"schema"`
	Run     string         `json:"run"`
	Verdict verify.Verdict `json:"verdict"`
	Checks  int            `json:"checks"`
	Late    int            `json:"late"`
	Text    string         `json:"text"`
}

func (e *env) showClosing(w io.Writer, run string, out watch.Outcome) error {
	if e.json() {
		return report.JSON(w, watchDoc{Schema: "unjam/watch/v1", Run: run, Verdict: out.Verdict, Checks: out.Checks, Late: out.Late, Text: out.Text})
	}
	_, err := fmt.Fprintln(w, out.Text)
	return err
}
