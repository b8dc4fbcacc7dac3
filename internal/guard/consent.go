package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/plan"
)

// Consents beside those of steps (plan.Step.Consent).
const (
	NoWindow    = "no-window" // DNS, certificates and TLS outside of a window, where no policy defines one
	OpenBreaker = "breaker"   // one process may go on although the breaker is open
)

// consentGate wants a consent by name for every step that cannot be taken back, and refuses names that fit nothing.
func (p Policy) consentGate(r Request, a *Admission) error {
	var against []error
	needed := r.Plan.Consents()
	for _, s := range r.Plan.Steps {
		name := s.Consent()
		if name != "" && !slices.Contains(r.Accept, name) && slices.Contains(needed, name) {
			needed = slices.DeleteFunc(needed, func(n string) bool { return n == name }) // said once
			against = append(against, &Refused{Gate: GateConsent, Why: s.Unconsented(), Next: "--accept " + name})
		}
	}
	possible := r.Plan.Consents()
	for _, s := range r.Plan.Steps {
		if s.Kind == plan.Call && s.Do != nil && s.Undo == nil && !slices.Contains(possible, "one-way:"+s.Do.Operation) {
			possible = append(possible, "one-way:"+s.Do.Operation) // not needed this time
		}
	}
	possible = append(possible, NoWindow, OpenBreaker)
	for _, name := range r.Accept {
		switch {
		case !slices.Contains(possible, name):
			against = append(against, &Refused{Gate: GateConsent, Why: fmt.Sprintf("--accept %s fits no step of this plan; it knows %s", name, strings.Join(possible, ", ")), Next: "the same command without it"})
		case name != OpenBreaker && !slices.Contains(a.Accepted, name):
			a.Accepted = append(a.Accepted, name)
		}
	}
	return errors.Join(against...)
}

// callTimeout is how long one call may take (internal/apply).
const callTimeout = time.Minute

// kindsOf are the kinds of windows that a step needs: those that its reason names, else one for everything.
func kindsOf(s plan.Step) []string {
	var kinds []string
	reason := strings.ToLower(s.Window)
	for word, kind := range map[string]string{"dns": "dns", "certificate": "certificates", "tls": "tls"} {
		if strings.Contains(reason, word) {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		kinds = []string{"all"}
	}
	slices.Sort(kinds)
	return kinds
}

func (p Policy) serving(kind, account string) []Window {
	var all []Window
	for _, w := range p.Windows {
		if w.serves(kind, account) {
			all = append(all, w)
		}
	}
	return all
}

// windowsExist refuses a plan with steps that need a window where none can ever open.
func (p Policy) windowsExist(r Request, _ *Admission) error {
	var against []error
	for _, s := range r.Plan.Steps {
		if err := p.lacksWindow(r, s); err != nil {
			against = append(against, err)
		}
	}
	return errors.Join(against...)
}

// lacksWindow refuses a step that needs a window for which the policy has none. Only where there are no windows at all may a consent
// stand in.
func (p Policy) lacksWindow(r Request, s plan.Step) error {
	if s.Kind != plan.Call || s.Window == "" {
		return nil
	}
	lacking := slices.DeleteFunc(kindsOf(s), func(kind string) bool { return len(p.serving(kind, r.Account)) > 0 })
	switch {
	case len(lacking) == 0:
		return nil
	case len(p.Windows) > 0:
		why := fmt.Sprintf("step %s needs a maintenance window (%s), and %s has none for %s in account %s", s.ID, s.Window, p.name, strings.Join(lacking, " and "), r.Account)
		return &Refused{Gate: GateWindow, Why: why, Next: "ask whoever keeps " + p.name}
	case slices.Contains(r.Accept, NoWindow):
		return nil
	}
	return &Refused{Gate: GateWindow, Why: fmt.Sprintf("step %s needs a maintenance window (%s), and no policy defines one", s.ID, s.Window), Next: "--accept " + NoWindow}
}

// windowGate refuses a call outside its windows, and one that may outlive them. A call without a reason of its own for a window is bound
// by the windows for everything, if the account has any.
func (p Policy) windowGate(r Request, s plan.Step) error {
	if err := p.lacksWindow(r, s); err != nil {
		return err
	}
	var against []error
	for _, kind := range kindsOf(s) {
		if all := p.serving(kind, r.Account); len(all) > 0 {
			if err := closed(r, s, kind, all); err != nil {
				against = append(against, err)
			}
		}
	}
	return errors.Join(against...)
}

// closed refuses a step for which the windows are not open, or not for long enough.
func closed(r Request, s plan.Step, kind string, all []Window) error {
	need := max(s.Patience, callTimeout)
	end := openUntil(all, r.Now)
	if end.Sub(r.Now) >= need {
		return nil
	}
	refused := &Refused{Gate: GateWindow, Opens: opens(all, r.Now, need)}
	if end.IsZero() {
		refused.Why = fmt.Sprintf("no maintenance window for %s is open in account %s", kind, r.Account)
	} else {
		refused.Why = fmt.Sprintf("step %s may take %s, and the maintenance window closes at %s", s.ID, need, stamp(end))
	}
	if refused.Opens.IsZero() {
		refused.Why += fmt.Sprintf("; none that is as long as %s opens again", need)
	} else {
		refused.Why += "; the next one opens at " + stamp(refused.Opens)
		refused.Next = "unjam resume RUN --apply, from then on"
	}
	return refused
}
