package world_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
	"github.com/unjam/unjam/lab/world"
)

// ask makes a call as the root user of the account an ARN lies in.
func ask(t *testing.T, l *lab.Lab, arn, service, op string, in map[string]any) (map[string]any, error) {
	t.Helper()
	p := strings.Split(arn, ":")
	var out map[string]any
	var err error
	l.Cloud.Within(func() {
		out, err = l.Cloud.Serve(&cloud.Request{Service: service, Operation: op, Region: p[3], Caller: iam.RootPrincipal(p[4]), In: in})
	})
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(b, &plain); err != nil {
		t.Fatal(err)
	}
	return plain, nil
}

// connectionStatus is what GetConnection answers: a status or an error's code.
func connectionStatus(t *testing.T, l *lab.Lab, arn string) string {
	t.Helper()
	out, err := ask(t, l, arn, "codeconnections", "GetConnection", map[string]any{"ConnectionArn": arn})
	if err != nil {
		return err.(*cloud.Error).Code
	}
	return out["Connection"].(map[string]any)["ConnectionStatus"].(string)
}

// stageStatus is the status of a stage's latest run, "" when it never ran, with the text of its action's error.
func stageStatus(t *testing.T, l *lab.Lab, pipeline, stage string) (status, text string) {
	t.Helper()
	name := pipeline[strings.LastIndex(pipeline, ":")+1:]
	out, err := ask(t, l, pipeline, "codepipeline", "GetPipelineState", map[string]any{"name": name})
	if err != nil {
		t.Fatalf("%s: %v", pipeline, err)
	}
	for _, s := range out["stageStates"].([]any) {
		m := s.(map[string]any)
		latest, ran := m["latestExecution"].(map[string]any)
		if m["stageName"] != stage || !ran {
			continue
		}
		status, _ = latest["status"].(string)
		for _, a := range m["actionStates"].([]any) {
			run, _ := a.(map[string]any)["latestExecution"].(map[string]any)
			if details, ok := run["errorDetails"].(map[string]any); ok {
				text, _ = details["message"].(string)
			}
		}
	}
	return status, text
}

// TestSymptomsFollow states for each world what AWS then shows, which the world itself never says.
func TestSymptomsFollow(t *testing.T) {
	const pending, available, gone = "PENDING", "AVAILABLE", "ResourceNotFoundException"
	for _, tt := range []struct {
		world, connection, status string
		pipeline, source          string // status of the stage Source
		text                      string // part of its error text
	}{
		{"never-attempted-cloudformation", "team-github", pending, "web", "Failed", ""},
		{"never-attempted-terraform", "team-github", pending, "jobs", "Failed", ""},
		{"denied-by-policy", "team-github", pending, "web", "Failed", ""},
		{"denied-by-scp", "team-github", pending, "web", "Failed", ""},
		{"denied-by-boundary", "team-github", pending, "web", "Failed", ""},
		{"denied-by-arn-scope", "team-github", pending, "web", "Failed", ""},
		{"not-finished", "team-github", pending, "web", "Failed", ""},
		{"host-pending", "team-ghes", pending, "web", "Failed", ""},
		{"host-vpc-failed", "team-ghes", pending, "web", "Failed", ""},
		{"replaced-by-terraform", "team-github", pending, "web", "Failed", ""},
		{"replaced-by-person", "acme-github", pending, "web", "Failed", ""},
		{"owned-elsewhere", "shared-github", pending, "web", "Failed", ""},
		{"old-prefix", "team-github", pending, "web", "Failed", ""},
		{"old-prefix-never-attempted", "team-github", pending, "web", "Failed", ""},
		{"unknown", "team-github", pending, "web", "Failed", ""},
		{"too-old", "team-github", pending, "web", "Failed", ""},
		{"alternative", "web-github", pending, "web", "Failed", ""},
		{"alternative", "api-github", available, "api", "Succeeded", ""},
		{"healthy", "team-github", available, "web", "Succeeded", ""},
		{"build-failed", "team-github", available, "web", "Succeeded", ""},
		{"role-lacks-prefix", "team-github", available, "web", "Failed", "The provided role does not have sufficient permissions"},
		{"connection-deleted", "team-github", gone, "web", "Failed", ""},
		{"demo", "team-github", pending, "web", "Failed", ""},
		{"demo", "team-github", pending, "jobs", "Failed", ""},
		{"demo", "docs-github", available, "docs", "Succeeded", ""},
		{"wants-retry", "team-github", available, "web", "Failed", ""},
		{"pending-unused", "leftover", pending, "web", "Succeeded", ""},
		{"pending-unused", "team-github", available, "web", "Succeeded", ""},
	} {
		t.Run(tt.world+"/"+tt.connection+"/"+tt.pipeline, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w := open(t, tt.world)
				if got := connectionStatus(t, l, w.ARN(tt.connection)); got != tt.status {
					t.Errorf("%s is %s, want %s", tt.connection, got, tt.status)
				}
				got, text := stageStatus(t, l, w.ARN(tt.pipeline), "Source")
				if got != tt.source || !strings.Contains(text, tt.text) {
					t.Errorf("Source of %s is %q (%s), want %s with %q", tt.pipeline, got, text, tt.source, tt.text)
				}
			})
		})
	}
}

// TestEveryWorldIsChecked: no world comes with the lab whose symptoms nobody looks at.
func TestEveryWorldIsChecked(t *testing.T) {
	self := readSelf(t)
	for _, name := range world.Worlds() {
		if !strings.Contains(self, `{"`+name+`", `) {
			t.Errorf("no symptom of %s is checked", name)
		}
	}
}

func TestBuildFailedStopsAtBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := open(t, "build-failed")
		if got, text := stageStatus(t, l, w.ARN("web"), "Build"); got != "Failed" {
			t.Errorf("Build is %q (%s), want Failed", got, text)
		}
	})
}

