package guard

import (
	"errors"
	"fmt"
	"github.com/unjam/unjam/internal/fact"
	"slices"
	"strings"
	"time"
)

// approvalGate counts the people who approve the plan. Each must be another person and another signer than the others; under fourEyes
// also than who made and who runs the plan.
func (p Policy) approvalGate(r Request, a *Admission) error {
	want := p.Approvals.Count
	if want == 0 {
		return nil
	}
	if p.Approvals.AllowedSigners != "" && !p.trusted {
		return errors.New("approval: the file of allowed signers was not read, so no signature can be believed")
	}
	if err := p.unnamed(r); err != nil {
		return err
	}
	var people, taken, why []string
	for _, s := range r.Approvals {
		if s.Revokes {
			continue
		}
		names, err := p.counts(r, s)
		if err != nil {
			why = append(why, fmt.Sprintf("%s: %s", s.File, err))
			continue
		}
		if slices.ContainsFunc(names, func(n string) bool { return isAmong(taken, n) }) {
			continue // the same person again
		}
		people, taken = append(people, string(s.Person)), append(taken, names...)
	}
	if len(people) >= want {
		a.Approvals = people
		return nil
	}
	text := fmt.Sprintf("plan %s needs the approval of %s, it has %d", r.Plan.ID, peopleOf(want), len(people))
	if len(why) > 0 {
		text += "; these do not count: " + strings.Join(why, "; ")
	}
	return &Refused{Gate: GateApproval, Why: text, Next: p.approveWith()}
}

func peopleOf(n int) string {
	if n == 1 {
		return "one person"
	}
	return fmt.Sprintf("%d people", n)
}

func (p Policy) approveWith() string {
	next := "unjam approve FILE"
	if p.Approvals.AllowedSigners != "" {
		next += " --sign-with KEYFILE"
	}
	if p.Approvals.FourEyes {
		next += "      (by somebody else)"
	}
	return next
}

// unnamed refuses, under fourEyes, a plan made or run by a role that several people can be: nobody could say that the approver is
// somebody else.
func (p Policy) unnamed(r Request) error {
	if !p.Approvals.FourEyes {
		return nil
	}
	for what, who := range map[string]Person{"made": PersonOf(r.Plan.Principal, ""), "run": r.By} {
		machine := slices.ContainsFunc(p.Approvals.Machines, func(m string) bool { return PersonOf(m, "") == who })
		if !machine && !who.One() {
			return &Refused{
				Gate: GateApproval, Why: fmt.Sprintf("four eyes: the plan is %s as %q, which may be anybody", what, who),
				Next: "work as a user of IAM Identity Center or IAM, or list the role under approvals.machines",
			}
		}
	}
	return nil
}

// counts gives all names of who has given an approval, or says why it does not count.
func (p Policy) counts(r Request, s Signed) (names []string, _ error) {
	maxAge := time.Duration(p.Approvals.MaxAge)
	if maxAge == 0 {
		maxAge = defaultMaxAge
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	switch {
	case s.PlanID != r.Plan.ID:
		return nil, fmt.Errorf("it approves another plan, %s", s.PlanID)
	case s.CreatedAt.After(r.Now.Add(clockSlack)):
		return nil, fmt.Errorf("it was made at %s, which has not come yet", stamp(s.CreatedAt))
	case !r.Resumed && !s.ExpiresAt.After(r.Now):
		return nil, fmt.Errorf("it expired at %s", stamp(s.ExpiresAt))
	case !r.Resumed && s.CreatedAt.Add(maxAge).Before(r.Now):
		return nil, fmt.Errorf("it was made at %s, more than %s ago", stamp(s.CreatedAt), maxAge)
	case revoked(r, s):
		return nil, fmt.Errorf("%s has revoked it", s.Person)
	}
	names = []string{string(s.Person)}
	if p.Approvals.AllowedSigners != "" {
		lines, err := p.signers.verify(s.Approval, r.Now)
		if err != nil {
			return nil, err
		}
		names = append(names, lines...)
	} else if got := PersonOf(s.By, ""); got != s.Person {
		return nil, fmt.Errorf("it says to be by %s, and %s is %s", s.Person, s.By, got)
	} else if err := Foreign(s.By, r.Plan.Account); err != nil {
		return nil, err
	}
	for _, requester := range []Person{r.By, PersonOf(r.Plan.Principal, "")} {
		if p.Approvals.FourEyes && isAmong(names, string(requester)) {
			return nil, fmt.Errorf("%s made or runs the plan, and four eyes need somebody else", requester)
		}
	}
	return names, nil
}

// Foreign says why the word of a caller of another account does not count without a signature: anybody with an account could give it. nil
// when the account is the plan's own.
func Foreign(by, account string) error {
	a, err := fact.ParseARN(by)
	if err != nil {
		return fmt.Errorf("it is by %s: %w", by, err)
	}
	if a.Account != account {
		return fmt.Errorf("it is by somebody of account %s, the plan is for account %s: from other accounts only signed approvals count (docs/policy.md, allowedSigners)", a.Account, account)
	}
	return nil
}

func isAmong(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return samePrincipal(n, name) })
}

// revoked reports whether the same person or signer has revoked the approval when or after it was made. A revocation needs no signature:
// stopping must be easy.
func revoked(r Request, s Signed) bool {
	return slices.ContainsFunc(r.Approvals, func(o Signed) bool {
		same := o.Person == s.Person || o.principal() == s.principal()
		return o.Revokes && o.PlanID == s.PlanID && same && !o.CreatedAt.Before(s.CreatedAt)
	})
}
