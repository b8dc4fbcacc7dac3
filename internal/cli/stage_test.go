package cli_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/world"
)

// stage is what a script plays on: at most one lab.
type stage struct {
	tb    testing.TB
	lab   *lab.Lab
	world *world.World
}

func stageOf(ts *testscript.TestScript) *stage {
	st, ok := ts.Value(stageKey{}).(*stage)
	if !ok {
		ts.Fatalf("the script has no stage")
	}
	return st
}

// running is the stage of a script that has started its lab.
func running(ts *testscript.TestScript) *stage {
	st := stageOf(ts)
	if st.lab == nil {
		ts.Fatalf("start a lab first: lab WORLD|FILE")
	}
	return st
}

// startLab: lab WORLD|FILE serves a world over TCP, its pipelines hurried, every exchange held against the API models, and
// points the script's environment at it.
func startLab(ts *testscript.TestScript, neg bool, args []string) {
	st := stageOf(ts)
	if neg || len(args) != 1 || st.lab != nil {
		ts.Fatalf("usage: lab WORLD|FILE, once")
	}
	text, err := world.Open(args[0])
	if err != nil {
		text, err = os.ReadFile(ts.MkAbs(args[0]))
	}
	ts.Check(err)
	st.lab = lab.New()
	apimodel.Attach(st.tb, st.lab)
	st.world, err = world.Load(st.lab, args[0], text, time.Now())
	ts.Check(err)
	st.lab.Cloud.Within(st.lab.Pipelines.Hurry)
	srv := httptest.NewServer(st.lab)
	ts.Defer(srv.Close)
	ts.Setenv("AWS_ENDPOINT_URL", srv.URL)
	ts.Setenv("UNJAM_CONSOLE_URL", srv.URL)
	ts.Setenv("AWS_REGION", st.world.DefaultRegion)
	st.keys(ts, st.world.Default)
	st.export(ts)
}

// resolver serves the lab's DNS over UDP and TCP, and sets RESOLVER to its address.
func resolver(ts *testscript.TestScript, neg bool, args []string) {
	st := running(ts)
	if neg || len(args) != 0 {
		ts.Fatalf("usage: resolver, after lab")
	}
	srv, err := st.lab.Names.Listen("127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ts.Check(srv.Close()) })
	ts.Setenv("RESOLVER", srv.Addr())
}

// keys puts a caller's keys into the environment; nil takes them away.
func (st *stage) keys(ts *testscript.TestScript, k *cloud.Caller) {
	if k == nil {
		k = &cloud.Caller{}
	}
	ts.Setenv("AWS_ACCESS_KEY_ID", k.AccessKeyID)
	ts.Setenv("AWS_SECRET_ACCESS_KEY", k.SecretAccessKey)
	ts.Setenv("AWS_SESSION_TOKEN", k.SessionToken)
}

// export makes the ARN of everything the world has named a variable, $team_github for team-github, and of every pipeline
// the ID of its latest execution, $web_run.
func (st *stage) export(ts *testscript.TestScript) {
	for _, name := range st.world.Names() {
		arn, v := st.world.ARN(name), strings.NewReplacer("-", "_", ".", "_").Replace(name)
		ts.Setenv(v, arn)
		if part := strings.SplitN(arn, ":", 6); part[2] == "codepipeline" {
			if id := st.latest(part[4], part[3], part[5]); id != "" {
				ts.Setenv(v+"_run", id)
			}
		}
	}
}

// latest is the ID of a pipeline's latest execution, asked of the lab's service itself, so that no caller is asked and no
// event is left; "" when there is none.
func (st *stage) latest(account, region, pipeline string) (id string) {
	c := st.lab.Cloud
	c.Within(func() {
		out, err := c.Service("codepipeline").Ops["ListPipelineExecutions"].Do(&cloud.Request{
			Cloud: c, Time: c.Now(), Service: "codepipeline", Operation: "ListPipelineExecutions", Region: region,
			Caller: cloud.Principal{Account: account}, In: map[string]any{"pipelineName": pipeline},
		})
		b, merr := json.Marshal(out)
		var all struct {
			PipelineExecutionSummaries []struct{ PipelineExecutionID string }
		}
		if err = errors.Join(err, merr, json.Unmarshal(b, &all)); err == nil && len(all.PipelineExecutionSummaries) > 0 {
			id = all.PipelineExecutionSummaries[0].PipelineExecutionID
		}
	})
	return id
}

// become: as CALLER takes another caller's keys; as nobody takes them away.
func become(ts *testscript.TestScript, neg bool, args []string) {
	st := running(ts)
	if neg || len(args) != 1 {
		ts.Fatalf("usage: as CALLER|nobody")
	}
	if args[0] == "nobody" {
		st.keys(ts, nil)
		return
	}
	var k *cloud.Caller
	st.lab.Cloud.Within(func() { k = st.lab.Cloud.CallerByName(args[0]) })
	if k == nil {
		ts.Fatalf("the world has no caller %q", args[0])
	}
	st.keys(ts, k)
}

// act: act 'LINE' performs a line of a world now, without its time.
func act(ts *testscript.TestScript, neg bool, args []string) {
	st := running(ts)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: act 'ada starts web'")
	}
	ts.Check(st.world.Act(strings.Join(args, " ")))
	st.export(ts)
}

