package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/report"
)

// maxApproval is how long an approval may last; a policy may demand less (approvals.maxAge).
const maxApproval = 7 * 24 * time.Hour

func newApprove(e *env) *cobra.Command {
	var expires time.Duration
	var comment, sign, signer, rules string
	var revoke bool
	c := &cobra.Command{
		Use:   "approve FILE",
		Short: "Approve a saved plan, or take the approval back",
		Long: `Shows a plan and writes beside it that you approve it: who you are for AWS, the plan's ID, until when. Nothing is changed.
A policy says how many people must approve (docs/policy.md). --revoke takes it back, also while the plan is being carried out.`,
		Example: "  unjam approve web.plan.json\n  unjam approve web.plan.json --sign-with ~/.ssh/id_ed25519.pub\n  unjam approve web.plan.json --revoke",
		Args:    oneArg("plan FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if expires <= 0 || expires > maxApproval {
				return usagef("--expires is %s, want up to %s, for example 8h", expires, maxApproval)
			}
			if strings.ContainsAny(comment, "\r\n") {
				return usagef("--comment has more than one line")
			}
			p, err := readPlan(args[0])
			if err != nil {
				return err
			}
			if !revoke && time.Now().After(p.ExpiresAt) {
				return codeError{code: exitRefused, err: fmt.Errorf("approve %s: the plan expired for starting at %s", args[0], p.ExpiresAt.UTC().Format(time.RFC3339)), next: "unjam plan TARGET --out FILE"}
			}
			o := app.Approve{Plan: p, File: args[0], Expires: expires, Comment: comment, Signer: signer, Revoke: revoke}
			if o.Policy, err = e.policy(rules, ""); err != nil {
				return err
			}
			if sign != "" {
				if o.Key, err = e.openKey(sign); err != nil {
					if !exists(sign) {
						return usageError{err}
					}
					return err
				}
				defer o.Key.Close()
			}
			a, err := e.open(cmd.Context())
			if err != nil {
				return err
			}
			defer a.Close()
			if !e.json() && !revoke {
				if err := e.showPlan(p, false, ""); err != nil {
					return err
				}
			}
			given, file, err := a.Approve(cmd.Context(), o)
			if err != nil {
				return err
			}
			if e.json() {
				return report.JSON(e.out, given)
			}
			e.told(given, file, "unjam apply "+args[0]+policyFlag(rules)+" --apply"+accepting(p.Consents()))
			if o.Policy.Approvals.Count == 0 {
				e.say("note: no policy here asks for approvals, so unjam apply does not look at this one (docs/policy.md)")
			}
			return nil
		},
	}
	c.Flags().DurationVar(&expires, "expires", 8*time.Hour, "the approval counts for so `LONG`")
	c.Flags().StringVar(&comment, "comment", "", "a `TEXT` of one line for whoever reads it")
	c.Flags().StringVar(&sign, "sign-with", "", "sign with the SSH key in `KEYFILE`; a .pub file lets ssh-agent sign")
	c.Flags().StringVar(&signer, "signer", "", "`NAME` of the key in the policy's allowed signers (default: your name for AWS)")
	c.Flags().BoolVar(&revoke, "revoke", false, "take back what you have approved")
	c.Flags().StringVar(&rules, "policy", "", "obey the policy `FILE` (else $UNJAM_POLICY, else policy.yaml in the state folder, if it is there)")
	return c
}

// told says what was written and what comes next.
func (e *env) told(a guard.Approval, file, next string) {
	if a.Revokes {
		e.say("\n%s has revoked the approval of plan %s. Under a policy with approvals no further call of it is made.\nSaved to %s.", a.Person, a.PlanID, file)
		return
	}
	e.say("\n%s approves plan %s until %s.\nSaved to %s.\nNext: %s", a.Person, a.PlanID, a.ExpiresAt.Format(time.RFC3339), file, next)
}

// openKey opens a key and asks for its passphrase if there is somebody to ask.
func (e *env) openKey(file string) (*guard.Key, error) {
	var passphrase func() ([]byte, error)
	if e.asks() {
		passphrase = func() ([]byte, error) {
			fmt.Fprintf(e.err, "Passphrase of %s: ", file)
			b, err := term.ReadPassword(int(e.in.Fd()))
			fmt.Fprintln(e.err)
			return b, err
		}
	}
	return guard.OpenKey(file, os.Getenv("SSH_AUTH_SOCK"), passphrase)
}
