package refusal_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/refusal"
)

const (
	account = "111111111111"
	webRole = "arn:aws:iam::111111111111:role/service-role/Web"
	project = "arn:aws:codebuild:eu-west-1:111111111111:project/web"
	who     = "User: arn:aws:sts::111111111111:assumed-role/Web/170 is not authorized to perform: codebuild:StartBuild on resource: " + project
)

var (
	now   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	here  = fact.Scope{Account: account, Region: "eu-west-1"}
	whole = fact.Scope{Account: account}
)

func seen(scope fact.Scope, k fact.Kind, id string) fact.Seen {
	return fact.Seen{About: fact.Ref{Scope: scope, Kind: k, ID: id}, From: fact.Source{Service: "s", Operation: "o", Account: account}}
}

// diagnose judges one pipeline whose only action, of a provider, failed an hour ago with a text; more is what else is known.
func diagnose(t *testing.T, provider, text string, more ...fact.Fact) (fault.Judgement, fault.Finding) {
	t.Helper()
	return diagnoseAt(t, provider, text, now.Add(-time.Hour), nil, more...)
}

func diagnoseAt(t *testing.T, provider, text string, failed time.Time, covered []fact.Query, more ...fact.Fact) (fault.Judgement, fault.Finding) {
	t.Helper()
	b := fact.NewBuilder(fact.Question{Account: account, Regions: []string{"eu-west-1"}, Targets: []fact.Target{{Kind: fact.KindPipeline, Name: "web"}}, Paid: true})
	action := fact.Action{Name: "Build", Category: "Build", Owner: "AWS", Provider: provider, Project: "web"}
	b.Add(fact.Pipeline{Seen: seen(here, fact.KindPipeline, "web"), Name: "web", RoleARN: webRole, Stages: []fact.Stage{{Name: "Build", Actions: []fact.Action{action}}}},
		fact.PipelineState{Seen: seen(here, fact.KindPipelineState, "web"), Name: "web", Stages: []fact.StageState{{Name: "Build", Actions: []fact.ActionState{
			{Name: "Build", ID: "1", Status: "Failed", Error: text, Changed: failed}}}}})
	b.Add(more...)
	for _, q := range covered {
		b.Cover(q)
	}
	j := refusal.Judge(b.Seal(now), "refused", func(refusal.Refused, string) bool { return true })
	if len(j.Findings) == 0 {
		return j, fault.Finding{}
	}
	return j, j.Findings[0]
}

func simulation(decisions ...fact.Decision) fact.Simulation {
	return fact.Simulation{Seen: seen(whole, fact.KindSimulation, webRole), Principal: webRole, Decisions: decisions}
}

func startBuild(allowed bool, by string) fact.Simulation {
	return simulation(fact.Decision{Action: "codebuild:StartBuild", Resource: project, Allowed: allowed, By: by})
}

// TestEveryPolicyType: the policy type that AWS names is the cause, whatever the simulator says, and only the want of an identity policy
// is answered with a policy.
func TestEveryPolicyType(t *testing.T) {
	for _, tt := range []struct {
		tail, cause string
		bucket      fault.Bucket
		blind       string // what the simulator does not see
		grant       bool
	}{
		{" because no identity-based policy allows the codebuild:StartBuild action", "no-identity-policy", fault.IAM, "", true},
		{" with an explicit deny in an identity-based policy", "identity-deny", fault.IAM, "", false},
		{" because no permissions boundary allows the codebuild:StartBuild action", "boundary", fault.IAM, "", false},
		{" with an explicit deny in a permissions boundary: arn:aws:iam::111111111111:policy/Team", "boundary-deny", fault.IAM, "", false},
		{" because no service control policy allows the codebuild:StartBuild action", "scp", fault.IAM, "", false},
		{" with an explicit deny in a service control policy: arn:aws:organizations::3:policy/o-1/service_control_policy/p-1", "scp-deny", fault.IAM, "", false},
		{" with an explicit deny in a resource control policy", "rcp-deny", fault.IAM, "resource control policies", false},
		{" because no VPC endpoint policy allows the codebuild:StartBuild action", "endpoint-policy", fault.Network, "VPC endpoint policies", false},
		{" with an explicit deny in a VPC endpoint policy", "endpoint-policy", fault.Network, "VPC endpoint policies", false},
		{" because no session policy allows the codebuild:StartBuild action", "session-policy", fault.IAM, "session policies", false},
		{" with an explicit deny in a session policy", "session-policy", fault.IAM, "session policies", false},
		{" because no resource-based policy allows the codebuild:StartBuild action", "resource-policy", fault.IAM, "resource-based policies", false},
		{" with an explicit deny in a resource-based policy", "resource-policy", fault.IAM, "resource-based policies", false},
	} {
		_, f := diagnose(t, "CodeBuild", who+tt.tail, startBuild(true, ""))
		if f.Cause.Code != tt.cause || f.Cause.Class != fault.Reported || f.Bucket != tt.bucket || (f.Details.Grant != nil) != tt.grant {
			t.Errorf("%s: cause %s (%s), bucket %s, grant %v", tt.tail, f.Cause.Code, f.Cause.Class, f.Bucket, f.Details.Grant)
		}
		if tt.blind != "" && (!strings.Contains(f.Cause.Text, "does not see "+tt.blind) || !says(f, "does not see "+tt.blind)) {
			t.Errorf("%s: nothing says that the simulator does not see %s: %q %+v", tt.tail, tt.blind, f.Cause.Text, f.Evidence)
		}
		if i := strings.Index(tt.tail, "arn:"); i > 0 && !strings.Contains(f.Remedy, tt.tail[i:]) {
			t.Errorf("%s: the remedy does not name the policy: %q", tt.tail, f.Remedy)
		}
	}
}

