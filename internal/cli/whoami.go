package cli

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/report"
)

func newWhoami(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "whoami",
		Short: "Say which account, principal and Region you are in",
		Long: `Says which account, principal, session and Region the credentials stand for, where they come from, which others
they hide and when they expire, how far this machine's clock is off, who governs the account, and what looks wrong about it
all. What cannot be read is listed under "Not seen" with the permission that would show it.`,
		Example: "  unjam whoami\n  unjam whoami --profile prod --output json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := e.open(cmd.Context())
			if err != nil {
				return err
			}
			defer a.Close()
			ctx, cancel := e.reading(cmd.Context())
			defer cancel()
			d, err := a.Whoami(ctx)
			if err != nil {
				return err
			}
			err = e.data(func(w io.Writer) error {
				if e.json() {
					return report.JSON(w, d)
				}
				return report.WhoamiTable(w, d, time.Now(), e.view(e.out))
			})
			if err != nil || e.json() {
				return err
			}
			for _, m := range d.Warnings {
				e.say("warning: %s", m)
			}
			return nil
		},
	}
}

// noArgs refuses arguments as a usage error.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// oneArg wants exactly one argument.
func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("%s takes one %s", cmd.CommandPath(), name)
		}
		return nil
	}
}
