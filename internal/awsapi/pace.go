package awsapi

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/time/rate"
)

// pacer holds back calls so that AWS need not refuse them: one token bucket per Region and service. A session is one
// account, so the account is not part of the key.
type pacer struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newPacer() *pacer { return &pacer{buckets: map[string]*rate.Limiter{}} }

// limits are calls per second and burst for a service, by signing name. Only CloudTrail's number is public: LookupEvents
// allows two requests per second per account and Region (API_LookupEvents); without a burst, so that no second ever sees
// three. The others publish none; these are guesses on the safe side for an interactive account, and a refused call is
// repeated.
func limits(service string) (perSecond rate.Limit, burst int) {
	switch service {
	case "cloudtrail":
		return 1.9, 1
	case "iam":
		return 10, 20
	}
	return 20, 40
}

// wait returns when the call's turn has come, or at once when it would come after ctx's deadline.
func (p *pacer) wait(ctx context.Context, service, region string) error {
	key := service + "/" + region
	p.mu.Lock()
	b := p.buckets[key]
	if b == nil {
		b = rate.NewLimiter(limits(service))
		p.buckets[key] = b
	}
	p.mu.Unlock()
	if err := b.Wait(ctx); err != nil {
		end := ctx.Err()
		if end == nil {
			end = context.DeadlineExceeded // it would end before the turn comes
		}
		return &notSent{fmt.Errorf("wait for the pace of %s in %s: %w", service, region, end)}
	}
	return nil
}

// notSent is the error of a call that ended before it was made.
type notSent struct{ err error }

func (e *notSent) Error() string { return e.err.Error() }
func (e *notSent) Unwrap() error { return e.err }
