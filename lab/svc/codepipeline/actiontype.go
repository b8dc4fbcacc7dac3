package codepipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// actionType is a custom action type of an account in a Region.
type actionType struct {
	reply   map[string]any // as ListActionTypes shows it
	tags    map[string]string
	deleted bool // its version can never be used again
	idle    bool // nobody polls for its jobs
}

// maxTypes is how many custom action types an account may have in a Region (quota L-519D5A90).
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxTypes = 50

func typeARN(account, region, owner, category, provider, version string) string {
	return "arn:aws:codepipeline:" + region + ":" + account + ":actiontype:" + owner + "/" + category + "/" + provider + "/" + version
}

func requestedType(r *cloud.Request) string {
	return typeARN(r.Account(), r.Region, "Custom", r.Str("category"), r.Str("provider"), r.Str("version"))
}

func onType(r *cloud.Request) []cloud.Access { return access(r, requestedType(r)) }

func (s *Service) createType(r *cloud.Request) (map[string]any, error) {
	arn := requestedType(r)
	if old, ok := s.types[arn]; ok && old.deleted {
		return nil, cloud.Errorf("ValidationException", "The version '%s' of the action type was deleted and cannot be used again", r.Str("version"))
	} else if ok {
		return nil, cloud.Errorf("ValidationException", "The action type '%s' exists already", arn)
	}
	if most := s.c.Limit(r.Account(), r.Region, "L-519D5A90", maxTypes); len(s.typesOf(r)) >= most {
		return nil, cloud.Errorf("LimitExceededException", "The account '%s' has reached the limit of %d custom actions in %s", r.Account(), most, r.Region)
	}
	t := actionType{tags: map[string]string{}, reply: map[string]any{
		"id":                   map[string]any{"category": r.Str("category"), "owner": "Custom", "provider": r.Str("provider"), "version": r.Str("version")},
		"inputArtifactDetails": r.In["inputArtifactDetails"], "outputArtifactDetails": r.In["outputArtifactDetails"],
	}}
	if v := r.In["settings"]; v != nil {
		t.reply["settings"] = v
	}
	if v := r.In["configurationProperties"]; v != nil {
		t.reply["actionConfigurationProperties"] = v
	}
	if err := setTags(r, t.tags); err != nil {
		return nil, err
	}
	s.types[arn] = t
	s.take()
	out := map[string]any{"actionType": clone(t.reply)}
	if len(t.tags) > 0 {
		out["tags"] = tagList(t.tags)
	}
	return out, nil
}

// deleteType deletes a custom action type; one that does not exist is deleted already.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DeleteCustomActionType.html
func (s *Service) deleteType(r *cloud.Request) (map[string]any, error) {
	if t, ok := s.types[requestedType(r)]; ok {
		t.deleted = true
		s.types[requestedType(r)] = t
	}
	return nil, nil
}

// typesOf are the ARNs of the caller's custom action types in the Region of a request.
func (s *Service) typesOf(r *cloud.Request) []string {
	prefix := typeARN(r.Account(), r.Region, "Custom", "", "", "")
	prefix = strings.TrimRight(prefix, "/") + "/"
	var all []string
	for _, arn := range slices.Sorted(maps.Keys(s.types)) {
		if strings.HasPrefix(arn, prefix) && !s.types[arn].deleted {
			all = append(all, arn)
		}
	}
	return all
}

func (s *Service) listActionTypes(r *cloud.Request) (map[string]any, error) {
	var all []any
	owner := r.Str("actionOwnerFilter")
	if owner == "" || owner == "AWS" {
		for _, k := range known() {
			category, name, _ := strings.Cut(k, "/")
			bounds := func(lo, hi int) map[string]any { return map[string]any{"minimumCount": lo, "maximumCount": hi} }
			in, out := bounds(0, 5), bounds(0, 5)
			if category == "Source" {
				in, out = bounds(0, 0), bounds(1, 1)
			}
			all = append(all, map[string]any{"id": map[string]any{"category": category, "owner": "AWS", "provider": name, "version": "1"}, "inputArtifactDetails": in, "outputArtifactDetails": out})
		}
	}
	if owner == "" || owner == "Custom" {
		for _, arn := range s.typesOf(r) {
			all = append(all, clone(s.types[arn].reply))
		}
	}
	return paged(s.c, r, "actionTypes", slices.Clip(all), 100)
}

// available reports whether an action's type exists: AWS's own, the old GitHub source, or one that the account made in the Region.
func (s *Service) available(account, region string, a declared) bool {
	kind := a.typeOf("category") + "/" + a.typeOf("provider")
	switch a.typeOf("owner") {
	case "AWS":
		return slices.Contains(known(), kind)
	case "ThirdParty":
		return kind == "Source/GitHub"
	}
	in, _ := a["region"].(string)
	return s.anywhere(account, a, region, in)
}

// known lists the action types that AWS owns, as far as the lab runs them.
func known() []string {
	return []string{
		"Source/CodeStarSourceConnection", "Source/S3", "Source/CodeCommit", "Source/ECR",
		"Build/CodeBuild", "Test/CodeBuild",
		"Deploy/CodeDeploy", "Deploy/CloudFormation", "Deploy/S3", "Deploy/ECS",
		"Invoke/Lambda", "Approval/Manual",
	}
}
