package apimodel_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	//lint:ignore SA1019 none of the module's code is used: the import keeps its API models in go.mod
	_ "github.com/aws/aws-sdk-go/aws"

	"github.com/unjam/unjam/internal/testkit/apimodel"
)

const (
	connARN  = "arn:aws:codeconnections:us-east-1:111111111111:connection/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	iamSpace = `xmlns="https://iam.amazonaws.com/doc/2010-05-08/"`
)

func models(t testing.TB) *apimodel.Models {
	t.Helper()
	m, err := apimodel.OfModule()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The samples are right in every respect; each case below spoils one of them in one place.

func jsonSample() apimodel.Exchange {
	return apimodel.Exchange{
		Service: "codeconnections", Operation: "ListConnections", Method: "POST", Path: "/",
		RequestHeader: http.Header{"X-Amz-Target": {"CodeConnections_20231201.ListConnections"}, "Content-Type": {"application/x-amz-json-1.0"}},
		RequestBody:   []byte(`{"MaxResults":10,"ProviderTypeFilter":"GitHub"}`),
		Status:        200,
		Header:        http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"r"}},
		Body:          []byte(`{"Connections":[{"ConnectionArn":"` + connARN + `","ConnectionName":"main","ConnectionStatus":"PENDING","ProviderType":"GitHub"}]}`),
	}
}

func stateSample() apimodel.Exchange {
	x := jsonSample()
	x.Service, x.Operation = "codepipeline", "GetPipelineState"
	x.RequestHeader = http.Header{"X-Amz-Target": {"CodePipeline_20150709.GetPipelineState"}, "Content-Type": {"application/x-amz-json-1.1"}}
	x.RequestBody = []byte(`{"name":"shop"}`)
	x.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Requestid": {"r"}}
	x.Body = []byte(`{"pipelineName":"shop","pipelineVersion":3,"created":1700000000.123,"stageStates":[{"stageName":"Source",
		"inboundTransitionState":{"enabled":true},"actionStates":[{"actionName":"Fetch","latestExecution":{"status":"Failed","lastStatusChange":1700000000,"percentComplete":50}}]}]}`)
	return x
}

func querySample() apimodel.Exchange {
	return apimodel.Exchange{
		Service: "iam", Operation: "SimulatePrincipalPolicy", Method: "POST", Path: "/",
		RequestHeader: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		RequestBody: []byte("Action=SimulatePrincipalPolicy&Version=2010-05-08&PolicySourceArn=arn:aws:iam::111111111111:role/admin" +
			"&ActionNames.member.1=s3:Get*&ActionNames.member.2=s3:List*&ContextEntries.member.1.ContextKeyName=aws:x" +
			"&ContextEntries.member.1.ContextKeyType=boolean&ContextEntries.member.1.ContextKeyValues.member.1=true&MaxItems=10"),
		Status: 200,
		Header: http.Header{"Content-Type": {"text/xml"}, "X-Amzn-Requestid": {"r"}},
		Body: []byte(`<SimulatePrincipalPolicyResponse ` + iamSpace + `><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>
			<EvaluationResults><member><EvalActionName>s3:Get</EvalActionName><EvalDecision>allowed</EvalDecision>
			<MatchedStatements/><EvalDecisionDetails><entry><key>IAM Policy</key><value>allowed</value></entry></EvalDecisionDetails>
			</member></EvaluationResults></SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>`),
	}
}

func roleSample() apimodel.Exchange {
	x := querySample()
	x.Operation = "GetRole"
	x.RequestBody = []byte("Action=GetRole&Version=2010-05-08&RoleName=admin")
	x.Body = []byte(`<GetRoleResponse ` + iamSpace + `><GetRoleResult><Role><Path>/</Path><RoleName>admin</RoleName><RoleId>AROAEXAMPLEEXAMPLEEX</RoleId>
		<Arn>arn:aws:iam::111111111111:role/admin</Arn><CreateDate>2024-01-02T03:04:05Z</CreateDate></Role></GetRoleResult>
		<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetRoleResponse>`)
	return x
}

