package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// repairWorld is a repair with everything in it: a handshake that a person completes while the run waits, a pipeline whose failed
// stage can be retried, and one that must be started, since its definition changed after it failed.
const repairWorld = `# A connection that somebody completes while the repair waits
account 111111111111 alias=acme-prod regions=eu-west-1,us-east-1
github acme owner=olga members=ada repos=acme/web,acme/api
role Admin allow=*
caller deploy role=Admin session=terraform agent=terraform
caller ada you role=Admin session=ada@acme.example agent=console
set lag=12s
-21d deploy creates connection team-github provider=GitHub
-21d deploy creates pipeline web connection=team-github repo=acme/web stages=Build,Deploy-Production
-21d deploy creates pipeline api connection=team-github repo=acme/api stages=Build region=us-east-1
-2d  deploy updates api stages=Build,Deploy-Production
+12s ada completes handshake team-github as=olga org=acme
`

// repair is one played repair.
type repair struct {
	*stage
	app     *app.App
	plan    plan.Plan
	journal *journal.Journal
}

// prepare plays the world up to a plan, undisturbed.
func prepare(t *testing.T) *repair {
	t.Helper()
	r := &repair{stage: play(t, "repair", []byte(repairWorld))}
	r.app = r.open(t, nil)
	d := diagnose(t, r.app, "")
	var err error
	if r.plan, err = planner.Make(d.Snapshot, d.Outcome.Findings, faults.All(), plan.Options{Hold: true}); err != nil {
		t.Fatal(err)
	}
	if r.journal, err = journal.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return r
}

// run carries the plan out, or goes on with a run.
func (r *repair) run(t *testing.T, id string) (apply.Outcome, error) {
	o := app.Apply{Run: id, Journal: r.journal, Faults: faults.All(), Accept: r.plan.Consents()}
	if id == "" {
		o.Plan = r.plan
	}
	return r.app.Apply(t.Context(), o)
}

// final is what the lab itself says of both pipelines an hour later: their runs, the runs of their actions, their transitions.
func (r *repair) final(t *testing.T) string {
	t.Helper()
	time.Sleep(time.Hour)
	var b strings.Builder
	ask := func(region, operation string, in map[string]any) (out map[string]any) {
		var err error
		r.set(func(c *cloud.Cloud) {
			out, err = c.Serve(&cloud.Request{Service: "codepipeline", Operation: operation, Region: region, Caller: r.world.Default.Principal, In: in})
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, p := range [][2]string{{"eu-west-1", "web"}, {"us-east-1", "api"}} {
		region, name := p[0], p[1]
		for _, e := range list(ask(region, "ListPipelineExecutions", map[string]any{"pipelineName": name}), "pipelineExecutionSummaries") {
			fmt.Fprintf(&b, "%s run %v\n", name, e["status"])
		}
		var actions []string
		for _, a := range list(ask(region, "ListActionExecutions", map[string]any{"pipelineName": name}), "actionExecutionDetails") {
			actions = append(actions, fmt.Sprintf("%s %v/%v %v\n", name, a["stageName"], a["actionName"], a["status"]))
		}
		slices.Sort(actions)
		b.WriteString(strings.Join(actions, ""))
		for _, st := range list(ask(region, "GetPipelineState", map[string]any{"name": name}), "stageStates") {
			if in, ok := st["inboundTransitionState"].(map[string]any); ok && in["enabled"] == false {
				fmt.Fprintf(&b, "%s held before %v\n", name, st["stageName"])
			}
		}
	}
	return b.String()
}

// list is a list member of a reply.
func list(reply map[string]any, name string) []map[string]any {
	var all []map[string]any
	switch l := reply[name].(type) {
	case []any:
		for _, x := range l {
			if m, ok := x.(map[string]any); ok {
				all = append(all, m)
			}
		}
	case []map[string]any:
		all = l
	}
	return all
}

// goldenRun is the repair undisturbed: its calls and where it ends.
func goldenRun(t *testing.T) (calls []cloud.Call, end string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := prepare(t)
		defer r.journal.Close()
		n := len(r.lab.Cloud.Ledger())
		out, err := r.run(t, "")
		if err != nil || out.Status != journal.IsDone || out.ExitHint != 0 {
			t.Fatalf("the golden run is not golden: %v %+v", err, out)
		}
		calls, end = r.lab.Cloud.Ledger()[n:], r.final(t)
	})
	for _, needle := range []string{"web Source/Source Succeeded", "web held before Build", "api Source/Source Succeeded", "api held before Build"} {
		if !strings.Contains(end, needle) {
			t.Fatalf("the golden run ends without %q:\n%s", needle, end)
		}
	}
	return calls, end
}

// Every call of a repair, from its plan to the last verification, is struck by everything that can become of it, once and until
// the trouble is over. The repair ends, says why it did not get through if it did not, and then goes on where it stands: in the end
// the world is the one that an undisturbed repair leaves, with no run more and none less.
func TestEveryCallOfARepair(t *testing.T) {
	calls, end := goldenRun(t)
	for _, at := range telling(sites(calls)) {
		for _, kind := range kinds() {
			for _, times := range []int{1, 0} {
				t.Run(fmt.Sprintf("%s/%s_%d", at, kind, times), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { disturbed(t, at.strike(kind, times), through(at, kind, times), end) })
				})
			}
		}
	}
}

