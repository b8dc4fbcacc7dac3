package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The numbers at which the breaker opens when no policy says others: what a person can still follow.
const (
	defaultPerRun     = 5   // failed calls of one run
	defaultPerAccount = 30  // calls in one account within an hour
	defaultOverall    = 100 // calls in all accounts within an hour
	defaultRuns       = 20  // runs that called something within an hour
)

// limits are the breaker's numbers with the defaults put in.
func (b Breaker) limits() Breaker {
	fill := func(n *int, otherwise int) {
		if *n <= 0 {
			*n = otherwise
		}
	}
	fill(&b.PerRun, defaultPerRun)
	fill(&b.PerAccount, defaultPerAccount)
	fill(&b.Overall, defaultOverall)
	fill(&b.Runs, defaultRuns)
	return b
}

// breakerGate stops when too much goes wrong or too much is changed: a surge of repairs is an alarm of its own. Processes that count at
// the same moment may pass together, so that a limit can be exceeded by as many calls as there are processes.
func (p Policy) breakerGate(r Request, _ *Admission) error {
	if slices.Contains(r.Accept, OpenBreaker) {
		return nil
	}
	hour, week := r.Now.Add(-time.Hour), r.Now.Add(-7*24*time.Hour)
	since := week
	if r.Plan.CreatedAt.Before(since) && !r.Plan.CreatedAt.IsZero() {
		since = r.Plan.CreatedAt // a run may wait for a person longer than a week
	}
	writes, err := r.Past.Writes(since)
	if err != nil {
		return fmt.Errorf("breaker: %w", err)
	}
	var failed, here, hereBefore, all, allBefore int
	runs, runsBefore := map[string]bool{}, map[string]bool{}
	for _, w := range writes {
		if w.Run == r.Run && r.Run != "" && w.Failed {
			failed++
		}
		switch {
		case w.At.After(hour):
			all++
			if w.Run != r.Run {
				runs[w.Run] = true
			}
			if w.Account == r.Account {
				here++
			}
		case w.At.After(week):
			allBefore++
			runsBefore[w.Run] = true
			if w.Account == r.Account {
				hereBefore++
			}
		}
	}
	limit := p.Breaker.limits()
	var open []string
	surge := func(n, most, before int, what string) {
		if n >= most {
			open = append(open, fmt.Sprintf("%s within an hour: %d, the limit is %d, and in the week before it was %d in all", what, n, most, before))
		}
	}
	if failed >= limit.PerRun {
		open = append(open, fmt.Sprintf("failed calls of this run: %d, the limit is %d", failed, limit.PerRun))
	}
	surge(here, limit.PerAccount, hereBefore, "calls in account "+r.Account)
	surge(all, limit.Overall, allBefore, "calls in all accounts")
	surge(len(runs), limit.Runs, len(runsBefore), "other runs that changed something")
	if len(open) == 0 {
		return nil
	}
	return &Refused{Gate: GateBreaker, Why: "the breaker is open: " + strings.Join(open, "; ") + "; find out what sets off so many repairs; --accept " + OpenBreaker + " lets one process go on", Next: "unjam runs"}
}
