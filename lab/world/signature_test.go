package world_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

// signatureStage is what every case of signatures.txt is acted on: healthy pipelines of every kind.
const signatureStage = `# A stage
account 111111111111 regions=eu-west-1
account 222222222222 alias=prod regions=eu-west-1
github acme owner=olga members=ada repos=acme/web,acme/api
github globex owner=gina repos=globex/shop
bitbucket acme-bb owner=berta repos=acme-bb/docs
boundary SourceOnly allow=use-connection
role Deployer allow=*
role StackRole for=cloudformation allow=*
role Remote account=prod allow=* trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole"}]}'
role Admin account=prod allow=*
caller deploy role=Deployer session=terraform agent=terraform
caller robot role=Admin account=prod
-40d deploy creates connection git provider=GitHub
-39d deploy completes handshake git as=olga org=acme
-38d deploy creates pipeline web connection=git repo=acme/web stages=Build,Deploy
-38d deploy grants CodePipelineServiceRole allow=sts:AssumeRole@arn:aws:iam::222222222222:role/Remote name=far
-37d deploy creates pipeline old definition=<<JSON
{"artifactStore": {"type": "S3", "location": "artifacts"}, "stages": [
 {"name": "Source", "actions": [{"name": "GetCode", "actionTypeId": {"category": "Source", "owner": "ThirdParty", "provider": "GitHub", "version": "1"},
  "configuration": {"Owner": "acme", "Repo": "web", "Branch": "main", "OAuthToken": "ghp_olga"}, "outputArtifacts": [{"name": "Code"}]}]},
 {"name": "Build", "actions": [{"name": "Compile", "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
  "configuration": {"ProjectName": "old"}, "inputArtifacts": [{"name": "Code"}]}]}]}
JSON
-37d deploy creates pipeline stacks definition=<<JSON
{"artifactStore": {"type": "S3", "location": "artifacts"}, "stages": [
 {"name": "Source", "actions": [{"name": "GetCode", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
  "configuration": {"S3Bucket": "code", "S3ObjectKey": "code.zip"}, "outputArtifacts": [{"name": "Code"}]}]},
 {"name": "Deploy", "actions": [{"name": "Stack", "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "CloudFormation", "version": "1"},
  "configuration": {"ActionMode": "CREATE_UPDATE", "StackName": "app", "RoleArn": "${StackRole}"}, "inputArtifacts": [{"name": "Code"}]}]}]}
JSON
-37d deploy creates pipeline far definition=<<JSON
{"artifactStore": {"type": "S3", "location": "artifacts"}, "stages": [
 {"name": "Source", "actions": [{"name": "GetCode", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
  "configuration": {"S3Bucket": "code", "S3ObjectKey": "code.zip"}, "outputArtifacts": [{"name": "Code"}]}]},
 {"name": "Deploy", "actions": [{"name": "Elsewhere", "roleArn": "${Remote}", "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "CodeDeploy", "version": "1"},
  "configuration": {"ApplicationName": "web", "DeploymentGroupName": "all"}, "inputArtifacts": [{"name": "Code"}]}]}]}
JSON
`

// failed is what a pipeline shows of a stage that failed: the code and the text of the first action with an error.
func failed(t *testing.T, l *lab.Lab, w *world.World, pipeline, stage string) (status, code, message string) {
	t.Helper()
	out, err := ask(t, l, w.ARN(pipeline), "codepipeline", "GetPipelineState", map[string]any{"name": pipeline})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out["stageStates"].([]any) {
		m := s.(map[string]any)
		latest, _ := m["latestExecution"].(map[string]any)
		if m["stageName"] != stage || latest == nil {
			continue
		}
		status, _ = latest["status"].(string)
		for _, a := range m["actionStates"].([]any) {
			run, _ := a.(map[string]any)["latestExecution"].(map[string]any)
			if details, ok := run["errorDetails"].(map[string]any); ok {
				code, _ = details["code"].(string)
				message, _ = details["message"].(string)
			}
		}
	}
	return status, code, message
}

// TestSignatures: what a pipeline shows of each known failure follows from its cause; without any, everything succeeds.
func TestSignatures(t *testing.T) {
	raw, err := os.ReadFile("testdata/signatures.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(string(raw), "\ncase: ")[1:]
	if len(cases) < 35 {
		t.Fatalf("%d cases, want at least 35", len(cases))
	}
	for _, c := range cases {
		name, body, _ := strings.Cut(c, "\n")
		acts, want, found := strings.Cut(body, "\n> ")
		if !found {
			t.Errorf("%s: no line says what fails", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w := load(t, "signature.world", []byte(signatureStage+acts+"\n"))
				time.Sleep(5 * time.Minute)
				f := strings.SplitN(strings.TrimSpace(want), " ", 4)
				text := regexp.MustCompile(`\$\{([^}]+)\}`).ReplaceAllStringFunc(f[3], func(s string) string {
					arn := w.ARN(s[2 : len(s)-1])
					if arn == "" { // deleted: any ARN
						t.Fatalf("the world names no %s", s)
					}
					return arn
				})
				status, code, message := failed(t, l, w, f[0], f[1])
				if status != "Failed" || code != f[2] || !strings.Contains(message, text) {
					t.Errorf("%s of %s is %s, %s: %s; want %s: %s", f[1], f[0], status, code, message, f[2], text)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "healthy.world", []byte(signatureStage+"-1d deploy starts web\n-1d deploy starts old\n-1d deploy starts stacks\n-1d deploy starts far\n"))
		time.Sleep(5 * time.Minute)
		for pipeline, stage := range map[string]string{"web": "Deploy", "old": "Build", "stacks": "Deploy", "far": "Deploy"} {
			if status, code, message := failed(t, l, w, pipeline, stage); status != "Succeeded" || code != "" {
				t.Errorf("%s is %s without a cause: %s %s", pipeline, status, code, message)
			}
		}
	})
}
