package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
)

// How long and how often to look. With Config.Interval set, the interval takes the place of pollFast and pollSlow, and what
// is counted in polls shrinks with it.
const (
	pollFast     = 5 * time.Second
	pollSlow     = 15 * time.Second
	fastFor      = 30 * time.Minute // then pollSlow, unless somebody watches
	defaultGrace = 10 * time.Minute
	maxBackoff   = 12             // polls: a minute
	readPolls    = 120            // polls: 10 minutes of failing reads or refused calls before giving up
	settlePolls  = 6              // polls: 30 seconds until reads can be trusted after a lost reply
	keyPatience  = 72 * time.Hour // without credentials, in all, before the run is left
)

// trouble is why something could not be judged.
type trouble struct {
	class fact.Class
	why   string
}

// look reads what checks are about, and more queries. The snapshot is never nil; the trouble is that of the first gap.
func (r *run) look(ctx context.Context, more []fact.Query, checks ...[]plan.Check) (*fact.Snapshot, trouble) {
	seen := map[string]bool{}
	var queries []fact.Query
	add := func(q fact.Query) {
		if !seen[q.Key()] {
			seen[q.Key()] = true
			queries = append(queries, q)
		}
	}
	for _, list := range checks {
		for _, c := range list {
			add(fact.Query{Scope: c.Ref.Scope, Kind: c.Ref.Kind, ID: c.Ref.ID})
		}
	}
	for _, q := range more {
		add(q)
	}
	s, err := r.Read(ctx, queries)
	if err == nil && s == nil {
		err = errors.New("read facts: no answer")
	}
	if err != nil {
		f := awsapi.Classify(err)
		return fact.NewBuilder(fact.Question{}).Seal(time.Now()), trouble{f.Class, f.Why}
	}
	for _, q := range queries {
		if g, ok := s.GapOf(q); ok {
			return s, trouble{g.Class, g.Why}
		}
	}
	return s, trouble{fact.Failed, "AWS's answer does not say it"}
}

// patient paces looking again: polls, slower while reads fail, with fresh credentials after the old ones ran out.
type patient struct {
	r       *run
	step    string
	start   time.Time
	limit   time.Duration // 0: none. Time without credentials does not count
	fails   int           // in a row
	last    trouble
	expired bool
	lost    time.Duration // time without credentials
}

func (r *run) patient(step string, limit time.Duration) *patient {
	return &patient{r: r, step: step, start: time.Now(), limit: limit}
}

// polls is so many polls as a time.
func (r *run) polls(n int) time.Duration {
	if r.Interval > 0 {
		return time.Duration(n) * r.Interval
	}
	return time.Duration(n) * pollFast
}

// good notes that a look could be judged.
func (p *patient) good() {
	p.works()
	p.fails = 0
}

// works notes that AWS took the credentials.
func (p *patient) works() {
	if p.expired {
		p.r.tell(p.step, Renewed, "the credentials work again", nil)
	}
	p.expired = false
}

// bad notes that it could not, and says so: once for credentials that ran out.
func (p *patient) bad(t trouble) {
	p.last = t
	if t.class != fact.Expired {
		p.fails++
		p.r.tell(p.step, Trouble, t.why, nil)
		return
	}
	if !p.expired {
		p.r.tell(p.step, Expired, "the credentials have run out: run `aws sso login` or renew them where they come from; the run goes on by itself then", nil)
	}
	p.expired = true
}

// over reports whether patience is over.
func (p *patient) over() bool {
	return p.lost >= keyPatience || (p.limit > 0 && time.Since(p.start)-p.lost >= p.limit)
}

// errNoKeys ends a wait for credentials that nobody renewed.
var errNoKeys = errors.New("the credentials were not renewed")

// sleep waits until the next look is due, and, after the credentials ran out, until they were renewed. It returns an error
// when ctx ends, and errNoKeys when patience does.
func (p *patient) sleep(ctx context.Context) error {
	for {
		d := p.pause()
		t := time.NewTimer(d)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
		if !p.expired {
			return nil
		}
		p.lost += d
		if p.r.Renew == nil {
			return nil
		}
		err := p.r.renew(ctx)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if text := err.Error(); text != p.last.why {
			p.last.why = text
			p.r.tell(p.step, Trouble, text, nil)
		}
		if p.lost >= keyPatience {
			return errNoKeys
		}
	}
}

// renew looks for fresh credentials and makes sure that they are of the plan's account: what another account says of a
// connection must never be taken for the truth.
func (r *run) renew(ctx context.Context) error {
	if err := r.Renew(ctx); err != nil {
		return err
	}
	s, err := r.Read(ctx, []fact.Query{{Scope: fact.Scope{Account: r.Account, Region: r.region()}, Kind: fact.KindIdentity}})
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	for who := range fact.All[fact.Identity](s) {
		if who.Account != r.Account {
			return fmt.Errorf("the new credentials are of account %s, the run needs %s", who.Account, r.Account)
		}
		return nil
	}
	for _, g := range s.Gaps() {
		return errors.New(g.Why)
	}
	return errors.New("read identity: no answer")
}

// region is the plan's main Region.
func (r *run) region() string {
	if len(r.Plan.Regions) == 0 {
		return ""
	}
	return r.Plan.Regions[0]
}

func (p *patient) pause() time.Duration {
	d := p.r.polls(1)
	if p.r.Interval <= 0 && !p.r.Watching && time.Since(p.start) >= fastFor {
		d = pollSlow
	}
	if p.expired || p.fails < 2 {
		return d
	}
	return min(d<<min(p.fails-1, 6), p.r.polls(maxBackoff))
}

// seen are the values that checks look at, as far as they were read.
func seen(s *fact.Snapshot, checks []plan.Check) Seen {
	out := Seen{}
	for _, c := range checks {
		if v, ok := value(s, c); ok {
			out[key(c)] = v
		}
	}
	return out
}

func key(c plan.Check) string {
	if c.Field == "" {
		return c.Ref.ID
	}
	return c.Field
}

func value(s *fact.Snapshot, c plan.Check) (string, bool) {
	if _, gone := s.Absence(c.Ref); gone {
		return "absent", true
	}
	f, ok := fact.Get[fact.Fielder](s, c.Ref)
	if !ok {
		return "", false
	}
	v, _ := f.Field(c.Field)
	return v, true
}

// was describes a check that does not hold: what was relied on and what is there now.
func was(s *fact.Snapshot, c plan.Check) string {
	v, ok := value(s, c)
	if !ok || c.Op == plan.Absent {
		return c.String()
	}
	return fmt.Sprintf("%s: wanted %s, found %q", c.Ref.ID, c, v)
}
