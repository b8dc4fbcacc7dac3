package codepipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// A cap on pages holds for every list, whatever the caller asks for; all pages together are the whole.
func TestEveryListPagesEarly(t *testing.T) {
	b := working(t)
	for _, name := range []string{"web", "api"} {
		b.create(name)
	}
	b.pass(time.Hour)
	b.start("web")
	b.pass(time.Hour)
	arn := "arn:aws:codepipeline:us-east-1:111111111111:web"
	b.ok("TagResource", in{"resourceArn": arn, "tags": []any{in{"key": "a", "value": ""}, in{"key": "b", "value": ""}}})
	for _, c := range []struct {
		op, member string
		input      in
	}{
		{"ListPipelines", "pipelines", in{}},
		{"ListPipelineExecutions", "pipelineExecutionSummaries", in{"pipelineName": "web"}},
		{"ListActionExecutions", "actionExecutionDetails", in{"pipelineName": "web"}},
		{"ListActionTypes", "actionTypes", in{}},
		{"ListTagsForResource", "tags", in{"resourceArn": arn}},
	} {
		b.Cloud.PageSize = 0
		whole := b.ok(c.op, c.input)
		b.Cloud.PageSize = 1
		var all []map[string]any
		if c.op != "ListActionTypes" {
			c.input["maxResults"] = float64(100)
		}
		for more := true; more; {
			page := b.ok(c.op, c.input)
			if n := len(list(page[c.member])); n != 1 {
				t.Errorf("%s: %d entries on a page", c.op, n)
			}
			all = append(all, list(page[c.member])...)
			c.input["nextToken"], more = page["nextToken"], page["nextToken"] != nil
		}
		if d := cmp.Diff(list(whole[c.member]), all); d != "" || len(all) < 2 || whole["nextToken"] != nil {
			t.Errorf("%s, whole and page by page: %s", c.op, d)
		}
	}
}

// One may read one pipeline, and nothing else is allowed: not another action, not another pipeline, not another caller.
func TestDeniedPerCallerActionAndResource(t *testing.T) {
	b := working(t)
	b.create("web")
	b.create("api")
	_, err := b.IAM.CreateUser(account, "bob", "/")
	b.must(err)
	b.must(b.IAM.PutUserPolicy(account, "ada", "all", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codepipeline:GetPipeline","Resource":"arn:aws:codepipeline:us-east-1:111111111111:web"}}`))
	b.ok("GetPipeline", in{"name": "web"})
	refused := func(op string, input in, what string) {
		t.Helper()
		b.fails(op, input, cloud.AccessDenied, "User: "+b.me.ARN+" is not authorized to perform: codepipeline:"+what+" because no identity-based policy allows the codepipeline:"+op+" action")
	}
	arn := "arn:aws:codepipeline:us-east-1:111111111111:"
	refused("GetPipeline", in{"name": "api"}, "GetPipeline on resource: "+arn+"api")
	refused("GetPipeline", in{"name": "none"}, "GetPipeline on resource: "+arn+"none") // AWS does not tell what exists
	refused("GetPipelineState", in{"name": "web"}, "GetPipelineState on resource: "+arn+"web")
	refused("ListPipelines", in{}, "ListPipelines on resource: "+arn+"*")
	refused("RetryStageExecution", b.retry("web", "Source", "x", "ALL_ACTIONS"), "RetryStageExecution on resource: "+arn+"web/Source")
	b.me = b.IAM.UserPrincipal(account, "bob")
	refused("GetPipeline", in{"name": "web"}, "GetPipeline on resource: "+arn+"web")
}

// The reply to a start is lost. The run exists; asking again with the same token starts no second one, without a token it does.
func TestLostReply(t *testing.T) {
	b := working(t)
	b.create("web")
	b.pass(time.Hour)
	k := b.key()
	for _, c := range []struct {
		input in
		runs  int
	}{{in{"name": "web", "clientRequestToken": "token-1"}, 1}, {in{"name": "web"}, 2}} {
		before := len(b.runs("web"))
		b.Cloud.Injections = []*cloud.Injection{{Service: "codepipeline", Operation: "StartPipelineExecution", Kind: lab.LostReply, Times: 1}}
		resp, err := b.RoundTrip(b.signed(k, "StartPipelineExecution", c.input))
		if err == nil || !strings.Contains(err.Error(), "reset") {
			t.Errorf("answer %v, %v; want none", resp, err)
		}
		if n := len(b.runs("web")); n != before+1 {
			t.Errorf("%d executions after the lost reply, %d before", n, before)
		}
		b.ok("StartPipelineExecution", c.input)
		if n := len(b.runs("web")); n != before+c.runs {
			t.Errorf("%v: %d executions after asking again, %d before the first", c.input, n, before)
		}
	}
}
