package connectionpending

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// patience is how long a plan waits for a person: long enough for a weekend.
const patience = 72 * time.Hour

// draft is the repair: by the handshake, or by another connection where one could serve and that is wished.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	c, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, f.Subject.ARN))
	if !ok {
		return plan.Draft{}
	}
	by := handshake(s, f, c, o)
	if o.Strategy == plan.Handshake && o.Reuse == "" {
		return by
	}
	r := fault.Reuse{Connection: c, Code: f.Code, Alternatives: f.Details.Alternatives, Options: o}
	other, why := r.Draft(s)
	switch wished := o.Strategy == plan.Reuse || o.Reuse != ""; {
	case wished && why != "":
		return plan.Draft{Notes: []string{fmt.Sprintf("Not planned with another connection in place of %s: %s.", c.Name, why)}}
	case wished:
		other.Notes = append([]string{costs(by, other, r.Label(s))}, other.Notes...)
		return other
	case why == "":
		by.Strategy = plan.Handshake
		by.Notes = append(by.Notes, costs(by, other, r.Label(s)))
	case len(f.Details.Alternatives) > 0:
		by.Notes = append(by.Notes, fmt.Sprintf("No other connection can serve instead (--strategy reuse): %s.", why))
	}
	return by
}

// handshake is the repair by a person, who completes the handshake: the machine sees it, then every waiting pipeline runs again.
func handshake(s *fact.Snapshot, f fault.Finding, c fact.Connection, o plan.Options) plan.Draft {
	ref := c.Ref()
	var d plan.Draft
	id := "handshake-" + f.Subject.Name
	status := func(op plan.Op, v string) plan.Check { return plan.Check{Ref: ref, Field: "status", Op: op, Value: v} }
	title := fmt.Sprintf("complete the handshake of %s at %s", c.Name, c.Provider)
	if a, err := fact.ParseARN(c.ARN); err == nil && f.Cause.Code == ownedElsewhere {
		title = fmt.Sprintf("have account %s complete the handshake of %s at %s", a.Account, c.Name, c.Provider)
	}
	human := plan.Step{
		ID: id, Title: title, Kind: plan.Human, Target: ref,
		Say:      guide(s, f, c),
		SkipWhen: []plan.Check{status(plan.Is, fact.StatusAvailable)},
		DoneWhen: []plan.Check{status(plan.Is, fact.StatusAvailable)},
		FailWhen: []plan.Check{status(plan.Is, fact.StatusError), {Ref: ref, Op: plan.Absent}},
		OneWay:   "no API takes a handshake back: the connection could only be deleted",
		Patience: patience,
	}
	for _, p := range fault.Known(s, c.ARN) {
		human.Blast = append(human.Blast, plan.Effect{What: fmt.Sprintf("%s can fetch %s from then on, and pushes may start it", p.Name, repositories(p, c.ARN))})
	}
	beside, missed, _ := fault.Radius(s, ref)
	human.Blast = append(human.Blast, beside...)
	d.Steps = append(d.Steps, human)
	d.Steps = append(d.Steps, plan.Step{
		ID: "verify-" + f.Subject.Name, Title: "the diagnosis again: " + c.Name + " no longer waits", Kind: plan.Verify, Target: ref,
		After: []string{id}, Verdict: string(f.Code), Patience: 5 * time.Minute,
	})
	updated := map[string]string{}
	if o.Rehook {
		for _, p := range fault.Known(s, c.ARN) {
			step, lost := fault.Rehook(s, p)
			step.After = []string{id}
			d.Steps = append(d.Steps, step)
			updated[p.ARN] = step.ID
			missed = append(missed, lost...)
		}
	}
	r := fault.Restart{Connection: c.ARN, After: id, Updated: updated, Options: o}
	restarts, notes := r.Steps(s)
	d.Steps = append(d.Steps, restarts...)
	d.Notes = append(d.Notes, notes...)
	if len(f.Affects) > 0 && !o.Rehook {
		d.Notes = append(d.Notes, "A pipeline that was created while its connection was PENDING often does not start at pushes even afterwards. Push once and look; --rehook plans an update without a change, which makes the webhook anew.")
	}
	if note := fault.NotSeen(missed); note != "" {
		d.Notes = append(d.Notes, note)
	}
	return d
}

