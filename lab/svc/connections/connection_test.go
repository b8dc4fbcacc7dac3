package connections_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

func TestNewConnectionIsPendingAndNoAPICompletesIt(t *testing.T) {
	l := newLab(t)
	must(t, func() error { _, err := l.git.Install(provider.GitHub, "acme", "octo"); return err }())
	for _, service := range []string{new2, old1} {
		arn := l.create(service, "c-"+service)
		if !strings.HasPrefix(arn, "arn:aws:"+service+":us-east-1:"+ours+":connection/") {
			t.Errorf("%s made %s", service, arn)
		}
		host := strings.Replace(arn, ":connection/", ":host/", 1)
		inputs := map[string]in{
			"CreateConnection": {"ConnectionName": "again-" + service, "ProviderType": "GitHub"}, "GetConnection": {"ConnectionArn": arn}, "ListConnections": {},
			"CreateHost": {"Name": service, "ProviderType": "GitLabSelfManaged", "ProviderEndpoint": "https://gl.example"},
			"GetHost":    {"HostArn": host}, "UpdateHost": {"HostArn": host}, "ListHosts": {},
			"TagResource":   {"ResourceArn": arn, "Tags": []any{in{"Key": "status", "Value": "AVAILABLE"}}},
			"UntagResource": {"ResourceArn": arn, "TagKeys": []any{"status"}}, "ListTagsForResource": {"ResourceArn": arn},
			"ListRepositoryLinks": {}, "GetRepositoryLink": {"RepositoryLinkId": noID}, "GetResourceSyncStatus": {"ResourceName": "web", "SyncType": "CFN_STACK_SYNC"},
			"ListSyncConfigurations": {"RepositoryLinkId": noID, "SyncType": "CFN_STACK_SYNC"},
		}
		tried := 0
		for name, op := range l.c.Service(service).Ops {
			if op.Console || strings.HasPrefix(name, "Delete") {
				continue
			}
			if inputs[name] == nil {
				t.Fatalf("no input for %s", name)
			}
			tried++
			_, _ = l.call(l.me, service, use1, name, inputs[name]) // some find nothing: what counts is the status
		}
		if got := l.status(arn); got != "PENDING" || tried != 14 {
			t.Errorf("after all %d operations %s is %s", tried, arn, got)
		}
	}
}

func TestBothAPIsServeOneStore(t *testing.T) {
	l := newLab(t)
	arns := []string{l.create(new2, "new"), l.create(old1, "old")}
	for _, service := range []string{new2, old1} {
		for _, arn := range arns {
			k := l.ok(service, "GetConnection", in{"ConnectionArn": arn})["Connection"].(map[string]any)
			if k["ConnectionArn"] != arn || k["OwnerAccountId"] != ours || k["ProviderType"] != "GitHub" {
				t.Errorf("%s: %v", service, k)
			}
		}
		if n := len(l.ok(service, "ListConnections", nil)["Connections"].([]map[string]any)); n != 2 {
			t.Errorf("%s lists %d", service, n)
		}
	}
	e := l.c.Events(ours, use1)
	if e[0].Source != "codeconnections.amazonaws.com" || e[1].Source != "codestar-connections.amazonaws.com" {
		t.Errorf("event sources %s, %s", e[0].Source, e[1].Source)
	}
	l.ok(new2, "DeleteConnection", in{"ConnectionArn": arns[1]})
	l.fails(old1, "GetConnection", in{"ConnectionArn": arns[1]}, "ResourceNotFoundException", arns[1])
}

func TestActionFollowsResourcePrefix(t *testing.T) {
	l := newLab(t)
	newARN, oldARN := l.create(new2, "new"), l.create(old1, "old")
	for _, x := range []struct{ service, op, arn, want string }{
		{new2, "GetConnection", newARN, new2}, {new2, "GetConnection", oldARN, old1},
		{old1, "GetConnection", newARN, new2}, {old1, "GetConnection", oldARN, old1},
		{new2, "DeleteConnection", oldARN, old1}, {old1, "DeleteConnection", newARN, new2},
	} {
		l.ok(x.service, x.op, in{"ConnectionArn": x.arn})
		if a := l.auth.last(); a.Action != x.want+":"+x.op || a.Resource != x.arn {
			t.Errorf("%s %s on %s asked for %s on %s", x.service, x.op, x.arn, a.Action, a.Resource)
		}
	}
	for _, service := range []string{new2, old1} {
		l.ok(service, "ListConnections", in{"ProviderTypeFilter": "GitLab"})
		a := l.auth.last()
		if a.Action != service+":ListConnections" || a.Resource != "*" || a.Context[service+":ProviderTypeFilter"][0] != "GitLab" {
			t.Errorf("list asked for %+v", a)
		}
		l.ok(service, "CreateConnection", in{"ConnectionName": "x" + service, "ProviderType": "Bitbucket", "Tags": []any{in{"Key": "team", "Value": "a"}}})
		a = l.auth.last()
		if a.Action != service+":CreateConnection" || a.Resource != "*" || a.Context[service+":ProviderType"][0] != "Bitbucket" || a.Context["aws:RequestTag/team"][0] != "a" {
			t.Errorf("create asked for %+v", a)
		}
	}
}

