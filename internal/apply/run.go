package apply

import (
	"context"
	"sync"
	"time"

	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
)

// run is one process's work on a run.
type run struct {
	Config
	id        string
	resumed   bool
	consented journal.Consent   // what the gates let pass
	state     journal.State     // as this process found it; never changed
	results   map[string]result // of steps that ended; schedule's own
	talk      sync.Mutex        // one event at a time
}

// result is what a step came to. A result with err ends the whole run: the journal cannot be written.
type result struct {
	status  journal.Status
	message string
	outputs map[string]string
	err     error
}

// schedule runs every step whose predecessors are done or skipped, independent ones at the same time, so that a wait for a
// person holds up nothing that does not need it. It returns when nothing more can be done.
func (r *run) schedule(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type ended struct {
		id string
		result
	}
	ends := make(chan ended)
	begun := map[string]bool{}
	active := 0
	var broken error
	for {
		for _, s := range r.Plan.Steps {
			if begun[s.ID] || broken != nil || ctx.Err() != nil || !r.ready(s) {
				continue
			}
			begun[s.ID] = true
			active++
			go func() { ends <- ended{s.ID, r.step(ctx, s)} }()
		}
		if active == 0 {
			return broken
		}
		e := <-ends
		active--
		r.results[e.id] = e.result
		if e.err != nil && broken == nil {
			broken = e.err
			cancel(broken)
		}
	}
}

// ready reports whether a step has not ended and all it comes after is done or skipped.
func (r *run) ready(s plan.Step) bool {
	if _, over := r.results[s.ID]; over {
		return false
	}
	for _, a := range s.After {
		if !r.results[a].status.Over() {
			return false
		}
	}
	return true
}

// record writes an entry and, when it is on the disk, tells it. data nil: the message alone.
func (r *run) record(step string, kind journal.Kind, name Name, message string, data, told any) error {
	if data == nil {
		data = journal.Note{Message: message}
	}
	e, err := r.Journal.Append(journal.Entry{Run: r.id, Step: step, By: r.By, Event: kind}, data)
	if err != nil {
		return err
	}
	r.emit(Event{At: e.At, Step: step, Event: name, Message: message, Data: told})
	return nil
}

// tell tells something that is not worth an entry.
func (r *run) tell(step string, name Name, message string, data any) {
	r.emit(Event{At: time.Now().UTC(), Step: step, Event: name, Message: message, Data: data})
}

func (r *run) emit(e Event) {
	if r.Events == nil {
		return
	}
	e.Schema, e.Run = EventSchema, r.id
	r.talk.Lock()
	defer r.talk.Unlock()
	r.Events(e)
}
