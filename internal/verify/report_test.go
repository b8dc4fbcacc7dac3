package verify

import (
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

const account, role = "111111111111", "arn:aws:iam::111111111111:role/Web"

var (
	began  = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	later  = began.Add(time.Hour)
	before = began.Add(-time.Hour)
	scope  = fact.Scope{Account: account, Region: "eu-west-1"}
	conn   = "arn:aws:codeconnections:eu-west-1:111111111111:connection/11a25cd6-ed90-4a22-a759-548120686983"
)

func seenAt(r fact.Ref) fact.Seen { return fact.Seen{About: r} }

// scene is a run that restarted web, and what is read of it afterwards.
type scene struct {
	steps    []plan.Step
	status   string
	changed  time.Time
	updated  time.Time // of the definition
	runs     []fact.Execution
	findings []fault.Finding
	openings *fact.Openings
	unread   bool
	gone     bool
}

func (x scene) judge(t *testing.T) Report {
	t.Helper()
	restart := plan.NewCall("retry", "retry web", fact.StateRef(scope, "web"), plan.Action{Service: "codepipeline", Operation: "StartPipelineExecution", Region: scope.Region, Input: op.Input{"name": "web"}})
	p := plan.Plan{Account: account, Regions: []string{scope.Region}, Steps: append(x.steps, restart),
		Findings: []plan.Finding{{Code: "x", Subject: fact.PipelineRef(scope, "web")}}}
	build := func() *fact.Builder {
		return fact.NewBuilder(fact.Question{Account: account, Regions: []string{scope.Region}})
	}
	need := fault.PipelineQuery(scope, "web")
	f := &fault.Fault{Code: "x", Diagnose: func(*fact.Snapshot) fault.Judgement { return fault.Judgement{Needs: []fact.Query{need}} }}
	b, runs := build(), build()
	web := fact.Pipeline{Seen: seenAt(fact.PipelineRef(scope, "web")), Name: "web", Updated: x.updated,
		Stages: []fact.Stage{{Name: "Source", Actions: []fact.Action{{Name: "Git", Provider: fact.ConnectionSource, Connection: conn}}}}}
	b.Add(web)
	b.Cover(need)
	switch {
	case x.gone:
		runs.Add(fact.Absent{Seen: seenAt(fact.PipelineRef(scope, "web"))})
	case !x.unread:
		runs.Add(web, fact.PipelineState{Seen: seenAt(fact.StateRef(scope, "web")), Name: "web", Stages: []fact.StageState{{Name: "Source",
			Actions: []fact.ActionState{{Name: "Git", Status: x.status, Changed: x.changed}}}}})
	}
	for _, e := range x.runs {
		e.Seen, e.Pipeline = seenAt(fact.Ref{Scope: scope, Kind: fact.KindExecution, ID: e.ID}), "web"
		runs.Add(e)
	}
	if x.openings != nil {
		x.openings.Seen = seenAt(fact.Ref{Scope: scope, Kind: fact.KindOpenings, ID: role})
		runs.Add(*x.openings)
	}
	return Judge(Done{ID: "r", Plan: p, Since: began}, b.Seal(later), fault.Outcome{Findings: x.findings}, runs.Seal(later), []*fault.Fault{f})
}

func TestJudge(t *testing.T) {
	pushed := []fact.Execution{{ID: "1", Trigger: "WebhookV2", Started: later}, {ID: "0", Trigger: "WebhookV2", Started: before}}
	human := plan.Step{ID: "hand", Kind: plan.Human, Target: fact.ConnectionRef(account, conn)}
	grant := plan.NewCall("grant", "grant", fact.Ref{Scope: scope.Global(), Kind: fact.KindPolicies, ID: role}, plan.Action{Service: "iam", Operation: "PutRolePolicy"})
	tests := map[string]struct {
		scene
		want Verdict
		hook Hook
		says string
	}{
		"came through":     {scene{status: "Succeeded", changed: later}, Fixed, HookUntried, "its source came through at 2026-11-23 10:00 UTC; no push has started it yet"},
		"pushed":           {scene{status: "Succeeded", changed: later, runs: pushed}, Fixed, HookWorks, "1 push started it"},
		"written pending":  {scene{status: "Succeeded", changed: later, updated: before, steps: []plan.Step{human}}, Fixed, HookLikely, "--rehook"},
		"written since":    {scene{status: "Succeeded", changed: later, updated: later, steps: []plan.Step{human}}, Fixed, HookUntried, "push once"},
		"not since":        {scene{status: "Succeeded", changed: before}, Broken, HookUntried, "has not come through since the run began"},
		"failed":           {scene{status: "Failed", changed: later}, Broken, HookUntried, "Failed since"},
		"still running":    {scene{status: "InProgress", changed: later}, Broken, HookUntried, "InProgress"},
		"never ran":        {scene{}, Broken, HookUntried, "never run"},
		"gone":             {scene{gone: true}, Broken, HookUntried, "does not exist any more"},
		"not read":         {scene{unread: true}, Unseen, HookUntried, "could not be read"},
		"something else":   {scene{status: "Succeeded", changed: later, findings: []fault.Finding{{ID: "f", Code: "y", Severity: fault.Low, Message: "no"}}}, Broken, HookUntried, "came through"},
		"only information": {scene{status: "Succeeded", changed: later, findings: []fault.Finding{{ID: "f", Code: "y", Severity: fault.Info}}}, Fixed, HookUntried, "came through"},
		"role not opened":  {scene{status: "Succeeded", changed: later, steps: []plan.Step{grant}, openings: &fact.Openings{Analyzer: "a", Findings: []fact.Opening{{Created: before, Updated: before}}}}, Fixed, HookUntried, "came through"},
		"role opened":      {scene{status: "Succeeded", changed: later, steps: []plan.Step{grant}, openings: &fact.Openings{Analyzer: "a", Findings: []fact.Opening{{Created: before, Updated: later}}}}, Broken, HookUntried, "came through"},
		"no analyzer":      {scene{status: "Succeeded", changed: later, steps: []plan.Step{grant}, openings: &fact.Openings{}}, Fixed, HookUntried, "came through"},
		"role not read":    {scene{status: "Succeeded", changed: later, steps: []plan.Step{grant}}, Unseen, HookUntried, "came through"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := tt.judge(t)
			if len(r.Pipelines) != 1 {
				t.Fatalf("%+v", r)
			}
			p := r.Pipelines[0]
			if r.Verdict != tt.want || p.Hook != tt.hook || !strings.Contains(p.Message, tt.says) {
				t.Errorf("%s, %s, %q; want %s, %s, %q", r.Verdict, p.Hook, p.Message, tt.want, tt.hook, tt.says)
			}
		})
	}
}

