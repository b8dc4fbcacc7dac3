package drive

import (
	"errors"
	"fmt"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/cloudformation"
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
	return named("cloudformation", append(all, deployed()...))
}

// deployed create, update and delete a stack by hand, directly and by change sets, through success and failure.
func deployed() []step {
	const hand, sets, body = `"StackName":"by-hand"`, `"StackName":"by-sets"`, `"TemplateBody":"{}"`
	const capable = `"Capabilities":["CAPABILITY_NAMED_IAM"]`
	hinder := func(kind cloudformation.Hindrance) func(*driver) error {
		return func(d *driver) (err error) {
			d.lab.Cloud.Within(func() { err = d.lab.Stacks.Hinder(account, region, "by-hand", "Assets", kind, "") })
			return err
		}
	}
	return []step{
		{act: (*driver).declare},
		{op: "CreateStack", in: `{` + hand + `}`, code: "ValidationError"},
		{op: "CreateStack", in: `{` + hand + `,` + body + `}`, code: "InsufficientCapabilitiesException"},
		{op: "CreateStack", in: `{` + hand + `,` + body + `,` + capable + `,"RoleARN":"arn:aws:iam::111111111111:role/none"}`, code: "ValidationError"},
		{op: "CreateStack", in: `{` + hand + `,` + body + `,` + capable + `}`},
		{op: "CreateStack", in: `{` + hand + `,` + body + `,` + capable + `}`, code: "AlreadyExistsException"},
		{op: "DescribeStacks", in: `{` + hand + `}`},
		{op: "DescribeStackResources", in: `{` + hand + `}`},
		{op: "DescribeStackEvents", in: `{` + hand + `}`, later: 5 * time.Minute},
		{op: "ContinueUpdateRollback", in: `{` + hand + `}`, code: "ValidationError"},
		{act: hinder(cloudformation.Gone)},
		{op: "UpdateStack", in: `{` + hand + `,` + body + `}`, code: "InsufficientCapabilitiesException"},
		{op: "UpdateStack", in: `{` + hand + `,` + body + `,` + capable + `}`},
		{op: "DescribeStacks", in: `{` + hand + `}`, later: 5 * time.Minute},
		{op: "UpdateStack", in: `{` + hand + `,` + body + `,` + capable + `}`, code: "ValidationError"},
		{op: "ContinueUpdateRollback", in: `{` + hand + `,"ResourcesToSkip":["Assets"]}`},
		{op: "DescribeStackEvents", in: `{` + hand + `}`, later: 5 * time.Minute},
		{act: hinder(cloudformation.NotEmpty)},
		{op: "DeleteStack", in: `{` + hand + `}`},
		{op: "DescribeStacks", in: `{` + hand + `}`, later: 5 * time.Minute},
		{op: "DeleteStack", in: `{"StackName":""}`, code: "ValidationError"},
		{op: "CreateChangeSet", in: `{` + sets + `,` + body + `,"ChangeSetName":"one"}`},
		{op: "CreateChangeSet", in: `{` + sets + `,` + body + `,"ChangeSetName":"one"}`, code: "AlreadyExistsException"},
		{op: "ExecuteChangeSet", in: `{` + sets + `,"ChangeSetName":"one"}`, code: "InvalidChangeSetStatus"},
		{op: "DescribeChangeSet", in: `{` + sets + `,"ChangeSetName":"one"}`, later: time.Minute},
		{op: "DescribeChangeSet", in: `{` + sets + `,"ChangeSetName":"none"}`, code: "ChangeSetNotFound"},
		{op: "ExecuteChangeSet", in: `{` + sets + `,"ChangeSetName":"one"}`},
		{op: "CreateChangeSet", in: `{` + sets + `,` + body + `,"ChangeSetName":"two"}`, later: 5 * time.Minute},
		{op: "DeleteChangeSet", in: `{` + sets + `,"ChangeSetName":"two"}`},
		{op: "DeleteChangeSet", in: `{"ChangeSetName":""}`, code: "ValidationError"},
		{op: "DeleteStack", in: `{` + sets + `}`},
	}
}

// declare says what the templates of two stacks hold.
func (d *driver) declare() (err error) {
	d.lab.Cloud.Within(func() {
		err = errors.Join(
			d.lab.Stacks.Declare(account, region, "by-hand", cloudformation.Template{Resources: []cloudformation.Declared{
				{Logical: "Assets", Type: "AWS::S3::Bucket"}, {Logical: "Reader", Type: "AWS::IAM::Role"}, {Logical: "Data", Type: "AWS::CloudFormation::Stack"},
				{Within: "Data", Logical: "Jobs", Type: "AWS::SQS::Queue"}}}),
			d.lab.Stacks.Declare(account, region, "by-sets", cloudformation.Template{Resources: []cloudformation.Declared{{Logical: "Topic", Type: "AWS::SNS::Topic"}}}))
	})
	return err
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
