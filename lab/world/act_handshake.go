package world

import (
	"fmt"
	"slices"

	"github.com/unjam/unjam/lab/svc/connections"
)

// handshakes: ACTOR completes|begins|attempts handshake CONNECTION [as=LOGIN] [org=ORG] [repos=] [stop=STEP]
// completes demands that it ends AVAILABLE, begins that it does not, attempts takes whatever comes of it: whether AWS
// refuses a step follows from the actor's policies, whether the provider does from who owns the organisation.
func (d *loader) handshakes(a *act) error {
	t, err := d.thing(a, "connection")
	if err != nil {
		return err
	}
	p, err := d.person(a)
	if err != nil {
		return err
	}
	try, err := d.attempt(a, t)
	if err != nil {
		return err
	}
	outcome, err := d.lab.Connections.Handshake(p, t.arn, try)
	switch {
	case a.verb == "attempts":
		if a.expect == "" {
			return nil
		}
	case a.verb == "completes" && outcome != connections.Completed && outcome != connections.Denied:
		return fmt.Errorf("the handshake of %s ends %s, not completed: %v", t.name, outcome, err)
	case a.verb == "begins" && outcome == connections.Completed:
		return fmt.Errorf("the handshake of %s was completed; say stop= or write `completes`", t.name)
	case a.verb == "begins" && slices.Contains(unfinished(), outcome):
		return nil
	}
	return err
}

// unfinished are the ways a handshake can begin and lead nowhere without AWS refusing anything.
func unfinished() []connections.Outcome {
	return []connections.Outcome{connections.Left, connections.OwnerNeeded, connections.NoSuchOrg}
}

func (d *loader) attempt(a *act, t *thing) (connections.Attempt, error) {
	try := connections.Attempt{Login: a.opt("as", ""), Org: a.opt("org", ""), Repos: a.list("repos"), Stop: connections.Step(a.opt("stop", ""))}
	steps := []connections.Step{"", connections.Opened, connections.Authorized, connections.Listed, connections.Installed}
	if !slices.Contains(steps, try.Stop) {
		return try, fmt.Errorf("stop= is opened, authorized, listed or installed, not %q", try.Stop)
	}
	k, ok := d.lab.Connections.Lookup(t.arn)
	if !ok && a.verb != "attempts" {
		return try, fmt.Errorf("%s no longer exists", t.name)
	}
	orgs := d.lab.Git.Orgs(k.ProviderType)
	if try.Org == "" {
		if len(orgs) != 1 {
			return try, fmt.Errorf("org= is missing: %s has %d organisations here", k.ProviderType, len(orgs))
		}
		try.Org = orgs[0].Name
	}
	if try.Login != "" && !d.w.people[try.Login] {
		return try, fmt.Errorf("nobody at a provider has the login %q", try.Login)
	}
	if try.Login == "" && d.w.people[a.actor] {
		try.Login = a.actor
	}
	return try, nil
}

// person is the actor at the console: a browser, whatever tool the caller uses otherwise.
func (d *loader) person(a *act) (connections.Person, error) {
	k, err := d.caller(a)
	if err != nil {
		return connections.Person{}, err
	}
	o, err := originOf(&line{opts: map[string]string{"agent": "console"}, used: map[string]bool{}})
	if from := d.origins[k.Name]; err == nil && from.tool == "console" {
		o = from
	}
	return connections.Person{Principal: k.Principal, Origin: o.Origin}, err
}

// sets: ACTOR sets up [host] HOST [as=LOGIN]; aws sets SETTING=VALUE ... changes the lab's settings from then on.
func (d *loader) sets(a *act) error {
	if a.skip("endpoint") {
		return d.setsEndpoint(a)
	}
	if !a.skip("up") {
		if a.actor != "aws" {
			return fmt.Errorf("only aws changes settings; did you mean `sets up HOST`?")
		}
		return d.set(a.line)
	}
	t, err := d.thing(a, "host")
	if err != nil {
		return err
	}
	p, err := d.person(a)
	if err != nil {
		return err
	}
	login := a.opt("as", a.actor)
	if !d.w.people[login] {
		return fmt.Errorf("nobody at a provider has the login %q; name one with as=", login)
	}
	outcome, err := d.lab.Connections.SetupHost(p, t.arn, login)
	if err == nil && outcome != connections.Completed {
		return fmt.Errorf("setting up %s ends %s", t.name, outcome)
	}
	return err
}

// breaks: aws breaks CONNECTION|HOST (its status becomes ERROR), aws breaks vpc VPC "message" (host set-ups in it
// fail), aws breaks stage PIPELINE STAGE ["message"] (what it builds or deploys fails); aws heals undoes the same.
func (d *loader) breaks(a *act) error {
	if a.skip("resource") {
		return d.hinders(a)
	}
	if a.actor != "aws" {
		return fmt.Errorf("only aws %s things: write `aws %s ...`", a.verb, a.verb)
	}
	switch {
	case a.skip("vpc"):
		return d.breaksVPC(a)
	case a.skip("stage"):
		return d.breaksStage(a)
	}
	t, err := d.thing(a, "connection", "host")
	if err != nil {
		return err
	}
	switch {
	case t.kind == "host" && a.verb == "breaks":
		return d.lab.Connections.BreakHost(t.arn)
	case t.kind == "host":
		return fmt.Errorf("a broken host cannot be healed: delete it and create it again")
	case a.verb == "breaks":
		return d.lab.Connections.Break(t.arn)
	}
	return d.lab.Connections.Heal(t.arn)
}

func (d *loader) breaksVPC(a *act) error {
	vpc, err := a.word("the VPC's ID")
	if err != nil {
		return err
	}
	account, err := d.accountOf(a.line)
	if err != nil {
		return err
	}
	message := ""
	if a.verb == "breaks" {
		message = "The VPC configuration could not be initialized."
		if len(a.words) > 0 {
			message, _ = a.word("the message")
		}
	}
	d.lab.Connections.BreakVPC(account, vpc, message)
	return nil
}
