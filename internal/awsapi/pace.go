package awsapi

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// pacer holds back calls so that AWS need not refuse them: one pace per Region and service. A session is one account, so
// the account is not part of the key.
type pacer struct {
	mu    sync.Mutex
	paces map[string]*pace
}

func newPacer() *pacer { return &pacer{paces: map[string]*pace{}} }

// How a pace learns: a refused call halves it, every second in which calls are answered adds growth.
const (
	growth  = 1.0         // calls per second, per second
	slowest = 0.5         // calls per second
	settles = time.Second // AWS counts by the second: for so long a refusal may be the old pace's doing
)

// pace is a token bucket whose rate adapts: it is halved when AWS refuses a call for its rate, and grows again slowly while
// calls are answered (additive increase, multiplicative decrease).
type pace struct {
	head   chan struct{} // held by the first of those who wait
	mu     sync.Mutex
	rate   float64 // calls per second now
	top    float64 // it began with this and never exceeds it
	burst  float64 // calls that may go at once; 1 after the first refusal
	fixed  bool
	tokens float64
	at     time.Time // tokens as of then
	slowed time.Time // when the rate was halved last
	heard  time.Time // when a call was answered last
}

// newPace is the pace a service begins with. Only CloudTrail's limit is public: LookupEvents allows two requests per second
// per account and Region (API_LookupEvents); a bit less and without a burst, so that no second ever sees three, and fixed:
// a refusal then only means that somebody else uses it too. The others publish none, and their limits differ by operation,
// account and hour: the pace begins high and learns.
func newPace(service string) *pace {
	p := &pace{head: make(chan struct{}, 1), rate: 100, burst: 100}
	switch service {
	case "cloudtrail":
		p.rate, p.burst, p.fixed = 1.9, 1, true
	case "iam":
		p.rate, p.burst = 20, 20
	}
	p.top, p.tokens = p.rate, p.burst
	return p
}

// of finds or makes the pace of a service in a Region.
func (p *pacer) of(service, region string) *pace {
	key := service + "/" + region
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.paces[key]
	if one == nil {
		one = newPace(service)
		p.paces[key] = one
	}
	return one
}

// take takes a turn when there is one, and says otherwise how long the next one is away at the rate of now.
func (p *pace) take(now time.Time) (time.Duration, bool) {
	const enough = 1 - 1e-6 // of a token: times are whole nanoseconds
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refill(now)
	if p.tokens >= enough {
		p.tokens--
		return 0, true
	}
	return time.Duration((1 - p.tokens) / p.rate * float64(time.Second)), false
}

func (p *pace) refill(now time.Time) {
	if !p.at.IsZero() {
		p.tokens = min(p.burst, p.tokens+now.Sub(p.at).Seconds()*p.rate)
	}
	p.at = now
}

// answered notes that AWS answered a call.
func (p *pace) answered(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = now
	p.rate = min(p.top, p.rate+growth/p.rate)
}

// refused notes that AWS refused, for its rate, a call sent at a time. Calls sent before the pace was slowed, or right after,
// say nothing about the new pace.
func (p *pace) refused(sent, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fixed || sent.Before(p.slowed.Add(settles)) {
		return
	}
	p.refill(now)
	p.rate, p.burst, p.slowed = max(slowest, p.rate/2), 1, now
	p.tokens = 0
}

// wait returns when the call's turn has come, first come, first served, or at once when it would come after ctx's deadline.
// Turns are not given away ahead of time: those who wait follow the rate as it changes.
func (p *pace) wait(ctx context.Context, service, region string) error {
	if err := p.queue(ctx); err != nil {
		return &notSent{fmt.Errorf("wait for the pace of %s in %s: %w", service, region, err)}
	}
	return nil
}

func (p *pace) queue(ctx context.Context) error {
	select {
	case p.head <- struct{}{}:
		defer func() { <-p.head }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, ok := p.take(time.Now())
		if ok {
			return nil
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
			return context.DeadlineExceeded
		}
		if err := sleep(ctx, d); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// How long a call that AWS refuses for its rate is made again, in later turns. The tries with their pauses take about ten
// seconds, in which the pace finds what is left of the limit. While other calls are answered it is only a matter of turns.
const (
	throttleTries    = 7
	throttleQuiet    = 10 * time.Second // without an answer to any call of the service in the Region
	throttlePatience = 2 * time.Minute
)

// hopeless reports whether a call that was refused so many times, for so long, is given up.
func (p *pace) hopeless(refusals int, since, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Sub(since) >= throttlePatience || refusals >= throttleTries && now.Sub(p.heard) >= throttleQuiet
}

// backoff is the pause after so many refusals: 0.2 s doubling up to 6.4 s, with jitter, so that those refused together do not
// come back together.
func backoff(refusals int) time.Duration {
	d := 100 * time.Millisecond << min(refusals, throttleTries-1)
	return d/2 + rand.N(d)
}

// notSent is the error of a call that ended before it was made.
type notSent struct{ err error }

func (e *notSent) Error() string { return e.err.Error() }
func (e *notSent) Unwrap() error { return e.err }