func restSample() apimodel.Exchange {
	return apimodel.Exchange{
		Service: "account", Operation: "ListRegions", Method: "POST", Path: "/listRegions",
		RequestBody: []byte(`{"MaxResults":50,"RegionOptStatusContains":["ENABLED"]}`), Status: 200,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Amzn-Requestid": {"r"}},
		Body:   []byte(`{"Regions":[{"RegionName":"eu-west-1","RegionOptStatus":"ENABLED_BY_DEFAULT"}]}`),
	}
}

// lambdaSample has labels in the path, parameters in the query string and a header in the reply.
func lambdaSample() apimodel.Exchange {
	return apimodel.Exchange{
		Service: "lambda", Operation: "ListTags", Method: "GET", Path: "/2017-03-31/tags/arn:aws:lambda:us-east-1:111111111111:function:f", Status: 200,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Amzn-Requestid": {"r"}}, Body: []byte(`{"Tags":{"team":"shop"}}`),
	}
}

func listFunctionsSample() apimodel.Exchange {
	x := lambdaSample()
	x.Operation, x.Path = "ListFunctions", "/2015-03-31/functions/?MaxItems=10&FunctionVersion=ALL"
	x.Body = []byte(`{"Functions":[]}`)
	return x
}

func blobSample() apimodel.Exchange {
	x := jsonSample()
	x.Service, x.Operation = "kms", "Encrypt"
	x.RequestHeader = http.Header{"X-Amz-Target": {"TrentService.Encrypt"}, "Content-Type": {"application/x-amz-json-1.1"}}
	x.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Requestid": {"r"}}
	x.RequestBody, x.Body = []byte(`{"KeyId":"k","Plaintext":"aGVsbG8="}`), []byte(`{"KeyId":"k","CiphertextBlob":"aGVsbG8="}`)
	return x
}

func jsonError() apimodel.Exchange {
	x := jsonSample()
	x.Operation = "GetConnection"
	x.RequestHeader.Set("X-Amz-Target", "com.amazonaws.codeconnections.CodeConnections_20231201.GetConnection")
	x.RequestBody = []byte(`{"ConnectionArn":"` + connARN + `"}`)
	x.Status, x.Body = 400, []byte(`{"__type":"com.amazonaws.codeconnections#ResourceNotFoundException","Message":"gone"}`)
	return x
}

func queryError() apimodel.Exchange {
	x := roleSample()
	x.Status = 404
	x.Body = []byte(`<ErrorResponse ` + iamSpace + `><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>none</Message></Error><RequestId>r</RequestId></ErrorResponse>`)
	return x
}

func restError() apimodel.Exchange {
	x := restSample()
	x.Status, x.Body = 400, []byte(`{"message":"no","fieldList":[{"name":"MaxResults","message":"too many"}]}`)
	x.Header.Set("X-Amzn-Errortype", "ValidationException:http://internal.amazon.com/")
	return x
}

// throttled answers a sample with a common error in the spelling of its protocol.
func throttled(x apimodel.Exchange) apimodel.Exchange {
	x.Status = 400
	switch {
	case x.Service == "iam":
		x.Body = []byte(`<ErrorResponse ` + iamSpace + `><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>r</RequestId></ErrorResponse>`)
	default:
		x.Body = []byte(`{"__type":"ThrottlingException","message":"Rate exceeded"}`)
	}
	return x
}

func TestGood(t *testing.T) {
	for name, x := range map[string]apimodel.Exchange{
		"json": jsonSample(), "state": stateSample(), "query": querySample(), "role": roleSample(), "rest": restSample(), "labels": lambdaSample(),
		"query string": listFunctionsSample(), "blob": blobSample(), "json error": jsonError(), "query error": queryError(), "rest error": restError(),
		"throttled json": throttled(stateSample()), "throttled query": throttled(querySample()),
	} {
		t.Run(name, func(t *testing.T) {
			v := &apimodel.Validator{Models: models(t)}
			if p := v.Check(x); len(p) > 0 {
				t.Errorf("problems with a good exchange: %v", p)
			}
			if r := v.Report(); r.Validated() != 1 || len(r.Operations) != 1 {
				t.Errorf("report: %v", r)
			}
		})
	}
}

