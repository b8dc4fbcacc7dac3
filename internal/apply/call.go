package apply

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/awsapi/write"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

const (
	callTimeout = time.Minute // of one call, from the intent on; it outlives a stop on request
	maxDoubts   = 3           // lost replies of one step in one process before a person has to look
)

// Token is the client request token of a step: the same for every attempt, of the shape of a UUID.
func Token(planID fact.Digest, step string) string {
	h := sha256.Sum256([]byte("unjam client request token\x00" + string(planID) + "\x00" + step))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // version 8 (free form), RFC 9562
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// call makes a step's call, unless it was made, may have been made or is no longer needed, and waits for its effect.
func (r *run) call(ctx context.Context, s plan.Step, before journal.StepState) result {
	if before.Called {
		return r.effect(ctx, s, before.Outputs)
	}
	doubts := 0
	doubt := before.Open
	if doubt && s.Optional {
		return uncertain()
	}
	p := r.patient(s.ID, r.polls(readPolls))
	for {
		if doubt {
			doubt = false
			doubts++
			happened, res := r.decide(ctx, s, doubts)
			if res.status != "" || res.err != nil {
				return res
			}
			if happened {
				return r.effect(ctx, s, nil)
			}
		}
		if ok, res := r.judge(ctx, s); !ok {
			return res
		}
		if ctx.Err() != nil {
			return stopped()
		}
		if r.Before != nil {
			if err := r.Before(ctx, r.id, s); err != nil {
				return result{status: journal.IsBlocked, message: err.Error()}
			}
		}
		reply, err := r.attempt(ctx, s)
		var refused *write.Refused
		var lost *lostEntry
		switch {
		case err == nil:
			p.works()
			return r.effect(ctx, s, reply.Outputs)
		case errors.As(err, &lost):
			return result{err: lost.err}
		case errors.As(err, &refused):
			if refused.Failure.Class != fact.Expired {
				p.works()
			}
			if !passing(refused.Failure) {
				return r.refused(ctx, s, refused)
			}
			p.bad(trouble{refused.Failure.Class, refused.Failure.Why})
		case s.Optional:
			return uncertain()
		default:
			doubt = true
		}
		if !doubt && p.over() {
			return p.giveUp("the call was refused again and again")
		}
		if p.sleep(ctx) != nil {
			return p.left()
		}
	}
}

// uncertain ends an optional step whose reply was lost: it is not worth a person's look, and it is not repeated.
func uncertain() result {
	return result{status: journal.HasFailed, message: "the reply was lost: nobody knows whether it happened, and it is not repeated"}
}

// effect waits for a call's effect.
func (r *run) effect(ctx context.Context, s plan.Step, outputs map[string]string) result {
	res := r.await(ctx, s)
	res.outputs = outputs
	return res
}

// lostEntry is an entry that could not be written: the run must end.
type lostEntry struct{ err error }

func (e *lostEntry) Error() string { return e.err.Error() }

// attempt makes the call once, between its intent and its outcome. A stop on request waits for it.
func (r *run) attempt(ctx context.Context, s plan.Step) (write.Reply, error) {
	a := *s.Do
	if o, _ := op.Find(a.Service, a.Operation); o.Repeat == op.ByToken {
		a.Input = maps.Clone(a.Input)
		a.Input[write.Token] = Token(r.Plan.ID, s.ID)
	}
	if err := r.record(s.ID, journal.Intent, Call, a.Service+":"+a.Operation, a, a); err != nil {
		return write.Reply{}, &lostEntry{err}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	reply, err := r.Write(ctx, a)
	var refused *write.Refused
	var written error
	switch {
	case err == nil:
		written = r.record(s.ID, journal.Called, Called, "AWS accepted "+a.Operation, journal.Reply{RequestID: reply.RequestID, Outputs: reply.Outputs}, reply)
	case errors.As(err, &refused):
		written = r.record(s.ID, journal.Refused, Refused, err.Error(), nil, nil)
	default:
		written = r.record(s.ID, journal.Doubted, Doubted, err.Error(), nil, nil)
	}
	if written != nil {
		return reply, &lostEntry{written}
	}
	return reply, err
}

// passing reports whether a refused call may be accepted later: AWS is busy or wants it slower, the credentials ran out, or
// the call never reached AWS. ConflictException means that the pipeline is busy (API_RetryStageExecution, "Errors").
func passing(f awsapi.Failure) bool {
	switch f.Kind {
	case awsapi.Rate, awsapi.OldKeys, awsapi.DNS, awsapi.Dial, awsapi.Proxy, awsapi.TLS, awsapi.NoKeys:
		return true
	}
	return f.Code == "ConflictException" || f.Code == "ConcurrentPipelineExecutionsLimitExceededException"
}

// refused ends a step whose call AWS refused for good, unless somebody else was faster: then there is nothing to do, or what
// the step relied on has moved. Reads may lag behind the refusal.
func (r *run) refused(ctx context.Context, s plan.Step, e *write.Refused) result {
	res := result{status: journal.HasFailed, message: e.Error()}
	switch {
	case errors.Is(e, write.ErrMoved):
		res.status = journal.IsStale
	case e.Failure.Kind == awsapi.Refused || e.Failure.Kind == awsapi.Local || len(s.SkipWhen)+len(s.Given) == 0:
		return res
	}
	p := r.patient(s.ID, r.polls(settlePolls))
	for !p.over() {
		snap, _ := r.look(ctx, nil, s.SkipWhen, s.Given)
		switch status, why := verdict(snap, s); status {
		case journal.WasSkipped:
			return result{status: status, message: why}
		case journal.IsStale:
			res = result{status: status, message: why + " (" + e.Error() + ")"}
		}
		if p.sleep(ctx) != nil {
			return res
		}
	}
	return res
}

// decide finds out by reading whether a call of which no outcome is known has happened. Where AWS knows the call by its token one look
// is enough; otherwise reads must say "unchanged" for half a minute, since they lag behind writes. Undecided, a person has to look.
func (r *run) decide(ctx context.Context, s plan.Step, doubts int) (happened bool, _ result) {
	o, _ := op.Find(s.Do.Service, s.Do.Operation)
	p := r.patient(s.ID, r.polls(readPolls))
	unchanged := 0
	for {
		snap, t := r.look(ctx, state(s), s.Given, s.DoneWhen)
		if ctx.Err() != nil {
			return false, stopped()
		}
		switch evidence(snap, s) {
		case plan.Yes:
			p.good()
			again, _ := r.look(ctx, state(s), s.Given, s.DoneWhen)
			if evidence(again, s) == plan.Yes {
				return true, r.decided(s, true, "the call has happened: "+words(again, slices.Concat(s.Given, s.DoneWhen)))
			}
			unchanged = 0
		case plan.No:
			p.good()
			unchanged++
			if o.Repeat == op.ByToken && doubts <= maxDoubts {
				return false, r.decided(s, false, "repeating the call is safe: AWS knows its token")
			}
			if unchanged > settlePolls && doubts <= maxDoubts {
				return false, r.decided(s, false, fmt.Sprintf("nothing has changed for %s: the call did not happen", r.polls(settlePolls)))
			}
		default:
			p.bad(t)
		}
		if p.over() || doubts > maxDoubts && unchanged > settlePolls {
			return false, result{status: journal.InDoubt, message: undecided(s)}
		}
		if p.sleep(ctx) != nil {
			return false, p.left()
		}
	}
}

func (r *run) decided(s plan.Step, happened bool, why string) result {
	if err := r.record(s.ID, journal.Decided, Decided, why, journal.Decision{Happened: happened, Message: why}, nil); err != nil {
		return result{err: err}
	}
	return result{}
}

func undecided(s plan.Step) string {
	return fmt.Sprintf("nobody knows whether %s (%s) has happened: look at %s in the console of %s; resume reads again and repeats nothing before it knows",
		s.Do.Operation, s.Title, s.Target.ID, s.Do.Region)
}

// state is the query for the state of the pipeline that a call is about.
func state(s plan.Step) []fact.Query {
	if s.Do.Service != "codepipeline" {
		return nil
	}
	name := s.Do.Input["pipelineName"]
	if name == "" {
		name = s.Do.Input["name"]
	}
	return []fact.Query{{Scope: fact.Scope{Account: s.Target.Scope.Account, Region: s.Do.Region}, Kind: fact.KindPipelineState, ID: name}}
}

// evidence says whether what is seen now can only be seen after the call (or after somebody did the same): the effect is
// there, something in DoneWhen is new, an execution, action or status of Given has moved, or the stage is running.
func evidence(snap *fact.Snapshot, s plan.Step) plan.Answer {
	all := plan.All(snap, s.DoneWhen)
	if all == plan.Yes || sets(s) && all != plan.Unknown {
		return all
	}
	answer := plan.Unknown
	see := func(c plan.Check, happened plan.Answer) bool {
		switch got := c.Judge(snap); {
		case got == happened:
			answer = plan.Yes
			return true
		case got != plan.Unknown:
			answer = plan.No
		}
		return false
	}
	for _, c := range s.DoneWhen {
		if c.Op == plan.Not && see(c, plan.Yes) {
			return plan.Yes
		}
	}
	for _, c := range s.Given {
		if moves(c.Field) && see(c, plan.No) {
			return plan.Yes
		}
	}
	for _, q := range state(s) {
		f, ok := fact.Get[fact.PipelineState](snap, fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID})
		if !ok {
			return plan.Unknown
		}
		if stage, ok := f.Stage(s.Do.Input["stageName"]); ok && stage.Status == "InProgress" && s.Do.Operation == "RetryStageExecution" {
			return plan.Yes
		}
		if o, _ := op.Find(s.Do.Service, s.Do.Operation); answer == plan.Unknown && o.Repeat != op.Never {
			answer = plan.No // nothing to tell by, and no harm in repeating
		}
	}
	return answer
}

// sets reports whether the call sets a state, which DoneWhen names: it is there, or the call has not happened (or somebody has changed
// it since, which Given finds). A retry and a start set something going instead.
func sets(s plan.Step) bool {
	return len(s.DoneWhen) > 0 && s.Do.Operation != "RetryStageExecution" && s.Do.Operation != "StartPipelineExecution"
}

// moves reports whether a field of Given changes with the call: a definition's version, for example, does not.
func moves(field string) bool {
	for _, end := range []string{"/execution", "/id", "/status"} {
		if strings.HasSuffix(field, end) {
			return true
		}
	}
	return false
}
