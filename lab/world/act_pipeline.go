package world

import (
	"encoding/json"
	"fmt"
	"strings"
)

// pipelineRole is the service role of a pipeline whose line names none; the lab makes it where it is needed.
const pipelineRole = "CodePipelineServiceRole"

// pipelinePolicy is what that role may do: what AWS tells a service role to have, the connection actions of both prefixes.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
const pipelinePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["codeconnections:UseConnection",` +
	`"codestar-connections:UseConnection","s3:*","kms:*","codebuild:*","codedeploy:*","cloudformation:*","lambda:InvokeFunction",` +
	`"ecs:*","sns:Publish","ecr:DescribeImages"],"Resource":"*"},{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}]}`

// createPipeline: creates pipeline NAME connection=|definition= [repo=] [branch=] [stages=] [role=] [region=] [type=]
// [mode=] [format=] [detect=no] [tags=] [stack=] [stack-role=] [stack-mode=] [stack-template=] [capabilities=] [deploy-role=] [deploy-region=]
// [store=] [store-key=] [deploy-store=] [deploy-store-key=]
func (d *loader) createPipeline(a *act, name string) error {
	region := d.regionOf(a)
	decl, err := d.declaration(a, name, region)
	if err != nil {
		return err
	}
	in := map[string]any{"pipeline": decl}
	tags, err := d.tagsOf(a, a.list("tags"), in)
	if err != nil {
		return err
	}
	if len(tags) > 0 {
		in["tags"] = lowerTags(map[string]any{"Tags": tags})["tags"]
	}
	if _, err := d.call(a, "codepipeline", "CreatePipeline", region, in); err != nil {
		return err
	}
	k, err := d.caller(a)
	if err != nil {
		return err
	}
	d.keep(&thing{
		kind: "pipeline", name: name, account: k.Account, region: region,
		arn: "arn:aws:codepipeline:" + region + ":" + k.Account + ":" + name,
	})
	return nil
}

// declaration is the pipeline structure a line describes.
func (d *loader) declaration(a *act, name, region string) (map[string]any, error) {
	if doc := a.opt("definition", ""); doc != "" {
		decl := map[string]any{}
		if err := json.Unmarshal([]byte(d.fill(doc)), &decl); err != nil {
			return nil, fmt.Errorf("definition= is no JSON object: %w", err)
		}
		if inner, ok := decl["pipeline"].(map[string]any); ok {
			decl = inner
		}
		decl["name"] = name
		if _, ok := decl["roleArn"]; ok {
			return decl, nil
		}
		var err error
		decl["roleArn"], err = d.serviceRole(a)
		return decl, err
	}
	source, err := d.source(a)
	if err != nil {
		return nil, err
	}
	role, err := d.serviceRole(a)
	if err != nil {
		return nil, err
	}
	stages := []any{map[string]any{"name": "Source", "actions": []any{source}}}
	later := a.opt("stages", "Build,Deploy")
	for _, s := range commas(later) {
		stages = append(stages, stage(name, s))
	}
	d.stackOptions(a, stages)
	home, err := d.store(a, region, "store")
	if err != nil {
		return nil, err
	}
	decl := map[string]any{
		"name": name, "roleArn": role, "pipelineType": a.opt("type", "V2"), "executionMode": a.opt("mode", "SUPERSEDED"),
		"artifactStore": home, "stages": stages,
	}
	if err := setTriggers(a, decl); err != nil {
		return nil, err
	}
	if far := a.opt("deploy-region", ""); far != "" && far != region {
		there, err := d.store(a, far, "deploy-store")
		if err != nil {
			return nil, err
		}
		delete(decl, "artifactStore")
		decl["artifactStores"] = map[string]any{region: home, far: there}
	}
	return decl, nil
}

// source is the source action on a connection.
func (d *loader) source(a *act) (map[string]any, error) {
	if image := a.opt("image", ""); image != "" {
		return imageSource(image), nil
	}
	conn := a.opt("connection", "")
	arn := conn
	if !strings.HasPrefix(conn, "arn:") {
		if arn = d.w.arns[conn]; arn == "" {
			return nil, fmt.Errorf("there is no connection called %q by then: name one with connection=", conn)
		}
	}
	arn, err := prefixed(a, arn)
	if err != nil {
		return nil, err
	}
	repo := a.opt("repo", "")
	if repo == "" {
		return nil, fmt.Errorf("repo= is missing: the repository as ORG/NAME")
	}
	conf := map[string]any{"ConnectionArn": arn, "FullRepositoryId": repo, "BranchName": a.opt("branch", "main")}
	if f := a.opt("format", ""); f != "" {
		conf["OutputArtifactFormat"] = f
	}
	if a.opt("detect", "yes") == "no" {
		conf["DetectChanges"] = "false"
	}
	return map[string]any{
		"name": "Source", "actionTypeId": actionType("Source", "CodeStarSourceConnection"), "configuration": conf,
		"outputArtifacts": []any{map[string]any{"name": "SourceOutput"}}, "runOrder": 1, "namespace": "SourceVariables",
	}, nil
}

// setTriggers declares the triggers that triggers= has as JSON; triggers=none takes them away.
func setTriggers(a *act, decl map[string]any) error {
	switch text := a.opt("triggers", ""); text {
	case "":
	case "none":
		delete(decl, "triggers")
	default:
		var list []any
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return fmt.Errorf("triggers= is no JSON list: %w", err)
		}
		decl["triggers"] = list
	}
	return nil
}

// prefixed writes a connection's ARN with the service prefix that prefix= says, as somebody does who takes it from an old template.
func prefixed(a *act, arn string) (string, error) {
	prefix := a.opt("prefix", "")
	parts := strings.SplitN(arn, ":", 4)
	switch {
	case prefix == "":
		return arn, nil
	case prefix != "codeconnections" && prefix != "codestar-connections" || len(parts) != 4:
		return "", fmt.Errorf("prefix=%s is none of codeconnections and codestar-connections", prefix)
	}
	parts[2] = prefix
	return strings.Join(parts, ":"), nil
}

func actionType(category, provider string) map[string]any {
	return map[string]any{"category": category, "owner": "AWS", "provider": provider, "version": "1"}
}

// stage is a stage of one action. The word is the stage's name, with an action provider behind a colon where the name
// does not tell: Build and Test stages build, Approve stages wait for a person, all others deploy.
func stage(pipeline, word string) map[string]any {
	name, provider, _ := strings.Cut(word, ":")
	low := strings.ToLower(name)
	if provider == "" {
		switch {
		case strings.HasPrefix(low, "appro"):
			provider = "Manual"
		case strings.HasPrefix(low, "build"), strings.HasPrefix(low, "test"):
			provider = "CodeBuild"
		default:
			provider = "CodeDeploy"
		}
	}
	act := map[string]any{"name": name, "runOrder": 1}
	in := []any{map[string]any{"name": "SourceOutput"}}
	if custom, ok := strings.CutPrefix(provider, "Custom/"); ok {
		customAction(act, low, custom)
		act["inputArtifacts"] = in
		return map[string]any{"name": name, "actions": []any{act}}
	}
	switch provider {
	case "Manual":
		act["actionTypeId"] = actionType("Approval", provider)
	case "CodeBuild":
		act["actionTypeId"], act["inputArtifacts"] = actionType("Build", provider), in
		act["configuration"] = map[string]any{"ProjectName": pipeline + "-" + low}
	case "CloudFormation":
		act["actionTypeId"], act["inputArtifacts"] = actionType("Deploy", provider), in
		act["configuration"] = map[string]any{"ActionMode": "CREATE_UPDATE", "StackName": pipeline + "-" + low, "TemplatePath": "SourceOutput::template.yaml"}
	case "ChangeSet", "ExecuteChangeSet":
		act["actionTypeId"], act["inputArtifacts"] = actionType("Deploy", "CloudFormation"), in
		act["configuration"] = changeSet(pipeline, provider)
	case "S3":
		act["actionTypeId"], act["inputArtifacts"] = actionType("Deploy", provider), in
		act["configuration"] = map[string]any{"BucketName": pipeline + "-" + low, "Extract": "true"}
	case "Lambda":
		act["actionTypeId"] = actionType("Invoke", provider)
		act["configuration"] = map[string]any{"FunctionName": pipeline + "-" + low}
	default:
		act["actionTypeId"], act["inputArtifacts"] = actionType("Deploy", provider), in
		act["configuration"] = map[string]any{"ApplicationName": pipeline, "DeploymentGroupName": low}
	}
	return map[string]any{"name": name, "actions": []any{act}}
}

// standby makes the service role of every account whose pipelines name none. It stands before the first act, as roles
// do: one made in the same minute would not be seen yet where reads lag.
func (d *loader) standby() error {
	for _, a := range d.acts {
		if !strings.HasSuffix(a.verb, "ates") || len(a.words) == 0 || a.words[0] != "pipeline" || a.opts["role"] != "" {
			continue
		}
		k := d.c.CallerByName(a.actor)
		if k == nil || d.roles[k.Account+"/"+pipelineRole] != "" {
			continue
		}
		if err := d.makeRole(k.Account, pipelineRole, "/service-role/", trustOf(k.Account, "codepipeline")); err != nil {
			return at(a.no, err)
		}
		if err := d.lab.IAM.PutRolePolicy(k.Account, pipelineRole, "codepipeline", pipelinePolicy); err != nil {
			return at(a.no, err)
		}
	}
	return nil
}

// serviceRole is the ARN of the role a pipeline runs as.
func (d *loader) serviceRole(a *act) (string, error) {
	account := d.account
	if k := d.c.CallerByName(a.actor); k != nil {
		account = k.Account
	}
	name := a.opt("role", "")
	if strings.HasPrefix(name, "arn:") {
		return name, nil
	}
	if name == "" {
		name = pipelineRole
	}
	arn, ok := d.roles[account+"/"+name]
	if !ok {
		return "", fmt.Errorf("there is no role %q in account %s", name, account)
	}
	return arn, nil
}

// updates: ACTOR updates [pipeline] NAME [connection=] [repo=] [branch=] [role=] [stages=] [definition=], or
// ACTOR updates [host] NAME [url=] [vpc= subnets= groups= tls=]. What the line does not name stays as it is.
func (d *loader) updates(a *act) error {
	if a.skip("rule") {
		name, err := a.word("the rule's name")
		if err != nil {
			return err
		}
		a.subject = name
		return d.updatesRule(a, name)
	}
	t, err := d.thing(a, "pipeline", "host")
	if err != nil {
		return err
	}
	if t.kind == "host" {
		return d.updateHost(a, t)
	}
	out, err := d.call(a, "codepipeline", "GetPipeline", t.region, map[string]any{"name": t.name})
	if err != nil {
		return err
	}
	live, _ := onWire(out)["pipeline"].(map[string]any)
	decl := d.fromTemplate(a, t, live)
	if a.has("definition") {
		if decl, err = d.declaration(a, t.name, t.region); err != nil {
			return err
		}
	} else if err := d.patch(a, t.name, decl); err != nil {
		return err
	}
	_, err = d.call(a, "codepipeline", "UpdatePipeline", t.region, map[string]any{"pipeline": decl})
	return err
}

// patch changes what the line names in a pipeline's declaration.
func (d *loader) patch(a *act, name string, decl map[string]any) error {
	if err := d.patchStores(a, decl); err != nil {
		return err
	}
	conf := sourceConfiguration(decl)
	if conf == nil && (a.has("connection") || a.has("repo") || a.has("branch") || a.has("format")) {
		return fmt.Errorf("%s has no source action on a connection: use definition=", name)
	}
	if c := a.opt("connection", ""); c != "" {
		arn := d.resource(c)
		if arn == "" {
			return fmt.Errorf("there is no connection called %q by then", c)
		}
		var err error
		if conf["ConnectionArn"], err = prefixed(a, arn); err != nil {
			return err
		}
	}
	for key, member := range map[string]string{"repo": "FullRepositoryId", "branch": "BranchName", "format": "OutputArtifactFormat"} {
		if v := a.opt(key, ""); v != "" {
			conf[member] = v
		}
	}
	if v := a.opt("detect", ""); v != "" && conf != nil {
		conf["DetectChanges"] = map[bool]string{true: "false", false: "true"}[v == "no"]
	}
	if err := setTriggers(a, decl); err != nil {
		return err
	}
	if a.has("role") {
		arn, err := d.serviceRole(a)
		if err != nil {
			return err
		}
		decl["roleArn"] = arn
	}
	if s := a.list("stages"); len(s) > 0 {
		stages, _ := decl["stages"].([]any)
		stages = stages[:1:1]
		for _, w := range s {
			stages = append(stages, stage(name, w))
		}
		decl["stages"] = stages
	}
	stages, _ := decl["stages"].([]any)
	d.stackOptions(a, stages)
	return nil
}

// sourceConfiguration finds the configuration of the first source action on a connection.
func sourceConfiguration(decl map[string]any) map[string]any {
	stages, _ := decl["stages"].([]any)
	for _, s := range stages {
		sm, _ := s.(map[string]any)
		actions, _ := sm["actions"].([]any)
		for _, x := range actions {
			m, _ := x.(map[string]any)
			if conf, ok := m["configuration"].(map[string]any); ok && conf["ConnectionArn"] != nil {
				return conf
			}
		}
	}
	return nil
}