// TestBroken spoils one thing in a good exchange and wants exactly that problem.
func TestBroken(t *testing.T) {
	for _, c := range []struct {
		name   string
		x      apimodel.Exchange
		in     string // request, reply, method, path, target, type, reqid or status
		is, be string // what becomes what
		where  string // where the problem is to be seen
		rule   string
		path   string
	}{
		{"unknown member", jsonSample(), "reply", `"ConnectionName"`, `"connectionName"`, "reply", "unknown", "Connections[0]"},
		{"unknown member asked for", throttled(jsonSample()), "request", `"MaxResults"`, `"maxResults"`, "request", "unknown", ""},
		{"required member missing", stateSample(), "reply", `"enabled":true`, `"enabled":null`, "reply", "ok", ""},
		{"required in a request", throttled(stateSample()), "request", `"name":"shop"`, ``, "request", "required", ""},
		{"required in a list", throttled(querySample()), "request", "&ActionNames.member.1=s3:Get*&ActionNames.member.2=s3:List*", "", "request", "required", ""},
		{"required in XML", querySample(), "reply", "<EvalDecision>allowed</EvalDecision>", "", "reply", "required", "EvaluationResults[0]"},
		{"number for a string", jsonSample(), "reply", `"main"`, `7`, "reply", "type", "Connections[0].ConnectionName"},
		{"string for a number", stateSample(), "reply", `"pipelineVersion":3`, `"pipelineVersion":"3"`, "reply", "type", "pipelineVersion"},
		{"fraction for an integer", stateSample(), "reply", `"pipelineVersion":3`, `"pipelineVersion":3.5`, "reply", "type", "pipelineVersion"},
		{"integer beyond 32 bits", stateSample(), "reply", `"percentComplete":50`, `"percentComplete":5000000000`, "reply", "type", "stageStates[0].actionStates[0].latestExecution.percentComplete"},
		{"string for a boolean", stateSample(), "reply", `"enabled":true`, `"enabled":"true"`, "reply", "type", "stageStates[0].inboundTransitionState.enabled"},
		{"text for a boolean", querySample(), "reply", "<IsTruncated>false", "<IsTruncated>no", "reply", "type", "IsTruncated"},
		{"text for a time", stateSample(), "reply", `1700000000.123`, `"2024-01-02T03:04:05Z"`, "reply", "type", "created"},
		{"milliseconds for a time", stateSample(), "reply", `1700000000.123`, `1700000000123`, "reply", "type", "created"},
		{"seconds for a time in XML", roleSample(), "reply", "2024-01-02T03:04:05Z", "1704164645", "reply", "type", "Role.CreateDate"},
		{"object for a list", jsonSample(), "reply", `{"Connections":[`, `{"NextToken":"x","Connections":{},"x":[`, "reply", "type", "Connections"},
		{"list for a structure", stateSample(), "reply", `{"enabled":true}`, `[]`, "reply", "type", "stageStates[0].inboundTransitionState"},
		{"null in a list", stateSample(), "reply", `"stageStates":[`, `"stageStates":[null,`, "reply", "type", "stageStates[0]"},
		{"list for a map", lambdaSample(), "reply", `{"team":"shop"}`, `[]`, "reply", "type", "Tags"},
		{"value of a map", lambdaSample(), "reply", `"shop"`, `1`, "reply", "type", "Tags.team"},
		{"blob is not base64", blobSample(), "reply", "aGVsbG8=", "hello!", "reply", "type", "CiphertextBlob"},
		{"blob is empty", blobSample(), "reply", "aGVsbG8=", "", "reply", "length", "CiphertextBlob"},
		{"enum", jsonSample(), "reply", "PENDING", "Pending", "reply", "enum", "Connections[0].ConnectionStatus"},
		{"enum in XML", querySample(), "reply", "<EvalDecision>allowed", "<EvalDecision>yes", "reply", "enum", "EvaluationResults[0].EvalDecision"},
		{"enum in a map of XML", querySample(), "reply", "<value>allowed", "<value>yes", "reply", "enum", "EvaluationResults[0].EvalDecisionDetails.IAM Policy"},
		{"enum in a form", throttled(querySample()), "request", "=boolean", "=bool", "request", "enum", "ContextEntries[0].ContextKeyType"},
		{"enum in a query string", throttledRest(listFunctionsSample()), "path", "ALL", "SOME", "request", "enum", "FunctionVersion"},
		{"too long", jsonSample(), "reply", `"main"`, `"` + strings.Repeat("n", 33) + `"`, "reply", "length", "Connections[0].ConnectionName"},
		{"too short", jsonSample(), "reply", `"main"`, `""`, "reply", "length", "Connections[0].ConnectionName"},
		{"list too short", throttledRest(restSample()), "request", `"ENABLED"`, `"ON"`, "request", "enum", "RegionOptStatusContains[0]"},
		{"number too large", throttled(jsonSample()), "request", `10`, `101`, "request", "range", "MaxResults"},
		{"number too small", throttled(querySample()), "request", "MaxItems=10", "MaxItems=0", "request", "range", "MaxItems"},
		{"word for a number in a form", throttled(querySample()), "request", "MaxItems=10", "MaxItems=ten", "request", "type", "MaxItems"},
		{"pattern", jsonSample(), "reply", "arn:aws:codeconnections", "arn codeconnections", "reply", "pattern", "Connections[0].ConnectionArn"},
		{"pattern holds for the whole", throttled(stateSample()), "request", `"shop"`, `"shop two"`, "request", "pattern", "name"},
		{"pattern of a label", throttledRest(lambdaSample()), "path", "function:f", "queue:f", "request", "pattern", "Resource"},
		{"error of another operation", jsonError(), "reply", "ResourceNotFoundException", "LimitExceededException", "error", "error", ""},
		{"error that nobody has", queryError(), "reply", "NoSuchEntity", "Oops", "error", "error", ""},
		{"error named by its shape in XML", queryError(), "reply", "NoSuchEntity", "NoSuchEntityException", "error", "error", ""},
		{"error without a name", jsonError(), "reply", "__type", "type", "error", "wire", ""},
		{"error text misspelled", jsonError(), "reply", `"Message"`, `"message"`, "error", "unknown", ""},
		{"error member of the wrong type", restError(), "reply", `"name":"MaxResults"`, `"name":{}`, "error", "type", "fieldList[0].name"},
		{"status of an error", queryError(), "status", "404", "400", "error", "status", ""},
		{"status of a common error", throttled(querySample()), "status", "400", "403", "error", "status", ""},
		{"status of a JSON error", jsonError(), "status", "400", "404", "error", "status", ""},
		{"status of a reply", jsonSample(), "status", "200", "204", "reply", "status", ""},
		{"reply is not JSON", jsonSample(), "reply", `{"Connections"`, `{Connections`, "reply", "wire", ""},
		{"reply is a list", lambdaSample(), "reply", `{"Tags":{"team":"shop"}}`, `[]`, "reply", "type", ""},
		{"reply is not XML", roleSample(), "reply", "</Role>", "", "reply", "wire", ""},
		{"XML namespace", roleSample(), "reply", "2010-05-08", "2010-05-09", "reply", "wire", ""},
		{"XML wrapper", roleSample(), "reply", "GetRoleResult", "Result", "reply", "wire", ""},
		{"XML metadata", roleSample(), "reply", "<RequestId>r</RequestId>", "", "reply", "wire", ""},
		{"XML list element", querySample(), "reply", "member>", "item>", "reply", "wire", "EvaluationResults[0]"},
		{"XML map entry", querySample(), "reply", "key>", "name>", "reply", "wire", "EvaluationResults[0].EvalDecisionDetails[0]"},
		{"XML element twice", roleSample(), "reply", "<Path>/</Path>", "<Path>/</Path><Path>/</Path>", "reply", "wire", "Role.Path"},
		{"XML unknown element", roleSample(), "reply", "<Path>/</Path>", "<Path>/</Path><Way>/</Way>", "reply", "unknown", "Role"},
		{"XML text for a list", querySample(), "reply", "<MatchedStatements/>", "<MatchedStatements>none</MatchedStatements>", "reply", "type", "EvaluationResults[0].MatchedStatements"},
		{"XML error type", queryError(), "reply", "Sender", "Me", "error", "wire", ""},
		{"content type", jsonSample(), "type", "1.0", "1.1", "reply", "wire", ""},
		{"request ID", jsonSample(), "reqid", "r", "", "reply", "wire", ""},
		{"target", throttled(jsonSample()), "target", "ListConnections", "ListHosts", "request", "wire", ""},
		{"method", throttled(jsonSample()), "method", "POST", "GET", "request", "wire", ""},
		{"path", throttledRest(restSample()), "path", "/listRegions", "/regions", "request", "wire", ""},
		{"query parameter", throttledRest(listFunctionsSample()), "path", "MaxItems", "Items", "request", "unknown", ""},
		{"form version", throttled(roleSample()), "request", "2010-05-08", "2010-05-09", "request", "wire", ""},
		{"form list without member", throttled(querySample()), "request", "ActionNames.member.", "ActionNames.", "request", "wire", "ActionNames"},
		{"form list with a hole", throttled(querySample()), "request", "ActionNames.member.2", "ActionNames.member.3", "request", "wire", "ActionNames"},
		{"form member unknown", throttled(querySample()), "request", "MaxItems", "MaxThings", "request", "unknown", ""},
		{"form member twice", throttled(roleSample()), "request", "RoleName=admin", "RoleName=admin&RoleName=admin", "request", "wire", ""},
		{"service accepts what it must refuse", jsonSample(), "request", `10`, `101`, "reply", "accepted", ""},
		{"operation unknown", jsonSample(), "operation", "ListConnections", "ListFriends", "request", "unknown", ""},
		{"service unknown", jsonSample(), "service", "codeconnections", "friends", "request", "model", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := spoil(t, c.x, c.in, c.is, c.be)
			got := (&apimodel.Validator{Models: models(t)}).Check(x)
			if c.rule == "ok" {
				if len(got) > 0 {
					t.Errorf("problems: %v", got)
				}
				return
			}
			for _, p := range got {
				if p.Where == c.where && p.Rule == c.rule && p.Path == c.path {
					return
				}
			}
			t.Errorf("no problem %q at %q in the %s; got %v", c.rule, c.path, c.where, got)
		})
	}
}

