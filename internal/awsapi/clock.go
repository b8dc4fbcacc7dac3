package awsapi

import (
	"net/http"
	"sync"
	"time"
)

// clock compares this machine's clock with AWS's, by the Date of replies.
type clock struct {
	mu    sync.Mutex
	known bool
	skew  time.Duration
}

// dateStep is how coarse the Date of a reply is: whole seconds (RFC 9110, "Date").
const dateStep = time.Second

// see notes the Date of a reply to a request sent and received at times of this machine. AWS wrote it somewhere in between: what
// that leaves open counts as no difference.
func (c *clock) see(h http.Header, sent, received time.Time) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	var skew time.Duration
	switch {
	case sent.Sub(date.Add(dateStep)) > 0:
		skew = sent.Sub(date.Add(dateStep))
	case date.Sub(received) > 0:
		skew = -date.Sub(received)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew, c.known = skew, true
}

// Skew is how far this machine's clock is ahead of AWS's, by the last reply; negative: behind. It is right to a second or so, and
// 0 where the difference is less than that. False: no reply has come yet, or none with a Date.
func (s *Session) Skew() (time.Duration, bool) {
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	return s.clock.skew, s.clock.known
}
