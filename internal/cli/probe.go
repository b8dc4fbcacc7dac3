package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/report"
)

func newProbe(e *env) *cobra.Command {
	var support, repost bool
	c := &cobra.Command{
		Use:   "probe TARGET",
		Short: "Read the same in several ways; the difference is the finding",
		Long: `Makes the reads that matter for a pipeline or a connection in several ways: as now, with a session made anew, from another
Region, and eight at once. What differs tells a stale session, a race and a regional trouble apart. Every call is made once, so
that nothing is smoothed over. Nothing is changed.

When all ways agree, --support prints a text for a case with AWS Support, with times and request IDs, and --repost the same for
the public, with account IDs cut to their last four digits. No key and no person's name is in either.

It ends with 0 when all ways agree, with 3 when they differ, and with 1 when it cannot say.`,
		Example: `  unjam probe web
  unjam probe web --support --out case.txt
  unjam probe web --role-arn arn:aws:iam::111111111111:role/Reader --output json`,
		Args: oneArg("TARGET: a pipeline or a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ts, err := targets(args)
			switch {
			case err != nil:
				return err
			case ts[0].Kind != fact.KindPipeline && ts[0].Kind != fact.KindConnection:
				return usagef("probe takes a pipeline or a connection, %s is a %s", args[0], ts[0].Noun())
			case support && repost:
				return usagef("--support and --repost are two forms of one text: choose one")
			}
			a, err := e.open(cmd.Context())
			if err != nil {
				return err
			}
			defer a.Close()
			ctx, cancel := e.reading(cmd.Context())
			defer cancel()
			d, err := a.Probe(ctx, ts[0], e.ways())
			if err != nil {
				return err
			}
			err = e.data(func(w io.Writer) error {
				switch {
				case support:
					return report.Support(w, d, report.ForSupport)
				case repost:
					return report.Support(w, d, report.ForPublic)
				case e.json():
					return report.JSON(w, d)
				}
				return report.ProbeTable(w, d, e.view(e.out))
			})
			if err == nil && d.Cause != report.NoCause {
				err = codeError{code: exitFindings}
			}
			return err
		},
	}
	c.Flags().BoolVar(&support, "support", false, "print the text for a case with AWS Support")
	c.Flags().BoolVar(&repost, "repost", false, "print the text for the public, such as AWS re:Post")
	c.Flags().StringVar(&e.outFile, "out", "", "write to `FILE` instead of standard output")
	return c
}

// ways tells on stderr which way of reading is being tried.
func (e *env) ways() func(string) {
	if e.json() {
		return nil
	}
	return func(what string) { e.say("%s ...", what) }
}