// What the plan did on purpose is told and breaks nothing; the same by another hand, or of another pipeline, does.
func TestJudgeHeld(t *testing.T) {
	hold := plan.NewCall("hold", "hold web", fact.StateRef(scope, "web"), plan.Action{Service: "codepipeline", Operation: "DisableStageTransition", Region: scope.Region,
		Input: op.Input{"pipelineName": "web", "stageName": "Build", "transitionType": "Inbound", "reason": "r"}})
	finding := func(cause, name string, severity fault.Severity) fault.Finding {
		return fault.Finding{ID: "f", Code: "transition-disabled", Severity: severity, Message: "runs wait", Cause: fault.Cause{Code: cause}, Subject: fault.Subject{Kind: "pipeline", Name: name, Region: scope.Region}}
	}
	tests := map[string]struct {
		finding fault.Finding
		steps   []plan.Step
		want    Verdict
		rows    int
	}{
		"by the plan":              {finding("held-by-unjam", "web", fault.Info), []plan.Step{hold}, Fixed, 1},
		"by the plan, for a day":   {finding("held-by-unjam", "web", fault.Low), []plan.Step{hold}, Fixed, 1},
		"of another pipeline":      {finding("held-by-unjam", "api", fault.Low), []plan.Step{hold}, Broken, 1},
		"by another run, a day":    {finding("held-by-unjam", "web", fault.Low), nil, Broken, 1},
		"by another run, just now": {finding("held-by-unjam", "web", fault.Info), nil, Fixed, 0},
		"by somebody":              {finding("disabled-by-somebody", "web", fault.Medium), []plan.Step{hold}, Broken, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := scene{status: "Succeeded", changed: later, steps: tt.steps, findings: []fault.Finding{tt.finding}}.judge(t)
			if r.Verdict != tt.want || len(r.Findings) != tt.rows || tt.rows == 1 && r.Findings[0].Held != (tt.want == Fixed) {
				t.Errorf("%s with %+v", r.Verdict, r.Findings)
			}
		})
	}
}

// A connection that the plan leaves as it is, since the pipelines use another now, is not asked about.
func TestTargetsOfReuse(t *testing.T) {
	p := plan.Plan{Account: account, Strategy: plan.Reuse, Findings: []plan.Finding{{Code: "connection-pending", Subject: fact.ConnectionRef(account, conn)}},
		Steps: []plan.Step{{Target: fact.StateRef(scope, "web")}, {Target: fact.PipelineRef(scope, "web")}}}
	if all := Targets(p); len(all) != 1 || all[0].Name != "web" || all[0].Kind != fact.KindPipeline {
		t.Errorf("targets %+v", all)
	}
	p.Strategy = plan.Handshake
	if all := Targets(p); len(all) != 2 {
		t.Errorf("targets %+v", all)
	}
}
