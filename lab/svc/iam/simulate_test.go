package iam_test

import (
	"fmt"
	"slices"
	"testing"
)

const (
	connOld = "arn:aws:codestar-connections:us-east-1:111111111111:connection/c2"
	devARN  = "arn:aws:iam::111111111111:role/Dev"
)

// simulate returns the single result of one action.
func (b bench) simulate(action string, more map[string]any) map[string]any {
	b.t.Helper()
	in := map[string]any{"PolicySourceArn": devARN, "ActionNames": []any{action}}
	for k, v := range more {
		in[k] = v
	}
	all := b.ok("SimulatePrincipalPolicy", in)["EvaluationResults"].([]any)
	if len(all) != 1 {
		b.t.Fatalf("%d results for one action", len(all))
	}
	return all[0].(map[string]any)
}

func TestSimulateOneResultPerAction(t *testing.T) {
	b := newBench(t)
	b.role("Dev", doc(allow("codeconnections:*", connARN)))
	r := b.simulate("codeconnections:UseConnection", map[string]any{"ResourceArns": []any{connARN, connOld}})
	if r["EvalResourceName"] != "arn:${Partition}:codeconnections:${Region}:${Account}:connection/${ConnectionId}" {
		t.Errorf("the result names %v; it must be the ARN template, not a resource", r["EvalResourceName"])
	}
	if r["EvalDecision"] != "implicitDeny" {
		t.Errorf("decision %v; the most restrictive one counts", r["EvalDecision"])
	}
	var got []string
	for _, x := range r["ResourceSpecificResults"].([]any) {
		m := x.(map[string]any)
		got = append(got, fmt.Sprint(m["EvalResourceName"], " ", m["EvalResourceDecision"], " ", len(m["MatchedStatements"].([]any))))
	}
	if want := []string{connARN + " allowed 1", connOld + " implicitDeny 0"}; !slices.Equal(got, want) {
		t.Errorf("per resource %q, want %q", got, want)
	}
	if r["OrganizationsDecisionDetail"] != nil || r["PermissionsBoundaryDecisionDetail"] != nil {
		t.Errorf("details of an organisation or a boundary that is not there: %v", r)
	}
}

