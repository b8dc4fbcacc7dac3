package op_test

import (
	"encoding/json"
	"testing"

	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/lab/policy"
)

const (
	newARN = "arn:aws:codeconnections:eu-west-1:111111111111:connection/c1"
	oldARN = "arn:aws:codestar-connections:eu-west-1:111111111111:connection/c1"
	useNew = "codeconnections:UseConnection"
	useOld = "codestar-connections:UseConnection"
)

// judge is what AWS's logic, as the lab has it, makes of a request under a policy and nothing else.
func judge(t *testing.T, d op.Document, action, resource string, context policy.Values) bool {
	t.Helper()
	doc, err := policy.Parse(d.String(), policy.Permissions)
	if err != nil {
		t.Fatalf("the policy is not one: %v\n%s", err, d)
	}
	return policy.Evaluate(policy.Set{Identity: []policy.Policy{{ID: "grant", Doc: doc}}}, policy.Request{Action: action, Resource: resource, Context: context}).Allowed
}

// TestLeastPolicyAllowsWhatIsLackedAndNoMore holds grants against AWS's logic: what was refused goes through, its neighbours do not.
func TestLeastPolicyAllowsWhatIsLackedAndNoMore(t *testing.T) {
	repo := func(prefix, name string) policy.Values { return policy.Values{prefix + ":FullRepositoryId": {name}} }
	passed := func(to string) policy.Values { return policy.Values{"iam:PassedToService": {to}} }
	const role, build = "arn:aws:iam::111111111111:role/Stack", "arn:aws:codebuild:eu-west-1:111111111111:project/web"
	use := op.LeastPolicy(op.Need{Action: useOld, Resource: newARN})
	narrow := op.LeastPolicy(op.Need{Action: useNew, Resource: oldARN, Repository: "acme/web"})
	pass := op.LeastPolicy(op.Need{Action: "iam:PassRole", Resource: role, Service: "cloudformation.amazonaws.com"})
	start := op.LeastPolicy(op.Need{Action: "codebuild:StartBuild", Resource: build}, op.Need{Action: "codebuild:BatchGetBuilds", Resource: build}, op.Need{Action: "codebuild:StartBuild", Resource: build})
	list := op.LeastPolicy(op.Need{Action: "cloudformation:ListStacks"})
	for _, tt := range []struct {
		name             string
		doc              op.Document
		action, resource string
		context          policy.Values
		want             bool
	}{
		{"new prefix, new ARN", use, useNew, newARN, nil, true},
		{"old prefix, new ARN", use, useOld, newARN, nil, true},
		{"new prefix, old ARN", use, useNew, oldARN, nil, true},
		{"old prefix, old ARN", use, useOld, oldARN, nil, true},
		{"another connection", use, useNew, newARN + "2", nil, false},
		{"another action", use, "codeconnections:DeleteConnection", newARN, nil, false},
		{"new prefix with its own key", narrow, useNew, newARN, repo("codeconnections", "acme/web"), true},
		{"old prefix with its own key", narrow, useOld, oldARN, repo("codestar-connections", "acme/web"), true},
		{"new prefix, another repository", narrow, useNew, newARN, repo("codeconnections", "acme/secret"), false},
		{"old prefix, another repository", narrow, useOld, newARN, repo("codestar-connections", "acme/secret"), false},
		{"no repository is meant", narrow, useOld, newARN, nil, true},
		{"passed to its service", pass, "iam:PassRole", role, passed("cloudformation.amazonaws.com"), true},
		{"passed to another service", pass, "iam:PassRole", role, passed("ec2.amazonaws.com"), false},
		{"another role passed", pass, "iam:PassRole", role + "s", passed("cloudformation.amazonaws.com"), false},
		{"the first of two", start, "codebuild:StartBuild", build, nil, true},
		{"the second of two", start, "codebuild:BatchGetBuilds", build, nil, true},
		{"another project", start, "codebuild:StartBuild", build + "2", nil, false},
		{"an action without resources", list, "cloudformation:ListStacks", "*", nil, true},
	} {
		if got := judge(t, tt.doc, tt.action, tt.resource, tt.context); got != tt.want {
			t.Errorf("%s: allowed %v, want %v\n%s", tt.name, got, tt.want, tt.doc)
		}
	}
	if len(start.Statement) != 1 || len(start.Statement[0].Action) != 2 {
		t.Errorf("needs on one resource are not one statement:\n%s", start)
	}
}

// TestHandshakePolicyUnderBothPrefixes: whoever has this policy can complete a connection of the provider under either prefix, and
// not those of another.
func TestHandshakePolicyUnderBothPrefixes(t *testing.T) {
	var d op.Document
	if err := json.Unmarshal([]byte(op.HandshakePolicy("GitHub", newARN, oldARN)), &d); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"codeconnections", "codestar-connections"} {
		for _, name := range op.Handshake() {
			arn := "*"
			if name == "UpdateConnectionInstallation" {
				arn = map[string]string{"codeconnections": newARN, "codestar-connections": oldARN}[prefix]
			}
			if !judge(t, d, prefix+":"+name, arn, policy.Values{prefix + ":ProviderType": {"GitHub"}}) {
				t.Errorf("%s:%s is not allowed\n%s", prefix, name, d)
			}
		}
		if judge(t, d, prefix+":StartOAuthHandshake", "*", policy.Values{prefix + ":ProviderType": {"Bitbucket"}}) {
			t.Errorf("%s: another provider's handshake is allowed", prefix)
		}
		if judge(t, d, prefix+":UpdateConnectionInstallation", newARN+"2", nil) {
			t.Errorf("%s: another connection may be completed", prefix)
		}
	}
}

// TestPaidReadsAreNotInThePolicies: nobody is asked for a permission that only a flag uses.
func TestPaidReadsAreNotInThePolicies(t *testing.T) {
	for _, d := range []op.Document{op.ReadPolicy("aws", "111111111111"), op.FixPolicy("aws", "111111111111")} {
		if judge(t, d, "access-analyzer:CheckNoNewAccess", "*", nil) {
			t.Error("CheckNoNewAccess is allowed, which only --paid-checks calls")
		}
		if !judge(t, d, "access-analyzer:ValidatePolicy", "*", nil) {
			t.Error("ValidatePolicy is not allowed")
		}
	}
}