// throttledRest is throttled for REST-JSON, whose error code travels in a header.
func throttledRest(x apimodel.Exchange) apimodel.Exchange {
	x = throttled(x)
	x.Status = 429
	x.Header.Set("X-Amzn-Errortype", "ThrottlingException")
	return x
}

func spoil(t *testing.T, x apimodel.Exchange, in, is, be string) apimodel.Exchange {
	t.Helper()
	change := func(s string) string {
		if !strings.Contains(s, is) {
			t.Fatalf("%q is not in %q", is, s)
		}
		return strings.ReplaceAll(s, is, be)
	}
	switch in {
	case "request":
		x.RequestBody = []byte(change(string(x.RequestBody)))
	case "reply":
		x.Body = []byte(change(string(x.Body)))
	case "method":
		x.Method = change(x.Method)
	case "path":
		x.Path = change(x.Path)
	case "target":
		x.RequestHeader.Set("X-Amz-Target", change(x.RequestHeader.Get("X-Amz-Target")))
	case "type":
		x.Header.Set("Content-Type", change(x.Header.Get("Content-Type")))
	case "reqid":
		x.Header.Set("X-Amzn-Requestid", change(x.Header.Get("X-Amzn-Requestid")))
	case "operation":
		x.Operation = change(x.Operation)
	case "service":
		x.Service = change(x.Service)
	case "status":
		if _, err := fmt.Sscanf(be, "%d", &x.Status); err != nil {
			t.Fatal(err)
		}
	default:
		t.Fatalf("spoil %q", in)
	}
	return x
}