func repositories(p fact.Pipeline, arn string) string {
	var all []string
	for _, a := range p.Sources {
		if a.Connection == arn && !contains(all, a.Repository) {
			all = append(all, a.Repository)
		}
	}
	return strings.Join(all, ", ")
}

// guide tells a person how to complete the handshake: where, as whom, in which order.
func guide(s *fact.Snapshot, f fault.Finding, c fact.Connection) *plan.Guide {
	a, _ := fact.ParseARN(c.ARN)
	g := &plan.Guide{
		Link:   fault.ConnectionLink(s.Question(), c.ARN),
		Where:  fmt.Sprintf("account %s, Region %s", a.Account, a.Region),
		Role:   roleToUse(f),
		Policy: op.HandshakePolicy(c.Provider, c.ARN),
	}
	if f.Cause.Code == hostNotReady {
		g.Checklist = append(g.Checklist, hostStep(s, c))
	}
	if f.Cause.Code == ownedElsewhere {
		g.Role = "somebody in account " + a.Account + " with the rights below"
		g.Checklist = append(g.Checklist, "Send the message below to whoever administers account "+a.Account+": only there can the connection be completed. The rest is what they do.")
	}
	step, lifts := above(s, f, c)
	if step != "" {
		g.Checklist = append(g.Checklist, step)
	}
	g.Checklist = append(g.Checklist,
		"Be in the account and Region above, allow pop-ups and third-party cookies for the console.",
		`Open the link and choose "Update pending connection". Do not create a new connection: that makes a second one.`,
		providerStep(c.Provider, owners(s, c)),
		"Choose the existing app installation if one is listed, otherwise install the app and give it "+owners(s, c)+".",
		`Press "Connect" and stay until the console shows "Available".`,
	)
	if lifts {
		g.Ask = fmt.Sprintf("unjam permissions --for handshake --connection %s --provider %s", c.ARN, c.Provider)
	} else {
		g.Policy = ""
	}
	g.Handover = handover(s, f, c, g)
	return g
}

// hostStep says which host is to be set up, and where: the tab Hosts of the Region's settings. A page for one host is not documented
// (docs/aws-facts.md, "Console links").
func hostStep(s *fact.Snapshot, c fact.Connection) string {
	name := "the host"
	if h, _ := hostOf(s, c); h != nil {
		name = fmt.Sprintf("host %q (%s)", h.Name, h.Endpoint)
	}
	a, _ := fact.ParseARN(c.HostARN)
	return fmt.Sprintf("Set up %s first, with its administrator at the provider, on the tab Hosts of %s", name, fault.ConnectionsLink(s.Question(), a.Region))
}

// above says what to ask for where a policy says no that no policy of a role or user outweighs: a Deny, an organisation's policy, a
// boundary. "" when there is none; lifts reports whether a policy to ask for helps.
func above(s *fact.Snapshot, f fault.Finding, c fact.Connection) (step string, lifts bool) {
	d, of := fact.Denial{}, ""
	if t := readTrail(s, c); f.Cause.Code == handshakeDenied && t.denied != nil {
		d, _ = fact.ParseDenial(t.denied.Error)
		of = " of " + t.denied.Who.Label()
	}
	if d.By == "" {
		d.By = inTheWay(f)
	}
	if d.By == "" || d.By == "identity-based policy" && !d.Explicit {
		return "", true
	}
	name, what, or := strings.TrimSpace(d.By+" "+d.Policy), "the handshake", "Ask"
	if d.Action != "" {
		what = d.Action
	}
	if slices.ContainsFunc(f.Details.WhoCan, func(w fault.WhoCan) bool { return w.Allowed }) {
		or = "Be the one above, or ask"
	}
	return fmt.Sprintf("The %s stands in the way%s. %s whoever owns it to allow %s; no policy that is added to a role or user lifts it.", name, of, or, what), false
}

// inTheWay is the policy type above roles and users that stands in the way of everybody who was simulated; "" when there is none.
func inTheWay(f fault.Finding) string {
	by := ""
	for _, w := range f.Details.WhoCan {
		if w.Allowed || (w.By != "service control policy" && w.By != "permissions boundary") {
			return ""
		}
		by = w.By
	}
	return by
}

