package read

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
)

// What an export saves is what AWS sent, byte for byte: order, spaces, numbers and members that the SDK does not know; XML stays XML. Each
// reply comes with the call it answers; a call that failed has none, and a read without a witness leaves nothing in another's.
func TestWitness(t *testing.T) {
	const (
		pipeline = "{ \"pipeline\" : {\"version\":7, \"name\":\"web\",\"fromTheFuture\":{\"b\":1,\"a\":[2.50]}} ,\n\"metadata\":{}, \"new\": 1e2 }\n"
		role     = "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role><RoleName>web</RoleName><FromTheFuture>é</FromTheFuture></Role></GetRoleResult></GetRoleResponse>\n"
		projects = `{"projectsNotFound":["web"],"projects":[]}`
		absent   = `{"__type":"PipelineNotFoundException","message":"gone"}`
	)
	r := over(t, wire(func(q *http.Request) (*http.Response, error) {
		reply := func(status int, request, body string) (*http.Response, error) {
			return &http.Response{StatusCode: status, ProtoMajor: 1, Header: http.Header{"X-Amzn-Requestid": {request}}, Body: io.NopCloser(strings.NewReader(body))}, nil
		}
		sent, err := io.ReadAll(q.Body)
		switch {
		case err != nil:
			return nil, err
		case strings.HasPrefix(q.URL.Host, "iam."):
			return reply(200, "r-iam", role)
		case strings.HasPrefix(q.URL.Host, "codebuild."):
			return reply(200, "r-build", projects)
		case strings.Contains(string(sent), "gone"):
			return reply(400, "r-gone", absent)
		}
		return reply(200, "r-pipe", pipeline)
	}), awsapi.Keys{ID: "AKIA", Secret: "s"})
	scope := fact.Scope{Account: "111111111111", Region: "us-east-1"}
	pipe := func(ctx context.Context, name string) error {
		_, _, _, err := r.GetPipeline(ctx, scope, &codepipeline.GetPipelineInput{Name: &name})
		return err
	}

	var w, other awsapi.Witness
	ctx := awsapi.WithWitness(t.Context(), &w)
	if err := pipe(ctx, "web"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.GetRole(ctx, scope.Global(), &iam.GetRoleInput{RoleName: aws.String("web")}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.BatchGetProjects(ctx, scope, &codebuild.BatchGetProjectsInput{Names: []string{"web"}}); err != nil {
		t.Fatal(err)
	}
	if err := pipe(ctx, "gone"); err == nil {
		t.Fatal("a pipeline that does not exist was read")
	}
	if err := pipe(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	if err := pipe(awsapi.WithWitness(ctx, &other), "web"); err != nil {
		t.Fatal(err)
	}

	want := []struct{ service, operation, region, request, body string }{
		{"codepipeline", "GetPipeline", "us-east-1", "r-pipe", pipeline},
		{"iam", "GetRole", "eu-west-1", "r-iam", role},
		{"codebuild", "BatchGetProjects", "us-east-1", "r-build", projects},
	}
	seen := w.Seen()
	if len(seen) != len(want) || len(other.Seen()) != 1 {
		t.Fatalf("%d replies and %d, want %d and 1", len(seen), len(other.Seen()), len(want))
	}
	for i, x := range want {
		s := seen[i].Source
		if s.Service != x.service || s.Operation != x.operation || s.Region != x.region || s.RequestID != x.request || s.At.IsZero() || string(seen[i].Body) != x.body {
			t.Errorf("seen %+v with %q, want %+v", s, seen[i].Body, x)
		}
	}
}

// Reads that go on side by side all reach the witness, each with its own reply.
func TestWitnessTogether(t *testing.T) {
	r := over(t, wire(func(q *http.Request) (*http.Response, error) {
		sent, err := io.ReadAll(q.Body)
		if err != nil {
			return nil, err
		}
		body := `{"pipeline":` + string(sent) + `}`
		return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"X-Amzn-Requestid": {string(sent)}}, Body: io.NopCloser(strings.NewReader(body))}, nil
	}), awsapi.Keys{ID: "AKIA", Secret: "s"})
	var w awsapi.Witness
	ctx := awsapi.WithWitness(t.Context(), &w)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := string(rune('a' + i))
			if _, _, _, err := r.GetPipeline(ctx, fact.Scope{Account: "111111111111", Region: "us-east-1"}, &codepipeline.GetPipelineInput{Name: &name}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	different := map[string]bool{}
	for _, s := range w.Seen() {
		different[s.Source.RequestID] = true
		if want := `{"pipeline":` + s.Source.RequestID + `}`; string(s.Body) != want {
			t.Errorf("seen %s, want %s", s.Body, want)
		}
	}
	if len(different) != 8 {
		t.Errorf("%d different replies, want 8", len(different))
	}
}
