package codepipeline

import (
	"regexp"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

var (
	pipelineName = regexp.MustCompile(`^[A-Za-z0-9.@_-]{1,100}$`)
	roleARN      = regexp.MustCompile(`^arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*$`)
)

// maxStages and minStages bound a pipeline (CodePipeline quotas).
const (
	minStages = 2
	maxStages = 50
)

// check refuses a declaration that AWS would refuse.
func (s *Service) check(r *cloud.Request, decl map[string]any) error {
	bad := func(format string, args ...any) error {
		return cloud.Errorf("InvalidStructureException", format, args...)
	}
	name, _ := decl["name"].(string)
	role, _ := decl["roleArn"].(string)
	if !pipelineName.MatchString(name) {
		return cloud.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'pipeline.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9.@\\-_]+", name)
	}
	if !roleARN.MatchString(role) {
		return cloud.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'pipeline.roleArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:aws(-[\\w]+)*:iam::[0-9]{12}:role/.*", role)
	}
	if (decl["artifactStore"] == nil) == (decl["artifactStores"] == nil) {
		return bad("Pipeline must have either artifactStore or artifactStores, but not both")
	}
	if _, ok := s.roles.RolePrincipalByARN(role, "check"); !ok || !s.roles.MayAssume(cloud.Principal{Type: "AWSService", Account: r.Account(), ARN: "codepipeline.amazonaws.com"}, role).Allowed {
		return bad("CodePipeline is not authorized to perform AssumeRole on role %s", role)
	}
	names, actions := stagesOf(decl)
	switch {
	case len(names) < minStages:
		return bad("Pipeline has %d stage(s). There should be a minimum of 2 stages in a pipeline", len(names))
	case len(names) > maxStages:
		return bad("Pipeline has too many stages. There can only be up to %d stages in a pipeline", maxStages)
	}
	for i, n := range names {
		if !pipelineName.MatchString(n) || slices.Contains(names[:i], n) {
			return cloud.Errorf("InvalidStageDeclarationException", "Stage name %q is not valid or not unique within the pipeline", n)
		}
		if err := checkStage(r.Region, i, n, actions[n]); err != nil {
			return err
		}
	}
	return checkTriggers(decl)
}

func checkStage(region string, i int, name string, actions []declared) error {
	if len(actions) == 0 {
		return cloud.Errorf("InvalidStageDeclarationException", "Stage %s must contain at least one action", name)
	}
	seen := map[string]bool{}
	for _, a := range actions {
		if seen[a.name()] || !pipelineName.MatchString(a.name()) {
			return cloud.Errorf("InvalidActionDeclarationException", "Action name %q is not valid or not unique within the stage %s", a.name(), name)
		}
		seen[a.name()] = true
		if (a.typeOf("category") == "Source") != (i == 0) {
			return cloud.Errorf("InvalidStructureException", "Pipeline should start with a stage that only contains source actions")
		}
		if a.typeOf("owner") == "AWS" && !slices.Contains(known, a.typeOf("category")+"/"+a.typeOf("provider")) {
			return cloud.Errorf("InvalidActionDeclarationException", "ActionType (Category: '%s', Provider: '%s', Owner: '%s', Version: '%s') in action '%s' is not available in region %s",
				a.typeOf("category"), a.typeOf("provider"), a.typeOf("owner"), a.typeOf("version"), a.name(),
				strings.ToUpper(strings.ReplaceAll(region, "-", "_")))
		}
		if a.isConnection() {
			conf := a.configuration()
			for _, k := range []string{"ConnectionArn", "FullRepositoryId", "BranchName"} {
				if conf[k] == "" {
					return cloud.Errorf("InvalidActionDeclarationException", "Action configuration for action '%s' is missing required configuration '%s'", a.name(), k)
				}
			}
		}
	}
	return nil
}

func checkTriggers(decl map[string]any) error {
	triggers, _ := decl["triggers"].([]any)
	if len(triggers) > 0 && decl["pipelineType"] != "V2" {
		return cloud.Errorf("InvalidStructureException", "Triggers can only be used with V2 pipelines")
	}
	_, actions := stagesOf(decl)
	for _, t := range triggers {
		m, _ := t.(map[string]any)
		git, _ := m["gitConfiguration"].(map[string]any)
		ok := false
		for _, as := range actions {
			for _, a := range as {
				ok = ok || (a.isConnection() && a.name() == git["sourceActionName"])
			}
		}
		if !ok {
			return cloud.Errorf("InvalidStructureException", "Triggers for connections must reference a CodeStarSourceConnection action.")
		}
	}
	return nil
}

// known are the action types that AWS owns, as far as the lab runs them.
var known = []string{
	"Source/CodeStarSourceConnection", "Source/S3", "Source/CodeCommit", "Source/ECR",
	"Build/CodeBuild", "Test/CodeBuild",
	"Deploy/CodeDeploy", "Deploy/CloudFormation", "Deploy/S3", "Deploy/ECS",
	"Invoke/Lambda", "Approval/Manual",
}