func TestConnectionsAreGlobalButControlledInOneRegion(t *testing.T) {
	l := newLab(t)
	arn := l.create(new2, "c")
	for op, input := range map[string]in{
		"DeleteConnection": {"ConnectionArn": arn}, "ListTagsForResource": {"ResourceArn": arn},
		"TagResource": {"ResourceArn": arn, "Tags": []any{}}, "UntagResource": {"ResourceArn": arn, "TagKeys": []any{}},
	} {
		_, err := l.call(l.me, new2, "eu-west-1", op, input)
		wantError(t, err, "ResourceNotFoundException", arn)
	}
	out, err := l.call(l.me, new2, "eu-west-1", "GetConnection", in{"ConnectionArn": arn})
	if err != nil || out["Connection"] == nil {
		t.Errorf("other Region: %v", err)
	}
	out, err = l.call(l.me, new2, "eu-south-1", "CreateConnection", in{"ConnectionName": "milan", "ProviderType": "GitHub"})
	must(t, err)
	milan := out["ConnectionArn"].(string)
	for region, want := range map[string]int{use1: 1, "eu-west-1": 1, "eu-south-1": 2} {
		out, err := l.call(l.me, new2, region, "ListConnections", nil)
		must(t, err)
		if n := len(out["Connections"].([]map[string]any)); n != want {
			t.Errorf("%s lists %d, want %d", region, n, want)
		}
	}
	l.fails(new2, "GetConnection", in{"ConnectionArn": milan}, "ResourceNotFoundException", milan)
}

func TestReadersLagBehindWrites(t *testing.T) {
	l := newLab(t)
	l.c.Lag = 10 * time.Second
	arn := l.create(new2, "c")
	get := in{"ConnectionArn": arn}
	l.fails(new2, "GetConnection", get, "ResourceNotFoundException", arn)
	l.pass(10 * time.Second)
	if o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "acme"}); o != connections.Completed {
		t.Fatal(o, err)
	}
	l.pass(9 * time.Second)
	if s := l.status(arn); s != "PENDING" {
		t.Errorf("within the lag the status is %s", s)
	}
	l.pass(time.Second)
	if s := l.status(arn); s != "AVAILABLE" {
		t.Errorf("after the lag the status is %s", s)
	}
	l.ok(new2, "DeleteConnection", get)
	if s := l.status(arn); s != "AVAILABLE" {
		t.Errorf("right after deletion the status is %s", s)
	}
	l.pass(10 * time.Second)
	l.fails(new2, "GetConnection", get, "ResourceNotFoundException", arn)
}

func TestListPagesAndFilters(t *testing.T) {
	l := newLab(t)
	for i := range 5 {
		l.create(new2, fmt.Sprint("c", i))
	}
	l.ok(new2, "CreateConnection", in{"ConnectionName": "b", "ProviderType": "Bitbucket"})
	sizes := func(in in) (all []int) {
		for {
			out := l.ok(new2, "ListConnections", in)
			all = append(all, len(out["Connections"].([]map[string]any)))
			next, more := out["NextToken"]
			if !more {
				return all
			}
			in["NextToken"] = next
		}
	}
	for _, x := range []struct {
		in   in
		want []int
	}{
		{in{}, []int{6}}, {in{"MaxResults": 0.0}, []int{6}}, {in{"MaxResults": 4.0}, []int{4, 2}},
		{in{"ProviderTypeFilter": "Bitbucket"}, []int{1}}, {in{"ProviderTypeFilter": "GitHub", "MaxResults": 2.0}, []int{2, 2, 1}},
	} {
		if got := sizes(x.in); !slices.Equal(got, x.want) {
			t.Errorf("%v: pages %v, want %v", x.in, got, x.want)
		}
	}
	l.c.PageSize = 1
	if got := sizes(in{"MaxResults": 100.0}); len(got) != 6 {
		t.Errorf("capped pages %v", got)
	}
	l.fails(new2, "ListConnections", in{"NextToken": "forged"}, "Validation", "token")
}