func TestRefusedRequestIsNoProblem(t *testing.T) {
	x := restError()
	x.RequestBody = []byte(`{"MaxResults":51}`)
	v := &apimodel.Validator{Models: models(t)}
	if p := v.Check(x); len(p) > 0 {
		t.Errorf("a refusal as invalid is right, got %v", p)
	}
	if c := v.Report().Operations["account:ListRegions"]; c.Refused != 1 || c.Requests != 0 || c.Errors != 1 {
		t.Errorf("count %+v", c)
	}
}

func TestNewerThanTheModel(t *testing.T) {
	all := []string{
		"codeconnections:ListFriends", "codeconnections.Connection.Mood", "codeconnections.ProviderType=Forge",
		"codeconnections:GetConnection!TiredException", "codeconnections.ConnectionName~",
	}
	op := jsonSample()
	op.Operation = "ListFriends"
	member, value, length := jsonSample(), jsonSample(), jsonSample()
	member.Body = []byte(`{"Connections":[{"Mood":{"any":1}}]}`)
	value.Body = []byte(`{"Connections":[{"ProviderType":"Forge"}]}`)
	length.Body = []byte(`{"Connections":[{"ConnectionName":"` + strings.Repeat("n", 33) + `"}]}`)
	fault := jsonError()
	fault.Body = []byte(`{"__type":"TiredException"}`)
	for _, x := range []apimodel.Exchange{op, member, value, fault, length} {
		if p := (&apimodel.Validator{Models: models(t)}).Check(x); len(p) == 0 {
			t.Errorf("undeclared, %s must be a problem", x.Body)
		}
	}
	v := &apimodel.Validator{Models: models(t), Newer: all}
	for _, x := range []apimodel.Exchange{op, member, value, fault, length} {
		if p := v.Check(x); len(p) > 0 {
			t.Errorf("declared as newer, still: %v", p)
		}
	}
	if got := v.Report().Newer; len(got) != len(all) {
		t.Errorf("met %v", got)
	}
}

