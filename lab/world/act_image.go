package world

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/unjam/unjam/lab/svc/events"
)

// pushesImage: CALLER pushes image REPOSITORY:TAG[,TAG] ["content"] [region=]: PutImage, one call a tag. Equal contents are one image.
func (d *loader) pushesImage(a *act) error {
	repository, tags, err := d.imageName(a)
	if err != nil {
		return err
	}
	content := fmt.Sprintf("pushed by line %d", a.no)
	if len(a.words) > 0 {
		content, _ = a.word("the content")
	}
	manifest, err := json.Marshal(map[string]any{"schemaVersion": 2, "config": content})
	if err != nil {
		return err
	}
	region := d.regionOf(a)
	for i, tag := range tags {
		if i > 0 {
			d.tick()
		}
		if _, err := d.call(a, "ecr", "PutImage", region, map[string]any{"repositoryName": repository, "imageTag": tag, "imageManifest": string(manifest)}); err != nil {
			return err
		}
	}
	return nil
}

// imageName takes the word REPOSITORY:TAG[,TAG].
func (d *loader) imageName(a *act) (repository string, tags []string, err error) {
	name, err := a.word("the image as REPOSITORY:TAG")
	if err != nil {
		return "", nil, err
	}
	a.subject = name
	repository, list, ok := strings.Cut(name, ":")
	if !ok || repository == "" || list == "" {
		return "", nil, fmt.Errorf("%q is no image: write REPOSITORY:TAG", name)
	}
	return repository, strings.Split(list, ","), nil
}

// deletesImage: CALLER deletes image REPOSITORY:TAG[,TAG] [region=]: BatchDeleteImage
func (d *loader) deletesImage(a *act) error {
	repository, tags, err := d.imageName(a)
	if err != nil {
		return err
	}
	ids := []any{}
	for _, t := range tags {
		ids = append(ids, map[string]any{"imageTag": t})
	}
	_, err = d.call(a, "ecr", "BatchDeleteImage", d.regionOf(a), map[string]any{"repositoryName": repository, "imageIds": ids})
	return err
}

// mutability is what a line says of the tags of a repository: mutability=mutable|immutable [except=FILTER,...]
func mutability(a *act, in map[string]any) {
	setting := strings.ToUpper(a.opt("mutability", "mutable"))
	var filters []any
	for _, f := range a.list("except") {
		filters = append(filters, map[string]any{"filterType": "WILDCARD", "filter": f})
	}
	if filters != nil {
		setting += "_WITH_EXCLUSION"
		in["imageTagMutabilityExclusionFilters"] = filters
	}
	in["imageTagMutability"] = setting
}

// createRepository: creates repository NAME [mutability=] [except=] [region=]
func (d *loader) createRepository(a *act, name string) error {
	in := map[string]any{"repositoryName": name}
	mutability(a, in)
	_, err := d.call(a, "ecr", "CreateRepository", d.regionOf(a), in)
	return err
}

// changesRepository: CALLER changes repository NAME mutability= [except=] [region=]: PutImageTagMutability
func (d *loader) changesRepository(a *act) error {
	name, err := a.word("the repository's name")
	if err != nil {
		return err
	}
	a.subject = name
	in := map[string]any{"repositoryName": name}
	mutability(a, in)
	_, err = d.call(a, "ecr", "PutImageTagMutability", d.regionOf(a), in)
	return err
}

// deletesRepository: CALLER deletes repository NAME [region=]: DeleteRepository, with its images
func (d *loader) deletesRepository(a *act) error {
	name, err := a.word("the repository's name")
	if err != nil {
		return err
	}
	a.subject = name
	_, err = d.call(a, "ecr", "DeleteRepository", d.regionOf(a), map[string]any{"repositoryName": name, "force": true})
	return err
}

// createRule: creates rule NAME image=REPOSITORY[:TAG] | pattern= [pipeline=] [role=] [passes=digest] [state=disabled] [region=]: PutRule, and
// PutTargets with the pipeline. Without a tag the rule takes every push to the repository.
func (d *loader) createRule(a *act, name string) error {
	return d.writeRule(a, name, d.regionOf(a), events.Rule{State: "ENABLED"})
}

