package write_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/awsapi/write"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

const branch = "/stages/0/actions/0/configuration/BranchName"

// update is an UpdatePipeline of web as it is now.
func (x *scene) update(t *testing.T, edits ...plan.Edit) plan.Action {
	return complete("UpdatePipeline", plan.Action{Input: op.Input{"name": "web"}, Definition: x.pipeline(t).Definition, Patch: edits})
}

func replaceBranch(old, now string) []plan.Edit {
	return []plan.Edit{{Op: "test", Path: branch, Value: json.RawMessage(`"` + old + `"`)}, {Op: "replace", Path: branch, Value: json.RawMessage(`"` + now + `"`)}}
}

// The body that leaves is the declaration as AWS told it, with the edit and no metadata.
func TestUpdateSendsRawJSON(t *testing.T) {
	play(t, func(t *testing.T, x *scene) {
		var read []byte // the reply to the writer's own read
		x.Lab.Observe(func(e lab.Exchange) {
			if e.Operation == "GetPipeline" {
				read = e.Body
			}
		})
		before := x.declaration(t, "web")
		r, err := x.w.Do(t.Context(), x.update(t, replaceBranch("main", "dev")...))
		if err != nil {
			t.Fatal(err)
		}
		var told struct{ Pipeline, Metadata json.RawMessage }
		if err := json.Unmarshal(read, &told); err != nil || told.Metadata == nil {
			t.Fatalf("the read has no metadata: %v", err)
		}
		body := string(x.seen[0].RequestBody)
		if !strings.Contains(body, `"BranchName":"dev"`) || strings.Contains(body, "metadata") || strings.Contains(body, "pipelineArn") {
			t.Errorf("sent %s", body)
		}
		after := x.declaration(t, "web")
		if r.Outputs["version"] != "2" || after["version"] != 2.0 {
			t.Errorf("version %s, %v", r.Outputs["version"], after["version"])
		}
		before["version"] = 2.0
		before["stages"].([]any)[0].(map[string]any)["actions"].([]any)[0].(map[string]any)["configuration"].(map[string]any)["BranchName"] = "dev"
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("the declaration changed elsewhere (-want +got):\n%s", d)
		}
	})
}

// aws answers a read with a declaration and keeps what is sent after it.
type aws struct {
	declaration string
	sent        []string
}

func (a *aws) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	answer := `{"pipeline":` + a.declaration + `,"metadata":{"pipelineArn":"arn:aws:codepipeline:eu-west-1:111111111111:web"}}`
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".UpdatePipeline") {
		a.sent, answer = append(a.sent, string(body)), `{"pipeline":{"version":8}}`
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(strings.NewReader(answer))}, nil
}

