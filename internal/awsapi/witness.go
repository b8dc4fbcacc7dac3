package awsapi

import (
	"context"
	"sync"

	"github.com/unjam/unjam/internal/fact"
)

// Witness keeps the replies to all reads that were made with its context, as AWS sent them. It is for what must not lose a member:
// the export before a change. Replies may hold secrets.
type Witness struct {
	mu   sync.Mutex
	seen []Seen
}

// Seen is one reply.
type Seen struct {
	Source fact.Source
	Body   []byte
}

type witnessKey struct{}

// WithWitness makes reads with this context tell w.
func WithWitness(ctx context.Context, w *Witness) context.Context {
	return context.WithValue(ctx, witnessKey{}, w)
}

// Testify tells the context's witness, if there is one, of a reply.
func Testify(ctx context.Context, src fact.Source, body []byte) {
	w, ok := ctx.Value(witnessKey{}).(*Witness)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, Seen{src, body})
}

// Seen are the replies so far, in the order in which they came.
func (w *Witness) Seen() []Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Seen(nil), w.seen...)
}
