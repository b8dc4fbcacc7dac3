package codepipeline

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/unjam/unjam/lab/cloud"
)

// outcome is how an action ended; code "" is success.
type outcome struct {
	code, message string
	summary       string
	external      string
	revision      *revision
	variables     map[string]any
	// later, when set, tells how the action ended as soon as it has: what it began goes on by itself.
	later func() (outcome, bool)
}

// perform does what an action does, at the time it ends.
func (p *pipeline) perform(run *actionRun) outcome {
	if o := p.disturbed(run); o != nil {
		return *o
	}
	role, o := p.assume(run)
	if o != nil {
		return *o
	}
	f, fails := p.s.fails[failKey(p.account, p.region, p.name, run.stage, run.name)]
	if fails && run.decl.typeOf("category") == "Source" {
		return outcome{code: f.Code, message: f.Message}
	}
	if run.decl.isConnection() {
		got := p.fetch(run, role)
		if got.code == "" {
			if o := p.deposit(run, role); o != nil {
				return *o
			}
		}
		return got
	}
	if run.decl.isImage() && p.s.images != nil {
		return p.pull(run, role)
	}
	if run.decl.isOAuth() && !p.opens(run) {
		return outcome{code: "PermissionError", message: "Could not access the GitHub repository"}
	}
	account, region := role.Account, p.region
	if r, _ := run.decl["region"].(string); r != "" {
		region = r
	}
	if o := p.withdraw(run, role, region); o != nil {
		return *o
	}
	if run.decl.typeOf("category") == "Source" {
		if o := p.deposit(run, role); o != nil {
			return *o
		}
	}
	for _, k := range p.calls(run.decl, account, region) {
		if o := p.s.make(k, role, account, region); o != nil {
			return *o
		}
	}
	if fails { // what it started does not succeed
		return outcome{code: f.Code, message: f.Message}
	}
	if run.decl.typeOf("provider") == "CloudFormation" && p.s.stacks != nil {
		return p.deploy(run, role, region)
	}
	if run.decl.typeOf("provider") == "CodeBuild" && p.s.builds != nil {
		return p.build(run, account, region)
	}
	return outcome{external: p.s.c.UUID(), summary: run.decl.typeOf("provider") + " succeeded"}
}

// build runs the project of a CodeBuild action. With a full clone of the source the build itself fetches the repository.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-github-gitclone.html
func (p *pipeline) build(run *actionRun, account, region string) outcome {
	connection, repo := "", ""
	if conf := p.cloned(run); conf != nil {
		connection, repo = conf["ConnectionArn"], conf["FullRepositoryId"]
	}
	id, failed := p.s.builds.Build(account, region, run.decl.configuration()["ProjectName"], connection, repo)
	if failed != nil {
		return outcome{code: failed.Code, message: failed.Message, external: id}
	}
	return outcome{external: id, summary: "CodeBuild succeeded"}
}

// cloned is the configuration of the source action whose output is a full clone and an input of an action's run; nil when there is
// none.
func (p *pipeline) cloned(run *actionRun) map[string]string {
	names, actions := stagesOf(p.versions[run.e.version-1].decl)
	for _, n := range names {
		for _, a := range actions[n] {
			conf := a.configuration()
			if !a.isConnection() || conf["OutputArtifactFormat"] != "CODEBUILD_CLONE_REF" {
				continue
			}
			for _, name := range artifacts(run.decl["inputArtifacts"]) {
				if slices.Contains(artifacts(a["outputArtifacts"]), name) {
					return conf
				}
			}
		}
	}
	return nil
}

// artifacts are the names in a list of artifacts.
func artifacts(list any) []string {
	var all []string
	entries, _ := list.([]any)
	for _, x := range entries {
		m, _ := x.(map[string]any)
		name, _ := m["name"].(string)
		all = append(all, name)
	}
	return all
}

// assume takes on the role of the pipeline and, from there, the role of the action where it has its own, which another account may
// own.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html
func (p *pipeline) assume(run *actionRun) (cloud.Principal, *outcome) {
	arn, _ := p.versions[run.e.version-1].decl["roleArn"].(string)
	session := sessionOf(run.e.id)
	role, _ := p.s.roles.RolePrincipalByARN(arn, session)
	first := len(run.e.actions) > 0 && run.e.actions[0] == run
	service := cloud.Principal{Type: "AWSService", Account: p.account, ARN: principal}
	if !p.s.assumable(p.account, arn) {
		text := fmt.Sprintf("CodePipeline is not authorized to perform AssumeRole on role %s", arn)
		p.s.assumed(service, arn, session, p.region, cloud.Errorf(cloud.AccessDenied, "%s", text))
		return role, &outcome{code: "PermissionError", message: text}
	}
	if first { // a run goes on with the session it has
		p.s.assumed(service, arn, session, p.region, nil)
	}
	own, _ := run.decl["roleArn"].(string)
	if own == "" {
		return role, nil
	}
	theirs, exists := p.s.roles.RolePrincipalByARN(own, session)
	if d := p.s.roles.MayAssume(role, own); !d.Allowed || !exists {
		err := cloud.Denied(role, cloud.Access{Action: "sts:AssumeRole", Resource: own}, d)
		p.s.assumed(role, own, session, p.region, err)
		return theirs, &outcome{code: "PermissionError", message: err.Message}
	}
	p.s.assumed(role, own, session, p.region, nil)
	return theirs, nil
}

// sessionOf is the name of the role session of a run: a number.
func sessionOf(id string) string {
	n, err := strconv.ParseUint(id[:8], 16, 64)
	if err != nil { // IDs of runs begin with eight hexadecimal digits
		return id
	}
	return fmt.Sprintf("17%011d", n)
}

// fetch reads the branch through the connection.
func (p *pipeline) fetch(run *actionRun, role cloud.Principal) outcome {
	conf, pin := run.decl.configuration(), run.e.inputs.pins[run.name]
	if pin.branch != "" {
		conf["BranchName"] = pin.branch
	}
	commit, err := p.s.conns.Fetch(role, p.region, conf["ConnectionArn"], conf["FullRepositoryId"], conf["BranchName"])
	if err != nil {
		return outcome{code: err.Code, message: err.Message}
	}
	artifact := ""
	if outs, _ := run.decl["outputArtifacts"].([]any); len(outs) > 0 {
		m, _ := outs[0].(map[string]any)
		artifact, _ = m["name"].(string)
	}
	id := commit.ID
	if pin.commit != "" {
		id = pin.commit
	}
	return outcome{
		summary:  commit.Message,
		revision: &revision{run.name, artifact, id, commit.Message, commit.URL, commit.At},
		variables: map[string]any{"CommitId": id, "CommitMessage": commit.Message, "BranchName": conf["BranchName"],
			"FullRepositoryName": conf["FullRepositoryId"], "ConnectionArn": conf["ConnectionArn"], "AuthorDate": commit.At.UTC().Format("2006-01-02T15:04:05Z")},
	}
}