// Members that this program's SDK does not know are sent back as they were told.
func TestUnknownMembersSurvive(t *testing.T) {
	declaration := `{"name":"web","version":7,"roleArn":"r","tomorrow":{"n":1.50,"big":12345678901234567890,"html":"<&>"},"stages":[{"name":"Source","more":[null],"actions":[]}]}`
	a := &aws{declaration: declaration}
	s, err := awsapi.Open(t.Context(), awsapi.Options{Region: region, Transport: a, Keys: &awsapi.Keys{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	digest, _, err := fact.DeclarationDigest([]byte(declaration))
	if err != nil {
		t.Fatal(err)
	}
	do := complete("UpdatePipeline", plan.Action{Input: op.Input{"name": "web"}, Definition: digest, Patch: []plan.Edit{{Op: "replace", Path: "/roleArn", Value: json.RawMessage(`"other"`)}}})
	r, err := write.New(s.Config).Do(t.Context(), do)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"pipeline":` + strings.Replace(declaration, `"r"`, `"other"`, 1) + `}`
	if len(a.sent) != 1 || a.sent[0] != want || r.Outputs["version"] != "8" {
		t.Errorf("version %s, sent %q\nwant %s", r.Outputs["version"], a.sent, want)
	}
}

// Without a patch the declaration is sent as it was read, byte for byte.
func TestUpdateWithoutPatch(t *testing.T) {
	play(t, func(t *testing.T, x *scene) {
		var told struct{ Pipeline json.RawMessage }
		x.Lab.Observe(func(e lab.Exchange) {
			if e.Operation == "GetPipeline" {
				_ = json.Unmarshal(e.Body, &told)
			}
		})
		a := x.update(t)
		if _, err := x.w.Do(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if want := `{"pipeline":` + string(told.Pipeline) + `}`; string(x.seen[0].RequestBody) != want {
			t.Errorf("sent %s\nwant %s", x.seen[0].RequestBody, want)
		}
	})
}

// An update ends the runs in flight and takes the failed stage's retry away.
func TestUpdateCosts(t *testing.T) {
	play(t, func(t *testing.T, x *scene) {
		retry := complete("RetryStageExecution", x.actions(t)["RetryStageExecution"])
		if _, err := x.w.Do(t.Context(), x.update(t)); err != nil {
			t.Fatal(err)
		}
		var refused *write.Refused
		if _, err := x.w.Do(t.Context(), retry); !errors.As(err, &refused) || refused.Failure.Code != "StageNotRetryableException" {
			t.Errorf("a retry after the update: %v", err)
		}
		r, err := x.w.Do(t.Context(), complete("StartPipelineExecution", x.actions(t)["StartPipelineExecution"]))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if _, err := x.w.Do(t.Context(), x.update(t)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		id := r.Outputs["pipelineExecutionId"]
		out, err := codepipeline.NewFromConfig(x.session.Config(region)).GetPipelineExecution(t.Context(), &codepipeline.GetPipelineExecutionInput{PipelineName: ptr("web"), PipelineExecutionId: &id})
		if err != nil || out.PipelineExecution.Status == "InProgress" || out.PipelineExecution.Status == "Succeeded" {
			t.Errorf("the run in flight: %+v %v", out, err)
		}
	})
}

func ptr(s string) *string { return &s }

// What does not fit sends nothing that changes.
func TestUpdateRefused(t *testing.T) {
	tests := map[string]struct {
		edits []plan.Edit
		then  func(*plan.Action)
		moved bool
	}{
		"another definition": {nil, func(a *plan.Action) { a.Definition = "sha256:other" }, true},
		"no definition":      {nil, func(a *plan.Action) { a.Definition = "" }, false},
		"the test fails":     {replaceBranch("trunk", "dev"), nil, false},
		"a secret":           {[]plan.Edit{{Op: "add", Path: "/x", Value: json.RawMessage(`"****"`)}}, nil, false},
		"no such pipeline":   {nil, func(a *plan.Action) { a.Input["name"] = "nobody" }, false},
		"more than a name":   {nil, func(a *plan.Action) { a.Input["version"] = "1" }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, x *scene) {
				a := x.update(t, tt.edits...)
				if tt.then != nil {
					tt.then(&a)
				}
				_, err := x.w.Do(t.Context(), a)
				var refused *write.Refused
				if !errors.As(err, &refused) || errors.Is(err, write.ErrMoved) != tt.moved || refused.Failure.InDoubt {
					t.Errorf("got %T %v", err, err)
				}
				if len(x.seen) != 0 {
					t.Errorf("%d calls were made", len(x.seen))
				}
			})
		})
	}
}

// Somebody else's update between plan and call is not overwritten.
func TestUpdateOfAMovedPipeline(t *testing.T) {
	play(t, func(t *testing.T, x *scene) {
		mine, theirs := x.update(t, replaceBranch("main", "mine")...), x.update(t, replaceBranch("main", "theirs")...)
		if _, err := x.w.Do(t.Context(), theirs); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if _, err := x.w.Do(t.Context(), mine); !errors.Is(err, write.ErrMoved) {
			t.Errorf("got %v", err)
		}
		if len(x.seen) != 1 {
			t.Errorf("%d updates were sent", len(x.seen))
		}
	})
}

// The read before the update fails: nothing was changed, and the failure keeps its kind, so that a passing one is tried again.
func TestUpdateThatCannotRead(t *testing.T) {
	for kind, want := range map[string]awsapi.Kind{lab.Denied: awsapi.Refused, lab.Expired: awsapi.OldKeys, lab.Throttled: awsapi.Rate, lab.Reset: awsapi.Dial} {
		t.Run(kind, func(t *testing.T) {
			play(t, func(t *testing.T, x *scene) {
				a := x.update(t)
				x.Lab.Cloud.Within(func() {
					x.Lab.Cloud.Injections = append(x.Lab.Cloud.Injections, &cloud.Injection{Operation: "GetPipeline", Kind: kind, Times: 1000})
				})
				_, err := x.w.Do(t.Context(), a)
				var refused *write.Refused
				if !errors.As(err, &refused) || refused.Failure.InDoubt || (refused.Failure.Kind != want && kind != lab.Reset) {
					t.Errorf("got %T %v", err, err)
				}
				if len(x.seen) != 0 {
					t.Errorf("%d updates were sent", len(x.seen))
				}
			})
		})
	}
}

// A metric's input is checked before anything is sent.
func TestMetricRefused(t *testing.T) {
	good := op.Input{"Namespace": "Unjam", "MetricName": "Remediations", "Value": "1", "Dimensions": "Account=1"}
	play(t, func(t *testing.T, x *scene) {
		for k, v := range map[string]string{"Namespace": "", "MetricName": "", "Value": "one", "Dimensions": "Account", "Unit": "Count"} {
			in := op.Input{}
			for name, value := range good {
				in[name] = value
			}
			in[k] = v
			_, err := x.w.Do(t.Context(), complete("PutMetricData", plan.Action{Input: in}))
			var refused *write.Refused
			if !errors.As(err, &refused) || refused.Failure.Kind != awsapi.Local {
				t.Errorf("%s=%q: got %v", k, v, err)
			}
		}
		if len(x.seen) != 0 {
			t.Errorf("%d calls were made", len(x.seen))
		}
	})
}
