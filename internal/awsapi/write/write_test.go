package write_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/awsapi/write"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

const region = "eu-west-1"

// scene is a world whose pipeline web has failed at Source and could run by now.
type scene struct {
	*testkit.Case
	session *awsapi.Session
	w       *write.Writer
	seen    []lab.Exchange // writes that reached the lab
}

func play(t *testing.T, f func(*testing.T, *scene)) {
	t.Helper()
	text, err := os.ReadFile("../../../lab/world/worlds/wants-retry.world")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		x := &scene{Case: testkit.Start(t, "wants-retry", text)}
		k := x.World.Default
		s, err := awsapi.Open(t.Context(), awsapi.Options{Region: "us-east-1", Transport: x.Lab,
			Keys: &awsapi.Keys{ID: k.AccessKeyID, Secret: k.SecretAccessKey, Token: k.SessionToken}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		x.session, x.w = s, write.New(s.Config)
		x.Lab.Observe(func(e lab.Exchange) {
			service := strings.Replace(e.Service, "monitoring", "cloudwatch", 1) // signing name and prefix of actions differ
			if o, ok := op.Find(service, e.Operation); ok && o.Write {
				x.seen = append(x.seen, e)
			}
		})
		f(t, x)
	})
}

// state is the pipeline's state as AWS tells it.
func (x *scene) state(t *testing.T) fact.PipelineState {
	t.Helper()
	scope := fact.Scope{Account: x.World.Default.Principal.Account, Region: region}
	s, err := x.App.Read(t.Context(), scope.Account, []fact.Query{{Scope: scope, Kind: fact.KindPipelineState, ID: "web"}})
	if err != nil {
		t.Fatal(err)
	}
	st, ok := fact.Get[fact.PipelineState](s, fact.StateRef(scope, "web"))
	if !ok {
		t.Fatalf("the state was not read: %v", s.Gaps())
	}
	return st
}

func (x *scene) pipeline(t *testing.T) fact.Pipeline {
	t.Helper()
	scope := fact.Scope{Account: x.World.Default.Principal.Account, Region: region}
	s, err := x.App.Read(t.Context(), scope.Account, []fact.Query{{Scope: scope, Kind: fact.KindPipeline, ID: "web"}})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := fact.Get[fact.Pipeline](s, fact.PipelineRef(scope, "web"))
	if !ok {
		t.Fatalf("the pipeline was not read: %v", s.Gaps())
	}
	return p
}