func TestSimulateDecisions(t *testing.T) {
	const start, get = "codeconnections:StartOAuthHandshake", "codeconnections:GetConnection"
	key := doc(`{"Effect":"Allow","Action":"codeconnections:*","Resource":"*","Condition":{"StringEquals":{"codeconnections:ProviderType":"GitHub"}}}`)
	global := doc(allow("*", "*"), `{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}`)
	tests := []struct {
		name, inline, boundary, scp, action string
		in                                  map[string]any
		want                                string // decision, statements, missing, organisation, boundary
	}{
		{"allowed", doc(allow("*", "*")), "", "", get, nil, "allowed 1 [] <nil> <nil>"},
		{"implicit", doc(allow("s3:*", "*")), "", "", get, nil, "implicitDeny 0 [] <nil> <nil>"},
		{"explicit", doc(allow("*", "*"), deny("*", "*")), "", "", get, nil, "explicitDeny 1 [] <nil> <nil>"},
		{"handshake scoped to an ARN", doc(allow("codeconnections:*", connARN)), "", "", start, nil, "implicitDeny 0 [] <nil> <nil>"},
		{"missing key", key, "", "", start, nil, "implicitDeny 0 [codeconnections:ProviderType] <nil> <nil>"},
		{"key supplied", key, "", "", start, map[string]any{"ContextEntries": []any{map[string]any{"ContextKeyName": "codeconnections:ProviderType",
			"ContextKeyValues": []any{"GitHub"}, "ContextKeyType": "string"}}}, "allowed 1 [] <nil> <nil>"},
		{"boundary lacks it", doc(allow("*", "*")), doc(allow("s3:*", "*")), "", get, nil, "implicitDeny 0 [] <nil> map[AllowedByPermissionsBoundary:false]"},
		{"boundary allows it", doc(allow("*", "*")), doc(allow("*", "*")), "", get, nil, "allowed 1 [] <nil> map[AllowedByPermissionsBoundary:true]"},
		{"boundary replaced", doc(allow("*", "*")), doc(allow("s3:*", "*")), "", get, map[string]any{"PermissionsBoundaryPolicyInputList": []any{doc(allow("*", "*"))}},
			"allowed 1 [] <nil> map[AllowedByPermissionsBoundary:true]"},
		{"SCP denies", doc(allow("*", "*")), "", doc(deny("codeconnections:*", "*")), get, nil, "explicitDeny 0 [] map[AllowedByOrganizations:false] <nil>"},
		{"SCP lacks it", doc(allow("*", "*")), "", doc(allow("iam:*", "*")), get, nil, "implicitDeny 0 [] map[AllowedByOrganizations:false] <nil>"},
		{"SCP with a global key is not seen", doc(allow("*", "*")), "", global, get, nil, "allowed 1 [] map[AllowedByOrganizations:true] <nil>"},
		{"policy input adds", doc(allow("s3:*", "*")), "", "", get, map[string]any{"PolicyInputList": []any{doc(allow("*", "*"))}}, "allowed 1 [] <nil> <nil>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.role("Dev", tt.inline)
			if tt.boundary != "" {
				arn, err := b.s.CreateManagedPolicy(account, "limits", tt.boundary)
				b.must(err)
				b.must(b.s.SetBoundary(account, "Dev", arn))
			}
			if tt.scp != "" {
				b.must(b.s.SetSCP(account, "scp", tt.scp))
			}
			r := b.simulate(tt.action, tt.in)
			got := fmt.Sprint(r["EvalDecision"], " ", len(r["MatchedStatements"].([]any)), " ", r["MissingContextValues"], " ",
				r["OrganizationsDecisionDetail"], " ", r["PermissionsBoundaryDecisionDetail"])
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSimulateMatchedStatements(t *testing.T) {
	b := newBench(t)
	b.role("Dev", "{\n \"Version\": \"2012-10-17\",\n \"Statement\": [\n  "+allow("s3:*", "*")+",\n  "+allow("codeconnections:*", "*")+"\n ]\n}")
	b.must(b.s.AttachRolePolicy(account, "Dev", "arn:aws:iam::aws:policy/AdministratorAccess"))
	r := b.simulate("codeconnections:GetConnection", nil)
	var got []string
	for _, x := range r["MatchedStatements"].([]any) {
		m := x.(map[string]any)
		got = append(got, fmt.Sprint(m["SourcePolicyId"], " ", m["SourcePolicyType"], " ", m["StartPosition"]))
	}
	if want := []string{"inline0 role map[Column:3 Line:5]", "AdministratorAccess aws-managed map[Column:38 Line:1]"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSimulateRefusals(t *testing.T) {
	b := newBench(t)
	b.role("Dev", doc(allow("*", "*")))
	in := func(source, action string) map[string]any {
		return map[string]any{"PolicySourceArn": source, "ActionNames": []any{action}}
	}
	const get = "codeconnections:GetConnection"
	b.wrong("InvalidInput", "SimulatePrincipalPolicy", in("arn:aws:sts::111111111111:assumed-role/Dev/ada", get))
	b.wrong("InvalidInput", "SimulatePrincipalPolicy", in("arn:aws:iam::111111111111:root", get))
	b.wrong("InvalidInput", "SimulatePrincipalPolicy", in("arn:aws:iam::111111111111:policy/limits", get))
	b.wrong("InvalidInput", "SimulatePrincipalPolicy", in(devARN, "GetConnection"))
	b.wrong("NoSuchEntity", "SimulatePrincipalPolicy", in("arn:aws:iam::111111111111:role/Ghost", get))
	b.wrong("NoSuchEntity", "SimulatePrincipalPolicy", in("arn:aws:iam::111111111111:role/path/Dev", get))
	b.wrong("NoSuchEntity", "SimulatePrincipalPolicy", in("arn:aws:iam::111111111111:group/all", get))
	b.wrong("Validation", "SimulatePrincipalPolicy", map[string]any{"PolicySourceArn": devARN})
	more := in(devARN, get)
	more["PolicyInputList"] = []any{"{"}
	b.wrong("InvalidInput", "SimulatePrincipalPolicy", more)
}

func TestSimulateNeedsPermissionOnThePrincipal(t *testing.T) {
	b := newBench(t)
	b.role("Dev", doc(allow("iam:SimulatePrincipalPolicy", devARN)))
	dev := b.s.RolePrincipal(account, "Dev", "ada")
	if _, err := b.as(dev, "SimulatePrincipalPolicy", map[string]any{"PolicySourceArn": devARN, "ActionNames": []any{"s3:GetObject"}}); err != nil {
		t.Errorf("on itself: %v", err)
	}
	if _, err := b.as(dev, "SimulatePrincipalPolicy", map[string]any{"PolicySourceArn": "arn:aws:iam::111111111111:role/Admin", "ActionNames": []any{"s3:GetObject"}}); err == nil {
		t.Error("on another role: allowed")
	}
}

func TestSimulationSeesLessThanTheCall(t *testing.T) {
	b := newBench(t)
	b.role("Dev", doc(allow("*", "*")))
	b.must(b.s.SetSCP(account, "region", doc(`{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}`)))
	if r := b.simulate("codeconnections:GetConnection", nil); r["EvalDecision"] != "allowed" {
		t.Errorf("simulated: %v", r["EvalDecision"])
	}
	if why := b.why(b.s.RolePrincipal(account, "Dev", "s"), "codeconnections:GetConnection", connARN); why == "allowed" {
		t.Error("the real call was allowed against the SCP")
	}
}
