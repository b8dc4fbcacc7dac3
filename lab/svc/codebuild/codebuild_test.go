package codebuild_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/codebuild"
	"github.com/unjam/unjam/lab/svc/iam"
)

const (
	account, region = "111111111111", "us-east-1"
	connection      = "arn:aws:codeconnections:us-east-1:111111111111:connection/1"
	oldConnection   = "arn:aws:codestar-connections:us-east-1:111111111111:connection/1"
)

type bench struct {
	t *testing.T
	c *cloud.Cloud
	i *iam.Service
	s *codebuild.Service
}

func newBench(t *testing.T) bench {
	c := cloud.New()
	i := iam.New(c)
	return bench{t, c, i, codebuild.New(c, i)}
}

func (b bench) ok(op string, in map[string]any) (out map[string]any) {
	b.t.Helper()
	var err error
	b.c.Within(func() {
		out, err = b.c.Serve(&cloud.Request{Service: "codebuild", Operation: op, Region: region, In: in, Caller: iam.RootPrincipal(account)})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// role makes the default role with a policy; "" makes none.
func (b bench) role(doc string) {
	b.t.Helper()
	if doc == "" {
		return
	}
	if _, err := b.i.CreateServiceRole(account, codebuild.DefaultRole, "codebuild.amazonaws.com", doc); err != nil {
		b.t.Fatal(err)
	}
}

func TestAFullCloneNeedsTheProjectsRole(t *testing.T) {
	use := func(action, more string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"` + more + `}]}`
	}
	for _, tt := range []struct{ name, policy, connection, want string }{
		{"allowed", use("codeconnections:UseConnection", ""), connection, ""},
		{"nothing cloned", use("logs:*", ""), "", ""},
		{"no permission", use("logs:*", ""), connection, "Phase: DOWNLOAD_SOURCE, Code: CLIENT_ERROR, Message: Access denied to connection " + connection},
		{"the other prefix", use("codeconnections:UseConnection", ""), oldConnection, "Access denied to connection " + oldConnection},
		{"another repository", use("codeconnections:UseConnection", `,"Condition":{"StringEquals":{"codeconnections:FullRepositoryId":"acme/api"}}`), connection, "Access denied"},
		{"pulls only", use("codeconnections:UseConnection", `,"Condition":{"StringEquals":{"codeconnections:ProviderAction":"GitPull"}}`), connection, ""},
		{"no role", "", connection, "CodeBuild is not authorized to perform: sts:AssumeRole on service role."},
	} {
		b := newBench(t)
		b.role(tt.policy)
		id, failed := b.s.Build(account, region, "web", tt.connection, "acme/web")
		if (failed != nil) != (tt.want != "") || failed != nil && (failed.Code != "JobFailed" || !strings.Contains(failed.Message, tt.want)) {
			t.Errorf("%s: %v, want %s", tt.name, failed, tt.want)
		}
		builds := b.ok("BatchGetBuilds", map[string]any{"ids": []any{id}})["builds"].([]any)
		if len(builds) != 1 || !strings.HasPrefix(id, "web:") {
			t.Fatalf("%s: build %s, %v", tt.name, id, builds)
		}
		status := "SUCCEEDED"
		if tt.want != "" {
			status = "FAILED"
		}
		if got := builds[0].(map[string]any); got["buildStatus"] != status || !strings.Contains(fmt.Sprint(got["phases"]), strings.TrimPrefix(tt.want, "Phase: DOWNLOAD_SOURCE, Code: CLIENT_ERROR, Message: ")) {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestProjects(t *testing.T) {
	b := newBench(t)
	b.s.ReferTo(func(a, r string) []string {
		if a == account && r == region {
			return []string{"named"}
		}
		return nil
	})
	b.s.SetProject(codebuild.Project{Account: account, Region: region, Name: "stated", Role: "arn:aws:iam::111111111111:role/Own", VPC: "vpc-1", Subnets: []string{"subnet-1"}, Groups: []string{"sg-1"}})
	b.s.SetProject(codebuild.Project{Account: account, Region: "eu-west-1", Name: "elsewhere"})
	out := b.ok("BatchGetProjects", map[string]any{"names": []any{"stated", "named", "elsewhere"}})
	if got := fmt.Sprint(out["projectsNotFound"]); got != "[elsewhere]" {
		t.Errorf("not found: %s", got)
	}
	stated, named := out["projects"].([]any)[0].(map[string]any), out["projects"].([]any)[1].(map[string]any)
	if stated["serviceRole"] != "arn:aws:iam::111111111111:role/Own" || !strings.Contains(fmt.Sprint(stated["vpcConfig"]), "vpc-1") {
		t.Errorf("stated: %v", stated)
	}
	if named["serviceRole"] != "arn:aws:iam::111111111111:role/service-role/CodeBuildServiceRole" || named["vpcConfig"] != nil {
		t.Errorf("named by a pipeline: %v", named)
	}
	if got := fmt.Sprint(b.ok("ListProjects", nil)["projects"]); got != "[named stated]" {
		t.Errorf("projects %s", got)
	}
}

func TestBuildsOfAProject(t *testing.T) {
	b := newBench(t)
	b.s.SetProject(codebuild.Project{Account: account, Region: region, Name: "web"})
	first, _ := b.s.Build(account, region, "web", "", "")
	second, _ := b.s.Build(account, region, "web", "", "")
	b.s.Build(account, region, "api", "", "")
	if got := fmt.Sprint(b.ok("ListBuildsForProject", map[string]any{"projectName": "web"})["ids"]); got != fmt.Sprint([]string{second, first}) {
		t.Errorf("builds %s", got)
	}
	builds := b.ok("BatchGetBuilds", map[string]any{"ids": []any{second, "web:none"}})
	if got := builds["builds"].([]any)[0].(map[string]any)["buildNumber"]; got != 2 || fmt.Sprint(builds["buildsNotFound"]) != "[web:none]" {
		t.Errorf("%v", builds)
	}
}

func TestSourcesNameTheirConnections(t *testing.T) {
	b := newBench(t)
	github := codebuild.Source{Type: "GITHUB", Location: "https://github.com/acme/web.git", Connection: connection}
	b.s.SetProject(codebuild.Project{Account: account, Region: region, Name: "own", Source: github, Webhook: true,
		Secondary: []codebuild.Source{{Type: "GITHUB", Location: "https://github.com/acme/api.git"}, github}})
	b.s.SetProject(codebuild.Project{Account: account, Region: region, Name: "piped"})
	b.s.SetProject(codebuild.Project{Account: "222222222222", Region: region, Name: "theirs", Source: github})
	if names := fmt.Sprint(b.ok("ListProjects", nil)["projects"]); names != "[own piped]" {
		t.Errorf("projects %s", names)
	}
	all := b.ok("BatchGetProjects", map[string]any{"names": []any{"own", "piped"}})["projects"].([]any)
	own, piped := all[0].(map[string]any), all[1].(map[string]any)
	source := own["source"].(map[string]any)
	auth, _ := source["auth"].(map[string]any)
	if auth["type"] != "CODECONNECTIONS" || auth["resource"] != connection || source["type"] != "GITHUB" || own["webhook"] == nil {
		t.Errorf("source %v, webhook %v", source, own["webhook"])
	}
	more := own["secondarySources"].([]any)
	if first, second := more[0].(map[string]any), more[1].(map[string]any); first["auth"] != nil || second["auth"] == nil || second["sourceIdentifier"] != "secondary2" {
		t.Errorf("secondary sources %v", more)
	}
	if fmt.Sprint(piped["source"]) != "map[insecureSsl:false type:CODEPIPELINE]" || piped["secondarySources"] != nil || piped["webhook"] != nil {
		t.Errorf("of a pipeline: %v", piped)
	}
}

func TestAnAccountsCredentials(t *testing.T) {
	b := newBench(t)
	for _, k := range []codebuild.Credential{{Account: account, Region: region, Type: "GITHUB", Connection: connection}, {Account: account, Region: region, Type: "BITBUCKET"},
		{Account: account, Region: "eu-west-1", Type: "GITLAB", Connection: connection}, {Account: "222222222222", Region: region, Type: "GITLAB", Connection: connection}} {
		if err := b.s.AddCredential(k); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.s.AddCredential(codebuild.Credential{Account: account, Region: region, Type: "GITHUB"}); err == nil {
		t.Error("a second credential of one type")
	}
	got := fmt.Sprint(b.ok("ListSourceCredentials", nil)["sourceCredentialsInfos"])
	want := "[map[arn:arn:aws:codebuild:us-east-1:111111111111:token/github authType:CODECONNECTIONS resource:" + connection + " serverType:GITHUB] " +
		"map[arn:arn:aws:codebuild:us-east-1:111111111111:token/bitbucket authType:PERSONAL_ACCESS_TOKEN serverType:BITBUCKET]]"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