func says(f fault.Finding, text string) bool {
	return slices.ContainsFunc(f.Evidence, func(e fault.Evidence) bool { return strings.Contains(e.Got+" "+e.Text, text) })
}

// TestTextWithoutPolicyType: where AWS names none, the simulator's word counts as simulated, and without it nothing is claimed.
func TestTextWithoutPolicyType(t *testing.T) {
	for name, tt := range map[string]struct {
		more  []fact.Fact
		cause string
		class fault.Class
		grant bool
	}{
		"not simulated":        {nil, "unknown", fault.Unclear, false},
		"no to an identity":    {[]fact.Fact{startBuild(false, "identity-based policy")}, "no-identity-policy", fault.Simulated, true},
		"no by the boundary":   {[]fact.Fact{startBuild(false, "permissions boundary")}, "boundary", fault.Simulated, false},
		"no by the SCP":        {[]fact.Fact{startBuild(false, "service control policy")}, "scp", fault.Simulated, false},
		"allowed":              {[]fact.Fact{startBuild(true, "")}, "unknown", fault.Unclear, false},
		"of another principal": {[]fact.Fact{fact.Simulation{Seen: seen(whole, fact.KindSimulation, "x"), Principal: "x", Decisions: startBuild(false, "permissions boundary").Decisions}}, "unknown", fault.Unclear, false},
	} {
		_, f := diagnose(t, "CodeBuild", who, tt.more...)
		if f.Cause.Code != tt.cause || f.Cause.Class != tt.class || (f.Details.Grant != nil) != tt.grant {
			t.Errorf("%s: cause %s (%s), grant %v", name, f.Cause.Code, f.Cause.Class, f.Details.Grant)
		}
	}
}

// TestEncodedMessage: an encoded message is handed to STS, and what that says is the refusal.
func TestEncodedMessage(t *testing.T) {
	const text = "You are not authorized to perform this operation. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm_abcd"
	j, f := diagnose(t, "CodeBuild", text)
	i := slices.IndexFunc(j.Helps, func(q fact.Query) bool { return q.Kind == fact.KindDecoded })
	if i < 0 || j.Helps[i].Args["message"] != "4GIOHlTkIaWHQD0Q0m6XSnuUMCm_abcd" || !strings.Contains(f.Cause.Text, "sts:DecodeAuthorizationMessage") {
		t.Fatalf("helps %+v, cause %+v", j.Helps, f.Cause)
	}
	decoded := fact.Decoded{Seen: seen(whole, fact.KindDecoded, j.Helps[i].ID), Principal: "arn:aws:sts::111111111111:assumed-role/Web/170", Action: "codebuild:StartBuild", Resource: project}
	j, f = diagnose(t, "CodeBuild", text, decoded)
	ask := func(k fact.Kind) bool {
		return slices.ContainsFunc(j.Helps, func(q fact.Query) bool { return q.Kind == k && q.ID == webRole })
	}
	if !ask(fact.KindSimulation) || !ask(fact.KindPolicies) || !says(f, project) || f.Details.More["role"] != webRole {
		t.Errorf("after decoding: helps %+v, finding %+v", j.Helps, f)
	}
	if _, f = diagnose(t, "CodeBuild", text, decoded, startBuild(false, "identity-based policy")); f.Cause.Code != "no-identity-policy" || f.Cause.Class != fault.Simulated {
		t.Errorf("cause %+v", f.Cause)
	}
}

// event is the call of a session in the trail.
func event(name, session, code, text string, at time.Time) fact.Event {
	return fact.Event{Seen: seen(here, fact.KindEvent, name+at.String()), Name: name, EventSource: "codebuild.amazonaws.com", Time: at, ErrorCode: code, Error: text, SourceIP: "198.51.100.7",
		Who: fact.Who{Type: "AssumedRole", ARN: session, Name: "170"}, RequestID: "r-1", Parameters: fact.Values{"projectName": {Text: "web"}, "tags/0": {Text: "no"}}}
}

