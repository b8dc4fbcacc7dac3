package world_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/world"
)

// denials is a world with one principal for every kind of policy that can refuse a call.
const denials = `# Every kind of refusal
account 111111111111 alias=acme-prod regions=us-east-1
account 222222222222 alias=acme-tools regions=us-east-1
organization management=333333333333 id=o-acme000001
github acme owner=olga repos=acme/web
scp NoDeletion deny=codeconnections:DeleteConnection
scp Listed account=acme-tools allow=codepipeline:*,codeconnections:*,sts:*
rcp NoUploads deny=sts:AssumeRole@arn:aws:iam::111111111111:role/Guarded
boundary Team allow=codepipeline:*,s3:*,sts:* deny=codepipeline:Start*
policy Freeze deny=codepipeline:GetPipelineState
bucket web-publish deny=s3:PutObject@arn:aws:s3:::web-publish/*
role Admin allow=*
role Empty
role Denied allow=* deny=codepipeline:ListPipelines
role Frozen allow=* policies=Freeze
role Bounded allow=* boundary=Team
role Guarded allow=*
role Closed trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
role Shut trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'
role Tools account=acme-tools allow=*
vpc core cidr=10.0.0.0/16
subnet core-a vpc=core cidr=10.0.1.0/24 zone=a
endpoint pipes vpc=core service=codepipeline subnets=core-a policy='{"Statement":[{"Effect":"Allow","Principal":"*","Action":"codepipeline:List*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"codepipeline:ListActionTypes","Resource":"*"}]}'
caller admin you role=Admin
caller empty role=Empty
caller denied role=Denied
caller frozen role=Frozen
caller bounded role=Bounded
caller narrow role=Admin session-policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codepipeline:*","Resource":"*"},{"Effect":"Deny","Action":"codepipeline:ListActionTypes","Resource":"*"}]}'
caller tools role=Tools account=acme-tools
caller root root=yes
caller inside role=Admin vpce=pipes
-9d admin creates connection team-github provider=GitHub
-9d admin completes handshake team-github as=olga org=acme
-8d admin creates pipeline web connection=team-github repo=acme/web stages=Publish:S3
`

// TestEveryWordOfARefusal makes, for every clause that AWS documents for an access denied message, a real call that is
// refused with it. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestEveryWordOfARefusal(t *testing.T) {
	const pipeline = "arn:aws:codepipeline:us-east-1:111111111111:web"
	org := func(kind string) string {
		return "arn:aws:organizations::333333333333:policy/o-acme000001/" + kind + "/p-"
	}
	tests := []struct{ act, says string }{
		{"empty calls codepipeline:GetPipeline name=web", "User: arn:aws:sts::111111111111:assumed-role/Empty/empty is not authorized to perform: codepipeline:GetPipeline on resource: " + pipeline +
			" because no identity-based policy allows the codepipeline:GetPipeline action"},
		{"denied calls codepipeline:ListPipelines", "with an explicit deny in an identity-based policy"},
		{"frozen calls codepipeline:GetPipelineState name=web", "with an explicit deny in an identity-based policy: arn:aws:iam::111111111111:policy/Freeze"},
		{"tools calls iam:ListRoles", "because no service control policy allows the iam:ListRoles action"},
		{"root deletes team-github", "with an explicit deny in a service control policy: " + org("service_control_policy")},
		{"admin calls sts:AssumeRole RoleArn=${Guarded} RoleSessionName=adm", "with an explicit deny in a resource control policy: " + org("resource_control_policy")},
		{"inside calls codepipeline:GetPipeline name=web", "because no VPC endpoint policy allows the codepipeline:GetPipeline action"},
		{"inside calls codepipeline:ListActionTypes", "with an explicit deny in a VPC endpoint policy"},
		{"bounded calls codeconnections:ListConnections", "because no permissions boundary allows the codeconnections:ListConnections action"},
		{"bounded starts web", "with an explicit deny in a permissions boundary: arn:aws:iam::111111111111:policy/Team"},
		{"narrow calls codeconnections:ListConnections", "because no session policy allows the codeconnections:ListConnections action"},
		{"narrow calls codepipeline:ListActionTypes", "with an explicit deny in a session policy"},
		{"tools calls codeconnections:GetConnection ConnectionArn=${team-github}", "because no resource-based policy allows the codeconnections:GetConnection action"},
		{"admin calls sts:AssumeRole RoleArn=${Closed} RoleSessionName=adm", "because no role trust policy allows the sts:AssumeRole action"},
		{"admin calls sts:AssumeRole RoleArn=${Shut} RoleSessionName=adm", "with an explicit deny in the role trust policy"},
		{"admin calls sts:AssumeRole RoleArn=arn:aws:iam::111111111111:role/Nobody RoleSessionName=adm",
			"is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/Nobody"},
	}
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "denials.world", []byte(denials))
		for _, tt := range tests {
			for name := range strings.SplitSeq("Guarded Closed Shut team-github", " ") {
				tt.act = strings.ReplaceAll(tt.act, "${"+name+"}", w.ARN(name))
			}
			err := w.Act(tt.act)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s\n got %v\nwant ...%s", tt.act, err, tt.says)
			}
			if bare := strings.HasPrefix(tt.says, "is not"); bare && err != nil && !strings.HasSuffix(err.Error(), tt.says) {
				t.Errorf("%s: a role that does not exist is refused without a reason, got %v", tt.act, err)
			}
		}
		if got, want := pipelineText(t, l, w), "with an explicit deny in a resource-based policy"; !strings.Contains(got, want) {
			t.Errorf("the pipeline's upload ends with %s, want ...%s", got, want)
		}
	})
}

// pipelineText is the error text of the last stage of the pipeline web.
func pipelineText(t *testing.T, l *lab.Lab, w *world.World) string {
	t.Helper()
	var out map[string]any
	var err error
	l.Cloud.Within(func() {
		out, err = l.Cloud.Serve(&cloud.Request{Service: "codepipeline", Operation: "GetPipelineState", Region: "us-east-1",
			Caller: w.Default.Principal, In: map[string]any{"name": "web"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(out["stageStates"])
}
