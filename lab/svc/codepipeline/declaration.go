package codepipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// maxStages and minStages bound a pipeline (CodePipeline quotas).
const (
	minStages = 2
	maxStages = 50
)

// check refuses a declaration that follows the API model and that AWS would refuse all the same.
func (s *Service) check(r *cloud.Request, decl map[string]any) error {
	role, _ := decl["roleArn"].(string)
	if (decl["artifactStore"] == nil) == (decl["artifactStores"] == nil) {
		return structure("Pipeline must have either artifactStore or artifactStores, but not both")
	}
	if !s.assumable(r.Account(), role) {
		return structure("CodePipeline is not authorized to perform AssumeRole on role %s", role)
	}
	if err := s.checkStages(r, decl); err != nil {
		return err
	}
	if err := checkStores(r.Region, decl); err != nil {
		return err
	}
	if err := checkType(decl); err != nil {
		return err
	}
	return checkTriggers(decl)
}

// structure words a refusal of the definition as a whole.
func structure(format string, args ...any) error {
	return cloud.Errorf("InvalidStructureException", format, args...)
}

// assumable reports whether a role exists and trusts the service.
func (s *Service) assumable(account, role string) bool {
	_, ok := s.roles.RolePrincipalByARN(role, "codepipeline")
	service := cloud.Principal{Type: "AWSService", Account: account, ARN: "codepipeline.amazonaws.com"}
	return ok && s.roles.MayAssume(service, role).Allowed
}

func (s *Service) checkStages(r *cloud.Request, decl map[string]any) error {
	names, actions := stagesOf(decl)
	switch {
	case len(names) < minStages:
		return structure("Pipeline has %d stage(s). There should be a minimum of 2 stages in a pipeline", len(names))
	case len(names) > maxStages:
		return structure("Pipeline has too many stages. There can only be up to %d stages in a pipeline", maxStages)
	}
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			return cloud.Errorf("InvalidStageDeclarationException", "Stage name '%s' is not unique within the pipeline", n)
		}
	}
	for i, n := range names {
		if err := s.checkStage(r, i, n, actions[n]); err != nil {
			return err
		}
	}
	return nil
}

// checkStores demands an artifact store in every Region that an action runs in. A single artifactStore is of the
// pipeline's Region. https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html
func checkStores(region string, decl map[string]any) error {
	stores, _ := decl["artifactStores"].(map[string]any)
	has := func(in string) bool { return stores[in] != nil || (stores == nil && in == region) }
	names, actions := stagesOf(decl)
	needed := []string{region}
	for _, n := range names {
		for _, a := range actions[n] {
			if in, _ := a["region"].(string); in != "" {
				needed = append(needed, in)
			}
		}
	}
	for _, in := range needed {
		if !has(in) {
			return structure("Your pipeline must have an artifact store, such as an artifact bucket, for each region where you have an action. "+
				"The following region is missing in 'pipeline.artifactStores': %s.", in)
		}
	}
	return nil
}

// checkType refuses in a V1 pipeline what only V2 has. The text about the mode is the lab's own.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-types.html
func checkType(decl map[string]any) error {
	if decl["pipelineType"] == "V2" {
		return nil
	}
	if vars, _ := decl["variables"].([]any); len(vars) > 0 {
		return structure("Pipeline variable can only be used with V2 pipelines")
	}
	if m, _ := decl["executionMode"].(string); m != "" && m != "SUPERSEDED" {
		return structure("Execution mode %s can only be used with V2 pipelines", m)
	}
	triggers, _ := decl["triggers"].([]any)
	for _, t := range triggers {
		if hasTags(t) {
			return structure("Triggers on tag can only be used with V2 pipelines")
		}
	}
	if len(triggers) > 0 {
		return structure("Triggers can only be used with V2 pipelines")
	}
	return nil
}

// hasTags reports whether a trigger filters by tag.
func hasTags(trigger any) bool {
	m, _ := trigger.(map[string]any)
	git, _ := m["gitConfiguration"].(map[string]any)
	pushes, _ := git["push"].([]any)
	return slices.ContainsFunc(pushes, func(f any) bool { m, _ := f.(map[string]any); return m["tags"] != nil })
}

func (s *Service) checkStage(r *cloud.Request, i int, name string, actions []declared) error {
	if len(actions) == 0 {
		return cloud.Errorf("InvalidStageDeclarationException", "Stage %s must contain at least one action", name)
	}
	seen := map[string]bool{}
	for _, a := range actions {
		if seen[a.name()] {
			return cloud.Errorf("InvalidActionDeclarationException", "Action name '%s' is not unique within the stage %s", a.name(), name)
		}
		seen[a.name()] = true
		if (a.typeOf("category") == "Source") != (i == 0) {
			return structure("Pipeline should start with a stage that only contains source actions")
		}
		if !s.available(r.Account(), r.Region, a) {
			return cloud.Errorf("InvalidActionDeclarationException", "ActionType (Category: '%s', Provider: '%s', Owner: '%s', Version: '%s') in action '%s' is not available in region %s",
				a.typeOf("category"), a.typeOf("provider"), a.typeOf("owner"), a.typeOf("version"), a.name(),
				strings.ToUpper(strings.ReplaceAll(r.Region, "-", "_")))
		}
		if err := checkConfiguration(a); err != nil {
			return err
		}
	}
	return nil
}

// maxKey and maxValue bound what an action is configured with, in characters.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const (
	maxKey   = 50
	maxValue = 1000
)

func checkConfiguration(a declared) error {
	conf := a.configuration()
	for _, k := range slices.Sorted(maps.Keys(conf)) {
		if k == "" || len(k) > maxKey || len(conf[k]) > maxValue {
			return cloud.Errorf("InvalidActionDeclarationException", "Action configuration '%s' of action '%s' is too long: a key has 1 to %d characters, a value up to %d", k, a.name(), maxKey, maxValue)
		}
	}
	if !a.isConnection() {
		return nil
	}
	for _, k := range []string{"ConnectionArn", "FullRepositoryId", "BranchName"} {
		if conf[k] == "" {
			return cloud.Errorf("InvalidActionDeclarationException", "Action configuration for action '%s' is missing required configuration '%s'", a.name(), k)
		}
	}
	return nil
}

func checkTriggers(decl map[string]any) error {
	triggers, _ := decl["triggers"].([]any)
	_, actions := stagesOf(decl)
	named := map[any]bool{}
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
			return structure("Triggers for connections must reference a CodeStarSourceConnection action.")
		}
		if err := checkFilters(git); err != nil {
			return err
		}
		if named[git["sourceActionName"]] {
			return structure("Only one trigger can be specified for the source action %v.", git["sourceActionName"])
		}
		named[git["sourceActionName"]] = true
	}
	return nil
}

// checkFilters refuses a filter of pushes that joins tags with branches or files. The texts of this refusal and of the one about two triggers of
// an action are the lab's own. https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html
func checkFilters(git map[string]any) error {
	pushes, _ := git["push"].([]any)
	for _, f := range pushes {
		if m, _ := f.(map[string]any); m["tags"] != nil && (m["branches"] != nil || m["filePaths"] != nil) {
			return structure("A push filter on tags can't be combined with branches or file paths.")
		}
	}
	return nil
}
