package codepipeline

import (
	"fmt"
	"strings"

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

// needs are the actions a role must be allowed for a kind of action, beside the artifacts (CodePipeline user guide, "Manage the
// CodePipeline service role").
func needs(provider string) string {
	switch provider {
	case "CodeBuild":
		return "codebuild:StartBuild"
	case "CodeDeploy":
		return "codedeploy:CreateDeployment"
	case "CloudFormation":
		return "cloudformation:DescribeStacks"
	case "S3":
		return "s3:PutObject"
	case "Lambda":
		return "lambda:InvokeFunction"
	case "ECS":
		return "ecs:UpdateService"
	}
	return ""
}

// perform does what an action does, at the time it ends.
func (p *pipeline) perform(run *actionRun) outcome {
	role, o := p.assume(run)
	if o != nil {
		return *o
	}
	if run.decl.isConnection() {
		return p.fetch(run, role)
	}
	if f, ok := p.s.fails[strings.Join([]string{p.account, p.region, p.name, run.stage, run.name}, "|")]; ok {
		return outcome{code: f.Code, message: f.Message}
	}
	if action := needs(run.decl.typeOf("provider")); action != "" {
		a := cloud.Access{Action: action, Resource: "*"}
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
	role, ok := p.s.roles.RolePrincipalByARN(arn, run.e.id[:8])
	service := cloud.Principal{Type: "AWSService", Account: p.account, ARN: "codepipeline.amazonaws.com"}
	if !ok || !p.s.roles.MayAssume(service, arn).Allowed {
		return role, &outcome{code: "PermissionError", message: fmt.Sprintf("CodePipeline is not authorized to perform AssumeRole on role %s", arn)}
	}
	return role, nil
}

// fetch reads the branch through the connection.
func (p *pipeline) fetch(run *actionRun, role cloud.Principal) outcome {
	conf := run.decl.configuration()
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
	if o := run.e.overrides[run.name]; o != "" {
		id = o
	}
	return outcome{
		summary:  commit.Message,
		revision: &revision{run.name, artifact, id, commit.Message, commit.URL, commit.At},
		variables: map[string]any{"CommitId": id, "CommitMessage": commit.Message, "BranchName": conf["BranchName"],
			"FullRepositoryName": conf["FullRepositoryId"], "ConnectionArn": conf["ConnectionArn"], "AuthorDate": commit.At.UTC().Format("2006-01-02T15:04:05Z")},
	}
}
