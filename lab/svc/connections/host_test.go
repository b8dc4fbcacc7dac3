package connections_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

const ghes = "https://ghes.example"

func vpc(n int) in {
	return in{"VpcId": fmt.Sprintf("vpc-%08d", n), "SubnetIds": []any{"subnet-12345678"}, "SecurityGroupIds": []any{"sg-12345678"}}
}

func (l *lab) createHost(name string, v in) string {
	l.Helper()
	input := in{"Name": name, "ProviderType": "GitHubEnterpriseServer", "ProviderEndpoint": ghes}
	if v != nil {
		input["VpcConfiguration"] = v
	}
	return l.ok(new2, "CreateHost", input)["HostArn"].(string)
}

func (l *lab) hostStatus(arn string) (status, message string) {
	l.Helper()
	got := l.ok(new2, "GetHost", in{"HostArn": arn})
	if _, told := got["StatusMessage"]; told {
		l.Error("GetHost tells a status message")
	}
	for _, h := range l.ok(new2, "ListHosts", nil)["Hosts"].([]map[string]any) {
		if h["HostArn"] == arn {
			message, _ = h["StatusMessage"].(string)
			if h["Status"] != got["Status"] {
				l.Errorf("ListHosts says %v, GetHost %v", h["Status"], got["Status"])
			}
		}
	}
	return got["Status"].(string), message
}

func TestHostLifeCycle(t *testing.T) {
	l := newLab(t)
	l.git.AddServer(provider.GitHubEnterpriseServer, ghes+"/", "root")
	must(t, noOrg(l.git.AddOrg(provider.GitHubEnterpriseServer, "corp", "boss")))
	host := l.createHost("h", nil)
	arn := l.ok(new2, "CreateConnection", in{"ConnectionName": "c", "HostArn": host})["ConnectionArn"].(string)
	if o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "corp"}); o != connections.HostNotReady || err == nil {
		t.Errorf("with a PENDING host: %s, %v", o, err)
	}
	l.fails(new2, "UpdateConnectionInstallation", in{"ConnectionArn": arn, "InstallationId": "1"}, "ResourceUnavailableException", "not available")
	if o, _ := l.s.SetupHost(l.me, host, "somebody"); o != connections.AdminRequired {
		t.Errorf("set-up without being administrator: %s", o)
	}
	for _, action := range []string{"StartAppRegistrationHandshake", "RegisterAppCode"} {
		l.auth.deny = denyAction("codeconnections:" + action)
		o, err := l.s.SetupHost(l.me, host, "root")
		if o != connections.Denied || l.auth.last().Resource != "*" || l.auth.last().Context["codeconnections:HostArn"][0] != host {
			t.Errorf("set-up denied %s: %s, %+v", action, o, l.auth.last())
		}
		wantError(t, err, "AccessDenied", action)
	}
	l.auth.deny = nil
	if s, _ := l.hostStatus(host); s != "PENDING" {
		t.Errorf("after failed set-ups: %s", s)
	}
	if o, err := l.s.SetupHost(l.me, host, "root"); o != connections.Completed {
		t.Fatal(o, err)
	}
	if o, err := l.s.Handshake(l.me, arn, connections.Attempt{Org: "corp"}); o != connections.Completed || l.status(arn) != "AVAILABLE" {
		t.Errorf("with the host set up: %s, %v", o, err)
	}
	l.fails(new2, "DeleteHost", in{"HostArn": host}, "ResourceUnavailableException", arn)
	l.fails(new2, "UpdateHost", in{"HostArn": host, "ProviderEndpoint": "https://other.example"}, "UnsupportedOperationException", "connection status")
	must(t, l.s.BreakHost(host))
	if s, _ := l.hostStatus(host); s != "ERROR" || l.status(arn) != "ERROR" {
		t.Errorf("broken host %s, connection %s", s, l.status(arn))
	}
	if err := l.s.Heal(arn); err == nil {
		t.Error("a connection on a broken host healed")
	}
	l.ok(new2, "DeleteConnection", in{"ConnectionArn": arn})
	l.ok(new2, "DeleteHost", in{"HostArn": host})
	l.fails(new2, "GetHost", in{"HostArn": host}, "ResourceNotFoundException", host)
}

