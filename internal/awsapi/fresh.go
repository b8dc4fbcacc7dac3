package awsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/unjam/unjam/internal/fact"
)

// How long AWS may refuse what it would allow: IAM is eventually consistent, and a role that was made or changed a moment ago may not
// be known everywhere. AWS gives no number (docs/aws-facts.md, "Fresh sessions"); these are the program's own.
const (
	freshFor      = 60 * time.Second  // a session of a role that this program has assumed so long ago or less is fresh
	freshPatience = 120 * time.Second // reads refused to a fresh session are asked for again until it is so old
)

// freshBackoff is the pause before a refused read is asked for again: 1 s doubling up to 16 s.
func freshBackoff(refusals int) time.Duration {
	return time.Second << min(max(refusals-1, 0), 4)
}

type atOnceKey struct{}

// AtOnce makes refusals count at once, also those of a fresh session: for reads that are worth no waiting.
func AtOnce(ctx context.Context) context.Context {
	return context.WithValue(ctx, atOnceKey{}, true)
}

// note remembers since when the keys are in use.
func (r *renewable) note(c aws.Credentials, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.key != c.AccessKeyID {
		r.key, r.source, r.at, r.told = c.AccessKeyID, c.Source, now, false
	}
}

// since is when the keys of now came into use.
func (r *renewable) since() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

// freshUntil is until when a refusal received now may be a session's youth; the zero time when it counts at once. Only sessions
// that this program got by AssumeRole are fresh ones: of keys that somebody else hands out, nobody knows the age.
func (r *renewable) freshUntil(now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.source != stscreds.ProviderName || now.Sub(r.at) >= freshFor {
		return time.Time{}
	}
	return r.at.Add(freshPatience)
}

// first reports whether this is the first wait with the keys of now.
func (r *renewable) first() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.told
	r.told = true
	return !was
}

// youth follows the refusals of one call.
type youth struct {
	until    time.Time
	refusals int
}

// again waits and reports whether a refused call is to be made again: a read, refused to a fresh session, and not by an explicit
// deny, which no spreading of permissions turns round.
func (s *Session) again(ctx context.Context, y *youth, err error) bool {
	if _, read := ctx.Value(replyKey{}).(*Reply); !read || s.alone || ctx.Value(atOnceKey{}) != nil {
		return false
	}
	f := Classify(err)
	if f.Kind != Refused || f.Client {
		return false
	}
	if d, ok := fact.ParseDenial(f.Message); ok && d.Explicit {
		return false
	}
	now := time.Now()
	if y.until.IsZero() {
		if y.until = s.creds.freshUntil(now); y.until.IsZero() {
			return false
		}
	}
	y.refusals++
	pause := min(freshBackoff(y.refusals), y.until.Sub(now))
	if pause <= 0 {
		return false
	}
	if end, ok := ctx.Deadline(); ok && end.Before(now.Add(pause)) {
		return false // the refusal says more than a deadline that passed
	}
	if s.opts.OnWait != nil && s.creds.first() {
		s.opts.OnWait(y.until)
	}
	return sleep(ctx, pause) == nil
}
