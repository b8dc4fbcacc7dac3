package codepipeline

import (
	"fmt"

	"github.com/unjam/unjam/lab/cloud"
)

// outcome is how an action ended; code "" is success.
type outcome struct {
	code, message string
	summary       string
	external      string
	revision      *revision
	variables     map[string]any
}

// needs is what a role must be allowed for an action, beside the artifacts; false when the lab knows of nothing. Actions:
// https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
// Resources: the Service Authorization Reference of each service.
func (p *pipeline) needs(a declared) (cloud.Access, bool) {
	conf, region := a.configuration(), p.region
	if r, _ := a["region"].(string); r != "" {
		region = r
	}
	arn := func(service, resource string) string {
		return "arn:aws:" + service + ":" + region + ":" + p.account + ":" + resource
	}
	var action, resource string
	switch a.typeOf("provider") {
	case "CodeBuild":
		action, resource = "codebuild:StartBuild", arn("codebuild", "project/"+conf["ProjectName"])
	case "CodeDeploy":
		action, resource = "codedeploy:CreateDeployment", arn("codedeploy", "deploymentgroup:"+conf["ApplicationName"]+"/"+conf["DeploymentGroupName"])
	case "CloudFormation":
		action, resource = "cloudformation:DescribeStacks", arn("cloudformation", "stack/"+conf["StackName"]+"/*")
	case "Lambda":
		action, resource = "lambda:InvokeFunction", arn("lambda", "function:"+conf["FunctionName"])
	case "ECS":
		action, resource = "ecs:UpdateService", arn("ecs", "service/"+conf["ClusterName"]+"/"+conf["ServiceName"])
	case "S3":
		if a.typeOf("category") == "Deploy" {
			action, resource = "s3:PutObject", "arn:aws:s3:::"+conf["BucketName"]+"/"+conf["ObjectKey"]
		}
	}
	return cloud.Access{Action: action, Resource: resource}, action != ""
}

// perform does what an action does, at the time it ends.
func (p *pipeline) perform(run *actionRun) outcome {
	role, o := p.assume(run)
	if o != nil {
		return *o
	}
	if f, ok := p.s.fails[failKey(p.account, p.region, p.name, run.stage, run.name)]; ok {
		return outcome{code: f.Code, message: f.Message}
	}
	if p.lost[run.stage+"|"+run.name] {
		return outcome{code: "PermissionError", message: "Could not access the " + run.decl.typeOf("provider") + " repository"}
	}
	if run.decl.isConnection() {
		return p.fetch(run, role)
	}
	if a, ok := p.needs(run.decl); ok {
		if d := p.s.c.Authorize(role, p.region, a); !d.Allowed {
			return outcome{code: "PermissionError", message: cloud.Denied(role, a, d).Message}
		}
	}
	return outcome{external: p.s.c.UUID(), summary: run.decl.typeOf("provider") + " succeeded"}
}

// assume takes on the role of the action or of the pipeline.
func (p *pipeline) assume(run *actionRun) (cloud.Principal, *outcome) {
	arn, _ := p.versions[run.e.version-1].decl["roleArn"].(string)
	if own, _ := run.decl["roleArn"].(string); own != "" {
		arn = own
	}
	role, _ := p.s.roles.RolePrincipalByARN(arn, run.e.id[:8])
	if !p.s.assumable(p.account, arn) {
		return role, &outcome{code: "PermissionError", message: fmt.Sprintf("CodePipeline is not authorized to perform AssumeRole on role %s", arn)}
	}
	return role, nil
}

// fetch reads the branch through the connection.
func (p *pipeline) fetch(run *actionRun, role cloud.Principal) outcome {
	conf, pin := run.decl.configuration(), run.e.inputs.pins[run.name]
	if pin.branch != "" {
		conf["BranchName"] = pin.branch
	}
	commit, err := p.s.conns.Fetch(role, p.region, conf["ConnectionArn"], conf["FullRepositoryId"], conf["BranchName"])
	if err != nil {
		return outcome{code: err.Code, message: err.Message}
	}
	artifact := ""
	if outs, _ := run.decl["outputArtifacts"].([]any); len(outs) > 0 {
		m, _ := outs[0].(map[string]any)
		artifact, _ = m["name"].(string)
	}
	id := commit.ID
	if pin.commit != "" {
		id = pin.commit
	}
	return outcome{
		summary:  commit.Message,
		revision: &revision{run.name, artifact, id, commit.Message, commit.URL, commit.At},
		variables: map[string]any{"CommitId": id, "CommitMessage": commit.Message, "BranchName": conf["BranchName"],
			"FullRepositoryName": conf["FullRepositoryId"], "ConnectionArn": conf["ConnectionArn"], "AuthorDate": commit.At.UTC().Format("2006-01-02T15:04:05Z")},
	}
}
