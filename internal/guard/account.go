package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
)

// accountGate holds the account against the lists. Deny weighs more than allow.
func (p Policy) accountGate(r Request, _ *Admission) error {
	why := ""
	switch {
	case slices.Contains(p.Accounts.Deny, r.Account):
		why = "account %s is on the deny list of %s"
	case len(p.Accounts.Allow) > 0 && !slices.Contains(p.Accounts.Allow, r.Account):
		why = "account %s is not on the allow list of %s"
	default:
		return nil
	}
	return &Refused{Gate: GateAccount, Why: fmt.Sprintf(why, r.Account, p.name), Next: "ask whoever keeps " + p.name}
}

func (p Policy) production(account string) (Production, bool) {
	i := slices.IndexFunc(p.Accounts.Production, func(prod Production) bool { return prod.ID == account })
	if i < 0 {
		return Production{}, false
	}
	return p.Accounts.Production[i], true
}

// Production reports whether something may be changed in an account only after a person has named it: Request.Alias decides how.
func (p Policy) Production(account string) bool { return !p.notProduction(account) }

// Tagged reports whether the policy looks at the account's tags: Request.Tags.
func (p Policy) Tagged() bool { return p.Accounts.Sandbox.Tag != "" }

// Confirms is what a person must type before something is changed in an account: its alias, or its ID when it has none; "" when nothing.
// known: AWS has said the alias.
func (p Policy) Confirms(account, alias string, known bool) string {
	prod, ok := p.production(account)
	switch {
	case !ok:
		return ""
	case prod.Alias != "":
		return prod.Alias
	case known && alias != "":
		return alias
	}
	return account
}

// confirmGate wants the account named by the person, and AWS and the policy to agree on its name.
func (p Policy) confirmGate(r Request, _ *Admission) error {
	prod, ok := p.production(r.Account)
	if !ok {
		return nil
	}
	if r.AliasKnown && prod.Alias != "" && r.Alias != prod.Alias {
		return &Refused{Gate: GateAlias, Why: fmt.Sprintf("%s calls account %s %q, AWS says its alias is %q", p.name, r.Account, prod.Alias, r.Alias), Next: "ask whoever keeps " + p.name}
	}
	want := p.Confirms(r.Account, r.Alias, r.AliasKnown)
	switch {
	case r.Confirm == want:
		return nil
	case r.Confirm == "":
		return &Refused{Gate: GateConfirm, Why: fmt.Sprintf("account %s is production: name it", r.Account), Next: "--confirm-account " + want}
	}
	return &Refused{Gate: GateConfirm, Why: fmt.Sprintf("%q was typed, account %s is %q", r.Confirm, r.Account, want), Next: "unjam whoami"}
}

// Shape is what plans of one kind have in common: who does what in which order, without names. What repeats, for the second pipeline for
// example, counts once, so that a rehearsal with one pipeline stands for a repair of ten.
func Shape(p plan.Plan) fact.Digest {
	type part struct {
		Kind               plan.Kind
		Service, Operation string
		Verdict            string
		Patched            bool
	}
	var all []part
	for _, s := range p.Steps {
		one := part{Kind: s.Kind, Verdict: s.Verdict}
		if s.Do != nil {
			one.Service, one.Operation, one.Patched = s.Do.Service, s.Do.Operation, len(s.Do.Patch) > 0
		}
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return fact.DigestOf(all)
}

func (p Policy) sandboxed(account string, tags map[string]string) bool {
	key, value, _ := strings.Cut(p.Accounts.Sandbox.Tag, "=")
	if got, there := tags[key]; key != "" && there && got == value {
		return p.notProduction(account)
	}
	return slices.Contains(p.Accounts.Sandbox.Accounts, account)
}

func (p Policy) notProduction(account string) bool {
	_, ok := p.production(account)
	return !ok
}

// sandboxGate wants a plan of the same shape to have been done in a sandbox before. A rollback needs no rehearsal: it takes back what
// was let pass.
func (p Policy) sandboxGate(r Request, a *Admission) error {
	sandbox := p.Accounts.Sandbox
	a.Sandbox = p.sandboxed(r.Account, r.Tags)
	if !sandbox.Required || a.Sandbox || r.Plan.Undoes != "" {
		return nil
	}
	within := time.Duration(sandbox.Within)
	if within == 0 {
		within = defaultWithin
	}
	runs, err := r.Past.Shapes(r.Now.Add(-within))
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	shape := Shape(r.Plan)
	for _, run := range runs {
		rehearsed := slices.Contains(sandbox.Accounts, run.Account) || run.Sandbox && p.notProduction(run.Account)
		if run.Done && run.Shape == shape && rehearsed && !run.At.Before(r.Now.Add(-within)) {
			return nil
		}
	}
	where := strings.Join(sandbox.Accounts, ", ")
	if sandbox.Tag != "" {
		where = strings.TrimPrefix(where+" or one with the tag "+sandbox.Tag, " or ")
	}
	return &Refused{Gate: GateSandbox, Why: fmt.Sprintf("no run of a plan of this shape was done in a sandbox account (%s) within %s", where, within), Next: "unjam fix TARGET --apply with a --profile of the sandbox"}
}
