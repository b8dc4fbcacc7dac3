package apply_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/plan"
)

// drawn is a generated plan with the world it meets.
type drawn struct {
	steps     []plan.Step
	pipelines []string
	done      time.Duration // when the person completes the handshake; 0: never
	moved     string        // the pipeline that somebody else runs meanwhile; "" none
	lost      map[string]bool
	consents  []string
}

func draw(t *rapid.T) drawn {
	d := drawn{steps: []plan.Step{handshake()}, lost: map[string]bool{}}
	for i := range rapid.IntRange(1, 4).Draw(t, "pipelines") {
		name := fmt.Sprintf("p%d", i)
		d.pipelines = append(d.pipelines, name)
		after := []string{"handshake"}
		if rapid.Bool().Draw(t, "free") {
			after = nil
		}
		if rapid.Bool().Draw(t, "hold") {
			h := hold(name, after...)
			h.UndoneWhen = []plan.Check{pipeCheck(name, "Prod/transition", plan.Is, "enabled")}
			d.steps = append(d.steps, h)
			after = append(slices.Clone(after), h.ID)
		}
		s := retry(name, after...)
		if rapid.Bool().Draw(t, "start") {
			s = start(name, after...)
		}
		if rapid.Bool().Draw(t, "production") {
			s.Blast = []plan.Effect{{What: "stage Prod runs", Production: true}}
		}
		d.lost[name] = rapid.IntRange(0, 3).Draw(t, "lost") == 0
		d.steps = append(d.steps, s)
	}
	if rapid.Bool().Draw(t, "completed") {
		d.done = time.Duration(rapid.IntRange(1, 3600).Draw(t, "after")) * time.Second
	}
	if rapid.Bool().Draw(t, "moves") {
		d.moved = rapid.SampledFrom(d.pipelines).Draw(t, "which")
	}
	if rapid.IntRange(0, 3).Draw(t, "consents") > 0 {
		d.consents = makePlan(d.steps...).Consents()
	}
	return d
}

// Whatever the plan and the world: without its consents nothing is called; every call is a step of the plan, is carried out at most once
// and only after the steps it waits for are over, and what is done was called or was not needed any more. The plan's digest does not
// depend on how it was written.
func TestAnyPlan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := draw(rt)
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = play(t, d) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func play(t *testing.T, d drawn) (wrong string) {
	c := newCloud(d.pipelines...)
	if d.done > 0 {
		c.set("AVAILABLE", d.done)
	}
	if d.moved != "" {
		c.conn = append(story[string]{{time.Now(), "AVAILABLE"}}, c.conn...)
		c.runSource(d.moved, "exec-other")
	}
	p := makePlan(d.steps...)
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err.Error()
	}
	if again, err := plan.Parse(text); err != nil || again.Digest() != p.ID {
		return fmt.Sprintf("the digest moved: %v", err)
	}
	cfg, _ := config(t, c, p)
	cfg.Accept = d.consents
	over := map[string]bool{}
	cfg.Events = func(e apply.Event) {
		switch e.Event {
		case apply.Done, apply.Skipped:
			over[e.Step] = true
		case apply.Call:
			i := slices.IndexFunc(p.Steps, func(s plan.Step) bool { return s.ID == e.Step })
			if i < 0 {
				wrong = "a call of no step: " + e.Step
				return
			}
			for _, a := range p.Steps[i].After {
				if !over[a] {
					wrong = e.Step + " was called before " + a + " was over"
				}
			}
		}
	}
	c.onReply = func(a plan.Action) error {
		if name := a.Input["pipelineName"] + a.Input["name"]; d.lost[name] {
			d.lost[name] = false
			return errLost
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
	defer cancel()
	out, err := apply.Run(ctx, cfg)
	if len(p.Consents()) > len(d.consents) {
		if err == nil || len(c.tries) > 0 {
			return fmt.Sprintf("without consent: %v, calls %v", err, c.tries)
		}
		return wrong
	}
	if err != nil {
		return err.Error()
	}
	if wrong != "" {
		return wrong
	}
	made := map[string]int{}
	for _, a := range c.calls {
		made[a.Operation+" "+a.Input["pipelineName"]+a.Input["name"]]++
	}
	planned := map[string]bool{}
	for i, s := range p.Steps {
		if s.Do == nil {
			continue
		}
		key := s.Do.Operation + " " + s.Do.Input["pipelineName"] + s.Do.Input["name"]
		planned[key] = true
		once := s.Do.Operation != "StartPipelineExecution" // AWS knows a start by its token
		if made[key] > 1 && once {
			return fmt.Sprintf("%s was carried out %d times", key, made[key])
		}
		if out.Steps[i].Status == done && made[key] == 0 {
			return key + " is done, and nobody called it"
		}
	}
	for key := range made {
		if !planned[key] {
			return key + " is not in the plan"
		}
	}
	return ""
}
