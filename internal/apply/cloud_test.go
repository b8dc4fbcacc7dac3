package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/awsapi/write"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

const (
	account = "111111111111"
	region  = "eu-west-1"
	arn     = "arn:aws:codeconnections:eu-west-1:111111111111:connection/aaaa"
)

var (
	scope   = fact.Scope{Account: account, Region: region}
	connRef = fact.ConnectionRef(account, arn)
)

// moment is what a thing looks like from a time on.
type moment[T any] struct {
	from time.Time
	is   T
}

// story is what a thing looks like over time.
type story[T any] []moment[T]

func (s story[T]) at(t time.Time) T {
	var v T
	for _, m := range s {
		if !m.from.After(t) {
			v = m.is
		}
	}
	return v
}

// cloud is a small AWS with one connection and some pipelines. It is a state machine in time: no goroutines.
type cloud struct {
	mu        sync.Mutex
	conn      story[string] // status; "" before the first moment and "gone": does not exist
	pipes     map[string]*story[fact.PipelineState]
	tokens    map[string]string // client request token -> execution ID
	n         int
	calls     []plan.Action // accepted, in order
	tries     []plan.Action // made, in order
	exported  []exported
	reads     []fact.Query
	readTimes []time.Time
	lag       time.Duration // of reads of pipelines
	ends      string        // status of new source actions after 10 s; "" Succeeded
	caller    string        // account of the credentials; "" account

	onRead  func(q fact.Query) fact.Class // "" answers
	onWrite func(plan.Action) error       // before the call; nil: it goes through
	onReply func(plan.Action) error       // after it
}

func newCloud(pipelines ...string) *cloud {
	c := &cloud{pipes: map[string]*story[fact.PipelineState]{}, tokens: map[string]string{}}
	c.set("PENDING")
	for _, p := range pipelines {
		c.pipes[p] = &story[fact.PipelineState]{{time.Now(), pipeState(p, "exec-0", "act-0", "Failed", true)}}
	}
	return c
}

func pipeState(name, execution, action, status string, open bool) fact.PipelineState {
	text := ""
	if status == "Failed" {
		text = "[GitHub] the connection is not available"
	}
	return fact.PipelineState{
		Seen: fact.Seen{About: fact.StateRef(scope, name)}, Name: name, Version: 3,
		Stages: []fact.StageState{
			{Name: "Source", TransitionEnabled: true, Execution: execution, Status: status,
				Actions: []fact.ActionState{{Name: "Fetch", ID: action, Status: status, Error: text}}},
			{Name: "Prod", TransitionEnabled: open},
		},
	}
}

// set changes the connection's status from now on, or after a time.
func (c *cloud) set(status string, after ...time.Duration) {
	t := time.Now()
	for _, d := range after {
		t = t.Add(d)
	}
	c.conn = append(c.conn, moment[string]{t, status})
}

// runSource lets the source action run: InProgress at once, its end after 10 s.
func (c *cloud) runSource(name, execution string) {
	c.n++
	p, now := c.pipes[name], time.Now()
	old := p.at(now)
	end := c.ends
	if end == "" {
		end = "Succeeded"
	}
	if c.conn.at(now) != "AVAILABLE" {
		end = "Failed"
	}
	id, open := fmt.Sprintf("act-%d", c.n), old.Stages[1].TransitionEnabled
	*p = append(*p, moment[fact.PipelineState]{now, pipeState(name, execution, id, "InProgress", open)},
		moment[fact.PipelineState]{now.Add(10 * time.Second), pipeState(name, execution, id, end, open)})
}

func (c *cloud) read(ctx context.Context, queries []fact.Query) (*fact.Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, now := fact.NewBuilder(fact.Question{Account: account}), time.Now()
	for _, q := range queries {
		c.reads, c.readTimes = append(c.reads, q), append(c.readTimes, now)
		if c.onRead != nil {
			if class := c.onRead(q); class != "" {
				b.Miss(fact.Gap{Query: q, Class: class, Why: "the read failed: " + string(class)})
				continue
			}
		}
		c.answer(b, q, now)
	}
	return b.Seal(now), nil
}

func (c *cloud) answer(b *fact.Builder, q fact.Query, now time.Time) {
	seen := fact.Seen{About: fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID}, From: fact.Source{At: now}}
	switch q.Kind {
	case fact.KindIdentity:
		who := account
		if c.caller != "" {
			who = c.caller
		}
		b.Add(fact.Identity{Seen: seen, Account: who})
	case fact.KindConnection:
		if s := c.conn.at(now); s == "" || s == "gone" {
			b.Add(fact.Absent{Seen: seen})
		} else {
			b.Add(fact.Connection{Seen: seen, ARN: q.ID, Status: s})
		}
	case fact.KindPipelineState:
		st := c.pipes[q.ID].at(now.Add(-c.lag))
		st.Seen = seen
		b.Add(st)
	}
	b.Cover(q)
}

