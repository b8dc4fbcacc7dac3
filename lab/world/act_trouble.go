package world

import (
	"fmt"
	"time"

	"github.com/unjam/unjam/lab/svc/codepipeline"
)

// troubles: aws throttles|exhausts|disturbs SERVICE [for=] [region=] [account=]: the calls that actions of pipelines make in a service
// are refused for their rate or for a quota, or fail. disturbs codepipeline makes the actions themselves fail, in every account.
func (d *loader) troubles(a *act) error {
	if a.actor != "aws" {
		return fmt.Errorf("only aws %s services: write `aws %s ...`", a.verb, a.verb)
	}
	service, err := a.word("the service")
	if err != nil {
		return err
	}
	kind := map[string]codepipeline.Kind{"throttles": codepipeline.Throttled, "exhausts": codepipeline.Exhausted, "disturbs": codepipeline.Disturbed}[a.verb]
	if service == "codepipeline" && kind != codepipeline.Disturbed {
		return fmt.Errorf("aws %s what actions call, such as codebuild; aws disturbs codepipeline", a.verb)
	}
	def := map[codepipeline.Kind]string{codepipeline.Throttled: "10m", codepipeline.Exhausted: "1h", codepipeline.Disturbed: "2h"}[kind]
	length, err := duration(a.opt("for", def))
	if err != nil {
		return fmt.Errorf("for=: %w", err)
	}
	account, err := d.accountOf(a.line)
	if err != nil {
		return err
	}
	region := a.opt("region", d.regions[account])
	if kind == codepipeline.Disturbed && !a.has("account") {
		account = "" // AWS's own trouble is everybody's
	}
	return d.lab.Pipelines.Trouble(kind, service, account, region, length)
}

// hangs: aws hangs stage PIPELINE STAGE: what the stage's actions do from now on does not end by itself
func (d *loader) hangs(a *act) error {
	if a.actor != "aws" {
		return fmt.Errorf("only aws hangs stages: write `aws hangs stage PIPELINE STAGE`")
	}
	a.skip("stage")
	t, err := d.thing(a, "pipeline")
	if err != nil {
		return err
	}
	stage, err := a.word("the stage")
	if err != nil {
		return err
	}
	names, err := d.actionsOf(t, stage)
	for _, name := range names {
		d.lab.Pipelines.HangAction(t.account, t.region, t.name, stage, name)
	}
	return err
}

// actionsOf are the names of a stage's actions.
func (d *loader) actionsOf(t *thing, stage string) ([]string, error) {
	state, err := d.stageState(t, stage)
	if err != nil {
		return nil, err
	}
	var names []string
	actions, _ := state["actionStates"].([]any)
	for _, x := range actions {
		m, _ := x.(map[string]any)
		names = append(names, text(m, "actionName"))
	}
	return names, nil
}

// revokesToken: PERSON revokes token TEXT: GitHub takes the OAuth token no longer
func (d *loader) revokesToken(a *act) error {
	if !a.skip("token") {
		return d.grants(a)
	}
	if _, err := d.login(a); err != nil {
		return err
	}
	token, err := a.word("the token")
	if err != nil {
		return err
	}
	d.lab.Pipelines.RevokeToken(token)
	return nil
}

// maxPolls bounds what one line makes of calls.
const maxPolls = 20_000

// polls: CALLER polls NAME [every=30s] [for=1h]: GetPipelineState, GetConnection or GetHost, again and again
func (d *loader) polls(a *act) error {
	t, err := d.thing(a, "pipeline", "connection", "host")
	if err != nil {
		return err
	}
	every, err := duration(a.opt("every", "30s"))
	if err != nil {
		return fmt.Errorf("every=: %w", err)
	}
	length, err := duration(a.opt("for", "1h"))
	if err != nil {
		return fmt.Errorf("for=: %w", err)
	}
	if every < time.Second || length/every > maxPolls {
		return fmt.Errorf("every=%s for=%s is more than the %d calls that a line may make", a.opt("every", "30s"), a.opt("for", "1h"), maxPolls)
	}
	service, op, in := t.api, "GetConnection", map[string]any{"ConnectionArn": t.arn}
	switch t.kind {
	case "pipeline":
		service, op, in = "codepipeline", "GetPipelineState", map[string]any{"name": t.name}
	case "host":
		op, in = "GetHost", map[string]any{"HostArn": t.arn}
	}
	first := d.c.Now()
	_, err = d.call(a, service, op, t.region, in)
	for after := every; after < length; after += every {
		d.c.At(first.Add(after), func() {
			if _, err := d.call(a, service, op, t.region, in); err != nil {
				return // a refused call leaves its event, too: whoever polls goes on
			}
		})
	}
	return err
}
