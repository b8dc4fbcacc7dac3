// Package cloud is the kernel every simulated AWS service stands on: accounts, callers, the clock,
// authorisation, the event log and the ledger of calls. It knows no service by name and opens no socket.
package cloud

import (
	"container/heap"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Cloud is one simulated AWS: every account, Region and service in one place, guarded by one lock.
// State is a function of time: nothing runs in the background, due work happens when somebody looks.
type Cloud struct {
	mu       sync.Mutex
	now      time.Time // simulated time while a world replays its history; zero afterwards: wall clock
	queue    queue
	seq      uint64
	ids      uint64
	traces   uint64
	accounts map[string]*Account
	callers  map[string]*Caller // by access key ID
	services map[string]*Service
	events   []Event
	ledger   []Call
	authz    Authorizer
	network  Network
	limits   map[limitKey]int
	observers

	// Lag is how late readers see a write (see Lagged).
	Lag time.Duration
	// Replication is how much later still readers in another Region than the thing's own see a write.
	Replication time.Duration
	// AuthLag is how late a change to roles and policies takes effect for the authoriser (see Lagged.Effective).
	AuthLag time.Duration
	// Trail says how the event history behaves.
	Trail Trail
	// Injections are the errors to inject, tried in order; spent ones are removed.
	Injections []*Injection
	// Latency is added to every call served over HTTP, outside the lock.
	Latency time.Duration
	// PageSize caps every list at so many entries a page whatever the caller asks for; 0 means no cap.
	PageSize int
	// Skew is how far the lab's clock runs ahead of the caller's.
	Skew time.Duration
}

// Trail says how CloudTrail's event history behaves.
type Trail struct {
	Delay       time.Duration // how late an event becomes visible
	NoHandshake bool          // the console's handshake calls are not logged (AWS does not document that they are)
	Off         bool          // nothing is logged at all
	NoReadOnly  bool          // read-only calls are not logged
	Spread      time.Duration // how much later still events become visible, each by a part of it: they do not come in order
	Max         int           // bytes of a request or reply beyond which an event omits it; 0: AWS's limit
}

// New returns an empty cloud: no accounts, no services, wall clock.
func New() *Cloud {
	return &Cloud{
		accounts: map[string]*Account{},
		callers:  map[string]*Caller{},
		services: map[string]*Service{},
		limits:   map[limitKey]int{},
	}
}

// Within runs f holding the lock, with all due work done first. Everything that reads or changes the cloud
// from outside goes through it; services are only ever called from inside it.
func (c *Cloud) Within(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	f()
}

// Now is the lab's present: simulated while history is replayed, the wall clock afterwards.
func (c *Cloud) Now() time.Time {
	if !c.now.IsZero() {
		return c.now
	}
	return time.Now().UTC().Add(c.Skew)
}

// Replay sets the simulated present to t, doing on the way everything that falls due before t, at its own time.
// It never goes back: an earlier t leaves the present as it is.
func (c *Cloud) Replay(t time.Time) {
	if t.Before(c.now) {
		return
	}
	c.runUntil(t)
	c.now = t
}

// Live ends the replay: from now on the wall clock is the present.
func (c *Cloud) Live() {
	if c.now.IsZero() {
		return
	}
	c.runUntil(time.Now().UTC())
	c.now = time.Time{}
}

// At schedules f for time t; f runs with Now() == t, under the lock.
func (c *Cloud) At(t time.Time, f func()) {
	c.seq++
	heap.Push(&c.queue, job{at: t, seq: c.seq, run: f})
}

// After schedules f for d from now.
func (c *Cloud) After(d time.Duration, f func()) { c.At(c.Now().Add(d), f) }

func (c *Cloud) settle() {
	if c.now.IsZero() {
		c.runUntil(c.Now())
		c.now = time.Time{}
	}
}

// runUntil runs everything due up to t, each job at its own simulated time.
func (c *Cloud) runUntil(t time.Time) {
	for len(c.queue) > 0 && !c.queue[0].at.After(t) {
		j := heap.Pop(&c.queue).(job)
		was := c.now
		if j.at.After(c.now) {
			c.now = j.at
		}
		j.run()
		if was.IsZero() {
			c.now = time.Time{}
		}
	}
}

// UUID returns the next identifier: unique in this cloud, the same in every run of the same world.
func (c *Cloud) UUID() string {
	c.ids++
	return uuid(c.ids)
}

// TraceID returns the next identifier of an event, or of a request that a service makes by itself. They are a sequence of their own, so
// that what is logged changes no other identifier.
func (c *Cloud) TraceID() string {
	c.traces++
	return uuid(c.traces + 1<<32)
}

func uuid(n uint64) string {
	x := n * 0x9E3779B97F4A7C15
	y := (n + 0x51ED2701) * 0xBF58476D1CE4E5B9
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", uint32(x>>32), uint16(x>>16), uint16(x)&0xfff, uint16(y>>48)&0xfff, y&0xffffffffffff)
}

type job struct {
	at  time.Time
	seq uint64
	run func()
}

type queue []job

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(job)) }
func (q *queue) Pop() any {
	old := *q
	j := old[len(old)-1]
	*q = old[:len(old)-1]
	return j
}

// Lagged is a value in an eventually consistent store: readers see a write Cloud.Lag late.
type Lagged[T any] struct{ versions []version[T] }

type version[T any] struct {
	at      time.Time
	v       T
	present bool
}

// Set writes v now.
func (l *Lagged[T]) Set(c *Cloud, v T) { l.add(c, version[T]{c.Now(), v, true}) }

// Delete removes the value now; readers go on seeing it for the lag.
func (l *Lagged[T]) Delete(c *Cloud) { l.add(c, version[T]{at: c.Now()}) }

// add appends a version and drops those that no reader can see any more.
func (l *Lagged[T]) add(c *Cloud, v version[T]) {
	l.versions = append(l.versions, v)
	horizon, unseen := c.Now().Add(-max(c.Lag+c.Replication, c.AuthLag)), 0
	for unseen+1 < len(l.versions) && !l.versions[unseen+1].at.After(horizon) {
		unseen++
	}
	l.versions = slices.Delete(l.versions, 0, unseen)
}

// Truth is the value as written last, for the services' own logic; false when there is none.
func (l *Lagged[T]) Truth() (T, bool) {
	if len(l.versions) == 0 {
		var zero T
		return zero, false
	}
	last := l.versions[len(l.versions)-1]
	return last.v, last.present
}

// Seen is the value as a reader sees it now; false when, for the reader, there is none.
func (l *Lagged[T]) Seen(c *Cloud) (T, bool) { return l.asOf(c.Now().Add(-c.Lag)) }

// Abroad is the value as a reader in another Region sees it now.
func (l *Lagged[T]) Abroad(c *Cloud) (T, bool) { return l.asOf(c.Now().Add(-c.Lag - c.Replication)) }

// Effective is the value that is in force for the authoriser now: AuthLag late, and never earlier than readers see it.
func (l *Lagged[T]) Effective(c *Cloud) (T, bool) { return l.asOf(c.Now().Add(-max(c.Lag, c.AuthLag))) }

func (l *Lagged[T]) asOf(horizon time.Time) (T, bool) {
	for i := len(l.versions) - 1; i >= 0; i-- {
		if !l.versions[i].at.After(horizon) {
			return l.versions[i].v, l.versions[i].present
		}
	}
	var zero T
	return zero, false
}
