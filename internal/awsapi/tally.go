package awsapi

import (
	"maps"
	"sync"
)

// Tally counts HTTP exchanges with AWS: retries count, calls that never left do not.
type Tally struct {
	Total       int
	ByOperation map[string]int // by "service:Operation", service by its signing name
}

type tally struct {
	mu sync.Mutex
	by map[string]int
}

func (t *tally) count(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string]int{}
	}
	t.by[key]++
}

// Tally is the count so far.
func (s *Session) Tally() Tally {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	out := Tally{ByOperation: map[string]int{}}
	maps.Copy(out.ByOperation, s.tally.by)
	for _, n := range out.ByOperation {
		out.Total += n
	}
	return out
}
