package connectionpending

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// grantPatience is how long a new inline policy may take to show. IAM gives no bound (docs/aws-facts.md, "Limits and rates").
const grantPatience = 2 * time.Minute

// useAsks are the queries that show what pointing pipelines at other connections takes: what their roles may use, what is in flight.
func useAsks(s *fact.Snapshot, pipelines []fact.Pipeline, alternatives []string) []fact.Query {
	if len(alternatives) == 0 {
		return nil
	}
	account := fact.Scope{Account: s.Question().Account}
	var all []fact.Query
	for _, p := range pipelines {
		if a, err := fact.ParseARN(p.RoleARN); err == nil && a.Account == account.Account {
			all = append(all, fact.Query{Scope: account, Kind: fact.KindSimulation, ID: p.RoleARN, Args: map[string]string{
				"actions": strings.Join(useActions(), ","), "resources": strings.Join(alternatives, ",")}})
		}
		if slices.ContainsFunc(alternatives, func(arn string) bool { u, _ := mayUse(s, p.RoleARN, arn); return u == useLacking }) {
			all = append(all, fact.Query{Scope: account, Kind: fact.KindPolicies, ID: p.RoleARN}) // who else would gain the right
		}
		all = append(all, fault.UpdateAsks(p)...)
	}
	for _, arn := range alternatives {
		if over := fault.Known(s, arn); len(over) > 0 { // does it fetch for one that uses it?
			all = append(all, fault.StateQuery(over[0].Ref().Scope, over[0].Name))
		}
	}
	return all
}

// useActions are the action under both prefixes: a role needs both (docs/aws-facts.md, "Two prefixes").
func useActions() []string {
	return []string{"codeconnections:UseConnection", "codestar-connections:UseConnection"}
}

// use is whether a role may use a connection.
type use int

const (
	useUnknown use = iota
	useAllowed
	useLacking   // a policy of the role would mend it
	useForbidden // something above the role says no
)

func mayUse(s *fact.Snapshot, role, connection string) (u use, by string) {
	for sim := range fact.All[fact.Simulation](s) {
		if sim.Principal != role {
			continue
		}
		said, lacking := 0, false
		for _, action := range useActions() {
			d, ok := sim.Decision(action, connection)
			if !ok {
				continue
			}
			said++
			if !d.Allowed && d.By != "" && d.By != "identity-based policy" {
				return useForbidden, d.By
			}
			lacking = lacking || !d.Allowed
		}
		switch {
		case said < len(useActions()):
			continue
		case lacking:
			return useLacking, ""
		}
		return useAllowed, ""
	}
	return useUnknown, ""
}

// reuse is the repair without a person: the pipelines are pointed at an AVAILABLE connection of the same provider. why says why that does
// not go.
func reuse(s *fact.Snapshot, f fault.Finding, c fact.Connection, o plan.Options) (d plan.Draft, why string) {
	now, why := instead(f, c, o)
	if why != "" {
		return d, why
	}
	pipelines := fault.Known(s, c.ARN)
	if len(pipelines) == 0 {
		return d, "no pipeline that was read uses " + c.Name
	}
	d.Strategy = plan.Reuse
	updated := map[string]string{}
	var missed []string
	for _, p := range pipelines {
		u, by := mayUse(s, p.RoleARN, now)
		var after []string
		switch u {
		case useForbidden:
			return plan.Draft{}, fmt.Sprintf("the %s keeps the role of %s from using %s", by, p.Name, now)
		case useUnknown:
			d.Notes = append(d.Notes, fmt.Sprintf("Whether the role of %s may use the other connection was not seen: its first run shows it.", p.Name))
		case useLacking:
			g, lost := grantUse(s, p.RoleARN, now)
			after = []string{g.ID}
			for _, m := range lost {
				if !slices.Contains(missed, m) {
					missed = append(missed, m)
				}
			}
			if !slices.ContainsFunc(d.Steps, func(x plan.Step) bool { return x.ID == g.ID }) {
				d.Steps = append(d.Steps, g)
			}
		}
		step, lost := fault.Repoint(s, p, c.ARN, now)
		step.After = after
		d.Steps = append(d.Steps, step)
		missed = append(missed, lost...)
		updated[p.ARN] = step.ID
	}
	restarts, notes := fault.Restart{Connection: c.ARN, Updated: updated, Options: o}.Steps(s)
	d.Steps = append(d.Steps, restarts...)
	for _, p := range pipelines {
		ref := fact.StateRef(p.Ref().Scope, p.Name)
		d.Steps = append(d.Steps, plan.Step{ID: "verify-" + updated[p.ARN], Title: "the diagnosis again: " + p.Name + " waits for no connection", Kind: plan.Verify, Target: ref,
			After: []string{updated[p.ARN]}, Verdict: string(f.Code), Patience: 5 * time.Minute})
	}
	d.Notes = append(d.Notes, serves(s, pipelines, now)...)
	d.Notes = append(d.Notes, notes...)
	d.Notes = append(d.Notes, "Whatever deploys the definition of "+names(pipelines)+" (CloudFormation, CDK, Terraform) puts "+c.Name+" back at its next deployment: change it there too.",
		c.Name+" stays PENDING; nothing of this plan touches it.")
	if note := fault.NotSeen(missed); note != "" {
		d.Notes = append(d.Notes, note)
	}
	return d, ""
}

