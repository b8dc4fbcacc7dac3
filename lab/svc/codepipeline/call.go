package codepipeline

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// principal is the service as CloudTrail and trust policies name it.
const principal = "codepipeline.amazonaws.com"

// call is one call that an action makes in another service, with the role the action runs with.
type call struct {
	service   string // signing name
	operation string // as CloudTrail names it
	product   string // as the AWS SDK for Java names the service in the texts of its errors
	status    int    // HTTP status of a refusal
	denied    string // the service's code for a refusal
	access    []cloud.Access
	in        map[string]any
	data      bool // a data event: event history does not have it
}

// calls are the calls of an action, in order: what its role must be allowed. What the lab knows nothing of has none.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
// Resources: the Service Authorization Reference of each service. An invocation of a function and a write to a bucket are data
// events: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
func (p *pipeline) calls(a declared, account, region string) []call {
	conf := a.configuration()
	one := func(k call, action, resource string) []call {
		k.access = []cloud.Access{{Action: action, Resource: resource}}
		return []call{k}
	}
	arn := func(service, resource string) string {
		return "arn:aws:" + service + ":" + region + ":" + account + ":" + resource
	}
	switch a.typeOf("provider") {
	case "CodeBuild":
		return one(call{service: "codebuild", operation: "StartBuild", product: "AWSCodeBuild", status: 400, denied: "AccessDeniedException",
			in: map[string]any{"projectName": conf["ProjectName"]}}, "codebuild:StartBuild", arn("codebuild", "project/"+conf["ProjectName"]))
	case "CodeDeploy":
		return one(call{service: "codedeploy", operation: "CreateDeployment", product: "AmazonCodeDeploy", status: 400, denied: "AccessDeniedException",
			in: map[string]any{"applicationName": conf["ApplicationName"], "deploymentGroupName": conf["DeploymentGroupName"]}},
			"codedeploy:CreateDeployment", arn("codedeploy", "deploymentgroup:"+conf["ApplicationName"]+"/"+conf["DeploymentGroupName"]))
	case "CloudFormation":
		exists := p.s.stacks == nil || p.s.stacks.Exists(account, region, conf["StackName"])
		return stackCalls(conf, arn("cloudformation", "stack/"+conf["StackName"]+"/*"), exists)
	case "Lambda":
		return one(call{service: "lambda", operation: "Invoke", product: "AWSLambda", status: 403, denied: "AccessDeniedException", data: true,
			in: map[string]any{"functionName": conf["FunctionName"]}}, "lambda:InvokeFunction", arn("lambda", "function:"+conf["FunctionName"]))
	case "ECS":
		return ecsCalls(conf, account, arn("ecs", "service/"+conf["ClusterName"]+"/"+conf["ServiceName"]))
	case "S3":
		if a.typeOf("category") == "Deploy" {
			return one(call{service: "s3", operation: "PutObject", product: "Amazon S3", status: 403, denied: "AccessDenied", data: true},
				"s3:PutObject", "arn:aws:s3:::"+conf["BucketName"]+"/"+conf["ObjectKey"])
		}
	}
	return nil
}

// ecsCalls are the calls of an ECS action: it registers the task definition with the new image, which hands over the role that runs the tasks,
// by AWS's own name for it, and has the service run it.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
func ecsCalls(conf map[string]string, account, service string) []call {
	register := call{service: "ecs", operation: "RegisterTaskDefinition", product: "AmazonECS", status: 400, denied: "AccessDeniedException",
		access: []cloud.Access{{Action: "ecs:RegisterTaskDefinition", Resource: "*"},
			{Action: "iam:PassRole", Resource: "arn:aws:iam::" + account + ":role/ecsTaskExecutionRole", Context: map[string][]string{"iam:PassedToService": {"ecs-tasks.amazonaws.com"}}}},
		in: map[string]any{"family": conf["ServiceName"]}}
	update := register
	update.operation, update.in = "UpdateService", map[string]any{"cluster": conf["ClusterName"], "service": conf["ServiceName"]}
	update.access = []cloud.Access{{Action: "ecs:UpdateService", Resource: service}}
	return []call{register, update}
}

