package executionqueued_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/executionqueued"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/testkit"
)

func TestFault(t *testing.T) { testkit.Fault(t, executionqueued.Fault(), faults.All()) }

// TestExplained: what holds the runs is the one finding, and the queue is listed under it with its own words.
func TestExplained(t *testing.T) {
	for _, x := range []struct{ world, code, says string }{
		{"found-behind-approval", "approval-waiting", "2 runs wait before stage Approve of web for 118 minutes: Approve waits for an answer"},
		{"found-behind-transition", "transition-disabled", "2 runs wait before stage Deploy of web for 2 hours: the stage is closed"},
		{"found-behind-timeout", "action-timeout", "1 run waits before stage Build of web for 119 minutes: Build has been running for 19 hours"},
	} {
		t.Run(x.world, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + x.world + ".txtar")
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				c := testkit.Start(t, x.world, text)
				d := c.Diagnose(t, faults.All()...)
				if n := len(d.Report.Findings); n != 1 || string(d.Report.Findings[0].Code) != x.code {
					t.Fatalf("%d findings, want %s alone\n%s", n, x.code, testkit.Describe(d))
				}
				e := d.Report.Findings[0].Explained
				if len(e) != 1 || e[0].Code != "execution-queued" || !strings.HasPrefix(e[0].Message, x.says) {
					t.Errorf("it explains %+v, want execution-queued: %s", e, x.says)
				}
			})
		})
	}
}

// TestNothingHolds: a run before a stage that is open and in which nothing runs. The lab lets it in at once, so the facts are written here.
func TestNothingHolds(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	scope := fact.Scope{Account: "111111111111", Region: "eu-west-1"}
	seen := func(r fact.Ref) fact.Seen { return fact.Seen{About: r, From: fact.Source{At: now}} }
	judge := func(waits time.Duration, status string, running bool) fault.Judgement {
		b := fact.NewBuilder(fact.Question{Account: scope.Account, Regions: []string{scope.Region}, Targets: []fact.Target{{Kind: fact.KindPipeline, Name: "web"}}})
		build := fact.Action{Name: "Build", Category: "Build", Owner: "AWS", Provider: "CodeBuild"}
		p := fact.Pipeline{Seen: seen(fact.PipelineRef(scope, "web")), Name: "web", ARN: "arn:aws:codepipeline:eu-west-1:111111111111:web", Mode: "QUEUED",
			Stages: []fact.Stage{{Name: "Source", Actions: []fact.Action{{Name: "Git", Category: "Source"}}}, {Name: "Build", Actions: []fact.Action{build}}}}
		st := fact.StageState{Name: "Build", TransitionEnabled: true, Execution: "one", Status: status, Inbound: "two", Waiting: []string{"two"},
			Actions: []fact.ActionState{{Name: "Build", ID: "a", Status: status, Changed: now.Add(-3 * time.Hour)}}}
		if running {
			st.Actions[0].Status = "InProgress"
		}
		source := fact.StageState{Name: "Source", TransitionEnabled: true, Execution: "two", Status: "Succeeded",
			Actions: []fact.ActionState{{Name: "Git", ID: "b", Status: "Succeeded", Changed: now.Add(-waits)}}}
		b.Add(p, fact.PipelineState{Seen: seen(fact.StateRef(scope, "web")), Name: "web", Stages: []fact.StageState{source, st}})
		return executionqueued.Fault().Diagnose(b.Seal(now))
	}
	for _, x := range []struct {
		name    string
		waits   time.Duration
		status  string
		running bool
		want    string
	}{
		{"after a failure", time.Hour, "Failed", false, "nothing-holds-it"},
		{"after a success", 16 * time.Minute, "Succeeded", false, "nothing-holds-it"},
		{"a moment ago", 14 * time.Minute, "Failed", false, ""},
		{"an action runs", time.Hour, "InProgress", true, "behind-running"},
	} {
		t.Run(x.name, func(t *testing.T) {
			var got []string
			for _, f := range judge(x.waits, x.status, x.running).Findings {
				got = append(got, f.Cause.Code)
				if x.want == "nothing-holds-it" && f.Cause.Class != fault.Unclear {
					t.Errorf("its class is %s, want unknown: nobody documents it", f.Cause.Class)
				}
			}
			if want := slices.DeleteFunc([]string{x.want}, func(s string) bool { return s == "" }); !slices.Equal(got, want) {
				t.Errorf("causes %v, want %v", got, want)
			}
		})
	}
}