// updatesRule: CALLER updates rule NAME [image=|pattern=] [pipeline=] [role=] [passes=digest] [region=]: PutRule, PutTargets
func (d *loader) updatesRule(a *act, name string) error {
	region := d.regionOf(a)
	k, err := d.caller(a)
	if err != nil {
		return err
	}
	for _, r := range d.lab.Events.Rules(k.Account, region) {
		if r.Name == name {
			return d.writeRule(a, name, region, r)
		}
	}
	return fmt.Errorf("there is no rule %q by then", name)
}

func (d *loader) writeRule(a *act, name, region string, old events.Rule) error {
	in := map[string]any{"Name": name, "State": strings.ToUpper(a.opt("state", strings.ToLower(old.State)))}
	if old.Pattern != "" {
		in["EventPattern"] = old.Pattern
	}
	if image := a.opt("image", ""); image != "" {
		in["EventPattern"] = pushPattern(image)
	}
	if p := a.opt("pattern", ""); p != "" {
		in["EventPattern"] = d.fill(p)
	}
	if _, err := d.call(a, "events", "PutRule", region, in); err != nil {
		return err
	}
	pipeline := a.opt("pipeline", "")
	if pipeline == "" {
		return nil
	}
	target := map[string]any{"Id": "pipeline", "Arn": d.named(pipeline)}
	if role := a.opt("role", ""); role != "" {
		k, err := d.caller(a)
		if err != nil {
			return err
		}
		if target["RoleArn"] = d.roles[k.Account+"/"+role]; target["RoleArn"] == "" {
			return fmt.Errorf("there is no role %q in account %s", role, k.Account)
		}
	}
	if a.opt("passes", "") == "digest" {
		target["InputTransformer"] = map[string]any{"InputPathsMap": map[string]any{"digest": "$.detail.image-digest"},
			"InputTemplate": `{"sourceRevisions": [{"actionName": "Source", "revisionType": "IMAGE_DIGEST", "revisionValue": "<digest>"}]}`}
	}
	d.tick()
	_, err := d.call(a, "events", "PutTargets", region, map[string]any{"Rule": name, "Targets": []any{target}})
	return err
}

// pushPattern is the pattern that AWS documents for an ECR source.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/create-cwe-ecr-source.html
func pushPattern(image string) string {
	repository, tag, tagged := strings.Cut(image, ":")
	detail := map[string]any{"action-type": []string{"PUSH"}, "repository-name": []string{repository}, "result": []string{"SUCCESS"}}
	if tagged {
		detail["image-tag"] = []string{tag}
	}
	b, err := json.Marshal(map[string]any{"source": []string{"aws.ecr"}, "detail-type": []string{"ECR Image Action"}, "detail": detail})
	if err != nil {
		panic("world: pattern does not marshal: " + err.Error()) // texts and lists of texts
	}
	return string(b)
}

// ruleActs: CALLER enables|disables|deletes rule NAME [region=]. A rule is deleted after its targets, as EventBridge demands.
func (d *loader) ruleActs(a *act) error {
	name, err := a.word("the rule's name")
	if err != nil {
		return err
	}
	a.subject = name
	region := d.regionOf(a)
	op := map[string]string{"enables": "EnableRule", "disables": "DisableRule", "deletes": "DeleteRule"}[a.verb]
	if op == "DeleteRule" {
		if _, err := d.call(a, "events", "RemoveTargets", region, map[string]any{"Rule": name, "Ids": []any{"pipeline"}}); err != nil {
			return err
		}
		d.tick()
	}
	_, err = d.call(a, "events", op, region, map[string]any{"Name": name})
	return err
}

// imageSource is an ECR source action: image=REPOSITORY[:TAG].
func imageSource(image string) map[string]any {
	repository, tag, tagged := strings.Cut(image, ":")
	conf := map[string]any{"RepositoryName": repository}
	if tagged {
		conf["ImageTag"] = tag
	}
	return map[string]any{"name": "Source", "actionTypeId": actionType("Source", "ECR"), "configuration": conf,
		"outputArtifacts": []any{map[string]any{"name": "SourceOutput"}}, "runOrder": 1}
}
