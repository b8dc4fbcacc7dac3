package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/plan"
)

// policy reads the policy: of the flag, else UNJAM_POLICY, else the one that a run was begun under, else policy.yaml in the state folder;
// the zero one when there is none. One that is named must be there.
func (e *env) policy(flag, begun string) (guard.Policy, error) {
	home, err := e.homeDir()
	if err != nil {
		return guard.Policy{}, err
	}
	file := filepath.Join(home, "policy.yaml")
	named := flag != "" || os.Getenv("UNJAM_POLICY") != "" || begun != ""
	switch {
	case flag != "":
		file = flag
	case os.Getenv("UNJAM_POLICY") != "":
		file = os.Getenv("UNJAM_POLICY")
	case named:
		file = begun
	}
	p, err := guard.LoadPolicy(file)
	if !named && errors.Is(err, fs.ErrNotExist) && !exists(file) {
		return guard.Policy{}, nil
	}
	if err != nil {
		return guard.Policy{}, usageError{fmt.Errorf("%w; nothing was changed", err)}
	}
	return p, nil
}

// policyFlag is the flag that names a policy again, with a space before it.
func policyFlag(file string) string {
	if file == "" {
		return ""
	}
	return " --policy " + shellWord(file)
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// rules reads the policy, takes from it what no flag says, and asks a person at a terminal to name a production account.
func (e *env) rules(how *applyFlags, p plan.Plan) (guard.Policy, error) {
	rules, err := e.policy(how.policy, how.begun)
	if err != nil {
		return rules, err
	}
	if how.repo == "" {
		how.repo = rules.ExportRepo
	}
	if len(how.encrypt) == 0 {
		how.encrypt = rules.EncryptTo
	}
	if how.confirm == "" && rules.Production(p.Account) && e.asks() {
		fmt.Fprintf(e.err, "Account %s is production. Type its alias, or its ID if it has none, to change it: ", p.Account)
		line, err := bufio.NewReader(e.in).ReadString('\n')
		if err != nil {
			return rules, fmt.Errorf("read the account's name: %w", err)
		}
		how.confirm = strings.TrimSpace(line)
	}
	return rules, nil
}

// closed tells which gates of the policy would refuse a plan that is only shown, and gives what comes before its next command. A consent
// that is missing stands in that command.
func (e *env) closed(ctx context.Context, p plan.Plan, how applyFlags) (before string, err error) {
	rules, err := e.policy(how.policy, how.begun)
	if err != nil || !rules.Exists() {
		return "", err
	}
	j, err := e.journal()
	if err != nil {
		return "", err
	}
	defer j.Close()
	a, err := e.open(ctx)
	if err != nil {
		return "", err
	}
	defer a.Close()
	err = a.Gates(ctx, app.Apply{Plan: p, Journal: j, Accept: append(p.Consents(), how.accept...), Policy: rules, PlanFile: how.file, Confirm: how.confirm})
	gates := guard.Refusals(err)
	if err != nil && len(gates) == 0 {
		return "", err
	}
	var lines []string
	for _, g := range gates {
		switch {
		case g.Gate == guard.GateConfirm && e.asks():
			continue // it will be asked
		case g.Gate == guard.GateApproval && how.file != "":
			before = "unjam approve " + shellWord(how.file) + policyFlag(how.policy) + "; then "
		}
		if line := "  - " + g.Error(); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 {
		e.say("\nThe policy would refuse it now:\n%s", strings.Join(lines, "\n"))
	}
	return before, nil
}

// refusedBy is the error of closed gates: all of them at once, and what to type to get further.
func refusedBy(gates []*guard.Refused, planFile, run string) error {
	var why, flags, next []string
	for _, g := range gates {
		why = append(why, g.Error())
		n := g.Next
		if approve, ok := strings.CutPrefix(n, "unjam approve FILE"); ok && planFile != "" {
			n = "unjam approve " + planFile + approve
		} else if ok && run == "" {
			n = "unjam plan TARGET --out FILE; then unjam approve FILE" + approve + "; then unjam apply FILE --apply"
		}
		switch {
		case strings.HasPrefix(n, "--"):
			flags = append(flags, n)
		case n != "" && !slices.Contains(next, n):
			next = append(next, n)
		}
	}
	if len(flags) > 0 {
		next = append(next, "the same command with "+strings.Join(flags, " "))
	}
	return codeError{code: exitRefused, err: errors.New(strings.Join(why, "; ")), next: strings.Join(next, "; then ")}
}
