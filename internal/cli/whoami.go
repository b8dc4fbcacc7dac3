package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/report"
)

func newWhoami(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "whoami",
		Short: "Say which account, principal and Region you are in",
		Long: `Says which account, principal, session and Region the credentials stand for, where they come from and when they
expire, and what looks wrong about them. One in five "it does not work" is the wrong account or an old session.`,
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
			i, err := a.Identity(ctx)
			if err != nil {
				return err
			}
			doc := whoamiDoc{Schema: "unjam/whoami/v1", Identity: report.Identity{Account: i.Account, ARN: i.ARN, Kind: i.Kind, Source: i.Origin, ExpiresAt: fault.Stamp(i.ExpiresAt)},
				Region: a.Region(), Warnings: warnings(i, a.Region(), time.Now())}
			return e.data(func(w io.Writer) error {
				if e.json() {
					return report.JSON(w, doc)
				}
				return doc.table(w, e)
			})
		},
	}
}

type whoamiDoc struct {
	Schema   string          `json:"schema"`
	Identity report.Identity `json:"identity"`
	Region   string          `json:"region"`
	Warnings []string        `json:"warnings"`
}

func (d whoamiDoc) table(w io.Writer, e *env) error {
	rows := [][2]string{{"Account", d.Identity.Account}, {"Identity", d.Identity.ARN}, {"Kind", d.Identity.Kind}, {"Region", d.Region}, {"Credentials", d.Identity.Source}}
	if d.Identity.ExpiresAt != "" {
		rows = append(rows, [2]string{"Expire", d.Identity.ExpiresAt})
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(w, "%-12s %s\n", r[0], r[1]); err != nil {
			return err
		}
	}
	for _, m := range d.Warnings {
		e.say("warning: %s", m)
	}
	return nil
}

// warnings are what looks wrong about an identity.
func warnings(i fact.Identity, region string, now time.Time) []string {
	all := []string{}
	if i.Kind == "root" {
		all = append(all, "these are the root user's credentials: use a role")
	}
	if !i.ExpiresAt.IsZero() && i.ExpiresAt.Sub(now) < 15*time.Minute {
		all = append(all, fmt.Sprintf("the session ends in %d minutes: sign in again before waiting for a person", int(i.ExpiresAt.Sub(now).Minutes())))
	}
	if !fact.OffersConnectionSource(region) {
		all = append(all, "Region "+region+" offers no connection sources for pipelines")
	}
	return all
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