// inject: inject KIND [SERVICE[:OPERATION]] [times=N] [skip=N] has calls fail from now on; inject none ends that.
func inject(ts *testscript.TestScript, neg bool, args []string) {
	st := running(ts)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: inject KIND [SERVICE[:OPERATION]] [times=N] [skip=N], or inject none")
	}
	i := &cloud.Injection{Kind: args[0]}
	for _, a := range args[1:] {
		key, value, option := strings.Cut(a, "=")
		n, err := strconv.Atoi(value)
		switch {
		case option && err == nil && key == "times":
			i.Times = n
		case option && err == nil && key == "skip":
			i.Skip = n
		case option:
			ts.Fatalf("%s is not times=N or skip=N", a)
		default:
			i.Service, i.Operation, _ = strings.Cut(a, ":")
		}
	}
	st.lab.Cloud.Within(func() {
		if args[0] == "none" {
			st.lab.Cloud.Injections = nil
			return
		}
		st.lab.Cloud.Injections = append(st.lab.Cloud.Injections, i)
	})
}

// writes: writes N [SERVICE:OPERATION...] demands that exactly N calls that are not read-only have reached the lab, and of these
// operations, in this order, when they are named.
func writes(ts *testscript.TestScript, neg bool, args []string) {
	st := running(ts)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: writes N [SERVICE:OPERATION...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var all []string
	for _, k := range st.lab.Cloud.Ledger() {
		if !k.ReadOnly {
			all = append(all, k.Service+":"+k.Operation)
		}
	}
	if len(all) != want || (len(args) > 1 && !slices.Equal(all, args[1:])) {
		ts.Fatalf("%d writes reached the lab, want %s: %s", len(all), strings.Join(args, " "), strings.Join(all, " "))
	}
}

// until: until SERVICE:OPERATION N waits for N more calls of an operation, at most 40 s: so a script knows that a process in
// the background has come to where it polls.
func until(ts *testscript.TestScript, neg bool, args []string) {
	st := running(ts)
	if neg || len(args) != 2 {
		ts.Fatalf("usage: until SERVICE:OPERATION N")
	}
	more, err := strconv.Atoi(args[1])
	ts.Check(err)
	count := func() (n int) {
		for _, k := range st.lab.Cloud.Ledger() {
			if k.Service+":"+k.Operation == args[0] {
				n++
			}
		}
		return n
	}
	const limit = 40 * time.Second
	start, before := time.Now(), count()
	for count() < before+more {
		if time.Since(start) > 20*time.Second {
			ts.Fatalf("%d calls of %s in %s, want %d", count()-before, args[0], limit, more)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
