package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
)

func newPermissions(e *env) *cobra.Command {
	var purpose, account, connection, provider string
	c := &cobra.Command{
		Use:   "permissions",
		Short: "Print the exact least-privilege policy (offline)",
		Long: `Prints an IAM policy document, computed from the calls the program can make:

  --for read        diagnosing
  --for fix         diagnosing and applying
  --for handshake   for the person who completes a connection in the console

Needs no network.`,
		Example: `  unjam permissions --for read > read.json
  unjam permissions --for fix --account 111111111111
  unjam permissions --for handshake --connection arn:aws:codeconnections:eu-west-1:111111111111:connection/... --provider GitHub`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if account != "*" && !fact.IsAccount(account) {
				return usagef("--account is %q, want the 12 digits of an account", account)
			}
			if provider != "" && !slices.Contains(providers(), provider) {
				return usagef("--provider is %q, want %s%s", provider, strings.Join(providers(), ", "), didYouMean(provider, providers()))
			}
			doc, err := policy(purpose, account, connection, provider)
			if err != nil {
				return err
			}
			if err := e.tellReads(); err != nil {
				return err
			}
			return e.data(func(w io.Writer) error {
				_, err := fmt.Fprintln(w, doc)
				return err
			})
		},
	}
	c.Flags().StringVar(&purpose, "for", "read", "the `PURPOSE` of the policy: read, fix or handshake")
	c.Flags().StringVar(&account, "account", "*", "account `ID` to narrow the policy to")
	c.Flags().StringVar(&connection, "connection", "", "handshake: `ARN` of the connection (default: all of the account)")
	c.Flags().StringVar(&provider, "provider", "", "handshake: narrow it to a provider `TYPE`, for example GitHub")
	completes(c, "for", []string{"fix", "handshake", "read"}, false)
	completes(c, "provider", providers(), false)
	c.Flags().StringVar(&e.outFile, "out", "", "write to `FILE` instead of standard output")
	return c
}

// providers are the provider types of connections.
// https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_Connection.html
func providers() []string {
	return []string{"AzureDevOps", "Bitbucket", "GitHub", "GitHubEnterpriseServer", "GitLab", "GitLabSelfManaged"}
}

func policy(purpose, account, connection, provider string) (string, error) {
	switch purpose {
	case "read":
		return op.ReadPolicy("aws", account).String(), nil
	case "fix":
		return op.FixPolicy("aws", account).String(), nil
	case "handshake":
		if connection == "" {
			return op.HandshakePolicy(provider, "arn:aws:codeconnections:*:"+account+":connection/*", "arn:aws:codestar-connections:*:"+account+":connection/*"), nil
		}
		a, err := fact.ParseARN(connection)
		if err != nil || !a.IsConnection() {
			return "", usagef("--connection %q is not the ARN of a connection", connection)
		}
		return op.HandshakePolicy(provider, connection), nil
	}
	return "", usagef("--for is %q, want read, fix or handshake", purpose)
}