func TestHostInVPC(t *testing.T) {
	l := newLab(t)
	good := l.createHost("good", vpc(1))
	l.s.BreakVPC(ours, "vpc-00000002", "Two subnets are in one Availability Zone.")
	bad := l.createHost("bad", vpc(2))
	if s, _ := l.hostStatus(good); s != "VPC_CONFIG_INITIALIZING" {
		t.Errorf("at first %s", s)
	}
	l.fails(new2, "DeleteHost", in{"HostArn": good}, "ResourceUnavailableException", "VPC_CONFIG_INITIALIZING")
	l.fails(new2, "UpdateHost", in{"HostArn": good}, "ConflictException", "VPC_CONFIG_INITIALIZING")
	l.fails(new2, "CreateConnection", in{"ConnectionName": "c", "HostArn": good}, "ResourceUnavailableException", good)
	second := l.createHost("second", vpc(1))
	l.pass(3 * time.Minute)
	for _, x := range []struct{ arn, status, message string }{
		{good, "PENDING", ""}, {bad, "VPC_CONFIG_FAILED_INITIALIZATION", "Availability Zone"},
		{second, "VPC_CONFIG_FAILED_INITIALIZATION", "one host at a time"},
	} {
		if s, m := l.hostStatus(x.arn); s != x.status || !strings.Contains(m, x.message) || (m == "") != (x.message == "") {
			t.Errorf("%s: %s %q", x.arn, s, m)
		}
	}
	poor := l.createHost("poor", vpc(3))
	l.auth.deny = denyAction("ec2:CreateVpcEndpoint")
	l.pass(3 * time.Minute)
	if s, m := l.hostStatus(poor); s != "VPC_CONFIG_FAILED_INITIALIZATION" || !strings.Contains(m, "is not authorized to perform: ec2:CreateVpcEndpoint") {
		t.Errorf("without an EC2 permission: %s %q", s, m)
	}
	l.auth.deny = nil
	l.ok(new2, "UpdateHost", in{"HostArn": poor, "VpcConfiguration": vpc(4)})
	l.ok(new2, "DeleteHost", in{"HostArn": good})
	if s, _ := l.hostStatus(good); s != "VPC_CONFIG_DELETING" {
		t.Errorf("being deleted: %s", s)
	}
	l.pass(3 * time.Minute)
	l.fails(new2, "GetHost", in{"HostArn": good}, "ResourceNotFoundException", good)
	if s, m := l.hostStatus(poor); s != "PENDING" || m != "" {
		t.Errorf("repaired: %s %q", s, m)
	}
}

func TestHostsAreRegionalAndFew(t *testing.T) {
	l := newLab(t)
	host := l.createHost("h0", nil)
	_, err := l.call(l.me, new2, "eu-west-1", "GetHost", in{"HostArn": host})
	wantError(t, err, "ResourceNotFoundException", host)
	_, err = l.call(l.me, new2, "eu-west-1", "CreateConnection", in{"ConnectionName": "c", "HostArn": host})
	wantError(t, err, "ResourceNotFoundException", host)
	out, err := l.call(l.me, new2, "eu-west-1", "ListHosts", nil)
	must(t, err)
	if n := len(out["Hosts"].([]map[string]any)); n != 0 {
		t.Errorf("another Region lists %d hosts", n)
	}
	l.fails(new2, "CreateHost", in{"Name": "h0", "ProviderType": "GitLabSelfManaged", "ProviderEndpoint": ghes}, "Validation", "already exists")
	for i := 1; i < 50; i++ {
		l.createHost(fmt.Sprint("h", i), nil)
	}
	l.fails(new2, "CreateHost", in{"Name": "h", "ProviderType": "GitLabSelfManaged", "ProviderEndpoint": ghes}, "LimitExceededException", "50")
	l.ok(new2, "TagResource", in{"ResourceArn": host, "Tags": []any{in{"Key": "a", "Value": "1"}}})
	if tags := l.ok(new2, "ListTagsForResource", in{"ResourceArn": host})["Tags"].([]map[string]any); len(tags) != 1 {
		t.Errorf("host tags %v", tags)
	}
}
