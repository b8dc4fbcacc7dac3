package codepipeline_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// TestAnySequenceOfCalls draws calls, pushes, failures and waiting, and holds what readers see to the rules of the engine after each
// of them. Every exchange is held against the API model too.
func TestAnySequenceOfCalls(t *testing.T) {
	models, err := apimodel.OfModule()
	if err != nil {
		t.Fatal(err)
	}
	v := &apimodel.Validator{Models: models, Newer: apimodel.Newer(), Broken: apimodel.Broken()}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWalk(t, v)
		w.update(rt)
		w.check(rt)
		acts := []func(*rapid.T){w.start, w.start, w.push, w.retry, w.retry, w.stop, w.transition, w.transition, w.update, w.answer, w.mishap, w.wait, w.wait, w.wait, w.wait}
		for range rapid.IntRange(8, 40).Draw(rt, "steps") {
			w.retried = ""
			rapid.SampledFrom(acts).Draw(rt, "act")(rt)
			w.check(rt)
		}
	})
	if r := v.Report(); len(r.Problems) > 0 || r.Operations["codepipeline:RetryStageExecution"].Replies == 0 || r.Operations["codepipeline:RetryStageExecution"].Errors == 0 {
		t.Errorf("held against the models: %v", r)
	}
}

// walk is one sequence of calls on one pipeline, with what was seen last.
type walk struct {
	*bench
	caller   *cloud.Caller
	problems []apimodel.Problem
	version  float64
	retried  string // the execution that the last call retried
	runs     map[string]map[string]any
	details  map[string]map[string]any
}

func newWalk(t *testing.T, v *apimodel.Validator) *walk {
	w := &walk{bench: working(t), runs: map[string]map[string]any{}, details: map[string]map[string]any{}}
	w.caller = w.key()
	w.Observe(func(x lab.Exchange) { w.problems = append(w.problems, v.Check(apimodel.FromLab(x))...) })
	return w
}

// signed is a call as it goes over HTTP.
func (b *bench) signed(k *cloud.Caller, op string, input in) *http.Request {
	b.Helper()
	body, err := json.Marshal(input)
	b.must(err)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://codepipeline.us-east-1.amazonaws.com/", bytes.NewReader(body))
	b.must(err)
	r.Header.Set("X-Amz-Target", "CodePipeline_20150709."+op)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	sum := sha256.Sum256(body)
	keys := aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey}
	b.must(v4.NewSigner().SignHTTP(b.Context(), keys, r, hex.EncodeToString(sum[:]), "codepipeline", region, b.now))
	return r
}

// key gives the administrator an access key.
func (b *bench) key() *cloud.Caller {
	k := &cloud.Caller{Name: "ada", Principal: b.me, AccessKeyID: "AKIALABADA0000000001", SecretAccessKey: "secret"}
	b.Cloud.AddCaller(k)
	return k
}

// send makes a signed call over HTTP; code is that of an error.
func (w *walk) send(t *rapid.T, op string, input in) (out in, code string) {
	r := w.signed(w.caller, op, input)
	resp, err := w.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatalf("%s: %v in %s", op, err, text)
		}
	}
	if resp.StatusCode != http.StatusOK {
		kind, _ := out["__type"].(string)
		code = kind[strings.LastIndex(kind, "#")+1:]
	}
	for _, p := range w.problems {
		t.Errorf("%v", p)
	}
	w.problems = nil
	return out, code
}

// expect is send with a code out of those allowed; "" is success.
func (w *walk) expect(t *rapid.T, op string, input in, allowed ...string) (in, bool) {
	out, code := w.send(t, op, input)
	if code != "" && !slices.Contains(allowed, code) {
		t.Errorf("%s %v: %s %v", op, input, code, out)
	}
	return out, code == ""
}

// update creates the pipeline or writes a new version of it: another mode, another shape.
func (w *walk) update(t *rapid.T) {
	mode := rapid.SampledFrom([]string{"SUPERSEDED", "QUEUED", "PARALLEL"}).Draw(t, "mode")
	build := func(name string, order int) in {
		a := action(name, "Build", "CodeBuild", in{"ProjectName": "web"})
		a["runOrder"] = order
		return a
	}
	all := []any{stage("Source", w.source(), action("Bucket", "Source", "S3", in{"S3Bucket": "b", "S3ObjectKey": "k"})), stage("Build", build("One", 1), build("Two", 1), build("Last", 2))}
	if rapid.Bool().Draw(t, "approval") {
		all = append(all, stage("Approve", action("Ask", "Approval", "Manual", nil)))
	}
	all = append(all, stage("Deploy", action("CodeDeploy", "Deploy", "CodeDeploy", in{"ApplicationName": "web", "DeploymentGroupName": "all"})))
	d := w.definition("web")
	d["executionMode"], d["stages"] = mode, all
	op := "UpdatePipeline"
	if w.version == 0 {
		op = "CreatePipeline"
	}
	out, _ := w.expect(t, op, in{"pipeline": d})
	decl, _ := out["pipeline"].(in)
	if decl["version"] != w.version+1 {
		t.Errorf("version %v after %v", decl["version"], w.version)
	}
	w.version++
}