func TestBrokenOnPurpose(t *testing.T) {
	x := jsonSample()
	x.Injected, x.Body = "html", []byte("<html>")
	v := &apimodel.Validator{Models: models(t), Broken: []string{"html"}}
	if p := v.Check(x); len(p) > 0 {
		t.Errorf("broken on purpose, still: %v", p)
	}
	x.Injected = "something else"
	if p := v.Check(x); len(p) == 0 {
		t.Error("an HTML page is no reply unless it was injected")
	}
	x.Status, x.Body = 0, nil
	v.Check(x)
	if r := v.Report(); r.Broken != 1 || r.Lost != 1 {
		t.Errorf("report: %v", r)
	}
}

func TestRequestThatReachesNothing(t *testing.T) {
	x := throttled(jsonSample())
	x.Service, x.Operation = "", ""
	x.Body = []byte(`{"__type":"MissingAuthenticationTokenException"}`)
	v := &apimodel.Validator{Models: models(t)}
	if p := v.Check(x); len(p) > 0 {
		t.Errorf("problems: %v", p)
	}
	x.Body = []byte(`{"__type":"ResourceNotFoundException"}`)
	if p := v.Check(x); len(p) != 1 || p[0].Rule != "error" {
		t.Errorf("an error of no operation: %v", p)
	}
	if r := v.Report(); r.Unserved != 2 || len(r.Operations) != 0 {
		t.Errorf("report: %v", r)
	}
}

// TestPatternsSkipped: a pattern that RE2 cannot express is counted when a value of it is met, never passed over silently.
func TestPatternsSkipped(t *testing.T) {
	x := roleSample()
	x.Operation = "ListAccountAliases"
	x.RequestBody = []byte("Action=ListAccountAliases&Version=2010-05-08")
	x.Body = []byte(`<ListAccountAliasesResponse ` + iamSpace + `><ListAccountAliasesResult><AccountAliases><member>shop</member></AccountAliases>
		</ListAccountAliasesResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></ListAccountAliasesResponse>`)
	v := &apimodel.Validator{Models: models(t)}
	if p := v.Check(x); len(p) > 0 {
		t.Errorf("problems: %v", p)
	}
	if got := v.Report().Skipped; len(got) != 1 || got[0] != "iam.accountAliasType" {
		t.Errorf("skipped %v", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	v := &apimodel.Validator{Models: models(t)}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				v.Check(jsonSample())
				v.Check(querySample())
			}
		})
	}
	wg.Wait()
	if r := v.Report(); r.Exchanges != 800 || len(r.Problems) > 0 {
		t.Errorf("report: %v", r)
	}
}

func TestLoadErrors(t *testing.T) {
	if _, err := apimodel.Load(t.TempDir()); err == nil {
		t.Error("a folder without models must be an error")
	}
	if _, err := apimodel.LoadBotocore(t.TempDir()); err == nil {
		t.Error("a folder without models must be an error")
	}
}

func BenchmarkCheckJSON(b *testing.B)  { bench(b, jsonSample()) }
func BenchmarkCheckQuery(b *testing.B) { bench(b, querySample()) }
func BenchmarkCheckState(b *testing.B) { bench(b, stateSample()) }

func bench(b *testing.B, x apimodel.Exchange) {
	v := &apimodel.Validator{Models: models(b)}
	for b.Loop() {
		if p := v.Check(x); len(p) > 0 {
			b.Fatal(p)
		}
	}
}