func (c *cloud) write(ctx context.Context, a plan.Action) (write.Reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return write.Reply{}, err
	}
	c.tries = append(c.tries, a)
	if c.onWrite != nil {
		if err := errors.Join(c.onWrite(a), ctx.Err()); err != nil {
			return write.Reply{}, err
		}
	}
	r, err := c.carryOut(a)
	if err == nil && c.onReply != nil {
		err = c.onReply(a)
	}
	return r, err
}

// carryOut does what AWS does.
func (c *cloud) carryOut(a plan.Action) (write.Reply, error) {
	now := time.Now()
	name := a.Input["pipelineName"] + a.Input["name"]
	p := c.pipes[name]
	execution := ""
	switch a.Operation {
	case "RetryStageExecution":
		st := p.at(now)
		if st.Stages[0].Status != "Failed" || st.Stages[0].Execution != a.Input["pipelineExecutionId"] {
			return write.Reply{}, refused("StageNotRetryableException")
		}
		execution = st.Stages[0].Execution
		c.runSource(name, execution)
	case "StartPipelineExecution":
		execution = c.tokens[a.Input["clientRequestToken"]]
		if execution == "" {
			execution = fmt.Sprintf("exec-%d", c.n+1)
			c.tokens[a.Input["clientRequestToken"]] = execution
			c.runSource(name, execution)
		}
	case "DisableStageTransition", "EnableStageTransition":
		st := p.at(now)
		st.Stages = slices.Clone(st.Stages)
		st.Stages[1].TransitionEnabled = a.Operation[0] == 'E'
		*p = append(*p, moment[fact.PipelineState]{now, st})
	}
	c.calls = append(c.calls, a)
	return write.Reply{RequestID: "r", Outputs: map[string]string{"pipelineExecutionId": execution}}, nil
}

func refused(code string) error {
	kind, class := awsapi.Other, fact.Failed
	switch code {
	case "AccessDeniedException":
		kind, class = awsapi.Refused, fact.Denied
	case "ThrottlingException":
		kind, class = awsapi.Rate, fact.Throttled
	case "ExpiredTokenException":
		kind, class = awsapi.OldKeys, fact.Expired
	}
	return &write.Refused{Failure: awsapi.Failure{Kind: kind, Class: class, Code: code, Why: "AWS says " + code}}
}

var errLost = &write.Doubt{Failure: awsapi.Failure{Kind: awsapi.Reset, Class: fact.Failed, InDoubt: true, Why: "the connection broke off before the reply came"}}

// verdict is Clear when the connection is AVAILABLE.
func (c *cloud) verdict(context.Context, string, fact.Ref) (fault.Verdict, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.conn.at(time.Now()); s != "AVAILABLE" {
		return fault.Found, "the connection is " + s, nil
	}
	return fault.Clear, "ok", nil
}

// Steps.

func connIs(status string) plan.Check {
	return plan.Check{Ref: connRef, Field: "status", Op: plan.Is, Value: status}
}

func handshake() plan.Step {
	return plan.Step{
		ID: "handshake", Title: "complete the handshake", Kind: plan.Human, Target: connRef, Say: &plan.Guide{Link: "https://example.com"},
		SkipWhen: []plan.Check{connIs("AVAILABLE")}, DoneWhen: []plan.Check{connIs("AVAILABLE")},
		FailWhen: []plan.Check{connIs("ERROR"), {Ref: connRef, Op: plan.Absent}}, Patience: 72 * time.Hour,
	}
}

func pipeCheck(pipeline, field string, o plan.Op, v string) plan.Check {
	return plan.Check{Ref: fact.StateRef(scope, pipeline), Field: field, Op: o, Value: v}
}

func retry(pipeline string, after ...string) plan.Step {
	s := plan.NewCall("retry-"+pipeline, "retry "+pipeline+"/Source", fact.StateRef(scope, pipeline), plan.Action{
		Service: "codepipeline", Operation: "RetryStageExecution", Region: region,
		Input: op.Input{"pipelineName": pipeline, "stageName": "Source", "pipelineExecutionId": "exec-0", "retryMode": "FAILED_ACTIONS"},
	})
	s.Given = []plan.Check{pipeCheck(pipeline, "Source/execution", plan.Is, "exec-0"), pipeCheck(pipeline, "Source/Fetch/status", plan.Is, "Failed"),
		pipeCheck(pipeline, "version", plan.Is, "3")}
	return ending(s, pipeline, after)
}