// TestPushes: a push starts a pipeline only through a connection that was AVAILABLE when the pipeline was made.
func TestPushes(t *testing.T) {
	for name, want := range map[string]bool{"healthy": true, "never-attempted-cloudformation": false, "not-finished": false} {
		synctest.Test(t, func(t *testing.T) {
			l, w := open(t, name)
			out, err := ask(t, l, w.ARN("web"), "codepipeline", "ListPipelineExecutions", map[string]any{"pipelineName": "web"})
			if err != nil {
				t.Fatal(err)
			}
			b, _ := json.Marshal(out)
			if got := strings.Contains(string(b), `"triggerType":"WebhookV2"`); got != want {
				t.Errorf("%s: started by a push: %v, want %v: %s", name, got, want, b)
			}
		})
	}
}

func TestHostsOfWorlds(t *testing.T) {
	for name, want := range map[string]string{"host-pending": "PENDING", "host-vpc-failed": "VPC_CONFIG_FAILED_INITIALIZATION"} {
		synctest.Test(t, func(t *testing.T) {
			l, w := open(t, name)
			arn := w.ARN("acme-ghes")
			out, err := ask(t, l, arn, "codeconnections", "GetHost", map[string]any{"HostArn": arn})
			if err != nil || out["Status"] != want {
				t.Errorf("%s: the host is %v, want %s; %v", name, out["Status"], want, err)
			}
		})
	}
}

// trail returns a world's events of one name, newest first.
func trail(t *testing.T, l *lab.Lab, arn, name string) []map[string]any {
	t.Helper()
	out, err := ask(t, l, arn, "cloudtrail", "LookupEvents", map[string]any{
		"LookupAttributes": []any{map[string]any{"AttributeKey": "EventName", "AttributeValue": name}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for _, e := range out["Events"].([]any) {
		var m map[string]any
		if err := json.Unmarshal([]byte(e.(map[string]any)["CloudTrailEvent"].(string)), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// TestDenialsNameTheirPolicy: who said no follows from the policies of the stage.
func TestDenialsNameTheirPolicy(t *testing.T) {
	for _, tt := range []struct{ world, event, text string }{
		{"denied-by-policy", "StartOAuthHandshake", "because no identity-based policy allows the codeconnections:StartOAuthHandshake action"},
		{"denied-by-scp", "UpdateConnectionInstallation", "with an explicit deny in a service control policy"},
		{"denied-by-boundary", "StartOAuthHandshake", "because no permissions boundary allows the codeconnections:StartOAuthHandshake action"},
		{"denied-by-arn-scope", "StartOAuthHandshake", "because no identity-based policy allows the codeconnections:StartOAuthHandshake action"},
		{"old-prefix", "StartOAuthHandshake", "because no identity-based policy allows the codestar-connections:StartOAuthHandshake action"},
	} {
		t.Run(tt.world, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w := open(t, tt.world)
				events := trail(t, l, w.ARN("team-github"), tt.event)
				if len(events) == 0 {
					t.Fatalf("no event %s", tt.event)
				}
				e := events[0]
				if text, _ := e["errorMessage"].(string); e["errorCode"] != "AccessDenied" || !strings.Contains(text, tt.text) {
					t.Errorf("%s: %v %q, want %q", tt.event, e["errorCode"], e["errorMessage"], tt.text)
				}
			})
		})
	}
}

// TestToolsLeaveTheirMark: CloudTrail tells Terraform, CloudFormation and a person at the console apart.
func TestToolsLeaveTheirMark(t *testing.T) {
	for _, tt := range []struct{ world, connection, event, agent string }{
		{"never-attempted-terraform", "team-github", "CreateConnection", "Terraform/"},
		{"never-attempted-cloudformation", "team-github", "CreateConnection", "cloudformation.amazonaws.com"},
		{"replaced-by-terraform", "team-github", "DeleteConnection", "Terraform/"},
		{"replaced-by-person", "acme-github", "DeleteConnection", "aws-cli/"},
		{"not-finished", "team-github", "StartOAuthHandshake", "Mozilla/"},
	} {
		t.Run(tt.world, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w := open(t, tt.world)
				events := trail(t, l, w.ARN(tt.connection), tt.event)
				if len(events) == 0 || !strings.Contains(events[0]["userAgent"].(string), tt.agent) {
					t.Errorf("%s: %d events, newest by %v, want %s", tt.event, len(events), events, tt.agent)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		l, w := open(t, "never-attempted-cloudformation")
		arn := w.ARN("team-github")
		out, err := ask(t, l, arn, "codeconnections", "ListTagsForResource", map[string]any{"ResourceArn": arn})
		if b, _ := json.Marshal(out); err != nil || !strings.Contains(string(b), `{"Key":"aws:cloudformation:stack-name","Value":"web-ci"}`) {
			t.Errorf("tags of the template's connection: %s, %v", b, err)
		}
	})
}

// TestSilentTrail: a world without events has none, and one without handshake events has the others.
func TestSilentTrail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := open(t, "unknown")
		if events := trail(t, l, w.ARN("team-github"), "CreateConnection"); len(events) > 0 {
			t.Errorf("the trail is off, yet %v", events)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		text, err := world.Open("not-finished")
		if err != nil {
			t.Fatal(err)
		}
		l, w := load(t, "silent.world", append(text, "set handshakes=off\n"...))
		arn := w.ARN("team-github")
		if begun, made := trail(t, l, arn, "StartOAuthHandshake"), trail(t, l, arn, "CreateConnection"); len(begun) > 0 || len(made) == 0 {
			t.Errorf("%d handshake events, %d CreateConnection events", len(begun), len(made))
		}
	})
}
