package drive

import (
	"fmt"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// stackSteps read a stack that owns a connection and a role, before and after its drift is detected.
func stackSteps() []step {
	const ci, none = `"StackName":"web-ci"`, `"StackName":"none"`
	all := []step{
		{op: "DescribeStacks", in: `{` + none + `}`, code: "ValidationError"},
		{op: "ListStacks", in: `{}`},
		{act: (*driver).stack},
		{op: "DescribeStacks", in: `{` + ci + `}`},
		{op: "DescribeStacks", in: `{}`, later: time.Hour},
		{op: "ListStacks", in: `{"StackStatusFilter":["CREATE_COMPLETE","UPDATE_COMPLETE"]}`},
		{op: "ListStacks", in: `{"NextToken":"none"}`, code: "ValidationError"},
		{op: "DescribeStackResources", in: `{` + ci + `}`, keep: "logical=LogicalResourceId"},
		{op: "DescribeStackResources", in: `{"PhysicalResourceId":"$stacked"}`},
		{op: "DescribeStackResources", in: `{"PhysicalResourceId":"none"}`, code: "ValidationError"},
		{op: "DescribeStackResource", in: `{` + ci + `,"LogicalResourceId":"$logical"}`},
		{op: "DescribeStackResource", in: `{` + ci + `,"LogicalResourceId":"None"}`, code: "ValidationError"},
		{op: "ListStackResources", in: `{` + ci + `}`},
		{op: "ListStackResources", in: `{` + none + `}`, code: "ValidationError"},
		{op: "DescribeStackEvents", in: `{` + ci + `}`},
		{op: "DescribeStackEvents", in: `{` + none + `}`, code: "ValidationError"},
		{op: "GetTemplate", in: `{` + ci + `,"TemplateStage":"Original"}`},
		{op: "GetTemplate", in: `{` + none + `}`, code: "ValidationError"},
		{op: "GetTemplate", in: `{` + ci + `,"ChangeSetName":"none"}`, code: "ChangeSetNotFound"},
		{op: "DescribeStackResourceDrifts", in: `{` + ci + `}`},
		{op: "DescribeStackResourceDrifts", in: `{` + ci + `,"MaxResults":101}`, code: "ValidationError"},
		{op: "DetectStackDrift", in: `{` + ci + `}`, keep: "detection=StackDriftDetectionId"},
		{op: "DetectStackDrift", in: `{` + ci + `}`, code: "ValidationError"},
		{op: "DescribeStackDriftDetectionStatus", in: `{"StackDriftDetectionId":"$detection"}`},
		{op: "DescribeStackDriftDetectionStatus", in: `{"StackDriftDetectionId":"$detection"}`, later: time.Minute},
		{op: "DescribeStackDriftDetectionStatus", in: `{"StackDriftDetectionId":"none"}`, code: "ValidationError"},
		{op: "DescribeStackResourceDrifts", in: `{` + ci + `,"StackResourceDriftStatusFilters":["MODIFIED","DELETED","IN_SYNC"]}`},
	}
	return named("cloudformation", all)
}

// stack has a stack make a connection and a role, and somebody change the role past it.
func (d *driver) stack() error {
	var failed error
	d.lab.Cloud.Within(func() {
		serve := func(stack, service, op string, in map[string]any) map[string]any {
			out, err := d.lab.Cloud.Serve(&cloud.Request{
				Service: service, Operation: op, Region: region, Caller: d.admin.Principal, In: in, Origin: cloud.Origin{Stack: stack, UserAgent: "cloudformation.amazonaws.com"},
			})
			if err != nil && failed == nil {
				failed = fmt.Errorf("%s: %w", op, err)
			}
			return out
		}
		id := d.lab.Stacks.ID(account, region, "web-ci")
		d.vars["stacked"], _ = serve(id, "codeconnections", "CreateConnection", map[string]any{"ConnectionName": "stacked", "ProviderType": "GitHub"})["ConnectionArn"].(string)
		serve(id, "iam", "CreateRole", map[string]any{"RoleName": "stacked", "AssumeRolePolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}}`})
		serve("", "iam", "UpdateAssumeRolePolicy", map[string]any{"RoleName": "stacked", "PolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}}`})
	})
	return failed
}