// TestFailedCall: the refused call is found in the trail by its role and its time; a text that says nothing is read from there.
func TestFailedCall(t *testing.T) {
	const session, other = "arn:aws:sts::111111111111:assumed-role/Web/170", "arn:aws:sts::111111111111:assumed-role/Other/170"
	const denied = who + " because no identity-based policy allows the codebuild:StartBuild action"
	failed := now.Add(-time.Hour)
	for name, tt := range map[string]struct {
		e    fact.Event
		want bool
	}{
		"of the role":      {event("StartBuild", session, "AccessDenied", denied, failed.Add(-time.Minute)), true},
		"of another role":  {event("StartBuild", other, "AccessDenied", denied, failed.Add(-time.Minute)), false},
		"of another time":  {event("StartBuild", session, "AccessDenied", denied, failed.Add(-11*time.Minute)), false},
		"that went well":   {event("StartBuild", session, "", "", failed), false},
		"of another name":  {event("StopBuild", session, "AccessDenied", denied, failed), false},
		"moments later on": {event("StartBuild", session, "Client.UnauthorizedOperation", denied, failed.Add(9*time.Minute)), true},
	} {
		_, f := diagnose(t, "CodeBuild", "Access Denied (Service: AWSCodeBuild; Status Code: 400)", tt.e)
		want := "unknown"
		if tt.want {
			want = "no-identity-policy"
		}
		if f.Cause.Code != want || says(f, "request r-1") != tt.want || says(f, "projectName=web") != tt.want || says(f, "tags/0") {
			t.Errorf("%s: cause %+v, evidence %+v", name, f.Cause, f.Evidence)
		}
	}
}

// TestUnseenCall: why the call is not in the trail is said, and a young failure is not taken for one that left nothing.
func TestUnseenCall(t *testing.T) {
	asked := []fact.Query{{Scope: here, Kind: fact.KindEvent, ID: "StartBuild"}}
	for _, tt := range []struct {
		name, text string
		age        time.Duration
		covered    []fact.Query
		want       string
	}{
		{"young", who, 5 * time.Minute, asked, "not visible yet"},
		{"old", who, time.Hour, asked, "not seen"},
		{"not asked yet", who, time.Hour, nil, ""},
		{"a data event", strings.Replace(who, "codebuild:StartBuild", "s3:GetObject", 1), time.Hour, nil, "it is a data event"},
	} {
		_, f := diagnoseAt(t, "CodeBuild", tt.text, now.Add(-tt.age), tt.covered)
		if got := says(f, "not visible yet") || says(f, "not seen"); got != (tt.want != "") || !says(f, tt.want) {
			t.Errorf("%s: want %q in %+v", tt.name, tt.want, f.Evidence)
		}
	}
}

// TestArtifactBucket: CodePipeline's own words about its bucket name no action; what the role lacks of what is needed there is granted.
func TestArtifactBucket(t *testing.T) {
	text := `CodePipeline service role "` + webRole + `" is getting S3 access denied for the S3 bucket "acme-artifacts"`
	j, _ := diagnose(t, "CodeBuild", text)
	i := slices.IndexFunc(j.Helps, func(q fact.Query) bool { return q.Kind == fact.KindSimulation })
	if i < 0 || j.Helps[i].ID != webRole || j.Helps[i].Args["resources"] != "arn:aws:s3:::acme-artifacts,arn:aws:s3:::acme-artifacts/*" {
		t.Fatalf("helps %+v", j.Helps)
	}
	var decisions []fact.Decision
	for _, a := range strings.Split(j.Helps[i].Args["actions"], ",") {
		for _, r := range strings.Split(j.Helps[i].Args["resources"], ",") {
			decisions = append(decisions, fact.Decision{Action: a, Resource: r, Allowed: a != "s3:PutObject", By: "identity-based policy"})
		}
	}
	_, f := diagnose(t, "CodeBuild", text, simulation(decisions...))
	if f.Cause.Code != "no-identity-policy" || f.Details.Grant == nil {
		t.Fatalf("cause %+v, grant %v", f.Cause, f.Details.Grant)
	}
	if doc := string(f.Details.Grant.Document); !strings.Contains(doc, `"s3:PutObject"`) || strings.Contains(doc, "GetObject") || !strings.Contains(doc, "acme-artifacts/*") {
		t.Errorf("grant %s", doc)
	}
}