func TestInvalidInputIsToldInAWSWords(t *testing.T) {
	l := newLab(t)
	long := strings.Repeat("x", 33)
	host := "arn:aws:codeconnections:us-east-1:" + ours + ":host/h"
	for _, x := range []struct {
		service, op string
		in          in
		text        string
	}{
		{new2, "CreateConnection", in{"ConnectionName": long, "ProviderType": "GitHub"},
			"1 validation error detected: Value '" + long + "' at 'connectionName' failed to satisfy constraint: Member must have length less than or equal to 32"},
		{new2, "CreateConnection", in{"ProviderType": "GitHub"}, "Value null at 'connectionName' failed to satisfy constraint: Member must not be null"},
		{new2, "CreateConnection", in{"ConnectionName": "", "ProviderType": "Gitea"}, "2 validation errors detected: "},
		{new2, "CreateConnection", in{"ConnectionName": "c", "ProviderType": "Gitea"}, "enum value set: [Bitbucket, GitHub, GitHubEnterpriseServer, GitLab, GitLabSelfManaged, AzureDevOps]"},
		{old1, "CreateConnection", in{"ConnectionName": "c", "ProviderType": "AzureDevOps"}, "enum value set: [Bitbucket, GitHub, GitHubEnterpriseServer, GitLab, GitLabSelfManaged]"},
		{old1, "CreateConnection", in{"ConnectionName": "c", "HostArn": host}, "at 'hostArn' failed to satisfy constraint: Member must satisfy regular expression pattern"},
		{new2, "CreateConnection", in{"ConnectionName": "c", "ProviderType": "GitHub", "Tags": []any{in{"Key": "k"}}}, "Value null at 'tags.1.member.value'"},
		{new2, "CreateConnection", in{"ConnectionName": "c"}, "provider type or a host ARN"},
		{new2, "CreateConnection", in{"ConnectionName": "c", "ProviderType": "GitHubEnterpriseServer"}, "host ARN must be specified"},
		{new2, "GetConnection", in{"ConnectionArn": "nonsense"}, "at 'connectionArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:aws(-[\\w]+)*:.+:.+:[0-9]{12}:.+"},
		{new2, "GetConnection", in{"ConnectionArn": 7.0}, "at 'connectionArn'"},
		{new2, "DeleteConnection", in{}, "Value null at 'connectionArn'"},
		{new2, "ListConnections", in{"MaxResults": 101.0}, "at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{new2, "ListConnections", in{"MaxResults": -1.0}, "greater than or equal to 0"},
		{new2, "ListHosts", in{"NextToken": ""}, "at 'nextToken'"},
		{new2, "TagResource", in{"ResourceArn": host}, "Value null at 'tags'"},
		{new2, "UntagResource", in{"ResourceArn": host, "TagKeys": []any{""}}, "at 'tagKeys.1.member'"},
		{new2, "CreateHost", in{"Name": "h", "ProviderType": "GitHub", "ProviderEndpoint": "https://g"}, "not supported for provider type GitHub"},
		{new2, "CreateHost", in{"Name": "h", "ProviderType": "GitLabSelfManaged", "ProviderEndpoint": "https://g", "VpcConfiguration": in{"VpcId": "vpc-1", "SubnetIds": []any{}}},
			"Value null at 'vpcConfiguration.securityGroupIds'"},
	} {
		l.fails(x.service, x.op, x.in, "Validation", x.text)
	}
	if n := len(l.s.Connections()) + len(l.s.Hosts()); n != 0 {
		t.Errorf("%d things were made by invalid calls", n)
	}
}

func TestInvalidInputNeedsNoPermission(t *testing.T) {
	l := newLab(t)
	l.auth.deny = denyAction("codeconnections:GetConnection")
	l.fails(new2, "GetConnection", in{"ConnectionArn": "nonsense"}, "Validation", "connectionArn")
}

func TestNamesQuotaAndARNs(t *testing.T) {
	l := newLab(t)
	first := l.create(new2, "c0")
	l.fails(old1, "CreateConnection", in{"ConnectionName": "c0", "ProviderType": "GitHub"}, "Validation", "already exists")
	l.ok(new2, "DeleteConnection", in{"ConnectionArn": first})
	if again := l.create(new2, "c0"); again == first {
		t.Error("an ARN was reused")
	}
	for i := 1; i < 250; i++ {
		l.create(new2, fmt.Sprint("c", i))
	}
	l.fails(new2, "CreateConnection", in{"ConnectionName": "one more", "ProviderType": "GitHub"}, "LimitExceededException", "250")
	_, err := l.call(person(theirs, "bob"), new2, use1, "CreateConnection", in{"ConnectionName": "c0", "ProviderType": "GitHub"})
	must(t, err) // names and quota are per account
}

func TestSharedConnection(t *testing.T) {
	l := newLab(t)
	arn, bob := l.create(new2, "c"), person(theirs, "bob")
	get := in{"ConnectionArn": arn}
	_, err := l.call(bob, new2, use1, "GetConnection", get)
	wantError(t, err, "AccessDenied", "User: "+bob.Principal.ARN+" is not authorized to perform: codeconnections:GetConnection on resource: "+arn+
		" because no resource-based policy allows the codeconnections:GetConnection action")
	must(t, l.s.Share(arn, theirs))
	out, err := l.call(bob, new2, use1, "GetConnection", get)
	must(t, err)
	if k := out["Connection"].(map[string]any); k["OwnerAccountId"] != ours {
		t.Errorf("shared connection %v", k)
	}
	out, err = l.call(bob, new2, use1, "ListConnections", nil)
	must(t, err)
	if n := len(out["Connections"].([]map[string]any)); n != 0 {
		t.Errorf("the receiver lists %d", n)
	}
	_, err = l.call(bob, new2, use1, "DeleteConnection", get)
	wantError(t, err, "AccessDenied", "DeleteConnection")
	if o, _ := l.s.Handshake(bob, arn, connections.Attempt{Org: "acme"}); o != connections.NotFound {
		t.Errorf("the receiver's handshake: %s", o)
	}
	l.s.Unshare(arn, theirs)
	_, err = l.call(bob, new2, use1, "GetConnection", get)
	wantError(t, err, "AccessDenied", arn)
	if err := l.s.Share(l.create(old1, "old"), theirs); err == nil {
		t.Error("a codestar-connections ARN was shared")
	}
}

func TestOldAPIHidesWhatItsModelCannotSay(t *testing.T) {
	l := newLab(t)
	out := l.ok(new2, "CreateConnection", in{"ConnectionName": "az", "ProviderType": "AzureDevOps"})
	l.fails(old1, "GetConnection", in{"ConnectionArn": out["ConnectionArn"]}, "ResourceNotFoundException", "connection/")
	host := l.ok(new2, "CreateHost", in{"Name": "h", "ProviderType": "GitLabSelfManaged", "ProviderEndpoint": "https://gl.example"})["HostArn"]
	l.ok(new2, "CreateConnection", in{"ConnectionName": "gl", "HostArn": host})
	if n := len(l.ok(old1, "ListConnections", nil)["Connections"].([]map[string]any)); n != 0 {
		t.Errorf("old API lists %d", n)
	}
	if n := len(l.ok(old1, "ListHosts", nil)["Hosts"].([]map[string]any)); n != 0 {
		t.Errorf("old API lists %d hosts", n)
	}
	if n := len(l.ok(new2, "ListConnections", in{"HostArnFilter": host})["Connections"].([]map[string]any)); n != 1 {
		t.Errorf("host filter lists %d", n)
	}
}

func TestTags(t *testing.T) {
	l := newLab(t)
	out := l.ok(new2, "CreateConnection", in{"ConnectionName": "c", "ProviderType": "GitHub", "Tags": []any{in{"Key": "a", "Value": "1"}}})
	arn := out["ConnectionArn"].(string)
	l.ok(new2, "TagResource", in{"ResourceArn": arn, "Tags": []any{in{"Key": "a", "Value": "2"}, in{"Key": "b", "Value": ""}}})
	if a := l.auth.last(); a.Context["aws:ResourceTag/a"][0] != "1" || a.Context["aws:RequestTag/a"][0] != "2" || !slices.Equal(a.Context["aws:TagKeys"], []string{"a", "b"}) {
		t.Errorf("tagging asked for %+v", a)
	}
	l.ok(old1, "UntagResource", in{"ResourceArn": arn, "TagKeys": []any{"b", "z"}})
	tags := l.ok(old1, "ListTagsForResource", in{"ResourceArn": arn})["Tags"].([]map[string]any)
	if len(out["Tags"].([]map[string]any)) != 1 || len(tags) != 1 || tags[0]["Value"] != "2" {
		t.Errorf("tags %v", tags)
	}
	reserved := in{"ResourceArn": arn, "Tags": []any{in{"Key": "aws:cloudformation:stack-name", "Value": "s"}}}
	l.fails(new2, "TagResource", reserved, "Validation", "reserved")
	service := l.me
	service.Origin.InvokedBy = "cloudformation.amazonaws.com"
	_, err := l.call(service, new2, use1, "TagResource", reserved)
	must(t, err)
	var many []any
	for i := range 49 {
		many = append(many, in{"Key": fmt.Sprint("k", i), "Value": "v"})
	}
	l.fails(new2, "TagResource", in{"ResourceArn": arn, "Tags": many}, "LimitExceededException", "50")
}