// roleToUse names somebody who may, as far as simulation can tell.
func roleToUse(f fault.Finding) string {
	for _, w := range f.Details.WhoCan {
		if w.Allowed {
			a, _ := fact.ParseARN(w.ARN)
			name := a.Name()
			if set := fact.PermissionSet(name); set != "" {
				return "IAM Identity Center permission set " + set + " (simulated: allowed)"
			}
			return name + " (simulated: allowed)"
		}
	}
	if by := inTheWay(f); by != "" {
		return "nobody that was simulated may do it: a " + by + " is in the way"
	}
	if len(f.Details.WhoCan) > 0 {
		return "nobody that was simulated may do it: ask for the rights below"
	}
	return "anyone with the rights below"
}

// owners are the repositories the app must be given.
func owners(s *fact.Snapshot, c fact.Connection) string {
	var all []string
	for _, p := range fault.Known(s, c.ARN) {
		for _, a := range p.Sources {
			if a.Connection == c.ARN && a.Repository != "" && !contains(all, a.Repository) {
				all = append(all, a.Repository)
			}
		}
	}
	if len(all) == 0 {
		return "the repository the pipelines use"
	}
	return strings.Join(all, ", ")
}

// providerStep is what the provider asks of the person (docs/aws-facts.md, "Who can complete a handshake").
func providerStep(provider, repos string) string {
	switch provider {
	case "GitHub":
		return "Sign in at GitHub as an owner of the organisation behind " + repos + `. Anyone else only files a request ("AWS Connector for GitHub") that an owner must approve.`
	case "Bitbucket":
		return "Sign in at Bitbucket Cloud as an administrator of the workspace behind " + repos + ` and choose "Grant access".`
	case "GitLab":
		return "Sign in at GitLab.com with the Owner role on " + repos + "."
	case "GitLabSelfManaged":
		return "Sign in at your GitLab with the Owner role on " + repos + "; its host must be AVAILABLE."
	case "GitHubEnterpriseServer":
		return "Sign in at your GitHub Enterprise Server as an administrator; its host must be AVAILABLE."
	case "AzureDevOps":
		return "Sign in with a Microsoft account that may authorise apps for the organisation behind " + repos + "."
	}
	return "Sign in at " + provider + " with the right to install apps for " + repos + "."
}

// handover is a message for the provider's owner, who may have no access to AWS at all, or for the account that owns the connection.
func handover(s *fact.Snapshot, f fault.Finding, c fact.Connection, g *plan.Guide) string {
	if f.Cause.Code == ownedElsewhere {
		a, _ := fact.ParseARN(c.ARN)
		return fmt.Sprintf("Our pipelines in account %s stand still: the connection %q (%s), which you share with us, waits for its handshake, and no API can complete it. "+
			"Please sign in to %s, open %s and choose \"Update pending connection\"; at %s be an owner of what is behind %s. It takes the permissions %s.",
			s.Question().Account, c.Name, c.ARN, g.Where, g.Link, c.Provider, owners(s, c), a.Service+":"+strings.Join(op.Handshake(), ", "+a.Service+":"))
	}
	app := "the AWS app"
	if c.Provider == "GitHub" {
		app = `the app "AWS Connector for GitHub" (https://github.com/marketplace/aws-connector-for-github)`
	}
	return fmt.Sprintf("Our deployments from %s stand still: AWS needs %s to be installed at %s with access to %s. "+
		"If there is a pending request, please approve it; otherwise please join the person who completes the connection %q in AWS. You need no AWS account for the approval.",
		owners(s, c), app, c.Provider, owners(s, c), c.Name)
}

// costs compares the two ways in one sentence.
func costs(handshake, reuse plan.Draft, now string) string {
	count := func(d plan.Draft, operation string) int {
		n := 0
		for _, s := range d.Steps {
			if s.Do != nil && s.Do.Operation == operation {
				n++
			}
		}
		return n
	}
	other := fault.Plural(count(reuse, "UpdatePipeline"), "pipeline update") + " (runs in flight end)"
	if n := count(reuse, "PutRolePolicy"); n > 0 {
		other += ", " + fault.Plural(n, "role grant")
	}
	return fmt.Sprintf("There are two ways. --strategy handshake takes a person at the provider and %s. --strategy reuse points the pipelines at %s: it takes no person, but %s and %s. "+
		"The handshake costs less where somebody with the rights is at hand, since no definition changes; reuse where nobody is.",
		fault.Plural(count(handshake, "RetryStageExecution")+count(handshake, "StartPipelineExecution"), "restart"), now, other,
		fault.Plural(count(reuse, "StartPipelineExecution"), "start"))
}
