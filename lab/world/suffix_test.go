package world_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// TestSuffixes states for each world denied-suffix-* the words with which AWS then refuses: in the text of the stage that failed, or,
// where a person or a reader was refused, in the event that it left. Every clause that AWS documents has a world.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestSuffixes(t *testing.T) {
	for _, tt := range []struct{ world, stage, event, text string }{
		{"denied-suffix-identity", "Build", "", "because no identity-based policy allows the codebuild:StartBuild action"},
		{"denied-suffix-identity-deny", "Build", "", "with an explicit deny in an identity-based policy: arn:aws:iam::111111111111:policy/Freeze"},
		{"denied-suffix-scp", "Build", "", "because no service control policy allows the codebuild:StartBuild action"},
		{"denied-suffix-scp-deny", "Build", "", "with an explicit deny in a service control policy: arn:aws:organizations::333333333333:policy/o-acme000001/service_control_policy/p-"},
		{"denied-suffix-rcp-deny", "Publish", "", "with an explicit deny in a resource control policy: arn:aws:organizations::333333333333:policy/o-acme000001/resource_control_policy/p-"},
		{"denied-suffix-boundary", "Build", "", "because no permissions boundary allows the codebuild:StartBuild action"},
		{"denied-suffix-boundary-deny", "Build", "", "with an explicit deny in a permissions boundary: arn:aws:iam::111111111111:policy/Team"},
		{"denied-suffix-resource", "Publish", "", "because no resource-based policy allows the s3:PutObject action"},
		{"denied-suffix-resource-deny", "Publish", "", "with an explicit deny in a resource-based policy"},
		{"denied-suffix-trust", "Deploy", "", "because no role trust policy allows the sts:AssumeRole action"},
		{"denied-suffix-trust-deny", "Deploy", "", "with an explicit deny in the role trust policy"},
		{"denied-suffix-none", "Source", "", "CodePipeline is not authorized to perform AssumeRole on role arn:aws:iam::111111111111:role/Web"},
		{"denied-suffix-session", "", "StartOAuthHandshake", "because no session policy allows the codeconnections:StartOAuthHandshake action"},
		{"denied-suffix-session-deny", "", "UpdateConnectionInstallation", "with an explicit deny in a session policy"},
		{"denied-suffix-endpoint", "", "GetPipelineState", "because no VPC endpoint policy allows the codepipeline:GetPipelineState action"},
		{"denied-suffix-endpoint-deny", "", "GetPipelineState", "with an explicit deny in a VPC endpoint policy"},
	} {
		t.Run(tt.world, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w := open(t, tt.world)
				if tt.stage != "" {
					if status, text := stageStatus(t, l, w.ARN("web"), tt.stage); status != "Failed" || !strings.Contains(text, tt.text) {
						t.Errorf("%s is %q with %q, want ...%s", tt.stage, status, text, tt.text)
					}
					return
				}
				said := ""
				if tt.event == "GetPipelineState" { // what the reader of this world is told
					if err := w.Act("runner calls codepipeline:GetPipelineState name=web"); err != nil {
						said = err.Error()
					}
				} else if events := trail(t, l, w.ARN("team-github"), tt.event); len(events) > 0 {
					said, _ = events[0]["errorMessage"].(string)
				}
				if !strings.Contains(said, tt.text) {
					t.Errorf("%s is refused with %q, want ...%s", tt.event, said, tt.text)
				}
			})
		})
	}
}
