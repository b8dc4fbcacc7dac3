package triggerdead

import (
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// history is what the runs of a pipeline say of pushes.
type history struct {
	pushes       int              // runs that pushes started since the definition was written
	pushesBefore int              // and before
	missed       []fact.Execution // runs since that fetched a commit which no push has brought, oldest first
}

// heard reads the runs that were read. A webhook belongs to the definition: what was before its last update says nothing of it. The first
// commit that is known since is where counting begins: what was pushed before may have come before the update too.
func heard(s *fact.Snapshot, l listener) history {
	var h history
	all := fault.Executions(s, l.pipeline)
	slices.Reverse(all)
	written := l.pipeline.Updated.Truncate(time.Second)
	brought, begun := map[string]bool{}, false
	for _, e := range all {
		if fault.StartedByPush(e) {
			brought[e.Revisions[l.action.Name]] = true
			if e.Started.Before(written) {
				h.pushesBefore++
			} else {
				h.pushes++
			}
		}
	}
	for _, e := range all {
		commit := e.Revisions[l.action.Name]
		if commit == "" {
			continue
		}
		since := !e.Started.Before(written)
		if since && begun && !brought[commit] && !fault.StartedByPush(e) && e.Trigger != "ManualRollback" && e.Trigger != "AutomatedRollback" {
			h.missed = append(h.missed, e)
		}
		brought[commit] = true // by whatever: fetched again it is no news
		begun = begun || since
		if fault.StartedByPush(e) && since {
			h.missed = nil // the hook works, or has come back
		}
	}
	return h
}

// written is when a definition was written beside when its connection was completed.
type written struct {
	pending  bool
	text     string
	evidence []fault.Evidence
	asks     []fact.Query
}

// written reports whether the definition was last written while the connection was not AVAILABLE yet: CloudTrail has a last step of the
// handshake that is later, or the source failed on this very definition since the connection was not available.
func (l listener) written(s *fact.Snapshot, c fact.Connection) written {
	p := l.pipeline
	w := written{asks: append(fault.UpdateAsks(p), fault.AllRunsQuery(p.Ref().Scope, p.Name))}
	if a, err := fact.ParseARN(c.ARN); err == nil {
		w.asks = append(w.asks, fact.Query{Scope: fact.Scope{Account: s.Question().Account, Region: a.Region}, Kind: fact.KindEvent, ID: "UpdateConnectionInstallation"})
	}
	for e := range fact.All[fact.Event](s) {
		if e.Name == "UpdateConnectionInstallation" && e.Connection == c.ARN && e.ErrorCode == "" && e.Time.After(p.Updated) && !w.pending {
			w.pending = true
			w.text = fmt.Sprintf("The definition was last written at %s, and %s completed the connection's handshake at %s.", fault.Stamp(p.Updated), e.Who.Label(), fault.Stamp(e.Time))
			w.evidence = append(w.evidence, fault.Ev(fault.Verified, p, "metadata.updated", fault.Stamp(p.Updated), ""), fault.Ev(fault.Reported, e, e.Name, e.Who.Label(), ""))
		}
	}
	for r := range fact.All[fact.ActionRun](s) {
		if r.Pipeline != p.Name || r.Ref().Scope != p.Ref().Scope || r.Stage != l.stage.Name || r.Action != l.action.Name || r.Version != p.Version ||
			r.Status != "Failed" || fault.Read(r.Error) != fault.SignatureNotAvailable || w.pending {
			continue
		}
		w.pending = true
		w.text = fmt.Sprintf("The source failed at %s on the definition of today, because the connection was not available then.", fault.Stamp(r.Updated))
		e := fault.Ev(fault.Reported, r, p.Name+"/"+r.Stage+"/"+r.Action, r.Status, "Succeeded")
		e.Text = r.Error
		w.evidence = append(w.evidence, e)
	}
	return w
}