// declaration is what AWS tells of a pipeline, whole.
func (x *scene) declaration(t *testing.T, name string) map[string]any {
	t.Helper()
	var reply awsapi.Reply
	if _, err := codepipeline.NewFromConfig(x.session.Config(region)).GetPipeline(awsapi.WithReply(t.Context(), &reply), &codepipeline.GetPipelineInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	var whole struct{ Pipeline map[string]any }
	if err := json.Unmarshal(reply.Body, &whole); err != nil {
		t.Fatal(err)
	}
	return whole.Pipeline
}

// topic is an SNS topic of the account.
func (x *scene) topic(t *testing.T) (arn string) {
	t.Helper()
	var err error
	x.Lab.Cloud.Within(func() { arn, err = x.Lab.Topics.AddTopic(x.World.Default.Principal.Account, region, "alarms") })
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

// zone makes a public hosted zone and returns its ID.
func (x *scene) zone(t *testing.T, name string) string {
	t.Helper()
	var out map[string]any
	var err error
	x.Lab.Cloud.Within(func() {
		out, err = x.Lab.Cloud.Serve(&cloud.Request{Service: "route53", Operation: "CreateHostedZone", Region: "us-east-1", Caller: x.World.Default.Principal,
			In: map[string]any{"Name": name, "CallerReference": rand.Text()}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(out["HostedZone"].(map[string]any)["Id"].(string), "/hostedzone/")
}

// rule makes a rule of EventBridge and returns its pattern.
func (x *scene) rule(t *testing.T, name string) (pattern string) {
	t.Helper()
	pattern = `{"source":["aws.ecr"]}`
	var err error
	x.Lab.Cloud.Within(func() {
		_, err = x.Lab.Cloud.Serve(&cloud.Request{Service: "events", Operation: "PutRule", Region: region, Caller: x.World.Default.Principal,
			In: map[string]any{"Name": name, "EventPattern": pattern}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return pattern
}

func (x *scene) actions(t *testing.T) map[string]plan.Action {
	source := x.state(t).Stages[0]
	transition := op.Input{"pipelineName": "web", "stageName": "Build", "transitionType": "Inbound"}
	hold := op.Input{"pipelineName": "web", "stageName": "Build", "transitionType": "Inbound", "reason": "held until somebody looks"}
	p := x.pipeline(t)
	role := p.RoleARN[strings.LastIndex(p.RoleARN, "/")+1:]
	return map[string]plan.Action{
		"RetryStageExecution":    {Input: op.Input{"pipelineName": "web", "stageName": source.Name, "pipelineExecutionId": source.Execution, "retryMode": "FAILED_ACTIONS"}},
		"StartPipelineExecution": {Input: op.Input{"name": "web", "clientRequestToken": "token-1"}},
		"DisableStageTransition": {Input: hold},
		"EnableStageTransition":  {Input: transition},
		"UpdatePipeline":         {Input: op.Input{"name": "web"}, Definition: p.Definition},
		"PutRolePolicy":          {Input: op.Input{"RoleName": role, "PolicyName": "new", "PolicyDocument": document}},
		"DeleteRolePolicy":       {Input: op.Input{"RoleName": role, "PolicyName": "inline"}},
		"UpdateAssumeRolePolicy": {Input: op.Input{"RoleName": role, "PolicyDocument": trust}},
		"EnableRule":             {Input: op.Input{"Name": "push"}},
		"DisableRule":            {Input: op.Input{"Name": "push"}},
		"PutRule":                {Input: op.Input{"Name": "push", "EventPattern": x.rule(t, "push"), "State": "ENABLED", "Description": "images"}},
		"ChangeResourceRecordSets": {Input: op.Input{"HostedZoneId": x.zone(t, "acme.example"), "Action": "CREATE", "Name": "_a.acme.example.", "Type": "CNAME", "TTL": "300",
			"Value": "_b.acm-validations.aws."}},
		"Publish":       {Input: op.Input{"TopicArn": x.topic(t), "Subject": "trouble", "Message": "it is broken"}},
		"PutMetricData": {Input: op.Input{"Namespace": "Unjam", "MetricName": "Remediations", "Value": "1", "Dimensions": "Account=1,Region=2"}},
	}
}

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`

func complete(name string, a plan.Action) plan.Action {
	for _, o := range op.All() {
		if o.Write && o.Name == name {
			a.Service = o.Service
		}
	}
	a.Operation, a.Region = name, region
	return a
}

// Every write of the catalogue can be made, arrives as it was written down, and answers with its request ID.
func TestEveryWrite(t *testing.T) {
	for _, o := range op.All() {
		if !o.Write {
			continue
		}
		t.Run(o.Name, func(t *testing.T) {
			play(t, func(t *testing.T, x *scene) {
				a, ok := x.actions(t)[o.Name]
				if !ok {
					t.Fatalf("the catalogue has %s, this test does not", o.Key())
				}
				if o.Name == "DeleteRolePolicy" { // it needs one to delete
					put := op.Input{"RoleName": a.Input["RoleName"], "PolicyName": a.Input["PolicyName"], "PolicyDocument": document}
					if _, err := x.w.Do(t.Context(), complete("PutRolePolicy", plan.Action{Input: put})); err != nil {
						t.Fatal(err)
					}
					x.seen = nil
				}
				r, err := x.w.Do(t.Context(), complete(o.Name, a))
				if err != nil {
					t.Fatal(err)
				}
				if len(x.seen) != 1 || r.RequestID == "" || r.RequestID != x.seen[0].RequestID {
					t.Fatalf("%d calls, request ID %q", len(x.seen), r.RequestID)
				}
				want := map[string]any{}
				for k, v := range a.Input {
					want[k] = v
				}
				switch o.Name {
				case "UpdatePipeline":
					want = map[string]any{"pipeline": x.declaration(t, "web")}
					want["pipeline"].(map[string]any)["version"] = float64(1) // as it was read
				case "ChangeResourceRecordSets":
					// as the lab reads XML: numbers are text, a list of one is its member
					want = map[string]any{"Id": a.Input["HostedZoneId"], "ChangeBatch": map[string]any{"Changes": map[string]any{"Change": map[string]any{"Action": "CREATE",
						"ResourceRecordSet": map[string]any{"Name": "_a.acme.example.", "Type": "CNAME", "TTL": "300",
							"ResourceRecords": map[string]any{"ResourceRecord": map[string]any{"Value": "_b.acm-validations.aws."}}}}}}}
				case "PutMetricData":
					want = map[string]any{"Namespace": "Unjam", "MetricData": []any{map[string]any{"MetricName": "Remediations", "Unit": "Count", "Value": 1.0,
						"Dimensions": []any{map[string]any{"Name": "Account", "Value": "1"}, map[string]any{"Name": "Region", "Value": "2"}}}}}
				}
				if d := cmp.Diff(want, x.seen[0].In); d != "" || (x.seen[0].Region != region && o.Service != "iam" && o.Service != "route53") {
					t.Errorf("arrived in %s otherwise (-want +got):\n%s", x.seen[0].Region, d)
				}
				id := r.Outputs["pipelineExecutionId"]
				if now := x.state(t).Stages[0].Execution; id != "" && id != now || (o.Name == "RetryStageExecution" || o.Name == "StartPipelineExecution") && id == "" {
					t.Errorf("execution %q, the pipeline is at %q", id, now)
				}
			})
		})
	}
}

// The undo of the catalogue takes the write back.
func TestUndo(t *testing.T) {
	play(t, func(t *testing.T, x *scene) {
		before := x.state(t).Stages[1].TransitionEnabled
		a := complete("DisableStageTransition", x.actions(t)["DisableStageTransition"])
		if _, err := x.w.Do(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if x.state(t).Stages[1].TransitionEnabled {
			t.Fatal("the transition is still open")
		}
		o, _ := op.Find(a.Service, a.Operation)
		svc, name, in := o.Undo(a.Input)
		if _, err := x.w.Do(t.Context(), plan.Action{Service: svc, Operation: name, Region: region, Input: in}); err != nil {
			t.Fatal(err)
		}
		if x.state(t).Stages[1].TransitionEnabled != before {
			t.Error("the undo did not take it back")
		}
		o, _ = op.Find(svc, name)
		svc, name, in = o.Undo(in)
		if _, err := x.w.Do(t.Context(), plan.Action{Service: svc, Operation: name, Region: region, Input: in}); err != nil {
			t.Errorf("the undo of the undo is not a valid call: %v", err)
		}
	})
}

// Whatever goes wrong, the call is made once, and the error never claims "no effect" for one that had an effect.
func TestFailures(t *testing.T) {
	kinds := map[string]bool{ // may the error say "refused"?
		lab.Denied: true, lab.Throttled: true, lab.Expired: true, lab.Unknown: true,
		lab.Reset: false, lab.Timeout: false, lab.HTML: false, lab.HTML503: false, lab.Half: false, lab.LostReply: false,
	}
	for kind, definite := range kinds {
		for _, o := range op.All() {
			if !o.Write {
				continue
			}
			name := o.Name
			t.Run(kind+" "+name, func(t *testing.T) {
				play(t, func(t *testing.T, x *scene) {
					a := complete(name, x.actions(t)[name])
					x.Lab.Cloud.Within(func() {
						x.Lab.Cloud.Injections = append(x.Lab.Cloud.Injections, &cloud.Injection{Operation: name, Kind: kind, Times: 1})
					})
					_, err := x.w.Do(t.Context(), a)
					var refused *write.Refused
					var doubt *write.Doubt
					if errors.As(err, &refused) != definite || errors.As(err, &doubt) == definite {
						t.Errorf("got %T %v", err, err)
					}
					if len(x.seen) != 1 {
						t.Errorf("%d calls, want 1", len(x.seen))
					}
				})
			})
		}
	}
}

// AWS's own refusals keep their code and text.
func TestRefusal(t *testing.T) {
	play(t, func(t *testing.T, x *scene) {
		a := complete("RetryStageExecution", x.actions(t)["RetryStageExecution"])
		a.Input["pipelineExecutionId"] = "00000000-0000-0000-0000-000000000000"
		_, err := x.w.Do(t.Context(), a)
		var refused *write.Refused
		if !errors.As(err, &refused) || refused.Failure.Code == "" || refused.Failure.RequestID == "" || refused.Failure.InDoubt {
			t.Errorf("got %T %+v", err, err)
		}
	})
}

// The same start with the same token is one run; with another token it is another.
func TestToken(t *testing.T) {
	play(t, func(t *testing.T, x *scene) {
		start := func(token string) string {
			r, err := x.w.Do(t.Context(), complete("StartPipelineExecution", plan.Action{Input: op.Input{"name": "web", "clientRequestToken": token}}))
			if err != nil {
				t.Fatal(err)
			}
			return r.Outputs["pipelineExecutionId"]
		}
		first, again, other := start("a"), start("a"), start("b")
		if first != again || first == other {
			t.Errorf("runs %s, %s, %s", first, again, other)
		}
	})
}

// What is not a write of the catalogue, or does not fit it, never leaves this machine.
func TestOnlyTheCatalogue(t *testing.T) {
	retry := op.Input{"pipelineName": "web", "stageName": "Source", "pipelineExecutionId": "x", "retryMode": "FAILED_ACTIONS"}
	tests := map[string]plan.Action{
		"not in it":      {Service: "codepipeline", Operation: "DeletePipeline", Region: region, Input: op.Input{"name": "web"}},
		"other service":  {Service: "s3", Operation: "RetryStageExecution", Region: region, Input: retry},
		"a read":         {Service: "codepipeline", Operation: "GetPipeline", Region: region, Input: op.Input{"name": "web"}},
		"no Region":      {Service: "codepipeline", Operation: "RetryStageExecution", Input: retry},
		"no token":       {Service: "codepipeline", Operation: "StartPipelineExecution", Region: region, Input: op.Input{"name": "web"}},
		"unknown member": {Service: "codepipeline", Operation: "EnableStageTransition", Region: region, Input: op.Input{"pipelineName": "web", "stageName": "Build", "transitionType": "Inbound", "force": "true"}},
		"missing member": {Service: "codepipeline", Operation: "RetryStageExecution", Region: region, Input: op.Input{"pipelineName": "web"}},
		"not a text":     {Service: "codepipeline", Operation: "StartPipelineExecution", Region: region, Input: op.Input{"name": "web", "clientRequestToken": "t", "variables": "x"}},
	}
	play(t, func(t *testing.T, x *scene) {
		for name, a := range tests {
			_, err := x.w.Do(t.Context(), a)
			var refused *write.Refused
			if !errors.As(err, &refused) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if len(x.seen) != 0 {
			t.Errorf("%d calls were made", len(x.seen))
		}
	})
}