func (w *walk) start(t *rapid.T) {
	out, ok := w.expect(t, "StartPipelineExecution", in{"name": "web"})
	if id, _ := out["pipelineExecutionId"].(string); ok && w.runs[id] != nil {
		t.Errorf("start gave %s again", id)
	}
}

func (w *walk) push(t *rapid.T) {
	if _, err := w.Git.Push("GitHub", "acme/web", rapid.SampledFrom([]string{"main", "feature"}).Draw(t, "branch"), "change"); err != nil {
		t.Fatal(err)
	}
}

// one draws an execution that was seen, rather a recent one.
func (w *walk) one(t *rapid.T) string {
	ids := slices.SortedFunc(maps.Keys(w.runs), func(a, b string) int {
		return cmp.Or(cmp.Compare(w.runs[b]["startTime"].(float64), w.runs[a]["startTime"].(float64)), cmp.Compare(a, b))
	})
	return ids[min(rapid.IntRange(0, 4).Draw(t, "recent"), len(ids)-1)]
}

func (w *walk) stage(t *rapid.T) string {
	return rapid.SampledFrom([]string{"Source", "Build", "Approve", "Deploy"}).Draw(t, "stage")
}

// retry retries a stage: one that failed, if there is one and luck wants it so, or any.
func (w *walk) retry(t *rapid.T) {
	id, name := w.one(t), w.stage(t)
	if rapid.Bool().Draw(t, "failed") {
		for _, k := range slices.Sorted(maps.Keys(w.details)) {
			d := w.details[k]
			if of := d["pipelineExecutionId"].(string); d["status"] == "Failed" && w.runs[of]["status"] == "Failed" {
				id, name = of, d["stageName"].(string)
			}
		}
	}
	mode := rapid.SampledFrom([]string{"FAILED_ACTIONS", "ALL_ACTIONS"}).Draw(t, "retryMode")
	was := w.runs[id]
	out, ok := w.expect(t, "RetryStageExecution", w.bench.retry("web", name, id, mode),
		"StageNotFoundException", "StageNotRetryableException", "NotLatestPipelineExecutionException", "ConflictException")
	if !ok {
		return
	}
	if was["status"] != "Failed" || out["pipelineExecutionId"] != id {
		t.Errorf("retry of %v gave %v", was, out)
	}
	w.retried = id
}

func (w *walk) stop(t *rapid.T) {
	id := w.one(t)
	_, ok := w.expect(t, "StopPipelineExecution", in{"pipelineName": "web", "pipelineExecutionId": id, "abandon": rapid.Bool().Draw(t, "abandon"), "reason": "enough"},
		"PipelineExecutionNotStoppableException", "DuplicatedStopRequestException")
	if was := w.runs[id]["status"]; ok && was != "InProgress" && was != "Stopping" {
		t.Errorf("stopped what was %v", was)
	}
}

func (w *walk) transition(t *rapid.T) {
	input := in{"pipelineName": "web", "stageName": w.stage(t), "transitionType": rapid.SampledFrom([]string{"Inbound", "Outbound"}).Draw(t, "kind")}
	op := rapid.SampledFrom([]string{"EnableStageTransition", "DisableStageTransition"}).Draw(t, "op")
	if op == "DisableStageTransition" {
		input["reason"] = "wait"
	}
	w.expect(t, op, input, "StageNotFoundException")
}

// answer answers the approval that waits, or one that does not.
func (w *walk) answer(t *rapid.T) {
	token := "00000000-0000-4000-8000-000000000000"
	state, _ := w.expect(t, "GetPipelineState", in{"name": "web"})
	for _, s := range list(state["stageStates"]) {
		for _, a := range list(s["actionStates"]) {
			if latest, _ := a["latestExecution"].(in); latest["token"] != nil {
				token = latest["token"].(string)
			}
		}
	}
	status := rapid.SampledFrom([]string{"Approved", "Rejected"}).Draw(t, "answer")
	w.expect(t, "PutApprovalResult", in{"pipelineName": "web", "stageName": "Approve", "actionName": "Ask", "token": token, "result": in{"status": status, "summary": ""}},
		"StageNotFoundException", "ActionNotFoundException", "InvalidApprovalTokenException", "ApprovalAlreadyCompletedException")
}

// mishap breaks or heals an action.
func (w *walk) mishap(t *rapid.T) {
	at := rapid.SampledFrom([][2]string{{"Source", "Git"}, {"Source", "Bucket"}, {"Build", "One"}, {"Build", "Two"}, {"Build", "Last"}, {"Deploy", "CodeDeploy"}}).Draw(t, "action")
	code := rapid.SampledFrom([]string{"", "JobFailed"}).Draw(t, "code")
	w.Pipelines.FailAction(account, region, "web", at[0], at[1], failure(code, "it went wrong"))
}

func (w *walk) wait(t *rapid.T) {
	w.pass(rapid.SampledFrom([]time.Duration{time.Millisecond, 5 * time.Second, 31 * time.Second, time.Minute, time.Hour, 8 * 24 * time.Hour}).Draw(t, "wait"))
}