// instead is the connection to use; why says why there is none.
func instead(f fault.Finding, c fact.Connection, o plan.Options) (arn, why string) {
	all := f.Details.Alternatives
	switch {
	case o.Reuse != "" && !slices.Contains(all, o.Reuse):
		return "", fmt.Sprintf("%s is no AVAILABLE connection to %s of this account that was seen", o.Reuse, c.Provider)
	case o.Reuse != "":
		return o.Reuse, ""
	case len(all) == 0:
		return "", "no AVAILABLE connection to " + c.Provider + " was seen in this account"
	case len(all) > 1:
		return "", "several connections could serve, name one with --reuse: " + strings.Join(all, ", ")
	}
	return all[0], ""
}

// label names the connection to use.
func label(s *fact.Snapshot, f fault.Finding, c fact.Connection, o plan.Options) string {
	arn, _ := instead(f, c, o)
	if x, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, arn)); ok {
		return x.Name + " (" + arn + ")"
	}
	return arn
}

// grantUse drafts an inline policy of its own name, which is easy to find and to take away.
func grantUse(s *fact.Snapshot, role, connection string) (step plan.Step, missed []string) {
	r, _ := fact.ParseARN(role)
	c, _ := fact.ParseARN(connection)
	text, err := json.Marshal(op.LeastPolicy(op.Need{Action: useActions()[0], Resource: connection}))
	if err != nil {
		panic("connectionpending: a policy does not marshal: " + err.Error())
	}
	id := c.Name()
	name := "unjam-use-" + id[max(0, len(id)-8):]
	ref := fact.Ref{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindPolicies, ID: role}
	step = plan.NewCall("grant-"+r.Name()+"-"+id[max(0, len(id)-8):], "let "+r.Name()+" use the other connection", ref, plan.Action{
		Service: "iam", Operation: "PutRolePolicy", Region: c.Region, Input: op.Input{"RoleName": r.Name(), "PolicyName": name, "PolicyDocument": string(text)},
	})
	field := "inline/" + name
	step.Given = []plan.Check{{Ref: ref, Field: field, Op: plan.Is}}
	step.UndoneWhen = step.Given
	step.DoneWhen = []plan.Check{{Ref: ref, Field: field, Op: plan.Is, Value: string(fact.DigestOf(string(text)))}}
	step.SkipWhen, step.Patience = step.DoneWhen, grantPatience
	step.Blast, missed, _ = fault.Radius(s, ref)
	for i := range step.Blast {
		step.Blast[i].Production = false // it gains a right and runs no other way
	}
	return step, missed
}

// serves says what speaks for the other connection's app seeing the repositories: no call of AWS tells that.
func serves(s *fact.Snapshot, pipelines []fact.Pipeline, now string) []string {
	fetched := map[string]string{} // owner to a pipeline whose source fetched over it
	for _, p := range fault.Known(s, now) {
		for _, src := range fault.Sources(s, p, now) {
			if src.State.Status == "Succeeded" {
				fetched[owner(src.Action.Repository)] = p.Name
			}
		}
	}
	var all []string
	for _, p := range pipelines {
		for _, a := range p.Sources {
			by, ok := fetched[owner(a.Repository)]
			note := "Whether the app behind the other connection was given " + a.Repository + " is not known: the first run of " + p.Name + " shows it."
			if ok {
				note = fmt.Sprintf("%s fetches from %s over the other connection, so that it likely serves %s too; the first run of %s shows it.", by, owner(a.Repository), a.Repository, p.Name)
			}
			if a.Provider == fact.ConnectionSource && !slices.Contains(all, note) {
				all = append(all, note)
			}
		}
	}
	return all
}

func owner(repository string) string {
	o, _, _ := strings.Cut(repository, "/")
	return o
}

func names(pipelines []fact.Pipeline) string {
	var all []string
	for _, p := range pipelines {
		all = append(all, p.Name)
	}
	return strings.Join(all, ", ")
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