// stackCalls are the calls of a CloudFormation action: it looks at the stack, then changes it, handing over the role of the
// configuration where there is one.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
func stackCalls(conf map[string]string, stack string, exists bool) []call {
	look := call{service: "cloudformation", operation: "DescribeStacks", product: "AmazonCloudFormation", status: 403, denied: "AccessDenied",
		in: map[string]any{"stackName": conf["StackName"]}, access: []cloud.Access{{Action: "cloudformation:DescribeStacks", Resource: stack}}}
	change := look
	change.operation = "UpdateStack"
	if !exists {
		change.operation = "CreateStack"
	}
	switch conf["ActionMode"] {
	case "CHANGE_SET_REPLACE":
		change.operation = "CreateChangeSet"
	case "CHANGE_SET_EXECUTE":
		change.operation = "ExecuteChangeSet"
	case "DELETE_ONLY":
		change.operation = "DeleteStack"
	}
	change.access = []cloud.Access{{Action: "cloudformation:" + change.operation, Resource: stack}}
	if role := conf["RoleArn"]; role != "" {
		change.in = map[string]any{"stackName": conf["StackName"], "roleARN": role}
		change.access = append(change.access, cloud.Access{Action: "iam:PassRole", Resource: role,
			Context: map[string][]string{"iam:PassedToService": {"cloudformation.amazonaws.com"}}})
	}
	return []call{look, change}
}

// make makes one call with a role: judged, logged, and refused as the services word it; nil when it went well.
func (s *Service) make(k call, role cloud.Principal, account, region string) *outcome {
	id := s.c.TraceID()
	if t := s.troubleWith(k.service, account, region); t != nil {
		o := k.failure("JobFailed", t.text(k), t.code(k), t.status(k), id)
		s.log(k, role, region, id, cloud.Errorf(t.code(k), "%s", t.text(k)))
		return &o
	}
	for _, a := range k.access {
		if d := s.c.Authorize(role, region, a); !d.Allowed {
			err := cloud.Denied(role, a, d)
			s.log(k, role, region, id, err)
			o := k.failure("PermissionError", err.Message, k.denied, k.status, id)
			return &o
		}
	}
	s.log(k, role, region, id, nil)
	return nil
}

// failure words what CodePipeline shows of a call that another service refused. The words around a refusal of CodeBuild are known
// from many public reports; for the other services the refusal stands alone.
func (k call) failure(code, text, theirs string, status int, requestID string) outcome {
	if k.service == "codebuild" {
		text = fmt.Sprintf("Error calling startBuild: %s (Service: %s; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", text, k.product, status, theirs, requestID)
	} else if code != "PermissionError" {
		text = fmt.Sprintf("%s (Service: %s; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", text, k.product, status, theirs, requestID)
	}
	return outcome{code: code, message: text}
}

// log leaves the event of a call that the service makes for a role.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func (s *Service) log(k call, role cloud.Principal, region, requestID string, refused *cloud.Error) {
	if k.data {
		return
	}
	e := cloud.Event{
		RequestID: requestID, Time: s.c.Now(), Name: k.operation, Source: k.service + ".amazonaws.com", Account: role.Account, Region: region, Caller: role,
		Origin: cloud.Origin{UserAgent: principal, SourceIP: principal, InvokedBy: principal}, Request: k.in,
		ReadOnly: strings.HasPrefix(k.operation, "Describe"),
	}
	if refused != nil {
		e.ErrorCode, e.ErrorText = refused.Code, refused.Message
	}
	s.c.Record(e)
}

// assumed leaves the event of a role that was assumed, or was not: by the service itself, or by the pipeline's role for the role of
// an action, which its own account may not be.
func (s *Service) assumed(by cloud.Principal, roleARN, session, region string, refused *cloud.Error) {
	e := cloud.Event{
		RequestID: s.c.TraceID(), Time: s.c.Now(), Name: "AssumeRole", Source: "sts.amazonaws.com", Account: by.Account, Region: region, Caller: by, ReadOnly: true,
		Origin:  cloud.Origin{UserAgent: principal, SourceIP: principal, InvokedBy: principal},
		Request: map[string]any{"roleArn": roleARN, "roleSessionName": session},
	}
	if refused != nil {
		e.ErrorCode, e.ErrorText = refused.Code, refused.Message
	}
	s.c.RecordAt(e, accountOf(roleARN))
}

// accountOf is the account in an ARN, "" when there is none.
func accountOf(arn string) string {
	if p := strings.SplitN(arn, ":", 6); len(p) == 6 {
		return p[4]
	}
	return ""
}
