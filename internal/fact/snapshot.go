package fact

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Digest is a SHA-256 in the form "sha256:<hex>".
type Digest string

// DigestOf is the digest of v's JSON form. Only for values that always marshal: a failure is a programming error.
func DigestOf(v any) Digest {
	b, err := json.Marshal(v)
	if err != nil {
		panic("fact: value does not marshal: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// Snapshot is everything known for one question. It is sealed: nothing in it changes.
type Snapshot struct {
	question Question
	at       time.Time
	facts    []Fact
	byType   map[reflect.Type][]Fact
	byRef    map[Ref][]Fact
	absent   map[Ref]Absent
	covered  map[string]Coverage
	gaps     []Gap
}

// Builder collects facts for a Snapshot. It is not safe for concurrent use.
type Builder struct {
	question Question
	facts    []Fact
	absent   []Absent
	covered  []Coverage
	gaps     []Gap
}

// NewBuilder starts an empty snapshot for a question.
func NewBuilder(q Question) *Builder { return &Builder{question: q} }

// Add adds a fact; an Absent is kept apart.
func (b *Builder) Add(facts ...Fact) {
	for _, f := range facts {
		if a, ok := f.(Absent); ok {
			b.absent = append(b.absent, a)
			continue
		}
		b.facts = append(b.facts, f)
	}
}

// Cover notes that a query was answered to its end.
func (b *Builder) Cover(q Query) { b.covered = append(b.covered, Coverage{Query: q}) }

// CoverBy is Cover with the last reply.
func (b *Builder) CoverBy(q Query, last Source) {
	b.covered = append(b.covered, Coverage{Query: q, Last: last})
}

// Miss notes a gap.
func (b *Builder) Miss(g Gap) { b.gaps = append(b.gaps, g) }

// Seal makes the Snapshot as of the time at. The Builder may go on and seal again.
func (b *Builder) Seal(at time.Time) *Snapshot {
	s := &Snapshot{
		question: b.question, at: at.UTC(), facts: slices.Clone(b.facts),
		byType: map[reflect.Type][]Fact{}, byRef: map[Ref][]Fact{}, absent: map[Ref]Absent{}, covered: map[string]Coverage{},
		gaps: slices.Clone(b.gaps),
	}
	slices.SortStableFunc(s.facts, func(x, y Fact) int {
		if c := x.Ref().Compare(y.Ref()); c != 0 {
			return c
		}
		return x.Source().At.Compare(y.Source().At)
	})
	for _, f := range s.facts {
		t := reflect.TypeOf(f)
		s.byType[t] = append(s.byType[t], f)
		s.byRef[f.Ref()] = append(s.byRef[f.Ref()], f)
	}
	for _, a := range b.absent {
		s.absent[a.Ref()] = a
	}
	for _, c := range b.covered {
		s.covered[c.Query.Key()] = c
	}
	slices.SortStableFunc(s.gaps, func(x, y Gap) int { return strings.Compare(x.Query.Key(), y.Query.Key()) })
	return s
}

// At is when the snapshot was sealed: "now" for judging, UTC.
func (s *Snapshot) At() time.Time { return s.at }

// Question is what was asked.
func (s *Snapshot) Question() Question { return s.question }

// Gaps are what could not be seen, in a stable order.
func (s *Snapshot) Gaps() []Gap { return slices.Clone(s.gaps) }

// All yields every fact of one type, in Ref order; observations of one Ref come oldest first.
func All[T Fact](s *Snapshot) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, f := range s.byType[reflect.TypeFor[T]()] {
			if !yield(f.(T)) {
				return
			}
		}
	}
}

// Get returns the newest observation of a Ref as type T.
func Get[T Fact](s *Snapshot, r Ref) (T, bool) {
	all := s.byRef[r]
	for i := len(all) - 1; i >= 0; i-- {
		if t, ok := all[i].(T); ok {
			return t, true
		}
	}
	var zero T
	return zero, false
}

// Absence returns AWS's word that a thing does not exist, if it was given and no later observation saw the thing.
func (s *Snapshot) Absence(r Ref) (Absent, bool) {
	a, ok := s.absent[r]
	if !ok {
		return a, false
	}
	for _, f := range s.byRef[r] {
		if f.Source().At.After(a.Source().At) {
			return Absent{}, false
		}
	}
	return a, true
}

// Answered reports whether a query was answered to its end.
func (s *Snapshot) Answered(q Query) bool {
	_, ok := s.covered[q.Key()]
	return ok
}

// LastReply is the last reply to a query that was answered to its end; the zero Source where it is not known.
func (s *Snapshot) LastReply(q Query) Source { return s.covered[q.Key()].Last }

// Settled reports whether a query was answered or has become a gap: there is no use in asking again.
func (s *Snapshot) Settled(q Query) bool {
	if s.Answered(q) {
		return true
	}
	_, ok := s.GapOf(q)
	return ok
}

// GapOf returns the gap a query left.
func (s *Snapshot) GapOf(q Query) (Gap, bool) {
	k := q.Key()
	for _, g := range s.gaps {
		if g.Query.Key() == k {
			return g, true
		}
	}
	return Gap{}, false
}

// Content is the digest of what was seen, without times and request IDs of the replies.
func (s *Snapshot) Content() Digest {
	type entry struct {
		Ref  Ref
		Type string
		Body json.RawMessage
	}
	var all []entry
	for _, f := range s.facts {
		all = append(all, entry{f.Ref(), reflect.TypeOf(f).Name(), stripped(f)})
	}
	for r := range s.absent {
		all = append(all, entry{r, "Absent", nil})
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		if c := a.Ref.Compare(b.Ref); c != 0 {
			return c
		}
		if c := strings.Compare(a.Type, b.Type); c != 0 {
			return c
		}
		return strings.Compare(string(a.Body), string(b.Body))
	})
	all = slices.CompactFunc(all, func(a, b entry) bool {
		return a.Ref == b.Ref && a.Type == b.Type && string(a.Body) == string(b.Body)
	})
	type gap struct {
		Key   string
		Class Class
	}
	var gaps []gap
	for _, g := range s.gaps {
		gaps = append(gaps, gap{g.Query.Key(), g.Class})
	}
	return DigestOf(struct {
		Question Question
		Facts    []entry
		Gaps     []gap
	}{s.question, all, gaps})
}

// stripped is a fact's JSON without its Source.
func stripped(f Fact) json.RawMessage {
	b, err := json.Marshal(f)
	if err != nil {
		panic("fact: fact does not marshal: " + err.Error())
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		panic("fact: fact is not an object: " + err.Error())
	}
	delete(m, "from")
	b, err = json.Marshal(m)
	if err != nil {
		panic("fact: fact does not marshal: " + err.Error())
	}
	return b
}
