package world

import (
	"fmt"
	"strings"
)

// customType is a custom action type as lines name it: PROVIDER [category=] [version=].
type customType struct{ category, provider, version string }

func customTypeOf(l *line) (customType, error) {
	provider, err := l.word("the provider of the action type")
	if err != nil {
		return customType{}, err
	}
	return customType{l.opt("category", "Build"), provider, l.opt("version", "1")}, nil
}

// addActionType: actiontype PROVIDER [category=Build] [version=1] [properties=] [region=] [account=]: a custom action type of the account,
// older than all that happens, with a worker that polls for its jobs
func (d *loader) addActionType(l *line) error {
	t, err := customTypeOf(l)
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	d.lab.Pipelines.RegisterActionType(account, l.opt("region", d.regions[account]), t.category, t.provider, t.version, l.list("properties")...)
	return nil
}

// actionTypes: ACTOR registers action type PROVIDER [category=] [version=] [region=]; deletes action type PROVIDER ...
func (d *loader) actionTypes(a *act) error {
	a.skip("action")
	a.skip("type")
	t, err := customTypeOf(a.line)
	if err != nil {
		return err
	}
	region := d.regionOf(a)
	in := map[string]any{"category": t.category, "provider": t.provider, "version": t.version}
	if a.verb == "deletes" {
		_, err = d.call(a, "codepipeline", "DeleteCustomActionType", region, in)
		return err
	}
	counts := map[string]any{"minimumCount": 0, "maximumCount": 5}
	in["inputArtifactDetails"], in["outputArtifactDetails"] = counts, counts
	_, err = d.call(a, "codepipeline", "CreateCustomActionType", region, in)
	return err
}

// workers: ANYBODY stops worker PROVIDER [category=] [region=]; starts worker PROVIDER ...: nobody polls for the jobs of the provider's types
// any more, or somebody does again. It is a machine of the team's own: no call, no event.
func (d *loader) workers(a *act) error {
	t, err := customTypeOf(a.line)
	if err != nil {
		return err
	}
	account := d.account
	if k := d.c.CallerByName(a.actor); k != nil {
		account = k.Account
	}
	if !d.lab.Pipelines.SetWorker(account, d.regionOf(a), t.category, t.provider, a.verb == "starts") {
		return fmt.Errorf("there is no action type of the category %s and the provider %s by then", t.category, t.provider)
	}
	return nil
}

// customAction fills in an action of a custom type, PROVIDER[/VERSION][@REGION]: Build or Test by the stage's name, else Deploy.
func customAction(act map[string]any, stage, word string) {
	word, region, far := strings.Cut(word, "@")
	provider, version, ok := strings.Cut(word, "/")
	if !ok {
		version = "1"
	}
	category := "Deploy"
	for _, c := range []string{"Build", "Test"} {
		if strings.HasPrefix(stage, strings.ToLower(c)) {
			category = c
		}
	}
	act["actionTypeId"] = map[string]any{"category": category, "owner": "Custom", "provider": provider, "version": version}
	act["configuration"] = map[string]any{"ProjectName": stage}
	if far {
		act["region"] = region
	}
}
