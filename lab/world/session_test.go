package world_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

const sessionStage = `# Sessions
account 111111111111 regions=eu-west-1
account 222222222222 alias=tools regions=eu-west-1
organization management=222222222222
github acme owner=olga members=ada repos=acme/web
role Deployer allow=*
role CI allow=* trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}]}'
role Closed allow=*
role Home account=tools allow=*
role AWSReservedSSO_OnCall_0123456789abcdef allow=*
user robot allow=*
caller deploy role=Deployer
caller ci role=CI session=run-1 oidc=repo:acme/web:ref:refs/heads/main agent=terraform ip=198.51.100.9
caller home role=Home account=tools
caller jump role=CI session=jump via=home source-identity=bert
caller shut role=Closed via=home
caller sso role=AWSReservedSSO_OnCall_0123456789abcdef session=ada@acme.example agent=console
caller box role=CI session=i-0123 instance=2.0
caller guest user=robot federated=eve session-policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codepipeline:Get*","Resource":"*"}]}'
caller empty user=robot federated=nobody
caller root root=yes
caller kit role=Deployer agent=cdk
caller plum role=Deployer agent=pulumi
-9d deploy creates connection git provider=GitHub
-9d deploy creates pipeline web connection=git repo=acme/web
`

// identity is the userIdentity of an event.
func identity(e map[string]any) map[string]any { return e["userIdentity"].(map[string]any) }

// Every way to come by credentials leaves its own kind of caller, and the events of how the session began.
func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "sessions.world", []byte(sessionStage+`
-5d ci starts web
-5d ci stops web "twice within an hour" abandon=yes
-4d jump starts web
-4d shut starts web expect=denied
-3d sso starts web
-3d guest calls codepipeline:GetPipeline name=web
-3d guest starts web expect=denied
-3d empty calls codepipeline:GetPipeline name=web expect=denied
-2d root starts web
-2d box starts web
-1d kit starts web
-1d plum starts web
`))
		web, tools, virginia := w.ARN("web"), "arn:aws:iam:eu-west-1:222222222222:x", "arn:aws:iam:us-east-1:111111111111:x"
		oidc := trail(t, l, web, "AssumeRoleWithWebIdentity")
		if len(oidc) != 1 || identity(oidc[0])["type"] != "WebIdentityUser" || identity(oidc[0])["userName"] != "repo:acme/web:ref:refs/heads/main" || oidc[0]["sourceIPAddress"] != "198.51.100.9" {
			t.Errorf("GitHub Actions: %v", oidc)
		}
		starts := map[string]map[string]any{}
		for _, e := range trail(t, l, web, "StartPipelineExecution") {
			starts[fmt.Sprint(identity(e)["arn"])] = e
		}
		session := func(name string) map[string]any {
			ctx, _ := identity(starts["arn:aws:sts::111111111111:assumed-role/"+name])["sessionContext"].(map[string]any)
			return ctx
		}
		if web := session("CI/run-1")["webIdFederationData"].(map[string]any); web["federatedProvider"] != "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com" {
			t.Errorf("the workflow's session: %v", web)
		}
		if session("CI/jump")["sourceIdentity"] != "bert" || session("CI/i-0123")["ec2RoleDelivery"] != "2.0" {
			t.Errorf("sessions %v, %v", session("CI/jump"), session("CI/i-0123"))
		}
		if e := starts["arn:aws:sts::111111111111:federated-user/eve"]; e == nil || identity(e)["type"] != "FederatedUser" || !strings.Contains(e["errorMessage"].(string), "because no session policy allows the codepipeline:StartPipelineExecution action") {
			t.Errorf("the federated user: %v", e)
		}
		if e := starts["arn:aws:iam::111111111111:root"]; e == nil || identity(e)["type"] != "Root" {
			t.Errorf("the root user: %v", e)
		}
		var agents []string
		for _, e := range trail(t, l, web, "StartPipelineExecution") {
			agents = append(agents, e["userAgent"].(string))
		}
		for _, agent := range []string{"aws-cdk/", "Pulumi/", "Terraform/", "aws-cli/", "Mozilla/"} {
			if !strings.Contains(strings.Join(agents, "\n"), agent) {
				t.Errorf("nobody called as %s: %v", agent, agents)
			}
		}
		foreign := 0
		for _, e := range trail(t, l, web, "AssumeRole") {
			if identity(e)["type"] == "AWSAccount" {
				foreign++
			}
		}
		here := trail(t, l, tools, "AssumeRole")
		if foreign != 1 || len(here) != 2 || here[0]["errorCode"] != "AccessDenied" || here[1]["errorCode"] != nil {
			t.Errorf("across accounts: %d seen there, here %v", foreign, here)
		}
		saml, centre := trail(t, l, virginia, "AssumeRoleWithSAML"), trail(t, l, tools, "Federate")
		if len(saml) != 1 || identity(saml[0])["type"] != "SAMLUser" || len(centre) != 1 || identity(centre[0])["type"] != "IdentityCenterUser" {
			t.Errorf("Identity Center: %v, %v", saml, centre)
		}
	})
}

// The reads of a monitoring drown what somebody looks up by the event source.
func TestPollsDrownTheTrail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "polls.world", []byte(sessionStage+"-2d deploy polls web every=1m for=2h\n-3h deploy polls git every=1m for=6h\n"))
		look := func(key, value string) int {
			n, token := 0, ""
			for {
				in := map[string]any{"LookupAttributes": []any{map[string]any{"AttributeKey": key, "AttributeValue": value}}}
				if token != "" {
					in["NextToken"] = token
				}
				out, err := ask(t, l, w.ARN("web"), "cloudtrail", "LookupEvents", in)
				if err != nil {
					t.Fatal(err)
				}
				n += len(out["Events"].([]any))
				if token, _ = out["NextToken"].(string); token == "" {
					return n
				}
			}
		}
		if n := look("EventName", "GetPipelineState"); n != 120 {
			t.Errorf("%d reads of the pipeline, want 120", n)
		}
		if n := look("EventSource", "codeconnections.amazonaws.com"); n != 182 {
			t.Errorf("%d events of connections by now, want 180 reads and two writes or so", n)
		}
		time.Sleep(time.Hour)
		if n := look("EventName", "GetConnection"); n != 241 {
			t.Errorf("%d reads an hour later: those who poll go on", n)
		}
	})
}

func TestWrongTroubleLines(t *testing.T) {
	for line, want := range map[string]string{
		"-1d deploy throttles codebuild":          "only aws throttles services",
		"-1d aws throttles codepipeline":          "what actions call",
		"-1d aws throttles iam":                   "no action of a pipeline calls it",
		"-1d aws disturbs codebuild for=soon":     `"soon" is no time`,
		"-1d deploy hangs stage web Build":        "only aws hangs stages",
		"-1d aws hangs stage web Nowhere":         `no stage "Nowhere"`,
		"-1d deploy polls web every=1s for=30d":   "more than the 20000 calls",
		"-1d deploy revokes token x":              "deploy has no login at a provider",
		"caller x role=CI instance=3.0":           "instance= is 1.0 or 2.0",
		"caller x user=robot oidc=repo:acme/web":  "go with role=",
		"set trail-max=big":                       "trail-max= is a number of bytes",
		"caller x role=CI via=gone\n-1d x starts": "is missing",
	} {
		synctest.Test(t, func(t *testing.T) {
			if _, err := world.Load(lab.New(), "wrong.world", []byte(sessionStage+line+"\n"), time.Now()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", line, err, want)
			}
		})
	}
}
