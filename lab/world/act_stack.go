package world

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/cloudformation"
)

// addStack: stack NAME [resources=ID:TYPE,...] [certificates=ID:CERTIFICATE,...] [template=PATH] [region=] [account=]: what the template of a
// stack holds that pipelines and people deploy. What stands within a nested stack has its ID and a slash before its own.
func (d *loader) addStack(l *line) error {
	name, err := l.word("the stack's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	t := cloudformation.Template{Path: l.opt("template", "")}
	served := map[string]string{} // resource to the certificate that it serves
	for _, c := range l.list("certificates") {
		path, cert, named := strings.Cut(c, ":")
		if !named {
			return fmt.Errorf("certificates=%s: write ID:CERTIFICATE, HTTPS:shop for example", c)
		}
		served[path] = cert
	}
	for _, r := range l.list("resources") {
		path, kind, typed := strings.Cut(r, ":")
		if !typed {
			return fmt.Errorf("resources=%s: write ID:TYPE, Assets:AWS::S3::Bucket for example", r)
		}
		i := strings.LastIndexByte(path, '/')
		r := cloudformation.Declared{Within: path[:max(i, 0)], Logical: path[i+1:], Type: kind}
		if cert, ok := served[path]; ok {
			r.Refused = func() string { return d.unserved(cert) }
			delete(served, path)
		}
		t.Resources = append(t.Resources, r)
	}
	for path := range served {
		return fmt.Errorf("certificates=%s: resources= has no %s", path, path)
	}
	if len(t.Resources) == 0 {
		return fmt.Errorf("resources= is missing: what the template of %s holds", name)
	}
	region := l.opt("region", d.regions[account])
	d.stacks = append(d.stacks, stackPlace{name, account, region})
	d.w.arns[name] = d.lab.Stacks.ID(account, region, name)
	return d.lab.Stacks.Declare(account, region, name, t)
}

// stackPlace is where the stack of a stack line is.
type stackPlace struct{ name, account, region string }

// hinders: ACTOR breaks resource STACK/ID name-taken|quota|invalid|gone|not-empty|slow ["text"]; heals resource STACK/ID: what is in the
// way of a resource that the template of a stack line declares
func (d *loader) hinders(a *act) error {
	path, err := a.word("STACK/ID of the resource")
	if err != nil {
		return err
	}
	name, resource, _ := strings.Cut(path, "/")
	i := slices.IndexFunc(d.stacks, func(p stackPlace) bool {
		return p.name == name && a.opts["region"] == "" || p.name == name && p.region == a.opts["region"]
	})
	if i < 0 {
		return fmt.Errorf("no stack line is about %q", name)
	}
	a.opt("region", "")
	kind, words := "", ""
	if a.verb == "breaks" {
		if kind, err = a.word("what is in its way"); err != nil {
			return err
		}
		if len(a.words) > 0 {
			words, _ = a.word("what the service says")
		}
	}
	return d.lab.Stacks.Hinder(d.stacks[i].account, d.stacks[i].region, name, resource, cloudformation.Hindrance(kind), words)
}

// continues: CALLER continues rollback STACK [skip=ID,...] [region=]: ContinueUpdateRollback
func (d *loader) continues(a *act) error {
	if !a.skip("rollback") {
		return fmt.Errorf("what is continued? write `continues rollback STACK`")
	}
	stack, err := a.word("the stack's name")
	if err != nil {
		return err
	}
	in := map[string]any{"StackName": stack}
	if skip := a.list("skip"); len(skip) > 0 {
		in["ResourcesToSkip"] = skip
	}
	_, err = d.call(a, "cloudformation", "ContinueUpdateRollback", d.regionOf(a), in)
	return err
}

// deploys: CALLER deploys stack NAME [role=] [capabilities=] [region=]: CreateStack, or UpdateStack when it exists, by hand
func (d *loader) deploys(a *act) error {
	in, err := d.stackName(a)
	if err != nil {
		return err
	}
	in["TemplateBody"], in["Capabilities"] = "{}", a.list("capabilities")
	if role := a.opt("role", ""); role != "" {
		in["RoleARN"] = d.named(role)
	}
	k, err := d.caller(a)
	if err != nil {
		return err
	}
	region, op := d.regionOf(a), "CreateStack"
	if d.lab.Stacks.Exists(k.Account, region, in["StackName"].(string)) {
		op = "UpdateStack"
	}
	_, err = d.call(a, "cloudformation", op, region, in)
	return err
}

// deletesStack: CALLER deletes stack NAME [region=]: DeleteStack
func (d *loader) deletesStack(a *act) error {
	in, err := d.stackName(a)
	if err != nil {
		return err
	}
	_, err = d.call(a, "cloudformation", "DeleteStack", d.regionOf(a), in)
	return err
}

func (d *loader) stackName(a *act) (map[string]any, error) {
	if !a.skip("stack") {
		return nil, fmt.Errorf("what is it about? write `%s stack NAME`", a.verb)
	}
	name, err := a.word("the stack's name")
	return map[string]any{"StackName": name}, err
}

// stackOf is the ARN of the stack that a caller's calls are made for; "" for a caller who is no stack's. Roles have no Region: they
// belong to the stack in the account's first one.
func (d *loader) stackOf(k *cloud.Caller, service, region string) string {
	stack := d.origins[k.Name].stack
	if stack == "" {
		return ""
	}
	if svc := d.c.Service(service); svc != nil && svc.Global {
		region = d.regions[k.Account]
	}
	return d.lab.Stacks.ID(k.Account, region, stack)
}

// fromTemplate is a pipeline's declaration as the acting stack's template has it; live when the actor is no stack's or the stack
// does not own the pipeline. CloudFormation writes what the template says, whatever became of the pipeline since.
func (d *loader) fromTemplate(a *act, t *thing, live map[string]any) map[string]any {
	if k := d.c.CallerByName(a.actor); k != nil {
		if own := d.lab.Stacks.Declaration(d.stackOf(k, "codepipeline", t.region), t.name); own != nil {
			return own
		}
	}
	return live
}

// detects: CALLER detects drift STACK [region=]: a drift detection, which is over some seconds later
func (d *loader) detects(a *act) error {
	if !a.skip("drift") {
		return fmt.Errorf("what is detected? write `detects drift STACK`")
	}
	stack, err := a.word("the stack's name")
	if err != nil {
		return err
	}
	a.subject = stack
	_, err = d.call(a, "cloudformation", "DetectStackDrift", d.regionOf(a), map[string]any{"StackName": stack})
	return err
}

// changeSet configures an action that makes a change set, or executes it.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
func changeSet(pipeline, word string) map[string]any {
	conf := map[string]any{"StackName": pipeline + "-stack", "ChangeSetName": pipeline + "-changes", "ActionMode": "CHANGE_SET_EXECUTE"}
	if word == "ChangeSet" {
		conf["ActionMode"], conf["TemplatePath"] = "CHANGE_SET_REPLACE", "SourceOutput::template.yaml"
	}
	return conf
}

// stackOptions sets what a line says about the CloudFormation actions of a pipeline: [stack=NAME] [stack-role=ROLE] [stack-mode=MODE]
// [stack-template=PATH] [capabilities=] of all of them, and [deploy-role=ROLE] [deploy-region=], where they deploy.
func (d *loader) stackOptions(a *act, stages []any) {
	for _, conf := range []string{"stack", "stack-role", "stack-mode", "stack-template", "capabilities", "deploy-role", "deploy-region"} {
		a.has(conf)
	}
	for _, s := range stages {
		m, _ := s.(map[string]any)
		actions, _ := m["actions"].([]any)
		for _, x := range actions {
			action, _ := x.(map[string]any)
			kind, _ := action["actionTypeId"].(map[string]any)
			conf, ok := action["configuration"].(map[string]any)
			if kind["provider"] == "CloudFormation" && ok {
				d.stackOption(a, action, conf)
			}
			if kind["category"] == "Deploy" {
				d.deployOption(a, action)
			}
		}
	}
}

func (d *loader) stackOption(a *act, action, conf map[string]any) {
	for option, member := range map[string]string{"stack": "StackName", "stack-mode": "ActionMode", "capabilities": "Capabilities"} {
		if v := a.opt(option, ""); v != "" {
			conf[member] = v
		}
	}
	if v := a.opt("stack-role", ""); v != "" {
		conf["RoleArn"] = d.named(v)
	}
	if v := a.opt("stack-template", ""); v != "" && conf["TemplatePath"] != nil {
		conf["TemplatePath"] = "SourceOutput::" + v
	}
}

// deployOption sets where an action deploys, and the role that it assumes.
func (d *loader) deployOption(a *act, action map[string]any) {
	if v := a.opt("deploy-role", ""); v != "" {
		action["roleArn"] = d.named(v)
	}
	if v := a.opt("deploy-region", ""); v != "" {
		action["region"] = v
	}
}
