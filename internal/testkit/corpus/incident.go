// Package corpus plays labelled incidents on the lab and scores the diagnosis: how often the first finding is the true one, how well
// each fault is told, what is claimed falsely, what it costs. It is imported by tests and by cmd/unjam-corpus only.
package corpus

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Incident is one labelled incident: a healthy world and the acts that broke it. The label stands behind the act that is the cause,
// as `# want CODE cause= bucket= blast=PIPELINES`; `# want clear` as the first word means that nothing is wrong.
type Incident struct {
	Name    string
	Text    []byte // the healthy world with the incident's own lines behind it
	Paged   string // the pipeline that the question is about, from a line `# paged NAME`; "" asks about everything
	Herring bool   // it holds something that looks like the cause and is not: a line marked `# herring`
}

var paged = regexp.MustCompile(`(?m)^# paged (\S+)$`)

// Load reads every *.world file of a folder. Its first line `base NAME` stands for the healthy world base/NAME.world.
func Load(dir string) ([]Incident, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.world"))
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	slices.Sort(paths)
	var all []Incident
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read incident: %w", err)
		}
		in := Incident{Name: strings.TrimSuffix(filepath.Base(path), ".world"), Herring: bytes.Contains(text, []byte("# herring"))}
		if m := paged.FindSubmatch(text); m != nil {
			in.Paged = string(m[1])
		}
		if in.Text, err = expand(dir, text); err != nil {
			return nil, fmt.Errorf("read incident %s: %w", in.Name, err)
		}
		all = append(all, in)
	}
	return all, nil
}

// Bases reads the healthy worlds that incidents begin from.
func Bases(dir string) ([]Incident, error) { return Load(filepath.Join(dir, "base")) }

// expand puts the healthy world in the place of the line `base NAME`, which is the first one that is no comment.
func expand(dir string, text []byte) ([]byte, error) {
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		name, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("base "))
		if !ok {
			out.Write(line)
			continue
		}
		base, err := os.ReadFile(filepath.Join(dir, "base", string(bytes.TrimSpace(name))+".world"))
		if err != nil {
			return nil, err
		}
		out.Write(base)
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

// Source is one source of evidence that can be missing: calls of a service or of one operation of it.
type Source struct {
	Name       string
	Calls      []string // SERVICE or SERVICE:OPERATION, by signing name
	Kind       string   // how it goes missing: a kind of lab injection; "" is denied
	Everything bool     // it is what the verdict itself rests on: without it the verdict may only be unknown
}

// Sources are the sources of evidence, as they go missing one at a time.
func Sources() []Source {
	return []Source{
		{Name: "CloudTrail", Calls: []string{"cloudtrail"}},
		{Name: "IAM simulation", Calls: []string{"iam:SimulatePrincipalPolicy"}},
		{Name: "IAM policies", Calls: []string{"iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListRoles"}},
		{Name: "AWS Config", Calls: []string{"config"}},
		{Name: "CloudFormation", Calls: []string{"cloudformation"}},
		{Name: "EC2", Calls: []string{"ec2"}},
		{Name: "CodeBuild", Calls: []string{"codebuild"}},
		{Name: "Service Quotas", Calls: []string{"servicequotas"}},
		{Name: "Access Analyzer", Calls: []string{"access-analyzer"}},
		{Name: "AWS Health", Calls: []string{"health"}},
		{Name: "Organizations", Calls: []string{"organizations"}},
		{Name: "message decoding", Calls: []string{"sts:DecodeAuthorizationMessage"}},
		{Name: "list of Regions", Calls: []string{"account"}},
		{Name: "list of connections", Calls: []string{"codeconnections:ListConnections", "codestar-connections:ListConnections"}},
		{Name: "hosts", Calls: []string{"codeconnections:ListHosts", "codestar-connections:ListHosts"}},
		{Name: "tags", Calls: []string{"codeconnections:ListTagsForResource", "codestar-connections:ListTagsForResource"}},
		{Name: "action runs", Calls: []string{"codepipeline:ListActionExecutions", "codepipeline:ListPipelineExecutions"}},
		{Name: "users beside pipelines", Calls: []string{"apprunner", "servicecatalog", "codeguru-reviewer", "codebuild:ListProjects", "codebuild:ListSourceCredentials",
			"codeconnections:ListRepositoryLinks", "codestar-connections:ListRepositoryLinks"}},
		{Name: "Route 53", Calls: []string{"route53"}},
		{Name: "certificates", Calls: []string{"acm"}},
		{Name: "ECR", Calls: []string{"ecr"}},
		{Name: "EventBridge", Calls: []string{"events"}},
		{Name: "alarms", Calls: []string{"monitoring"}},
		{Name: "S3 and KMS", Calls: []string{"s3", "kms"}},
		{Name: "single connection", Calls: []string{"codeconnections:GetConnection", "codestar-connections:GetConnection"}, Everything: true},
		{Name: "pipeline state", Calls: []string{"codepipeline:GetPipelineState"}, Everything: true},
		{Name: "pipeline definition", Calls: []string{"codepipeline:GetPipeline"}, Everything: true},
	}
}
