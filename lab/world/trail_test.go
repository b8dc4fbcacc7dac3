package world_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
)

const trailStage = `# A trail
account 111111111111 regions=eu-west-1
role Deployer allow=*
role OnCall allow=*
caller deploy role=Deployer agent=terraform
caller cfn role=Deployer agent=cloudformation stack=ci
-9d deploy creates connection old-git provider=GitHub api=codestar
-9d deploy creates pipeline web definition=<<JSON
{"artifactStore": {"type": "S3", "location": "artifacts"}, "stages": [
 {"name": "Source", "actions": [{"name": "GetCode", "actionTypeId": {"category": "Source", "owner": "ThirdParty", "provider": "GitHub", "version": "1"},
  "configuration": {"Owner": "acme", "Repo": "web", "Branch": "main", "OAuthToken": "ghp_hush"}, "outputArtifacts": [{"name": "Code"}]}]},
 {"name": "Build", "actions": [{"name": "Compile", "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
  "configuration": {"ProjectName": "web"}, "inputArtifacts": [{"name": "Code"}]}]}]}
JSON
-8d deploy updates web stages=Build,Deploy
-7d deploy grants OnCall allow=s3:* name=more
-6d cfn creates connection made provider=GitHub
`

// The events of writes carry what a comparison needs: the whole definition and its version, without secrets.
func TestTrailOfDefinitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "trail.world", []byte(trailStage))
		for name, version := range map[string]float64{"CreatePipeline": 1, "UpdatePipeline": 2} {
			all := trail(t, l, w.ARN("web"), name)
			if len(all) != 1 {
				t.Fatalf("%d events %s", len(all), name)
			}
			given, _ := all[0]["requestParameters"].(map[string]any)["pipeline"].(map[string]any)
			stored, _ := all[0]["responseElements"].(map[string]any)["pipeline"].(map[string]any)
			if stages, _ := given["stages"].([]any); len(stages) != int(version)+1 || stored["version"] != version {
				t.Errorf("%s: %v, version %v", name, given["stages"], stored["version"])
			}
			if b, _ := json.Marshal(all[0]); strings.Contains(string(b), "ghp_hush") || !strings.Contains(string(b), `"OAuthToken":"****"`) {
				t.Errorf("%s shows the token: %s", name, b)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "short.world", []byte(trailStage+"set trail-max=300\n"))
		given := trail(t, l, w.ARN("web"), "UpdatePipeline")[0]["requestParameters"].(map[string]any)
		if given["omitted"] != true || given["pipeline"] != nil || given["originalSize"].(float64) < 301 {
			t.Errorf("beyond trail-max: %v", given)
		}
		made := trail(t, l, w.ARN("old-git"), "CreateConnection")
		if p := made[len(made)-1]["requestParameters"].(map[string]any); p["connectionName"] != "old-git" {
			t.Errorf("a small request: %v", p)
		}
	})
}

// The old API has its own event source, IAM's events are in us-east-1 alone and name their role, CloudFormation calls in its own name.
func TestTrailOfSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "trail.world", []byte(trailStage))
		made := trail(t, l, w.ARN("web"), "CreateConnection")
		if len(made) != 2 || made[1]["eventSource"] != "codestar-connections.amazonaws.com" || made[0]["eventSource"] != "codeconnections.amazonaws.com" {
			t.Fatalf("CreateConnection: %v", made)
		}
		if id := identity(made[0]); id["invokedBy"] != "cloudformation.amazonaws.com" || made[0]["sourceIPAddress"] != "cloudformation.amazonaws.com" || made[0]["userAgent"] != "cloudformation.amazonaws.com" {
			t.Errorf("a template's connection: %v", made[0])
		}
		for region, want := range map[string]int{"eu-west-1": 0, "us-east-1": 1} {
			out, err := ask(t, l, "arn:aws:iam:"+region+":111111111111:x", "cloudtrail", "LookupEvents", map[string]any{
				"LookupAttributes": []any{map[string]any{"AttributeKey": "ResourceName", "AttributeValue": "OnCall"}}})
			if err != nil || len(out["Events"].([]any)) != want {
				t.Errorf("the role's events in %s: %v, %v, want %d", region, out, err, want)
			}
		}
		listed, err := ask(t, l, w.ARN("web"), "cloudtrail", "LookupEvents", map[string]any{
			"LookupAttributes": []any{map[string]any{"AttributeKey": "EventName", "AttributeValue": "CreateConnection"}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range listed["Events"].([]any) {
			if r := e.(map[string]any)["Resources"].([]any); len(r) != 0 {
				t.Errorf("an event of a connection names resources: %v", r)
			}
		}
	})
}