// telling leaves out, of polls that are alike, all but the first, the second and the last.
func telling(all []site) []site {
	var out []site
	for i, s := range all {
		last := i == len(all)-1 || all[i+1].before == 0
		if s.before < 2 || last {
			out = append(out, s)
		}
	}
	return out
}

// trouble is how long a trouble lasts that does not go away by itself: longer than the ten minutes that failing reads are borne.
const trouble = 12 * time.Minute

// through reports whether a repair must get through by itself: a trouble that comes once stops it only before it began, when nobody
// knows whose account it is, or when AWS refuses a change outright.
func through(at site, kind string, times int) bool {
	change := slices.Contains([]string{"DisableStageTransition", "RetryStageExecution", "StartPipelineExecution"}, at.operation)
	refused := change && (kind == lab.Denied || kind == lab.Unknown)
	return times == 1 && !refused && at.operation != "GetCallerIdentity"
}

func disturbed(t *testing.T, in *cloud.Injection, through bool, end string) {
	r := prepare(t)
	defer r.journal.Close()
	r.set(func(c *cloud.Cloud) { c.Injections = append(c.Injections, in) })
	over := func() { r.set(func(c *cloud.Cloud) { c.Injections = nil }) }
	lift := time.AfterFunc(trouble, over)
	defer lift.Stop()
	start := time.Now()
	out, err := r.run(t, "")
	if took := time.Since(start); took > 2*time.Hour {
		t.Errorf("it took %s", took)
	}
	speaks(t, out, err)
	if !r.wasStruck() {
		t.Error("nothing was struck")
	}
	if through && out.Status != journal.IsDone {
		t.Errorf("it did not get through: %+v", out)
	}
	if out.Status != journal.IsDone {
		over()
		first := out
		if out, err = r.run(t, out.Run); err != nil || out.Status != journal.IsDone {
			t.Errorf("resumed: %v %+v\nbefore: %+v", err, out, first)
		}
	}
	r.onlyOnce(t)
	if got := r.final(t); got != end {
		t.Errorf("the world ends otherwise:\n%s\nwant:\n%s", got, end)
	}
}

// onlyOnce checks that a retry that AWS carried out was not even tried again, whatever became of its reply.
func (r *repair) onlyOnce(t *testing.T) {
	t.Helper()
	carriedOut := false
	for _, k := range r.lab.Cloud.Ledger() {
		if k.Operation != "RetryStageExecution" {
			continue
		}
		if carriedOut {
			t.Errorf("a retry that was carried out was tried again")
		}
		carriedOut = carriedOut || k.ErrorCode == ""
	}
	if !carriedOut {
		t.Errorf("no retry was carried out")
	}
}

// speaks checks that a run that did not get through says why, in one line each, and that its exit code says that there is more.
func speaks(t *testing.T, out apply.Outcome, err error) {
	t.Helper()
	var said []string
	if err != nil {
		said = append(said, err.Error())
	}
	for _, s := range out.Steps {
		if s.Status != journal.IsDone && s.Status != journal.WasSkipped {
			said = append(said, s.Message)
		}
	}
	if (out.Status == journal.IsDone) != (out.ExitHint == 0) || (len(said) == 0) != (out.ExitHint == 0) {
		t.Errorf("%s with exit code %d says %q", out.Status, out.ExitHint, said)
	}
	for _, s := range said {
		if s == "" || strings.Contains(s, "\n") || strings.Contains(s, "operation error") || strings.Contains(s, "StatusCode") {
			t.Errorf("message %q is not one line in words", s)
		}
	}
}