// TestStatements: the statement that decides is named.
func TestStatements(t *testing.T) {
	role := fact.RolePolicies{Seen: seen(whole, fact.KindPolicies, webRole), ARN: webRole, Name: "Web", Boundary: "arn:aws:iam::111111111111:policy/Team",
		Bounds: `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`}
	for _, tt := range []struct{ document, want string }{
		{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"Freeze","Effect":"Deny","Action":["codebuild:Start*"],"Resource":"*"}]}`, "own, statement Freeze denies codebuild:StartBuild"},
		{`{"Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}`, "own, statement 1 allows codebuild:StartBuild"},
		{`{"Statement":[{"Effect":"Allow","Action":"CodeBuild:startbuild","Resource":["arn:aws:codebuild:*:*:project/api"]}]}`, "on other resources: arn:aws:codebuild:*:*:project/api"},
		{`{"Statement":[{"Effect":"Allow","Action":"codebuild:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"web"}}}]}`, "under a condition on aws:ResourceTag/team"},
		{`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "own does not allow codebuild:StartBuild"},
		{`{"Statement":`, "cannot be read"},
	} {
		role.Documents = []fact.PolicyDocument{{Name: "own", Document: tt.document}}
		_, f := diagnose(t, "CodeBuild", who, role)
		if !says(f, tt.want) || !says(f, "Team does not allow codebuild:StartBuild") {
			t.Errorf("%s: %+v", tt.document, f.Evidence)
		}
	}
}

// TestPaidCheckComparesWithWhatTheRoleHas: with --paid-checks the grant is held against all of the role's policies.
func TestPaidCheckComparesWithWhatTheRoleHas(t *testing.T) {
	role := fact.RolePolicies{Seen: seen(whole, fact.KindPolicies, webRole), ARN: webRole, Name: "Web", Documents: []fact.PolicyDocument{
		{Name: "a", Document: `{"Statement":{"Sid":"X","Effect":"Allow","Action":"s3:*","Resource":"*"}}`},
		{Name: "b", Document: `{"Statement":[{"Sid":"X","Effect":"Allow","Action":"sns:*","Resource":"*"}]}`}}}
	j, f := diagnose(t, "CodeBuild", who+" because no identity-based policy allows the codebuild:StartBuild action", role)
	i := slices.IndexFunc(j.Helps, func(q fact.Query) bool { return q.Kind == fact.KindNewAccess })
	if i < 0 {
		t.Fatalf("helps %+v", j.Helps)
	}
	if e := j.Helps[i].Args["existing"]; !strings.Contains(e, "s3:*") || !strings.Contains(e, "sns:*") || strings.Contains(e, "Sid") || j.Helps[i].Args["document"] != string(f.Details.Grant.Document) {
		t.Errorf("existing %s", e)
	}
	_, f = diagnose(t, "CodeBuild", who+" because no identity-based policy allows the codebuild:StartBuild action", role,
		fact.PolicyCheck{Seen: seen(whole, fact.KindPolicyCheck, j.Helps[i-1].ID)}, fact.NewAccess{Seen: seen(whole, fact.KindNewAccess, j.Helps[i].ID), Result: "FAIL", Reasons: []string{"New access in statement 1"}})
	if want := "ValidatePolicy: no findings; CheckNoNewAccess: FAIL New access in statement 1"; f.Details.Grant.Checked != want {
		t.Errorf("checked %q, want %q", f.Details.Grant.Checked, want)
	}
}

// TestNoRefusal: what a build says of itself, connections and other failures are not this fault's.
func TestNoRefusal(t *testing.T) {
	for _, text := range []string{
		"", "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: npm: access denied", "Rate exceeded",
		"Unable to use Connection: arn:aws:codeconnections:eu-west-1:111111111111:connection/1. The provided role does not have sufficient permissions.",
		"Build terminated with state: FAILED. Phase: DOWNLOAD_SOURCE, Message: Access denied to connection arn:aws:codeconnections:eu-west-1:111111111111:connection/1",
	} {
		if j, f := diagnose(t, "CodeBuild", text); len(j.Findings) != 0 {
			t.Errorf("%q: %s %s", text, f.Cause.Code, f.Message)
		}
	}
}

// TestLookUpBudget: no refusal asks for more than five look-ups of CloudTrail, which leaves one of six for the history.
func TestLookUpBudget(t *testing.T) {
	for _, provider := range []string{"CodeBuild", "CodeDeploy", "CloudFormation", "ECS", "Lambda"} {
		for _, action := range []string{"codebuild:StartBuild", "iam:PassRole", "sts:AssumeRole", "s3:PutObject"} {
			for _, tail := range []string{"", " because no identity-based policy allows the x action", " with an explicit deny in an identity-based policy", " because no permissions boundary allows the x action", " because no role trust policy allows the x action"} {
				j, _ := diagnose(t, provider, strings.Replace(who, "codebuild:StartBuild", action, 1)+tail)
				n := 0
				for _, q := range j.Helps {
					if q.Kind == fact.KindEvent {
						n++
					}
				}
				if n > 5 {
					t.Errorf("%s %s%s: %d look-ups", provider, action, tail, n)
				}
			}
		}
	}
}
