package fault

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// grantPatience is how long a new inline policy may take to show. IAM gives no bound (docs/aws-facts.md, "Limits and rates").
const grantPatience = 2 * time.Minute

// ReuseAsks are the queries that show what pointing pipelines at other connections takes: what their roles may use, what is in flight.
func ReuseAsks(s *fact.Snapshot, pipelines []fact.Pipeline, alternatives []string) []fact.Query {
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
		all = append(all, UpdateAsks(p)...)
	}
	for _, arn := range alternatives {
		if over := Known(s, arn); len(over) > 0 { // does it fetch for one that uses it?
			all = append(all, StateQuery(over[0].Ref().Scope, over[0].Name))
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

// Reuse points the pipelines of a connection that cannot be used at an AVAILABLE one. Status and Provider of one that is gone are empty.
type Reuse struct {
	Connection   fact.Connection
	Code         Code     // the verdict that is gone afterwards
	Alternatives []string // ARNs of the connections that could serve
	Options      plan.Options
}

// Alternatives are the AVAILABLE connections of the same provider in the account, on the same host where there is one.
func Alternatives(s *fact.Snapshot, c fact.Connection) []string {
	var all []string
	for o := range fact.All[fact.Connection](s) {
		newest, _ := fact.Get[fact.Connection](s, o.Ref())
		if newest.Status == fact.StatusAvailable && newest.Provider == c.Provider && newest.HostARN == c.HostARN && newest.ARN != c.ARN && !slices.Contains(all, newest.ARN) {
			all = append(all, newest.ARN)
		}
	}
	return all
}

// Draft is the repair without a person: the pipelines are pointed at the other connection. why says why that does not go.
func (r Reuse) Draft(s *fact.Snapshot) (d plan.Draft, why string) {
	c := r.Connection
	now, why := r.instead()
	if why != "" {
		return d, why
	}
	pipelines := Known(s, c.ARN)
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
			role, _ := fact.ParseARN(p.RoleARN)
			g, lost := GrantUse(s, p.RoleARN, now, "let "+role.Name()+" use the other connection")
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
		step, lost := Repoint(s, p, c.ARN, now)
		step.After = after
		d.Steps = append(d.Steps, step)
		missed = append(missed, lost...)
		updated[p.ARN] = step.ID
	}
	restarts, notes := Restart{Connection: c.ARN, Updated: updated, Options: r.Options}.Steps(s)
	d.Steps = append(d.Steps, restarts...)
	for _, p := range pipelines {
		ref := fact.StateRef(p.Ref().Scope, p.Name)
		d.Steps = append(d.Steps, plan.Step{ID: "verify-" + updated[p.ARN], Title: "the diagnosis again: " + p.Name + " waits for no connection", Kind: plan.Verify, Target: ref,
			After: []string{updated[p.ARN]}, Verdict: string(r.Code), Patience: 5 * time.Minute})
	}
	d.Notes = append(d.Notes, serves(s, pipelines, now)...)
	d.Notes = append(d.Notes, notes...)
	d.Notes = append(d.Notes, "Whatever deploys the definition of "+names(pipelines)+" (CloudFormation, CDK, Terraform) puts "+c.Name+" back at its next deployment: change it there too.")
	if c.Status != "" {
		d.Notes = append(d.Notes, c.Name+" stays "+c.Status+"; nothing of this plan touches it.")
	}
	if note := NotSeen(missed); note != "" {
		d.Notes = append(d.Notes, note)
	}
	return d, ""
}

// instead is the connection to use; why says why there is none.
func (r Reuse) instead() (arn, why string) {
	all, kind := r.Alternatives, "AVAILABLE connection"
	if r.Connection.Provider != "" {
		kind += " to " + r.Connection.Provider
	}
	switch {
	case r.Options.Reuse != "" && !slices.Contains(all, r.Options.Reuse):
		return "", fmt.Sprintf("%s is no %s of this account that was seen", r.Options.Reuse, kind)
	case r.Options.Reuse != "":
		return r.Options.Reuse, ""
	case len(all) == 0:
		return "", "no " + kind + " was seen in this account"
	case len(all) > 1:
		return "", "several connections could serve, name one with --reuse: " + strings.Join(all, ", ")
	}
	return all[0], ""
}

// Label names the connection to use, "" when none can be.
func (r Reuse) Label(s *fact.Snapshot) string {
	arn, _ := r.instead()
	if x, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, arn)); ok {
		return x.Name + " (" + arn + ")"
	}
	return arn
}

// GrantUse drafts an inline policy of its own name, which is easy to find and to take away, that lets a role of the account use a connection
// under both prefixes. missed is what could not be seen of who else gains the right.
func GrantUse(s *fact.Snapshot, role, connection, title string) (step plan.Step, missed []string) {
	c, _ := fact.ParseARN(connection)
	text, err := json.Marshal(op.LeastPolicy(op.Need{Action: useActions()[0], Resource: connection}))
	if err != nil {
		panic("fault: a policy does not marshal: " + err.Error())
	}
	id := c.Name()
	name := "unjam-use-" + id[max(0, len(id)-8):]
	return GrantPolicy(s, Policy{Role: role, Name: name, Document: string(text), Region: c.Region, Title: title})
}

// Policy is an inline policy for a role of the account.
type Policy struct {
	Role     string // ARN
	Name     string // of the policy; one that is there is never replaced
	Document string
	Region   string // whose endpoint is asked
	Title    string // of the step
}

// GrantPolicy drafts the step that gives a role an inline policy of its own name, which is easy to find and to take away. missed is what could
// not be seen of who else gains the right.
func GrantPolicy(s *fact.Snapshot, p Policy) (step plan.Step, missed []string) {
	r, _ := fact.ParseARN(p.Role)
	ref := fact.Ref{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindPolicies, ID: p.Role}
	step = plan.NewCall("grant-"+r.Name()+"-"+p.Name[max(0, len(p.Name)-8):], p.Title, ref, plan.Action{
		Service: "iam", Operation: "PutRolePolicy", Region: p.Region, Input: op.Input{"RoleName": r.Name(), "PolicyName": p.Name, "PolicyDocument": p.Document},
	})
	field := "inline/" + p.Name
	step.Given = []plan.Check{{Ref: ref, Field: field, Op: plan.Is}}
	step.UndoneWhen = step.Given
	step.DoneWhen = []plan.Check{{Ref: ref, Field: field, Op: plan.Is, Value: string(fact.DigestOf(p.Document))}}
	step.SkipWhen, step.Patience = step.DoneWhen, grantPatience
	step.Blast, missed, _ = Radius(s, ref)
	for i := range step.Blast {
		step.Blast[i].Production = false // it gains a right and runs no other way
	}
	return step, missed
}

// serves says what speaks for the other connection's app seeing the repositories: no call of AWS tells that.
func serves(s *fact.Snapshot, pipelines []fact.Pipeline, now string) []string {
	fetched := map[string]string{} // owner to a pipeline whose source fetched over it
	for _, p := range Known(s, now) {
		for _, src := range Sources(s, p, now) {
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