func start(pipeline string, after ...string) plan.Step {
	s := plan.NewCall("start-"+pipeline, "start "+pipeline, fact.StateRef(scope, pipeline), plan.Action{
		Service: "codepipeline", Operation: "StartPipelineExecution", Region: region, Input: op.Input{"name": pipeline},
	})
	s.Given = []plan.Check{pipeCheck(pipeline, "Source/Fetch/id", plan.Is, "act-0")}
	return ending(s, pipeline, after)
}

func ending(s plan.Step, pipeline string, after []string) plan.Step {
	s.After = after
	s.DoneWhen = []plan.Check{pipeCheck(pipeline, "Source/Fetch/id", plan.Not, "act-0"), pipeCheck(pipeline, "Source/Fetch/status", plan.Is, "Succeeded")}
	s.SkipWhen = s.DoneWhen
	s.FailWhen = []plan.Check{pipeCheck(pipeline, "Source/Fetch/status", plan.Is, "Failed")}
	s.Patience = 10 * time.Minute
	return s
}

func hold(pipeline string, after ...string) plan.Step {
	s := plan.NewCall("hold-"+pipeline, "hold "+pipeline, fact.StateRef(scope, pipeline), plan.Action{
		Service: "codepipeline", Operation: "DisableStageTransition", Region: region,
		Input: op.Input{"pipelineName": pipeline, "stageName": "Prod", "transitionType": "Inbound", "reason": "held"},
	})
	s.After = after
	s.DoneWhen = []plan.Check{pipeCheck(pipeline, "Prod/transition", plan.Is, "disabled")}
	s.SkipWhen = s.DoneWhen
	s.Patience = time.Minute
	return s
}

func verifyStep(after ...string) plan.Step {
	return plan.Step{ID: "verify", Title: "the diagnosis again", Kind: plan.Verify, Target: connRef, After: after, Verdict: "connection-pending", Patience: 5 * time.Minute}
}

func makePlan(steps ...plan.Step) plan.Plan {
	p := plan.Plan{Schema: plan.Schema, CreatedAt: time.Now().UTC(), ExpiresAt: time.Now().UTC().Add(24 * time.Hour),
		Account: account, Regions: []string{region}, Steps: steps}
	p.ID = p.Digest()
	return p
}

// Runs.

// talk is what a run told.
type talk []apply.Event

func (t talk) count(step string, name apply.Name) int {
	n := 0
	for _, e := range t {
		if e.Step == step && e.Event == name {
			n++
		}
	}
	return n
}

func open(t *testing.T, home string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// config is a run of the plan on the cloud, with a journal that is closed at the end of the test.
func config(t *testing.T, c *cloud, p plan.Plan) (apply.Config, *talk) {
	t.Helper()
	j := open(t, t.TempDir())
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	said := &talk{}
	return apply.Config{Plan: p, Journal: j, Account: account, By: "arn:me", Read: c.read, Write: c.write, Export: c.export, Verdict: c.verdict,
		Events: func(e apply.Event) { *said = append(*said, e) }}, said
}

func run(t *testing.T, ctx context.Context, cfg apply.Config) apply.Outcome {
	t.Helper()
	out, err := apply.Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func want(t *testing.T, out apply.Outcome, status journal.Status, hint int, steps ...journal.Status) {
	t.Helper()
	if out.Status != status || out.ExitHint != hint {
		t.Errorf("run: %s, exit %d; want %s, exit %d: %+v", out.Status, out.ExitHint, status, hint, out.Steps)
	}
	for i, s := range steps {
		if out.Steps[i].Status != s {
			t.Errorf("step %s: %s (%s), want %s", out.Steps[i].ID, out.Steps[i].Status, out.Steps[i].Message, s)
		}
	}
}

// export notes what is saved, and how many calls there were before it.
func (c *cloud) export(_ context.Context, run string, _ plan.Plan, refs []fact.Ref) (journal.Export, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exported = append(c.exported, exported{refs: refs, before: len(c.calls)})
	return journal.Export{Folder: "/exports/" + run, Files: map[string]string{}}, nil
}

// exported is one export.
type exported struct {
	refs   []fact.Ref
	before int // calls
}

func operations(calls []plan.Action) []string {
	var all []string
	for _, a := range calls {
		all = append(all, a.Operation+" "+a.Input["pipelineName"]+a.Input["name"])
	}
	slices.Sort(all)
	return all
}

func wantCalls(t *testing.T, got []plan.Action, names ...string) {
	t.Helper()
	slices.Sort(names)
	if !slices.Equal(operations(got), names) {
		t.Errorf("calls %q, want %q", operations(got), names)
	}
}

var errDead = errors.New("the process is dead")
