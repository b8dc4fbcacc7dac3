//go:build full

package fulltest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite testdata/awscli.golden")
	flag.Parse()
	os.Exit(m.Run())
}

// TestAWSCLI runs an unmodified AWS CLI against the lab and compares a transcript of all it says, the exit codes too:
// version 1 ends with 255 whenever a service refuses. The commands see each other's effects.
func TestAWSCLI(t *testing.T) {
	s := serve(t)
	ada, eve := s.env(s.caller("ada")), s.env(s.caller("eve"))
	var transcript strings.Builder
	var last string // the output of the command before
	aws := func(env []string, who, command string) {
		t.Helper()
		var args []string
		for _, a := range strings.Fields(command) {
			args = append(args, s.fill(a, last))
		}
		if strings.HasPrefix(command, "cloudtrail lookup-events") {
			time.Sleep(time.Second) // more than two a second are refused (docs/aws-facts.md, "Event history")
		}
		out, text, code := run(t, env, tool(t, "aws"), args...)
		fmt.Fprintf(&transcript, "%s$ aws %s\n%s%s[exit %d]\n\n", who, command, out, strings.TrimLeft(text, "\n"), code)
		last = out
	}
	for _, command := range []string{
		"sts get-caller-identity",
		"account list-regions --region-opt-status-contains ENABLED ENABLED_BY_DEFAULT --max-items 2 --query Regions",
		"codeconnections list-connections",
		"codeconnections list-connections --max-results 1",
		"codeconnections list-connections --max-results 1 --no-paginate",
		"codeconnections list-connections --max-results 1 --next-token @NextToken",
		"codeconnections list-connections --max-results 500",
		"codeconnections get-connection --connection-arn @team-github",
		"codeconnections create-connection --provider-type GitHub --connection-name fresh --tags Key=team,Value=shop",
		"codeconnections get-connection --connection-arn @ConnectionArn",
		"codeconnections list-tags-for-resource --resource-arn @Connection.ConnectionArn",
		"codeconnections get-connection --connection-arn @gone",
		"codeconnections create-connection --provider-type Forge --connection-name never",
		"codeconnections create-host --name ghes --provider-type GitHubEnterpriseServer --provider-endpoint https://ghes.example.com",
		"codeconnections get-host --host-arn @HostArn",
		"codestar-connections create-connection --provider-type Bitbucket --connection-name old-api",
		"codestar-connections get-connection --connection-arn @ConnectionArn",
		"codestar-connections delete-connection --connection-arn @Connection.ConnectionArn",
		"codestar-connections list-connections",
		"codeconnections list-connections --provider-type-filter Bitbucket",
		"codepipeline list-pipelines",
		"codepipeline list-pipelines --max-results 1 --no-paginate",
		"codepipeline get-pipeline --name web",
		"codepipeline get-pipeline --name none",
		"codepipeline get-pipeline-state --name web",
		"codepipeline list-pipeline-executions --pipeline-name web",
		"codepipeline list-action-executions --pipeline-name web",
		"codepipeline disable-stage-transition --pipeline-name web --stage-name Build --transition-type Inbound --reason hold",
		"codepipeline start-pipeline-execution --name web",
		"cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=CreatePipeline --max-results 1 --query [Events[].[EventId,EventName,EventTime,EventSource,ReadOnly,Username,AccessKeyId],NextToken!=null]",
		"cloudtrail lookup-events --lookup-attributes AttributeKey=EventSource,AttributeValue=codepipeline.amazonaws.com --max-items 1 --query Events[].EventName",
		"cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=A AttributeKey=EventName,AttributeValue=B",
		"iam get-role --role-name Viewer",
		"iam get-role --role-name None",
		"iam list-role-policies --role-name Viewer",
		"iam simulate-principal-policy --policy-source-arn arn:aws:iam::111111111111:role/Viewer --action-names codeconnections:GetConnection codeconnections:DeleteConnection --query EvaluationResults[].[EvalActionName,EvalDecision]",
	} {
		aws(ada, "ada", command)
	}
	for _, command := range []string{
		"codeconnections get-connection --connection-arn @team-github --query Connection.ConnectionStatus",
		"codeconnections delete-connection --connection-arn @team-github",
		"iam get-role --role-name Viewer",
		"sts get-caller-identity",
	} {
		aws(eve, "eve", command)
	}
	lost := append([]string(nil), eve...)
	for i, v := range lost {
		if strings.HasPrefix(v, "AWS_ACCESS_KEY_ID=") {
			lost[i] = "AWS_ACCESS_KEY_ID=AKIANOBODYKNOWSTHIS1"
		}
	}
	aws(lost, "nobody", "codeconnections list-connections")
	aws(lost, "nobody", "sts get-caller-identity")
	compare(t, "testdata/awscli.golden", normal(transcript.String()))
}

// fill replaces @name: the ARN of a thing of the world, a member of the last reply by its path, or a connection that never was.
func (s *site) fill(word, last string) string {
	name, ok := strings.CutPrefix(word, "@")
	if !ok {
		return word
	}
	if name == "gone" {
		return "arn:aws:codeconnections:us-east-1:111111111111:connection/00000000-0000-4000-8000-000000000000"
	}
	if arn := s.world.ARN(name); arn != "" {
		return arn
	}
	var v any
	if err := json.Unmarshal([]byte(last), &v); err != nil {
		s.t.Fatalf("%s: the last output is no JSON: %v\n%s", word, err, last)
	}
	for _, member := range strings.Split(name, ".") {
		m, _ := v.(map[string]any)
		v = m[member]
	}
	text, ok := v.(string)
	if !ok {
		s.t.Fatalf("%s is not in the last output:\n%s", word, last)
	}
	return text
}

// normal replaces what differs from run to run or is the lab's own choice: times, page tokens, and identifiers by their
// number in order of appearance.
func normal(s string) string {
	s = regexp.MustCompile(`\b(\d{10}(\.\d+)?\b|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)`).ReplaceAllString(s, "TIME")
	s = regexp.MustCompile(`("[nN]extToken": )"[^"]+"`).ReplaceAllString(s, `$1"TOKEN"`)
	s = regexp.MustCompile(`(host/[a-z]+-)[0-9a-f]{8}\b`).ReplaceAllString(s, "${1}ID")
	numbers := map[string]string{}
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\bA(RO|SI|KI|ID)A[0-9A-Z]{16,17}\b`)
	return id.ReplaceAllStringFunc(s, func(id string) string {
		if numbers[id] == "" {
			numbers[id] = fmt.Sprintf("ID-%d", len(numbers)+1)
		}
		return numbers[id]
	})
}

// compare holds a text against a golden file, line by line; -update rewrites the file.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if updating() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	have, want := strings.Split(got, "\n"), strings.Split(string(golden), "\n")
	for i := range max(len(have), len(want)) {
		if line(have, i) != line(want, i) {
			t.Fatalf("%s:%d\n got: %s\nwant: %s\n(go test -tags full ./internal/fulltest -update rewrites the file)", file, i+1, line(have, i), line(want, i))
		}
	}
}

func line(all []string, i int) string {
	if i < len(all) {
		return all[i]
	}
	return "(end)"
}
